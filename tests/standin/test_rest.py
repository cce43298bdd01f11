"""Calls and recordings by REST, through the official SDK unchanged."""

import asyncio
import io
import wave
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from ivr.standin.exchange import Exchange
from ivr.standin.outgoing import Slots
from tests.standin.conftest import ACCOUNT, ALICE, BOB, HOTLINE, kinds, over, until
from tests.standin.customer import TOKEN, Customer


async def refusal(sdk: Any, work: Any) -> tuple[int, int | None]:
    with pytest.raises(TwilioRestException) as refused:
        await sdk(work)
    return refused.value.status, refused.value.code


async def test_a_placed_call_rings_answers_and_is_told_of(
    customer: Customer, exchange: Exchange, sdk: Any
) -> None:
    customer.says("/agent", "<Say>a caller for you</Say>")
    phone = exchange.register("bob")
    placed = await sdk(
        lambda client: client.calls.create(
            to="client:bob?offer=7", from_=HOTLINE, url=f"{customer.url}/agent?o=7",
            status_callback=f"{customer.url}/leg",
            status_callback_event=["initiated", "ringing", "answered", "completed"],
        )
    )  # fmt: skip
    assert (placed.status, placed.direction, placed.queue_time, placed.duration) == (
        "queued", "outbound-api", "0", None,
    )  # fmt: skip
    bob = await anext(aiter(phone))
    assert (bob.sid, bob.parameters) == (placed.sid, {"offer": "7"})
    bob.answer()
    assert await over(bob) == ["a caller for you"]
    assert kinds(bob) == ["ringing", "answered", "said", "ended"]
    [asked] = customer.to("/agent")
    assert (asked["CallStatus"], asked["Direction"], asked["o"]) == ("in-progress", "outbound-api", "7")
    forms = await customer.told("/leg", 4)
    assert [form["CallStatus"] for form in forms] == ["initiated", "ringing", "in-progress", "completed"]
    assert [form["SequenceNumber"] for form in forms] == ["0", "1", "2", "3"]
    assert {form["CallbackSource"] for form in forms} == {"call-progress-events"}
    assert (forms[3]["Duration"], "CallDuration" in forms[3]) == ("1", True)
    fetched = await sdk(lambda client: client.calls(placed.sid).fetch())
    assert (fetched.status, fetched.to) == ("completed", "client:bob?offer=7")
    assert fetched.date_created.tzinfo is not None


@pytest.mark.parametrize(
    ("act", "status", "code"),
    [("decline", "busy", "603"), ("hang_up", "busy", "603"), (None, "no-answer", "487")],
)
async def test_why_a_placed_call_came_to_nothing(
    act: str | None, status: str, code: str, customer: Customer, exchange: Exchange, sdk: Any
) -> None:
    phone = exchange.register("bob")
    await sdk(
        lambda client: client.calls.create(
            to="client:bob", from_=HOTLINE, url=f"{customer.url}/agent", timeout=5,
            status_callback=f"{customer.url}/leg",
        )
    )  # fmt: skip
    bob = await anext(aiter(phone))
    if act is not None:
        getattr(bob, act)()
    [form] = await customer.told("/leg")
    assert (form["CallStatus"], form["SipResponseCode"], form["CallDuration"]) == (status, code, "0")
    assert customer.to("/agent") == []


async def test_a_client_who_is_talking_is_busy_or_rings_by_switch(
    customer: Customer, exchange: Exchange, sdk: Any
) -> None:
    customer.says("/agent", '<Pause length="600"/>')
    phone = exchange.register("bob")
    rings = aiter(phone)

    def place(client: Any) -> Any:
        return client.calls.create(
            to="client:bob", from_=HOTLINE, url=f"{customer.url}/agent", status_callback=f"{customer.url}/leg"
        )

    await sdk(place)
    (await anext(rings)).answer()
    await customer.told("/agent")
    await sdk(place)
    assert (await customer.told("/leg"))[0]["CallStatus"] == "busy"
    exchange.faults.update({"client_busy": "ring"})
    second = await sdk(place)
    assert (await anext(rings)).sid == second.sid


