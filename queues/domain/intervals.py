"""Intervals: what calls come to, added up by the quarter of an hour in which they arrived.

`contribution` is the one pure function behind every figure of calls: a call record in, the counts that it adds to its
cell out. An interval is the sum of the contributions of its calls. So a change of a record adds what it contributes
now minus what it contributed before (`changes`), in whichever intervals; a line that is seen twice changes no record
and so adds nothing; and adding up all records anew gives the same figures as the changes did one by one.

A cell is (start of the quarter, queue, tier, line); a call that never came to a queue has an empty one. What of calls
is counted, each once:

* offered = came to an open queue; answered, called_back, abandoned and flowed_out (a message, another telephone or a
  goodbye, after he had waited) are parts of it, and whoever is in none of them waits still.
* A caller who asked to be called back is not among the answered, also when he was reached: his own waiting ended then.
* A call that we place for the list of callers who gave up is nobody's arrival, and in no interval; nor is one whose
  arrival is told as an instant that no calendar has.
* came_closed = found the queue closed; left_in_menu = ended in the menu; the rest of arrived is there now.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from queues.domain import waits
from queues.domain.abandoned import entry_of
from queues.domain.call_records import CallRecord
from queues.domain.calls import FAILED, JOINED, KEPT, CallState, Outcome
from queues.domain.periods import QUARTER_MS, is_dated

# One column each, in this order. Lengths are ms.
SUMS: Final = (
    "arrived", "unsettled", "left_in_menu", "came_closed",
    "offered", "answered", "abandoned", "abandoned_ringing", "called_back", "flowed_out", "voicemail",
    "callbacks_kept", "callbacks_failed", "callbacks_joined",
    "handled", "talk_ms", "held_ms", "wrap_ms", "wait_ms", "abandoned_wait_ms",
    "with_hold", "holds", "transferred", "transfers", "offers",
)  # fmt: skip
# Who came to an open queue and is in none of these waits still.
ANSWERED_OR_GONE: Final = ("answered", "abandoned", "called_back", "flowed_out")
# Waits by the second: of the answered, of the abandoned, of whoever else waited in vain or was led elsewhere, and of
# the answered since they dialled in.
WAITS: Final = ("answered_waits", "abandoned_waits", "other_waits", "felt_waits")


class Cell(NamedTuple):
    start_ms: int
    queue: str
    tier: str
    line: str


@dataclass(slots=True)
class Counts:
    """What one cell holds. Parts add up in any order."""

    sums: Counter[str] = field(default_factory=Counter)
    waits: dict[str, Counter[int]] = field(default_factory=dict)

    def add(self, other: "Counts", times: int = 1) -> None:
        for name, number in other.sums.items():
            self.sums[name] += number * times
        for name, counted in other.waits.items():
            mine = self.waits.setdefault(name, Counter())
            for at_s, number in counted.items():
                mine[at_s] += number * times

    @property
    def is_nothing(self) -> bool:
        return not any(self.sums.values()) and not any(any(each.values()) for each in self.waits.values())

    def as_json(self) -> list[Any]:
        sums = {name: number for name, number in self.sums.items() if number}
        counted = {
            name: {str(at_s): number for at_s, number in each.items() if number}
            for name, each in self.waits.items()
        }
        return [sums, {name: each for name, each in counted.items() if each}]

    @classmethod
    def from_json(cls, told: Any) -> "Counts":
        sums, counted = told
        return cls(
            Counter(sums),
            {name: Counter({int(at_s): n for at_s, n in each.items()}) for name, each in counted.items()},
        )


Cells = dict[Cell, Counts]
Share = tuple[Cell, Counts]


def cell_of(record: CallRecord) -> Cell:
    start_ms = record.arrived_ms // QUARTER_MS * QUARTER_MS
    return Cell(start_ms, record.queue or "", record.tier or "", record.line or "")


def contribution(record: CallRecord) -> Counts:
    """What this call adds to its cell. Only what is not 0 is named."""
    told = Counts()
    if entry_of(record.call_id) or not is_dated(record.arrived_ms):
        return told
    sums = told.sums
    sums["arrived"] = 1
    if not record.is_settled:
        sums["unsettled"] = 1
    if record.came_closed:
        sums["came_closed"] = 1
    elif record.queued_ms is not None:
        sums["offered"] = 1
        _of_offered(record, told)
    elif record.has_ended:
        sums["left_in_menu"] = int(record.outcome == Outcome.LEFT_IN_MENU)
    for name in ("offers", "transfers", "holds"):
        if number := getattr(record, name):
            sums[name] = number
    return told


def _of_offered(record: CallRecord, told: Counts) -> None:
    sums, wait_ms = told.sums, record.wait_ms
    if record.callback or record.outcome == Outcome.CALLBACK:
        sums["called_back"] = 1
        _of_callback(record, sums)
        _wait(told, "other_waits", wait_ms)
    elif record.answered_ms is not None:
        sums["answered"] = 1
        sums["wait_ms"] = wait_ms or 0
        _wait(told, "answered_waits", wait_ms)
        _wait(told, "felt_waits", max(0, record.answered_ms - record.arrived_ms))
        _of_answered(record, sums)
    elif record.outcome == Outcome.ABANDONED:
        sums["abandoned"] = 1
        sums["abandoned_ringing"] = int(record.ended_in in (CallState.OFFERED, CallState.CONNECTING))
        sums["abandoned_wait_ms"] = wait_ms or 0
        _wait(told, "abandoned_waits", wait_ms)
    elif record.has_ended:
        sums["flowed_out"] = 1
        sums["voicemail"] = int(record.outcome == Outcome.VOICEMAIL)
        _wait(told, "other_waits", wait_ms)


def _of_answered(record: CallRecord, sums: Counter[str]) -> None:
    if record.holds:
        sums["with_hold"] = 1
    if record.transfers:
        sums["transferred"] = 1
    if record.has_ended:
        sums["handled"] = 1
        sums["talk_ms"] = max(0, (record.talk_ms or 0) - (record.held_ms or 0))
        sums["held_ms"] = record.held_ms or 0
        sums["wrap_ms"] = record.wrap_ms or 0


def _of_callback(record: CallRecord, sums: Counter[str]) -> None:
    for name, word in (("callbacks_kept", KEPT), ("callbacks_failed", FAILED), ("callbacks_joined", JOINED)):
        if record.callback == word:
            sums[name] = 1


def _wait(told: Counts, name: str, wait_ms: int | None) -> None:
    if wait_ms is not None:
        told.waits[name] = Counter({waits.second_of(wait_ms): 1})


def total(records: Iterable[CallRecord], found: Cells | None = None) -> Cells:
    """From scratch: the intervals of these calls, together with what was `found` of others."""
    found = {} if found is None else found
    for record in records:
        found.setdefault(cell_of(record), Counts()).add(contribution(record))
    return found


def counted(records: Iterable[CallRecord]) -> dict[str, Share]:
    """What each of these calls adds now, and where; taken before a fold changes the records."""
    return {record.call_id: (cell_of(record), contribution(record)) for record in records}


def changes(before: Mapping[str, Share], after: Iterable[CallRecord]) -> Cells:
    """What the cells gain, and lose, as these records take the place of those that were `counted` before."""
    found: Cells = {}
    for record in after:
        share = (cell_of(record), contribution(record))
        old = before.get(record.call_id)
        if old == share:
            continue
        if old is not None:
            found.setdefault(old[0], Counts()).add(old[1], -1)
        found.setdefault(share[0], Counts()).add(share[1])
    return {cell: counts for cell, counts in found.items() if not counts.is_nothing}


def merged(parts: Iterable[Cells]) -> Cells:
    found: Cells = {}
    for part in parts:
        for cell, counts in part.items():
            found.setdefault(cell, Counts()).add(counts)
    return found


def difference(should: Cells, have: Cells) -> Cells:
    """What is to be added to `have` so that it is `should`."""
    found: Cells = {}
    for cell in {*should, *have}:
        counts = Counts()
        if cell in should:
            counts.add(should[cell])
        if cell in have:
            counts.add(have[cell], -1)
        if not counts.is_nothing:
            found[cell] = counts
    return found
