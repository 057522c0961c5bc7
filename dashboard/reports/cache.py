"""What the Cache page shows: what prompt caching saved, net of what the writes cost extra."""

from collections.abc import Iterator

from dashboard import units
from dashboard.reading import Source
from dashboard.reports import cards
from dashboard.reports.cards import Card, Page, Tiles
from dashboard.rows import sums, view_suffix
from dashboard.view import SLICES, View

_TOKENS = ("cache_read_tokens", "cache_write_tokens")
_MONEY = ("gross_saving_usd", "write_premium_usd")
TILES = Tiles(
    ("cache_hit_rate", "net_saving_usd", *_MONEY),
    ("cache",),
    {
        "cache_hit_rate": "Tokens read from cache, out of all prompt tokens.",
        "net_saving_usd": "Saved by reads less the extra price of writes.",
        "gross_saving_usd": "What cache reads would have cost as plain input, less what they did cost.",
        "write_premium_usd": "What cache writes cost above plain input.",
    },
)


def content(source: Source, view: View, slice: str = "feature") -> Iterator[Card]:
    """Hit rate, money and tokens over time, and the breakdown."""
    yield hit_rate(source, view)
    yield savings(source, view)
    yield prompt_tokens(source, view)
    yield breakdown(source, view, slice)
    yield workloads(source, view)
    yield breaks(source, view)


def hit_rate(source: Source, view: View) -> Card:
    """The hit rate of every day."""
    rows = source.read("cache_by_day", view.filters)
    return cards.lines(view, rows, ["cache_hit_rate"], title="Hit rate over time")


def savings(source: Source, view: View) -> Card:
    """What reads saved and writes cost extra, every day."""
    rows = source.read("cache_by_day", view.filters)
    note = "Above the line: saved by reads. Below: extra paid for writes."
    return cards.bars_over_time(view, rows, _MONEY, title="Saved and paid", below=_MONEY[1:], note=note)


def prompt_tokens(source: Source, view: View) -> Card:
    """The tokens of every day's prompts."""
    rows = source.read("cache_by_day", view.filters)
    return cards.bars_over_time(view, rows, [*_TOKENS, "uncached_input_tokens"], title="Prompt tokens")


def breakdown(source: Source, view: View, by: str) -> Card:
    """Hit rate, tokens and savings for each value of a dimension."""
    read = source.read(f"cache_by_{view_suffix(by)}", view.filters)
    rows = read.pick(by, "cache_hit_rate", *_TOKENS, "read_per_write", *_MONEY, "net_saving_usd", "uncached_cost_usd")
    total = source.read("cache", view.filters).first()
    title = f"By {units.label(by).lower()}"
    return cards.table(title, "", rows, total, opens=by, alt=f"Caching {title}")


def workloads(source: Source, view: View) -> Card:
    """Whether caching pays for each feature and model, what was never read, what the other lifetime would save."""
    rows = source.read("cache_by_workload", view.filters)
    shown = rows.pick(
        "feature", "model", "cached_hit_rate", "break_even_rate", "net_saving_usd", "lifetime",
        "other_lifetime_saving_usd", "unread_write_tokens", "unread_premium_usd",
    )  # fmt: skip
    note = (
        "Caching pays above the break-even share. Unread writes and the other lifetime (5 minutes or an hour) are "
        "estimates from the times of calls."
    )
    return cards.table("Does caching pay?", note, shown, sums(shown), opens="feature")


def breaks(source: Source, view: View) -> Card:
    """The days on which a cache stopped working, and what else was different."""
    rows = source.read("cache_breaks", view.filters)
    shown = rows.pick(
        "day", "feature", "model", "cache_hit_before_rate", "cache_hit_rate", "lost_usd", "reason",
        "p50_prompt_before_tokens", "p50_prompt_tokens", "p50_pause_before_ms", "p50_pause_ms",
    )  # fmt: skip
    note = (
        "Days on which the hit rate fell by 15 points or more below the seven days before, and what else was different."
    )
    return cards.table("Where the cache broke", note, shown)


PAGE = Page("Cache", TILES, {"slice": SLICES}, content)
