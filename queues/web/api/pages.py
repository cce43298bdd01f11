"""The API's routes, its document, and the page on which people read it."""

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import require
from config.web.templates import locale_of, page
from config.web.words import LOCALES
from queues.domain.scopes import Scope
from queues.web.api import calls, figures, floor, models
from queues.web.api.asked import AskedWronglyError, CallsAsked, FiguresAsked
from queues.web.api.document import document_of
from queues.web.api.door import BURST, METHODS, PER_S, TITLES, endpoint_of, guarded, nothing
from queues.web.api.operations import ROOT, Operation

OPERATIONS = (
    Operation(
        name="figures",
        path="/figures",
        scope=Scope.FIGURES,
        answer=models.Figures,
        perform=figures.tell_figures,
        parameters=FiguresAsked,
        is_kept=True,
    ),
    Operation(
        name="cards",
        path="/cards",
        scope=Scope.FIGURES,
        answer=models.Cards,
        perform=figures.tell_cards,
        is_kept=True,
    ),
    Operation(
        name="calls",
        path="/calls",
        scope=Scope.CALLS,
        answer=models.Calls,
        perform=calls.tell_calls,
        parameters=CallsAsked,
    ),
    Operation(
        name="call",
        path="/calls/{call_id}",
        scope=Scope.CALLS,
        answer=models.CallStory,
        perform=calls.tell_call,
        in_path=("call_id",),
    ),
    Operation(name="live", path="/live", scope=Scope.LIVE, answer=models.Live, perform=floor.tell_live),
    *(
        Operation(
            name=name, path=f"/{name}", scope=Scope.FIGURES, answer=answer, perform=perform, is_kept=True
        )
        for name, answer, perform in (
            ("queues", models.Queues, floor.tell_queues),
            ("tiers", models.Tiers, floor.tell_tiers),
            ("departments", models.Departments, floor.tell_departments),
            ("lines", models.Lines, floor.tell_lines),
        )
    ),
    Operation(
        name="agents", path="/agents", scope=Scope.AGENTS, answer=models.Agents, perform=floor.tell_agents
    ),
)


def routes() -> list[BaseRoute]:
    return [
        Route("/api", show_api, methods=["GET"], name="api"),
        Route(f"{ROOT}/openapi.json", tell_document, methods=list(METHODS), name="api_document"),
        *(
            Route(f"{ROOT}{each.path}", endpoint_of(each), methods=list(METHODS), name=f"api_{each.name}")
            for each in OPERATIONS
        ),
        Route("/api/{rest:path}", nothing, methods=list(METHODS), name="api_nothing"),
    ]


@guarded
async def tell_document(request: Request) -> Response:
    """For everybody: it says nothing of this installation. English, or with `language=zh` Chinese."""
    locale = request.query_params.get("language", "en")
    if locale not in LOCALES:
        raise AskedWronglyError({"language": f"is one of {', '.join(LOCALES)}"})
    told = document_of(OPERATIONS, request.app.state.templates.words, locale)
    return Response(
        json.dumps(told, ensure_ascii=False),
        media_type="application/json",
        headers={"Cache-Control": "no-cache"},
    )


@require("supervisor", "qa", "admin")
async def show_api(request: Request) -> Response:
    """The document, for people."""
    told = document_of(OPERATIONS, request.app.state.templates.words, locale_of(request))
    base = request.app.state.runtime.settings.public_base_url
    return page(
        request,
        "api.html",
        document=told,
        root=f"{base}{ROOT}",
        scopes=list(Scope),
        problems={word: status for word, (status, _) in TITLES.items()},
        burst=round(BURST),
        per_s=round(PER_S),
    )
