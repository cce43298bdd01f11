"""Job functions for the tests of the work queues; a worker finds them by their dotted path."""

import asyncio

from config import jobs

NOTES = "{workshop}:notes"


def note(item: str) -> None:
    jobs.run(_note(item))


def note_slowly(item: str, for_s: float) -> None:
    jobs.run(_note_slowly(item, for_s))


def fail(why: str) -> None:
    jobs.run(_fail(why))


async def _note(item: str) -> None:
    runtime = jobs.current_runtime()
    await runtime.redis.rpush(NOTES, item)


async def _note_slowly(item: str, for_s: float) -> None:
    await _note(f"{item} begun")
    try:
        await asyncio.sleep(for_s)
    except asyncio.CancelledError:
        await _note(f"{item} stopped")
        raise
    await _note(f"{item} done")


async def _fail(why: str) -> None:
    raise LookupError(why)
