"""The loop that adds up the figures. Any number may run; the transaction lets one after another through."""

import asyncio
import time
from typing import Final

from config.log import get_log
from config.redis import is_cancelled
from config.runtime import Runtime
from queues.service import callers, figuring

log = get_log(__name__)

LOOK_S: Final = 0.25
KEEP_EVERY_S: Final = 60.0
PAUSE_S_MAX: Final = 5.0


async def run(runtime: Runtime) -> None:
    """Until cancelled. A database that is away is waited for; what was noted is still there afterwards.

    While nothing is noted, days that are over for good are counted for who called again, one after another.
    """
    pause_s = LOOK_S
    keep_at = time.monotonic()
    while not is_cancelled():
        try:
            if not await figuring.tick(runtime):
                if time.monotonic() >= keep_at and not await callers.keep_some(runtime):
                    keep_at = time.monotonic() + KEEP_EVERY_S
                await asyncio.sleep(LOOK_S)
            pause_s = LOOK_S
        except asyncio.CancelledError:
            raise
        except Exception as fault:
            log.exception("figures.stumbled", fault=type(fault).__name__)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, PAUSE_S_MAX)
