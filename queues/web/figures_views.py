"""Saving a view of the figures under a name, and dropping it."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import Account, require
from config.web.forms import read_form
from queues.service import saved_views
from queues.service.saved_views import Answer
from queues.web.figures_frame import PAGES, ROLES, kept_query, path_of
from queues.web.floor import floor_of


def routes() -> list[BaseRoute]:
    return [
        Route("/figures/views", save_view, methods=["POST"]),
        Route("/figures/views/{view_id}/drop", drop_view, methods=["POST"]),
    ]


@require(*ROLES)
async def save_view(request: Request) -> Response:
    form = await read_form(request)
    account: Account = request.state.account
    page_id = form.get("page", "")
    if page_id not in PAGES:
        raise HTTPException(422)
    query = kept_query(page_id, form.get("query", ""))
    answer = await saved_views.save(
        floor_of(request).runtime,
        account_id=account.account_id,
        name=form.get("name", ""),
        page=page_id,
        query=query,
        is_shared=form.get("is_shared") == "yes",
    )
    return _back(page_id, query, "saved" if answer is Answer.OK else answer.value)


@require(*ROLES)
async def drop_view(request: Request) -> Response:
    form = await read_form(request)
    account: Account = request.state.account
    page_id, query = _came_from(form.get("back", ""))  # first: who is refused has dropped nothing
    is_done = await saved_views.drop(
        floor_of(request).runtime, account_id=account.account_id, view_id=request.path_params["view_id"]
    )
    return _back(page_id, query, "dropped" if is_done else "gone")


def _came_from(address: str) -> tuple[str, str]:
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise HTTPException(422) from error
    page_id = parts.path.removeprefix("/figures").removeprefix("/")
    page_id = page_id if page_id in PAGES else ""
    return page_id, kept_query(page_id, parts.query)


def _back(page_id: str, query: str, said: str) -> Response:
    """To the page it was done on, which says what came of it."""
    return RedirectResponse(f"{path_of(page_id)}?{urlencode([*parse_qsl(query), ('said', said)])}", 303)
