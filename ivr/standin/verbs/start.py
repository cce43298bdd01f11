"""Start: what runs beside the document. Here, a recording of the call."""

from ivr.standin.calls import Subscription
from ivr.standin.inbox import Target
from ivr.standin.stage import Stage
from ivr.standin.twiml import Attribute, Element, Fault, Spec, absolute, anything, one_of
from ivr.standin.verbs.attributes import RECORDING_EVENTS, TRIM, callback


def _inspect(recording: Element) -> list[Fault]:
    """Here the provider was seen to refuse what is not absolute."""
    url = recording.word("recordingStatusCallback")
    if url and not absolute(url):
        return [Fault(11200, "Recording: recordingStatusCallback must be absolute")]
    return []


RECORDING = Spec(
    "Recording",
    {
        "name": Attribute(anything),
        **callback("recordingStatusCallback", RECORDING_EVENTS),
        "trim": TRIM,
        "track": Attribute(one_of("inbound", "outbound", "both")),
        "channels": Attribute(one_of("mono", "dual")),
        "recordingConfigurationId": Attribute(anything),
    },
    inspect=_inspect,
)
SPEC = Spec("Start", children=(RECORDING,))


async def run(stage: Stage, start: Element) -> Target | None:
    exchange = stage.exchange
    exchange.answer(stage.call)
    for recording in start.children:
        url = recording.word("recordingStatusCallback")
        method = recording.word("recordingStatusCallbackMethod", "POST")
        events = recording.words("recordingStatusCallbackEvent", "completed")
        exchange.tapes.record_call(
            stage.call,
            channels=1 if recording.word("channels", "dual") == "mono" else 2,
            source=exchange.faults.recording_source_start,
            subscription=Subscription(url, method, events) if url else None,
            track=recording.word("track", "both"),
            name=recording.word("name"),
        )
    return None
