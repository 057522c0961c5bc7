"""The commands about what changed: signals, explain, forecast. The owner adds up; the rest happens here."""

import datetime as dt
import getpass
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.commands.terminal import FORMAT, Examples, OwnerOf, cell_text, fail, print_table

if TYPE_CHECKING:
    from dashboard.decisions import Kind

DECISIONS: dict[str, "Kind"] = {"acknowledge": "acknowledged", "mute": "muted", "expect": "expected"}
SIGNAL_COLUMNS = (
    "slice_kind", "slice", "metric", "start", "end", "raised_at", "actual", "expected", "low", "high", "cause",
    "driver_user", "stake_usd", "sentence", "signal_id", "state",
)  # fmt: skip
EXPECTED_COLUMNS = ("day", "slice_kind", "slice", "cost_usd", "expected_usd", "low_usd", "high_usd")
DAY = click.DateTime(["%Y-%m-%d"])


def _asked(command: Callable[..., None]) -> Callable[..., None]:
    """The options that all three commands take."""
    for option in reversed((
        click.option("--zone", default="UTC", show_default=True, help="The time zone whose days and hours are meant."),
        click.option("--feature", "features", multiple=True, help="Only this feature (may be repeated)."),
        click.option("--model", "models", multiple=True, help="Only this model."),
        click.option("--team", "teams", multiple=True, help="Only this team."),
        click.option("--user", "users", multiple=True, help="Only this user."),
        click.option("--environment", "environments", multiple=True, help="Only this environment."),
        FORMAT,
    )):  # fmt: skip
        command = option(command)
    return command


@click.command(
    cls=Examples,
    epilog=(
        "outlay signals --since 2026-11-01\n"
        "outlay signals --format csv > signals.csv\n"
        "outlay signals --expected --format csv > expected.csv"
    ),
)
@click.option("--since", type=DAY, help="Only signals that last into this day or begin later.")
@click.option("--until", type=DAY, help="As things were known at the end of this day.")
@click.option("--expected", is_flag=True, help="Instead: what each day was expected to cost.")
@click.option(
    "--all", "with_settled", is_flag=True, help="Also those that somebody has acknowledged, muted or expects."
)
@_asked
@click.pass_obj
def signals(
    home: Path,
    /,
    since: dt.datetime | None,
    until: dt.datetime | None,
    expected: bool,
    with_settled: bool,
    form: str,
    **asked: Any,
) -> None:
    """What is worth a look: spend, traffic, errors and latency that are not as they were, and why.

    Each signal is judged as it could have been known when it was raised, so looking back is as honest as looking on.
    """
    from dashboard import decisions
    from queries.signals import find

    with OwnerOf(home) as owner:
        found = find(owner.read, filters_of(since, until, **asked))
    if expected:
        _rows(
            EXPECTED_COLUMNS, [[_said(getattr(of, name)) for name in EXPECTED_COLUMNS] for of in found.expected], form
        )
        return
    settled = decisions.settled(found.signals, decisions.standing(home))
    states = {of.signal_id: settled[of.signal_id].kind if of.signal_id in settled else "open" for of in found.signals}
    told = [of for of in found.signals if with_settled or states[of.signal_id] == "open"]
    if form != "table":
        rows = [[*(_said(getattr(of, name)) for name in SIGNAL_COLUMNS[:-1]), states[of.signal_id]] for of in told]
        _rows(SIGNAL_COLUMNS, rows, form)
        return
    for of in told:
        state = "" if states[of.signal_id] == "open" else f"  ({states[of.signal_id]})"
        click.echo(f"{of.signal_id}  {of.raised_at:%Y-%m-%d %H:%M}  {cell_text(of.sentence)}{state}")
    if not found.signals:
        click.echo("Nothing unusual. (A slice is judged from its fifteenth day on.)")
    elif len(told) < len(found.signals):
        click.echo(f"{len(found.signals) - len(told)} more are settled; --all shows them.")


@click.command(
    cls=Examples,
    epilog=(
        "outlay decide acknowledge 5f0c6a1be2d94377\n"
        "outlay decide mute 5f0c6a1be2d94377 --days 7\n"
        "outlay decide expect 5f0c6a1be2d94377\n"
        "outlay decide undo 5f0c6a1be2d94377"
    ),
)
@click.argument("what", type=click.Choice([*DECISIONS, "undo"]))
@click.argument("signal_ids", metavar="SIGNAL...", nargs=-1, required=True)
@click.option("--days", type=click.IntRange(1), help="How long to mute; for good without it.")
@click.option("--zone", default="UTC", show_default=True, help="The time zone that `outlay signals` was asked in.")
@click.option("--by", help="Who decides; by default the user of this machine.")
@click.pass_obj
def decide(home: Path, /, what: str, signal_ids: tuple[str, ...], days: int | None, zone: str, by: str | None) -> None:
    """Settle signals, by the ids that `outlay signals` shows.

    acknowledge: this event is known. mute: nothing is told about this metric of this slice. expect: the new level is
    accepted, and silent up to a quarter beyond it. undo: take such decisions back.
    """
    from dashboard import decisions
    from queries.signals import find

    if days and what != "mute":
        fail("--days is for mute alone", 2)
    with OwnerOf(home) as owner:
        found = {of.signal_id: of for of in find(owner.read, filters_of(None, None, zone=zone)).signals}
    for signal_id in signal_ids:
        if signal_id not in found:
            fail(
                f"there is no signal {cell_text(signal_id)}; `outlay signals --all` shows their ids, --zone their clock"
            )
    signals = [found[signal_id] for signal_id in signal_ids]
    who = by or getpass.getuser()
    if what == "undo":
        standing = decisions.standing(home)
        decisions.undo(home, decisions.settled(signals, standing).values(), who)
    else:
        decisions.decide(home, DECISIONS[what], signals, who, days)
    for of in signals:
        click.echo(f"{'open again' if what == 'undo' else DECISIONS[what]}: {cell_text(of.sentence)}")


