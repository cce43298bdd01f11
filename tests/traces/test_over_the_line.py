"""The same calls through a telephone company that carries our documents out: ours, the stand-in, over HTTP.

The webhooks are really signed and the requests really go through the provider's library. Only the dispatcher
is missing: each story does what it would.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from config.clock import Clock
from config.links import Links
from config.runtime import Runtime
from config.telephony import TwilioTelephony
from ivr.standin.app import build
from ivr.standin.exchange import Exchange
from ivr.standin.handsets import Handset
from ivr.standin.options import Line, Options
from tests.doubles import MONDAY_0900_MS
from tests.standin.conftest import kinds, until
from tests.standin.customer import Served
from tests.traces.hotline import CALLER, HOTLINE, Hotline

SPEED = 60


@dataclass
class Town:
    """The hotline and the telephone company, both serving."""

    hotline: Hotline
    exchange: Exchange

    async def state(self, call_id: str, wanted: str) -> None:
        """Wait until the call is in this state."""
        async with asyncio.timeout(30):
            while await self.hotline.state_of(call_id) != wanted:
                await asyncio.sleep(0.01)

    async def ring(self, agent_id: str, call_id: str) -> str:
        """Claim the call for an agent and ring him, as the dispatcher does."""
        agent = await self.hotline.agent(agent_id)
        switchboard, links = self.hotline.switchboard, self.hotline.runtime.links
        turn = (await switchboard.snapshot()).turn
        claim = await switchboard.claim_offer(call_id=call_id, agent_id=agent_id, turn=turn, why={})
        assert claim.offer_id
        leg_id = await self.hotline.runtime.telephony.place(
            to=agent.endpoint,
            from_=HOTLINE,
            url=links.url("voice_agent", offer_id=claim.offer_id),
            status_url=links.url("voice_agent_status", offer_id=claim.offer_id),
            timeout_s=15,
        )
        await switchboard.ring_offer(offer_id=claim.offer_id, leg_id=leg_id)
        return claim.offer_id

    async def pull(self, call_id: str, offer_id: str) -> None:
        url = self.hotline.runtime.links.url("voice_connect", offer_id=offer_id)
        await self.hotline.runtime.telephony.pull("power", call_id, url)


def standin(url: str, runtime: Runtime, clock: Clock) -> Exchange:
    line = Line(f"{url}/voice/incoming", "POST", "", "POST", f"{url}/voice/status")
    settings = runtime.settings
    options = Options(
        settings.twilio_account_sid, settings.twilio_auth_token, clock=clock, numbers={HOTLINE: line}
    )
    return Exchange(options)


@pytest.fixture
def hour() -> int:
    """The hour in Shanghai at which the story begins."""
    return 9


@pytest.fixture
async def town(runtime: Runtime, hour: int) -> AsyncIterator[Town]:
    clock = Clock.starting_at(MONDAY_0900_MS + (hour - 9) * 3_600_000, SPEED)
    front: list[Any] = []

    async def door(scope: Any, receive: Any, send: Any) -> None:
        await front[0](scope, receive, send)

    house = Served(door)
    exchange = standin(house.url, runtime, clock)
    company = Served(build(exchange))
    exchange.base_url = company.url
    settings = replace(runtime.settings, public_base_url=house.url, twilio_base_url=company.url)
    telephony = TwilioTelephony(settings)
    links = Links(settings.public_base_url)
    hotline = Hotline.of(replace(runtime, settings=settings, clock=clock, telephony=telephony, links=links))
    front.append(hotline.app)
    await house.start()
    await company.start()
    yield Town(hotline, exchange)
    await company.stop()
    await house.stop()
    await telephony.close()
    await hotline.client.aclose()
    assert exchange.notifications.codes() == []


async def dial(town: Town, keys: str) -> Handset:
    caller = town.exchange.dial(CALLER, HOTLINE)
    for key in keys:
        await until(caller, "gathering")
        caller.press(key)
    return caller


async def test_a_call_is_answered_and_the_caller_hangs_up(town: Town) -> None:
    phone = town.exchange.register("wang")
    caller = await dial(town, "0")
    await until(caller, "queued")
    offer_id = await town.ring("wang", caller.sid)
    agent = await anext(aiter(phone))
    agent.answer()
    await town.state(caller.sid, "connecting")
    await town.pull(caller.sid, offer_id)
    await until(caller, "bridged")
    await until(agent, "bridged")
    await town.state(caller.sid, "connected")
    caller.hang_up()
    await town.state(caller.sid, "ended answered")
    async with asyncio.timeout(30):
        await agent.ended()
    assert "居民客户，咨询，已等候" in " ".join(heard.text for heard in agent.heard)


async def test_the_agent_hangs_up_and_the_caller_hears_goodbye(town: Town) -> None:
    phone = town.exchange.register("wang")
    caller = await dial(town, "2")
    await until(caller, "queued")
    offer_id = await town.ring("wang", caller.sid)
    agent = await anext(aiter(phone))
    agent.answer()
    await town.state(caller.sid, "connecting")
    await town.pull(caller.sid, offer_id)
    await until(caller, "bridged")
    agent.hang_up()
    await until(caller, "said", "感谢您的来电")
    async with asyncio.timeout(30):
        await caller.ended()
    await town.state(caller.sid, "ended answered")


async def test_an_agent_who_declines_leaves_the_caller_in_his_place(town: Town) -> None:
    phone = town.exchange.register("wang")
    caller = await dial(town, "2")
    await until(caller, "queued")
    before = await town.hotline.switchboard.read_call(call_id=caller.sid)
    await town.ring("wang", caller.sid)
    agent = await anext(aiter(phone))
    agent.decline()
    await town.state(caller.sid, "queued")
    after = await town.hotline.switchboard.read_call(call_id=caller.sid)
    assert before is not None
    assert after is not None
    assert after.queued_ms == before.queued_ms is not None, "the place is kept"
    caller.hang_up()
    await town.state(caller.sid, "ended abandoned")


async def test_silence_leads_to_the_queue_and_the_wait_goes_on(town: Town) -> None:
    caller = await dial(town, "")
    await until(caller, "queued")
    await until(caller, "said", "您是下一位")
    # Three questions of the menu; with the last word he may hear that he can be called back.
    assert kinds(caller).count("gathering") in (3, 4)
    caller.hang_up()
    await town.state(caller.sid, "ended abandoned")


@pytest.mark.parametrize("hour", [18])
async def test_in_the_evening_a_message_is_left(town: Town) -> None:
    caller = await dial(town, "3")
    await until(caller, "beep")
    caller.speak("我要办理新装")
    caller.press("#")
    await until(caller, "said", "您的留言已收到")
    await town.state(caller.sid, "ended voicemail")


async def talking(town: Town, agent_id: str, call_id: str, phone: Any) -> tuple[str, Handset]:
    """Rung, accepted and pulled; the agent's handset."""
    offer_id = await town.ring(agent_id, call_id)
    agent = await anext(phone)
    agent.answer()
    await town.state(call_id, "connecting")
    await town.pull(call_id, offer_id)
    await town.state(call_id, "connected")
    await until(agent, "bridged")
    return offer_id, agent


