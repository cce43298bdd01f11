"""The journal: every event of the switchboard as a frozen value.

A line is written in the same atomic step as the change it tells of. Its id is `<ms>-<seq>` with
ms = max(now, last ms), so ids only grow, also when two machines' clocks disagree; `at_ms` is the clock's
own word. A line names people by id only: no number, no name, no keyed digit.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final


class LineType(StrEnum):
    CALL_ARRIVED = "call.arrived"
    CALL_IDENTIFIED = "call.identified"
    CALL_ANONYMISED = "call.anonymised"
    CALL_JOINED = "call.joined"
    CASE_ASKED = "case.asked"
    CALL_MENU_STEPPED = "call.menu_stepped"
    CALL_QUEUED = "call.queued"
    CALL_PLACE_KEPT = "call.place_kept"
    CALL_TOLD = "call.told"
    CALL_OFFERED = "call.offered"
    CALL_LED = "call.led"
    CALL_TURNED_AWAY = "call.turned_away"
    CALL_REQUEUED = "call.requeued"
    CALL_CONNECTING = "call.connecting"
    CALL_CONNECTED = "call.connected"
    CALL_TRANSFERRED = "call.transferred"
    CALL_HELD = "call.held"
    CALL_RETRIEVED = "call.retrieved"
    CALL_CONSULTED = "call.consulted"
    CALL_HANDED_OVER = "call.handed_over"
    CONSULT_ENDED = "consult.ended"
    CALL_DIVERTED = "call.diverted"
    CALL_RETURNED = "call.returned"
    CALL_MESSAGE_LEFT = "call.message_left"
    CALL_ENDED = "call.ended"
    CALL_RECONCILED = "call.reconciled"
    CALLBACK_ASKED = "callback.asked"
    CALLBACK_BEGUN = "callback.begun"
    CALLBACK_WOKEN = "callback.woken"
    CALLBACK_RESTED = "callback.rested"
    CALLBACK_CALLED = "callback.called"
    CALLBACK_DIALLED = "callback.dialled"
    CALLBACK_REACHED = "callback.reached"
    CALLBACK_MISSED = "callback.missed"
    CALLBACK_FORGOTTEN = "callback.forgotten"
    OFFER_RINGING = "offer.ringing"
    OFFER_ANSWERED = "offer.answered"
    OFFER_ACCEPTED = "offer.accepted"
    OFFER_DECLINED = "offer.declined"
    OFFER_EXPIRED = "offer.expired"
    OFFER_UNRUNG = "offer.unrung"
    OFFER_WITHDRAWN = "offer.withdrawn"
    AGENT_SIGNED_IN = "agent.signed_in"
    AGENT_SKILLS_CHANGED = "agent.skills_changed"
    AGENT_TURN_TAKEN = "agent.turn_taken"
    AGENT_TURN_LOST = "agent.turn_lost"
    RESERVE_RELEASED = "reserve.released"
    RESERVE_ARMED = "reserve.armed"
    AGENT_PRESENCE_CHANGED = "agent.presence_changed"
    AGENT_WRAP_UP_STARTED = "agent.wrap_up_started"
    AGENT_WRAP_UP_EXTENDED = "agent.wrap_up_extended"
    AGENT_WRAP_UP_CLOSED = "agent.wrap_up_closed"
    RECORDING_STARTED = "recording.started"
    RECORDING_COMPLETED = "recording.completed"
    RECORDING_ABSENT = "recording.absent"
    EFFECT_FAILED = "effect.failed"
    NOTICE_RAISED = "notice.raised"
    NOTICE_CLEARED = "notice.cleared"
    CALL_MOVED = "call.moved"
    CALL_RAISED = "call.raised"
    AGENT_LENT = "agent.lent"
    AGENT_TAKEN_BACK = "agent.taken_back"
    QUEUE_CLOSED = "queue.closed"
    QUEUE_OPENED = "queue.opened"
    SURGE_BEGUN = "surge.begun"
    SURGE_ALERTED = "surge.alerted"
    SURGE_ENDED = "surge.ended"
    SITE_ACTIVATED = "site.activated"


# What other rooms may append; every other line is written by the script that makes the change.
APPENDABLE: Final = frozenset(
    {
        LineType.RECORDING_STARTED,
        LineType.RECORDING_COMPLETED,
        LineType.RECORDING_ABSENT,
        LineType.CALL_RECONCILED,
    }
)

_DECODER: Final = json.JSONDecoder()

LINE_FIELDS: Final = ("type", "at_ms", "call_id", "agent_id", "offer_id", "data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    id: str
    type: str
    at_ms: int
    call_id: str = ""
    agent_id: str = ""
    offer_id: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_stream(cls, entry_id: str, fields: Mapping[str, str]) -> "Line":
        return cls(
            id=entry_id,
            type=fields["type"],
            at_ms=int(fields["at_ms"]),
            call_id=fields["call_id"],
            agent_id=fields["agent_id"],
            offer_id=fields["offer_id"],
            data=read_data(fields["data"]),
        )


def read_data(text: str) -> Any:
    """As `json.loads`, which spends half of its time on looking for spaces around; ValueError where it has one."""
    data, end = _DECODER.raw_decode(text) if text.startswith("{") else (None, -1)
    return data if end == len(text) else json.loads(text)


def id_after(now_ms: int, last_ms: int, last_seq: int) -> tuple[int, int]:
    """The next id: later than every id before it."""
    return (now_ms, 0) if now_ms > last_ms else (last_ms, last_seq + 1)


def parse_id(entry_id: str) -> tuple[int, int]:
    """Ids compare as pairs of numbers, not as text."""
    ms, _, seq = entry_id.partition("-")
    return int(ms), int(seq or 0)
