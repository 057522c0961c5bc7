"""The commands about savings: what could be saved, what was decided about it, and what only people can tell."""

import datetime as dt
import getpass
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from dashboard.commands.terminal import FORMAT, Examples, OwnerOf, cell_text, fail, print_table

DAY = click.DateTime(["%Y-%m-%d"])
COLUMNS = (
    "measure_id", "measure", "step", "feature", "model", "level", "in_plan", "saving_usd", "monthly_usd",
    "monthly_low_usd", "monthly_high_usd", "alone_usd", "spend_usd", "state",
)  # fmt: skip
BY = click.option("--by", help="Who decides; by default the user of this machine.")


@click.group(invoke_without_command=True)
@click.option("--since", type=DAY, help="First day of the period; without it, all there is.")
@click.option("--until", type=DAY, help="Its last day.")
@click.option("--zone", default="UTC", show_default=True, help="The time zone whose days are meant.")
@click.option("--feature", "features", multiple=True, help="Only this feature (may be repeated).")
@click.option("--model", "models", multiple=True, help="Only this model.")
@click.option(
    "--least", type=click.IntRange(0), default=25, show_default=True, help="Hide under so many dollars a month."
)
@FORMAT
@click.pass_context
def advice(ctx: click.Context, /, least: int, form: str, **asked: Any) -> None:
    """What could be saved, in dollars a month of 30 days, most first.

    Measures of level A and B are priced one after another, so that nothing counts twice: their savings add up to the
    total. Level C is "up to", and part of no total.
    """
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, asked, least, form)


def _list(home: Path, asked: dict[str, Any], least: int, form: str) -> None:
    from dashboard.advice import kept, ranked

    decided = kept.standing(home)
    found = _found(home, **asked)
    if form != "table":
        rows = []
        for state in ("open", "dismissed", "done"):
            told = ranked.listing(found, decided, state, Decimal(least))
            rows += [_row(entry, state) for entry in (*told.sure, *told.bounds)]
        _print(rows, form)
        return
    listing = ranked.listing(found, decided, "open", Decimal(least))
    listed = [*listing.sure, *listing.bounds]
    for entry in listed:
        measure = entry.measure
        upto = "up to " if measure.level == "C" else ""
        where = ", ".join(name for name in (measure.feature, measure.model) if name)
        amount = f"{upto}${entry.shown:,.2f}"
        click.echo(f"{measure.measure_id}  {amount:>16} a month  {cell_text(measure.kind)}: {cell_text(where)}")
    plan = listing.plan
    click.echo(
        f"Of ${plan.spend_usd:,.2f} spent in {found.days} days, {len(listing.sure)} measures together would have saved "
        f"${plan.saving_usd:,.2f}: ${found.monthly(plan.saving_usd):,.2f} a month."
    )
    if listing.silent:
        click.echo(f"{len(listing.silent)} more are worth less than ${least} a month; --least 0 shows them.")


@advice.command(cls=Examples, epilog="outlay advice dismiss 3f8a0c1b2d4e")
@click.argument("measure_ids", metavar="MEASURE...", nargs=-1, required=True)
@BY
@click.pass_obj
def dismiss(home: Path, /, measure_ids: tuple[str, ...], by: str | None) -> None:
    """Say no more about measures, by the ids that `outlay advice` shows."""
    _decide(home, "dismissed", measure_ids, by, None)


@advice.command(cls=Examples, epilog="outlay advice done 3f8a0c1b2d4e --on 2026-11-12")
@click.argument("measure_ids", metavar="MEASURE...", nargs=-1, required=True)
@click.option("--on", "since", type=DAY, required=True, help="The day on which the change was made.")
@BY
@click.pass_obj
def done(home: Path, /, measure_ids: tuple[str, ...], since: dt.datetime, by: str | None) -> None:
    """Mark measures as done on a day; the Savings page compares what calls cost before and after."""
    _decide(home, "done", measure_ids, by, since.date())


@advice.command(cls=Examples, epilog="outlay advice undo 3f8a0c1b2d4e")
@click.argument("measure_ids", metavar="MEASURE...", nargs=-1, required=True)
@BY
@click.pass_obj
def undo(home: Path, /, measure_ids: tuple[str, ...], by: str | None) -> None:
    """Take back what was decided about measures."""
    from dashboard.advice import kept

    standing = kept.standing(home)
    for measure_id in measure_ids:
        if measure_id not in standing:
            fail(f"nothing is decided about {cell_text(measure_id)}; `outlay advice --format csv` shows what is")
    for measure_id in measure_ids:
        kept.undo(home, measure_id, by or getpass.getuser())
        click.echo(f"open again: {measure_id}")


@advice.command(cls=Examples, epilog="outlay advice limit search 12000\noutlay advice limit search none")
@click.argument("feature")
@click.argument("tokens")
@BY
@click.pass_obj
def limit(home: Path, /, feature: str, tokens: str, by: str | None) -> None:
    """Set how long prompts of a feature may be, in tokens: what that would have saved is then counted, not bounded."""
    _tell(home, "limit", feature, tokens, by)


@advice.command(cls=Examples, epilog="outlay advice prefix search 5000\noutlay advice prefix search none")
@click.argument("feature")
@click.argument("tokens")
@BY
@click.pass_obj
def prefix(home: Path, /, feature: str, tokens: str, by: str | None) -> None:
    """Say how many tokens all prompts of a feature begin with alike: what caching would have saved is then counted."""
    _tell(home, "prefix", feature, tokens, by)


def _tell(home: Path, name: Any, feature: str, tokens: str, by: str | None) -> None:
    from dashboard.advice import kept

    if tokens != "none" and not (tokens.isdecimal() and int(tokens)):
        fail(f"{cell_text(tokens)} is no number of tokens; write one like 12000, or none to take it back", 2)
    kept.tell(home, name, feature, None if tokens == "none" else int(tokens), by or getpass.getuser())
    click.echo(f"{name} of {cell_text(feature)}: {tokens}")


def _decide(home: Path, kind: Any, measure_ids: tuple[str, ...], by: str | None, since: dt.date | None) -> None:
    from dashboard.advice import kept

    known = {measure.measure_id: measure for measure in _found(home).ground.measures}
    for measure_id in measure_ids:
        if measure_id not in known:
            fail(f"there is no measure {cell_text(measure_id)}; `outlay advice --least 0` shows their ids")
    for measure_id in measure_ids:
        kept.decide(home, kind, known[measure_id], by or getpass.getuser(), since)
        click.echo(f"{kind}: {measure_id}")


def _found(home: Path, **asked: Any) -> Any:
    from dashboard.advice import finding, kept
    from dashboard.commands.signals import filters_of

    told = finding.Told(kept.told(home, "limit"), kept.told(home, "prefix"))
    since, until = asked.pop("since", None), asked.pop("until", None)
    filters = filters_of(since, until, **({"zone": "UTC"} | asked))
    with OwnerOf(home) as owner:
        return finding.find_now(owner.read, filters, told)


def _row(entry: Any, state: str) -> list[Any]:
    of = entry.measure
    return [
        of.measure_id, of.kind, of.step, of.feature, of.model, of.level, entry.in_plan,
        entry.saving_usd if entry.in_plan else None, entry.middle, entry.low, entry.high, of.saving_usd, of.spend_usd,
        state,
    ]  # fmt: skip


def _print(rows: list[list[Any]], form: str) -> None:
    import pyarrow as pa

    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in COLUMNS]
    print_table(pa.table(dict(zip(COLUMNS, columns, strict=True))), form)