async def test_who_is_put_through_talks_to_the_second_agent_in_a_room_of_their_own(town: Town) -> None:
    board = town.hotline.switchboard
    first_phone, second_phone = aiter(town.exchange.register("wang")), aiter(town.exchange.register("li"))
    caller = await dial(town, "0")
    await until(caller, "queued")
    first_offer, first = await talking(town, "wang", caller.sid, first_phone)
    await board.transfer_call(call_id=caller.sid, agent_id="wang", queue="outage")
    (leg_id, _), telephony = await board.leg_of_offer(offer_id=first_offer), town.hotline.runtime.telephony
    await telephony.hang_up(leg_id)
    await telephony.hang_up(leg_id)  # its performer died before he could say so
    await first.ended()
    await until(caller, "said", "正在为您转接")
    async with asyncio.timeout(30):
        while kinds(caller).count("queued") < 2:
            await asyncio.sleep(0.01)
    _, second = await talking(town, "li", caller.sid, second_phone)
    caller.hang_up()
    await second.ended()
    await town.state(caller.sid, "ended answered")


async def test_a_held_caller_is_handed_to_the_colleague_who_was_asked(town: Town) -> None:
    board, telephony = town.hotline.switchboard, town.hotline.runtime.telephony
    links = town.hotline.runtime.links
    first_phone, second_phone = aiter(town.exchange.register("wang")), aiter(town.exchange.register("li"))
    caller = await dial(town, "0")
    await until(caller, "queued")
    room, first = await talking(town, "wang", caller.sid, first_phone)
    await town.hotline.agent("li")
    assert (await board.consult_agent(call_id=caller.sid, agent_id="wang", colleague="li")).is_ok
    await telephony.hold(room, caller.sid, True, links.url("voice_held"))
    await until(caller, "held")
    offer_id = f"{caller.sid}-2"
    leg_id = await telephony.place(
        to="client:li",
        from_=HOTLINE,
        url=links.url("voice_agent", offer_id=offer_id),
        status_url=links.url("voice_agent_status", offer_id=offer_id),
        timeout_s=15,
    )
    await board.ring_offer(offer_id=offer_id, leg_id=leg_id)
    second = await anext(second_phone)
    second.answer()
    await until(second, "bridged")
    assert (await board.hand_over_call(call_id=caller.sid, agent_id="wang")).is_ok
    (first_leg, _) = await board.leg_of_offer(offer_id=room)
    await telephony.hang_up(first_leg)
    await first.ended()
    await town.state(caller.sid, "connected")
    async with asyncio.timeout(30):
        while kinds(second).count("bridged") < 2 or kinds(caller).count("bridged") < 2:
            await asyncio.sleep(0.01)
    caller.hang_up()
    async with asyncio.timeout(30):
        await second.ended()
    await town.state(caller.sid, "ended answered")
    names = [room.friendly_name for room in town.exchange.conferences.by_sid.values()]
    assert names == [f"{caller.sid}-1", f"{caller.sid}-2"]
