"""The recordings' reader of the journal; it runs in the `scribe` process, beside the calls' one."""

from config.runtime import Runtime
from queues.service import readers
from recordings.service.recordings import reader


async def run(runtime: Runtime) -> None:
    """Until it is cancelled."""
    await readers.run(reader(runtime))
