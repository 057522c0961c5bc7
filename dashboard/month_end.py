"""The forecast of the month's end, in words and as a bar."""

from dashboard import charts, data, units
from dashboard.filter_bar import View


def draw(view: View) -> None:
    """What the month of the last whole day will come to, for what the filters name; nothing with too little history."""
    seen = data.forecast(view.filters)
    if seen is None:
        return
    month = f"{seen.month:%B %Y}"
    spent, expected, low, high = (
        units.money(units.dollars(amount))
        for amount in (seen.spent_usd, seen.expected_usd, seen.low_usd, seen.high_usd)
    )
    said = [f"**{month} is expected to come to {expected}**: {low} to {high} four times out of five."]
    said.append(f"{spent} was spent by the end of {units.day(seen.as_of)}.")
    if seen.is_early:
        said.append("This is early: there are less than two weeks of history.")
    if seen.backtest_error is None:
        said.append("No whole month has passed that the forecast could be tested on.")
    else:
        off = units.percent(seen.backtest_error)
        said.append(f"In the months before, forecasts made this way were off by {off} on average.")
    note = " ".join(said).replace("$", "\\$")
    charts.month_end(
        seen, title="Month end", note=note, key="month_end", alt=f"{month}: {spent} spent, {expected} expected"
    )
