"""What the wallboard shows, as one value in one reader's words.

A level is `good`, `near`, `past` or `off` (nothing to judge), and is shown by a word and a shape beside its colour. It
is told by the target of the queue and tier. How long somebody waits is told as an instant with its limit: it goes from
good to past while nothing arrives. Figures are the cards' of today's calls.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from queues.domain import alarms
from queues.domain.agent_time import STATES, AgentTime
from queues.domain.agents import AgentState
from queues.domain.alarms import Line
from queues.domain.metrics import CARDS, Totals, figures_of
from queues.domain.plan import Queue
from queues.domain.targets import target_of
from queues.service.alarms import furthest
from queues.service.figures import Report
from queues.service.switchboard import WaitingFacts, WallAgent, WallState
from queues.web.times import face
from queues.web.words import Words

View = dict[str, Any]

GROUPS: Final = (
    AgentState.READY,
    AgentState.OFFERED,
    AgentState.CONNECTING,
    AgentState.CONNECTED,
    AgentState.WRAP_UP,
    AgentState.AWAY,
)
_NOTHING: Final = Totals()


def wall_view(state: WallState, report: Report, skills: Mapping[str, Sequence[str]], words: Words) -> View:
    by_queue, by_tier = report.by(0), report.by(1)
    return {
        "now_ms": state.now_ms,
        "marks": {level: words.t(f"state.level.{level}") for level in ("good", "near", "past", "off")},
        "top": _top(state, report.totals, words),
        "queues": [
            _queue(queue, state, by_queue.get(queue.id, _NOTHING), skills, words)
            for queue in words.plan.queues.values()
        ],
        "tiers": [_tier(tier, state, by_tier.get(tier, _NOTHING), words) for tier in words.plan.tiers],
        "agents": [_group(group, state, words) for group in GROUPS],
        "is_empty": report.totals.counts.sums["arrived"] == 0 and not state.waiting,
    }


def times_view(times: Iterable[AgentTime], names: Mapping[str, str], words: Words) -> View:
    """A line for each agent: how long he was signed in, and of that in each state."""
    return {
        "states": [words.t(f"state.agent.{state}") for state in STATES],
        "people": [
            {
                "name": names.get(each.agent_id, each.agent_id),
                "signed_in": face(each.signed_in_ms),
                "by_state": [face(each.by_state.get(state, 0)) for state in STATES],
            }
            for each in times
        ],
    }


def formula_view(words: Words) -> View:
    """How the share on the wall is computed: the contract's formula, as its card prints it."""
    targets = words.plan.targets
    card = CARDS[targets.formula]
    return {
        "name": words.t(f"figures.card.{card.id}.name"),
        "text": card.formula.printed,
        "short": targets.short_abandon_ms // 1000,
    }


def _top(state: WallState, totals: Totals, words: Words) -> View:
    """The longest wait is judged by the line of the queue and tier it is in."""
    waits = [each for each in state.waiting if each.longest_queued_ms]
    longest = min(waits, key=lambda each: each.longest_queued_ms or 0, default=None)
    return {
        "waiting": sum(each.waiting for each in state.waiting),
        "longest": _wait(longest, state.now_ms, words),
        **_figures(totals, alarms.level_target(words.plan), alarms.abandon_line(words.plan), words),
    }


def _queue(
    queue: Queue, state: WallState, totals: Totals, skills: Mapping[str, Sequence[str]], words: Words
) -> View:
    mine = [each for each in state.waiting if each.queue == queue.id]
    waiting, callbacks = [each for each in mine if each.waiting], sum(each.callbacks for each in mine)
    own = [agent for agent in state.agents if set(queue.needs) <= set(skills.get(agent.agent_id, ()))]
    plan = words.plan
    return {
        "id": queue.id,
        "word": words.queue(queue.id),
        "waiting": sum(each.waiting for each in waiting),
        "callbacks": words.t("wall.callbacks", count=callbacks) if callbacks else "",
        "tiers": _chips(waiting, words),
        "longest": _wait(_furthest(waiting, state, words), state.now_ms, words, queue=queue.id),
        "ready": _count(own, AgentState.READY),
        "talking": _count(own, AgentState.OFFERED, AgentState.CONNECTING, AgentState.CONNECTED),
        "wrap_up": _count(own, AgentState.WRAP_UP),
        "away": _count(own, AgentState.AWAY),
        "target": _target(queue.id, "", words),
        **_figures(totals, alarms.level_target(plan, queue.id), alarms.abandon_line(plan, queue.id), words),
    }


