"""The hours of the week: Monday to Sunday by the clock on the wall where the site is.

What must hold: every quarter of a period is in exactly one of the 168 hours, the one that the clock shows when it
begins. So in spring one hour of a Sunday is missing, in autumn the one that comes twice has both in it, and a zone that
is half an hour away from the others has whole hours all the same.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from queues.domain.periods import QUARTER_MS

HOUR_MS: Final = 3_600_000
HOURS: Final = 7 * 24
# From Monday to the Thursday that 1 January 1970 was.
TO_THURSDAY_MS: Final = 3 * 24 * HOUR_MS


class Hour(NamedTuple):
    """`weekday` 0 is Monday; `hour` from 0 to 23."""

    weekday: int
    hour: int


class Stretch(NamedTuple):
    """A part of a period in which the zone keeps one distance from UTC; all three are ms."""

    from_ms: int
    until_ms: int
    shift_ms: int


def stretches(from_ms: int, until_ms: int, zone: str) -> list[Stretch]:
    """The period without gap or overlap; its ends are beginnings of quarters."""
    found: list[Stretch] = []
    for start_ms in range(from_ms, until_ms, QUARTER_MS):
        ends_ms = min(start_ms + QUARTER_MS, until_ms)
        shift_ms = _shift(start_ms, zone)
        if found and found[-1].shift_ms == shift_ms:
            found[-1] = found[-1]._replace(until_ms=ends_ms)
        else:
            found.append(Stretch(start_ms, ends_ms, shift_ms))
    return found


def hour_at(number: int) -> Hour:
    """The hour that `number_of` counts so."""
    return Hour(*divmod(number, 24))


def number_of(start_ms: int, shift_ms: int) -> int:
    """0 to 167. SQL computes the same, in `queues.store.explored`."""
    return (start_ms + shift_ms + TO_THURSDAY_MS) // HOUR_MS % HOURS


def spans(hour: Hour, from_ms: int, until_ms: int, zone: str) -> list[tuple[int, int]]:
    """When in this period it is that hour: each [from, until), the oldest first."""
    wanted, found = hour.weekday * 24 + hour.hour, list[tuple[int, int]]()
    for start_ms in _quarters(wanted, stretches(from_ms, until_ms, zone)):
        if found and found[-1][1] == start_ms:
            found[-1] = (found[-1][0], start_ms + QUARTER_MS)
        else:
            found.append((start_ms, start_ms + QUARTER_MS))
    return found


def _quarters(wanted: int, within: list[Stretch]) -> Iterator[int]:
    for stretch in within:
        for start_ms in range(stretch.from_ms, stretch.until_ms, QUARTER_MS):
            if number_of(start_ms, stretch.shift_ms) == wanted:
                yield start_ms


def _shift(at_ms: int, zone: str) -> int:
    offset = dt.datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone)).utcoffset()
    return 0 if offset is None else round(offset.total_seconds() * 1000)
