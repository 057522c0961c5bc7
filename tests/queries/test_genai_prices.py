"""Our prices against those of genai-prices: every model, mode, day of change and several mixes of tokens.

Where the two disagree, the disagreement is listed here with its reason. One that is not listed fails, and so does a
listed one that no longer occurs: then genai-prices has changed, or we have.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import product
from typing import NamedTuple

from attempts import an_attempt
from genai_prices import Usage, calc_price
from test_lists import PRICES

MODELS = sorted({price["model_id"] for price in PRICES})
MIXES = {
    "five-minute cache": {
        "uncached_input_tokens": 1_000,
        "cache_read_tokens": 20_000,
        "cache_write_5m_tokens": 3_000,
        "output_tokens": 500,
    },
    "one-hour cache": {"uncached_input_tokens": 700, "cache_write_1h_tokens": 30_000, "output_tokens": 900},
    "web search": {"uncached_input_tokens": 5_000, "output_tokens": 1_000, "web_search_requests": 2},
    "over 100k": {"uncached_input_tokens": 50_000, "cache_read_tokens": 60_000, "output_tokens": 1_000},
    "over 200k": {"uncached_input_tokens": 300_000, "output_tokens": 1_000},
}
OUR_WORDS: dict[str, dict[str, str]] = {"standard": {}, "batch": {"service_tier": "batch"}, "fast": {"speed": "fast"}}
THEIR_WORDS = {"standard": {}, "batch": {"processing": "batch"}, "fast": {"speed": "fast"}}

BATCH_KNOWN_SINCE = date(2026, 10, 14)
FIVE_TWO = {"claude-fable-5-2", "claude-mythos-5-2"}
BEFORE_CACHING = {"claude-2.0", "claude-2.1", "claude-instant-1.2"}
WITHOUT_SEARCH = {"claude-3-haiku-20240307", "claude-3-opus-20240229", "claude-3-sonnet-20240229", *BEFORE_CACHING}
MISSING = {"claude-mythos-5", "claude-mythos-5-1", "claude-mythos-preview", "claude-instant-1.2"}
WITHOUT_BATCH = {model for model in MODELS if model.startswith("claude-3-")} | {
    "claude-opus-4-1",
    "claude-opus-4-0",
    "claude-sonnet-4-0",
}


class Case(NamedTuple):
    model: str
    day: date
    mix: str
    way: str
    ours: Decimal | None
    reason: str | None
    theirs: Decimal | None


@dataclass(frozen=True)
class Disagreement:
    why: str
    holds: Callable[[Case], bool]


DISAGREEMENTS = [
    Disagreement(
        "genai-prices does not know the model",
        lambda case: case.model in MISSING and case.ours is not None,
    ),
    Disagreement(
        "genai-prices prices days before the launch of a model",
        lambda case: case.reason == "before the model was launched" and case.theirs is not None,
    ),
    Disagreement(
        "genai-prices takes the standard price where fast mode was never offered, not yet, or no longer",
        lambda case: (
            case.theirs is not None
            and case.reason
            in {
                "no fast mode price for this model",
                "before fast mode began for this model",
                "fast mode had ended for this model",
            }
        ),
    ),
    Disagreement(
        "genai-prices has no fast mode prices for Opus 4.6 and 4.7, which had them for a time",
        lambda case: (
            case.way == "fast"
            and (
                (case.model == "claude-opus-4-6" and date(2026, 2, 7) <= case.day < date(2026, 6, 29))
                or (case.model == "claude-opus-4-7" and date(2026, 5, 12) <= case.day < date(2026, 7, 24))
            )
        ),
    ),
    Disagreement(
        "batches have cost half since 2024; genai-prices knows it from 2026-10-14 on",
        lambda case: (
            case.way == "batch"
            and case.ours is not None
            and case.model not in FIVE_TWO | WITHOUT_BATCH
            and case.day < BATCH_KNOWN_SINCE
        ),
    ),
    Disagreement(
        "genai-prices has no batch prices for Opus 4 and 4.1, Sonnet 4 and the 3 family",
        lambda case: case.way == "batch" and case.ours is not None and case.model in WITHOUT_BATCH,
    ),
    Disagreement(
        "genai-prices takes the full price where there is no batch price",
        lambda case: case.reason == "no batch price for this model" and case.theirs is not None,
    ),
    Disagreement(
        "genai-prices prices cached tokens of models that had no caching",
        lambda case: case.reason == "no cache price for this model" and case.theirs is not None,
    ),
    Disagreement(
        "Sonnet 5.5 read the cache at 0.20 until 2026-10-06; genai-prices has 0.10 from the start",
        lambda case: (
            case.model == "claude-sonnet-5-5"
            and case.way != "fast"
            and case.ours is not None
            and case.day < date(2026, 10, 7)
            and "cache_read_tokens" in MIXES[case.mix]
        ),
    ),
    Disagreement(
        "Sonnet 4 had a long-context price from 2025-08-12 to 2026-04-29; genai-prices has none",
        lambda case: (
            case.model == "claude-sonnet-4-0"
            and case.way != "fast"
            and case.mix == "over 200k"
            and date(2025, 8, 12) <= case.day < date(2026, 4, 30)
        ),
    ),
    Disagreement(
        "the long-context price of Sonnet 4.5 ended on 2026-04-30; genai-prices still charges it",
        lambda case: (
            case.model == "claude-sonnet-4-5"
            and case.way != "fast"
            and case.mix == "over 200k"
            and case.day >= date(2026, 4, 30)
        ),
    ),
    Disagreement(
        "genai-prices has no web search price for Claude 3 Haiku, Sonnet and Opus and older models",
        lambda case: case.model in WITHOUT_SEARCH and case.mix == "web search" and case.ours is not None,
    ),
]


def _days() -> list[date]:
    """Every day on which a price begins or ends, here or there, and the day before it; and a day of today's prices."""
    columns = ("effective_from", "effective_to_exclusive")
    changes = {date.fromisoformat(price[column]) for price in PRICES for column in columns if price[column]}
    changes |= {BATCH_KNOWN_SINCE}
    return sorted(changes | {day - timedelta(days=1) for day in changes} | {date(2026, 11, 20)})


