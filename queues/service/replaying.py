"""Replaying a day: the decisions of one local day, decided once more from the journal as SQL has it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from config.runtime import Runtime
from queues.domain.journal import Line, LineType
from queues.domain.plan import Plan
from queues.domain.replay import DECISIONS, Agreement, Replay
from queues.service.calls import day_of, local_day
from queues.service.explaining import plan_of_version
from queues.service.plans import plan_of
from queues.store import journal

WARM_UP_MS: Final = 24 * 3_600_000  # who signed in, and who came, before the day
CHUNK_MS: Final = 900_000


@dataclass(frozen=True, slots=True)
class Replayed:
    """The day that was replayed, and how far the decisions agree."""

    day: date
    agreement: Agreement


async def replay_day(runtime: Runtime, day: date | None = None) -> Replayed:
    """Today's decisions, or those of another day of the site."""
    plan = plan_of(runtime)
    day = day or local_day(plan, runtime.clock.now_ms())
    from_ms, until_ms = day_of(plan, day)
    decisions = await _lines(runtime, from_ms, until_ms, DECISIONS)
    nameless = await _lines(runtime, from_ms - WARM_UP_MS, until_ms, [LineType.CALL_ANONYMISED])
    arrivals = {line.call_id: int(line.data.get("arrival") or 0) for line in nameless}
    plans = await _plans(runtime, decisions)
    replay = Replay(decisions, plans.get, arrivals)
    last_ms = max((line.at_ms for line in decisions), default=from_ms)
    first_ms = await _first_ms(runtime, from_ms - WARM_UP_MS)
    for start_ms in range(first_ms, last_ms + 1, CHUNK_MS):
        lines = await _lines(runtime, start_ms, min(start_ms + CHUNK_MS, last_ms + 1))
        await asyncio.to_thread(_take, replay, lines)
    return Replayed(day, await asyncio.to_thread(replay.close))


def _take(replay: Replay, lines: Sequence[Line]) -> None:
    for line in lines:
        replay.take(line)


async def _lines(runtime: Runtime, from_ms: int, until_ms: int, types: Sequence[str] = ()) -> list[Line]:
    async with runtime.database.read() as connection:
        return await journal.lines_between(connection, runtime.settings.site, from_ms, until_ms, types)


async def _first_ms(runtime: Runtime, from_ms: int) -> int:
    """No earlier than the first line there is."""
    async with runtime.database.read() as connection:
        oldest_ms = await journal.first_instant(connection, runtime.settings.site)
    return max(from_ms, oldest_ms or from_ms)


async def _plans(runtime: Runtime, decisions: Sequence[Line]) -> dict[str, Plan | None]:
    versions = {str((line.data.get("why") or {}).get("version") or "") for line in decisions}
    return {version: await plan_of_version(runtime, version) for version in versions if version}
