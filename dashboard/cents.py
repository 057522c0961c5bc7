"""Rounding to cents so that what is shown still adds up: rows to their totals, columns to theirs, and all to the whole.

Each amount rounded for itself would leave a table a few cents off its own totals.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def rounded(amount: Decimal) -> Decimal:
    """An amount to the cent, as every page shows it."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def adding_up(amounts: Sequence[Decimal], whole: Decimal | None = None) -> list[Decimal]:
    """The amounts in cents that add up to `whole` (in cents; by default their rounded sum).

    The cents that are over go where rounding took most away (largest remainder), so none is off by a whole cent unless
    `whole` itself is further than that from the sum.
    """
    cents = [rounded(amount) for amount in amounts]
    left = (rounded(sum(amounts, Decimal(0))) if whole is None else whole) - sum(cents, Decimal(0))
    step = CENT.copy_sign(left)
    lost = sorted(range(len(cents)), key=lambda place: (cents[place] - amounts[place]) * step)
    for turn in range(int(abs(left) / CENT)):
        cents[lost[turn % len(lost)]] += step
    return cents


def table(
    cells: Sequence[Sequence[Decimal]], rows: Sequence[Decimal], columns: Sequence[Decimal]
) -> list[list[Decimal]]:
    """The cells in cents whose rows add up to `rows` and whose columns to `columns`, both in cents with one sum.

    Cents that are over go to the largest cells, where they show least.
    """
    shown = [[rounded(cell) for cell in line] for line in cells]
    row_left = [whole - sum(line, Decimal(0)) for whole, line in zip(rows, shown, strict=True)]
    column_left = [whole - sum((line[place] for line in shown), Decimal(0)) for place, whole in enumerate(columns)]

    def largest(places: Sequence[tuple[int, int]]) -> tuple[int, int]:
        return max(places, key=lambda place: abs(cells[place[0]][place[1]]))

    def move(row: int, column: int, step: Decimal) -> None:
        shown[row][column] += step
        row_left[row] -= step
        column_left[column] -= step

    while any(row_left):
        row = next(row for row, left in enumerate(row_left) if left)
        step = CENT.copy_sign(row_left[row])
        wanting = [column for column, left in enumerate(column_left) if left * step > 0]
        if wanting:
            move(*largest([(row, column) for column in wanting]), step)
        else:  # some other row has a cent too many where this one lacks it: it changes hands within a column
            other = next(other for other, left in enumerate(row_left) if left * step < 0)
            column = largest([(row, column) for column in range(len(columns))])[1]
            move(row, column, step)
            move(other, column, -step)
    while any(column_left):  # the rows are right: a cent changes columns within a row
        more = next(column for column, left in enumerate(column_left) if left > 0)
        less = next(column for column, left in enumerate(column_left) if left < 0)
        row = max(range(len(rows)), key=lambda row: min(abs(cells[row][more]), abs(cells[row][less])))
        move(row, more, CENT)
        move(row, less, -CENT)
    return shown
