"""A provider of few words: over real HTTP it answers what a test tells it to, and notes what it was asked."""

import asyncio
import base64
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from aiohttp import web
from aiohttp.test_utils import TestServer

ACCOUNT = "AC00000000000000000000000000000001"
BASE = f"/2010-04-01/Accounts/{ACCOUNT}"
GONE = {"code": 20404, "message": "The requested resource was not found", "status": 404}
ENDED = {"code": 21220, "message": "Call is not in-progress. Cannot redirect.", "status": 400}


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, list[str]]
    form: dict[str, list[str]]
    user: str

    @property
    def line(self) -> str:
        return f"{self.method} {self.path.removeprefix(BASE)}"


@dataclass
class Provider:
    answers: dict[str, deque[web.Response | float]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    base_url: str = ""

    def answer(self, line: str, *answers: web.Response | float) -> None:
        """What to say to `line` ("POST /Calls.json"), one after the other; a number is seconds of silence."""
        self.answers.setdefault(line, deque()).extend(answers)

    @property
    def lines(self) -> list[str]:
        return [asked.line for asked in self.asked]

    async def handle(self, request: web.Request) -> web.Response:
        login = request.headers.get("Authorization", "").removeprefix("Basic ")
        asked = Asked(
            method=request.method,
            path=request.path,
            query=parse_qs(request.query_string, keep_blank_values=True),
            form=parse_qs(await request.text(), keep_blank_values=True),
            user=base64.b64decode(login).decode().partition(":")[0],
        )
        self.asked.append(asked)
        answers = self.answers.get(asked.line)
        if not answers:
            return web.json_response(GONE, status=404)
        answer = answers.popleft()
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return web.json_response({}, status=500)
        return answer


@asynccontextmanager
async def serving(provider: Provider) -> AsyncIterator[Provider]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", provider.handle)
    async with TestServer(app) as server:
        provider.base_url = str(server.make_url("")).rstrip("/")
        yield provider


def said(http_status: int, /, **body: object) -> web.Response:
    return web.json_response(body, status=http_status)


def refused(status: int, code: int | None = None, message: str = "no") -> web.Response:
    body = {"message": message, "status": status} | ({"code": code} if code else {})
    return web.json_response(body, status=status)


def listed(name: str, *items: dict[str, object], next_page: str | None = None) -> web.Response:
    return said(200, **{name: list(items), "next_page_uri": next_page, "page": 0, "page_size": 50})
