"""The page of the queues: the order and why, a call moved or raised, an agent lent, a queue closed; its refusals."""

import json
from typing import Any

import pytest

from queues.service.explaining import explain_call
from queues.service.live_changes import LiveChanges
from queues.web import queues_page, wall
from queues.web.floor import Floor
from queues.web.queues_page import DONE, REFUSED, pictures
from tests.queues.hotline import CHEN_NUMBER, Hotline
from tests.queues.test_explanation import comes, words_in
from tests.queues.web.reader import Door, Reader, next_picture, text_of


@pytest.fixture
async def boss(door: Door) -> Reader:
    return await door.enter("boss", "supervisor", locale="en")


@pytest.fixture
async def waiting(hotline: Hotline, clock: Any) -> Hotline:
    """Two wait in the general queue, the key customer in front; 王 has a meal."""
    await hotline.switchboard.set_presence(agent_id="wang", presence="away", reason="meal")
    await comes(hotline, "LIN")
    clock.advance(60_000)
    await comes(hotline, "KEY", "key_customer")
    clock.advance(10_000)
    return hotline


async def lane_of(hotline: Hotline, call_id: str) -> str:
    board = await hotline.switchboard.queue_board()
    return next(each.lane_id for each in board.waiting if each.call_id == call_id)


async def choice(hotline: Hotline, call_id: str) -> str:
    return f"{call_id}~{await lane_of(hotline, call_id)}"


async def order(hotline: Hotline) -> list[tuple[str, str]]:
    """Who waits where, each queue in its order, from the page's own picture."""
    view = queues_page.queues_view(await hotline.switchboard.queue_board(), {}, words_in(hotline, "en"))
    return [(queue["id"], call["call_id"]) for queue in view["queues"] for call in queue["calls"]]


async def audit(hotline: Hotline) -> list[tuple[str, str, Any]]:
    rows = await hotline.rows("audits", "action", "subject", "detail", "at_ms")
    found = [row for row in rows if row["action"].split(".")[0] in ("call", "agent", "queue")]
    return [
        (row["action"], row["subject"], json.loads(row["detail"] or "{}").get("reason"))
        for row in sorted(found, key=lambda row: row["at_ms"])
    ]


async def test_the_order_and_why(boss: Reader, waiting: Hotline) -> None:
    page = text_of(await boss.open("/queues"))
    assert await order(waiting) == [("general", "KEY"), ("general", "LIN")]
    assert "2 waiting" in page
    assert "came 09:01:00, head start 5:00: as if 08:56:00" in page
    assert "came 09:00:00" in page
    assert "王敏" in page
    assert "Cannot be closed by hand" in page


async def test_whoever_is_to_be_called_back_is_marked_and_counted_apart(
    boss: Reader, door: Door, waiting: Hotline, clock: Any
) -> None:
    """As the wallboard counts them; he keeps his place among those on the line."""
    await waiting.arrive("CHEN", CHEN_NUMBER)
    await waiting.enqueue("CHEN")
    assert (await waiting.switchboard.ask_callback(call_id="CHEN")).is_ok
    await waiting.end("CHEN")
    clock.advance(60_000)
    await comes(waiting, "LAST")

    async def counted() -> tuple[int, int, int]:
        board = await waiting.switchboard.queue_board()
        return board.in_lanes["general"], board.counts["general"], board.callbacks["general"]

    assert await counted() == (3, 3, 1), "he rests"
    assert (await waiting.switchboard.tend_callback(call_id="CHEN")).is_ok
    assert await counted() == (4, 3, 1)
    board = await waiting.switchboard.queue_board()
    assert [each.call_id for each in board.waiting] == ["KEY", "LIN", "CHEN", "LAST"]
    page = text_of(await boss.open("/queues"))
    assert "3 waiting +1 to call back" in page
    assert page.count("to be called back") == 1
    floor, chinese = door.app.state.floor, words_in(waiting, "zh")
    seen = [
        await next_picture(events) for events in (pictures(floor, chinese), wall.pictures(floor, chinese))
    ]
    on_page, on_wall = (next(each for each in view["queues"] if each["id"] == "general") for view in seen)
    assert (
        (on_page["count"], on_page["callbacks"])
        == (on_wall["waiting"], on_wall["callbacks"])
        == (3, "另1回电")
    )
    assert [each["mark"] for each in on_page["calls"]] == ["", "", "待回电", ""]


