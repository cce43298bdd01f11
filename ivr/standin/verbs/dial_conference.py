"""Dial Conference: join a conference, hear what its state says, and go on when out of it."""

from ivr.standin.calls import Subscription
from ivr.standin.conferences import NAME_CHARS_MAX, Conference, LabelTakenError, Participant
from ivr.standin.inbox import Changed, Interrupt, Key, Left, Redirected, Target
from ivr.standin.stage import CONFERENCE_WAIT, HOLD, Stage
from ivr.standin.twiml import (
    Attribute,
    DocumentError,
    Element,
    Fault,
    Spec,
    all_of,
    anything,
    boolean,
    one_of,
    whole,
)
from ivr.standin.verbs.attributes import ANY_METHOD, ANY_URL, RECORDING_EVENTS, TRIM, callback

TIME_LIMIT_S = 14_400
LABEL_CHARS_MAX = 128
SILENCE_MS = 3_600_000


def _inspect(conference: Element) -> list[Fault]:
    if 0 < len(conference.text) <= NAME_CHARS_MAX:
        return []
    return [Fault(13236, "Conference: a name of 1 to 128 characters")]


CONFERENCE = Spec(
    "Conference",
    {
        "muted": Attribute(boolean, 13230),
        "beep": Attribute(one_of("true", "false", "onEnter", "onExit"), 13235),
        "startConferenceOnEnter": Attribute(boolean, 13232),
        "endConferenceOnExit": Attribute(boolean, 13231),
        "participantLabel": Attribute(lambda text: len(text) <= LABEL_CHARS_MAX),
        "waitUrl": Attribute(ANY_URL.is_valid, 13233),
        "waitMethod": Attribute(ANY_METHOD.is_valid, 13234),
        "maxParticipants": Attribute(whole(2, 250)),
        "record": Attribute(one_of("do-not-record", "record-from-start", "true", "false")),
        **callback("recordingStatusCallback", RECORDING_EVENTS),
        "trim": TRIM,
        "region": Attribute(one_of("us1", "us2", "ie1", "de1", "sg1", "br1", "au1", "jp1")),
        "coach": Attribute(anything, 13240),
        **callback(
            "statusCallback",
            Attribute(
                all_of("start", "end", "join", "leave", "mute", "hold", "modify", "speaker", "announcement"),
                21626,
            ),
        ),
        "jitterBufferSize": Attribute(one_of("small", "medium", "large", "off")),
        "eventCallbackUrl": ANY_URL,
    },
    inspect=_inspect,
)


async def run(stage: Stage, dial: Element) -> Target | None:
    noun = dial.children[0]
    stage.exchange.answer(stage.call)
    participant = _enter(stage, noun)
    if participant is None:
        return _next(stage, dial, "failed")
    try:
        await _stay(stage, dial, noun, participant)
    except Interrupt as interrupt:
        _cut_short(stage, dial, interrupt)
        raise
    finally:
        participant.scope.is_over = True
        participant.conference.leave(participant, "participant_hung_up", stage.exchange.clock.now_ms())
    return _next(stage, dial, stage.exchange.faults.conference_dial_status)


def _enter(stage: Stage, noun: Element) -> Participant | None:
    """Into the conference, or None with a complaint about why not."""
    exchange, call = stage.exchange, stage.call
    coached = noun.word("coach")
    conference = exchange.conferences.open(noun.text, exchange.clock.now_ms())
    if coached and coached not in conference.participants:
        exchange.complain(call, 13240, "Conference: there is nobody with the call sid to coach")
        return None
    if len(conference.participants) >= conference.max_participants:
        exchange.complain(call, 13237, "Conference: it is full")
        return None
    if not conference.has_first:
        _settle_for_all(stage, noun, conference)
    participant = Participant(
        call,
        conference,
        label=noun.word("participantLabel"),
        muted=noun.flag("muted", False),
        coaching=bool(coached),
        call_sid_to_coach=coached,
        starts=noun.flag("startConferenceOnEnter", True),
        ends=noun.flag("endConferenceOnExit", False),
    )
    try:
        conference.join(participant, exchange.clock.now_ms())
    except LabelTakenError:
        exchange.complain(call, 16025, "Conference: the participant's label is taken")
        return None
    if noun.word("beep", "true") in {"true", "onEnter"}:
        for present in conference.participants.values():
            present.call.hear("beep")
    return participant


