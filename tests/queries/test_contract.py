"""Prices that were agreed upon: what a token costs under each row of the file, and what the file may say."""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from attempts import an_attempt, an_iteration

from queries import agree, generation
from queries.contract import parse

HEAD = "model,platform,mode,valid_from,valid_until,discount_percent,input_usd_mtok,output_usd_mtok,source"
MILLION: dict[str, Any] = {"uncached_input_tokens": 1_000_000, "output_tokens": 0}  # opus-5-5: 4 USD at list price
Agreed = Callable[..., None]


@pytest.fixture
def agreed(con: duckdb.DuckDBPyConnection) -> Iterator[Agreed]:
    """agreed(line, ...): these lines stand in the file."""

    def put(*lines: str) -> None:
        rows = parse("\n".join([HEAD, *lines]))
        assert not [row["problem"] for row in rows if row["problem"]]
        agree(con, rows)

    yield put
    agree(con, [])


def costs(rows: Callable[[str], list[dict[str, Any]]]) -> list[tuple[Decimal, Decimal]]:
    found = rows("select cost_usd, list_cost_usd from facts.attempts order by started_at, attempt_id")
    return [(row["cost_usd"], row["list_cost_usd"]) for row in found]


def test_without_a_file_the_list_price_is_billed(given, rows):
    given(an_attempt(**MILLION))
    assert costs(rows) == [(Decimal(4), Decimal(4))]


def test_a_discount_holds_from_its_first_to_its_last_day(given, rows, agreed):
    agreed(",,,2026-11-02,2026-11-03,12.5,,,Order form 7")
    given(
        *(an_attempt(started_at=moment, **MILLION) for moment in (
            datetime(2026, 11, 1, 23, 59, 59),
            datetime(2026, 11, 2),
            datetime(2026, 11, 3, 23, 59, 59),
            datetime(2026, 11, 4),
        ))
    )  # fmt: skip
    assert costs(rows) == [(Decimal(4), 4), (Decimal("3.5"), 4), (Decimal("3.5"), 4), (Decimal(4), 4)]


def test_the_row_that_says_most_wins_and_its_end_uncovers_the_other(given, rows, agreed):
    agreed(
        ",,,2026-11-01,,10,,,all models",
        "claude-opus-5-5,,,2026-11-05,2026-11-06,50,,,for a while",
        ",bedrock,,2026-11-01,,25,,,the cloud's",
    )
    given(
        *(an_attempt(started_at=datetime(2026, 11, day), **MILLION) for day in (4, 5, 7)),
        an_attempt(started_at=datetime(2026, 11, 8), platform="bedrock", **MILLION),
        an_attempt(started_at=datetime(2026, 11, 9), platform="gateway", **MILLION),
    )
    assert [cost for cost, _ in costs(rows)] == [Decimal("3.6"), 2, Decimal("3.6"), 3, Decimal("3.6")]


def test_prices_of_their_own_keep_the_factor_of_a_batch_and_leave_the_rest_at_list_price(given, rows, agreed):
    agreed("claude-opus-5-5,,standard,2026-11-01,,,3,,Order form 7")
    whole = {"uncached_input_tokens": 1_000_000, "cache_read_tokens": 1_000_000, "output_tokens": 1_000_000}
    given(an_attempt(**whole), an_attempt(service_tier="batch", **whole), an_attempt(speed="fast", **whole))
    # 3 + 0.20 + 20, half of that, and the list price of fast mode: 8 + 0.40 + 40
    assert [cost for cost, _ in costs(rows)] == [Decimal("23.2"), Decimal("11.6"), Decimal("48.4")]
    assert [cost for _, cost in costs(rows)] == [Decimal("24.2"), Decimal("12.1"), Decimal("48.4")]


def test_a_price_is_rounded_half_up_to_a_whole_pico_dollar_a_token(given, rows, agreed):
    agreed("claude-haiku-5-5,,,2026-11-01,,33.3335,,,")
    given(an_attempt(model_raw="claude-haiku-5-5", uncached_input_tokens=1, cache_read_tokens=1, output_tokens=0))
    # 100,000 pico less 33,333.5 is 66,666.5, up to 66,667; of 10,000 are left 6,666.65, up to 6,667
    assert costs(rows) == [(Decimal("0.000000073334"), Decimal("0.000000110000"))]


