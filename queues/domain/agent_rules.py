"""The rules of commands about an agent: each changes a draft and replies, or replies why it does not."""

from dataclasses import replace
from typing import Any

from queues.domain import agents
from queues.domain import commands as c
from queues.domain.agents import AT_WORK, Agent, AgentEvent, AgentId, AgentState
from queues.domain.journal import LineType
from queues.domain.live_rules import with_lent
from queues.domain.moves import Draft, Reply


def sign_in(draft: Draft, command: c.SignIn) -> Reply:
    agent = draft.state.agents.get(command.agent_id)
    draft.state.beats[command.agent_id] = command.now_ms
    about: dict[str, Any] = {"name": command.name, "own": command.skills, "endpoint": command.endpoint}
    if agent and agent.state is not AgentState.SIGNED_OUT:
        still = "" if agent.next == AgentState.SIGNED_OUT else agent.next
        skills = with_lent(command.skills, agent.lent)
        draft.change_agent(agent, next=still, skills=skills, **about)
        draft.state.turn += int(agent.state is AgentState.READY and agent.skills != skills)
        if agent.skills != skills:
            draft.line(LineType.AGENT_SKILLS_CHANGED, agent_id=command.agent_id, skills=skills)
        return ("again",)
    draft.state.turns += 1
    new = Agent(
        turn=draft.state.turns,
        agent_id=AgentId(command.agent_id),
        state=AgentState.SIGNED_OUT,
        since_ms=command.now_ms,
        idle_ms=command.now_ms,
        skills=command.skills,
        **about,
    )
    draft.change_agent(new, AgentEvent.SIGN_IN, reason=agents.SIGNED_IN)
    draft.line(
        LineType.AGENT_SIGNED_IN, agent_id=command.agent_id, skills=command.skills, turn=draft.state.turns
    )
    draft.tell_presence(command.agent_id)
    return ("ok",)


def set_presence(draft: Draft, command: c.SetPresence) -> Reply:
    agent = draft.state.agents.get(command.agent_id)
    if agent is None or agent.state is AgentState.SIGNED_OUT:
        return ("gone",)
    if agent.state in AT_WORK:
        return _remember(draft, agent, agents.wish(command.presence, command.reason))
    reason = command.reason if command.presence == AgentState.AWAY else ""
    if (agent.state, agent.reason) == (command.presence, reason):
        return ("again",)
    idle_ms = command.now_ms if agent.state is AgentState.AWAY else agent.idle_ms
    draft.set_presence(replace(agent, idle_ms=idle_ms, missed=0), command.presence, reason)
    return ("ok",)


def _remember(draft: Draft, agent: Agent, wished: str) -> Reply:
    wished = "" if wished == AgentState.READY else wished
    if agent.next == wished:
        return ("again",)
    draft.change_agent(agent, next=wished)
    draft.tell_presence(agent.agent_id)
    return ("later",)


def beat(draft: Draft, command: c.Beat) -> Reply:
    agent = draft.state.agents.get(command.agent_id)
    if agent is None or agent.state is AgentState.SIGNED_OUT:
        return ("gone",)
    draft.state.beats[command.agent_id] = command.now_ms
    return ("ok",)


def lose_agent(draft: Draft, command: c.LoseAgent) -> Reply:
    agent = draft.state.agents.get(command.agent_id)
    if agent is None or agent.state is AgentState.SIGNED_OUT:
        return ("gone",)
    silent_since = command.now_ms - command.silent_ms
    heard_ms = draft.state.beats.get(command.agent_id)
    if heard_ms is None or heard_ms > silent_since or max(draft.state.beats.values()) <= silent_since:
        return ("again",)
    del draft.state.beats[command.agent_id]
    if agent.state is AgentState.OFFERED:
        call = draft.withdraw_offer(draft.state.offers[agent.offer_id], agents.LOST)
        draft.requeue(call, agents.LOST)
        draft.release(agent, rest=agents.LOST)
    elif agent.state not in AT_WORK:
        draft.set_presence(agent, AgentState.AWAY, agents.LOST)
    elif agent.next != AgentState.SIGNED_OUT:
        draft.change_agent(agent, next=f"{AgentState.AWAY}:{agents.LOST}")
        draft.tell_presence(agent.agent_id)
    return ("ok",)


def extend_wrap_up(draft: Draft, command: c.ExtendWrapUp) -> Reply:
    agent = draft.state.agents.get(command.agent_id)
    if agent is None or agent.state is not AgentState.WRAP_UP:
        return (f"stale:{agent.state}",) if agent else ("gone",)
    if agent.is_extended:
        return ("again",)
    until_ms = (agent.wrap_up_until_ms or 0) + command.by_ms
    draft.change_agent(agent, wrap_up_until_ms=until_ms, is_extended=True)
    draft.state.deadlines[f"wrap_up:{agent.agent_id}"] = until_ms
    draft.line(
        LineType.AGENT_WRAP_UP_EXTENDED, call_id=agent.call_id, agent_id=agent.agent_id, until_ms=until_ms
    )
    return ("ok",)


def close_wrap_up(draft: Draft, command: c.CloseWrapUp) -> Reply:
    agent = draft.state.agents.get(command.agent_id)
    if agent is None or agent.state is not AgentState.WRAP_UP:
        return (f"stale:{agent.state}",) if agent else ("gone",)
    if command.by == "deadline" and draft.is_early(f"wrap_up:{agent.agent_id}"):
        return ("early",)
    draft.line(
        LineType.AGENT_WRAP_UP_CLOSED,
        call_id=agent.call_id,
        agent_id=agent.agent_id,
        disposition=command.disposition,
        by=command.by,
        wrap_up_ms=command.now_ms - agent.since_ms,
    )
    draft.release(agent, idle_ms=command.now_ms)
    return ("ok",)
