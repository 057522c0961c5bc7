"""The commands about what changed: signals, explain, forecast. The owner adds up; the rest happens here."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from dashboard.commands.terminal import FORMAT, Examples, OwnerOf, cell_text, fail, print_table

SIGNAL_COLUMNS = (
    "slice_kind", "slice", "metric", "start", "end", "raised_at", "actual", "expected", "low", "high", "cause",
    "driver_user", "stake_usd", "sentence",
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
@_asked
@click.pass_obj
def signals(
    home: Path, /, since: dt.datetime | None, until: dt.datetime | None, expected: bool, form: str, **asked: Any
) -> None:
    """What is worth a look: spend, traffic, errors and latency that are not as they were, and why.

    Each signal is judged as it could have been known when it was raised, so looking back is as honest as looking on.
    """
    from queries.signals import find

    with OwnerOf(home) as owner:
        found = find(owner.read, _filters(since, until, **asked))
    if expected:
        _rows(
            EXPECTED_COLUMNS, [[_said(getattr(of, name)) for name in EXPECTED_COLUMNS] for of in found.expected], form
        )
    elif form == "table":
        for of in found.signals:
            click.echo(f"{of.raised_at:%Y-%m-%d %H:%M}  {cell_text(of.sentence)}")
        if not found.signals:
            click.echo("Nothing unusual. (A slice is judged from its fifteenth day on.)")
    else:
        _rows(SIGNAL_COLUMNS, [[_said(getattr(of, name)) for name in SIGNAL_COLUMNS] for of in found.signals], form)


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

    after = _filters(since, until, **asked)
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
        seen = forecast_month(owner.read, _filters(None, None, **asked))
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


def _filters(since: dt.datetime | None, until: dt.datetime | None, **asked: Any) -> Any:
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
