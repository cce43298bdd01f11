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
    row = {
        "id": f"{action}:{account_id}:{subject}:{now_ms // ONE_LOOK_MS}",
        "at_ms": now_ms,
        "account_id": account_id,
        "action": action,
        "subject": subject,
        "detail": detail,
    }
    async with runtime.database.transaction() as connection:
        return await store.insert_new(connection, row)


async def done(runtime: Runtime, *, account_id: str, action: str, subject: str, detail: str = "") -> None:
    """Write an act down; each is a row of its own."""
    now_ms = runtime.clock.now_ms()
    row = {
        "id": f"{action}:{subject}:{now_ms}:{secrets.token_hex(4)}",
        "at_ms": now_ms,
        "account_id": account_id,
        "action": action,
        "subject": subject,
        "detail": detail,
    }
    async with runtime.database.transaction() as connection:
        await store.insert_new(connection, row)


async def of_subject(runtime: Runtime, subject: str) -> list[dict[str, Any]]:
    """Every look at this, oldest first."""
    async with runtime.database.read() as connection:
        return [dict(row) for row in await store.of_subject(connection, subject)]
