"""Which period and of it what a page of figures is asked for: dates, queue, tier and line in its address."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from queues.domain.periods import YEARS, midnight
from queues.service.figures import Asked
from queues.web.floor import Floor
from queues.web.times import local
from queues.web.words import Words

DAYS_MAX: Final = 366 * 3
NAMES: Final = ("from", "until", "department", "queue", "tier", "line")
_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Found:
    """`first` and `last` are days, both of them in it. A queue narrows further than its department."""

    asked: Asked
    first: dt.date
    last: dt.date
    error: str = ""
    department: str = ""
    queue: str = ""


def read_asked(given: Mapping[str, str], floor: Floor, words: Words) -> Found:
    """Today where no days are named, or where they make no sense, which is said."""
    today, error = local(floor.runtime.clock.now_ms(), floor.zone).date(), ""
    try:
        first = dt.date.fromisoformat(given.get("from") or today.isoformat())
        last = dt.date.fromisoformat(given.get("until") or max(first, today).isoformat())
        if first.year not in YEARS or last.year not in YEARS:
            raise ValueError
        edges = midnight(first, floor.zone), midnight(last + _DAY, floor.zone)
        if not _DAY * 0 <= last - first < _DAY * DAYS_MAX:
            raise ValueError
    except (ValueError, OverflowError):
        first = last = today
        edges, error = (
            (midnight(first, floor.zone), midnight(last + _DAY, floor.zone)),
            words.t("figures.bad_period"),
        )
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
    return Found(asked, first, last, error, department, queue)


def address(path: str, found: Found, **more: str) -> str:
    """The same period and choice on another page."""
    asked = found.asked
    named = {
        "from": found.first.isoformat(),
        "until": found.last.isoformat(),
        "department": found.department,
        "queue": found.queue,
        "tier": asked.tier,
        "line": asked.line,
        **more,
    }
    return f"{path}?{urlencode({name: value for name, value in named.items() if value})}"


def figured_words(given: Mapping[str, str], words: Words) -> str:
    """Above a list of calls: which set of which days it is."""
    days = given.get("from", ""), given.get("until", "") or given.get("from", "")
    return words.t(
        "figures.listed", what=words.t(f"figures.symbol.{given['of']}"), first=days[0], last=days[1]
    )
