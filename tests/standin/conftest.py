"""A small world: the scripted customer, the exchange served beside it, and the official SDK pointed at it.

The clock runs fast: minutes of a story pass in tenths of a second. Tests ask for order and for least lengths,
never for an instant.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from config.clock import Clock
from ivr.standin.app import build
from ivr.standin.exchange import Exchange
from ivr.standin.handsets import Handset
from ivr.standin.options import Line, Options
from tests.standin.customer import TOKEN, Customer, Served

ACCOUNT = "AC" + "0" * 32
HOTLINE = "+8657188880000"
ALICE, BOB = "+8613800138000", "+8613900139000"
ORIGIN_MS = 1_795_395_600_000
SPEED = 250


@pytest_asyncio.fixture
async def customer() -> AsyncIterator[Customer]:
    customer = Customer()
    served = Served(customer.app())
    customer.url = served.url
    await served.start()
    yield customer
    await served.stop()
    assert customer.unsigned == []


@pytest.fixture
def options(customer: Customer) -> Options:
    line = Line(f"{customer.url}/voice", "POST", "", "POST", f"{customer.url}/status")
    return Options(ACCOUNT, TOKEN, clock=Clock.starting_at(ORIGIN_MS, SPEED), numbers={HOTLINE: line})


@pytest_asyncio.fixture
async def exchange(options: Options) -> AsyncIterator[Exchange]:
    exchange = Exchange(options)
    served = Served(build(exchange))
    exchange.base_url = served.url
    await served.start()
    yield exchange
    await served.stop()


@pytest.fixture
def sdk(exchange: Exchange) -> Any:
    """``await sdk(client -> …)`` runs a call of the synchronous SDK beside the loop."""
    http = TwilioHttpClient(timeout=5)
    client = Client(ACCOUNT, TOKEN, http_client=http)
    client.api.base_url = exchange.base_url

    async def call(work: Callable[[Client], Any]) -> Any:
        return await asyncio.to_thread(partial(work, client))

    yield call
    http.session.close()


async def until(handset: Handset, kind: str, text: str | None = None) -> None:
    """Wait until a person has noticed something."""
    async with asyncio.timeout(30):
        async for heard in handset.events():
            if heard.kind == kind and (text is None or text in heard.text):
                return
    raise AssertionError(f"{kind} was never heard, but {[(one.kind, one.text) for one in handset.heard]}")


async def over(handset: Handset) -> list[str]:
    """Wait for the end; what was said until then."""
    async with asyncio.timeout(30):
        await handset.ended()
    return [heard.text for heard in handset.heard if heard.kind == "said"]


def kinds(handset: Handset) -> list[str]:
    return [heard.kind for heard in handset.heard]
