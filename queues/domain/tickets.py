"""Tickets: the work that is left after a call.

The number is issued when the call enters a queue, so that it can be spoken; the ticket itself is *due* at
the event its matter names (`ticket_on`). What must hold: a number once issued is never left without its
ticket, so the end of the call makes every ticket due that is not due yet, whatever the call came to; and
one call has one such ticket.

Whoever answers first owns the ticket until its caller has been told what came of it (首问负责制). Somebody else may
take it in hand, and does not become its owner by that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from queues.domain.call_records import is_end, text_of
from queues.domain.journal import Line, LineType


class TicketState(StrEnum):
    OPEN = "open"
    TAKEN = "taken"
    RESOLVED = "resolved"
    CLOSED = "closed"


class TicketEvent(StrEnum):
    TAKE = "take"
    GIVE_BACK = "give_back"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    CLOSE = "close"


_S, _E = TicketState, TicketEvent

# state -> event -> next state; what the table does not name changes nothing.
MOVES: Final[Mapping[TicketState, Mapping[TicketEvent, TicketState]]] = {
    _S.OPEN: {_E.TAKE: _S.TAKEN, _E.RESOLVE: _S.RESOLVED, _E.CLOSE: _S.CLOSED},
    _S.TAKEN: {_E.GIVE_BACK: _S.OPEN, _E.RESOLVE: _S.RESOLVED, _E.CLOSE: _S.CLOSED},
    _S.RESOLVED: {_E.REOPEN: _S.OPEN, _E.CLOSE: _S.CLOSED},
    _S.CLOSED: {},
}

ENTRY, ANSWER, END = "entry", "answer", "end"

# Beside the end of the call, which makes every ticket due.
DUE_AT: Final[Mapping[str, frozenset[str]]] = {
    ENTRY: frozenset({LineType.CALL_QUEUED, LineType.CALL_CONNECTED}),
    ANSWER: frozenset({LineType.CALL_CONNECTED}),
    END: frozenset(),
}

WORK_QUEUE_DEFAULT: Final = "desk"
NO_DIGITS, NO_DIGITS_MAX = 6, 12
REPLY_LENGTH_MAX: Final = 300
REASON_LENGTH_MAX: Final = 300

# What is still somebody's work, and what is not.
UNDONE: Final = (TicketState.OPEN, TicketState.TAKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """The ticket that was promised to a call when it entered a queue."""

    call_id: str
    ticket_no: str
    ticket_type: str
    ticket_on: str
    work_queue: str


def promise_of(line: Line) -> Promise | None:
    """What a `call.queued` line promises; None when its matter asks for no ticket."""
    ticket_no, ticket_type = text_of(line.data, "ticket_no"), text_of(line.data, "ticket_type")
    if line.type != LineType.CALL_QUEUED or not (line.call_id and ticket_no and ticket_type):
        return None
    ticket_on = text_of(line.data, "ticket_on")
    return Promise(
        call_id=line.call_id,
        ticket_no=ticket_no,
        ticket_type=ticket_type,
        ticket_on=ticket_on if ticket_on in DUE_AT else END,
        work_queue=text_of(line.data, "work_queue") or WORK_QUEUE_DEFAULT,
    )


def is_due(promise: Promise, line: Line) -> bool:
    """Whether this line of the call is one at which its ticket must exist."""
    return line.type in DUE_AT[promise.ticket_on] or is_end(line)


def first_answer(lines: Iterable[Line]) -> str:
    """The agent who talked with the caller first; empty while nobody has."""
    talked = (line.agent_id for line in lines if line.type == LineType.CALL_CONNECTED)
    return next(filter(None, talked), "")


def is_deciding(line: Line) -> bool:
    """Whether some ticket may be due at a line of this kind."""
    return line.type in DUE_AT[ENTRY] or is_end(line)


def next_state(state: TicketState, event: TicketEvent) -> TicketState | None:
    return MOVES[state].get(event)


def changes(to: TicketState, by: str, now_ms: int) -> dict[str, str | int | None]:
    """What a move writes: who has it in hand, and when it was done."""
    written: dict[str, str | int | None] = {"state": to.value}
    if to is TicketState.OPEN:
        written |= {"taken_by": "", "resolved_ms": None, "closed_ms": None}
    elif to is TicketState.TAKEN:
        written |= {"taken_by": by}
    elif to is TicketState.RESOLVED:
        written |= {"resolved_ms": now_ms}
    elif to is TicketState.CLOSED:
        written |= {"closed_ms": now_ms}
    return written


def tidy_reply(text: str) -> str:
    """A reply as it is spoken: one line of printable characters."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def number_in(text: str) -> str:
    """The ticket's number as people write it: `t42`, `42` and `T000042` are one; empty when it is none."""
    digits = text.strip().upper().removeprefix("T")
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > NO_DIGITS_MAX:
        return ""
    return f"T{int(digits):0{NO_DIGITS}d}"
