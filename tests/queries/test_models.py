"""Which model a logged name means."""

import pytest
from attempts import an_attempt

SPELLINGS = {
    "claude-opus-5-5": [
        "claude-opus-5-5",
        " Claude-Opus-5-5 ",
        "claude-opus-5-5[1m]",
        "claude-opus-5-5@default",
        "claude-opus-5-5-fast",
        "anthropic/claude-opus-5.5",
        "anthropic.claude-opus-5-5",
        "global.anthropic.claude-opus-5-5",
        "bedrock/us.anthropic.claude-opus-5-5",
        "vertex_ai/claude-opus-5-5@default",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-5-5",
        "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-5-5",
        "publishers/anthropic/models/claude-opus-5-5",
        "Claude Opus 5.5",
    ],
    "claude-opus-4-8": ["anthropic/claude-opus-4.8", "claude-opus-4-8[1m]", "claude-4-8-opus"],
    "claude-opus-4-7": ["claude-opus-4-7-20260416"],
    "claude-opus-4-6": ["anthropic.claude-opus-4-6-v1", "us.anthropic.claude-opus-4-6-v1", "claude-opus-4-6-20260205"],
    "claude-sonnet-4-6": ["anthropic.claude-sonnet-4-6"],
    "claude-sonnet-5": ["vertex_ai/claude-sonnet-5@default"],
    "claude-sonnet-5-5": ["global.anthropic.claude-sonnet-5-5"],
    "claude-haiku-4-5": [
        "claude-haiku-4-5",
        "claude-haiku-4-5-20251001",
        "anthropic.claude-haiku-4-5-20251001-v1:0",
        "jp.anthropic.claude-haiku-4-5-20251001-v1:0",
        "Claude Haiku 4.5",
    ],
    "claude-sonnet-4-5": ["claude-sonnet-4-5-20250929", "claude-sonnet-4-5@20250929", "claude-4-5-sonnet"],
    "claude-opus-4-5": ["claude-opus-4-5@20251101", "au.anthropic.claude-opus-4-5-20251101-v1:0"],
    "claude-opus-4-1": ["claude-opus-4-1-20250805", "anthropic.claude-opus-4-1-20250805-v1:0"],
    "claude-opus-4-0": ["claude-opus-4", "claude-opus-4-20250514", "claude-opus-4@20250514", "claude-4-opus-20250514"],
    "claude-sonnet-4-0": ["claude-sonnet-4", "claude-sonnet-4-20250514", "claude-4-sonnet", "Claude Sonnet 4"],
    "claude-3-7-sonnet-20250219": ["claude-3-7-sonnet-latest", "claude-3.7-sonnet", "Claude Sonnet 3.7"],
    "claude-3-5-sonnet-20241022": [
        "claude-3-5-sonnet-latest",
        "anthropic.claude-3-5-sonnet-20241022-v2:0",
        "claude-3-5-sonnet-v2@20241022",
    ],
    "claude-3-5-sonnet-20240620": ["claude-3-5-sonnet@20240620", "anthropic.claude-3-5-sonnet-20240620-v1:0"],
    "claude-3-5-haiku-20241022": ["claude-3-5-haiku-latest", "apac.anthropic.claude-3-5-haiku-20241022-v1:0"],
    "claude-3-haiku-20240307": ["claude-3-haiku@20240307", "anthropic.claude-3-haiku-20240307-v1:0"],
    "claude-3-opus-20240229": ["claude-3-opus-latest"],
    "claude-2.1": ["claude-2.1", "anthropic.claude-v2:1"],
    "claude-2.0": ["claude-2.0", "anthropic.claude-v2"],
    "claude-instant-1.2": ["claude-instant-1.2", "anthropic.claude-instant-v1"],
}


def test_every_spelling_finds_its_model(given, rows):
    given(*(an_attempt(model_raw=name) for names in SPELLINGS.values() for name in names))
    found = {row["model_raw"]: row["model"] for row in rows("from base.models")}
    assert found == {name: model for model, names in SPELLINGS.items() for name in names}


def test_every_model_of_the_price_list_finds_itself(given, rows, con):
    models = [model for (model,) in con.execute("select distinct model_id from lists.prices").fetchall()]
    given(*(an_attempt(model_raw=model) for model in models))
    assert {row["model_raw"]: row["model"] for row in rows("from base.models")} == {model: model for model in models}


@pytest.mark.parametrize(
    ("logged", "shown"),
    [
        ("claude-opus-9", "claude-opus-9"),
        ("claude-opus-5-6", "claude-opus-5-6"),
        ("claude-opus", "claude-opus"),
        ("claude", "claude"),
        ("openai/gpt-4.1-2025-04-14", "gpt-4.1-2025-04-14"),
        ("us.amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0"),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/a1b2c3", "a1b2c3"),
        ("<synthetic>", "<synthetic>"),
    ],
)
def test_an_unknown_name_keeps_its_own_words_and_has_no_neighbour_to_be_taken_for(given, rows, logged, shown):
    given(an_attempt(model_raw=logged))
    (attempt,) = rows("select model, is_priced from facts.attempts")
    assert attempt == {"model": shown, "is_priced": False}


def test_the_fast_suffix_asks_for_fast_mode(given, rows):
    given(an_attempt(model_raw="claude-opus-5-5-fast"), an_attempt(model_raw="claude-opus-5-5", speed="fast"))
    by_name, by_speed = rows("select mode, cost_usd from facts.attempts")
    assert by_name == by_speed
    assert by_name["mode"] == "fast"


def test_an_attempt_without_a_model_says_so(given, rows):
    given(an_attempt(model_raw=None))
    assert rows("select model from facts.attempts") == [{"model": "(no model)"}]
