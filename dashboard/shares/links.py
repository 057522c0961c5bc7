"""The address that is sent to somebody: where the dashboard is reached, and the token."""

import contextlib
from pathlib import Path

from dashboard.alerts import rules_file
from dashboard.alerts.parsing import RulesRefused
from dashboard.alerts.rules import Rules
from dashboard.owner import Address


def link(home: Path, token: str) -> str:
    """The link of a share: below base_url of the rules file, else below where the running server listens."""
    told, address = Rules.base_url, Address.of(home)
    with contextlib.suppress(RulesRefused, OSError):
        told = rules_file.read(rules_file.path(home)).base_url
    if told == Rules.base_url and address:
        told = address.url
    return f"{told.rstrip('/')}/s/{token}"
