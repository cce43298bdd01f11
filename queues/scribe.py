"""The scribe: journal to SQL, and jobs to the work queues. Any number may run; one at a time writes.

Behind it, in the same process, the reader that keeps the list of callers who gave up.
"""

import asyncio

from config.runtime import Runtime
from queues.service import readers
from queues.service.abandoned import reader
from queues.service.history import scribe


async def run(runtime: Runtime) -> None:
    """The loop of the `scribe` process, until it is cancelled."""
    async with asyncio.TaskGroup() as group:
        group.create_task(readers.run(scribe(runtime)))
        group.create_task(readers.run(reader(runtime)))
