"""Advice, found in the background: a page that asks shows what there is and never waits for more than a moment.

Finding reads every call of the period a few times. One thread does it, for one question after the other, and what it
found is kept until newer data has come in; then the old answer is shown while a new one is made.
"""

import secrets
import sys
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pyarrow as pa

from queries import Filters
from queries.advice import Measure as Measure
from queries.advice import effect as effects
from queries.advice import finders
from queries.advice.effect import Effect as Effect
from queries.advice.finders import Told as Told
from queries.advice.plan import AS_ADVISED as AS_ADVISED
from queries.advice.plan import LIMITS as LIMITS
from queries.advice.plan import Ground as Ground
from queries.advice.plan import Plan as Plan

MONTH_DAYS = 30
PATIENCE_SECONDS = 0.5  # with little data the answer is there at once, and nothing needs to appear later
REST = 10  # times what the last answer took, before newer data is looked at: at most a tenth of a core
MOST_KEPT = 20

Read = Callable[[str, Filters], pa.Table]


@dataclass(frozen=True)
class Found:
    """What was found in a period of so many days.

    problem: why newer data was not looked at, or None; where there is no older advice either, there are no days.
    """

    ground: Ground
    days: int
    is_current: bool = True
    problem: str | None = None

    def monthly(self, amount: Decimal) -> Decimal:
        """What an amount of the period comes to in a month of 30 days at the same pace."""
        return amount * MONTH_DAYS / self.days


@dataclass
class _Question:
    generation: str
    answer: Future[Found]
    rests_until: float = 0.0
    before: Found | None = None


_pool = ThreadPoolExecutor(1, thread_name_prefix="advice")
_questions: OrderedDict[str, _Question] = OrderedDict()
_lock = threading.Lock()


def found(read: Read, filters: Filters, told: Told, generation: str) -> Found | None:
    """The newest advice there is, at most a moment later; None until there is any."""
    key = repr((filters, told))
    with _lock:
        asked = _questions.get(key)
        if asked is None or (
            asked.generation != generation and asked.answer.done() and time.monotonic() >= asked.rests_until
        ):
            before = asked.answer.result() if asked else None
            asked = _questions[key] = _Question(generation, Future(), before=before)
            _pool.submit(_answer, asked, read, filters, told)
        _questions.move_to_end(key)
        while len(_questions) > MOST_KEPT:
            _questions.popitem(last=False)
    try:
        newest = asked.answer.result(0 if asked.before else PATIENCE_SECONDS)
    except TimeoutError:
        return asked.before and replace(asked.before, is_current=False)
    return replace(newest, is_current=asked.generation == generation)


def find_now(read: Read, filters: Filters, told: Told) -> Found:
    """The advice of a period. `read` reads a metric view under filters."""
    days = finders.days_of(read, filters)
    return Found(finders.find(read, filters, days, told), max(days, 1))


def effect(read: Read, measure: Any, filters: Filters) -> Effect:
    """What a measure that is done has saved; `measure` has feature, model and since."""
    return effects.of(read, filters, measure.feature, measure.model, measure.since)


def _answer(asked: _Question, read: Read, filters: Filters, told: Told) -> None:
    begun = time.monotonic()
    try:
        newest = find_now(read, filters, told)
    except Exception as error:  # whatever it is: pages must go on, and the next data may go well
        number = secrets.token_hex(4)
        print(f"outlay: advice failed, error {number}", *traceback.format_exception(error), file=sys.stderr, flush=True)
        problem = (
            f"Advice could not be worked out; no other figure depends on it. (Error {number} in the server's log.)"
        )
        nothing = Ground((), Decimal(0), pa.table({}), ())
        newest = replace(asked.before or Found(nothing, 0), problem=problem)
    asked.rests_until = time.monotonic() + REST * (time.monotonic() - begun)
    asked.answer.set_result(newest)
