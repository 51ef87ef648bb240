"""The addresses of the server, and what is answered at each.

/                           the list of runs; /runs/events tells it, and its changes
/run/NAME/                  the page of a run; /run/NAME/events tells how far it is
/run/NAME/overview          what its page shows, but for
/run/NAME/parts/HASH        tables and figures, by the hash of their contents, and
/run/NAME/replays/PART      replays, which are made when they are asked for
/assets/...                 scripts and styles
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from testbed.serving.assets import STYLE, Assets
from testbed.serving.guard import TOKEN, Guard
from testbed.serving.headers import HEADERS
from testbed.serving.watching import LiveRun, Site, Watch
from testbed.serving.worker import NoAnswerError, UnknownError

_HEARTBEAT_S: Final = 20.0
_PACKED: Final = {"Content-Encoding": "deflate"}
_OLD: Final = "this part of the page was made anew meanwhile"
_NOT_YET: Final = "the page is being made"


def app_of(site: Site, guard: Guard) -> Starlette:
    """Make the application."""
    pages = Pages(site)
    routes = [
        Route("/", pages.first),
        Route("/runs/events", pages.runs_events),
        Route("/run/{name}/", pages.run),
        Route("/run/{name}/events", pages.run_events),
        Route("/run/{name}/overview", pages.overview),
        Route("/run/{name}/parts/{hash}", pages.part),
        Route("/run/{name}/replays/{part}", pages.replay),
        Route("/assets/{name:path}", pages.asset),
    ]
    errors = {UnknownError: _unknown, NoAnswerError: _unanswered}
    return Starlette(routes=routes, middleware=[Middleware(Gate, guard=guard)], exception_handlers=errors)


class Pages:
    """What is answered about runs."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._assets = Assets.read()

    async def first(self, _request: Request) -> Response:
        """The list of runs."""
        return HTMLResponse(self._assets.shell("Runs", "served/runs.js", ""))

    async def runs_events(self, _request: Request) -> Response:
        """The rows of the list, now and whenever they change."""
        return _events(self._site.runs)

    async def run(self, request: Request) -> Response:
        """The page of a run."""
        return HTMLResponse(self._assets.shell((await self._run(request)).name, "served/run.js", "../../"))

    async def run_events(self, request: Request) -> Response:
        """How far a run is, now and whenever that changes."""
        return _events(await self._run(request))

    async def overview(self, request: Request) -> Response:
        """What the page of a run shows, with the hashes of its parts."""
        page = (await self._run(request)).page
        if page is None:
            return PlainTextResponse(_NOT_YET, HTTPStatus.SERVICE_UNAVAILABLE)
        headers = {**_PACKED, "Testbed-Parts": json.dumps(page.hashes)}
        return Response(page.overview, media_type="application/json", headers=headers)

    async def part(self, request: Request) -> Response:
        """A part of a page."""
        content = (await self._run(request)).content(request.path_params["hash"])
        if content is None:
            return PlainTextResponse(_OLD, HTTPStatus.NOT_FOUND)
        return Response(content, media_type="application/json", headers=_PACKED)

    async def replay(self, request: Request) -> Response:
        """The replay of a trial."""
        content = await (await self._run(request)).replay(request.path_params["part"])
        return Response(content, media_type="application/json", headers=_PACKED)

    async def asset(self, request: Request) -> Response:
        """A script or the styles."""
        name = request.path_params["name"]
        if name not in self._assets.files:
            return PlainTextResponse("there is no such file", HTTPStatus.NOT_FOUND)
        return Response(self._assets.files[name], media_type="text/css" if name == STYLE else "text/javascript")

    async def _run(self, request: Request) -> LiveRun:
        return await self._site.run(request.path_params["name"])


def _events(watch: Watch) -> Response:
    return StreamingResponse(_event_lines(watch), media_type="text/event-stream")


async def _event_lines(watch: Watch) -> AsyncIterator[str]:
    """Yield each value as an event; in between, lines that keep the connection open."""
    values = watch.values()
    coming = asyncio.ensure_future(anext(values, None))
    try:
        while True:
            done, _ = await asyncio.wait([coming], timeout=_HEARTBEAT_S)
            if not done:
                yield ": still here\n\n"
            elif (value := coming.result()) is None:
                return
            else:
                yield f"data: {json.dumps(value, separators=(',', ':'))}\n\n"
                coming = asyncio.ensure_future(anext(values, None))
    finally:
        coming.cancel()


async def _unknown(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), HTTPStatus.NOT_FOUND)


async def _unanswered(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), HTTPStatus.SERVICE_UNAVAILABLE)


class Gate:
    """Lets in what the guard allows, and gives every answer the headers that protect its reader."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        response = self._answer(Request(scope))
        await (response or self._app)(scope, receive, _protecting(send))

    def _answer(self, request: Request) -> Response | None:
        """Return the answer to a request that is not for the application."""
        given = request.query_params.get(TOKEN)
        refusal = self._guard.refusal(request.method, request.headers.get("host", ""), request.cookies, given)
        if refusal is not None:
            return PlainTextResponse(refusal.why, refusal.status)
        return self._remember(request, given) if self._guard.token and given is not None else None

    def _remember(self, request: Request, token: str) -> Response:
        """Keep the token in a cookie, and lead to the same address without it, which people may see and send."""
        others = urlencode([(name, value) for name, value in request.query_params.multi_items() if name != TOKEN])
        response = RedirectResponse(f"{request.url.path}{'?' if others else ''}{others}", HTTPStatus.SEE_OTHER)
        response.set_cookie(self._guard.cookie, token, httponly=True, samesite="lax")
        return response


def _protecting(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *_raw(HEADERS)]
        await send(message)

    return sent


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