@click.command(
    cls=Examples,
    epilog=(
        "outlay explain --since 2026-11-01 --until 2026-11-15\n"
        "outlay explain --since 2026-11-09 --until 2026-11-15 --against 2026-10-05 --by model"
    ),
)
@click.option("--since", type=DAY, required=True, help="First day of the period to explain.")
@click.option("--until", type=DAY, required=True, help="Its last day.")
@click.option("--against", type=DAY, help="First day of the period to compare with; by default the one just before.")
@click.option("--by", type=click.Choice(["feature", "model", "user", "team"]), default="feature", show_default=True)
@_asked
@click.pass_obj
def explain(
    home: Path, /, since: dt.datetime, until: dt.datetime, against: dt.datetime | None, by: str, form: str, **asked: Any
) -> None:
    """Why a period cost more or less than another of the same length, in parts that add up to the difference."""
    from queries.signals import explain as explain_change

    after = filters_of(since, until, **asked)
    if until < since:
        fail("--until is before --since", 2)
    before = after.previous()
    if against:
        before = replace(before, since=against.date(), until=against.date() + (until - since))
    with OwnerOf(home) as owner:
        found = explain_change(owner.read, before, after, by)
    if form != "table":
        rows = [
            [change.slice, cause, str(part)] for change in found.slices for cause, part in change.parts.items() if part
        ]
        _rows((by, "cause", "change_usd"), rows, form)
        return
    click.echo(f"{before.since} to {before.until}  {_dollars(found.before_usd):>18}")
    for cause, part in sorted(found.parts.items(), key=lambda item: -abs(item[1])):
        if part:
            click.echo(f"  {cause.replace('_', ' '):<24}  {_dollars(part, '+'):>18}")
    click.echo(f"{after.since} to {after.until}  {_dollars(found.after_usd):>18}")
    if found.explained_by:
        click.echo(f"Mostly: {cell_text(', '.join(found.explained_by))}.")


@click.command(cls=Examples, epilog="outlay forecast\noutlay forecast --feature search --format json")
@_asked
@click.pass_obj
def forecast(home: Path, /, form: str, **asked: Any) -> Any:
    """What this month will come to, with the range that holds four times out of five."""
    from queries.signals import forecast as forecast_month

    with OwnerOf(home) as owner:
        seen = forecast_month(owner.read, filters_of(None, None, **asked))
    if seen is None:
        return fail("there is less than a week of history: too little to say what the month will come to")
    if form != "table":
        names = ("month", "as_of", "spent_usd", "expected_usd", "low_usd", "high_usd", "is_early", "backtest_error")
        _rows(names, [[_said(getattr(seen, name)) for name in names]], form)
        return
    click.echo(
        f"{seen.month:%B %Y}: ${seen.expected_usd:,.2f} expected, ${seen.low_usd:,.2f} to ${seen.high_usd:,.2f} "
        f"four times out of five; ${seen.spent_usd:,.2f} spent by the end of {seen.as_of:%d %b}."
    )
    if seen.is_early:
        click.echo("Little data: less than two weeks.")
    if seen.backtest_error is not None:
        click.echo(f"Forecasts like this one were off by {seen.backtest_error:.1%} on average in the months before.")


def filters_of(since: dt.datetime | None, until: dt.datetime | None, **asked: Any) -> Any:
    """What the options of a command ask for."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from queries import Filters

    try:
        ZoneInfo(asked["zone"])
    except (ZoneInfoNotFoundError, ValueError):
        fail(f"{asked['zone']} is no time zone; write one like Europe/Berlin", 2)
    return Filters(since and since.date(), until and until.date(), **asked)


def _rows(names: tuple[str, ...], rows: list[list[Any]], form: str) -> None:
    import pyarrow as pa

    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
    print_table(pa.table(dict(zip(names, columns, strict=True))), form)


def _said(value: object) -> object:
    """Times as ISO 8601 with seconds; numbers with six digits, which is more than a judgement can know."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return value.isoformat() if isinstance(value, dt.date) else value


def _dollars(amount: Any, sign: str = "") -> str:
    return f"{amount:{sign},.6f} USD"
