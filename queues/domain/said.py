"""Said against happened: of the waits that callers were told, how many came true.

Counted are the announcements that named a range, of callers who were answered after it: `within` = answered no sooner
and no later than told, `sooner`, `later`. Who hung up before the range was over could not be answered in it and
is counted apart (`left`); who hung up after it was told too little (`later`). Who waits still, and within his range, is
open. The share is within ÷ (within + sooner + later). Times are ms, ranges s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from queues.domain.announcing import OPEN_S

QUARTER_MS: Final = 900_000


class Came(StrEnum):
    WITHIN = "within"
    SOONER = "sooner"
    LATER = "later"
    LEFT = "left"
    OPEN = "open"
    UNSAID = "unsaid"  # the place alone was told


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One announcement, and what became of its call."""

    call_id: str
    told_ms: int
    queue: str
    position: int
    low_s: int
    high_s: int
    answered_ms: int | None
    ended_ms: int | None

    @property
    def wait_ms(self) -> int | None:
        return None if self.answered_ms is None else self.answered_ms - self.told_ms

    def came(self, now_ms: int) -> Came:
        if not self.high_s:
            return Came.UNSAID
        high_ms = self.high_s * 1000 if self.high_s < OPEN_S else None
        waited_ms = self.wait_ms
        if waited_ms is not None:
            if waited_ms < self.low_s * 1000:
                return Came.SOONER
            return Came.WITHIN if high_ms is None or waited_ms <= high_ms else Came.LATER
        until_ms = (now_ms if self.ended_ms is None else self.ended_ms) - self.told_ms
        if high_ms is not None and until_ms > high_ms:
            return Came.LATER
        return Came.OPEN if self.ended_ms is None else Came.LEFT


@dataclass(slots=True)
class Tally:
    within: int = 0
    sooner: int = 0
    later: int = 0
    left: int = 0
    open: int = 0
    unsaid: int = 0

    @property
    def counted(self) -> int:
        return self.within + self.sooner + self.later

    @property
    def share(self) -> float | None:
        """Answered within what was told; None where nothing counts."""
        return self.within / self.counted if self.counted else None

    def add(self, came: Came) -> None:
        setattr(self, came.value, getattr(self, came.value) + 1)


def tally(told: Iterable[Said], now_ms: int) -> Tally:
    found = Tally()
    for each in told:
        found.add(each.came(now_ms))
    return found


def by_quarter(told: Iterable[Said], now_ms: int, from_ms: int) -> dict[int, Tally]:
    """By the quarter of an hour in which it was told, counted from `from_ms`; quarters without any are left out."""
    found: dict[int, Tally] = {}
    for each in told:
        begins_ms = from_ms + (each.told_ms - from_ms) // QUARTER_MS * QUARTER_MS
        found.setdefault(begins_ms, Tally()).add(each.came(now_ms))
    return found
