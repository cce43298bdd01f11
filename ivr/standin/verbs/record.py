"""Record: a message after the beep, until silence, a key, the length limit or the caller's end.

The recording lasts from the beep to the end of the last words (silence is trimmed off). Without a word
there is no recording and the next verb follows.
"""

from dataclasses import dataclass

from ivr.standin.calls import Subscription
from ivr.standin.inbox import Gone, Key, Speech, Target
from ivr.standin.recordings import Recording
from ivr.standin.stage import Stage
from ivr.standin.twiml import Attribute, Element, Spec, boolean, whole
from ivr.standin.verbs.attributes import ANY_METHOD, ANY_URL, RECORDING_EVENTS, TRIM, callback, some_digits

SILENCE_S, LENGTH_S_MAX, LENGTH_S_TRANSCRIBED = 5, 3600, 120

SPEC = Spec(
    "Record",
    {
        "action": ANY_URL,
        "method": Attribute(ANY_METHOD.is_valid, 13610),
        "timeout": Attribute(whole(0, 3600), 13611),
        "finishOnKey": Attribute(some_digits, 13613),
        "maxLength": Attribute(whole(1, 14_400), 13612),
        "playBeep": Attribute(boolean, 13614),
        "trim": TRIM,
        **callback("recordingStatusCallback", RECORDING_EVENTS),
        "transcribe": Attribute(boolean),
        "transcribeCallback": ANY_URL,
    },
    needs_action_inline=True,
)


@dataclass
class _Message:
    """What has been said so far, in milliseconds since the beep."""

    spoken_until_ms: int = 0
    has_words: bool = False


async def run(stage: Stage, record: Element) -> Target | None:
    exchange, call = stage.exchange, stage.call
    exchange.answer(call)
    call.inbox.forget_heard()
    if record.flag("playBeep", True):
        call.hear("beep")
    recording = exchange.tapes.record_call(
        call, channels=1, source="RecordVerb", subscription=_subscription(stage, record)
    )
    message = _Message()
    try:
        key = await _listen(stage, record, recording.started_ms, message)
    except Gone:
        _finish(stage, recording, message)
        if message.has_words:
            stage.afterwards(_action(stage, record, recording, message, "hangup"))
        raise
    except BaseException:
        _finish(stage, recording, message)
        raise
    _finish(stage, recording, message)
    if not message.has_words and exchange.faults.silent_record == "next":
        return None
    return _action(stage, record, recording, message, key)


async def _listen(stage: Stage, record: Element, beep_ms: int, message: _Message) -> str:
    """Wait for the end of the message; the key that ended it, or nothing."""
    now_ms = stage.exchange.clock.now_ms
    silence_ms = record.number("timeout", SILENCE_S) * 1000
    longest_s = LENGTH_S_TRANSCRIBED if record.flag("transcribe", False) else LENGTH_S_MAX
    longest_ms = record.number("maxLength", longest_s) * 1000
    keys = record.word("finishOnKey", "1234567890*#")
    while True:
        passed_ms = now_ms() - beep_ms
        quiet_ms = message.spoken_until_ms + silence_ms if silence_ms else longest_ms
        signal = await stage.call.inbox.take(max(0, min(longest_ms, quiet_ms) - passed_ms))
        passed_ms = min(now_ms() - beep_ms, longest_ms)
        if isinstance(signal, Speech):
            message.has_words = True
            message.spoken_until_ms = min(
                max(message.spoken_until_ms, passed_ms) + signal.lasts_ms, longest_ms
            )
        elif isinstance(signal, Key) and signal.digit in keys:
            message.spoken_until_ms = min(message.spoken_until_ms, passed_ms)
            return signal.digit
        elif signal is None and passed_ms >= min(longest_ms, quiet_ms):
            return ""


def _finish(stage: Stage, recording: Recording, message: _Message) -> None:
    """Trim to the words; a caller who hung up in mid-sentence said no more than there was time for."""
    passed_ms = stage.exchange.clock.now_ms() - recording.started_ms
    recorded_ms = max(1000, min(message.spoken_until_ms, passed_ms)) if message.has_words else 0
    if recording.is_running:
        stage.exchange.tapes.stop(recording, recorded_ms)
    else:
        recording.recorded_ms = recorded_ms


def _action(stage: Stage, record: Element, recording: Recording, message: _Message, key: str) -> Target:
    return stage.action(
        record,
        RecordingUrl=stage.exchange.reports.recording_url(recording),
        RecordingSid=recording.sid,
        RecordingDuration=str(max(1, round(recording.recorded_ms / 1000)) if message.has_words else 0),
        Digits=key,
    )


def _subscription(stage: Stage, record: Element) -> Subscription | None:
    url = record.word("recordingStatusCallback")
    if not url:
        return None
    return Subscription(
        stage.address(url),
        record.word("recordingStatusCallbackMethod", "POST"),
        record.words("recordingStatusCallbackEvent", "completed"),
    )
