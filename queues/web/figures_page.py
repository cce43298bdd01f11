"""Figures: the course of a period, every metric card with its definition, the way from each to its calls; as CSV."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import require
from config.web.sheets import csv_answer
from queues.domain.metrics import Unit
from queues.domain.targets import target_of
from queues.service import exploring
from queues.service.figures import Figure, Kind, Report, Totals, figures_of
from queues.web import figures_agents, figures_course, figures_views, figures_waits, figures_week
from queues.web.figures_asked import Found, address, view_address
from queues.web.figures_cards import card_view
from queues.web.figures_frame import ROLES, csv_address, framed, has_charts, read
from queues.web.figures_values import number_of, text_of, value_text
from queues.web.floor import Floor, floor_of, words_of
from queues.web.words import Words

View = dict[str, Any]
HEADLINE: Final = ("connect_rate", "asa", "wait_p80", "abandonment")  # after the contractual service level
COLUMNS: Final = ("connect_rate", "asa", "wait_p80", "abandonment", "longest_wait", "aht")
CSV_COLUMNS: Final = ("first", "last", "set", "name", "value", "unit", "formula", "version")


def routes() -> list[BaseRoute]:
    return [
        Route("/figures", show_figures, methods=["GET"], name="figures"),
        Route("/figures.csv", export_figures, methods=["GET"], name="figures_csv"),
        *figures_course.routes(),
        *figures_week.routes(),
        *figures_waits.routes(),
        *figures_agents.routes(),
        *figures_views.routes(),
    ]


@require(*ROLES)
async def show_figures(request: Request) -> Response:
    floor, words = floor_of(request), words_of(request)
    found, report = await read(request, floor, words)
    course = await exploring.course(floor.runtime, floor.plan, found.asked)
    shares = exploring.target_shares(floor.plan, report)
    told, contract = figures_of(report.totals), floor.plan.targets.formula
    return await framed(
        request,
        "figures.html",
        "",
        found,
        report.totals,
        headline=[
            {"id": name, "word": words.t(f"figures.card.{name}.name"), "text": text_of(told[name])}
            for name in (contract, *HEADLINE)
        ],
        groups=[
            {
                "word": words.t(f"figures.kind.{kind}"),
                "cards": [
                    card_view(each, found, contract, words)
                    for each in told.values()
                    if each.card.kind is kind
                ],
            }
            for kind in Kind
        ],
        tables=_tables(report, found, words),
        course=figures_course.view(course, found, shares, words),
        course_csv=address("/figures/course.csv", found),
        has_charts=has_charts(request),
        csv_href=csv_address("", found),
        target=_target(found, floor, words),
    )


@require(*ROLES)
async def export_figures(request: Request) -> Response:
    """One row a figure and set: of all, each queue, tier and department."""
    floor, words = floor_of(request), words_of(request)
    found, report = await read(request, floor, words)
    days = found.first.isoformat(), found.last.isoformat()
    return csv_answer(
        f"figures-{found.first}-{found.last}",
        [words.t(f"figures.csv.{name}") for name in CSV_COLUMNS],
        (
            [*days, name, *_csv_row(each, words)]
            for name, totals in _sets(report, words)
            for each in figures_of(totals).values()
        ),
        status_code=422 if found.error else 200,
    )


def _sets(report: Report, words: Words) -> Iterator[tuple[str, Totals]]:
    yield words.t("figures.all"), report.totals
    for by, word in _names(words).items():
        for name, totals in _divided(by, report, words).items():
            yield word(name) or words.t("figures.none"), totals


def _names(words: Words) -> dict[str, Callable[[str], str]]:
    """What the calls are divided by, and how the parts are called; by departments where the site has some."""
    found = {"queue": words.queue, "tier": words.tier}
    return found | ({"department": words.department} if words.plan.departments else {})


def _divided(by: str, report: Report, words: Words) -> dict[str, Totals]:
    if by != "department":
        return report.by(0 if by == "queue" else 1)
    return exploring.by_department(words.plan, report)


def _csv_row(figure: Figure, words: Words) -> list[str | float | None]:
    card = figure.card
    name, unit = words.t(f"figures.card.{card.id}.name"), words.t(f"figures.unit.{card.unit}")
    return [name, number_of(figure), unit, card.formula.printed, card.version]


def _tables(report: Report, found: Found, words: Words) -> list[View]:
    return [_table(by, report, found, words) for by in _names(words)]


def _table(by: str, report: Report, found: Found, words: Words) -> View:
    """One line for each part, the counts leading to their calls; they add up to the line of all."""
    word = _names(words)[by]
    rows = [
        _row(word(name) or words.t("figures.none"), totals, found, {by: name} if name else None, words)
        for name, totals in _divided(by, report, words).items()
    ]
    return {
        "by": words.t(f"figures.by.{by}"),
        "columns": [words.t(f"figures.card.{each}.name") for each in COLUMNS],
        "rows": rows,
        "all": _row(words.t("figures.all"), report.totals, found, {}, words),
    }


def _row(name: str, totals: Totals, found: Found, narrowed: Mapping[str, str] | None, words: Words) -> View:
    told, symbols = figures_of(totals), totals.symbols()
    level = told[words.plan.targets.formula]
    return {
        "name": name,
        "href": view_address("/figures", found, **narrowed) if narrowed else "",
        "counts": [
            {
                "text": value_text(symbols[each], Unit.COUNT),
                "href": address("/calls", found, of=each, **narrowed)
                if symbols[each] and narrowed is not None
                else "",
            }
            for each in ("N", "O", "A", "B")
        ],
        "level": value_text(level.value, level.card.unit),
        "cells": [value_text(told[each].value, told[each].card.unit) for each in COLUMNS],
    }


def _target(found: Found, floor: Floor, words: Words) -> str:
    """The target that holds where one queue is chosen; else that each has its own."""
    queue = found.queue
    if not queue:
        return words.t("figures.targets_differ")
    target = target_of(floor.plan, queue, found.asked.tier)
    return words.t("figures.target", share=target.share, seconds=target.within_s, short=target.short_s)
