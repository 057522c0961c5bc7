"""The lists kept by hand: complete, unambiguous, sourced, and exact in whole pico-dollars."""

import csv
from decimal import Decimal
from itertools import product

import pytest

from queries.catalog import FOLDER

with (FOLDER / "lists" / "prices.csv").open() as file:
    PRICES = list(csv.DictReader(file))
PRICE_COLUMNS = [column for column in PRICES[0] if column.endswith("_usd_mtok")]
MULTIPLIERS = ["us_geo_multiplier", "regional_multiplier", "us_gov_multiplier"]


@pytest.mark.parametrize("price", PRICES, ids=lambda price: f"{price['model_id']} {price['mode']}")
def test_every_price_names_its_source_and_how_sure_we_are(price):
    assert price["source"]
    assert price["evidence"] in {"verified", "single-source", "disputed"}


@pytest.mark.parametrize("price", PRICES, ids=lambda price: f"{price['model_id']} {price['mode']}")
def test_every_price_is_a_whole_number_of_pico_dollars_per_token(price):
    batches = {Decimal(1), Decimal(price["batch_multiplier"] or 1)}
    places = {Decimal(1), *(Decimal(price[column] or 1) for column in MULTIPLIERS)}
    for column, batch, place in product(PRICE_COLUMNS, batches, places):
        pico = Decimal(price[column] or 0) * 1_000_000 * batch * place
        assert pico == int(pico), f"{column} × {batch} × {place}"


@pytest.mark.parametrize("price", PRICES, ids=lambda price: f"{price['model_id']} {price['mode']}")
def test_caching_is_priced_entirely_or_not_at_all(price):
    assert len({bool(price[column]) for column in PRICE_COLUMNS if column.startswith("cache_")}) == 1


def test_no_two_prices_hold_for_the_same_request():
    for one, other in product(PRICES, PRICES):
        same = all(one[key] == other[key] for key in ("model_id", "mode", "prompt_tokens_over"))
        if one is not other and same:
            forever = "9999-12-31"
            assert (one["effective_to_exclusive"] or forever) <= other["effective_from"] or (
                other["effective_to_exclusive"] or forever
            ) <= one["effective_from"]


def test_every_alias_leads_to_one_model_of_the_price_list():
    with (FOLDER / "lists" / "model_aliases.csv").open() as file:
        aliases = list(csv.DictReader(file))
    models = {price["model_id"] for price in PRICES}
    assert {alias["model_id"] for alias in aliases} <= models
    words = [alias["alias"] for alias in aliases] + sorted(models)
    assert len(words) == len(set(words))


def test_every_stop_word_has_one_group():
    with (FOLDER / "lists" / "stop_reasons.csv").open() as file:
        words = list(csv.DictReader(file))
    assert len(words) == len({word["stop_reason"] for word in words})
    assert {word["stop_group"] for word in words} == {"truncated", "complete", "continuing", "refused"}


def test_each_moment_and_prompt_length_has_exactly_one_rate(con):
    """The rates of one way to ask tile the plane of time and prompt length: they cover it and do not overlap."""
    ways = "model, endpoint, fast, batch, us_geo"
    overlaps = con.execute(
        f"""
        select count(*) from base.list_rates as a join base.list_rates as b using ({ways})
        where (a.valid_from, a.prompt_tokens_over) <> (b.valid_from, b.prompt_tokens_over)
            and a.valid_from < b.valid_until and b.valid_from < a.valid_until
            and a.prompt_tokens_over < b.prompt_tokens_upto and b.prompt_tokens_over < a.prompt_tokens_upto
        """
    ).fetchall()
    areas = con.execute(
        f"""
        select distinct sum(
            cast(date_diff('day', valid_from, valid_until) as hugeint) * (prompt_tokens_upto - prompt_tokens_over)
        ) from base.list_rates group by {ways}
        """
    ).fetchall()
    ways_asked = con.execute(f"select count(distinct ({ways})), count(distinct model) from base.list_rates").fetchall()
    assert overlaps == [(0,)]
    assert len(areas) == 1
    models = len({price["model_id"] for price in PRICES}) + 1  # and one for all that are not listed
    assert ways_asked == [(models * 3 * 2 * 2 * 2, models)]


def test_a_rate_has_either_a_price_or_a_reason(con):
    assert con.execute(
        "select count(*) from base.list_rates where (input_pico is null) <> (unpriced_reason is not null)"
    ).fetchall() == [(0,)]
