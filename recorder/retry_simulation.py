"""Why jitter and a budget: many clients and one limit, second by second. `python recorder/retry_simulation.py`

The waits and stops of "full jitter" and of the budget are decided by `outlay_recorder.Retry` itself; time is simulated.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterable

from outlay_recorder.retry import Budget, Failure, Retry

Wait = Callable[[int], float | None]  # seconds before retry n (from 0), or None: give up
OVERLOADED = Failure(529, "529 overloaded_error")
SLOT = 0.1  # seconds; the server counts in these


def doubling(retries_taken: int) -> float | None:
    """The same for everyone: 0.5, 1, 2, … at most 8 s."""
    return min(0.5 * 2.0**retries_taken, 8.0)


def sdk(dice: random.Random) -> Wait:
    """The Anthropic SDK's own: the same, less up to a quarter."""
    return lambda retries_taken: (doubling(retries_taken) or 0) * (1 - 0.25 * dice.random())


def recorder(max_retries: int, dice: random.Random, budget: Budget | None) -> Wait:
    """outlay_recorder.Retry; without a budget, one that is never spent."""
    retry = Retry(max_retries, base=0.5, cap=8.0, budget=budget or Budget(reserve=1e9), dice=dice)

    def wait(retries_taken: int) -> float | None:
        decision = retry.decide(OVERLOADED, retries_taken, max_retries, 0.0)
        return None if isinstance(decision, str) else decision

    return wait


def simulate(
    calls: Iterable[float], wait: Wait, serves: Callable[[float, int], bool]
) -> tuple[Counter[int], float, int]:
    """Attempts per slot, when the last call was answered, and how many calls gave up.

    `calls` are the times of the calls; `serves(time, place)` says whether the attempt that is the `place`-th of its
    slot (from 0) is answered.
    """
    attempts: Counter[int] = Counter()
    waiting = [(at, number, 0) for number, at in enumerate(calls)]
    heapq.heapify(waiting)
    last, lost = 0.0, 0
    while waiting:
        at, number, retries = heapq.heappop(waiting)
        slot = int(at / SLOT)
        place, attempts[slot] = attempts[slot], attempts[slot] + 1
        if serves(at, place):
            last = max(last, at)
        elif (pause := wait(retries)) is None:
            lost += 1
        else:
            heapq.heappush(waiting, (at + pause, number, retries + 1))
    return attempts, last, lost


def burst() -> str:
    """1,000 clients call in the same tenth of a second; the server answers 100 calls a second."""
    lines = ["| wait | attempts | most in 0.1 s, after the first | all answered after |", "|---|---|---|---|"]
    for name, wait in (
        ("doubling, the same for all", doubling),
        ("the SDK's (75 to 100 % of it)", sdk(random.Random(7))),
        ("full jitter", recorder(10**6, random.Random(7), None)),
    ):
        attempts, last, _ = simulate([0.0001 * n for n in range(1000)], wait, lambda at, place: place < 10)
        peak = max(count for slot, count in attempts.items() if slot > 0)
        lines.append(f"| {name} | {sum(attempts.values()):,} | {peak:,} | {last:.0f} s |")
    return "\n".join(lines)


def outage() -> str:
    """50 calls a second for three minutes; the server answers nobody in the second of them."""
    lines = ["| policy | attempts per call during the outage | calls that failed |", "|---|---|---|"]
    for name, retries, budget in (
        ("no retries", 0, None),
        ("4 retries, full jitter", 4, None),
        ("the same, with the budget", 4, Budget()),
    ):
        wait = recorder(retries, random.Random(7), budget)

        def paid(retries_taken: int, wait: Wait = wait, budget: Budget | None = budget) -> float | None:
            if budget and retries_taken == 0:  # what the calls that succeed pay in does not fit in anyway
                budget.deposit()
            return wait(retries_taken)

        attempts, _, lost = simulate((n / 50 for n in range(50 * 180)), paid, lambda at, place: not 60 <= at < 120)
        during = sum(count for slot, count in attempts.items() if 60 <= slot * SLOT < 120)
        lines.append(f"| {name} | {during / 3000:.2f} | {lost:,} of 9,000 |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(f"{burst.__doc__}\n\n{burst()}\n\n{outage.__doc__}\n\n{outage()}")
