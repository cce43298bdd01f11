"""What each agent has in one call: who talked, held and wrapped up how long, when several had it one after another.

The call record is folded line by line, and whatever its lengths grow by belongs to whoever talks then; a wrap-up to the
agent of its line. So the shares of a call add up to the call's own lengths.
Unit: ms.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from queues.domain.call_records import CallRecord, fold_onto, wrapper_of
from queues.domain.journal import Line, LineType

PASSED_ON: Final = frozenset({LineType.CALL_TRANSFERRED, LineType.CALL_HANDED_OVER})


@dataclass(slots=True)
class Share:
    """`talk_ms` has the holds in it, as with a call."""

    talk_ms: int = 0
    held_ms: int = 0
    wrap_ms: int = 0
    holds: int = 0
    passed_on: int = 0
    is_first: bool = False  # he answered the caller; whoever else talked took him over


def shares_of(lines: Iterable[Line]) -> dict[str, Share]:
    """By agent, of whoever talked in this call; `lines` are those of the call, in the journal's order."""
    found: dict[str, Share] = {}
    record: CallRecord | None = None
    talker = ""
    for line in lines:
        before = replace(record) if record else CallRecord(call_id=line.call_id)
        record = fold_onto(record, line)
        if record is None or record.updated_id == before.updated_id:
            continue
        if line.type == LineType.CALL_CONNECTED and line.agent_id:
            talker = line.agent_id
            found.setdefault(talker, Share(is_first=not found))
        if share := found.get(talker):
            share.talk_ms += (record.talk_ms or 0) - (before.talk_ms or 0)
            share.held_ms += (record.held_ms or 0) - (before.held_ms or 0)
            share.holds += (record.holds or 0) - (before.holds or 0)
            share.passed_on += line.type in PASSED_ON
        if more_ms := (record.wrap_ms or 0) - (before.wrap_ms or 0):
            found.setdefault(wrapper_of(line), Share()).wrap_ms += more_ms
    return found
