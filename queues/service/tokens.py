"""Tokens of programs, each made and revoked in one transaction with its line in the audit."""

from collections.abc import Collection
from typing import Final

from config.runtime import Runtime
from config.web import tokens
from config.web.tokens import Token
from queues.domain.scopes import Scope
from queues.store import audits

ADDED: Final = "token.added"
REVOKED: Final = "token.revoked"
DAYS_MAX: Final = 3650


async def add(
    runtime: Runtime, *, name: str, scopes: Collection[Scope], days: int, by: str
) -> tuple[Token, str]:
    """The token and its text, told once. Raises ValueError and `tokens.TokenTaken`."""
    if not 1 <= days <= DAYS_MAX:
        raise ValueError(f"a token is good for 1 to {DAYS_MAX} days")
    async with runtime.database.transaction() as connection:
        token, text = await tokens.add(connection, runtime.settings.site, name, scopes, days)
        detail = {"name": name, "scopes": sorted(scopes), "days": days}
        await audits.write(
            connection,
            ADDED,
            token.token_id,
            at_ms=runtime.clock.now_ms(),
            by=by,
            subject=token.token_id,
            detail=detail,
        )
    return token, text


async def revoke(runtime: Runtime, *, name: str, by: str) -> int:
    """How many of this name were in force."""
    async with runtime.database.transaction() as connection:
        found = await tokens.revoke(connection, runtime.settings.site, name)
        for token in found:
            await audits.write(
                connection,
                REVOKED,
                token.token_id,
                at_ms=runtime.clock.now_ms(),
                by=by,
                subject=token.token_id,
                detail={"name": name},
            )
    return len(found)


async def everyone(runtime: Runtime) -> list[Token]:
    async with runtime.database.read() as connection:
        return await tokens.everyone(connection, runtime.settings.site)
