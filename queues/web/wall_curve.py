"""Today's calls by the quarter of an hour, over those of the same weekday a week before, as lines to draw.

The picture is as wide as the hours in which either day had calls, so it does not move while the day goes on as the one
before; it is as high as the fuller quarter of the two days, rounded up. The quarter that runs is a bar of its own: it
is not over yet.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from config.runtime import Runtime
from queues.domain.periods import QUARTER_MS, Grain, midnight
from queues.domain.plan import Plan
from queues.service import figures
from queues.service.figures import Asked
from queues.web.times import local
from queues.web.words import Words

View = dict[str, Any]

WIDTH, HEIGHT = 960, 100
HOUR_MS: Final = 3_600_000
WEEK: Final = dt.timedelta(days=7)
HOURS_MIN: Final = 4
STEPS: Final = (4, 6, 10, 20, 40, 60, 100, 200, 400, 600, 1000)
LABELS_MAX: Final = 12


@dataclass(frozen=True, slots=True)
class Day:
    """Offered calls by the quarter, as the ms since midnight at which it begins."""

    from_ms: int
    calls: Mapping[int, int]


async def day_of(runtime: Runtime, plan: Plan, day: dt.date) -> Day:
    from_ms, until_ms = (midnight(each, plan.timezone) for each in (day, day + dt.timedelta(days=1)))
    points = await figures.series(runtime, plan, Asked(from_ms=from_ms, until_ms=until_ms), Grain.QUARTER)
    found = {point.start_ms - from_ms: point.totals.counts.sums["offered"] for point in points}
    return Day(from_ms, {at: calls for at, calls in found.items() if calls})


def curve_view(today: Day, before: Day, now_ms: int, words: Words) -> View:
    """By the clock: a day with an hour more or less is compared by the time since its midnight."""
    running = (now_ms - today.from_ms) // QUARTER_MS * QUARTER_MS
    first, last = _hours([*today.calls, *before.calls, running])
    most = max((*today.calls.values(), *before.calls.values()), default=0)
    top = next((step for step in STEPS if step >= most), most)
    span = _Frame(first, last, top)
    done = {at: today.calls.get(at, 0) for at in range(first, running, QUARTER_MS)}
    every = {at: before.calls.get(at, 0) for at in range(first, last, QUARTER_MS)} if before.calls else {}
    at = local(today.from_ms + running, words.plan.timezone)
    said = {"time": f"{at:%H:%M}", "today": sum(done.values())}
    past = sum(calls for start, calls in before.calls.items() if start < running)
    return {
        "today": span.line(done),
        "before": span.line(every),
        "now": span.bar(running, today.calls.get(running, 0)),
        "top": str(top),
        "hours": span.hours(),
        "told": words.t("wall.curve_told", before=past, **said)
        if before.calls
        else words.t("wall.curve_alone", **said),
    }


def _hours(starts: Sequence[int]) -> tuple[int, int]:
    """From whole hour to whole hour, no shorter than HOURS_MIN, in equal steps between the labels."""
    first = min(starts) // HOUR_MS
    count = max(max(starts) // HOUR_MS + 1 - first, HOURS_MIN)
    step = -(-count // LABELS_MAX)
    return first * HOUR_MS, (first + -(-count // step) * step) * HOUR_MS


@dataclass(frozen=True, slots=True)
class _Frame:
    first: int
    last: int
    top: int

    def x(self, at: int) -> float:
        return round((at - self.first) / (self.last - self.first) * WIDTH, 1)

    def line(self, calls: Mapping[int, int]) -> str:
        """A point in the middle of each quarter."""
        return " ".join(
            f"{self.x(at + QUARTER_MS // 2)},{round(HEIGHT - HEIGHT * number / self.top, 1)}"
            for at, number in sorted(calls.items())
        )

    def bar(self, at: int, calls: int) -> str:
        return f"{self.line({at: 0})} {self.line({at: calls})}"

    def hours(self) -> list[str]:
        """The labels under it, each where its part of the picture begins."""
        count = (self.last - self.first) // HOUR_MS
        step = -(-count // LABELS_MAX) * HOUR_MS
        return [str(at // HOUR_MS) for at in range(self.first, self.last, step)]
