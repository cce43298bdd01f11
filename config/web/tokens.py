"""The programs that may read: tokens, each with scopes, an end, and nothing of it in SQL but a digest.

A scope is an opaque word here; the storeys above say what it opens. A token is `shouwen_<id>_<secret>`; the secret has
256 bits by chance, so that one round of SHA-256 hides it and no lock after wrong tries is needed: nobody guesses it.
What must hold: a token that is not known costs the same look-up and the same comparison as one with a wrong secret, and
gets the same answer; only whoever has the whole secret is told that it has ended. All times are real, as with people's
sessions. The day of a token's last use is written once a day.

A token opens one site, also where several share a database: to another it is one that is not known. One made before
tokens had a site is of the site that it is used at first.
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import BigInteger, Column, ColumnElement, RowMapping, Table, Text, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import Database, metadata
from config.web.sessions import wall_ms

MARK: Final = "shouwen"
DAY_MS: Final = 24 * 3_600_000
NAME_LENGTH_MAX: Final = 80
NOBODYS: Final = hashlib.sha256(b"").hexdigest()

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("token_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
    Column("used_on", Text),
    Column("site", Text),
)


class TokenTaken(Exception):  # noqa: N818 - an answer, told to whoever chose the name
    """There is a token of that name already, and it is in force."""


class Refusal(StrEnum):
    """Why a token opens nothing."""

    UNKNOWN = "unknown"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Token:
    token_id: str
    name: str
    scopes: frozenset[str]
    created_ms: int
    expires_ms: int
    revoked_ms: int | None
    used_on: str | None  # a day of UTC

    @property
    def is_over(self) -> bool:
        return self.revoked_ms is not None or self.expires_ms <= wall_ms()


async def add(
    connection: AsyncConnection, site: str, name: str, scopes: Collection[str], days: int
) -> tuple[Token, str]:
    """A new token and its text, which is nowhere else. Raises TokenTaken."""
    if not name or len(name) > NAME_LENGTH_MAX or not name.isprintable():
        raise ValueError(f"a token needs a name of 1 to {NAME_LENGTH_MAX} characters")
    if any(not each.is_over for each in await named(connection, site, name)):
        raise TokenTaken(TokenTaken.__doc__)
    now_ms, secret = wall_ms(), secrets.token_urlsafe(32)
    token = Token(secrets.token_hex(6), name, frozenset(scopes), now_ms, now_ms + days * DAY_MS, None, None)
    row = {
        "token_id": token.token_id,
        "name": name,
        "digest": _digest(secret),
        "scopes": " ".join(sorted(scopes)),
        "created_ms": token.created_ms,
        "expires_ms": token.expires_ms,
        "site": site,
    }
    await connection.execute(insert(api_tokens).values(row))
    return token, f"{MARK}_{token.token_id}_{secret}"


async def named(connection: AsyncConnection, site: str, name: str) -> list[Token]:
    query = select(api_tokens).where(api_tokens.c.name == name, _is_of(site))
    return [_token(row) for row in (await connection.execute(query)).mappings()]


async def everyone(connection: AsyncConnection, site: str) -> list[Token]:
    query = select(api_tokens).where(_is_of(site)).order_by(api_tokens.c.created_ms, api_tokens.c.token_id)
    return [_token(row) for row in (await connection.execute(query)).mappings()]


async def revoke(connection: AsyncConnection, site: str, name: str) -> list[Token]:
    """All of this name that are in force; none from now on."""
    found = [each for each in await named(connection, site, name) if not each.is_over]
    mine = api_tokens.c.token_id.in_([each.token_id for each in found])
    await connection.execute(update(api_tokens).where(mine).values(revoked_ms=wall_ms()))
    return found


async def check(database: Database, site: str, text: str) -> Token | Refusal:
    """The token of this text, or why there is none; notes the day of its use."""
    mark, _, rest = text.partition("_")
    token_id, _, secret = rest.partition("_")
    async with database.read() as connection:
        own = api_tokens.c.token_id == (token_id if token_id.isascii() else "")
        query = select(api_tokens).where(own, _is_of(site))
        row = (await connection.execute(query)).mappings().first()
    known = row["digest"] if row is not None else NOBODYS
    is_right = hmac.compare_digest(_digest(secret), known)
    if row is None or not is_right or mark != MARK or not secret:
        return Refusal.UNKNOWN
    token = _token(row)
    if token.is_over:
        return Refusal.REVOKED if token.revoked_ms is not None else Refusal.EXPIRED
    today = datetime.fromtimestamp(wall_ms() / 1000, UTC).date().isoformat()
    if token.used_on != today or row["site"] is None:
        async with database.transaction() as connection:
            this = update(api_tokens).where(own, _is_of(site)).values(used_on=today, site=site)
            if not (await connection.execute(this)).rowcount:
                return Refusal.UNKNOWN  # another site was the first to be asked with it
    return token


def bearer_of(header: str) -> str:
    """The text behind `Bearer` in an Authorization header, or nothing."""
    scheme, _, text = header.strip().partition(" ")
    return text.strip() if scheme.lower() == "bearer" and "\0" not in text else ""


def _is_of(site: str) -> ColumnElement[bool]:
    return or_(api_tokens.c.site == site, api_tokens.c.site.is_(None))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(row: RowMapping) -> Token:
    return Token(
        token_id=row["token_id"],
        name=row["name"],
        scopes=frozenset(row["scopes"].split()),
        created_ms=row["created_ms"],
        expires_ms=row["expires_ms"],
        revoked_ms=row["revoked_ms"],
        used_on=row["used_on"],
    )
