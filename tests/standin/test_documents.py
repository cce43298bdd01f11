"""What is read and what is refused, each with the provider's number."""

import pytest
from starlette.responses import Response

from ivr.standin.exchange import Exchange
from tests.standin.conftest import ALICE, HOTLINE, over
from tests.standin.customer import Customer

LONG_CHINESE = "问" * 501

REFUSED = [
    ("<Shout>hello</Shout>", 12200),  # no such verb
    ("<say>hello</say>", 12200),  # names are case-sensitive
    ('<Say volume="11">hello</Say>', 12200),  # no such attribute
    ('<Say Language="en-US">hello</Say>', 12200),
    ("<Gather><Dial>+8613800138000</Dial></Gather>", 13320),  # only Say, Play and Pause inside
    ("<Gather><Gather/></Gather>", 13320),
    ('<Gather><Play digits="1"/></Gather>', 13322),
    ('<Gather finishOnKey="12"/>', 13310),
    ('<Gather method="PUT"/>', 13312),
    ('<Gather timeout="soon"/>', 13313),
    ('<Gather numDigits="0"/>', 13314),
    ('<Gather input="shout"/>', 12200),
    ("<Say></Say>", 13520),
    ('<Say loop="-1">hello</Say>', 13510),
    ('<Say voice="Brian">hello</Say>', 13511),
    ('<Say language="zh">hello</Say>', 13512),
    (f'<Say language="zh-CN">{LONG_CHINESE}</Say>', 13521),  # 9 characters each when URL-encoded
    (f'<Say voice="Polly.Zhiyu">{"a" * 3001}</Say>', 13521),
    ('<Play loop="x">/a.wav</Play>', 13410),
    ("<Play/>", 13420),
    ('<Pause length="long"/>', 13910),
    ('<Redirect method="DELETE">/next</Redirect>', 13710),
    ("<Redirect>ftp://example.com</Redirect>", 11100),
    ('<Record maxLength="0"/>', 13612),
    ('<Record finishOnKey="A"/>', 13613),
    ('<Record timeout="-1"/>', 13611),
    ("<Record><Say>hello</Say></Record>", 12200),
    ("<Enqueue></Enqueue>", 14204),
    (f"<Enqueue>{'q' * 65}</Enqueue>", 14205),
    ("<Dial/>", 13223),
    ('<Dial timeout="2">+8613800138000</Dial>', 13212),
    ('<Dial hangupOnStar="yes">+8613800138000</Dial>', 13213),
    ('<Dial timeLimit="0">+8613800138000</Dial>', 13216),
    ("<Dial><Number>Bob</Number></Dial>", 13223),
    ("<Dial><Say>hello</Say></Dial>", 13215),
    ("<Dial><Conference>a</Conference><Queue>b</Queue></Dial>", 13215),
    ('<Dial><Conference muted="maybe">a</Conference></Dial>', 13230),
    ('<Dial><Conference endConferenceOnExit="1">a</Conference></Dial>', 13231),
    ('<Dial><Conference startConferenceOnEnter="1">a</Conference></Dial>', 13232),
    ('<Dial><Conference beep="loud">a</Conference></Dial>', 13235),
    ('<Dial><Number statusCallbackEvent="answered,completed">+8613800138000</Number></Dial>', 21626),
    ('<Start><Recording recordingStatusCallback="/recorded"/></Start>', 11200),
    ('<Reject reason="bored"/>', 12200),
]


@pytest.mark.parametrize(("verbs", "code"), REFUSED)
async def test_what_the_provider_refuses_ends_the_call_with_its_code(
    verbs: str, code: int, customer: Customer, exchange: Exchange
) -> None:
    customer.says("/voice", verbs)
    said = await over(exchange.dial(ALICE, HOTLINE))
    assert exchange.notifications.codes() == [code]
    assert said == ["We are sorry. An application error has occurred. Goodbye."]
    assert exchange.application_errors == 1
    assert exchange.ended == {"failed": 1}


BODIES = [
    (Response("<Response><Say>hello</Say>", media_type="text/xml"), 12100),
    (Response('\n<?xml version="1.0"?><Response/>', media_type="text/xml"), 12100),
    (Response(b"\xef\xbb\xbf<Response/>", media_type="text/xml"), 12100),
    (Response("<Answer/>", media_type="text/xml"), 12102),
    (Response("", media_type="text/xml"), 11770),
    (Response(f"<Response><!--{'x' * 65536}--></Response>", media_type="text/xml"), 11750),
    (Response("{}", media_type="application/json"), 12300),
    (Response("", status_code=500), 11200),
    (Response("<Response/>", status_code=404, media_type="text/xml"), 11200),
]


@pytest.mark.parametrize(("body", "code"), BODIES)
async def test_bodies_that_are_no_documents(
    body: Response, code: int, customer: Customer, exchange: Exchange
) -> None:
    customer.says("/voice", body)
    await over(exchange.dial(ALICE, HOTLINE))
    assert exchange.notifications.codes() == [code]


async def test_plain_text_is_spoken_and_sound_is_played(customer: Customer, exchange: Exchange) -> None:
    customer.says("/voice", Response("hello there", media_type="text/plain"))
    assert await over(exchange.dial(ALICE, HOTLINE)) == ["hello there"]
    customer.says("/voice", Response("<Response><Say>hi</Say></Response>", media_type="text/plain"))
    assert await over(exchange.dial(ALICE, HOTLINE)) == ["hi"]
    assert exchange.notifications.codes() == []


async def test_by_switch_only_the_wrong_part_is_skipped(customer: Customer, exchange: Exchange) -> None:
    exchange.faults.update({"schema_fault": "skip"})
    customer.says("/voice", '<Shout>hey</Shout><Say volume="11">hello</Say>')
    assert await over(exchange.dial(ALICE, HOTLINE)) == ["hello"]
    assert exchange.notifications.codes() == [12200, 12200]
    assert exchange.application_errors == 0


async def test_a_chinese_text_of_five_hundred_characters_is_spoken(
    customer: Customer, exchange: Exchange
) -> None:
    exchange.faults.update({"say_ms_max": 100})
    customer.says("/voice", f'<Say language="zh-CN">{"问" * 500}</Say>')
    assert await over(exchange.dial(ALICE, HOTLINE)) == ["问" * 500]
