"""Each verb as the provider's own table describes it."""

import asyncio
from typing import Any

import pytest
from starlette.responses import Response

from ivr.standin.audio import conversation
from ivr.standin.exchange import Exchange
from ivr.standin.options import Line
from tests.standin.conftest import ALICE, BOB, HOTLINE, kinds, over, until
from tests.standin.customer import Customer

# Say, Play, Pause, Redirect, Hangup, Reject


async def test_verbs_run_from_top_to_bottom_and_then_the_call_is_over(
    customer: Customer, exchange: Exchange
) -> None:
    customer.says("/voice", '<Say>one</Say><Pause length="2"/><Say loop="2">two</Say>')
    caller = exchange.dial(ALICE, HOTLINE)
    assert await over(caller) == ["one", "two", "two"]
    assert kinds(caller) == ["ringing", "answered", "said", "paused", "said", "said", "ended"]
    assert caller.heard[4].at_ms - caller.heard[3].at_ms >= 2000
    [first] = customer.to("/voice")
    [status] = await customer.told("/status")
    assert (first["CallStatus"], first["Direction"], first["From"], first["FromCity"]) == (
        "ringing", "inbound", ALICE, "",
    )  # fmt: skip
    assert (status["CallStatus"], status["SequenceNumber"], status["CallSid"]) == (
        "completed",
        "0",
        caller.sid,
    )
    assert int(status["CallDuration"]) >= 2


async def test_what_follows_a_redirect_is_never_reached(customer: Customer, exchange: Exchange) -> None:
    customer.says("/voice", '<Redirect method="GET">/next?a=1&amp;b=</Redirect><Say>never</Say>')
    customer.says("/next", "<Say>next</Say><Hangup/><Say>never</Say>")
    assert await over(exchange.dial(ALICE, HOTLINE)) == ["next"]
    assert [(one.path, one.method) for one in customer.asked[:2]] == [("/voice", "POST"), ("/next", "GET")]
    assert (customer.to("/next")[0]["a"], customer.to("/next")[0]["b"]) == ("1", "")


async def test_play_takes_as_long_as_the_sound(customer: Customer, exchange: Exchange) -> None:
    customer.media["/tone.wav"] = Response(conversation(1, 3), media_type="audio/x-wav")
    customer.says("/voice", '<Play loop="2">/tone.wav</Play>')
    caller = exchange.dial(ALICE, HOTLINE)
    await over(caller)
    played = [heard for heard in caller.heard if heard.kind == "played"]
    assert [heard.text for heard in played] == [f"{customer.url}/tone.wav"] * 2
    assert played[1].at_ms - played[0].at_ms >= 3000


async def test_a_sound_that_is_not_there_is_skipped_with_a_complaint(
    customer: Customer, exchange: Exchange
) -> None:
    customer.media["/none.wav"] = Response(status_code=404)
    customer.media["/page.wav"] = Response("<html>", media_type="text/html")
    customer.says("/voice", "<Play>/none.wav</Play><Play>/page.wav</Play><Say>on</Say>")
    assert await over(exchange.dial(ALICE, HOTLINE)) == ["on"]
    assert exchange.notifications.codes() == [11200, 13420]


@pytest.mark.parametrize(
    ("verb", "status"), [('<Reject reason="busy"/>', "busy"), ("<Reject/>", "no-answer")]
)
async def test_a_rejected_call_is_never_answered(
    verb: str, status: str, customer: Customer, exchange: Exchange
) -> None:
    customer.says("/voice", verb)
    caller = exchange.dial(ALICE, HOTLINE)
    await over(caller)
    assert kinds(caller) == ["ringing", "ended"]
    assert [form["CallStatus"] for form in await customer.told("/status")] == [status]


async def test_a_number_without_an_address_fails_at_once(exchange: Exchange) -> None:
    caller = exchange.dial(ALICE, "+8657100000000")
    assert caller.state == "ended"
    assert exchange.ended == {"failed": 1}


# Gather

