"""The process dies here: every row of the table, with what the caller hears and who finds the work."""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from typing import Any

import pytest

from ivr.launcher import listen
from ivr.service.reconcile import SETTLED_AFTER_S, reconcile
from ivr.standin import webhooks
from ivr.standin.handsets import Handset
from queues import dispatcher as dispatcher_room
from queues.dispatcher import Dispatcher
from queues.domain.journal import parse_id
from queues.service.links import OPEN_TICKET, OVERDUE_S, sweep
from queues.service.switchboard import LINGER_S, PLACE_S
from recordings.service import recordings
from tests.queues.hotline import Hotline as Desk
from tests.simulation.own_store import OwnStore
from tests.simulation.processes import START_S, Processes, is_serving
from tests.simulation.town import OTHER_CALLER, PATIENCE_S, Town, hears, said, times, until
from tests.simulation.wallboard import signed_in, wallboard

FALLBACK = "系统繁忙，请不要挂机"
CALLS_UNDER_LOAD, CALLERS = 60, 4
CONNECTING = "正在为您接通，请稍候"


async def is_over(town: Town, caller: Handset, agent: Handset, outcome: str = "ended answered") -> None:
    """The caller hangs up, both lines are free, nothing is left to do and the auditor is content."""
    caller.hang_up()
    async with town.patience():
        await agent.ended()
    await town.state(caller.sid, outcome)
    await until(town.has_nothing_due)
    assert await town.breaches() == ()


# A webhook is received, its script has not run


async def test_the_front_door_is_killed_with_a_webhook_in_flight(
    front_door_elsewhere: Town, processes: Callable[[Town], Processes]
) -> None:
    town = front_door_elsewhere
    house = processes(town)
    web = await house.start("web")
    await is_serving(town.url)
    town.dispatcher()
    phone = await town.sits_down()
    caller = await town.dial("")
    await hears(caller, "gathering")
    web.send_signal(signal.SIGSTOP)
    caller.press("0")
    await asyncio.sleep(0.1)  # the request is at our door, and nobody takes it in
    await house.kill(web)
    await hears(caller, "said", FALLBACK)

    await house.start("web")
    await until(lambda: times(caller, "gathering") > 1, START_S)
    caller.press("0")
    agent = await town.answers(phone)
    await hears(caller, "bridged")
    assert len(await town.lines("call.arrived")) == 1
    await is_over(town, caller, agent)


async def test_nobody_takes_the_webhook_and_who_hangs_up_meanwhile_is_found_by_reconcile(
    front_door_elsewhere: Town, processes: Callable[[Town], Processes]
) -> None:
    town = front_door_elsewhere
    gone, stays = await town.dial(""), await town.dial("", OTHER_CALLER)
    await hears(gone, "said", FALLBACK)
    gone.hang_up()
    await hears(stays, "said", FALLBACK)
    assert await town.lines() == []

    house = processes(town)
    await house.start("web")
    await hears(stays, "gathering", within_s=START_S)
    stays.press("0")
    await hears(stays, "queued")
    assert [line.call_id for line in await town.lines("call.arrived")] == [stays.sid]
    town.clock.advance(town.clock.product_ms(SETTLED_AFTER_S))
    assert (
        await house.said("reconcile", SHOUWEN_CLOCK=town.clock.as_text())
        == "Findings(arrived=1, ended=0, recordings=0)"
    )
    await town.write_down()
    [missed] = [
        row
        for row in await town.rows("calls", "call_id", "outcome", "ended_by")
        if row["call_id"] == gone.sid
    ]
    assert (missed["outcome"], missed["ended_by"]) == ("left_in_menu", "system")
    assert (await town.call(stays.sid)).state == "queued"


async def test_the_answer_is_lost_though_the_script_ran_and_the_caller_keeps_what_it_gave(town: Town) -> None:
    caller = await town.dial("")
    await hears(caller, "gathering")
    town.webhooks.kill_at("/voice/menu", "after", nobody)
    caller.press("0")
    await hears(caller, "said", FALLBACK)
    await hears(caller, "queued")
    assert times(caller, "gathering") == 1
    told = [line.type for line in await town.lines()]
    assert told == ["call.arrived", "call.menu_stepped", "call.queued"]
    caller.hang_up()
    await town.state(caller.sid, "ended abandoned")
    assert await town.breaches() == ()


