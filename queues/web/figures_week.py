"""The week by hours: when calls come and how long they wait, as a table of shaded cells, each leading to its calls."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import require
from config.web.sheets import csv_answer
from queues.domain.weeks import Hour
from queues.service import exploring
from queues.service.exploring import Measure, Week
from queues.service.figures import CARDS, Card, Figure, Totals, figures_of
from queues.web.figures_asked import Found, address, view_address
from queues.web.figures_frame import ROLES, csv_address, framed, path_of, read
from queues.web.figures_values import heading_of, number_of
from queues.web.floor import floor_of, words_of
from queues.web.times import date_of, face, local
from queues.web.words import Words

View = dict[str, Any]
SHADES: Final = 5
CSV_COLUMNS: Final = ("weekday", "hour")
# The card that tells a measure, and the calls behind a cell. What arrived is a count and has no card.
CARD_OF: Final[Mapping[Measure, str]] = {Measure.LONGEST: "longest_wait", Measure.MEAN: "asa"}
SET_OF: Final[Mapping[Measure, str]] = {
    Measure.ARRIVED: "N",
    Measure.LEVEL: "O",
    Measure.LONGEST: "O",
    Measure.MEAN: "A",
}


def routes() -> list[BaseRoute]:
    return [
        Route("/figures/week", show_week, methods=["GET"]),
        Route("/figures/week.csv", export_week, methods=["GET"]),
    ]


@require(*ROLES)
async def show_week(request: Request) -> Response:
    floor, words = floor_of(request), words_of(request)
    found, report = await read(request, floor, words)
    measure = _measure(request)
    week = await exploring.week(floor.runtime, floor.plan, found.asked, measure)
    shares = exploring.target_shares(floor.plan, report)
    own = {"measure": "" if measure is Measure.ARRIVED else measure.value}
    return await framed(
        request,
        "figures_week.html",
        "week",
        found,
        report.totals,
        own,
        measures=[
            {
                "word": words.t(f"figures.measure.{each}"),
                "href": view_address(path_of("week"), found, measure=each),
                "is_current": each is measure,
            }
            for each in Measure
        ],
        shares=words.t("figures.week.target", shares=", ".join(f"{share} %" for share in shares))
        if measure is Measure.LEVEL and shares
        else "",
        has_several=len(shares) > 1,
        part=_part(week, found, words),
        days=_days(week, measure, found, shares, words),
        csv_href=csv_address("week", found),
    )


@require(*ROLES)
async def export_week(request: Request) -> Response:
    """All 168 hours with all measures."""
    floor, words = floor_of(request), words_of(request)
    found, _ = await read(request, floor, words)
    told = [
        (each, (await exploring.week(floor.runtime, floor.plan, found.asked, each)).hours) for each in Measure
    ]
    cards = {each: _card(each, words) for each in Measure}
    return csv_answer(
        f"week-{found.first}-{found.last}",
        [
            *(words.t(f"figures.csv.{name}") for name in CSV_COLUMNS),
            *(heading_of(card.id, words) if card else words.t("figures.short.N") for card in cards.values()),
        ],
        (
            [
                words.t(f"figures.weekday.{day + 1}"),
                f"{hour:02d}:00",
                *(_number(hours.get(Hour(day, hour)), cards[each]) for each, hours in told),
            ]
            for day in range(7)
            for hour in range(24)
        ),
        status_code=422 if found.error else 200,
    )


def _measure(request: Request) -> Measure:
    asked = request.query_params.get("measure", "")
    return Measure(asked) if asked in set(Measure) else Measure.ARRIVED


def _card(measure: Measure, words: Words) -> Card | None:
    if measure is Measure.ARRIVED:
        return None
    return CARDS[words.plan.targets.formula if measure is Measure.LEVEL else CARD_OF[measure]]


def _figure(totals: Totals, card: Card) -> Figure:
    return figures_of(totals, [card])[card.id]


def _number(totals: Totals | None, card: Card | None) -> float | None:
    if totals is None:
        return 0 if card is None else None
    return totals.counts.sums["arrived"] if card is None else number_of(_figure(totals, card))


def _part(week: Week, found: Found, words: Words) -> str:
    """What is said where not all of the period is in it."""
    if week.from_ms == found.asked.from_ms:
        return ""
    zone = words.plan.timezone
    days = {
        "first": date_of(week.from_ms, zone, words.locale),
        "last": date_of(week.until_ms - 1, zone, words.locale),
    }
    return words.t("figures.week.part", **days)


def _days(week: Week, measure: Measure, found: Found, shares: Sequence[int], words: Words) -> list[View]:
    card = _card(measure, words)
    numbers = {hour: _number(totals, card) for hour, totals in week.hours.items()}
    most = max((each for each in numbers.values() if each), default=0)
    zone = words.plan.timezone
    first, last = (str(local(at_ms, zone).date()) for at_ms in (week.from_ms, week.until_ms - 1))
    days = []
    for day in range(7):
        cells = []
        for number in range(24):
            hour = Hour(day, number)
            totals = week.hours.get(hour)
            cell = _cell(totals, card, numbers.get(hour), most, shares)
            symbol = SET_OF[measure]
            if totals is not None and cell["text"] and totals.symbols()[symbol]:
                own = {"of": symbol, "hour": f"{day + 1}-{number:02d}", "from": first, "until": last}
                cell["href"] = address("/calls", found, **own)
            cells.append(cell)
        days.append(
            {
                "word": words.t(f"figures.weekday.{day + 1}"),
                "short": words.t(f"figures.weekday_short.{day + 1}"),
                "cells": cells,
            }
        )
    return days


def _cell(
    totals: Totals | None, card: Card | None, number: float | None, most: float, shares: Sequence[int]
) -> View:
    """Shades say how much; of the service level the colour says whether the target is met, as everywhere."""
    if totals is None or number is None:
        return {"text": "", "href": "", "shade": 0, "state": ""}
    text = f"{number:,.0f}" if card is None else _short(_figure(totals, card))
    if card is not None and card.id not in CARD_OF.values():
        state = "good" if number >= shares[-1] else "past" if number < shares[0] else "near"
        return {"text": text, "href": "", "shade": 0, "state": state if shares else ""}
    shade = -(-SHADES * number // most) if most else 0
    return {"text": text, "href": "", "shade": int(shade), "state": ""}


def _short(figure: Figure) -> str:
    """What fits in a cell: whole percents, a length as a clock shows it."""
    if figure.value is None:
        return ""
    if figure.card.id in CARD_OF.values():
        return face(round(figure.value * 1000))
    return f"{figure.value * 100:.0f}"
