"""Replaying the journal gives the same decisions: any day of the workload, and a line that was altered is caught."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from queues.domain import commands as c
from queues.domain.callback_rules import is_called_already
from queues.domain.calls import Call
from queues.domain.journal import Line, LineType
from queues.domain.plan import Overflow, Plan, Queue, Tier
from queues.domain.replay import BEFORE, DECISIONS, NO_WORDS, NOT_SEEN, Fold, replay
from queues.domain.routing import CUSTOMER_FIRST, Match, decide, snapshot_of
from queues.domain.state import State
from queues.domain.switchboard import advance
from tests.depth import times
from tests.switchboard.people import Story
from tests.switchboard.workload import Workload
from tests.switchboard.world import SILENT_MS, World, first_state

WORDS = {"en": "x"}
PLAN = Plan.model_construct(
    version="v1",
    tiers={
        "normal": Tier(id="normal", name=WORDS, head_start_ms=0, ceiling_ms=240_000),
        "vip": Tier(id="vip", name=WORDS, head_start_ms=120_000, ceiling_ms=120_000),
    },
    queues={
        name: Queue(id=name, name=WORDS, needs=(name,), calendar="always", overflow=steps, wait_prompt=WORDS)
        for name, steps in (
            ("power", ()),
            ("gas", (Overflow(after_ms=20_000, to_queue="power", front=True),)),
        )
    },
    head_start_cap_ms=600_000,
)


# The same house, where a customer is rung before an agent is held for him.
FIRST = PLAN.model_copy(
    update={"version": "v2", "callback": PLAN.callback.model_copy(update={"first": CUSTOMER_FIRST})}
)


def plan_of(version: str) -> Plan | None:
    return {"v1": PLAN, "v2": FIRST}.get(version)


@dataclass
class DecidingWorkload(Workload):
    """Calls are claimed as the dispatcher decides, now and then on a look that is no longer the newest."""

    plan: Plan = PLAN
    _decided: list[tuple[Match, int]] = field(default_factory=list)

    def _next_of_call(self, state: State, call: Call) -> list[c.Command]:
        usual = super()._next_of_call(state, call)
        if call.state != "queued":
            return usual
        self._look(state)
        claims = [self._claim(call.call_id, "", 0)] if self._decided else []
        return [*claims, *(each for each in usual if isinstance(each, c.AskCallback | c.TendCallback))]

    def _look(self, state: State) -> None:
        if self._decided and self.chance.random() < 0.5:
            return
        snapshot = snapshot_of(state, self.now_ms, silent_ms=SILENT_MS)
        self._decided = [(match, snapshot.turn) for match in decide(self.plan, snapshot, self.now_ms)]
        engaged = (
            n for n, (match, _) in enumerate(self._decided)
            if state.calls[match.call_id].is_off_line and is_called_already(state, state.calls[match.call_id])
        )  # fmt: skip
        # As the dispatcher: whoever is engaged rests, and the others are decided anew.
        del self._decided[next(engaged, len(self._decided)) + 1 :]

    def _claim(self, call_id: str, agent_id: str, turn: int) -> c.Command:
        """What was decided next, whichever call was asked for: matches are claimed in their order."""
        if not self._decided:
            return self._command(c.Beat, agent_id="mei")
        match, turn = self._decided.pop(0)
        self._decided = [(each, turn + 1) for each, _ in self._decided]
        return self._command(
            c.ClaimOffer, call_id=match.call_id, agent_id=match.agent_id, turn=turn, place_ms=35_000,
            lease_ms=30_000, why=json.dumps(match.why), dial_ms=40_000 * (self.plan is FIRST),
        )  # fmt: skip


def day(seed: int, commands: int = 400, plan: Plan = PLAN) -> tuple[list[Line], State]:
    """The journal that such a day leaves, and the state at its end."""
    state, workload = first_state(), DecidingWorkload(Random(seed), plan=plan)
    lines: list[Line] = []
    for _ in range(commands):
        step = advance(state, workload.next(state))
        lines = [line for line in lines if line.id not in step.erased] + list(step.lines)
    return lines, state


@settings(max_examples=times(25, 200), deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([PLAN, FIRST]))
def test_any_day_replays_with_the_same_decisions(seed: int, plan: Plan) -> None:
    lines, _ = day(seed, plan=plan)
    agreement = replay(lines, plan_of)
    assert (agreement.differences, agreement.unchecked) == ([], {})
    assert agreement.checked == sum(line.type in DECISIONS for line in lines)


@settings(max_examples=times(10, 60), deadline=None)
@given(st.integers(0, 2**32))
def test_the_lines_alone_give_the_lanes_and_the_ready(seed: int) -> None:
    state, workload, lines = first_state(), DecidingWorkload(Random(seed)), []
    for n in range(300):
        step = advance(state, workload.next(state))
        lines = [line for line in lines if line.id not in step.erased] + list(step.lines)
        if n % 20 == 0:
            assert told_by(lines) == picture(state)


def told_by(lines: list[Line]) -> dict[str, Any]:
    arrivals = {line.call_id: line.data["arrival"] for line in lines if line.type == LineType.CALL_ANONYMISED}
    fold = Fold(arrivals)
    for line in lines:
        fold.take(line)
    return picture(fold.state)


def picture(state: State) -> dict[str, Any]:
    """What a decision reads: lanes with their rules, who skips whom, who is ready since when with which skills."""
    waiting = {member[13:] for entries in state.lanes.values() for _, member in entries}
    return {
        "lanes": state.lanes,
        "rules": {lane_id: json.loads(text) for lane_id, text in state.lane_rules.items()},
        "skips": {call_id: state.calls[call_id].skips for call_id in waiting},
        "own": {call_id: (state.calls[call_id].named, state.calls[call_id].never) for call_id in waiting},
        "ready": {agent_id: (at, state.agents[agent_id].skills) for agent_id, at in state.ready.items()},
        "at_work": {
            agent_id: str(agent.state) for agent_id, agent in state.agents.items() if agent.state != "signed_out"
        },
    }  # fmt: skip


def busy_days(type_: str = "") -> Iterator[list[Line]]:
    for seed in range(3):
        yield day(seed, 800, FIRST if type_ == LineType.CALLBACK_CALLED else PLAN)[0]


@pytest.mark.parametrize(
    ("type_", "alter"),
    [
        (LineType.CALL_OFFERED, lambda data: {**data, "why": {**data["why"], "key": data["why"]["key"] - 1}}),
        (LineType.CALLBACK_CALLED, lambda data: {**data, "why": {**data["why"], "rule": "other"}}),
        (LineType.CALL_QUEUED, lambda data: {**data, "rules": {**data["rules"], "needs": ["nothing"]}}),
        (LineType.CALL_QUEUED, lambda data: {**data, "queued_ms": data["queued_ms"] - 1}),
        (LineType.AGENT_PRESENCE_CHANGED, lambda data: {**data, "skills": "none"}),
    ],
)
def test_a_line_that_was_altered_is_caught(type_: str, alter: Any) -> None:
    """Of all lines of the type, one at a time; what no later decision looked at may go unnoticed, most does not."""
    caught = tried = 0
    for lines in busy_days(type_):
        places = [n for n, line in enumerate(lines) if line.type == type_ and not line.data.get("closed")]
        for n in places[:12]:
            altered = [*lines[:n], replace(lines[n], data=alter(lines[n].data)), *lines[n + 1 :]]
            tried += 1
            caught += bool(replay(altered, plan_of).differences)
    assert tried > 0
    assert caught >= (tried if type_ in DECISIONS else 1)


def test_an_agent_exchanged_is_caught_with_who_was_due() -> None:
    lines = next(busy_days())
    offers = [line for line in lines if line.type == LineType.CALL_OFFERED]
    other = {"mei": "bo", "bo": "ann", "ann": "mei"}[offers[-1].agent_id]
    altered = [replace(each, agent_id=other) if each.id == offers[-1].id else each for each in lines]
    (difference,) = [each for each in replay(altered, plan_of).differences if each.line.id == offers[-1].id]
    assert difference.agent_id == offers[-1].agent_id


def test_what_cannot_be_checked_is_counted_and_no_disagreement() -> None:
    lines = next(busy_days())
    offers = [line for line in lines if line.type == LineType.CALL_OFFERED]
    assert replay(lines, lambda _: None).unchecked == {NO_WORDS: len(offers)}
    bare = [replace(line, data={"why": {"rule": "key"}}) if line in offers else line for line in lines]
    assert replay(bare, plan_of).unchecked == {NOT_SEEN: len(offers)}
    late = lines[next(n for n, line in enumerate(lines) if line.type == LineType.CALL_OFFERED) :]
    assert BEFORE in replay(late, plan_of).unchecked


async def test_the_scripts_leave_what_a_replay_needs(redis: Redis) -> None:
    """The same on the live scripts: their journal, read back from the store, replays without a difference."""
    world, workload = await World(redis).open(), DecidingWorkload(Random(7))
    for _ in range(250):
        await world.do(workload.next(world.state))
    agreement = replay(world.lines, plan_of)
    assert agreement.differences == []
    assert agreement.agreed > 5


FORGETS = (
    c.AnonymiseCall(now_ms=0, call_id="wang", default_tier="normal", forget_ms=60_000),
    c.ForgetCaller(now_ms=0, caller_ref="r/2", forget_ms=60_000),
)


@pytest.mark.parametrize("forgets", FORGETS)
async def test_who_is_forgotten_while_he_is_rung_counts_no_more(redis: Redis, forgets: c.Command) -> None:
    """As the live store sees it: nothing is kept under his reference, and that is how those who are rung are found."""
    story = Story(await World(redis).open())
    await story.arrive("wang", number_key="k-plain", caller_ref="r/2")
    await story.enqueue("wang")
    asks = c.AskCallback(now_ms=story.now_ms, call_id="wang", linger_ms=0, expires_ms=3_600_000)
    tends = {"opens_ms": 0, "closes_ms": 0, "hold_ms": 60_000, "forget_ms": 60_000}
    await story.word(asks)
    await story.word(c.TendCallback(now_ms=story.now_ms, call_id="wang", **tends))
    await story.ready("mei")
    claim: dict[str, Any] = {"place_ms": 20_000, "lease_ms": 5_000, "why": "{}", "dial_ms": 60_000}
    turn = story.world.state.turn
    called = c.ClaimOffer(now_ms=story.now_ms, call_id="wang", agent_id="mei", turn=turn, **claim)
    assert await story.word(called) == "called"
    for n in range(2):
        fold = Fold({})
        for line in story.world.lines:
            fold.take(line)
        live, told = (
            snapshot_of(state, story.now_ms, silent_ms=SILENT_MS).called
            for state in (story.world.state, fold.state)
        )
        assert (len(live), live) == (1 - n, told)
        await story.word(replace(forgets, now_ms=story.now_ms))
