"""Bytes on disk that depend on the content alone: no time, no name and no machine in the headers of archives."""

import gzip
import io
import zipfile
from pathlib import Path

import zstandard


def write(path: Path, content: bytes) -> None:
    """Write the content, packed as the file's suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pack(path.suffix, content))


def pack(suffix: str, content: bytes) -> bytes:
    """The content, compressed for .gz and .zst, as it is for anything else."""
    if suffix == ".gz":
        buffer = io.BytesIO()
        with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as packed:
            packed.write(content)
        return buffer.getvalue()
    if suffix == ".zst":
        return zstandard.ZstdCompressor(level=19).compress(content)
    return content


def write_zip(path: Path, members: dict[str, bytes]) -> None:
    """Write one archive with these members, in the order of their names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(members):
            entry = zipfile.ZipInfo(name, date_time=(2026, 11, 22, 0, 0, 0))
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(entry, members[name])
