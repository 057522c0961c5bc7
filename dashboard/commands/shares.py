"""`outlay shares`: what is shared by link, and everything that was done with it."""

import getpass
from datetime import datetime
from pathlib import Path

import click

from dashboard.commands.terminal import FORMAT, Examples, OwnerOf, fail, print_table


@click.group()
def shares() -> None:
    """Shares: frozen pages behind links, for people without an account."""


@shares.command("list", cls=Examples, epilog="outlay shares list\noutlay shares list --format json")
@FORMAT
@click.pass_obj
def list_shares(home: Path, form: str) -> None:
    """Every share, open or ended, and how often it was opened."""
    import pyarrow as pa

    from dashboard.shares import ledger

    opened, now = ledger.opened(home), ledger.utc_now()
    rows = [
        {
            "share": of.share_id, "name": of.name, "page": of.scope.page, "state": of.state(now),
            "opened": opened.get(of.share_id, (0, 0, None))[0], "files_taken": opened.get(of.share_id, (0, 0, None))[1],
            "last_opened_at": opened.get(of.share_id, (0, 0, None))[2], "expires_at": of.expires_at,
            "has_password": of.password is not None, "shows_users": of.scope.shows_users, "refresh": of.refresh,
            "as_of": of.rendered_at, "made_by": of.made_by,
        }
        for of in ledger.shares(home)
    ]  # fmt: skip
    names = (
        "share", "name", "page", "state", "opened", "files_taken", "last_opened_at", "expires_at", "has_password",
        "shows_users", "refresh", "as_of", "made_by",
    )  # fmt: skip
    print_table(pa.table({name: [row[name] for row in rows] for name in names}), form)


@shares.command(
    cls=Examples,
    epilog="outlay shares make spend --name 'October for finance' --since 2026-10-01 --until 2026-10-31\n"
    "outlay shares make overview --name Search --feature search --days 7 --ask-password --refresh daily",
)
@click.argument("page")
@click.option("--name", required=True, help="What both sides call it; it stands at the head of the page.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="The first day, included.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day, included.")
@click.option("--zone", default="UTC", show_default=True, help="The time zone in which days are cut.")
@click.option("--feature", multiple=True, help="Only this feature; may be repeated.")
@click.option("--model", multiple=True, help="Only this model; may be repeated.")
@click.option("--user", multiple=True, help="Only this user; may be repeated.")
@click.option("--team", multiple=True, help="Only this team; may be repeated.")
@click.option("--environment", multiple=True, help="Only this environment; may be repeated.")
@click.option("--by", help="What the page is grouped by, in its own words (Model, Team …).")
@click.option("--days", default=30, show_default=True, help="For how many days the link opens, 1 to 365.")
@click.option("--ask-password", is_flag=True, help="Ask here for a password that visitors have to know.")
@click.option("--with-users", is_flag=True, help="Show the names of users.")
@click.option("--refresh", type=click.Choice(["never", "daily", "weekly"]), default="never", show_default=True)
@click.pass_obj
def make(
    home: Path, page: str, name: str, since: datetime | None, until: datetime | None, zone: str,
    feature: tuple[str, ...], model: tuple[str, ...], user: tuple[str, ...], team: tuple[str, ...],
    environment: tuple[str, ...], by: str | None, days: int, ask_password: bool, with_users: bool, refresh: str,
) -> None:  # fmt: skip
    """Freeze a page as it is now and make a link to it. The link is shown this once."""
    from zoneinfo import ZoneInfo

    from dashboard.passwords import TooShort
    from dashboard.reports.build import PAGES, NothingToReport
    from dashboard.shares import links, snapshot
    from dashboard.shares.ledger import Refresh, Scope
    from queries import Filters

    if page not in PAGES:
        fail(f"no page {page!r} can be shared; there are: {', '.join(PAGES)}", 2)
    try:
        ZoneInfo(zone)
    except (OSError, ValueError):
        fail(f"no time zone is called {zone!r}; they are named like Europe/Berlin", 2)
    filters = Filters(
        since and since.date(), until and until.date(), zone, features=feature, models=model, users=user, teams=team,
        environments=environment,
    )  # fmt: skip
    password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True) if ask_password else ""
    scope = Scope(page, filters, {"by": by} if by else {}, shows_users=with_users)
    try:
        with OwnerOf(home) as owner:
            share, token = snapshot.make(
                home, owner.read, scope, name=name, by=getpass.getuser(), days=days, password=password,
                refresh=Refresh(refresh),
            )  # fmt: skip
    except (snapshot.ShareRefused, TooShort, NothingToReport) as error:
        fail(str(error), 2)
    click.echo(links.link(home, token))
    click.echo(
        f"\nThis is shown once. {share.share_id} opens until {share.expires_at:%Y-%m-%d %H:%M} UTC, while the server "
        f"runs;\n`outlay shares revoke {share.share_id}` ends it.",
        err=True,
    )


@shares.command(cls=Examples, epilog="outlay shares pause 5f0c6a1be2d94377")
@click.argument("share")
@click.pass_obj
def pause(home: Path, share: str) -> None:
    """Close a share until it is resumed; open pages close within seconds."""
    _change(home, share, "paused")


@shares.command(cls=Examples, epilog="outlay shares resume 5f0c6a1be2d94377")
@click.argument("share")
@click.pass_obj
def resume(home: Path, share: str) -> None:
    """Open a paused share again, with the same link."""
    _change(home, share, "resumed")


@shares.command(cls=Examples, epilog="outlay shares revoke 5f0c6a1be2d94377")
@click.argument("share")
@click.pass_obj
def revoke(home: Path, share: str) -> None:
    """End a share for good and delete its files; open pages close within seconds."""
    _change(home, share, "revoked")


@shares.command(cls=Examples, epilog="outlay shares log\noutlay shares log 5f0c6a1be2d94377 --format csv")
@click.argument("share", required=False)
@FORMAT
@click.pass_obj
def log(home: Path, share: str | None, form: str) -> None:
    """The audit trail of one share or of all: made, let in, opened, files taken, denied, ended. The newest first."""
    import pyarrow as pa

    from dashboard.shares import ledger

    told = ledger.log(home, share)
    names = ("at", "share_id", "event", "by", "detail")
    print_table(pa.table({name: [getattr(of, name) for of in told] for name in names}), form)


def _change(home: Path, share_id: str, event: str) -> None:
    from dashboard.shares import ledger, snapshot

    try:
        if event == "revoked":
            snapshot.revoke(home, share_id, getpass.getuser())
        else:
            ledger.change(home, share_id, "paused" if event == "paused" else "resumed", getpass.getuser())
    except ledger.NotShared as error:
        fail(str(error), 2)
    click.echo(f"{share_id}: {event}")