async def nobody() -> None:
    """Nobody is killed: the front door alone is gone, and another stands there."""


async def test_a_front_door_that_restarts_makes_callers_wait_and_pages_come_back(
    front_door_elsewhere: Town, processes: Callable[[Town], Processes], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, house = front_door_elsewhere, processes(front_door_elsewhere)
    # The provider would wait for 15 s; a machine that is busy with other tests takes longer over one start.
    patient = webhooks.Overrides(read_s=START_S, total_s=START_S)
    monkeypatch.setattr(webhooks, "overrides_of", lambda _: patient)
    with contextlib.closing(listen("127.0.0.1", int(town.url.rpartition(":")[2]))) as listener:
        web = await house.start("web", fd=listener.fileno())
        await is_serving(town.url)
        caller = await town.dial("")
        await hears(caller, "gathering")
        async with signed_in(town.runtime.database, town.url) as browser:
            async with wallboard(browser) as pictures:
                assert (await pictures.newest())["top"]["waiting"] == 0
                web.terminate()
                await pictures.ended()
            await asyncio.wait_for(web.wait(), PATIENCE_S)
            caller.press("0")  # nobody takes it in, but the socket is open
            web = await house.start("web", fd=listener.fileno())
            await hears(caller, "queued", within_s=START_S)
            async with wallboard(browser) as pictures:
                assert (await pictures.newest())["top"]["waiting"] == 1
                await house.kill(web)
                await pictures.ended()
    assert FALLBACK not in said(caller)


# Between claim and ring


async def test_the_dispatcher_dies_before_it_rings(town: Town) -> None:
    first = town.dispatcher(dies_at="place", when="before")
    phone = await town.sits_down()
    caller = await town.waits()
    await first.death()
    place = await town.state(caller.sid, "offered")
    await hears(caller, "played")  # he waits on and knows of nothing
    assert town.agent_legs() == []

    town.dispatcher()
    agent = await town.answers(phone)
    await hears(caller, "bridged")
    assert len(town.agent_legs()) == 1
    assert (await town.call(caller.sid)).queued_ms == place.queued_ms
    assert len(await town.lines("call.offered")) == 1
    await is_over(town, caller, agent)


@pytest.mark.parametrize("speed", [10])  # the phone still rings when the next has taken over
async def test_the_dispatcher_dies_after_it_rang_and_the_next_adopts_the_ring(town: Town) -> None:
    first = town.dispatcher(dies_at="place", when="after")
    phone = await town.sits_down()
    with town.webhooks.holding("/status$"):  # nobody tells us of the leg: it must be looked for
        caller = await town.waits()
        await first.death()
        assert await town.effects() == [f"ring:{caller.sid}-1"]
        agent = await town.rung(phone)
        town.dispatcher()
        await until(town.has_nothing_due)
    agent.answer()
    await hears(caller, "bridged")
    assert [leg.sid for leg in town.agent_legs()] == [agent.sid]
    await is_over(town, caller, agent)


async def test_no_dispatcher_comes_back_in_time_and_the_deadline_keeps_the_place(town: Town) -> None:
    first = town.dispatcher(dies_at="place", when="before")
    phone = await town.sits_down()
    caller = await town.waits()
    await first.death()
    place = await town.state(caller.sid, "offered")
    town.clock.advance(town.plan.ring_ms + town.clock.product_ms(PLACE_S))

    town.dispatcher()
    agent = await town.answers(phone)
    await hears(caller, "bridged")
    told = [
        line.type for line in await town.lines() if line.agent_id == "wang" or line.type == "call.requeued"
    ]
    unrung = told.index("offer.unrung")
    assert told[unrung : unrung + 4] == [
        "offer.unrung",
        "call.requeued",
        "agent.presence_changed",
        "call.offered",
    ]
    assert (await town.call(caller.sid)).queued_ms == place.queued_ms
    assert len(town.agent_legs()) == 1
    await is_over(town, caller, agent)


# Between accept and pull


async def test_the_dispatcher_dies_before_the_pull(town: Town) -> None:
    first = town.dispatcher(dies_at="pull", when="before")
    phone = await town.sits_down()
    caller = await town.waits()
    agent = await town.answers(phone)
    await first.death()
    await hears(caller, "said", CONNECTING)
    assert times(caller, "bridged") == 0

    town.dispatcher()
    await hears(caller, "bridged")
    await hears(agent, "bridged")
    assert_one_conference(town, caller, agent)
    assert town.requests.count("POST .*/Members/") == 1
    await is_over(town, caller, agent)


async def test_the_dispatcher_dies_after_the_pull_and_the_second_pull_finds_nobody(town: Town) -> None:
    first = town.dispatcher(dies_at="pull", when="after")
    phone = await town.sits_down()
    with town.webhooks.holding("/voice/connect/"):  # the caller is between two documents
        caller = await town.waits()
        agent = await town.answers(phone)
        await first.death()
        town.dispatcher()
        await until(lambda: town.requests.count("POST .*/Members/") >= 2)
        assert (await town.call(caller.sid)).state == "connecting"
    await hears(caller, "bridged")
    await hears(agent, "bridged")
    assert_one_conference(town, caller, agent)
    assert len(await town.lines("call.connected")) == 1
    await is_over(town, caller, agent)


def assert_one_conference(town: Town, caller: Handset, agent: Handset) -> None:
    [conference] = town.conferences(caller.sid)
    assert set(conference.participants) == {caller.sid, agent.sid}


# Between pull and the start of the recording


@pytest.mark.parametrize("when", ["before", "after"])
async def test_the_dispatcher_dies_around_the_start_of_the_recording(town: Town, when: str) -> None:
    first = town.dispatcher(dies_at="record", when=when)
    phone = await town.sits_down()
    caller = await town.waits()
    agent = await town.answers(phone)
    await first.death()
    await hears(caller, "bridged")
    assert len(town.exchange.recordings.of(caller.sid)) == (when == "after")

    town.dispatcher()
    await until(town.has_nothing_due)
    assert len(town.exchange.recordings.of(caller.sid)) == 1
    assert times(caller, "unbridged") == 0
    await is_over(town, caller, agent)
    await until(lambda: town.is_fetched(caller.sid))
    [recording] = town.exchange.recordings.of(caller.sid)
    assert await town.rows("recordings", "recording_id", "call_id", "state") == [
        {"recording_id": recording.sid, "call_id": caller.sid, "state": "fetched"}
    ]


async def test_a_recording_that_never_began_is_missing_and_the_row_says_why(town: Town) -> None:
    first = town.dispatcher(dies_at="record", when="before")
    phone = await town.sits_down()
    caller = await town.waits()
    agent = await town.answers(phone)
    await first.death()
    await hears(caller, "bridged")
    caller.hang_up()
    await town.state(caller.sid, "ended answered")

    town.dispatcher()
    await is_over(town, caller, agent)
    await town.write_down()
    town.clock.advance(recordings.MISSED_AFTER_MS + town.clock.product_ms(recordings.MISSED_AFTER_S))
    assert await recordings.miss(town.runtime) == 1
    assert await recordings.miss(town.runtime) == 0
    assert await town.rows("recordings", "recording_id", "call_id", "state", "missing_why") == [
        {
            "recording_id": f"missing-{caller.sid}",
            "call_id": caller.sid,
            "state": "missing",
            "missing_why": "not_started",
        }
    ]
    assert len(await town.lines("effect.failed")) == 1


# The hang-up's callbacks are lost


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher_room, "WATCH_EVERY_S", 0.1)


