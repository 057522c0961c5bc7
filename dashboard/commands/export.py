"""`outlay export` and `outlay statement`: what the pages show, as files, without a browser."""

import datetime as dt
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.commands.terminal import FORMAT, Examples, OwnerOf, cell_text, fail, print_table

if TYPE_CHECKING:
    from dashboard.reports.report import Report
    from queries import Filters

DAY = click.DateTime(["%Y-%m-%d"])
PAGES = ("overview", "spend", "compare", "chargeback", "cache", "latency", "reliability", "truncation", "statement")
FORMS = ("xlsx", "pdf", "csv", "parquet")
CURRENCY = click.option(
    "--currency", default="USD", show_default=True, help="Amounts in this currency too, by exchange_rates.csv."
)


def _asked(command: Callable[..., None]) -> Callable[..., None]:
    """The options about whose calls are meant, and where the file goes."""
    for option in reversed((
        click.option("--zone", default="UTC", show_default=True, help="The time zone whose days are meant."),
        click.option("--feature", "features", multiple=True, help="Only this feature (may be repeated)."),
        click.option("--model", "models", multiple=True, help="Only this model."),
        click.option("--team", "teams", multiple=True, help="Only this team."),
        click.option("--user", "users", multiple=True, help="Only this user."),
        click.option("--environment", "environments", multiple=True, help="Only this environment."),
        click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The file to write."),
    )):  # fmt: skip
        command = option(command)
    return command


@click.command(
    cls=Examples,
    epilog=(
        "outlay export spend --since 2026-11-01 --until 2026-11-30 -o spend.xlsx\n"
        "outlay export spend --switch by=Team --format csv --table 'Spend by team' > teams.csv\n"
        "outlay export reliability --format parquet -o reliability.zip\n"
        "outlay export focus --since 2026-11-01 --until 2026-11-30 -o focus.parquet\n"
        "outlay export focus --focus-version 1.0 > focus.csv"
    ),
)
@click.argument("page", type=click.Choice([*PAGES, "focus"]))
@click.option("--since", type=DAY, help="First day; by default the first that was logged.")
@click.option("--until", type=DAY, help="Last day; by default the last that was logged.")
@click.option("--format", "form", type=click.Choice(FORMS), help="By default what the file's name ends with.")
@click.option("--table", "title", help="For csv and parquet: the table to write, by its title.")
@click.option(
    "--switch", "switches", multiple=True, metavar="NAME=WORD", help="A switch of the page, as in its address."
)
@click.option("--hide-users", is_flag=True, help="Call users User 1, User 2 …")
@click.option("--focus-version", type=click.Choice(["1.2", "1.0"]), default="1.2", show_default=True)
@_asked
@click.pass_obj
def export(
    home: Path, /, page: str, form: str | None, title: str | None, switches: tuple[str, ...], hide_users: bool,
    focus_version: str, since: dt.datetime | None, until: dt.datetime | None, output: Path | None, **asked: Any,
) -> None:  # fmt: skip
    """Write what a page shows as a file: the same figures, exactly.

    xlsx and pdf hold the whole page. csv and parquet hold one table, or all of them when the file's name ends in .zip.
    focus is the FinOps FOCUS file, as csv or parquet.
    """
    is_zip = output is not None and output.suffix == ".zip"
    form = form or (
        output.suffix.lstrip(".") if output and not is_zip else "csv" if is_zip or page == "focus" else "xlsx"
    )
    if form not in FORMS or (page == "focus" and form not in ("csv", "parquet")):
        known = "csv or parquet" if page == "focus" else ", ".join(FORMS)
        fail(f"{cell_text(form)} is no format of {page}; give --format as {known}", 2)
    filters = filters_of(since, until, asked)
    with OwnerOf(home) as owner:
        if page == "focus":
            written = _focus(owner, filters, form, focus_version)
        else:
            report = _report(owner, page, filters, switches, hide_users)
            written = _written(report, form, title, is_zip)
    put(written, output, form)


