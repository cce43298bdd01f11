"""Agents' time as a series: the rows of one grain, one by one."""

from collections import Counter

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from queues.domain import stays
from queues.domain.periods import Piece
from queues.domain.stays import AgentCell, AgentCells
from queues.store.intervals import agent_intervals as table


async def within(connection: AsyncConnection, site: str, piece: Piece, agent_id: str = "") -> AgentCells:
    """Each row that begins in this range, of one agent or of all; of stays that have ended."""
    chosen = [
        table.c.site == site,
        table.c.grain == piece.grain,
        table.c.start_ms >= piece.from_ms,
        table.c.start_ms < piece.until_ms,
    ]
    if agent_id:
        chosen.append(table.c.agent_id == agent_id)
    rows = (await connection.execute(select(table).where(*chosen))).mappings()
    return {
        AgentCell(row["start_ms"], row["agent_id"]): Counter(
            {name: number for name in stays.SUMS if (number := row[name])}
        )
        for row in rows
    }
