"""`outlay mappings`: how to read tables and JSON lines that no format claims."""

import json
from pathlib import Path

import click

from dashboard.commands.terminal import Examples, cell_text, fail


@click.group()
def mappings() -> None:
    """Column mappings: how to read tables and JSON lines that no format claims."""


@mappings.command("list")
@click.pass_obj
def list_mappings(home: Path) -> None:
    """The saved mappings: each is used by itself where no format claims a record and it alone fits."""
    from ingest.mappings import saved

    for mapping in saved(home):
        click.echo(f"{mapping.name:<24} {cell_text(', '.join(mapping.columns.values()))}")


@mappings.command("show", cls=Examples, epilog="outlay mappings show usage > usage.json")
@click.argument("name")
@click.pass_obj
def show_mapping(home: Path, name: str) -> None:
    """A mapping as JSON, which `save` reads again."""
    from ingest.mappings import named

    try:
        click.echo(json.dumps(json.loads(named(home, name).content), indent=2))
    except ValueError as error:
        fail(str(error), 2)


@mappings.command("suggest", cls=Examples, epilog="outlay mappings suggest usage.csv > usage.json")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def suggest_mapping(path: Path) -> None:
    """A first mapping for a file, guessed from the names of its columns; the rest of them with masked values."""
    from ingest.chunk import Unreadable
    from ingest.mapping import suggest
    from ingest.mappings import samples_of

    try:
        samples = samples_of(path)
    except (Unreadable, OSError) as error:
        fail(str(error))
    guess = suggest(samples, path.stem)
    click.echo(json.dumps(guess, indent=2))
    for column, values in samples.items():
        if column not in guess["columns"].values():
            click.echo(f"left over: {cell_text(column)}  {cell_text(', '.join(values))}", err=True)


@mappings.command("save", cls=Examples, epilog="outlay mappings save usage.toml")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def save_mapping(home: Path, path: Path) -> None:
    """Keep the mapping in a TOML or JSON file under its name."""
    from ingest.mapping import parse
    from ingest.mappings import save

    try:
        mapping = parse(path.read_text(encoding="utf-8-sig"), path.stem)
    except ValueError as error:
        fail(str(error), 2)
    save(home, mapping)
    click.echo(f"saved {mapping.name}")


@mappings.command("remove")
@click.argument("name")
@click.pass_obj
def remove_mapping(home: Path, name: str) -> None:
    """Forget a saved mapping; what was loaded with it stays."""
    from ingest.mappings import remove

    if not remove(home, name):
        fail(f"no saved mapping is called {name}", 2)
    click.echo(f"removed {name}")
