"""A call explained: from real decisions, in both languages, live and afterwards; and what is missing is said."""

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

import queues.web
from config.runtime import Runtime
from config.web.words import Words as Catalogue
from queues.domain import explanation
from queues.domain.explanation import BEFORE, LINES_TOLD, PASSED_OVER, Explanation, reasons, said
from queues.domain.journal import Line, LineType
from queues.domain.lanes import Lane
from queues.domain.routing import decide
from queues.service.explaining import NoLinesError, UnknownCallError, explain_call
from queues.store.journal import events
from queues.web.why import AGAIN, explanation_view, why_in_words
from queues.web.words import Words
from tests.queues.hotline import Hotline
from tests.requirements.command_line import shouwen

MINUTE_MS = 60_000
LOCALE = Path(queues.web.__file__).parent / "locale"
CATALOGUE = Catalogue([LOCALE])


def words_in(hotline: Hotline, locale: str) -> Words:
    return Words(partial(CATALOGUE, locale), hotline.plan, locale)


async def comes(hotline: Hotline, call_id: str, tier: str = "residential", matter: str = "enquiry") -> None:
    """Into the general queue."""
    about, plan = hotline.plan.matters[matter], hotline.plan
    await hotline.arrive(call_id, "")
    lane = Lane("general", tier, ("general",), plan.head_start_ms(tier, matter), about.is_safety)
    reply = await hotline.switchboard.enqueue_call(
        call_id=call_id, queue="general", matter=matter, tier=tier, lane=lane
    )
    assert reply.is_ok


async def offered(hotline: Hotline) -> str:
    """One decision of the house, as the dispatcher takes it; the call that 王 is offered."""
    board = hotline.switchboard
    snapshot = await board.snapshot()
    (match,) = decide(hotline.plan, snapshot, hotline.runtime.clock.now_ms())
    claimed = await board.claim_offer(
        call_id=match.call_id, agent_id=match.agent_id, turn=snapshot.turn, why=match.why
    )
    assert claimed.offer_id is not None
    return claimed.offer_id


async def taken(hotline: Hotline, talks_ms: int = 20_000) -> str:
    """The same, and they talk."""
    board, clock = hotline.switchboard, hotline.runtime.clock
    offer_id = await offered(hotline)
    call_id = offer_id.rpartition("-")[0]
    for step in (board.ring_offer, board.ringing, board.answer_offer, board.accept_offer):
        assert (await step(offer_id=offer_id, leg_id=f"leg-{offer_id}")).is_ok
    assert (await board.connect_call(call_id=call_id, offer_id=offer_id)).is_ok
    clock.advance(talks_ms)  # type: ignore[attr-defined]
    await hotline.end(call_id)
    await hotline.wrap_up()
    return call_id


@pytest.fixture
async def busy(hotline: Hotline, clock: Any) -> Hotline:
    """林, an ordinary caller, waits behind four: one in danger, one who came before, one with a head start."""
    board = hotline.switchboard
    await board.set_presence(agent_id="wang", presence="away", reason="meal")
    await comes(hotline, "EARLY")
    clock.advance(30_000)
    await comes(hotline, "LIN")
    clock.advance(MINUTE_MS)
    await comes(hotline, "KEY", "key_customer")
    clock.advance(MINUTE_MS)
    await comes(hotline, "DANGER", matter="danger")
    await board.set_presence(agent_id="wang", presence="ready")
    order = [await taken(hotline) for _ in range(3)]
    assert order == ["DANGER", "KEY", "EARLY"]
    return hotline


async def explained(hotline: Hotline, call_id: str = "LIN") -> Explanation:
    return await explain_call(hotline.runtime, call_id)


async def test_why_it_waited_and_who_went_before(busy: Hotline, clock: Any) -> None:
    assert await taken(busy) == "LIN"
    await busy.write_down()
    told = await explained(busy)
    assert [(each.call_id, each.reason) for each in told.before] == [
        ("DANGER", "safety"), ("KEY", "head_start"), ("EARLY", "earlier"),
    ]  # fmt: skip
    key = told.before[1]
    assert (key.came_for, key.ahead_for) == (MINUTE_MS, 4 * MINUTE_MS)
    view = explanation_view(told, words_in(busy, "en"), {"wang": "Wang Min"})
    assert view["waited"] == [
        "Waited 3:00 in General enquiries as Residential customer, since 09:00:30.",
        "It had no head start, so its place was the order of arrival.",
        "One call about safety went before it.",
        "One later call went before it by its head start.",
        "One call that had come earlier went before it.",
        "Each agent who got free in that time was given to one of those.",
    ]
    assert view["before"][1]["reason_word"] == "by its head start, 4:00 ahead"
    assert told.decisions[0].site_version == told.site_version == busy.plan.version
    assert view["decisions"][0]["sentences"][-1] == "Wang Min was the only agent who could take it."
    assert told.missing == ()