async def test_a_call_is_moved_with_its_place_and_a_reason(boss: Reader, waiting: Hotline) -> None:
    await boss.open("/queues")
    form = {"act": "move", "queue": "complaint", "tier": "residential", "reason": "He complains"}
    answer = await boss.send("/queues/calls", {"call": await choice(waiting, "LIN"), **form})
    assert (answer.status_code, answer.headers["location"]) == (303, "/queues?done=move")
    assert "The call was moved." in text_of(await boss.open("/queues?done=move"))
    board = await waiting.switchboard.queue_board()
    (moved,) = [each for each in board.waiting if each.call_id == "LIN"]
    assert (moved.lane.queue, moved.lane.needs) == ("complaint", ("complaint",))
    assert moved.queued_ms == board.now_ms - 70_000
    assert await audit(waiting) == [("call.moved", "LIN", "He complains")]
    await waiting.write_down()
    rows = {row["call_id"]: row["queue"] for row in await waiting.rows("calls", "call_id", "queue")}
    assert rows == {"LIN": "complaint", "KEY": "general"}


async def test_a_raised_call_goes_before_and_its_page_says_by_whom_and_why(
    boss: Reader, waiting: Hotline, clock: Any
) -> None:
    await boss.open("/queues")
    form = {"act": "raise", "tier": "high_risk", "queue": "general", "reason": "A hospital"}
    await boss.send("/queues/calls", {"call": await choice(waiting, "LIN"), **form})
    assert await order(waiting) == [("general", "LIN"), ("general", "KEY")]
    assert "raised by hand from Residential customer" in text_of(await boss.open("/queues"))
    told = await explain_call(waiting.runtime, "KEY")
    assert told.before == ()
    await waiting.write_down()
    course = [each for each in (await explain_call(waiting.runtime, "LIN")).course if "raised" in each.key]
    assert [each.values["reason"] for each in course] == ["A hospital"]
    lines = await waiting.rows("events", "type", "data")
    (data,) = [json.loads(row["data"]) for row in lines if row["type"] == "call.raised"]
    assert data["from_key"] - data["key"] == 420_000
    assert "hospital" not in json.dumps(data), "a reason may name people, and the journal never does"


REFUSALS = [
    ({"call": "", "act": "move", "queue": "general", "reason": "x"}, "No call was chosen"),
    ({"call": "LIN", "act": "move", "queue": "complaint", "reason": " "}, "Say why"),
    ({"call": "LIN", "act": "move", "queue": "nowhere", "reason": "x"}, "no such queue"),
    ({"call": "LIN", "act": "move", "queue": "general", "reason": "x"}, "how it was already"),
    ({"call": "KEY", "act": "raise", "tier": "residential", "reason": "x"}, "not a higher one"),
    ({"call": "LIN", "act": "raise", "tier": "none", "reason": "x"}, "no such tier"),
    ({"call": "NOBODY~general|residential|general|0|0", "act": "move", "queue": "complaint", "reason": "x"},
     "not waiting any more"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "said"), REFUSALS)
async def test_what_is_refused_is_said_and_changes_nothing(
    boss: Reader, waiting: Hotline, form: dict[str, str], said: str
) -> None:
    await boss.open("/queues")
    before = await order(waiting)
    if form["call"] in ("LIN", "KEY"):
        form = {**form, "call": await choice(waiting, form["call"])}
    answer = await boss.send("/queues/calls", form)
    assert answer.status_code == 409
    assert said in text_of(answer)
    assert await order(waiting) == before
    assert await audit(waiting) == []


async def test_a_call_that_was_just_offered_stays(boss: Reader, waiting: Hotline) -> None:
    await boss.open("/queues")
    chosen = await choice(waiting, "LIN")
    board = waiting.switchboard
    await board.set_presence(agent_id="wang", presence="ready")
    turn = (await board.snapshot()).turn
    await board.claim_offer(call_id="LIN", agent_id="wang", turn=turn, why={})
    form = {"act": "move", "queue": "complaint", "reason": "x"}
    answer = await boss.send("/queues/calls", {"call": chosen, **form})
    assert "The call is not waiting any more (Ringing); nothing was changed." in text_of(answer)
    assert await boss.post("/queues/calls", call=chosen, **form) == (
        409, {"ok": False, "word": "stale:offered"}
    )  # fmt: skip


async def test_two_supervisors_at_one_call(boss: Reader, waiting: Hotline) -> None:
    await boss.open("/queues")
    looked = await choice(waiting, "LIN")
    other = LiveChanges(waiting.runtime, waiting.switchboard, "other")
    assert await other.move_call("LIN", looked.partition("~")[2], "complaint", "first") == "ok"
    form = {"act": "move", "queue": "key", "reason": "second"}
    answer = await boss.send("/queues/calls", {"call": looked, **form})
    assert "Somebody else has moved or raised this call" in text_of(answer)


