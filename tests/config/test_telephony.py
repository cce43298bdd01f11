"""The provider through the real SDK and real HTTP: what is asked, what comes back, what is no fault."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import web

from config.settings import Settings
from config.telephony import (
    Audio,
    Direction,
    LegFacts,
    LegGone,
    LegStatus,
    ProviderError,
    ProviderUnreachable,
    RecordingFacts,
    RecordingStatus,
    TwilioTelephony,
)
from tests.config.provider import ENDED, Provider, listed, refused, said, serving

LEG = "CA00000000000000000000000000000001"
QUEUE = "QU00000000000000000000000000000001"
RECORDING = "RE00000000000000000000000000000001"
LARGE = {"max_size": 1000}
# One frame of silence: RIFF header, two channels.
TWO_CHANNELS = b"RIFF\x28\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00" + b"\x00" * 20
ONE_CHANNEL = TWO_CHANNELS.replace(b"\x01\x00\x02\x00", b"\x01\x00\x01\x00", 1)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with serving(Provider()) as provider:
        yield provider


@pytest.fixture
async def telephony(settings: Settings, provider: Provider) -> AsyncIterator[TwilioTelephony]:
    telephony = TwilioTelephony(replace(settings, twilio_base_url=provider.base_url), jitter=lambda: 0.0)
    yield telephony
    await telephony.close()


def leg(**changes: object) -> dict[str, object]:
    return {
        "sid": LEG,
        "to": "+8657195598000",
        "from": "+8613800138000",
        "status": "in-progress",
        "direction": "inbound",
        "start_time": "Mon, 23 Nov 2026 01:00:00 +0000",
        "end_time": None,
    } | changes


async def test_ringing_somebody_asks_for_every_step_of_it(telephony: TwilioTelephony, provider: Provider):
    provider.answer("POST /Calls.json", said(201, sid=LEG, status="queued"))
    leg_id = await telephony.place(
        to="client:wang",
        from_="+8657195598000",
        url="https://hotline.example/voice/agent/x-1",
        status_url="https://hotline.example/voice/agent/x-1/status",
        timeout_s=15,
    )
    assert leg_id == LEG
    assert provider.asked[0].form == {
        "To": ["client:wang"],
        "From": ["+8657195598000"],
        "Url": ["https://hotline.example/voice/agent/x-1"],
        "Method": ["POST"],
        "StatusCallback": ["https://hotline.example/voice/agent/x-1/status"],
        "StatusCallbackMethod": ["POST"],
        "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
        "Timeout": ["15"],
    }


async def test_a_text_is_handed_over_once(telephony: TwilioTelephony, provider: Provider):
    provider.answer("POST /Messages.json", said(201, sid="SM1"))
    sent = {"to": "+8613800138000", "from_": "+8657195598000", "body": "您的客户经理是王敏。"}
    assert await telephony.send_text(**sent) == "SM1"
    assert [asked.form for asked in provider.asked] == [
        {"To": ["+8613800138000"], "From": ["+8657195598000"], "Body": ["您的客户经理是王敏。"]}
    ]


async def test_an_api_key_signs_in_for_the_account(settings: Settings, provider: Provider):
    keyed = replace(
        settings,
        twilio_base_url=provider.base_url,
        twilio_api_key_sid="SK00000000000000000000000000000001",
        twilio_api_key_secret="of the key",
    )
    telephony = TwilioTelephony(keyed)
    provider.answer(f"GET /Calls/{LEG}.json", said(200, **leg()))
    assert await telephony.leg(LEG) == LegFacts(
        leg_id=LEG,
        to="+8657195598000",
        from_="+8613800138000",
        status=LegStatus.IN_PROGRESS,
        direction=Direction.INBOUND,
        started_ms=1_795_395_600_000,
    )
    assert [(asked.line, asked.user) for asked in provider.asked] == [
        (f"GET /Calls/{LEG}.json", "SK00000000000000000000000000000001")
    ]
    await telephony.close()


async def test_the_environment_does_not_move_the_base_url(
    settings: Settings, provider: Provider, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TWILIO_EDGE", "singapore")
    monkeypatch.setenv("TWILIO_REGION", "sg1")
    telephony = TwilioTelephony(replace(settings, twilio_base_url=provider.base_url))
    assert await telephony.leg(LEG) is None
    assert provider.lines == [f"GET /Calls/{LEG}.json"]
    await telephony.close()


@pytest.mark.parametrize("answer", [ENDED, {"code": 20404, "message": "not found", "status": 404}])
async def test_a_leg_that_has_ended_is_gone_and_hanging_it_up_is_done(
    telephony: TwilioTelephony, provider: Provider, answer: dict[str, object]
):
    for _ in range(2):
        provider.answer(
            f"POST /Calls/{LEG}.json", web.json_response(answer, status=int(str(answer["status"])))
        )
    with pytest.raises(LegGone) as gone:
        await telephony.redirect(LEG, "https://hotline.example/voice/incoming")
    assert (gone.value.status, gone.value.code) == (answer["status"], answer["code"])
    await telephony.hang_up(LEG)
    assert [asked.form for asked in provider.asked] == [
        {"Url": ["https://hotline.example/voice/incoming"], "Method": ["POST"]},
        {"Status": ["completed"]},
    ]


async def test_another_refusal_of_a_hang_up_is_told(telephony: TwilioTelephony, provider: Provider):
    provider.answer(f"POST /Calls/{LEG}.json", refused(401, 20003, "Authenticate"))
    with pytest.raises(ProviderError) as told:
        await telephony.hang_up(LEG)
    assert not isinstance(told.value, LegGone)
    assert (told.value.status, told.value.code) == (401, 20003)


async def test_a_wrong_account_is_not_a_hang_up(telephony: TwilioTelephony, provider: Provider):
    with pytest.raises(ProviderError) as told:
        await telephony.place(
            to="client:wang", from_="+8657195598000", url="https://x", status_url="https://x", timeout_s=15
        )
    assert not isinstance(told.value, LegGone)
    assert provider.lines == ["POST /Calls.json"]


async def test_no_error_tells_a_number(telephony: TwilioTelephony, provider: Provider):
    provider.answer("POST /Calls.json", refused(400, 21211, "The number +8613800138000 is not valid"))
    with pytest.raises(ProviderError) as told:
        await telephony.place(
            to="+8613800138000", from_="+8657195598000", url="https://x", status_url="https://x", timeout_s=15
        )
    assert "13800138000" not in str(told.value)
    assert told.value.__suppress_context__
    assert told.value.code == 21211


async def test_an_answer_that_is_no_answer_is_an_error_of_the_provider(
    telephony: TwilioTelephony, provider: Provider
):
    provider.answer(f"GET /Calls/{LEG}.json", web.Response(text="<html>welcome to the hotel</html>"))
    with pytest.raises(ProviderError):
        await telephony.leg(LEG)


class TestPulling:
    async def test_the_queue_is_looked_up_once(self, telephony: TwilioTelephony, provider: Provider):
        provider.answer(
            "GET /Queues.json",
            listed(
                "queues",
                {"sid": "QU2", "friendly_name": "powerful"},
                {"sid": QUEUE, "friendly_name": "power"},
            ),
        )
        member = f"POST /Queues/{QUEUE}/Members/{LEG}.json"
        provider.answer(member, said(200, call_sid=LEG), said(200, call_sid=LEG))
        await telephony.pull("power", LEG, "https://hotline.example/voice/connect/x-1")
        await telephony.pull("power", LEG, "https://hotline.example/voice/connect/x-1")
        assert provider.lines == ["GET /Queues.json", member, member]
        assert provider.asked[1].form == {
            "Url": ["https://hotline.example/voice/connect/x-1"],
            "Method": ["POST"],
        }

    async def test_a_queue_that_nobody_made_yet_is_made_with_its_size_said(
        self, telephony: TwilioTelephony, provider: Provider
    ):
        provider.answer("GET /Queues.json", listed("queues"), listed("queues"))
        provider.answer("POST /Queues.json", said(201, sid=QUEUE), said(201, sid=QUEUE))
        with pytest.raises(LegGone):
            await telephony.pull("power", LEG, "https://x")
        assert provider.asked[1].form == {"FriendlyName": ["power"], "MaxSize": ["1000"]}

    async def test_a_queue_is_opened_with_its_size_before_anybody_enters_it(
        self, telephony: TwilioTelephony, provider: Provider
    ):
        small = {"sid": QUEUE, "friendly_name": "power", "max_size": 100}
        provider.answer(
            "GET /Queues.json", listed("queues"), listed("queues", small), listed("queues", small | LARGE)
        )
        provider.answer("POST /Queues.json", said(201, sid=QUEUE))
        provider.answer(f"POST /Queues/{QUEUE}.json", said(200, sid=QUEUE))
        for _ in range(3):
            await telephony.open_queue("power")
        assert [asked.form for asked in provider.asked if asked.line.startswith("POST")] == [
            {"FriendlyName": ["power"], "MaxSize": ["1000"]},
            {"MaxSize": ["1000"]},
        ]

    async def test_the_second_pull_of_a_caller_finds_him_gone(
        self, telephony: TwilioTelephony, provider: Provider
    ):
        queue = {"sid": QUEUE, "friendly_name": "power"}
        provider.answer("GET /Queues.json", listed("queues", queue), listed("queues", queue))
        provider.answer(f"POST /Queues/{QUEUE}/Members/{LEG}.json", said(200, call_sid=LEG))
        await telephony.pull("power", LEG, "https://x")
        with pytest.raises(LegGone):
            await telephony.pull("power", LEG, "https://x")
        # The queue was asked for again, in case it was the queue that had gone; it had not.
        assert provider.lines.count("GET /Queues.json") == 2
        assert provider.lines.count(f"POST /Queues/{QUEUE}/Members/{LEG}.json") == 2

    async def test_a_queue_that_was_made_anew_is_found_under_its_new_id(
        self, telephony: TwilioTelephony, provider: Provider
    ):
        provider.answer(
            "GET /Queues.json",
            listed("queues", {"sid": "QUold", "friendly_name": "power"}),
            listed("queues", {"sid": QUEUE, "friendly_name": "power"}),
        )
        provider.answer(f"POST /Queues/{QUEUE}/Members/{LEG}.json", said(200, call_sid=LEG))
        await telephony.pull("power", LEG, "https://x")
        assert provider.lines == [
            "GET /Queues.json",
            f"POST /Queues/QUold/Members/{LEG}.json",
            "GET /Queues.json",
            f"POST /Queues/{QUEUE}/Members/{LEG}.json",
        ]


class TestRecording:
    async def test_both_sides_are_asked_for_and_silence_is_kept(
        self, telephony: TwilioTelephony, provider: Provider
    ):
        provider.answer(f"POST /Calls/{LEG}/Recordings.json", said(201, sid=RECORDING))
        change = f"POST /Calls/{LEG}/Recordings/{RECORDING}.json"
        provider.answer(change, said(200, sid=RECORDING), said(200, sid=RECORDING), said(200, sid=RECORDING))
        assert await telephony.record(LEG, "https://hotline.example/recordings/callback/x/call") == RECORDING
        await telephony.pause_recording(LEG, RECORDING)
        await telephony.resume_recording(LEG, RECORDING)
        await telephony.stop_recording(LEG, RECORDING)
        assert [asked.form for asked in provider.asked] == [
            {
                "RecordingChannels": ["dual"],
                "RecordingTrack": ["both"],
                "Trim": ["do-not-trim"],
                "RecordingStatusCallback": ["https://hotline.example/recordings/callback/x/call"],
                "RecordingStatusCallbackMethod": ["POST"],
                "RecordingStatusCallbackEvent": ["in-progress", "completed", "absent"],
            },
            {"Status": ["paused"], "PauseBehavior": ["silence"]},
            {"Status": ["in-progress"]},
            {"Status": ["stopped"]},
        ]

    async def test_nobody_can_be_recorded_after_he_hung_up(
        self, telephony: TwilioTelephony, provider: Provider
    ):
        provider.answer(f"POST /Calls/{LEG}/Recordings.json", web.json_response(ENDED, status=400))
        with pytest.raises(LegGone):
            await telephony.record(LEG, "https://x")

    async def test_what_was_recorded_of_a_leg(self, telephony: TwilioTelephony, provider: Provider):
        recording = {
            "sid": RECORDING,
            "call_sid": LEG,
            "status": "completed",
            "channels": 2,
            "start_time": "Mon, 23 Nov 2026 01:00:10 +0000",
            "duration": "95",
        }
        running = recording | {"sid": "RE2", "status": "in-progress", "duration": "-1"}
        provider.answer(f"GET /Calls/{LEG}/Recordings.json", listed("recordings", recording, running))
        done = RecordingFacts(
            recording_id=RECORDING,
            leg_id=LEG,
            status=RecordingStatus.COMPLETED,
            channels=2,
            started_ms=1_795_395_610_000,
            duration_s=95,
        )
        assert await telephony.recordings_of(LEG) == (
            done,
            replace(done, recording_id="RE2", status=RecordingStatus.IN_PROGRESS, duration_s=None),
        )
        assert await telephony.recordings_of("CAunknown") == ()

    async def test_deleting_what_is_deleted_is_done(self, telephony: TwilioTelephony, provider: Provider):
        provider.answer(f"DELETE /Recordings/{RECORDING}.json", web.Response(status=204))
        await telephony.delete_recording(RECORDING)
        await telephony.delete_recording(RECORDING)
        assert provider.lines == [f"DELETE /Recordings/{RECORDING}.json"] * 2


class TestAudio:
    MEDIA = f"GET /Recordings/{RECORDING}.wav"

    async def test_both_channels(self, telephony: TwilioTelephony, provider: Provider, settings: Settings):
        provider.answer(self.MEDIA, web.Response(body=TWO_CHANNELS, content_type="audio/x-wav"))
        assert await telephony.fetch_audio(RECORDING) == Audio(
            content=TWO_CHANNELS, content_type="audio/x-wav", channels=2
        )
        assert [(asked.query, asked.user) for asked in provider.asked] == [
            ({"RequestedChannels": ["2"]}, settings.twilio_account_sid)
        ]

    async def test_one_channel_where_there_are_not_two(self, telephony: TwilioTelephony, provider: Provider):
        provider.answer(self.MEDIA, refused(400), web.Response(body=ONE_CHANNEL, content_type="audio/x-wav"))
        assert (await telephony.fetch_audio(RECORDING)).channels == 1
        assert [asked.query["RequestedChannels"] for asked in provider.asked] == [["2"], ["1"]]

    async def test_the_file_says_how_many_channels_it_has(
        self, telephony: TwilioTelephony, provider: Provider
    ):
        provider.answer(self.MEDIA, web.Response(body=ONE_CHANNEL, content_type="audio/x-wav"))
        assert (await telephony.fetch_audio(RECORDING)).channels == 1

    async def test_too_early(self, telephony: TwilioTelephony):
        with pytest.raises(ProviderError) as told:
            await telephony.fetch_audio(RECORDING)
        assert told.value.status == 404

    async def test_a_redirect_on_the_same_host_is_followed_with_credentials(
        self, telephony: TwilioTelephony, provider: Provider, settings: Settings
    ):
        provider.answer(self.MEDIA, web.Response(status=307, headers={"Location": "/elsewhere.wav"}))
        provider.answer("GET /elsewhere.wav", web.Response(body=TWO_CHANNELS, content_type="audio/wav"))
        assert (await telephony.fetch_audio(RECORDING)).content == TWO_CHANNELS
        assert [asked.user for asked in provider.asked] == [settings.twilio_account_sid] * 2

    async def test_no_other_host_sees_our_credentials(self, telephony: TwilioTelephony, provider: Provider):
        async with serving(Provider()) as stranger:
            there = f"{stranger.base_url}/loot.wav"
            provider.answer(self.MEDIA, web.Response(status=302, headers={"Location": there}))
            with pytest.raises(ProviderError, match="may not be fetched"):
                await telephony.fetch_audio(RECORDING)
            assert stranger.asked == []

    async def test_a_circle_ends(self, telephony: TwilioTelephony, provider: Provider):
        for line in (self.MEDIA, *["GET /round"] * 9):
            provider.answer(line, web.Response(status=302, headers={"Location": "/round"}))
        with pytest.raises(ProviderError, match="too many redirects"):
            await telephony.fetch_audio(RECORDING)
        assert provider.lines == [self.MEDIA, *["GET /round"] * 3]


class TestLists:
    async def test_pages_are_followed_and_words_are_ours(
        self, telephony: TwilioTelephony, provider: Provider
    ):
        statuses = (
            "queued",
            "ringing",
            "in-progress",
            "completed",
            "busy",
            "failed",
            "no-answer",
            "canceled",
        )
        page_two = "/2010-04-01/Accounts/AC00000000000000000000000000000001/Calls.json?Page=1&PageToken=PA1"
        provider.answer(
            "GET /Calls.json",
            listed("calls", *(leg(status=status) for status in statuses[:4]), next_page=page_two),
            listed("calls", *(leg(status=status, direction="outbound-api") for status in statuses[4:])),
        )
        found = await telephony.legs(to="+8657195598000")
        assert [(one.status, one.direction) for one in found] == [
            (LegStatus.QUEUED, Direction.INBOUND),
            (LegStatus.RINGING, Direction.INBOUND),
            (LegStatus.IN_PROGRESS, Direction.INBOUND),
            (LegStatus.COMPLETED, Direction.INBOUND),
            (LegStatus.BUSY, Direction.OUTBOUND),
            (LegStatus.FAILED, Direction.OUTBOUND),
            (LegStatus.NO_ANSWER, Direction.OUTBOUND),
            (LegStatus.CANCELED, Direction.OUTBOUND),
        ]
        assert [asked.query for asked in provider.asked] == [
            {"To": ["+8657195598000"], "PageSize": ["1000"]},
            {"Page": ["1"], "PageToken": ["PA1"]},
        ]

    async def test_since_an_instant_also_where_the_provider_filters_by_the_day(
        self, telephony: TwilioTelephony, provider: Provider
    ):
        at_nine = leg(sid="CA2", start_time="Mon, 23 Nov 2026 01:00:00 +0000")
        early = leg(sid="CA1", start_time="Mon, 23 Nov 2026 00:10:00 +0000")
        provider.answer("GET /Calls.json", listed("calls", at_nine, early, leg(sid="CA0", start_time=None)))
        found = await telephony.legs(status=LegStatus.NO_ANSWER, since_ms=1_795_395_600_400)
        assert [one.leg_id for one in found] == ["CA2"]
        assert provider.asked[0].query == {
            "Status": ["no-answer"],
            "StartTime>": ["2026-11-23T01:00:00Z"],
            "PageSize": ["1000"],
        }

    async def test_the_newest_few_also_those_that_have_not_started(
        self, telephony: TwilioTelephony, provider: Provider
    ):
        at_nine = "Mon, 23 Nov 2026 01:00:00 +0000"
        young = leg(sid="CA2", date_created=at_nine, start_time=None, status="queued")
        old = leg(sid="CA1", date_created="Mon, 23 Nov 2026 00:59:59 +0000")
        provider.answer("GET /Calls.json", listed("calls", young, old))
        found = await telephony.legs(to="client:wang", created_since_ms=1_795_395_600_400, limit=20)
        assert [(one.leg_id, one.created_ms) for one in found] == [("CA2", 1_795_395_600_000)]
        assert provider.asked[0].query == {"To": ["client:wang"], "PageSize": ["20"]}


class TestHold:
    async def test_one_party_of_the_conference(self, telephony: TwilioTelephony, provider: Provider):
        provider.answer("GET /Conferences.json", *(listed("conferences", {"sid": "CF1"}) for _ in range(2)))
        party = f"POST /Conferences/CF1/Participants/{LEG}.json"
        provider.answer(party, said(200, call_sid=LEG), said(200, call_sid=LEG))
        await telephony.hold("x", LEG, True)
        await telephony.hold("x", LEG, False)
        assert [asked.form for asked in provider.asked if asked.method == "POST"] == [
            {"Hold": ["true"]},
            {"Hold": ["false"]},
        ]
        assert provider.asked[0].query["FriendlyName"] == ["x"]

    async def test_a_conference_that_is_over(self, telephony: TwilioTelephony, provider: Provider):
        provider.answer("GET /Conferences.json", listed("conferences"))
        with pytest.raises(LegGone):
            await telephony.hold("x", LEG, True)


async def test_nobody_there(settings: Settings):
    telephony = TwilioTelephony(replace(settings, twilio_base_url="http://127.0.0.1:9"))
    with pytest.raises(ProviderUnreachable, match=r"no answer from 127\.0\.0\.1: ClientConnectorError"):
        await telephony.leg(LEG)
    await telephony.close()
