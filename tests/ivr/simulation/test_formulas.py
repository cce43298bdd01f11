"""The simulated routing against queueing theory: Erlang C, Cobham's priorities, Erlang A.

Waits of neighbouring calls are alike, so the error of a mean is estimated from the means of batches (40 of them,
long against a busy period). A formula must lie within four standard errors: a wrong order or a lost call misses it by
far more, and a right one misses it once in ten thousand runs, never with these seeds.
"""

import math
import statistics
from collections.abc import Sequence
from pathlib import Path

import pytest

from ivr.simulation.scenario import PlayedCall, PlayedDay
from tests.depth import times
from tests.ivr.simulation.days import AGENTS, HANDLING_S, STRICT, plan_with, play, poisson

BATCHES = 40
ERRORS = 4


def erlang_c(servers: int, load: float) -> float:
    """The share of callers who wait in M/M/c (Erlang 1917); `load` per server."""
    offered = servers * load
    top = offered**servers / math.factorial(servers) / (1 - load)
    return top / (sum(offered**k / math.factorial(k) for k in range(servers)) + top)


def erlang_a(servers: int, load: float, patience_s: float) -> tuple[float, float]:
    """Mean wait of all, and the share who give up, in M/M/c+M (Palm 1957): from the birth-death probabilities."""
    arrival, service, leave = servers * load / HANDLING_S, 1 / HANDLING_S, 1 / patience_s
    weights = [1.0]
    for n in range(1, servers + 2000):
        weights.append(weights[-1] * arrival / (min(n, servers) * service + max(0, n - servers) * leave))
    total = math.fsum(weights)
    queue = math.fsum((n - servers) * weight for n, weight in enumerate(weights) if n > servers) / total
    return queue / arrival, leave * queue / arrival


def is_near(values: Sequence[float], expected: float) -> bool:
    size = len(values) // BATCHES
    means = [statistics.fmean(values[n * size : (n + 1) * size]) for n in range(BATCHES)]
    error = statistics.stdev(means) / math.sqrt(BATCHES)
    found = statistics.fmean(values)
    assert abs(found - expected) <= ERRORS * error, (
        f"{found:.2f} is not {expected:.2f} within 4 × {error:.2f}"
    )
    assert ERRORS * error < 0.6 * expected, "too few calls to tell anything"
    return True


def waits_s(day: PlayedDay, tier: str = "") -> list[float]:
    return [each.wait_ms / 1000 for each in day.calls if not tier or each.call.tier == tier]


@pytest.mark.parametrize(("load", "count"), [(0.7, times(12_000, 16_000)), (0.85, 30_000)])
def test_a_strict_head_start_waits_as_cobham_says_and_all_together_as_erlang_does(
    tmp_path: Path, load: float, count: int
) -> None:
    day = play(plan_with(tmp_path, head_start=STRICT, ceiling=STRICT), poisson(count, load, seed=7))
    assert len(day.calls) == count
    assert all(each.is_answered for each in day.calls)
    share = erlang_c(AGENTS, load)
    remaining_s = share * HANDLING_S / AGENTS
    assert is_near([float(wait > 0) for wait in waits_s(day)], share)
    assert is_near(waits_s(day), remaining_s / (1 - load))
    assert is_near(waits_s(day, "key"), remaining_s / (1 - 0.3 * load))
    assert is_near(waits_s(day, "ordinary"), remaining_s / (1 - 0.3 * load) / (1 - load))


def test_first_come_first_served_when_nobody_has_a_head_start(tmp_path: Path) -> None:
    day = play(plan_with(tmp_path, head_start="0s", ceiling=STRICT), poisson(3_000, 0.85, seed=8))
    taken = [each.answered_ms or 0 for each in day.calls]
    assert taken == sorted(taken)


def test_with_patience_as_many_give_up_as_erlang_a_says(tmp_path: Path) -> None:
    load, patience_s = 0.95, 240.0
    scenario = poisson(times(10_000, 20_000), load, seed=9, patience_s=patience_s)
    day = play(plan_with(tmp_path, head_start="0s", ceiling=STRICT), scenario)
    wait_s, share = erlang_a(AGENTS, load, patience_s)
    assert is_near([float(not each.is_answered) for each in day.calls], share)
    assert is_near(waits_s(day), wait_s)


def test_an_ordinary_caller_is_passed_only_by_those_who_came_within_the_head_start(tmp_path: Path) -> None:
    """Design's bound, on every pair of a long day: head start 60 s, ceilings alike."""
    plan = plan_with(tmp_path, head_start="60s", ceiling="8m")
    day = play(plan, poisson(6_000, 0.97, seed=10))
    later: list[PlayedCall] = []
    passes = 0
    for each in reversed(day.calls):
        for other in later:
            if other.call.at_ms - each.call.at_ms > 3_600_000:
                break
            if other.answered_ms is not None and other.answered_ms < each.left_ms:
                passes += 1
                assert other.call.at_ms - each.call.at_ms <= 60_000
        later.insert(0, each)
    assert passes > 100
