"""What this process has done, counted for the operator's machines: how often, and how long it took in real ms.

Every process adds what it counted to one hash of the live store every few seconds, so the sums are those of all
processes, whichever is asked, and a restart loses none of them but the last seconds of a process that is killed. Names
and labels are words of ours: never a number, an id or a name of somebody.
"""

import asyncio
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from redis.asyncio import Redis

from config.clock import Clock
from config.log import get_log
from config.redis import STORE_ERRORS, is_cancelled

if TYPE_CHECKING:
    from config.runtime import Runtime

FLUSH_S: Final = 5.0
BOUNDS_MS: Final = (5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000)
BEYOND: Final = "more"
SUM: Final = "sum"

log = get_log(__name__)


@dataclass
class Length:
    """How often, within each bound, and how long together. `within` counts what is no longer than the bound."""

    within: dict[int, int] = field(default_factory=lambda: dict.fromkeys(BOUNDS_MS, 0))
    count: int = 0
    sum_ms: int = 0


Lengths = dict[str, dict[tuple[str, ...], Length]]  # by name, by labels


class Tally:
    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._turn = threading.Lock()  # jobs are counted by another thread than the loop's
        self._wall = Clock.real()

    def now_ms(self) -> int:
        return self._wall.now_ms()

    def note(self, name: str, began_ms: int, *labels: str) -> None:
        """It began then, by `now_ms`, and is over."""
        took_ms = max(0, self._wall.now_ms() - began_ms)
        bound = next((str(each) for each in BOUNDS_MS if took_ms <= each), BEYOND)
        key = "|".join((name, *labels))
        with self._turn:
            self._counts[f"{key}|{bound}"] += 1
            self._counts[f"{key}|{SUM}"] += took_ms

    async def flush(self, redis: Redis, site: str) -> None:
        """Into the live store; what cannot be told now is told later."""
        with self._turn:
            taken, self._counts = self._counts, Counter()
        if not taken:
            return
        pipeline = redis.pipeline(transaction=True)
        for name, number in taken.items():
            pipeline.hincrby(key_of(site), name, number)
        try:
            await pipeline.execute()
        except STORE_ERRORS:
            with self._turn:
                self._counts.update(taken)
            raise


def key_of(site: str) -> str:
    return f"{{{site}}}:tally"


async def read(redis: Redis, site: str) -> Lengths:
    """What all processes have told."""
    found: Lengths = {}
    for key, text in (await redis.hgetall(key_of(site))).items():
        name, *labels, place = str(key).split("|")
        length = found.setdefault(name, {}).setdefault(tuple(labels), Length())
        number = int(text)
        if place == SUM:
            length.sum_ms += number
            continue
        length.count += number
        for bound in BOUNDS_MS:
            if place != BEYOND and int(place) <= bound:
                length.within[bound] += number
    return found


async def follow(runtime: "Runtime") -> None:
    """A task of every process that stays. Until cancelled, and once more then."""
    redis, site = runtime.redis, runtime.settings.site
    try:
        while not is_cancelled():
            await asyncio.sleep(FLUSH_S)
            try:
                await runtime.tally.flush(redis, site)
            except STORE_ERRORS as fault:
                log.warning("tally.store_away", fault=type(fault).__name__)
    finally:
        try:
            await asyncio.shield(runtime.tally.flush(redis, site))
        except STORE_ERRORS as fault:
            log.warning("tally.store_away", fault=type(fault).__name__)
