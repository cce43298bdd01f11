"""Figures: every metric card of a period with its definition, and the way from each figure to its calls; as CSV too."""

import csv
import datetime as dt
import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import require
from config.web.templates import page
from queues.domain.formulas import Value
from queues.domain.metrics import Unit
from queues.domain.targets import target_of
from queues.service import figures, people
from queues.service.figures import CALL_SETS, CARDS, Figure, Kind, Report, Totals, figures_of
from queues.web.figures_asked import NAMES, Found, address, read_asked
from queues.web.floor import Floor, floor_of, words_of
from queues.web.times import face, full_date, local
from queues.web.words import Words

View = dict[str, Any]
TEXT_LENGTH_MAX: Final = 80
BOM: Final = "\ufeff"  # by it Excel knows that the file is UTF-8
COLUMNS: Final = ("connect_rate", "asa", "wait_p80", "abandonment", "longest_wait", "aht")
CSV_COLUMNS: Final = ("first", "last", "set", "name", "value", "unit", "formula", "version")
SPANS: Final = (("today", 0, 0), ("yesterday", 1, 1), ("week", 6, 0), ("month", 29, 0), ("year", 364, 0))
ROLES: Final = ("supervisor", "qa", "admin")


def routes() -> list[BaseRoute]:
    return [
        Route("/figures", show_figures, methods=["GET"], name="figures"),
        Route("/figures.csv", export_figures, methods=["GET"], name="figures_csv"),
    ]


@require(*ROLES)
async def show_figures(request: Request) -> Response:
    floor, words = floor_of(request), words_of(request)
    found, report = await _read(request, floor, words)
    told, contract = figures_of(report.totals), floor.plan.targets.formula
    now_ms = report.now_ms
    return page(
        request,
        "figures.html",
        status_code=422 if found.error else 200,
        error=found.error,
        first=found.first.isoformat(),
        last=found.last.isoformat(),
        chosen={
            "department": found.department,
            "queue": found.queue,
            "tier": found.asked.tier,
            "line": found.asked.line,
        },
        choices=_choices(words),
        spans=_spans(found, floor, words),
        count=report.totals.counts.sums["arrived"],
        is_open=report.totals.is_open or found.asked.until_ms > now_ms,
        unsettled=report.totals.counts.sums["unsettled"],
        corrected=full_date(report.totals.corrected_ms, floor.zone, words.locale)
        if report.totals.corrected_ms
        else "",
        groups=[
            {
                "word": words.t(f"figures.kind.{kind}"),
                "cards": [
                    _card(each, found, contract, words) for each in told.values() if each.card.kind is kind
                ],
            }
            for kind in Kind
        ],
        tables=[_table("queue", 0, report, found, words), _table("tier", 1, report, found, words)],
        agents=await _agents(floor, report),
        csv_href=address("/figures.csv", found),
        target=_target(found, floor, words),
    )


