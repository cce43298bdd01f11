"""Job functions for the tests of the work queues; a worker finds them by their dotted path."""

from config import jobs

NOTES = "{workshop}:notes"


def note(item: str) -> None:
    jobs.run(_note(item))


async def _note(item: str) -> None:
    await jobs.current_runtime().redis.rpush(NOTES, item)
