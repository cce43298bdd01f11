"""Reconcile: what the provider knows and we missed is filled in, once; what goes on is left alone."""

import asyncio
from dataclasses import replace

import pytest

from config.runtime import Runtime
from config.telephony import LegStatus, ProviderUnreachable, RecordingFacts, RecordingStatus
from ivr.service.reconcile import Findings, Reconciliation, reconcile
from recordings.service import recordings
from tests.doubles import MONDAY_0900_MS, ManualClock, TelephonyDouble
from tests.queues.hotline import CHEN_NUMBER, LIN_NUMBER
from tests.recordings.conftest import Desk

MINUTE_MS = 60_000


@pytest.fixture
async def desk(runtime: Runtime) -> Desk:
    desk = Desk(runtime)
    await desk.open()
    return desk


def over(telephony: TelephonyDouble, leg_id: str, from_: str = LIN_NUMBER) -> None:
    """The provider carried a call to us, and it is over."""
    telephony.arrive(leg_id, from_=from_)
    assert isinstance(telephony.clock, ManualClock)
    telephony.clock.advance(MINUTE_MS)
    telephony.set_leg(leg_id, LegStatus.COMPLETED)
    telephony.clock.advance(MINUTE_MS)


async def test_a_call_we_never_saw_has_a_record(desk: Desk, telephony: TelephonyDouble) -> None:
    over(telephony, "CA1")
    assert await reconcile(desk.runtime) == Findings(arrived=1)
    await desk.write_down()
    (row,) = await desk.rows("calls")
    told = {name: row[name] for name in ("call_id", "line", "customer_id", "tier", "outcome", "ended_by")}
    assert told == {
        "call_id": "CA1",
        "line": "main",
        "customer_id": "C1",
        "tier": "key_customer",
        "outcome": "left_in_menu",
        "ended_by": "system",
    }
    assert (row["arrived_ms"], row["ended_ms"]) == (MONDAY_0900_MS, MONDAY_0900_MS + MINUTE_MS)


async def test_doing_it_again_or_twice_at_once_changes_nothing(
    desk: Desk, telephony: TelephonyDouble
) -> None:
    over(telephony, "CA1")
    await asyncio.gather(reconcile(desk.runtime), reconcile(desk.runtime))
    assert await reconcile(desk.runtime) == Findings(), "the scribe has not come to it yet"
    await desk.write_down()
    before = await desk.rows("calls")
    assert await reconcile(desk.runtime) == Findings()
    await desk.write_down()
    assert await desk.rows("calls") == before
    assert len(before) == 1
    kinds = [row["type"] for row in await desk.rows("events")]
    assert (kinds.count("call.arrived"), kinds.count("call.ended")) == (1, 1)


async def test_a_lost_hang_up_is_found(desk: Desk, telephony: TelephonyDouble) -> None:
    """王 talks to nobody: the call ended at the provider, and nobody told us."""
    telephony.arrive("CA1", from_=CHEN_NUMBER)
    await desk.arrive("CA1", CHEN_NUMBER)
    ticket_no = await desk.enqueue("CA1")
    await desk.answer("CA1")
    over(telephony, "CA1", CHEN_NUMBER)
    assert await reconcile(desk.runtime) == Findings(ended=1)
    await desk.write_down()
    (row,) = await desk.rows("calls")
    assert (row["outcome"], row["ticket_no"]) == ("answered", ticket_no)
    assert row["ended_ms"] == MONDAY_0900_MS + MINUTE_MS
    wang = await desk.switchboard.desk_state(agent_id="wang")
    assert wang is not None
    assert wang.state == "wrap_up"


async def test_who_waited_and_hung_up_unheard_has_abandoned_and_has_a_ticket(
    desk: Desk, telephony: TelephonyDouble
) -> None:
    telephony.arrive("CA1")
    await desk.arrive("CA1")
    ticket_no = await desk.enqueue("CA1")
    over(telephony, "CA1")
    await reconcile(desk.runtime)
    await desk.write_down()
    assert await desk.rows("calls", "outcome", "wait_ms") == [{"outcome": "abandoned", "wait_ms": MINUTE_MS}]
    assert await desk.rows("tickets", "ticket_no") == [{"ticket_no": ticket_no}]


