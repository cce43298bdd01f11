"""When a queue is open: round the clock, or by the hours of each weekday in the site's time zone.

An interval is half-open, [open, close): with 08:30-17:30 a call at 17:29:59 is inside, at 17:30:00 outside.
Nothing is open on a holiday, except what is always open.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

if TYPE_CHECKING:
    from queues.domain.plan import Plan

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_MINUTES_A_DAY = 24 * 60


def _read_hours(value: Any) -> tuple[int, int]:
    """`08:30-17:30` as minutes of the day; `24:00` is the end of the day."""
    if isinstance(value, tuple):
        return value
    found = _HOURS.fullmatch(str(value))
    if not found:
        raise ValueError(f"'{value}' is not a time such as 08:30-17:30")
    opens = int(found[1]) * 60 + int(found[2])
    closes = int(found[3]) * 60 + int(found[4])
    if not opens < closes <= _MINUTES_A_DAY:
        raise ValueError(f"'{value}' does not end after it begins")
    return opens, closes


def _read_day_hours(value: Any) -> tuple[Any, ...]:
    """One interval, or a list of them that do not overlap."""
    given = value if isinstance(value, list | tuple) else [value]
    hours = sorted(_read_hours(each) for each in given)
    for (_, closes), (opens, _) in itertools.pairwise(hours):
        if opens < closes:
            raise ValueError("two of these hours overlap")
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
            week[day] = _read_day_hours(hours)
    return week


def _named_days(text: str) -> tuple[str, ...]:
    first, _, last = text.partition("-")
    if first not in _DAYS or (last and last not in _DAYS):
        raise ValueError(f"'{text}' is not a day or a range of days such as mon-fri")
    start, end = _DAYS.index(first), _DAYS.index(last or first)
    if end < start:
        raise ValueError(f"'{text}' runs backwards")
    return _DAYS[start : end + 1]


Minutes = tuple[int, int]
Week = Annotated[dict[str, tuple[Minutes, ...]], BeforeValidator(_read_week)]


class Calendar(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    name: dict[str, str]
    open: Literal["always"] | None = None
    weekly: Week = {}
    holidays: tuple[dt.date, ...] = ()

    @model_validator(mode="after")
    def _says_when(self) -> Calendar:
        if bool(self.open) == bool(self.weekly):
            raise ValueError("give either 'open: always' or 'weekly' hours")
        return self

    def contains(self, moment: dt.datetime) -> bool:
        """Whether this wall-clock moment is inside the opening hours."""
        if self.open:
            return True
        if moment.date() in self.holidays:
            return False
        minute = moment.hour * 60 + moment.minute
        return any(opens <= minute < closes for opens, closes in self.weekly.get(_DAYS[moment.weekday()], ()))


def is_open(plan: Plan, calendar_id: str, now_ms: int) -> bool:
    moment = dt.datetime.fromtimestamp(now_ms / 1000, ZoneInfo(plan.timezone))
    return plan.calendars[calendar_id].contains(moment)
