"""In front of every operation: who asks, how often, with which parameters; and what goes wrong, as RFC 9457.

No cookie opens anything here and none is set; no header lets another site's script read an answer. Of a fault of ours
nothing is told but that it is one.
"""

import functools
import hashlib
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from config.log import get_log
from config.runtime import Runtime
from config.web.errors import AWAY
from config.web.pace import Pace
from config.web.tokens import Refusal, Token, bearer_of, check
from queues.domain.scopes import Scope
from queues.web.api.asked import AskedWronglyError, read_parameters
from queues.web.api.models import Answer, FieldFault, Problem
from queues.web.api.operations import Asking, Operation
from queues.web.floor import floor_of

PER_S: Final = 10.0
BURST: Final = 60.0
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
READING: Final = ("GET", "HEAD")
TITLES: Final[Mapping[str, tuple[int, str]]] = {
    "asked_wrongly": (422, "A parameter cannot be taken"),
    "no_token": (401, "A token is needed"),
    "wrong_token": (401, "This token opens nothing"),
    "out_of_scope": (403, "The token does not open this"),
    "absent": (404, "There is nothing here"),
    "not_for_that": (405, "The API only reads"),
    "too_often": (429, "Too many requests"),
    "broken": (500, "A fault of ours"),
    "away": (503, "A store does not answer"),
}
_WHY: Final = {
    Refusal.UNKNOWN: "It is not a token of this installation.",
    Refusal.REVOKED: "It has been revoked.",
    Refusal.EXPIRED: "It has ended: make a new one with shouwen token add.",
}

log = get_log(__name__)
Endpoint = Callable[[Request], Awaitable[Response]]


class ProblemError(Exception):
    """An answer that is none: its word, and what a person should know."""

    def __init__(
        self, word: str, detail: str, *, faults: Mapping[str, str] | None = None, **headers: str
    ) -> None:
        self.word, self.detail, self.faults = word, detail, dict(faults or {})
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(word)

    def response(self) -> Response:
        status, title = TITLES[self.word]
        told = Problem(
            type=f"/api#{self.word}",
            title=title,
            status=status,
            detail=self.detail,
            errors=[FieldFault(field=name, detail=why) for name, why in self.faults.items()],
        )
        return Response(
            told.model_dump_json(),
            status_code=status,
            media_type="application/problem+json",
            headers={"Cache-Control": "no-store", **self.headers},
        )


def guarded(endpoint: Endpoint) -> Endpoint:
    """Whatever goes wrong in it is told as a problem; only reading gets in."""

    @functools.wraps(endpoint)
    async def answered(request: Request) -> Response:
        try:
            if request.method not in READING:
                raise ProblemError("not_for_that", "Use GET.", Allow="GET, HEAD")
            return await endpoint(request)
        except ProblemError as problem:
            return problem.response()
        except AskedWronglyError as wrong:
            detail = "; ".join(f"'{name}' {why}" for name, why in wrong.faults.items())
            return ProblemError("asked_wrongly", detail, faults=wrong.faults).response()
        except AWAY as fault:
            log.warning("api.store_away", path=request.url.path, error=type(fault).__name__)
            return ProblemError("away", "Ask again in a few seconds.", Retry_After="5").response()
        except Exception:
            log.exception("api.broke", path=request.url.path)
            return ProblemError("broken", "It is in the log of the web process.").response()

    return answered


def endpoint_of(operation: Operation) -> Endpoint:
    @guarded
    async def endpoint(request: Request) -> Response:
        floor = floor_of(request)
        token = await let_in(request, operation.scope)
        asked = read_parameters(operation.parameters, request.query_params.multi_items())
        answer = await operation.perform(Asking(request, floor, token, asked))
        return _told(request, operation, answer)

    return endpoint


async def let_in(request: Request, scope: Scope) -> Token:
    """The token of this request, if it opens this. Raises ProblemError."""
    text = bearer_of(request.headers.get("Authorization", ""))
    if not text:
        detail = "Send the header Authorization: Bearer TOKEN; shouwen token add makes one."
        raise ProblemError("no_token", detail, WWW_Authenticate="Bearer")
    runtime: Runtime = request.app.state.runtime
    token = await check(runtime.database, runtime.settings.site, text)
    if isinstance(token, Refusal):
        log.warning("api.token_refused", why=str(token))
        raise ProblemError("wrong_token", _WHY[token], WWW_Authenticate='Bearer error="invalid_token"')
    wait_s = _pace_of(request).wait_s(token.token_id)
    if wait_s:
        detail = f"{BURST:.0f} requests at once and {PER_S:.0f} a second are answered for each token."
        raise ProblemError("too_often", detail, Retry_After=str(math.ceil(wait_s)))
    if scope not in token.scopes:
        needed = f'Bearer error="insufficient_scope", scope="{scope}"'
        raise ProblemError("out_of_scope", f"It takes the scope {scope}.", WWW_Authenticate=needed)
    return token


def _pace_of(request: Request) -> Pace:
    state = request.app.state
    if not hasattr(state, "api_pace"):
        state.api_pace = Pace(PER_S, BURST)
    pace: Pace = state.api_pace
    return pace


def _told(request: Request, operation: Operation, answer: Answer) -> Response:
    body = answer.model_dump_json().encode()
    headers = {"Cache-Control": "no-store"}
    if following := getattr(answer, "next", None):
        headers["Link"] = f'<{following}>; rel="next"'
    if operation.is_kept:
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = {"Cache-Control": "private, no-cache", "ETag": etag, "Vary": "Authorization"}
        known = [
            each.strip().removeprefix("W/") for each in request.headers.get("If-None-Match", "").split(",")
        ]
        if etag in known or known == ["*"]:
            return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


@guarded
async def nothing(_request: Request) -> Response:
    """Any other path below the API's root."""
    raise ProblemError("absent", "The paths are in /api/v1/openapi.json.")
