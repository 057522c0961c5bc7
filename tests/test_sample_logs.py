"""The sample logs are what their generator writes, and are as large as a repository can bear."""

import gzip
import zipfile
from pathlib import Path

import zstandard

from sample_logs.generate import write_logs

LOGS = Path(__file__).parents[1] / "sample_logs" / "logs"


def unpacked(folder: Path) -> dict[str, str]:
    """Every log as text: packed bytes may differ between versions of a compressor, what they hold may not."""
    texts: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                texts |= {f"{name}/{member}": archive.read(member).decode() for member in archive.namelist()}
        elif path.suffix == ".gz":
            texts[name] = gzip.decompress(path.read_bytes()).decode()
        elif path.suffix == ".zst":
            texts[name] = zstandard.ZstdDecompressor().stream_reader(path.open("rb")).read().decode()
        elif path.is_file():
            texts[name] = path.read_text(encoding="utf-8")
    return texts


def test_the_generator_writes_the_committed_logs(tmp_path):
    write_logs(tmp_path)
    assert unpacked(tmp_path) == unpacked(LOGS)


def test_the_logs_stay_small():
    assert sum(path.stat().st_size for path in LOGS.rglob("*") if path.is_file()) < 5_500_000
