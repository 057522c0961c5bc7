"""The routes of the upload page: files come in, slice by slice, and pages ask how they fare.

Only our own pages may ask. They know a token that is made anew with every start of the server; a page elsewhere can
neither learn it nor send it, and its requests name another origin besides.
"""

import contextlib
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from dashboard import load_reports
from dashboard.small_pages import is_same_origin
from dashboard.uploads import Unknown, UploadRefused, Uploads, reading_options

WRITE_BYTES = 1 << 20

Handler = Callable[[Request], Awaitable[Response]]


def routes(uploads: Uploads) -> list[Route]:
    """The routes, for requests that carry the uploads' token in X-Outlay-Token."""

    def guarded(handler: Handler) -> Handler:
        """404 for strangers, 403 for other origins; a sentence for what cannot be done."""

        async def answer(request: Request) -> Response:
            if not is_same_origin(request):
                return PlainTextResponse("", 403)
            if not secrets.compare_digest(request.headers.get("x-outlay-token", "").encode(), uploads.token.encode()):
                return PlainTextResponse("", 404)
            try:
                return await handler(request)
            except Unknown:
                return PlainTextResponse("this file is no longer known; drop it again", 404)
            except UploadRefused as refused:
                return PlainTextResponse(str(refused), 409)

        return answer

    async def list_jobs(request: Request) -> Response:
        jobs = [load_reports.described(job) for job in uploads.jobs()]
        return JSONResponse(jobs, headers={"Cache-Control": "no-store"})

    async def expect(request: Request) -> Response:
        try:
            said: dict[str, Any] = await request.json()
            name, size, sender = str(said["name"]), int(said["size"]), str(said["sender"])
            written_at = min(max(float(said.get("written_at") or 0), 0), time.time())
            options = reading_options(said.get("options") or {})
        except (KeyError, TypeError, ValueError) as error:
            return PlainTextResponse(f"not a description of a file: {error}", 400)
        job = await run_in_threadpool(uploads.expect, name, size, sender, options, written_at)
        return JSONResponse({"id": job.id}, 201)

    async def receive(request: Request) -> Response:
        """One slice, written as it comes. A slice that was cut short goes on from where the answer says."""
        job, offset = uploads.job(request.path_params["job"]), request.path_params["offset"]
        if job.received != offset:
            return JSONResponse({"received": job.received})
        waiting = bytearray()
        with contextlib.suppress(ClientDisconnect):
            async for block in request.stream():
                waiting += block
                if len(waiting) >= WRITE_BYTES:
                    await run_in_threadpool(uploads.receive, job.id, offset, bytes(waiting))
                    offset += len(waiting)
                    waiting.clear()
        if waiting:
            await run_in_threadpool(uploads.receive, job.id, offset, bytes(waiting))
        return JSONResponse({"received": job.received})

    async def cancel(request: Request) -> Response:
        await run_in_threadpool(uploads.cancel, request.path_params["job"])
        return PlainTextResponse("")

    async def dismiss(request: Request) -> Response:
        await run_in_threadpool(uploads.dismiss, request.path_params["job"])
        return PlainTextResponse("")

    async def refusals(request: Request) -> Response:
        """A plain link fetches this, so the job's own name, which nobody can guess, stands for the token."""
        try:
            job = uploads.job(request.path_params["job"])
        except Unknown:
            return PlainTextResponse("", 404)
        told = f"attachment; filename*=UTF-8''{quote(job.name, safe='')}.refused.csv"
        return StreamingResponse(
            load_reports.refusals_csv(uploads.refusals(job)),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": told, "Cache-Control": "no-store"},
        )

    return [
        Route("/api/uploads", guarded(list_jobs), methods=["GET"]),
        Route("/api/uploads", guarded(expect), methods=["POST"]),
        Route("/api/uploads/{job}/bytes/{offset:int}", guarded(receive), methods=["PUT"]),
        Route("/api/uploads/{job}/cancel", guarded(cancel), methods=["POST"]),
        Route("/api/uploads/{job}", guarded(dismiss), methods=["DELETE"]),
        Route("/api/uploads/{job}/refused.csv", refusals, methods=["GET"]),
    ]
