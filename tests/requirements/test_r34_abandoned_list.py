"""R34: who gives up while he waits is listed once, with tier and matter; reached or here again, he is off the list."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, update

from config.runtime import Runtime
from queues.service import customers, figuring, ringing_back
from queues.service.abandoned import close_lapsed, reader
from queues.service.people import find_agent
from queues.service.ringing_back import Able, Answer
from queues.store.abandoned import abandoned, abandoned_calls, find, insert, key_of, take
from queues.store.readers import readers
from tests.requirements.house import House, open_house
from tests.requirements.test_r27_callback import (
    CHEN,
    LIN,
    MINUTE_MS,
    CalledBack,
    accept,
    ask,
    pass_by,
    telephony,
    tick,
    wait_in_queue,
)

SECOND_MS = 1_000


class Listed(House):
    """A house whose list is kept."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.keeper = reader(self.runtime)

    async def entries(self, *names: str, **wanted: Any) -> list[dict[str, Any]]:
        await self.write_down()
        await self.keeper.drain()
        return await self.rows("abandoned", *names, **wanted)

    async def give_up(self, leg_id: str, number: str, after_ms: int) -> None:
        waiting = await wait_in_queue(self, leg_id, number)
        pass_by(self, after_ms)
        caller = self.hotline.caller(leg_id, number)
        await caller.leave_queue(waiting, "hangup", "completed")
        await caller.post("/voice/status", "completed")

    async def answer(self, call_id: str) -> None:
        """The agent to whom it is offered takes it."""
        board, offer_id = self.hotline.switchboard, (await self.facts_of(call_id)).offer_id
        await board.accept_offer(offer_id=offer_id, leg_id="")
        await board.connect_call(call_id=call_id, offer_id=offer_id)

    async def ring_up(self, entry_id: str, agent_id: str) -> Answer:
        agent = await find_agent(self.runtime, agent_id)
        assert agent is not None
        return await ringing_back.call(
            self.runtime, entry_id, agent_id=agent_id, skills=agent.skills, by=agent_id
        )


@asynccontextmanager
async def kept_house(runtime: Runtime) -> AsyncIterator[Listed]:
    async with open_house(runtime, "power") as house:
        yield Listed(house.runtime, house.hotline, house.readers)


async def reach(house: House, agent_id: str) -> CalledBack:
    """His phone rings, he answers, and the customer presses the key."""
    customer = await accept(house, agent_id)
    greeting = await customer.lift()
    assert "您刚才来电时没有等到接听" in greeting.said
    talking = await customer.press(greeting, "1")
    assert talking.conference is not None
    return customer


async def test_twice_is_one_entry_and_ringing_again_closes_it(runtime: Runtime) -> None:
    async with kept_house(runtime) as house:
        await house.give_up("CA1", LIN, 10 * SECOND_MS)
        await house.give_up("CA2", CHEN, 4 * SECOND_MS)
        await house.give_up("CA3", "anonymous", 60 * SECOND_MS)
        (entry,) = await house.entries()
        about = ("entry_id", "queue", "matter", "tier", "times", "waited_ms")
        assert [entry[name] for name in about] == ["CA1", "general", "enquiry", "residential", 1, 10_000]
        assert entry["due_ms"] - entry["opened_ms"] == 30 * MINUTE_MS
        pass_by(house, MINUTE_MS)
        await house.give_up("CA4", LIN, 20 * SECOND_MS)
        (again,) = await house.entries()
        assert (again["entry_id"], again["times"], again["waited_ms"]) == ("CA1", 2, 20_000)
        assert again["opened_ms"] == entry["opened_ms"], "he is owed an answer since the first time"
        counted = await house.rows("abandoned_calls", "call_id", "waited_ms")
        assert [tuple(row.values()) for row in counted] == [("CA1", 10_000), ("CA4", 20_000)]
        pass_by(house, MINUTE_MS)
        await wait_in_queue(house, "CA5", LIN)
        (here,) = await house.entries("here_call_id", "closed_ms")
        assert here == {"here_call_id": "CA5", "closed_ms": None}
        await house.agent("wang", "王敏")
        assert await house.ring_up("CA1", "wang") is Answer.TAKEN, "nobody calls who is on the line"
        await tick(house)
        await house.answer("CA5")
        (closed,) = await house.entries("ending", "call_id", "agent_id", "open_key")
        assert closed == {"ending": "came_again", "call_id": "CA5", "agent_id": "wang", "open_key": None}


