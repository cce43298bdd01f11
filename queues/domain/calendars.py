"""When a line, a queue or a promise's clock is open: one calendar for all three.

A calendar is always open, open by the hours of each weekday, or one calendar inside a season and another outside.
Exceptions come before everything, then make-up workdays, then holidays, then the week. An interval is half-open,
[open, close): with 08:30-17:30 a call at 17:29:59 is inside, at 17:30:00 outside.

This is how a calendar is written and what can be wrong with it; `queues.domain.hours` is what it comes to.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from queues.domain import holiday_years
from queues.domain.faults import FaultBook, Steps, Warned
from queues.domain.parts import Part, Words

if TYPE_CHECKING:
    from queues.domain.plan import Plan

Minutes = tuple[int, int]  # of the day, [open, close)

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS: Final = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_MONTH_DAY: Final = re.compile(r"(\d\d)-(\d\d)")
_MINUTES_A_DAY: Final = 24 * 60
_WHOLE_DAY: Final[tuple[Minutes, ...]] = ((0, _MINUTES_A_DAY),)
_NEXT_YEAR_IS_NEAR: Final = dt.timedelta(days=90)


def _read_hours(value: Any) -> Minutes:
    """`08:30-17:30` as minutes of the day; `24:00` is the end of the day."""
    if isinstance(value, tuple):
        return value
    found = _HOURS.fullmatch(str(value))
    if not found:
        raise ValueError(f"'{value}' is not a time such as 08:30-17:30")
    opens = int(found[1]) * 60 + int(found[2])
    closes = int(found[3]) * 60 + int(found[4])
    if not opens < closes <= _MINUTES_A_DAY:
        raise ValueError(
            f"'{value}' does not end after it begins; hours over midnight are two: [00:00-08:00, 22:00-24:00]"
        )
    return opens, closes


def _read_day_hours(day: str, value: Any) -> tuple[Minutes, ...]:
    """One interval, or a list of them that do not overlap; `closed` is none."""
    if value == "closed":
        return ()
    given = value if isinstance(value, list | tuple) else [value]
    hours = sorted(_read_hours(each) for each in given)
    for (_, closes), (opens, _) in itertools.pairwise(hours):
        if opens < closes:
            raise ValueError(f"two of the hours of {day} overlap")
    return tuple(hours)


def _read_week(value: Any) -> dict[str, Any]:
    """`mon-fri: 08:30-17:30` as one entry for each day; a day that is not named is closed."""
    if not isinstance(value, dict):
        raise ValueError("expected days and their hours, such as 'mon-fri: 08:30-17:30'")
    week: dict[str, Any] = {}
    for days, hours in value.items():
        for day in _named_days(str(days)):
            if day in week:
                raise ValueError(f"'{day}' is given twice")
            week[day] = _read_day_hours(day, hours)
    if not any(week.values()):
        raise ValueError("no day of this week has any hours")
    return week


def _named_days(text: str) -> tuple[str, ...]:
    first, _, last = text.partition("-")
    if first not in _DAYS or (last and last not in _DAYS):
        raise ValueError(f"'{text}' is not a day or a range of days such as mon-fri")
    start, end = _DAYS.index(first), _DAYS.index(last or first)
    if end < start:
        raise ValueError(f"'{text}' runs backwards")
    return _DAYS[start : end + 1]


def _read_date(value: Any) -> dt.date:
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"'{value}' is not a date such as 2026-10-01") from None


def _read_holidays(value: Any) -> str | tuple[dt.date, ...]:
    """The country whose public holidays these are, or the days one by one."""
    if isinstance(value, str):
        if not holiday_years.is_known(value):
            raise ValueError(f"'{value}' is not a country such as CN; or give a list of dates")
        return value
    if not isinstance(value, list | tuple):
        raise ValueError("expected a country such as CN, or a list of dates")
    return tuple(_read_date(each) for each in value)


def _read_exceptions(value: Any) -> dict[dt.date, Any]:
    if not isinstance(value, dict):
        raise ValueError("expected dates and their hours, such as '2026-12-31: 08:30-12:00' or 'closed'")
    return {_read_date(day): _read_day_hours(str(day), hours) for day, hours in value.items()}


def _read_month_day(value: Any) -> tuple[int, int]:
    if isinstance(value, tuple):
        return value
    found = _MONTH_DAY.fullmatch(str(value))
    try:
        day = dt.date(2024, int(found[1]), int(found[2])) if found else None  # 2024 has every day there is
    except ValueError:
        day = None
    if day is None:
        raise ValueError(f"'{value}' is not a day of the year such as 11-15")
    return day.month, day.day


Week = Annotated[dict[str, tuple[Minutes, ...]], BeforeValidator(_read_week)]
Holidays = Annotated[str | tuple[dt.date, ...], BeforeValidator(_read_holidays)]
Exceptions = Annotated[dict[dt.date, tuple[Minutes, ...]], BeforeValidator(_read_exceptions)]
MonthDay = Annotated[tuple[int, int], BeforeValidator(_read_month_day)]


class Season(Part):
    """From one day of the year to another, both inside; it may run over the turn of the year."""

    start: MonthDay = Field(alias="from")
    end: MonthDay = Field(alias="to")
    inside: str
    outside: str

    def at(self, day: dt.date) -> str:
        """The calendar that holds on this day."""
        here = (day.month, day.day)
        if self.start <= self.end:
            return self.inside if self.start <= here <= self.end else self.outside
        return self.inside if here >= self.start or here <= self.end else self.outside


class Calendar(Part):
    """As it is written in calendars.yaml; `Hours` is what it comes to."""

    id: str
    name: Words
    open: Literal["always"] | None = None
    weekly: Week = Field(default_factory=dict)
    season: Season | None = None
    holidays: Holidays = ()
    exceptions: Exceptions = Field(default_factory=dict)
    timezone: str | None = None

    @model_validator(mode="after")
    def _says_when(self) -> Calendar:
        if sum((bool(self.open), bool(self.weekly), self.season is not None)) != 1:
            raise ValueError("give one of 'open: always', 'weekly' hours and 'season'")
        if self.holidays and not self.weekly:
            raise ValueError("'holidays' belong to 'weekly' hours; a single day goes under 'exceptions'")
        return self

    def own_hours(self, day: dt.date) -> tuple[Minutes, ...] | None:
        """What this calendar itself says of a day; None when that is another calendar's to say."""
        if day in self.exceptions:
            return self.exceptions[day]
        if self.season is not None:
            return None
        if self.open:
            return _WHOLE_DAY
        return self._week_hours(day)

    def _week_hours(self, day: dt.date) -> tuple[Minutes, ...]:
        if isinstance(self.holidays, str):
            year = holiday_years.year_of(self.holidays, day.year)
            if day in year.workdays:
                return next(hours for each in _DAYS if (hours := self.weekly.get(each, ())))
            if day in year.holidays:
                return ()
        elif day in self.holidays:
            return ()
        return self.weekly.get(_DAYS[day.weekday()], ())