def loses_every_report(town: Town) -> None:
    town.exchange.faults.update({"callback_lost": 1.0, "action_on_hangup": False})


@pytest.mark.usefixtures("watchful")
async def test_a_hang_up_in_mid_talk_of_which_nobody_tells_us(town: Town) -> None:
    town.dispatcher()
    phone = await town.sits_down()
    caller = await town.waits()
    agent = await town.answers(phone)
    await hears(caller, "bridged")
    await until(town.has_nothing_due)
    loses_every_report(town)
    caller.hang_up()
    agent.hang_up()
    assert (await town.call(caller.sid)).state == "connected"

    town.clock.advance(max(dispatcher_room.TALKING_MS, town.clock.product_ms(dispatcher_room.TALKING_S)))
    ended = await town.state(caller.sid, "ended answered")
    assert ended.agent_id == "wang"
    assert [line.data["why"] for line in await town.lines("call.reconciled")] == ["silent"]
    assert [line.data["by"] for line in await town.lines("call.ended")] == ["system"]
    assert len(await town.lines("agent.wrap_up_started")) == 1
    await town.agent_state("wang", "ready")
    town.clock.advance(
        town.clock.product_ms(LINGER_S)
    )  # his leg is hung up to be sure, and has gone: no harm
    await until(town.has_nothing_due)
    assert await town.breaches() == ()


