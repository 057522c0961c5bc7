"""What one load in a process of its own may use; beyond it the process ends itself, with a sentence.

What is watched is the memory that is really in use: DuckDB and Arrow reserve far more than they touch, so that a limit
on addresses would end healthy loads.
"""

import os
import resource
import sys
import threading
import time
from pathlib import Path

WATCH_EVERY_SECONDS = 0.05
PAGE_BYTES = resource.getpagesize()
_STATM = Path("/proc/self/statm")


class Watch:
    """Watches this process from a thread of its own, from now until its end."""

    def __init__(self, memory_bytes: int, cpu_seconds: float) -> None:
        """`cpu_seconds`: processor time between two signs of `progress`. Core dumps, which hold data, are off."""
        self._memory_bytes, self._cpu_seconds = memory_bytes, cpu_seconds
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        self.progress()
        threading.Thread(target=self._watch, daemon=True).start()

    def progress(self) -> None:
        """A part of the input is done."""
        self._since = time.process_time()

    def _watch(self) -> None:
        while True:
            if resident_bytes() > self._memory_bytes:
                _end(
                    f"reading it took more than {self._memory_bytes >> 20:,} MB of memory; split it and load the parts"
                )
            if time.process_time() - self._since > self._cpu_seconds:
                _end(f"one part of it took more than {self._cpu_seconds:,.0f} s of processor time; it was left unread")
            time.sleep(WATCH_EVERY_SECONDS)


def resident_bytes() -> int:
    """The memory that this process has in use; where the system does not tell, the most that it has ever had."""
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * PAGE_BYTES
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _end(sentence: str) -> None:
    """End at once; what was being landed is left to be swept, and nothing of it can be seen."""
    os.write(sys.stderr.fileno(), f"{sentence}\n".encode())
    os._exit(1)
