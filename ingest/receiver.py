"""Exports of OpenTelemetry into the archive, in a process of its own that runs as long as its server.

Standard input carries frames: a line of JSON (`id`, `signal`, `is_json`, `encoding`, `bytes`) and then the body as it
was sent. Standard output answers each with a line of JSON: `id`, `status` (as HTTP has it), `refused` (records) and
`message`. An answer of 200 means that the rows are on disk. Frames that come close together are read and made durable
together. When the input ends, what has not landed lands, and the process ends.
"""

import argparse
import io
import json
import os
import queue
import sys
import threading
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ingest.chunk import LONGEST_LINE, Unreadable
from ingest.limits import Watch
from ingest.load import pseudonym_key
from ingest.otlp import json_of
from ingest.pace import Pace
from ingest.reader import Batch, Options, Reader, TwoFormats
from ingest.spool import Spool

GATHER_SECONDS = 0.05  # how long a first frame waits for others
GROUP_FRAMES = 256
GROUP_BYTES = 32 << 20
LONGEST_MESSAGE = 1000
LAND_ALSO_AT_BYTES = 64 << 20
UNPACKED_BYTES = LONGEST_LINE  # an export becomes one line


@dataclass(frozen=True)
class Frame:
    """One export as it was sent."""

    id: int
    signal: Literal["traces", "logs"]
    is_json: bool
    encoding: str  # "", gzip or deflate
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What became of it. The message is a sentence, empty where all is well."""

    id: int
    status: int
    refused: int = 0
    message: str = ""


class BadExport(Exception):
    """An export that can never be taken: its HTTP status, and why."""

    def __init__(self, status: int, message: str) -> None:
        """`status` is 400 or 413."""
        super().__init__(message)
        self.status = status


class Receiver:
    """Reads groups of exports and makes them durable."""

    def __init__(self, home: Path) -> None:
        """Lands what an earlier process has acknowledged and could not land any more."""
        self._reader = Reader(Options(), pseudonym_key(home))
        self._spool, self._pace = Spool(home), Pace()
        self._spool.land()

    def take(self, frames: list[Frame]) -> list[Answer]:
        """Take a group: those answered with 200 are on disk."""
        answers, lines = [], {}
        for frame in frames:
            try:
                if line := line_of(frame):
                    lines[frame] = line
                else:
                    answers.append(Answer(frame.id, 200))
            except BadExport as error:
                answers.append(Answer(frame.id, error.status, message=str(error)))
        return answers + self._take(lines)

    def land_if_due(self) -> None:
        """Make a load of what has been acknowledged, if it is time to."""
        if not self._spool.is_empty() and (self._pace.is_due() or self._spool.bytes() > LAND_ALSO_AT_BYTES):
            self.land()

    def land(self) -> None:
        """Make a load of what has been acknowledged. If there is no room for it, it stays where it is, on disk."""
        try:
            if self._spool.land():
                self._pace.landed()
        except OSError as error:
            print(f"outlay: received rows are safe, but could not be moved into the archive ({error})", file=sys.stderr)

    def _take(self, lines: dict[Frame, bytes]) -> list[Answer]:
        if not lines:
            return []
        try:
            batches = list(self._reader.read(io.BytesIO(b"\n".join(lines.values())), "OTLP", lambda _: None))
        except Exception as error:  # whatever it is, it is the fault of one of them: the others must not suffer
            if len(lines) > 1:
                return [answer for frame, line in lines.items() for answer in self._take({frame: line})]
            why = str(error) if isinstance(error, TwoFormats | Unreadable) else type(error).__name__
            return [Answer(frame.id, 500, message=f"the export could not be read ({why})") for frame in lines]
        try:
            if any(batch.attempts.num_rows or batch.refusals or batch.numbers.runs for batch in batches):
                self._spool.add(batches)
        except OSError as error:
            return [Answer(frame.id, 503, message=f"the rows could not be written ({error})") for frame in lines]
        return [_answer(frame, number, batches) for number, frame in enumerate(lines, start=1)]


def _answer(frame: Frame, line: int, batches: list[Batch]) -> Answer:
    reasons = [refusal.reason for batch in batches for refusal in batch.refusals if refusal.line == line]
    return Answer(frame.id, 200, len(reasons), "; ".join(dict.fromkeys(reasons))[:LONGEST_MESSAGE])


def line_of(frame: Frame) -> bytes:
    """An export as one line of OTLP/JSON, empty if nothing is in it. Raises BadExport."""
    body = _unpacked(frame)
    try:
        line = body if frame.is_json else json_of(body, frame.signal)
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadExport(400, f"the body cannot be read as OTLP ({error})") from error
    if not isinstance(request, dict):
        raise BadExport(400, "the body is no OTLP/JSON: it has to be an object")
    if not any(request.values()):
        return b""
    if b"\n" in line or b"\r" in line:
        line = json.dumps(request).encode()
    if len(line) > LONGEST_LINE:
        raise BadExport(413, _TOO_LARGE)
    return line


_TOO_LARGE = (
    f"the export is over {UNPACKED_BYTES >> 20} MB unpacked; send fewer spans at a time "
    "(OTEL_BSP_MAX_EXPORT_BATCH_SIZE), or leave prompts out of them"
)


def _unpacked(frame: Frame) -> bytes:
    if not frame.encoding:
        return frame.body
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, as its first bytes say
    try:
        body = unpacker.decompress(frame.body, UNPACKED_BYTES)
        if unpacker.unconsumed_tail:
            raise BadExport(413, _TOO_LARGE)
        body += unpacker.flush()
    except zlib.error as error:
        raise BadExport(400, f"the body is no {frame.encoding} ({error})") from error
    if not unpacker.eof:
        raise BadExport(400, f"the {frame.encoding} body is cut short")
    return body


def main() -> None:
    """Answer frames until the input ends."""
    parser = argparse.ArgumentParser(prog="python -m ingest.receiver", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the Outlay home that takes the exports")
    parser.add_argument("--memory-mb", type=int, default=2048, help="the memory that it may use")
    parser.add_argument("--cpu-seconds", type=float, default=300, help="the processor time that one group may take")
    given = parser.parse_args()
    watch = Watch(given.memory_mb << 20, given.cpu_seconds)
    receiver = Receiver(given.home)
    waiting: queue.Queue[Frame | None] = queue.Queue(maxsize=GROUP_FRAMES)
    threading.Thread(target=_read_frames, args=(waiting,), daemon=True).start()
    is_open = True
    while is_open:
        watch.progress()
        frames, is_open = _gather(waiting)
        for answer in receiver.take(frames) if frames else []:
            _say(vars(answer))
        receiver.land_if_due()
    receiver.land()


def _gather(waiting: "queue.Queue[Frame | None]") -> tuple[list[Frame], bool]:
    """The frames that come close together, and whether more can come. None for a second is an answer too."""
    frames: list[Frame] = []
    give_up_at = time.monotonic() + 1.0
    while True:
        try:
            frame = waiting.get(timeout=max(0.0, give_up_at - time.monotonic()))
        except queue.Empty:
            return frames, True
        if frame is None:
            return frames, False
        if not frames:
            give_up_at = time.monotonic() + GATHER_SECONDS
        frames.append(frame)
        if len(frames) >= GROUP_FRAMES or sum(len(frame.body) for frame in frames) >= GROUP_BYTES:
            return frames, True


def _read_frames(into: "queue.Queue[Frame | None]") -> None:
    with os.fdopen(0, "rb") as source:
        while header := source.readline():
            about: dict[str, Any] = json.loads(header)
            size = about.pop("bytes")
            body = source.read(size)
            if len(body) == size:  # less when the server was killed meanwhile: its exporter sends that again
                into.put(Frame(body=body, **about))
    into.put(None)


def _say(answer: dict[str, Any]) -> None:
    try:
        print(json.dumps(answer), flush=True)
    except BrokenPipeError:  # the server is gone; what it was answered is on disk all the same
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


if __name__ == "__main__":
    main()
