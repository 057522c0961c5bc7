"""The commands that ask the store: `outlay status`, `query` and `prices`."""

from pathlib import Path

import click

from dashboard.commands.terminal import FORMAT, Examples, OwnerOf, cell_text, fail, print_table


@click.command(cls=Examples, epilog="outlay status\noutlay status --format json")
@FORMAT
@click.pass_obj
def status(home: Path, form: str) -> None:
    """What is loaded: attempts, their span, refused lines, unpriced models."""
    with OwnerOf(home) as owner:
        table = owner.query("""
            select f.attempts, calls, first_started_at, f.last_started_at, loads, last_load_at, refused_records,
                (select count(*) from metrics.set_aside) as loads_set_aside, unpriced_attempts, unattributed_calls,
                cost_usd
            from metrics.freshness f, metrics.totals
        """)
    if form == "table":
        [row] = table.to_pylist()
        for name, value in {"home": home, **row}.items():
            click.echo(f"{name.replace('_', ' '):<20} {cell_text(value) or 'none'}")
    else:
        print_table(table, form)


@click.command(
    cls=Examples,
    epilog=(
        'outlay query "select feature, sum(cost_usd) from facts.calls group by feature"\n'
        'outlay query "from metrics.spend_by_day" --format csv > spend.csv\n'
        'outlay query "select table_schema, table_name, comment from information_schema.tables"'
    ),
)
@click.argument("sql")
@FORMAT
@click.pass_obj
def query(home: Path, sql: str, form: str) -> None:
    """Answer a SELECT over facts.attempts, facts.calls and the metrics (see queries/README.md).

    It is read-only, and stopped after a minute, 2 GB of memory or a million rows.
    """
    from dashboard.owner import QueryRefused

    try:
        with OwnerOf(home) as owner:
            table = owner.answer(sql)
    except QueryRefused as refused:
        fail(str(refused))
    print_table(table, form)


@click.command(cls=Examples, epilog="outlay prices\noutlay prices --unpriced\noutlay prices --format csv > prices.csv")
@click.option("--unpriced", is_flag=True, help="Only the logged models that have no price.")
@FORMAT
@click.pass_obj
def prices(home: Path, unpriced: bool, form: str) -> None:
    """The dated price list, and which logged models have no price."""
    with OwnerOf(home) as owner:
        listed = owner.query("from metrics.price_list")
        agreed = owner.query("from metrics.contract_prices")
        missing = owner.query("from metrics.unpriced_models")
    if unpriced:
        print_table(missing, form)
        return
    print_table(listed, form)
    if form == "table":
        if wrong := [problem for problem in agreed["problem"].to_pylist() if problem]:
            click.echo("\n".join(["outlay: contract prices are not in force:", *wrong]), err=True)
        elif agreed.num_rows:
            click.echo("\nContract prices:")
            print_table(agreed.drop_columns(["problem"]), form)
        click.echo("\nLogged models without a price:" if missing.num_rows else "\nEvery logged model has a price.")
        if missing.num_rows:
            print_table(missing, form)
