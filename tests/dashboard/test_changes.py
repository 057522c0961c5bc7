"""A change of cost as it is shown and exported: to the cent, and adding up in every direction."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from dashboard import changes
from dashboard.cents import rounded
from dashboard.reports import as_csv
from dashboard.reports.compare import same_weekdays_before
from dashboard.reports.report import Table
from dashboard.rows import sums
from dashboard.view import View
from queries import Filters
from queries.signals import Explanation, SliceChange

CAUSES = ("requests", "input", "list_price")
PARTS = st.lists(st.decimals(-100, 100, places=12), min_size=3, max_size=3)
SLICES = st.lists(st.tuples(st.decimals(0, 1000, places=12), PARTS), min_size=1, max_size=45)


def explanation(slices: list[tuple[Decimal, list[Decimal]]]) -> Explanation:
    told = [
        SliceChange(f"s{place}", before, before + sum(parts, Decimal(0)), dict(zip(CAUSES, parts, strict=True)))
        for place, (before, parts) in enumerate(slices)
    ]
    whole = {cause: sum((of.parts[cause] for of in told), Decimal(0)) for cause in CAUSES}
    before = sum((of.before_usd for of in told), Decimal(0))
    return Explanation(before, before + sum(whole.values(), Decimal(0)), whole, tuple(told), ())


@given(SLICES)
def test_every_sum_of_the_table_is_what_it_says(slices: list[tuple[Decimal, list[Decimal]]]) -> None:
    found = explanation(slices)
    rows = changes.table(found, "feature", "key")
    parts = [name for name in rows.columns if name.endswith(changes.PART)]

    assert rows.total("cost_before_usd") == rounded(found.before_usd)
    assert rows.total("cost_after_usd") == rounded(found.after_usd)
    for row in range(len(rows)):
        before, after, change = (rows[f"cost_{name}_usd"][row] for name in ("before", "after", "change"))
        assert change == after - before
        assert not parts or change == sum(rows[name][row] for name in parts)


@given(SLICES)
def test_the_steps_lead_from_the_first_sum_to_the_last(slices: list[tuple[Decimal, list[Decimal]]]) -> None:
    rows = changes.table(explanation(slices), "feature", "key")
    first, *steps, last = changes.steps(rows, ("before", "after"))["amount_usd"]
    assert first + sum(steps) == last == rows.total("cost_after_usd")


def test_small_slices_share_the_last_row() -> None:
    one = [(Decimal(1), [Decimal(number), Decimal(0), Decimal(0)]) for number in range(40, 0, -1)]
    rows = changes.table(explanation(one), "feature", "key")
    assert len(rows) == changes.MOST_SLICES + 1
    assert rows["feature"][-1] == changes.OTHERS
    assert rows["cost_change_usd"][-1] == sum(range(1, 11))


def test_the_export_holds_what_the_screen_shows() -> None:
    found = explanation([(Decimal("1.005"), [Decimal("0.005"), Decimal("2"), Decimal("-0.01")])])
    rows = changes.table(found, "feature", "key")
    header, line, total = csv.reader(io.StringIO(as_csv.written(Table("", rows, sums(rows)), "UTC")))
    # 1.005 is $1.01; with 1.995 more it is 3.000, and $1.99 remains to be shared: 2.00 less a cent.
    said = ["Period before", "This period", "Change", "Requests", "Input per request", "Price per token"]
    assert header == ["Feature", *(f"{word} (USD)" for word in said)]
    assert line == ["s0", "1.01", "3.00", "1.99", *line[4:]]
    assert sum(Decimal(cell) for cell in line[4:]) == Decimal("1.99")
    assert total == ["Total", *line[1:]]


def test_a_name_that_a_spreadsheet_would_run_is_quoted() -> None:
    told = SliceChange("=cmd()", Decimal(0), Decimal(1), {"requests": Decimal(1)})
    rows = changes.table(Explanation(Decimal(0), Decimal(1), told.parts, (told,), ()), "feature", "key")
    assert "'=cmd()" in as_csv.written(Table("", rows, sums(rows)), "UTC")


def test_the_same_weekdays_before_do_not_touch_the_period() -> None:
    friday_and_saturday = Filters(date(2026, 11, 13), date(2026, 11, 14))
    before = same_weekdays_before(friday_and_saturday)
    assert (before.since, before.until) == (date(2026, 11, 6), date(2026, 11, 7))
    month = same_weekdays_before(Filters(date(2026, 10, 23), date(2026, 11, 21)))
    assert (month.since, month.until) == (date(2026, 9, 18), date(2026, 10, 17))


def test_a_period_before_that_began_before_the_logs_says_so() -> None:
    """Logs since 10 October: the week to the 23rd has a whole week before it, the week to the 20th four days."""
    span = (datetime(2026, 10, 10, 5, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC))
    whole = View.of(Filters(since=date(2026, 10, 17), until=date(2026, 10, 23)), True, span)
    short = View.of(Filters(since=date(2026, 10, 14), until=date(2026, 10, 20)), True, span)
    assert (whole.logged_since, short.logged_since) == (None, date(2026, 10, 10))
    assert View.of(Filters(since=date(2026, 10, 14), until=date(2026, 10, 20)), False, span).logged_since is None