@require(*ROLES)
async def export_figures(request: Request) -> Response:
    """One row a figure and set: of all, each queue, each tier."""
    floor, words = floor_of(request), words_of(request)
    found, report = await _read(request, floor, words)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(words.t(f"figures.csv.{name}") for name in CSV_COLUMNS)
    for name, totals in _sets(report, words):
        for each in figures_of(totals).values():
            writer.writerow([found.first, found.last, name, *_csv_row(each, words)])
    name = f"figures-{found.first}-{found.last}.csv"
    return Response(
        BOM + text.getvalue(),
        status_code=422 if found.error else 200,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


async def _read(request: Request, floor: Floor, words: Words) -> tuple[Found, Report]:
    given = {name: request.query_params.get(name, "").strip()[:TEXT_LENGTH_MAX] for name in NAMES}
    found = read_asked(given, floor, words)
    return found, await figures.read(floor.runtime, floor.plan, found.asked)


def _sets(report: Report, words: Words) -> Iterator[tuple[str, Totals]]:
    yield words.t("figures.all"), report.totals
    for place, word in ((0, words.queue), (1, words.tier)):
        for name, totals in report.by(place).items():
            yield word(name) or words.t("figures.none"), totals


def _csv_row(figure: Figure, words: Words) -> list[object]:
    card, value = figure.card, figure.value
    number = "" if value is None else round(value * 100, 2) if card.unit is Unit.SHARE else round(value, 1)
    name, unit = words.t(f"figures.card.{card.id}.name"), words.t(f"figures.unit.{card.unit}")
    return [name, number, unit, card.formula.printed, card.version]


def _card(figure: Figure, found: Found, contract: str, words: Words) -> View:
    card = figure.card
    return {
        "id": card.id,
        "name": words.t(f"figures.card.{card.id}.name"),
        "text": value_text(figure.value, card.unit),
        "is_contract": card.id == contract,
        "formula": card.formula.printed,
        "words": words.t(f"figures.card.{card.id}.words"),
        "window": words.t(f"figures.window.{card.window}"),
        "unit": words.t(f"figures.unit.{card.unit}"),
        "version": card.version,
        "source": card.source,
        "symbols": [_symbol(name, value, found, words) for name, value in figure.symbols.items()],
    }


def _symbol(name: str, value: Value, found: Found, words: Words) -> View:
    is_listed = name in CALL_SETS and bool(value)
    is_count = name in CALL_SETS or name in figures.AGENT_COUNTS or name.startswith(("E", "S_"))
    return {
        "name": name,
        "word": words.t(f"figures.symbol.{name}"),
        "text": value_text(value, Unit.COUNT if is_count else Unit.SECONDS),
        "href": address("/calls", found, of=name) if is_listed else "",
    }


def value_text(value: Value, unit: Unit) -> str:
    if value is None:
        return "–"
    if unit is Unit.SHARE:
        return f"{value * 100:.2f}%"
    return face(round(value * 1000)) if unit is Unit.SECONDS else f"{value:,.0f}"


def _table(by: str, place: int, report: Report, found: Found, words: Words) -> View:
    """One line for each queue or tier, the counts leading to their calls; they add up to the line of all."""
    word = words.queue if by == "queue" else words.tier
    rows = [
        _row(word(name) or words.t("figures.none"), totals, found, {by: name} if name else None, words)
        for name, totals in report.by(place).items()
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
        "href": address("/figures", found, **narrowed) if narrowed else "",
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


async def _agents(floor: Floor, report: Report) -> list[View]:
    """Of the whole house alone: what an agent did has no queue and no tier."""
    if report.totals.agents is None:
        return []
    names = {each.agent_id: each.name for each in await people.agents_of_site(floor.runtime)}
    found = []
    for agent_id, sums in sorted(report.by_agent.items()):
        told = figures_of(Totals(agents=sums), [CARDS["occupancy"], CARDS["acceptance"]])
        spent = sum(
            sums[f"{state}_ms"]
            for state in ("away", "ready", "offered", "connecting", "connected", "wrap_up")
        )
        found.append(
            {
                "name": names.get(agent_id, agent_id),
                "signed_in": face(spent),
                "counts": [
                    sums[name] for name in ("offers", "accepted", "declined", "expired", "talks", "transfers")
                ],
                "lengths": [face(sums[f"{state}_ms"]) for state in ("connected", "wrap_up", "ready", "away")],
                "shares": [value_text(each.value, each.card.unit) for each in told.values()],
            }
        )
    return found


def _choices(words: Words) -> dict[str, list[dict[str, str]]]:
    plan = words.plan
    return {
        "department": [{"id": each, "word": words.department(each)} for each in plan.departments],
        "queue": [{"id": each, "word": words.queue(each)} for each in plan.queues],
        "tier": [{"id": each, "word": words.tier(each)} for each in plan.tiers],
        "line": [{"id": each, "word": words.line(each)} for each in plan.lines],
    }


def _spans(found: Found, floor: Floor, words: Words) -> list[View]:
    here = local(floor.runtime.clock.now_ms(), floor.zone).date()
    spans = []
    for name, back, until in SPANS:
        first, last = here - dt.timedelta(days=back), here - dt.timedelta(days=until)
        spans.append(
            {
                "word": words.t(f"figures.span.{name}"),
                "href": address("/figures", replace(found, first=first, last=last)),
                "is_current": (first, last) == (found.first, found.last),
            }
        )
    return spans


def _target(found: Found, floor: Floor, words: Words) -> str:
    """The target that holds where one queue is chosen; else that each has its own."""
    queue = found.queue
    if not queue:
        return words.t("figures.targets_differ")
    target = target_of(floor.plan, queue, found.asked.tier)
    return words.t("figures.target", share=target.share, seconds=target.within_s, short=target.short_s)