@pytest.mark.parametrize(("outcome", "code"), [("no-answer", "480"), ("failed", "404")])
async def test_a_client_nobody_registered(
    outcome: str, code: str, customer: Customer, exchange: Exchange, sdk: Any
) -> None:
    exchange.faults.update({"client_unregistered": outcome})
    await sdk(
        lambda client: client.calls.create(
            to="client:nobody", from_=HOTLINE, url=f"{customer.url}/agent",
            status_callback=f"{customer.url}/leg", status_callback_event=["ringing", "completed"],
        )
    )  # fmt: skip
    [form] = await customer.told("/leg")
    assert (form["CallStatus"], form["SipResponseCode"]) == (outcome, code)


async def test_an_ended_call_cannot_be_redirected_recorded_or_ended_again(
    customer: Customer, exchange: Exchange, sdk: Any
) -> None:
    caller = exchange.dial(ALICE, HOTLINE)
    await over(caller)
    assert await refusal(sdk, lambda client: client.calls(caller.sid).update(url=f"{customer.url}/x")) == (
        400,
        21220,
    )
    assert await refusal(sdk, lambda client: client.calls(caller.sid).update(status="completed")) == (
        400,
        21220,
    )
    assert await refusal(sdk, lambda client: client.calls(caller.sid).recordings.create()) == (400, 21220)


async def test_hanging_up_and_canceling_by_rest(customer: Customer, exchange: Exchange, sdk: Any) -> None:
    customer.says("/voice", '<Pause length="1"/><Say>hello</Say><Pause length="600"/>')
    caller = exchange.dial(ALICE, HOTLINE)
    await until(caller, "said")
    assert await refusal(sdk, lambda client: client.calls(caller.sid).update(status="canceled")) == (
        400,
        21220,
    )
    assert (
        await sdk(lambda client: client.calls(caller.sid).update(status="completed"))
    ).status == "completed"
    assert caller.state == "ended"
    phone = exchange.register("bob")
    ringing = await sdk(
        lambda client: client.calls.create(to="client:bob", from_=HOTLINE, twiml="<Response/>")
    )
    bob = await anext(aiter(phone))
    assert (
        await sdk(lambda client: client.calls(ringing.sid).update(status="completed"))
    ).status == "canceled"
    assert kinds(bob) == ["ringing", "ended"]


async def test_documents_given_inline(customer: Customer, exchange: Exchange, sdk: Any) -> None:
    phone = exchange.register("bob")
    await sdk(
        lambda client: client.calls.create(
            to="client:bob", from_=HOTLINE, twiml="<Response><Say>inline</Say></Response>"
        )
    )
    bob = await anext(aiter(phone))
    bob.answer()
    assert await over(bob) == ["inline"]
    for verbs, code in [
        ('<Gather action="/keys"/>', 11100),
        ("<Record/>", 11100),
        ("<Redirect>/next</Redirect>", 11100),
        ("<Shout/>", 12200),
    ]:
        work = lambda client, verbs=verbs: client.calls.create(  # noqa: E731
            to="client:bob", from_=HOTLINE, twiml=f"<Response>{verbs}</Response>"
        )
        assert await refusal(sdk, work) == (400, code)
    long = f"<Response><!--{'x' * 4000}--></Response>"
    work = lambda client: client.calls.create(to="client:bob", from_=HOTLINE, twiml=long)  # noqa: E731
    assert await refusal(sdk, work) == (400, 32018)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"to": "", "from_": HOTLINE, "url": "http://a/b"}, 21201),
        ({"to": BOB, "from_": "", "url": "http://a/b"}, 21213),
        ({"to": "bob", "from_": HOTLINE, "url": "http://a/b"}, 21211),
        ({"to": BOB, "from_": "+15005550006", "url": "http://a/b"}, 21210),
        ({"to": BOB, "from_": HOTLINE}, 21205),
        ({"to": BOB, "from_": HOTLINE, "url": "/relative"}, 21205),
        ({"to": BOB, "from_": HOTLINE, "url": "http://a/b", "timeout": 601}, 20001),
    ],
)
async def test_calls_that_are_not_placed(
    asked: dict[str, Any], code: int, exchange: Exchange, sdk: Any
) -> None:
    assert await refusal(sdk, lambda client: client.calls.create(**asked)) == (400, code)
    assert exchange.calls == {}


