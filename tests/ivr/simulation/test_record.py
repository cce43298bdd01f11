"""A day read from the record: what our own routing played comes back as it was, and what is unknown is drawn fairly."""

from dataclasses import replace
from pathlib import Path

import pytest

from ivr.simulation.record import DayRecord, RecordedCall, Stint, changed, people_in, read_day
from ivr.simulation.scenario import PlayedDay, Scenario, SimulatedAgent
from ivr.simulation.telling import tell
from ivr.simulation.terms import Terms
from queues.domain.plan import Plan
from tests.ivr.simulation.days import plan_with, play, poisson

TERMS = Terms(day="1970-01-01", before="v", after="v")
MIDNIGHT_MS = 1_795_363_200_000


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return plan_with(tmp_path, head_start="60s", ceiling="10m")


def recorded(day: PlayedDay, scenario: Scenario) -> DayRecord:
    """What history would have kept of this day."""
    calls = [
        RecordedCall(
            call_id=each.call.call_id, queued_ms=MIDNIGHT_MS + each.call.at_ms, queue=each.call.queue,
            tier=each.call.tier, matter=each.call.matter, locale="", version="v", agent_id=each.agent_id,
            outcome="answered" if each.is_answered else "abandoned", is_answered=each.is_answered,
            wait_ms=each.wait_ms, talk_ms=each.call.handling_ms if each.is_answered else None,
            ring_ms=scenario.ring_ms if each.is_answered else None,
            wrap_up_ms=scenario.wrap_up_ms if each.is_answered else None,
        )
        for each in day.calls
    ]  # fmt: skip
    stints = [
        Stint(
            agent_id=each.agent_id, skills="general,english", from_ms=MIDNIGHT_MS + each.from_ms,
            until_ms=None if each.until_ms is None else MIDNIGHT_MS + each.until_ms,
        )
        for each in scenario.agents
    ]  # fmt: skip
    last_ms = MIDNIGHT_MS + max(each.call.at_ms for each in day.calls) + 1
    return DayRecord(
        midnight_ms=MIDNIGHT_MS,
        from_ms=MIDNIGHT_MS,
        until_ms=last_ms,
        read_ms=last_ms,
        calls=calls,
        stints=stints,
        unplayed={},
    )


def a_day(count: int = 400) -> Scenario:
    drawn = poisson(count, 1.0, 7, patience_s=200)
    ends_ms = drawn.calls[-1].at_ms // 1000 * 1000
    halves = tuple(
        SimulatedAgent(
            agent_id=f"a{number}",
            from_ms=0 if number < 4 else ends_ms // 3000 * 1000,
            until_ms=ends_ms // 2000 * 1000 if number == 0 else None,
        )
        for number in range(7)
    )
    return replace(drawn, agents=halves, ring_ms=4_000, wrap_up_ms=21_500)


def test_a_day_of_our_own_comes_back_call_by_call(plan: Plan) -> None:
    scenario = a_day()
    day = play(plan, scenario)
    assert 20 < sum(not each.is_answered for each in day.calls) < 200
    reading = read_day(recorded(day, scenario), TERMS, plan)
    told = tell(plan, reading.scenario)
    again = [(each.call.call_id, each.answered_ms, each.left_ms, each.agent_id) for each in told.day.calls]
    assert again == [(each.call.call_id, each.answered_ms, each.left_ms, each.agent_id) for each in day.calls]
    really = [(each.call.call_id, each.answered_ms, each.left_ms) for each in reading.really.calls]
    assert really == [each[:3] for each in again]
    assert read_day(recorded(day, scenario), TERMS, plan).scenario == reading.scenario


def test_unknown_patience_is_longer_than_the_wait_and_as_long_on_average_as_the_hang_ups_say(
    plan: Plan,
) -> None:
    """Callers of 200 s on average, seen through a day on which only some of them ran out of it."""
    scenario = a_day(1_500)
    record = recorded(play(plan, scenario), scenario)
    known = {each.call_id: each for each in record.calls}
    drawn = read_day(record, TERMS, plan).scenario
    answered = [each for each in drawn.calls if known[each.call_id].is_answered]
    beyond_s = [(each.patience_ms or 0) / 1000 - known[each.call_id].wait_ms / 1000 for each in answered]
    assert min(beyond_s) >= 0
    assert 160 < sum(beyond_s) / len(beyond_s) < 240
    other = read_day(record, replace(TERMS, seed=2), plan).scenario
    assert [each.patience_ms for each in other.calls] != [each.patience_ms for each in drawn.calls]
    stays = read_day(record, replace(TERMS, patience="stays"), plan).scenario
    assert {each.patience_ms for each in stays.calls if known[each.call_id].is_answered} == {None}


def test_one_more_has_every_skill_and_one_fewer_is_whoever_was_there_longest(plan: Plan) -> None:
    scenario = a_day()
    more = changed(scenario, replace(TERMS, more=1, wrap_up_s=3.5))
    assert more.agents == (*scenario.agents, SimulatedAgent(agent_id="extra1", from_ms=0))
    assert (more.wrap_up_ms, more.ring_ms) == (3_500, 4_000)
    fewer = changed(scenario, replace(TERMS, more=-2))
    assert {each.agent_id for each in fewer.agents} == {"a0", "a3", "a4", "a5", "a6"}
    assert people_in(fewer) == 5