async def test_in_chinese_the_same_is_said(busy: Hotline) -> None:
    await taken(busy)
    view = explanation_view(await explained(busy), words_in(busy, "zh"), {"wang": "王敏"})
    assert view["waited"][0] == "自 09:00:30 起以居民客户身份在综合服务等待 3:00。"
    assert "1 通涉及人身安全的来电在它之前。" in view["waited"]
    assert view["course"][-1]["text"] == "由来电方结束：已接听。"


async def test_live_before_the_scribe_has_read_a_line(busy: Hotline, clock: Any) -> None:
    clock.advance(10_000)
    told = await explained(busy)
    assert [each.reason for each in told.before] == ["safety", "head_start", "earlier"]
    assert told.waited[0].values["waited_for"] == 190_000
    assert told.decisions == ()


async def test_only_who_went_to_an_agent_went_there_at_once(hotline: Hotline) -> None:
    await comes(hotline, "LIN")
    words = [each.key for each in (await explained(hotline)).waited]
    assert "explain.at_once" not in words, "he waits still, since a moment ago"
    assert await taken(hotline) == "LIN"
    assert "explain.at_once" in [each.key for each in (await explained(hotline)).waited]


async def test_a_missed_offer_keeps_the_place_and_is_told(busy: Hotline, clock: Any) -> None:
    board = busy.switchboard
    offer_id = await offered(busy)
    clock.advance(5_000)
    await board.decline_offer(offer_id=offer_id)
    clock.advance(11_000)
    await taken(busy)
    told = await explained(busy)
    assert [each.ended_as for each in told.decisions] == ["declined", "accepted"]
    assert "explain.rang" in [each.key for each in told.waited]
    assert "Back to its place in the line (declined)." in [
        each["text"] for each in explanation_view(told, words_in(busy, "en"), {})["course"]
    ]


async def test_who_may_not_take_it_went_to_others(hotline: Hotline, clock: Any) -> None:
    """A call behind it was given the only agent there, who speaks no English."""
    board = hotline.switchboard
    await hotline.arrive("LIN", "")
    lane = Lane("general", "residential", ("general", "english"), 0)
    await board.enqueue_call(call_id="LIN", queue="general", matter="enquiry", tier="residential", lane=lane)
    clock.advance(5_000)
    await comes(hotline, "CHEN")
    assert await taken(hotline) == "CHEN"
    told = await explained(hotline)
    assert [(each.call_id, each.reason) for each in told.before] == [("CHEN", "not_his")]
    assert "explain.each_free_agent" not in [each.key for each in told.waited]


async def test_a_head_start_passes_nobody_whom_the_agent_may_not_take(hotline: Hotline, clock: Any) -> None:
    """The key customer was ahead of him by key; but the agent who took that call speaks no English."""
    board = hotline.switchboard
    await hotline.arrive("LIN", "")
    lane = Lane("general", "residential", ("general", "english"), 0)
    await board.enqueue_call(call_id="LIN", queue="general", matter="enquiry", tier="residential", lane=lane)
    clock.advance(5_000)
    await comes(hotline, "KEY", "key_customer")
    assert await taken(hotline) == "KEY"
    assert [each.reason for each in (await explained(hotline)).before] == ["not_his"]
    await hotline.write_down()
    assert [each.reason for each in (await explained(hotline)).before] == ["not_his"]


async def test_what_widened_when(hotline: Hotline, clock: Any) -> None:
    board = hotline.switchboard
    await board.set_presence(agent_id="wang", presence="away", reason="meal")
    await hotline.arrive("LIN", "")
    lane = Lane("key", "key_customer", ("key_account",), 5 * MINUTE_MS)
    await board.enqueue_call(call_id="LIN", queue="key", matter="enquiry", tier="key_customer", lane=lane)
    clock.advance(25_000)
    view = explanation_view(await explained(hotline), words_in(hotline, "en"), {})
    assert view["course"][-1] == {
        "at": "09:00:20",
        "text": "After 0:20 it also waited for the agents of General enquiries, in front.",
    }


# What is not there


async def test_an_unknown_call(hotline: Hotline) -> None:
    with pytest.raises(UnknownCallError):
        await explained(hotline, "NOBODY")


