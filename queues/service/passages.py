"""How often callers came to each node of the menu today, counted from the journal's copy as it grows.

A process counts a line once and then reads only what is new. A node is passed when the caller stops there: he
is asked, put through, or leaves a message; what is only spoken on the way is not written down. Who reaches
people is counted by queue and matter, who begins by the line he dialled.
"""

import asyncio
import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from config.runtime import Runtime
from queues.domain.journal import LineType, parse_id
from queues.domain.plan import Plan
from queues.service.calls import day_of, local_day
from queues.store import passages
from queues.store.passages import Told

READ_MAX: Final = 5_000
_TYPES: Final = (LineType.CALL_ARRIVED, LineType.CALL_MENU_STEPPED, LineType.CALL_QUEUED)


@dataclass(slots=True)
class Passages:
    """Counts of one local day."""

    day: dt.date | None = None
    nodes: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)
    queued: Counter[tuple[str, str]] = field(default_factory=Counter)  # queue, matter
    _from_ms: int = 0
    _seen: set[str] = field(default_factory=set)  # of the last millisecond
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def catch_up(self, runtime: Runtime, plan: Plan) -> None:
        """Read on from where it stopped; at midnight it begins anew."""
        async with self._reading:
            day = local_day(plan, runtime.clock.now_ms())
            if day != self.day:
                self._begin(day, day_of(plan, day)[0])
            while await self._read_on(runtime) >= READ_MAX:
                pass

    def _begin(self, day: dt.date, from_ms: int) -> None:
        self.day, self._from_ms = day, from_ms
        self._seen.clear()
        for counter in (self.nodes, self.lines, self.queued):
            counter.clear()

    async def _read_on(self, runtime: Runtime) -> int:
        async with runtime.database.read() as connection:
            site = runtime.settings.site
            told = await passages.lines_from(connection, site, self._from_ms, _TYPES, READ_MAX)
        for line in told:
            if line.id not in self._seen:
                self._count(line)
        if told:
            self._from_ms = parse_id(told[-1].id)[0]
            self._seen = {line.id for line in told if parse_id(line.id)[0] == self._from_ms}
        return len(told)

    def _count(self, line: Told) -> None:
        data = line.data
        if line.type == LineType.CALL_MENU_STEPPED:
            self.nodes[str(data.get("node", ""))] += 1
        elif line.type == LineType.CALL_QUEUED:
            self.queued[str(data.get("queue", "")), str(data.get("matter", ""))] += 1
        else:
            self.lines[str(data.get("line", ""))] += 1
