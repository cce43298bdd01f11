"""Tiers: where files stand by the site's rules, changes by hand with a second approval, and what became of them.

SQL first, then the live index: who dies between the two leaves a revision that the live index has not seen, and
the chore of the index finds it. A call keeps the tier it began with; the next one has the new tier.
"""

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config.runtime import Runtime
from queues.domain import tiers as rules
from queues.domain.customers import Customer
from queues.domain.tiers import Change, Standing, State, standing_of, values_of
from queues.service.customer_index import show_live
from queues.service.plans import plan_of
from queues.service.rescoring import RankingReport, Run, ranking_report, rescore, runs_of
from queues.service.standings import Cause, place_again
from queues.service.tickets import read_key
from queues.store import audits, customers, tiers
from queues.store.tiers import NamedStep, Reason, Step

BATCH: Final = 500

__all__ = [
    "Cause",
    "Change",
    "NamedStep",
    "RankingReport",
    "Reply",
    "Run",
    "Standing",
    "Step",
    "approve",
    "changes_in_force",
    "changes_of",
    "end_changes",
    "history_of",
    "key_of",
    "pending_changes",
    "ranking_report",
    "recent_history",
    "refuse",
    "request_change",
    "rescore",
    "runs_of",
    "special_care",
    "standing_now",
    "tier_counts",
    "withdraw",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """`ok`, or why not: unknown_customer unknown_tier no_reason long_reason past too_far pending unknown own
    others over stale:<state>."""

    word: str
    change: Change | None = None

    @property
    def is_ok(self) -> bool:
        return self.word == "ok"


async def standing_now(runtime: Runtime, customer: Customer) -> Standing:
    """Why this file stands where it stands, and where it would stand without a change by hand."""
    now_ms = runtime.clock.now_ms()
    async with runtime.database.read() as connection:
        manual = await tiers.manual_tiers(connection, [customer.customer_id], now_ms)
    return standing_of(plan_of(runtime), values_of(customer), manual.get(customer.customer_id), customer.band)


async def request_change(
    runtime: Runtime, *, customer_id: str, tier: str, reason: str, until: dt.date, by: str
) -> Reply:
    """Ask for a tier by hand, up to and with the day `until`; it counts once another account approves."""
    plan, now_ms, site = plan_of(runtime), runtime.clock.now_ms(), runtime.settings.site
    if fault := rules.request_fault(plan, tier, reason, until, now_ms):
        return Reply(word=fault)
    change = Change(
        change_id=secrets.token_hex(8),
        customer_id=customer_id,
        tier=tier,
        reason=reason.strip(),
        until_ms=rules.end_of(plan, until),
        state=State.PENDING,
        asked_by=by,
        asked_ms=now_ms,
    )
    async with runtime.database.transaction() as connection:
        if await customers.find(connection, customer_id, site) is None:
            return Reply(word="unknown_customer")
        pending = await tiers.changes_in(connection, site, State.PENDING, customer_id=customer_id)
        if pending:
            return Reply(word="pending", change=pending[0])
        await tiers.insert_change(connection, site, change)
        await _audit(connection, change, "requested", by, now_ms, {"until": until.isoformat()})
    return Reply(word="ok", change=change)


async def approve(runtime: Runtime, *, change_id: str, by: str, note: str = "") -> Reply:
    """Let the change count; an earlier one that is still in force ends here."""
    return await _decide(runtime, change_id, "approve", by, note)


async def refuse(runtime: Runtime, *, change_id: str, by: str, note: str = "") -> Reply:
    return await _decide(runtime, change_id, "refuse", by, note)


async def withdraw(runtime: Runtime, *, change_id: str, by: str, note: str = "") -> Reply:
    """Take it back: while it is pending only who asked for it may; once it counts, anybody who may change tiers."""
    return await _decide(runtime, change_id, "withdraw", by, note)


async def _decide(runtime: Runtime, change_id: str, event: str, by: str, note: str) -> Reply:
    site, now_ms = runtime.settings.site, runtime.clock.now_ms()
    async with runtime.database.transaction() as connection:
        change = await tiers.find_change(connection, site, change_id)
        if change is None:
            return Reply(word="unknown")
        if word := rules.refusal_of(change, event, by, now_ms):
            return Reply(word=word, change=change)
        decided = await _turn(connection, change, event, by, now_ms, note)
        if event == "approve":
            await _end_earlier(connection, site, decided, by, now_ms)
        if State.APPROVED in (change.state, decided.state):
            reason: Reason = "by_hand" if event == "approve" else "withdrawn"
            cause = Cause(reason=reason, origin=change_id, account_id=by)
            await place_again(connection, runtime, [change.customer_id], cause)
    await show_live(runtime)
    return Reply(word="ok", change=decided)


async def _turn(
    connection: AsyncConnection, change: Change, event: str, by: str, now_ms: int, note: str = ""
) -> Change:
    """The change as it is after this, written down and audited."""
    state = rules.TURNS[change.state, event]
    await tiers.decide(connection, change, state, by, now_ms, note)
    await _audit(connection, change, state.value, by, now_ms, {"note": note} if note else {})
    return replace(change, state=state, decided_by=by, decided_ms=now_ms, note=note)


async def _end_earlier(connection: AsyncConnection, site: str, newest: Change, by: str, now_ms: int) -> None:
    for earlier in await tiers.changes_in(connection, site, State.APPROVED, customer_id=newest.customer_id):
        if earlier.change_id != newest.change_id:
            await _turn(connection, earlier, "end", by, now_ms)


async def end_changes(runtime: Runtime) -> int:
    """The chore: what was given by hand and is over falls back to what the rules say; returns how many ended."""
    site, now_ms, ended = runtime.settings.site, runtime.clock.now_ms(), 0
    async with runtime.database.read() as connection:
        if not await tiers.changes_over(connection, site, now_ms, 1):
            return 0
    while True:
        async with runtime.database.transaction() as connection:
            over = await tiers.changes_over(connection, site, now_ms, BATCH)
            for change in over:
                await _turn(connection, change, "end", "", now_ms)
            counted = {each.customer_id: each.change_id for each in over if each.state is State.APPROVED}
            for customer_id, change_id in counted.items():
                await place_again(connection, runtime, [customer_id], Cause(reason="ended", origin=change_id))
        ended += len(over)
        if len(over) < BATCH:
            break
    await show_live(runtime)
    return ended


async def _audit(
    connection: AsyncConnection,
    change: Change,
    what: str,
    by: str,
    now_ms: int,
    more: Mapping[str, str],
) -> None:
    """One row for each step of a change, about the customer it concerns."""
    detail = {"change_id": change.change_id, "tier": change.tier, "reason": change.reason, **more}
    mark, subject = f"{change.change_id}:{change.state}", change.customer_id
    await audits.write(connection, f"tier.{what}", mark, at_ms=now_ms, by=by, subject=subject, detail=detail)


async def tier_counts(runtime: Runtime) -> dict[str, int]:
    """How many files are in each tier, the tiers in the order of the site's file."""
    async with runtime.database.read() as connection:
        counts = await tiers.count_tiers(connection, runtime.settings.site)
    ordered = {tier: counts.pop(tier, 0) for tier in plan_of(runtime).tiers}
    return ordered | {tier: count for tier, count in sorted(counts.items()) if tier}


async def pending_changes(runtime: Runtime) -> list[Change]:
    async with runtime.database.read() as connection:
        return await tiers.changes_in(connection, runtime.settings.site, State.PENDING)


async def changes_in_force(runtime: Runtime) -> list[Change]:
    """What is given by hand now."""
    async with runtime.database.read() as connection:
        return await tiers.changes_in(connection, runtime.settings.site, State.APPROVED)


async def changes_of(runtime: Runtime, customer_id: str) -> list[Change]:
    """Everything ever asked for by hand for this customer, the newest first."""
    async with runtime.database.read() as connection:
        return await tiers.changes_of(connection, customer_id)


async def history_of(runtime: Runtime, customer_id: str) -> list[Step]:
    """Old and new tier, date, score and reason of every change of this customer's, the newest first."""
    async with runtime.database.read() as connection:
        return await tiers.steps_of(connection, customer_id)


async def recent_history(
    runtime: Runtime, *, origin: str = "", after: str = "", most: int = 200
) -> list[NamedStep]:
    """The site's latest changes of tier, or those of one run or change (`origin`).

    The key of the last one that was shown, as `after`, turns the page.
    """
    async with runtime.database.read() as connection:
        return await tiers.steps_from(connection, runtime.settings.site, origin, read_key(after), most)


def key_of(step: Step) -> str:
    """Where the page after this one begins."""
    return f"{step.at_ms}:{step.customer_id}"


async def special_care(runtime: Runtime, *, after_id: str = "", most: int = 200) -> list[Customer]:
    """The register of special care, by id; `after_id` turns the page."""
    async with runtime.database.read() as connection:
        return await tiers.in_care(connection, runtime.settings.site, after_id, most)
