"""One call as a row of spans, read from its journal lines: where the caller was from when to when.

Spans follow each other without gaps from arrival to the end, and the agent's wrap-up comes after it. The wrap-up of
an agent who put the caller through goes on beside them (`is_beside`), at the end of the row. A call that is still
going on has a last span without an end. An offer that was not taken says how it ended.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from queues.domain.journal import Line, LineType


class SpanKind(StrEnum):
    MENU = "menu"
    QUEUED = "queued"
    RESTING = "resting"
    CALLING = "calling"
    OFFERED = "offered"
    CONNECTING = "connecting"
    TALKING = "talking"
    HELD = "held"
    MESSAGING = "messaging"
    WRAP_UP = "wrap_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    kind: SpanKind
    start_ms: int
    end_ms: int | None = None
    agent_id: str = ""
    offer_id: str = ""
    ended_as: str = ""  # an offer's end: accepted | declined | expired | unrung | withdrawn
    is_beside: bool = False

    @property
    def for_ms(self) -> int:
        return 0 if self.end_ms is None else max(0, self.end_ms - self.start_ms)


_BEGINS: Final[Mapping[str, SpanKind]] = {
    LineType.CALL_ARRIVED: SpanKind.MENU,
    LineType.CALL_QUEUED: SpanKind.QUEUED,
    LineType.CALL_REQUEUED: SpanKind.QUEUED,
    LineType.CALL_TRANSFERRED: SpanKind.QUEUED,
    LineType.CALLBACK_ASKED: SpanKind.RESTING,
    LineType.CALLBACK_RESTED: SpanKind.RESTING,
    LineType.CALLBACK_WOKEN: SpanKind.QUEUED,
    LineType.CALLBACK_CALLED: SpanKind.CALLING,
    LineType.CALLBACK_REACHED: SpanKind.QUEUED,
    LineType.CALL_LED: SpanKind.MENU,
    LineType.CALL_OFFERED: SpanKind.OFFERED,
    LineType.CALL_CONNECTING: SpanKind.CONNECTING,
    LineType.CALL_CONNECTED: SpanKind.TALKING,
    LineType.CALL_HELD: SpanKind.HELD,
    LineType.CALL_RETRIEVED: SpanKind.TALKING,
    LineType.CALL_HANDED_OVER: SpanKind.CONNECTING,
    LineType.CALL_DIVERTED: SpanKind.MESSAGING,
    LineType.CALL_RETURNED: SpanKind.MENU,
    LineType.AGENT_WRAP_UP_STARTED: SpanKind.WRAP_UP,
}
_WRAP_UP: Final = frozenset({LineType.AGENT_WRAP_UP_STARTED, LineType.AGENT_WRAP_UP_CLOSED})
_OFFER_ENDS: Final[Mapping[str, str]] = {
    LineType.OFFER_ACCEPTED: "accepted",
    LineType.OFFER_DECLINED: "declined",
    LineType.OFFER_EXPIRED: "expired",
    LineType.OFFER_UNRUNG: "unrung",
    LineType.OFFER_WITHDRAWN: "withdrawn",
}


def read_timeline(lines: Iterable[Line]) -> tuple[Span, ...]:
    """The spans of one call; `lines` are its own, oldest first. Only offers may have no length."""
    told = list(lines)
    endings = {line.offer_id: _OFFER_ENDS[line.type] for line in told if line.type in _OFFER_ENDS}
    spans = _before_the_first_line(told)
    for line in told:
        kind = None if line.type in _WRAP_UP else _kind_of(line)
        if kind or line.type == LineType.CALL_ENDED:
            _close(spans, line.at_ms)
        if kind:
            is_offer = kind is SpanKind.OFFERED
            span = Span(kind=kind, start_ms=line.at_ms, agent_id=line.agent_id, offer_id=line.offer_id)
            spans.append(replace(span, ended_as=endings.get(line.offer_id, "")) if is_offer else span)
    row = (*spans, *_wrap_ups(told))
    return tuple(span for span in row if span.end_ms is None or span.for_ms or span.kind is SpanKind.OFFERED)


def _wrap_ups(told: Iterable[Line]) -> list[Span]:
    """Of each agent, in the order they ended; beside the call as long as it went on without him."""
    has_ended, found = False, list[Span]()
    for line in told:
        has_ended = has_ended or line.type == LineType.CALL_ENDED
        if line.type == LineType.AGENT_WRAP_UP_STARTED:
            span = Span(kind=SpanKind.WRAP_UP, start_ms=line.at_ms, agent_id=line.agent_id)
            found.append(replace(span, is_beside=not has_ended))
        elif line.type == LineType.AGENT_WRAP_UP_CLOSED:
            for place, span in enumerate(found):
                if span.agent_id == line.agent_id and span.end_ms is None:
                    found[place] = replace(span, end_ms=line.at_ms)
    return found


def _before_the_first_line(told: Iterable[Line]) -> list[Span]:
    """Of an anonymous caller the arrival is taken out; the line in its place says when it was."""
    types = {line.type: line for line in told}
    nameless = types.get(LineType.CALL_ANONYMISED)
    if nameless is None or LineType.CALL_ARRIVED in types:
        return []
    return [Span(kind=SpanKind.MENU, start_ms=int(nameless.data.get("arrived_ms", nameless.at_ms)))]


def _kind_of(line: Line) -> SpanKind | None:
    """A call that comes to a closed queue is journalled as queued, but waits for nobody."""
    if line.type == LineType.CALL_QUEUED and line.data.get("closed"):
        return SpanKind.MESSAGING
    return _BEGINS.get(line.type)


def _close(spans: list[Span], at_ms: int) -> None:
    if spans and spans[-1].end_ms is None:
        spans[-1] = replace(spans[-1], end_ms=at_ms)
