"""What supervisors change while people wait: each change is one command, and one row of the audit with its reason.

The reason goes to the audit alone: it may name people, and the journal never does. What the moment refuses is
answered by a word, and nothing is changed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from config.runtime import Runtime
from queues.domain.lanes import Lane
from queues.domain.plan import Plan
from queues.service import audits, closings
from queues.service.plans import plan_of
from queues.service.switchboard import Switchboard

REASON_LENGTH_MAX: Final = 200
NO_REASON, NO_QUEUE, NO_TIER, NOT_HIGHER, NO_CLOSED_NODE, HAS_SKILLS, NOT_WAITING, CLOSED_QUEUE = (
    "no_reason", "no_queue", "no_tier", "not_higher", "no_closed_node", "has_skills", "not_waiting", "closed_queue",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LiveChanges:
    """One supervisor's hand on the switchboard; every method gives the word it was answered with."""

    runtime: Runtime
    switchboard: Switchboard
    account_id: str

    @property
    def plan(self) -> Plan:
        return plan_of(self.runtime)

    async def move_call(self, call_id: str, from_lane_id: str, queue: str, reason: str) -> str:
        """ok | again | gone | stale:<state> | no_queue | closed_queue | no_reason: into another, at its place."""
        if queue not in self.plan.queues:
            return NO_QUEUE
        if queue in (await self.switchboard.queue_board()).closed:
            return CLOSED_QUEUE
        lane = await self._lane(call_id, from_lane_id, queue=queue)
        return await self._relane(call_id, from_lane_id, lane, reason)

    async def raise_call(self, call_id: str, from_lane_id: str, tier: str, reason: str) -> str:
        """The same for one call's tier, which must be a higher one: also no_tier, not_higher."""
        if tier not in self.plan.tiers:
            return NO_TIER
        served_as = self.plan.tiers.get(_tier_in(from_lane_id))
        if served_as is not None and self.plan.tiers[tier].rank >= served_as.rank:
            return NOT_HIGHER
        lane = await self._lane(call_id, from_lane_id, tier=tier)
        return await self._relane(
            call_id, from_lane_id, replace(lane, is_raised=True) if lane else None, reason
        )

    async def _lane(self, call_id: str, from_lane_id: str, *, queue: str = "", tier: str = "") -> Lane | None:
        """Where it would wait; None when it does not wait any more."""
        call = await self.switchboard.read_call(call_id=call_id)
        if call is None or not call.queue:
            return None
        plan, to = self.plan, queue or call.queue
        served_as = tier or _tier_in(from_lane_id)
        if served_as not in plan.tiers:
            served_as = plan.default_tier
        matter = plan.matters.get(call.matter)
        return Lane(
            queue=to,
            tier=served_as,
            needs=plan.needs(to, call.locale) if to in plan.queues else (),
            head_start_ms=plan.head_start_ms(served_as, call.matter),
            is_safety=matter is not None and matter.is_safety,
            is_raised=_is_raised(from_lane_id),
        )

    async def _relane(self, call_id: str, from_lane_id: str, lane: Lane | None, reason: str) -> str:
        if not reason:
            return NO_REASON
        if lane is None:
            return NOT_WAITING
        was_raised = _is_raised(from_lane_id)
        is_raise = lane.is_raised and (not was_raised or lane.tier != _tier_in(from_lane_id))
        reply = await self.switchboard.relane_call(
            call_id=call_id, from_lane_id=from_lane_id, lane=lane, is_raised=is_raise, by=self.account_id
        )
        if reply.word == "ok":
            action = "call.raised" if is_raise else "call.moved"
            told = {"from": from_lane_id, "to": lane.lane_id, "reason": reason[:REASON_LENGTH_MAX]}
            await self._write_down(action, call_id, told)
        return reply.word

    async def lend_agent(self, agent_id: str, queue: str, reason: str) -> str:
        """ok | again | gone | no_queue | no_reason | has_skills: he answers this queue too, until he signs out."""
        known = self.plan.queues.get(queue)
        if known is None:
            return NO_QUEUE
        if not reason:
            return NO_REASON
        board = await self.switchboard.queue_board()
        agent = next((each for each in board.agents if each.agent_id == agent_id), None)
        if agent is not None and agent.skills >= set(known.needs) and queue not in agent.lent:
            return HAS_SKILLS
        word = await self.switchboard.lend_agent(
            agent_id=agent_id, queue=queue, skills=known.needs, by=self.account_id
        )
        if word == "ok":
            await self._write_down(
                "agent.lent", agent_id, {"queue": queue, "reason": reason[:REASON_LENGTH_MAX]}
            )
        return word

    async def take_back_agent(self, agent_id: str, queue: str) -> str:
        """ok | again | gone."""
        word = await self.switchboard.take_back_agent(agent_id=agent_id, queue=queue, by=self.account_id)
        if word == "ok":
            await self._write_down("agent.taken_back", agent_id, {"queue": queue})
        return word

    async def close_queue(self, queue: str, reason: str, *, leads: bool) -> str:
        """ok | again | no_queue | no_reason | no_closed_node (the site names no node for its callers)."""
        known = self.plan.queues.get(queue)
        if known is None:
            return NO_QUEUE
        if known.closed is None:
            return NO_CLOSED_NODE
        if not reason:
            return NO_REASON
        word = await self.switchboard.close_queue(queue=queue, leads=leads, by=self.account_id)
        if word == "ok":
            await closings.look(self.runtime)
            told = {"leads": leads, "reason": reason[:REASON_LENGTH_MAX]}
            await self._write_down("queue.closed", queue, told)
        return word

    async def open_queue(self, queue: str) -> str:
        """ok | again."""
        word = await self.switchboard.open_queue(queue=queue, by=self.account_id)
        if word == "ok":
            await closings.look(self.runtime)
            await self._write_down("queue.opened", queue, {})
        return word

    async def _write_down(self, action: str, subject: str, told: Mapping[str, object]) -> None:
        detail = json.dumps(told, ensure_ascii=False) if told else ""
        await audits.done(
            self.runtime, account_id=self.account_id, action=action, subject=subject, detail=detail
        )


def _tier_in(lane_id: str) -> str:
    return lane_id.split("|")[1] if "|" in lane_id else ""


def _is_raised(lane_id: str) -> bool:
    return "raised" in lane_id.split("|")[5:]


async def reasons_of(runtime: Runtime, call_id: str) -> dict[str, list[str]]:
    """Why this call was moved or raised, by the action, in the order it was done."""
    found: dict[str, list[str]] = {}
    for row in await audits.of_subject(runtime, call_id):
        if row["action"] in ("call.moved", "call.raised"):
            told = json.loads(row["detail"] or "{}")
            found.setdefault(row["action"], []).append(str(told.get("reason", "")))
    return found
