"""The rules of commands that put a caller through: each changes a draft and replies, or replies why it does not.

What must hold: the caller keeps his place, his tier and his matter; he is with one agent at any moment, and who
hands him over has his wrap-up and is not asked about him again for a while.
"""

from typing import Any

from queues.domain import commands as c
from queues.domain.agents import AgentState
from queues.domain.calls import Call, CallEvent, CallState
from queues.domain.journal import LineType
from queues.domain.lanes import TRANSFERRED, Skip, with_skip
from queues.domain.moves import Draft, Reply, about, json_of, refuse


def transfer_call(draft: Draft, command: c.TransferCall) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or not _talks_with(call, command.agent_id) or call.callback:
        return _refuse(draft, call, command.agent_id)
    draft.end_agent_leg(call, is_there=True)
    skip = Skip(command.now_ms + command.skip_ms, TRANSFERRED, command.agent_id)
    changed: dict[str, Any] = {
        "queue": command.queue,
        "lane_id": command.lane_id,
        "lane": command.lane,
        "position": 0,
        "named": command.named,
    }
    skips = with_skip(call.skips, skip, command.now_ms)
    ids: dict[str, Any] = {"call_id": call.call_id, "agent_id": call.agent_id, "offer_id": call.offer_id}
    call = _wait_again(draft, draft.change_call(call, **changed, skips=skips))
    draft.line(
        LineType.CALL_TRANSFERRED,
        **ids,
        queue=call.queue,
        tier=call.tier,
        matter=call.matter,
        lane=call.lane_id,
        head_start_ms=command.head_start_ms,
        queued_ms=call.queued_ms,
        named=call.named,
        skips=call.skips,
        rules=json_of(call.lane),
    )
    draft.start_wrap_up(draft.state.agents[command.agent_id], command.wrap_up_ms)
    return about("ok", call)


def _talks_with(call: Call, agent_id: str) -> bool:
    return call.state is CallState.CONNECTED and call.agent_id == agent_id


def _refuse(draft: Draft, call: Call | None, agent_id: str) -> Reply:
    """Who has just handed him over hears `again`; anybody else how the call stands."""
    agent = draft.state.agents.get(agent_id)
    is_done = call is not None and call.state is not CallState.ENDED and agent is not None
    if is_done and (agent.state, agent.call_id) == (AgentState.WRAP_UP, call.call_id):  # type: ignore[union-attr]
        return about("again", call)
    return refuse(call)


def _wait_again(draft: Draft, call: Call) -> Call:
    """Among the waiting, at the place he has."""
    call = draft.change_call(
        call,
        CallEvent.TRANSFER,
        offer_id="",
        agent_id="",
        room="",
        connected_ms=None,
        waits_ms=draft.now_ms,
    )
    draft.state.live[call.call_id] = draft.now_ms
    draft.enter_lane(call)
    return call
