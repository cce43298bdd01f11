"""Conferences: who is in, who hears what, and when it starts and ends.

A conference starts when two are in it and one of them may start it; it ends when the last leaves or one
whose leaving ends it. It is never opened again: the same name later is another conference. Where its
callbacks go is decided by the first participant alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from ivr.standin.calls import Call, Lane, Subscription
from ivr.standin.dates import rfc2822
from ivr.standin.inbox import Changed, Left, Scope, Target
from ivr.standin.sids import new_sid

INIT, IN_PROGRESS, COMPLETED = "init", "in-progress", "completed"
NAME_CHARS_MAX = 128
EVENTS = {
    "start": "conference-start",
    "end": "conference-end",
    "join": "participant-join",
    "leave": "participant-leave",
    "mute": "participant-mute",
    "unmute": "participant-unmute",
    "hold": "participant-hold",
    "unhold": "participant-unhold",
    "modify": "participant-modify",
}
SUBSCRIBED_AS = {name: name for name in EVENTS} | {"unmute": "mute", "unhold": "hold"}
Tell = Callable[["Conference", str, dict[str, str]], None]


class LabelTakenError(Exception):
    """Another participant of the conference has this label."""


@dataclass(eq=False)
class Participant:
    call: Call
    conference: "Conference"
    label: str = ""
    muted: bool = False
    hold: bool = False
    hold_target: Target | None = None
    announcement: Target | None = None
    coaching: bool = False
    call_sid_to_coach: str = ""
    starts: bool = True
    ends: bool = False
    joined_ms: int = 0
    updated_ms: int = 0
    scope: Scope = field(default_factory=Scope)
    is_bridged: bool = False

    @property
    def mode(self) -> str:
        """What this leg should be doing now."""
        if self.announcement is not None:
            return "announcement"
        if self.hold:
            return "hold"
        return "talk" if self.conference.status == IN_PROGRESS else "wait"

    def params(self) -> dict[str, str]:
        params = {
            "CallSid": self.call.sid,
            "Muted": _word(self.muted),
            "Hold": _word(self.hold),
            "Coaching": _word(self.coaching),
            "EndConferenceOnExit": _word(self.ends),
            "StartConferenceOnEnter": _word(self.starts),
        }
        return params | ({"ParticipantLabel": self.label} if self.label else {})

    def as_json(self, account_sid: str) -> dict[str, object]:
        conference_sid = self.conference.sid
        room = f"/2010-04-01/Accounts/{account_sid}/Conferences/{conference_sid}"
        return {
            "account_sid": account_sid,
            "call_sid": self.call.sid,
            "conference_sid": conference_sid,
            "label": self.label or None,
            "call_sid_to_coach": self.call_sid_to_coach or None,
            "coaching": self.coaching,
            "muted": self.muted,
            "hold": self.hold,
            "start_conference_on_enter": self.starts,
            "end_conference_on_exit": self.ends,
            "status": "connected",
            "queue_time": str(self.call.queue_time_ms),
            "date_created": rfc2822(self.joined_ms),
            "date_updated": rfc2822(self.updated_ms or self.joined_ms),
            "uri": f"{room}/Participants/{self.call.sid}.json",
        }


@dataclass(eq=False)
class Conference:
    sid: str
    friendly_name: str
    created_ms: int
    tell: Tell
    max_participants: int = 250
    status: str = INIT
    updated_ms: int = 0
    participants: dict[str, Participant] = field(default_factory=dict)
    subscription: Subscription | None = None
    has_first: bool = False
    record_from_start: bool = False
    recording_subscription: Subscription | None = None
    reason_ended: str | None = None
    call_sid_ending: str | None = None
    sequence: int = 1
    lane: Lane = field(default_factory=Lane)

    def join(self, participant: Participant, now_ms: int) -> None:
        if participant.label and self.find(participant.label) is not None:
            raise LabelTakenError(participant.label)
        participant.joined_ms = now_ms
        self.participants[participant.call.sid] = participant
        participant.call.participant = participant
        self.tell(self, "join", participant.params())
        if self._may_start():
            self.status, self.updated_ms = IN_PROGRESS, now_ms
            self.tell(self, "start", {})
            self._ask_to_look_again(besides=participant)
        self._settle()

    def leave(
        self,
        participant: Participant,
        reason: str,
        now_ms: int,
        *,
        is_kicked: bool = False,
        knows: bool = False,
    ) -> bool:
        """One goes, and is told unless he ``knows``; who stays may be without a conference afterwards."""
        if self.participants.pop(participant.call.sid, None) is None:
            return False
        self._let_go(participant, reason, knows=knows)
        if participant.ends and self.status != COMPLETED:
            kind = "kicked" if is_kicked else "left"
            self.end(f"participant-with-end-conference-on-exit-{kind}", now_ms, by=participant.call.sid)
        elif not self.participants and self.status != COMPLETED:
            kind = "kicked" if is_kicked else "left"
            self.end(f"last-participant-{kind}", now_ms, by=participant.call.sid)
        self._settle()
        return True

    def end(self, reason: str, now_ms: int, by: str | None = None) -> None:
        if self.status == COMPLETED:
            return
        self.status, self.updated_ms, self.reason_ended, self.call_sid_ending = COMPLETED, now_ms, reason, by
        why = (
            "conference_ended_via_api"
            if reason == "conference-ended-via-api"
            else "moderator_ended_conference"
        )
        for participant in list(self.participants.values()):
            del self.participants[participant.call.sid]
            self._let_go(participant, why)
        params = {"ReasonConferenceEnded": reason, "Reason": reason.replace("-", " ")}
        self.tell(self, "end", params | ({"CallSidEndingConference": by} if by else {}))

    def find(self, sid_or_label: str) -> Participant | None:
        found = self.participants.get(sid_or_label)
        if found is not None:
            return found
        return next((one for one in self.participants.values() if one.label == sid_or_label), None)

    def look_again(self, participant: Participant) -> None:
        """Something about one participant changed: his leg asks anew what it should be doing."""
        participant.call.inbox.put(Changed(participant.scope))
        self._settle()

    def as_json(self, account_sid: str) -> dict[str, object]:
        uri = f"/2010-04-01/Accounts/{account_sid}/Conferences/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": account_sid,
            "friendly_name": self.friendly_name,
            "api_version": "2010-04-01",
            "region": "us1",
            "status": self.status,
            "reason_conference_ended": self.reason_ended,
            "call_sid_ending_conference": self.call_sid_ending,
            "date_created": rfc2822(self.created_ms),
            "date_updated": rfc2822(self.updated_ms or self.created_ms),
            "uri": f"{uri}.json",
            "subresource_uris": {
                "participants": f"{uri}/Participants.json",
                "recordings": f"{uri}/Recordings.json",
            },
        }

    def _may_start(self) -> bool:
        return (
            self.status == INIT
            and len(self.participants) > 1
            and any(participant.starts for participant in self.participants.values())
        )

    def _ask_to_look_again(self, besides: Participant) -> None:
        for participant in self.participants.values():
            if participant is not besides:
                participant.call.inbox.put(Changed(participant.scope))

    def _let_go(self, participant: Participant, reason: str, *, knows: bool = False) -> None:
        call = participant.call
        call.participant = None
        if participant.is_bridged:
            participant.is_bridged = False
            call.hear("unbridged", self.friendly_name)
        if not knows:
            call.inbox.put(Left(participant.scope))
        params = {"ParticipantCallStatus": call.status, "ReasonParticipantLeft": reason}
        self.tell(self, "leave", participant.params() | params)

    def _settle(self) -> None:
        """Who can talk with another hears it said once, and once that it is over."""
        talking = [one for one in self.participants.values() if one.mode == "talk"]
        for participant in self.participants.values():
            together = self.status == IN_PROGRESS and participant in talking and len(talking) > 1
            if together != participant.is_bridged:
                participant.is_bridged = together
                participant.call.hear("bridged" if together else "unbridged", self.friendly_name)


class Conferences:
    def __init__(self, tell: Tell) -> None:
        self.by_sid: dict[str, Conference] = {}
        self._live: dict[str, Conference] = {}
        self._tell = tell

    def live(self, name_or_sid: str) -> Conference | None:
        """The conference of that name, or with that sid, that has not ended."""
        found = self._live.get(name_or_sid) or self.by_sid.get(name_or_sid)
        return found if found is not None and found.status != COMPLETED else None

    def open(self, friendly_name: str, now_ms: int) -> Conference:
        found = self.live(friendly_name)
        if found is None:
            found = Conference(new_sid("CF"), friendly_name, now_ms, self._tell)
            self.by_sid[found.sid] = self._live[friendly_name] = found
        return found


def _word(flag: bool) -> str:
    return "true" if flag else "false"
