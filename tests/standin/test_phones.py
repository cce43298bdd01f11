"""The phone page's and the desk's side of the exchange, over HTTP alone."""

import asyncio
import json

import aiohttp
import pytest

from ivr.standin.exchange import Exchange
from tests.standin.conftest import ALICE, HOTLINE
from tests.standin.customer import Customer, eventually


async def events(session: aiohttp.ClientSession, path: str, last: str) -> list[str]:
    """The kinds a stream tells of, up to and with one of them."""
    seen: list[str] = []
    async with asyncio.timeout(30), session.get(path) as stream:
        async for line in stream.content:
            if line.startswith(b"data: "):
                seen.append(json.loads(line[6:])["kind"])
                if seen[-1] == last:
                    break
    return seen


async def test_a_customer_dials_presses_and_hangs_up_from_a_page(
    customer: Customer, exchange: Exchange
) -> None:
    customer.says(
        "/voice", '<Gather action="/keys" numDigits="1" timeout="600"><Say>press one</Say></Gather>'
    )
    customer.says("/keys", '<Pause length="600"/>')
    async with aiohttp.ClientSession(exchange.base_url) as session:
        async with session.post("/standin/handsets", json={"from": ALICE, "to": HOTLINE}) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            path = f"/standin/handsets/{(await answer.json())['sid']}"
        assert (await events(session, f"{path}/events", "gathering"))[-1] == "gathering"
        async with session.post(f"{path}/keys", json={"digits": "1"}) as answer:
            assert (await answer.json())["state"] == "in-progress"
        await customer.told("/keys")
        async with session.post(f"{path}/hang-up", json={}) as answer:
            assert (await answer.json())["state"] == "ended"
        assert (await events(session, f"{path}/events", "ended"))[:2] == ["ringing", "answered"]
        async with session.get("/standin/handsets/CAnone") as answer:
            assert answer.status == 404
    assert customer.to("/keys")[0]["Digits"] == "1"


async def test_a_desk_rings_while_it_listens(customer: Customer, exchange: Exchange) -> None:
    customer.says("/voice", "<Dial><Client>bob</Client></Dial>")
    async with aiohttp.ClientSession(exchange.base_url) as session:
        async with session.get("/standin/clients/bob") as stream, asyncio.timeout(30):
            await stream.content.readline()
            exchange.dial(ALICE, HOTLINE)
            async for line in stream.content:
                if line.startswith(b"data: "):
                    ringing = json.loads(line[6:])
                    break
            assert (ringing["from"], ringing["to"], ringing["state"]) == (ALICE, "client:bob", "ringing")
            async with session.post(f"/standin/handsets/{ringing['sid']}/answer") as answer:
                assert answer.status == 200
            seen = await events(session, f"/standin/handsets/{ringing['sid']}/events", "bridged")
            assert seen == ["ringing", "answered", "bridged"]
        await eventually(lambda: exchange.registrations.count() == 0)


@pytest.mark.parametrize(("text", "told"), [("电费", ("电费", "0.9")), ("停电？", ("停电", "0.4"))])
async def test_the_page_speaks_and_whoever_ends_with_a_question_mark_is_understood_badly(
    customer: Customer, exchange: Exchange, text: str, told: tuple[str, str]
) -> None:
    customer.says(
        "/voice",
        '<Gather action="/heard" input="dtmf speech" timeout="600" speechTimeout="1"><Say>说吧</Say></Gather>',
    )
    customer.says("/heard", "<Hangup/>")
    async with aiohttp.ClientSession(exchange.base_url) as session:
        async with session.post("/standin/handsets", json={"from": ALICE, "to": HOTLINE}) as answer:
            path = f"/standin/handsets/{(await answer.json())['sid']}"
        await events(session, f"{path}/events", "gathering")
        async with session.post(f"{path}/speech", json={"text": text}) as answer:
            assert answer.status == 200
        await customer.told("/heard")
    (heard,) = customer.to("/heard")
    assert (heard["SpeechResult"], heard["Confidence"]) == told
