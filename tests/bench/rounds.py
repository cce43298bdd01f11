"""Rounds: both sides of a ratio in turns, the median of what they gave, and how far it spreads.

A round is made of pairs, one turn of each side, so that whatever else the machine does falls on both; neither
side always goes first. What a round reads of its turns is their median, or a percentile where the tail is the
point, so one interruption does not decide it.
"""

import math
import statistics
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

Turn = Callable[[], Awaitable[Sequence[float]]]
Reader = Callable[[Sequence[float]], float]


@dataclass(frozen=True, slots=True)
class Limit:
    """A throughput is to reach it, a time is not to pass it."""

    value: float
    is_least: bool

    def is_met(self, ratio: float) -> bool:
        return ratio >= self.value if self.is_least else ratio <= self.value


def at_least(value: float) -> Limit:
    return Limit(value, is_least=True)


def at_most(value: float) -> Limit:
    return Limit(value, is_least=False)


class Size(StrEnum):
    """How much of everything a run has: for a figure, for a look, to see that it runs at all."""

    FULL = "full"
    QUICK = "quick"
    TRIAL = "trial"


@dataclass(frozen=True, slots=True)
class Pace:
    """How thoroughly a run measures."""

    rounds: int
    size: Size

    def of(self, full: int, quick: int, trial: int = 1) -> int:
        return {Size.FULL: full, Size.QUICK: quick, Size.TRIAL: trial}[self.size]


@dataclass(frozen=True, slots=True)
class Round:
    ours: float
    floor: float

    @property
    def ratio(self) -> float:
        return self.ours / self.floor


@dataclass(frozen=True, slots=True)
class Findings:
    """What one bench measured, and in one line where the time goes."""

    rounds: Sequence[Round]
    note: str = ""

    def noting(self, note: str) -> "Findings":
        return replace(self, note=note)

    @property
    def ratio(self) -> float:
        return statistics.median(each.ratio for each in self.rounds)

    @property
    def ours(self) -> float:
        return statistics.median(each.ours for each in self.rounds)

    @property
    def floor(self) -> float:
        return statistics.median(each.floor for each in self.rounds)

    @property
    def spread(self) -> tuple[float, float]:
        ratios = [each.ratio for each in self.rounds]
        return min(ratios), max(ratios)


@dataclass(frozen=True, slots=True)
class Bench:
    name: str
    what: str  # ours ÷ floor
    unit: str
    limit: Limit
    run: Callable[[Pace], Coroutine[Any, Any, Findings]]


async def take_turns(
    ours: Turn, floor: Turn, *, rounds: int, pairs: int, read: Reader = statistics.median
) -> list[Round]:
    """So many rounds of so many pairs, after one pair that does not count."""
    await ours()
    await floor()
    found = []
    for _ in range(rounds):
        ours_told: list[float] = []
        floor_told: list[float] = []
        for number in range(pairs):
            if number % 2:
                floor_told += await floor()
                ours_told += await ours()
            else:
                ours_told += await ours()
                floor_told += await floor()
        found.append(Round(read(ours_told), read(floor_told)))
    return found


def p99(readings: Sequence[float]) -> float:
    """The smallest reading that 99 in 100 do not pass."""
    in_order = sorted(readings)
    return in_order[math.ceil(0.99 * len(in_order)) - 1]