@pytest.mark.usefixtures("watchful")
async def test_a_hang_up_in_the_queue_of_which_nobody_tells_us(town: Town) -> None:
    town.dispatcher()
    caller = await town.waits()
    loses_every_report(town)
    caller.hang_up()
    stays = await town.waits(from_="+8613900139000")
    town.clock.advance(max(dispatcher_room.SILENT_MS, town.clock.product_ms(dispatcher_room.SILENT_S)))
    await town.state(caller.sid, "ended abandoned")
    await hears(stays, "said", "您是下一位")
    assert (await town.call(stays.sid)).state == "queued"


# The agent leaves in the instant before the caller joins, and the news of it comes late


@pytest.mark.usefixtures("watchful")
async def test_a_caller_who_came_when_the_agent_had_gone_is_not_left_alone(town: Town) -> None:
    town.dispatcher()
    phone = await town.sits_down()
    with town.webhooks.holding("/voice/agent/.*/(left|status)$"):
        with town.webhooks.holding("/voice/connect/"):
            caller = await town.waits()
            agent = await town.answers(phone)
            await until(lambda: town.conferences(caller.sid))
            agent.hang_up()
            await until(lambda: town.conferences(caller.sid)[-1].status == "completed")
        await town.state(caller.sid, "connected")
        await until(lambda: len(town.conferences(caller.sid)) == 2)
    await town.state(caller.sid, "ended answered")
    [alone] = town.conferences(caller.sid)[-1].participants
    assert (alone, times(caller, "bridged"), caller.state) == (caller.sid, 0, "in-progress")

    town.clock.advance(town.clock.product_ms(LINGER_S))
    async with town.patience():
        await caller.ended()
    await until(town.has_nothing_due)
    assert await town.breaches() == ()


# The live store itself, and with it the last second of what it wrote down