async def test_calls_that_go_on_are_left_alone(
    desk: Desk, telephony: TelephonyDouble, clock: ManualClock
) -> None:
    telephony.arrive("CA1")  # in the provider's fallback document: it comes back to us
    telephony.arrive("CA2")
    await desk.arrive("CA2")
    await desk.enqueue("CA2")
    clock.advance(10 * MINUTE_MS)
    telephony.arrive("CA3")
    telephony.set_leg("CA3", LegStatus.COMPLETED)  # its webhooks are on their way
    await desk.write_down()
    assert await reconcile(desk.runtime) == Findings()


async def test_legs_of_ours_are_no_callers(
    desk: Desk, telephony: TelephonyDouble, clock: ManualClock
) -> None:
    leg_id = await telephony.place(
        to="+8657195598000", from_="+8657195598000", url="https://x", status_url="https://x", timeout_s=15
    )
    telephony.set_leg(leg_id, LegStatus.COMPLETED)
    clock.advance(MINUTE_MS)
    assert await reconcile(desk.runtime) == Findings()


async def test_a_call_that_the_live_store_lost_is_ended_from_what_sql_knows(
    desk: Desk, telephony: TelephonyDouble
) -> None:
    telephony.arrive("CA1")
    await desk.arrive("CA1")
    ticket_no = await desk.enqueue("CA1")
    await desk.write_down()
    for name in await desk.runtime.redis.keys("{power}:*CA1*"):
        await desk.runtime.redis.delete(name)
    over(telephony, "CA1")
    assert await reconcile(desk.runtime) == Findings(ended=1)
    await desk.write_down()
    assert await desk.rows("calls", "state", "outcome", "ended_ms") == [
        {"state": "ended", "outcome": "abandoned", "ended_ms": MONDAY_0900_MS + MINUTE_MS}
    ]
    assert await desk.rows("tickets", "ticket_no") == [{"ticket_no": ticket_no}]
    assert await reconcile(desk.runtime) == Findings()


async def test_a_call_the_provider_knows_nothing_of_is_ended_after_an_hour(
    desk: Desk, clock: ManualClock
) -> None:
    await desk.arrive("CA1")
    await desk.write_down()
    clock.advance(30 * MINUTE_MS)
    assert await reconcile(desk.runtime) == Findings(), "the provider's reads lag"
    clock.advance(40 * MINUTE_MS)
    assert await reconcile(desk.runtime) == Findings(ended=1)
    await desk.write_down()
    assert await desk.rows("calls", "state", "outcome") == [{"state": "ended", "outcome": "left_in_menu"}]


async def test_a_recording_nobody_told_us_of_is_fetched(
    desk: Desk, telephony: TelephonyDouble, clock: ManualClock
) -> None:
    await desk.answered_call("CA1")
    await desk.write_down()
    clock.advance(130_000)
    await recordings.miss(desk.runtime)
    telephony.recordings["RE1"] = RecordingFacts(
        recording_id="RE1",
        leg_id="CA1",
        status=RecordingStatus.COMPLETED,
        channels=2,
        started_ms=MONDAY_0900_MS + 17_000,
        duration_s=60,
    )
    assert await reconcile(desk.runtime) == Findings(recordings=1)
    await desk.write_down()
    assert await desk.rows("recordings", "recording_id", "state", "kind", "duration_s") == [
        {"recording_id": "RE1", "state": "fetched", "kind": "call", "duration_s": 60}
    ]
    assert await reconcile(desk.runtime) == Findings()


