"""The server's watch: every minute one evaluation and what is due to be sent, away from the pages."""

import asyncio
import sys
import threading
from pathlib import Path

from dashboard.alerts import evaluation, rules_file
from dashboard.alerts.parsing import RulesRefused
from dashboard.alerts.readings import Sight
from dashboard.reports import delivery

WATCH_EVERY_SECONDS = 60.0
FIRST_AFTER_SECONDS = 5.0


def once(home: Path, sight: Sight) -> None:
    """Evaluate and deliver. Raises RulesRefused or OSError for rules that cannot be read."""
    file = rules_file.path(home)
    rules = rules_file.read(file)
    evaluation.evaluate(home, rules, sight, evaluation.utc_now())
    evaluation.deliver(home, rules)
    for fault in delivery.run(home, rules, file.parent, sight.read, evaluation.utc_now()):
        print(f"outlay: {fault}", file=sys.stderr, flush=True)


async def keep_watching(home: Path, sight: Sight) -> None:
    """Watch until cancelled. What goes wrong is said once in the server's log, not every minute."""
    last_problem = ""
    await asyncio.sleep(FIRST_AFTER_SECONDS)
    while True:
        problem = await _in_thread(home, sight)
        if problem and problem != last_problem:
            print(f"outlay: alerts are not watched: {problem}", file=sys.stderr, flush=True)
        last_problem = problem
        await asyncio.sleep(WATCH_EVERY_SECONDS)


async def _in_thread(home: Path, sight: Sight) -> str:
    """One watch in a thread that a stopping server does not wait for: whatever it was sending is sent again later."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    problems: list[str] = []

    def watch() -> None:
        try:
            once(home, sight)
        except (RulesRefused, OSError) as error:
            problems.append(str(error))
        except Exception as error:  # a store that cannot be read just now: the next time may go well
            problems.append(f"{type(error).__name__}: {error}")
        if not loop.is_closed():
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=watch, name="watching", daemon=True).start()
    await ended.wait()
    return "\n".join(problems)
