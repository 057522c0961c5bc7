"""`outlay spark`: the sums that pages read, added up by a Spark cluster."""

from pathlib import Path

import click

from dashboard.commands.terminal import Examples, fail


@click.command(
    cls=Examples,
    epilog=(
        "outlay spark --master spark://10.0.0.5:7077 --through /mnt/shared/outlay\n"
        "outlay spark --master 'local[4]' --through /tmp/outlay facts.calls facts.attempts"
    ),
)
@click.option("--master", required=True, help="The cluster: spark://host:7077, sc://host (Spark Connect), local[4].")
@click.option(
    "--through",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder that this machine and every worker reach under the same name.",
)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of Spark's own; any number.")
@click.argument("views", nargs=-1)
@click.pass_obj
def spark(home: Path, master: str, through: Path, settings: tuple[str, ...], views: tuple[str, ...]) -> None:
    """Fold what has landed, and have a Spark cluster add up all attempts for the pages.

    The folder of --through gets the attempts, each once, as Parquet files, and what the cluster made of them; VIEWS
    (facts.calls, or a whole layer such as facts) are made there besides. The store is this command's own until it
    ends: stop the server first; loads can land all the while. Needs `pip install 'outlay[spark]'` and Java 17.
    """
    import duckdb

    import queries
    from ingest import store
    from queries import contract
    from queries.spark import handover, warehouse

    try:
        wanted = handover.views(("rollups", *views))
    except KeyError as error:
        fail(str(error.args[0]), 2)
    if strange := [view.path for view in wanted if view.layer not in warehouse.LAYERS]:
        fail(f"{strange[0]}: a cluster makes {', '.join(warehouse.LAYERS)}; what filters ask for is the pages' own", 2)
    if wrong := [setting for setting in settings if "=" not in setting]:
        fail(f"--set {wrong[0]}: say it as NAME=VALUE", 2)
    con = duckdb.connect()
    try:
        store.open_store(con, home)
    except store.StoreBusy as error:
        fail(f"{error}; stop `outlay serve` and run this again")
    folder = through.expanduser().absolute()
    queries.create_views(con, contract.read(home))
    store.fold(con, home)
    handover.give(con, folder)
    try:
        session = warehouse.connect(master, dict(setting.split("=", 1) for setting in settings))
    except ModuleNotFoundError:
        fail("pyspark is not installed; `pip install 'outlay[spark]'` brings it")
    try:
        warehouse.create_views(session, folder)
        for view in wanted:
            warehouse.make(session, view, folder)
            click.echo(f"made {view.path}")
    finally:
        session.stop()
    for name, rows in handover.take(con, folder).items():
        click.echo(f"kept {name}: {rows:,} rows")
    queries.keep(con)
    con.close()
