"""The journal replayed: from its lines the state of each instant, and from that the decisions, once more.

The line of an offer, and of a customer who is rung before an agent is held for him, names the newest line that its
decision had seen. The state after that line (lanes with their rules,
who waits in them with whom he skips, agents with their skills and since when they are idle) is folded from the lines
alone; `decide` on it, by the words of the version that decided, must give the same call to the same agent for the same
reason, or ring the same customer because of him. What began before the first line, or was decided by words that are
not kept, cannot be checked; that is counted, and said, and is not a disagreement.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from queues.domain.agents import Agent, AgentId, AgentState
from queues.domain.calls import KEPT, OPEN, Call, CallId, CallState
from queues.domain.journal import Line, LineType, parse_id
from queues.domain.moves import Draft
from queues.domain.plan import Plan
from queues.domain.routing import Match, decide, snapshot_of
from queues.domain.state import State
from queues.domain.surges import Running

EVERYBODY: Final = 10**9  # a replay sees each lane and each pool whole
NOBODY_LOST: Final = 10**15
COMPARED: Final = ("rule", "key", "is_front", "queues")
DECISIONS: Final = (LineType.CALL_OFFERED, LineType.CALLBACK_CALLED)

PlanOf = Callable[[str], Plan | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A decision that comes out otherwise when the journal is replayed; `agent_id` None: nothing is done with it."""

    line: Line
    agent_id: str | None
    instead: tuple[str, ...]  # which calls this agent, or anybody, is given instead
    reasons: Mapping[str, tuple[Any, Any]]  # name -> what was stored, what comes out


@dataclass(slots=True)
class Agreement:
    agreed: int = 0
    differences: list[Difference] = field(default_factory=list)
    unchecked: dict[str, int] = field(default_factory=dict)  # why -> how many

    @property
    def checked(self) -> int:
        return self.agreed + len(self.differences)

    def leave(self, why: str) -> None:
        self.unchecked[why] = self.unchecked.get(why, 0) + 1


# Why a decision cannot be checked.
NOT_SEEN, NO_WORDS, BEFORE = "not_seen", "no_words", "before"


@dataclass(frozen=True, slots=True)
class _Look:
    """What one decision was made on: the newest line it had seen, its instant, its version."""

    seen: tuple[int, int]
    now_ms: int
    version: str


class Replay:
    """Give the lines of `DECISIONS` that are to be checked first, then `take` every line in order, then `close`.

    `arrivals` are the arrival counters of callers whose first line was taken out of the journal.
    """

    def __init__(
        self, decisions: Iterable[Line], plan_of: PlanOf, arrivals: Mapping[str, int] | None = None
    ) -> None:
        self.fold = Fold(arrivals or {})
        self.agreement = Agreement()
        self._plan_of = plan_of
        looks: dict[_Look, list[Line]] = {}
        for line in decisions:
            look = _look_of(line)
            if look is None:
                self.agreement.leave(NOT_SEEN)
            else:
                looks.setdefault(look, []).append(line)
        self._looks = sorted(looks.items(), key=lambda each: each[0].seen, reverse=True)

    def take(self, line: Line) -> None:
        while self._looks and self._looks[-1][0].seen < parse_id(line.id):
            self._judge(*self._looks.pop())
        self.fold.take(line)

    def close(self) -> Agreement:
        while self._looks:
            self._judge(*self._looks.pop())
        self.agreement.differences.sort(key=lambda each: parse_id(each.line.id))
        return self.agreement

    def _judge(self, look: _Look, lines: Sequence[Line]) -> None:
        plan = self._plan_of(look.version)
        if plan is None:
            for _ in lines:
                self.agreement.leave(NO_WORDS)
            return
        state = self.fold.state
        snapshot = snapshot_of(
            state,
            look.now_ms,
            silent_ms=NOBODY_LOST,
            heads_max=EVERYBODY,
            agents_max=EVERYBODY,
            with_turns=True,
        )
        matches = {match.call_id: match for match in decide(plan, snapshot, look.now_ms)}
        for line in lines:
            if line.call_id not in state.calls or agent_in(line) not in state.agents:
                self.agreement.leave(BEFORE)
            elif difference := _difference(line, matches):
                self.agreement.differences.append(difference)
            else:
                self.agreement.agreed += 1