@pytest.mark.parametrize("is_in_sql", [True, False], ids=["sql has seen it", "nobody has seen it"])
async def test_the_store_is_killed_and_its_last_second_is_gone(
    fragile: Town, own_store: OwnStore, is_in_sql: bool
) -> None:
    town = fragile
    town.runs(Dispatcher.of(town.runtime).run())
    waiting, early = await town.waits(), await town.dial("")
    await hears(early, "gathering")
    place = await town.call(waiting.sid)
    lost_from = await own_store.mark()
    early.press("0")
    await hears(early, "queued")
    late = await town.waits()
    greeted, leaving = await town.dial(""), await town.dial("")
    await hears(greeted, "gathering")
    await hears(leaving, "gathering")
    told = [(await town.call(caller.sid)).ticket_no for caller in (waiting, early, late)]
    arrivals, newest = await town.arrivals(), (await town.lines())[-1].id
    if is_in_sql:
        await town.scribe.drain()

    own_store.kill()
    assert own_store.lose_what_came_after(lost_from) > 0
    greeted.press("0")
    for caller in (waiting, early, late, greeted):
        await hears(caller, "said", FALLBACK)
    leaving.hang_up()
    await until(lambda: "POST /voice/status" in town.webhooks.answered)
    await own_store.start()

    for caller in (early, late, greeted):
        await is_asked_again(caller)
        caller.press("0")
        await town.state(caller.sid, "queued")
    kept = await town.call(waiting.sid)
    assert (kept.queued_ms, kept.ticket_no) == (place.queued_ms, place.ticket_no)
    told += [(await town.call(caller.sid)).ticket_no for caller in (early, late, greeted)]
    assert len(set(told)) == 6, "a number that was told is told to nobody else"
    now = await town.arrivals()
    assert len(set(now.values())) == len(now)
    if is_in_sql:
        assert min(now[caller.sid] for caller in (late, greeted)) > max(arrivals.values())
        assert parse_id((await town.lines("call.queued"))[-1].id) > parse_id(newest)

    agent = await town.answers(await town.sits_down())
    await hears(waiting, "bridged")  # he was the first, and still is
    for caller in (waiting, early, late, greeted):
        caller.hang_up()
        await town.state(caller.sid, "ended answered" if caller is waiting else "ended abandoned")
    async with town.patience():
        await agent.ended()
    await town.write_down()
    town.clock.advance(town.clock.product_ms(SETTLED_AFTER_S))
    found = await reconcile(town.runtime)
    assert found.arrived + found.ended == 1
    await town.write_down()
    outcomes = {row["call_id"]: row["outcome"] for row in await town.rows("calls", "call_id", "outcome")}
    assert (outcomes.pop(leaving.sid), len(outcomes), "" in outcomes.values()) == ("left_in_menu", 4, False)
    tickets = await town.rows("tickets", "ticket_no", "call_id")
    assert sorted(row["call_id"] for row in tickets) == sorted(outcomes)
    assert {row["ticket_no"] for row in tickets} <= set(told)


async def is_asked_again(caller: Handset) -> None:
    """He hears a question that he had not heard when the store went down."""
    fallback = next(place for place, heard in enumerate(caller.heard) if FALLBACK in heard.text)
    await until(lambda: any(heard.kind == "gathering" for heard in caller.heard[fallback:]))


async def test_a_conversation_that_began_in_the_lost_second_goes_on(
    fragile: Town, own_store: OwnStore
) -> None:
    """The live store thinks that he waits, and offers him to the agent he talks with; history knows better."""
    town = fragile
    town.run_house()
    caller = await town.waits()
    lost_from = await own_store.mark()
    phone = await town.sits_down()
    agent = await town.answers(phone)
    await hears(caller, "bridged")
    await until(town.has_nothing_due)
    await until(lambda: has_read_all(town))
    own_store.kill()
    assert own_store.lose_what_came_after(lost_from) > 0
    await own_store.start()
    await town.state(caller.sid, "queued")
    await town.is_ready("wang")
    await until(lambda: town.lines("offer.declined"))  # his line is engaged
    assert (times(caller, "unbridged"), times(agent, "unbridged")) == (0, 0)
    caller.hang_up()
    async with town.patience():
        await agent.ended()
    await town.state(caller.sid, "ended abandoned")
    await until(lambda: has_read_all(town))
    told = await town.rows("calls", "call_id", "outcome", "agent_id", "ended_by")
    assert told == [{"call_id": caller.sid, "outcome": "answered", "agent_id": "wang", "ended_by": "caller"}]
    town.clock.advance(town.clock.product_ms(OVERDUE_S))
    assert await sweep(town.runtime, OPEN_TICKET) == 1, "the job was lost with that second, too"
    await town.work_off()
    assert [row["call_id"] for row in await town.rows("tickets", "ticket_no", "call_id")] == [caller.sid]


