"""The wallboard: is anyone waiting too long, who is there to answer, how does the day go, and which alarms are raised.

A picture is sent when something has changed, once a second at most, and only if it differs from the last one; ages tick
in the browser. The wall looks once a second by itself, because an alarm is raised by time alone, too.
"""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncGenerator, Sequence
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from config import numbers
from config.web.accounts import Account, names_of_accounts, require
from config.web.forms import read_form
from config.web.streams import Event, sse
from config.web.templates import page
from queues.service import agent_times, alarms, calls, figures, people
from queues.service.alarms import Alarm
from queues.service.figures import Asked, Report
from queues.service.switchboard import WallState
from queues.web.alarms_view import alarm_view, strip_view
from queues.web.floor import Floor, floor_of, wants_page, words_of
from queues.web.times import local
from queues.web.wall_curve import WEEK, curve_view, day_of
from queues.web.wall_view import View, formula_view, times_view, wall_view
from queues.web.words import Words

PICTURE_S: Final = 1.0
ALARMS_S: Final = 0.4
FIGURES_S: Final = 2.0
CURVE_S: Final = 10.0
PEOPLE_S: Final = 30.0
TIMES_S: Final = 10.0
LAST_WEEK_S: Final = 600.0
LEADERS: Final = ("supervisor", "admin")


def routes() -> list[BaseRoute]:
    return [
        Route("/wall", show_wall, methods=["GET"], name="wall"),
        Route("/wall/events", stream_pictures, methods=["GET"]),
        Route("/wall/alarms", show_alarms, methods=["GET"], name="alarms"),
        Route("/wall/alarms/{alarm_id}", acknowledge_alarm, methods=["POST"]),
    ]


@require(*LEADERS)
async def show_wall(request: Request) -> Response:
    floor, words = floor_of(request), words_of(request)
    settings = floor.runtime.settings
    return page(
        request,
        "wall.html",
        wall=await picture(floor, words),
        times=await times(floor, words),
        formula=formula_view(words),
        phone_url=f"{settings.softphone_url}/phone" if settings.softphone_url else "",
        numbers=[numbers.display(number) for number in settings.hotline_numbers.values()],
    )


@require(*LEADERS)
async def stream_pictures(request: Request) -> Response:
    return sse(pictures(floor_of(request), words_of(request)))


@require(*LEADERS)
async def show_alarms(request: Request) -> Response:
    """All that were raised, the newest first."""
    floor, words = floor_of(request), words_of(request)
    found = await alarms.list_alarms(floor.runtime, request.query_params.get("before"))
    names = await _names(floor, found.alarms)
    views = [alarm_view(each, names, words) for each in found.alarms]
    return page(request, "alarms.html", alarms=views, older=found.older)


@require(*LEADERS)
async def acknowledge_alarm(request: Request) -> Response:
    """Seen: it stays on every wall until it is over, with the name of who saw it."""
    floor, form = floor_of(request), await read_form(request)
    account: Account = request.state.account
    word = await alarms.acknowledge(floor.runtime, request.path_params["alarm_id"], account.account_id)
    if word == "gone":
        raise HTTPException(404)
    floor.remembered.forget("alarms")
    if not wants_page(request):
        return JSONResponse({"ok": word == "ok", "word": word})
    return RedirectResponse("/wall/alarms" if form.get("from") == "alarms" else "/wall", 303)


async def times(floor: Floor, words: Words) -> View:
    """Each agent's day so far; not part of the pictures, which tell what changes by the second."""
    found = await floor.remembered.get("times", TIMES_S, lambda: agent_times.today(floor.runtime, floor.plan))
    return times_view(found, await _agents(floor), words)


async def picture(floor: Floor, words: Words) -> View:
    remembered = floor.remembered
    state: WallState = await remembered.get("wall", PICTURE_S / 2, floor.switchboard.wall_state)
    report: Report = await remembered.get("figures", FIGURES_S, lambda: _today(floor))
    raised = await remembered.get("alarms", ALARMS_S, lambda: alarms.open_alarms(floor.runtime))
    agents = await remembered.get("agents", PEOPLE_S, lambda: people.agents_of_site(floor.runtime))
    return {
        **wall_view(state, report, {agent.agent_id: agent.skills for agent in agents}, words),
        "alarms": strip_view(raised, await _names(floor, raised), words),
        "curve": await _curve(floor, state.now_ms, words),
    }


async def _today(floor: Floor) -> Report:
    from_ms, until_ms = calls.day_of(floor.plan, _date(floor, floor.runtime.clock.now_ms()))
    return await figures.glance(floor.runtime, floor.plan, Asked(from_ms=from_ms, until_ms=until_ms))


async def _curve(floor: Floor, now_ms: int, words: Words) -> View:
    """Last week's day stands still, as far as anybody looks at it by the minute."""
    remembered, today = floor.remembered, _date(floor, now_ms)

    return curve_view(
        await remembered.get(f"calls {today}", CURVE_S, lambda: day_of(floor.runtime, floor.plan, today)),
        await remembered.get(
            f"calls {today - WEEK}", LAST_WEEK_S, lambda: day_of(floor.runtime, floor.plan, today - WEEK)
        ),
        now_ms,
        words,
    )


def _date(floor: Floor, at_ms: int) -> dt.date:
    return local(at_ms, floor.zone).date()


async def _agents(floor: Floor) -> dict[str, str]:
    found = await floor.remembered.get("agents", PEOPLE_S, lambda: people.agents_of_site(floor.runtime))
    return {agent.agent_id: agent.name for agent in found}


async def _names(floor: Floor, raised: Sequence[Alarm]) -> dict[str, str]:
    """Of the agents, and of who has seen an alarm."""
    seen = sorted({each.acknowledged_by for each in raised if each.acknowledged_by})
    known = await floor.remembered.get(
        f"seen {seen}", PEOPLE_S, lambda: names_of_accounts(floor.runtime.database, seen)
    )
    return {**known, **await _agents(floor)}


async def pictures(floor: Floor, words: Words) -> AsyncGenerator[Event]:
    """The first at once, then each that differs; figures trail the journal, and alarms come without a line of it."""
    async with floor.tail.subscribe() as lines:
        shown: View = {}
        while True:
            view = await picture(floor, words)
            fresh = {name: value for name, value in view.items() if name != "now_ms"}
            if fresh != shown:
                shown = fresh
                yield Event(json.dumps(view, ensure_ascii=False, separators=(",", ":")))
            await asyncio.sleep(PICTURE_S / 2)
            try:
                async with asyncio.timeout(PICTURE_S / 2):
                    await anext(lines)
            except TimeoutError:
                continue
            except StopAsyncIteration:
                return
            lines.waiting()