GATHERED: list[tuple[str, str, dict[str, str] | None]] = [
    # attributes, keys pressed, what the action is told (None: it is not asked)
    ('numDigits="1"', "1", {"Digits": "1", "FinishedOnKey": ""}),
    ('numDigits="3"', "1234", {"Digits": "123", "FinishedOnKey": ""}),
    ("", "12#", {"Digits": "12", "FinishedOnKey": "#"}),
    ('finishOnKey="*"', "1#2*", {"Digits": "1#2", "FinishedOnKey": "*"}),
    ('finishOnKey=""', "12#", {"Digits": "12#", "FinishedOnKey": ""}),
    ('timeout="2"', "12", {"Digits": "12", "FinishedOnKey": ""}),
    ("", "#", None),
    ('timeout="1"', "", None),
    ('timeout="1" actionOnEmptyResult="true"', "", {"Digits": "", "FinishedOnKey": ""}),
    ('actionOnEmptyResult="true"', "#", {"Digits": "", "FinishedOnKey": "#"}),
    ('input="speech" timeout="1"', "1", None),
]


@pytest.mark.parametrize(("attributes", "keys", "told"), GATHERED)
async def test_gathering_keys(
    attributes: str, keys: str, told: dict[str, str] | None, customer: Customer, exchange: Exchange
) -> None:
    customer.says(
        "/voice", f'<Gather action="/keys" {attributes}><Say>please</Say></Gather><Say>nothing</Say>'
    )
    customer.says("/keys", "<Say>thanks</Say>")
    caller = exchange.dial(ALICE, HOTLINE)
    await until(caller, "gathering")
    caller.press(keys)
    said = await over(caller)
    if told is None:
        assert (said, customer.to("/keys")) == (["please", "nothing"], [])
        return
    assert said == ["please", "thanks"]
    [form] = customer.to("/keys")
    assert {name: form[name] for name in told} == told
    assert (form["msg"], form["CallStatus"]) == ("Gather End", "in-progress")


async def test_the_time_limit_starts_when_the_prompt_has_ended(
    customer: Customer, exchange: Exchange
) -> None:
    customer.says("/voice", f'<Gather timeout="3"><Say>{"a" * 100}</Say></Gather><Say>nothing</Say>')
    caller = exchange.dial(ALICE, HOTLINE)
    await over(caller)
    asked, said = (next(one for one in caller.heard if one.text == text) for text in ("a" * 100, "nothing"))
    assert said.at_ms - asked.at_ms >= 100 * 60 + 3000


async def test_a_key_stops_the_prompt_unless_barging_in_is_forbidden(
    customer: Customer, exchange: Exchange
) -> None:
    customer.says(
        "/voice", '<Gather action="/keys" numDigits="1" bargeIn="false"><Say>slow words</Say></Gather>'
    )
    caller = exchange.dial(ALICE, HOTLINE)
    await until(caller, "said")
    caller.press("1")
    await over(caller)
    assert customer.to("/keys") == []


async def test_keys_pressed_before_the_gather_are_not_kept(customer: Customer, exchange: Exchange) -> None:
    customer.says("/voice", '<Say>hi</Say><Gather timeout="1" action="/keys"/><Say>nothing</Say>')
    caller = exchange.dial(ALICE, HOTLINE)
    caller.press("1")
    assert await over(caller) == ["hi", "nothing"]


async def test_by_switch_keys_pressed_before_the_gather_are_kept(
    customer: Customer, exchange: Exchange
) -> None:
    exchange.faults.update({"keys_buffered": True})
    customer.says("/voice", '<Say>hi</Say><Gather timeout="1" numDigits="1" action="/keys"/>')
    caller = exchange.dial(ALICE, HOTLINE)
    await until(caller, "said")
    caller.press("1")
    await over(caller)
    assert [form["Digits"] for form in customer.to("/keys")] == ["1"]