async def test_the_whole_store_restarts_and_everybody_keeps_his_place(
    fragile: Town, own_store: OwnStore
) -> None:
    town = fragile
    town.run_house()
    phone = await town.sits_down()
    talking = await town.waits()
    agent = await town.answers(phone)
    await hears(talking, "bridged")
    waiting = [await town.waits() for _ in range(2)]
    places = [(await town.call(caller.sid)).queued_ms for caller in waiting]
    own_store.stop()
    for caller in waiting:
        await hears(caller, "said", FALLBACK)
    await own_store.start()
    for caller in waiting:
        await until(lambda caller=caller: caller.heard[-1].kind == "played")
    assert [(await town.call(caller.sid)).queued_ms for caller in waiting] == places
    assert (times(talking, "unbridged"), times(agent, "unbridged")) == (0, 0)
    talking.hang_up()
    await town.state(talking.sid, "ended answered")
    for caller in waiting:  # in their order
        agent = await town.answers(phone)
        await hears(caller, "bridged")
        caller.hang_up()
        await town.state(caller.sid, "ended answered")
    await until(town.has_nothing_due)
    assert await town.breaches() == ()


# Real processes, two of each


@pytest.mark.parametrize("speed", [4])  # the phone still rings when the next has taken over
async def test_a_dispatcher_is_killed_as_it_rings_and_the_one_that_stands_by_adopts_the_ring(
    town: Town, processes: Callable[[Town], Processes]
) -> None:
    house = processes(town)
    for _ in range(2):
        await house.start("dispatcher")
    leader = await until(lambda: dispatcher_that_leads(town, house), START_S)
    town.requests.kill_at("POST .*/Calls.json", "after", lambda: house.kill(leader))
    phone = await town.sits_down()
    with town.webhooks.holding("/status$"):
        caller = await town.waits()
        place = await town.call(caller.sid)
        agent = await town.rung(phone)
        await until(town.has_nothing_due)
    assert leader.returncode == -signal.SIGKILL
    assert await dispatcher_that_leads(town, house) is not leader
    agent.answer()
    await hears(caller, "bridged")
    assert [leg.sid for leg in town.agent_legs()] == [agent.sid]
    assert (await town.call(caller.sid)).queued_ms == place.queued_ms
    await is_over(town, caller, agent)


async def dispatcher_that_leads(town: Town, house: Processes) -> Any:
    holder = await town.runtime.redis.get("{power}:leader:dispatcher")
    return house.by_pid(int(holder.partition("-")[0])) if holder else None