def _settle_for_all(stage: Stage, noun: Element, conference: Conference) -> None:
    """What the first participant says holds for the conference."""
    conference.has_first = True
    conference.max_participants = noun.number("maxParticipants", 250)
    conference.subscription = _subscription(stage, noun, "statusCallback", "")
    conference.recording_subscription = _subscription(stage, noun, "recordingStatusCallback", "completed")
    conference.record_from_start = noun.word("record") in {"record-from-start", "true"}


def _subscription(stage: Stage, noun: Element, name: str, default: str) -> Subscription | None:
    url = noun.word(name)
    events = noun.words(f"{name}Event", default)
    if not url or not events:
        return None
    return Subscription(stage.address(url), noun.word(f"{name}Method", "POST"), events)


async def _stay(stage: Stage, dial: Element, noun: Element, participant: Participant) -> None:
    """Do what the participant's mode says, and look again whenever something has changed."""
    clock = stage.exchange.clock
    until_ms = clock.now_ms() + dial.number("timeLimit", TIME_LIMIT_S) * 1000
    while clock.now_ms() < until_ms:
        try:
            if participant.mode == "wait":
                await _hear_wait(stage, noun, participant)
            elif participant.mode == "hold":
                await _hear_hold(stage, participant)
            elif participant.mode == "announcement":
                await _hear_announcement(stage, participant)
            elif await _talk(stage, dial, until_ms):
                return
        except Changed:
            continue
        except (Left, DocumentError):
            return


async def _talk(stage: Stage, dial: Element, until_ms: int) -> bool:
    """In conversation until interrupted; True when this leg itself has had enough."""
    signal = await stage.call.inbox.take(max(0, until_ms - stage.exchange.clock.now_ms()))
    if signal is None:
        return stage.exchange.clock.now_ms() >= until_ms
    return dial.flag("hangupOnStar", False) and isinstance(signal, Key) and signal.digit == "*"


async def _hear_wait(stage: Stage, noun: Element, participant: Participant) -> None:
    """The wait document once; when it is over there is silence."""
    if "waitUrl" not in noun.attributes:
        stage.call.hear("played", "music")
    elif noun.word("waitUrl"):
        target = Target(stage.address(noun.word("waitUrl")), noun.word("waitMethod", "POST"))
        conference = participant.conference
        extra = {"ConferenceSid": conference.sid, "FriendlyName": conference.friendly_name}
        params = extra if stage.exchange.faults.conference_wait_params else {}
        await stage.exchange.carry_out(stage.call, target, CONFERENCE_WAIT, lambda: params)
    while True:
        await stage.call.inbox.take(SILENCE_MS)


async def _hear_hold(stage: Stage, participant: Participant) -> None:
    """The hold document over and over (or once, by switch); music when there is none."""
    faults, clock = stage.exchange.faults, stage.exchange.clock
    while participant.hold_target is not None:
        began_ms = clock.now_ms()
        await stage.exchange.carry_out(stage.call, participant.hold_target, HOLD)
        if not faults.hold_loops:
            break
        await stage.pass_time(max(0, faults.wait_loop_ms_min - (clock.now_ms() - began_ms)))
    if participant.hold_target is None:
        stage.call.hear("played", "music")
    while True:
        await stage.call.inbox.take(SILENCE_MS)


async def _hear_announcement(stage: Stage, participant: Participant) -> None:
    target, participant.announcement = participant.announcement, None
    if target is not None:
        await stage.exchange.carry_out(stage.call, target, HOLD)


def _cut_short(stage: Stage, dial: Element, interrupt: Interrupt) -> None:
    faults = stage.exchange.faults
    target = _next(stage, dial, faults.conference_dial_status)
    if isinstance(interrupt, Redirected):
        interrupt.delay_ms = max(interrupt.delay_ms, faults.redirect_target_ms)
        if target is not None:
            stage.afterwards(target, faults.redirect_action_ms)
    elif target is not None and faults.action_on_hangup:
        stage.afterwards(target)


def _next(stage: Stage, dial: Element, status: str) -> Target | None:
    return stage.action(dial, DialCallStatus=status) if dial.word("action") else None
