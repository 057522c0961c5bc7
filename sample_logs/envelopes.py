"""How a record becomes a line of a log, and how lines travel on their way to a file.

A *line* is what the application's logging library prints. A *carrier* is what collected the printed lines: a file, a
container runtime, a cloud's log service. Every service combines one of each.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from sample_logs.company import FIRST, local
from sample_logs.records import Entry, Line, Record, iso

Carrier = Callable[[list[Entry]], str]

# ---- lines --------------------------------------------------------------------------------------------------------


def json_line(record: Record, _when: datetime) -> str:
    """The record alone, as JSON."""
    return json.dumps(record)


def structlog_json(record: Record, when: datetime) -> str:
    """What structlog's JSONRenderer prints."""
    return json.dumps({**record, "event": "claude_call", "level": "info", "timestamp": iso(when)})


def prefixed_repr(prefix: str) -> Line:
    """The record as Python shows a dict, behind a logging prefix."""
    return lambda record, _when: f"{prefix}{record!r}"


def prefixed_json(prefix: str) -> Line:
    """The record as JSON, behind a logging prefix."""
    return lambda record, _when: prefix + json.dumps(record)


def json_in_message(record: Record, _when: datetime) -> str:
    """python-json-logger around a message that is itself JSON text."""
    return json.dumps({"levelname": "INFO", "name": "evaluation.runner", "message": json.dumps(record)})


def json_logger(record: Record, when: datetime) -> str:
    """python-json-logger with its usual `asctime`: local time that does not say which zone it is in."""
    asctime = local(when).isoformat(sep=" ", timespec="milliseconds").replace(".", ",")
    return json.dumps(
        {"asctime": asctime, "levelname": "INFO", "name": "returns.triage", "message": "claude_call", **record}
    )


def logfmt(record: Record, when: datetime) -> str:
    """What structlog's LogfmtRenderer prints."""
    pairs = {"timestamp": iso(when), "level": "info", "event": "claude_call", **record}
    return " ".join(f"{name}={logfmt_value(value)}" for name, value in pairs.items())


def logfmt_value(value: Any) -> str:
    """Nothing for None, lower-case booleans, quotes where there is a space or an equals sign."""
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return json.dumps(text) if " " in text or "=" in text else text


def structlog_console(record: Record, when: datetime) -> str:
    """What structlog's ConsoleRenderer prints on a terminal, colours included."""
    pairs = " ".join(f"\x1b[36m{name}\x1b[0m=\x1b[35m{value}\x1b[0m" for name, value in record.items())
    return f"\x1b[2m{iso(when)}\x1b[0m [\x1b[32m\x1b[1minfo     \x1b[0m] \x1b[1m{'claude_call':<30}\x1b[0m {pairs}"


def loguru_json(record: Record, when: datetime) -> str:
    """What loguru prints with `serialize=True` when the record was bound as extra."""
    here = local(when)
    offset = (here - when).seconds // 3600
    shown = here.isoformat(sep=" ", timespec="milliseconds")
    elapsed = (when - FIRST).total_seconds()
    return json.dumps(
        {
            "text": f"{shown} | INFO     | gateway.worker:forward:88 - claude_call\n",
            "record": {
                "elapsed": {"repr": str(when - FIRST), "seconds": elapsed},
                "exception": None,
                "extra": record,
                "file": {"name": "worker.py", "path": "/srv/gateway/worker.py"},
                "function": "forward",
                "level": {"icon": "i", "name": "INFO", "no": 20},
                "line": 88,
                "message": "claude_call",
                "module": "worker",
                "name": "gateway.worker",
                "process": {"id": 17, "name": "MainProcess"},
                "thread": {"id": 140211, "name": "MainThread"},
                "time": {"repr": f"{shown}000+0{offset}:00", "timestamp": when.replace(tzinfo=UTC).timestamp()},
            },
        },
        ensure_ascii=False,
    )


# ---- carriers -----------------------------------------------------------------------------------------------------


def plain(entries: list[Entry]) -> str:
    """A file the application writes itself."""
    return joined(text for _, text in entries)


def docker(entries: list[Entry]) -> str:
    """Docker's json-file driver: lines above 16 KB come in pieces, and only the last piece ends the line."""
    return joined(
        json.dumps({"log": piece, "stream": "stdout", "time": nanoseconds(when)})
        for when, text in entries
        for piece in pieces(text + "\n")
    )