def agent_in(line: Line) -> str:
    """To whom it was offered; or whose being free has made that the customer is rung, who is offered to nobody yet."""
    return line.agent_id or str(line.data["why"]["agent"]["agent_id"])


def _look_of(line: Line) -> _Look | None:
    """None when the line does not say what its decision had seen."""
    why = line.data.get("why")
    try:
        return _Look(parse_id(why["seen"]), int(why["now_ms"]), str(why["version"]))  # type: ignore[index]
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _difference(line: Line, matches: Mapping[str, Match]) -> Difference | None:
    match = matches.get(line.call_id)
    why, agent_id, is_call = line.data["why"], agent_in(line), line.type == LineType.CALLBACK_CALLED
    if match is not None and match.agent_id == agent_id:
        other = {
            name: (why.get(name), match.why[name]) for name in COMPARED if why.get(name) != match.why[name]
        }
        if match.is_call != is_call:
            other["is_call"] = (is_call, match.is_call)
        return Difference(line=line, agent_id=match.agent_id, instead=(), reasons=other) if other else None
    instead = [each.call_id for each in matches.values() if each.agent_id == agent_id]
    return Difference(
        line=line,
        agent_id=match.agent_id if match else None,
        instead=tuple(instead or list(matches)),
        reasons={},
    )


