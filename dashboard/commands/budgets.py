"""`outlay budgets`: how every budget stands."""

from pathlib import Path

import click

from dashboard.commands.terminal import FORMAT, Examples, OwnerOf, fail, print_table


@click.command(cls=Examples, epilog="outlay budgets\noutlay budgets --format csv > budgets.csv")
@FORMAT
@click.pass_obj
def budgets(home: Path, form: str) -> None:
    """Spent, left, mark and projection of every budget, today. Money is exact; days are on each budget's clock."""
    import pyarrow as pa

    from dashboard.alerts import rules_file
    from dashboard.alerts.evaluation import utc_now
    from dashboard.alerts.parsing import RulesRefused
    from dashboard.alerts.rules import Rules
    from dashboard.budgets import COLUMNS, row, standing

    rules = Rules()
    try:
        rules = rules_file.read(rules_file.path(home))
    except (RulesRefused, OSError) as error:
        fail(str(error), 2)
    with OwnerOf(home) as owner:
        rows = [row(standing(owner.read, budget, utc_now())) for budget in rules.budgets.values()]
    if not rows and form == "table":
        click.echo(f"No budgets are set up; write them into {rules_file.path(home)} or use the Budgets page.")
    else:
        print_table(pa.table({name: [found[name] for found in rows] for name in COLUMNS}), form)
