"""Ask Claude: the call and its price. Optional: it needs the extra `ask` and a key that the Anthropic SDK finds.

What is sent is a `Request`, which can be looked at before; every call is recorded like any other application's, in
`ask.jsonl` of the home, and loaded from there, so that it is on the dashboard with its price.
"""

import importlib.util
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from dashboard.ask.names import Mask
from dashboard.ask.prompts import ANSWER_TOKENS, Request, for_repair
from dashboard.ask.sql import Refused, Selected

if TYPE_CHECKING:
    import anthropic

MODEL = "claude-sonnet-5-5"  # of 2026-09-28: good SQL at a fifth of a large model's price
FEATURE = "outlay-ask"
TIMEOUT = 120.0  # seconds for one attempt
_WORD = re.compile(r"[\w-]{1,100}", re.ASCII)


class NotAnswered(Exception):
    """No answer came, or none that can be used. The message is a sentence that says what to do."""


class Owner(Protocol):
    """Who answers for the store: this process, or the server that has it open."""

    def query(self, sql: str) -> pa.Table:
        """The answer to trusted SQL."""

    def ask(self, sql: str) -> Selected:
        """The answer to SQL that Claude wrote, within limits. Raises `sql.Refused`."""

    def take_in(self, log: Path, begin: int) -> None:
        """Load what was written to a log from this byte on."""


@dataclass(frozen=True)
class Reply:
    """What Claude said, in the shape that was asked for, and the id under which the call is on record."""

    said: dict[str, Any]
    message_id: str


@dataclass(frozen=True)
class Paid:
    """What calls came to by Outlay's own price list; `cost_usd` is None while one of them has no price."""

    calls: int
    uncached_input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    cost_usd: Decimal | None


@dataclass(frozen=True)
class Try:
    """One SQL that Claude wrote, and why it was not answered; None when it was. `detail` may quote the data."""

    sql: str
    refusal: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Answered:
    """What became of a question: every SQL that was tried, and the rows of the last if it ran."""

    title: str
    note: str
    tries: tuple[Try, ...]
    selected: Selected | None


@dataclass(frozen=True)
class Told:
    """A text about figures, with the names put back, and the numbers in it that the figures do not hold."""

    title: str
    paragraphs: tuple[str, ...]
    untraced: tuple[str, ...]


def model() -> str:
    """The model to ask: OUTLAY_ASK_MODEL, else the default."""
    return os.environ.get("OUTLAY_ASK_MODEL", "").strip() or MODEL


def missing() -> str | None:
    """What is missing to ask, as a sentence with the next step; None when all is there."""
    if not all(importlib.util.find_spec(name) for name in ("anthropic", "outlay_recorder")):
        return "Asking Claude needs two more packages: pip install 'outlay[ask]'"
    import anthropic

    try:
        with anthropic.Anthropic() as client:
            has_key = bool(client.api_key or client.auth_token or client.credentials)
    except anthropic.AnthropicError:
        has_key = False
    return None if has_key else "Asking Claude needs an API key: set ANTHROPIC_API_KEY and start Outlay again."


class Conversation:
    """Sends requests, records them, and says what they came to."""

    def __init__(self, home: Path, owner: Owner) -> None:
        """Raises NotAnswered when the extra or the key is missing."""
        if (what := missing()) is not None:
            raise NotAnswered(what)
        import anthropic
        import outlay_recorder

        self._log, self._owner = home / "ask.jsonl", owner
        self._begin = self._log.stat().st_size if self._log.exists() else 0
        client = anthropic.Anthropic(timeout=TIMEOUT, max_retries=2)
        self._client = outlay_recorder.record(client, self._log, feature=FEATURE)
        self._message_ids: list[str] = []

    def send(self, request: Request) -> Reply:
        """The reply. Raises NotAnswered."""
        import anthropic
        import outlay_recorder

        with outlay_recorder.labels(tags={"job": request.job}):
            try:
                message = self._client.messages.create(**request.body())
            except (anthropic.AnthropicError, TypeError) as error:  # TypeError: no credentials after all
                raise NotAnswered(_sentence(error, request.model)) from None
        self._message_ids.append(message.id)
        return Reply(_said(message, set(request.properties)), message.id)

    def paid(self) -> Paid:
        """What the calls so far came to: they are loaded from their log and priced like everybody's."""
        import outlay_recorder

        outlay_recorder.flush()
        begin = self._begin if self._log.stat().st_size >= self._begin else 0  # it was rotated
        self._owner.take_in(self._log, begin)
        ids = ", ".join(f"'{name}'" for name in self._message_ids if _WORD.fullmatch(name))
        [row] = self._owner.query(f"""
            select
                count(*) as calls,
                coalesce(sum(uncached_input_tokens), 0)::bigint as uncached_input_tokens,
                coalesce(sum(cache_read_tokens), 0)::bigint as cache_read_tokens,
                coalesce(sum(cache_write_tokens), 0)::bigint as cache_write_tokens,
                coalesce(sum(output_tokens), 0)::bigint as output_tokens,
                case when bool_and(is_priced) then sum(cost_usd) end as cost_usd
            from facts.attempts where message_id in ({ids or "''"})
        """).to_pylist()
        return Paid(**row)


