"""How long it will take, replayed: the order is the real one, and what is not known is not said."""

from dataclasses import replace
from random import Random

import pytest

from config import site_files
from queues.domain.announcing import OPEN_S, Range
from queues.domain.estimates import (
    CALLS_MAX,
    Handling,
    Samples,
    Seat,
    Standing,
    Steps,
    WaitingLane,
    estimate,
    said_range,
    text_of,
)
from queues.domain.lanes import Lane
from queues.domain.plan import Plan, load_plan
from tests.house.places import ROOT

NOW_MS = 1_800_000_000_000
MINUTE_MS = 60_000


@pytest.fixture(scope="module")
def plan() -> Plan:
    return load_plan(site_files.read(ROOT / "config" / "sites" / "power"))


def waiting(
    queue: str, *queued_s: int, tier: str = "residential", head_start_ms: int = 0, is_safety: bool = False
) -> WaitingLane:
    lane = Lane(queue, tier, (queue,), head_start_ms, is_safety)
    calls = ((NOW_MS - 1000 * each, f"{n:012d}") for n, each in enumerate(queued_s))
    return WaitingLane(lane.lane_id, lane, tuple(calls))


def exactly(minutes: int, *queues: str) -> Samples:
    """Every call takes so long, and the phone is answered at once."""
    return {queue: [Handling(0, minutes * MINUTE_MS)] * 20 for queue in queues or ("general", "outage")}


def seat(*skills: str, talked_ms: int = 0, queue: str = "general") -> Seat:
    return Seat(frozenset(skills), queue, talked_ms, None if talked_ms else 0)


def found(plan: Plan, standing: Standing, samples: Samples, replays: int = 40) -> dict[str, Steps]:
    chances = [Random(seed) for seed in range(replays)]
    told = estimate(plan, standing, samples, NOW_MS, chances)
    return {lane_id.partition("|")[0]: steps for lane_id, steps in told.items()}


def at(steps: Steps, depth: int) -> Range:
    return next(told for deepest, told in steps if depth <= deepest)


def test_with_handling_that_never_varies_it_is_arithmetic(plan: Plan) -> None:
    """Two agents, four minutes a call, one of them three minutes into his: 0, 1, 4, 5, 8, 9, 12 minutes."""
    standing = Standing(
        lanes=(waiting("general", *range(70, 0, -10)),),
        seats=(seat("general"), seat("general", talked_ms=3 * MINUTE_MS)),
    )
    steps = found(plan, standing, exactly(4))["general"]
    expected = [(0, 60), (60, 60), (180, 300), (300, 300), (300, 600), (300, 600), (600, OPEN_S)]
    told = [at(steps, depth) for depth in range(1, 8)]
    assert [each.high_s for each in told] == [high_s for _, high_s in expected]
    assert all(each.low_s <= low_s for each, (low_s, _) in zip(told, expected, strict=True))


def test_nobody_further_back_is_told_a_shorter_time(plan: Plan) -> None:
    chance = Random(4)
    samples = {"general": [Handling(5_000, chance.randrange(20_000, 600_000)) for _ in range(60)]}
    standing = Standing(
        lanes=(waiting("general", *range(400, 0, -10)),),
        seats=(seat("general"), *(seat("general", talked_ms=90_000),) * 4),
    )
    steps = found(plan, standing, samples)["general"]
    ranges = [told for _, told in steps]
    assert len(ranges) > 3
    assert [each.high_s for each in ranges] == sorted(each.high_s for each in ranges)
    assert [each.low_s for each in ranges] == sorted(each.low_s for each in ranges)
    assert found(plan, standing, samples)["general"] == steps, "the same seeds, the same ranges"


def test_whoever_has_a_head_start_is_served_first_there_too(plan: Plan) -> None:
    ordinary = waiting("general", 30)
    key = waiting("outage", 10, tier="key_customer", head_start_ms=120_000)
    seats = (seat("general", "outage", talked_ms=MINUTE_MS),)
    told = found(plan, Standing(lanes=(ordinary, key), seats=seats), exactly(4))
    assert (at(told["outage"], 1), at(told["general"], 1)) == ((180, 180), (300, 600))
    told = found(plan, Standing(lanes=(ordinary, waiting("outage", 10)), seats=seats), exactly(4))
    assert (at(told["outage"], 1), at(told["general"], 1)) == ((300, 600), (180, 180))


def test_who_widens_only_later_waits_until_then(plan: Plan) -> None:
    """An outage goes to general agents after 30 s: the one who is ready now may take it in 25 s."""
    standing = Standing(lanes=(waiting("outage", 5),), seats=(seat("general"),))
    assert found(plan, standing, exactly(4))["outage"] == ((1, Range(0, 60)),)


@pytest.mark.parametrize("what", ["danger", "nobody", "unable", "sample"])
def test_what_is_not_known_is_not_said(plan: Plan, what: str) -> None:
    lane = waiting("general", 30, is_safety=what == "danger")
    seats = {"nobody": (), "unable": (seat("complaint"),)}.get(what, (seat("general"),))
    samples = exactly(4)
    if what == "sample":
        samples = {"general": samples["general"][:19], "outage": samples["outage"]}
    assert found(plan, Standing(lanes=(lane,), seats=seats), samples) == {}


def test_far_back_nothing_is_said(plan: Plan) -> None:
    lane = waiting("general", *range(CALLS_MAX + 30, 0, -1))
    samples = {"general": [Handling(1_000, 2_000)] * 20}
    steps = found(plan, Standing(lanes=(lane,), seats=(seat("general"),)), samples, replays=4)["general"]
    assert steps[-1][0] == CALLS_MAX


def test_an_agent_in_wrap_up_is_free_at_the_latest_when_it_ends(plan: Plan) -> None:
    standing = Standing(lanes=(waiting("general", 30),), seats=(replace(seat("general"), free_in_ms=30_000),))
    assert found(plan, standing, exactly(9))["general"] == ((1, Range(0, 60)),)


def test_a_range_is_rounded_outwards() -> None:
    told = [
        said_range(low_s * 1000, high_s * 1000)
        for low_s, high_s in [(61, 119), (0, 0), (200, 301), (700, 900)]
    ]
    assert told == [(60, 120), (0, 60), (180, 600), (600, OPEN_S)]
    assert text_of(((2, told[0]), (5, told[3])), 7) == "7 2:60:120 5:600:86400"
