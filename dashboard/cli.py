"""The `outlay` command. It imports neither Streamlit nor pandas: it has to answer at once."""

from pathlib import Path

import click

from dashboard import settings
from dashboard.commands import (
    advice,
    alerts,
    allocation,
    ask,
    backup,
    bill,
    budgets,
    check,
    export,
    ingest,
    mappings,
    prune,
    questions,
    serve,
    shares,
    signals,
    spark,
    upkeep,
    users,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--home", type=click.Path(file_okay=False, path_type=Path), help="Where Outlay keeps things ($OUTLAY_HOME)."
)
@click.version_option(package_name="outlay")
@click.pass_context
def main(ctx: click.Context, home: Path | None) -> None:
    """Outlay: what the Claude API costs you, why, and what to do about it."""
    ctx.obj = home.expanduser().resolve() if home else settings.home()


main.add_command(serve.serve)
main.add_command(serve.otlp)
main.add_command(serve.metrics)
main.add_command(ingest.ingest)
main.add_command(mappings.mappings)
main.add_command(questions.status)
main.add_command(questions.query)
main.add_command(questions.prices)
main.add_command(signals.signals)
main.add_command(signals.decide)
main.add_command(signals.explain)
main.add_command(signals.forecast)
main.add_command(advice.advice)
main.add_command(bill.bill)
main.add_command(budgets.budgets)
main.add_command(alerts.alerts)
main.add_command(check.check)
main.add_command(export.export)
main.add_command(export.statement)
main.add_command(export.deliveries)
main.add_command(allocation.allocate)
main.add_command(shares.shares)
main.add_command(users.users)
main.add_command(ask.ask)
main.add_command(upkeep.verify)
main.add_command(upkeep.rebuild)
main.add_command(backup.backup)
main.add_command(backup.restore)
main.add_command(prune.prune)
main.add_command(spark.spark)
