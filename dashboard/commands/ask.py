"""`outlay ask`: a question in plain language, a change explained, the monthly note. Optional: it needs an API key."""

import datetime as dt
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

import click

from dashboard.commands.terminal import FORMAT, Examples, OwnerOf, cell_text, fail, print_table

if TYPE_CHECKING:
    from dashboard.ask.asking import Conversation
    from dashboard.ask.figures import Figures
    from dashboard.ask.names import Mask
    from dashboard.ask.prompts import Request
    from dashboard.owner import Owner, RemoteOwner

DAY = click.DateTime(["%Y-%m-%d"])
NAMED = {"features": "feature", "models": "model", "teams": "team", "environments": "environment"}
MOST_NAMES = 100


@click.command(
    cls=Examples,
    epilog=(
        'outlay ask "Which five features cost most in the last week, and on which models?"\n'
        "outlay ask --explain --since 2026-11-08 --until 2026-11-14\n"
        "outlay ask --explain --since 2026-11-08 --until 2026-11-14 --by model --show\n"
        "outlay ask --signal 3f2a9c\n"
        "outlay ask --monthly-note 2026-10 --names > note.txt"
    ),
)
@click.argument("question", required=False)
@click.option("--explain", is_flag=True, help="Explain why a period cost more or less than the one before.")
@click.option("--since", type=DAY, help="First day of the period to explain.")
@click.option("--until", type=DAY, help="Its last day.")
@click.option("--against", type=DAY, help="First day of the period to compare with; by default the one just before.")
@click.option("--by", type=click.Choice(["feature", "model", "user", "team"]), default="feature", show_default=True)
@click.option("--signal", "signal_id", metavar="ID", help="Explain this signal of `outlay signals`.")
@click.option("--monthly-note", "month", type=click.DateTime(["%Y-%m"]), help="Write the note for finance on a month.")
@click.option("--zone", default="UTC", show_default=True, help="The time zone whose days and hours are meant.")
@click.option("--names", "is_open", is_flag=True, help="Send names of features, users and teams as they are.")
@click.option("--read-result", is_flag=True, help="Send the rows of the answer too, and have them put into words.")
@click.option("--show", is_flag=True, help="Show what would be sent, whole, and send nothing.")
@click.option("--yes", is_flag=True, help="Send without asking.")
@click.option("--model", "name", help="The model to ask ($OUTLAY_ASK_MODEL).")
@FORMAT
@click.pass_obj
def ask(
    home: Path, /, question: str | None, explain: bool, month: dt.datetime | None, show: bool, form: str,
    read_result: bool, **asked: Any,
) -> None:  # fmt: skip
    """Ask Claude about the logs: a question answered by SQL, a change explained, a note for finance.

    What would be sent is shown first. A question sends its own words and the documentation of the views; the other two
    send aggregated figures, in which names are feature-1, user-2 … unless --names is given. The figures or the rows
    are printed beside the answer, and what the call cost.
    """
    if sum((question is not None, explain, asked["signal_id"] is not None, month is not None)) != 1:
        fail("say one thing: a question, --explain, --signal or --monthly-note", 2)
    if explain and not (asked["since"] and asked["until"] and asked["since"] <= asked["until"]):
        fail("--explain needs a period: --since and --until, in this order", 2)
    if asked["zone"] not in available_timezones():
        fail(f"{asked['zone']} is no time zone; write one like Europe/Berlin", 2)
    with OwnerOf(home) as owner:
        if question is not None:
            _question(home, owner, question, read_result, show, form, **asked)
        else:
            _text(home, owner, month, show, form, **asked)


def _question(
    home: Path, owner: "Owner | RemoteOwner", question: str, read_result: bool, show: bool, form: str, **asked: Any
) -> None:
    from dashboard.ask import asking
    from dashboard.ask import figures as ask_figures
    from dashboard.ask.names import Mask
    from dashboard.ask.prompts import for_question, for_telling
    from queries import Filters

    name = asked["name"] or asking.model()
    said = owner.read("totals", Filters()).to_pylist()[0]
    zone = ZoneInfo(asked["zone"])
    first, last = (
        said[name] and said[name].replace(tzinfo=dt.UTC).astimezone(zone).date()
        for name in ("first_started_at", "last_started_at")
    )
    names = _names(owner) if asked["is_open"] else None
    today = dt.datetime.now(zone).date()
    request = for_question(question, name, today, (first, last) if first else None, names, zone.key)
    talk = _confirmed(home, owner, request, show, asked["yes"])
    try:
        answered = asking.answer_question(talk.send, owner.ask, request)
    except asking.NotAnswered as error:
        fail(str(error))
    click.echo(cell_text(answered.title), err=True)
    click.echo(cell_text(answered.note), err=True)
    for of in answered.tries:
        click.echo(f"\n{of.sql}\n", err=True)
        if of.refusal:
            click.echo(f"outlay: not answered: {of.detail}", err=True)
    if answered.selected:
        print_table(answered.selected.table, form)
        if answered.selected.is_cut:
            click.echo(f"(the first {answered.selected.table.num_rows:,} rows)", err=True)
        if read_result:
            mask = Mask(asked["is_open"], ask_figures.public_models(owner.read))
            figures = ask_figures.answer(question, answered.selected.table)
            request = for_telling("result", figures.task, figures.text(mask), name)
            _agree(owner, request, asked["yes"])
            _tell(talk, request, figures, mask)
    _price(talk)
    if answered.selected is None:
        sys.exit(1)


