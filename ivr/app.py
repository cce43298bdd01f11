"""The front door: everything that answers HTTP, composed in one place."""

import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route, Router

from config.runtime import Runtime
from config.web import entrance
from config.web.accounts import identify
from config.web.errors import exception_handlers
from config.web.headers import SecurityHeaders
from config.web.streams import JournalTail
from config.web.templates import RailEntry, Templates
from ivr.service.hotlines import notice_sentences
from ivr.web import site_page, trials_page, voice
from queues.store.switchboard import site_tag
from queues.web import (
    abandoned,
    desk,
    figures_page,
    follow_ups,
    health,
    imports_page,
    notices,
    queues_page,
    reports,
    said,
    scores_page,
    scrape,
    tickets,
    tiers_page,
    wall,
)
from queues.web.api import pages as api
from recordings.web import callbacks, calls, console, customer_file

STAFF = ("supervisor", "qa", "admin")
RAIL = (
    RailEntry("/desk", "rail.desk", ("agent",), "1"),
    RailEntry("/wall", "rail.wall", ("supervisor", "admin"), "2"),
    RailEntry("/queues", "rail.queues", ("supervisor", "admin"), "q"),
    RailEntry("/calls", "rail.calls", (*STAFF, "agent"), "3"),
    RailEntry("/tickets", "rail.tickets", (*STAFF, "agent"), "4"),
    RailEntry("/follow-ups", "rail.follow_ups", ("agent", "supervisor", "admin"), "f"),
    RailEntry("/abandoned", "rail.abandoned", (*STAFF, "agent"), "b"),
    RailEntry("/customers", "rail.customers", (*STAFF, "agent"), "5"),
    RailEntry("/notices", "rail.notices", (*STAFF, "agent"), "6"),
    RailEntry("/site", "rail.site", ("supervisor", "admin"), "7"),
    RailEntry("/simulate", "rail.simulate", ("supervisor", "admin"), "t"),
    RailEntry("/health", "rail.health", ("supervisor", "admin"), "8"),
    RailEntry("/my", "rail.my", ("agent",), "m"),
    RailEntry("/figures", "rail.figures", STAFF, "a"),
    RailEntry("/reports", "rail.reports", STAFF, "r"),
    RailEntry("/agents", "rail.agents", STAFF, "e"),
    RailEntry("/said", "rail.said", STAFF, "9"),
)
PAGE_PACKAGES = ("config.web", "queues.web", "queues.web.api", "recordings.web", "ivr.web")


def build(runtime: Runtime) -> Starlette:
    """The application of one installation; `runtime` is open and stays open while the application serves."""
    tail = JournalTail(runtime.redis, f"{site_tag(runtime.settings.site)}:journal")

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with tail:
            yield

    app = Starlette(
        routes=routes(runtime),
        middleware=[Middleware(SecurityHeaders, settings=runtime.settings)],
        exception_handlers=dict(exception_handlers()),
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a redirected webhook arrives without its fields
    app.state.runtime = runtime
    app.state.tail = tail
    app.state.notice_sentences = notice_sentences
    app.state.templates = Templates(PAGE_PACKAGES, RAIL)
    runtime.links.register(app.router)
    return app


def link(runtime: Runtime) -> None:
    """Give a process without a front door the addresses of ours: what the dispatcher hands to the provider."""
    runtime.links.register(Router(routes(runtime)))


def routes(runtime: Runtime) -> list[BaseRoute]:
    """Every route of the house, each from the room that owns it; first those that a caller waits for.

    A router tries one after the other.
    """
    return [
        *voice.routes(voice.Voice.of(runtime)),
        Route("/", home, methods=["GET"], name="home"),
        *entrance.routes(),
        *callbacks.routes(),
        *console.routes(),
        *desk.routes(),
        *wall.routes(),
        *queues_page.routes(),
        *calls.routes(),
        *tickets.routes(),
        *follow_ups.routes(),
        *abandoned.routes(),
        *notices.routes(),
        *figures_page.routes(),
        *reports.routes(),
        *scores_page.routes(),
        *said.routes(),
        *tiers_page.routes(),
        *imports_page.routes(),
        *customer_file.routes(),
        *site_page.routes(),
        *trials_page.routes(),
        *health.routes(),
        *api.routes(),
        *scrape.routes(),
    ]


async def home(request: Request) -> Response:
    """Wherever the reader belongs: his own first page, or the way in."""
    account = await identify(request)
    templates: Templates = request.app.state.templates
    return RedirectResponse("/sign-in" if account is None else templates.home_of(account), 303)
