"""The calls list: newest first, narrowed by day, outcome, queue, agent or a text; its pages go by key.

The calls behind a figure are told, and counted, to those alone who may read the figures.
"""

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import Account, require
from config.web.templates import page
from queues.domain.calls import Outcome
from queues.service import calls, exploring, figures, people
from queues.service.calls import CallFilter
from queues.service.exploring import Narrowed
from queues.web.call_view import call_row
from queues.web.figures_asked import NAMES as FIGURED
from queues.web.figures_asked import NARROWING, figured_words, read_asked, read_narrowed
from queues.web.figures_frame import ROLES as READERS_OF_FIGURES
from queues.web.floor import Floor, floor_of, words_of
from queues.web.words import Words

SHOWN = 50
TEXT_LENGTH_MAX = 80
NAMES = tuple(
    dict.fromkeys(("day", "outcome", "queue", "agent", "q", "tier", "line", "of", *FIGURED, *NARROWING))
)


def routes() -> list[BaseRoute]:
    return [Route("/calls", show_calls, methods=["GET"], name="calls")]


@require()
async def show_calls(request: Request) -> Response:
    floor, words = floor_of(request), words_of(request)
    asked = {name: request.query_params.get(name, "").strip()[:TEXT_LENGTH_MAX] for name in NAMES}
    account: Account = request.state.account
    if asked["of"] and account.role not in READERS_OF_FIGURES:  # an agent's own are at /my
        raise HTTPException(403)
    chosen, to, error = await _chosen(floor, asked, words)
    before = request.query_params.get("before")
    found = await calls.list_calls(floor.runtime, chosen, before=before, limit=SHOWN)
    narrowed = {name: value for name, value in asked.items() if value}
    settings = floor.runtime.settings
    return page(
        request,
        "calls.html",
        status_code=422 if error else 200,
        calls=[call_row(call, words) for call in found.calls],
        summary=words.t("calls.shown", count=len(found.calls)),
        filters=asked,
        figured=await _figured(floor, asked, chosen, to, words) if asked["of"] and not error else "",
        is_filtered=bool(narrowed),
        choices=await _choices(floor, words),
        error=error,
        newest_href=f"/calls?{urlencode(narrowed)}" if before else "",
        older_href=f"/calls?{urlencode({**narrowed, 'before': found.older})}" if found.older else "",
        phone_url=f"{settings.softphone_url}/phone" if settings.softphone_url else "",
    )


async def _chosen(floor: Floor, asked: dict[str, str], words: Words) -> tuple[CallFilter, Narrowed, str]:
    """What to look for, to which point of a picture of figures that comes, and what could not be understood of it."""
    if asked["of"]:
        return await _behind(floor, asked, words)
    from_ms = until_ms = None
    error = ""
    if asked["day"]:
        try:
            from_ms, until_ms = calls.day_of(floor.plan, dt.date.fromisoformat(asked["day"]))
        except (ValueError, OverflowError):
            error = words.t("calls.bad_day")
    chosen = CallFilter(
        from_ms=from_ms,
        until_ms=until_ms,
        outcome=asked["outcome"],
        queues=(asked["queue"],) if asked["queue"] else (),
        agent_id=asked["agent"],
        text=asked["q"],
        tier=asked["tier"],
        line=asked["line"],
    )
    return chosen, Narrowed(), error


async def _behind(floor: Floor, asked: dict[str, str], words: Words) -> tuple[CallFilter, Narrowed, str]:
    """The calls behind a figure, or behind one point of its picture."""
    found = read_asked(asked, floor, words)
    if found.error or asked["of"] not in figures.CALL_SETS:
        return CallFilter(), Narrowed(), found.error or words.t("figures.bad_set")
    try:
        to = read_narrowed(asked)
    except ValueError:
        return CallFilter(), Narrowed(), words.t("figures.bad_point")
    behind = await figures.behind(floor.runtime, floor.plan, found.asked, asked["of"])
    return exploring.narrow(floor.runtime, floor.plan, behind, asked["of"], to), to, ""


async def _figured(
    floor: Floor, asked: dict[str, str], chosen: CallFilter, to: Narrowed, words: Words
) -> str:
    agents = {each.agent_id: each.name for each in await people.agents_of_site(floor.runtime)}
    told = figured_words(asked, to, floor, words, agents.get(to.agent_id, ""))
    found = read_asked(asked, floor, words).asked
    listed = await exploring.count(floor.runtime, floor.plan, found, asked["of"], to, chosen)
    key = "figures.listed_many" if listed.is_more else "figures.listed_count"
    return f"{told} {words.t(key, n=listed.calls)}"


async def _choices(floor: Floor, words: Words) -> dict[str, list[dict[str, Any]]]:
    agents = await people.agents_of_site(floor.runtime)
    return {
        "outcomes": [{"id": str(each), "word": words.outcome(each)} for each in Outcome],
        "queues": [{"id": each, "word": words.queue(each)} for each in floor.plan.queues],
        "agents": [{"id": agent.agent_id, "word": agent.name} for agent in agents],
    }
