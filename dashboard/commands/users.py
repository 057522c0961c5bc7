"""`outlay users`: who may come in where the dashboard asks for a login, and what each may do."""

from pathlib import Path

import click

from dashboard.commands.terminal import FORMAT, Examples, fail, print_table
from dashboard.login.users import Role


@click.group()
def users() -> None:
    """Users: who may come in with `outlay serve --login`, and what they may do.

    A viewer looks at pages; an operator also uploads, settles signals, sets budgets and alerts, and shares; an admin
    also sees and ends the shares of others.
    """


@users.command("list", cls=Examples, epilog="outlay users list")
@FORMAT
@click.pass_obj
def list_users(home: Path, form: str) -> None:
    """Everybody who may come in."""
    import pyarrow as pa

    from dashboard.login import users as kept

    everybody = kept.users(home)
    columns = {
        "name": pa.array([user.name for user, _ in everybody], pa.string()),
        "role": pa.array([str(user.role) for user, _ in everybody], pa.string()),
        "has_password": pa.array([has for _, has in everybody], pa.bool_()),
    }
    print_table(pa.table(columns), form)


@users.command(
    cls=Examples,
    epilog="outlay users add ana@example.com --role admin\noutlay users add finance --role viewer --ask-password",
)
@click.argument("name")
@click.option("--role", type=click.Choice([str(of) for of in Role]), default="viewer", show_default=True)
@click.option("--ask-password", is_flag=True, help="Ask here for the password; for --login password.")
@click.pass_obj
def add(home: Path, name: str, role: str, ask_password: bool) -> None:
    """Let somebody in, or change their role or password. NAME is as a proxy or provider tells it."""
    from dashboard.login import users as kept
    from dashboard.passwords import TooShort

    password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True) if ask_password else None
    try:
        kept.put(home, name, Role(role), password)
    except TooShort as error:
        fail(str(error), 2)
    click.echo(f"{name}: {role}")


@users.command(cls=Examples, epilog="outlay users remove ana@example.com")
@click.argument("name")
@click.pass_obj
def remove(home: Path, name: str) -> None:
    """Let somebody in no more, at once."""
    from dashboard.login import users as kept

    try:
        kept.remove(home, name)
    except kept.NoUser as error:
        fail(str(error), 2)
    click.echo(f"{name}: removed")
