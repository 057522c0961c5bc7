"""One place for retrying: what to try again, how long to wait before, and when to stop.

The SDK keeps its loop. As its middleware, `Retry` answers the two questions that the loop asks of every failed attempt
through the headers that it documents for them: `x-should-retry` and `retry-after-ms`.
"""

import email.utils
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx2
from anthropic import APIRequest, Middleware

from outlay_recorder import wire
from outlay_recorder.calls import CALL, Call

REPEATABLE = frozenset({408, 409, 429, *range(500, 600)} - {501, 505})  # those two are said for good
REJECTED = frozenset({409, 429, 503, 529})  # the server has surely done nothing
SPENT = frozenset({"enforced_spend_limit_reached", "contract_spend_limit_reached"})  # waiting does not help
_SAFE_TO_REPEAT = ("/v1/messages", "/v1/messages/count_tokens")
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


class Budget:
    """Bounds retries to a share of calls, so that retrying cannot multiply the load on a service that is down.

    Every call pays `ratio` in, every retry takes 1 out; at most `reserve` is kept, and there at the start. While most
    calls succeed the budget is never felt; when all fail, there are 1 + `ratio` attempts for each call. This is
    Finagle's RetryBudget and gRPC's retry throttling. To be shared by the clients of a process that call the same API.
    """

    def __init__(self, ratio: float = 0.2, reserve: float = 10) -> None:
        self._ratio, self._reserve, self._left = ratio, reserve, float(reserve)
        self._lock = threading.Lock()

    def deposit(self) -> None:
        """A call was made."""
        with self._lock:
            self._left = min(self._left + self._ratio, self._reserve)

    def withdraw(self) -> bool:
        """May a call be retried?"""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True


@dataclass(frozen=True)
class Failure:
    """An attempt that failed: a status, or None where no answer came."""

    status: int | None
    word: str  # for people: "529 overloaded_error", "connection_error"
    retry_after: float | None = None  # seconds that the server asks for
    is_refused_for_good: bool = False  # the server says that trying again will not help
    is_safe_to_repeat: bool = True  # nothing happens twice when it is sent again


