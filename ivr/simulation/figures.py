"""The figures of a simulated day, each with its definition.

* offered = answered + abandoned + still waiting at the end; a wait runs from entering the queue.
* wait_mean_s and the percentiles are over answered calls; a percentile is the smallest wait that at least that share
  of them did not exceed (nearest rank).
* service_level = answered within the queue's `answer_within` / offered.
* longest_s is over all calls, those who gave up included.
* passed = how often a caller was passed: calls of the same queue that came later and were answered before he was
  answered or gave up. promoted = answered because the ceiling of the tier was reached.
* reserved idle = time of agents on kept seats while somebody waited whom they could have served.
* occupancy = time on calls and wrapping up / time signed in.
"""

import math
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ivr.simulation.scenario import PlayedCall, PlayedDay
from queues.domain.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    offered: int
    answered: int
    abandoned: int
    waiting: int
    wait_mean_s: float
    wait_p50_s: float
    wait_p80_s: float
    wait_p95_s: float
    longest_s: float
    service_level: float
    promoted: int
    passed_mean: float
    passed_max: int

    @property
    def abandoned_share(self) -> float:
        return self.abandoned / self.offered if self.offered else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    all: Figures
    by_tier: Mapping[str, Figures]
    by_queue: Mapping[str, Figures]
    occupancy: float
    reserved_idle_s: float
    agents: int
    length_s: float

    def as_json(self) -> dict[str, Any]:
        return {
            "all": asdict(self.all),
            "by_tier": {name: asdict(each) for name, each in self.by_tier.items()},
            "by_queue": {name: asdict(each) for name, each in self.by_queue.items()},
            "occupancy": self.occupancy,
            "reserved_idle_s": self.reserved_idle_s,
            "agents": self.agents,
            "length_s": self.length_s,
        }


def figures_of(plan: Plan, day: PlayedDay) -> DayFigures:
    passed = times_passed(day.calls)
    tiers = [name for name in plan.tiers if any(each.call.tier == name for each in day.calls)]
    queues = [name for name in plan.queues if any(each.call.queue == name for each in day.calls)]

    def of(chosen: Iterable[PlayedCall]) -> Figures:
        return _figures(plan, day, tuple(chosen), passed)

    staffed_ms = sum(day.staffed_ms.values())
    return DayFigures(
        all=of(day.calls),
        by_tier={name: of(each for each in day.calls if each.call.tier == name) for name in tiers},
        by_queue={name: of(each for each in day.calls if each.call.queue == name) for name in queues},
        occupancy=sum(day.busy_ms.values()) / staffed_ms if staffed_ms else 0.0,
        reserved_idle_s=day.kept_back_ms / 1000,
        agents=len(day.staffed_ms),
        length_s=day.ended_ms / 1000,
    )


def _figures(plan: Plan, day: PlayedDay, calls: Sequence[PlayedCall], passed: Mapping[str, int]) -> Figures:
    waits = sorted(each.wait_ms / 1000 for each in calls if each.is_answered)
    left = [each for each in calls if not each.is_answered]
    has_waited = [each for each in left if not _gave_up(each, day)]
    in_time = sum(
        each.is_answered and each.wait_ms <= plan.queues[each.call.queue].answer_within_ms for each in calls
    )
    count = len(calls)
    return Figures(
        offered=count,
        answered=len(waits),
        abandoned=len(left) - len(has_waited),
        waiting=len(has_waited),
        wait_mean_s=_mean(waits),
        wait_p50_s=percentile(waits, 50),
        wait_p80_s=percentile(waits, 80),
        wait_p95_s=percentile(waits, 95),
        longest_s=max((each.wait_ms / 1000 for each in calls), default=0.0),
        service_level=in_time / count if count else 0.0,
        promoted=sum(each.is_answered and each.rule == "ceiling" for each in calls),
        passed_mean=_mean([passed[each.call.call_id] for each in calls]),
        passed_max=max((passed[each.call.call_id] for each in calls), default=0),
    )


def _gave_up(played: PlayedCall, day: PlayedDay) -> bool:
    patience_ms = played.call.patience_ms
    return patience_ms is not None and played.call.at_ms + patience_ms <= day.ended_ms


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0


def percentile(in_order: Sequence[float], percent: int) -> float:
    """Nearest rank: the smallest value that at least so many in a hundred of them do not exceed; 0 of none."""
    if not in_order:
        return 0.0
    return in_order[max(0, -(-percent * len(in_order) // 100) - 1)]


def times_passed(calls: Sequence[PlayedCall]) -> dict[str, int]:
    """How many later calls of his queue were answered before each caller was answered or gave up."""
    by_queue: dict[str, list[PlayedCall]] = defaultdict(list)
    for each in calls:
        by_queue[each.call.queue].append(each)
    passed: dict[str, int] = {}
    for own in by_queue.values():
        later: list[int] = []  # when those who came later were answered, in order
        for each in reversed(own):
            passed[each.call.call_id] = bisect_left(later, each.left_ms)
            if each.answered_ms is not None:
                insort(later, each.answered_ms)
    return passed
