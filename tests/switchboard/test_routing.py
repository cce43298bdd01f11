"""Routing against a plain account of the same rules that looks at every call and every agent."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from queues.domain.lanes import Class, Lane, Rank, Skip, rank
from queues.domain.named import Named
from queues.domain.plan import Overflow, Plan, Queue, Reserve, Tier
from queues.domain.routing import (
    FURTHER,
    LaneHeads,
    Match,
    Person,
    Pool,
    Snapshot,
    Waiting,
    decide,
    decide_round,
    widen,
)
from queues.domain.widening import CallbackTerms
from tests.depth import times

NOW_MS = 1_795_395_600_000
MINUTE_MS = 60_000
WORDS = {"en": "x"}

TIERS = {
    "normal": Tier(id="normal", name=WORDS, head_start_ms=0, ceiling_ms=10 * MINUTE_MS),
    "vip": Tier(id="vip", name=WORDS, head_start_ms=2 * MINUTE_MS, ceiling_ms=8 * MINUTE_MS),
    "key": Tier(id="key", name=WORDS, head_start_ms=5 * MINUTE_MS, ceiling_ms=5 * MINUTE_MS),
}
QUEUES = {
    "power": (("power",), (Overflow(after_ms=MINUTE_MS, to_queue="general"),)),
    "gas": (("gas",), (Overflow(after_ms=2 * MINUTE_MS, to_queue="power", front=True),)),
    "general": (("general",), ()),
}
PLAN = Plan.model_construct(
    version="v1",
    tiers=TIERS,
    queues={
        name: Queue(id=name, name=WORDS, needs=needs, calendar="always", overflow=overflow, wait_prompt=WORDS)
        for name, (needs, overflow) in QUEUES.items()
    },
    head_start_cap_ms=10 * MINUTE_MS,
)


SEATS = [frozenset(), frozenset(), frozenset({"key"}), frozenset({"vip", "key"})]
SEATED = PLAN.model_copy(
    update={
        "queues": {
            **PLAN.queues,
            "general": PLAN.queues["general"].model_copy(
                update={"reserve": Reserve(tiers=("key",), seats=2)}
            ),
            "power": PLAN.queues["power"].model_copy(update={"order": "rotation"}),
        }
    }
)


@st.composite
def lanes(draw: st.DrawFn) -> Lane:
    queue = draw(st.sampled_from(sorted(QUEUES)))
    tier = draw(st.sampled_from(sorted(TIERS)))
    spoken = draw(st.sampled_from([(), ("english",)]))
    is_safety = draw(st.integers(0, 5)) == 0
    return Lane(queue, tier, QUEUES[queue][0] + spoken, TIERS[tier].head_start_ms, is_safety)


@st.composite
def snapshots(draw: st.DrawFn, *, is_restricted: bool = True, is_seated: bool = False) -> Snapshot:
    """Everybody who waits and everybody who is signed in. The calls ask for few agents, so that they compete."""
    agents = [f"agent{n}" for n in range(draw(st.integers(1, 6)))]
    people: dict[str, Person] = {}
    for agent_id in agents:
        skills = draw(st.frozensets(st.sampled_from(["power", "gas", "general", "english"]), min_size=1))
        state = draw(st.sampled_from(["ready", "ready", "ready", "connected", "away"]))
        tiers = draw(st.sampled_from(SEATS)) if is_seated else frozenset()
        people[agent_id] = Person(state, skills, NOW_MS - draw(st.integers(0, 3)) * 1000, tiers)
    waiting: dict[Lane, list[Waiting]] = {}
    for n in range(draw(st.integers(0, 9))):
        ago_ms = draw(st.sampled_from([0, 10_000, 30_000, *(n * MINUTE_MS // 2 for n in range(2, 25))]))
        own = draw(restrictions(agents)) if is_restricted else {}
        call = Waiting(f"CA{n}", f"{n:012d}", NOW_MS - ago_ms, **own)
        waiting.setdefault(draw(lanes()), []).append(call)
    pools: dict[tuple[frozenset[str], frozenset[str]], list[tuple[int, str]]] = {}
    for agent_id, person in people.items():
        if person.state == "ready":
            pools.setdefault((person.skills, person.tiers), []).append((person.idle_ms, agent_id))
    turns = dict(zip(agents, draw(st.permutations(range(len(agents)))), strict=True)) if is_seated else {}
    return Snapshot(
        turn=1,
        lanes=tuple(LaneHeads(lane, tuple(sorted(calls, key=place))) for lane, calls in waiting.items()),
        pools=tuple(
            Pool(
                skills,
                tuple(sorted(found)),
                tiers=tiers,
                turns=tuple(turns.get(each, 0) for _, each in sorted(found)),
            )
            for (skills, tiers), found in pools.items()
        ),
        people=people,
        signed_in=len(people),
        released=draw(st.sampled_from([frozenset(), frozenset({"general"})])) if is_seated else frozenset(),
    )


@st.composite
def restrictions(draw: st.DrawFn, agents: list[str]) -> dict[str, Any]:
    """What one call may not have, and whom it is offered to first."""
    somebody = st.sampled_from([*agents, "nobody"])
    named = st.builds(Named, st.just("manager"), st.sampled_from([5_000, 20_000, 40_000]), somebody)
    return {
        "skips": tuple(draw(st.lists(skips_of(agents), max_size=2))),
        "never": draw(st.frozensets(somebody, max_size=2)),
        "named": tuple(draw(st.lists(named, max_size=3, unique_by=lambda each: each.agent_id))),
    }


def shown(snapshot: Snapshot, times: int, heads_max: int, agents_max: int) -> Snapshot:
    """As a look shows it: the beginning of each lane and of each pool, and those whom the shown calls name."""
    heads_max, agents_max = heads_max * times, agents_max * times
    lanes = tuple(
        LaneHeads(each.lane, each.waiting[:heads_max], len(each.waiting) > heads_max)
        for each in snapshot.lanes
    )
    named = {each.agent_id for heads in lanes for call in heads.waiting for each in call.named}
    return replace(
        snapshot,
        lanes=lanes,
        pools=tuple(
            replace(
                each,
                agents=each.agents[:agents_max],
                turns=each.turns[:agents_max],
                is_cut=len(each.agents) > agents_max,
            )
            for each in snapshot.pools
        ),
        people={agent_id: person for agent_id, person in snapshot.people.items() if agent_id in named},
    )


def after(snapshot: Snapshot, matches: Iterable[Match]) -> Snapshot:
    """Once these are claimed."""
    calls = {match.call_id for match in matches}
    busy = {match.agent_id for match in matches}
    left = [
        LaneHeads(each.lane, kept)
        for each in snapshot.lanes
        if (kept := tuple(call for call in each.waiting if call.call_id not in calls))
    ]
    pools = [without(each, busy) for each in snapshot.pools if {agent for _, agent in each.agents} - busy]
    people = {
        agent_id: replace(person, state="offered") if agent_id in busy else person
        for agent_id, person in snapshot.people.items()
    }
    return replace(snapshot, lanes=tuple(left), pools=tuple(pools), people=people)


def without(pool: Pool, busy: set[str]) -> Pool:
    turns = pool.turns or (0,) * len(pool.agents)
    left = [(agent, turn) for agent, turn in zip(pool.agents, turns, strict=True) if agent[1] not in busy]
    return replace(pool, agents=tuple(agent for agent, _ in left), turns=tuple(turn for _, turn in left))


def look_by_look(
    snapshot: Snapshot, heads_max: int, agents_max: int, plan: Plan = PLAN
) -> list[tuple[str, str]]:
    """As the dispatcher does it: claim what a look decides, look again, further when it decided nothing."""
    pairs, times = [], 1
    while True:
        decided = decide_round(plan, shown(snapshot, times, heads_max, agents_max), NOW_MS)
        matches = decided.matches
        pairs += pairs_of(matches)
        snapshot = after(snapshot, matches)
        if not decided.is_cut:
            return pairs
        times = 1 if matches else times * FURTHER


def skips_of(agents: list[str]) -> st.SearchStrategy[Skip]:
    until = st.sampled_from([NOW_MS, NOW_MS + 1])
    why = st.sampled_from(["missed", "declined", "unrung", "connecting", "transferred"])
    return st.builds(Skip, until, why, st.sampled_from(agents))


def place(call: Waiting) -> tuple[int, str]:
    return call.queued_ms, call.arrival


def rank_of(lane: Lane, call: Waiting) -> Rank:
    is_front = widen(PLAN, lane, NOW_MS - call.queued_ms).is_front
    return rank(
        queued_ms=call.queued_ms,
        arrival=call.arrival,
        head_start_ms=PLAN.head_start_cap_ms if is_front else lane.head_start_ms,
        is_safety=lane.is_safety,
        ceiling_ms=TIERS[lane.tier].ceiling_ms,
        now_ms=NOW_MS,
    )


def is_able(lane: Lane, call: Waiting, skills: frozenset[str]) -> bool:
    return any(needs <= skills for needs in widen(PLAN, lane, NOW_MS - call.queued_ms).needs)


def everybody(snapshot: Snapshot) -> list[tuple[Lane, Waiting]]:
    return [(heads.lane, call) for heads in snapshot.lanes for call in heads.waiting]


def plain_account(snapshot: Snapshot, plan: Plan = PLAN) -> list[tuple[str, str]]:
    """Every call in order of its rank takes somebody it names, or the longest idle of all agents who may take it."""
    idle = {agent_id: snapshot.people[agent_id] for each in snapshot.pools for _, agent_id in each.agents}
    turns = {
        agent_id: turn
        for each in snapshot.pools
        for (_, agent_id), turn in zip(each.agents, each.turns, strict=True)
    }
    pairs: list[tuple[str, str]] = []
    for lane, call in sorted(everybody(snapshot), key=lambda each: rank_of(*each)):
        able = [
            (order_of(plan, lane, call, each, turns[agent_id]), each.idle_ms, agent_id)
            for agent_id, each in idle.items()
            if may_have(plan, lane, call, each, idle, snapshot) and agent_id not in call.never
        ]
        able = [each[1:] for each in sorted(able)]
        last = {skip.agent_id: skip.why for skip in call.skips if skip.until_ms > NOW_MS}
        free = [agent for agent in able if agent[1] not in last]
        free = free or [agent for agent in able if last[agent[1]] == "missed"]
        there = [each for each in call.named if is_there(each, lane, call, snapshot)]
        there = [
            each
            for each in there
            if each.agent_id not in idle or each.agent_id in {agent_id for _, agent_id in able}
        ]
        known = [agent for each in there for agent in able if agent[1] == each.agent_id]
        hold_ms = sum(each.wait_ms for each in there)
        if not known and hold_ms and NOW_MS - call.queued_ms < hold_ms:
            continue
        if chosen := [*known, *free]:
            del idle[chosen[0][1]]
            pairs.append((call.call_id, chosen[0][1]))
    return pairs


def may_have(
    plan: Plan, lane: Lane, call: Waiting, agent: Person, idle: Mapping[str, Person], snapshot: Snapshot
) -> bool:
    """Able, in no seat that is dedicated to others, and not one of the last that the general queue keeps."""
    is_for_him = not agent.tiers or lane.tier in agent.tiers or lane.is_safety
    reserve = plan.queues["general"].reserve
    if (
        reserve
        and not lane.is_safety
        and lane.tier not in reserve.tiers
        and "general" not in snapshot.released
    ):
        of_general = [
            each
            for each in idle.values()
            if "general" in each.skills and (not each.tiers or not each.tiers.isdisjoint(reserve.tiers))
        ]
        if len(of_general) <= reserve.seats and any(agent is each for each in of_general):
            return False
    return is_for_him and is_able(lane, call, agent.skills)


def order_of(plan: Plan, lane: Lane, call: Waiting, agent: Person, turn: int) -> tuple[int, int]:
    """A dedicated seat first, one dedicated to others last; then, in a rotation, the oldest turn."""
    place = 1 if not agent.tiers else 0 if lane.tier in agent.tiers else 2
    if plan.queues[lane.queue].order != "rotation":
        return place, 0
    return place, -turn if call.named else turn


def is_there(each: Named, lane: Lane, call: Waiting, snapshot: Snapshot) -> bool:
    """At work or ready, able, and not one who has just let this call go by."""
    person = snapshot.people.get(each.agent_id)
    has_passed = any(skip.agent_id == each.agent_id and skip.until_ms > NOW_MS for skip in call.skips)
    has_passed = has_passed or each.agent_id in call.never
    is_working = person is not None and person.state != "away"
    is_for_him = person is not None and (not person.tiers or lane.tier in person.tiers or lane.is_safety)
    return is_working and is_for_him and not has_passed and is_able(lane, call, person.skills)


def pairs_of(matches: Iterable[Match]) -> list[tuple[str, str]]:
    return [(match.call_id, match.agent_id) for match in matches]


@settings(max_examples=times(50, 300), deadline=None)
@given(snapshots())
def test_comparing_heads_only_is_exact(snapshot: Snapshot) -> None:
    assert pairs_of(decide(PLAN, snapshot, NOW_MS)) == plain_account(snapshot)


@settings(max_examples=times(50, 300), deadline=None)
@given(snapshots(), st.integers(1, 3), st.integers(1, 2))
def test_looking_at_the_beginning_of_each_lane_and_pool_is_exact(
    snapshot: Snapshot, heads_max: int, agents_max: int
) -> None:
    assert look_by_look(snapshot, heads_max, agents_max) == plain_account(snapshot)


@settings(max_examples=times(50, 300), deadline=None)
@given(snapshots(is_seated=True), st.integers(1, 3), st.integers(1, 2))
def test_seats_and_turns_are_exact(snapshot: Snapshot, heads_max: int, agents_max: int) -> None:
    assert look_by_look(snapshot, heads_max, agents_max, SEATED) == plain_account(snapshot, SEATED)


@settings(max_examples=times(40, 300), deadline=None)
@given(snapshots(is_restricted=False))
def test_no_agent_stands_idle_while_one_waits_whom_he_could_serve(snapshot: Snapshot) -> None:
    matches = decide(PLAN, snapshot, NOW_MS)
    served, busy = {match.call_id for match in matches}, {match.agent_id for match in matches}
    idle = [pool.skills for pool in snapshot.pools for _, agent_id in pool.agents if agent_id not in busy]
    left = [(lane, call) for lane, call in everybody(snapshot) if call.call_id not in served]
    assert not [(call, skills) for lane, call in left for skills in idle if is_able(lane, call, skills)]


@settings(max_examples=times(40, 300), deadline=None)
@given(snapshots(is_restricted=False))
def test_nobody_is_passed_by_more_than_the_printed_bound(snapshot: Snapshot) -> None:
    one = replace(snapshot, pools=(Pool(frozenset({"power", "gas", "general", "english"}), ((0, "mei"),)),))
    found = decide(PLAN, one, NOW_MS)
    calls = {call.call_id: (lane, call) for lane, call in everybody(snapshot)}
    for match in found:
        lane, call = calls[match.call_id]
        if rank_of(lane, call).rank_class is Class.SAFETY or is_fronted(lane, call):
            continue
        for behind, passed in calls.values():
            assert call.queued_ms - passed.queued_ms <= bound(lane, behind), (call, passed)


def is_fronted(lane: Lane, call: Waiting) -> bool:
    return widen(PLAN, lane, NOW_MS - call.queued_ms).is_front


def bound(ahead: Lane, behind: Lane) -> int:
    by_ceiling = TIERS[behind.tier].ceiling_ms - TIERS[ahead.tier].ceiling_ms
    return max(ahead.head_start_ms - behind.head_start_ms, by_ceiling, 0)


def heads(lane: Lane, *calls: Waiting) -> LaneHeads:
    return LaneHeads(lane, calls)


def waiting(n: int, waited_ms: int, *skips: Skip) -> Waiting:
    return Waiting(f"CA{n}", f"{n:012d}", NOW_MS - waited_ms, skips)


def ready(*agent_ids: str, skills: str = "power") -> tuple[Pool, ...]:
    return (Pool(frozenset(skills.split(",")), tuple((n, agent_id) for n, agent_id in enumerate(agent_ids))),)


POWER, VIP = Lane("power", "normal", ("power",), 0), Lane("power", "vip", ("power",), 2 * MINUTE_MS)
FIRE = Lane("power", "normal", ("power",), 0, is_safety=True)


def first(*lanes: LaneHeads, pools: tuple[Pool, ...] = ready("mei")) -> str:
    return decide(PLAN, Snapshot(turn=1, lanes=lanes, pools=pools), NOW_MS)[0].call_id


def test_equal_keys_go_by_arrival() -> None:
    assert first(heads(POWER, waiting(2, 1000)), heads(VIP, waiting(1, 1000 - 2 * MINUTE_MS))) == "CA1"
    assert first(heads(POWER, waiting(1, 1000)), heads(VIP, waiting(2, 1000 - 2 * MINUTE_MS))) == "CA1"


def test_safety_goes_before_every_head_start_and_every_ceiling() -> None:
    long_ago = heads(VIP, waiting(1, 60 * MINUTE_MS))
    assert first(long_ago, heads(FIRE, waiting(2, 0))) == "CA2"


def test_a_head_past_its_ceiling_goes_before_any_head_start() -> None:
    assert first(heads(VIP, waiting(2, 9 * MINUTE_MS - 1)), heads(POWER, waiting(1, 10 * MINUTE_MS))) == "CA1"


def test_the_longest_idle_agent_takes_the_call() -> None:
    snapshot = Snapshot(turn=1, lanes=(heads(POWER, waiting(1, 0)),), pools=ready("bo", "mei"))
    assert pairs_of(decide(PLAN, snapshot, NOW_MS)) == [("CA1", "bo")]


def test_overflow_widens_with_waiting_alone() -> None:
    general = ready("gen", skills="general")
    fresh = Snapshot(turn=1, lanes=(heads(POWER, waiting(1, MINUTE_MS - 1)),), pools=general)
    assert decide(PLAN, fresh, NOW_MS) == ()
    assert first(heads(POWER, waiting(1, MINUTE_MS)), pools=general) == "CA1"


def test_who_waits_where_the_plan_knows_nothing_any_more_is_served_by_the_rules_of_his_lane() -> None:
    gone = heads(Lane("water", "gold", ("power",), 5 * MINUTE_MS), waiting(1, 60 * MINUTE_MS))
    assert decide(PLAN, Snapshot(turn=1, lanes=(gone,), pools=ready("gen", skills="general")), NOW_MS) == ()
    assert first(gone) == "CA1"
    past_ceiling = heads(POWER, waiting(2, 60 * MINUTE_MS - 1))
    assert first(gone, past_ceiling) == "CA2", "no tier, no ceiling"


def test_the_callers_language_is_asked_for_in_every_queue_reached() -> None:
    english = Lane("power", "normal", ("power", "english"), 0)
    lane = heads(english, waiting(1, MINUTE_MS))
    assert decide(PLAN, Snapshot(turn=1, lanes=(lane,), pools=ready("gen", skills="general")), NOW_MS) == ()
    assert first(lane, pools=ready("gen", skills="general,english")) == "CA1"


def test_front_is_the_head_start_of_the_cap() -> None:
    gas = heads(Lane("gas", "normal", ("gas",), 0), waiting(2, 2 * MINUTE_MS))
    assert (
        first(gas, heads(POWER, waiting(1, 9 * MINUTE_MS)), pools=ready("mei", skills="gas,power")) == "CA2"
    )


def test_whom_a_call_skips_takes_the_one_behind_it() -> None:
    lane = heads(POWER, waiting(1, 2000, Skip(NOW_MS + 1, "declined", "mei")), waiting(2, 1000))
    assert first(lane) == "CA2"


def test_who_missed_a_call_gets_it_again_if_he_is_the_only_one() -> None:
    missed = waiting(1, 2000, Skip(NOW_MS + 1, "missed", "mei"))
    assert first(heads(POWER, missed, waiting(2, 1000))) == "CA1"
    snapshot = Snapshot(turn=1, lanes=(heads(POWER, missed),), pools=ready("mei", "bo"))
    assert pairs_of(decide(PLAN, snapshot, NOW_MS)) == [("CA1", "bo")]


def test_a_skip_ends_at_its_instant() -> None:
    assert first(heads(POWER, waiting(1, 2000, Skip(NOW_MS, "declined", "mei")))) == "CA1"


def test_nobody_is_waited_for_who_just_failed_to_be_connected() -> None:
    """The skip's word is `connecting`, which is no word that he is at work. Seed 1 of the days, 480 minutes long."""
    skip = Skip(NOW_MS + 1, "connecting", "bo")
    call = replace(waiting(1, 2_000, skip), named=(Named("manager", 20_000, "bo"),))
    away = {"bo": Person("away", frozenset({"power"}), NOW_MS)}
    lanes = (heads(POWER, call),)
    (match,) = decide(PLAN, Snapshot(turn=1, lanes=lanes, pools=ready("mei"), people=away), NOW_MS)
    assert (match.agent_id, match.why["asked"][0]["is"]) == ("mei", "unconnected")