class Fold:
    """The part of the live state that decisions read, from the lines alone. Nothing else of `state` is filled."""

    def __init__(self, arrivals: Mapping[str, int]) -> None:
        self.state = State()
        self._arrivals = arrivals

    def take(self, line: Line) -> None:
        """The state after this line."""
        step = _STEPS.get(line.type)
        if step is not None:
            step(self, line)
        self.state.last_ms, self.state.last_seq = parse_id(line.id)

    # Calls

    def arrived(self, line: Line) -> None:
        if line.call_id in self.state.calls:
            return
        arrival = line.data.get("arrival", self._arrivals.get(line.call_id, 0))
        self.state.calls[line.call_id] = Call(
            call_id=CallId(line.call_id),
            state=CallState.MENU,
            arrival=int(arrival),
            arrived_ms=line.at_ms,
            line="",
            caller_ref="",
            number="",
            customer_id="",
            customer_name="",
            tier="",
            locale="",
            is_known=False,
        )

    def anonymised(self, line: Line) -> None:
        self.arrived(line)
        self.state.calls[line.call_id] = replace(self.state.calls[line.call_id], named="", never="")
        self.state.dialling.pop(line.call_id, None)

    def queued(self, line: Line) -> None:
        if line.data.get("closed"):
            return
        self.arrived(replace(line, data={}))
        self._enter(
            line,
            **_lane_in(line),
            named=str(line.data.get("named", "")),
            never=str(line.data.get("never", "")),
        )

    def relaned(self, line: Line) -> None:
        if line.call_id in self.state.calls:
            self._enter(line, **_lane_in(line), **_never_in(line))

    def requeued(self, line: Line) -> None:
        if line.call_id in self.state.calls:
            self._enter(line, skips=str(line.data.get("skips", "")), **_never_in(line))

    def transferred(self, line: Line) -> None:
        self.arrived(replace(line, data={}))
        self._enter(
            line,
            lane_id=str(line.data["lane"]),
            lane=json.dumps(line.data["rules"], ensure_ascii=False, separators=(",", ":")),
            queued_ms=int(line.data["queued_ms"]),
            named=str(line.data["named"]),
            skips=str(line.data["skips"]),
            **_never_in(line),
        )

    def woken(self, line: Line) -> None:
        if line.call_id in self.state.calls:
            self._enter(line, **_never_in(line))

    def left(self, line: Line) -> None:
        call = self.state.calls.get(line.call_id)
        if call is not None and call.state is CallState.QUEUED:
            Draft(self.state, line.at_ms).leave_lane(call)
            self.state.calls[line.call_id] = replace(call, state=CallState.OFFERED)

    def asked(self, line: Line) -> None:
        self.left(line)
        self._change(line, callback=OPEN, leg_id="")

    def begun(self, line: Line) -> None:
        """An agent calls him back from the list: he waits, and has no line to us."""
        self._change(line, callback=OPEN)

    def called(self, line: Line) -> None:
        self.left(line)
        self._change(line, state=CallState.CALLING)
        self.state.dialling[line.call_id] = line.call_id

    def forgotten(self, line: Line) -> None:
        self.state.dialling.pop(line.call_id, None)

    def reached(self, line: Line) -> None:
        if line.call_id in self.state.calls:
            self._enter(line, leg_id=line.offer_id, **_never_in(line))

    def rested(self, line: Line) -> None:
        self.left(line)
        self._change(line, leg_id="")
        self.state.dialling.pop(line.call_id, None)

    def _change(self, line: Line, **changes: Any) -> None:
        if call := self.state.calls.get(line.call_id):
            self.state.calls[line.call_id] = replace(call, **changes)

    def offered(self, line: Line) -> None:
        self.left(line)
        self._is_at_work(line.agent_id, AgentState.OFFERED)

    def consulted(self, line: Line) -> None:
        self._is_at_work(line.agent_id, AgentState.OFFERED)

    def ended(self, line: Line) -> None:
        self.left(line)
        self.state.dialling.pop(line.call_id, None)
        self.state.calls.pop(line.call_id, None)

    def reconciled(self, line: Line) -> None:
        if line.data.get("is_ended") is True:
            self.ended(line)

    def _enter(self, line: Line, **changes: Any) -> None:
        self.left(line)
        call = replace(self.state.calls[line.call_id], state=CallState.QUEUED, **changes)
        self.state.calls[line.call_id] = call
        if call.lane_id:
            Draft(self.state, line.at_ms).enter_lane(call)

    # Agents

    def signed_in(self, line: Line) -> None:
        told = {"skills": str(line.data.get("skills", "")), "turn": int(line.data.get("turn", 0))}
        self._agent(line, state=AgentState.AWAY, **told)

    def skills_changed(self, line: Line) -> None:
        self._agent(line, skills=str(line.data.get("skills", "")))

    def had_turn(self, line: Line) -> None:
        self._agent(line, turn=int(line.data["turn"]))

    def released(self, line: Line) -> None:
        self.state.reserves[str(line.data["queue"])] = str(line.at_ms)

    def armed(self, line: Line) -> None:
        self.state.reserves.pop(str(line.data["queue"]), None)

    def presence_changed(self, line: Line) -> None:
        data = line.data
        told = {name: data[name] for name in ("skills", "idle_ms") if name in data}
        agent = self._agent(line, state=AgentState(data["presence"]), **told)
        if agent.state is AgentState.READY:
            self.state.ready[line.agent_id] = agent.idle_ms
        else:
            self.state.ready.pop(line.agent_id, None)

    def accepted(self, line: Line) -> None:
        self._is_at_work(line.agent_id, AgentState.CONNECTING)

    def connected(self, line: Line) -> None:
        self._change(line, state=CallState.CONNECTED)
        if (call := self.state.calls.get(line.call_id)) and call.callback:
            self._change(line, callback=KEPT, leg_id=line.offer_id)
        self._is_at_work(line.agent_id, AgentState.CONNECTED)

    def wrapping_up(self, line: Line) -> None:
        self._is_at_work(line.agent_id, AgentState.WRAP_UP)

    # The house

    def surge_begun(self, line: Line) -> None:
        told = {name: value for name, value in line.data.items() if name != "surge_id"}
        surge = Running(line.at_ms, 0, 0, json.dumps(told, ensure_ascii=False))
        self.state.surges[str(line.data["surge_id"])] = str(surge)

    def surge_ended(self, line: Line) -> None:
        self.state.surges.pop(str(line.data["surge_id"]), None)

    def _is_at_work(self, agent_id: str, state: AgentState) -> None:
        self.state.ready.pop(agent_id, None)
        if agent := self.state.agents.get(agent_id):
            self.state.agents[agent_id] = replace(agent, state=state)

    def _agent(self, line: Line, **changes: Any) -> Agent:
        nobody = Agent(
            agent_id=AgentId(line.agent_id),
            name="",
            skills="",
            endpoint="",
            state=AgentState.SIGNED_OUT,
            since_ms=line.at_ms,
        )
        agent = replace(self.state.agents.get(line.agent_id, nobody), **changes)
        self.state.agents[line.agent_id] = agent
        return agent


