"""A fuzzer that goes by coverage, on demand: `sh run fuzz --seconds 600`, see `--help`.

Any bytes under any name of a file: nothing is raised but a sentence, and of every load read = new + known + folded +
refused. It begins with the first lines of every log in sample_logs/ and fixtures/, keeps what reaches new code in the
folder of finds, and goes on from there the next time. What breaks is written beside them as crash-*.
"""

import argparse
import io
import shutil
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ingest"]):
    from ingest import store
    from ingest.chunk import Unreadable
    from ingest.load import Loader
    from tests.ingest.loading import opened

ROOT = Path(__file__).parents[2]
SEEDS = (ROOT / "sample_logs" / "logs", Path(__file__).parent / "fixtures")
SUFFIXES = (".jsonl", ".json", ".csv", ".log", ".parquet", ".gz", ".zip", ".zst")
SEED_BYTES = 4 << 10  # of the beginning of each
FOLD_EVERY = 200  # inputs, into a home of their own


class Fuzzing:
    """Takes one input after the other, and adds up what became of them."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._taken = folder, 0
        self._begin()

    def _begin(self) -> None:
        self._home = self._folder / str(self._taken)
        self._home.mkdir()
        self._loader = Loader(self._home)

    def take(self, data: bytes) -> None:
        """The first byte says what the file is called, the others what is in it."""
        suffix = SUFFIXES[data[0] % len(SUFFIXES)] if data else ""
        try:
            for outcome in self._loader.load_stream(io.BufferedReader(io.BytesIO(data[1:])), f"odd{suffix}"):
                assert outcome.landed.refused_records <= outcome.landed.read_records, outcome
        except Unreadable as sentence:
            assert str(sentence).startswith("odd"), sentence
        self._taken += 1
        if self._taken % FOLD_EVERY == 0:
            self.add_up()
            self._begin()

    def add_up(self) -> None:
        """Fold what has landed: all of it can be, and every line is accounted for."""
        with opened(self._home) as con:
            store.fold(con, self._home)
            assert con.execute("from store.set_aside").fetchall() == []
            assert con.execute("""
                select source_name, read_records, new_attempts, known_records, folded_records, refused_records
                from store.loads
                where read_records <> new_attempts + known_records + folded_records + refused_records
            """).fetchall() == []  # fmt: skip
        shutil.rmtree(self._home)


def sow(finds: Path) -> None:
    """The beginning of every log that there is, with the name that it has."""
    logs = (path for folder in SEEDS for path in sorted(folder.rglob("*")) if path.is_file())
    for number, path in enumerate(logs):
        suffix = SUFFIXES.index(path.suffix) if path.suffix in SUFFIXES else 0
        (finds / f"seed-{number}").write_bytes(bytes([suffix]) + path.read_bytes()[:SEED_BYTES])


def main() -> None:
    """Go on until the time is up or something breaks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--finds", type=Path, default=Path(".fuzz"), help="what to go on from, and what is found")
    given = parser.parse_args()
    given.finds.mkdir(exist_ok=True)
    sow(given.finds)
    with tempfile.TemporaryDirectory() as folder:
        fuzzing = Fuzzing(Path(folder))
        flags = [f"-max_total_time={given.seconds}", f"-artifact_prefix={given.finds}/", "-max_len=8192", "-timeout=60"]
        atheris.Setup([sys.argv[0], *flags, str(given.finds)], fuzzing.take)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
