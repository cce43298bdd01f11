"""How long those who wait will wait, put live every other second for whoever is told it.

Of several clock processes one does it, by lease. Handling times come from the calls of late, as the scribe has them:
a queue that nobody has called today has a sample of yesterday's.
"""

import asyncio
import os
import secrets
from random import Random
from typing import Final

from config.runtime import Runtime
from queues.domain.estimates import CALLS_MAX, Samples, estimate, text_of
from queues.service.plans import plan_of
from queues.service.switchboard import Switchboard
from queues.store import announcements

REPLAYS: Final = 30
LEASE: Final = "estimates"
LEASE_S: Final = 5.0
SAMPLE_MAX: Final = 60  # of a queue
CALLS_LOOKED_AT: Final = 600
_HOLDER: Final = f"{os.getpid()}-{secrets.token_hex(4)}"


async def estimate_waits(runtime: Runtime, holder: str = _HOLDER) -> int:
    """How many lanes' waits are known. Where nobody is told a time, none is estimated."""
    plan, now_ms = plan_of(runtime), runtime.clock.now_ms()
    if plan.announce is None or plan.announce.wait is None:
        return 0
    switchboard = Switchboard(runtime)
    standing = await switchboard.standing(calls_max=CALLS_MAX)
    if not standing.lanes:
        return 0
    if await switchboard.hold_lease(name=LEASE, holder=holder, lease_s=LEASE_S) == "taken":
        return 0
    samples = await handling_of_late(runtime)
    chances = [Random(seed) for seed in range(REPLAYS)]  # noqa: S311  the same every time, so that ranges stand still
    found = await asyncio.to_thread(estimate, plan, standing, samples, now_ms, chances)
    told = {lane_id: text_of(steps, now_ms) for lane_id, steps in found.items()}
    await switchboard.keep_estimates(estimates=told)
    return len(told)


async def handling_of_late(runtime: Runtime) -> Samples:
    """Of each queue the last calls that were answered and wrapped up."""
    async with runtime.database.read() as connection:
        found = await announcements.handled(connection, runtime.settings.site, CALLS_LOOKED_AT)
    return {queue: handlings[:SAMPLE_MAX] for queue, handlings in found.items()}
