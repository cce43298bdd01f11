"""Opening hours are half-open and in the site's own time zone."""

import datetime as dt
from pathlib import Path

from queues.domain.calendars import is_open
from queues.domain.plan import load_plan
from tests.ivr.site import power, site

SHANGHAI = dt.timezone(dt.timedelta(hours=8))


def at(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp() * 1000)


def test_the_office_opens_at_half_past_eight_and_is_closed_at_half_past_five() -> None:
    plan, _ = power()
    seen = {
        text: is_open(plan, "office", at(f"2026-11-23T{text}"))
        for text in ("08:29:59", "08:30:00", "17:29:59", "17:30:00")
    }
    assert seen == {"08:29:59": False, "08:30:00": True, "17:29:59": True, "17:30:00": False}


def test_weekends_and_holidays_are_closed_except_for_what_is_always_open() -> None:
    plan, _ = power()
    saturday, new_year = at("2026-11-21T10:00:00"), at("2027-01-01T10:00:00")
    assert [is_open(plan, "office", moment) for moment in (saturday, new_year)] == [False, False]
    assert [is_open(plan, "always", moment) for moment in (saturday, new_year)] == [True, True]


def test_a_day_may_have_two_stretches_and_midnight_is_an_end(tmp_path: Path) -> None:
    hours = "{mon: [08:30-12:00, '14:00-24:00']}"
    plan = load_plan(site(tmp_path, ("calendars", "{mon-fri: 08:30-17:30}", hours)))
    seen = [
        is_open(plan, "office", at(f"2026-11-23T{text}"))
        for text in ("11:59:59", "12:00", "14:00", "23:59:59")
    ]
    assert seen == [True, False, True, True]
    assert not is_open(plan, "office", at("2026-11-24T00:00"))