async def test_two_agents_want_him_and_one_calls_and_reaches_him(runtime: Runtime) -> None:
    async with kept_house(runtime) as house:
        await house.give_up("CA1", LIN, 10 * SECOND_MS)
        await house.entries()
        await house.agent("wang", "王敏")
        await house.agent("li", "李雷")
        answers = await asyncio.gather(house.ring_up("CA1", "wang"), house.ring_up("CA1", "li"))
        assert sorted(answers) == [Answer.OK, Answer.TAKEN]
        agent_id = ("wang", "li")[answers.index(Answer.OK)]
        assert [row["taken_by"] for row in await house.entries()] == [agent_id]
        assert await house.offered_to(agent_id) == "back-1-CA1"
        customer = await reach(house, agent_id)
        assert customer.leg.to == LIN
        (entry,) = await house.entries("ending", "call_id", "agent_id", "taken_by", "here_call_id")
        assert entry == {
            "ending": "reached",
            "call_id": "back-1-CA1",
            "agent_id": agent_id,
            "taken_by": None,
            "here_call_id": None,
        }
        (call,) = await house.rows(
            "calls", "outcome", "caller_ref", "wait_ms", "record", call_id="back-1-CA1"
        )
        assert (call["wait_ms"], call["record"]) == (0, ""), "he heard no notice in this call"
        await figuring.tick(house.runtime)
        sums = await house.rows("intervals", "arrived", "offered", "called_back", grain="quarter")
        assert sums == [{"arrived": 1, "offered": 1, "called_back": 0}]
        noted = {"agent_id": agent_id, "by": agent_id, "is_anybodys": False}
        assert await ringing_back.note(house.runtime, "CA1", "wrong_number", **noted) is Answer.OK
        assert [row["ending"] for row in await house.entries()] == ["wrong_number"]
        assert await house.ring_up("CA1", agent_id) is Answer.GONE
        told = await house.rows("audits", "action", "account_id", subject="abandoned:CA1")
        assert [tuple(row.values()) for row in told] == [
            ("abandoned.called", agent_id),
            ("abandoned.noted", agent_id),
        ]


async def test_who_is_reached_is_not_called_about_another_queue_as_well(runtime: Runtime) -> None:
    """Whichever line is taken in first: a call that was answered keeps what was before it off the list."""
    async with kept_house(runtime) as house:
        await house.give_up("CA1", LIN, 10 * SECOND_MS)
        await house.entries()
        async with house.runtime.database.transaction() as connection:
            entry = await find(connection, "power", "CA1")
            assert entry is not None
            key = key_of("power", entry.caller_ref, "outage")
            assert await insert(connection, replace(entry, entry_id="CA0", queue="outage", open_key=key))
        await house.agent("wang", "王敏")
        assert await house.ring_up("CA1", "wang") is Answer.OK
        await reach(house, "wang")
        ended = [tuple(row.values()) for row in await house.entries("entry_id", "ending", "call_id")]
        assert sorted(ended) == [("CA0", "reached", "back-1-CA1"), ("CA1", "reached", "back-1-CA1")]


async def test_not_reached_is_tried_again_later_and_not_for_ever(runtime: Runtime) -> None:
    async with kept_house(runtime) as house:
        await house.give_up("CA1", LIN, 10 * SECOND_MS)
        await house.entries()
        await house.agent("wang", "王敏")
        for tried in (1, 2, 3):
            assert await house.ring_up("CA1", "wang") is Answer.OK
            customer = await accept(house)
            await customer.report("no-answer")
            (entry,) = await house.entries("tries", "ending", "taken_by", "here_call_id")
            assert entry == {
                "tries": tried,
                "ending": "not_reached" if tried == 3 else None,
                "taken_by": None,
                "here_call_id": None,
            }
            desk = await house.hotline.switchboard.desk_state(agent_id="wang")
            assert desk is not None
            assert desk.state == "ready"
            if tried < 3:
                assert await house.ring_up("CA1", "wang") is Answer.EARLY
            pass_by(house, 10 * MINUTE_MS)