def kubernetes(entries: list[Entry]) -> str:
    """The container runtime interface: P marks a piece that goes on in the next line, F the end."""
    return joined(
        f"{nanoseconds(when)} stdout {'F' if last else 'P'} {piece}"
        for when, text in entries
        for piece, last in with_last(pieces(text))
    )


def journald(entries: list[Entry]) -> str:
    """`journalctl -o json`."""
    return joined(
        json.dumps(
            {
                "__REALTIME_TIMESTAMP": str(epoch_ms(when) * 1000),
                "_HOSTNAME": "kiosk-03",
                "PRIORITY": "6",
                "SYSLOG_IDENTIFIER": "kiosk-search",
                "_PID": "811",
                "MESSAGE": text,
            }
        )
        for when, text in entries
    )


def cloudwatch_text(entries: list[Entry]) -> str:
    """An export of a CloudWatch log group to S3."""
    return joined(f"{iso(when)} {text}" for when, text in entries)


def cloudwatch_events(entries: list[Entry]) -> str:
    """The answer of CloudWatch's filter-log-events."""
    events = [
        {
            "logStreamName": "extract/7f3a",
            "timestamp": epoch_ms(when),
            "message": text,
            "ingestionTime": epoch_ms(when) + 412,
            "eventId": f"3871{number:052d}",
        }
        for number, (when, text) in enumerate(entries)
    ]
    return json.dumps({"events": events, "searchedLogStreams": []})


def cloudwatch_subscription(entries: list[Entry]) -> str:
    """What a CloudWatch subscription delivers: objects one after another, with nothing between them."""
    origin = {
        "owner": "123456789012",
        "logGroup": "/ecs/invoice-extract",
        "logStream": "extract/7f3a",
        "subscriptionFilters": ["to-s3"],
    }
    control = {
        "messageType": "CONTROL_MESSAGE",
        "owner": "CloudwatchLogs",
        "logGroup": "",
        "logStream": "",
        "subscriptionFilters": [],
        "logEvents": [
            {"id": "", "timestamp": epoch_ms(entries[0][0]), "message": "CWL CONTROL MESSAGE: Checking health"}
        ],
    }
    batches = [entries[start : start + 25] for start in range(0, len(entries), 25)]
    return json.dumps(control) + "".join(
        json.dumps(
            {
                "messageType": "DATA_MESSAGE",
                **origin,
                "logEvents": [
                    {"id": f"3872{batch:010d}{number:042d}", "timestamp": epoch_ms(when), "message": text}
                    for number, (when, text) in enumerate(lines)
                ],
            }
        )
        for batch, lines in enumerate(batches)
    )


def datadog(entries: list[Entry]) -> str:
    """A page of Datadog's logs API."""
    data = [
        {
            "id": f"AwAAAZ{number:018d}",
            "type": "log",
            "attributes": {
                "timestamp": iso(when),
                "status": "info",
                "message": "claude_call",
                "host": "blurbs-2",
                "service": "recommendations",
                "tags": ["env:prod", "team:storefront"],
                "attributes": json.loads(text),
            },
        }
        for number, (when, text) in enumerate(entries)
    ]
    return json.dumps({"data": data, "meta": {"page": {}}})


def csv_table(entries: list[Entry]) -> str:
    """A table with a header."""
    rows = [json.loads(text) for _, text in entries]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def pretty_array(entries: list[Entry]) -> str:
    """One JSON array over many lines, as a person would save it."""
    return json.dumps([json.loads(text) for _, text in entries], indent=2) + "\n"


def joined(lines: Iterator[str]) -> str:
    """Lines, each ended."""
    return "".join(line + "\n" for line in lines)


def pieces(text: str, size: int = 16384) -> list[str]:
    """The text in pieces that a runtime's buffer holds."""
    return [text[start : start + size] for start in range(0, len(text), size)]


def with_last(items: list[str]) -> list[tuple[str, bool]]:
    """Each item with whether it is the last."""
    return [(item, number == len(items)) for number, item in enumerate(items, start=1)]


def nanoseconds(when: datetime) -> str:
    """A container runtime's time: nine decimals."""
    return when.isoformat(timespec="milliseconds") + "000000Z"


def epoch_ms(when: datetime) -> int:
    """Milliseconds since 1970."""
    return round(when.replace(tzinfo=UTC).timestamp() * 1000)
