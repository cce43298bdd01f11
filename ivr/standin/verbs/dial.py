"""Dial: connect the call with people, with a queue or with a conference. Which of them, its nouns say."""

from ivr.standin.inbox import Target
from ivr.standin.stage import Stage
from ivr.standin.twiml import Attribute, Element, Fault, Spec, anything, boolean, one_of, whole
from ivr.standin.verbs import dial_conference, dial_people, dial_queue
from ivr.standin.verbs.attributes import ANY_METHOD, ANY_URL, RECORDING_EVENTS, TRIM, callback

NOUNS_MAX = 10
RECORD_WORDS = (
    "do-not-record",
    "record-from-answer",
    "record-from-ringing",
    "record-from-answer-dual",
    "record-from-ringing-dual",
    "true",
    "false",
)


def _inspect(dial: Element) -> list[Fault]:
    faults = []
    if len(dial.children) > NOUNS_MAX:
        faults.append(Fault(13215, "Dial: more than ten nouns"))
    alone = [child for child in dial.children if child.name in {"Conference", "Queue"}]
    if alone and len(dial.children) > 1:
        faults.append(Fault(13215, f"Dial: {alone[0].name} stands alone"))
    if not dial.children and not dial.text:
        faults.append(Fault(13223, "Dial: there is nobody to dial"))
    return faults


SPEC = Spec(
    "Dial",
    {
        "action": ANY_URL,
        "method": Attribute(ANY_METHOD.is_valid, 13210),
        "timeout": Attribute(whole(5, 600), 13212),
        "timeLimit": Attribute(whole(1, 86_400), 13216),
        "callerId": Attribute(anything, 13214),
        "answerOnBridge": Attribute(boolean),
        "hangupOnStar": Attribute(boolean, 13213),
        "record": Attribute(one_of(*RECORD_WORDS)),
        "recordingTrack": Attribute(one_of("inbound", "outbound", "both")),
        "trim": TRIM,
        **callback("recordingStatusCallback", RECORDING_EVENTS),
        "ringTone": Attribute(anything),
        "sequential": Attribute(boolean),
        "referUrl": ANY_URL,
        "referMethod": ANY_METHOD,
        "callReason": Attribute(anything),
    },
    children=(
        dial_people.NUMBER,
        dial_people.CLIENT,
        dial_people.SIP,
        dial_conference.CONFERENCE,
        dial_queue.QUEUE,
    ),
    nesting_code=13215,
    inspect=_inspect,
)


async def run(stage: Stage, dial: Element) -> Target | None:
    nouns = {child.name for child in dial.children}
    if "Conference" in nouns:
        return await dial_conference.run(stage, dial)
    if "Queue" in nouns:
        return await dial_queue.run(stage, dial)
    return await dial_people.run(stage, dial)
