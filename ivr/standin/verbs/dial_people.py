"""Dial numbers, clients and SIP addresses: all at once or one after another; the first to answer wins.

Each is a child leg with a life of its own: it rings, answers, may hear a whisper, then joins its parent.
``completed`` says only that a child answered; whether the two ever talked is said by ``DialBridged``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ivr.standin import outgoing
from ivr.standin.bridges import Bridge
from ivr.standin.calls import COMPLETED, Call, RecordingWish, Subscription
from ivr.standin.inbox import Gone, Interrupt, Redirected, Target, Tidings
from ivr.standin.stage import WHISPER, Stage
from ivr.standin.twiml import Attribute, DocumentError, Element, Fault, Spec, anything, one_of, whole
from ivr.standin.verbs.attributes import ANY_METHOD, ANY_URL, CALL_EVENTS, callback

TIMEOUT_S, TIME_LIMIT_S = 30, 14_400
_NOUN = {"url": ANY_URL, "method": ANY_METHOD, **callback("statusCallback", CALL_EVENTS)}
_MACHINES = {
    "machineDetection": Attribute(one_of("Enable", "DetectMessageEnd")),
    "machineDetectionTimeout": Attribute(whole(3, 60)),
    "machineDetectionSpeechThreshold": Attribute(whole(1000, 6000)),
    "machineDetectionSpeechEndThreshold": Attribute(whole(500, 5000)),
    "machineDetectionSilenceTimeout": Attribute(whole(2000, 10_000)),
    "amdStatusCallback": ANY_URL,
    "amdStatusCallbackMethod": ANY_METHOD,
}


def is_number(text: str) -> bool:
    digits = text.removeprefix("+").translate(str.maketrans("", "", " -().,"))
    return digits.isascii() and digits.isdigit() and 2 <= len(digits) <= 16


def _inspect_number(number: Element) -> list[Fault]:
    return [] if is_number(number.text) else [Fault(13223, "Number: invalid phone number format")]


def _inspect_client(client: Element) -> list[Fault]:
    identity = client.text or next((child.text for child in client.children if child.name == "Identity"), "")
    return [] if 0 < len(identity) <= 256 else [Fault(12200, "Client: an identity of 1 to 256 characters")]


def _inspect_sip(sip: Element) -> list[Fault]:
    return (
        [] if sip.text.startswith(("sip:", "sips:")) else [Fault(13223, "Sip: an address starts with sip:")]
    )


NUMBER = Spec(
    "Number",
    {**_NOUN, **_MACHINES, "sendDigits": Attribute(anything, 13222), "byoc": Attribute(anything)},
    inspect=_inspect_number,
)
CLIENT = Spec(
    "Client",
    {**_NOUN, "clientNotificationUrl": ANY_URL},
    children=(
        Spec("Identity"),
        Spec("Parameter", {"name": Attribute(anything), "value": Attribute(anything)}),
    ),
    inspect=_inspect_client,
)
SIP = Spec(
    "Sip",
    {**_NOUN, **_MACHINES, "username": Attribute(anything), "password": Attribute(anything)},
    inspect=_inspect_sip,
)


@dataclass
class _Attempt:
    """One round of ringing: the children, who answered first, and how the last of the others ended."""

    children: list[Call]
    bridge: Bridge
    winner: Call | None = None
    status: str = "no-answer"
    talked_ms: int = 0


async def run(stage: Stage, dial: Element) -> Target | None:
    if not dial.flag("answerOnBridge", False):
        stage.exchange.answer(stage.call)
    caller_id = _caller_id(stage, dial)
    if caller_id is None:
        stage.exchange.complain(stage.call, 13214, "Dial: invalid callerId value")
        return _next(stage, dial, _Attempt([], Bridge(), status="failed"))
    nouns = list(dial.children) or [Element("Number", {}, dial.text)]
    rounds: Sequence[list[Element]] = (
        [[noun] for noun in nouns] if dial.flag("sequential", False) else [nouns]
    )
    attempt = _Attempt([], Bridge())
    for some in rounds:
        attempt = await _try(stage, dial, some, caller_id)
        if attempt.winner is not None:
            break
    return _next(stage, dial, attempt)


async def _try(stage: Stage, dial: Element, nouns: Sequence[Element], caller_id: str) -> _Attempt:
    bridge = Bridge()
    attempt = _Attempt([_child(stage, dial, noun, caller_id, bridge) for noun in nouns], bridge)
    try:
        await _await_winner(stage, attempt)
        if attempt.winner is not None:
            await _talk(stage, dial, attempt)
    except Interrupt as interrupt:
        _cut_short(stage, dial, attempt, interrupt)
        raise
    finally:
        bridge.break_off(stage.call)
        _clear_up(stage, attempt)
    return attempt


def _clear_up(stage: Stage, attempt: _Attempt) -> None:
    """No child outlives the dial, except one that was redirected away; nor does the dial's recording."""
    for child in attempt.children:
        if child is not attempt.bridge.freed:
            stage.exchange.hang_up(child)
    for recording in stage.exchange.recordings.running(stage.call.sid):
        if recording.source == "DialVerb":
            stage.exchange.tapes.stop(recording)