def test_who_names_somebody_that_is_ready_is_rung_when_others_are_free_for_those_rung_already() -> None:
    """Seeds 2007 and 2011 of the days: three were ready, one customer was rung, and he was not."""
    plan = PLAN.model_copy(update={"callback": CallbackTerms(first="customer")})
    call = replace(waiting(1, 2_000), is_off_line=True, named=(Named("last_agent", 15_000, "bo"),))
    snapshot = Snapshot(
        turn=1,
        lanes=(heads(POWER, call),),
        pools=ready("mei", "bo"),
        people={"bo": Person("ready", frozenset({"power"}), 1)},
        called=(frozenset({"power"}),),
    )
    assert [(match.call_id, match.is_call) for match in decide(plan, snapshot, NOW_MS)] == [("CA1", True)]
    assert decide(plan, replace(snapshot, called=snapshot.called * 2), NOW_MS) == ()


def test_why_tells_the_heads_compared_and_whom_it_passed_over() -> None:
    lanes = (
        heads(POWER, waiting(1, 30_000, Skip(NOW_MS + 1, "declined", "bo"))),
        heads(VIP, waiting(2, 1_000)),
    )
    vip, plain = decide(PLAN, Snapshot(turn=7, lanes=lanes, pools=ready("bo", "mei", "ann")), NOW_MS)
    assert vip.why == {
        "version": "v1",
        "turn": 7,
        "seen": "0-0",
        "now_ms": NOW_MS,
        "rule": "key",
        "key": NOW_MS - 121_000,
        "waited_ms": 1_000,
        "head_start_ms": 120_000,
        "is_front": False,
        "queues": ["power"],
        "agent": {"agent_id": "bo", "idle_for_ms": NOW_MS, "eligible": 3},
        "passed_over": [],
        "candidates": [
            {"call_id": "CA2", "lane": VIP.lane_id, "rule": "key", "key": NOW_MS - 121_000},
            {"call_id": "CA1", "lane": POWER.lane_id, "rule": "key", "key": NOW_MS - 30_000},
        ],
        "lanes": 2,
    }
    assert (plain.agent_id, plain.why["passed_over"]) == ("mei", [])


def test_whom_an_agent_calls_from_the_list_takes_his_agent_also_where_customers_are_called_first() -> None:
    """He is not one of those who are rung with nobody held for them."""
    terms = CallbackTerms(first="customer")
    plan = PLAN.model_copy(update={"callback": terms})
    mei = Person("ready", frozenset({"power"}), 0)
    named = (Named("ring_back", MINUTE_MS, "mei"),)
    owed = Waiting("back-1-CA0", f"{3:012d}", NOW_MS - 2_000, named=named, is_off_line=True)
    asked = Waiting("CA1", f"{1:012d}", NOW_MS - 3_000, is_off_line=True)
    snapshot = Snapshot(turn=1, pools=ready("mei"), people={"mei": mei})
    rung = replace(snapshot, lanes=(heads(POWER, owed, waiting(4, 1_000)),), called=(frozenset({"power"}),))
    assert pairs_of(decide(plan, rung, NOW_MS)) == [("back-1-CA0", "mei")], "who is rung holds nobody"
    both = replace(snapshot, lanes=(heads(POWER, asked, owed, waiting(4, 1_000)),))
    told = [(match.call_id, match.is_call) for match in decide(plan, both, NOW_MS)]
    assert told == [("CA1", True), ("back-1-CA0", False)]
