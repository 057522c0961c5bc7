"""The rules file on disk: read, changed by hand or by a page, never half-written and never overwritten unseen."""

import contextlib
import os
import tempfile
from collections.abc import Callable, MutableMapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from dashboard.alerts.parsing import parse
from dashboard.alerts.rules import Rules
from dashboard.login.acting import may
from dashboard.login.users import Role

BEGINNING = """\
# What Outlay watches, and whom it tells. Keep this file under version control: it holds no secret.
"""


class NotWritten(Exception):
    """The file stays as it was. The message says why and what to do."""


def path(home: Path) -> Path:
    """Where the rules are: $OUTLAY_RULES, else rules.toml in the home."""
    told = os.environ.get("OUTLAY_RULES")
    return Path(told).expanduser().resolve() if told else home / "rules.toml"


def text(file: Path, beginning: str = BEGINNING) -> str:
    """What the file says; a beginning of one where there is none. Raises OSError or UnicodeDecodeError."""
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return beginning


def read(file: Path) -> Rules:
    """The rules; none without a file. Raises RulesRefused, or OSError where the file cannot be read."""
    try:
        return parse(text(file), file.name)
    except UnicodeDecodeError as error:
        raise OSError(f"{file}: this is not UTF-8 text; save it as UTF-8") from error


def version(said: str) -> str:
    """A short word for a state of the file."""
    return sha256(said.encode()).hexdigest()[:16]


def write(
    file: Path, said: str, expected: str, check: Callable[[str, str], object] = parse, beginning: str = BEGINNING
) -> None:
    """Put a new text in place of the one whose version is `expected`, whole or not at all.

    `check` raises RulesRefused for a text that cannot be; `beginning` is what a missing file says. Raises NotWritten if
    the file has changed meanwhile or cannot be written.
    """
    check(said, file.name)
    if not may(Role.OPERATOR):
        raise NotWritten("This takes the role operator. An admin can give it to you.")
    if version(text(file, beginning)) != expected:
        raise NotWritten("The file has changed since this page was opened. Reload the page and make the change again.")
    target = file.resolve()  # a link into a working copy stays a link
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as out:
                out.write(said)
                out.flush()
                os.fsync(out.fileno())
            Path(temporary).chmod(target.stat().st_mode & 0o777 if target.exists() else 0o644)
            Path(temporary).replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        raise NotWritten(
            f"{target.name} cannot be written ({error.strerror}). Change it where it is kept, or let Outlay's user "
            "write to its folder."
        ) from error


def put(said: str, section: str, name: str, values: dict[str, Any]) -> str:
    """The text with these keys in one named table, and no others of `values`' that are None; comments stay."""
    document = _document(said)
    tables = _section(document, section)
    if name not in tables:
        tables[name] = tomlkit.table()
    table = tables[name]
    for key, value in values.items():
        if value is None:
            table.pop(key, None)
        elif key not in table or table[key] != value:
            table[key] = value
    return tomlkit.dumps(document)


def remove(said: str, section: str, name: str) -> str:
    """The text without one named table."""
    document = _document(said)
    _section(document, section).pop(name, None)
    if not document[section]:
        document.pop(section)
    return tomlkit.dumps(document).rstrip("\n") + "\n"


def _document(said: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(said)
    except TOMLKitError as error:
        raise NotWritten(f"The rules file is not TOML ({error}). Put it right in the editor first.") from error


def _section(document: tomlkit.TOMLDocument, section: str) -> MutableMapping[str, Any]:
    if section not in document:
        document[section] = tomlkit.table(is_super_table=True)
    found = document[section]
    if not isinstance(found, MutableMapping):
        raise NotWritten(f"{section} is a single value in the rules file. Put it right in the editor first.")
    return found
