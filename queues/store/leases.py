"""Leases: which process is at a row. A table that lends its rows has the columns `holder` and `lease_until_ms`.

A lease keeps two processes from doing the same work. Whoever writes what he did says `holder` again, so that one
who was overtaken writes nothing. Leases are real time.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, Table, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

FREE: Final = {"holder": "", "lease_until_ms": 0}

Row = Sequence[ColumnElement[bool]]


def is_over(table: Table, now_ms: int, until_ms: int) -> ColumnElement[bool]:
    """Nobody is at it. `until_ms` is where a lease taken now would end.

    One that ends later was left behind by a clock that was set back: it holds nobody.
    """
    until = table.c.lease_until_ms
    return or_(until < now_ms, until > until_ms)


async def claim(
    connection: AsyncConnection, table: Table, row: Row, holder: str, now_ms: int, until_ms: int
) -> bool:
    """Take or renew the lease; False while another process holds it."""
    is_free = or_(table.c.holder == holder, table.c.holder == "", is_over(table, now_ms, until_ms))
    claimed = update(table).where(*row, is_free).values(holder=holder, lease_until_ms=until_ms)
    return (await connection.execute(claimed)).rowcount == 1


async def release(connection: AsyncConnection, table: Table, row: Row, holder: str) -> None:
    """Let the next process go on at once."""
    await connection.execute(update(table).where(*row, table.c.holder == holder).values(**FREE))