async def test_gathering_words(customer: Customer, exchange: Exchange) -> None:
    customer.says(
        "/voice",
        '<Gather action="/words" input="dtmf speech" speechTimeout="auto" language="cmn-Hans-CN"'
        ' partialResultCallback="/partial"/>',
    )
    caller = exchange.dial(ALICE, HOTLINE)
    await until(caller, "gathering", "dtmf speech")
    caller.speak("我要报修", 0.87)
    await over(caller)
    [form] = customer.to("/words")
    assert (form["SpeechResult"], form["Confidence"], form["Language"]) == ("我要报修", "0.87", "cmn-Hans-CN")
    assert "Digits" not in form
    assert (await customer.told("/partial"))[0]["UnstableSpeechResult"] == "我要报修"


async def test_a_gather_without_an_action_asks_its_own_document(
    customer: Customer, exchange: Exchange
) -> None:
    customer.says(
        "/voice", lambda form: "<Say>done</Say>" if form.get("Digits") else '<Gather numDigits="1"/>'
    )
    caller = exchange.dial(ALICE, HOTLINE)
    await until(caller, "gathering")
    caller.press("7")
    assert await over(caller) == ["done"]
    assert [form.get("Digits") for form in customer.to("/voice")] == [None, "7"]


async def test_hanging_up_in_a_gather_asks_nothing_more(customer: Customer, exchange: Exchange) -> None:
    customer.says("/voice", '<Gather action="/keys"/>')
    caller = exchange.dial(ALICE, HOTLINE)
    await until(caller, "gathering")
    caller.hang_up()
    await customer.told("/status")
    assert customer.to("/keys") == []


# Record

RECORD = (
    '<Say>message please</Say><Record action="/message" maxLength="60" recordingStatusCallback="/recorded"'
    ' recordingStatusCallbackEvent="in-progress completed absent"/><Say>no message</Say>'
)


async def leave_message(exchange: Exchange, end: Any) -> None:
    caller = exchange.dial(ALICE, HOTLINE)
    await until(caller, "beep")
    caller.speak("my lamp is out, please come soon and bring a ladder with you")
    await asyncio.sleep(0.02)
    end(caller)
    await over(caller)


@pytest.mark.parametrize(
    ("end", "digits"),
    [
        (lambda caller: caller.press("5"), "5"),
        (lambda caller: caller.hang_up(), "hangup"),
        (lambda _: None, ""),
    ],
)
async def test_a_message_ends_by_key_by_hanging_up_or_by_silence(
    end: Any, digits: str, customer: Customer, exchange: Exchange
) -> None:
    customer.says("/voice", RECORD)
    customer.says("/message", "<Say>thank you</Say>")
    await leave_message(exchange, end)
    [form] = await customer.told("/message")
    assert (form["Digits"], int(form["RecordingDuration"]) >= 1) == (digits, True)
    assert form["RecordingUrl"].startswith(f"{exchange.base_url}/2010-04-01/Accounts/")
    started, completed = await customer.told("/recorded", 2)
    assert [started["RecordingStatus"], completed["RecordingStatus"]] == ["in-progress", "completed"]
    assert (completed["RecordingSource"], completed["RecordingChannels"]) == ("RecordVerb", "1")
    assert completed["RecordingDuration"] == form["RecordingDuration"]
    assert "From" not in completed


@pytest.mark.parametrize(
    ("switch", "said"), [("next", ["message please", "no message"]), ("action", ["message please", "empty"])]
)
async def test_nothing_said_is_no_message(
    switch: str, said: list[str], customer: Customer, exchange: Exchange
) -> None:
    exchange.faults.update({"silent_record": switch})
    customer.says("/voice", RECORD)
    customer.says("/message", "<Say>empty</Say>")
    assert await over(exchange.dial(ALICE, HOTLINE)) == said
    assert [form["RecordingStatus"] for form in await customer.told("/recorded", 2)] == [
        "in-progress",
        "absent",
    ]


# Start and Stop


async def test_a_recording_runs_beside_the_documents_until_it_is_stopped(
    customer: Customer, exchange: Exchange
) -> None:
    customer.says(
        "/voice",
        f'<Start><Recording name="tape" recordingStatusCallback="{customer.url}/taped"/></Start>'
        '<Pause length="3"/><Redirect>/next</Redirect>',
    )
    customer.says("/next", '<Pause length="3"/><Stop><Recording name="tape"/></Stop><Pause length="30"/>')
    await over(exchange.dial(ALICE, HOTLINE))
    [form] = await customer.told("/taped")
    assert (form["RecordingStatus"], form["RecordingChannels"]) == ("completed", "2")
    assert 6 <= int(form["RecordingDuration"]) < 30


