"""Pages: one template environment, the words, the rail, and what every page is given.

A storey brings folders beside its pages: templates/, static/, locale/. The front door names the storeys and
the rail's entries; nothing here knows what they show. Everything is escaped. A page sent to a browser that
is not signed in has a token for its forms all the same.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from config.runtime import Runtime
from config.settings import Settings
from config.web.accounts import Account
from config.web.sessions import Session, guest_token, set_guest_cookie
from config.web.words import DEFAULT_LOCALE, LANGUAGE_TAGS, LOCALES, Words

LOCALE_COOKIE = "shouwen_locale"

Translate = Callable[..., str]


@dataclass(frozen=True)
class RailEntry:
    """One place in the left rail: where it leads, the key of its name, who may go there.

    Its shortcut is `key` after `g`: single keys belong to the pages.
    """

    path: str
    label: str
    roles: tuple[str, ...] = ()  # none: everybody who is signed in
    key: str = ""


class Templates:
    """What the pages of an installation are made with; lives at app.state.templates."""

    def __init__(
        self, packages: Sequence[str] = ("config.web",), rail: Sequence[RailEntry] = (), **shared: Any
    ) -> None:
        """`packages` hold templates/, static/ and locale/; `shared` is given to every page under its name."""
        folders = [Path(str(files(package))) for package in packages]
        self.words = Words(folder / "locale" for folder in folders)
        self.rail = tuple(rail)
        self.shared = shared
        self.environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(folder / "templates") for folder in folders]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        statics = [folder / "static" for folder in folders if (folder / "static").is_dir()]
        self.static = _Static(directory=statics[0])
        self.static.all_directories = list(statics)

    def rail_of(self, account: Account | None) -> tuple[RailEntry, ...]:
        if account is None or account.must_change_password:
            return ()
        return tuple(entry for entry in self.rail if not entry.roles or account.role in entry.roles)

    def home_of(self, account: Account) -> str:
        """Where somebody lands after signing in: the first place that is his."""
        return next((entry.path for entry in self.rail_of(account)), "/")

    def render(self, template: str, **context: Any) -> str:
        return self.environment.get_template(template).render(**context)


class _Static(StaticFiles):
    """Files that the browser asks about again each time: an old script must not meet a new page."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.setdefault("Cache-Control", "no-cache")
        return response


async def serve_static(scope: Scope, receive: Receive, send: Send) -> None:
    """Every storey's static folder under one path, as the front door has put them together."""
    templates: Templates = scope["app"].state.templates
    await templates.static(scope, receive, send)


def locale_of(request: Request) -> str:
    """The reader's language: the account's, else the browser's last choice, else Chinese."""
    account: Account | None = getattr(request.state, "account", None)
    for choice in (account.locale if account else None, request.cookies.get(LOCALE_COOKIE)):
        if choice and choice[:2] in LOCALES:
            return choice[:2]
    return DEFAULT_LOCALE


def translator(request: Request) -> Translate:
    """t("key", name=…) in the reader's language, for what Python has to say."""
    templates: Templates = request.app.state.templates
    return partial(templates.words, locale_of(request))


def page(
    request: Request,
    template: str,
    *,
    status_code: int = 200,
    headers: dict[str, str] | None = None,
    **context: Any,
) -> Response:
    """A page of the house around `template`.

    Each template sees: t, locale, lang, languages, account, csrf, rail, here, clock, now_ms, softphone_url,
    what the front door shares, and `context`.
    """
    runtime: Runtime = request.app.state.runtime
    templates: Templates = request.app.state.templates
    csrf, new_token = _token(request, runtime.settings)
    html = templates.render(template, **_surroundings(request, runtime, templates, csrf), **context)
    response = HTMLResponse(html, status_code=status_code, headers=headers)
    response.headers.setdefault("Cache-Control", "no-store")
    if new_token:
        set_guest_cookie(response, runtime.settings, csrf)
    return response


def _surroundings(request: Request, runtime: Runtime, templates: Templates, csrf: str) -> dict[str, Any]:
    account: Account | None = getattr(request.state, "account", None)
    locale = locale_of(request)
    path = request.url.path
    return {
        **templates.shared,
        "t": partial(templates.words, locale),
        "locale": locale,
        "lang": LANGUAGE_TAGS[locale],
        "languages": LOCALES,
        "account": account,
        "csrf": csrf,
        "rail": [
            (entry, path == entry.path or path.startswith(f"{entry.path}/"))
            for entry in templates.rail_of(account)
        ],
        "here": f"{path}?{request.url.query}" if request.url.query else path,
        "is_read": request.method == "GET",
        "clock": str(runtime.clock),
        "now_ms": runtime.clock.now_ms(),
        "softphone_url": runtime.settings.softphone_url or "",
    }


def _token(request: Request, settings: Settings) -> tuple[str, bool]:
    session: Session | None = getattr(request.state, "session", None)
    if session is not None:
        return session.csrf, False
    known = guest_token(request, settings)
    return known or secrets.token_urlsafe(24), known is None
