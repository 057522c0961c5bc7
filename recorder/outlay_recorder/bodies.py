"""The body of an answer on its way to the application, piece by piece, with somebody listening."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import httpx2

from outlay_recorder.calls import Streaming


class _Body:
    """What both kinds share. A body that is dropped unread was closed by the application."""

    def __init__(self, body: Any, listener: Streaming) -> None:
        self._body, self._listener = body, listener

    @property
    def elapsed(self) -> timedelta | None:
        """httpx2.Response.elapsed looks for it here."""
        elapsed: timedelta | None = getattr(self._body, "elapsed", None)
        return elapsed

    def __del__(self) -> None:
        self._listener.ended("closed")


class SyncBody(_Body, httpx2.SyncByteStream):
    """The body of a synchronous client's answer."""

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self._body:
                self._listener.heard(piece)
                yield piece
        except Exception:
            self._listener.ended("cut")
            raise
        self._listener.ended("cut")  # unless all has been heard: it knows

    def close(self) -> None:
        """The application is done with it."""
        self._listener.ended("closed")
        self._body.close()


class AsyncBody(_Body, httpx2.AsyncByteStream):
    """The body of an asynchronous client's answer."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = self._body.__aiter__()
        try:
            async for piece in pieces:
                self._listener.heard(piece)
                yield piece
        except Exception:
            self._listener.ended("cut")
            raise
        finally:
            if hasattr(pieces, "aclose"):  # in this task, not in one of the event loop's own
                await pieces.aclose()
        self._listener.ended("cut")

    async def aclose(self) -> None:
        """The application is done with it."""
        self._listener.ended("closed")
        await self._body.aclose()
