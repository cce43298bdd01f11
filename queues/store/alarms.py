"""Alarms in SQL: raised once, cleared once.

While an alarm is open its `open_key` is its kind and subject, and unique: two processes that see the same figure raise
one. Whoever writes says what he had seen when, so that an older look neither clears what is newer nor raises again what
is over.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    RowMapping,
    Table,
    Text,
    delete,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert
from queues.domain.alarms import Key, Kind, Reading

alarms = Table(
    "alarms",
    metadata,
    Column("alarm_id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("open_key", Text),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger),
    Column("calm_ms", BigInteger),
    Column("value", Float, nullable=False),
    Column("limit_value", Float, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("acknowledged_ms", BigInteger),
    Column("acknowledged_by", Text),
)
Index(None, alarms.c.site, alarms.c.open_key, unique=True)
Index(None, alarms.c.site, alarms.c.since_ms)
Index(None, alarms.c.site, alarms.c.kind, alarms.c.subject, alarms.c.until_ms)
Index(None, alarms.c.until_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """`value` is the figure when it was raised, by the limit of that moment: ms, or parts of one. `calm_ms` is since
    when its figure has been calm; it is not over for that yet."""

    alarm_id: str
    kind: Kind
    subject: str
    queue: str
    tier: str
    agent_id: str
    since_ms: int
    value: float
    limit_value: float
    calls: int
    until_ms: int | None = None
    calm_ms: int | None = None
    acknowledged_ms: int | None = None
    acknowledged_by: str | None = None

    @property
    def key(self) -> Key:
        return self.kind, self.subject


async def open_ones(connection: AsyncConnection, site: str) -> list[Alarm]:
    """The oldest first."""
    query = select(alarms).where(alarms.c.site == site, alarms.c.open_key.is_not(None))
    rows = (await connection.execute(query.order_by(alarms.c.since_ms, alarms.c.alarm_id))).mappings()
    return [_alarm(row) for row in rows]


async def over_newest_first(
    connection: AsyncConnection, site: str, before: tuple[int, str] | None, limit: int
) -> list[Alarm]:
    """A page of those that are over, after the key (since_ms, alarm_id) where the last page ended."""
    key = (alarms.c.since_ms, alarms.c.alarm_id)
    query = select(alarms).where(alarms.c.site == site, alarms.c.open_key.is_(None))
    if before is not None:
        query = query.where(tuple_(*key) < before)
    rows = await connection.execute(query.order_by(*(column.desc() for column in key)).limit(limit))
    return [_alarm(row) for row in rows.mappings()]


async def find(connection: AsyncConnection, site: str, alarm_id: str) -> Alarm | None:
    query = select(alarms).where(alarms.c.site == site, alarms.c.alarm_id == alarm_id)
    row = (await connection.execute(query)).mappings().first()
    return _alarm(row) if row else None


async def begin(
    connection: AsyncConnection, site: str, alarm_id: str, about: Reading, seen_ms: int
) -> Alarm | None:
    """None when it is open already, or came to its end after this was seen."""
    alarm = Alarm(
        alarm_id=alarm_id,
        kind=about.kind,
        subject=about.subject,
        queue=about.queue,
        tier=about.tier,
        agent_id=about.agent_id,
        since_ms=seen_ms,
        value=about.value or 0.0,
        limit_value=about.line.limit,
        calls=about.calls,
    )
    later = select(alarms.c.alarm_id).where(
        alarms.c.site == site,
        alarms.c.kind == about.kind,
        alarms.c.subject == about.subject,
        alarms.c.until_ms >= seen_ms,
    )
    if (await connection.execute(later.limit(1))).first() is not None:
        return None
    row = {**asdict(alarm), "site": site, "open_key": ":".join(about.key)}
    written = await connection.execute(upsert(alarms, connection).values(**row).on_conflict_do_nothing())
    return alarm if written.rowcount == 1 else None


async def end(connection: AsyncConnection, those: Sequence[Alarm], seen_ms: int) -> list[str]:
    """Those of them that were open until now, and no less calm than when they were read."""
    ended = []
    for alarm in those:
        as_read = (
            alarms.c.alarm_id == alarm.alarm_id,
            alarms.c.open_key.is_not(None),
            alarms.c.calm_ms.is_not_distinct_from(alarm.calm_ms),
        )
        over = update(alarms).where(*as_read).values(open_key=None, until_ms=seen_ms)
        if (await connection.execute(over)).rowcount == 1:
            ended.append(alarm.alarm_id)
    return ended


async def drop_over(connection: AsyncConnection, before_ms: int, limit: int) -> int:
    """How many that were over before this instant are gone now."""
    old = (
        select(alarms.c.alarm_id)
        .where(alarms.c.until_ms < before_ms)
        .order_by(alarms.c.until_ms)
        .limit(limit)
    )
    return int((await connection.execute(delete(alarms).where(alarms.c.alarm_id.in_(old)))).rowcount)


async def note_calm(connection: AsyncConnection, alarm_ids: Sequence[str], since_ms: int | None) -> None:
    """Since when they are calm, or that they are no more; of two who saw it begin the first is right."""
    here = [alarms.c.alarm_id.in_(alarm_ids), alarms.c.open_key.is_not(None)]
    if since_ms is not None:
        here.append(alarms.c.calm_ms.is_(None))
    if alarm_ids:
        await connection.execute(update(alarms).where(*here).values(calm_ms=since_ms))


async def acknowledge(
    connection: AsyncConnection, site: str, alarm_id: str, account_id: str, now_ms: int
) -> bool:
    """False when somebody has, or there is none."""
    this = (
        alarms.c.site == site,
        alarms.c.alarm_id == alarm_id,
        alarms.c.acknowledged_ms.is_(None),
    )
    known = update(alarms).where(*this).values(acknowledged_ms=now_ms, acknowledged_by=account_id)
    return (await connection.execute(known)).rowcount == 1


def _alarm(row: RowMapping) -> Alarm:
    known = {name: value for name, value in row.items() if name not in ("site", "open_key")}
    return Alarm(**{**known, "kind": Kind(row["kind"])})