async def test_a_seat_for_some_alone_calls_them_and_whoever_told_of_danger(runtime: Runtime) -> None:
    async with kept_house(runtime) as house:
        await house.give_up("CA1", LIN, 10 * SECOND_MS)
        await house.entries()
        async with house.runtime.database.read() as connection:
            entry = await find(connection, "power", "CA1")
        assert entry is not None
        plan = house.plan
        danger = next(each.id for each in plan.matters.values() if each.is_safety)
        seat = Able(frozenset(plan.needs("general", "")), frozenset({"key_customer"}))
        told = [
            seat.calls(plan, replace(entry, **about))
            for about in ({}, {"tier": "key_customer"}, {"matter": danger})
        ]
        assert told == [False, True, True]


async def test_two_tries_of_which_the_keeper_hears_at_once_are_two(runtime: Runtime) -> None:
    async with kept_house(runtime) as house:
        await house.give_up("CA1", LIN, 10 * SECOND_MS)
        await house.entries()
        await house.agent("wang", "王敏")
        for _ in range(2):
            assert await house.ring_up("CA1", "wang") is Answer.OK
            customer = await accept(house)
            await customer.report("no-answer")
            pass_by(house, 10 * MINUTE_MS)
        (entry,) = await house.entries("attempts", "heard", "tries", "ending")
        assert entry == {"attempts": 2, "heard": 2, "tries": 2, "ending": None}


async def test_who_does_not_take_his_own_phone_has_not_tried(runtime: Runtime) -> None:
    async with kept_house(runtime) as house:
        await house.give_up("CA1", LIN, 10 * SECOND_MS)
        await house.entries()
        await house.agent("wang", "王敏")
        assert await house.ring_up("CA1", "wang") is Answer.OK
        assert await house.offered_to("wang") == "back-1-CA1"
        await house.hotline.switchboard.set_presence(agent_id="wang", presence="signed_out")
        await house.hotline.switchboard.decline_offer(offer_id="back-1-CA1-1")
        pass_by(house, 11 * MINUTE_MS)
        await tick(house)
        (entry,) = await house.entries("tries", "taken_by", "here_call_id", "closed_ms")
        assert entry == {"tries": 0, "taken_by": None, "here_call_id": None, "closed_ms": None}
        assert await house.ring_up("CA1", "wang") is Answer.NOT_READY
        await house.agent("li", "李雷")
        assert await house.ring_up("CA1", "li") is Answer.OK
        await reach(house, "li")
        assert [row["ending"] for row in await house.entries()] == ["reached"]


async def test_in_quiet_hours_nobody_is_called_and_the_list_forgets_after_a_day(runtime: Runtime) -> None:
    async with kept_house(runtime) as house:
        pass_by(house, (11 * 60 + 50) * MINUTE_MS)
        await house.give_up("CA1", LIN, 10 * SECOND_MS)
        (entry,) = await house.entries()
        assert entry["due_ms"] - entry["opened_ms"] == (11 * 60 + 30) * MINUTE_MS, "closed hours do not count"
        pass_by(house, 20 * MINUTE_MS)
        await house.agent("wang", "王敏")
        assert await house.ring_up("CA1", "wang") is Answer.HOURS
        pass_by(house, 23 * 60 * MINUTE_MS)
        assert await close_lapsed(house.runtime) == 0
        pass_by(house, 60 * MINUTE_MS)
        assert (await close_lapsed(house.runtime), await close_lapsed(house.runtime)) == (1, 0)
        assert [row["ending"] for row in await house.entries()] == ["lapsed"]
        await house.give_up("CA2", LIN, 10 * SECOND_MS)
        assert [row["entry_id"] for row in await house.entries(closed_ms=None)] == ["CA2"]


async def test_a_call_begun_shortly_before_the_quiet_hours_is_not_made_in_them(runtime: Runtime) -> None:
    async with kept_house(runtime) as house:
        await house.give_up("CA1", LIN, 10 * SECOND_MS)
        await house.entries()
        pass_by(house, (11 * 60 + 58) * MINUTE_MS)
        await house.agent("wang", "王敏")
        assert await house.ring_up("CA1", "wang") is Answer.OK
        assert await house.offered_to("wang") == "back-1-CA1"
        await house.hotline.switchboard.set_presence(agent_id="wang", presence="signed_out")
        await house.hotline.switchboard.decline_offer(offer_id="back-1-CA1-1")
        pass_by(house, 3 * MINUTE_MS)
        await house.agent("li", "李雷")
        await tick(house)
        assert (await house.facts_of("back-1-CA1")).state == "ended"
        (entry,) = await house.entries("tries", "here_call_id", "closed_ms")
        assert entry == {"tries": 0, "here_call_id": None, "closed_ms": None}, "nobody has tried"


