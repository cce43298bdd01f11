"""R15: with office hours 08:30 to 17:30 a business call at 17:29:59 is queued and at 17:30:00 gets voicemail with the
hours; repair lines answer at 03:00 in season. A Saturday worked in exchange for a holiday is a working day, and a
Monday that is a holiday is none."""

import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from zoneinfo import ZoneInfo

import pytest

from config.runtime import Runtime
from tests.doubles import ManualClock, TelephonyDouble
from tests.requirements.house import House, open_house
from tests.traces.hotline import Caller, Heard

CALLER = "+8613800138000"
HOURS = "八点半到十七点半"
Opens = Callable[[str, str], AbstractAsyncContextManager[House]]


def instant(text: str) -> int:
    moment = dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    return int(moment.timestamp() * 1000)


@pytest.fixture
def house_at(runtime: Runtime) -> Opens:
    """The house of a site, with its clock at an instant."""

    @asynccontextmanager
    async def opened(site: str, text: str) -> AsyncIterator[House]:
        runtime.clock = ManualClock(instant(text))
        assert isinstance(runtime.telephony, TelephonyDouble)
        runtime.telephony.clock = runtime.clock
        async with open_house(runtime, site) as house:
            yield house

    return opened


async def keyed(house: House, keys: str, line: str = "main") -> tuple[Caller, Heard]:
    """A caller who presses these keys, one at each question."""
    caller, heard = await house.call("CA1", CALLER, line)
    for key in keys:
        heard = await caller.press(await caller.send_on(heard), key)
    return caller, heard


def says_hours_and_records(heard: Heard) -> bool:
    return HOURS in heard.said and "Record" in heard.verbs


@pytest.mark.parametrize(
    ("moment", "is_served"),
    [
        ("2026-11-23T08:29:59", False),
        ("2026-11-23T08:30:00", True),
        ("2026-11-23T17:29:59", True),
        ("2026-11-23T17:30:00", False),
        ("2026-11-21T10:00:00", False),  # a Saturday like others
        ("2026-10-10T10:00:00", True),  # a Saturday that is worked
        ("2026-10-10T17:30:00", False),
        ("2026-10-05T10:00:00", False),  # a Monday in the holidays
        ("2026-10-08T08:30:00", True),
        ("2027-01-01T10:00:00", False),
        ("2031-11-17T10:00:00", True),  # a year that is not announced goes on, by its weekdays
        ("2031-11-22T10:00:00", False),
    ],
)
async def test_a_business_call_is_queued_in_office_hours_and_leaves_a_message_outside(
    house_at: Opens, moment: str, is_served: bool
) -> None:
    async with house_at("power", moment) as house:
        _, heard = await keyed(house, "3")
        call = await house.facts_of("CA1")
        assert ("Enqueue" in heard.verbs, says_hours_and_records(heard)) == (is_served, not is_served)
        assert (call.queue, call.state) == ("connection", "queued" if is_served else "messaging")


async def test_whoever_called_in_vain_has_a_ticket_that_is_due_after_the_holidays(house_at: Opens) -> None:
    """Wednesday 30 September, 17:30: three working days are Thursday 8, Friday 9 and Saturday 10 October."""
    async with house_at("power", "2026-09-30T17:30:00") as house:
        caller, heard = await keyed(house, "3")
        assert says_hours_and_records(heard)
        await caller.report_end()
        await house.settle()
        assert await house.rows("calls", "outcome") == [{"outcome": "closed"}]
        assert await house.rows("tickets", "work_queue", "due_ms") == [
            {"work_queue": "business", "due_ms": instant("2026-10-10T17:30:00")}
        ]


@pytest.mark.parametrize("moment", ["2026-11-15T03:00:00", "2026-12-31T03:00:00", "2027-03-15T03:00:00"])
async def test_the_repair_line_answers_at_three_in_the_night_in_season(house_at: Opens, moment: str) -> None:
    async with house_at("heat", moment) as house:
        caller, heard = await keyed(house, "13")
        heard = await caller.key_in(heard, "")
        assert "Enqueue" in heard.verbs
        assert (await house.facts_of("CA1")).queue == "repair"


@pytest.mark.parametrize("moment", ["2026-11-14T03:00:00", "2027-03-16T03:00:00", "2027-07-01T03:00:00"])
async def test_out_of_season_the_line_says_its_hours_at_night_and_still_takes_a_leak(
    house_at: Opens, moment: str
) -> None:
    async with house_at("heat", moment) as house:
        caller, heard = await house.call("CA1", CALLER)
        heard = await caller.send_on(heard)
        assert HOURS in heard.said
        assert "Enqueue" in (await caller.press(heard, "1")).verbs
        assert (await house.facts_of("CA1")).queue == "emergency"


async def test_round_the_clock_queues_answer_at_any_hour(house_at: Opens) -> None:
    async with house_at("power", "2026-10-05T03:00:00") as house:
        _, heard = await keyed(house, "0")
        assert "Enqueue" in heard.verbs


async def test_a_message_left_at_night_is_a_ticket_whose_clock_begins_when_the_doors_open(
    house_at: Opens,
) -> None:
    """An hour of open time, left on a Thursday in July at three in the night: half past nine."""
    async with house_at("heat", "2027-07-01T03:00:00") as house:
        caller, heard = await house.call("CA1", CALLER)
        heard = await caller.press(await caller.send_on(heard), "2")
        assert says_hours_and_records(heard)
        await caller.post(heard.url("Record", "action"), "completed", RecordingDuration="9", Digits="hangup")
        await caller.report_end()
        await house.settle()
        assert await house.rows("tickets", "type", "matter", "due_ms") == [
            {"type": "enquiry", "matter": "enquiry", "due_ms": instant("2027-07-01T09:30:00")}
        ]