def _theirs(model: str, day: date, mix: str, way: str) -> Decimal | None:
    tokens = MIXES[mix]
    reads, writes_5m, writes_1h = (
        tokens.get(pile, 0) for pile in ("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")
    )
    usage = Usage(
        input_tokens=tokens["uncached_input_tokens"] + reads + writes_5m + writes_1h,
        cache_read_tokens=reads,
        cache_write_tokens=writes_5m + writes_1h,
        cache_write_5m_tokens=writes_5m,
        cache_write_1h_tokens=writes_1h,
        output_tokens=tokens["output_tokens"],
        web_searches=tokens.get("web_search_requests", 0),
    )
    noon = datetime.combine(day, time(12), UTC)
    try:
        return calc_price(
            usage,
            model_ref=model,
            provider_id="anthropic",
            genai_request_timestamp=noon,
            price_context=THEIR_WORDS[way],
        ).total_price
    except LookupError:
        return None


def test_genai_prices_agrees_but_for_the_listed_disagreements(given, con):
    asked = list(product(MODELS, _days(), MIXES, OUR_WORDS))
    given(
        *(
            an_attempt(
                attempt_id=str(number),
                model_raw=model,
                started_at=datetime.combine(day, time(12)),
                **MIXES[mix],
                **OUR_WORDS[way],
            )
            for number, (model, day, mix, way) in enumerate(asked)
        )
    )
    ours = con.execute(
        "select cost_usd, unpriced_reason from facts.attempts order by cast(attempt_id as integer)"
    ).fetchall()
    cases = [Case(*what, *mine, _theirs(*what)) for what, mine in zip(asked, ours, strict=True)]

    unlisted = [
        case for case in cases if case.ours != case.theirs and not any(known.holds(case) for known in DISAGREEMENTS)
    ]
    assert not unlisted, unlisted[:5]
    for known in DISAGREEMENTS:
        covered = [case for case in cases if known.holds(case)]
        assert covered, f"no longer occurs: {known.why}"
        over = [case for case in covered if case.ours == case.theirs]
        assert not over, f"no longer a disagreement: {known.why}: {over[:5]}"
