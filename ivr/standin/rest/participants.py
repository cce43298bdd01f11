"""Participants: add by ringing somebody, hold, mute, coach, announce, remove."""

from ivr.standin.calls import Subscription
from ivr.standin.conferences import COMPLETED, Participant
from ivr.standin.rest.asking import Answer, ApiError, Ask, gone
from ivr.standin.rest.calls import check_ends, place_call
from ivr.standin.rest.conferences import find as find_conference
from ivr.standin.rest.paging import page
from ivr.standin.rest.subscriptions import recording_subscription
from ivr.standin.sids import is_sid
from ivr.standin.twiml import Document, Element

PARTICIPANTS_MAX = 250
CONFERENCE_EVENTS = "start end"


async def create(ask: Ask) -> Answer:
    """Ring somebody who, on answering, finds himself in the conference."""
    name = ask.path("conference_sid")
    exchange = ask.exchange
    conference = exchange.conferences.live(name)
    if conference is None and is_sid(name, "CF"):
        raise ask.not_found()
    to, from_ = check_ends(ask)
    room = conference.friendly_name if conference is not None else name
    noun = _noun(ask, room)
    if conference is None:
        conference = exchange.conferences.open(room, exchange.clock.now_ms())
    if not conference.has_first:
        conference.has_first = True
        conference.max_participants = ask.number("MaxParticipants", PARTICIPANTS_MAX, 2, PARTICIPANTS_MAX)
        conference.subscription = _conference_subscription(ask)
        conference.record_from_start = ask.one("ConferenceRecord") in {"true", "record-from-start"}
        conference.recording_subscription = recording_subscription(ask, "ConferenceRecordingStatusCallback")
    call = place_call(ask, to, ask.one("CallerId") or from_)
    exchange.place(call, Document(None, "POST", (Element("Dial", {}, "", (noun,)),)))
    waiting = Participant(call, conference, label=ask.one("Label"), joined_ms=call.created_ms)
    return waiting.as_json(ask.account_sid) | {"status": "queued"}


def _noun(ask: Ask, room: str) -> Element:
    """The request as the document that the answered leg carries out."""
    attributes = {
        "startConferenceOnEnter": _word(ask.flag("StartConferenceOnEnter", default=True)),
        "endConferenceOnExit": _word(ask.flag("EndConferenceOnExit", default=False)),
        "muted": _word(ask.flag("Muted", default=False)),
        "beep": ask.one("Beep", "true"),
        "participantLabel": ask.one("Label"),
    }
    if ask.flag("Coaching", default=False) or ask.one("CallSidToCoach"):
        attributes["coach"] = ask.one("CallSidToCoach")
    if ask.has("WaitUrl"):
        attributes |= {"waitUrl": ask.one("WaitUrl"), "waitMethod": ask.method("WaitMethod")}
    return Element("Conference", attributes, room)


def _conference_subscription(ask: Ask) -> Subscription | None:
    url = ask.url("ConferenceStatusCallback")
    if not url:
        return None
    events = " ".join(ask.many("ConferenceStatusCallbackEvent")) or CONFERENCE_EVENTS
    return Subscription(url, ask.method("ConferenceStatusCallbackMethod"), frozenset(events.split()))


async def fetch(ask: Ask) -> Answer:
    return find(ask).as_json(ask.account_sid)


async def update(ask: Ask) -> Answer:
    participant = find(ask)
    _mute(ask, participant)
    _hold(ask, participant)
    _modify(ask, participant)
    announcement = ask.target("AnnounceUrl", "AnnounceMethod")
    if announcement is not None:
        participant.announcement = announcement
        participant.conference.look_again(participant)
    participant.updated_ms = ask.exchange.clock.now_ms()
    return participant.as_json(ask.account_sid)


def _mute(ask: Ask, participant: Participant) -> None:
    if ask.has("Muted"):
        muted = ask.one("Muted").lower() == "true"
        if muted != participant.muted:
            participant.muted = muted
            if muted:
                participant.call.hear("muted")
            _tell(participant, "mute" if muted else "unmute")


def _hold(ask: Ask, participant: Participant) -> None:
    if not ask.has("Hold"):
        return
    hold = ask.flag("Hold", default=False)
    participant.hold_target = ask.target("HoldUrl", "HoldMethod", "GET") if hold else None
    if hold != participant.hold:
        participant.hold = hold
        participant.call.hear("held" if hold else "unheld")
        participant.conference.look_again(participant)
        _tell(participant, "hold" if hold else "unhold")


def _modify(ask: Ask, participant: Participant) -> None:
    """Changes that are told of as one kind."""
    before = (participant.ends, participant.coaching, participant.call_sid_to_coach)
    participant.ends = ask.flag("EndConferenceOnExit", default=participant.ends)
    if ask.has("Coaching"):
        participant.coaching = ask.flag("Coaching", default=False)
        participant.call_sid_to_coach = ask.one("CallSidToCoach") if participant.coaching else ""
        if participant.coaching and participant.call_sid_to_coach not in participant.conference.participants:
            participant.coaching = False
            raise ApiError(400, 13240, "There is nobody with the call sid to coach")
    if before != (participant.ends, participant.coaching, participant.call_sid_to_coach):
        _tell(participant, "modify")


def _tell(participant: Participant, event: str) -> None:
    participant.conference.tell(participant.conference, event, participant.params())


async def delete(ask: Ask) -> Answer:
    """Out of the conference; the call goes on with its next verb, or by switch ends."""
    participant = find(ask)
    now_ms = ask.exchange.clock.now_ms()
    participant.conference.leave(participant, "participant_updated_via_api", now_ms, is_kicked=True)
    if not ask.exchange.faults.kicked_continues:
        ask.exchange.hang_up(participant.call)
    return gone()


async def listed(ask: Ask) -> Answer:
    conference = find_conference(ask)
    present = [] if conference.status == COMPLETED else list(conference.participants.values())
    wanted = [one for one in present if _is_wanted(ask, one)]
    return page(
        ask, "participants", wanted, lambda one: one.call.sid, lambda one: one.as_json(ask.account_sid)
    )


def _is_wanted(ask: Ask, participant: Participant) -> bool:
    facts = {"Muted": participant.muted, "Hold": participant.hold, "Coaching": participant.coaching}
    return all(ask.query(name).lower() in {"", _word(fact)} for name, fact in facts.items())


def find(ask: Ask) -> Participant:
    participant = find_conference(ask).find(ask.path("call_sid"))
    if participant is None:
        raise ask.not_found()
    return participant


def _word(flag: bool) -> str:
    return "true" if flag else "false"
