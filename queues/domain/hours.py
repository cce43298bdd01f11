"""What a calendar comes to: instants at which it opens and closes.

Wall-clock hours become instants here and nowhere else. Where the clocks are put forward, a time that does not
exist is the instant of the change; where they are put back, a time that comes twice is its first.
"""

from __future__ import annotations

import bisect
import datetime as dt
import itertools
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from queues.domain.calendars import Calendar, Minutes

Spell = tuple[int, int]  # instants, [open, close)

_ONE_DAY: Final = dt.timedelta(days=1)
_DAYS_AHEAD: Final = 3 * 366  # what is not open by then is taken to be closed for good
_DAYS_KEPT: Final = 1024


class Hours:
    """A calendar with those it refers to, in its time zone."""

    def __init__(self, calendars: Mapping[str, Calendar], name: str, timezone: str) -> None:
        self._calendars = calendars
        self._own = calendars[name]
        self._is_always = self._own.open is not None and not self._own.exceptions
        self.zone = ZoneInfo(self._own.timezone or timezone)
        self.spells_on = lru_cache(maxsize=_DAYS_KEPT)(self._spells_on)

    def on(self, day: dt.date) -> tuple[Minutes, ...]:
        """The hours of one day, in minutes of that day."""
        calendar = self._own
        while (hours := calendar.own_hours(day)) is None:
            assert calendar.season is not None  # noqa: S101  the one kind that asks another
            calendar = self._calendars[calendar.season.at(day)]
        return hours

    def day_of(self, at_ms: int) -> dt.date:
        return dt.datetime.fromtimestamp(at_ms / 1000, self.zone).date()

    def contains(self, at_ms: int) -> bool:
        """Whether it is open at this instant."""
        if self._is_always:
            return True
        day = self.day_of(at_ms)
        near = (self.spells_on(each) for each in (day - _ONE_DAY, day, day + _ONE_DAY))
        return any(opens <= at_ms < closes for opens, closes in itertools.chain.from_iterable(near))

    def spells(self, from_ms: int) -> Iterator[Spell]:
        """The open spells that end after this instant, in order; no more where nothing opens for years."""
        idle = 0
        for day in self.days_from(self.day_of(from_ms) - _ONE_DAY):
            spells = self.spells_on(day)
            idle = 0 if spells else idle + 1
            if idle > _DAYS_AHEAD:
                return
            yield from (spell for spell in spells if spell[1] > from_ms)

    def next_open(self, at_ms: int) -> int | None:
        """This instant if it is open, else when it opens next; None when it never does."""
        return next((max(opens, at_ms) for opens, _ in self.spells(at_ms)), None)

    def open_ms(self, from_ms: int, until_ms: int) -> int:
        """How much of the time between two instants is open."""
        total = 0
        for opens, closes in self.spells(from_ms):
            if opens >= until_ms:
                break
            total += min(closes, until_ms) - max(opens, from_ms)
        return total

    @staticmethod
    def days_from(first: dt.date) -> Iterator[dt.date]:
        """This day and all that follow, as far as the calendar of the world goes."""
        return (dt.date.fromordinal(number) for number in range(first.toordinal(), dt.date.max.toordinal()))

    def _spells_on(self, day: dt.date) -> tuple[Spell, ...]:
        spells = (
            (instant(day, opens, self.zone), instant(day, closes, self.zone))
            for opens, closes in self.on(day)
        )
        return tuple(spell for spell in spells if spell[0] < spell[1])


def instant(day: dt.date, minute: int, zone: ZoneInfo) -> int:
    """The instant of this minute of the day on the wall clock of the zone."""
    wall = dt.datetime.combine(day, dt.time.min, zone) + dt.timedelta(minutes=minute)
    first, second = (int(wall.replace(fold=fold).timestamp()) for fold in (0, 1))
    if first <= second:
        return first * 1000  # a time that comes once, or the first of two
    # The clocks jump over it: the change lies between the two ways of reading it.
    seconds, put_forward = range(second, first + 1), _offset(first, zone)
    return seconds[bisect.bisect_left(seconds, put_forward, key=lambda at: _offset(at, zone))] * 1000


def _offset(second: int, zone: ZoneInfo) -> dt.timedelta:
    return dt.datetime.fromtimestamp(second, zone).utcoffset() or dt.timedelta()


def resolve(calendars: Mapping[str, Calendar], timezone: str) -> dict[str, Hours]:
    return {name: Hours(calendars, name, timezone) for name in calendars}
