"""One load: a file, a stream or a member of an archive, from its bytes to its place in the archive."""

import contextlib
import io
import itertools
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ingest import mappings
from ingest.archive import HEAD_BYTES, Archive, ContentName, Landed
from ingest.batches import Beside
from ingest.bill.kept import is_report
from ingest.bill.report import NoBill
from ingest.chunk import CHUNK_BYTES, Bytes, Unreadable
from ingest.compression import Limits, Unpacking, members
from ingest.reader import NO_ATTEMPTS, Batch, Options, Reader, Refusal
from ingest.records import SUFFIXES, chunks

# Raised whenever the same bytes would now be read into other rows: loads then get new names and are read anew.
READER_VERSION = 4

BILL_HEAD_BYTES = 20_000

Bill = Callable[[Bytes, str, Unpacking], None]  # a report, its name, and how its unpacking goes; raises NoBill
Progress = Callable[[int, int], None]  # bytes read of the input as it lies on disk, lines read


@dataclass(frozen=True)
class Outcome:
    """What became of one log: what landed, and whether the very same content had landed before."""

    landed: Landed
    is_known: bool


class Loader:
    """Takes logs into the archive of one Outlay home."""

    def __init__(
        self, home: Path, options: Options | None = None, limits: Limits | None = None, bill: Bill | None = None
    ) -> None:
        """`limits`: what an input may unpack to; bill: takes in reports of the bill, which are refused without it.

        Raises ValueError for an unknown time zone.
        """
        options = options or Options()
        self._limits, self._bill = limits or Limits(), bill
        self._archive, self._options = Archive(home), options
        self._reader = Reader(options, pseudonym_key(home), mappings.saved(home))
        self._seed = f"{READER_VERSION} {sorted(asdict(replace(options, mapping=None)).items())}\n"

    def load_path(self, path: Path, progress: Progress | None = None) -> Iterator[Outcome]:
        """Land every log in a file. Raises `Unreadable` and `TwoFormats`; what landed before stays."""
        with path.open("rb") as source:
            yield from self.load_stream(source, path.name, progress, lambda: self._siblings(path))

    def load_stream(
        self,
        source: io.BufferedReader,
        name: str,
        progress: Progress | None = None,
        beside: Beside = lambda: iter(()),
    ) -> Iterator[Outcome]:
        """Land every log in a stream of bytes: one, or one for each file of a zip archive.

        `beside` gives the logs that lie beside this one; those in an archive lie beside one another.
        Raises `Unreadable` at the end, with all the reasons, if some of the logs could not be read.
        """
        reasons = []
        unpacking = Unpacking(self._limits)
        for member_name, stream in members(source, name, unpacking):
            try:
                if isinstance(stream, Unreadable):
                    raise stream
                is_archived = member_name != name and source.seekable()
                others = (lambda: self._archived(source, name)) if is_archived else beside
                is_seekable = source.seekable() and stream.seekable()
                if self._bill and is_seekable and is_of_the_bill(stream):
                    self._bill(stream, member_name, unpacking)
                else:
                    yield self._load(stream, member_name, source, unpacking, progress, others)
            except (Unreadable, NoBill) as error:
                reasons.append(str(error))
        if reasons:
            more = f"; and {len(reasons) - 5:,} more" if len(reasons) > 5 else ""
            raise Unreadable("; ".join(reasons[:5]) + more)

    def refuse(self, name: str, reason: str, state: str) -> Outcome:
        """Land that an input could not be read, so that its reason is seen among the refused lines.

        `state` tells the input as it is now from what it was or will be: each is refused once.
        """
        content = ContentName(self._seed)
        content.update(f"{name}\n{state}\n{reason}".encode())
        with self._archive.landing(name) as landing:
            landing.add(Batch(NO_ATTEMPTS, [Refusal(1, reason, "")], 0, 0, frozenset(), 0, 0))
            return Outcome(landing.land(content, self._options.zone), is_known=False)

    def _load(
        self,
        stream: Bytes,
        name: str,
        source: Bytes,
        unpacking: Unpacking,
        progress: Progress | None,
        beside: Beside,
    ) -> Outcome:
        if source.seekable() and stream.seekable() and is_of_the_bill(stream):
            raise Unreadable(
                f"{name}: a report of the bill, not a log of requests, and nothing of it was counted as calls; "
                "`outlay bill import` takes it, and the page Reconciliation shows it"
            )
        if source.seekable() and stream.seekable() and (known := self._known(stream, name, beside)):
            return Outcome(known, is_known=True)
        content, formats = ContentName(self._seed), frozenset[str]()
        position = source.tell if source.seekable() else lambda: content.size
        with self._archive.landing(name) as landing:
            for batch in self._reader.read(stream, name, content.update, position, beside):
                landing.add(batch)
                formats |= batch.formats
                if progress:
                    progress(batch.read_to, batch.last_line)
                if why := unpacking.why_a_bomb(landing.attempts, landing.refused):
                    unpacking.damage = (
                        f"{name}: {why}: it looks like a decompression bomb and was left after line "
                        f"{batch.last_line:,}; if it is a log, unpack it and load it plain"
                    )
                    break
            if unpacking.damage:
                if not landing.attempts:
                    raise Unreadable(unpacking.damage)
                landing.report.notes.append(unpacking.damage)
            content.read_with(self._reader.beside)
            landing.report.notes += self._reader.notes
            if "vertex" in formats:
                landing.report.notes.append(_of_a_sample(self._options.sampling_rate))
            if known := self._archive.landed(str(content)):
                return Outcome(known, is_known=True)
            return Outcome(landing.land(content, self._options.zone), is_known=False)

    def _known(self, stream: Bytes, name: str, beside: Beside) -> Landed | None:
        """The load that this content already is. Read to the end only when its beginning is one of the archive's."""
        content = ContentName(self._seed)
        start = stream.tell()
        content.update(stream.read(HEAD_BYTES))
        if self._archive.may_hold(content.head):
            while block := stream.read(CHUNK_BYTES):
                content.update(block)
            stream.seek(start)
            for first in itertools.islice(chunks(stream, name, lambda block: None), 1):
                self._reader.settle(name, first, beside)
                content.read_with(self._reader.beside)
        known = self._archive.landed(str(content))
        stream.seek(start)
        return known

    def _siblings(self, path: Path) -> Iterator[tuple[str, Bytes]]:
        """The other logs in a file's folder."""
        for sibling in sorted(path.parent.iterdir()):
            if sibling.is_file() and sibling.suffix.lower() in SUFFIXES and not sibling.samefile(path):
                with sibling.open("rb") as source:
                    yield from self._readable(source, sibling.name)

    def _archived(self, source: io.BufferedReader, name: str) -> Iterator[tuple[str, Bytes]]:
        """The logs in an archive, read once more from its start."""
        at = source.tell()
        source.seek(0)
        yield from self._readable(source, name)
        source.seek(at)

    def _readable(self, source: io.BufferedReader, name: str) -> Iterator[tuple[str, Bytes]]:
        for member_name, stream in members(source, name, Unpacking(self._limits)):
            if not isinstance(stream, Unreadable):
                yield member_name, stream