def _text(
    home: Path, owner: "Owner | RemoteOwner", month: dt.datetime | None, show: bool, form: str, **asked: Any
) -> Any:
    from dashboard.ask import asking
    from dashboard.ask import figures as ask_figures
    from dashboard.ask.names import Mask
    from dashboard.ask.prompts import for_telling
    from queries import Filters
    from queries.signals import find

    zone = asked["zone"]
    signals = find(owner.read, Filters(zone=zone)).signals
    if month:
        figures = ask_figures.month(owner.read, Filters(zone=zone), month.date(), signals)
    elif asked["signal_id"]:
        about = next((of for of in signals if of.signal_id == asked["signal_id"]), None)
        if about is None:
            return fail(f"there is no signal {asked['signal_id']}; `outlay signals` lists them", 2)
        figures = ask_figures.signal(owner.read, about, zone)
    else:
        after = Filters(asked["since"].date(), asked["until"].date(), zone=zone)
        before = after.previous()
        if asked["against"]:
            begin = asked["against"].date()
            before = replace(before, since=begin, until=begin + (asked["until"] - asked["since"]))
        figures = ask_figures.change(owner.read, before, after, asked["by"], signals)
    mask = Mask(asked["is_open"], ask_figures.public_models(owner.read))
    job = "monthly note" if month else "explain"
    request = for_telling(job, figures.task, figures.text(mask), asked["name"] or asking.model())
    talk = _confirmed(home, owner, request, show, asked["yes"])
    _tell(talk, request, figures, mask)
    for table in figures.tables:
        click.echo(f"\n{table.title}")
        print_table(table.worded() if form == "table" else table.rows, form)
    return _price(talk)


def _confirmed(
    home: Path, owner: "Owner | RemoteOwner", request: "Request", show: bool, is_agreed: bool
) -> "Conversation":
    """What would be sent is shown; whoever agrees gets somebody to send it."""
    from dashboard.ask import asking

    if show:
        click.echo(f"To {request.model}.\n\nInstructions:\n{request.system}\n\nMessage:")
        click.echo(request.messages[-1]["content"])
        sys.exit(0)
    try:
        talk = asking.Conversation(home, owner)
    except asking.NotAnswered as error:
        fail(str(error))
    _agree(owner, request, is_agreed)
    return talk


def _agree(owner: "Owner | RemoteOwner", request: "Request", is_agreed: bool) -> None:
    from dashboard.ask import asking
    from queries import Filters

    bound = asking.at_most(request, owner.read("price_list", Filters()).to_pylist())
    click.echo(
        f"This would be sent to {request.model}:\n\n{request.messages[-1]['content']}\n\nWith it go "
        f"{len(request.system):,} characters of instructions (--show prints them), and nothing else; "
        + (f"for at most ${bound} at list price." if bound else "the model has no list price."),
        err=True,
    )
    if not is_agreed:
        if not sys.stdin.isatty():
            fail("nobody is there to agree: look at it with --show, send it with --yes", 2)
        click.confirm("Send it?", abort=True, err=True)


def _tell(talk: "Conversation", request: "Request", figures: "Figures", mask: "Mask") -> None:
    from dashboard.ask import asking

    try:
        told = asking.tell(talk.send, request, figures.text(mask), mask)
    except asking.NotAnswered as error:
        fail(str(error))
    click.echo("\n\n".join(map(cell_text, (told.title, *told.paragraphs))))
    if told.untraced:
        click.echo(f"\nNot in the figures: {', '.join(told.untraced)}. Check these before you use them.")


def _price(talk: "Conversation") -> None:
    paid = talk.paid()
    tokens = (
        f"{paid.uncached_input_tokens:,} tokens in, {paid.cache_write_tokens:,} written to the prompt cache, "
        f"{paid.cache_read_tokens:,} read from it, {paid.output_tokens:,} out"
    )
    cost = f"${paid.cost_usd.normalize():f}" if paid.cost_usd is not None else "no list price for this model"
    click.echo(f"\n{paid.calls} {'call' if paid.calls == 1 else 'calls'}: {tokens}; {cost}.", err=True)


def _names(owner: "Owner | RemoteOwner") -> dict[str, list[str]]:
    """The names that a question may want to mention, costliest first."""
    from queries import Filters

    return {
        plural: owner.read(f"spend_by_{kind}", Filters()).column(kind).to_pylist()[:MOST_NAMES]
        for plural, kind in NAMED.items()
    }
