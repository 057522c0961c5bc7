"""Writes the logs: draws every call, lets the service that made it log it, and packs the files."""

import argparse
from collections import defaultdict
from datetime import datetime
from pathlib import Path

from sample_logs import files
from sample_logs.claude_code import transcripts
from sample_logs.company import FEATURES
from sample_logs.dice import Dice
from sample_logs.envelopes import Carrier, plain
from sample_logs.records import Entry
from sample_logs.services import REEXPORTS, REPEATED_LINES, SERVICES, STRAY_LINES, Service
from sample_logs.traffic import Call, calls

SEED = 20260914


def service_logs(seed: int, scale: float) -> dict[str, str]:
    """The logs of all services: path below the output folder → text, before packing."""
    entries, carriers = defaultdict[str, list[Entry]](list), dict[str, Carrier]()
    for feature in FEATURES:
        for call in calls(feature, seed, scale):
            service = service_of(call)
            for when, text in service.writes(call, service.environment):
                path = service.path.replace("{month}", f"{when:%Y-%m}")
                entries[path].append((when, text))
                carriers[path] = service.carrier
    for stray in STRAY_LINES:
        entries[stray.path].append((stray.when, stray.text))
    for lines in entries.values():
        lines.sort(key=moment)
    for reexport in REEXPORTS:
        entries[reexport.path] = [
            entry for entry in entries[reexport.original] if reexport.since <= entry[0] < reexport.until
        ]
    for path, every in REPEATED_LINES.items():
        entries[path] = repeated(entries[path], every)
    return {path: carriers.get(path, plain)(lines) for path, lines in entries.items()}


def service_of(call: Call) -> Service:
    """The service that made this call."""
    when, dice = call.attempts[0].started_at, Dice(call.call_id, "service")
    return next(
        service
        for service in SERVICES
        if service.feature == call.feature.name and service.since <= when < service.until and dice.chance(service.share)
    )


def moment(entry: Entry) -> datetime:
    """When a line was written."""
    return entry[0]


def repeated(lines: list[Entry], every: int) -> list[Entry]:
    """The lines, with every so-manyth of them twice."""
    return [line for number, line in enumerate(lines, start=1) for line in [line] * (1 if number % every else 2)]


def write_logs(folder: Path, seed: int = SEED, scale: float = 1.0) -> dict[str, str]:
    """Write all logs below the folder and return what they hold: path → text, before packing."""
    logs = service_logs(seed, scale) | transcripts(seed)
    archives = defaultdict[str, dict[str, bytes]](dict)
    for path, text in logs.items():
        archive, inside, member = path.partition(".zip/")
        if inside:
            archives[archive + ".zip"][member] = text.encode()
        else:
            files.write(folder / path, text.encode())
    for path, members in archives.items():
        files.write_zip(folder / path, members)
    return logs


def main() -> None:
    """Read the command line and write the logs."""
    parser = argparse.ArgumentParser(prog="python -m sample_logs", description=__doc__)
    parser.add_argument("out", type=Path, help="folder to write the logs into")
    parser.add_argument("--seed", type=int, default=SEED, help="other seeds give other calls with the same incidents")
    parser.add_argument("--scale", type=float, default=1.0, help="times the traffic; Claude Code sessions stay as many")
    arguments = parser.parse_args()
    logs = write_logs(arguments.out, arguments.seed, arguments.scale)
    for path, text in sorted(logs.items()):
        print(f"{text.count(chr(10)):>8} lines  {path}")


if __name__ == "__main__":
    main()
