"""R124: after a transfer the first agent still sees the case as his until "replied"; the callback task is his.

"Replied" is read as: the caller has been told what came of it, or the case is closed.
"""

import re
from pathlib import Path

import pytest

from config.runtime import Runtime
from queues.service.cases import mend_cases
from queues.service.customers import forget
from queues.service.managers import set_leave
from queues.service.people import Agent, save_agents
from tests.doubles import MONDAY_0900_MS
from tests.queues.web.reader import Reader, text_of
from tests.requirements.house import House, open_house
from tests.traces.hotline import Agent as Rung
from tests.traces.hotline import Heard

LIN = "+8613900000001"
HOUR_MS = 3_600_000


async def complain(house: House, leg_id: str = "CA1", number: str = LIN) -> Heard:
    """As far as the queue."""
    caller, heard = await house.call(leg_id, number)
    for key in "00":
        if "Enqueue" in heard.verbs:
            break
        heard = await caller.press(await caller.send_on(heard), key)
    assert "Enqueue" in heard.verbs, heard.text
    return heard


async def talk(house: House, agent_id: str, leg_id: str = "CA1") -> Heard:
    """He is offered the call, takes it, and they are connected; every report of it comes twice."""
    rung = Rung(house.hotline, agent_id, f"client:{agent_id}")
    await rung.offer(leg_id)
    house.hotline.doubled = True
    await rung.report("ringing")
    await rung.join(await rung.answer())
    met = await house.hotline.caller(leg_id, LIN).connect(rung.offer_id)
    house.hotline.doubled = False
    return met


async def press(reader: Reader, ticket_no: str, what: str, **form: str) -> str:
    """A button on the ticket's page; what the page then says."""
    shown = await reader.open(f"/tickets/{ticket_no}")
    found = re.search(r'name="revision" value="(\d+)"', shown.text)
    assert found
    answer = await reader.send(f"/tickets/{ticket_no}/{what}", {"revision": found[1], **form})
    return text_of(await reader.open(f"/tickets/{ticket_no}") if answer.status_code == 303 else answer)


async def tickets_of(reader: Reader) -> list[str]:
    page = await reader.open("/tickets?owner=mine")
    return re.findall(r'<td class="tabular"><a href="/tickets/(T\d+)">', page.text)


async def owed_to(reader: Reader) -> list[str]:
    page = await reader.open("/follow-ups")
    return re.findall(r'name="follow_up_id" value="call_back:(T\d+):\d+"', page.text)


@pytest.mark.parametrize("is_late", [False, True], ids=["ticket_first", "answer_first"])
async def test_who_answered_first_owns_the_case_until_the_caller_has_been_told(
    runtime: Runtime, is_late: bool
) -> None:
    async with open_house(runtime, "power") as house:
        wang, li = await house.agent("wang", "王敏"), await house.agent("li", "李静")
        await complain(house)
        met = await talk(house, "wang")
        if not is_late:
            await house.settle()
        # the call is put through to another, and so is the work: the case stays the first one's
        board = house.hotline.switchboard
        await board.transfer_call(call_id="CA1", agent_id="wang", queue="outage")
        await house.hotline.caller("CA1", LIN).after(met, "in-progress")
        await talk(house, "li")
        assert (await house.facts_of("CA1")).state == "connected"
        await house.hotline.caller("CA1", LIN).report_end()
        await house.settle()
        (ticket,) = await house.rows("tickets", "ticket_no", "owner", "taken_by", "replied_ms")
        ticket_no = ticket.pop("ticket_no")
        assert ticket == {"owner": "wang", "taken_by": "", "replied_ms": None}
        assert "In the hands of li" in await press(li, ticket_no, "move", event="take")
        await press(li, ticket_no, "move", event="resolve")
        assert (await tickets_of(wang), await tickets_of(li)) == ([ticket_no], [])
        assert (await owed_to(wang), await owed_to(li)) == ([ticket_no], [])
        # another cannot say that it is done; he rings back, and it is nobody's any more
        (owed,) = await house.rows("follow_ups", "follow_up_id", "agent_id", "kind")
        assert (owed["agent_id"], owed["kind"]) == ("wang", "call_back")
        done = {"follow_up_id": owed["follow_up_id"]}
        assert (await li.send("/follow-ups/done", done)).status_code == 403
        revision = (await house.rows("tickets", "revision"))[0]["revision"]
        told = {"revision": str(revision)}
        assert (await li.send(f"/tickets/{ticket_no}/told", told)).status_code == 403, "nor by the other door"
        assert f"/tickets/{ticket_no}/told" not in (await li.open(f"/tickets/{ticket_no}")).text
        assert (await wang.send("/follow-ups/done", done)).status_code == 303
        assert (await tickets_of(wang), await owed_to(wang)) == ([], [])
        (now,) = await house.rows("tickets", "owner", "replied_ms")
        assert now == {"owner": "wang", "replied_ms": MONDAY_0900_MS}


