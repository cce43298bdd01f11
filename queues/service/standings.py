"""Where customers' files stand by the site's rules, written on the files with the history of every change.

The standing is made anew whenever something that it hangs on changes: the file itself, a change by hand, the
ranking, the rules. Whoever makes it anew does so in one transaction with what changed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from config.runtime import Runtime
from queues.domain.customers import Customer
from queues.domain.plan import Plan
from queues.domain.ranking import band_of
from queues.domain.tiers import Kind, first_band, standing_of, values_of
from queues.service.plans import plan_of
from queues.store import rescores, tiers
from queues.store.customers import next_revision
from queues.store.rescores import Scored
from queues.store.tiers import Reason, Step


def placed(plan: Plan, file: Customer, manual: str | None, band: str) -> Customer:
    """The file with the standing that the rules give it now, and the file itself where it stands so already.

    The band is what the last ranking gave, none for who was left out of it, the lowest for who came after it.
    """
    standing = standing_of(plan, values_of(file), manual, band if plan.ranking else "")
    now = (standing.tier, standing.band, standing.class_code, standing.is_care)
    if now == (file.tier, file.band, file.class_code, file.is_care):
        return file
    return replace(
        file,
        tier=standing.tier,
        band=standing.band,
        class_code=standing.class_code,
        is_care=standing.is_care,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why standings are made anew, as the history tells it; `origin` is the change, the run or the import."""

    reason: Reason
    origin: str = ""
    account_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A file before and after its standing was made anew."""

    before: Customer
    after: Customer
    score: str = ""


async def note_steps(
    connection: AsyncConnection,
    runtime: Runtime,
    moves: Iterable[Move],
    cause: Cause,
    revision: int,
) -> None:
    """Write the history of those whose tier or band is another."""
    now_ms = runtime.clock.now_ms()
    steps = [
        Step(
            customer_id=move.after.customer_id,
            at_ms=now_ms,
            old_tier=move.before.tier,
            new_tier=move.after.tier,
            old_band=move.before.band,
            new_band=move.after.band,
            score=move.score,
            reason=cause.reason,
            origin=cause.origin,
            account_id=cause.account_id,
        )
        for move in moves
        if (move.before.tier, move.before.band) != (move.after.tier, move.after.band)
    ]
    await tiers.insert_steps(connection, runtime.settings.site, steps, revision)


async def moves_among(
    connection: AsyncConnection,
    runtime: Runtime,
    files: Sequence[tuple[Customer, Scored]],
    kind: Kind = "place",
) -> list[Move]:
    """Which of these files stand elsewhere now; after a `sort` the band is that of the new rank."""
    plan, now_ms = plan_of(runtime), runtime.clock.now_ms()
    if not files:
        return []
    manual = await tiers.manual_tiers(connection, [file.customer_id for file, _ in files], now_ms)
    moves = []
    for file, scored in files:
        band = new_band(plan, scored) if kind == "sort" else file.band
        after = placed(plan, file, manual.get(file.customer_id), band)
        if after is not file:
            moves.append(Move(before=file, after=after, score=scored.score))
    return moves


async def place_again(
    connection: AsyncConnection,
    runtime: Runtime,
    customer_ids: Sequence[str],
    cause: Cause,
    kind: Kind = "place",
) -> int:
    """Give these files the standing that is theirs now, with its history; returns how many changed."""
    site = runtime.settings.site
    moves = await moves_among(
        connection, runtime, await rescores.scored_of(connection, site, customer_ids), kind
    )
    if moves:
        revision = await next_revision(connection, site)
        await tiers.save_standings(connection, [move.after for move in moves], revision)
        await note_steps(connection, runtime, moves, cause, revision)
    return len(moves)


def new_band(plan: Plan, scored: Scored) -> str:
    """The band of his rank; none when he was left out; the lowest when he came after the scoring."""
    if plan.ranking is None or scored.is_left_out:
        return ""
    if scored.rank is None or scored.count is None:
        return first_band(plan)
    return band_of(plan.ranking, scored.rank, scored.count)