async def test_a_call_whose_lines_are_gone(busy: Hotline, runtime: Runtime) -> None:
    await taken(busy)
    await busy.write_down()
    async with runtime.database.transaction() as connection:
        await connection.execute(delete(events).where(events.c.call_id == "LIN"))
    with pytest.raises(NoLinesError):
        await explained(busy)


async def test_a_call_whose_first_lines_are_gone(busy: Hotline, runtime: Runtime) -> None:
    await taken(busy)
    await busy.write_down()
    gone = ("call.arrived", "call.queued", "call.offered")
    async with runtime.database.transaction() as connection:
        await connection.execute(delete(events).where(events.c.call_id == "LIN", events.c.type.in_(gone)))
    told = await explained(busy)
    assert [each.key for each in told.missing] == ["explain.missing.arrival", "explain.missing.offer"]


async def test_an_offer_of_a_time_before_reasons(hotline: Hotline) -> None:
    await hotline.answered_call("CA1")
    told = await explained(hotline, "CA1")
    assert [each.key for each in told.missing] == ["explain.missing.reasons"]
    assert why_in_words({}, words_in(hotline, "en"), {}) == ["No reason was kept for this offer."]


def test_a_reason_nobody_has_words_for_is_told_as_it_stands() -> None:
    why = {"rule": "key", "agent": {"agent_id": "wang", "eligible": 1}, "weather": "rain"}
    assert reasons(why) == (
        said("why.agent_only", agent="wang"),
        said("why.also", name="weather", value="rain"),
    )


def test_a_surge_and_who_put_him_through_have_words(hotline: Hotline) -> None:
    why = {
        "rule": "key",
        "agent": {"agent_id": "wang", "eligible": 1},
        "surge": True,
        "passed_over": [{"agent_id": "mei", "why": "transferred"}],
    }
    assert why_in_words(why, words_in(hotline, "en"), {}) == [
        "In a surge the overflow steps meant for it count at once.",
        "wang was the only agent who could take it.",
        "mei was passed over: had just put this caller through.",
    ]


# Several talks


def course_of(*steps: tuple[int, str, str, str]) -> list[Line]:
    """The lines of a call: after how many s, which, of whom, of which offer."""
    lane = {"lane": "general|residential|general|0|0", "queued_ms": 0, "queue": "general"}
    data = {
        LineType.CALL_QUEUED: lane,
        LineType.CALL_TRANSFERRED: lane,
        LineType.CALL_CONSULTED: {"asked_by": "wang"},
        LineType.CALL_HANDED_OVER: {"from": "wang"},
    }
    return [
        Line(
            id=f"{n}-0",
            type=each,
            at_ms=after_s * 1000,
            call_id="LIN",
            agent_id=agent_id,
            offer_id=offer_id,
            data=data.get(LineType(each), {}),
        )
        for n, (after_s, each, agent_id, offer_id) in enumerate(
            [(0, "call.arrived", "", ""), (0, "call.queued", "", ""), *steps]
        )
    ]


ANSWERED = (
    (10, "call.offered", "wang", "LIN-1"), (14, "offer.accepted", "wang", "LIN-1"),
    (14, "call.connecting", "wang", "LIN-1"), (15, "call.connected", "wang", "LIN-1"),
)  # fmt: skip
HANDED_OVER = (
    (100, "call.consulted", "mei", "LIN-2"), (110, "offer.accepted", "mei", "LIN-2"),
    (120, "call.handed_over", "mei", "LIN-2"), (121, "call.connected", "mei", "LIN-2"),
)  # fmt: skip


def told_of(*steps: tuple[int, str, str, str]) -> Explanation:
    return explanation.explain("LIN", course_of(*steps), plan=None, now_ms=900_000)


def test_whoever_is_asked_by_an_agent_was_never_offered_the_call(hotline: Hotline) -> None:
    told = told_of(*ANSWERED, *HANDED_OVER, (200, "call.ended", "", ""))
    assert "explain.missing.offer" not in [each.key for each in told.missing]
    assert told.waited[0].values["waited_for"] == 10_000
    course = [each["text"] for each in explanation_view(told, words_in(hotline, "en"), {})["course"]]
    assert "wang asked mei; the caller was on hold." in course
    assert "wang handed the caller over to mei." in course


def test_each_talk_before_a_place_in_line_is_no_waiting() -> None:
    told = told_of(*ANSWERED, *HANDED_OVER, (200, "call.transferred", "mei", "LIN-2"),
                   (230, "call.offered", "li", "LIN-3"))  # fmt: skip
    talked = next(each for each in told.waited if each.key == "explain.put_through")
    assert talked.values["talked_for"] == 105_000 + 79_000
    assert told.waited[0].values["waited_for"] == 230_000 - 184_000


