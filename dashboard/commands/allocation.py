"""`outlay allocate`: who pays what, with shared spend handed out by the rules."""

import datetime as dt
from pathlib import Path

import click

from dashboard.commands.export import CURRENCY, DAY, check_currency, filters_of
from dashboard.commands.terminal import FORMAT, Examples, OwnerOf, fail, print_table


@click.command(
    cls=Examples,
    epilog=(
        "outlay allocate --since 2026-10-01 --until 2026-10-31\n"
        "outlay allocate --currency EUR --format csv > october.csv\n"
        "outlay allocate --check"
    ),
)
@click.option("--since", type=DAY, help="First day; by default the first that was logged.")
@click.option("--until", type=DAY, help="Last day; by default the last that was logged.")
@click.option("--zone", default="UTC", show_default=True, help="The time zone whose days are meant.")
@click.option("--check", is_flag=True, help="Only check the files of rules, rates and contract prices.")
@CURRENCY
@FORMAT
@click.pass_obj
def allocate(
    home: Path,
    /,
    since: dt.datetime | None,
    until: dt.datetime | None,
    zone: str,
    check: bool,
    currency: str,
    form: str,
) -> None:
    """Direct, shared, allocated and total spend of each team or feature, by month and version of the rules.

    Rules are in allocation.toml, exchange rates in exchange_rates.csv, prices of your own in contract_prices.csv of the
    home. Money is exact.
    """
    from dashboard.alerts.parsing import RulesRefused
    from dashboard.allocation import currencies, file
    from dashboard.allocation.chargeback import stretches, table
    from dashboard.allocation.rules import Allocation
    from dashboard.rows import Rows
    from queries import contract

    filters = filters_of(since, until, {"zone": zone})
    allocation, rates = Allocation(), currencies.Rates()
    try:
        allocation, rates = file.read(home), currencies.read(home)
    except (RulesRefused, OSError, currencies.RatesRefused) as error:
        fail(str(error), 2)
    if wrong := [problem for row in contract.read(home) if (problem := row["problem"])]:
        fail("\n".join(wrong), 2)
    if check:
        click.echo(f"{len(allocation.versions)} versions of rules, {len(rates.rates)} exchange rates: all sound.")
        return
    check_currency(home, currency)
    with OwnerOf(home) as owner:
        spent = Rows("spent", owner.read("spend_by_day_and_place", filters))
    if not len(spent):
        fail("nothing was logged in this period")
    print_table(table(stretches(spent, allocation, rates, currency)), form)
