"""Shared spend handed out: every amount can be worked out on paper, and no digit is lost."""

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.allocation.chargeback import stretches
from dashboard.allocation.currencies import Rates, parse
from dashboard.allocation.divide import Line, Spent, divided, parts
from dashboard.allocation.rules import Allocation, Rule, Version
from dashboard.names import UNATTRIBUTED
from dashboard.rows import Rows

LAST = Decimal("0.000000000001")
TEAMS = ("ads", "chat", "search", UNATTRIBUTED)
SHARED = Rule("nobody", "team", (UNATTRIBUTED,), "share")
EVEN = Rule("platform", "feature", ("platform",), "even")

amounts = st.integers(0, 10**18).map(lambda units: Decimal(units).scaleb(-12))
weights = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 10**9).map(Decimal), min_size=1)


def spent(team: str, amount: str, feature: str = "chat", model: str = "claude-opus-5-5") -> Spent:
    return Spent(team, {"team": team, "feature": feature, "model": model}, Decimal(amount))


@given(amounts, weights)
def test_parts_add_up_and_none_is_off_by_a_digit(amount: Decimal, weights: dict[str, Decimal]) -> None:
    given_out = parts(amount, weights)
    assert sum(given_out.values()) == amount
    whole = sum(weights.values())
    for name, part in given_out.items():
        assert abs(part * whole - amount * weights[name]) < LAST * whole


def test_the_last_digit_goes_to_who_lost_most_then_to_who_comes_first() -> None:
    one = Decimal(1)
    assert parts(10 * LAST, {"c": one, "b": one, "a": one}) == {"a": 4 * LAST, "b": 3 * LAST, "c": 3 * LAST}
    # 10 by 1 to 2 to 4 is 1.43, 2.86 and 5.71: rounded down 1, 2 and 5, and the two that are over go to b, then to c
    assert parts(10 * LAST, {"a": one, "b": 2 * one, "c": 4 * one}) == {"a": LAST, "b": 3 * LAST, "c": 6 * LAST}


def test_by_share_of_own_spend() -> None:
    found = divided([spent("ads", "30"), spent("chat", "10"), spent(UNATTRIBUTED, "8")], [SHARED])
    assert found.lines == {
        "ads": Line(Decimal(30), allocated=Decimal(6)),
        "chat": Line(Decimal(10), allocated=Decimal(2)),
        UNATTRIBUTED: Line(Decimal(8), shared=Decimal(-8)),
    }
    assert found.lines["ads"].charged == 36
    assert found.lines[UNATTRIBUTED].charged == 0


def test_evenly_among_those_with_spend_of_their_own_which_what_they_share_is_not() -> None:
    told = [spent("ads", "30"), spent("chat", "10"), spent("core", "9", "platform"), spent("ads", "1", "platform")]
    found = divided(told, [EVEN])
    assert {name: line.charged for name, line in found.lines.items()} == {"ads": 35, "chat": 15, "core": 0}
    assert found.lines["ads"] == Line(Decimal(31), Decimal(-1), Decimal(5))


def test_in_fixed_parts_also_to_somebody_without_spend() -> None:
    rule = Rule("core", "team", ("core",), "fixed", percent={"ads": Decimal("33.3"), "new": Decimal("66.7")})
    found = divided([spent("core", "100"), spent("ads", "1")], [rule])
    assert {name: line.charged for name, line in found.lines.items()} == {
        "core": 0,
        "ads": Decimal("34.3"),
        "new": Decimal("66.7"),
    }


def test_what_two_rules_name_goes_by_the_first_and_some_pay_alone() -> None:
    first = Rule("first", "model", ("claude-opus-5-5",), "even", to=("ads",))
    second = Rule("second", "team", ("core",), "even", to=("chat",))
    found = divided([spent("core", "5"), spent("core", "3", model="claude-haiku-4-5")], [first, second])
    assert found.given == {"first": {"ads": Decimal(5)}, "second": {"chat": Decimal(3)}}


def test_with_nobody_to_charge_it_stays_where_it_was_and_is_told() -> None:
    found = divided([spent(UNATTRIBUTED, "8")], [SHARED])
    assert found.lines == {UNATTRIBUTED: Line(Decimal(8))}
    assert found.idle == {"nobody": Decimal(8)}


spends = st.lists(
    st.builds(
        lambda team, feature, amount: Spent(team, {"team": team, "feature": feature, "model": "m"}, amount),
        st.sampled_from(TEAMS),
        st.sampled_from(["chat", "platform"]),
        amounts,
    ),
    max_size=12,
)
rules = st.lists(
    st.sampled_from([
        SHARED,
        EVEN,
        Rule("fixed", "team", ("ads",), "fixed", percent={"chat": Decimal("0.1"), "search": Decimal("99.9")}),
        Rule("some", "feature", ("chat",), "share", to=("search", "ads")),
    ]),
    unique_by=lambda rule: rule.name,
)  # fmt: skip


@given(spends, rules)
def test_whatever_the_rules_what_is_charged_is_what_was_spent(spends: list[Spent], rules: list[Rule]) -> None:
    lines = divided(spends, rules).lines.values()
    assert sum(line.charged for line in lines) == sum(of.amount for of in spends)
    assert sum(line.shared + line.allocated for line in lines) == 0
    assert sum(line.spent for line in lines) == sum(of.amount for of in spends)


def rows(*told: tuple[date, str, str]) -> Rows:
    days, teams, costs = zip(*told, strict=True)
    table = {"day": days, "feature": ["f"] * len(told), "team": teams, "model": ["m"] * len(told)}
    return Rows("rows", pa.table(table | {"cost_usd": [Decimal(cost) for cost in costs]}))


