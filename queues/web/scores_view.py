"""An agent's figures and points as the pages and their CSV show them, in one reader's words."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from config.web.sheets import Cell
from queues.domain.formulas import Formula, Value
from queues.domain.metrics import AGENT_COUNTS, CALL_SETS, CARDS, Figure, Totals, Unit
from queues.domain.scores import FULL, Judged, Score, Why
from queues.service import agent_figures
from queues.service.agent_figures import SYMBOLS, AgentReport
from queues.service.scores import Kept
from queues.web.scores_asked import Asked
from queues.web.times import date_of, day_and_time, face
from queues.web.words import Words

View = dict[str, Any]
OWN_WORDS: Final = ("A", "H", "HC", "TC", "talk", "hold", "wrap")
OWN_NAMES: Final = ("talk_time", "hold_time", "wrap_time")
TIER_COLUMNS: Final = ("answered", "aht", "talk_time", "hold_time", "wrap_time", "held_share", "transfer")
LIST_COLUMNS: Final = (
    *("answered", "aht", "acceptance", "missed", "transfer", "held_share", "occupancy", "readiness"),
)
CSV_COLUMNS: Final = (
    *("first", "last", "agent", "name", "value", "unit", "formula", "version", "earned", "full", "state"),
)


def number(value: Decimal | None) -> str:
    """Without the noughts behind it: 60, 59.9."""
    return "–" if value is None else f"{value.normalize():f}"


def amount_text(value: Value | Decimal, figure: str) -> str:
    """As it stands in a sentence: 95%, 4:05, 120."""
    unit = CARDS[figure].unit
    if value is None:
        return "–"
    if unit is Unit.SHARE:
        return f"{number(round(Decimal(str(value)) * 100, 2))}%"
    return face(round(float(value) * 1000)) if unit is Unit.SECONDS else f"{value:,.0f}"


def name_of(figure: str, words: Words) -> str:
    """What the registry calls a part of something has a name of its own where it stands alone."""
    return words.t(f"scores.name.{figure}" if figure in OWN_NAMES else f"figures.card.{figure}.name")


def score_view(score: Score | None, words: Words, *, is_over: bool) -> View | None:
    """None where there are no rules."""
    if score is None:
        return None
    t, mark = words.t, score.pass_mark
    state = "off" if score.points is None else "past" if score.is_below else "good"
    return {
        "points": number(score.points),
        "state": state,
        "word": verdict(score, words),
        "so_far": "" if is_over else t("scores.so_far"),
        "parts": [_part(part, words) for part in score.parts],
        "sum": t("scores.sum_of", earned=number(score.earned), counted=score.counted),
        "scaled": t(
            "scores.scaled",
            earned=number(score.earned),
            counted=score.counted,
            points=number(score.points),
        )
        if score.points is not None and score.counted != FULL
        else "",
        "rounding": t("scores.rounding", mark=mark),
    }


def verdict(score: Score, words: Words) -> str:
    if score.points is None:
        return words.t("scores.no_points")
    return words.t("scores.below", mark=score.pass_mark) if score.is_below else words.t("scores.passed")


def _part(part: Judged, words: Words) -> View:
    figure, t = part.figure, words.t
    told = {name: amount_text(getattr(part, name), figure) for name in ("value", "target", "floor")}
    earned = number(part.earned)
    return {
        **told,
        "figure": figure,
        "name": name_of(figure, words),
        "earned": t("scores.left_out")
        if part.earned is None
        else t("scores.earned_of", earned=earned, points=part.points),
        "state": {Why.REACHED: "good", Why.BETWEEN: "near", Why.FLOOR: "past"}.get(part.why, "off"),
        "why": t(f"scores.why.{part.why}", points=part.points, earned=earned, **told),
    }


def cards_of(figures: Mapping[str, Figure], asked: Asked, path: str, words: Words) -> list[View]:
    return [
        _card(name, each.value, each.card.formula, each.card.version, each.symbols, asked, path, words)
        for name, each in figures.items()
    ]


def kept_cards(kept: Kept, asked: Asked, path: str, words: Words) -> list[View]:
    """As they were when the month was kept, with the formula of then."""
    return [
        _card(
            name,
            each["value"],
            Formula(each["formula"]),
            each["version"],
            each["symbols"],
            asked,
            path,
            words,
        )
        for name, each in kept.figures.items()
        if name in CARDS
    ]


def _card(
    name: str,
    value: Value,
    formula: Formula,
    version: int,
    symbols: Mapping[str, Value],
    asked: Asked,
    path: str,
    words: Words,
) -> View:
    card, t = CARDS[name], words.t
    return {
        "id": name,
        "name": name_of(name, words),
        "text": amount_text(value, name),
        "formula": formula.printed,
        "words": t(f"figures.card.{name}.words"),
        "about": " · ".join(
            (
                t(f"figures.window.{card.window}"),
                t(f"figures.unit.{card.unit}"),
                t("figures.version", n=version),
            )
        ),
        "symbols": [_symbol(each, told, asked, path, words) for each, told in symbols.items()],
    }


def _symbol(name: str, value: Value, asked: Asked, path: str, words: Words) -> View:
    is_count = name in CALL_SETS or name in AGENT_COUNTS
    text = "–" if value is None else f"{value:,.0f}" if is_count else face(round(value * 1000))
    is_listed = name in SYMBOLS and bool(value)
    return {
        "name": name,
        "word": symbol_word(name, words),
        "text": text,
        "href": asked.address(f"{path}/calls", of=name) if is_listed else "",
    }


def symbol_word(name: str, words: Words) -> str:
    return words.t(f"scores.symbol.{name}" if name in OWN_WORDS else f"figures.symbol.{name}")


def tier_rows(report: AgentReport, words: Words) -> list[View]:
    """His calls by tier; the last row is what they add up to."""
    if not report.by_tier:
        return []
    rows = [
        {"name": words.tier(tier) or words.t("figures.none"), "cells": _cells(totals)}
        for tier, totals in sorted(report.by_tier.items(), key=lambda each: str(words.rank(each[0])))
    ]
    return [*rows, {"name": words.t("scores.all"), "cells": _cells(report.totals)}]


def _cells(totals: Totals) -> list[str]:
    told = agent_figures.figures(totals)
    return [amount_text(told[name].value, name) for name in TIER_COLUMNS]


def month_rows(
    kept: Sequence[Kept], made: Mapping[tuple[str, int], int], path: str, words: Words
) -> list[View]:
    """Every month and revision that was kept of one agent, the newest first."""
    latest = {each.month: each.revision for each in reversed(kept)}
    zone = words.plan.timezone
    rows = []
    for each in kept:
        made_ms = made.get((each.month, each.revision))
        is_latest = latest[each.month] == each.revision
        rows.append(
            {
                "month": each.month,
                "href": f"{path}?month={each.month}" if is_latest else "",
                "points": number(each.score.points),
                "word": verdict(each.score, words),
                "state": "off" if each.score.points is None else "past" if each.score.is_below else "good",
                "made": day_and_time(made_ms, zone, words.locale) if made_ms else "–",
                "note": words.t("scores.replaced")
                if not is_latest
                else words.t("scores.corrected")
                if each.is_corrected
                else "",
            }
        )
    return rows


def days_text(asked: Asked, words: Words) -> str:
    zone, spell = words.plan.timezone, asked.spell()
    first, last = (date_of(at_ms, zone, words.locale) for at_ms in (spell.from_ms, spell.until_ms - 1))
    return first if first == last else words.t("scores.days", first=first, last=last)


def list_row(
    name: str, href: str, score: Score | None, values: Mapping[str, Value], signed_in: str, words: Words
) -> View:
    return {
        "name": name,
        "href": href,
        "points": number(score.points) if score else "",
        "word": verdict(score, words) if score else "",
        "state": "off" if score is None or score.points is None else "past" if score.is_below else "good",
        "signed_in": signed_in,
        "cells": [
            {"name": name_of(each, words), "text": amount_text(values.get(each), each)}
            for each in LIST_COLUMNS
        ],
    }


def csv_rows(
    asked: Asked, name: str, values: Mapping[str, Value], score: Score | None, words: Words
) -> list[list[Cell]]:
    """One row a figure, and one of the points."""
    t = words.t
    days: list[Cell] = [asked.first.isoformat(), asked.last.isoformat(), name]
    parts = {part.figure: part for part in score.parts} if score else {}
    rows: list[list[Cell]] = []
    for figure, value in values.items():
        card, part = CARDS[figure], parts.get(figure)
        told = "" if value is None else round(value * 100, 2) if card.unit is Unit.SHARE else round(value, 1)
        judged: list[Cell] = ["", "", ""]
        if part is not None:
            earned = t("scores.left_out") if part.earned is None else number(part.earned)
            judged = [earned, part.points, ""]
        about: list[Cell] = [name_of(figure, words), told, t(f"figures.unit.{card.unit}")]
        rows.append([*days, *about, card.formula.printed, card.version, *judged])
    if score is not None:
        points = "" if score.points is None else number(score.points)
        rows.append([*days, t("scores.csv.total"), "", "", "", "", points, FULL, verdict(score, words)])
    return rows