async def test_who_is_promised_a_call_or_left_a_message_is_not_on_it(runtime: Runtime) -> None:
    async with kept_house(runtime) as house:
        await house.give_up("CA1", LIN, 10 * SECOND_MS)
        await ask(house, "CA2", LIN)
        (entry,) = await house.entries("here_call_id", "times")
        assert entry == {"here_call_id": "CA2", "times": 1}, "he has asked to be called: that is his promise"
        caller, heard = await house.call("CA3", CHEN)
        pass_by(house, 29 * SECOND_MS)
        await caller.post("/voice/status", "completed")
        assert len(await house.entries()) == 1, "who leaves the menu soon has looked in"
        caller, heard = await house.call("CA4", CHEN)
        assert heard.verbs
        pass_by(house, 30 * SECOND_MS)
        await caller.post("/voice/status", "completed")
        (left,) = await house.entries("queue", "matter", "waited_ms", entry_id="CA4")
        assert left == {"queue": "general", "matter": "", "waited_ms": 30_000}


async def test_lines_twice_late_and_swapped_and_a_killed_keeper_come_to_the_same(runtime: Runtime) -> None:
    async with kept_house(runtime) as house:
        await house.give_up("CA1", LIN, 10 * SECOND_MS)
        await house.give_up("CA2", CHEN, 10 * SECOND_MS)
        await house.write_down()
        assert await house.rows("abandoned") == [], "the keeper was away"
        first = await house.entries()
        # it died before it had said how far it was
        async with house.runtime.database.transaction() as connection:
            await connection.execute(
                update(readers).where(readers.c.name == "abandoned").values(last_id="0-0")
            )
        house.keeper = reader(house.runtime, house.keeper.holder)
        assert await house.entries() == first
        house.hotline.doubled = True
        await house.give_up("CA3", LIN, 10 * SECOND_MS)
        house.hotline.doubled = False
        assert [row["times"] for row in await house.entries()] == [2, 1]
        await house.agent("wang", "王敏")
        await wait_in_queue(house, "CA5", CHEN)
        await tick(house)
        await house.answer("CA5")
        # the end of the first call is told last
        async with house.runtime.database.transaction() as connection:
            await connection.execute(delete(abandoned).where(abandoned.c.entry_id == "CA2"))
            await connection.execute(delete(abandoned_calls).where(abandoned_calls.c.call_id == "CA2"))
        about = {"outcome": "abandoned", "by": "caller", "ended_ms": first[1]["opened_ms"]}
        for _ in range(2):
            await house.hotline.switchboard.append_line(
                type="call.reconciled", call_id="CA2", data={**about, "is_ended": True}
            )
        assert await house.entries(entry_id="CA2") == [], "he has been answered since"


async def test_the_keeper_waits_for_the_scribe(runtime: Runtime) -> None:
    async with kept_house(runtime) as house:
        await house.give_up("CA1", LIN, 10 * SECOND_MS)
        assert await house.keeper.drain() == 0
        assert house.keeper.is_held_up
        assert len(await house.entries()) == 1


async def test_forgotten_he_is_on_no_list(runtime: Runtime) -> None:
    async with kept_house(runtime) as house:
        await house.give_up("CA1", LIN, 10 * SECOND_MS)
        await house.give_up("CA2", CHEN, 10 * SECOND_MS)
        assert len(await house.entries()) == 2
        await customers.forget(house.runtime, LIN)
        assert [row["entry_id"] for row in await house.entries()] == ["CA2"]
        await wait_in_queue(house, "CA3", CHEN)
        await house.entries()
        await house.hotline.switchboard.anonymise_call(call_id="CA3")
        (entry,) = await house.entries()
        assert entry["here_call_id"] is None, "nothing ties this call to him"
        assert await house.rows("abandoned_calls", "call_id") == [{"call_id": "CA2"}]


