"""Which period a page of an agent's figures is asked for: today, this week, this month, or a month by its name."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from queues.domain.periods import YEARS, midnight
from queues.service.agent_figures import Spell
from queues.web.floor import Floor
from queues.web.times import local

SPANS: Final = ("today", "week", "month")
_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """`month` is 2026-11 where one was named; else `span` is one of SPANS. `first` and `last` are days, both in it."""

    span: str
    month: str
    first: dt.date
    last: dt.date
    zone: str
    is_wrong: bool = False

    def spell(self, agent_id: str = "") -> Spell:
        return Spell(midnight(self.first, self.zone), midnight(self.last + _DAY, self.zone), agent_id)

    def is_over(self, now_ms: int) -> bool:
        return self.spell().until_ms <= now_ms

    def address(self, path: str, **more: str) -> str:
        """The same period on another page."""
        period = {"month": self.month} if self.month else {"span": self.span}
        return f"{path}?{urlencode({**period, **more})}"


def read_asked(given: Mapping[str, str], floor: Floor, otherwise: str) -> Asked:
    """This span where none is named; this month where a month was named that is none, which is said."""
    today = local(floor.runtime.clock.now_ms(), floor.zone).date()
    month, span = given.get("month", ""), given.get("span", "")
    if month:
        try:
            first = dt.date.fromisoformat(f"{month}-01")
            if first.year not in YEARS or len(month) != len("2026-11") or first > today:
                raise ValueError
        except ValueError:
            return _of("month", today, floor.zone, is_wrong=True)
        return Asked("", month, first, _last_of(first), floor.zone)
    return _of(span if span in SPANS else otherwise, today, floor.zone)


def _of(span: str, today: dt.date, zone: str, *, is_wrong: bool = False) -> Asked:
    first = last = today
    if span == "week":
        first = today - _DAY * today.weekday()
        last = first + _DAY * 6
    elif span == "month":
        first = today.replace(day=1)
        last = _last_of(first)
    return Asked(span, "", first, last, zone, is_wrong)


def _last_of(first: dt.date) -> dt.date:
    return (first + _DAY * 31).replace(day=1) - _DAY
