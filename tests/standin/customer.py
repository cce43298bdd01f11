"""The customer of the exchange, scripted: documents by path, and everything that was asked of them.

Each request's signature is checked with the provider's own library: one that does not verify fails the test
that reads ``unsigned``.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp
from twilio.request_validator import RequestValidator

TOKEN = "a-token-of-the-stand-in"
PATIENCE_S, LOOK_AGAIN_S = 5.0, 0.002

Form = dict[str, str]
Words = str | Response | Callable[[Form], str | Response]


@dataclass
class Asked:
    path: str
    method: str
    form: Form
    headers: dict[str, str]


@dataclass
class Customer:
    url: str = ""
    documents: dict[str, Words] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    unsigned: list[str] = field(default_factory=list)
    media: dict[str, Response] = field(default_factory=dict)

    def says(self, path: str, words: Words) -> str:
        """Answer a path with a document's verbs, a response, or what a function makes of the form."""
        self.documents[path] = words
        return self.url + path

    def to(self, path: str) -> list[Form]:
        return [asked.form for asked in self.asked if asked.path == path]

    async def told(self, path: str, times: int = 1) -> list[Form]:
        """Wait until a path has been asked for so many times."""
        await eventually(lambda: len(self.to(path)) >= times)
        return self.to(path)

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        sent = dict(parse_qsl(body.decode(), keep_blank_values=True))
        path = request.url.path
        if path in self.media:
            return self.media[path]
        signature = request.headers.get("X-Twilio-Signature", "")
        if not RequestValidator(TOKEN).validate(str(request.url), sent, signature):
            self.unsigned.append(path)
        form = {**request.query_params, **sent}
        self.asked.append(Asked(path, request.method, form, dict(request.headers)))
        words = self.documents.get(path, "")
        answer = words(form) if callable(words) and not isinstance(words, Response) else words
        if isinstance(answer, Response):
            return answer
        return Response(f"<Response>{answer}</Response>", media_type="text/xml")

    def app(self) -> ASGIApp:
        return Starlette(routes=[Route("/{path:path}", self.answer, methods=["GET", "POST"])])


async def eventually(is_so: Callable[[], object]) -> None:
    """Wait for something that will come true by itself."""
    for _ in range(round(PATIENCE_S / LOOK_AGAIN_S)):
        if is_so():
            return
        await asyncio.sleep(LOOK_AGAIN_S)
    raise AssertionError("what was waited for never came true")


class Served:
    """An application on a free loopback port, in this very loop."""

    def __init__(self, app: ASGIApp, port: int = 0) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(app, log_level="error", access_log=False, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.ensure_future(self._server._serve([self._socket]))
        await eventually(lambda: self._server.started)

    async def stop(self) -> None:
        """Without the polite waiting of a real shutdown, which would cost each test a third of a second."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        state = self._server.server_state
        for task in list(state.tasks):
            task.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)
        await self._server.lifespan.shutdown()
        for connection in list(state.connections):
            connection.shutdown()
        for server in self._server.servers:
            server.close()
        await asyncio.sleep(0)
        self._socket.close()
