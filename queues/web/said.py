"""Said and happened: the waits that callers were told, by the quarter of an hour, and how many came true."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import require
from config.web.templates import page
from queues.domain.said import QUARTER_MS
from queues.service import said
from queues.service.calls import day_of
from queues.service.said import Came, Said, Tally
from queues.web.floor import Floor, floor_of, words_of
from queues.web.times import face, local, time_of_day
from queues.web.words import Words

View = dict[str, Any]
QUEUE_LENGTH_MAX: Final = 80
MISSED_SHOWN: Final = 50
# The picture, in its own units.
SLOT, TOP, HEIGHT, LEFT = 8, 8, 120, 40


def routes() -> list[BaseRoute]:
    return [Route("/said", show_said, methods=["GET"], name="said")]


@require("supervisor", "qa", "admin")
async def show_said(request: Request) -> Response:
    floor, words = floor_of(request), words_of(request)
    asked = {name: request.query_params.get(name, "").strip()[:QUEUE_LENGTH_MAX] for name in ("day", "queue")}
    day, error = _day(floor, asked["day"], words)
    from_ms, until_ms = day_of(floor.plan, day)
    now_ms = floor.runtime.clock.now_ms()
    told = await said.said_between(floor.runtime, from_ms, until_ms, asked["queue"])
    quarters = said.by_quarter(told, now_ms, from_ms)
    return page(
        request,
        "said.html",
        status_code=422 if error else 200,
        day=day.isoformat(),
        queue=asked["queue"],
        queues=[{"id": each, "word": words.queue(each)} for each in floor.plan.queues],
        error=error,
        is_told=floor.plan.announce is not None,
        count=len(told),
        figures=_figures(said.tally(told, now_ms), words),
        chart=_chart(quarters, from_ms, until_ms, words),
        quarters=[_quarter(begins_ms, each, words) for begins_ms, each in sorted(quarters.items())],
        missed=_missed(told, now_ms, words),
    )


def _day(floor: Floor, asked: str, words: Words) -> tuple[dt.date, str]:
    today = local(floor.runtime.clock.now_ms(), floor.zone).date()
    if not asked:
        return today, ""
    try:
        day = dt.date.fromisoformat(asked)
        day_of(floor.plan, day)
    except (ValueError, OverflowError):
        return today, words.t("calls.bad_day")
    return day, ""


def _figures(found: Tally, words: Words) -> list[View]:
    counts = [(each, getattr(found, each.value)) for each in Came]
    return [
        {
            "word": words.t("said.share"),
            "text": _percent(found.share),
            "note": words.t("said.of", n=found.counted),
        },
        *({"word": words.t(f"said.came.{came}"), "text": str(count), "note": ""} for came, count in counts),
    ]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.0f}%"


def _chart(quarters: Mapping[int, Tally], from_ms: int, until_ms: int, words: Words) -> View:
    """A column for each quarter of an hour with an answer: as high as the share that came true."""
    slots = (until_ms - from_ms) // QUARTER_MS
    columns = []
    for begins_ms, each in sorted(quarters.items()):
        if each.share is None:
            continue
        high = round(each.share * HEIGHT, 1)
        columns.append(
            {
                "x": LEFT + (begins_ms - from_ms) // QUARTER_MS * SLOT,
                "y": round(TOP + HEIGHT - high, 1),
                "height": max(high, 1),
                "title": f"{_from(begins_ms, words)} {_percent(each.share)} ({each.within}/{each.counted})",
            }
        )
    lines = [{"y": TOP + HEIGHT - HEIGHT * part // 100, "word": f"{part}%"} for part in (0, 50, 100)]
    hours = [
        {"x": LEFT + n * SLOT, "word": _from(from_ms + n * QUARTER_MS, words)}
        for n in range(0, slots + 1, 16)
    ]
    width = LEFT + slots * SLOT + 24
    return {"columns": columns, "lines": lines, "hours": hours, "width": width, "height": TOP + HEIGHT + 24}


def _from(begins_ms: int, words: Words) -> str:
    return time_of_day(begins_ms, words.plan.timezone)[:5]


def _quarter(begins_ms: int, found: Tally, words: Words) -> View:
    counts = {each.value: getattr(found, each.value) for each in Came}
    return {"begins": _from(begins_ms, words), "share": _percent(found.share), **counts}


def _missed(told: list[Said], now_ms: int, words: Words) -> list[View]:
    """The calls behind the figure: those whose wait was longer than told, the last ones first."""
    late = [each for each in reversed(told) if each.came(now_ms) is Came.LATER]
    return [
        {
            "at": time_of_day(each.told_ms, words.plan.timezone),
            "href": f"/calls/{each.call_id}",
            "queue": words.queue(each.queue),
            "range": words.t("said.range", low=face(each.low_s * 1000), high=face(each.high_s * 1000)),
            "waited": face(each.wait_ms) if each.wait_ms is not None else words.t("said.not_answered"),
        }
        for each in late[:MISSED_SHOWN]
    ]
