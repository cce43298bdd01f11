"""The auditor's account of promises to call back.

A promise ends once: kept when its customer was reached, joined when he rang again himself, failed when the tries or the
time were used up. He is called in the hours the site names, at most so often, and never twice at once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from queues.domain.journal import Line
from queues.domain.plan import Plan

LATE_MS: Final = 60_000  # by so much the end of the hours may be noticed too late
KEPT, JOINED, FAILED = "kept", "joined", "failed"


@dataclass
class CallingBack:
    plan: Plan
    must: Callable[[bool, str, str, Line], None]
    until_ms: dict[str, int] = field(default_factory=dict)  # of each call that asked
    tries: dict[str, int] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    dialling: dict[str, str] = field(default_factory=dict)  # caller -> the call for which he is rung now
    ended: dict[str, str] = field(default_factory=dict)  # how
    on_line: set[str] = field(default_factory=set)  # their customers are there

    def hear(self, line: Line) -> None:
        if line.type == "call.arrived":
            self.refs[line.call_id] = str(line.data.get("caller_ref", line.call_id))
        elif line.type == "callback.asked":
            self.must(line.call_id not in self.until_ms, "asked once", line.call_id, line)
            self.until_ms[line.call_id] = int(line.data["until_ms"])
        elif line.call_id in self.until_ms:
            self._hear_of_promise(line)

    def _hear_of_promise(self, line: Line) -> None:
        if line.type in ("callback.reached", "call.connected"):
            self.on_line.add(line.call_id)
        elif line.type == "callback.dialled":
            self._dialled(line)
        elif line.type == "callback.missed":
            is_try = line.data.get("why") != "unrung"
            self.tries[line.call_id] = self.tries.get(line.call_id, 0) + int(is_try)
            self.on_line.discard(line.call_id)
            self._let_go(line)
        elif line.type in ("callback.rested", "call.requeued"):
            self._let_go(line)
        elif line.type == "call.ended":
            self._let_go(line)
            self._ended(line)

    def _dialled(self, line: Line) -> None:
        window, terms = self.plan.callback.window, self.plan.callback
        is_in_hours = window is None or any(
            self.plan.is_open(window, line.at_ms - late_ms) for late_ms in (0, LATE_MS)
        )
        self.must(is_in_hours, "nobody is called outside the hours", line.call_id, line)
        is_left = self.tries.get(line.call_id, 0) < terms.tries
        self.must(is_left, "nobody is tried more often than promised", line.call_id, line)
        other = self.dialling.setdefault(self.refs[line.call_id], line.call_id)
        self.must(other == line.call_id, f"nobody is called twice at once: {other}", line.call_id, line)

    def _let_go(self, line: Line) -> None:
        if self.dialling.get(self.refs[line.call_id]) == line.call_id:
            del self.dialling[self.refs[line.call_id]]

    def _ended(self, line: Line) -> None:
        told: Any = line.data
        how, terms = str(told.get("callback", "")), self.plan.callback
        self.ended[line.call_id] = how
        self.must(how in (KEPT, JOINED, FAILED), "a promise is kept, joined or failed", line.call_id, line)
        is_used_up = (
            self.tries.get(line.call_id, 0) >= terms.tries
            or line.at_ms + terms.every_ms >= self.until_ms[line.call_id]
        )
        self.must(how != FAILED or is_used_up, "nobody gives up too early", line.call_id, line)