class Retry(Middleware):
    """Retries with exponential backoff and full jitter, within a budget and a deadline.

    The wait before retry n is drawn evenly from 0 to `base` * 2^(n-1) seconds, at most `cap` ("full jitter":
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). Where the server says `retry-after`,
    that comes first and the jitter on top, so that clients which were told the same time do not come back together.

    Tried again: 408, 409, 429, 5xx (529 included) and connection errors. Never: 501, 505, any other 4xx, a spend limit,
    and what could then happen twice (creating a batch, unless the request surely never arrived).
    """

    def __init__(
        self,
        max_retries: int = 4,
        *,
        base: float = 0.5,
        cap: float = 30.0,
        deadline: float | None = None,
        budget: Budget | None = None,
        dice: random.Random | None = None,
    ) -> None:
        """`deadline`: seconds from the begin of the call after which nothing is begun or waited for any more."""
        self.max_retries, self._base, self._cap, self._deadline = max_retries, base, cap, deadline
        self._budget = budget or Budget()
        self._dice = dice or random.SystemRandom()  # which does not repeat itself in a fork

    def decide(self, failure: Failure, retries_taken: int, max_retries: int, elapsed: float) -> float | str:
        """Seconds to wait before the next attempt, or why there is none. `elapsed`: seconds since the call began."""
        if failure.is_refused_for_good or (failure.status is not None and failure.status not in REPEATABLE):
            return "trying again would not help"
        if not failure.is_safe_to_repeat and failure.status not in REJECTED:
            return "it may have been done, and must not be done twice"
        if retries_taken >= max_retries:
            return f"max_retries is {max_retries}"
        wait = (failure.retry_after or 0) + self._dice.uniform(0, min(self._base * 2.0**retries_taken, self._cap))
        if self._deadline is not None and elapsed + wait >= self._deadline:
            return f"the deadline of {self._deadline:g} s would pass"
        if not self._budget.withdraw():
            return "the retry budget is spent"
        return max(wait, 0.001)

    def handle(self, request: APIRequest, call_next: anthropic.CallNext) -> "anthropic.APIResponse[Any]":
        """See `anthropic.Middleware`."""
        if (call := CALL.get()) is None:
            return call_next(request)
        request = self._begun(call, request)
        try:
            response = call_next(request)
        except anthropic.APIConnectionError as error:
            raise self._unanswered(call, request, error) from None
        http = response.http_response
        if http.status_code == 429:
            http.read()  # its body tells whether waiting helps
        self._steer(call, request, http)
        return response

    async def handle_async(
        self, request: APIRequest, call_next: anthropic.AsyncCallNext
    ) -> "anthropic.AsyncAPIResponse[Any]":
        """See `anthropic.Middleware`."""
        if (call := CALL.get()) is None:
            return await call_next(request)
        request = self._begun(call, request)
        try:
            response = await call_next(request)
        except anthropic.APIConnectionError as error:
            raise self._unanswered(call, request, error) from None
        http = response.http_response
        if http.status_code == 429:
            await http.aread()
        self._steer(call, request, http)
        return response

    def _begun(self, call: Call, request: APIRequest) -> APIRequest:
        """An attempt begins: it has what is left of the deadline."""
        if request.retries_taken == 0:
            self._budget.deposit()
        if self._deadline is None:
            return request
        left = max(self._deadline - call.elapsed(), 0.001)
        given = request.timeout
        read = given.read if isinstance(given, anthropic.Timeout) else given
        if isinstance(read, (int, float)) and read <= left:
            return request
        options = request.options.model_copy(update={"timeout": anthropic.Timeout(left, connect=min(left, 5.0))})
        return APIRequest(
            options=options,
            cast_to=request.cast_to,
            stream=request.stream,
            stream_cls=request.stream_cls,
            retries_taken=request.retries_taken,
        )

    def _steer(self, call: Call, request: APIRequest, http: httpx2.Response) -> None:
        """Tell the SDK's loop what to do about an error status."""
        if http.status_code < 400:
            return
        said = wire.document(http.content) if http.is_closed else {}
        failure = Failure(
            http.status_code,
            f"{http.status_code} {said.get('error_type', '')}".strip(),
            retry_after=_retry_after(http.headers),
            is_refused_for_good=http.headers.get("x-should-retry") == "false" or said.get("error_code") in SPENT,
            is_safe_to_repeat=_is_safe_to_repeat(request),
        )
        decision = self._decided(call, request, failure)
        http.headers["x-should-retry"] = "false" if isinstance(decision, str) else "true"
        if not isinstance(decision, str):
            http.headers["retry-after-ms"] = f"{decision * 1000:.3f}"

    def _unanswered(self, call: Call, request: APIRequest, error: anthropic.APIConnectionError) -> Exception:
        """What to raise in place of a connection error, so that the SDK's loop does what is decided."""
        word = "timeout" if isinstance(error, anthropic.APITimeoutError) else "connection error"
        is_safe = _is_safe_to_repeat(request) or isinstance(error.__cause__, _NEVER_SENT)
        decision = self._decided(call, request, Failure(None, word, is_safe_to_repeat=is_safe))
        return Stopped(error) if isinstance(decision, str) else _Again(error, decision)

    def _decided(self, call: Call, request: APIRequest, failure: Failure) -> float | str:
        decision = self.decide(failure, request.retries_taken, call.max_retries, call.elapsed())
        if isinstance(decision, str):
            call.tell(f"{failure.word}; stopped because {decision}")
        else:
            call.tell(f"{failure.word}; waited {decision:.2f} s")
        return decision


class Stopped(Exception):
    """Takes a connection error past the SDK's loop, which would retry it. Whoever called sees `error`."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class _Again(anthropic.APIStatusError):
    """Has the SDK's loop wait `wait` seconds and try again after a connection error."""

    def __init__(self, error: anthropic.APIConnectionError, wait: float) -> None:
        headers = {"x-should-retry": "true", "retry-after-ms": f"{wait * 1000:.3f}"}
        super().__init__(str(error), response=httpx2.Response(503, headers=headers, request=error.request), body=None)


def _is_safe_to_repeat(request: APIRequest) -> bool:
    """Nothing is created by it. A message asked for twice is answered twice, and that is all."""
    return request.method.lower() == "get" or request.url.partition("?")[0] in _SAFE_TO_REPEAT


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that the server asks for: `retry-after-ms`, or `retry-after` as seconds or as an HTTP date."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            return max(float(headers[name]) / unit, 0.0)
        except (KeyError, ValueError):
            continue
    if (date := email.utils.parsedate_tz(headers.get("retry-after", ""))) is not None:
        return max(email.utils.mktime_tz(date) - time.time(), 0.0)
    return None
