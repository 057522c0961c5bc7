"""What all tests share: a home of their own."""

from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty Outlay home."""
    return tmp_path / "home"
