"""Reports: which there are, when each is made and by when it must be there, and what of a kept one was corrected.

A site says it in quality.yaml under `reports`; a site that says nothing has all five. A period is made of whole days of
the site's zone. It is over at the midnight after its last day, is made at `at` on the day that is `day` days into the
next one, and is missing from `by` on that day. Weeks run from Monday to Sunday, and theirs is made on the Monday.

A report that was made is never written again. What turns out otherwise afterwards is a correction beside it: which
figure, from what to what. What a period came to is then the document with its corrections, in their order.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from queues.domain.parts import Duration, Part
from queues.domain.periods import midnight

if TYPE_CHECKING:
    from queues.domain.plan import Plan
    from queues.domain.plan_checks import Names

COMPLAINT: Final = "complaint"
SCORED_ON: Final = 2  # the day of a month by which the scores of the one before are there
URGENT_WITHIN_MS: Final = 5 * 60_000
_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DAY: Final = dt.timedelta(days=1)


class Kind(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    URGENT = "urgent"  # begun by a person or a surge, of the day as far as it has come


PERIODIC: Final = (Kind.DAY, Kind.WEEK, Kind.MONTH, Kind.QUARTER, Kind.YEAR)
# So many periods are made up for after an outage, or when a kind is switched on again; older ones are let go.
BACK_MAX: Final[Mapping[Kind, int]] = {
    Kind.DAY: 92, Kind.WEEK: 27, Kind.MONTH: 24, Kind.QUARTER: 8, Kind.YEAR: 3,
}  # fmt: skip


def _check_time(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise ValueError(f"'{text}' is not a time of day such as 08:30")
    return text


Time = Annotated[str, AfterValidator(_check_time)]


class When(Part):
    """`at` it is made, `by` it must be there; local times of the day that is `day` days after the period's end."""

    at: Time = "02:00"
    by: Time = "08:30"

    @property
    def days_after(self) -> int:
        return 0

    @model_validator(mode="after")
    def _is_in_order(self) -> When:
        if self.by <= self.at:
            raise ValueError(f"'by' ({self.by}) must be later than 'at' ({self.at})")
        return self


class WeeklyWhen(When):
    by: Time = "13:00"


class WhenOnDay(When):
    """The day of the month that follows."""

    day: int = Field(default=1, ge=1, le=28)
    by: Time = "12:00"

    @property
    def days_after(self) -> int:
        return self.day - 1


class QuarterlyWhen(WhenOnDay):
    """A day later than the others: the scores that it ranks by are made within a day of a month's end (see `check`)."""

    day: int = Field(default=SCORED_ON, ge=1, le=28)


class Urgent(Part):
    """A surge begins one by itself unless it is told not to; it goes on `every` so long until it is closed."""

    surge: bool = True
    every_ms: Duration = Field(default=1_800_000, alias="every", ge=60_000, le=86_400_000)


class Reports(Part):
    """What quality.yaml says under `reports`."""

    kinds: tuple[Kind, ...] = Field(default=PERIODIC)
    day: When = When()
    week: WeeklyWhen = WeeklyWhen()
    month: WhenOnDay = WhenOnDay()
    quarter: QuarterlyWhen = QuarterlyWhen()
    year: WhenOnDay = WhenOnDay()
    complaints: tuple[str, ...] | None = None  # kinds of tickets; none named: the one called complaint
    urgent: Urgent = Urgent()

    @model_validator(mode="after")
    def _are_periodic(self) -> Reports:
        if Kind.URGENT in self.kinds:
            raise ValueError("an urgent report has no period: take 'urgent' out of 'kinds'")
        return self

    def when(self, kind: Kind) -> When:
        found: When = getattr(self, kind)
        return found

    def complaint_types(self, known: Iterable[str]) -> tuple[str, ...]:
        if self.complaints is not None:
            return self.complaints
        return tuple(each for each in known if each == COMPLAINT)


class Period(NamedTuple):
    """`after` is the first day that is not in it any more."""

    kind: Kind
    first: dt.date
    after: dt.date

    @property
    def report_id(self) -> str:
        return f"{self.kind}-{self.first}"

    @property
    def last(self) -> dt.date:
        return self.after - _DAY

    def span_ms(self, zone: str) -> tuple[int, int]:
        return midnight(self.first, zone), midnight(self.after, zone)

    @property
    def following(self) -> Period:
        return period_of(self.kind, self.after)

    @property
    def before(self) -> Period:
        return period_of(self.kind, self.first - _DAY)