async def test_an_agent_is_lent_and_taken_back(boss: Reader, waiting: Hotline) -> None:
    await boss.open("/queues")
    lending = {"act": "lend", "agent": "wang", "reason": "Two are ill"}
    refused = await boss.send("/queues/complaint/agents", lending | {"reason": " "})
    assert "Say why" in text_of(refused)
    assert (await boss.send("/queues/complaint/agents", lending)).status_code == 303
    assert "signed in by hand" in text_of(await boss.open("/queues"))
    board = await waiting.switchboard.queue_board()
    assert board.agents[0].lent == ("complaint",)
    assert board.agents[0].skills >= {"complaint", "general"}
    again = await boss.send("/queues/general/agents", lending)
    assert "serves that queue already" in text_of(again)
    assert again.text.count('value="Two are ill"') == 1, (
        "it need not be typed again, and stands where it was typed"
    )
    await boss.send("/queues/complaint/agents", {"act": "take_back", "agent": "wang"})
    assert (await waiting.switchboard.queue_board()).agents[0].lent == ()
    nobody = await boss.send("/queues/complaint/agents", lending | {"agent": "nobody"})
    assert "not signed in any more" in text_of(nobody)
    assert await audit(waiting) == [
        ("agent.lent", "wang", "Two are ill"),
        ("agent.taken_back", "wang", None),
    ]


async def test_a_queue_is_closed_and_opened(boss: Reader, waiting: Hotline) -> None:
    await boss.open("/queues")
    refused = await boss.send("/queues/outage/hours", {"act": "close", "reason": "x", "leads": "0"})
    assert "names no node" in text_of(refused)
    closing = {"act": "close", "reason": "Fire drill", "leads": "1"}
    assert (await boss.send("/queues/general/hours", closing)).status_code == 303
    page = text_of(await boss.open("/queues"))
    assert "Closed by boss at 09:01:10; those who wait are led out" in page
    assert (await boss.send("/queues/general/hours", {"act": "open"})).status_code == 303
    assert "Closed by" not in text_of(await boss.open("/queues"))
    assert await audit(waiting) == [
        ("queue.closed", "general", "Fire drill"),
        ("queue.opened", "general", None),
    ]


async def test_nobody_is_moved_into_a_closed_queue(boss: Reader, waiting: Hotline) -> None:
    await boss.open("/queues")
    await boss.send("/queues/complaint/hours", {"act": "close", "reason": "x", "leads": "0"})
    form = {"call": await choice(waiting, "LIN"), "act": "move", "queue": "complaint", "reason": "x"}
    assert "That queue is closed by hand" in text_of(await boss.send("/queues/calls", form))


async def test_the_picture_goes_on_by_itself(door: Door, boss: Reader, waiting: Hotline) -> None:
    await boss.open("/queues")
    floor: Floor = door.app.state.floor
    events = pictures(floor, words_in(waiting, "en"))
    first = await next_picture(events)
    assert first["waiting"] == 2
    await waiting.end("LIN")
    assert (await next_picture(events))["waiting"] == 1
    await events.aclose()


async def test_a_long_queue_shows_its_head_and_says_how_many_more(
    boss: Reader, hotline: Hotline, clock: Any
) -> None:
    await hotline.switchboard.set_presence(agent_id="wang", presence="away", reason="meal")
    for n in range(63):
        await comes(hotline, f"CA{n}")
    page = text_of(await boss.open("/queues"))
    assert "63 waiting" in page
    assert "and 3 more behind them" in page


async def test_nobody_else_may(door: Door, hotline: Hotline) -> None:
    for role in ("agent", "qa"):
        reader = await door.enter(f"a-{role}", role, "wang" if role == "agent" else None)
        assert (await reader.open("/queues")).status_code == 403
        status, _ = await reader.post("/queues/calls", call="X~Y", act="move")
        assert status == 403


@pytest.mark.parametrize("locale", ["zh", "en"])
async def test_every_answer_has_its_words(door: Door, hotline: Hotline, locale: str) -> None:
    words = words_in(hotline, locale)
    keys = [f"queues.done.{each}" for each in DONE] + [f"queues.refused.{each}" for each in REFUSED]
    assert [key for key in keys if words.t(key) == key] == []
    boss = await door.enter(f"boss-{locale}", "admin", locale=locale)
    page = text_of(await boss.open("/queues"))
    assert "queues." not in page
    assert "{" not in page