async def _await_winner(stage: Stage, attempt: _Attempt) -> None:
    while attempt.winner is None and not all(child.is_over for child in attempt.children):
        await stage.call.inbox.take()
        attempt.winner = attempt.bridge.awaited
    if attempt.winner is not None:
        attempt.status = COMPLETED
        for child in attempt.children:
            if child is not attempt.winner:
                stage.exchange.hang_up(child)
    elif attempt.children:
        attempt.status = attempt.children[-1].status


async def _talk(stage: Stage, dial: Element, attempt: _Attempt) -> None:
    """Wait until the winner has heard his whisper, then talk."""
    call, bridge, winner = stage.call, attempt.bridge, attempt.winner
    while winner not in bridge.legs and not bridge.is_over:
        await call.inbox.take()
    if bridge.is_over:
        return
    stage.exchange.answer(call)
    bridge.join(call)
    began_ms = stage.exchange.clock.now_ms()
    try:
        limit_ms = dial.number("timeLimit", TIME_LIMIT_S) * 1000
        await bridge.talk(call, limit_ms, star_ends=dial.flag("hangupOnStar", False))
    finally:
        attempt.talked_ms = stage.exchange.clock.now_ms() - began_ms


def _child(stage: Stage, dial: Element, noun: Element, caller_id: str, bridge: Bridge) -> Call:
    exchange, parent = stage.exchange, stage.call
    child = exchange.new_call(caller_id, _address(noun), "outbound-dial", parent.sid)
    child.timeout_s = dial.number("timeout", TIMEOUT_S)
    child.subscription = _subscription(stage, noun, "statusCallback")
    child.recording = _recording(stage, dial)
    url = noun.word("url")
    whisper = Target(stage.address(url), noun.word("method", "POST")) if url else None
    exchange.start(child, _live_child(stage, child, whisper, bridge))
    return child


async def _live_child(stage: Stage, child: Call, whisper: Target | None, bridge: Bridge) -> None:
    """Ring, whisper, be joined to the parent; redirected away it goes on alone."""
    exchange, parent = stage.exchange, stage.call
    try:
        if await outgoing.ring(exchange, child):
            bridge.awaited = bridge.awaited or child
            if bridge.awaited is child:
                await _join(stage, child, whisper, bridge)
            exchange.end_call(child, COMPLETED)
    except Redirected as redirected:
        bridge.freed = child
        _report(parent, child, bridge)
        await exchange.live(child, redirected.source)
    except Gone:
        pass
    finally:
        _report(parent, child, bridge)