# Dial people


async def test_the_called_person_answers_hears_a_whisper_and_talks(
    customer: Customer, exchange: Exchange
) -> None:
    customer.says(
        "/voice",
        '<Dial action="/after" timeout="20" record="record-from-answer-dual"><Number url="/whisper"'
        f' statusCallback="/child" statusCallbackEvent="initiated ringing answered completed">'
        f"{BOB}</Number></Dial>",
    )
    customer.says("/whisper", "<Say>a call for you</Say>")
    customer.says("/after", "<Say>bye</Say>")
    phone = exchange.register(BOB)
    caller = exchange.dial(ALICE, HOTLINE)
    bob = await anext(aiter(phone))
    assert (bob.from_, bob.to, bob.state) == (ALICE, BOB, "ringing")
    bob.answer()
    await until(bob, "bridged")
    assert kinds(bob) == ["ringing", "answered", "said", "bridged"]
    await until(caller, "bridged")
    await asyncio.sleep(0.02)
    bob.hang_up()
    assert await over(caller) == ["bye"]
    [after] = customer.to("/after")
    assert (after["DialCallStatus"], after["DialBridged"], after["DialCallSid"]) == (
        "completed",
        "true",
        bob.sid,
    )
    assert "RecordingUrl" in after
    told = await customer.told("/child", 4)
    assert [(one["CallStatus"], one["SequenceNumber"], one["ParentCallSid"]) for one in told] == [
        ("initiated", "0", caller.sid), ("ringing", "1", caller.sid),
        ("in-progress", "2", caller.sid), ("completed", "3", caller.sid),
    ]  # fmt: skip
    assert customer.to("/whisper")[0]["Direction"] == "outbound-dial"


async def test_answered_but_never_past_the_whisper_is_completed_and_not_bridged(
    customer: Customer, exchange: Exchange
) -> None:
    customer.says("/voice", f'<Dial action="/after"><Number url="/whisper">{BOB}</Number></Dial>')
    customer.says("/whisper", '<Gather numDigits="1" timeout="2"><Say>press one</Say></Gather><Hangup/>')
    phone = exchange.register(BOB)
    caller = exchange.dial(ALICE, HOTLINE)
    (await anext(aiter(phone))).answer()
    await over(caller)
    [after] = customer.to("/after")
    assert (after["DialCallStatus"], after["DialBridged"]) == ("completed", "false")


@pytest.mark.parametrize(
    ("who", "status"), [("bob busy", "busy"), ("bob out", "no-answer"), ("nobody there", "no-answer")]
)
async def test_why_nobody_came_to_the_phone(
    who: str, status: str, customer: Customer, exchange: Exchange
) -> None:
    customer.says("/voice", '<Dial action="/after" timeout="5"><Client>bob</Client></Dial><Say>never</Say>')
    customer.says("/after", "<Say>sorry</Say>")
    phone = exchange.register("bob") if who != "nobody there" else None
    caller = exchange.dial(ALICE, HOTLINE)
    if phone is not None:
        bob = await anext(aiter(phone))
        if who == "bob busy":
            bob.decline()
    assert await over(caller) == ["sorry"]
    [after] = customer.to("/after")
    assert (after["DialCallStatus"], after["DialBridged"]) == (status, "false")


async def test_without_an_action_the_next_verb_follows(customer: Customer, exchange: Exchange) -> None:
    customer.says("/voice", "<Dial><Client>nobody</Client></Dial><Say>next</Say>")
    assert await over(exchange.dial(ALICE, HOTLINE)) == ["next"]


