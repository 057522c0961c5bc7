"""`outlay check`: every rule once, for cron and CI; the status says how it went."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from dashboard.commands.terminal import Examples, OwnerOf, cell_text, fail


@click.command(
    cls=Examples,
    epilog=(
        "outlay check\n"
        "*/5 * * * *  outlay check > /dev/null      (cron, where no server runs)\n"
        "outlay check --rules rules.toml --dry-run  (CI, before a change of the rules is merged)\n"
        "outlay check --format json --no-send"
    ),
)
@click.option(
    "--rules",
    "given",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The rules file ($OUTLAY_RULES, else rules.toml in the home).",
)
@click.option("--no-send", is_flag=True, help="Decide and remember, but leave the sending to the next check or server.")
@click.option("--dry-run", is_flag=True, help="Only look: nothing is remembered, nothing is sent.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.pass_obj
def check(home: Path, /, given: Path | None, no_send: bool, dry_run: bool, form: str) -> None:
    """Evaluate every alert once. The status is 0 if nothing fires, 1 if something does, 2 for a fault."""
    from dashboard.alerts import evaluation, ledger, rules_file
    from dashboard.alerts.parsing import RulesRefused
    from dashboard.alerts.rules import Rules
    from dashboard.reports import delivery

    file = given or rules_file.path(home)
    rules = Rules()
    try:
        rules = rules_file.read(file)
    except (RulesRefused, OSError) as error:
        fail(str(error), 2)
    now = evaluation.utc_now()
    sent = evaluation.Sent()
    undelivered: list[str] = []
    with OwnerOf(home) as owner:
        sight = _sight(home, owner)
        if dry_run:
            seen, problems = evaluation.see(rules, sight, now)
        else:
            seen, problems = {}, evaluation.evaluate(home, rules, sight, now)
            if not no_send:
                undelivered = delivery.run(home, rules, file.parent, owner.read, now)
    if dry_run:
        firing = [
            {"rule": name, "since": None, "value": reading.value, "sentence": reading.sentence, "link": reading.link}
            for name, look in seen.items()
            for reading in look.readings
            if reading.seen == "firing"
        ]
    else:
        firing = [
            {"rule": of.rule, "since": of.state.since.isoformat(), "value": of.value, "sentence": of.sentence,
             "link": of.link}
            for of in ledger.standings(home) if of.state.status == "firing"
        ]  # fmt: skip
        if not no_send:
            sent = evaluation.deliver(home, rules)
    faults = (
        [f"{file.name}: alerts.{rule}: {problem}" for rule, problem in problems.items()]
        + list(sent.faults)
        + undelivered
    )
    _tell(form, len(rules.alerts), firing, faults, sent.delivered)
    sys.exit(2 if faults else 1 if firing else 0)


def _sight(home: Path, owner: Any) -> Any:
    """Signals are judged here only if a rule asks for them; what people settled on the pages counts."""
    from dashboard.alerts.evaluation import sight
    from queries import Filters
    from queries.signals import find

    return sight(home, owner.read, lambda zone: find(owner.read, Filters(zone=zone)).signals)


def _tell(form: str, rules: int, firing: list[dict[str, Any]], faults: list[str], delivered: int) -> None:
    if form == "json":
        told = {"rules": rules, "firing": firing, "delivered": delivered, "faults": faults}
        click.echo(json.dumps(told, indent=1))
        return
    for of in firing:
        click.echo(f"firing  {cell_text(of['rule'])}: {cell_text(of['sentence'])}")
    if not firing:
        click.echo(f"nothing fires; {rules:,} rules" if rules else "no alerts are set up; see the Alerts page")
    for fault in faults:
        click.echo(f"outlay: {cell_text(fault)}", err=True)
