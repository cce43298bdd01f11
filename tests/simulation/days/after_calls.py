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


@dataclass
class AfterCalls:
    must: Must
    arrived_ms: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    queued: set[str] = field(default_factory=set)  # found a queue open
    found_closed: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)  # to be called back
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
            (self.found_closed if line.data.get("closed") else self.queued).add(call_id)
        elif line.type == "callback.asked":
            self.asked.add(call_id)
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
        called_back = {
            each for each in offered if each in self.asked or self.outcomes.get(each) == "callback"
        }
        answered = (offered & self.talked) - called_back
        left = Counter(self.outcomes.get(each, "") for each in offered - called_back - answered)
        sets = {"arrived": came, "came_closed": (came & self.found_closed) - offered, "offered": offered}
        sets |= {"called_back": called_back, "answered": answered}
        told = {name: len(calls) for name, calls in sets.items()}
        return {**told, "abandoned": left["abandoned"], "voicemail": left["voicemail"]}
