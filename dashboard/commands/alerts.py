"""`outlay alerts`: where every rule stands, what was delivered, and whether a channel works."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.commands.terminal import FORMAT, Examples, fail, print_table

if TYPE_CHECKING:
    from dashboard.alerts.rules import Rules


@click.group()
def alerts() -> None:
    """Alerts: where they stand, what was delivered, and a test for every channel."""


@alerts.command("list", cls=Examples, epilog="outlay alerts list\noutlay alerts list --format json")
@FORMAT
@click.pass_obj
def list_alerts(home: Path, form: str) -> None:
    """Every rule, as it was last looked at."""
    import pyarrow as pa

    from dashboard.alerts import ledger

    looks, standings = ledger.looks(home), ledger.standings(home)
    rows = []
    for name, alert in _rules(home).alerts.items():
        own = [of for of in standings if of.rule == name]
        firing = sum(of.state.status == "firing" for of in own)
        look = looks.get(name, {})
        rows.append(
            {
                "rule": name,
                "state": ledger.summary(alert.is_enabled, own, look),
                "firing": firing,
                "value": look.get("value"),
                "looked_at": look.get("looked_at"),
                "problem": look.get("problem"),
            }
        )
    names = ("rule", "state", "firing", "value", "looked_at", "problem")
    print_table(pa.table({name: [row[name] for row in rows] for name in names}), form)


@alerts.command("log", cls=Examples, epilog="outlay alerts log --format csv > deliveries.csv")
@FORMAT
@click.pass_obj
def log(home: Path, form: str) -> None:
    """What was delivered, or not, and why: the newest first."""
    import pyarrow as pa

    from dashboard.alerts import ledger

    rows = ledger.deliveries(home)
    names = ("at", "rule", "event", "channel", "status", "tries", "tried_at", "due_at", "error")
    print_table(pa.table({name: [row[name] for row in rows] for name in names}), form)


@alerts.command("test", cls=Examples, epilog="outlay alerts test slack")
@click.argument("channel")
@click.pass_obj
def test(home: Path, channel: str) -> None:
    """Send a test message over one channel, now. The status is 2 if it does not arrive."""
    from dashboard.alerts import evaluation

    rules = _rules(home)
    if channel not in rules.channels:
        fail(f"no channel is called {channel}; the rules file has: {', '.join(rules.channels) or 'none'}", 2)
    if problem := evaluation.try_channel(home, rules, channel):
        fail(f"{channel}: {problem}", 2)
    click.echo(f"{channel}: delivered")


def _rules(home: Path) -> "Rules":
    from dashboard.alerts import rules_file
    from dashboard.alerts.parsing import RulesRefused
    from dashboard.alerts.rules import Rules

    rules = Rules()
    try:
        rules = rules_file.read(rules_file.path(home))
    except (RulesRefused, OSError) as error:
        fail(str(error), 2)
    return rules
