"""What a rules file can ask for: channels, budgets and alerts, as values."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from dashboard.alerts.times import Period, Quiet
from dashboard.reports.report import Letterhead
from queries import Filters

MARKS = (50, 80, 100)
# What an alert goes by → the words on the page.
KINDS = {
    "metric": "A figure crosses a line",
    "signals": "Something out of the ordinary",
    "budget": "A budget is running out",
    "missing": "Logs stay away",
}
# A word of the rules file → the one-row view of the whole, and the stem of its views by slice.
METRICS = {
    "spend": ("totals", "spend"),
    "reliability": ("reliability", "reliability"),
    "latency": ("latency", "latency"),
    "truncation": ("truncation", "truncation"),
    "cache": ("cache", "cache"),
    "headroom": ("headroom", "headroom"),
    "asked again": ("truncation_asked_again", "truncation_asked_again"),
    "masked estimates": ("masked_estimates", "masked_estimates"),
}
SLICES = {"feature": "feature", "model": "model", "user": "user_id", "team": "team", "environment": "environment"}
# The columns that count what a figure is made of, the plainest first.
COUNTS = ("calls", "responses", "attempts", "unlinked_attempts", "truncated_calls")
# What can be delivered, and in which forms.
REPORTS = (
    "statement",
    "overview",
    "spend",
    "compare",
    "chargeback",
    "cache",
    "latency",
    "reliability",
    "truncation",
    "focus",
)
FORMS = ("pdf", "xlsx", "csv", "parquet")
Comparison = Literal["above", "below", "rises_by_percent", "falls_by_percent"]


def view_of(metric: str, each: str | None) -> str:
    """The metric view for a word of the rules file, whole or by slice."""
    whole, stem = METRICS[metric]
    return f"{stem}_by_{each}" if each else whole


@dataclass(frozen=True)
class Channel:
    """Where messages go. Its address and its secret are in environment variables; only their names are here."""

    name: str
    kind: Literal["apprise", "webhook"]
    url_env: str
    secret_env: str | None = None


@dataclass(frozen=True)
class Budget:
    """An amount for a period. `filters` says whose spend counts, and in whose time zone days are cut."""

    name: str
    amount_usd: Decimal
    period: Period
    marks: tuple[int, ...] = MARKS
    filters: Filters = field(default_factory=Filters)


@dataclass(frozen=True)
class MetricWatch:
    """A column of a metric view over the time just past, against a number or against as long a time just before."""

    metric: str
    column: str
    comparison: Comparison
    limit: Decimal
    window: timedelta
    each: str | None = None
    least: int = 0

    @property
    def view(self) -> str:
        """The metric view that is read."""
        return view_of(self.metric, self.each)


@dataclass(frozen=True)
class SignalsWatch:
    """What is out of the ordinary: of these metrics, for these kinds of slices, from this many dollars at stake."""

    metrics: tuple[str, ...]
    slices: tuple[str, ...]
    least_usd: Decimal
    recent: timedelta


@dataclass(frozen=True)
class BudgetWatch:
    """The marks of these budgets (of all where none is named), and whether a projected breach counts too."""

    budgets: tuple[str, ...]
    projected: bool


@dataclass(frozen=True)
class MissingWatch:
    """Nothing was logged for this long."""

    after: timedelta


@dataclass(frozen=True)
class Alert:
    """What to watch, whom to tell, and how often.

    hold: how long it must last first. again_after: tell again while it lasts. no_data: what an unknown figure means.
    names_users: user ids may stand in messages.
    """

    name: str
    kind: str
    watch: MetricWatch | SignalsWatch | BudgetWatch | MissingWatch
    filters: Filters
    channels: tuple[str, ...] = ()
    is_enabled: bool = True
    hold: timedelta = timedelta()
    again_after: timedelta | None = None
    quiet: Quiet | None = None
    in_quiet: Literal["deliver later", "keep"] = "deliver later"
    no_data: Literal["wait", "fire", "resolve"] = "wait"
    names_users: bool = False
    note: str = ""


@dataclass(frozen=True)
class Delivery:
    """A file that is written when a period has ended, and put into a folder or sent over a channel, or both.

    report: a page by its name in the address, `statement` or `focus`. delay: how long after the period's end, for logs
    that come late. folder: absolute, or below the folder of the rules file. names_users: users stand in it by name.
    """

    name: str
    report: str
    form: str
    every: Period
    filters: Filters
    folder: str = ""
    channels: tuple[str, ...] = ()
    delay: timedelta = timedelta(hours=6)
    names_users: bool = False
    is_enabled: bool = True


@dataclass(frozen=True)
class Rules:
    """Everything that a rules file says."""

    base_url: str = "http://127.0.0.1:8484"
    zone: str = "UTC"
    channels: dict[str, Channel] = field(default_factory=dict)
    budgets: dict[str, Budget] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    letterhead: Letterhead = field(default_factory=Letterhead)
