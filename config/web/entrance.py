"""The way in and out: sign-in, sign-out, password, language; and the routes of what all pages share."""

from dataclasses import replace
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from config.log import get_log
from config.runtime import Runtime
from config.web.accounts import (
    Account,
    PasswordRefused,
    SignedOut,
    change_password,
    check_token,
    identify,
    set_locale,
    sign_in,
)
from config.web.forms import Form, read_form
from config.web.sessions import SESSION_COOKIE, close_session, set_cookie, set_session_cookie
from config.web.templates import LOCALE_COOKIE, Templates, page, serve_static
from config.web.words import LOCALES

LOCALE_KEPT_FOR_S = 365 * 24 * 3600

log = get_log(__name__)


def routes() -> list[BaseRoute]:
    """For the front door; app.state.runtime and app.state.templates are set by then."""
    return [
        Route("/sign-in", show_sign_in, methods=["GET"], name="sign_in"),
        Route("/sign-in", take_sign_in, methods=["POST"]),
        Route("/sign-out", take_sign_out, methods=["POST"], name="sign_out"),
        Route("/password", show_password, methods=["GET"], name="password"),
        Route("/password", take_password, methods=["POST"]),
        Route("/locale", take_locale, methods=["POST"], name="locale"),
        Mount("/static", app=serve_static, name="static"),
    ]


async def show_sign_in(request: Request) -> Response:
    account = await identify(request)
    goal = _goal(request.query_params.get("next"))
    if account is not None:
        return _go(goal or _home(request, account))
    notice = "sign_in.expired" if request.query_params.get("why") == "expired" else ""
    return page(request, "sign_in.html", name="", next=goal, error="", notice=notice)


async def take_sign_in(request: Request) -> Response:
    runtime: Runtime = request.app.state.runtime
    await identify(request)
    await check_token(request)
    form = await read_form(request)
    name, password, goal = form.get("name", ""), form.get("password", ""), _goal(form.get("next"))
    found = await sign_in(runtime.database, name, password) if name and password else None
    if found is None:
        log.warning("account.sign_in_refused")
        error = "sign_in.error.wrong" if name and password else "sign_in.error.empty"
        return page(request, "sign_in.html", status_code=422, name=name, next=goal, error=error, notice="")
    account, session = found
    log.info("account.signed_in", account_id=account.account_id)
    response = _go(_after_sign_in(request, account, goal))
    set_session_cookie(response, runtime.settings, session)
    return response


async def take_sign_out(request: Request) -> Response:
    runtime: Runtime = request.app.state.runtime
    if await identify(request) is not None:
        await check_token(request)
        async with runtime.database.transaction() as conn:
            await close_session(conn, request.state.session.session_id)
    response = _go("/sign-in")
    response.delete_cookie(SESSION_COOKIE, path="/")
    return response


async def show_password(request: Request) -> Response:
    await _signed_in(request)
    return page(request, "password.html", next=_goal(request.query_params.get("next")), error="")


async def take_password(request: Request) -> Response:
    runtime: Runtime = request.app.state.runtime
    account = await _signed_in(request)
    await check_token(request)
    form = await read_form(request)
    goal = _goal(form.get("next"))
    try:
        _check_repeated(form)
        await change_password(
            runtime.database, request.state.session, form.get("old", ""), form.get("new", "")
        )
    except PasswordRefused as refusal:
        return page(request, "password.html", status_code=422, next=goal, error=refusal.reason)
    log.info("account.password_changed", account_id=account.account_id)
    return _go(goal or request.app.state.templates.home_of(_freed(account)))


async def take_locale(request: Request) -> Response:
    runtime: Runtime = request.app.state.runtime
    account = await identify(request)
    await check_token(request)
    form = await read_form(request)
    response = _go(_goal(form.get("next")) or "/")
    locale = form.get("locale", "")
    if locale in LOCALES:
        set_cookie(response, runtime.settings, LOCALE_COOKIE, locale, LOCALE_KEPT_FOR_S)
        if account is not None:
            await set_locale(runtime.database, account.account_id, locale)
    return response


async def _signed_in(request: Request) -> Account:
    account = await identify(request)
    if account is None:
        raise SignedOut
    return account


def _home(request: Request, account: Account) -> str:
    templates: Templates = request.app.state.templates
    return "/password" if account.must_change_password else templates.home_of(account)


def _after_sign_in(request: Request, account: Account, goal: str) -> str:
    if account.must_change_password:
        return f"/password?next={quote(goal)}" if goal else "/password"
    return goal or _home(request, account)


def _freed(account: Account) -> Account:
    return replace(account, must_change_password=False)


def _check_repeated(form: Form) -> None:
    if form.get("new", "") != form.get("again", ""):
        raise PasswordRefused("password.error.again")


def _goal(text: str | None) -> str:
    """A path of ours to go on to, or nothing: never another host's address, however it is dressed up."""
    if not text or not text.startswith("/") or text[1:2] in ("/", "\\") or not text.isprintable():
        return ""
    return "" if text.startswith(("/sign-in", "/sign-out")) else text


def _go(path: str) -> Response:
    return RedirectResponse(path, status_code=303)
