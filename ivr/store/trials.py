"""Trials: what supervisors tried on calls of the past, how far each has come, and what came out, in SQL.

A trial is worked on under a lease; whoever writes what he did says `holder` again, so that one who was overtaken
writes nothing. `busy` is the account while its trial waits or runs and empty (NULL) afterwards: one at a time each.
Ids, instants and figures only.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert
from queues.store import leases

WAITING, RUNNING, DONE = "waiting", "running", "done"
FAILED, CANCELLED, INTERRUPTED = "failed", "cancelled", "interrupted"
OPEN: Final = (WAITING, RUNNING)

trials = Table(
    "trials",
    metadata,
    Column("trial_id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("asked_ms", BigInteger, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("busy", Text),
    # JSON: what was to be tried
    Column("terms", Text, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("state", Text, nullable=False),
    # per cent
    Column("done", Float, nullable=False),
    Column("is_cancelled", Boolean, nullable=False),
    # pushes of its job, and when the last one was, in real time
    Column("pushes", Integer, nullable=False),
    Column("pushed_ms", BigInteger, nullable=False),
    Column("finished_ms", BigInteger),
    Column("error", Text),
    # JSON: the figures
    Column("result", Text),
    # zipped JSON: call by call, and what was played
    Column("detail", LargeBinary),
    Column("holder", Text, nullable=False),
    Column("lease_until_ms", BigInteger, nullable=False),
)
Index(None, trials.c.site, trials.c.asked_ms)
Index(None, trials.c.state)
Index(None, trials.c.site, trials.c.busy, unique=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A row without its detail."""

    trial_id: str
    asked_ms: int
    asked_by: str
    terms: str
    calls: int
    state: str = WAITING
    done: float = 0.0
    is_cancelled: bool = False
    pushes: int = 0
    pushed_ms: int = 0
    finished_ms: int | None = None
    error: str | None = None
    result: str | None = None


_COLUMNS: Final = [trials.c[each.name] for each in fields(Trial)]


async def insert_new(connection: AsyncConnection, site: str, trial: Trial) -> bool:
    """False while another one of the same account waits or runs."""
    row = {**asdict(trial), **leases.FREE, "site": site, "busy": trial.asked_by}
    statement = upsert(trials, connection).values(**row).on_conflict_do_nothing()
    return (await connection.execute(statement)).rowcount == 1


async def find(connection: AsyncConnection, site: str, trial_id: str) -> Trial | None:
    query = select(*_COLUMNS).where(trials.c.site == site, trials.c.trial_id == trial_id)
    row = (await connection.execute(query)).mappings().first()
    return Trial(**row) if row else None


async def detail_of(connection: AsyncConnection, trial_id: str) -> bytes | None:
    query = select(trials.c.detail).where(trials.c.trial_id == trial_id)
    return (await connection.execute(query)).scalar_one_or_none()


async def newest(connection: AsyncConnection, site: str, most: int) -> list[Trial]:
    query = select(*_COLUMNS).where(trials.c.site == site).order_by(trials.c.asked_ms.desc()).limit(most)
    return [Trial(**row) for row in (await connection.execute(query)).mappings()]


async def count_running(connection: AsyncConnection, site: str) -> int:
    query = select(func.count()).where(trials.c.site == site, trials.c.state == RUNNING)
    return int((await connection.execute(query)).scalar_one())


async def next_waiting(connection: AsyncConnection, site: str) -> Trial | None:
    """The oldest that nobody has begun."""
    query = select(*_COLUMNS).where(trials.c.site == site, trials.c.state == WAITING)
    row = (await connection.execute(query.order_by(trials.c.asked_ms).limit(1))).mappings().first()
    return Trial(**row) if row else None


async def note_push(connection: AsyncConnection, trial: Trial, real_ms: int) -> bool:
    """Take the next push, if nobody else has and it still waits."""
    as_read = (
        trials.c.trial_id == trial.trial_id,
        trials.c.state == WAITING,
        trials.c.pushes == trial.pushes,
    )
    taken = update(trials).where(*as_read).values(pushes=trial.pushes + 1, pushed_ms=real_ms)
    return (await connection.execute(taken)).rowcount == 1


async def begin(connection: AsyncConnection, trial_id: str, holder: str, until_ms: int) -> bool:
    """It runs from now on, if it waited."""
    row = (trials.c.trial_id == trial_id, trials.c.state == WAITING)
    begun = update(trials).where(*row).values(state=RUNNING, holder=holder, lease_until_ms=until_ms)
    return (await connection.execute(begun)).rowcount == 1


async def note(connection: AsyncConnection, trial_id: str, holder: str, **values: Any) -> bool:
    """Write on it while it is one's own and runs."""
    mine = (trials.c.trial_id == trial_id, trials.c.holder == holder, trials.c.state == RUNNING)
    return (await connection.execute(update(trials).where(*mine).values(**values))).rowcount == 1


async def end(
    connection: AsyncConnection, trial_id: str, state: str, now_ms: int, *, holder: str = "", **values: Any
) -> bool:
    """Over, by whoever holds it; without a holder one that nobody has begun."""
    from_state = RUNNING if holder else WAITING
    row = (trials.c.trial_id == trial_id, trials.c.state == from_state, trials.c.holder == holder)
    return (
        await connection.execute(update(trials).where(*row).values(**_over(state, now_ms), **values))
    ).rowcount == 1


async def end_abandoned(
    connection: AsyncConnection, trial_id: str, state: str, now_ms: int, real_ms: int, lease_ms: int
) -> bool:
    """Over, as whoever was at it is gone."""
    row = (trials.c.trial_id == trial_id, trials.c.state == RUNNING)
    is_left = leases.is_over(trials, real_ms, real_ms + lease_ms)
    ended = update(trials).where(*row, is_left).values(**_over(state, now_ms))
    return (await connection.execute(ended)).rowcount == 1


def _over(state: str, now_ms: int) -> dict[str, Any]:
    return {"state": state, "finished_ms": now_ms, "busy": None, **leases.FREE}


async def ask_cancel(connection: AsyncConnection, trial_id: str) -> bool:
    row = (trials.c.trial_id == trial_id, trials.c.state.in_(OPEN))
    return (await connection.execute(update(trials).where(*row).values(is_cancelled=True))).rowcount == 1


async def abandoned(connection: AsyncConnection, site: str, real_ms: int, lease_ms: int) -> list[Trial]:
    """Those that are said to run, and nobody is at them."""
    query = select(*_COLUMNS).where(trials.c.site == site, trials.c.state == RUNNING)
    rows = await connection.execute(query.where(leases.is_over(trials, real_ms, real_ms + lease_ms)))
    return [Trial(**row) for row in rows.mappings()]


async def delete_before(connection: AsyncConnection, site: str, finished_before_ms: int) -> int:
    row = (trials.c.site == site, trials.c.finished_ms < finished_before_ms)
    return (await connection.execute(delete(trials).where(*row))).rowcount