def test_a_past_month_keeps_its_rules_and_what_is_unattributed_its_line() -> None:
    allocation = Allocation((Version("old", date(2026, 1, 1), rules=(SHARED,)), Version("new", date(2026, 11, 15))))
    told = rows(
        (date(2025, 12, 31), "ads", "1"),
        (date(2026, 10, 31), "ads", "4"), (date(2026, 10, 31), UNATTRIBUTED, "2"),
        (date(2026, 11, 14), "ads", "4"), (date(2026, 11, 14), UNATTRIBUTED, "3"),
        (date(2026, 11, 15), "ads", "4"), (date(2026, 11, 15), UNATTRIBUTED, "5"),
    )  # fmt: skip
    found = stretches(told, allocation, Rates())
    assert [(of.first, of.version.name, of.divided.lines["ads"].charged) for of in found] == [
        (date(2025, 12, 31), "no rules", 1),
        (date(2026, 10, 31), "old", 6),
        (date(2026, 11, 14), "old", 7),
        (date(2026, 11, 15), "new", 4),
    ]
    assert all(of.centres[-1] == UNATTRIBUTED for of in found)
    assert found[-1].divided.lines[UNATTRIBUTED].charged == 5


RATES = """currency,valid_from,valid_until,units_per_usd,usd_per_unit,source
EUR,2026-11-01,2026-11-01,0.9,,ECB
EUR,2026-11-02,2026-11-02,,3,made up
"""


def test_each_day_is_converted_at_its_rate_and_a_day_without_one_is_told() -> None:
    allocation = Allocation((Version("v", date(2026, 1, 1), rules=(SHARED,)),))
    told = rows(
        (date(2026, 11, 1), "ads", "10"), (date(2026, 11, 1), "chat", "30"), (date(2026, 11, 1), UNATTRIBUTED, "4"),
        (date(2026, 11, 2), "ads", "1"),
        (date(2026, 11, 3), "ads", "9"), (date(2026, 11, 3), UNATTRIBUTED, "6"),
    )  # fmt: skip
    [month] = stretches(told, allocation, parse(RATES), "EUR")
    other = month.converted
    assert other is not None
    assert other.days_without == (date(2026, 11, 3),)
    # The third day's 6 dollars that nobody named are divided like the rest: 2.40 and 3.60.
    assert other.left_usd == {"ads": Decimal("11.4"), "chat": Decimal("3.6"), UNATTRIBUTED: 0}
    # 4 dollars are 3.60; ads spent 20 dollars of its own, chat 30: shares of 2 and 3 in 5, in each currency.
    third = Decimal("0.333333333333")  # a dollar at 3 dollars a unit
    lines = {name: line.charged for name, line in other.divided.lines.items()}
    assert lines == {"ads": 9 + third + Decimal("1.44"), "chat": 27 + Decimal("2.16"), UNATTRIBUTED: 0}
    assert {name: line.allocated for name, line in month.divided.lines.items()} == {
        "ads": 4,
        "chat": 6,
        UNATTRIBUTED: 0,
    }


@given(spends, rules, st.lists(st.one_of(st.none(), st.integers(1, 10**12)), min_size=1, max_size=4))
def test_a_currency_loses_nothing_either(spends: list[Spent], rules: list[Rule], rates: list[int | None]) -> None:
    days = [date(2026, 11, 1 + number % len(rates)) for number in range(len(spends))]
    lines = [f"EUR,{date(2026, 11, 1 + n)},{date(2026, 11, 1 + n)},{Decimal(rate).scaleb(-6)},,"
        for n, rate in enumerate(rates) if rate]  # fmt: skip
    known = parse("\n".join([RATES.splitlines()[0], *lines]))
    if not spends:
        return
    told = rows(*((day, of.centre, str(of.amount)) for day, of in zip(days, spends, strict=True)))
    for month in stretches(told, Allocation((Version("v", date(2026, 1, 1), rules=tuple(rules)),)), known, "EUR"):
        other = month.converted
        assert other is not None
        expected = sum(
            rate.convert(of.amount) for day, of in zip(days, spends, strict=True) if (rate := known.on("EUR", day))
        )
        assert sum(line.charged for line in other.divided.lines.values()) == expected
        left = sum(of.amount for day, of in zip(days, spends, strict=True) if not known.on("EUR", day))
        assert sum(other.left_usd.values()) == left


def test_a_half_of_the_last_digit_is_rounded_up() -> None:
    [rate] = parse(f"{RATES.splitlines()[0]}\nEUR,2026-11-01,,0.5,,").rates
    assert rate.convert(3 * LAST) == 2 * LAST
    assert rate.last == date.max


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("EURO,2026-11-01,,1,,", "exchange_rates.csv:2: 'EURO' is no currency"),
        ("USD,2026-11-01,,1,,", "'USD' is no currency to convert to"),
        ("EUR,,,1,,", "valid_from is missing"),
        ("EUR,2026-11-02,2026-11-01,1,,", "valid_until, 2026-11-01, is before valid_from"),
        ("EUR,2026-11-01,,1,1,", "write one of units_per_usd and usd_per_unit"),
        ("EUR,2026-11-01,,0,,", "units_per_usd is '0'; write a number above zero"),
        (
            "EUR,2026-11-01,,0.9,,\nEUR,2026-11-09,,0.8,,",
            "exchange_rates.csv:3: EUR has a rate on these days in line 2",
        ),
        ("EUR,2026-11-01,,0.9,,,,", "more cells than there are headings"),
    ],
)
def test_a_mistake_among_rates_is_told_with_its_line(line: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="exchange_rates") as refused:
        parse(f"{RATES.splitlines()[0]}\n{line}")
    assert sentence in str(refused.value)
