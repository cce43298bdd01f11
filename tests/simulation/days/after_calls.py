"""The auditor's account of what is left of a call: its recording, and what it adds to the figures of its interval.

Nobody is recorded before he talks (by then he has heard the notice), nor who has refused; whoever talked and may be
recorded is, unless the journal says that it could not be done. A call counts in the interval in which it arrived.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from queues.domain.audit import Breach
from queues.domain.journal import Line

Must = Callable[[bool, str, str, Line], None]
OUTCOMES = ("abandoned", "voicemail", "callback", "closed")


@dataclass
class AfterCalls:
    must: Must
    arrived_ms: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    queued: set[str] = field(default_factory=set)
    talked: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    recorded: set[str] = field(default_factory=set)
    excused: set[str] = field(default_factory=set)  # of these a line says that it was given up

    def hear(self, line: Line) -> None:
        call_id = line.call_id
        if line.type == "call.arrived":
            self.arrived_ms[call_id] = line.at_ms
        elif line.type == "call.menu_stepped":
            if line.data.get("record") == "refused":
                self.refused.add(call_id)
        elif line.type == "call.queued":
            self.queued.add(call_id)
        elif line.type == "call.connected":
            self.talked.add(call_id)
        elif line.type == "recording.started" and line.data.get("kind") == "call":
            self._recorded(line)
        elif line.type == "effect.failed" and line.data.get("kind") == "record":
            self.excused.add(call_id)
        elif line.type == "call.ended":
            self.outcomes[call_id] = str(line.data["outcome"])

    def _recorded(self, line: Line) -> None:
        self.must(
            line.call_id in self.talked,
            "nobody is recorded before the notice and the talk",
            line.call_id,
            line,
        )
        self.must(line.call_id not in self.refused, "nobody is recorded who refused", line.call_id, line)
        self.recorded.add(line.call_id)

    def missing(self) -> list[Breach]:
        """Once the house is empty."""
        left = self.talked - self.refused - self.recorded - self.excused
        return [Breach("whoever talked is recorded", call_id, "") for call_id in sorted(left)]

    def figures(self, from_ms: int, until_ms: int) -> Mapping[str, int]:
        """Of the calls that arrived in [from_ms, until_ms)."""
        came = {call_id for call_id, at_ms in self.arrived_ms.items() if from_ms <= at_ms < until_ms}
        offered = came & self.queued
        counted = Counter(self.outcomes.get(call_id, "") for call_id in offered)
        told = {"arrived": len(came), "offered": len(offered), "answered": len(offered & self.talked)}
        return {**told, **{name: counted[name] for name in OUTCOMES}}
