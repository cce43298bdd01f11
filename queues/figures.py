"""The loops that add up the figures, and that count who called again. Any number may run; the transaction lets one
after another through.

What must hold: a call of this moment is added up at once, however long it takes to compare the calls of a day; so each
has a task of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
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
    """Until cancelled. A database that is away is waited for; what was noted is still there afterwards."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_go_on(lambda: _add_up(runtime)))
        group.create_task(_go_on(lambda: _count_callers(runtime)))


async def _add_up(runtime: Runtime) -> None:
    if not await figuring.tick(runtime):
        await asyncio.sleep(LOOK_S)


async def _count_callers(runtime: Runtime) -> None:
    """One day of those that are over for good; between two of them others come to the database."""
    await asyncio.sleep(LOOK_S if await callers.keep_day(runtime) else KEEP_EVERY_S)


async def _go_on(step: Callable[[], Awaitable[None]]) -> None:
    pause_s = LOOK_S
    while not is_cancelled():
        try:
            await step()
            pause_s = LOOK_S
        except asyncio.CancelledError:
            raise
        except Exception as fault:
            log.exception("figures.stumbled", fault=type(fault).__name__)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, PAUSE_S_MAX)
