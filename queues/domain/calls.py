"""Calls: one caller's contact, from arrival to end.

A call begins in the menu. It is *queued* when it waits in a lane, *offered* while held for one agent,
*connecting* from his acceptance until the caller has been pulled to him, *connected* while they talk.
Whoever waits in vain goes back to *queued* with the place he had: `queued_ms` is written once and never
changes. So does whoever talks and is put through (*transfer*); to a colleague who has been asked he goes at once
(*hand over*: connecting again). A closed queue, or the caller's own wish,
leads to *messaging* (voicemail, callback promise, goodbye, another company's number). Whoever answers nobody
there, the caller comes back to the menu (*return*), with whatever place he had; so does who has waited so long that
his queue leads him elsewhere (*lead*). Who asked to be called back is *resting* between two tries: he waits, but in
no lane; and *calling* while he is rung with no agent held for him. From every state a call can end, and it ends once;
nothing leads out of *ended*.

`MOVES` is the whole truth: state -> event -> next state. What the table does not name changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NewType

CallId = NewType("CallId", str)
LegId = NewType("LegId", str)


class CallState(StrEnum):
    MENU = "menu"
    QUEUED = "queued"
    RESTING = "resting"
    CALLING = "calling"
    OFFERED = "offered"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    MESSAGING = "messaging"
    ENDED = "ended"


class CallEvent(StrEnum):
    ENQUEUE = "enqueue"
    CLOSE_OUT = "close_out"
    DIVERT = "divert"
    RETURN = "return"
    OFFER = "offer"
    ACCEPT = "accept"
    CONNECT = "connect"
    REQUEUE = "requeue"
    TRANSFER = "transfer"
    REST = "rest"
    WAKE = "wake"
    CALL = "call"
    LEAD = "lead"
    HAND_OVER = "hand_over"
    END = "end"


class Outcome(StrEnum):
    LEFT_IN_MENU = "left_in_menu"
    ANSWERED = "answered"
    ABANDONED = "abandoned"
    VOICEMAIL = "voicemail"
    CALLBACK = "callback"
    CLOSED = "closed"
    FULL = "full"
    TRANSFERRED = "transferred"


_S, _E = CallState, CallEvent

MOVES: Final[Mapping[CallState, Mapping[CallEvent, CallState]]] = {
    _S.MENU: {_E.ENQUEUE: _S.QUEUED, _E.CLOSE_OUT: _S.MESSAGING, _E.DIVERT: _S.MESSAGING, _E.END: _S.ENDED},
    _S.QUEUED: {
        _E.OFFER: _S.OFFERED, _E.REST: _S.RESTING, _E.CALL: _S.CALLING, _E.LEAD: _S.MENU,
        _E.DIVERT: _S.MESSAGING, _E.END: _S.ENDED,
    },
    _S.RESTING: {_E.WAKE: _S.QUEUED, _E.END: _S.ENDED},
    _S.CALLING: {_E.REQUEUE: _S.QUEUED, _E.REST: _S.RESTING, _E.END: _S.ENDED},
    _S.OFFERED: {
        _E.ACCEPT: _S.CONNECTING, _E.REQUEUE: _S.QUEUED, _E.REST: _S.RESTING,
        _E.DIVERT: _S.MESSAGING, _E.END: _S.ENDED,
    },
    _S.CONNECTING: {_E.CONNECT: _S.CONNECTED, _E.REQUEUE: _S.QUEUED, _E.REST: _S.RESTING, _E.END: _S.ENDED},
    _S.CONNECTED: {_E.TRANSFER: _S.QUEUED, _E.HAND_OVER: _S.CONNECTING, _E.END: _S.ENDED},
    _S.MESSAGING: {_E.RETURN: _S.MENU, _E.END: _S.ENDED},
    _S.ENDED: {},
}  # fmt: skip

WAITING: Final = frozenset({CallState.QUEUED, CallState.OFFERED, CallState.CONNECTING})

# What becomes of a callback: he has just asked and may still be on the line; it waits; he was reached; he was not;
# he rang again himself.
ASKED, OPEN, KEPT, FAILED, JOINED = "asked", "open", "kept", "failed", "joined"

VOICEMAIL, CALLBACK, GOODBYE, TRANSFER = "voicemail", "callback", "goodbye", "transfer"
DIVERSIONS: Final = (VOICEMAIL, CALLBACK, GOODBYE, TRANSFER)

# What is kept under these names is for looking something up; under any other name it is the site's own.
ACCOUNT_NO, CASE_NO, ACCESS_CODE = "account_no", "case_no", "access_code"
# Which case somebody asked about is nobody's business.
KEYED_TO_ASK: Final = frozenset({CASE_NO, ACCESS_CODE})
LOOKED_UP: Final = KEYED_TO_ASK | {ACCOUNT_NO}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Every field is also a field of the hash `<site>:call:<call_id>`, under the same name."""

    call_id: CallId
    state: CallState
    arrival: int  # the site's arrival counter: settles ties
    arrived_ms: int
    line: str
    caller_ref: str
    number: str
    customer_id: str
    customer_name: str
    tier: str
    locale: str
    is_known: bool
    node: str = ""
    step: int = -1  # the highest menu step seen
    record: str = "wanted"  # or "refused"
    queue: str = ""
    first_queue: str = ""  # the one he entered first: under it his place is kept
    matter: str = ""
    ticket_no: str = ""
    ticket_type: str = ""
    ticket_on: str = ""
    work_queue: str = ""
    is_open: bool = True  # False: the queue was closed when the call came to it
    lane_id: str = ""
    lane: str = ""  # the lane's rules as JSON
    queued_ms: int | None = None  # his place: perhaps that of a call before this one
    entered_ms: int | None = None  # when this call entered its first queue: what its wait is counted from
    position: int = 0  # the best position told so far; 0 = none
    told: str = ""  # what he was told last of place and time, see announcing.Told
    skips: str = ""  # see lanes.Skip
    offers: int = 0
    offer_id: str = ""
    agent_id: str = ""
    answered_ms: int | None = None  # by the first agent
    room: str = ""  # where they talk now: the offer that led there
    talks: int = 0
    connected_ms: int | None = None  # since when he talks with the present agent
    held_ms: int | None = None  # since when he is on hold
    holds: int = 0  # how often that has changed
    consult_id: str = ""  # the offer by which a colleague is asked while he is held
    waits_ms: int | None = None  # since when he waits, when he was put through; else since queued_ms
    ended_ms: int | None = None
    ended_by: str = ""
    diverted_to: str = ""
    is_message_left: bool = False
    outcome: str = ""
    site_version: str = ""  # of the words that the call began with
    area: str = ""
    manager: str = ""  # the agent who looks after the customer now: in person, or as a cover
    manager_name: str = ""
    known: str = ""  # who knows the caller, see named.Known
    never: str = ""  # the agents he is never brought together with, in order, joined by ","
    named: str = ""  # whom the call is offered to first, see named.Named
    is_care: bool = False
    contact: str = ""  # the person whose number it is, when it is not the customer's own
    shared: int = 0  # how many further files have this number
    is_internal: bool = False
    notices: str = ""  # those running in the caller's area, as one JSON list
    is_anonymous: bool = False
    is_keyed: bool = False  # the file was opened by an account number he keyed: it may be another's
    wrong_accounts: str = (
        ""  # how many account numbers he keyed that nobody has, and the key of the last of them
    )
    given: str = ""  # what the caller keyed, by name, as JSON; an access code as its key
    access_key: str = ""  # of the access code that was told with the ticket
    wrong_codes: int = 0
    asked: str = ""  # the menu step at which a case was last asked about, and the answer's word
    callback: str = ""  # he asked to be called back: asked | open | kept | failed | joined
    callback_ms: int | None = None  # when he asked, which is when his own waiting ended
    callback_until_ms: int | None = None
    tries: int | None = None  # how often he was called in vain
    leg_id: str = ""  # the leg he is on, when it is not the one he came with: we called him back
    turned_away: str = ""  # the queue that was full when he came to it last
    led: str = ""  # the queue that has led him elsewhere: none does so again
    named_in: str = ""  # the ids of the journal lines that tell who it is

    @property
    def has_promise(self) -> bool:
        """We are to call him back, and have not talked with him yet."""
        return self.callback in (ASKED, OPEN)

    @property
    def is_off_line(self) -> bool:
        """He is to be called back, and has no line to us this moment."""
        return bool(self.callback) and not self.leg_id


