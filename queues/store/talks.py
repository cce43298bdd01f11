"""The talks of calls in SQL. The journal's fold writes a row; the note in it is the agent's."""

import operator
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    PrimaryKeyConstraint,
    RowMapping,
    Table,
    Text,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import PlainInsert, metadata
from queues.domain.talks import Talk, Talks

talks = Table(
    "talks",
    metadata,
    Column("call_id", Text, nullable=False),
    Column("offer_id", Text, nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("queue", Text),
    Column("wait_ms", BigInteger),
    Column("began_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("ended_as", Text),
    Column("disposition", Text),
    Column("wrapped_up_ms", BigInteger),
    Column("note", Text),
    PrimaryKeyConstraint("call_id", "offer_id"),
)
Index(None, talks.c.agent_id, talks.c.began_ms)

FOLDED: Final = tuple(each.name for each in fields(Talk))
FOLDED_OF: Final = operator.attrgetter(*FOLDED)
SAVING: Final = PlainInsert(
    talks, FOLDED, replaces=[name for name in FOLDED if name not in ("call_id", "offer_id")]
)


async def load(connection: AsyncConnection, call_ids: Collection[str]) -> dict[str, Talks]:
    columns = [talks.c[name] for name in FOLDED]
    query = select(*columns).where(talks.c.call_id.in_(call_ids)).order_by(talks.c.began_ms, talks.c.offer_id)
    found: dict[str, Talks] = {}
    for row in await connection.execute(query):
        talk = Talk(**dict(zip(FOLDED, row, strict=True)))
        found[talk.call_id] = (*found.get(talk.call_id, ()), talk)
    return found


async def save(connection: AsyncConnection, rows: Sequence[Talk]) -> None:
    """What the journal decides; notes stay as they are."""
    await SAVING.write(connection, map(FOLDED_OF, rows))


async def of_call(connection: AsyncConnection, call_id: str) -> list[RowMapping]:
    query = select(talks).where(talks.c.call_id == call_id).order_by(talks.c.began_ms, talks.c.offer_id)
    return list((await connection.execute(query)).mappings())


async def set_note(connection: AsyncConnection, call_id: str, offer_id: str, note: str) -> None:
    this = (talks.c.call_id == call_id, talks.c.offer_id == offer_id)
    await connection.execute(update(talks).where(*this).values(note=note))


def changed(before: Mapping[str, Talks], after: Mapping[str, Talks]) -> list[Talk]:
    """The rows that are new, or say something else now."""
    return [talk for call_id, each in after.items() for talk in each if talk not in before.get(call_id, ())]
