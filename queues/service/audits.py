"""The audit of looks and acts: playing a recording, showing a number, changing what a hotline says.

A browser fetches audio in many pieces, so looks of one account at one thing within ten minutes are one row.
"""

import secrets
from typing import Any, Final

from config.runtime import Runtime
from queues.store import audits as store

ONE_LOOK_MS: Final = 600_000


async def note(runtime: Runtime, *, account_id: str, action: str, subject: str, detail: str = "") -> bool:
    """Write the look down; False when it is part of one that is written already."""
    now_ms = runtime.clock.now_ms()
    mark = f"{account_id}:{subject}:{now_ms // ONE_LOOK_MS}"
    async with runtime.database.transaction() as connection:
        return await store.write(
            connection, action, mark, at_ms=now_ms, by=account_id, subject=subject, detail=detail
        )


async def done(runtime: Runtime, *, account_id: str, action: str, subject: str, detail: str = "") -> None:
    """Write an act down; each is a row of its own."""
    now_ms = runtime.clock.now_ms()
    mark = f"{subject}:{now_ms}:{secrets.token_hex(4)}"
    async with runtime.database.transaction() as connection:
        await store.write(
            connection, action, mark, at_ms=now_ms, by=account_id, subject=subject, detail=detail
        )


async def of_subject(runtime: Runtime, subject: str) -> list[dict[str, Any]]:
    """Every look at this, oldest first."""
    async with runtime.database.read() as connection:
        return [dict(row) for row in await store.of_subject(connection, subject)]
