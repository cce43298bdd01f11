"""How the customer is asked: signatures, headers, limits, retries, redirects, fallback, hosted documents."""

import asyncio
import socket

import pytest
from starlette.responses import RedirectResponse, Response

from ivr.standin.exchange import Exchange
from ivr.standin.options import Line
from ivr.standin.signatures import sign, signed_url
from ivr.standin.webhooks import Overrides, overrides_of
from tests.standin.conftest import ALICE, HOTLINE, over, until
from tests.standin.customer import Customer, eventually

FORM = {"CallSid": "CA1234567890ABCDE", "Digits": "1234", "To": "+18005551212"}


@pytest.mark.parametrize(
    ("url", "number", "signature"),
    [
        ("https://example.com/myapp.php?foo=1&bar=2", "+14158675310", "L/OH5YylLD5NRKLltdqwSvS0BnU="),
        ("https://mycompany.com/myapp.php?foo=1&bar=2", "+12349013030", "0/KCTR6DLpKmkAf8muzZqo1nDgQ="),
    ],
)
def test_signature_vectors(url: str, number: str, signature: str) -> None:
    assert sign("12345", url, {**FORM, "Caller": number, "From": number}) == signature


def test_signature_of_an_address_alone() -> None:
    digest = "5ccde7145dfb8f56479710896586cb9d5911809d83afbe34627818790db0aec9"
    assert (
        sign("12345", f"https://example.com/myapp?bodySHA256={digest}", {}) == "hPXmLwIy3Fgqv1i9KPmH/HhQ6zo="
    )


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        ("https://user:pw@example.com:8443/a?b=#rc=2", "https://example.com/a?b="),
        ("http://example.com:8080/a?b=%20c#x", "http://example.com:8080/a?b=%20c"),
    ],
)
def test_what_of_an_address_is_signed(url: str, signed: str) -> None:
    assert signed_url(url) == signed


def test_connection_settings_in_the_fragment() -> None:
    assert overrides_of("http://a/b") == Overrides()
    assert overrides_of("http://a/b#rc=2&rp=5xx,rt&ct=99&rt=200&tt=15001") == Overrides(
        retries=2, policies=frozenset({"5xx", "rt"}), read_s=0.2
    )


async def test_headers_cookies_and_blanks(customer: Customer, exchange: Exchange) -> None:
    first = Response("<Response><Redirect>/next</Redirect></Response>", media_type="text/xml")
    first.set_cookie("place", "3")
    customer.says("/voice", first)
    await over(exchange.dial(ALICE, HOTLINE))
    voice, following = customer.asked[0], customer.asked[1]
    assert voice.headers["user-agent"] == "TwilioProxy/1.1"
    assert {"x-home-region", "i-twilio-idempotency-token", "x-twilio-signature"} <= voice.headers.keys()
    assert ("cookie" in voice.headers, following.headers["cookie"]) == (False, "place=3")
    assert (voice.form["CallerZip"], voice.form["Called"]) == ("", HOTLINE)
    tokens = {asked.headers["i-twilio-idempotency-token"] for asked in (voice, following)}
    assert len(tokens) == 2


async def test_a_redirect_loses_the_parameters(customer: Customer, exchange: Exchange) -> None:
    customer.says("/voice", '<Gather action="/keys" numDigits="1"/>')
    customer.says("/keys", RedirectResponse("/keys/", 302))
    customer.says("/keys/", "<Say>which key?</Say>")
    caller = exchange.dial(ALICE, HOTLINE)
    await until(caller, "gathering")
    caller.press("1")
    assert await over(caller) == ["which key?"]
    [asked] = [asked for asked in customer.asked if asked.path == "/keys/"]
    assert (asked.method, asked.form) == ("GET", {})


async def test_redirects_without_end(customer: Customer, exchange: Exchange) -> None:
    customer.says("/voice", RedirectResponse("/voice", 307))
    await over(exchange.dial(ALICE, HOTLINE))
    assert exchange.notifications.codes() == [11215]
    assert len(customer.to("/voice")) == 11


