"""What the journal's copy says of callers' ways through the menu."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from queues.store.journal import events


@dataclass(frozen=True, slots=True)
class Told:
    """One line as it was written down; `data` is empty when it makes no sense."""

    id: str
    type: str
    data: dict[str, Any]


async def lines_from(
    connection: AsyncConnection, site: str, from_ms: int, types: Sequence[str], most: int
) -> list[Told]:
    """The lines of these types with an id from this instant on, in the order of the instants.

    Ids begin with thirteen digits of milliseconds, so as texts they are in the order of time and the key finds
    them; two of one millisecond may come in any order.
    """
    table = events.c
    query = (
        select(table.id, table.type, table.data)
        .where(table.id >= str(from_ms), table.site == site, table.type.in_(types))
        .order_by(table.id)
        .limit(most)
    )
    return [Told(row.id, row.type, _read(row.data)) for row in await connection.execute(query)]


def _read(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
