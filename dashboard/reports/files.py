"""Files on disk, whole or not at all."""

import contextlib
import os
import tempfile
from pathlib import Path


def write_whole(target: Path, content: bytes) -> None:
    """Put a file in place under its name only once all of it is on disk. Raises OSError; nothing is left then."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