def is_open(plan: Plan, calendar: str, now_ms: int) -> bool:
    return plan.hours[calendar].contains(now_ms)


def next_open(plan: Plan, calendar: str, now_ms: int) -> int | None:
    return plan.hours[calendar].next_open(now_ms)


def check(book: FaultBook, calendars: Mapping[str, Calendar], timezone: str) -> None:
    """Time zones exist; seasons name calendars that exist, share their zone, and come to an end."""
    known = book.names("calendars", "calendars")
    for name, calendar in calendars.items():
        place: Steps = ("calendars", "calendars", name)
        check_zone(book, (*place, "timezone"), calendar.timezone)
        if calendar.season is None:
            continue
        for side in ("inside", "outside"):
            other = getattr(calendar.season, side)
            if other not in known:
                book.unknown((*place, "season", side), "calendar", other, known)
            elif other in calendars and _zone(calendars[other], timezone) != _zone(calendar, timezone):
                book.add((*place, "season", side), f"'{other}' is in another time zone than '{name}'")
        if round_trip := _way_back(calendars, name):
            book.add((*place, "season"), f"goes round in a circle: {' -> '.join(round_trip)}")


def check_zone(book: FaultBook, steps: Steps, name: str | None) -> None:
    try:
        ZoneInfo(name or "UTC")
    except (KeyError, OSError, ValueError):
        book.add(steps, f"'{name}' is not a time zone such as Asia/Shanghai")


def _zone(calendar: Calendar, timezone: str) -> str:
    return calendar.timezone or timezone


def _way_back(calendars: Mapping[str, Calendar], name: str) -> tuple[str, ...]:
    """The way from a calendar through its seasons back to itself; empty when there is none."""
    ways: list[tuple[str, ...]] = [(name,)]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        season = calendars[way[-1]].season if way[-1] in calendars else None
        for other in (season.inside, season.outside) if season else ():
            if other == name:
                return (*way, name)
            if other not in seen:
                seen.add(other)
                ways.append((*way, other))
    return ()


def warnings(plan: Plan, today: dt.date) -> list[Warned]:
    """What is no fault of a site's calendars and yet worth knowing today."""
    return [each for name, calendar in plan.calendars.items() for each in _warnings_of(name, calendar, today)]


def _warnings_of(name: str, calendar: Calendar, today: dt.date) -> Iterator[Warned]:
    place: Steps = ("calendars", "calendars", name, "holidays")
    if isinstance(calendar.holidays, tuple):
        if calendar.holidays and (last := max(calendar.holidays)) < today:
            yield Warned(place, f"the last of these holidays was {last}")
        return
    for year in sorted({today.year, (today + _NEXT_YEAR_IS_NEAR).year}):
        if not holiday_years.is_announced(calendar.holidays, year):
            yield Warned(place, f"the make-up workdays of {year} are not announced; weekends count as usual")
