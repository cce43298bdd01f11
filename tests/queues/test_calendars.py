"""Opening hours are half-open, exact to the second, and in the calendar's own time zone."""

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from queues.domain.calendars import is_open, next_open, warnings
from queues.domain.faults import SiteFaults
from queues.domain.plan import Plan, load_plan
from tests.ivr.site import site

WRITTEN = "weekly: {mon-fri: 08:30-17:30}"
SEASON = """{from: 11-15, to: 03-15, inside: always, outside: week}}
  always: {name: {zh: 全天, en: Always}, open: always}
  week: {name: {zh: 周, en: Week}, weekly: {mon-fri: 08:30-17:30}"""


def at(text: str, zone: str = "Asia/Shanghai") -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def planned(directory: Path, hours: str, timezone: str = "Asia/Shanghai") -> Plan:
    """The small hotline with other office hours."""
    zone = ("site", "timezone: Asia/Shanghai", f"timezone: {timezone}")
    return load_plan(site(directory, ("calendars", WRITTEN, hours), zone))


def open_at(plan: Plan, *texts: str, zone: str = "Asia/Shanghai") -> list[bool]:
    return [is_open(plan, "office", at(text, zone)) for text in texts]


def faults(directory: Path, hours: str) -> list[str]:
    with pytest.raises(SiteFaults) as caught:
        planned(directory, hours)
    return [str(fault) for fault in caught.value.faults]


def test_the_office_opens_at_half_past_eight_and_is_closed_at_half_past_five(tmp_path: Path) -> None:
    plan = planned(tmp_path, WRITTEN)
    times = ("08:29:59", "08:30:00", "17:29:59", "17:29:59.999", "17:30:00")
    assert open_at(plan, *(f"2026-11-23T{each}" for each in times)) == [False, True, True, True, False]


def test_weekends_are_closed_except_for_what_is_always_open(tmp_path: Path) -> None:
    plan = planned(tmp_path, f"season: {SEASON}")
    saturday = at("2026-11-21T10:00:00")
    assert not is_open(plan, "week", saturday)
    assert is_open(plan, "always", saturday)


def test_a_day_may_have_two_stretches_and_midnight_is_an_end(tmp_path: Path) -> None:
    plan = planned(tmp_path, "weekly: {mon: [08:30-12:00, '14:00-24:00']}")
    seen = open_at(plan, *(f"2026-11-23T{text}" for text in ("11:59:59", "12:00", "14:00", "23:59:59")))
    assert seen == [True, False, True, True]
    assert open_at(plan, "2026-11-24T00:00") == [False]


def test_a_holiday_monday_is_closed_and_a_worked_saturday_is_a_working_day(tmp_path: Path) -> None:
    """As announced for 2026: 1 to 7 October off; 20 September (Sunday) and 10 October (Saturday) worked."""
    plan = planned(tmp_path, f"{WRITTEN}, holidays: CN")
    days = ("2026-09-20", "2026-09-30", "2026-10-05", "2026-10-08", "2026-10-10", "2026-10-11")
    assert open_at(plan, *(f"{day}T10:00" for day in days)) == [True, True, False, True, True, False]
    edges = ("08:29:59", "08:30:00", "17:29:59", "17:30:00")
    assert open_at(plan, *(f"2026-10-10T{edge}" for edge in edges)) == [False, True, True, False]


def test_a_worked_day_has_the_hours_of_the_first_open_weekday(tmp_path: Path) -> None:
    plan = planned(tmp_path, "weekly: {tue-fri: 09:00-18:00, sat: 10:00-12:00}, holidays: CN")
    assert open_at(plan, "2026-10-10T09:00", "2026-10-10T17:59:59", "2026-10-17T09:00") == [True, True, False]


def test_a_year_that_is_not_announced_goes_on_and_warns(tmp_path: Path) -> None:
    plan = planned(tmp_path, f"{WRITTEN}, holidays: CN")
    assert open_at(plan, "2031-11-17T10:00", "2031-11-22T10:00", "2031-10-01T10:00") == [True, False, False]
    assert warnings(plan, dt.date(2026, 3, 2)) == []
    (warned,) = warnings(plan, dt.date(2031, 3, 3))
    assert warned.steps == ("calendars", "calendars", "office", "holidays")
    assert warned.message == "the make-up workdays of 2031 are not announced; weekends count as usual"
    assert len(warnings(plan, dt.date(2031, 11, 3))) == 2  # the next year is near


