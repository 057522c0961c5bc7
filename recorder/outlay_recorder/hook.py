"""The hook into the Anthropic SDK: its middleware sees each attempt, its `request` method each call."""

import inspect
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import anthropic
import httpx2
from anthropic import APIRequest, Middleware

from outlay_recorder import wire
from outlay_recorder.attribution import Labels, around, clean
from outlay_recorder.bodies import AsyncBody, SyncBody
from outlay_recorder.calls import CALL, CLIENT_VERSION, Attempt, Call, Streaming, unrecorded
from outlay_recorder.log import Log, timestamp
from outlay_recorder.retry import Retry, Stopped
from outlay_recorder.sinks import File, Sink

ClientT = TypeVar("ClientT")

_RESULTS = re.compile(r"/v1/messages/batches/([\w-]+)/results")
_PLATFORMS = {"Bedrock": "bedrock", "Vertex": "vertex", "Foundry": "azure"}
_logs: dict[Path | Sink, Log] = {}


def record(
    client: ClientT,
    to: str | os.PathLike[str] | Sink = "claude.jsonl",
    *,
    feature: str | None = None,
    user_id: str | None = None,
    team: str | None = None,
    environment: str | None = None,
    session_id: str | None = None,
    tags: Mapping[str, str] | None = None,
    retry: Retry | None = None,
) -> ClientT:
    """A client that works as `client` does and shares its connections, with every attempt on record.

    `client` is any client of the Anthropic SDK: Anthropic, AsyncAnthropic, and those for Bedrock, Vertex and Foundry.
    `to` is the path of a file of JSON lines, or a sink. The labels apply where neither `labels(...)` nor OpenTelemetry
    baggage says otherwise. `retry` replaces the SDK's retry policy. Recording a recorded client again, for another
    feature say, replaces what it was told before.

    Raises TypeError when `client` is no client of the Anthropic SDK.
    """
    original: Any = client
    if not isinstance(getattr(original, "middleware", None), tuple) or not hasattr(original, "with_options"):
        raise TypeError(f"record() takes a client of the Anthropic SDK, not {type(client).__name__}")
    named = {"feature": feature, "user_id": user_id, "team": team, "environment": environment, "session_id": session_id}
    recording = _Recording(_log(to), clean(named, tags), _platform(original))
    layers = [layer for layer in original.middleware if not isinstance(layer, _Recording)]
    if retry is None:
        recorded: ClientT = original.with_options(middleware=[*layers, recording])
    else:
        layers = [layer for layer in layers if not isinstance(layer, Retry)]
        recorded = original.with_options(middleware=[*layers, retry, recording], max_retries=retry.max_retries)
    return recorded if "request" in vars(recorded) else _watched(recorded)


def _log(to: str | os.PathLike[str] | Sink) -> Log:
    """The log of a file or a sink: one in a process, however many clients write to it."""
    name = Path(to).absolute() if isinstance(to, (str, os.PathLike)) else to
    if name not in _logs:
        _logs[name] = Log(File(name) if isinstance(name, Path) else name)
    return _logs[name]


def _platform(client: Any) -> str | None:
    """Where the client's requests go, as far as its class or address says."""
    names = " ".join(kind.__name__ for kind in type(client).__mro__)
    said = next((platform for name, platform in _PLATFORMS.items() if name in names), None)
    return said or ("anthropic" if client.base_url.host == "api.anthropic.com" else None)


def _watched(client: ClientT) -> ClientT:
    """The same client, and every copy that is made of it, with an eye on where its calls begin and end."""
    watched: Any = client
    request, copy = watched.request, watched.copy
    is_retrying = any(isinstance(layer, Retry) for layer in watched.middleware)

    def watched_request(cast_to: Any, options: Any, **how: Any) -> Any:
        call = Call()
        if is_retrying:
            call.max_retries = options.get_max_retries(watched.max_retries)
        token = CALL.set(call)
        try:
            answer = request(cast_to, options, **how)
        except BaseException as error:
            failure = _failure(call, error)
        else:
            _returned(call)
            return answer
        finally:
            CALL.reset(token)
        raise failure

    async def watched_request_async(cast_to: Any, options: Any, **how: Any) -> Any:
        call = Call()
        if is_retrying:
            call.max_retries = options.get_max_retries(watched.max_retries)
        token = CALL.set(call)
        try:
            answer = await request(cast_to, options, **how)
        except BaseException as error:
            failure = _failure(call, error)
        else:
            _returned(call)
            return answer
        finally:
            CALL.reset(token)
        raise failure

    def watched_copy(*arguments: Any, **options: Any) -> Any:
        return _watched(copy(*arguments, **options))

    is_async = inspect.iscoroutinefunction(request)
    vars(watched).update(
        request=watched_request_async if is_async else watched_request, copy=watched_copy, with_options=watched_copy
    )
    return client


