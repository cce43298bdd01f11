"""Conferences: when they start and end, who is told what, and what can be done to those in them."""

from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from ivr.standin.exchange import Exchange
from ivr.standin.handsets import Handset
from tests.standin.conftest import ALICE, BOB, HOTLINE, kinds, over, until
from tests.standin.customer import Customer, eventually

EVENTS = "start end join leave mute hold modify"


def room(attributes: str = "", action: bool = True) -> str:
    asks = ' action="/after"' if action else ""
    return (
        f'<Dial{asks}><Conference statusCallback="/room" statusCallbackEvent="{EVENTS}" {attributes}>'
        "the room</Conference></Dial><Say>next</Say>"
    )


async def two_in_a_room(
    customer: Customer, exchange: Exchange, alices: str = "", bobs: str = ""
) -> tuple[Handset, Handset]:
    customer.says("/voice", lambda form: room(alices if form["From"] == ALICE else bobs))
    alice = exchange.dial(ALICE, HOTLINE)
    await eventually(lambda: exchange.conferences.by_sid)
    bob = exchange.dial(BOB, HOTLINE)
    await until(alice, "bridged")
    await until(bob, "bridged")
    return alice, bob


def told(customer: Customer) -> list[tuple[str, str]]:
    return [
        (form["StatusCallbackEvent"], form.get("ReasonParticipantLeft", "")) for form in customer.to("/room")
    ]


async def test_it_starts_with_two_and_the_first_decides_where_it_reports(
    customer: Customer, exchange: Exchange
) -> None:
    alice, bob = await two_in_a_room(customer, exchange, bobs='statusCallbackMethod="GET"')
    forms = await customer.told("/room", 3)
    assert [form["StatusCallbackEvent"] for form in forms] == [
        "participant-join", "participant-join", "conference-start",
    ]  # fmt: skip
    assert [form["SequenceNumber"] for form in forms] == ["1", "2", "3"]
    assert (forms[0]["CallSid"], forms[1]["CallSid"]) == (alice.sid, bob.sid)
    assert forms[0]["Timestamp"].endswith("+0000")
    assert {asked.method for asked in customer.asked if asked.path == "/room"} == {"POST"}


async def test_it_ends_with_one_whose_leaving_ends_it(customer: Customer, exchange: Exchange) -> None:
    customer.says("/after", "<Say>thanks</Say>")
    alice, bob = await two_in_a_room(customer, exchange, bobs='endConferenceOnExit="true"')
    bob.hang_up()
    assert await over(alice) == ["thanks"]
    forms = await customer.told("/room", 6)
    assert told(customer)[3:] == [
        ("participant-leave", "participant_hung_up"),
        ("participant-leave", "moderator_ended_conference"),
        ("conference-end", ""),
    ]
    end = forms[-1]
    assert (end["ReasonConferenceEnded"], end["CallSidEndingConference"]) == (
        "participant-with-end-conference-on-exit-left", bob.sid,
    )  # fmt: skip
    after = [form for form in await customer.told("/after", 2) if form["CallSid"] == alice.sid]
    assert [form["DialCallStatus"] for form in after] == ["answered"]


async def test_without_such_a_one_it_ends_with_the_last(customer: Customer, exchange: Exchange) -> None:
    alice, bob = await two_in_a_room(customer, exchange)
    bob.hang_up()
    await until(alice, "unbridged")
    assert alice.state == "in-progress"
    alice.hang_up()
    end = (await customer.told("/room", 6))[-1]
    assert (end["StatusCallbackEvent"], end["ReasonConferenceEnded"]) == (
        "conference-end",
        "last-participant-left",
    )


async def test_the_same_name_later_is_another_conference(customer: Customer, exchange: Exchange) -> None:
    for _ in range(2):
        customer.says("/voice", room(action=False))
        alice = exchange.dial(ALICE, HOTLINE)
        await until(alice, "answered")
        await customer.told("/room", 1)
        alice.hang_up()
        await over(alice)
    assert [one.status for one in exchange.conferences.by_sid.values()] == ["completed", "completed"]


async def test_nobody_may_start_it(customer: Customer, exchange: Exchange) -> None:
    customer.says("/voice", room('startConferenceOnEnter="false" waitUrl=""'))
    alice, bob = exchange.dial(ALICE, HOTLINE), exchange.dial(BOB, HOTLINE)
    await customer.told("/room", 2)
    assert [one.status for one in exchange.conferences.by_sid.values()] == ["init"]
    assert "bridged" not in kinds(alice) + kinds(bob)


async def test_the_wait_document_is_heard_once(customer: Customer, exchange: Exchange) -> None:
    customer.says("/wait", "<Say>nobody is here yet</Say>")
    customer.says("/voice", room('waitUrl="/wait"'))
    alice = exchange.dial(ALICE, HOTLINE)
    await until(alice, "said")
    await exchange.clock.sleep(20_000)
    assert [form["FriendlyName"] for form in customer.to("/wait")] == ["the room"]


async def test_an_empty_redirect_makes_it_heard_again(customer: Customer, exchange: Exchange) -> None:
    customer.says("/wait", '<Pause length="1"/><Redirect/>')
    customer.says("/voice", room('waitUrl="/wait"'))
    exchange.dial(ALICE, HOTLINE)
    assert len(await customer.told("/wait", 3)) >= 3


