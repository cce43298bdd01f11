"""The readers of the journal: how far each has come, and which process reads for it.

A reader's `last_id` is advanced in the transaction that holds what was read, and only from where it was
read (`WHERE last_id = read`): whoever comes second changes nothing. The lease keeps two processes from
doing the same work; correctness does not hang on it. Leases are real time.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, Column, Table, Text, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert
from queues.store import leases

FROM_THE_START: Final = "0-0"

readers = Table(
    "readers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("last_id", Text, nullable=False),
    Column("holder", Text),
    Column("lease_until_ms", BigInteger),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    name: str
    last_id: str
    holder: str | None
    lease_until_ms: int | None


async def enrol(connection: AsyncConnection, name: str) -> None:
    """From here on the journal is kept for this reader."""
    statement = upsert(readers, connection).values(
        name=name, last_id=FROM_THE_START, holder="", lease_until_ms=0
    )
    await connection.execute(statement.on_conflict_do_nothing())


async def claim(connection: AsyncConnection, name: str, holder: str, now_ms: int, until_ms: int) -> bool:
    """Take or renew the lease; False while another process holds it."""
    return await leases.claim(connection, readers, [readers.c.name == name], holder, now_ms, until_ms)


async def release(connection: AsyncConnection, name: str, holder: str) -> None:
    """Let the next process begin at once."""
    await leases.release(connection, readers, [readers.c.name == name], holder)


async def advance(
    connection: AsyncConnection, name: str, holder: str, read_id: str, last_id: str, until_ms: int
) -> bool:
    """Move on from where the batch was read; False when somebody else has."""
    here = (readers.c.name == name, readers.c.holder == holder, readers.c.last_id == read_id)
    moved = await connection.execute(
        update(readers).where(*here).values(last_id=last_id, lease_until_ms=until_ms)
    )
    return moved.rowcount == 1


async def find(connection: AsyncConnection, name: str) -> Position | None:
    row = (await connection.execute(select(readers).where(readers.c.name == name))).mappings().first()
    return Position(**row) if row else None


async def all_positions(connection: AsyncConnection) -> tuple[Position, ...]:
    rows = await connection.execute(select(readers).order_by(readers.c.name))
    return tuple(Position(**row) for row in rows.mappings())
