"""A worker that gets stuck in the middle of the ticket's transaction, for a test that kills it there."""

import asyncio
import os
from typing import Any

from config.jobs import run_worker
from config.settings import load_settings
from queues.store import calls
from tests.queues.hotline import WORK_QUEUES


async def get_stuck(*_anything: Any) -> None:
    print("stuck", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    calls.set_ticket = get_stuck  # type: ignore[assignment]
    run_worker(load_settings(os.environ), WORK_QUEUES)
