"""What an allocation file can say: versions by date, each with who pays and rules for what is shared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

# Who can pay; and what shared spend can be named by.
CENTRES = ("team", "feature")
NAMED_BY = ("feature", "team", "model")
# A word of the file → the words on the page.
WAYS = {
    "share": "by share of own spend",
    "fixed": "in fixed parts",
    "even": "evenly",
}
Way = Literal["share", "fixed", "even"]


@dataclass(frozen=True)
class Rule:
    """Spend that others pay: of the feature, team or model (`of`) with one of these names.

    way: by share of own spend, in fixed parts (`percent`, 100 together) or evenly. to: who pays; empty for everybody
    with spend of their own.
    """

    name: str
    of: str
    names: tuple[str, ...]
    way: Way
    to: tuple[str, ...] = ()
    percent: Mapping[str, Decimal] = field(default_factory=dict, hash=False)

    def weights(self, own: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """Who pays, and by which weight; `own` is what each centre spent that is not shared."""
        if self.way == "fixed":
            return dict(self.percent)
        payers = self.to or tuple(name for name, amount in own.items() if amount > 0)
        if self.way == "even":
            return dict.fromkeys(payers, Decimal(1))
        return {name: max(own.get(name, Decimal(0)), Decimal(0)) for name in payers}


@dataclass(frozen=True)
class Version:
    """The rules that hold from a day on, until the next version begins. `among`: who pays, teams or features."""

    name: str
    begins: date
    among: str = "team"
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Allocation:
    """Every version, the earliest first."""

    versions: tuple[Version, ...] = ()

    def on(self, day: date) -> Version | None:
        """The version that holds on a day; None before the first."""
        return next((version for version in reversed(self.versions) if version.begins <= day), None)


def in_words(rule: Rule) -> str:
    """A rule as a sentence."""
    named = ", ".join(rule.names)
    if rule.way == "fixed":
        whom = ", ".join(f"{name} {percent:f}%" for name, percent in rule.percent.items())
    else:
        whom = ", ".join(rule.to) or "everybody with spend of their own"
    return f"{rule.of.capitalize()} {named}: {WAYS[rule.way]}, among {whom}."