def answer_question(send: Callable[[Request], Reply], select: Callable[[str], Selected], request: Request) -> Answered:
    """Have SQL written and run it; once more with the reason if it was refused. Raises NotAnswered."""
    tries: list[Try] = []
    said: dict[str, Any] = {}
    selected = None
    for _ in range(2):
        said = send(request).said
        if not (sql := str(said["sql"]).strip()):
            break
        try:
            selected = select(sql)
        except Refused as refused:
            tries.append(Try(sql, str(refused), refused.detail))
            request = for_repair(request, said, str(refused))
        else:
            tries.append(Try(sql))
            break
    return Answered(str(said["title"]), str(said["note"]), tuple(tries), selected)


def tell(send: Callable[[Request], Reply], request: Request, figures: str, mask: Mask) -> Told:
    """Have figures put into words. Raises NotAnswered."""
    said = send(request).said
    paragraphs = [str(paragraph) for paragraph in said["paragraphs"]]
    found = untraced([str(said["title"]), *paragraphs], figures)
    return Told(mask.undone(str(said["title"])), tuple(map(mask.undone, paragraphs)), tuple(found))


def at_most(request: Request, prices: list[dict[str, Any]]) -> Decimal | None:
    """A bound on the price of a request, in dollars: every third character a token, all written to the cache.

    `prices`: rows of the price list. None where the model is not in it.
    """
    rows = [row for row in prices if row["model"] == request.model and row["mode"] == "standard"]
    rows = [row for row in rows if row["effective_until"] is None and row["input_usd_mtok"] is not None]
    if not rows:
        return None
    tokens = request.characters // 3
    row = max((row for row in rows if tokens > row["prompt_tokens_over"]), key=lambda row: row["prompt_tokens_over"])
    read = row["cache_write_5m_usd_mtok"] or row["input_usd_mtok"]
    cost = (tokens * Decimal(read) + ANSWER_TOKENS * Decimal(row["output_usd_mtok"])) / 1_000_000
    return cost.quantize(Decimal("0.01"), ROUND_CEILING)


def least_cacheable(prices: list[dict[str, Any]], name: str) -> int | None:
    """The shortest prompt, in tokens, that the model caches; None where nobody has verified it."""
    known = [row["min_cacheable_tokens"] for row in prices if row["model"] == name]
    return next((int(least) for least in known if least is not None), None)


_NUMBER = re.compile(r"\$?\d+(?:,\d{3})*(?:\.\d+)?")
_SMALL = re.compile(r"\d{1,2}|20\d\d")  # days, ordinals, years


def untraced(paragraphs: list[str], figures: str) -> list[str]:
    """The numbers of a text that stand nowhere in the figures it was written from, in the order of the text."""
    known = {number.strip("$") for number in _NUMBER.findall(figures)}
    found = [number for paragraph in paragraphs for number in _NUMBER.findall(re.sub(r"\b[a-z]+-\d+\b", "", paragraph))]
    return list(dict.fromkeys(
        number for number in found if number.strip("$") not in known and not _SMALL.fullmatch(number)
    ))  # fmt: skip


def _said(message: "anthropic.types.Message", fields: set[str]) -> dict[str, Any]:
    if message.stop_reason == "refusal":
        raise NotAnswered("Claude declined to answer this. Put the question in other words.")
    if message.stop_reason in ("max_tokens", "model_context_window_exceeded"):
        raise NotAnswered(f"The answer was cut off at {ANSWER_TOKENS:,} tokens. Ask for less at once.")
    text = "".join(block.text for block in message.content if block.type == "text")
    try:
        said = json.loads(text)
    except ValueError:
        said = None
    if not isinstance(said, dict) or not fields <= said.keys():
        raise NotAnswered(f"{message.model} did not answer in the form asked for. Send it again, or set another model.")
    return said


def _sentence(error: Exception, name: str) -> str:
    """An error of the SDK as a sentence. Never the API's own words, which may quote what was sent."""
    import anthropic

    match error:
        case anthropic.AuthenticationError() | anthropic.PermissionDeniedError() | TypeError():
            return "The API key was not accepted. Set a valid ANTHROPIC_API_KEY and start Outlay again."
        case anthropic.PaymentRequiredError():
            return "The API asks for a payment: look at the billing page of the Claude Console."
        case anthropic.NotFoundError():
            return f"The API does not know the model {name}. Set another with OUTLAY_ASK_MODEL."
        case anthropic.RateLimitError():
            return "The API's rate limit was reached, also after waiting. Send it again in a minute."
        case anthropic.BadRequestError():
            return f"The API did not take the request (400). The model {name} may not know structured outputs."
        case anthropic.APITimeoutError():
            return f"No answer came within {TIMEOUT:g} seconds. Send it again."
        case anthropic.APIConnectionError():
            return "The API could not be reached. Look at this machine's connection, then send it again."
        case anthropic.APIStatusError():
            return f"The API answered {error.status_code}, also after waiting. Send it again in a few minutes."
    return f"The request failed ({type(error).__name__})."
