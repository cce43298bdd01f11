"""The scribe: journal to SQL, and jobs to the work queues. Any number may run; one at a time writes."""

from config.runtime import Runtime
from queues.service import readers
from queues.service.history import scribe


async def run(runtime: Runtime) -> None:
    """The loop of the `scribe` process, until it is cancelled."""
    await readers.run(scribe(runtime))
