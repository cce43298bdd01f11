"""The wallboard: is anyone waiting too long, and who is there to answer.

A picture is sent when the journal says that something may have changed, once a second at most, and only if
it differs from the last one; ages tick in the browser.
"""

import asyncio
import json
from collections.abc import AsyncGenerator

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from config import numbers
from config.web.accounts import require
from config.web.streams import Event, sse
from config.web.templates import page
from queues.service import agent_times, calls, people
from queues.service.calls import Figures
from queues.service.switchboard import WallState
from queues.web.floor import Floor, floor_of, words_of
from queues.web.wall_view import View, times_view, wall_view
from queues.web.words import Words

PICTURE_S = 1.0
FIGURES_S = 2.0
PEOPLE_S = 30.0
TIMES_S = 10.0


def routes() -> list[BaseRoute]:
    return [
        Route("/wall", show_wall, methods=["GET"], name="wall"),
        Route("/wall/events", stream_pictures, methods=["GET"]),
    ]


@require("supervisor", "admin")
async def show_wall(request: Request) -> Response:
    floor = floor_of(request)
    settings = floor.runtime.settings
    return page(
        request,
        "wall.html",
        wall=await picture(floor, words_of(request)),
        times=await times(floor, words_of(request)),
        phone_url=f"{settings.softphone_url}/phone" if settings.softphone_url else "",
        numbers=[numbers.display(number) for number in settings.hotline_numbers.values()],
    )


@require("supervisor", "admin")
async def stream_pictures(request: Request) -> Response:
    return sse(pictures(floor_of(request), words_of(request)))


async def times(floor: Floor, words: Words) -> View:
    """Each agent's day so far; not part of the pictures, which tell what changes by the second."""
    remembered = floor.remembered
    found = await remembered.get("times", TIMES_S, lambda: agent_times.today(floor.runtime, floor.plan))
    agents = await remembered.get("agents", PEOPLE_S, lambda: people.agents_of_site(floor.runtime))
    return times_view(found, {agent.agent_id: agent.name for agent in agents}, words)


async def picture(floor: Floor, words: Words) -> View:
    remembered = floor.remembered
    state: WallState = await remembered.get("wall", PICTURE_S / 2, floor.switchboard.wall_state)
    figures: Figures = await remembered.get(
        "figures", FIGURES_S, lambda: calls.today(floor.runtime, floor.plan)
    )
    agents = await remembered.get("agents", PEOPLE_S, lambda: people.agents_of_site(floor.runtime))
    return wall_view(state, figures, {agent.agent_id: agent.skills for agent in agents}, words)


async def pictures(floor: Floor, words: Words) -> AsyncGenerator[Event]:
    """The first at once, then each that differs; figures trail the journal, so one look comes after it."""
    async with floor.tail.subscribe() as lines:
        shown: View = {}
        is_settled = False
        while True:
            view = await picture(floor, words)
            fresh = {name: value for name, value in view.items() if name != "now_ms"}
            if fresh != shown:
                shown = fresh
                yield Event(json.dumps(view, ensure_ascii=False, separators=(",", ":")))
            if is_settled:
                try:
                    await anext(lines)
                except StopAsyncIteration:
                    return
            await asyncio.sleep(PICTURE_S if not is_settled else PICTURE_S / 2)
            is_settled = not lines.waiting() and not is_settled
