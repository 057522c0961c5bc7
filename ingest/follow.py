"""Taking in what comes: files that are still being written are tailed, folders are watched for files put into them.

It lands loads in the archive and nothing else, so it works beside a server; where none runs, it folds by itself. It
looks every half second: a few calls to the system, on any file system, where change notices are not to be had on all.
"""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from ingest import store
from ingest.chunk import Unreadable
from ingest.load import Loader, Outcome, inputs
from ingest.positions import FileState, Positions
from ingest.reader import Options, TwoFormats
from ingest.tail import Tail

LOOK_SECONDS = 0.5
FOLDER_LOOKS = 4  # a folder is looked through every so many looks
RELIEF_SECONDS = 10.0  # after the disk was full, say

Say = Callable[[str], None]


def follow(
    home: Path,
    options: Options,
    paths: list[Path],
    say: Say,
    stop: threading.Event,
    fold: Callable[[Path], None],
) -> None:
    """Follow files and folders until `stop` is set; then land what is there. `say` gets a sentence for each load.

    What has landed is folded by `fold`, unless another process has the store: then that one does (`store.StoreBusy`).

    Raises ValueError for an unknown time zone.
    """
    loader, positions = Loader(home, options), Positions(home)
    sources = [
        Folder(path, loader, positions) if path.is_dir() else Tail(path, loader, positions, say) for path in paths
    ]
    looks, pause = 0, 0.0
    while True:
        is_last = stop.wait(pause)
        is_anything_new, pause = False, LOOK_SECONDS
        try:
            for source in sources:
                if isinstance(source, Tail) or looks % FOLDER_LOOKS == 0:
                    for outcome in source.poll(is_last):
                        say(told(outcome))
                        is_anything_new = True
        except OSError as error:  # nothing of that load has landed, and no position has moved
            say(f"could not land what came ({error}); it is tried again in {RELIEF_SECONDS:.0f} seconds")
            pause = RELIEF_SECONDS
        if is_anything_new:
            _fold(home, say, fold)
        if is_last:
            break
        looks += 1
    for source in sources:
        source.close()
    positions.close()


class Folder:
    """Watches a folder: each log in it is loaded once it stays as it is, and again when it has been changed."""

    def __init__(self, path: Path, loader: Loader, positions: Positions) -> None:
        """What was loaded from here before, and has not changed since, is not read again."""
        self._path, self._loader, self._positions = path, loader, positions
        self._last_look: dict[Path, FileState] = {}

    def poll(self, is_last: bool = False) -> Iterator[Outcome]:
        """Load the files that are as they were at the last look; those that are not are left for the next start."""
        seen: dict[Path, FileState] = {}
        for file in inputs(self._path):
            try:
                stat = file.stat()
            except OSError:  # taken away since
                continue
            state = seen[file] = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
            if self._last_look.get(file) == state and self._positions.of_file(file) != state:
                yield from self._load(file, state)
                self._positions.write_file(file, state)
        self._last_look = seen

    def close(self) -> None:
        """Nothing is held open."""

    def _load(self, file: Path, state: FileState) -> Iterator[Outcome]:
        try:
            yield from self._loader.load_path(file)
        except (Unreadable, TwoFormats, OSError) as error:
            yield self._loader.refuse(file.name, f"nothing was taken: {error}", str(state))


def told(outcome: Outcome) -> str:
    """What landed, in a sentence."""
    landed = outcome.landed
    if outcome.is_known:
        return f"{landed.source_name}: already loaded"
    refused = f", {landed.refused_records:,} refused (the Data page says why)" if landed.refused_records else ""
    return f"{landed.source_name}: {landed.read_records:,} records read{refused}"


def _fold(home: Path, say: Say, fold: Callable[[Path], None]) -> None:
    try:
        fold(home)
    except store.StoreBusy:
        pass
    except duckdb.Error as error:
        say(f"what landed is safe in the archive, but could not be folded now ({error}); it will be tried again")
