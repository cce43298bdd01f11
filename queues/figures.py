"""The loop that adds up the figures. Any number may run; the transaction lets one after another through."""

import asyncio
from typing import Final

from config.log import get_log
from config.redis import is_cancelled
from config.runtime import Runtime
from queues.service import figuring

log = get_log(__name__)

LOOK_S: Final = 0.25
PAUSE_S_MAX: Final = 5.0


async def run(runtime: Runtime) -> None:
    """Until cancelled. A database that is away is waited for; what was noted is still there afterwards."""
    pause_s = LOOK_S
    while not is_cancelled():
        try:
            if not await figuring.tick(runtime):
                await asyncio.sleep(LOOK_S)
            pause_s = LOOK_S
        except asyncio.CancelledError:
            raise
        except Exception as fault:
            log.exception("figures.stumbled", fault=type(fault).__name__)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, PAUSE_S_MAX)