def _failure(call: Call, error: BaseException) -> BaseException:
    """What the application is told: the SDK's error, with what was tried."""
    failure = error.error if isinstance(error, Stopped) else error
    if call.told:
        tries = f"{len(call.told)} attempts" if len(call.told) > 1 else "1 attempt"
        failure.add_note(f"{tries} in {call.elapsed():.1f} s: " + "; then ".join(call.told))
    _returned(call, failure)
    return failure


def _returned(call: Call, failure: BaseException | None = None) -> None:
    try:
        call.returned(failure)
    except Exception as error:
        unrecorded(error)


class _Recording(Middleware):
    """Sees every attempt of a client. Stands next to the network, behind all other middleware."""

    def __init__(self, log: Log, labels: Labels, platform: str | None) -> None:
        self._log, self._labels = log, labels
        self._common: wire.Facts = {"client_version": CLIENT_VERSION} | ({"platform": platform} if platform else {})
        self._whole, self._streamed = (self._common | {"is_streamed": is_streamed} for is_streamed in (False, True))

    def handle(self, request: APIRequest, call_next: anthropic.CallNext) -> "anthropic.APIResponse[Any]":
        """See `anthropic.Middleware`."""
        attempt = self._begun(request)
        try:
            response = call_next(request)
        except BaseException as error:
            if attempt:
                attempt.failed(error)
            raise
        if (listener := self._answered(attempt, request, response.http_response)) is not None:
            response.http_response.stream = SyncBody(response.http_response.stream, listener)
        return response

    async def handle_async(
        self, request: APIRequest, call_next: anthropic.AsyncCallNext
    ) -> "anthropic.AsyncAPIResponse[Any]":
        """See `anthropic.Middleware`."""
        attempt = self._begun(request)
        try:
            response = await call_next(request)
        except BaseException as error:
            if attempt:
                attempt.failed(error)
            raise
        if (listener := self._answered(attempt, request, response.http_response)) is not None:
            response.http_response.stream = AsyncBody(response.http_response.stream, listener)
        return response

    def _begun(self, request: APIRequest) -> Attempt | None:
        """The attempt at a message that begins; None for any other request."""
        try:
            options = request.options
            if options.url.partition("?")[0] != "/v1/messages" or options.method.lower() != "post":
                return None
            call = CALL.get() or Call(is_returned=True)
            known = self._streamed if request.stream else self._whole
            attempt = Attempt(call, known, *around(self._labels), options.json_data)
            call.begin(attempt, self._log)
            return attempt
        except Exception as error:
            unrecorded(error)
            return None

    def _answered(self, attempt: Attempt | None, request: APIRequest, http: httpx2.Response) -> Streaming | None:
        """The answer has begun: what listens to the rest of it, where there is a rest."""
        try:
            if attempt is None:
                return self._batch_results(request, http)
            if http.is_closed or http.status_code >= 400:
                attempt.answered(http)
                return None
            attempt.headed(http)
            return Streaming(_reader(http), http.headers.get("content-encoding", ""), attempt)
        except Exception as error:
            unrecorded(error)
            return None

    def _batch_results(self, request: APIRequest, http: httpx2.Response) -> Streaming | None:
        """What listens to the results of a batch: each is an answer that was billed."""
        if http.status_code != 200 or http.is_closed or not (named := _RESULTS.search(request.url)):
            return None
        common = {"kind": "batch_result", "batch_id": named[1]} | self._common | around(self._labels)[0]
        return Streaming(
            wire.BatchResults(
                lambda result: self._log.write(common | {"recorded_at": timestamp(time.time())} | result)
            ),
            http.headers.get("content-encoding", ""),
            None,
        )


def _reader(http: httpx2.Response) -> wire.Reader:
    kind = http.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "text/event-stream":
        return wire.ServerSentEvents()
    return wire.AwsEvents() if kind == "application/vnd.amazon.eventstream" else wire.WholeDocument()
