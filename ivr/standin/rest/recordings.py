"""Recordings: start, pause, resume and stop on a call or a conference; list, fetch, hear and delete all."""

from starlette.responses import JSONResponse, Response

from ivr.standin.audio import conversation
from ivr.standin.calls import IN_PROGRESS
from ivr.standin.recordings import COMPLETED, Recording
from ivr.standin.rest.asking import Answer, ApiError, Ask, gone
from ivr.standin.rest.calls import find as find_call
from ivr.standin.rest.conferences import find as find_conference
from ivr.standin.rest.instants import in_time
from ivr.standin.rest.paging import page
from ivr.standin.rest.subscriptions import recording_subscription

CURRENT = "Twilio.CURRENT"
NOT_IN_PROGRESS = "Requested resource is not eligible for recording"
CHANNELS = frozenset({"mono", "dual"})
STATUSES = frozenset({"paused", "in-progress", "stopped"})
TRACKS = frozenset({"inbound", "outbound", "both"})


async def start_on_call(ask: Ask) -> Answer:
    call = find_call(ask)
    if call.status != IN_PROGRESS:
        raise ApiError(400, 21220, NOT_IN_PROGRESS)
    recording = ask.exchange.tapes.record_call(
        call,
        channels=2 if ask.word("RecordingChannels", "mono", CHANNELS) == "dual" else 1,
        source="StartCallRecordingAPI",
        subscription=recording_subscription(ask),
        track=ask.word("RecordingTrack", "both", TRACKS),
    )
    return JSONResponse(show(ask, recording), ask.exchange.faults.recording_post_status)


async def start_on_conference(ask: Ask) -> Answer:
    conference = find_conference(ask)
    if conference.status != "in-progress":
        raise ApiError(400, 21220, NOT_IN_PROGRESS)
    subscription = recording_subscription(ask)
    return show(
        ask, ask.exchange.tapes.record_conference(conference, subscription, "StartConferenceRecordingAPI")
    )


async def update(ask: Ask) -> Answer:
    """Pause, resume or stop one that runs; ``Twilio.CURRENT`` is the one that is running."""
    recording = _running(ask)
    status = ask.word("Status", "", STATUSES)
    now_ms = ask.exchange.clock.now_ms()
    if status == "stopped":
        ask.exchange.tapes.stop(recording)
        return show(ask, recording) | {"status": "stopped"}
    if status == "paused" and recording.status == IN_PROGRESS:
        recording.pause(now_ms, skip=ask.one("PauseBehavior", "silence") == "skip")
        ask.exchange.reports.of_recording(recording)
    elif status == "in-progress" and recording.status == "paused":
        recording.resume(now_ms)
    return show(ask, recording)


def _running(ask: Ask) -> Recording:
    sid = ask.path("recording_sid")
    source_sid = _source_sid(ask)
    if sid == CURRENT:
        running = ask.exchange.recordings.running(source_sid)
        if not running:
            raise ask.not_found()
        return running[-1]
    recording = find(ask)
    if source_sid not in {recording.call_sid, recording.conference_sid}:
        raise ask.not_found()
    if not recording.is_running:
        raise ApiError(400, 21220, "The recording is not in progress")
    return recording


async def list_of_source(ask: Ask) -> Answer:
    recordings = ask.exchange.recordings.of(_source_sid(ask))[::-1]
    return page(ask, "recordings", recordings, lambda one: one.sid, lambda one: show(ask, one))


def _source_sid(ask: Ask) -> str:
    if "call_sid" in ask.request.path_params:
        return find_call(ask).sid
    return find_conference(ask).sid


async def listed(ask: Ask) -> Answer:
    recordings = [one for one in reversed(ask.exchange.recordings.by_sid.values()) if _is_wanted(ask, one)]
    return page(ask, "recordings", recordings, lambda one: one.sid, lambda one: show(ask, one))


def _is_wanted(ask: Ask, recording: Recording) -> bool:
    if recording.is_deleted and ask.query("IncludeSoftDeleted") != "true":
        return False
    for name, value in (("CallSid", recording.call_sid), ("ConferenceSid", recording.conference_sid)):
        if ask.query(name) and ask.query(name) != value:
            return False
    return in_time(ask, "DateCreated", recording.started_ms)


async def fetch(ask: Ask) -> Answer:
    return show(ask, find(ask))


async def delete(ask: Ask) -> Answer:
    """The sound is gone; a list that includes what was deleted still shows the rest."""
    find(ask).is_deleted = True
    return gone()


async def media(ask: Ask) -> Answer:
    """The sound, once there is one; two channels only of what was recorded on two."""
    recording = find(ask)
    if recording.status != COMPLETED:
        raise ask.not_found()
    channels = ask.query("RequestedChannels") or "1"
    if channels not in {"1", "2"}:
        raise ApiError(400, 20001, "RequestedChannels is 1 or 2")
    if int(channels) > recording.channels:
        raise ApiError(400, 21220, "This recording has one channel only")
    seconds = min(recording.duration_s or 1, ask.exchange.faults.audio_s_max)
    return Response(conversation(int(channels), seconds), media_type="audio/x-wav")


def find(ask: Ask) -> Recording:
    recording = ask.exchange.recordings.by_sid.get(ask.path("recording_sid"))
    if recording is None or recording.is_deleted:
        raise ask.not_found()
    return recording


def show(ask: Ask, recording: Recording) -> dict[str, object]:
    shown = recording.as_json(ask.account_sid, ask.exchange.base_url)
    return shown | ({"status": "deleted"} if recording.is_deleted else {})
