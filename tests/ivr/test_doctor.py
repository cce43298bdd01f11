"""The operator asks the doctor: what is wrong, in words that say what to do."""

from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import urlsplit

import httpx2
import pytest
from twilio.request_validator import RequestValidator

from config import migrations
from config.links import Links
from config.runtime import Runtime
from config.telephony import TwilioTelephony
from config.web import refusals
from ivr.app import build
from ivr.doctor import Finding, findings, instructions, told_of_texts
from queues.domain.widening import CallbackTerms
from queues.service.plans import plan_of

TOKEN = "t" * 32
FORM = {"CallSid": "CA1", "From": "+8613900139000", "To": "", "CallStatus": "ringing"}


@pytest.fixture
async def house(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Runtime]:
    monkeypatch.setattr(refusals, "_last_ms", 0)
    settings = replace(
        runtime.settings,
        public_base_url="http://hotline.example:8300",
        twilio_auth_token=TOKEN,
        environment="production",
    )
    telephony = TwilioTelephony(settings)
    yield replace(runtime, settings=settings, telephony=telephony, links=Links(settings.public_base_url))
    await telephony.close()


async def refuse(house: Runtime, signed_url: str, *, token: str = TOKEN) -> int:
    """A webhook that the provider signed for `signed_url` and a proxy brought to us."""
    headers = {
        "X-Twilio-Signature": RequestValidator(token).compute_signature(signed_url, FORM),
        "Host": urlsplit(signed_url).netloc,
    }
    transport = httpx2.ASGITransport(app=build(house))
    async with httpx2.AsyncClient(transport=transport, base_url=house.settings.public_base_url) as client:
        return (await client.post("/voice/incoming", data=FORM, headers=headers)).status_code


async def said(house: Runtime) -> list[Finding]:
    return [finding async for finding in findings(house)]


async def test_texts_and_quiet_hours_that_are_not_set_are_told(house: Runtime) -> None:
    texts = "TEXTS_FROM is not set: nobody gets a text when his account manager changes"
    assert [each.is_well for each in await said(house) if each.words.startswith(texts)] == [None]
    able = replace(house, settings=replace(house.settings, texts_from="+8657100000000"))
    assert not [each for each in await said(able) if "TEXTS_FROM" in each.words or "window" in each.words]
    plan = plan_of(able)
    assert plan.appointing
    always = plan.model_copy(
        update={
            "appointing": plan.appointing.model_copy(update={"window": None}),
            "callback": CallbackTerms(),
        }
    )
    told = told_of_texts(always, able.settings)
    assert [words.partition(":")[0] for words in told] == [
        "customers.yaml, appointment",
        "site.yaml, callback",
    ]


@pytest.mark.parametrize(
    ("signed_url", "advice"),
    [
        ("https://hotline.example/voice/incoming", "set PUBLIC_BASE_URL=https://hotline.example"),
        ("https://other.example/voice/incoming", "set PUBLIC_BASE_URL=https://other.example"),
        (
            "http://hotline.example:8300/voice/incoming/",
            "the path was signed as /voice/incoming/: give the provider exactly /voice/incoming",
        ),
    ],
)
async def test_which_address_was_signed_and_what_to_do(house: Runtime, signed_url: str, advice: str) -> None:
    assert await refuse(house, signed_url) == 403
    words = [finding.words for finding in await said(house)]
    assert "  we expected the signature of http://hotline.example:8300/voice/incoming" in words
    assert f"  what was signed: {signed_url}" in words
    assert f"  what to do: {advice}" in words


async def test_a_wrong_token_is_guessed_and_no_field_is_kept(house: Runtime) -> None:
    assert await refuse(house, "http://hotline.example:8300/voice/incoming", token="wrong") == 403
    words = [finding.words for finding in await said(house)]
    assert "  what was signed: no address that we can think of" in words
    assert "TWILIO_AUTH_TOKEN" in next(text for text in words if "what to do" in text)
    kept = str(await house.redis.get(refusals.key(house.settings.site)))
    assert "CA1" not in kept
    assert "139" not in kept


async def test_what_is_missing_is_a_fault_with_its_variable(house: Runtime) -> None:
    faults = [finding.words for finding in await said(house) if finding.is_well is False]
    assert "PUBLIC_BASE_URL http://hotline.example:8300 is not https" in faults
    assert any("cannot be reached from here" in fault for fault in faults), (
        "nobody lives at the provider's address"
    )


async def test_a_misspelt_line_is_a_fault(house: Runtime) -> None:
    house.settings = replace(house.settings, hotline_numbers={"mian": "+15550100001"})
    faults = [finding.words for finding in await said(house) if finding.is_well is False]
    assert "HOTLINE_NUMBERS: there is no line 'mian' in this site; there are main, key_line" in faults


async def test_the_addresses_to_type_in(house: Runtime) -> None:
    text = instructions(house)
    for address in ("/voice/incoming", "/voice/status"):
        assert f"http://hotline.example:8300{address}   HTTP POST" in text
    assert text.count("<Redirect") == 1


def test_a_database_of_today(house: Runtime) -> None:
    assert migrations.current_revision(house.settings) == migrations.newest_revision()