@click.command(
    cls=Examples,
    epilog=(
        "outlay statement --month 2026-10 -o statement.pdf\n"
        "outlay statement --month 2026-10 --team search -o search.xlsx\n"
        "outlay statement --since 2026-07-01 --until 2026-09-30 -o quarter.pdf"
    ),
)
@click.option("--month", type=click.DateTime(["%Y-%m"]), help="The month; set beside the month before.")
@click.option("--since", type=DAY, help="In place of a month: the first day.")
@click.option("--until", type=DAY, help="The last day.")
@CURRENCY
@_asked
@click.pass_obj
def statement(
    home: Path, /, month: dt.datetime | None, since: dt.datetime | None, until: dt.datetime | None,
    output: Path | None, currency: str, **asked: Any,
) -> None:  # fmt: skip
    """One page for a period: totals, by feature and team, what changed and why. PDF, or XLSX by the file's name.

    Title, logo and a note of your own come from [statement] in the rules file.
    """
    if (month is None) == (since is None or until is None):
        fail("name the period: --month, or --since with --until", 2)
    if month:
        since, until = month, (month + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
    form = output.suffix.lstrip(".") if output else "pdf"
    if form not in ("pdf", "xlsx"):
        fail(f"a statement is a .pdf or an .xlsx, not {cell_text(form)}", 2)
    letterhead = _letterhead(home)
    with OwnerOf(home) as owner:
        check_currency(home, currency)
        switches = (f"currency={currency}",)
        report = _report(owner, "statement", filters_of(since, until, asked), switches, hide_users=False)
    put(_written(report, form, None, False, letterhead), output, form)


@click.command(cls=Examples, epilog="outlay deliveries\noutlay deliveries --format json")
@FORMAT
@click.pass_obj
def deliveries(home: Path, form: str) -> None:
    """What is delivered on schedule ([deliveries] in the rules file), and what became of it.

    The server delivers by itself; where none runs, `outlay check` does.
    """
    import pyarrow as pa

    from dashboard.reports.delivery import standing

    file, rules = _rules(home)
    known = standing(home)
    if not known and form == "table":
        said = ", ".join(rules.deliveries) or f"none; write them into {file}"
        click.echo(f"Nothing was delivered yet. Set up: {said}.")
        return
    names = ("rule", "until", "target", "status", "tries", "due_at", "error")
    print_table(pa.table({name: pa.array([row[name] for row in known]) for name in names}), form)


def filters_of(since: dt.datetime | None, until: dt.datetime | None, asked: dict[str, Any]) -> "Filters":
    """The filters that the options ask for; fails with a sentence."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from queries import Filters

    try:
        ZoneInfo(asked["zone"])
    except (ZoneInfoNotFoundError, ValueError):
        fail(f"{cell_text(asked['zone'])} is no time zone; write one like Europe/Berlin", 2)
    if since and until and until < since:
        fail("--until is before --since", 2)
    return Filters(since and since.date(), until and until.date(), **asked)


def check_currency(home: Path, currency: str) -> None:
    """Fails with a sentence where no rate of this currency is known."""
    from dashboard.allocation import currencies

    known: tuple[str, ...] = ()
    try:
        known = currencies.read(home).currencies()
    except currencies.RatesRefused as error:
        fail(str(error), 2)
    if currency not in ("USD", *known):
        fail(f"no exchange rate of {cell_text(currency)} is in {home / currencies.FILE}", 2)


def put(written: bytes, output: Path | None, form: str) -> None:
    """Into the file, whole or not at all, or onto standard output; fails with a sentence."""
    from dashboard.reports.files import write_whole

    if output is None:
        if form != "csv" and sys.stdout.isatty():
            fail(f"a terminal cannot show {form}; give a file with -o", 2)
        sys.stdout.buffer.write(written)
        return
    try:
        write_whole(output, written)
    except OSError as error:
        fail(f"{output} cannot be written: {error.strerror}")
    click.echo(f"{output}: {len(written):,} bytes", err=True)


def _report(owner: Any, page: str, filters: "Filters", switches: tuple[str, ...], hide_users: bool) -> "Report":
    from dashboard.reports.build import PAGES as KNOWN
    from dashboard.reports.build import NothingToReport, report_of

    chosen = dict(switch.partition("=")[::2] for switch in switches)
    for name, word in chosen.items():
        options = KNOWN[page].choices.get(name, {})
        if options is not None and word not in options:
            known = {key: " | ".join(words) if words else "days" for key, words in KNOWN[page].choices.items()}
            said = "; ".join(f"{key}={words}" for key, words in known.items()) or "none"
            fail(f"{cell_text(name)}={cell_text(word)} is no switch of {page}; it has: {said}", 2)
    report: Report
    try:
        report = report_of(page, filters, owner.read, chosen=chosen, hides_users=hide_users, home=owner.home)
    except NothingToReport as nothing:
        fail(str(nothing))
    return report


def _written(report: "Report", form: str, title: str | None, is_zip: bool, letterhead: Any = None) -> bytes:
    from dashboard.reports import as_csv, as_parquet, as_pdf, as_xlsx, bundle

    if form == "xlsx":
        return as_xlsx.written(report)
    if form == "pdf":
        return as_pdf.written(report, letterhead)
    if is_zip:
        return bundle.written(report, "csv" if form == "csv" else "parquet")
    titles = {table.title: table for table in report.tables}
    if (title is None and len(titles) > 1) or (title is not None and title not in titles):
        said = ", ".join(repr(known) for known in titles)
        fail(f"name one table with --table, or write all of them into a .zip; there are {said}", 2)
    table = titles[title] if title else report.tables[0]
    return as_csv.written(table, report.zone).encode() if form == "csv" else as_parquet.written(report, table)


def _focus(owner: Any, filters: "Filters", form: str, version: Any) -> bytes:
    from dashboard.reports import as_focus

    charges = as_focus.of_version(owner.read(as_focus.VIEW, filters), version)
    left_out = owner.read("totals", filters)["unpriced_attempts"][0].as_py()
    if left_out:
        click.echo(
            f"outlay: {left_out:,} attempts have no price and are not in it; see `outlay prices --unpriced`", err=True
        )
    return as_focus.as_csv(charges).encode() if form == "csv" else as_focus.as_parquet(charges)


def _letterhead(home: Path) -> Any:
    from dashboard.reports.delivery import letterhead

    file, rules = _rules(home)
    return letterhead(rules, file.parent)


def _rules(home: Path) -> Any:
    from dashboard.alerts import rules_file
    from dashboard.alerts.parsing import RulesRefused

    file = rules_file.path(home)
    try:
        return file, rules_file.read(file)
    except (RulesRefused, OSError) as error:
        return fail(str(error), 2)
