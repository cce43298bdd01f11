"""Callers who would rather be called back: they take the offer by ear, hang up, and are there when we ring, or not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from ivr.standin.inbox import Target
from ivr.standin.people import People
from ivr.standin.scenario import read_scenario
from tests.standin.people_hotline import CALLER, ENQUEUE, HOTLINE, Hotline, open_hotline

OFFER = "您也可以按1，挂机等候，我们会按您现在的位置给您回电。"
IN_ENGLISH = "Or press 1 and hang up: you keep your place, and we will call you back when it is your turn."
PROMISE = '<Say language="zh-CN">好的，请保持电话畅通。再见。</Say><Hangup/>'
RING = '<Gather numDigits="1" timeout="5" action="/join"><Say>座席已在线上。接听请按1。</Say></Gather>'
CONNECT = '<Dial timeout="20"><Client>agent01</Client></Dial>'


def offering(text: str) -> str:
    asked = f'<Gather numDigits="1" timeout="1" action="/asked"><Say>{text}</Say><Pause length="8"/></Gather>'
    return f"{asked}<Redirect>/wait</Redirect>"


@pytest.fixture
async def hotline() -> AsyncIterator[Hotline]:
    async with open_hotline() as hotline:
        hotline.documents |= {"/menu": ENQUEUE, "/wait": offering(OFFER), "/asked": PROMISE}
        hotline.documents |= {"/ring": RING, "/join": CONNECT}
        yield hotline


@pytest.mark.parametrize("text", [OFFER, IN_ENGLISH])
async def test_takes_the_offer_by_ear(hotline: Hotline, text: str) -> None:
    hotline.documents["/wait"] = offering(text)
    account = await hotline.call(keys=["2"], takes_callback=True, patience_ms=60_000)
    assert (account.outcome, account.hung_up, hotline.digits()) == ("callback", False, ["2", "1"])


async def test_is_rung_in_vain_as_often_as_is_his_habit_and_then_reached(hotline: Hotline) -> None:
    calling = {
        "from": CALLER, "to": HOTLINE, "keys": ["2"], "takes_callback": True, "talk_ms": 5_000,
        "when_called_back": ["unanswered", "busy", "mailbox"],
    }  # fmt: skip
    agents = [{"name": "agent01", "password": "", "identity": "agent01"}]
    house = People(hotline.exchange, hotline.clock, read_scenario({"calls": [calling], "agents": agents}))
    life = asyncio.create_task(house.run())
    try:
        async with asyncio.timeout(60):
            while not house.called_back:
                await asyncio.sleep(0.02)
            statuses = [await ring(hotline) for _ in range(4)]
        assert statuses == ["no-answer", "busy", "completed", "completed"]
        tally = house.tally()
        assert {name: tally[name] for name in ("callback", "called_back", "callbacks_missed")} == {
            "callback": 1, "called_back": 1, "callbacks_missed": 3,
        }  # fmt: skip
        assert tally["agents"]["connected"] == 1
        assert hotline.exchange.registrations.at(CALLER) == ()
    finally:
        life.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await life


async def ring(hotline: Hotline) -> str:
    """The hotline rings him; how his leg ended."""
    exchange = hotline.exchange
    call = exchange.new_call(HOTLINE, CALLER, "outbound-api")
    call.timeout_s = 20
    exchange.place(call, Target(exchange.numbers[HOTLINE].voice_url.replace("/voice", "/ring")))
    while not call.is_over:
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.05)
    return call.status
