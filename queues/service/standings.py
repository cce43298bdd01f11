"""Where customers' files stand by the site's rules, written on the files with the history of every change.

The standing is made anew whenever something that it hangs on changes: the file itself, a change by hand, the
ranking, the rules. Whoever makes it anew does so in one transaction with what changed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from config.log import get_log
from config.redis import STORE_ERRORS
from config.runtime import Runtime
from queues.domain.customers import Customer
from queues.domain.plan import Plan
from queues.domain.ranking import band_of
from queues.domain.tiers import Kind, first_band, standing_of, values_of
from queues.service.customer_index import catch_up
from queues.service.plans import plan_of
from queues.store import rescores, tiers
from queues.store.customers import next_revision
from queues.store.rescores import Place
from queues.store.tiers import Reason, Step

log = get_log(__name__)


async def place(
    connection: AsyncConnection, plan: Plan, files: Sequence[Customer], now_ms: int
) -> list[Customer]:
    """These files with the standing that the rules give them now: tier, band, class code, special care.

    The band is the one on the file: what the last ranking gave, none for who was left out of it, the lowest for
    who came after it.
    """
    manual = await tiers.manual_tiers(connection, [file.customer_id for file in files], now_ms)
    return [placed(plan, file, manual.get(file.customer_id)) for file in files]


def placed(plan: Plan, file: Customer, manual: str | None) -> Customer:
    standing = standing_of(plan, values_of(file), manual, file.band if plan.ranking else "")
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


async def note_steps(
    connection: AsyncConnection,
    runtime: Runtime,
    pairs: Iterable[tuple[Customer, Customer]],
    cause: Cause,
    revision: int,
    places: Mapping[str, Place] | None = None,
) -> int:
    """Write the history of files before and after, where tier or band is another; for an import as well."""
    now_ms, places = runtime.clock.now_ms(), places or {}
    steps = [
        Step(
            customer_id=new.customer_id,
            at_ms=now_ms,
            old_tier=old.tier,
            new_tier=new.tier,
            old_band=old.band,
            new_band=new.band,
            score=places[new.customer_id].score if new.customer_id in places else "",
            reason=cause.reason,
            origin=cause.origin,
            account_id=cause.account_id,
        )
        for old, new in pairs
        if (old.tier, old.band) != (new.tier, new.band)
    ]
    await tiers.insert_steps(connection, runtime.settings.site, steps, revision)
    return len(steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Files whose standing is not what the rules say now: each before and after."""

    pairs: list[tuple[Customer, Customer]]
    places: Mapping[str, Place]


async def compare(
    connection: AsyncConnection, runtime: Runtime, files: Sequence[Customer], kind: Kind = "place"
) -> Comparison:
    """Which of these files stand elsewhere now; after a `sort` the band is that of the new rank."""
    plan, ids = plan_of(runtime), [file.customer_id for file in files]
    places = await rescores.places(connection, ids) if plan.ranking else {}
    bare: Sequence[Customer] = files
    if kind == "sort":
        left_out = await rescores.left_out(connection, ids)
        bare = [replace(file, band=_band(plan, file, places, file.customer_id in left_out)) for file in files]
    after = await place(connection, plan, bare, runtime.clock.now_ms())
    pairs = [(old, new) for old, new in zip(files, after, strict=True) if new != old]
    return Comparison(pairs=pairs, places=places)


async def place_again(
    connection: AsyncConnection,
    runtime: Runtime,
    customer_ids: Sequence[str],
    cause: Cause,
    kind: Kind = "place",
) -> int:
    """Give these files the standing that is theirs now, with its history; returns how many changed."""
    files = await tiers.files_of(connection, runtime.settings.site, customer_ids)
    found = await compare(connection, runtime, files, kind)
    if found.pairs:
        revision = await next_revision(connection, runtime.settings.site)
        await tiers.save_standings(connection, [new for _, new in found.pairs], revision)
        await note_steps(connection, runtime, found.pairs, cause, revision, found.places)
    return len(found.pairs)


def _band(plan: Plan, file: Customer, places: Mapping[str, Place], is_left_out: bool) -> str:
    """The band of his rank; none when he was left out; the lowest when he came after the scoring."""
    mine = places.get(file.customer_id)
    if plan.ranking is None or is_left_out:
        return ""
    return band_of(plan.ranking, mine.rank, mine.count) if mine else first_band(plan)


async def show_live(runtime: Runtime) -> None:
    """What was just committed, in the live index; without the live store the chore does it later."""
    try:
        await catch_up(runtime)
    except STORE_ERRORS as fault:
        log.warning("index.late", fault=type(fault).__name__)
