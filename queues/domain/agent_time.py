"""How long an agent was in each state, folded from the journal.

Definition. An agent is signed in from the line that he signed in to the line that he signed out, or to the end of the
window. In between he is in exactly one state at a time, and every line that moves him to another ends the one before:
so his times in the states add up to the time he was signed in, to the millisecond. Only what lies in the window
counts; a line from before it tells in which state he entered it. The instant of a line is that of its id, which never
goes back, also when a clock was set back. Unit: ms.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from queues.domain.agents import AgentState
from queues.domain.journal import Line, LineType, parse_id

# After such a line he is in that state; `agent.presence_changed` names its own.
_LEADS_TO: Final[Mapping[str, AgentState]] = {
    LineType.AGENT_SIGNED_IN: AgentState.AWAY,
    LineType.CALL_OFFERED: AgentState.OFFERED,
    LineType.CALL_CONSULTED: AgentState.OFFERED,
    LineType.OFFER_ACCEPTED: AgentState.CONNECTING,
    LineType.CALL_CONNECTED: AgentState.CONNECTED,
    LineType.AGENT_WRAP_UP_STARTED: AgentState.WRAP_UP,
}
TYPES: Final = (*_LEADS_TO, LineType.AGENT_PRESENCE_CHANGED)
_STATES: Final[Mapping[str, AgentState]] = {state.value: state for state in AgentState}
STATES: Final = tuple(state for state in AgentState if state is not AgentState.SIGNED_OUT)


@dataclass(slots=True)
class AgentTime:
    """Of one agent in one window: ms by state."""

    agent_id: str
    by_state: dict[AgentState, int] = field(default_factory=dict)

    @property
    def signed_in_ms(self) -> int:
        return sum(self.by_state.values())


@dataclass(slots=True)
class _Stay:
    """In which state he is since when."""

    state: AgentState
    since_ms: int


def fold(lines: Iterable[Line], from_ms: int, until_ms: int) -> dict[str, AgentTime]:
    """The times of everybody who was signed in at some instant of [from_ms, until_ms), by agent_id.

    `lines` are in the journal's order and may begin before the window; those of other types are passed over.
    """
    stays: dict[str, _Stay] = {}
    times: dict[str, AgentTime] = {}
    for line in lines:
        state = state_after(line)
        if state is None or not line.agent_id:
            continue
        at_ms, _ = parse_id(line.id)
        stay = stays.get(line.agent_id, _Stay(AgentState.SIGNED_OUT, at_ms))
        _count(times, line.agent_id, stay, from_ms, min(at_ms, until_ms))
        stays[line.agent_id] = _Stay(state, at_ms)
    for agent_id, stay in stays.items():
        _count(times, agent_id, stay, from_ms, until_ms)
    return times


def state_after(line: Line) -> AgentState | None:
    """A word that is no state moves nobody."""
    if line.type == LineType.AGENT_PRESENCE_CHANGED:
        return _STATES.get(str(line.data.get("presence", AgentState.SIGNED_OUT)))
    return _LEADS_TO.get(line.type)


def _count(times: dict[str, AgentTime], agent_id: str, stay: _Stay, from_ms: int, until_ms: int) -> None:
    for_ms = until_ms - max(stay.since_ms, from_ms)
    if stay.state is AgentState.SIGNED_OUT or for_ms <= 0:
        return
    told = times.setdefault(agent_id, AgentTime(agent_id))
    told.by_state[stay.state] = told.by_state.get(stay.state, 0) + for_ms