async def test_a_case_nobody_answered_is_nobodys_until_somebody_takes_it(runtime: Runtime) -> None:
    async with open_house(runtime, "power") as house:
        li = await house.agent("li", "李静")
        await complain(house)
        await house.hotline.caller("CA1", LIN).report_end()
        await house.settle()
        (ticket,) = await house.rows("tickets", "ticket_no", "owner")
        assert ticket["owner"] == ""
        assert await tickets_of(li) == []
        await press(li, ticket["ticket_no"], "move", event="take")
        await press(li, ticket["ticket_no"], "move", event="give_back")
        assert await tickets_of(li) == [ticket["ticket_no"]]


async def test_it_changes_hands_with_a_reason_alone_and_the_history_keeps_it(runtime: Runtime) -> None:
    async with open_house(runtime, "power") as house:
        wang, li = await house.agent("wang", "王敏"), await house.agent("li", "李静")
        boss = await house.enter("boss", "supervisor")
        await complain(house)
        await talk(house, "wang")
        await house.hotline.caller("CA1", LIN).report_end()
        await house.settle()
        ((ticket_no,),) = [tuple(row.values()) for row in await house.rows("tickets", "ticket_no")]
        await press(boss, ticket_no, "move", event="resolve")
        revision = (await house.rows("tickets", "revision"))[0]["revision"]
        form = {"revision": str(revision), "owner": "li", "reason": "went to another town"}
        assert (await li.send(f"/tickets/{ticket_no}/owner", form)).status_code == 403
        assert "Say why it is handed over." in await press(wang, ticket_no, "owner", owner="li", reason=" ")
        assert "There is no such agent" in await press(wang, ticket_no, "owner", owner="nobody", reason="x")
        page = await press(wang, ticket_no, "owner", owner="li", reason="went to another town")
        assert "Handed over wang" in page
        assert "went to another town Owner 王敏 → 李静" in page
        assert (await tickets_of(wang), await owed_to(wang)) == ([], [])
        assert (await tickets_of(li), await owed_to(li)) == ([ticket_no], [ticket_no])
        assert await house.runtime.redis.hvals("{power}:owners") == ["li"]


async def test_who_covers_for_the_owner_sees_what_is_owed(runtime: Runtime) -> None:
    async with open_house(runtime, "power") as house:
        await house.agent("wang", "王敏")
        li = await house.agent("li", "李静")
        boss = await house.enter("boss", "supervisor")
        await complain(house)
        await talk(house, "wang")
        await house.hotline.caller("CA1", LIN).report_end()
        await house.settle()
        (row,) = await house.rows("tickets", "ticket_no")
        await press(boss, row["ticket_no"], "move", event="resolve")
        assert await owed_to(li) == []
        now_ms = house.runtime.clock.now_ms()
        leave = {"from_ms": now_ms, "until_ms": now_ms + HOUR_MS, "cover": "li", "by": "boss"}
        assert await set_leave(house.runtime, agent_id="wang", **leave) == "ok"  # type: ignore[arg-type]
        assert await owed_to(li) == [row["ticket_no"]]
        assert await owed_to(boss) == [row["ticket_no"]]
        assert "Customer told" in await press(li, row["ticket_no"], "told"), "by either door"
        assert await owed_to(boss) == []


