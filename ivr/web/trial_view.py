"""What came out of a trial, as values in one reader's words: figures side by side, a chart, and the calls behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ivr.service.trials import OPEN, Trial
from ivr.simulation.record import NOT_OVER
from ivr.simulation.report import CURVE_STEPS
from ivr.simulation.terms import Terms
from queues.web.times import day_and_time, face, time_of_day
from queues.web.words import Words

View = dict[str, Any]
MARKS: Final = {"done": "good", "failed": "past", "interrupted": "past", "cancelled": "off"}
SIDES: Final = ("really", "before", "after")
# What is counted, what is a share, what is a time; and whether more of it is better (1), worse (-1) or neither (0).
MEASURES: Final = (
    ("offered", "count", 0),
    ("answered", "count", 1),
    ("abandoned", "count", -1),
    ("abandoned_share", "share", -1),
    ("waiting", "count", -1),
    ("wait_mean_s", "time", -1),
    ("wait_p50_s", "time", -1),
    ("wait_p80_s", "time", -1),
    ("wait_p95_s", "time", -1),
    ("longest_s", "time", -1),
    ("service_level", "share", 1),
    ("passed_mean", "number", -1),
    ("passed_max", "count", -1),
    ("promoted", "count", 0),
)
HOUSE_MEASURES: Final = (("occupancy", "share", 0), ("reserved_idle_s", "time", 0), ("agents", "count", 0))
OVERVIEW: Final = (
    "offered",
    "service_level",
    "abandoned_share",
    "wait_mean_s",
    "wait_p80_s",
    "wait_p95_s",
    "longest_s",
)
# What the record does not tell of a day that was.
UNRECORDED: Final = ("promoted", "reserved_idle_s")
# The picture, in its own units.
WIDTH, HEIGHT, LEFT, TOP, BELOW = 640, 220, 48, 10, 34


def summary_view(trial: Trial, names: Mapping[str, str], words: Words) -> View:
    """One line of the list, and the head of the page."""
    terms = Terms.from_json(trial.terms)
    return {
        "href": f"/simulate/{trial.trial_id}",
        "trial_id": trial.trial_id,
        "asked": day_and_time(trial.asked_ms, words.plan.timezone, words.locale),
        "who": names.get(trial.asked_by, ""),
        "state": trial.state,
        "state_word": words.t(f"trials.state.{trial.state}"),
        "mark": MARKS.get(trial.state, "near"),
        "is_open": trial.state in OPEN,
        "is_stopping": trial.state in OPEN and trial.is_cancelled,
        "done": trial.done,
        "calls": trial.calls,
        "title": words.t("trials.day_hours", day=terms.day, first=terms.from_hour, last=terms.until_hour),
        "changes": changes_told(terms, words),
        "error": words.t(f"trials.error.{trial.error}") if trial.error else "",
    }


def changes_told(terms: Terms, words: Words) -> list[str]:
    """What is tried, in the words of the site."""
    said = []
    if terms.before != terms.after:
        said.append(words.t("trials.tried.version", before=terms.before, after=terms.after))
    else:
        said.append(words.t("trials.tried.same_version", version=terms.before))
    for tier, knobs in terms.tiers.items():
        for knob, seconds in knobs.items():
            about = {"tier": words.tier(tier), "length": face(seconds * 1000)}
            said.append(words.t(f"trials.tried.{knob}", **about))
    if terms.agents:
        said.append(words.t("trials.tried.agents", n=terms.agents))
    if terms.more:
        said.append(
            words.t("trials.tried.more" if terms.more > 0 else "trials.tried.fewer", n=abs(terms.more))
        )
    times = {name: getattr(terms, name) for name in ("ring_s", "wrap_up_s")}
    said += [
        words.t(f"trials.tried.{name}", s=f"{value:g}") for name, value in times.items() if value is not None
    ]
    if not terms.is_compared:
        said.append(words.t("trials.tried.nothing"))
    return said


def result_view(result: Mapping[str, Any], words: Words) -> View:
    scopes = _scopes(result, words)
    sides = [side for side in SIDES if result.get(side)]
    default = result["default_tier"]
    return {
        "sides": [{"id": side, "word": words.t(f"trials.side.{side}")} for side in sides],
        "is_compared": result.get("after") is not None,
        "heads": _heads(result, default, words),
        "trust": _trust(result, words),
        "scopes": [_scope(each, result, sides, words) for each in scopes],
        "columns": [words.t(f"trials.figure.{name}") for name in OVERVIEW],
        "moved": words.t("trials.moved", **result["moved"]) if result.get("after") else "",
        "worst": [_call(each, words) for each in result["worst"]],
        "best": [_call(each, words) for each in result["best"]],
        "not_over": said_of((each for each in result["said"] if each[0] == NOT_OVER), words),
        "said": said_of((each for each in result["said"] if each[0] != NOT_OVER), words),
        "digest": result["digest"],
        "chart": _chart(result["chart"], words),
        "nobody": not result["before"]["agents"],
    }


def said_of(said: Iterable[Sequence[Any]], words: Words) -> list[str]:
    """What was assumed, with how many calls of each."""
    told = []
    for name, values in said:
        shown = {key: _shown(key, value, words) for key, value in values.items()}
        if shown.get("n", 1):
            told.append(words.t(f"trials.said.{name}", **shown))
    return told


def _shown(key: str, value: Any, words: Words) -> Any:
    if key == "at":
        return time_of_day(value, words.plan.timezone)
    return words.t("why.comma").join(value) if key == "who" else value


def _scopes(result: Mapping[str, Any], words: Words) -> list[View]:
    """All, each tier, each queue: in the order of the rules before, then what only another side has."""
    found: list[View] = [{"kind": "all", "id": "", "word": words.t("trials.all")}]
    for kind, name_of in (("by_tier", words.tier), ("by_queue", words.queue)):
        ids = dict.fromkeys(
            each for side in ("before", "after", "really") for each in (result.get(side) or {}).get(kind, {})
        )
        found += [{"kind": kind, "id": each, "word": name_of(each)} for each in ids]
    return found


def _figures(result: Mapping[str, Any], side: str, scope: View) -> Mapping[str, Any]:
    told = result.get(side) or {}
    found = (
        told.get("all", {}) if scope["kind"] == "all" else told.get(scope["kind"], {}).get(scope["id"], {})
    )
    if not found:
        return {}
    share = found["abandoned"] / found["offered"] if found["offered"] else 0.0
    house = {name: told[name] for name, *_ in HOUSE_MEASURES} if scope["kind"] == "all" else {}
    if house:
        house["agents"] = result["people"][side]
    return {**found, **house, "abandoned_share": share}


def _scope(scope: View, result: Mapping[str, Any], sides: Sequence[str], words: Words) -> View:
    figures = {side: _figures(result, side, scope) for side in sides}
    measures = (*MEASURES, *(HOUSE_MEASURES if scope["kind"] == "all" else ()))
    rows = {name: _row(name, kind, better, figures, words) for name, kind, better in measures}
    shown = [row for name, row in rows.items() if name != "waiting" or row["is_any"]]
    return {**scope, "rows": shown, "cells": [rows[name] for name in OVERVIEW]}


def _row(name: str, kind: str, better: int, figures: Mapping[str, Mapping[str, Any]], words: Words) -> View:
    values = {
        side: None if side == "really" and name in UNRECORDED else told.get(name)
        for side, told in figures.items()
    }
    before, after = values.get("before"), values.get("after")
    by = after - before if before is not None and after is not None else None
    return {
        "word": words.t(f"trials.figure.{name}"),
        "texts": {side: _text(value, kind) for side, value in values.items()},
        "by": _difference(by, kind),
        "mark": _mark(by, kind, better),
        "is_any": any(values.values()),
    }


def _text(value: float | None, kind: str) -> str:
    if value is None:
        return "–"
    if kind == "share":
        return f"{value * 100:.1f}%"
    if kind == "time":
        return face(round(value * 1000))
    return f"{value:.2f}" if kind == "number" else f"{value:,}"


def _difference(by: float | None, kind: str) -> str:
    if by is None or _is_nothing(by, kind):
        return "" if by is None else "="
    sign = "+" if by > 0 else "−"
    if kind == "share":
        return f"{sign}{abs(by) * 100:.1f}"
    return f"{sign}{_text(abs(by), kind)}"


def _mark(by: float | None, kind: str, better: int) -> str:
    """Green for better, red for worse; the sign stands beside it."""
    if by is None or not better or _is_nothing(by, kind):
        return ""
    return "good" if by * better > 0 else "past"


def _is_nothing(by: float, kind: str) -> bool:
    """Too small to be shown."""
    return abs(by) < {"share": 0.0005, "time": 0.5, "number": 0.005}.get(kind, 0.5)


def _heads(result: Mapping[str, Any], default: str, words: Words) -> list[View]:
    """The answer at a glance."""
    everybody = {"kind": "all", "id": "", "word": ""}
    ordinary = {"kind": "by_tier", "id": default, "word": words.tier(default)}
    chosen = (
        ("service_level", "share", 1, everybody),
        ("wait_p80_s", "time", -1, everybody),
        ("abandoned_share", "share", -1, everybody),
        ("longest_s", "time", -1, ordinary),
        ("occupancy", "share", 0, everybody),
    )
    sides = [side for side in SIDES if result.get(side)]
    found = []
    for name, kind, better, scope in chosen:
        row = _row(name, kind, better, {side: _figures(result, side, scope) for side in sides}, words)
        word = words.t("trials.longest_of", tier=scope["word"]) if scope is ordinary else row["word"]
        found.append({**row, "word": word})
    return found


def _trust(result: Mapping[str, Any], words: Words) -> str:
    """How near the simulated day as it was comes to the day that really was."""
    played, really = (_figures(result, side, {"kind": "all", "id": ""}) for side in ("before", "really"))
    return words.t(
        "trials.trust",
        played_level=_text(played["service_level"], "share"),
        really_level=_text(really["service_level"], "share"),
        played_mean=_text(played["wait_mean_s"], "time"),
        really_mean=_text(really["wait_mean_s"], "time"),
        played_left=played["abandoned"],
        really_left=really["abandoned"],
    )


def _call(change: Mapping[str, Any], words: Words) -> View:
    def wait(seconds: float, is_answered: bool) -> str:
        told = face(round(seconds * 1000))
        return told if is_answered else words.t("trials.left_after", wait=told)

    return {
        "call_id": change["call_id"],
        "href": f"/calls/{change['call_id']}",
        "at": time_of_day(change["queued_ms"], words.plan.timezone),
        "tier": words.tier(change["tier"]),
        "rank": words.rank(change["tier"]),
        "queue": words.queue(change["queue"]),
        "before": wait(change["wait_s"], change["answered"]),
        "after": wait(change["other_wait_s"], change["other_answered"]),
        "by": _difference(change["by_s"], "time"),
        "mark": "past" if change["by_s"] > 0 else "good",
    }


def _chart(chart: Mapping[str, Any], words: Words) -> View:
    """One curve a side: how many of a hundred callers had been answered after a time."""
    wide, high = WIDTH - LEFT - 16, HEIGHT - TOP - BELOW

    def points(shares: Sequence[float]) -> str:
        return " ".join(
            f"{LEFT + wide * step / CURVE_STEPS:.1f},{TOP + high * (1 - share):.1f}"
            for step, share in enumerate(shares)
        )

    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": LEFT + wide,
        "curves": [
            {"side": side, "word": words.t(f"trials.side.{side}"), "points": points(chart["lines"][side])}
            for side in SIDES
            if side in chart["lines"]
        ],
        "lines": [{"y": TOP + high - high * part // 100, "word": f"{part}%"} for part in (0, 50, 100)],
        "times": [
            {
                "x": LEFT + wide * part // 4,
                "word": face(round(chart["longest_s"] * 250 * part)),
                "anchor": "start" if part == 0 else "end" if part == 4 else "middle",
            }
            for part in range(5)
        ],
    }
