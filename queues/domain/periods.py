"""Periods: quarters of an hour by the instant, days and months by the site's zone.

A quarter is keyed by the UTC instant at which it begins, so the hour that comes twice in autumn is two hours. A day is
the time from one local midnight to the next, 23 to 25 hours long; every zone in force today is a multiple of a quarter
of an hour away from UTC, so days and months are made of whole quarters. All instants are ms.
"""

import datetime as dt
from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

QUARTER_MS: Final = 900_000
YEARS: Final = range(1970, 9999)  # before and after them the calendar ends within a zone's reach
_FROM_MS, _UNTIL_MS = (
    round(dt.datetime(year, 1, 1, tzinfo=dt.UTC).timestamp() * 1000) for year in (YEARS.start, YEARS.stop)
)


class Grain(StrEnum):
    QUARTER = "quarter"
    DAY = "day"
    MONTH = "month"


class Piece(NamedTuple):
    """The rows of one grain that begin in [from_ms, until_ms)."""

    grain: Grain
    from_ms: int
    until_ms: int


def is_dated(at_ms: int) -> bool:
    """Whether this instant is in a quarter, day and month at all."""
    return _FROM_MS <= at_ms < _UNTIL_MS


def start_of(grain: Grain, at_ms: int, zone: str) -> int:
    """When the quarter, day or month of this instant began."""
    if grain is Grain.QUARTER:
        return at_ms // QUARTER_MS * QUARTER_MS
    day = dt.datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone)).date()
    return midnight(day if grain is Grain.DAY else day.replace(day=1), zone)


def midnight(day: dt.date, zone: str) -> int:
    """The instant at which this day begins there."""
    return round(dt.datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def pieces(from_ms: int, until_ms: int, zone: str) -> tuple[Piece, ...]:
    """The range as few rows: months that lie in it whole, then days, then quarters, without gap or overlap.

    A quarter that lies in it in part is out at the end and in at the beginning: ranges that follow each other add up.
    """
    from_ms, until_ms = up(Grain.QUARTER, from_ms, zone), up(Grain.QUARTER, until_ms, zone)
    return tuple(_pieces((Grain.MONTH, Grain.DAY, Grain.QUARTER), from_ms, until_ms, zone))


def _pieces(grains: tuple[Grain, ...], from_ms: int, until_ms: int, zone: str) -> Iterator[Piece]:
    if from_ms >= until_ms:
        return
    grain, finer = grains[0], grains[1:]
    if not finer:
        yield Piece(grain, from_ms, until_ms)
        return
    inner_from, inner_until = up(grain, from_ms, zone), start_of(grain, until_ms, zone)
    if inner_from >= inner_until:
        yield from _pieces(finer, from_ms, until_ms, zone)
        return
    yield from _pieces(finer, from_ms, inner_from, zone)
    yield Piece(grain, inner_from, inner_until)
    yield from _pieces(finer, inner_until, until_ms, zone)


def up(grain: Grain, at_ms: int, zone: str) -> int:
    """The first beginning at this instant or after it."""
    start_ms = start_of(grain, at_ms, zone)
    return start_ms if start_ms == at_ms else following(grain, start_ms, zone)


def following(grain: Grain, start_ms: int, zone: str) -> int:
    if grain is Grain.QUARTER:
        return start_ms + QUARTER_MS
    day = dt.datetime.fromtimestamp(start_ms / 1000, ZoneInfo(zone)).date()
    if grain is Grain.DAY:
        return midnight(day + dt.timedelta(days=1), zone)
    return midnight((day.replace(day=1) + dt.timedelta(days=32)).replace(day=1), zone)