def test_iterations_and_web_searches(given, rows, agreed):
    agreed(",,,2026-11-01,,50,,,")
    given(
        an_attempt(iterations=[an_iteration(), an_iteration()], web_search_requests=2),
        an_attempt(uncached_input_tokens=0, output_tokens=0, web_search_requests=3, started_at=datetime(2026, 11, 21)),
    )
    # An iteration is 1,000 in and 100 out: 0.004 + 0.002. Searches cost 0.01 each, agreed or not.
    assert costs(rows) == [(Decimal("0.026"), Decimal("0.032")), (Decimal("0.03"), Decimal("0.03"))]


def test_focus_has_list_and_agreed_cost_side_by_side(given, ask, agreed):
    agreed("claude-opus-5-5,,,2026-11-01,,100,,,a present", ",,,2026-11-01,,25,,,")
    given(
        an_attempt(**MILLION, web_search_requests=1),
        an_attempt(model_raw="claude-sonnet-5", iterations=[an_iteration(uncached_input_tokens=500_000)]),
    )
    charges = ask("finops_focus_1_2")
    told = {
        row["SkuId"]: (row["ListCost"], row["ContractedCost"], row["EffectiveCost"], row["BilledCost"])
        for row in charges
    }
    free, search = Decimal(0), Decimal("0.01")
    assert told["claude-opus-5-5/input"] == (4, free, free, free)
    assert told["claude-opus-5-5/web_search"] == (search,) * 4
    assert told["claude-sonnet-5/input"] == (1, *[Decimal("0.75")] * 3)
    [sonnet] = [row for row in charges if row["SkuId"] == "claude-sonnet-5/input"]
    assert (sonnet["ListUnitPrice"], sonnet["ContractedUnitPrice"]) == (Decimal("0.000002"), Decimal("0.0000015"))


def test_a_changed_file_is_another_generation_and_the_same_one_is_not(con):
    before = generation(con)
    rows = parse(f"{HEAD}\n,,,2026-11-01,,10,,,")
    assert agree(con, rows)
    changed = generation(con)
    assert not agree(con, rows)
    assert generation(con) == changed != before
    agree(con, [])
    assert generation(con) == before


def test_a_file_with_mistakes_prices_nothing_and_says_why(con, given, rows, ask):
    given(an_attempt(**MILLION))
    agree(con, parse(f"{HEAD}\n,,,2026-11-01,,10,,,\nclaude-opus-55,,,2026-11-01,,20,,,"))
    assert costs(rows) == [(Decimal(4), Decimal(4))]
    [row] = ask("contract_prices")
    assert row["line"] == 3
    assert row["problem"].startswith("contract_prices.csv:3: 'claude-opus-55' is not in the price list; did you mean")
    agree(con, [])


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (",azur,,2026-11-01,,10,,,", "contract_prices.csv:2: 'azur' is no platform"),
        (",,slow,2026-11-01,,10,,,", "'slow' is no mode"),
        (",,,,,10,,,", "valid_from is missing; write a day like 2026-11-01"),
        (",,,1.11.2026,,10,,,", "valid_from is 1.11.2026"),
        (",,,2026-11-02,2026-11-01,10,,,", "valid_until, 2026-11-01, is before valid_from"),
        (",,,2026-11-01,,,,,", "either discount_percent or prices of their own"),
        ("claude-opus-5,,,2026-11-01,,10,3,,", "either discount_percent or prices of their own"),
        (",,,2026-11-01,,,3,,", "prices of their own are those of one model"),
        (",,,2026-11-01,,101,,,", "discount_percent is '101'; write a number from 0 to 100"),
        (",,,2026-11-01,,NaN,,,", "discount_percent is 'NaN'"),
        (",,,2026-11-01,,0.1234567,,,", "at most 6 decimals"),
        (",,,2026-11-01,,10,,,,,,", "it has 12 cells under 9 headings"),
        (',,,2026-11-01,,10,,,"', "this is no CSV"),
        (",,,2026-11-01,2026-11-09,10,,,\n,,,2026-11-09,,20,,,", "csv:3: it holds on the same days as line 2"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(line: str, sentence: str) -> None:
    [problem, *_] = [row["problem"] for row in parse(f"{HEAD}\n{line}")]
    assert problem is not None
    assert sentence in problem


def test_headings_are_checked_and_comments_and_empty_lines_are_not_rows() -> None:
    assert "'discount' is no column; did you mean discount_percent?" in str(parse("valid_from,discount")[0]["problem"])
    assert "valid_from is missing" in str(parse("model")[0]["problem"])
    [row] = parse("# agreed in May\n\nvalid_from,discount_percent\n2026-05-01,5\n")
    assert (row["line"], row["valid_from"], row["discount_percent"]) == ("4", "2026-05-01", "5")
