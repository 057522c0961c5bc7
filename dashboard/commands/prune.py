"""`outlay prune`: what is older than the owner wants to keep."""

import datetime as dt
import re
from pathlib import Path

import click

from dashboard.commands.terminal import Examples, OwnerOf, fail


class Days(click.ParamType[dt.timedelta]):
    """A number of days, as 400d."""

    name = "days"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dt.timedelta:
        """The time that the words stand for."""
        told = re.fullmatch(r"([1-9]\d{0,4})d", str(value))
        if not told:
            self.fail(f"{value!r} is no number of days, such as 400d", param, ctx)
        return dt.timedelta(days=int(told[1]))


@click.command(
    cls=Examples,
    epilog="outlay prune --keep 400d --dry-run\noutlay prune --keep 400d\noutlay prune --keep 400d --forget",
)
@click.option("--keep", type=Days(), required=True, help="How long single attempts are kept, as 400d.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--forget", is_flag=True, help="Keep no sums either: the spend of those days leaves the pages for good.")
@click.pass_obj
def prune(home: Path, keep: dt.timedelta, dry_run: bool, forget: bool) -> None:
    """Remove attempts that were sent before the last --keep days (of UTC), from the archive and from the store.

    Their sums by the hour are kept, and every figure that is made of sums stays as it is. It says first what goes. A
    pruned load stays in the ledger, and is known when the same log comes again. The server has to be stopped for it;
    --dry-run works beside it.
    """
    import queries
    from dashboard import units
    from ingest.prune import PruneRefused, plan
    from ingest.prune import prune as remove
    from ingest.store import StoreBusy

    before = dt.datetime.combine(dt.datetime.now(dt.UTC).date() - keep, dt.time())
    with OwnerOf(home) as owner:
        planned = plan(home, owner.query, before, forget)
        spent = owner.query(f"""
            select coalesce(sum(cost_usd), 0) as cost_usd from facts.attempts_by_hour
            where begins_at < timestamp '{before}'
        """)
    loads = f"{len(planned.load_ids):,} loads, {planned.whole_loads:,} of them as a whole"
    click.echo(f"from before {before:%Y-%m-%d} (UTC): {loads}; {units.size(planned.bytes)}")
    if planned.load_ids:
        days = f"; {planned.first_started_at:%Y-%m-%d} to {planned.last_started_at:%Y-%m-%d}" if planned.records else ""
        click.echo(f"in them: {planned.records:,} records and {planned.refused_records:,} refused lines{days}")
    usd = spent.column("cost_usd")[0].as_py()
    if forget:
        click.echo(f"spend that leaves the pages: {usd:.2f} USD")
    else:
        click.echo(
            f"spend that stays, in sums by the hour: {usd:.2f} USD; by user, and where a filter or a clock cuts hours, "
            "those days will be missing"
        )
    if dry_run or not (planned.load_ids or (forget and usd)):
        return
    try:
        remove(home, planned, None if forget else queries.retain)
    except PruneRefused as error:
        fail(str(error))
    except StoreBusy as error:
        fail(f"{error}; stop `outlay serve` and run this again")
    click.echo("removed; `outlay verify` proves what is left")