def test_a_country_without_make_up_days_is_not_waited_for(tmp_path: Path) -> None:
    plan = planned(tmp_path, f"{WRITTEN}, holidays: HK")
    assert open_at(plan, "2026-07-01T10:00") == [False]
    assert warnings(plan, dt.date(2031, 3, 3)) == []


def test_holidays_may_be_listed_and_a_list_that_ended_warns(tmp_path: Path) -> None:
    plan = planned(tmp_path, f"{WRITTEN}, holidays: [2027-01-01]")
    assert open_at(plan, "2027-01-01T10:00", "2027-01-04T10:00") == [False, True]
    assert warnings(plan, dt.date(2027, 1, 1)) == []
    assert [each.message for each in warnings(plan, dt.date(2027, 1, 2))] == [
        "the last of these holidays was 2027-01-01"
    ]


def test_exceptions_come_before_holidays_make_up_days_and_the_week(tmp_path: Path) -> None:
    exceptions = "{2026-10-05: 10:00-12:00, 2026-10-10: closed, 2026-12-31: 08:30-12:00, 2026-11-28: [9:00]}"
    told = faults(tmp_path, f"{WRITTEN}, exceptions: {exceptions}")
    assert told[0].endswith("'9:00' is not a time such as 08:30-17:30")
    plan = planned(tmp_path, f"{WRITTEN}, holidays: CN, exceptions: {exceptions.replace('[9:00]', 'closed')}")
    assert open_at(plan, "2026-10-05T10:00", "2026-10-05T12:00", "2026-10-10T10:00") == [True, False, False]
    assert open_at(plan, "2026-12-31T11:59:59", "2026-12-31T12:00:00") == [True, False]  # a half day


def test_a_round_the_clock_calendar_may_have_a_closed_day(tmp_path: Path) -> None:
    plan = planned(tmp_path, "open: always, exceptions: {2026-11-28: closed}")
    times = ("2026-11-27T23:59:59", "2026-11-28T00:00:00", "2026-11-28T23:59:59", "2026-11-29T00:00:00")
    assert open_at(plan, *times) == [True, False, False, True]


def test_a_season_runs_over_the_turn_of_the_year_with_both_its_days(tmp_path: Path) -> None:
    plan = planned(tmp_path, f"season: {SEASON}")
    nights = ("2026-11-14", "2026-11-15", "2026-12-31", "2027-02-28", "2027-03-15", "2027-03-16")
    assert open_at(plan, *(f"{night}T03:00" for night in nights)) == [False, True, True, True, True, False]
    assert open_at(plan, "2026-07-01T09:00", "2026-07-01T03:00") == [True, False]


def test_a_season_of_the_same_year(tmp_path: Path) -> None:
    plan = planned(tmp_path, f"season: {SEASON.replace('11-15', '04-01').replace('03-15', '09-30')}")
    nights = ("2026-03-31", "2026-04-01", "2026-09-30", "2026-10-01")
    assert open_at(plan, *(f"{night}T03:00" for night in nights)) == [False, True, True, False]


def test_a_calendar_may_have_a_time_zone_of_its_own(tmp_path: Path) -> None:
    plan = planned(tmp_path, f"{WRITTEN}, timezone: Asia/Urumqi")
    assert open_at(plan, "2026-11-23T08:30", "2026-11-23T10:30", "2026-11-23T19:29:59") == [False, True, True]


def test_next_open_is_now_or_the_next_time_the_doors_open(tmp_path: Path) -> None:
    plan = planned(tmp_path, f"{WRITTEN}, holidays: CN")
    opens = {
        "2026-11-23T10:00:00.500": "2026-11-23T10:00:00.500",
        "2026-11-23T17:30": "2026-11-24T08:30",
        "2026-11-21T10:00": "2026-11-23T08:30",
        "2026-09-30T17:30": "2026-10-08T08:30",
        "2026-10-09T20:00": "2026-10-10T08:30",
    }
    assert {text: next_open(plan, "office", at(text)) for text in opens} == {
        text: at(then) for text, then in opens.items()
    }


