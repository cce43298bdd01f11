"""Times by state: they add up, whatever befell the agent, and only the window counts."""

from random import Random

import pytest

from queues.domain.agent_time import fold
from queues.domain.agents import AgentState
from queues.domain.journal import Line
from queues.domain.switchboard import step
from tests.switchboard.workload import Workload
from tests.switchboard.world import first_state


def line(at_ms: int, type_: str, agent_id: str = "mei", **data: str) -> Line:
    return Line(id=f"{at_ms}-0", type=type_, at_ms=at_ms, agent_id=agent_id, data=data)


def presence(at_ms: int, state: str) -> Line:
    return line(at_ms, "agent.presence_changed", presence=state)


DAY = (
    line(1_000, "agent.signed_in"),
    presence(1_000, "away"),
    presence(3_000, "ready"),
    line(10_000, "call.offered"),
    line(14_000, "offer.accepted"),
    line(14_000, "call.connecting"),
    line(15_000, "call.connected"),
    line(75_000, "call.ended"),
    line(75_000, "agent.wrap_up_started"),
    line(95_000, "agent.wrap_up_closed"),
    presence(95_000, "ready"),
    presence(99_000, "signed_out"),
)


def test_every_state_has_its_time_and_together_they_are_the_time_signed_in() -> None:
    mei = fold(DAY, 0, 200_000)["mei"]
    assert mei.by_state == {
        "away": 2_000, "ready": 11_000, "offered": 4_000, "connecting": 1_000, "connected": 60_000, "wrap_up": 20_000,
    }  # fmt: skip
    assert mei.signed_in_ms == 99_000 - 1_000


@pytest.mark.parametrize(
    ("from_ms", "until_ms", "told"),
    [
        (12_000, 14_500, {"offered": 2_000, "connecting": 500}),
        (20_000, 30_000, {"connected": 10_000}),
        (99_000, 200_000, None),
        (0, 1_000, None),
    ],
)
def test_only_the_window_counts(from_ms: int, until_ms: int, told: dict[str, int] | None) -> None:
    times = fold(DAY, from_ms, until_ms)
    assert (times["mei"].by_state if "mei" in times else None) == told


def test_a_clock_that_was_set_back_takes_no_time_away() -> None:
    set_back = Line(id="5000-1", type="call.offered", at_ms=3_000, agent_id="mei")
    lines = (line(1_000, "agent.signed_in"), presence(5_000, "ready"), set_back)
    assert fold(lines, 0, 6_000)["mei"].by_state == {"away": 4_000, "offered": 1_000}


@pytest.mark.parametrize("seed", range(4))
def test_whatever_befalls_them_the_switchboards_own_record_says_the_same(seed: int) -> None:
    """The state each agent is in by the journal is the one he is in, at every line of days by chance."""
    state, workload, lines = first_state(), Workload(Random(seed)), []
    spent: dict[str, dict[str, int]] = {}
    for _ in range(1_500):
        done = step(state, workload.next(state))
        for agent in state.agents.values():
            told = spent.setdefault(agent.agent_id, {})
            told[agent.state] = told.get(agent.state, 0) + done.state.last_ms - state.last_ms
        state = done.state
        lines += done.lines
    times = fold(lines, 0, state.last_ms)
    for agent_id, told in spent.items():
        expected = {name: ms for name, ms in told.items() if ms and name != AgentState.SIGNED_OUT}
        assert times[agent_id].by_state == expected, agent_id
