"""What the page of the queues shows, as one value in one reader's words: who waits, in the order they are served.

The order of a queue is that of its keys over all its lanes, as the next decision would compare them; each call says
in a few words why it stands where it stands. Ages tick in the browser.
"""

from collections.abc import Mapping
from typing import Any, Final

from queues.domain.agents import AgentState
from queues.domain.explanation import Place, rank_at
from queues.domain.lanes import Class
from queues.domain.plan import Plan, Queue
from queues.domain.routing import widen
from queues.service.queue_board import HEADS_SHOWN, Closing, QueueAgent, QueueBoard, WaitingCall
from queues.web.times import face, time_of_day
from queues.web.words import Words

View = dict[str, Any]
_RULES: Final = {Class.SAFETY: "safety", Class.PAST_CEILING: "ceiling"}


def queues_view(board: QueueBoard, names: Mapping[str, str], words: Words) -> View:
    """`names` gives accounts their names: who closed a queue."""
    return {
        "now_ms": board.now_ms,
        "queues": [_queue(queue, board, names, words) for queue in words.plan.queues.values()],
        "waiting": sum(board.counts.values()),
        "closed": len(board.closed),
    }


def _queue(queue: Queue, board: QueueBoard, names: Mapping[str, str], words: Words) -> View:
    ordered = in_order(words.plan, queue.id, board)
    shown = ordered[:HEADS_SHOWN]
    more = board.in_lanes.get(queue.id, 0) - len(shown)
    return {
        "id": queue.id,
        "word": words.queue(queue.id),
        **_counts(queue, board, words),
        "more": words.t("queues.more", n=more) if more > 0 else "",
        "calls": [_call(place, each, board.now_ms, words) for place, each in enumerate(shown, 1)],
        "agents": [_agent(each, queue, words) for each in board.agents if _serves(each, queue)],
        **_state(queue, board, names, words),
    }


def _counts(queue: Queue, board: QueueBoard, words: Words) -> View:
    """Those on the line, and beside them those to be called back, as the wallboard counts them."""
    count, callbacks = board.counts.get(queue.id, 0), board.callbacks.get(queue.id, 0)
    return {
        "count": count,
        "count_word": words.t("queues.waiting", n=count) if count else words.t("queues.nobody"),
        "callbacks": words.t("wall.callbacks", count=callbacks) if callbacks else "",
    }


def in_order(plan: Plan, queue: str, board: QueueBoard) -> list[WaitingCall]:
    """Those who wait in this queue, as the next decision would compare them."""
    own = [each for each in board.waiting if each.lane.queue == queue]
    return sorted(own, key=lambda each: (rank_at(_place(each), board.now_ms, plan)[:2], each.arrival))


def _place(call: WaitingCall) -> Place:
    return Place(call.queued_ms, call.lane, call.queued_ms)


def _call(place: int, call: WaitingCall, now_ms: int, words: Words) -> View:
    ticket = call.ticket_no
    return {
        "place": place,
        "call_id": call.call_id,
        "choice": f"{call.call_id}~{call.lane_id}",
        "href": f"/calls/{call.call_id}",
        "customer": call.customer_name or words.t("calls.unknown"),
        "tier": words.tier(call.lane.tier),
        "rank": words.rank(call.lane.tier),
        "matter": words.matter(call.matter),
        "ticket_no": ticket,
        "mark": words.t("queues.to_call_back") if call.is_to_call_back else "",
        "since_ms": call.queued_ms,
        "why": _why(call, now_ms, words),
    }


def _why(call: WaitingCall, now_ms: int, words: Words) -> str:
    """Why it stands there: the rule, or the key and what it is made of; whom else it waits for."""
    plan, zone = words.plan, words.plan.timezone
    own = rank_at(_place(call), now_ms, plan)
    came = time_of_day(call.queued_ms, zone)
    rule = _RULES.get(own.rank_class)
    if rule:
        told = [words.t(f"queues.why.{rule}", came=came)]
    elif call.queued_ms == own.key:
        told = [words.t("queues.why.came", came=came)]
    else:
        values = {
            "came": came,
            "key": time_of_day(own.key, zone),
            "head_start": face(call.queued_ms - own.key),
        }
        told = [words.t("queues.why.key", **values)]
    if call.lane.is_raised:
        told.append(words.t("queues.why.raised", tier=words.tier(call.tier)))
    width = widen(plan, call.lane, now_ms - call.queued_ms)
    if reached := width.queues[1:]:
        to = words.t("why.comma").join(words.queue(each) for each in reached)
        told.append(words.t("queues.why.front" if width.is_front else "queues.why.widened", queues=to))
    return words.t("queues.why.joined").join(told)


def _serves(agent: QueueAgent, queue: Queue) -> bool:
    return set(queue.needs) <= agent.skills and agent.state is not AgentState.SIGNED_OUT


def _agent(agent: QueueAgent, queue: Queue, words: Words) -> View:
    is_lent = queue.id in agent.lent
    return {
        "agent_id": agent.agent_id,
        "name": agent.name or agent.agent_id,
        "state": str(agent.state),
        "state_word": words.t(f"state.agent.{agent.state}"),
        "is_lent": is_lent,
        "lent_word": words.t("queues.lent") if is_lent else "",
    }


def _state(queue: Queue, board: QueueBoard, names: Mapping[str, str], words: Words) -> View:
    closing = board.closed.get(queue.id)
    in_hours = words.plan.is_open(queue.calendar, board.now_ms)
    state = "closed" if closing else "open" if in_hours else "out_of_hours"
    return {
        "state": state,
        "state_word": _state_word(closing, names, words) if closing else words.t(f"queues.state.{state}"),
        "mark": {"open": "good", "closed": "past"}.get(state, "off"),
        "may_close": queue.closed is not None,
    }


def _state_word(closing: Closing, names: Mapping[str, str], words: Words) -> str:
    who, at = names.get(closing.by, closing.by), time_of_day(closing.at_ms, words.plan.timezone)
    return words.t("queues.state.led_out" if closing.leads else "queues.state.closed", who=who, at=at)


def choices(board: QueueBoard, words: Words) -> View:
    """What the forms choose from."""
    return {
        "queues": [{"id": each, "word": words.queue(each)} for each in words.plan.queues],
        "tiers": [{"id": each, "word": words.tier(each)} for each in words.plan.tiers],
        "agents": [
            {"id": each.agent_id, "word": each.name or each.agent_id}
            for each in board.agents
            if each.state is not AgentState.SIGNED_OUT
        ],
    }
