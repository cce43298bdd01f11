"""Talks: a call that is put through has several, each with one agent, in one queue, after a wait of its own.

`fold` is pure: the talks of one call and a line in, the talks after it out. What must hold: a line seen twice
changes nothing, and a talk ends once. A talk's length has its holds in it; its wrap-up comes after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from queues.domain.call_records import first, is_end, length, text_of, whole_of
from queues.domain.journal import Line, LineType

ENDED, TRANSFERRED, HANDED_OVER = "ended", "transferred", "handed_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """The part of a row of `talks` that the journal decides; the note is the agent's to write."""

    call_id: str
    offer_id: str  # that led to it
    agent_id: str
    queue: str = ""
    wait_ms: int | None = None  # before this talk
    began_ms: int = 0
    ended_ms: int | None = None
    ended_as: str = ""  # ended | transferred | handed_over
    disposition: str = ""
    wrapped_up_ms: int | None = None

    @property
    def talk_ms(self) -> int | None:
        return length(self.began_ms, self.ended_ms)


Talks = tuple[Talk, ...]  # of one call, oldest first


def fold(talks: Talks, line: Line) -> Talks:
    if line.type == LineType.CALL_CONNECTED:
        return _begun(talks, line)
    if line.type in _ENDS or is_end(line):
        return _ended(talks, line)
    if line.type == LineType.AGENT_WRAP_UP_CLOSED:
        return _wrapped_up(talks, line)
    return talks


_ENDS: Final[Mapping[str, str]] = {
    LineType.CALL_TRANSFERRED: TRANSFERRED,
    LineType.CALL_HANDED_OVER: HANDED_OVER,
}
STEPS: Final = frozenset(
    {
        LineType.CALL_CONNECTED,
        LineType.CALL_ENDED,
        LineType.CALL_RECONCILED,
        LineType.AGENT_WRAP_UP_CLOSED,
        *_ENDS,
    }
)


def _begun(talks: Talks, line: Line) -> Talks:
    if any(talk.offer_id == line.offer_id for talk in talks):
        return talks
    talk = Talk(
        call_id=line.call_id,
        offer_id=line.offer_id,
        agent_id=line.agent_id,
        queue=text_of(line.data, "queue"),
        wait_ms=whole_of(line.data, "wait_ms"),
        began_ms=line.at_ms,
    )
    return (*_ended(talks, line), talk)  # the end of the last one may have been lost


def _ended(talks: Talks, line: Line) -> Talks:
    if not talks or talks[-1].ended_ms is not None:
        return talks
    ended_ms = first(whole_of(line.data, "ended_ms"), line.at_ms)
    return (*talks[:-1], replace(talks[-1], ended_ms=ended_ms, ended_as=_ENDS.get(line.type, ENDED)))


def _wrapped_up(talks: Talks, line: Line) -> Talks:
    """His last talk of this call that has ended."""
    for place in range(len(talks) - 1, -1, -1):
        talk = talks[place]
        if talk.agent_id == line.agent_id and talk.ended_ms is not None and talk.wrapped_up_ms is None:
            done = replace(talk, wrapped_up_ms=line.at_ms, disposition=text_of(line.data, "disposition"))
            return (*talks[:place], done, *talks[place + 1 :])
    return talks