def _lane_in(line: Line) -> dict[str, Any]:
    """The lane that a line puts its call into, and its place there."""
    return {
        "lane_id": str(line.data["lane"]),
        "lane": json.dumps(line.data["rules"], ensure_ascii=False, separators=(",", ":")),
        "queued_ms": int(line.data["queued_ms"]),
    }


def _never_in(line: Line) -> dict[str, str]:
    """Whom its caller may not meet by then; a line from before that was told says nothing of it."""
    return {"never": str(line.data["never"])} if "never" in line.data else {}


_STEPS: Final[Mapping[str, Callable[[Fold, Line], None]]] = {
    LineType.CALL_ARRIVED: Fold.arrived,
    LineType.CALL_ANONYMISED: Fold.anonymised,
    LineType.CALL_QUEUED: Fold.queued,
    LineType.CALL_REQUEUED: Fold.requeued,
    LineType.CALL_TRANSFERRED: Fold.transferred,
    LineType.CALLBACK_ASKED: Fold.asked,
    LineType.CALLBACK_BEGUN: Fold.begun,
    LineType.CALLBACK_RESTED: Fold.rested,
    LineType.CALLBACK_CALLED: Fold.called,
    LineType.CALLBACK_FORGOTTEN: Fold.forgotten,
    LineType.CALLBACK_REACHED: Fold.reached,
    LineType.CALLBACK_WOKEN: Fold.woken,
    LineType.CALL_MOVED: Fold.relaned,
    LineType.CALL_RAISED: Fold.relaned,
    LineType.CALL_OFFERED: Fold.offered,
    LineType.CALL_DIVERTED: Fold.left,
    LineType.CALL_LED: Fold.left,
    LineType.CALL_ENDED: Fold.ended,
    LineType.CALL_RECONCILED: Fold.reconciled,
    LineType.CALL_CONSULTED: Fold.consulted,
    LineType.AGENT_SIGNED_IN: Fold.signed_in,
    LineType.AGENT_SKILLS_CHANGED: Fold.skills_changed,
    LineType.AGENT_LENT: Fold.skills_changed,
    LineType.AGENT_TAKEN_BACK: Fold.skills_changed,
    LineType.AGENT_PRESENCE_CHANGED: Fold.presence_changed,
    LineType.AGENT_TURN_TAKEN: Fold.had_turn,
    LineType.AGENT_TURN_LOST: Fold.had_turn,
    LineType.RESERVE_RELEASED: Fold.released,
    LineType.RESERVE_ARMED: Fold.armed,
    LineType.OFFER_ACCEPTED: Fold.accepted,
    LineType.CALL_CONNECTED: Fold.connected,
    LineType.AGENT_WRAP_UP_STARTED: Fold.wrapping_up,
    LineType.SURGE_BEGUN: Fold.surge_begun,
    LineType.SURGE_ENDED: Fold.surge_ended,
}


def replay(lines: Sequence[Line], plan_of: PlanOf) -> Agreement:
    """Every decision of these lines, checked."""
    arrivals = {
        line.call_id: int(line.data.get("arrival", 0))
        for line in lines
        if line.type == LineType.CALL_ANONYMISED
    }
    whole = Replay((line for line in lines if line.type in DECISIONS), plan_of, arrivals)
    for line in lines:
        whole.take(line)
    return whole.close()