def _tier(tier: str, state: WallState, totals: Totals, words: Words) -> View:
    """Of all queues; each wait by its own queue's line."""
    waiting = [each for each in state.waiting if each.tier == tier and each.waiting]
    plan = words.plan
    return {
        "word": words.tier(tier),
        "waiting": sum(each.waiting for each in waiting),
        "longest": _wait(_furthest(waiting, state, words), state.now_ms, words),
        **_figures(totals, alarms.level_target(plan, "", tier), alarms.abandon_line(plan), words),
    }


def _figures(totals: Totals, level: Line, abandon: Line, words: Words) -> View:
    formula = words.plan.targets.formula
    cards = [CARDS[each] for each in (formula, "abandonment", "wait_p80")]
    told = {card_id: each.value for card_id, each in figures_of(totals, cards).items()}
    p80 = told["wait_p80"]
    return {
        "answered": totals.counts.sums["answered"],
        "service_level": _share(told[formula], level, 0),
        "abandoned": _share(told["abandonment"], abandon, 1),
        "p80": "–" if p80 is None else words.t("wall.seconds", seconds=round(p80)),
    }


def _share(value: float | None, line: Line, digits: int) -> View:
    return {"state": line.state(value), "text": "–" if value is None else f"{value * 100:.{digits}f}%"}


def _target(queue: str, tier: str, words: Words) -> str:
    target = target_of(words.plan, queue, tier)
    return words.t("wall.target_is", share=target.share, seconds=target.within_s)


def _chips(waiting: Iterable[WaitingFacts], words: Words) -> list[View]:
    found = [
        {
            "word": words.tier(each.tier),
            "rank": words.rank(each.tier),
            "waiting": each.waiting,
        }
        for each in waiting
    ]
    return sorted(found, key=lambda tier: (tier["rank"] == "", tier["rank"]))


def _group(group: AgentState, state: WallState, words: Words) -> View:
    members = state.agents_in(group)
    return {
        "state": str(group),
        "word": words.t(f"state.agent.{group}"),
        "count": len(members),
        "people": [
            {
                "name": member.name,
                "reason": words.reason(member.reason) if member.reason and group is AgentState.AWAY else "",
                "since_ms": member.since_ms,
            }
            for member in members
        ],
    }


def _wait(longest: WaitingFacts | None, now_ms: int, words: Words, queue: str = "") -> View:
    """The level and the text are for the first paint; the browser goes on from the instant."""
    line = alarms.wait_target(
        words.plan, longest.queue if longest else queue, longest.tier if longest else ""
    )
    told = {"limit_ms": round(line.limit), "calm_ms": round(line.calm)}
    if longest is None or longest.longest_queued_ms is None:
        return {**told, "since_ms": None, "state": "off", "text": "–"}
    waited_ms = now_ms - longest.longest_queued_ms
    return {
        **told,
        "since_ms": longest.longest_queued_ms,
        "state": line.state(waited_ms),
        "text": face(waited_ms),
    }


def _furthest(waiting: Iterable[WaitingFacts], state: WallState, words: Words) -> WaitingFacts | None:
    """Past its own target, or nearest to it."""
    plan = words.plan
    return furthest(waiting, state.now_ms, lambda each: alarms.wait_target(plan, each.queue, each.tier))


def _count(agents: Iterable[WallAgent], *states: AgentState) -> int:
    return sum(agent.state in states for agent in agents)