async def test_only_what_the_policy_names_is_tried_again(customer: Customer, exchange: Exchange) -> None:
    exchange.numbers[HOTLINE] = Line(f"{customer.url}/voice")
    customer.says("/voice", Response(status_code=500))
    await over(exchange.dial(ALICE, HOTLINE))
    assert len(customer.to("/voice")) == 1
    exchange.numbers[HOTLINE] = Line(f"{customer.url}/voice#rc=2&rp=5xx")
    await over(exchange.dial(ALICE, HOTLINE))
    tries = [asked.headers["i-twilio-idempotency-token"] for asked in customer.asked[1:]]
    assert (len(tries), len(set(tries))) == (3, 1)
    assert exchange.notifications.codes() == [11200, 11200]


async def test_an_answer_that_comes_too_late_is_none(customer: Customer, exchange: Exchange) -> None:
    silent = await asyncio.start_server(keep_silent, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    exchange.numbers[HOTLINE] = Line(f"http://127.0.0.1:{port}/voice#tt=100")
    await over(exchange.dial(ALICE, HOTLINE))
    silent.close()
    assert exchange.notifications.codes() == [11200]


async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Listen to the end and say nothing."""
    while await reader.read(1024):
        pass
    writer.close()


def refusing_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_the_fallback_is_asked_once_and_told_why(customer: Customer, exchange: Exchange) -> None:
    dead = f"http://127.0.0.1:{refusing_port()}/voice"
    exchange.numbers[HOTLINE] = Line(dead, "POST", f"{customer.url}/fallback", "POST")
    customer.says("/fallback", "<Say>one moment</Say>")
    assert await over(exchange.dial(ALICE, HOTLINE)) == ["one moment"]
    [form] = customer.to("/fallback")
    assert (form["ErrorCode"], form["ErrorUrl"], form["CallStatus"]) == ("11205", dead, "ringing")
    assert (exchange.notifications.codes(), exchange.application_errors) == ([11205], 0)
    exchange.faults.update({"error_params_on_fallback": False})
    await over(exchange.dial(ALICE, HOTLINE))
    assert "ErrorCode" not in customer.to("/fallback")[1]


async def test_when_the_fallback_fails_too_the_call_is_lost(customer: Customer, exchange: Exchange) -> None:
    exchange.numbers[HOTLINE] = Line(f"{customer.url}/voice", "POST", f"{customer.url}/fallback")
    customer.says("/voice", Response(status_code=500))
    customer.says("/fallback", Response(status_code=500))
    said = await over(exchange.dial(ALICE, HOTLINE))
    assert (len(customer.to("/voice")), len(customer.to("/fallback"))) == (1, 1)
    assert (said[-1], exchange.application_errors) == (
        "We are sorry. An application error has occurred. Goodbye.",
        1,
    )
    assert exchange.notifications.codes() == [11200, 11200]


async def test_a_hosted_document_sends_the_caller_back_and_at_last_gives_up(
    customer: Customer, exchange: Exchange
) -> None:
    exchange.bins.put(
        "hold",
        "<Response><Say>please hold</Say>{% if visits < 3 %}<Redirect>" + customer.url + "/voice</Redirect>"
        "{% else %}<Dial><Number>+8613500135000</Number></Dial>{% endif %}</Response>",
    )
    exchange.numbers[HOTLINE] = Line(f"{customer.url}/voice", "POST", f"{exchange.base_url}/bins/hold")
    customer.says("/voice", Response(status_code=503))
    duty = exchange.register("+8613500135000")
    caller = exchange.dial(ALICE, HOTLINE)
    phone = await anext(aiter(duty))
    phone.answer()
    await until(caller, "bridged")
    assert [heard.text for heard in caller.heard if heard.kind == "said"] == ["please hold"] * 3
    assert len(customer.to("/voice")) == 3


async def test_a_callback_that_fails_is_complained_of_and_changes_nothing(
    customer: Customer, exchange: Exchange
) -> None:
    customer.says("/voice", "<Say>hello</Say>")
    customer.says("/status", Response(status_code=500))
    assert await over(exchange.dial(ALICE, HOTLINE)) == ["hello"]
    await customer.told("/status")
    await eventually(lambda: exchange.notifications.entries)
    assert [(entry.code, entry.log) for entry in exchange.notifications.entries] == [(15003, 1)]
