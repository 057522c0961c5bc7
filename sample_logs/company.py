"""The company: Brindle & Birch, an invented online furniture shop. What it uses Claude for, and what went wrong.

Everything here is data. `traffic` draws the calls from it, `services` says who logs them and how.
All times are UTC; the shop lives in Berlin, and its rhythms follow the clock there.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST = datetime(2026, 9, 14)
END = datetime(2026, 11, 22)  # exclusive
GROWTH_PER_WEEK = 1.01
SUMMER_TIME_ENDS = datetime(2026, 10, 25, 1)

CANARY = "CANARY-PROMPT-TEXT"  # stands in prompts and answers only: whoever finds it in a database has stored a prompt


def local(when: datetime) -> datetime:
    """The same moment on a clock in Berlin."""
    return when + timedelta(hours=2 if when < SUMMER_TIME_ENDS else 1)


# ---- models -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pace:
    """How fast a model answers."""

    first_token_ms: float
    tokens_per_second: float


PACES = (  # the first fragment found in the model's name counts
    ("haiku-5-5", Pace(320, 190)),
    ("haiku", Pace(420, 150)),
    ("sonnet-5", Pace(700, 90)),
    ("sonnet", Pace(850, 75)),
    ("opus-5-5", Pace(900, 70)),
    ("opus", Pace(1100, 58)),
    ("fable", Pace(1300, 48)),
    ("", Pace(800, 80)),
)


def pace(model: str) -> Pace:
    """The pace of a model, however its name is spelled."""
    return next(pace for fragment, pace in PACES if fragment in model)


@dataclass(frozen=True)
class Era:
    """From when on a feature asks for which models, by share of its calls."""

    since: datetime
    models: tuple[tuple[str, float], ...]


# ---- features -----------------------------------------------------------------------------------------------------

OFFICE = (0, 0, 0, 0, 0, 0, 1, 4, 9, 10, 10, 9, 6, 9, 10, 9, 7, 4, 2, 1, 0, 0, 0, 0)
SHOPPERS = (2, 1, 1, 0.5, 0.5, 1, 2, 4, 6, 8, 9, 9, 9, 8, 8, 8, 9, 10, 11, 13, 14, 12, 8, 4)
SUPPORT = (0, 0, 0, 0, 0, 0, 0, 2, 8, 11, 11, 10, 8, 9, 9, 9, 10, 10, 11, 12, 10, 6, 1, 0)
NIGHT_JOB = (0, 0, 5, 5, 3) + (0,) * 19
SUNDAY_EVENING = (0,) * 21 + (3, 1, 0)

EVERY_DAY = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
SHOP_WEEK = (1.0, 0.95, 0.95, 1.0, 1.05, 1.3, 1.35)
CARE_WEEK = (1.2, 1.05, 1.0, 1.0, 1.0, 0.7, 0.35)
WORK_WEEK = (1.0, 1.1, 1.05, 1.05, 0.85, 0.04, 0.0)
SUNDAYS = (0, 0, 0, 0, 0, 0, 1.0)


@dataclass(frozen=True)
class Feature:
    """One use of Claude: who asks, when, which model, and how large the prompts and answers are."""

    name: str | None
    team: str | None
    calls_per_day: float
    hours: tuple[float, ...]
    weekdays: tuple[float, ...]
    eras: tuple[Era, ...]
    input_tokens: tuple[float, float]  # uncached: median and spread (sigma of a log-normal)
    output_tokens: tuple[float, float]
    max_tokens: int
    users: int = 0
    user_prefix: str = "u_"  # customers; staff have e_
    e_mail_users: tuple[str, ...] = ()
    cached_prefix: int = 0
    cache_ttl: timedelta = timedelta(minutes=5)
    service_tier: str = "standard"
    max_retries: int = 2
    tool_use_share: float = 0.0
    refusal_share: float = 0.0
    us_share: float = 0.0
    fast_share: float = 0.0
    forgotten_share: float = 0.0  # calls from a code path that forgot to say which feature it is


def always(*models: tuple[str, float]) -> tuple[Era, ...]:
    """One era for the whole period."""
    return (Era(FIRST, models),)


FEATURES = (
    Feature(
        "product_search",
        "storefront",
        370,
        SHOPPERS,
        SHOP_WEEK,
        (
            Era(FIRST, (("claude-haiku-4-5-20251001", 1),)),
            Era(datetime(2026, 10, 12, 9), (("claude-haiku-5-5", 1),)),
        ),
        input_tokens=(1500, 0.45),
        output_tokens=(62, 0.5),
        max_tokens=400,
        users=900,
        cached_prefix=2400,  # too short for Haiku 4.5 to cache, long enough for Haiku 5.5
        forgotten_share=0.02,
    ),
    Feature(
        "support_chat",
        "customer-care",
        205,
        SUPPORT,
        CARE_WEEK,
        (
            Era(FIRST, (("claude-sonnet-5", 1),)),
            Era(datetime(2026, 9, 30, 8), (("claude-sonnet-5-5", 1),)),
        ),
        input_tokens=(2300, 0.7),
        output_tokens=(430, 0.55),
        max_tokens=2048,
        users=520,
        cached_prefix=31000,
        cache_ttl=timedelta(hours=1),
        max_retries=3,
        tool_use_share=0.22,
        refusal_share=0.004,
    ),
    Feature(
        "product_descriptions",
        "catalogue",
        118,
        NIGHT_JOB,
        EVERY_DAY,
        always(("claude-sonnet-4-6", 1)),
        input_tokens=(7200, 0.25),
        output_tokens=(720, 0.3),
        max_tokens=2000,
    ),
    Feature(
        "returns_triage",
        "customer-care",
        115,
        OFFICE,
        CARE_WEEK,
        always(("claude-haiku-4-5", 1)),
        input_tokens=(1900, 0.6),
        output_tokens=(150, 0.45),
        max_tokens=512,
        users=14,
        user_prefix="e_",
    ),
    Feature(
        "invoice_extraction",
        "finance",
        62,
        OFFICE,
        WORK_WEEK,
        (
            Era(FIRST, (("eu.anthropic.claude-sonnet-4-6", 1),)),
            Era(datetime(2026, 11, 2, 7), (("eu.anthropic.claude-sonnet-4-6", 0.85), ("claude-haiku-5-5", 0.15))),
        ),
        input_tokens=(46000, 0.6),
        output_tokens=(900, 0.4),
        max_tokens=4096,
        users=9,
        user_prefix="e_",
        tool_use_share=0.9,
    ),
    Feature(
        "contract_review",
        "finance",
        9,
        OFFICE,
        WORK_WEEK,
        always(("claude-opus-4-5@20251101", 1)),
        input_tokens=(72000, 0.4),
        output_tokens=(1800, 0.4),
        max_tokens=6000,
        users=5,
        user_prefix="e_",
    ),
    Feature(
        "recommendation_blurb",
        "storefront",
        118,
        SHOPPERS,
        SHOP_WEEK,
        always(("claude-sonnet-5", 1)),
        input_tokens=(3400, 0.3),
        output_tokens=(190, 0.3),
        max_tokens=600,
        users=700,
    ),
    Feature(
        "analyst_assistant",
        "analytics",
        46,
        OFFICE,
        WORK_WEEK,
        (
            Era(FIRST, (("claude-opus-5", 1),)),
            Era(datetime(2026, 10, 5, 7), (("claude-opus-5-5", 1),)),
        ),
        input_tokens=(36000, 0.5),
        output_tokens=(1250, 0.5),
        max_tokens=8000,
        users=16,
        user_prefix="e_",
        e_mail_users=("mara.lindholm@brindle.example", "o.petrov@brindle.example", "J.Abara@brindle.example"),
        cached_prefix=14000,
        tool_use_share=0.4,
    ),
    Feature(
        "weekly_evaluation",
        "ml-platform",
        240,
        SUNDAY_EVENING,
        SUNDAYS,
        (
            Era(FIRST, (("claude-sonnet-5", 0.5), ("claude-opus-5", 0.3), ("claude-haiku-4-5", 0.2))),
            Era(
                datetime(2026, 10, 9), (("claude-sonnet-5-5", 0.5), ("claude-opus-5-5", 0.3), ("claude-haiku-5-5", 0.2))
            ),
        ),
        input_tokens=(9000, 0.5),
        output_tokens=(800, 0.5),
        max_tokens=4000,
        service_tier="batch",
    ),
    Feature(
        None,
        None,
        21,
        OFFICE,
        SHOP_WEEK,
        (
            Era(
                FIRST,
                (
                    ("claude-opus-5", 0.3),
                    ("claude-sonnet-5", 0.4),
                    ("shop-gateway-default", 0.2),
                    ("anthropic/claude-haiku-4.5", 0.1),
                ),
            ),
            Era(
                datetime(2026, 10, 1),
                (
                    ("claude-opus-5-5[1m]", 0.3),
                    ("claude-sonnet-5", 0.4),
                    ("shop-gateway-default", 0.2),
                    ("anthropic/claude-haiku-4.5", 0.1),
                ),
            ),
        ),
        input_tokens=(6000, 0.8),
        output_tokens=(500, 0.7),
        max_tokens=4096,
        users=30,
        user_prefix="e_",
        us_share=0.15,
        fast_share=0.12,
    ),
)

BASE_ERROR_RATE = 0.014


@dataclass(frozen=True)
class Failure:
    """One way an attempt fails."""

    status: int | None  # None: no answer came
    error_type: str
    retried: bool
    takes_ms: tuple[float, float]
    retry_after_seconds: tuple[float, float] | None = None


OVERLOADED = Failure(529, "overloaded_error", True, (180, 1600))
FAILURES = (
    (Failure(429, "rate_limit_error", True, (60, 250), retry_after_seconds=(1, 9)), 40.0),
    (OVERLOADED, 26.0),
    (Failure(500, "api_error", True, (300, 9000)), 14.0),
    (Failure(504, "timeout_error", True, (55000, 61000)), 3.0),
    (Failure(None, "APIConnectionError", True, (30, 5000)), 9.0),
    (Failure(400, "invalid_request_error", False, (40, 160)), 8.0),
)

# ---- incidents ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Incident:
    """Something that went wrong, from when to when, and what it changed. A factor of 1 changes nothing."""

    name: str
    feature: str | None  # None: all of them
    since: datetime
    until: datetime
    extra_calls_per_hour: float = 0.0
    extra_user: str | None = None
    input_factor: float = 1.0
    output_factor: float = 1.0
    latency_factor: float = 1.0
    overload_rate: float = 0.0  # attempts answered with 529
    cache_broken: bool = False
    model: str | None = None

    def covers(self, feature: str | None, when: datetime) -> bool:
        """Whether a call of this feature at this time is touched."""
        return self.since <= when < self.until and (self.feature is None or self.feature == feature)


INCIDENTS = (
    Incident(
        "catalogue re-import",
        "product_descriptions",
        datetime(2026, 10, 6, 2),
        datetime(2026, 10, 6, 12),
        extra_calls_per_hour=165,
    ),
    Incident(
        "answers cut at 512 tokens",
        "returns_triage",
        datetime(2026, 10, 13, 9),
        datetime(2026, 10, 20, 9),
        output_factor=2.45,
    ),
    Incident(
        "slow search", "product_search", datetime(2026, 10, 21, 7), datetime(2026, 10, 23, 18), latency_factor=3.2
    ),
    Incident("prompt bloat", "analyst_assistant", datetime(2026, 10, 27, 8, 30), END, input_factor=1.6),
    Incident("cache break", "support_chat", datetime(2026, 10, 29, 8), datetime(2026, 10, 31, 8), cache_broken=True),
    Incident("retry storm", None, datetime(2026, 11, 3, 13), datetime(2026, 11, 3, 18), overload_rate=0.3),
    Incident("dearer model", "recommendation_blurb", datetime(2026, 11, 10, 10), END, model="claude-fable-5-2"),
    Incident(
        "runaway user",
        "analyst_assistant",
        datetime(2026, 11, 13, 21, 40),
        datetime(2026, 11, 14, 5, 20),
        extra_calls_per_hour=68,
        extra_user="e_0109",
    ),
)

# ---- words for the few logs that hold prompts and answers ---------------------------------------------------------

QUESTIONS = (
    "Which oak table seats eight and fits a room of three by four metres?",
    "My shelf arrived with a scratch on the left side. Can I return only that board?",
    "The box of screws is missing from my order. Please send it again.",
    "Does the linen cover of the reading chair come off for washing?",
    "I ordered the wrong shade of blue and would like to exchange the cushions.",
    f"{CANARY} please compare the two wardrobes for a hallway.",
    "The delivery window does not suit us. Is there one on Saturday?",
    "How long may a dresser stay in the warehouse before we pay for storage?",
)
ANSWERS = (
    "The eight-seat table needs about ninety centimetres on each side; your room leaves enough.",
    "Category: damaged part. Send a replacement board, no return needed.",
    "Category: missing part. Ship one bag of fittings.",
    "Yes, the cover comes off and may be washed at thirty degrees.",
    "Category: exchange. Offer a label and the other shade.",
    f"{CANARY} the narrow wardrobe suits a hallway better.",
    "Category: delivery change. Saturday between ten and two is free.",
    "Up to fourteen days without a fee.",
)
