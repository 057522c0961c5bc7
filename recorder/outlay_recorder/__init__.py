"""One line in an application that calls Claude, and every attempt is on record.

client = outlay_recorder.record(Anthropic(), "claude.jsonl", feature="search")
"""

from outlay_recorder.attribution import labels
from outlay_recorder.hook import record
from outlay_recorder.log import flush
from outlay_recorder.retry import Budget, Retry
from outlay_recorder.sinks import File, Logging, Stdout

__all__ = ["Budget", "File", "Logging", "Retry", "Stdout", "flush", "labels", "record"]
