"""Which period and of it what a page of figures is asked for, as its address says it.

A period is two days (`from`, `until`), or a word for one that moves with the calendar (`span`): "last week" in a saved
view is another week each Monday. Beside both the days count, unless they are what the word says today. What narrows
further, to one point of a picture, only a list of calls understands.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from queues.domain.periods import QUARTER_MS, YEARS, is_dated, midnight
from queues.domain.weeks import Hour
from queues.service.exploring import Narrowed
from queues.service.figures import Asked
from queues.web.floor import Floor
from queues.web.times import day_and_time, local, time_of_day
from queues.web.words import Words

DAYS_MAX: Final = 366 * 3
NAMES: Final = ("span", "from", "until", "department", "queue", "tier", "line")
NARROWING: Final = ("hour", "quarter", "waited", "agent")
TEXT_LENGTH_MAX: Final = 80
DIGITS_MAX: Final = 15
_DAY: Final = dt.timedelta(days=1)
Days = tuple[dt.date, dt.date]


def _back(days: int, until: int = 0) -> Callable[[dt.date], Days]:
    return lambda today: (today - days * _DAY, today - until * _DAY)


def _last_month(today: dt.date) -> Days:
    last = today.replace(day=1) - _DAY
    return last.replace(day=1), last


SPANS: Final[Mapping[str, Callable[[dt.date], Days]]] = {
    "today": _back(0),
    "yesterday": _back(1, 1),
    "this_week": lambda today: (today - today.weekday() * _DAY, today),
    "last_week": lambda today: (today - (today.weekday() + 7) * _DAY, today - (today.weekday() + 1) * _DAY),
    "week": _back(6),
    "this_month": lambda today: (today.replace(day=1), today),
    "last_month": _last_month,
    "month": _back(29),
    "year": _back(364),
}


@dataclass(frozen=True, slots=True)
class Found:
    """`first` and `last` are days, both of them in it. A queue narrows further than its department."""

    asked: Asked
    first: dt.date
    last: dt.date
    error: str = ""
    department: str = ""
    queue: str = ""
    span: str = ""


def given_in(query: Mapping[str, str]) -> dict[str, str]:
    """What of an address is ours."""
    return {name: query.get(name, "").strip()[:TEXT_LENGTH_MAX] for name in NAMES}


def read_asked(given: Mapping[str, str], floor: Floor, words: Words) -> Found:
    """Today where no days are named, or where they make no sense, which is said."""
    today, error = today_of(floor), ""
    try:
        first, last, span = _days(given, today)
        edges = midnight(first, floor.zone), midnight(last + _DAY, floor.zone)
    except (ValueError, OverflowError):
        first, last, span = today, today, ""
        edges = midnight(first, floor.zone), midnight(last + _DAY, floor.zone)
        error = words.t("figures.bad_period")
    department, queue = given.get("department", ""), given.get("queue", "")
    owned = floor.plan.departments.get(department)
    if department and owned is None:
        error = error or words.t("figures.no_department")
    asked = Asked(
        from_ms=edges[0],
        until_ms=edges[1],
        queues=(queue,) if queue else owned.queues if owned else (),
        tier=given.get("tier", ""),
        line=given.get("line", ""),
    )
    return Found(asked, first, last, error, department, queue, span)


def today_of(floor: Floor) -> dt.date:
    return local(floor.runtime.clock.now_ms(), floor.zone).date()


def _days(given: Mapping[str, str], today: dt.date) -> tuple[dt.date, dt.date, str]:
    """Raises ValueError for what is no period."""
    is_free = not (given.get("from") or given.get("until"))
    span = given.get("span") or ("today" if is_free else "")
    if span and span not in SPANS:
        raise ValueError(span)
    otherwise = SPANS[span](today) if span else (today, today)
    first = dt.date.fromisoformat(given.get("from") or otherwise[0].isoformat())
    fallback = otherwise[1] if span else max(first, today)
    last = dt.date.fromisoformat(given.get("until") or fallback.isoformat())
    if first.year not in YEARS or last.year not in YEARS or not _DAY * 0 <= last - first < _DAY * DAYS_MAX:
        raise ValueError(first, last)
    return first, last, span if (first, last) == otherwise else ""


def address(path: str, found: Found, **more: str) -> str:
    """These very days and this choice on another page."""
    days = {"from": found.first.isoformat(), "until": found.last.isoformat()}
    return _address(path, days | _choice(found) | more)


def view_address(path: str, found: Found, **more: str) -> str:
    """The same, and the days as a word where they were asked for so."""
    if not found.span:
        return address(path, found, **more)
    return _address(path, {"span": found.span} | _choice(found) | more)


def _choice(found: Found) -> dict[str, str]:
    asked = found.asked
    return {"department": found.department, "queue": found.queue, "tier": asked.tier, "line": asked.line}


def _address(path: str, named: Mapping[str, str]) -> str:
    told = urlencode({name: value for name, value in named.items() if value})
    return f"{path}?{told}" if told else path


def read_narrowed(given: Mapping[str, str]) -> Narrowed:
    """Which point of a picture. Raises ValueError for what is none.

    `hour` is 1-09 for Mondays from 9 to 10, `quarter` an instant in ms, `waited` 11-15 or 61- for seconds of waiting.
    """
    hour = quarter_ms = waited_s = None
    if text := given.get("hour", ""):
        weekday, _, number = text.partition("-")
        hour = Hour(int(weekday) - 1, int(number))
        if not (0 <= hour.weekday < 7 and 0 <= hour.hour < 24):
            raise ValueError(text)
    if text := given.get("quarter", ""):
        quarter_ms = int(text)
        if len(text) > DIGITS_MAX or quarter_ms % QUARTER_MS or not is_dated(quarter_ms):
            raise ValueError(text)
    if text := given.get("waited", ""):
        least, _, most = text.partition("-")
        waited_s = int(least), int(most) if most else None
        if len(text) > DIGITS_MAX or waited_s[0] < 0:
            raise ValueError(text)
    return Narrowed(hour, quarter_ms, waited_s, given.get("agent", ""))


def figured_words(given: Mapping[str, str], to: Narrowed, floor: Floor, words: Words, agent: str) -> str:
    """Above a list of calls: which set of which days it is, and which point of a picture."""
    days = given.get("from", ""), given.get("until", "") or given.get("from", "")
    parts = [words.t(f"figures.symbol.{given['of']}")]
    if to.hour is not None:
        parts.append(hour_words(to.hour, words))
    if to.quarter_ms is not None:
        begins = day_and_time(to.quarter_ms, floor.zone, words.locale)
        ends = time_of_day(to.quarter_ms + QUARTER_MS, floor.zone)[:5]
        parts.append(words.t("figures.point.quarter", begins=begins, ends=ends))
    if to.waited_s is not None:
        parts.append(waited_words(to.waited_s, words))
    if to.agent_id:
        parts.append(words.t("figures.point.agent", agent=agent or to.agent_id))
    return words.t("figures.listed", what=" · ".join(parts), first=days[0], last=days[1])


def hour_words(hour: Hour, words: Words) -> str:
    day = words.t(f"figures.weekday.{hour.weekday + 1}")
    return words.t("figures.point.hour", day=day, begins=f"{hour.hour}:00", ends=f"{hour.hour + 1}:00")


def waited_words(waited_s: tuple[int, int | None], words: Words) -> str:
    least, most = waited_s
    if most is None:
        return words.t("figures.point.waited_longer", least=least)
    return words.t(f"figures.point.{'waited_one' if least == most else 'waited'}", least=least, most=most)
