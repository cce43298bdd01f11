"""Clocks count what is open and nothing else: the check values of the requirements, and laws for every calendar."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queues.domain.calendars import Calendar
from queues.domain.clocks import DueState, NeverOpenError, Span, deadline, due_state
from queues.domain.hours import Hours, resolve

HOUR_MS = 3_600_000
WORDS = {"zh": "日历", "en": "Calendar"}
WEEK = {"mon-fri": "08:30-17:30"}
GOLDEN_WEEK = [f"2026-10-0{day}" for day in range(1, 8)]


def hours(timezone: str = "Asia/Shanghai", **written: object) -> Hours:
    calendar = Calendar.model_validate({"id": "office", "name": WORDS, **written})
    return resolve({"office": calendar}, timezone)["office"]


def at(text: str, zone: str = "Asia/Shanghai") -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def told(ms: int, zone: str = "Asia/Shanghai") -> str:
    return dt.datetime.fromtimestamp(ms / 1000, ZoneInfo(zone)).strftime("%a %Y-%m-%d %H:%M:%S")


def span(text: str) -> Span:
    return Span.model_validate(text)


@pytest.mark.parametrize(
    ("workdays", "ends"),
    [
        (1, "Mon 2026-11-23 17:30:00"),
        (3, "Wed 2026-11-25 17:30:00"),
        (5, "Fri 2026-11-27 17:30:00"),
        (10, "Fri 2026-12-04 17:30:00"),
    ],
)
def test_workdays_after_a_friday_afternoon(workdays: int, ends: str) -> None:
    assert told(deadline(hours(weekly=WEEK), at("2026-11-20T16:00"), Span(workdays=workdays))) == ends


def test_five_workdays_over_the_october_holiday() -> None:
    listed = hours(weekly=WEEK, holidays=GOLDEN_WEEK)
    assert told(deadline(listed, at("2026-09-30T16:00"), Span(workdays=5))) == "Wed 2026-10-14 17:30:00"


def test_a_saturday_that_is_worked_counts_as_a_workday() -> None:
    announced = hours(weekly=WEEK, holidays="CN")
    assert told(deadline(announced, at("2026-09-30T16:00"), Span(workdays=3))) == "Sat 2026-10-10 17:30:00"


@pytest.mark.parametrize(
    ("opened", "given", "ends"),
    [
        ("2026-11-20T16:00", "1h", "Fri 2026-11-20 17:00:00"),
        (
            "2026-11-20T16:00",
            "90m",
            "Fri 2026-11-20 17:30:00",
        ),  # ends with the day, not with the next morning
        ("2026-11-20T16:00", "2h", "Mon 2026-11-23 09:00:00"),
        ("2026-11-20T20:00", "30m", "Mon 2026-11-23 09:00:00"),
        ("2026-11-21T10:00", "9h", "Mon 2026-11-23 17:30:00"),
        ("2026-11-23T08:30", "1s", "Mon 2026-11-23 08:30:01"),
        ("2026-11-23T17:30", "1s", "Tue 2026-11-24 08:30:01"),
    ],
)
def test_hours_run_inside_the_calendar(opened: str, given: str, ends: str) -> None:
    assert told(deadline(hours(weekly=WEEK), at(opened), span(given))) == ends


def test_round_the_clock_hours_are_hours() -> None:
    opened = at("2026-11-20T22:00")
    always = hours(open="always")
    assert [told(deadline(always, opened, span(given))) for given in ("30m", "2h", "24h")] == [
        "Fri 2026-11-20 22:30:00",
        "Sat 2026-11-21 00:00:00",
        "Sat 2026-11-21 22:00:00",
    ]
    assert deadline(None, opened, span("24h")) == deadline(always, opened, span("24h"))


def test_a_day_of_the_clock_change_has_as_many_hours_as_it_has() -> None:
    """New York, 1 November 2026: the hour from one to two comes twice, so the day is 25 hours long."""
    always = hours("America/New_York", open="always")
    began = at("2026-11-01T00:00", "America/New_York")
    assert told(deadline(always, began, span("24h")), "America/New_York") == "Sun 2026-11-01 23:00:00"
    assert told(deadline(always, began, Span(workdays=1)), "America/New_York") == "Tue 2026-11-03 00:00:00"


def test_workdays_without_a_calendar_have_no_deadline() -> None:
    with pytest.raises(NeverOpenError):
        deadline(None, at("2026-11-20T16:00"), Span(workdays=1))


@pytest.mark.parametrize("text", ["", "soon", "0s", "5", 5, "5 days", "0 workdays", "1.5 workdays", "9999h"])
def test_what_is_no_span_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"is not a span such as 90m, 24h or 5 workdays|longer than a year"):
        Span.model_validate(text, context={"from_files": True})


def test_a_promise_is_near_when_most_of_its_open_time_has_run() -> None:
    office = hours(weekly=WEEK)
    opened = at("2026-11-20T16:00")  # a Friday
    due = deadline(office, opened, span("2h"))  # Monday 09:00
    seen = [due_state(office, opened, due, at(now)) for now in ("2026-11-20T17:23", "2026-11-20T17:24")]
    assert seen == [DueState.ON_TIME, DueState.NEAR]
    assert due_state(office, opened, due, due) is DueState.NEAR
    assert due_state(office, opened, due, due + 1) is DueState.PAST
    assert due_state(office, opened, due, due + HOUR_MS, done_ms=due) is DueState.KEPT
    assert due_state(office, opened, due, due + HOUR_MS, done_ms=due + 1) is DueState.BROKEN


ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@st.composite
def day_hours(draw: st.DrawFn) -> list[str]:
    marks = sorted(draw(st.sets(st.integers(0, 24 * 4), min_size=2, max_size=6)))
    clock = [f"{mark // 4:02d}:{mark % 4 * 15:02d}" for mark in marks]
    return [f"{opens}-{closes}" for opens, closes in zip(clock[::2], clock[1::2], strict=False)]


@st.composite
def calendars(draw: st.DrawFn) -> Hours:
    zone = draw(st.sampled_from(ZONES))
    if draw(st.integers(0, 5)) == 0:
        return hours(zone, open="always")
    week = draw(st.dictionaries(st.sampled_from(DAYS), day_hours(), min_size=1))
    holidays = draw(
        st.one_of(st.just("CN"), st.lists(st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31)), max_size=5))
    )
    exceptions = draw(
        st.dictionaries(
            st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31)), st.one_of(st.just("closed"), day_hours())
        )
    )
    return hours(zone, weekly=week, holidays=holidays, exceptions=exceptions)


INSTANTS = st.integers(at("2026-01-01T00:00"), at("2027-06-01T00:00"))
SPANS = st.one_of(
    st.integers(1, 200 * HOUR_MS).map(lambda ms: Span(ms=ms)),
    st.integers(1, 20).map(lambda count: Span(workdays=count)),
)


@settings(max_examples=150, deadline=None)
@given(calendars(), INSTANTS, INSTANTS, SPANS)
def test_a_later_start_never_ends_sooner(calendar: Hours, one: int, other: int, given_span: Span) -> None:
    first, second = sorted((one, other))
    ends = deadline(calendar, first, given_span), deadline(calendar, second, given_span)
    assert first <= ends[0] <= ends[1]


@settings(max_examples=150, deadline=None)
@given(calendars(), INSTANTS, st.integers(1, 200 * HOUR_MS))
def test_closed_time_is_never_counted(calendar: Hours, start_ms: int, given_ms: int) -> None:
    due_ms = deadline(calendar, start_ms, Span(ms=given_ms))
    assert calendar.open_ms(start_ms, due_ms) == given_ms
    assert calendar.contains(due_ms - 1)


@settings(max_examples=150, deadline=None)
@given(calendars(), INSTANTS, st.integers(1, 20))
def test_workdays_end_at_a_close_and_there_are_as_many_as_were_given(
    calendar: Hours, start_ms: int, workdays: int
) -> None:
    due_ms = deadline(calendar, start_ms, Span(workdays=workdays))
    assert calendar.contains(due_ms - 1)
    first = calendar.day_of(start_ms)
    last = calendar.day_of(due_ms - 1)
    between = (last - first).days
    worked = [day for step in range(1, between + 1) if calendar.spells_on(day := first + dt.timedelta(step))]
    assert len(worked) == workdays
    assert due_ms == calendar.spells_on(last)[-1][1]


@settings(max_examples=150, deadline=None)
@given(calendars(), INSTANTS)
def test_open_is_what_lies_in_a_spell(calendar: Hours, now_ms: int) -> None:
    opens, closes = next(calendar.spells(now_ms))
    assert calendar.contains(now_ms) is (opens <= now_ms)
    assert calendar.next_open(now_ms) == max(opens, now_ms)
    assert opens < closes
    assert calendar.contains(opens)
    assert calendar.contains(closes - 1)
