"""Simulated callers on the real exchange: they do what they hear, and tell the truth about it afterwards."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ivr.standin.callers import offers, spoken_ms
from tests.standin.people_hotline import ENQUEUE, MENU, Hotline, open_hotline


@pytest.fixture
async def hotline() -> AsyncIterator[Hotline]:
    async with open_hotline() as hotline:
        yield hotline


async def test_presses_the_key_he_hears_offered_and_gives_up_waiting_when_his_patience_ends(
    hotline: Hotline,
) -> None:
    account = await hotline.call(keys=["1"], patience_ms=20_000)
    assert hotline.digits() == ["1"]
    assert (account.outcome, account.hung_up, account.keys_pressed) == ("abandoned", True, 1)
    assert 19_000 < (account.waited_ms or 0) < 40_000
    assert await hotline.is_told("/left", "QueueResult", "hangup")


async def test_a_question_asked_again_is_answered_as_before(hotline: Hotline) -> None:
    second = '<Gather numDigits="1" action="/third"><Say>有危险请按1；一般停电请按2。</Say></Gather>'
    answers = iter(["<Redirect>/voice</Redirect>", second])
    hotline.documents["/menu"] = lambda _: next(answers)
    hotline.documents["/third"] = ENQUEUE
    account = await hotline.call(keys=["1", "2"], patience_ms=1_000)
    assert hotline.digits() == ["1", "1", "2"]
    assert account.outcome == "abandoned"


async def test_refuses_recording_with_the_key_that_the_notice_names(hotline: Hotline) -> None:
    question = MENU.replace("如不同意录音，请按8。", "")
    hotline.documents["/menu"] = lambda form: question if form["Digits"] == "8" else ENQUEUE
    account = await hotline.call(keys=["0"], refuses_recording=True, patience_ms=1_000)
    assert hotline.digits() == ["8", "0"]
    assert (account.refused_recording, account.outcome) == (True, "abandoned")


async def test_presses_nothing_while_waiting_in_the_queue(hotline: Hotline) -> None:
    hotline.documents["/wait"] = (
        '<Gather numDigits="1" action="/callback"><Say>需要回电请按1。</Say></Gather>'
    )
    account = await hotline.call(keys=["2", "1"], patience_ms=60_000)
    assert hotline.digits() == ["2"]
    assert account.outcome == "abandoned"


async def test_leaves_in_the_menu_without_a_key(hotline: Hotline) -> None:
    account = await hotline.call(menu_ms=5_000)
    assert (account.outcome, account.queued_ms, hotline.digits()) == ("left_in_menu", None, [])


async def test_speaks_after_the_beep_and_hangs_up(hotline: Hotline) -> None:
    hotline.documents["/menu"] = (
        '<Say>现在是非工作时间，请留言。</Say><Record action="/message" maxLength="60"/>'
    )
    hotline.documents["/message"] = "<Say>再见。</Say>"
    account = await hotline.call(keys=["0"], message="请给我回电。", message_ms=4_000)
    assert (account.outcome, account.has_left_message, account.hung_up) == ("voicemail", True, True)
    assert await hotline.is_told("/message", "Digits", "hangup")


async def test_hangs_up_at_the_beep_when_he_has_nothing_to_say(hotline: Hotline) -> None:
    hotline.documents["/menu"] = '<Record action="/message"/>'
    account = await hotline.call(keys=["0"])
    assert (account.outcome, account.has_left_message) == ("left_in_menu", False)


async def test_talks_as_long_as_he_planned(hotline: Hotline) -> None:
    phone = hotline.exchange.register("agent01")
    hotline.documents["/menu"] = "<Dial><Client>agent01</Client></Dial>"
    calling = asyncio.create_task(hotline.call(keys=["0"], talk_ms=30_000))
    handset = await anext(aiter(phone))
    handset.answer()
    account = await calling
    assert (account.outcome, account.hung_up) == ("answered", True)
    assert 29_000 < (account.ended_ms or 0) - (account.answered_ms or 0) < 50_000


async def test_listens_to_the_rest_when_the_agent_hangs_up(hotline: Hotline) -> None:
    phone = hotline.exchange.register("agent01")
    hotline.documents["/menu"] = "<Dial><Client>agent01</Client></Dial><Say>感谢您的来电，再见。</Say>"
    calling = asyncio.create_task(hotline.call(keys=["0"], ends_talk=False))
    handset = await anext(aiter(phone))
    handset.answer()
    async for heard in handset.events():
        if heard.kind == "bridged":
            handset.hang_up()
    account = await calling
    assert (account.outcome, account.hung_up) == ("answered", False)


async def test_a_hotline_that_fails_is_noted(hotline: Hotline) -> None:
    del hotline.documents["/menu"]
    account = await hotline.call(keys=["0"])
    assert (account.outcome, account.application_errors) == ("application_error", 1)


async def test_a_number_nobody_owns_never_arrives(hotline: Hotline) -> None:
    account = await hotline.call(to="+861")
    assert (account.outcome, account.arrived_ms, account.end) == ("not_arrived", None, "failed")


@pytest.mark.parametrize(
    ("text", "key", "is_offered"),
    [
        ("人工服务请按0；重听请按星号键。", "*", True),
        ("To hear this again, press star.", "*", True),
        ("电费请按10。", "1", False),
        ("For an agent, press 0.", "0", True),
        ("请稍候。", "", False),
    ],
)
def test_offers(text: str, key: str, is_offered: bool) -> None:
    assert offers(text, key) is is_offered


def test_chinese_takes_longer_to_say() -> None:
    assert spoken_ms("您好") == 400
    assert spoken_ms("hi") == 120