async def test_a_scribe_is_killed_under_load_and_every_line_is_written_once(
    town: Town, processes: Callable[[Town], Processes]
) -> None:
    """See also tests/queues/test_scribe.py, where one is killed in the middle of its transaction."""
    house = processes(town)
    for _ in range(2):
        await house.start("scribe")
    leader = await until(lambda: scribe_that_writes(town, house), START_S)
    desk = await Desk(town.runtime).open()
    for number in range(CALLS_UNDER_LOAD):
        await desk.answered_call(f"CA{number:03}")
        has_written = len(await town.rows("calls", "call_id")) > CALLS_UNDER_LOAD // 4
        if leader.returncode is None and (has_written or number > CALLS_UNDER_LOAD // 2):
            await house.kill(leader)
    await until(lambda: has_read_all(town))
    assert await scribe_that_writes(town, house) is not leader
    await town.work_off()
    written = [row["id"] for row in await town.rows("events", "id")]
    assert sorted(written, key=parse_id) == [line.id for line in await town.lines()]
    told = await town.rows("calls", "call_id", "outcome", "offers", "disposition")
    assert told == [
        {"call_id": f"CA{number:03}", "outcome": "answered", "offers": 1, "disposition": "solved"}
        for number in range(CALLS_UNDER_LOAD)
    ]
    tickets = [row["call_id"] for row in await town.rows("tickets", "ticket_no", "call_id")]
    assert tickets == [row["call_id"] for row in told]


async def scribe_that_writes(town: Town, house: Processes) -> Any:
    holders = {row["name"]: row["holder"] for row in await town.rows("readers", "name", "holder")}
    holder = holders.get("scribe")
    return house.by_pid(int(holder.partition("-")[0])) if holder else None


async def has_read_all(town: Town) -> bool:
    newest = (await town.lines())[-1].id
    return {row["last_id"] for row in await town.rows("readers", "last_id")} == {newest}


async def test_jobs_are_lost_and_worker_and_clock_are_killed_and_every_ticket_is_written_once(
    town: Town, processes: Callable[[Town], Processes]
) -> None:
    """See also tests/queues/test_clockwork.py, where a worker is killed in the middle of a ticket."""
    house, desk = processes(town), await Desk(town.runtime).open()
    for number in range(CALLS_UNDER_LOAD):
        await desk.answered_call(f"CA{number:03}")
    await town.scribe.drain()
    queue = town.runtime.jobs.queue("desk").key
    lost = await town.runtime.redis.lpop(queue, 10)
    assert len(lost) == 10
    victim, _ = await house.start("worker"), await house.start("worker")
    await until(lambda: has_tickets(town, CALLS_UNDER_LOAD // 4), START_S)
    await house.kill(victim)
    clock = await house.start("clock", SHOUWEN_CLOCK=later(town, OVERDUE_S))
    await until(lambda: is_pushed_again(town), START_S)
    await house.kill(clock)  # perhaps between taking an attempt and pushing it
    await house.start("clock", SHOUWEN_CLOCK=later(town, 2 * OVERDUE_S))
    await until(lambda: has_tickets(town, CALLS_UNDER_LOAD), START_S)
    tickets = [row["call_id"] for row in await town.rows("tickets", "ticket_no", "call_id")]
    assert tickets == [f"CA{number:03}" for number in range(CALLS_UNDER_LOAD)]
    links = await town.rows("links", "call_id", "kind", "attempts", "done_ms")
    assert len(links) == CALLS_UNDER_LOAD
    assert all(row["done_ms"] for row in links)


def later(town: Town, ahead_s: float) -> str:
    town.clock.advance(town.clock.product_ms(ahead_s))
    return town.clock.as_text()


async def has_tickets(town: Town, count: int) -> bool:
    return len(await town.rows("tickets", "ticket_no")) >= count


async def is_pushed_again(town: Town) -> bool:
    return any(row["attempts"] > 1 for row in await town.rows("links", "attempts"))


async def test_two_dispatchers_two_scribes_and_two_workers_double_nothing(
    town: Town, processes: Callable[[Town], Processes]
) -> None:
    house = processes(town)
    # Who sits down long before a dispatcher leads is taken for gone, and is not rung.
    for name in ("dispatcher", "dispatcher"):
        await house.start(name)
    await until(lambda: dispatcher_that_leads(town, house), START_S)
    for name in ("scribe", "scribe", "worker", "worker"):
        await house.start(name)
    phones = [await town.sits_down(name) for name in ("wang", "li")]
    town.runs(*(town.answers_always(phone) for phone in phones))
    callers = [await town.waits() for _ in range(CALLERS)]
    for caller in callers:
        await hears(caller, "bridged", within_s=START_S)
        await until(lambda caller=caller: town.exchange.recordings.of(caller.sid))
        caller.hang_up()
    for caller in callers:
        await town.state(caller.sid, "ended answered")
    call_ids = sorted(caller.sid for caller in callers)
    await until(lambda: is_written_down(town, call_ids), START_S)
    assert len(town.agent_legs()) == len(await town.lines("call.offered"))
    for call_id in call_ids:
        assert len(town.exchange.recordings.of(call_id)) == 1
        assert len(town.conferences(call_id)) == 1
    written = [row["id"] for row in await town.rows("events", "id")]
    assert sorted(written, key=parse_id) == [line.id for line in await town.lines()]
    for table, key in (("calls", "call_id"), ("tickets", "ticket_no"), ("recordings", "recording_id")):
        assert sorted(row["call_id"] for row in await town.rows(table, key, "call_id")) == call_ids, table
    assert await town.breaches() == ()


async def is_written_down(town: Town, call_ids: list[str]) -> bool:
    """Both readers have read all, every ticket is written and every recording fetched."""
    recorded = [row["state"] for row in await town.rows("recordings", "state")]
    is_done = await has_tickets(town, len(call_ids)) and recorded == ["fetched"] * len(call_ids)
    return is_done and await has_read_all(town)
