"""Callbacks about what has happened: sent in order, answered with nothing, and where faults are drawn.

They never affect the call. Each thing told about (a call, a conference, a recording) has a lane; within it a
callback waits for the one before unless it is drawn to be swapped with it, delayed, doubled or lost.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from config.clock import Clock
from ivr.standin.calls import Lane, Subscription
from ivr.standin.chance import Chance
from ivr.standin.faults import Faults
from ivr.standin.webhooks import Postman, WebhookError

Complain = Callable[[int, str, str, str, str | None], None]


class Callbacks:
    def __init__(
        self, clock: Clock, faults: Faults, chance: Chance, postman: Postman, complain: Complain
    ) -> None:
        self._clock = clock
        self._faults = faults
        self._chance = chance
        self._postman = postman
        self._complain = complain
        self._tasks: set[asyncio.Task[None]] = set()
        self._lanes = 0
        self.lost = 0
        self.doubled = 0
        self.swapped = 0
        self.delayed = 0

    def post(
        self,
        lane: Lane,
        subscription: Subscription,
        params: Mapping[str, str],
        about: str | None = None,
        cookies: dict[str, dict[str, str]] | None = None,
    ) -> None:
        if lane.number == 0:
            self._lanes += 1
            lane.number = self._lanes
        place = (lane.number, lane.sequence)
        lane.sequence += 1
        if self._chance.happens(self._faults.callback_lost, "lost", *place):
            self.lost += 1
            return
        is_swapped = self._chance.happens(self._faults.callback_swapped, "swapped", *place)
        times = 1 + self._chance.happens(self._faults.callback_doubled, "doubled", *place)
        delay_ms = self._delay_ms(place) + (self._faults.callback_delay_ms_max if is_swapped else 0)
        self.swapped += is_swapped
        self.doubled += times - 1
        before = lane.last
        sending = self._send(before, delay_ms, times, subscription, dict(params), about, cookies)
        task = self.start(sending)
        if not is_swapped:
            lane.last = task

    def start(self, work: Awaitable[None]) -> "asyncio.Task[None]":
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @property
    def under_way(self) -> int:
        return len(self._tasks)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _delay_ms(self, place: tuple[int, int]) -> float:
        if not self._chance.happens(self._faults.callback_delayed, "delayed", *place):
            return 0.0
        self.delayed += 1
        return self._chance.draw("delay", *place) * self._faults.callback_delay_ms_max

    async def _send(
        self,
        before: "asyncio.Task[None] | None",
        delay_ms: float,
        times: int,
        subscription: Subscription,
        params: Mapping[str, str],
        about: str | None,
        cookies: dict[str, dict[str, str]] | None,
    ) -> None:
        if before is not None and not before.done():
            await asyncio.wait({before})
        if delay_ms:
            await self._clock.sleep(delay_ms)
        for _ in range(times):
            await self._send_once(subscription, params, about, cookies)

    async def _send_once(
        self,
        subscription: Subscription,
        params: Mapping[str, str],
        about: str | None,
        cookies: dict[str, dict[str, str]] | None,
    ) -> None:
        try:
            reply = await self._postman.ask(subscription.url, subscription.method, params, cookies)
        except WebhookError as error:
            self._complain(error.code, error.message, error.url, error.method, about)
            return
        if reply.status >= 400:
            self._complain(
                15003, f"Callback answered with status {reply.status}", reply.url, reply.method, about
            )
