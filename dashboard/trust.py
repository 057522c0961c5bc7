"""How far the numbers of a view can be trusted, in short sentences."""

from dashboard import units
from dashboard.names import display_name
from dashboard.reading import Source
from dashboard.view import View


def sentences(source: Source, view: View) -> tuple[str, ...]:
    """Data through when, loads, refused lines, unpriced attempts, unattributed share, price list and zone."""
    fresh = source.read("freshness").first()
    now = source.read("totals", view.filters).first()
    spent, unattributed = now["cost_usd"] or 0, now["unattributed_cost_usd"] or 0
    priced_on = max((day for day in source.read("price_list")["effective_from"] if day), default=None)
    short = (f"the period before is logged since {units.day(view.logged_since)} only",) if view.logged_since else ()
    return (
        f"Data through {units.moment(fresh['last_started_at'], view.zone)}",
        f"{fresh['loads']:,} load{'' if fresh['loads'] == 1 else 's'}",
        f"{fresh['refused_records']:,} lines refused",
        f"{now['unpriced_attempts']:,} of {now['attempts']:,} attempts without a price",
        f"{units.percent(float(unattributed / spent)) if spent else '0%'} of spend unattributed",
        f"price list of {units.day(priced_on)}" if priced_on else "no price list",
        f"days cut in {display_name(view.zone)}",
        *short,
    )
