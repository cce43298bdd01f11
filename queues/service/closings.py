"""Queues closed by hand, as this process knows them: callers in a menu are led by them, and no webhook asks for it.

The live store holds the truth. Every process looks twice a second, and the one that makes a change looks at once.
A store that is away is waited for: what was known last goes on.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from config.log import get_log
from config.redis import STORE_ERRORS, is_cancelled
from config.runtime import Runtime
from queues.service.queue_board import Closing, read_closing
from queues.store.switchboard import SwitchboardStore

log = get_log(__name__)

FOLLOW_EVERY_S: Final = 0.5
KEPT: Final = "closings"


def closings_of(runtime: Runtime) -> Mapping[str, Closing]:
    """By queue."""
    known: Mapping[str, Closing] = runtime.kept.get(KEPT, {})
    return known


async def look(runtime: Runtime) -> None:
    """Take up what the live store says."""
    told = await SwitchboardStore(runtime.redis, runtime.settings.site).closed_queues()
    runtime.kept[KEPT] = {queue: read_closing(text) for queue, text in told.items()}


async def follow(runtime: Runtime) -> None:
    """A task of every process that stays. Until cancelled."""
    while not is_cancelled():
        try:
            await look(runtime)
        except STORE_ERRORS as fault:
            log.warning("queues.closings_away", fault=type(fault).__name__)
        except Exception:
            log.exception("queues.closings_not_read")
        await asyncio.sleep(FOLLOW_EVERY_S)
