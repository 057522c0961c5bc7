"""Shared spend divided among those who pay, so that nothing is lost or made: to the last of twelve decimals.

Each part is its exact share rounded down; the last digits that are over go to those whose shares lost most by that
(largest remainder), and among equals to the name that comes first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from fractions import Fraction

from dashboard.allocation.rules import Rule
from dashboard.names import UNATTRIBUTED

DIGITS = 12
NOTHING = Decimal(0)


@dataclass(frozen=True)
class Spent:
    """What was spent in one place. `named` are its feature, team and model; `centre` the one of these that pays."""

    centre: str
    named: Mapping[str, str]
    amount: Decimal


@dataclass
class Line:
    """What one centre pays: what was spent there, what of it others pay, and what it pays of what is shared."""

    spent: Decimal = NOTHING
    shared: Decimal = NOTHING
    allocated: Decimal = NOTHING

    @property
    def charged(self) -> Decimal:
        """What is left to pay."""
        return self.spent + self.shared + self.allocated


@dataclass(frozen=True)
class Divided:
    """The lines by centre, what each rule gave to whom, and the rules that found nobody to give to."""

    lines: dict[str, Line]
    given: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    idle: dict[str, Decimal] = field(default_factory=dict)


def parts(amount: Decimal, weights: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """An amount of at most twelve decimals in parts that add up to it. Weights are zero or more, and not all zero."""
    names = sorted(weights)
    whole = sum((Fraction(weights[name]) for name in names), Fraction(0))
    units = int(Fraction(amount) * 10**DIGITS)
    exact = {name: Fraction(weights[name]) * abs(units) / whole for name in names}
    given = {name: int(exact[name]) for name in names}
    over = abs(units) - sum(given.values())
    for name in sorted(names, key=lambda name: given[name] - exact[name])[:over]:
        given[name] += 1
    with localcontext(prec=60):
        return {name: Decimal(count).copy_sign(amount).scaleb(-DIGITS) for name, count in given.items()}


def divided(spent: Sequence[Spent], rules: Sequence[Rule], weights_of: Sequence[Decimal] | None = None) -> Divided:
    """Spend with what is shared handed out. What several rules name goes by the first of them.

    `weights_of`: amounts by which shares are measured, one for each of `spent`, where these are in another currency;
    so that a share is the same in each. A rule that finds nobody to give to leaves everything where it was spent.
    """
    measures = [of.amount for of in spent] if weights_of is None else list(weights_of)
    lines: dict[str, Line] = {}
    own: dict[str, Decimal] = {}
    pools: dict[str, list[Spent]] = {rule.name: [] for rule in rules}
    with localcontext(prec=60):
        for of, measure in zip(spent, measures, strict=True):
            lines.setdefault(of.centre, Line()).spent += of.amount
            rule = next((rule for rule in rules if of.named[rule.of] in rule.names), None)
            if rule:
                pools[rule.name].append(of)
            elif of.centre != UNATTRIBUTED:
                own[of.centre] = own.get(of.centre, NOTHING) + measure
        found = Divided(lines)
        for rule in rules:
            _hand_out(rule, pools[rule.name], own, found)
    return found


def _hand_out(rule: Rule, pool: Sequence[Spent], own: Mapping[str, Decimal], found: Divided) -> None:
    amount = sum((of.amount for of in pool), NOTHING)
    if not pool or not amount:
        return
    weights = rule.weights(own)
    if not any(weights.values()):
        found.idle[rule.name] = amount
        return
    for of in pool:
        found.lines[of.centre].shared -= of.amount
    found.given[rule.name] = parts(amount, weights)
    for centre, part in found.given[rule.name].items():
        found.lines.setdefault(centre, Line()).allocated += part
