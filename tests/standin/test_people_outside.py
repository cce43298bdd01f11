"""People whom the hotline dials outside, callers who speak, and messages that end with a key."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from ivr.standin.outsiders import be_reachable
from ivr.standin.scenario import Outsider
from tests.standin.people_hotline import Hotline, open_hotline

MAKER = "+8657188886666"
TRANSFER = f'<Dial timeout="30" action="/back"><Number>{MAKER}</Number></Dial>'


@pytest.fixture
async def hotline() -> AsyncIterator[Hotline]:
    async with open_hotline() as hotline:
        hotline.documents["/menu"] = TRANSFER
        hotline.documents["/back"] = "<Say>再见。</Say>"
        yield hotline


async def live_outside(hotline: Hotline, **habits: object) -> asyncio.Task[None]:
    outsider = Outsider.model_validate({"number": MAKER, "talk_ms": 10_000, **habits})
    rng = random.Random(1)
    reachable = be_reachable(outsider, hotline.exchange.register, hotline.clock, rng)
    task = asyncio.create_task(reachable)
    await asyncio.sleep(0)
    return task


async def test_a_transferred_number_is_answered_and_talks(hotline: Hotline) -> None:
    outside = await live_outside(hotline, answer_share=1.0)
    account = await hotline.call(keys=["1"], talk_ms=600_000, ends_talk=False)
    outside.cancel()
    assert (account.outcome, account.hung_up) == ("answered", False)
    assert await hotline.is_told("/back", "DialCallStatus", "completed")


async def test_a_transferred_number_may_ring_in_vain(hotline: Hotline) -> None:
    outside = await live_outside(hotline, answer_share=0.0)
    account = await hotline.call(keys=["1"])
    outside.cancel()
    assert (account.outcome, account.answered_ms) == ("goodbye", None)
    assert await hotline.is_told("/back", "DialCallStatus", "no-answer")


async def test_says_what_he_wants_where_speech_is_understood(hotline: Hotline) -> None:
    hotline.documents["/voice"] = (
        '<Gather input="dtmf speech" timeout="6" speechTimeout="1" action="/heard"><Say>请说。</Say></Gather>'
    )
    hotline.documents["/heard"] = "<Hangup/>"
    account = await hotline.call(keys=["电费"])
    assert (account.outcome, account.keys_pressed) == ("goodbye", 0)
    assert await hotline.is_told("/heard", "SpeechResult", "电费")


async def test_enters_a_number_and_the_key_that_ends_it(hotline: Hotline) -> None:
    hotline.documents["/voice"] = (
        '<Gather timeout="6" finishOnKey="#" action="/account"><Say>请输入户号。</Say></Gather>'
    )
    hotline.documents["/account"] = "<Hangup/>"
    account = await hotline.call(keys=["00330001#"])
    assert (hotline.digits(), account.keys_pressed) == (["00330001"], 9)
    assert await hotline.is_told("/account", "FinishedOnKey", "#")


async def test_ends_his_message_with_the_key_he_was_told_and_listens_on(hotline: Hotline) -> None:
    hotline.documents["/menu"] = (
        '<Say>请在提示音后说明举报内容，说完请按井号键。</Say><Record action="/message" finishOnKey="#"/>'
    )
    hotline.documents["/message"] = "<Say>您的受理编号是1。</Say><Hangup/>"
    account = await hotline.call(keys=["0"], message="情况是这样的。", message_ms=4_000)
    assert (account.outcome, account.has_left_message, account.hung_up) == ("voicemail", True, False)
    assert await hotline.is_told("/message", "Digits", "#")


async def test_who_means_to_say_nothing_answers_the_next_question(hotline: Hotline) -> None:
    first = (
        '<Gather numDigits="1" timeout="2" action="/main" actionOnEmptyResult="true">'
        "<Say>漏气请按1。</Say></Gather>"
    )
    main = (
        '<Gather input="dtmf speech" timeout="6" speechTimeout="1" numDigits="1" action="/chosen">'
        "<Say>报修请按2；投诉请按7。</Say><Say>For English, press 9.</Say></Gather>"
    )
    hotline.documents |= {"/voice": first, "/main": main, "/chosen": "<Hangup/>"}
    assert (await hotline.call(keys=["", "7"])).keys_pressed == 1
    assert hotline.digits() == ["", "7"]
    await hotline.call(keys=["", "投诉"])
    assert await hotline.is_told("/chosen", "SpeechResult", "投诉")
