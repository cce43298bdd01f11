"""Agents' time by the quarter of an hour, by overlap: a stay in a state is split where the quarters meet.

Which line leads to which state is told by `queues.domain.agent_time`, whose definition this is as well; here the stay
that goes on is kept (`Stay`), so that lines can be taken in as they come. What must hold: taking lines in, however they
are cut into batches, gives the same counts as taking them all at once; the time of a stay is counted when it ends, and
until then `running` tells what it comes to.

Beside the states (ms) these are counted, each in the quarter of its own instant: offers, of which accepted, declined,
expired (it rang in vain), unrung (no telephone rang) and withdrawn (the caller was gone, or he was); talks; holds;
transfers.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from queues.domain import agent_time
from queues.domain.agents import AgentState
from queues.domain.journal import Line, LineType, parse_id
from queues.domain.periods import QUARTER_MS

_COUNTED: Final[Mapping[str, str]] = {
    LineType.CALL_OFFERED: "offers",
    LineType.CALL_CONSULTED: "offers",
    LineType.OFFER_ACCEPTED: "accepted",
    LineType.OFFER_DECLINED: "declined",
    LineType.OFFER_EXPIRED: "expired",
    LineType.OFFER_UNRUNG: "unrung",
    LineType.OFFER_WITHDRAWN: "withdrawn",
    LineType.CALL_CONNECTED: "talks",
    LineType.CALL_HELD: "holds",
    LineType.CALL_TRANSFERRED: "transfers",
    LineType.CALL_HANDED_OVER: "transfers",
}
TYPES: Final = tuple(sorted({*agent_time.TYPES, *_COUNTED}))
STATES: Final = agent_time.STATES
# One column each, in this order; a state's column is its word and `_ms`.
SUMS: Final = (*(f"{state}_ms" for state in STATES), *dict.fromkeys(_COUNTED.values()))


class Move(NamedTuple):
    """What one line says of one agent: where he is from then on, what is counted of him; either may be empty."""

    agent_id: str
    at_ms: int
    state: str
    counted: str


class Stay(NamedTuple):
    state: str
    since_ms: int


class AgentCell(NamedTuple):
    start_ms: int
    agent_id: str


Stays = dict[str, Stay]  # by agent_id
AgentCells = dict[AgentCell, Counter[str]]


def move_of(line: Line) -> Move | None:
    state, counted = agent_time.state_after(line) or "", _COUNTED.get(line.type, "")
    handed_by = line.data.get("from") if line.type == LineType.CALL_HANDED_OVER else ""
    agent_id = str(handed_by or line.agent_id)
    if not agent_id or not (state or counted):
        return None
    return Move(agent_id, parse_id(line.id)[0], str(state), counted)


def moves_of(lines: Iterable[Line]) -> list[Move]:
    return [move for line in lines if (move := move_of(line))]


def take_in(stays: Mapping[str, Stay], moves: Iterable[Move]) -> tuple[Stays, AgentCells]:
    """The stays after these moves, and what the cells gain."""
    now, gained = dict(stays), AgentCells()
    for move in moves:
        if move.state:
            stay = now.get(move.agent_id)
            if stay is not None:
                _spend(gained, move.agent_id, stay, move.at_ms)
            now[move.agent_id] = Stay(move.state, move.at_ms)
        if move.counted:
            _cell(gained, move.at_ms, move.agent_id)[move.counted] += 1
    return now, gained


def running(stays: Mapping[str, Stay], from_ms: int, until_ms: int) -> AgentCells:
    """What the stays that go on come to within [from_ms, until_ms)."""
    gained: AgentCells = {}
    for agent_id, stay in stays.items():
        _spend(gained, agent_id, stay._replace(since_ms=max(stay.since_ms, from_ms)), until_ms)
    return gained


def _spend(gained: AgentCells, agent_id: str, stay: Stay, until_ms: int) -> None:
    if stay.state == AgentState.SIGNED_OUT:
        return
    for start_ms, for_ms in _split(stay.since_ms, until_ms):
        _cell(gained, start_ms, agent_id)[f"{stay.state}_ms"] += for_ms


def _split(from_ms: int, until_ms: int) -> Iterator[tuple[int, int]]:
    """By quarters: (when the quarter begins, how long it was)."""
    while from_ms < until_ms:
        start_ms = from_ms // QUARTER_MS * QUARTER_MS
        ends_ms = min(start_ms + QUARTER_MS, until_ms)
        yield start_ms, ends_ms - from_ms
        from_ms = ends_ms


def _cell(cells: AgentCells, at_ms: int, agent_id: str) -> Counter[str]:
    return cells.setdefault(AgentCell(at_ms // QUARTER_MS * QUARTER_MS, agent_id), Counter())


def merged(parts: Iterable[Mapping[AgentCell, Mapping[str, int]]]) -> AgentCells:
    found: AgentCells = {}
    for part in parts:
        for cell, sums in part.items():
            found.setdefault(cell, Counter()).update(sums)
    return found


def difference(
    should: Mapping[AgentCell, Counter[str]], have: Mapping[AgentCell, Counter[str]]
) -> AgentCells:
    """What is to be added to `have` so that it is `should`."""
    found: AgentCells = {}
    for cell in {*should, *have}:
        gap = Counter(should.get(cell, {}))
        gap.subtract(have.get(cell, {}))
        if any(gap.values()):
            found[cell] = gap
    return found


def as_json(moves: Iterable[Move]) -> list[Any]:
    return [list(move) for move in moves]


def from_json(told: Iterable[Any]) -> list[Move]:
    return [Move(*each) for each in told]
