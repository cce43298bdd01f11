"""One REST request as the resources see it, and the envelope around each: who asks, faults, refusals."""

import base64
import binascii
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ivr.standin.exchange import Exchange
from ivr.standin.inbox import Target
from ivr.standin.twiml import absolute

BASE = "/2010-04-01/Accounts/{account_sid}"
_TRUE = frozenset({"true", "True", "TRUE", "1"})


class ApiError(Exception):
    """A refusal with the provider's own code."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Ask:
    exchange: Exchange
    request: Request
    form: Mapping[str, tuple[str, ...]]

    @property
    def account_sid(self) -> str:
        return self.exchange.account_sid

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def query(self, name: str) -> str:
        return self.request.query_params.get(name, "")

    def one(self, name: str, default: str = "") -> str:
        return self.form[name][-1] if name in self.form else default

    def many(self, name: str) -> tuple[str, ...]:
        return self.form.get(name, ())

    def has(self, name: str) -> bool:
        return name in self.form

    def flag(self, name: str, *, default: bool) -> bool:
        return self.one(name) in _TRUE if self.has(name) else default

    def number(self, name: str, default: int, least: int, most: int) -> int:
        text = self.one(name)
        if not text:
            return default
        if not re.fullmatch(r"\d+", text) or not least <= int(text) <= most:
            raise ApiError(400, 20001, f"Invalid parameter {name}: a number from {least} to {most}")
        return int(text)

    def word(self, name: str, default: str, known: frozenset[str]) -> str:
        text = self.one(name, default)
        if text not in known:
            raise ApiError(400, 20001, f"Invalid parameter {name}: one of {', '.join(sorted(known))}")
        return text

    def url(self, name: str) -> str:
        """An absolute address, or nothing."""
        text = self.one(name)
        if text and not absolute(text):
            raise ApiError(400, 21205, f"{name} is not a valid URL: {text}")
        return text

    def method(self, name: str, default: str = "POST") -> str:
        return self.word(name, default, frozenset({"GET", "POST"}))

    def target(self, name: str, method_name: str, default_method: str = "POST") -> Target | None:
        url = self.url(name)
        return Target(url, self.method(method_name, default_method)) if url else None

    def not_found(self) -> ApiError:
        return ApiError(404, 20404, f"The requested resource {self.request.url.path} was not found")


Answer = Response | Mapping[str, object]
Handler = Callable[[Ask], Awaitable[Answer]]


def resource(handlers: Mapping[str, Handler], created: int = 201) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint out of one handler per method; POST to a list creates, elsewhere pass ``created=200``."""

    async def endpoint(request: Request) -> Response:
        exchange: Exchange = request.app.state.exchange
        handler = handlers.get(request.method)
        try:
            if handler is None:
                raise ApiError(405, 20004, f"Method not allowed: {request.method}")
            _authenticate(exchange, request)
            return await _answer(exchange, request, handler, created)
        except ApiError as error:
            return _refusal(error)

    return endpoint


async def _answer(exchange: Exchange, request: Request, handler: Handler, created: int) -> Response:
    with exchange.gate.passing() as number:
        _fail_before(exchange, number)
        body = (await request.body()).decode("utf-8", "replace")
        form: dict[str, tuple[str, ...]] = {}
        for name, value in parse_qsl(body, keep_blank_values=True):
            form[name] = (*form.get(name, ()), value)
        answer = await handler(Ask(exchange, request, form))
        if exchange.chance.happens(exchange.faults.rest_500_after, "rest after", number):
            raise ApiError(500, 20500, "An internal server error has occurred")
    if isinstance(answer, Response):
        return answer
    return JSONResponse(dict(answer), created if request.method == "POST" else 200)


def _fail_before(exchange: Exchange, number: int) -> None:
    faults, chance = exchange.faults, exchange.chance
    is_crowded = 0 < faults.rest_concurrency_max < exchange.gate.inside
    if is_crowded or chance.happens(faults.rest_429, "rest 429", number):
        raise ApiError(429, 20429, "Too Many Requests")
    if chance.happens(faults.rest_503, "rest 503", number):
        raise ApiError(503, 20503, "Service is unavailable. Please try again")
    if chance.happens(faults.rest_500, "rest 500", number):
        raise ApiError(500, 20500, "An internal server error has occurred")


def _authenticate(exchange: Exchange, request: Request) -> None:
    options = exchange.options
    name, _, password = _credentials(request.headers.get("Authorization", "")).partition(":")
    expected = options.auth_token if name == options.account_sid else options.api_keys.get(name, "")
    if not expected or not hmac.compare_digest(password.encode(), expected.encode()):
        raise ApiError(401, 20003, "Authenticate")
    if request.path_params.get("account_sid") != options.account_sid:
        raise ApiError(404, 20404, f"The requested resource {request.url.path} was not found")


def _credentials(header: str) -> str:
    kind, _, text = header.partition(" ")
    try:
        return base64.b64decode(text, validate=True).decode() if kind.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _refusal(error: ApiError) -> Response:
    body = {
        "code": error.code,
        "message": error.message,
        "more_info": f"https://www.twilio.com/docs/errors/{error.code}",
        "status": error.status,
    }
    return JSONResponse(body, error.status)


NO_CONTENT = 204


def gone() -> Response:
    return Response(status_code=NO_CONTENT)