def _of_a_sample(rate: float | None) -> str:
    share = f"{rate:.2%}" if rate is not None else "an unknown share (say it with --sampling-rate)"
    if rate == 1:
        return "Vertex AI logged every request, as --sampling-rate says"
    return f"Vertex AI logs hold a sample, {share} of the requests: counts and sums are of the sample, not scaled up"


def inputs(path: Path) -> list[Path]:
    """The logs that a path stands for: itself, or every log below a folder, in order."""
    if not path.is_dir():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if file.is_file()
        and file.suffix.lower() in SUFFIXES
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )


def pseudonym_key(home: Path) -> bytes:
    """The key that turns people's names into pseudonyms: made once per home, readable by its owner only.

    Without it no pseudonym can be computed or checked; deleting it makes them all irreversible.
    """
    path = home / "keys" / "pseudonyms.key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="ascii") as file:  # made with mode 0600
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):  # another process was first, and its key is the key
                os.link(file.name, path)
    return bytes.fromhex(path.read_text(encoding="ascii"))


def is_of_the_bill(stream: Bytes) -> bool:
    """Does a stream hold a report of the bill? It is left where it stood."""
    start = stream.tell()
    head = stream.read(BILL_HEAD_BYTES)
    stream.seek(start)
    return is_report(head)