async def test_the_live_store_knows_whose_case_a_caller_has_and_forgets_it(
    runtime: Runtime, tmp_path: Path
) -> None:
    async with open_house(runtime, "power") as house:
        await house.agent("wang", "王敏")
        boss = await house.enter("boss", "supervisor")
        await complain(house)
        await talk(house, "wang")
        await house.hotline.caller("CA1", LIN).report_end()
        await house.settle()
        (row,) = await house.rows("tickets", "ticket_no", "caller_ref")
        redis = house.runtime.redis

        async def owners() -> dict[str, str]:
            return dict(await redis.hgetall("{power}:owners"))

        assert await owners() == {row["caller_ref"]: "wang"}
        # lost with the last second, and made again
        await redis.delete("{power}:owners", "{power}:owned", "{power}:cases", "{power}:case_index")
        await mend_cases(house.runtime)
        assert await owners() == {row["caller_ref"]: "wang"}
        await press(boss, row["ticket_no"], "told")
        assert await owners() == {}
        await press(boss, row["ticket_no"], "move", event="resolve")
        await press(boss, row["ticket_no"], "move", event="reopen")
        assert await owners() == {row["caller_ref"]: "wang"}
        await forget(house.runtime, LIN)
        assert await owners() == {}
        assert await redis.hgetall("{power}:owned") == {}


async def test_an_anonymous_caller_leaves_no_owner_behind(runtime: Runtime) -> None:
    async with open_house(runtime, "power") as house:
        await save_agents(
            house.runtime, [Agent(agent_id="wang", name="王敏", skills=(), endpoint="client:wang")]
        )
        await house.agent("wang", "王敏")
        boss = await house.enter("boss", "supervisor")
        await complain(house)
        await talk(house, "wang")
        await house.hotline.caller("CA1", LIN).report_end()
        await house.settle()
        (row,) = await house.rows("tickets", "ticket_no")
        await press(boss, row["ticket_no"], "move", event="resolve")
        assert len(await house.rows("follow_ups")) == 1
        board, redis = house.hotline.switchboard, house.runtime.redis
        await board.close_wrap_up(agent_id="wang")
        await complain(house, "CA2")
        await talk(house, "wang", "CA2")
        await house.settle()
        ref = (await redis.hgetall("{power}:owners")).keys()
        assert len(ref) == 1
        await board.anonymise_call(call_id="CA1")
        assert await redis.hgetall("{power}:owners") == {}, "in the same step, not when SQL has followed"
        assert len(await redis.hgetall("{power}:owned")) == 1
        await house.settle()
        await mend_cases(house.runtime)
        assert await house.rows("follow_ups") == []
        assert (await redis.hgetall("{power}:owners")).keys() == ref, "his other case is still somebody's"
        await board.anonymise_call(call_id="CA2")
        assert await redis.hgetall("{power}:owners") == await redis.hgetall("{power}:owned") == {}
        await house.settle()
        await mend_cases(house.runtime)
        assert await redis.hgetall("{power}:owners") == await redis.hgetall("{power}:owned") == {}


async def test_a_caller_who_rings_again_reaches_who_owes_him_an_answer(runtime: Runtime) -> None:
    async with open_house(runtime, "heat") as house:
        for agent_id in ("wang", "li"):
            await house.agent(agent_id, agent_id)
        board = house.hotline.switchboard
        await complain(house)
        await talk(house, "wang")
        await house.hotline.caller("CA1", LIN).report_end()
        await house.settle()
        await board.close_wrap_up(agent_id="wang")
        # 李静 has been idle for longer, and yet she is not the one
        await complain(house, "CA2")
        assert await house.offered_to("wang") == "CA2"
