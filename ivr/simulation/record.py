"""A day that was, read as a scenario: the calls, who was there, and what of it had to be assumed.

What must hold: the same record gives the same scenario, to the millisecond and in the same order; no number and no
name is in it; what the record does not tell is counted and said.

* A call comes when it entered its queue, with its tier, matter and language, and lasts as long as its talks did. One
  that was never answered gets the mean of its queue's answered calls.
* Patience is known of those who left by themselves: as long as they waited (who left a message or asked to be called
  back left the queue then). Of those who were answered it is known only that they would have waited longer.
  "estimated" draws the rest of it from the exponential distribution whose mean is all waiting of the day divided by
  the hang-ups (its maximum likelihood under censoring), each call from the seed and its own id; "stays" lets them wait.
* Agents are there from ready to away or signed out, with the skills they then had, in whole seconds. Whoever goes on
  past the last hour stays to the end. The house is empty when the first hour begins.
* Of a day that is not over nothing is known past the instant at which it was read: what really was ends there.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from ivr.simulation.logs import USUAL_SERVICE_S, usual_matter
from ivr.simulation.scenario import PlayedCall, PlayedDay, Scenario, SimulatedAgent, SimulatedCall
from ivr.simulation.terms import Terms
from queues.domain.agents import AgentState
from queues.domain.call_records import length
from queues.domain.journal import Line, LineType, parse_id
from queues.domain.plan import Plan

USUAL_RING_S: Final = 5.0
USUAL_WRAP_UP_S: Final = 20.0
NOT_OVER: Final = "not_over"  # said of a day that was read before its last hour had passed
TURN: Final = "#"  # before the number of an agent's second and later stints
WRAP_UP_MS_MAX: Final = 600_000
RING_MS_MAX: Final = 120_000
STINT_TYPES: Final = (
    LineType.AGENT_SIGNED_IN,
    LineType.AGENT_PRESENCE_CHANGED,
    LineType.AGENT_SKILLS_CHANGED,
    LineType.AGENT_LENT,
    LineType.AGENT_TAKEN_BACK,
)
_ABSENT: Final = (AgentState.SIGNED_OUT, AgentState.AWAY)
Said = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall:
    """What history keeps of a call that entered a queue. `answered` with a person, while he waited for it."""

    call_id: str
    queued_ms: int
    queue: str
    tier: str
    matter: str
    locale: str
    version: str
    agent_id: str
    outcome: str
    is_answered: bool
    wait_ms: int
    talk_ms: int | None = None
    ring_ms: int | None = None
    wrap_up_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stint:
    """An agent was there without a break; None: beyond the last hour."""

    agent_id: str
    skills: str
    from_ms: int
    until_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRecord:
    """`midnight_ms` begins the day, it was read at `read_ms`; `unplayed` counts calls that are left out, by why."""

    midnight_ms: int
    from_ms: int
    until_ms: int
    read_ms: int
    calls: Sequence[RecordedCall]
    stints: Sequence[Stint]
    unplayed: Mapping[str, int]

    @property
    def known_ms(self) -> int:
        """As far as the record goes: the last hour, or now while it is not over."""
        return min(self.until_ms, self.read_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The day as it is to be played, as it really went, and what was assumed."""

    scenario: Scenario
    really: PlayedDay
    said: tuple[Said, ...]


def call_in(row: Mapping[str, Any]) -> RecordedCall | str:
    """A row of `calls`, or why it cannot be played."""
    if row["state"] != "ended":
        return "going_on"
    if row["outcome"] in ("closed", "full") or row["wait_ms"] is None:
        return "closed"
    is_answered = row["answered_ms"] is not None and not row["callback"]
    first_ring_ms = length(row["offered_ms"], row["answered_ms"]) if row["offers"] == 1 else None
    return RecordedCall(
        call_id=row["call_id"],
        queued_ms=row["queued_ms"],
        queue=row["queue"] or "",
        tier=row["tier"] or "",
        matter=row["matter"] or "",
        locale=row["locale"] or "",
        version=row["site_version"] or "",
        agent_id=row["agent_id"] or "",
        outcome=row["outcome"] or "",
        is_answered=is_answered,
        wait_ms=row["wait_ms"],
        talk_ms=row["talk_ms"],
        ring_ms=first_ring_ms if is_answered else None,
        wrap_up_ms=length(row["ended_ms"], row["wrapped_up_ms"]) if is_answered else None,
    )


