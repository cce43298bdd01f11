"""Saved views: named by whoever keeps them, shared with the site if he likes, dropped by himself alone.

Each change is written with its row of the audit, in one transaction.
"""

import secrets
from enum import StrEnum
from typing import Final

from config.runtime import Runtime
from queues.store import audits
from queues.store import saved_views as store
from queues.store.saved_views import SavedView

__all__ = ["NAME_LENGTH_MAX", "Answer", "SavedView", "drop", "save", "seen_by"]

NAME_LENGTH_MAX: Final = 60
VIEWS_MAX: Final = 50  # of one account


class Answer(StrEnum):
    OK = "ok"
    NO_NAME = "no_name"
    TAKEN = "taken"
    TOO_MANY = "too_many"


async def save(
    runtime: Runtime, *, account_id: str, name: str, page: str, query: str, is_shared: bool
) -> Answer:
    """A name that he has already is refused: what it stands for, and who sees it, would change unasked."""
    name = " ".join(name.split())[:NAME_LENGTH_MAX]
    if not name:
        return Answer.NO_NAME
    site, now_ms = runtime.settings.site, runtime.clock.now_ms()
    view = SavedView(
        view_id=secrets.token_hex(8),
        site=site,
        account_id=account_id,
        name=name,
        page=page,
        query=query,
        is_shared=is_shared,
        saved_ms=now_ms,
    )
    async with runtime.database.transaction() as connection:
        if await store.count(connection, site, account_id) >= VIEWS_MAX:
            return Answer.TOO_MANY
        if not await store.insert_new(connection, view):
            return Answer.TAKEN
        told = {"page": page, "query": query, "shared": is_shared}
        await audits.write(
            connection,
            "view.saved",
            view.view_id,
            at_ms=now_ms,
            by=account_id,
            subject=name,
            detail=told,
        )
    return Answer.OK


async def drop(runtime: Runtime, *, account_id: str, view_id: str) -> bool:
    """False for what is not his, or gone."""
    site, now_ms = runtime.settings.site, runtime.clock.now_ms()
    async with runtime.database.transaction() as connection:
        name = await store.drop(connection, site, account_id, view_id)
        if name is not None:
            mark = f"{view_id}:{now_ms}"
            await audits.write(
                connection, "view.dropped", mark, at_ms=now_ms, by=account_id, subject=name, detail=""
            )
    return name is not None


async def seen_by(runtime: Runtime, account_id: str) -> list[SavedView]:
    async with runtime.database.read() as connection:
        return await store.seen_by(connection, runtime.settings.site, account_id)
