"""What a reader sees when something is not there, not allowed, over or broken: a page in his language.

A program (it does not ask for HTML) gets the same as JSON, in one word. Nothing of the fault itself is shown.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from redis import exceptions as redis_errors
from sqlalchemy import exc as sql_errors
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from config.log import get_log
from config.web.accounts import SignedOut, identify
from config.web.sessions import SESSION_COOKIE
from config.web.templates import page

# The words of a fault: the keys of its page are error.<word>.title and error.<word>.what.
WORDS = {
    400: "unread",
    401: "signed_out",
    403: "forbidden",
    404: "absent",
    405: "absent",
    413: "unread",
    422: "unread",
    503: "away",
}
BROKEN = "broken"
# A store that does not answer; anything else that it says is a fault of ours.
AWAY: tuple[type[Exception], ...] = (
    redis_errors.ConnectionError,
    redis_errors.TimeoutError,
    sql_errors.OperationalError,
    sql_errors.InterfaceError,
    sql_errors.TimeoutError,
    ConnectionError,
    TimeoutError,
)

log = get_log(__name__)

ExceptionHandler = Callable[[Request, Any], Awaitable[Response]]


def exception_handlers() -> Mapping[Any, ExceptionHandler]:
    """For Starlette(exception_handlers=…)."""
    return {
        HTTPException: show_refusal,
        SignedOut: show_way_back,
        ClientDisconnect: show_nobody,
        **dict.fromkeys(AWAY, show_away),
        Exception: show_broken,
    }


async def show_refusal(request: Request, error: HTTPException) -> Response:
    word = "forged" if error.detail == "csrf" else WORDS.get(error.status_code, BROKEN)
    return await _show(request, error.status_code, word, dict(error.headers or {}))


async def show_way_back(request: Request, _error: SignedOut) -> Response:
    """To the sign-in page and back here; a form that was just sent is told first, lest it vanish."""
    if not _wants_page(request):
        return JSONResponse({"error": "signed_out"}, status_code=401)
    if request.method in ("GET", "HEAD"):
        target = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        why = "&why=expired" if SESSION_COOKIE in request.cookies else ""
        return RedirectResponse(f"/sign-in?next={quote(target, safe='')}{why}", status_code=303)
    came_from = urlsplit(request.headers.get("Referer", "")).path or "/"
    way_back = f"/sign-in?next={quote(came_from, safe='')}"
    return page(request, "error.html", status_code=401, word="signed_out", way_back=way_back)


async def show_away(request: Request, error: Exception) -> Response:
    """A store does not answer. It is not looked into for the reader's name."""
    log.warning("page.store_away", path=request.url.path, error=type(error).__name__)
    request.state.account = request.state.session = None
    return await _show(request, 503, "away", {"Retry-After": "5"})


async def show_nobody(_request: Request, _error: Exception) -> Response:
    """A browser that left while it was still sending: nobody reads this, and nothing is wrong with us."""
    return Response(status_code=400)


async def show_broken(request: Request, _error: Exception) -> Response:
    # The exception itself goes on to the server, which logs it.
    return await _show(request, 500, BROKEN, {})


async def _show(request: Request, status_code: int, word: str, headers: dict[str, str]) -> Response:
    if not _wants_page(request):
        return JSONResponse({"error": word}, status_code=status_code, headers=headers)
    try:
        await identify(request)
    except AWAY:
        request.state.account = request.state.session = None
    return page(request, "error.html", status_code=status_code, headers=headers, word=word, way_back="/")


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("Accept", "")
