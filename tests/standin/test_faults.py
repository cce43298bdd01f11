"""What goes wrong on purpose: by rate, by seed, and changed while running."""

from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException

from ivr.standin.chance import Chance
from ivr.standin.exchange import Exchange
from ivr.standin.faults import Faults, UnknownSwitchError
from ivr.standin.options import Options, OptionsError, options_from
from tests.standin.conftest import ALICE, HOTLINE, over, until
from tests.standin.customer import Customer

CALLS = 20


def test_a_seed_names_its_faults_whatever_the_order() -> None:
    draws = {
        (seed, number): Chance(seed).happens(0.3, "lost", number) for seed in (1, 2) for number in range(500)
    }
    again = {place: Chance(place[0]).happens(0.3, "lost", place[1]) for place in reversed(draws)}
    assert draws == again
    assert 100 < sum(draws[1, number] for number in range(500)) < 200
    assert [draws[1, number] for number in range(500)] != [draws[2, number] for number in range(500)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"no_such": 1},
        {"callback_lost": 2},
        {"callback_lost": "often"},
        {"client_busy": "maybe"},
        {"action_on_hangup": 1},
    ],
)
def test_a_wrong_switch_changes_nothing(wrong: dict[str, object]) -> None:
    faults = Faults()
    with pytest.raises(UnknownSwitchError):
        faults.update({"callback_doubled": 0.5, **wrong})
    assert faults == Faults()


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(OptionsError):
        options_from({"account_sid": "AC", "auth_token": "t", "colour": "red"})


async def statuses(customer: Customer, exchange: Exchange) -> int:
    """Some calls; how often their ends were told."""
    customer.says("/voice", "<Say>hello</Say>")
    for _ in range(CALLS):
        await over(exchange.dial(ALICE, HOTLINE))
    while exchange.callbacks.under_way:
        await exchange.clock.sleep(500)
    return len(customer.to("/status"))


@pytest.mark.parametrize(
    ("faults", "times"),
    [({"callback_lost": 1}, 0), ({"callback_doubled": 1}, 2 * CALLS), ({"callback_delayed": 1}, CALLS)],
)
async def test_callbacks_lost_doubled_and_delayed(
    faults: dict[str, object], times: int, customer: Customer, exchange: Exchange
) -> None:
    exchange.faults.update(faults)
    assert await statuses(customer, exchange) == times


async def test_callbacks_swapped_keep_their_sequence_numbers(
    customer: Customer, exchange: Exchange, sdk: Any
) -> None:
    exchange.faults.update({"callback_swapped": 0.5})
    for _ in range(8):
        await sdk(
            lambda client: client.calls.create(
                to="client:nobody", from_=HOTLINE, twiml="<Response/>", status_callback=f"{customer.url}/leg",
                status_callback_event=["initiated", "completed"],
            )
        )  # fmt: skip
    forms = await customer.told("/leg", 16)
    orders: dict[str, list[str]] = {}
    for form in forms:
        orders.setdefault(form["CallSid"], []).append(form["SequenceNumber"])
    assert {tuple(order) for order in orders.values()} == {("0", "1"), ("1", "0")}


async def test_a_document_is_asked_for_twice_and_obeyed_once(customer: Customer, exchange: Exchange) -> None:
    exchange.faults.update({"control_doubled": 1})
    customer.says("/voice", "<Say>hello</Say>")
    assert await over(exchange.dial(ALICE, HOTLINE)) == ["hello"]
    assert len(await customer.told("/voice", 2)) == 2


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [("rest_429", 429, 20429), ("rest_503", 503, 20503), ("rest_500", 500, 20500)],
)
async def test_rest_refuses(fault: str, status: int, code: int, exchange: Exchange, sdk: Any) -> None:
    exchange.faults.update({fault: 1})
    with pytest.raises(TwilioRestException) as refused:
        await sdk(lambda client: client.queues.create(friendly_name="gas"))
    assert (refused.value.status, refused.value.code) == (status, code)
    assert exchange.queues.by_sid == {}


async def test_an_error_may_come_after_the_deed(exchange: Exchange, sdk: Any) -> None:
    exchange.faults.update({"rest_500_after": 1})
    with pytest.raises(TwilioRestException):
        await sdk(lambda client: client.queues.create(friendly_name="gas"))
    assert len(exchange.queues.by_sid) == 1


async def test_recordings_absent(customer: Customer, exchange: Exchange) -> None:
    exchange.faults.update({"recording_absent": 1})
    customer.says(
        "/voice",
        f'<Start><Recording recordingStatusCallback="{customer.url}/taped"'
        ' recordingStatusCallbackEvent="completed absent"/></Start><Pause length="5"/>',
    )
    await over(exchange.dial(ALICE, HOTLINE))
    [form] = await customer.told("/taped")
    assert (form["RecordingStatus"], "RecordingDuration" in form) == ("absent", False)


async def test_readers_may_lag_behind(customer: Customer, exchange: Exchange, sdk: Any) -> None:
    exchange.faults.update({"stale_reads_ms": 3_600_000})
    customer.says("/voice", '<Say>hello</Say><Pause length="60"/>')
    caller = exchange.dial(ALICE, HOTLINE)
    await until(caller, "said")
    assert (await sdk(lambda client: client.calls(caller.sid).fetch())).status == "ringing"


async def test_faults_and_state_over_http(customer: Customer, exchange: Exchange) -> None:
    customer.says("/voice", "<Shout/>")
    await over(exchange.dial(ALICE, HOTLINE))
    async with aiohttp.ClientSession(exchange.base_url) as session:
        async with session.post("/standin/faults", json={"callback_lost": 0.25}) as answer:
            assert (answer.status, (await answer.json())["callback_lost"]) == (200, 0.25)
        async with session.post("/standin/faults", json={"callback_lost": 25}) as answer:
            assert answer.status == 400
        async with session.get("/standin/state") as answer:
            state = await answer.json()
        async with session.get("/standin/notifications") as answer:
            notifications = await answer.json()
    counters = {
        name: state[name] for name in ("calls", "in_progress", "calls_by_state", "application_errors")
    }
    assert counters == {
        "calls": 1,
        "in_progress": 0,
        "calls_by_state": {"failed": 1},
        "application_errors": 1,
    }
    assert [entry["error_code"] for entry in notifications] == ["12200"]


def test_options_are_values(options: Options) -> None:
    assert replace(options, seed=3).seed == 3
