"""One round of the dispatcher's thinking: read the snapshot, decide; timed over a crowd."""

import json
import statistics
from dataclasses import dataclass, field
from time import perf_counter

from config import scripts
from queues.domain.routing import AGENTS_MAX, HEADS_MAX, decide
from queues.store.switchboard import PACKAGE, site_tag
from tests.bench.crowd import Crowd
from tests.bench.house import House

MS = 1000


@dataclass
class Decider:
    """Decides over one crowd, and keeps what the parts took."""

    crowd: Crowd
    matches: int = 0
    reading_ms: list[float] = field(default_factory=list)
    deciding_ms: list[float] = field(default_factory=list)

    async def match_ms(self) -> list[float]:
        """What one decision took: a round of them over the matches it gave."""
        began = perf_counter()
        snapshot = await self.crowd.board.snapshot()
        read = perf_counter()
        self.matches = len(decide(self.crowd.plan, snapshot, self.crowd.runtime.clock.now_ms()))
        decided = perf_counter()
        self.reading_ms.append((read - began) * MS)
        self.deciding_ms.append((decided - read) * MS)
        return [(decided - began) * MS / self.matches]

    def __str__(self) -> str:
        reading_ms, deciding_ms = statistics.median(self.reading_ms), statistics.median(self.deciding_ms)
        return f"{self.matches} matches in {reading_ms:.2f} + {deciding_ms:.2f} ms"


@dataclass(frozen=True, slots=True)
class Anatomy:
    """Where the reading of one snapshot goes."""

    store_ms: float  # the server is busy with nothing else meanwhile
    parse_ms: float
    kilobytes: float
    heads: int


async def dissect(house: House, crowd: Crowd, times: int = 3) -> Anatomy:
    """Read the snapshot once more as text, with the server's own count of its time."""
    script = scripts.load(PACKAGE, "read_snapshot")
    before_ms = await house.scripts_busy_ms()
    for _ in range(times):
        reply = await script(
            house.runtime.redis,
            keys=(site_tag(crowd.plan.site),),
            now_ms=house.runtime.clock.now_ms(),
            silent_ms=crowd.board.lost_after_ms,
            heads_max=HEADS_MAX,
            agents_max=AGENTS_MAX,
            with_turns=0,
        )
    store_ms = (await house.scripts_busy_ms() - before_ms) / times
    began = perf_counter()
    told = json.loads(reply[2])
    parse_ms = (perf_counter() - began) * MS
    heads = sum(len(waiting) for _, waiting, *_ in told["lanes"])
    return Anatomy(store_ms, parse_ms, len(reply[2].encode()) / 1024, heads)
