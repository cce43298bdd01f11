"""Account managers: who of a customer's ranked managers, or whose cover, is there for him now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from queues.domain.plan import Plan

WAIT_MS_DEFAULT: Final = 20_000
WAIT_MS_MAX: Final = 600_000
MANAGERS_MAX: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """One of a customer's managers: how long a caller waits for him alone, since when and by whose word."""

    agent_id: str
    wait_ms: int = WAIT_MS_DEFAULT
    since_ms: int | None = None
    origin: str = ""
    account_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Away from one instant up to another; `cover` answers for his customers meanwhile."""

    leave_id: str = ""
    agent_id: str
    from_ms: int
    until_ms: int
    cover: str = ""
    account_id: str = ""

    def covers(self, now_ms: int) -> bool:
        return self.from_ms <= now_ms < self.until_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """Who looks after a customer now: one of his managers, or the cover of `stands_in_for`."""

    agent_id: str
    wait_ms: int = WAIT_MS_DEFAULT
    stands_in_for: str = ""


def effective_manager(
    managers: Sequence[Appointment], leaves: Iterable[Leave], now_ms: int
) -> Manager | None:
    """The first in rank who is there, or whose cover is; None when nobody is."""
    return next(effective_managers(managers, leaves, now_ms), None)


def effective_managers(
    managers: Sequence[Appointment], leaves: Iterable[Leave], now_ms: int
) -> Iterator[Manager]:
    """In rank, each in person or his cover; whoever is away without a cover is left out, nobody is told twice."""
    away = {leave.agent_id: leave for leave in leaves if leave.covers(now_ms)}
    told: set[str] = set()
    for manager in managers:
        leave = away.get(manager.agent_id)
        there = manager.agent_id if leave is None else leave.cover
        if not there or there in away or there in told:
            continue
        told.add(there)
        stands_in_for = "" if leave is None else manager.agent_id
        yield Manager(agent_id=there, wait_ms=manager.wait_ms, stands_in_for=stands_in_for)


def live_person(name: str, leaves: Iterable[Leave], now_ms: int) -> dict[str, Any]:
    """What the live store needs of an agent: what he is called, and his leaves that are not over."""
    ahead = sorted((leave for leave in leaves if leave.until_ms > now_ms), key=lambda leave: leave.from_ms)
    return {
        "name": name,
        "leaves": [
            {"from_ms": leave.from_ms, "until_ms": leave.until_ms, "cover": leave.cover} for leave in ahead
        ],
    }


def managers_fault(managers: Sequence[Appointment], known: Mapping[str, str]) -> str:
    """What is wrong with this list; empty when nothing is. `known` are the agents there are."""
    agents = [manager.agent_id for manager in managers]
    if len(agents) > MANAGERS_MAX:
        return "too_many"
    if len(set(agents)) < len(agents):
        return "twice"
    if any(agent_id not in known for agent_id in agents):
        return "unknown_agent"
    if any(not 0 < manager.wait_ms <= WAIT_MS_MAX for manager in managers):
        return "bad_wait"
    return ""


def leave_fault(leave: Leave, known: Mapping[str, str], others: Iterable[Leave]) -> str:
    """What is wrong with this leave; empty when nothing is. `others` are the agent's other leaves."""
    if leave.agent_id not in known or (leave.cover and leave.cover not in known):
        return "unknown_agent"
    if leave.cover == leave.agent_id:
        return "own_cover"
    if leave.until_ms <= leave.from_ms:
        return "no_time"
    if any(leave.from_ms < other.until_ms and other.from_ms < leave.until_ms for other in others):
        return "overlaps"
    return ""


def is_managed(plan: Plan, tier: str) -> bool:
    """Customers of this tier are to have an account manager."""
    return tier in plan.managed