async def test_a_recording_whose_end_was_lost_is_settled(
    desk: Desk, telephony: TelephonyDouble, clock: ManualClock
) -> None:
    await desk.answered_call("CA1")
    await desk.told("in-progress", "CA1")
    await desk.write_down()
    clock.advance(MINUTE_MS)
    facts = RecordingFacts(
        recording_id="RE1", leg_id="CA1", status=RecordingStatus.PROCESSING, channels=2, started_ms=None
    )
    telephony.recordings["RE1"] = facts
    assert await reconcile(desk.runtime) == Findings(), "the provider is not done with it"
    telephony.recordings["RE1"] = replace(facts, status=RecordingStatus.ABSENT)
    assert await reconcile(desk.runtime) == Findings(recordings=1)
    await desk.write_down()
    assert await desk.rows("recordings", "state", "missing_why") == [
        {"state": "absent", "missing_why": "absent"}
    ]


async def test_a_message_whose_callback_was_lost_is_a_voicemail(
    desk: Desk, telephony: TelephonyDouble, clock: ManualClock
) -> None:
    await desk.arrive("CA1")
    await desk.enqueue("CA1", is_open=False)
    await desk.switchboard.leave_message(call_id="CA1")
    await desk.end("CA1")
    await desk.write_down()
    clock.advance(MINUTE_MS)
    telephony.recordings["RE1"] = RecordingFacts(
        recording_id="RE1", leg_id="CA1", status=RecordingStatus.COMPLETED, channels=1
    )
    assert await reconcile(desk.runtime) == Findings(recordings=1)
    await desk.write_down()
    assert await desk.rows("recordings", "kind", "state") == [{"kind": "voicemail", "state": "fetched"}]


async def test_a_message_after_a_talk_is_a_voicemail_and_the_talk_none(
    desk: Desk, telephony: TelephonyDouble, clock: ManualClock
) -> None:
    await desk.arrive("CA1")
    await desk.enqueue("CA1")
    await desk.answer("CA1")
    clock.advance(MINUTE_MS)
    assert (await desk.switchboard.transfer_call(call_id="CA1", agent_id="wang", queue="outage")).is_ok
    clock.advance(MINUTE_MS)
    assert (await desk.switchboard.divert_call(call_id="CA1", to="voicemail")).is_ok
    await desk.switchboard.leave_message(call_id="CA1")
    clock.advance(MINUTE_MS)
    await desk.end("CA1")
    await desk.write_down()
    clock.advance(MINUTE_MS)
    for recording_id, after_ms in (("RE1", 1_000), ("RE2", 2 * MINUTE_MS + 3_000)):
        telephony.recordings[recording_id] = RecordingFacts(
            recording_id=recording_id,
            leg_id="CA1",
            status=RecordingStatus.COMPLETED,
            channels=1,
            started_ms=MONDAY_0900_MS + after_ms,
            duration_s=20,
        )
    assert await reconcile(desk.runtime) == Findings(recordings=2)
    await desk.write_down()
    kinds = {row["recording_id"]: row["kind"] for row in await desk.rows("recordings")}
    assert kinds == {"RE1": "call", "RE2": "voicemail"}


async def test_a_provider_that_is_away_is_asked_again_as_far_back(
    desk: Desk, telephony: TelephonyDouble
) -> None:
    over(telephony, "CA1")
    telephony.fail("legs", ProviderUnreachable("no answer"))
    chore = Reconciliation()
    assert await chore.run(desk.runtime) == 0
    day_ms = chore.since_for_ms
    assert await chore.run(desk.runtime) == 1
    assert chore.since_for_ms < day_ms


async def test_no_number_gets_into_the_journal(desk: Desk, telephony: TelephonyDouble) -> None:
    over(telephony, "CA1")
    over(telephony, "CA2", from_="anonymous")
    await reconcile(desk.runtime)
    await desk.write_down()
    assert LIN_NUMBER.removeprefix("+86") not in str(await desk.rows("events"))
    refs = {row["call_id"]: row["caller_ref"] for row in await desk.rows("calls")}
    assert refs["CA2"] == "withheld"