CALL_FACTS: Final = (
    "call_id", "state", "outcome", "line", "caller_ref", "customer_id", "customer_name", "is_known",
    "tier", "locale", "node", "step", "record", "queue", "matter", "ticket_no", "queued_ms", "answered_ms",
    "offer_id", "agent_id", "position", "diverted_to", "is_message_left", "site_version", "area", "manager",
    "manager_name", "is_care", "contact", "shared", "is_internal", "notices", "is_anonymous", "wrong_codes",
    "is_keyed", "known", "never", "room", "talks", "held_ms", "told", "named", "callback", "leg_id",
    "entered_ms", "led",
)  # fmt: skip


def next_state(state: CallState, event: CallEvent) -> CallState | None:
    return MOVES[state].get(event)


def outcome_of(call: Call) -> Outcome:
    """What the call amounts to if it ends now. Who was answered has been answered, wherever he was put through to."""
    if call.callback:
        return Outcome.CALLBACK
    if call.answered_ms is not None:
        return Outcome.ANSWERED
    if call.state is CallState.MENU:
        return Outcome.ABANDONED if call.led else Outcome.LEFT_IN_MENU
    if call.state is CallState.MESSAGING:
        return _outcome_of_messaging(call)
    return Outcome.ABANDONED


def _outcome_of_messaging(call: Call) -> Outcome:
    if call.is_message_left:
        return Outcome.VOICEMAIL
    if call.diverted_to == TRANSFER:
        return Outcome.TRANSFERRED
    if call.queued_ms is None:
        return Outcome.LEFT_IN_MENU
    if call.diverted_to == CALLBACK:
        return Outcome.CALLBACK
    if call.is_open and call.diverted_to == VOICEMAIL:
        return Outcome.ABANDONED
    is_full = bool(call.turned_away) and not call.is_open and not call.diverted_to
    return Outcome.FULL if is_full else Outcome.CLOSED
