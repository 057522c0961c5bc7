"""`outlay backup` and `outlay restore`: a home copied while it is used, and put back."""

from pathlib import Path

import click

from dashboard.commands.terminal import Examples, fail


@click.command(cls=Examples, epilog="outlay backup /mnt/backups --keep 14")
@click.argument("to", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--keep", type=click.IntRange(min=1), help="Afterwards delete all but so many of the newest backups in TO."
)
@click.pass_obj
def backup(home: Path, to: Path, keep: int | None) -> None:
    """Copy everything into a new folder below TO, also while the server runs.

    TO is for one home alone. Loads that the backup before holds are shared with it by hard links. A backup holds
    secrets (deploy/README.md): keep it as safe as the home. The status is 1 if a load is damaged: it is copied so.
    """
    import os

    from dashboard import units
    from ingest import backup as copies

    try:
        made = copies.backup(home, to.expanduser().absolute())
    except (copies.BackupRefused, OSError) as error:
        fail(f"nothing was kept: {error}")
    new = units.size(made.bytes - made.linked_bytes)
    click.echo(
        f"{made.folder}: {made.loads:,} loads, {units.size(made.bytes)} in {made.files:,} files, {new} of it new"
    )
    if rules := os.environ.get("OUTLAY_RULES"):
        click.echo(f"not in it: {rules}, since OUTLAY_RULES lies outside the home")
    if keep:
        for gone in copies.drop_older(made.folder.parent, keep):
            click.echo(f"deleted {gone.name}")
    if made.damaged:
        fail(f"damaged before they were copied: {', '.join(made.damaged[:5])}; `outlay verify` says what to do")


@click.command(
    cls=Examples,
    epilog="outlay --home /srv/outlay restore /mnt/backups\noutlay restore /mnt/backups/2026-11-23T02-00-00Z",
)
@click.argument("source", metavar="FROM", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.pass_obj
def restore(home: Path, source: Path) -> None:
    """Put a backup back into an empty home: FROM is a backup, or a folder of them, of which the newest is taken.

    Every file is checked against its digest before anything becomes the home. Logins end, and open shares are paused:
    one that was revoked since must not open again.
    """
    from dashboard import units
    from dashboard.login import users
    from dashboard.shares import ledger
    from ingest.backup import BackupRefused
    from ingest.backup import restore as put_back

    paused: list[str] = []

    def settle(copy: Path) -> None:
        users.log_out_all(copy)
        paused.extend(ledger.pause_all(copy, "outlay restore"))

    try:
        put = put_back(source, home, settle)
    except (BackupRefused, OSError) as error:
        fail(str(error))
    click.echo(f"{home}: {put.loads:,} loads, {units.size(put.bytes)} in {put.files:,} files, from {put.folder}")
    if paused:
        click.echo(f"shares paused: {len(paused):,}; `outlay shares resume` opens one again")
    if people := users.users(home):
        click.echo(f"users who may come in, as when the backup was made: {len(people):,} (`outlay users list`)")
    click.echo("`outlay verify` makes the DuckDB file anew and proves it whole")
