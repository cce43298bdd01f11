"""The call record: what history keeps of one call, folded from the journal's lines.

`fold` is pure: record and line in, record out. What must hold: a line seen twice changes nothing (ids only
grow, and a record remembers the last one it took in); nothing leads out of *ended*; lines that are missing,
because a server lost its last second, cost their facts and nothing else; a fact that makes no sense is left
out.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from queues.domain.calls import ASKED, KEPT, CallState, Outcome
from queues.domain.journal import Line, LineType, parse_id

BIGGEST: Final = 2**63 - 1
HOLD: Final = ""  # under agents' ids, no agent's: the hold that goes on


@dataclass(slots=True, kw_only=True)
class CallRecord:
    """The part of a row of `calls` that the journal decides; note, ticket and digits given are others' to write.

    Only `fold_onto` changes one: a copy for each of a call's lines would cost more than all that is in them.
    """

    call_id: str
    state: str = CallState.MENU.value
    updated_id: str = "0-0"
    arrived_ms: int = 0
    site_version: str = ""
    line: str = ""
    caller_ref: str = ""
    customer_id: str = ""
    tier: str = ""
    queue: str = ""
    matter: str = ""
    locale: str = ""
    outcome: str = ""
    ended_by: str = ""
    agent_id: str = ""
    record: str = ""
    disposition: str = ""
    queued_ms: int | None = None
    offered_ms: int | None = None
    answered_ms: int | None = None  # by the first agent
    connected_ms: int | None = None  # since when the present talk goes on
    ended_ms: int | None = None
    wrapped_up_ms: int | None = None
    wait_ms: int | None = None
    talk_ms: int | None = None  # all talks together
    offers: int = 0
    is_anonymous: bool = False
    callback: str = ""  # asked | kept | failed | joined
    tries: int = 0  # how often he was called in vain
    missed: str = ""  # why, the last time
    menu_left_ms: int | None = None  # for a queue, a message or another telephone
    came_closed: int | None = None  # 1: the queue was closed when he came to it, so he waited for nobody
    rang_ms: int | None = None  # when a telephone first rang for him
    holds: int | None = None
    held_ms: int | None = None  # all holds together
    longest_hold_ms: int | None = None
    transfers: int | None = None  # to another queue or colleague
    wrap_ms: int | None = None  # all wrap-ups together that are closed
    running: str | None = None  # since when a hold and each agent's wrap-up go on, as JSON; empty = none
    # The state in which it ended: who hangs up while a phone rings is in `offered`.
    ended_in: str | None = None

    @property
    def has_ended(self) -> bool:
        return self.state == CallState.ENDED

    @property
    def is_settled(self) -> bool:
        """Nothing more is expected of it: it is over, and so is the work after it."""
        return self.has_ended and not self.running


def fold(record: CallRecord | None, line: Line) -> CallRecord | None:
    """The record after this line; None while no line of a call has been seen."""
    return fold_onto(record and replace(record), line)


def fold_onto(record: CallRecord | None, line: Line) -> CallRecord | None:
    """The same, changing the record that is given. A line that cannot be taken in raises, and has changed nothing."""
    step = STEPS.get(line.type)
    if step is None or not line.call_id:
        return record
    if record is None:
        if not line.type.startswith("call."):
            return None
        record = CallRecord(call_id=line.call_id, arrived_ms=line.at_ms)
    if parse_id(line.id) <= parse_id(record.updated_id):
        return record
    return step(record, line)


def arrived(record: CallRecord, line: Line) -> CallRecord:
    """The first word of a call is the one that counts: a later one, of a call forgotten meanwhile, moves nothing."""
    data = line.data
    if record.line:
        return changed(record, line)
    return changed(
        record,
        line,
        arrived_ms=line.at_ms,
        site_version=text_of(data, "site_version") or record.site_version,
        line=text_of(data, "line"),
        caller_ref=text_of(data, "caller_ref"),
        customer_id=text_of(data, "customer_id"),
        tier=text_of(data, "tier"),
        locale=text_of(data, "locale"),
    )


def identified(record: CallRecord, line: Line) -> CallRecord:
    told = {name: text_of(line.data, name) for name in ("customer_id", "tier")}
    return changed(record, line, **told)


def anonymised(record: CallRecord, line: Line) -> CallRecord:
    """In place of the arrival, and of all that told who it was; once, as with the arrival."""
    data = line.data
    if record.is_anonymous:
        return changed(record, line)
    return changed(
        record,
        line,
        arrived_ms=first(whole_of(data, "arrived_ms"), record.arrived_ms),
        site_version=text_of(data, "site_version") or record.site_version,
        line=text_of(data, "line") or record.line,
        caller_ref="",
        customer_id="",
        tier=text_of(data, "tier"),
        locale=record.locale or text_of(data, "locale"),
        is_anonymous=True,
    )


def menu_stepped(record: CallRecord, line: Line) -> CallRecord:
    return changed(
        record,
        line,
        locale=text_of(line.data, "locale") or record.locale,
        record=text_of(line.data, "record") or record.record,
    )


def queued(record: CallRecord, line: Line) -> CallRecord:
    data = line.data
    is_closed = bool(whole_of(data, "closed"))
    return changed(
        record,
        line,
        CallState.MESSAGING if is_closed else CallState.QUEUED,
        queue=text_of(data, "queue"),
        matter=text_of(data, "matter"),
        tier=text_of(data, "tier") or record.tier,
        locale=text_of(data, "locale") or record.locale,
        queued_ms=first(
            record.queued_ms, whole_of(data, "entered_ms"), whole_of(data, "queued_ms"), line.at_ms
        ),
        menu_left_ms=first(record.menu_left_ms, line.at_ms),
        came_closed=0 if record.came_closed == 0 else int(is_closed),
    )


def offered(record: CallRecord, line: Line) -> CallRecord:
    offered_ms = first(record.offered_ms, line.at_ms)
    return changed(record, line, CallState.OFFERED, offered_ms=offered_ms, offers=record.offers + 1)


def ringing(record: CallRecord, line: Line) -> CallRecord:
    return changed(record, line, rang_ms=first(record.rang_ms, line.at_ms))


def requeued(record: CallRecord, line: Line) -> CallRecord:
    return changed(record, line, CallState.QUEUED)


def callback_asked(record: CallRecord, line: Line) -> CallRecord:
    """His own waiting is over: he may hang up."""
    wait_ms = first(record.wait_ms, length(record.queued_ms, line.at_ms))
    return changed(record, line, CallState.RESTING, callback=ASKED, wait_ms=wait_ms)


def callback_begun(record: CallRecord, line: Line) -> CallRecord:
    """We ring somebody who gave up: he waits for nothing."""
    return changed(record, line, callback=ASKED, wait_ms=0)


def callback_woken(record: CallRecord, line: Line) -> CallRecord:
    return changed(record, line, CallState.QUEUED)


def callback_rested(record: CallRecord, line: Line) -> CallRecord:
    return changed(record, line, CallState.RESTING)


def callback_called(record: CallRecord, line: Line) -> CallRecord:
    return changed(record, line, CallState.CALLING)


def callback_missed(record: CallRecord, line: Line) -> CallRecord:
    tries = max(record.tries or 0, whole_of(line.data, "tries") or 0)
    return changed(record, line, tries=tries, missed=text_of(line.data, "why") or record.missed)


def connecting(record: CallRecord, line: Line) -> CallRecord:
    return changed(record, line, CallState.CONNECTING)


def connected(record: CallRecord, line: Line) -> CallRecord:
    answered_ms = first(record.answered_ms, whole_of(line.data, "answered_ms"), line.at_ms)
    return changed(
        record,
        line,
        CallState.CONNECTED,
        answered_ms=answered_ms,
        connected_ms=line.at_ms,
        wrapped_up_ms=None,
        callback=KEPT if record.callback else "",
        wait_ms=first(record.wait_ms, whole_of(line.data, "wait_ms"), length(record.queued_ms, answered_ms)),
        agent_id=line.agent_id or record.agent_id,
        record=text_of(line.data, "recording") or record.record,
    )


def moved(record: CallRecord, line: Line) -> CallRecord:
    """By hand, to the queue in which it counts from then on, unless he was answered; who is raised keeps his tier."""
    is_counted = record.answered_ms is not None
    return changed(record, line, queue=record.queue if is_counted else text_of(line.data, "queue"))


def transferred(record: CallRecord, line: Line) -> CallRecord:
    """The queue stays the one in which he was answered: a call is answered once."""
    return changed(record, line, CallState.QUEUED, **passed_on(record, line))


def handed_over(record: CallRecord, line: Line) -> CallRecord:
    return changed(record, line, CallState.CONNECTING, **passed_on(record, line))


def passed_on(record: CallRecord, line: Line) -> dict[str, Any]:
    """The talk with this agent is over, and with it a hold."""
    talk_ms, transfers = talked_ms(record, line.at_ms), (record.transfers or 0) + 1
    return {"talk_ms": talk_ms, "connected_ms": None, "transfers": transfers, **hold_over(record, line.at_ms)}


def held(record: CallRecord, line: Line) -> CallRecord:
    running = spans_of(record)
    if HOLD in running or record.has_ended:
        return changed(record, line)
    running[HOLD] = line.at_ms
    return changed(record, line, holds=(record.holds or 0) + 1, running=spans_text(running))


def retrieved(record: CallRecord, line: Line) -> CallRecord:
    return changed(record, line, **hold_over(record, line.at_ms))


def hold_over(record: CallRecord, at_ms: int | None) -> dict[str, Any]:
    """What a hold that goes on comes to when it ends now."""
    running = spans_of(record)
    for_ms = length(running.pop(HOLD, None), at_ms)
    if for_ms is None:
        return {}
    return {
        "held_ms": (record.held_ms or 0) + for_ms,
        "longest_hold_ms": max(record.longest_hold_ms or 0, for_ms),
        "running": spans_text(running),
    }


def talked_ms(record: CallRecord, until_ms: int | None) -> int | None:
    """All talks together, when the present one ends now."""
    if record.connected_ms is None and record.talk_ms is not None:
        return record.talk_ms
    present_ms = length(first(record.connected_ms, record.answered_ms), until_ms)
    return present_ms if present_ms is None else present_ms + (record.talk_ms or 0)


def diverted(record: CallRecord, line: Line) -> CallRecord:
    return changed(record, line, CallState.MESSAGING, menu_left_ms=first(record.menu_left_ms, line.at_ms))


def returned(record: CallRecord, line: Line) -> CallRecord:
    return changed(record, line, CallState.MENU)


def message_left(record: CallRecord, line: Line) -> CallRecord:
    """The provider may say so after the hang-up; then the line carries what the call came to after all."""
    return changed(record, line, outcome=text_of(line.data, "outcome") or record.outcome)


def ended(record: CallRecord, line: Line) -> CallRecord:
    if record.has_ended:
        return changed(record, line)
    return closed(record, line, first(record.ended_ms, whole_of(line.data, "ended_ms"), line.at_ms))


def reconciled(record: CallRecord, line: Line) -> CallRecord:
    """The provider knew the true instants of a call that we heard of late.

    `is_ended` ends a call that the live store no longer knows: then nobody else will. `wrapped_up_ms` closes the
    wrap-up of an agent whose own line was lost.
    """
    if line.data.get("wrapped_up_ms") is not None:
        return wrapped_up(record, line)
    told_ms = whole_of(line.data, "ended_ms")
    arrived_ms = first(whole_of(line.data, "arrived_ms"), record.arrived_ms) or 0
    ended_ms = first(record.ended_ms, told_ms)
    if record.has_ended or not is_end(line):
        return changed(record, line, arrived_ms=arrived_ms, ended_ms=ended_ms)
    return closed(record, line, first(ended_ms, line.at_ms), arrived_ms=arrived_ms)


def closed(record: CallRecord, line: Line, ended_ms: int | None, /, **changes: Any) -> CallRecord:
    """The end, and the lengths that it settles.

    Who was answered has been answered, also when the live store lost that second and thinks that he waited.
    """
    is_callback = bool(record.callback or text_of(line.data, "callback"))
    has_talked = record.answered_ms is not None and not is_callback
    told = "" if has_talked else text_of(line.data, "outcome")
    return changed(
        record,
        line,
        CallState.ENDED,
        outcome=told or outcome_of_lost(record).value,
        callback=text_of(line.data, "callback") or record.callback,
        ended_by=text_of(line.data, "by") or "system",
        ended_ms=ended_ms,
        wait_ms=first(record.wait_ms, length(record.queued_ms, ended_ms)),
        talk_ms=talked_ms(record, ended_ms),
        connected_ms=None,
        ended_in=record.state,
        **hold_over(record, ended_ms),
        **changes,
    )


def is_end(line: Line) -> bool:
    """Whether this line ends its call."""
    return line.type == LineType.CALL_ENDED or (
        line.type == LineType.CALL_RECONCILED and line.data.get("is_ended") is True
    )


def outcome_of_lost(record: CallRecord) -> Outcome:
    """What a call came to whose own end was lost, as far as its record tells."""
    if record.callback:
        return Outcome.CALLBACK
    if record.answered_ms is not None:
        return Outcome.ANSWERED
    if record.queued_ms is None:
        return Outcome.LEFT_IN_MENU
    return Outcome.CLOSED if record.state == CallState.MESSAGING else Outcome.ABANDONED


def wrap_up_started(record: CallRecord, line: Line) -> CallRecord:
    return changed(record, line, running=spans_text(spans_of(record) | {line.agent_id: line.at_ms}))


def wrapped_up(record: CallRecord, line: Line) -> CallRecord:
    """Everybody's wrap-up counts; when the call was wrapped up is told by the call's own agent."""
    running, agent_id = spans_of(record), wrapper_of(line)
    at_ms = first(whole_of(line.data, "wrapped_up_ms"), line.at_ms)
    for_ms = length(running.pop(agent_id, None), at_ms) if agent_id != HOLD else None
    told: dict[str, Any] = {}
    if for_ms is not None:
        told = {"wrap_ms": (record.wrap_ms or 0) + for_ms, "running": spans_text(running)}
    if record.agent_id and agent_id and agent_id != record.agent_id:
        return changed(record, line, **told)
    return changed(
        record,
        line,
        wrapped_up_ms=first(record.wrapped_up_ms, at_ms),
        disposition=text_of(line.data, "disposition") or record.disposition,
        **told,
    )


def wrapper_of(line: Line) -> str:
    """Whose wrap-up this line closes."""
    return line.agent_id or text_of(line.data, "agent_id")


def spans_of(record: CallRecord) -> dict[str, int]:
    return dict(json.loads(record.running)) if record.running else {}


def spans_text(running: Mapping[str, int]) -> str:
    return json.dumps(running, separators=(",", ":"), sort_keys=True) if running else ""


STEPS: Final[Mapping[str, Callable[[CallRecord, Line], CallRecord]]] = {
    LineType.CALL_ARRIVED: arrived,
    LineType.CALL_IDENTIFIED: identified,
    LineType.CALL_ANONYMISED: anonymised,
    LineType.CALL_MENU_STEPPED: menu_stepped,
    LineType.CALL_QUEUED: queued,
    LineType.CALL_OFFERED: offered,
    LineType.OFFER_RINGING: ringing,
    LineType.CALL_REQUEUED: requeued,
    LineType.CALLBACK_ASKED: callback_asked,
    LineType.CALLBACK_BEGUN: callback_begun,
    LineType.CALLBACK_WOKEN: callback_woken,
    LineType.CALLBACK_RESTED: callback_rested,
    LineType.CALLBACK_CALLED: callback_called,
    LineType.CALLBACK_REACHED: callback_woken,
    LineType.CALLBACK_MISSED: callback_missed,
    LineType.CALL_CONNECTING: connecting,
    LineType.CALL_CONNECTED: connected,
    LineType.CALL_TRANSFERRED: transferred,
    LineType.CALL_MOVED: moved,
    LineType.CALL_HANDED_OVER: handed_over,
    LineType.CALL_HELD: held,
    LineType.CALL_RETRIEVED: retrieved,
    LineType.CALL_DIVERTED: diverted,
    LineType.CALL_RETURNED: returned,
    LineType.CALL_LED: returned,
    LineType.CALL_MESSAGE_LEFT: message_left,
    LineType.CALL_ENDED: ended,
    LineType.CALL_RECONCILED: reconciled,
    LineType.AGENT_WRAP_UP_STARTED: wrap_up_started,
    LineType.AGENT_WRAP_UP_CLOSED: wrapped_up,
}


def changed(record: CallRecord, line: Line, state: CallState | None = None, /, **changes: Any) -> CallRecord:
    """The record with what this line says; an ended call does not move again."""
    if state is not None and not record.has_ended:
        record.state = state.value
    for name, value in changes.items():
        setattr(record, name, value)
    record.updated_id = line.id
    return record


def first(*candidates: int | None) -> int | None:
    """The first that is known: 0 is known."""
    return next((each for each in candidates if each is not None), None)


def length(from_ms: int | None, to_ms: int | None) -> int | None:
    return None if from_ms is None or to_ms is None else max(0, to_ms - from_ms)


def text_of(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def whole_of(data: Mapping[str, Any], name: str) -> int | None:
    """The number under this name, if it is one that SQL can hold."""
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        whole = int(value)
    except (ValueError, OverflowError):
        return None
    return whole if abs(whole) <= BIGGEST else None