def test_a_talk_is_no_ringing_when_connecting_failed_after_it() -> None:
    told = told_of(*ANSWERED, *HANDED_OVER[:3], (140, "call.requeued", "mei", "LIN-2"),
                   (150, "call.offered", "li", "LIN-3"))  # fmt: skip
    assert "explain.rang" not in [each.key for each in told.waited]


async def test_who_was_put_through_to_another_queue_stood_there(hotline: Hotline, clock: Any) -> None:
    board = hotline.switchboard
    await hotline.arrive("EARLY", "")
    await hotline.enqueue("EARLY")
    await hotline.answer("EARLY")
    clock.advance(1_000)
    await comes(hotline, "LIN")
    reply = await board.transfer_call(call_id="EARLY", agent_id="wang", queue="outage")
    assert reply.is_ok
    clock.advance(20 * MINUTE_MS)
    await hotline.wrap_up()
    assert await taken(hotline) == "EARLY"
    await hotline.write_down()
    assert [(each.call_id, each.queue) for each in (await explained(hotline)).before] == [("EARLY", "outage")]


# The words


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_every_sentence_has_its_words(locale: str) -> None:
    source = Path(explanation.__file__).read_text("utf-8")
    used = {"explain.missing.live"} | set(re.findall(r'"((?:why|explain)\.[a-z_.]+[a-z])"', source))
    used |= {f"explain.before.{each}" for each in BEFORE} | {f"explain.reason.{each}" for each in BEFORE}
    used |= {f"why.passed_over.{each}" for each in (*PASSED_OVER, "else")}
    used |= {f"explain.line.{each.replace('.', '_')}" for each in LINES_TOLD}
    used |= {f"explain.again.{each}" for each in AGAIN}
    assert used - CATALOGUE.keys(locale) == set()


# The command


async def test_the_command_says_it_in_either_language(busy: Hotline, runtime: Runtime) -> None:
    await taken(busy)
    await busy.write_down()
    told = await shouwen(runtime, "explain", "LIN", "--language", "en")
    assert told.code == 0, told.err
    assert "Waited 3:00 in General enquiries" in told.out
    assert (
        "09:02:50  KEY · VIP key account · General enquiries → wang: by its head start, 4:00 ahead"
        in told.out
    )
    assert "王敏" not in told.out
    chinese = await shouwen(runtime, "explain", "LIN", "--language", "zh", "--json")
    assert json.loads(chinese.out)["facts"]["before"][0]["reason"] == "safety"
    assert "人身安全" in chinese.out
    nobody = await shouwen(runtime, "explain", "NOBODY", "--language", "en")
    assert (nobody.code, nobody.out) == (2, "")
    assert "No call NOBODY is known here" in nobody.err


# The day, decided once more


async def test_a_day_is_replayed_and_an_altered_line_is_told(busy: Hotline, runtime: Runtime) -> None:
    await taken(busy)
    await busy.write_down()
    same = await shouwen(runtime, "explain", "--replay", "--day", "2026-11-23", "--language", "en")
    assert (same.code, same.out) == (
        0, "2026-11-23: 4 decisions checked, 4 come out the same from the journal.\n"
    )  # fmt: skip
    async with runtime.database.transaction() as connection:
        query = select(events.c.data).where(events.c.call_id == "KEY", events.c.type == "call.queued")
        data = json.loads((await connection.execute(query)).scalar_one())
        altered = {**data, "rules": {**data["rules"], "head_start_ms": 0}}
        await connection.execute(
            update(events)
            .where(events.c.call_id == "KEY", events.c.type == "call.queued")
            .values(data=json.dumps(altered))
        )
    other = await shouwen(runtime, "explain", "--replay", "--day", "2026-11-23", "--language", "en")
    assert other.code == 1
    assert "At 09:02:50 call KEY was offered to wang" in other.out
    assert "Offered instead: EARLY." in other.out
    chinese = await shouwen(runtime, "explain", "--replay", "--day", "2026-11-22", "--language", "zh")
    assert chinese.out.startswith("2026-11-22：核对了 0 次分配")
    away = replace(runtime, settings=replace(runtime.settings, redis_url="redis://127.0.0.1:9/0"))
    still = await shouwen(away, "explain", "LIN", "--language", "en")
    assert (still.code, "The live store is away" in still.out) == (0, True), still.err
    neither = await shouwen(runtime, "explain")
    assert neither.code == 2
