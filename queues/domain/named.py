"""Named people: whom a caller is offered to before anybody else, and how long the others hold back for them.

The live store knows who knows a caller: his account managers in rank (each in person, or his cover), who owns his
open ticket, who talked with him last. The site's words say which of them count, and for how long the others hold
back: at most three, each for a while of his own, and all together no longer than TOGETHER_MS_MAX. Whoever is never
to meet this caller is not among them. A matter of safety waits for nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from queues.domain.plan import Plan

MANAGER, FIRST_CONTACT, LAST_AGENT = "manager", "first_contact", "last_agent"
TRANSFER: Final = "transfer"  # a colleague has put the caller through to him; no rule of the site says so
RING_BACK: Final = "ring_back"  # he wants to talk to a caller who gave up
NAMED_MAX: Final = 3
TOGETHER_MS_MAX: Final = 45_000
WITHHELD: Final = "withheld"  # the caller_ref of everybody who shows no number


class Known(NamedTuple):
    """Somebody who knows the caller. Stored one a line: `why wait_ms at_ms agent`; 0 = the site's wait, no instant."""

    why: str
    wait_ms: int
    at_ms: int
    agent_id: str


class Named(NamedTuple):
    """Somebody the caller is offered to first. Stored one a line: `why wait_ms agent`."""

    why: str
    wait_ms: int
    agent_id: str


def write_lines(each: Iterable[Known | Named]) -> str:
    return "\n".join(" ".join(map(str, line)) for line in each)


def parse_known(text: str) -> tuple[Known, ...]:
    parts = (line.split(" ", 3) for line in text.splitlines())
    return tuple(Known(why, int(wait_ms), int(at_ms), agent_id) for why, wait_ms, at_ms, agent_id in parts)


def parse_named(text: str) -> tuple[Named, ...]:
    parts = (line.split(" ", 2) for line in text.splitlines())
    return tuple(Named(why, int(wait_ms), agent_id) for why, wait_ms, agent_id in parts)


def parse_never(text: str) -> frozenset[str]:
    """Whom a call never goes to. Stored in order, joined by commas."""
    return frozenset(text.split(",")) if text else frozenset()


def never_of(file: Mapping[str, Any]) -> str:
    """The same of a customer's file."""
    return ",".join(sorted(file.get("never") or ()))


def ref_of(customer_id: str, caller_ref: str) -> str:
    """By whom the live store remembers a caller: his customer, else his number's ref; empty: nobody to remember."""
    return customer_id or ("" if caller_ref == WITHHELD else caller_ref)


def named_for(
    plan: Plan,
    *,
    queue: str,
    tier: str,
    is_safety: bool,
    known: Iterable[Known],
    never: frozenset[str],
    now_ms: int,
) -> tuple[Named, ...]:
    """Whom a call of this tier is offered to first in this queue, by the words of the site."""
    if is_safety:
        return ()
    found: dict[str, Named] = {}
    left_ms = TOGETHER_MS_MAX
    for named in sorted(_wanted(plan, queue, tier, known, now_ms), key=lambda each: _ORDER.index(each.why)):
        if named.agent_id in found or named.agent_id in never or len(found) >= NAMED_MAX:
            continue
        found[named.agent_id] = named._replace(wait_ms=min(named.wait_ms, left_ms))
        left_ms -= found[named.agent_id].wait_ms
    return tuple(found.values())


_ORDER: Final = (MANAGER, FIRST_CONTACT, LAST_AGENT)


def _wanted(plan: Plan, queue: str, tier: str, known: Iterable[Known], now_ms: int) -> Iterator[Named]:
    for each in known:
        rule = plan.affinity.rule(each.why)
        if rule is None or (rule.queues and queue not in rule.queues):
            continue
        if each.why == MANAGER and tier not in (plan.affinity.manager_tiers or plan.managed):
            continue
        if each.why == LAST_AGENT and now_ms - each.at_ms > plan.affinity.last_agent_within_ms:
            continue
        yield Named(each.why, each.wait_ms or rule.wait_ms, each.agent_id)
