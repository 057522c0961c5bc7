"""What is shown in cents adds up, whatever is rounded."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from dashboard import cents

AMOUNTS = st.decimals(-1000, 1000, places=12)
TABLES = st.integers(1, 5).flatmap(
    lambda width: st.lists(st.lists(AMOUNTS, min_size=width, max_size=width), min_size=1, max_size=8)
)


def test_a_third_of_a_dollar_three_times() -> None:
    third = Decimal(1) / 3
    assert cents.adding_up([third] * 3) == [Decimal("0.34"), Decimal("0.33"), Decimal("0.33")]


@given(st.lists(AMOUNTS, min_size=1, max_size=30))
def test_amounts_add_up_to_their_rounded_sum_and_none_is_a_cent_off(amounts: list[Decimal]) -> None:
    shown = cents.adding_up(amounts)
    assert sum(shown) == cents.rounded(sum(amounts, Decimal(0)))
    assert all(abs(said - amount) < cents.CENT for said, amount in zip(shown, amounts, strict=True))


@given(TABLES)
def test_rows_columns_and_the_whole_add_up(cells: list[list[Decimal]]) -> None:
    rows = cents.adding_up([sum(line, Decimal(0)) for line in cells])
    columns = cents.adding_up([sum(column, Decimal(0)) for column in zip(*cells, strict=True)])
    shown = cents.table(cells, rows, columns)
    assert [sum(line) for line in shown] == rows
    assert [sum(column) for column in zip(*shown, strict=True)] == columns
    assert all(
        abs(said - cell) <= 5 * cents.CENT
        for line, told in zip(cells, shown, strict=True)
        for cell, said in zip(line, told, strict=True)
    )
