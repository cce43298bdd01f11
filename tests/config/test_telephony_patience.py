"""Time limits that hold, and repeats only where the provider cannot have acted: tried, not believed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from config.settings import Settings
from config.telephony import ATTEMPTS_MAX, ProviderError, ProviderUnreachable, TwilioTelephony
from tests.config.provider import Provider, listed, refused, said, serving

LEG = "CA00000000000000000000000000000001"
ANSWER = {
    "sid": LEG,
    "status": "queued",
    "direction": "outbound-api",
    "to": "client:wang",
    "from": "+8657195598000",
}
FETCH = f"GET /Calls/{LEG}.json"
PLACE = "POST /Calls.json"


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with serving(Provider()) as provider:
        yield provider


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
async def telephony(
    settings: Settings, provider: Provider, waits: list[float]
) -> AsyncIterator[TwilioTelephony]:
    def jitter() -> float:
        waits.append(0.0)
        return 0.0

    there = replace(settings, twilio_base_url=provider.base_url)
    telephony = TwilioTelephony(there, limit_s=0.2, jitter=jitter)
    yield telephony
    await telephony.close()


async def place(telephony: TwilioTelephony) -> str:
    return await telephony.place(
        to="client:wang", from_="+8657195598000", url="https://x", status_url="https://x", timeout_s=15
    )


@pytest.mark.parametrize("status", [429, 503])
async def test_what_was_never_begun_is_asked_again_with_pauses_drawn_by_chance(
    telephony: TwilioTelephony, provider: Provider, waits: list[float], status: int
):
    provider.answer(PLACE, refused(status), refused(status), said(201, **ANSWER))
    assert await place(telephony) == LEG
    assert provider.lines == [PLACE] * 3
    assert len(waits) == 2


async def test_patience_ends(telephony: TwilioTelephony, provider: Provider):
    provider.answer(PLACE, *(refused(429, 20429) for _ in range(ATTEMPTS_MAX + 3)))
    with pytest.raises(ProviderError) as told:
        await place(telephony)
    assert (told.value.status, told.value.code) == (429, 20429)
    assert provider.lines == [PLACE] * ATTEMPTS_MAX


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_a_call_that_may_have_been_placed_is_not_placed_again(
    telephony: TwilioTelephony, provider: Provider, status: int
):
    provider.answer(PLACE, refused(status), said(201, **ANSWER))
    with pytest.raises(ProviderError) as told:
        await place(telephony)
    assert told.value.status == status
    assert provider.lines == [PLACE]


async def test_reading_again_after_a_fault_does_no_harm(telephony: TwilioTelephony, provider: Provider):
    provider.answer(FETCH, refused(500), refused(502), said(200, **ANSWER))
    facts = await telephony.leg(LEG)
    assert facts is not None
    assert facts.leg_id == LEG
    assert provider.lines == [FETCH] * 3


@pytest.mark.parametrize("line", [PLACE, FETCH])
async def test_silence_ends_at_the_limit_and_is_not_asked_again(
    telephony: TwilioTelephony, provider: Provider, line: str
):
    provider.answer(line, 3.0, 3.0)
    async with asyncio.timeout(2.5):
        with pytest.raises(ProviderUnreachable, match="TimeoutError"):
            await (place(telephony) if line == PLACE else telephony.leg(LEG))
    assert provider.lines == [line]


async def test_one_telephony_serves_one_loop_after_another(settings: Settings, provider: Provider):
    """A worker builds its runtime before its loop runs; the session must not be older than the loop."""
    telephony = TwilioTelephony(replace(settings, twilio_base_url=provider.base_url))
    provider.answer(FETCH, said(200, **ANSWER), said(200, **ANSWER))
    assert await telephony.leg(LEG) is not None

    def elsewhere() -> bool:
        async def ask() -> bool:
            facts = await telephony.leg(LEG)
            await telephony.close()
            return facts is not None

        return asyncio.run(ask())

    first = telephony._http._session
    assert await asyncio.to_thread(elsewhere)
    assert first is not None
    await first.close()


async def test_why_the_sdks_own_client_will_not_do(provider: Provider):
    """Built with a limit of 0.1 s it waits as long as the provider likes. When this fails, look again."""
    client = Client(
        "AC00000000000000000000000000000001",
        "token",
        http_client=(http := AsyncTwilioHttpClient(timeout=0.1)),
    )
    client.api.base_url = provider.base_url
    provider.answer(FETCH, 0.4)
    with pytest.warns(DeprecationWarning, match="auth"), pytest.raises(TwilioRestException) as told:
        await client.calls(LEG).fetch_async()
    assert told.value.status == 500  # it heard the answer, four limits later
    await http.close()


async def test_an_empty_list_is_an_answer(telephony: TwilioTelephony, provider: Provider):
    provider.answer("GET /Calls.json", listed("calls"))
    assert await telephony.legs(to="client:wang") == ()