def period_of(kind: Kind, day: dt.date) -> Period:
    """The period of this kind in which this day is."""
    if kind is Kind.DAY:
        return Period(kind, day, day + _DAY)
    if kind is Kind.WEEK:
        first = day - dt.timedelta(days=day.weekday())
        return Period(kind, first, first + 7 * _DAY)
    months = {Kind.MONTH: 1, Kind.QUARTER: 3, Kind.YEAR: 12}[kind]
    first = dt.date(day.year, (day.month - 1) // months * months + 1, 1)
    return Period(kind, first, _months_on(first, months))


def months_of(first: dt.date, after: dt.date) -> Iterator[Period]:
    """The months that begin in it, in their order."""
    each = period_of(Kind.MONTH, first)
    while each.first < after:
        yield each
        each = each.following


def _months_on(first: dt.date, months: int) -> dt.date:
    count = first.year * 12 + first.month - 1 + months
    return dt.date(count // 12, count % 12 + 1, 1)


def ready_ms(period: Period, terms: Reports, zone: str) -> int:
    """From when on it is made. A time that the clocks skip that night is as much later as they skip."""
    return _at(period, terms, zone, terms.when(period.kind).at)


def due_ms(period: Period, terms: Reports, zone: str) -> int:
    """From when on it is missing."""
    return _at(period, terms, zone, terms.when(period.kind).by)


def _at(period: Period, terms: Reports, zone: str, time: str) -> int:
    day = period.after + terms.when(period.kind).days_after * _DAY
    moment = dt.datetime.combine(day, dt.time.fromisoformat(time), ZoneInfo(zone))
    return round(moment.timestamp() * 1000)


def wanted(
    terms: Reports, newest: Mapping[Kind, dt.date], began: dt.date | None, today: dt.date
) -> list[Period]:
    """Every period that is to have a row and has none yet, up to the one that runs today; by kind, oldest first.

    `newest` is the first day of the newest that has one. A kind that has none begins with the period that runs, and
    with the one before it if the house had calls in it (`began`: the day of its first call).
    """
    found: list[Period] = []
    for kind in terms.kinds:
        running = period_of(kind, today)
        if (last := newest.get(kind)) is not None:
            each = period_of(kind, last).following
        else:
            has_one_before = began is not None and began < running.first
            each = running.before if has_one_before else running
        missed: list[Period] = []
        while each.first <= running.first:
            missed.append(each)
            each = each.following
        found += missed[-BACK_MAX[kind] - 1 :]
    return found


Values = dict[tuple[str, str], float | int | None]  # (whose, which figure) -> value


class Change(NamedTuple):
    """One figure of a kept report that is otherwise now."""

    of: str
    figure: str
    was: float | int | None
    now: float | int | None


def changes(was: Values, now: Values) -> list[Change]:
    """What is otherwise. Neither tells of counts that are 0, nor of figures that have no value."""
    keys = dict.fromkeys((*was, *now))
    return [Change(*key, was.get(key), now.get(key)) for key in keys if was.get(key) != now.get(key)]


def corrected(kept: Values, corrections: Iterable[Iterable[Change]]) -> Values:
    found = dict(kept)
    for each in corrections:
        for change in each:
            found[change.of, change.figure] = change.now
    return found


class Ranked(NamedTuple):
    rank: int
    who: str
    mean: float


def rank(means: Mapping[str, float]) -> list[Ranked]:
    """The highest mean first; equal means share a rank, and the next one is as much further on (1, 2, 2, 4).

    Means are compared as they are shown, to a hundredth of a point.
    """
    shown = {who: round(mean, 2) for who, mean in means.items()}
    ordered = sorted(shown, key=lambda who: (-shown[who], who))
    return [
        Ranked(1 + sum(other > shown[who] for other in shown.values()), who, shown[who]) for who in ordered
    ]


def mean_of(points: Iterable[float]) -> float | None:
    """Of the months that have a score."""
    told = list(points)
    return sum(told) / len(told) if told else None


def check(names: Names, parts: Mapping[str, Any]) -> None:
    terms: Reports = parts["reports"]
    for index, kind in enumerate(terms.complaints or ()):
        names.expect(("quality", "reports", "complaints", index), "ticket type", kind)
    if parts["scores"] and Kind.QUARTER in terms.kinds and terms.quarter.day < SCORED_ON:
        fault = (
            "the quarter ranks agents by their scores, and those of its last month are there within a day of its end:"
            f" 'day' must be at least {SCORED_ON}"
        )
        names.book.add(("quality", "reports", "quarter", "day"), fault)


def complaint_types(plan: Plan) -> tuple[str, ...]:
    return plan.reports.complaint_types(plan.ticket_types)
