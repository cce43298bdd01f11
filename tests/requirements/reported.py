"""A house that reports: calls of known days, the chores of the clock process, and what stands in its reports."""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from config.runtime import Runtime
from ivr.app import build
from queues import clockwork
from queues.domain import report_document as documents
from queues.domain import reports as rules
from queues.domain.periods import midnight
from queues.service import figuring
from queues.service.plans import plan_of
from queues.service.reporting import kept
from queues.store.reports import reports
from tests.queues.hotline import CHEN_NUMBER, LIN_NUMBER, Hotline
from tests.queues.outlets import rows
from tests.queues.web.reader import Door

HOUR_MS = 3_600_000
CHORES = ("make_reports", "correct_reports")


@dataclass
class House:
    hotline: Hotline
    door: Door

    @property
    def runtime(self) -> Runtime:
        return self.hotline.runtime

    def go_to(self, day: str, time: str = "00:00") -> int:
        """The product's clock, by the site's; it never goes back."""
        hours, minutes = map(int, time.split(":"))
        zone = plan_of(self.runtime).timezone
        to_ms = midnight(dt.date.fromisoformat(day), zone) + hours * HOUR_MS + minutes * 60_000
        clock: Any = self.runtime.clock
        clock.advance(to_ms - clock.now_ms())
        return to_ms

    async def call(
        self, call_id: str, wait_s: int = 10, *, is_answered: bool = True, queue: str = "general"
    ) -> None:
        """3 s in the menu; whoever is answered talks for 40 s, and 10 s of work follow."""
        clock: Any = self.runtime.clock
        await self.hotline.arrive(call_id, LIN_NUMBER if call_id[-1] in "02468" else CHEN_NUMBER)
        clock.advance(3_000)
        await self.hotline.enqueue(call_id, "connection", queue)
        clock.advance(wait_s * 1000)
        if is_answered:
            await self.hotline.answer(call_id)
            clock.advance(40_000)
        await self.hotline.end(call_id)
        if is_answered:
            clock.advance(10_000)
            await self.hotline.wrap_up()

    async def write_down(self) -> None:
        await self.hotline.scribe.drain()
        await figuring.drain(self.runtime)

    async def clock_turns(self, times: int = 1, processes: int = 2) -> int:
        """So many clock processes come round at a time; how much they did."""
        done = 0
        for _ in range(times):
            for name in CHORES:
                (chore,) = [each for each in clockwork.own_chores(()) if each.name == name]
                rounds = [clockwork.do(self.runtime, chore) for _ in range(processes)]
                done += sum(await asyncio.gather(*rounds))
        return done

    async def made(self) -> list[str]:
        """In the order in which they were made."""
        found = [row for row in await rows(self.runtime, "reports") if row["made_ms"]]
        return [row["report_id"] for row in sorted(found, key=lambda row: (row["made_ms"], row["until_ms"]))]

    async def row(self, report_id: str) -> dict[str, Any]:
        (found,) = [row for row in await rows(self.runtime, "reports") if row["report_id"] == report_id]
        return found

    async def document(self, report_id: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((await self.row(report_id))["document"])
        return found

    async def now_says(self, report_id: str) -> rules.Values:
        """The document with its corrections."""
        found = await kept(self.runtime, report_id)
        assert found is not None
        return rules.corrected(documents.values_of(found[1]), found[2])

    async def look_again(self) -> None:
        """Whatever was compared before is compared once more."""
        async with self.runtime.database.transaction() as connection:
            await connection.execute(update(reports).values(fingerprint=""))


def sums_of(document: dict[str, Any], by: str = "all") -> dict[str, dict[str, int]]:
    return {each["id"]: each["sums"] for each in document["sets"] if each["by"] == by}


@asynccontextmanager
async def open_house(runtime: Runtime) -> AsyncIterator[House]:
    hotline, app = await Hotline(runtime).open(), build(runtime)
    async with app.router.lifespan_context(app):
        door = Door(app, hotline)
        yield House(hotline, door)
        await door.close()
