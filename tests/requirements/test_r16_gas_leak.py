"""R16: in the gas menu key 1 in the first prompt speaks the safety advice; the call is queued ahead of a waiting VIP;
its ticket exists before an agent answers. "Priority 0" is read as: the emergency queue is a safety queue, which goes
before every key of the others however long they have waited, and the ticket has priority 1, the highest there is."""

from dataclasses import replace
from pathlib import Path

import pytest

from config.runtime import Runtime
from ivr.standin.callers import spoken_ms
from tests.doubles import ManualClock
from tests.requirements.house import House, open_house
from tests.traces.hotline import Caller, Heard

GRANDMOTHER, SHOP, STRANGER = "+8613800000001", "+8613800000002", "+8613911112222"
TABLE = [
    {
        "account_no": "0001",
        "name": "王秀英",
        "phones": GRANDMOTHER,
        "area": "east",
        "customer_kind": "residential",
        "address": "人民路1号",
        "special_care": "elderly",
    },
    {
        "account_no": "0002",
        "name": "新桥面馆",
        "phones": SHOP,
        "area": "north",
        "customer_kind": "commercial",
        "address": "人民路2号",
        "special_care": "none",
    },
]


async def leak(house: House, call_id: str, number: str = STRANGER) -> tuple[Caller, Heard]:
    caller, heard = await house.call(call_id, number)
    return caller, await caller.press(heard, "1")


@pytest.mark.parametrize(("line", "hello"), [("main", "这里是示例燃气。"), ("complaint", "投诉电话")])
async def test_key_1_is_offered_before_the_greeting_and_speaks_the_safety_advice(
    runtime: Runtime, line: str, hello: str
) -> None:
    numbers = {"main": "+8657195598000", "complaint": "+8657195598001"}
    runtime = replace(runtime, settings=replace(runtime.settings, hotline_numbers=numbers))
    async with open_house(runtime, "gas") as house:
        caller, first = await house.call("CA1", STRANGER, line)
        assert first.verbs[0] == "Gather"
        before, offer, after = first.said.partition("请立即按1。")
        assert (before, offer) == ("闻到燃气味，", "请立即按1。")
        assert spoken_ms(before + offer) < 3_000, "within the first seconds"
        assert hello in after
        assert "录音，如不同意请按8" in after
        advice = await caller.press(first, "1")
        assert advice.verbs[-1] == "Enqueue"
        for words in ("请勿开关任何电器", "勿使用明火", "关闭燃气阀门", "撤到室外", "最先为您接通"):
            assert words in advice.said


async def test_the_leak_goes_before_whoever_waits_and_its_ticket_is_open_before_anyone_answers(
    runtime: Runtime, tmp_path: Path, clock: ManualClock
) -> None:
    async with open_house(runtime, "gas") as house:
        await house.import_rows(tmp_path / "gas.csv", TABLE)
        waiting = []
        for call_id, number in (("CAvip", GRANDMOTHER), ("CAshop", SHOP)):
            caller, heard = await house.call(call_id, number)
            while "Enqueue" not in heard.verbs:
                heard = await caller.press(heard, "0")
            waiting.append((caller, heard))
        for _ in range(6):
            clock.advance(60_000)
            waiting = [(caller, await caller.wait(heard)) for caller, heard in waiting]
        vip = await house.facts_of("CAvip")
        assert vip.tier == "special_care"
        assert vip.queued_ms is not None
        assert clock.now_ms() - vip.queued_ms > house.plan.tiers[vip.tier].ceiling_ms, (
            "he has waited too long"
        )
        _, enqueued = await leak(house, "CAleak")
        assert "Enqueue" in enqueued.verbs

        await house.settle()
        (ticket,) = await house.rows("tickets", "type", "priority", "work_queue", call_id="CAleak")
        assert ticket == {"type": "gas_emergency", "priority": 1, "work_queue": "dispatch_urgent"}
        assert await house.hotline.state_of("CAleak") == "queued", "nobody has answered yet"

        await house.agent("wang", "王敏")
        assert await house.offered_to("wang") == "CAleak"


async def test_the_same_key_works_deeper_in_the_menu_and_in_every_language(runtime: Runtime) -> None:
    async with open_house(runtime, "gas") as house:
        paths = {
            "chinese": ["", "1"],
            "repairs": ["", "2", "1"],
            "english": ["9", "3", "1"],
            "cantonese": ["9", "4", "1"],
        }
        for name, keys in paths.items():
            caller, heard = await house.call(f"CA{name}", STRANGER)
            for key in keys:
                heard = await caller.press(heard, key)
            call = await house.facts_of(f"CA{name}")
            assert (call.queue, call.matter, call.state) == ("emergency", "emergency", "queued"), name
            assert call.ticket_no, name
        assert "Do not switch anything electrical" in (await leak_in_english(house)).said


async def leak_in_english(house: House) -> Heard:
    caller, heard = await house.call("CAagain", STRANGER)
    for key in ("9", "3", "1"):
        heard = await caller.press(heard, key)
    return heard


@pytest.mark.parametrize("words", ["漏气了", "不是，是漏煤气"])
async def test_who_is_asked_back_about_something_else_and_says_leak_is_heard(
    runtime: Runtime, words: str
) -> None:
    async with open_house(runtime, "gas") as house:
        caller, first = await house.call("CA1", STRANGER)
        asked = await caller.speak(await caller.press(first, ""), "投诉", 0.3)
        assert "您要的是投诉建议，对吗" in asked.said
        assert "请勿开关任何电器" in (await caller.speak(asked, words, 0.9)).said
        assert (await house.facts_of("CA1")).matter == "emergency"


@pytest.mark.parametrize("words", ["漏煤氣呀", "有好大陣煤氣味"])
async def test_a_leak_is_heard_in_cantonese_as_the_recogniser_writes_it(runtime: Runtime, words: str) -> None:
    async with open_house(runtime, "gas") as house:
        caller, first = await house.call("CA1", STRANGER)
        welcome = await caller.press(await caller.press(first, "9"), "4")
        assert 'language="yue-Hant-HK"' in welcome.text
        await caller.speak(welcome, words, 0.9)
        facts = await house.facts_of("CA1")
        assert (facts.matter, facts.locale) == ("emergency", "yue-HK")


async def test_key_1_is_the_emergency_even_while_something_else_is_asked_back(runtime: Runtime) -> None:
    async with open_house(runtime, "gas") as house:
        caller, first = await house.call("CA1", STRANGER)
        asked = await caller.speak(await caller.press(first, ""), "投诉", 0.3)
        assert "您要的是投诉建议，对吗？是请按2，不是请按3。" in asked.said
        assert "请勿开关任何电器" in (await caller.press(asked, "1")).said
        assert (await house.facts_of("CA1")).matter == "emergency"