async def test_events_joined_into_one_field_never_arrive(
    customer: Customer, exchange: Exchange, sdk: Any
) -> None:
    await sdk(
        lambda client: client.calls.create(
            to="client:nobody", from_=HOTLINE, url=f"{customer.url}/agent",
            status_callback=f"{customer.url}/leg", status_callback_event=["ringing completed"],
        )
    )  # fmt: skip
    await exchange.clock.sleep(2000)
    assert (exchange.notifications.codes(), customer.to("/leg")) == ([21626], [])


async def test_lists_are_paged_and_filtered(exchange: Exchange, sdk: Any) -> None:
    sids = [exchange.dial(f"+861380013800{number}", "+861").sid for number in range(7)]
    listed = await sdk(lambda client: client.calls.list(page_size=3))
    assert [call.sid for call in listed] == sids[::-1]
    page = await sdk(lambda client: client.calls.page(page_size=3))
    assert page.next_page_url.startswith(f"{exchange.base_url}/2010-04-01/")
    one = await sdk(lambda client: client.calls.list(from_="+8613800138003", status="failed"))
    assert [call.sid for call in one] == [sids[3]]
    after = datetime.fromtimestamp(exchange.clock.now_ms() / 1000 + 3600, UTC)
    assert await sdk(lambda client: client.calls.list(start_time_after=after)) == []
    assert len(await sdk(lambda client: client.calls.list(start_time_before=after))) == 7
    assert await sdk(lambda client: client.calls(sids[0]).delete())
    assert await refusal(sdk, lambda client: client.calls(sids[0]).fetch()) == (404, 20404)


async def test_a_call_is_recorded_on_two_channels(customer: Customer, exchange: Exchange, sdk: Any) -> None:
    customer.says("/voice", '<Say>hello</Say><Pause length="600"/>')
    caller = exchange.dial(ALICE, HOTLINE)
    await until(caller, "said")
    recording = await sdk(
        lambda client: client.calls(caller.sid).recordings.create(
            recording_channels="dual", recording_status_callback=f"{customer.url}/recorded",
            recording_status_callback_event=["in-progress", "completed", "absent"],
        )
    )  # fmt: skip
    assert (recording.status, recording.channels, recording.source) == (
        "in-progress",
        2,
        "StartCallRecordingAPI",
    )
    current = "Twilio.CURRENT"
    calls = lambda client: client.calls(caller.sid)  # noqa: E731
    paused = await sdk(
        lambda client: calls(client).recordings(current).update("paused", pause_behavior="skip")
    )
    assert (paused.sid, paused.status) == (recording.sid, "paused")
    resumed = await sdk(lambda client: calls(client).recordings(recording.sid).update("in-progress"))
    assert resumed.status == "in-progress"
    await exchange.clock.sleep(4000)
    media = f"{exchange.base_url}/2010-04-01/Accounts/{ACCOUNT}/Recordings/{recording.sid}"
    assert (await heard(media))[0] == 404  # not before it is completed
    caller.hang_up()
    _, done = await customer.told("/recorded", 2)
    assert (done["RecordingStatus"], done["RecordingChannels"], done["CallSid"]) == (
        "completed",
        "2",
        caller.sid,
    )
    assert (done["RecordingUrl"], int(done["RecordingDuration"]) >= 4) == (media, True)
    status, sound = await heard(f"{media}.wav?RequestedChannels=2")
    with wave.open(io.BytesIO(sound)) as wav:
        assert (status, wav.getnchannels(), wav.getframerate(), wav.getsampwidth()) == (200, 2, 8000, 2)
    listed = await sdk(lambda client: client.recordings.list(call_sid=caller.sid))
    assert [(one.sid, one.status, one.duration) for one in listed] == [
        (recording.sid, "completed", done["RecordingDuration"])
    ]
    assert await sdk(lambda client: client.recordings(recording.sid).delete())
    assert await sdk(lambda client: calls(client).recordings.list()) == []
    assert (await heard(media))[0] == 404


