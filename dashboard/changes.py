"""A change of cost as it is shown: to the cent, in parts, by slice, and adding up in every direction."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import pyarrow as pa

from dashboard import cents, units
from dashboard.names import Place, display_name
from dashboard.reading import Explanation
from dashboard.rows import Rows

MOST_SLICES = 30
OTHERS = "All others"
PART = "_part_usd"
ZERO = Decimal(0)


def table(found: Explanation, by: str, key: str) -> Rows:
    """One row per slice, the largest change first: before, after, change, and its parts by cause, in cents.

    Small slices beyond the 30 that changed most share a last row. Rows, columns and their totals add up exactly.
    """
    named = list(found.slices[:MOST_SLICES])
    rest = found.slices[MOST_SLICES:]
    causes = [cause for cause in found.parts if any(of.parts.get(cause) for of in found.slices)]
    names = [of.slice for of in named] + [OTHERS] * bool(rest)
    before = [of.before_usd for of in named] + [sum((of.before_usd for of in rest), ZERO)] * bool(rest)
    after = [of.after_usd for of in named] + [sum((of.after_usd for of in rest), ZERO)] * bool(rest)
    cells = [[of.parts.get(cause, ZERO) for cause in causes] for of in named]
    if rest:
        cells.append([sum((of.parts.get(cause, ZERO) for of in rest), ZERO) for cause in causes])
    before_cents, after_cents = cents.adding_up(before), cents.adding_up(after)
    change = [now - then for now, then in zip(after_cents, before_cents, strict=True)]
    totals = cents.adding_up([found.parts[cause] for cause in causes], sum(change, ZERO)) if causes else []
    parts = cents.table(cells, change, totals) if causes else cells
    columns: dict[str, list[object]] = {
        by: list(names),
        "cost_before_usd": list(before_cents),
        "cost_after_usd": list(after_cents),
        "cost_change_usd": list(change),
    }
    columns |= {f"{cause}{PART}": [line[place] for line in parts] for place, cause in enumerate(causes)}
    return Rows(key, pa.table(columns))


def steps(rows: Rows, names: Sequence[str]) -> Rows:
    """The steps of a waterfall from a table of changes: before, each cause by size, after. `names` are for the ends."""
    parts = {name.removesuffix(PART): rows.total(name) for name in rows.columns if name.endswith(PART)}
    return between(names, rows.total("cost_before_usd"), parts, f"{rows.key}/steps")


def between(names: Sequence[str], first: Decimal, parts: Mapping[str, Decimal], key: str) -> Rows:
    """The steps of a waterfall that starts at `first`; the largest parts come first."""
    ordered = sorted((cause for cause in parts if parts[cause]), key=lambda cause: -abs(parts[cause]))
    last = first + sum(parts.values(), ZERO)
    return Rows(
        f"{key}/{'/'.join(names)}",
        pa.table(
            {
                "what": [names[0], *(units.label(f"{cause}{PART}") for cause in ordered), names[1]],
                "amount_usd": [first, *(parts[cause] for cause in ordered), last],
                "is_sum": [True, *(False for _ in ordered), True],
            }
        ),
    )


def in_words(rows: Rows, found: Explanation, by: str, periods: Sequence[str], place: Place = "md") -> str:
    """The change in a sentence or two: how much, from what to what, and what mostly explains it."""
    bold = "**" if place == "md" else ""

    def money(said: str) -> str:
        return said.replace("$", "\\$") if place == "md" else said

    before, after = rows.total("cost_before_usd"), rows.total("cost_after_usd")
    change = after - before
    if not change:
        return money(f"Spend did not change: {units.money(after)} in both periods.")
    rate = f" ({float(change / before) * 100:+.1f} %)" if before else ""
    said = money(
        f"Spend {'rose' if change > 0 else 'fell'} by {bold}{units.money(abs(change))}{bold}{rate}, "
        f"from {units.money(before)} on {periods[0]} to {units.money(after)} on {periods[1]}."
    )
    if not found.explained_by:
        return f"{said} No single {units.label(by).lower()} stands out."
    changes = dict(zip(rows[by], rows["cost_change_usd"], strict=True))
    theirs = [
        f"{bold}{display_name(name, place)}{bold} {money(f'({units.signed_money(changes[name])})')}"
        for name in found.explained_by
        if name in changes
    ]
    share = sum((changes[name] for name in found.explained_by if name in changes), ZERO) / change
    much = (
        f"{float(share) * 100:.0f} % of the change"
        if share <= 1
        else "all of it and more; the rest moved the other way"
    )
    return f"{said} Mostly explained by {_listed(theirs)}: {much}."


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
