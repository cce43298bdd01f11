"""R12: the first webhook answer speaks the greeting and the notice; a call from an extension gets the internal
greeting; no recording starts before the notice ends."""

import pytest

from config.runtime import Runtime
from queues.domain.parts import in_locale
from tests.doubles import TelephonyDouble
from tests.requirements.house import open_house

SITES = ("power", "heat", "gas", "retail")
STRANGER = "+8613911112222"
EXTENSIONS = ("8001", "sip:desk@pbx.example", "client:wang")


@pytest.mark.parametrize("site", SITES)
async def test_the_first_answer_greets_and_says_that_the_call_is_recorded(
    runtime: Runtime, site: str
) -> None:
    async with open_house(runtime, site) as house:
        _, heard = await house.call("CA1", STRANGER)
        org = in_locale(house.plan.short_name, "zh-CN")
        assert "您好" in heard.said
        assert org in heard.said
        assert "录音" in heard.said
        assert "请按8" in heard.said


@pytest.mark.parametrize("site", SITES)
async def test_an_extension_gets_the_internal_greeting(runtime: Runtime, site: str) -> None:
    async with open_house(runtime, site) as house:
        _, outside = await house.call("CA1", STRANGER)
        for number, extension in enumerate(EXTENSIONS):
            _, inside = await house.call(f"CAinside{number}", extension)
            assert "内部" in inside.said, extension
            assert "录音" in inside.said
            assert inside.said != outside.said
            assert (await house.facts_of(f"CAinside{number}")).is_internal


async def test_no_recording_starts_before_the_notice_was_heard_and_none_after_a_refusal(
    runtime: Runtime,
) -> None:
    async with open_house(runtime, "power") as house:
        telephony = house.runtime.telephony
        assert isinstance(telephony, TelephonyDouble)
        agent = await house.hotline.agent("wang")
        for call_id, keys in (("CA1", "80"), ("CA2", "0")):
            caller, heard = await house.call(call_id, STRANGER)
            for key in keys:
                assert "Record" not in heard.verbs
                heard = await caller.press(heard, key)
            await agent.offer(call_id)
            whisper = await agent.answer()
            assert telephony.recorded == [], (
                "nothing is recorded in the menu, in the queue, or while it rings"
            )
            await agent.join(whisper)
            await caller.connect(agent.offer_id)
            assert await house.hotline.state_of(call_id) == "connected"
            await house.dispatcher.tick()
            await house.dispatcher.settle()
            assert [leg for leg, _ in telephony.recorded] == [leg for leg in (call_id,) if leg == "CA2"]
            await house.hotline.switchboard.end_call(call_id=call_id, by="caller")
            await house.hotline.switchboard.close_wrap_up(agent_id="wang")