async def test_the_pages_show_it_and_one_key_on_the_desk_calls_him(runtime: Runtime) -> None:
    async with kept_house(runtime) as house:
        boss = await house.enter("boss", "supervisor")
        empty = (await boss.open("/abandoned")).text
        assert "Nobody waits to be called." in empty
        await house.give_up("CA1", LIN, 10 * SECOND_MS)
        await house.give_up("CA2", CHEN, 12 * SECOND_MS)
        await house.entries()
        wang = await house.agent("wang", "王敏")
        await wang.speak("zh")
        desk = (await wang.get("/desk/state"))["owed"]
        assert (desk["count"], desk["may_call"], [row["key"] for row in desk["rows"]]) == (
            2,
            True,
            ["1", "2"],
        )
        assert desk["rows"][0]["who"] == "+86 139****0001"
        shown = (await wang.open("/abandoned")).text
        assert shown.count("待回拨") >= 2
        assert LIN.removeprefix("+86") not in shown, "no number in full"
        assert (await wang.client.get("/abandoned.csv")).status_code == 403
        assert await wang.post("/abandoned/note", entry_id="CA1", ending="unwanted") == (
            409,
            {"ok": False, "word": "not_his", "said": "该客户不由您回拨。"},
        )
        status, told = await wang.post("/abandoned/call", entry_id="CA1")
        assert (status, told["ok"]) == (200, True)
        assert (await wang.post("/abandoned/call", entry_id="CA1"))[0] == 409
        await reach(house, "wang")
        await house.entries()
        mine = (await wang.open("/abandoned")).text
        assert ("back-1-CA1" in mine, "wrong_number" in mine) == (True, True)
        gone = await wang.send("/abandoned/note", {"entry_id": "CA1", "ending": "unwanted"})
        assert gone.headers["Location"] == "/abandoned?done=noted"
        assert (await boss.send("/abandoned/call", {"entry_id": "CA2"})).status_code == 403, "no seat"
        assert (await boss.send("/abandoned/note", {"entry_id": "CA2", "ending": "?"})).status_code == 422
        noted = await boss.send("/abandoned/note", {"entry_id": "CA2", "ending": "reached"})
        assert noted.headers["Location"] == "/abandoned?done=noted"
        whole = (await boss.open("/abandoned")).text
        assert ">50%<" in whole, "one of two was settled in time; who does not want it was not"
        table = (await boss.client.get("/abandoned.csv")).text
        lines = table.split("\r\n")
        assert lines[0].startswith("\ufeffEntry,Gave up at,Queue")
        mistyped = await boss.open("/abandoned.csv?from=soon")
        assert (mistyped.status_code, "That could not be read" in mistyped.text) == (422, True)
        assert [line.split(",")[10] for line in lines[1:3]] == ["Reached", "Does not want it"]
        await house.enter("reviewer", "qa")
        qa = house.readers[-1]
        assert (await qa.open("/abandoned")).status_code == 200
        assert (
            await qa.send("/abandoned/note", {"entry_id": "CA2", "ending": "unwanted"})
        ).status_code == 403


async def test_who_dies_before_the_call_has_begun_keeps_nobody_from_it(runtime: Runtime) -> None:
    async with kept_house(runtime) as house:
        await house.give_up("CA1", LIN, 10 * SECOND_MS)
        await house.entries()
        await house.agent("wang", "王敏")
        async with house.runtime.database.transaction() as connection:
            entry = await find(connection, "power", "CA1")
            assert entry is not None
            now_ms = house.runtime.clock.now_ms()
            assert await take(connection, entry, "wang", now_ms, now_ms + MINUTE_MS)
        key = (await house.facts_of("CA1")).caller_ref
        about = {"line": "main", "caller_ref": key, "number": LIN, "number_key": key}
        await house.hotline.switchboard.arrive(call_id="back-1-CA1", **about)
        assert await house.ring_up("CA1", "wang") is Answer.TAKEN
        pass_by(house, 2 * MINUTE_MS)
        await tick(house)
        assert (await house.facts_of("back-1-CA1")).state == "ended", "nobody is on its line"
        (row,) = await house.entries("here_call_id", "tries")
        assert row == {"here_call_id": None, "tries": 0}
        assert await house.ring_up("CA1", "wang") is Answer.OK
        customer = await reach(house, "wang")
        assert [leg.to for leg in telephony(house).placed if leg.to == LIN] == [customer.leg.to]