def stints_in(lines: Iterable[Line], from_ms: int, until_ms: int) -> list[Stint]:
    """Who was there in [from_ms, until_ms), from the journal's lines, which may begin before."""
    present: dict[str, tuple[int, str]] = {}
    found: list[Stint] = []

    def leave(agent_id: str, at_ms: int | None) -> None:
        since_ms, skills = present.pop(agent_id)
        ends_ms = until_ms if at_ms is None else at_ms
        if skills and ends_ms > max(since_ms, from_ms):
            found.append(
                Stint(
                    agent_id=agent_id,
                    skills=skills,
                    from_ms=max(since_ms, from_ms) // 1000 * 1000,
                    until_ms=None if at_ms is None else -(-at_ms // 1000) * 1000,
                )
            )

    for line in lines:
        at_ms, _ = parse_id(line.id)
        if at_ms >= until_ms:
            break
        skills = line.data.get("skills")
        was = present.get(line.agent_id)
        if line.type == LineType.AGENT_PRESENCE_CHANGED:
            is_there = line.data.get("presence", AgentState.SIGNED_OUT) not in _ABSENT
        else:
            is_there = was is not None
        has = skills if isinstance(skills, str) else (was[1] if was else "")
        if was is not None and (not is_there or has != was[1]):
            leave(line.agent_id, at_ms)
        if is_there and line.agent_id not in present:
            present[line.agent_id] = (at_ms, has)
    for agent_id in list(present):
        leave(agent_id, None)
    return sorted(found, key=lambda each: (each.from_ms, each.agent_id))


def read_day(record: DayRecord, terms: Terms, plan: Plan) -> Reading:
    """`plan` says what a call without a tier or matter of its own counts as."""
    calls, said = _calls(record, terms, plan)
    if record.known_ms < record.until_ms:
        said.insert(0, (NOT_OVER, {"at": record.read_ms}))
    ring_s, wrap_up_s = times_of(record)
    scenario = Scenario(
        calls=calls,
        agents=_agents(record, terms),
        ring_ms=round(ring_s * 1000),
        wrap_up_ms=round(wrap_up_s * 1000),
    )
    return Reading(
        scenario=scenario,
        really=_really(record, calls),
        said=(*said, ("times", {"ring": ring_s, "wrap_up": wrap_up_s})),
    )


def changed(scenario: Scenario, terms: Terms) -> Scenario:
    """The scenario of the side that is tried: agents more or fewer, other times."""
    return replace(
        scenario,
        agents=_more(scenario, terms.more),
        ring_ms=scenario.ring_ms if terms.ring_s is None else round(terms.ring_s * 1000),
        wrap_up_ms=scenario.wrap_up_ms if terms.wrap_up_s is None else round(terms.wrap_up_s * 1000),
    )


def under(scenario: Scenario, plan: Plan) -> tuple[Scenario, int]:
    """The scenario in the words of this plan, and of how many calls it did not know the matter."""
    unknown = sum(call.matter not in plan.matters for call in scenario.calls)
    if not unknown:
        return scenario, 0
    usual = usual_matter(plan)
    calls = (call if call.matter in plan.matters else replace(call, matter=usual) for call in scenario.calls)
    return replace(scenario, calls=tuple(calls)), unknown


def digest_of(scenario: Scenario) -> str:
    """The same for the same calls, agents and times."""
    return hashlib.sha256(repr(scenario).encode()).hexdigest()[:12]


def times_of(record: DayRecord) -> tuple[float, float]:
    """Mean seconds from the first ring to the answer, and of wrap-up; tenths, so that they can be typed."""
    rings = [min(each.ring_ms, RING_MS_MAX) for each in record.calls if each.ring_ms is not None]
    wraps = [min(each.wrap_up_ms, WRAP_UP_MS_MAX) for each in record.calls if each.wrap_up_ms is not None]
    ring_s = _mean(rings) / 1000 if rings else USUAL_RING_S
    wrap_up_s = _mean(wraps) / 1000 if wraps else USUAL_WRAP_UP_S
    return round(ring_s, 1), round(wrap_up_s, 1)


def _calls(record: DayRecord, terms: Terms, plan: Plan) -> tuple[tuple[SimulatedCall, ...], list[Said]]:
    in_order = sorted(record.calls, key=lambda each: (each.queued_ms, each.call_id))
    handling_ms = _handling(in_order)
    kinds = Counter(_kind(each) for each in in_order)
    mean_ms = _patience_mean_ms(in_order) if terms.patience == "estimated" else None
    usual = usual_matter(plan)
    calls = tuple(
        SimulatedCall(
            call_id=each.call_id,
            at_ms=each.queued_ms - record.midnight_ms,
            tier=each.tier or plan.default_tier,
            queue=each.queue,
            matter=each.matter or usual,
            handling_ms=_length(each, handling_ms),
            patience_ms=_patience_ms(each, mean_ms, terms.seed),
            locale=each.locale,
        )
        for each in in_order
    )
    said: list[Said] = [(f"calls.{name}", {"n": kinds[name]}) for name in ("answered", "left", "diverted")]
    if kinds["answered"] and mean_ms is not None:
        said.append(
            ("patience.estimated", {"n": kinds["answered"], "mean": mean_ms // 1000, "seed": terms.seed})
        )
    elif kinds["answered"]:
        said.append(("patience.stays", {"n": kinds["answered"]}))
    if unknown := sum(not (each.is_answered and each.talk_ms) for each in in_order):
        said.append(("handling", {"n": unknown, "mean": handling_ms[""] // 1000}))
    said += [(f"unplayed.{why}", {"n": count}) for why, count in sorted(record.unplayed.items())]
    if others := sum(bool(each.version) and each.version != terms.before for each in in_order):
        said.append(("other_version", {"n": others}))
    return calls, said


def _kind(call: RecordedCall) -> str:
    if call.is_answered:
        return "answered"
    return "left" if call.outcome == "abandoned" else "diverted"


def _handling(calls: Iterable[RecordedCall]) -> dict[str, int]:
    """The mean length of the answered calls by queue, and of all under the empty name; ms."""
    lengths: dict[str, list[int]] = {"": []}
    for each in calls:
        if each.is_answered and each.talk_ms:
            lengths.setdefault(each.queue, []).append(each.talk_ms)
            lengths[""].append(each.talk_ms)
    usual_ms = USUAL_SERVICE_S * 1000
    return {queue: round(_mean(found)) if found else usual_ms for queue, found in lengths.items()}


def _length(call: RecordedCall, handling_ms: Mapping[str, int]) -> int:
    if call.is_answered and call.talk_ms:
        return call.talk_ms
    return handling_ms.get(call.queue, handling_ms[""])


def _patience_mean_ms(calls: Sequence[RecordedCall]) -> int | None:
    """All waiting divided by the hang-ups; None without a hang-up."""
    left = sum(_kind(each) == "left" for each in calls)
    return round(sum(each.wait_ms for each in calls) / left) if left else None


def _patience_ms(call: RecordedCall, mean_ms: int | None, seed: int) -> int | None:
    if not call.is_answered:
        return call.wait_ms
    if not mean_ms:
        return None
    chance = Random(f"{seed}:{call.call_id}")  # noqa: S311  a repeatable day, not a secret
    return call.wait_ms + round(chance.expovariate(1 / mean_ms))


def _agents(record: DayRecord, terms: Terms) -> tuple[SimulatedAgent, ...]:
    begins_ms = record.from_ms - record.midnight_ms
    if terms.agents:
        return tuple(
            SimulatedAgent(agent_id=f"agent{number + 1:02d}", from_ms=begins_ms)
            for number in range(terms.agents)
        )
    turns: Counter[str] = Counter()
    agents = []
    for stint in record.stints:
        turns[stint.agent_id] += 1
        turn = turns[stint.agent_id]
        agents.append(
            SimulatedAgent(
                agent_id=stint.agent_id if turn == 1 else f"{stint.agent_id}{TURN}{turn}",
                skills=tuple(stint.skills.split(",")),
                from_ms=stint.from_ms - record.midnight_ms,
                until_ms=None if stint.until_ms is None else stint.until_ms - record.midnight_ms,
            )
        )
    return tuple(agents)


def _more(scenario: Scenario, more: int) -> tuple[SimulatedAgent, ...]:
    """So many more with every skill, there from the first to the last; or without those who were there longest."""
    agents = scenario.agents
    if more >= 0:
        begins_ms = min((each.from_ms for each in agents), default=0)
        extra = (SimulatedAgent(agent_id=f"extra{n + 1}", from_ms=begins_ms) for n in range(more))
        return (*agents, *extra)
    gone = set(longest_there(scenario)[:-more])
    return tuple(each for each in agents if person_of(each) not in gone)


def longest_there(scenario: Scenario) -> list[str]:
    """The agents by how long they were there, the longest first."""
    there: Counter[str] = Counter()
    ends_ms = max((call.at_ms for call in scenario.calls), default=0)
    for each in scenario.agents:
        until_ms = ends_ms if each.until_ms is None else each.until_ms
        there[person_of(each)] += max(0, until_ms - each.from_ms)
    return [name for name, _ in sorted(there.items(), key=lambda item: (-item[1], item[0]))]


def person_of(agent: SimulatedAgent) -> str:
    """Whose stint it is."""
    return agent.agent_id.partition(TURN)[0]


def people_in(scenario: Scenario) -> int:
    """How many people they are, however often each came and went."""
    return len({person_of(each) for each in scenario.agents})


def _really(record: DayRecord, calls: Sequence[SimulatedCall]) -> PlayedDay:
    """What did happen, in the terms of a simulated day. Nobody kept count of promotions."""
    told = {each.call_id: each for each in record.calls}
    busy_ms: Counter[str] = Counter({stint.agent_id: 0 for stint in record.stints})
    played, ended_ms = [], record.known_ms - record.midnight_ms
    for call in calls:
        each = told[call.call_id]
        left_ms = call.at_ms + each.wait_ms
        played.append(
            PlayedCall(
                call=call if each.is_answered else replace(call, patience_ms=each.wait_ms),
                answered_ms=left_ms if each.is_answered else None,
                left_ms=left_ms,
                agent_id=each.agent_id,
            )
        )
        ended_ms = max(ended_ms, left_ms)
        if each.is_answered and each.agent_id in busy_ms:
            busy_ms[each.agent_id] += (each.talk_ms or 0) + (each.wrap_up_ms or 0)
    staffed_ms: Counter[str] = Counter()
    for stint in record.stints:
        until_ms = record.known_ms if stint.until_ms is None else stint.until_ms
        staffed_ms[stint.agent_id] += max(0, until_ms - stint.from_ms)
    return PlayedDay(
        calls=tuple(played), busy_ms=dict(busy_ms), staffed_ms=dict(staffed_ms), ended_ms=ended_ms
    )


def _mean(values: Sequence[int]) -> float:
    return math.fsum(values) / len(values)
