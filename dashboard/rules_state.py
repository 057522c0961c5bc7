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
    """One reading of the file, in one run of a page.

    `problem`: why it holds no rules, with every line that is wrong; None if it is well.
    """

    path: Path
    text: str
    rules: Rules
    problem: str | None
    run: int

    def key(self, label: str) -> str:
        """A widget's key for one opening of a form: a form that was closed leaves nothing behind for the next."""
        return f"form_{self.run}_{label}"

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
    run = st.session_state["rules_run"] = st.session_state.get("rules_run", 0) + 1
    try:
        text = rules_file.text(path)
    except (OSError, UnicodeDecodeError) as error:
        return RulesState(path, "", Rules(), f"{path} cannot be read ({error}).", run)
    try:
        return RulesState(path, text, parse(text, path.name), None, run)
    except RulesRefused as error:
        return RulesState(path, text, Rules(), str(error), run)


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
