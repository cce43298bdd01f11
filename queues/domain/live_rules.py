"""The rules of what supervisors change while people wait: one call, one agent, one queue; each tells the journal.

A call that is moved to another queue, or raised in tier, changes its lane and nothing else: `queued_ms` is kept, and
the journal has both keys. Whoever is raised by hand is exempt from the bound of passing, and his lane says so. An
agent who is lent to a queue has its skills beside his own until he signs out or is taken back. A queue that is closed
by hand takes no new callers; `leads` says whether those who wait are led to where the new ones go, and then whoever
is to be called back rests until it is open again. What comes too late is answered in words and changes nothing.
"""

import json
from typing import Any

from queues.domain import commands as c
from queues.domain.agents import Agent, AgentState
from queues.domain.callback_rules import move_promise, rest_closed, wake_closed
from queues.domain.calls import Call, CallState
from queues.domain.journal import LineType
from queues.domain.lanes import Lane
from queues.domain.moves import Draft, Reply, about, refuse


def relane_call(draft: Draft, command: c.RelaneCall) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or call.state is not CallState.QUEUED:
        return refuse(call)
    if call.lane_id == command.lane_id:
        return about("again", call)
    if call.lane_id != command.from_lane_id:
        return about("stale:lane", call)
    before, after = Lane.from_json(call.lane), Lane.from_json(command.lane)
    if call.has_promise and after.queue != call.queue and not move_promise(draft, call, after.queue):
        return about("stale:promised", call)
    draft.leave_lane(call)
    changed = draft.change_call(
        call,
        queue=after.queue,
        lane_id=command.lane_id,
        lane=command.lane,
        position=call.position if after.queue == before.queue else 0,
        told=call.told if after.queue == before.queue else "",
    )
    changed = draft.refresh_never(changed)
    draft.enter_lane(changed)
    draft.line(
        LineType.CALL_RAISED if command.is_raised else LineType.CALL_MOVED,
        call_id=call.call_id,
        **_told(call, before, after, command),
        never=changed.never,
    )
    return about("ok", changed)


def _told(call: Call, before: Lane, after: Lane, command: c.RelaneCall) -> dict[str, Any]:
    queued_ms = call.queued_ms or 0
    return {
        "from_queue": before.queue,
        "queue": after.queue,
        "from_tier": before.tier,
        "tier": after.tier,
        "from_key": queued_ms - before.head_start_ms,
        "key": queued_ms - after.head_start_ms,
        "queued_ms": queued_ms,
        "lane": command.lane_id,
        "rules": json.loads(command.lane),
        "by": command.by,
    }


# Agents lent to a queue. `lent` has one queue a line: its name, then its skills.


def parse_lent(text: str) -> dict[str, str]:
    """The skills that were lent, by queue."""
    return dict(line.split(" ", 1) for line in text.splitlines())


def with_lent(own: str, lent: str) -> str:
    """An agent's own skills and those of the queues he is lent to: sorted, joined by commas."""
    both = {skill for text in (own, *parse_lent(lent).values()) for skill in text.split(",") if skill}
    return ",".join(sorted(both))


def lend_agent(draft: Draft, command: c.LendAgent) -> Reply:
    agent = draft.state.agents.get(command.agent_id)
    if agent is None or agent.state is AgentState.SIGNED_OUT:
        return ("gone",)
    lent = parse_lent(agent.lent)
    if lent.get(command.queue) == command.skills:
        return ("again",)
    _relend(draft, agent, {**lent, command.queue: command.skills})
    _tell_lent(draft, LineType.AGENT_LENT, command)
    return ("ok",)


def take_back_agent(draft: Draft, command: c.TakeBackAgent) -> Reply:
    agent = draft.state.agents.get(command.agent_id)
    if agent is None or agent.state is AgentState.SIGNED_OUT:
        return ("gone",)
    lent = parse_lent(agent.lent)
    if command.queue not in lent:
        return ("again",)
    _relend(draft, agent, {queue: skills for queue, skills in lent.items() if queue != command.queue})
    _tell_lent(draft, LineType.AGENT_TAKEN_BACK, command)
    return ("ok",)


def _relend(draft: Draft, agent: Agent, lent: dict[str, str]) -> None:
    text = "\n".join(f"{queue} {lent[queue]}" for queue in sorted(lent))
    own = agent.own or ("" if agent.lent else agent.skills)  # of a shift that began before this was kept
    skills = with_lent(own, text)
    draft.change_agent(agent, own=own, lent=text, skills=skills)
    draft.state.turn += int(agent.state is AgentState.READY and agent.skills != skills)


def _tell_lent(draft: Draft, type_: LineType, command: c.LendAgent | c.TakeBackAgent) -> None:
    skills = draft.state.agents[command.agent_id].skills
    draft.line(type_, agent_id=command.agent_id, queue=command.queue, skills=skills, by=command.by)


# Queues


def close_queue(draft: Draft, command: c.CloseQueue) -> Reply:
    text = json.dumps(
        {"by": command.by, "at_ms": command.now_ms, "leads": int(command.leads)}, separators=(",", ":")
    )
    was = draft.state.closed_queues.get(command.queue)
    if was is not None and json.loads(was)["leads"] == int(command.leads):
        return ("again",)
    draft.state.closed_queues[command.queue] = text
    draft.line(LineType.QUEUE_CLOSED, queue=command.queue, leads=int(command.leads), by=command.by)
    if command.leads:
        rest_closed(draft, command.queue)
    else:
        wake_closed(draft, command.queue)
    return ("ok",)


def open_queue(draft: Draft, command: c.OpenQueue) -> Reply:
    if draft.state.closed_queues.pop(command.queue, None) is None:
        return ("again",)
    draft.line(LineType.QUEUE_OPENED, queue=command.queue, by=command.by)
    wake_closed(draft, command.queue)
    return ("ok",)
