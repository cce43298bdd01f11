"""What the wallboard shows, as one value in one reader's words.

A level is `good`, `near`, `past` or `off` (nothing to judge), and is shown by a word and a shape beside its
colour. How long somebody waits is told as an instant with its limit: it goes from good to past while
nothing arrives.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from queues.domain.agent_time import STATES, AgentTime
from queues.domain.agents import AgentState
from queues.domain.plan import Queue
from queues.service.calls import Figures, QueueFigures
from queues.service.switchboard import WaitingFacts, WallAgent, WallState
from queues.web.times import face
from queues.web.words import Words

View = dict[str, Any]

# The share to be answered within the queue's time, and the share of abandoned calls that is too many.
LEVEL_TARGET = 0.80
LEVEL_NEAR = 0.75
ABANDONED_NEAR = 0.03
ABANDONED_PAST = 0.05
WAIT_NEAR = 0.75  # of the queue's time; wall.js has the same

GROUPS = (
    AgentState.READY,
    AgentState.OFFERED,
    AgentState.CONNECTING,
    AgentState.CONNECTED,
    AgentState.WRAP_UP,
    AgentState.AWAY,
)
_NOTHING = QueueFigures()


def wall_view(state: WallState, figures: Figures, skills: Mapping[str, Sequence[str]], words: Words) -> View:
    queues = [_queue(queue, state, figures, skills, words) for queue in words.plan.queues.values()]
    return {
        "now_ms": state.now_ms,
        "marks": {level: words.t(f"state.level.{level}") for level in ("good", "near", "past", "off")},
        "top": _top(state, figures, words),
        "queues": queues,
        "agents": [_group(group, state, words) for group in GROUPS],
        "is_empty": figures.arrived == 0 and not state.waiting,
        "formula": words.t("wall.formula", share=round(LEVEL_TARGET * 100)),
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


def _top(state: WallState, figures: Figures, words: Words) -> View:
    """The longest wait is judged by the queue it is in: the one nearest to, or furthest past, its limit."""
    waits = [
        (each, _limit(words.plan.queues.get(each.queue))) for each in state.waiting if each.longest_queued_ms
    ]
    worst = max(waits, key=lambda wait: state.now_ms - (wait[0].longest_queued_ms or 0), default=None)
    return {
        "waiting": sum(each.waiting for each in state.waiting),
        "longest": _wait(
            worst[0].longest_queued_ms if worst else None, worst[1] if worst else 0, state.now_ms
        ),
        "service_level": _level(figures.service_level),
        "abandoned": _abandoned(figures),
    }


def _queue(
    queue: Queue, state: WallState, figures: Figures, skills: Mapping[str, Sequence[str]], words: Words
) -> View:
    mine = [each for each in state.waiting if each.queue == queue.id]
    waiting, callbacks = [each for each in mine if each.waiting], sum(each.callbacks for each in mine)
    instants = [each.longest_queued_ms for each in waiting if each.longest_queued_ms is not None]
    own = [agent for agent in state.agents if set(queue.needs) <= set(skills.get(agent.agent_id, ()))]
    told = figures.by_queue.get(queue.id, _NOTHING)
    target = words.t("wall.target_is", seconds=queue.answer_within_ms // 1000)
    return {
        "id": queue.id,
        "word": words.queue(queue.id),
        "waiting": sum(each.waiting for each in waiting),
        "callbacks": words.t("wall.callbacks", count=callbacks) if callbacks else "",
        "tiers": _tiers(waiting, words),
        "longest": _wait(min(instants, default=None), queue.answer_within_ms, state.now_ms),
        "ready": _count(own, AgentState.READY),
        "talking": _count(own, AgentState.OFFERED, AgentState.CONNECTING, AgentState.CONNECTED),
        "wrap_up": _count(own, AgentState.WRAP_UP),
        "away": _count(own, AgentState.AWAY),
        "answered": told.answered,
        "abandoned": told.abandoned,
        "service_level": _level(told.service_level),
        "target": target,
    }


def _tiers(waiting: Iterable[WaitingFacts], words: Words) -> list[View]:
    found = [
        {
            "word": words.tier(each.tier),
            "rank": words.rank(each.tier),
            "waiting": each.waiting,
            "since_ms": each.longest_queued_ms,
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


def _wait(since_ms: int | None, limit_ms: int, now_ms: int) -> View:
    """The level and the text are for the first paint; the browser goes on from the instant."""
    if since_ms is None:
        return {"since_ms": None, "limit_ms": limit_ms, "state": "off", "text": "–"}
    waited_ms = now_ms - since_ms
    state = "past" if waited_ms > limit_ms else "near" if waited_ms > WAIT_NEAR * limit_ms else "good"
    return {"since_ms": since_ms, "limit_ms": limit_ms, "state": state, "text": face(waited_ms)}


def _level(share: float | None) -> View:
    if share is None:
        return {"state": "off", "text": "–"}
    state = "good" if share >= LEVEL_TARGET else "near" if share >= LEVEL_NEAR else "past"
    return {"state": state, "text": f"{share * 100:.0f}%"}


def _abandoned(figures: QueueFigures) -> View:
    share = figures.abandon_share
    if share is None:
        return {"state": "off", "text": "–"}
    state = "past" if share > ABANDONED_PAST else "near" if share > ABANDONED_NEAR else "good"
    return {"state": state, "text": f"{share * 100:.1f}%"}


def _count(agents: Iterable[WallAgent], *states: AgentState) -> int:
    return sum(agent.state in states for agent in agents)


def _limit(queue: Queue | None) -> int:
    return queue.answer_within_ms if queue else 0
