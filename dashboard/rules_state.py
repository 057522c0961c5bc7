"""The rules file as the pages see it: what it says, what is wrong with it, and saving a change with a sentence back."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import available_timezones

import streamlit as st

from dashboard.alerts import rules_file
from dashboard.alerts.parsing import RulesRefused, parse
from dashboard.alerts.rules import Rules
from dashboard.settings import home


@dataclass(frozen=True)
class RulesState:
    """One reading of the file. `problem`: why it holds no rules, with every line that is wrong; None if it is well."""

    path: Path
    text: str
    rules: Rules
    problem: str | None

    def save(self, text: str) -> str | None:
        """Put a changed text in place of this one; a sentence if it could not be."""
        try:
            rules_file.write(self.path, text, rules_file.version(self.text))
        except (RulesRefused, rules_file.NotWritten) as error:
            return str(error)
        return None

    def change(self, change: Callable[[str], str]) -> str | None:
        """Save the text as a function changes it; a sentence if it could not be."""
        try:
            return self.save(change(self.text))
        except rules_file.NotWritten as error:
            return str(error)


def current() -> RulesState:
    """The file as it is now."""
    path = rules_file.path(home())
    try:
        text = rules_file.text(path)
    except (OSError, UnicodeDecodeError) as error:
        return RulesState(path, "", Rules(), f"{path} cannot be read ({error}).")
    try:
        return RulesState(path, text, parse(text, path.name), None)
    except RulesRefused as error:
        return RulesState(path, text, Rules(), str(error))


def complain(state: RulesState) -> None:
    """Say on a page that the file is not in force, and why."""
    st.error("The rules file has mistakes. None of its rules is in force until they are put right.")
    st.code(state.problem, language=None, wrap_lines=True)


def zones() -> list[str]:
    """The time zones that people choose from."""
    return [
        "UTC",
        *sorted(
            zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix/", "right/"))
        ),
    ]