async def test_a_gather_in_the_wait_document_leads_to_the_action(
    customer: Customer, exchange: Exchange
) -> None:
    customer.says("/wait", "<Gather/>")
    customer.says("/voice", room('waitUrl="/wait"'))
    await over(exchange.dial(ALICE, HOTLINE))
    assert exchange.notifications.codes() == [13238]
    assert len(customer.to("/after")) == 1


async def test_a_label_that_is_taken_sends_the_second_on(customer: Customer, exchange: Exchange) -> None:
    customer.says("/voice", room('participantLabel="caller"', action=False))
    exchange.dial(ALICE, HOTLINE)
    await customer.told("/room", 1)
    bob = exchange.dial(BOB, HOTLINE)
    assert await over(bob) == ["next"]
    assert exchange.notifications.codes() == [16025]


async def test_hold_mute_and_coach_by_rest(customer: Customer, exchange: Exchange, sdk: Any) -> None:
    alice, bob = await two_in_a_room(customer, exchange)
    customer.says("/hold", "<Say>hold the line</Say>")
    [conference] = await sdk(
        lambda client: client.conferences.list(friendly_name="the room", status="in-progress")
    )

    async def change(handset: Handset, **changes: Any) -> Any:
        return await sdk(
            lambda client: client.conferences(conference.sid).participants(handset.sid).update(**changes)
        )

    assert (await change(alice, hold=True, hold_url=f"{customer.url}/hold")).hold is True
    await until(alice, "said", "hold the line")
    await until(bob, "unbridged")
    assert (await change(alice, hold=False)).hold is False
    await until(alice, "unheld")
    assert (await change(bob, muted=True)).muted is True
    coached = await change(bob, coaching=True, call_sid_to_coach=alice.sid)
    assert (coached.coaching, coached.call_sid_to_coach) == (True, alice.sid)
    await customer.told("/room", 7)
    assert [event for event, _ in told(customer)[3:]] == [
        "participant-hold", "participant-unhold", "participant-mute", "participant-modify",
    ]  # fmt: skip
    assert kinds(alice).count("bridged") == 2
    muted = await sdk(lambda client: client.conferences(conference.sid).participants.list(muted=True))
    assert [one.call_sid for one in muted] == [bob.sid]
    assert {asked.method for asked in customer.asked if asked.path == "/hold"} == {"GET"}


async def test_a_participant_is_added_and_kicked(customer: Customer, exchange: Exchange, sdk: Any) -> None:
    customer.says("/voice", room(action=False))
    alice = exchange.dial(ALICE, HOTLINE)
    await customer.told("/room", 1)
    phone = exchange.register("bob")
    added = await sdk(
        lambda client: client.conferences("the room").participants.create(
            from_=HOTLINE, to="client:bob", label="agent", end_conference_on_exit=False,
            status_callback=f"{customer.url}/leg", status_callback_event=["ringing", "answered", "completed"],
        )
    )  # fmt: skip
    assert (added.status, added.label) == ("queued", "agent")
    bob = await anext(aiter(phone))
    bob.answer()
    await until(alice, "bridged")
    [conference_sid] = exchange.conferences.by_sid
    assert await sdk(lambda client: client.conferences(conference_sid).participants("agent").delete())
    await over(bob)
    forms = await customer.told("/leg", 3)
    assert [form["CallStatus"] for form in forms] == ["ringing", "in-progress", "completed"]
    with pytest.raises(TwilioRestException) as gone:
        await sdk(lambda client: client.conferences(conference_sid).participants("agent").fetch())
    assert (gone.value.status, gone.value.code) == (404, 20404)


async def test_ending_by_rest_lets_the_legs_go_on(customer: Customer, exchange: Exchange, sdk: Any) -> None:
    customer.says("/after", "<Say>it was ended</Say>")
    alice, _ = await two_in_a_room(customer, exchange)
    [conference_sid] = exchange.conferences.by_sid
    ended = await sdk(lambda client: client.conferences(conference_sid).update(status="completed"))
    assert (ended.status, ended.reason_conference_ended) == ("completed", "conference-ended-via-api")
    assert await over(alice) == ["it was ended"]
    assert await sdk(lambda client: client.conferences(conference_sid).participants.list()) == []
    assert (await customer.told("/room", 6))[-1]["ReasonConferenceEnded"] == "conference-ended-via-api"


async def test_redirecting_a_participant_asks_for_two_documents_and_obeys_one(
    customer: Customer, exchange: Exchange, sdk: Any
) -> None:
    customer.says("/after", "<Say>never</Say>")
    customer.says("/elsewhere", "<Say>elsewhere</Say>")
    alice, _ = await two_in_a_room(customer, exchange)
    await sdk(lambda client: client.calls(alice.sid).update(url=f"{customer.url}/elsewhere", method="POST"))
    assert await over(alice) == ["elsewhere"]
    paths = [asked.path for asked in customer.asked if asked.form.get("CallSid") == alice.sid]
    assert paths.index("/after") < paths.index("/elsewhere")


async def test_a_conference_recording_ends_with_it(customer: Customer, exchange: Exchange) -> None:
    alice, bob = await two_in_a_room(
        customer, exchange, 'record="record-from-start" recordingStatusCallback="/recorded"'
    )
    await exchange.clock.sleep(3000)
    alice.hang_up()
    bob.hang_up()
    [form] = await customer.told("/recorded")
    assert (form["RecordingSource"], form["RecordingStatus"], "CallSid" in form) == (
        "Conference",
        "completed",
        False,
    )
    assert form["ConferenceSid"] in exchange.conferences.by_sid
