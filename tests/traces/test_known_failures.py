"""What other call centres got wrong: each failure that is known of them, as a test that we do not have it.

The rows are those of the list of known failure modes in the reference on contact centres, §3.3. Four of them are not
here. A monitor session cannot start with an open microphone, because there is no monitoring: no route, command or
button listens in. A transfer that splits the record is tested where transfers are; callbacks against live callers
where callbacks are; and a site whose whole town, processes included, dies at any step in tests/simulation.
"""

import asyncio
import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config.jobs import lent, work_off
from config.runtime import Runtime
from config.telephony import LegGone, ProviderError
from queues import jobs
from queues.dispatcher import Dispatcher
from queues.domain.calendars import is_open
from queues.domain.plan import load_plan
from queues.service.switchboard import CONNECT_S, DeskState
from tests.doubles import ManualClock, TelephonyDouble
from tests.ivr.site import site
from tests.queues.hotline import Hotline as Records
from tests.traces.hotline import Agent, Caller, Heard, Hotline

OTHERS = ("+8613900000011", "+8613900000012", "+8613900000013", "+8613900000014")


@dataclass
class Floor:
    """The hotline, and the dispatcher process beside it; `restart` is the next life of that process."""

    hotline: Hotline
    clock: ManualClock
    telephony: TelephonyDouble
    dispatcher: Dispatcher = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.dispatcher = Dispatcher.of(self.hotline.runtime)

    async def tick(self) -> None:
        await self.dispatcher.tick()
        await self.dispatcher.settle()

    async def takes_over(self) -> None:
        """The process is another one, and leads."""
        self.restart()
        self.clock.advance(1)
        assert await self.dispatcher.lead()
        await self.tick()

    async def pass_by(self, for_ms: int, step_ms: int = 1_000) -> None:
        """Time, with the dispatcher looking every second."""
        for _ in range(max(1, for_ms // step_ms)):
            self.clock.advance(min(for_ms, step_ms))
            await self.tick()

    async def waits(self, call_id: str = "CA1", from_: str = OTHERS[0]) -> tuple[Caller, Heard]:
        """A caller in the queue for a person."""
        self.telephony.arrive(call_id, from_=from_)
        caller = self.hotline.caller(call_id, from_)
        return caller, await caller.dial_and_press("0")

    async def sits(self, agent_id: str = "wang") -> Agent:
        return await self.hotline.agent(agent_id)

    async def rings_for(self, agent: Agent) -> str:
        """His phone rings now; for which call."""
        desk = await self.desk(agent.agent_id)
        assert desk.offer is not None
        agent.offer_id = str(desk.offer.offer_id)
        agent.leg_id = next(
            placed.leg_id
            for placed in reversed(self.telephony.placed)
            if placed.url.endswith(f"/{agent.offer_id}")
        )
        await agent.report("ringing")
        return str(desk.offer.call_id)

    async def talks(self, caller: Caller, agent: Agent) -> tuple[Heard, Heard]:
        """From the ring to the conference; what the agent and what the caller got."""
        await self.rings_for(agent)
        joined = await agent.join(await agent.answer())
        met = await caller.connect(agent.offer_id)
        assert await self.hotline.state_of(caller.leg_id) == "connected"
        return joined, met

    async def desk(self, agent_id: str = "wang") -> DeskState:
        desk = await self.hotline.switchboard.desk_state(agent_id=agent_id)
        assert desk is not None
        return desk

    async def offered(self, *agent_ids: str) -> list[str]:
        """The calls that are held for these agents now."""
        offers = [(await self.desk(agent_id)).offer for agent_id in agent_ids]
        return sorted(str(offer.call_id) for offer in offers if offer)

    async def presence(self, agent_id: str = "wang") -> str:
        desk = await self.desk(agent_id)
        return f"{desk.state} {desk.reason}".strip()


@pytest.fixture
def floor(hotline: Hotline, clock: ManualClock, telephony: TelephonyDouble) -> Floor:
    return Floor(hotline, clock, telephony)


def at(text: str) -> int:
    moment = dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    return round(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("from_", "to", "inside", "outside"),
    [
        ("09-28", "10-07", ("2026-09-28", "2026-09-30", "2026-10-07"), ("2026-09-25", "2026-10-08")),
        ("12-24", "01-03", ("2026-12-24", "2026-12-31", "2027-01-01"), ("2026-12-23", "2027-01-04")),
    ],
)
def test_a_holiday_over_two_months_is_not_both_months(
    tmp_path: Path, from_: str, to: str, inside: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    """Holiday range that spans two months expands to both months (mikopbx #698)."""
    season = (
        f"season: {{from: {from_}, to: {to}, inside: shut, outside: week}}}}\n"
        "  shut: {name: {zh: 假, en: Shut}, weekly: {sun: '00:00-00:01'}}\n"
        "  week: {name: {zh: 周, en: Week}, weekly: {mon-fri: 08:30-17:30}"
    )
    plan = load_plan(site(tmp_path, ("calendars", "weekly: {mon-fri: 08:30-17:30}", season)))
    assert [is_open(plan, "office", at(f"{day}T10:00")) for day in inside] == [False] * len(inside)
    assert [is_open(plan, "office", at(f"{day}T10:00")) for day in outside] == [True] * len(outside)


def test_there_is_no_way_to_listen_in(hotline: Hotline) -> None:
    """Monitor session starts with an open microphone (D365 #3017): there is no such session, on any route."""
    paths = [getattr(route, "path", "") for route in hotline.app.routes]
    assert paths
    assert [path for path in paths if "monitor" in path or "barge" in path or "listen" in path] == []


@pytest.mark.parametrize("dies_after", ["claim", "placed", "ringing"])
async def test_nobody_stays_reserved_after_a_restart(floor: Floor, dies_after: str) -> None:
    """Agent stuck "Reserved/Receiving" after restart (FreeSWITCH #2540, #1973)."""
    await floor.waits()
    agent = await floor.sits()
    board = floor.hotline.switchboard
    if dies_after == "claim":
        turn = (await board.snapshot()).turn
        assert (await board.claim_offer(call_id="CA1", agent_id="wang", turn=turn, why={})).is_ok
    else:
        await floor.tick()
    if dies_after == "ringing":
        await floor.rings_for(agent)
    await floor.takes_over()
    assert len(floor.telephony.placed) == 1, "his phone rings, and once"
    await floor.pass_by(floor.dispatcher.plan.ring_ms + 25_000)
    ends = await floor.hotline.runtime.redis.hget("{power}:offer:CA1-1", "state")
    assert ends == ("expired" if dies_after == "ringing" else "unrung")
    assert await floor.presence() != "offered" or (await floor.desk()).offer is not None
    assert await floor.hotline.state_of("CA1") in ("queued", "offered"), "the place is kept"


@pytest.mark.parametrize("why", ["refused", "silent", "declines"])
async def test_one_agent_who_cannot_be_had_stalls_nobody(floor: Floor, why: str) -> None:
    """One unavailable agent stalls distribution (FreeSWITCH #1216, PR1221)."""
    bad = await floor.sits("bad")
    floor.clock.advance(1_000)
    good = [await floor.sits(f"good{n}") for n in range(3)]
    for n, number in enumerate(OTHERS[:3]):
        await floor.waits(f"CA{n}", number)
    if why == "refused":
        floor.telephony.fail("place", ProviderError(400, 21217, "no such phone"))
    await floor.tick()
    if why == "declines":
        await floor.rings_for(bad)
        await floor.hotline.switchboard.decline_offer(offer_id=bad.offer_id)
    if why == "silent":
        for _ in range(4):
            floor.clock.advance(15_000)
            for agent in good:
                await floor.hotline.switchboard.beat(agent_id=agent.agent_id)
            await floor.tick()
        assert await floor.presence("bad") == "away lost"
    await floor.tick()
    assert await floor.offered(*(agent.agent_id for agent in good)) == ["CA0", "CA1", "CA2"]


@pytest.mark.parametrize("when", ["claimed", "being_placed", "ringing", "whispering"])
async def test_a_caller_who_hangs_up_leaves_no_phone_ringing(floor: Floor, when: str) -> None:
    """Caller hung up but agent still rung, a zombie (FreeSWITCH #2529)."""
    caller, _ = await floor.waits()
    agent = await floor.sits()
    if when == "claimed":
        board = floor.hotline.switchboard
        turn = (await board.snapshot()).turn
        await board.claim_offer(call_id="CA1", agent_id="wang", turn=turn, why={})
    elif when == "being_placed":
        place = floor.telephony.place

        async def he_hangs_up_meanwhile(**about: Any) -> str:
            await caller.report_end()
            return await place(**about)

        floor.telephony.place = he_hangs_up_meanwhile  # type: ignore[method-assign]
        await floor.tick()
    else:
        await floor.tick()
        await floor.rings_for(agent)
        if when == "whispering":
            await agent.answer()
    await caller.report_end()
    await floor.tick()
    await floor.takes_over()
    assert [leg.leg_id for leg in floor.telephony.placed] == floor.telephony.hung_up
    assert len(floor.telephony.placed) == (0 if when == "claimed" else 1)
    assert await floor.presence() == "ready"


async def test_who_accepts_has_the_caller_at_once_and_never_waits_without_end(floor: Floor) -> None:
    """Agent hears dead air while caller hears an announcement (FreeSWITCH #1148).

    The caller is pulled out of whatever he hears as soon as the agent accepts; what he would hear next is no
    announcement; and where he cannot be had, the agent is free again when the time of connecting is up.
    """
    caller, enqueued = await floor.waits()
    waiting = await caller.wait(enqueued)
    agent = await floor.sits()
    await floor.tick()
    await floor.rings_for(agent)
    assert floor.telephony.pulled == [], "nobody is pulled to a phone that nobody has lifted"
    joined = await agent.join(await agent.answer())
    await floor.tick()
    assert [leg_id for _, leg_id, _ in floor.telephony.pulled] == ["CA1"]
    assert (await caller.wait(waiting)).said == "正在为您接通，请稍候。"
    met = await caller.connect(agent.offer_id)
    assert met.conference
    assert joined.conference == met.conference, "they meet in one room"


async def test_an_agent_whose_caller_cannot_be_pulled_is_free_again(floor: Floor) -> None:
    """The same row: the announcement, or whatever holds the caller, never ends."""
    await floor.waits()
    agent = await floor.sits()
    await floor.tick()
    await floor.rings_for(agent)
    await agent.join(await agent.answer())
    floor.telephony.fail("pull", LegGone(404, 20404, "between two documents"), times=999)
    await floor.pass_by(round(CONNECT_S * 1000) - 1_000)
    assert await floor.presence() == "connecting"
    assert floor.telephony.hung_up == []
    await floor.pass_by(2_000)
    assert floor.telephony.hung_up == [agent.leg_id]
    assert (await floor.desk()).offer is None or await floor.presence() == "offered"


async def test_wrap_up_lasts_as_long_as_it_was_given(floor: Floor) -> None:
    """Wrap-up ends early, lastcall reset (Asterisk #1006, #607): no late word about any call shortens it."""
    caller, _ = await floor.waits()
    agent = await floor.sits()
    await floor.tick()
    joined, met = await floor.talks(caller, agent)
    await caller.after(met, "completed")
    until_ms = (await floor.desk()).wrap_up_until_ms
    assert until_ms == floor.clock.now_ms() + floor.dispatcher.plan.wrap_up_ms
    board = floor.hotline.switchboard
    chance = Random(3)
    late = [
        lambda: agent.left(joined, "completed"),
        lambda: agent.report("completed"),
        lambda: agent.report("no-answer"),
        lambda: caller.report_end(),
        lambda: caller.report_conference("participant-leave", agent.leg_id),
        lambda: caller.connect(agent.offer_id),
        lambda: board.requeue_call(call_id="CA1", offer_id=agent.offer_id),
        lambda: board.expire_offer(offer_id=agent.offer_id),
        lambda: board.sign_in(agent_id="wang", name="wang", skills=["general"], endpoint="client:wang"),
        lambda: board.set_presence(agent_id="wang", presence="ready"),
        lambda: board.end_call(call_id="CA1", by="agent"),
    ]
    await floor.waits("CA2", OTHERS[1])
    while floor.clock.now_ms() < until_ms - 1_000:
        await floor.pass_by(1_000)
        await chance.choice(late)()
        assert await floor.presence() == "wrap_up"
        assert (await floor.desk()).wrap_up_until_ms == until_ms
    await floor.pass_by(1_000)
    assert await floor.presence() == "offered"


async def test_a_caller_whom_nobody_here_can_serve_keeps_no_free_agent_from_the_others(floor: Floor) -> None:
    """Queue stops offering although agents are free (Asterisk #1691): the longest waiting is not everybody's first."""
    await floor.waits("CA0", OTHERS[0])
    caller = floor.hotline.caller("CA1", OTHERS[1])
    await caller.dial_and_press("952")  # in English, which needs an agent who speaks it
    for n in (2, 3):
        floor.clock.advance(1_000)
        await floor.waits(f"CA{n}", OTHERS[n])
    for n in range(3):
        await floor.hotline.agent(f"a{n}", skills=("general",))
    await floor.tick()
    assert await floor.offered("a0", "a1", "a2") == ["CA0", "CA2", "CA3"]
    assert await floor.hotline.state_of("CA1") == "queued"


@pytest.mark.parametrize("by", ["caller", "agent"])
@pytest.mark.parametrize("wish", ["away", "signed_out", "ready"])
async def test_after_the_work_he_is_what_he_wished_to_be(floor: Floor, by: str, wish: str) -> None:
    """Auto-available after every task (flex-project-template #290): only who wished nothing else is ready again."""
    caller, _ = await floor.waits()
    agent = await floor.sits()
    await floor.tick()
    joined, met = await floor.talks(caller, agent)
    await floor.hotline.switchboard.set_presence(agent_id="wang", presence=wish, reason="meal")
    if by == "caller":
        await caller.after(met, "completed")
    else:
        await agent.left(joined, "completed")
    await floor.waits("CA2", OTHERS[1])
    await floor.pass_by(floor.dispatcher.plan.wrap_up_ms)
    told = {"away": "away meal", "signed_out": "signed_out", "ready": "offered"}
    assert await floor.presence() == told[wish]


async def test_who_missed_two_calls_is_not_made_available_by_the_next(floor: Floor) -> None:
    """The same row: nobody sits there, and the house does not go on as if somebody did."""
    await floor.waits()
    agent = await floor.sits()
    for _ in range(2):
        await floor.tick()
        await floor.rings_for(agent)
        await floor.pass_by(floor.dispatcher.plan.ring_ms)
    await floor.pass_by(300_000, step_ms=20_000)
    assert await floor.presence() == "away missed"
    assert len(floor.telephony.placed) == 2


async def test_reports_that_overtake_each_other_move_nothing_back(floor: Floor) -> None:
    """Callbacks arrive out of order (twilio-csharp #633): every order of the reports of a leg ends in the same."""
    caller, _ = await floor.waits()
    first = await floor.sits("wang")
    await floor.tick()
    second = await floor.sits("li")
    await floor.rings_for(first)
    await first.report("no-answer")
    await floor.tick()
    joined, met = await floor.talks(caller, second)
    for status in ("initiated", "ringing", "in-progress", "no-answer", "completed", "ringing"):
        await first.report(status)
    for status in ("initiated", "ringing", "in-progress", "ringing"):
        await second.report(status)
        assert await floor.hotline.state_of("CA1") == "connected"
        assert (await floor.desk("li")).state == "connected"
    await second.left(joined, "completed")
    for status in ("in-progress", "ringing", "completed"):
        await second.report(status)
    await caller.after(met, "completed")
    await caller.post("/voice/status", "in-progress")
    assert await floor.hotline.state_of("CA1") == "ended answered"
    assert await floor.presence("li") == "wrap_up"
    assert await floor.presence("wang") == "ready"


async def test_a_job_that_is_picked_twice_is_done_once(runtime: Runtime) -> None:
    """Duplicate delivery, double pick of a job (RQ #1854): two workers at one ticket make one ticket."""
    records = await Records(runtime).open()
    await records.arrive("CA1")
    ticket_no = await records.enqueue("CA1", "key_power_cut", "key")
    await records.scribe.drain()
    async with lent(runtime):
        await asyncio.gather(*(asyncio.to_thread(jobs.open_ticket, "CA1") for _ in range(4)))
    for attempt in (7, 8):
        await runtime.jobs.push(
            "dispatch_urgent", "queues.jobs.open_ticket", f"CA1-x-{attempt}", call_id="CA1"
        )
    await work_off(runtime, ["dispatch_urgent"])
    assert await records.rows("tickets", "ticket_no", "call_id") == [
        {"ticket_no": ticket_no, "call_id": "CA1"}
    ]
    assert await runtime.jobs.failed("dispatch_urgent") == ()