async def _join(stage: Stage, child: Call, whisper: Target | None, bridge: Bridge) -> None:
    stage.call.inbox.put(Tidings("answered", child))
    await _whisper(stage, child, whisper)
    bridge.join(child)
    stage.call.inbox.put(Tidings("ready", child))
    await bridge.talk(child)


def _report(parent: Call, child: Call, bridge: Bridge) -> None:
    """The child is out of it, and its parent looks again."""
    if bridge.awaited is child:
        bridge.break_off(child)
    parent.inbox.put(Tidings("gone", child))


async def _whisper(stage: Stage, child: Call, whisper: Target | None) -> None:
    if whisper is None:
        return
    try:
        await stage.exchange.carry_out(child, whisper, WHISPER)
    except DocumentError:
        stage.exchange.end_call(child, COMPLETED)
        child.inbox.check()


def _cut_short(stage: Stage, dial: Element, attempt: _Attempt, interrupt: Interrupt) -> None:
    """The caller hung up or was redirected: the action is requested, its answer unheard."""
    faults = stage.exchange.faults
    if attempt.winner is None:
        attempt.status = "canceled"
    target = _next(stage, dial, attempt)
    if isinstance(interrupt, Redirected):
        interrupt.delay_ms = max(interrupt.delay_ms, faults.redirect_target_ms)
        if target is not None:
            stage.afterwards(target, faults.redirect_action_ms)
    elif target is not None and faults.action_on_hangup:
        stage.afterwards(target)


def _next(stage: Stage, dial: Element, attempt: _Attempt) -> Target | None:
    if not dial.word("action"):
        return None
    params = {
        "DialCallStatus": attempt.status,
        "DialBridged": "true" if attempt.bridge.has_talked else "false",
    }
    child = attempt.winner or (attempt.children[-1] if attempt.children else None)
    if child is not None:
        params["DialCallSid"] = child.sid
    if attempt.winner is not None and attempt.winner is not attempt.bridge.freed:
        params["DialCallDuration"] = str(round(attempt.talked_ms / 1000))
        params |= _recorded(stage, attempt.winner)
    return stage.action(dial, **params)


def _recorded(stage: Stage, child: Call) -> dict[str, str]:
    if child.recording is None:
        return {}
    recordings = [one for one in stage.exchange.recordings.of(stage.call.sid) if one.source == "DialVerb"]
    return {"RecordingUrl": stage.exchange.reports.recording_url(recordings[-1])} if recordings else {}


def _address(noun: Element) -> str:
    if noun.name == "Number":
        return noun.text.translate(str.maketrans("", "", " -()."))
    if noun.name == "Sip":
        return noun.text
    identity = noun.text or next(child.text for child in noun.children if child.name == "Identity")
    custom = "&".join(
        f"{child.word('name')}={child.word('value')}" for child in noun.children if child.name == "Parameter"
    )
    return f"client:{identity}" + (f"?{custom}" if custom else "")


def _caller_id(stage: Stage, dial: Element) -> str | None:
    """Who seems to be calling; only an address that is this call's or the account's own."""
    wished = dial.word("callerId")
    if not wished:
        return stage.call.from_
    allowed = {stage.call.from_, stage.call.to, *stage.exchange.numbers}
    is_fine = wished in allowed or wished.startswith("client:") or not stage.exchange.faults.verify_caller_id
    return wished if is_fine else None


def _subscription(stage: Stage, element: Element, name: str) -> Subscription | None:
    url = element.word(name)
    if not url:
        return None
    events = element.words(f"{name}Event", "completed")
    return Subscription(stage.address(url), element.word(f"{name}Method", "POST"), events)


def _recording(stage: Stage, dial: Element) -> RecordingWish | None:
    wish = dial.word("record", "do-not-record")
    if wish in {"do-not-record", "false"}:
        return None
    return RecordingWish(
        2 if wish.endswith("dual") else 1, "DialVerb", _subscription(stage, dial, "recordingStatusCallback")
    )