@pytest.mark.parametrize(
    ("zone", "hours", "changes"),
    [
        # Put forward at 02:00 to 03:00: what opens inside the hour that is not there opens at the change.
        (
            "Europe/Berlin",
            "02:30-05:00",
            {"00:59:59": False, "01:00:00": True, "02:59:59": True, "03:00": False},
        ),
        ("Europe/Berlin", "02:00-03:00", {"00:59:59": False, "01:00:00": False}),
    ],
)
def test_hours_on_the_day_the_clocks_go_forward(
    tmp_path: Path, zone: str, hours: str, changes: dict[str, bool]
) -> None:
    """Instants in UTC of Sunday 29 March 2026."""
    plan = planned(tmp_path, f"weekly: {{mon-sun: {hours}}}", zone)
    assert {text: is_open(plan, "office", at(f"2026-03-29T{text}", "UTC")) for text in changes} == changes


def test_an_hour_that_comes_twice_is_taken_the_first_time(tmp_path: Path) -> None:
    """Berlin, 25 October 2026: 02:00 to 03:00 comes twice, from 00:00 to 02:00 UTC."""
    plan = planned(tmp_path, "weekly: {mon-sun: 01:00-02:30}", "Europe/Berlin")
    times = {
        "2026-10-24T23:00": True,
        "2026-10-25T00:29:59": True,
        "2026-10-25T00:30": False,
        "2026-10-25T01:15": False,
    }
    assert {text: is_open(plan, "office", at(text, "UTC")) for text in times} == times


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        ("weekly: {mon: [08:30-12:00, 11:00-17:30]}", "two of the hours of mon overlap"),
        ("weekly: {mon-fri: 08:30-17:30, wed: 09:00-10:00}", "'wed' is given twice"),
        ("weekly: {fri-mon: 08:30-17:30}", "'fri-mon' runs backwards"),
        ("weekly: {mon: 22:00-06:00}", "'22:00-06:00' does not end after it begins"),
        ("weekly: {mon: 08:30-24:30}", "does not end after it begins"),
        ("weekly: {mon: closed}", "no day of this week has any hours"),
        (
            "weekly: {mon-fri: 08:30-17:30}, open: always",
            "give one of 'open: always', 'weekly' hours and 'season'",
        ),
        ("open: always, holidays: CN", "'holidays' belong to 'weekly' hours"),
        (f"{WRITTEN}, holidays: China", "'China' is not a country such as CN"),
        (f"{WRITTEN}, holidays: [2026-02-30]", "there is no such day: 2026-02-30"),
        (f"{WRITTEN}, holidays: [new year]", "'new year' is not a date such as 2026-10-01"),
        (f"{WRITTEN}, exceptions: {{2026-12-31: noon}}", "'noon' is not a time such as 08:30-17:30"),
        (f"{WRITTEN}, timezone: Asia/Pekin", "'Asia/Pekin' is not a time zone such as Asia/Shanghai"),
        (f"season: {SEASON.replace('11-15', '11-31')}", "'11-31' is not a day of the year such as 11-15"),
        (f"season: {SEASON.replace('outside: week', 'outside: weak')}", "did you mean 'week'?"),
        (
            f"season: {SEASON.replace('inside: always', 'inside: office')}",
            "goes round in a circle: office -> office",
        ),
        (f"season: {SEASON}, timezone: Asia/Urumqi", "'week' is in another time zone than 'office'"),
    ],
)
def test_what_is_wrong_with_a_calendar_is_told_with_its_place(tmp_path: Path, hours: str, told: str) -> None:
    if "no such day" in told:
        with pytest.raises(Exception, match=told):
            planned(tmp_path, hours)
        return
    found = faults(tmp_path, hours)
    assert any(told in fault for fault in found), found
    assert all(fault.startswith("calendars.yaml:") for fault in found), found


def test_seasons_that_name_each_other_are_a_circle(tmp_path: Path) -> None:
    circle = (
        SEASON.replace("outside: week}}", "outside: other}}")
        + """}
  other: {name: {zh: 别, en: Other}, season: {from: 01-01, to: 02-01, inside: office, outside: week}"""
    )
    found = faults(tmp_path, f"season: {circle}")
    assert any("goes round in a circle: office -> other -> office" in fault for fault in found), found