async def test_one_channel_cannot_be_had_as_two(customer: Customer, exchange: Exchange, sdk: Any) -> None:
    customer.says("/voice", '<Say>hello</Say><Pause length="600"/>')
    caller = exchange.dial(ALICE, HOTLINE)
    await until(caller, "said")
    recording = await sdk(lambda client: client.calls(caller.sid).recordings.create())
    await exchange.clock.sleep(1000)
    stopped = await sdk(lambda client: client.calls(caller.sid).recordings(recording.sid).update("stopped"))
    assert stopped.status == "stopped"
    await exchange.clock.sleep(11_000)
    media = f"{exchange.base_url}/2010-04-01/Accounts/{ACCOUNT}/Recordings/{recording.sid}"
    assert [(await heard(f"{media}?RequestedChannels=2"))[0], (await heard(media))[0]] == [400, 200]
    current = await refusal(
        sdk, lambda client: client.calls(caller.sid).recordings("Twilio.CURRENT").update("paused")
    )
    assert current == (404, 20404)


async def heard(url: str, token: str = TOKEN) -> tuple[int, bytes]:
    async with (
        aiohttp.ClientSession(
            headers={"Authorization": aiohttp.encode_basic_auth(ACCOUNT, token)}
        ) as session,
        session.get(url) as answer,
    ):
        return answer.status, await answer.read()


async def test_a_stranger_gets_nothing(exchange: Exchange) -> None:
    http = TwilioHttpClient(timeout=5)
    stranger = Client(ACCOUNT, "wrong", http_client=http)
    stranger.api.base_url = exchange.base_url

    async def ask(work: Any) -> Any:
        return await asyncio.to_thread(work, stranger)

    with pytest.raises(TwilioRestException) as refused:
        await ask(lambda client: client.calls("CA" + "0" * 32).fetch())
    http.session.close()
    assert (refused.value.status, refused.value.code) == (401, 20003)
    assert (await heard(f"{exchange.base_url}/2010-04-01/Accounts/{ACCOUNT}/Recordings/RE1", "wrong"))[
        0
    ] == 401


async def test_outgoing_calls_wait_for_their_slot(exchange: Exchange, sdk: Any) -> None:
    exchange.slots = Slots(1)
    place = lambda client: client.calls.create(to="client:bob", from_=HOTLINE, twiml="<Response/>")  # noqa: E731
    placed = [await sdk(place) for _ in range(3)]
    assert (placed[0].queue_time, {call.status for call in placed}) == ("0", {"queued"})
    slots = Slots(2)
    assert [slots.take(now_ms) for now_ms in (0, 0, 100, 1400, 5000)] == [0, 500, 900, 100, 0]


async def test_the_numbers_of_the_account_can_be_looked_up_and_changed(
    customer: Customer, exchange: Exchange, sdk: Any
) -> None:
    [number] = await sdk(lambda client: client.incoming_phone_numbers.list(phone_number=HOTLINE))
    assert (number.voice_url, number.status_callback) == (f"{customer.url}/voice", f"{customer.url}/status")
    await sdk(
        lambda client: client.incoming_phone_numbers(number.sid).update(voice_url=f"{customer.url}/other")
    )
    customer.says("/other", "<Say>moved</Say>")
    assert await over(exchange.dial(ALICE, HOTLINE)) == ["moved"]


async def test_complaints_are_listed_of_the_account_and_of_one_call(
    customer: Customer, exchange: Exchange, sdk: Any
) -> None:
    customer.says("/voice", "<Shout/>")
    callers = [exchange.dial(ALICE, HOTLINE), exchange.dial(BOB, HOTLINE)]
    for caller in callers:
        await over(caller)
    everything = await sdk(lambda client: client.notifications.list())
    assert sorted(entry.call_sid for entry in everything) == sorted(caller.sid for caller in callers)
    [one] = await sdk(lambda client: client.calls(callers[0].sid).notifications.list())
    assert (one.error_code, one.log, one.request_url) == ("12200", "0", f"{customer.url}/voice")
    assert (await sdk(lambda client: client.notifications(one.sid).fetch())).error_code == "12200"


async def test_a_text_message_is_noted(exchange: Exchange, sdk: Any) -> None:
    sent = await sdk(lambda client: client.messages.create(to="+8613800138000", from_=HOTLINE, body="您好"))
    assert (sent.sid[:2], sent.status) == ("SM", "queued")
    assert exchange.texts == [("+8613800138000", HOTLINE, "您好")]
