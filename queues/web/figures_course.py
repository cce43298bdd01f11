"""The course of a period: its points for the charts, the same in a table, each leading on; and as CSV."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import require
from config.web.sheets import csv_answer
from queues.service import exploring
from queues.service.exploring import Course, Part
from queues.service.figures import CARDS, Figure, Grain, figures_of
from queues.web.figures_asked import Found, address, given_in, read_asked
from queues.web.figures_frame import ROLES
from queues.web.figures_values import heading_of, number_of, text_of
from queues.web.floor import floor_of, words_of
from queues.web.times import day_and_time, iso, local, month_of, time_of_day
from queues.web.words import Words

View = dict[str, Any]
SETS: Final[Mapping[str, str]] = {"N": "arrived", "O": "offered", "A": "answered", "B": "abandoned"}
COLUMNS: Final = ("asa", "wait_p80")
CSV_COLUMNS: Final = ("begins", "ends", "grain")


def routes() -> list[BaseRoute]:
    return [Route("/figures/course.csv", export_course, methods=["GET"])]


@require(*ROLES)
async def export_course(request: Request) -> Response:
    """One row a quarter of an hour, day or month; instants by the clock on the wall, with its distance from UTC."""
    floor, words = floor_of(request), words_of(request)
    found = read_asked(given_in(request.query_params), floor, words)
    course = await exploring.course(floor.runtime, floor.plan, found.asked)
    level = floor.plan.targets.formula
    heading = [words.t(f"figures.csv.{name}") for name in CSV_COLUMNS]
    heading += [words.t(f"figures.short.{name}") for name in SETS]
    heading += [heading_of(name, words) for name in (level, *COLUMNS)]
    return csv_answer(
        f"course-{found.first}-{found.last}",
        heading,
        (_csv_row(part, course.grain, level, words) for part in course.parts),
        status_code=422 if found.error else 200,
    )


def _csv_row(part: Part, grain: Grain, level: str, words: Words) -> list[str | float | None]:
    zone, sums = words.plan.timezone, part.totals.counts.sums
    told = _told(part, level)
    return [
        iso(part.from_ms, zone),
        iso(part.until_ms, zone),
        words.t(f"figures.grain.{grain}"),
        *(sums[name] for name in SETS.values()),
        *(number_of(told[name]) for name in (level, *COLUMNS)),
    ]


def view(course: Course, found: Found, shares: Sequence[int], words: Words) -> View:
    level = words.plan.targets.formula
    rows = [_row(part, course.grain, found, level, words) for part in course.parts]
    return {
        "grain": words.t(f"figures.grain.{course.grain}"),
        "columns": [words.t(f"figures.card.{name}.name") for name in (level, *COLUMNS)],
        "rows": rows,
        "drawn": {
            "labels": [row["label"] for row in rows],
            "hrefs": [row["href"] for row in rows],
            "charts": _charts(course, shares, level, words),
            "grain": words.t(f"figures.grain.{course.grain}"),
        },
    }


def _told(part: Part, level: str) -> dict[str, Figure]:
    return figures_of(part.totals, [CARDS[name] for name in (level, *COLUMNS)])


def _row(part: Part, grain: Grain, found: Found, level: str, words: Words) -> View:
    zone, told, sums = words.plan.timezone, _told(part, level), part.totals.counts.sums
    first, last = local(part.from_ms, zone).date(), local(part.until_ms - 1, zone).date()
    days, more = replace(found, first=first, last=last, span=""), dict[str, str]()
    if grain is Grain.QUARTER:
        more = {"quarter": str(part.from_ms)}
    counts = {
        name: {
            "text": f"{sums[column]:,}",
            "href": address("/calls", days, of=name, **more) if sums[column] else "",
        }
        for name, column in SETS.items()
    }
    finer = counts["N"]["href"] if grain is Grain.QUARTER else address("/figures", days)
    return {
        "label": _label(part.from_ms, grain, found, words),
        "href": finer if sums["arrived"] else "",
        "counts": list(counts.values()),
        "cells": [text_of(told[name]) for name in (level, *COLUMNS)],
    }


def _label(at_ms: int, grain: Grain, found: Found, words: Words) -> str:
    zone, locale = words.plan.timezone, words.locale
    if grain is Grain.MONTH:
        return month_of(at_ms, zone, locale)
    if grain is Grain.DAY:
        return day_and_time(at_ms, zone, locale).rpartition(" ")[0]
    is_one_day = found.first == found.last
    return time_of_day(at_ms, zone)[:5] if is_one_day else day_and_time(at_ms, zone, locale)


def _charts(course: Course, shares: Sequence[int], level: str, words: Words) -> list[View]:
    """What is drawn: lines with their words, colours by name, and the numbers, null where there is nothing to tell."""
    told = [_told(part, level) for part in course.parts]
    sums = [part.totals.counts.sums for part in course.parts]
    counts = [
        {"word": words.t(f"figures.short.{name}"), "ink": ink, "values": [each[SETS[name]] for each in sums]}
        for name, ink in (("O", "accent"), ("A", "good"), ("B", "past"))
    ]
    levels: list[View] = [
        {
            "word": words.t(f"figures.card.{level}.name"),
            "ink": "accent",
            "values": [number_of(each[level]) for each in told],
        }
    ]
    levels += [
        {
            "word": words.t("figures.chart.target", share=share),
            "ink": "ink",
            "is_target": True,
            "values": [share] * len(told),
        }
        for share in shares
    ]
    waits = [
        {
            "word": words.t(f"figures.card.{name}.name"),
            "ink": ink,
            "values": [number_of(each[name]) for each in told],
        }
        for name, ink in (("asa", "accent"), ("wait_p80", "near"))
    ]
    return [
        {"id": "counts", "unit": "", "title": words.t("figures.chart.counts"), "lines": counts},
        {"id": "level", "unit": "%", "most": 100, "title": words.t("figures.level"), "lines": levels},
        {"id": "waits", "unit": "s", "title": words.t("figures.chart.waits"), "lines": waits},
    ]