async def test_the_first_to_answer_wins_and_the_others_stop_ringing(
    customer: Customer, exchange: Exchange
) -> None:
    customer.says(
        "/voice",
        "<Dial><Client>carol</Client>"
        '<Client statusCallback="/dave" statusCallbackEvent="completed">dave</Client></Dial>',
    )
    carols, daves = exchange.register("carol"), exchange.register("dave")
    caller = exchange.dial(ALICE, HOTLINE)
    carol, dave = await anext(aiter(carols)), await anext(aiter(daves))
    carol.answer()
    await until(caller, "bridged")
    await over(dave)
    assert [form["CallStatus"] for form in await customer.told("/dave")] == ["canceled"]
    caller.hang_up()
    await over(carol)
    assert kinds(carol) == ["ringing", "answered", "bridged", "unbridged", "ended"]


async def test_one_after_another(customer: Customer, exchange: Exchange) -> None:
    customer.says("/voice", '<Dial sequential="true"><Client>carol</Client><Client>dave</Client></Dial>')
    carols, daves = exchange.register("carol"), exchange.register("dave")
    caller = exchange.dial(ALICE, HOTLINE)
    carol = await anext(aiter(carols))
    carol.decline()
    dave = await anext(aiter(daves))
    dave.answer()
    await until(caller, "bridged")
    assert "bridged" not in kinds(carol)
    assert "bridged" in kinds(dave)


@pytest.mark.parametrize("is_called", [True, False])
async def test_the_caller_who_hangs_up_first_may_still_cause_the_action(
    is_called: bool, customer: Customer, exchange: Exchange
) -> None:
    exchange.faults.update({"action_on_hangup": is_called})
    customer.says("/voice", '<Dial action="/after"><Client>bob</Client></Dial>')
    phone = exchange.register("bob")
    caller = exchange.dial(ALICE, HOTLINE)
    bob = await anext(aiter(phone))
    bob.answer()
    await until(caller, "bridged")
    caller.hang_up()
    await over(bob)
    await customer.told("/status")
    if is_called:
        [after] = await customer.told("/after")
        assert (after["CallStatus"], after["DialCallStatus"]) == ("completed", "completed")
    else:
        assert customer.to("/after") == []


async def test_with_answer_on_bridge_the_caller_rings_until_somebody_is_there(
    customer: Customer, exchange: Exchange
) -> None:
    customer.says("/voice", '<Dial answerOnBridge="true"><Client>bob</Client></Dial>')
    phone = exchange.register("bob")
    caller = exchange.dial(ALICE, HOTLINE)
    bob = await anext(aiter(phone))
    assert caller.state == "ringing"
    bob.answer()
    await until(caller, "bridged")
    assert kinds(caller) == ["ringing", "answered", "bridged"]


async def test_custom_parameters_reach_the_client(customer: Customer, exchange: Exchange) -> None:
    customer.says(
        "/voice",
        '<Dial callerId="client:desk"><Client><Identity>bob</Identity>'
        '<Parameter name="order" value="7"/></Client></Dial>',
    )
    phone = exchange.register("bob")
    exchange.dial(ALICE, HOTLINE)
    bob = await anext(aiter(phone))
    assert (bob.parameters, bob.from_) == ({"order": "7"}, "client:desk")


async def test_a_caller_id_that_is_not_ours_is_refused(customer: Customer, exchange: Exchange) -> None:
    customer.says("/voice", '<Dial callerId="+15005550006" action="/after"><Client>bob</Client></Dial>')
    await over(exchange.dial(ALICE, HOTLINE))
    assert exchange.notifications.codes() == [13214]
    assert customer.to("/after")[0]["DialCallStatus"] == "failed"


async def test_a_number_of_the_account_answers_with_its_own_document(
    customer: Customer, exchange: Exchange
) -> None:
    other = "+8657188880001"
    exchange.numbers[other] = Line(f"{customer.url}/other")
    customer.says("/voice", f'<Dial action="/after"><Number>{other}</Number></Dial>')
    customer.says("/other", '<Say>the other line</Say><Pause length="5"/>')
    caller = exchange.dial(ALICE, HOTLINE)
    await over(caller)
    assert [form["From"] for form in customer.to("/other")] == [ALICE]
    assert [form["DialBridged"] for form in customer.to("/after")] == ["true"]
