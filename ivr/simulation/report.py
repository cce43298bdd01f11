"""A simulated day told: as a table, as JSON, as one page that needs nothing else."""

import html
import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ivr.simulation.figures import DayFigures, Figures
from ivr.simulation.scenario import PlayedCall, PlayedDay

COLUMNS = (
    "offered",
    "answered",
    "left",
    "mean",
    "p50",
    "p80",
    "p95",
    "longest",
    "in time",
    "passed",
    "promoted",
)
WIDTH, HEIGHT, PAD = 720, 260, 40
CURVE_STEPS = 200
COLOURS = ("#1f5fbf", "#b3261e", "#2e7d32", "#8e5bb5", "#b26a00", "#00696f")
STYLE = """
body{font:15px/1.5 system-ui,"Noto Sans SC","PingFang SC","Microsoft YaHei",sans-serif;
max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}td,th{padding:.25rem .75rem;text-align:right;
border-bottom:1px solid #8884}td:first-child,th:first-child{text-align:left}svg{width:100%;height:auto}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One site's day, by the name it is told under."""

    name: str
    version: str
    day: PlayedDay
    figures: DayFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the other site would have done for one call; negative = he waits less there."""

    call_id: str
    tier: str
    queue: str
    wait_s: float
    other_wait_s: float
    answered: bool
    other_answered: bool

    @property
    def by_s(self) -> float:
        return self.other_wait_s - self.wait_s


def as_json(told: Told, other: Told | None = None, assumed: Sequence[str] = ()) -> dict[str, Any]:
    result = {"site": told.name, "version": told.version, **told.figures.as_json(), "assumed": list(assumed)}
    if other is not None:
        result["against"] = {"site": other.name, "version": other.version, **other.figures.as_json()}
        result["changes"] = [as_row(change) for change in changes(told.day, other.day) if change.by_s]
    return result


def as_row(change: Change) -> dict[str, Any]:
    return {**{name: getattr(change, name) for name in Change.__slots__}, "by_s": change.by_s}


def changes(day: PlayedDay, other: PlayedDay) -> list[Change]:
    """Call by call, the greatest difference first."""
    there = {each.call.call_id: each for each in other.calls}
    found = [_change(each, there[each.call.call_id]) for each in day.calls]
    return sorted(found, key=lambda change: (-abs(change.by_s), change.call_id))


def _change(here: PlayedCall, there: PlayedCall) -> Change:
    return Change(
        call_id=here.call.call_id,
        tier=here.call.tier,
        queue=here.call.queue,
        wait_s=here.wait_ms / 1000,
        other_wait_s=there.wait_ms / 1000,
        answered=here.is_answered,
        other_answered=there.is_answered,
    )


def table(told: Told) -> str:
    """Rows by tier, then by queue, then all, with the columns under each other."""
    rows = [("", *COLUMNS), *(_texts(name, figures) for name, figures in _rows(told.figures))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        f"{row[0]:<{widths[0]}}  "
        + "  ".join(f"{text:>{width}}" for text, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    ]
    busy = f"{told.figures.agents} agents, busy {told.figures.occupancy:.1%} of their time"
    if told.figures.reserved_idle_s:
        busy += f", idle on kept seats while others waited {told.figures.reserved_idle_s:.0f} s"
    return "\n".join([f"{told.name} (version {told.version}): {busy}", *lines])


def _rows(figures: DayFigures) -> list[tuple[str, Figures]]:
    return [
        *((f"tier {name}", each) for name, each in figures.by_tier.items()),
        *((f"queue {name}", each) for name, each in figures.by_queue.items()),
        ("all", figures.all),
    ]


def _texts(name: str, figures: Figures) -> tuple[str, ...]:
    waits = (
        figures.wait_mean_s,
        figures.wait_p50_s,
        figures.wait_p80_s,
        figures.wait_p95_s,
        figures.longest_s,
    )
    return (
        name,
        str(figures.offered),
        str(figures.answered),
        f"{figures.abandoned} ({figures.abandoned_share:.1%})",
        *(f"{wait:.1f} s" for wait in waits),
        f"{figures.service_level:.1%}",
        f"{figures.passed_mean:.2f} (max {figures.passed_max})",
        str(figures.promoted),
    )


def summary_of_changes(told: Told, other: Told) -> str:
    found = changes(told.day, other.day)
    sooner, later = sum(each.by_s < 0 for each in found), sum(each.by_s > 0 for each in found)
    same = len(found) - sooner - later
    lines = [f"{other.name} against {told.name}: {sooner} calls wait less, {later} longer, {same} the same"]
    lines += [
        f"  {each.call_id} {each.tier}/{each.queue}: {each.wait_s:.1f} s -> {each.other_wait_s:.1f} s"
        f" ({each.by_s:+.1f} s)"
        for each in found[:10]
        if each.by_s
    ]
    return "\n".join(lines)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")


def write_html(path: Path, told: Sequence[Told], assumed: Sequence[str]) -> None:
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Simulated day</title><style>{STYLE}</style>"
    ]
    parts.append("<h1>Simulated day</h1>")
    for each in told:
        parts.append(f"<h2>{html.escape(each.name)} <small>version {html.escape(each.version)}</small></h2>")
        parts.append(f"<p>{each.figures.agents} agents, busy {each.figures.occupancy:.1%} of their time.</p>")
        parts.append(_html_table(each.figures))
        parts.append(f"<h3>Share of callers answered within so many seconds, by tier</h3>{curves(each.day)}")
    if assumed:
        parts.append(
            "<h2>Assumed</h2><ul>" + "".join(f"<li>{html.escape(text)}" for text in assumed) + "</ul>"
        )
    path.write_text("\n".join(parts) + "\n", "utf-8")


def _html_table(figures: DayFigures) -> str:
    head = "".join(f"<th>{name}" for name in ("", *COLUMNS))
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(text)}" for text in _texts(name, each))
        for name, each in _rows(figures)
    )
    return f"<table><tr>{head}{body}</table>"


def curves(day: PlayedDay) -> str:
    """The share of each tier's offered calls that was answered within a time, as one drawing."""
    tiers = sorted({each.call.tier for each in day.calls})
    longest_s = max((each.wait_ms / 1000 for each in day.calls if each.is_answered), default=1) or 1
    lines = [_curve(day, tier, longest_s, COLOURS[n % len(COLOURS)]) for n, tier in enumerate(tiers)]
    names = [
        f'<text x="{WIDTH - 180}" y="{40 + 18 * n}" fill="{COLOURS[n % len(COLOURS)]}">{html.escape(tier)}</text>'
        for n, tier in enumerate(tiers)
    ]
    axes = (
        f'<path d="M{PAD} {PAD / 2}V{HEIGHT - PAD}H{WIDTH - PAD}" fill="none" stroke="currentColor"/>'
        f'<text x="{PAD}" y="{HEIGHT - 12}">0 s</text><text x="{WIDTH - PAD}" y="{HEIGHT - 12}" text-anchor="end">'
        f'{longest_s:.0f} s</text><text x="4" y="{PAD / 2 + 8}">100 %</text>'
    )
    title = "Share of callers answered within a time, one curve a tier"
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}" font-size="13">'
    return f"{head}{axes}{''.join(lines + names)}</svg>"


def shares_within(waits_s: Sequence[float], offered: int, longest_s: float) -> list[float]:
    """The share of the offered calls that had been answered after each of equal steps up to `longest_s`."""
    in_order = sorted(waits_s)
    ends = (longest_s * step / CURVE_STEPS for step in range(CURVE_STEPS + 1))
    return [bisect_right(in_order, end_s) / max(1, offered) for end_s in ends]


def _curve(day: PlayedDay, tier: str, longest_s: float, colour: str) -> str:
    own = [each for each in day.calls if each.call.tier == tier]
    waits = [each.wait_ms / 1000 for each in own if each.is_answered]
    points = [
        f"{PAD + (WIDTH - 2 * PAD) * step / CURVE_STEPS:.1f},{HEIGHT - PAD - (HEIGHT - 1.5 * PAD) * share:.1f}"
        for step, share in enumerate(shares_within(waits, len(own), longest_s))
    ]
    return f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2"/>'
