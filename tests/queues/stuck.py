"""A worker or a scribe that gets stuck in the middle of its transaction, for tests that kill it there."""

import asyncio
import os
import sys
from typing import Any

from config.jobs import run_worker
from config.runtime import open_runtime
from config.settings import Settings, load_settings
from queues import scribe
from queues.store import calls, tickets
from tests.queues.hotline import WORK_QUEUES


async def get_stuck(*_anything: Any) -> None:
    print("stuck", flush=True)
    await asyncio.Event().wait()


def work(settings: Settings) -> None:
    """The promise is marked as kept and the call has its ticket, which is not inserted yet."""
    tickets.insert_new = get_stuck  # type: ignore[assignment]
    run_worker(settings, WORK_QUEUES)


def write_down(settings: Settings) -> None:
    """The reader has moved on and the events are inserted, the calls not yet."""

    async def run() -> None:
        async with open_runtime(settings) as runtime:
            await scribe.run(runtime)

    calls.save = get_stuck  # type: ignore[assignment]
    asyncio.run(run())


if __name__ == "__main__":
    {"worker": work, "scribe": write_down}[sys.argv[1]](load_settings(os.environ))
