"""Who is signed in, in this browser: a signed cookie that names a row.

The row decides; the cookie is only its name, so signing out anywhere ends the session wherever it was copied
to. Session times are real time whatever the product's clock does. Each session has a token that every form
of it carries; a browser that is not signed in gets such a token in a cookie of its own.
"""

import hmac
import secrets
from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import BigInteger, Column, RowMapping, Table, Text, delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from config.clock import Clock
from config.database import metadata
from config.settings import Settings

SESSION_COOKIE = "shouwen_session"
GUEST_COOKIE = "shouwen_guest"
SESSION_FOR_MS = 12 * 3600 * 1000  # a long shift; a page in use renews it

sessions = Table(
    "sessions",
    metadata,
    Column("session_id", Text, primary_key=True),
    Column("account_id", Text, nullable=False, index=True),
    Column("csrf", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
)


@dataclass(frozen=True)
class Session:
    session_id: str
    account_id: str
    csrf: str
    expires_ms: int


def wall_ms() -> int:
    """The real present: people sign in on the wall's time, also in a demo that runs thirty times as fast."""
    return Clock.real().now_ms()


async def open_session(conn: AsyncConnection, account_id: str) -> Session:
    """A new session, never an old one's name again; rows that have run out go with it."""
    now_ms = wall_ms()
    session = Session(
        session_id=secrets.token_urlsafe(32),
        account_id=account_id,
        csrf=secrets.token_urlsafe(24),
        expires_ms=now_ms + SESSION_FOR_MS,
    )
    await conn.execute(delete(sessions).where(sessions.c.expires_ms <= now_ms))
    await conn.execute(
        insert(sessions).values(
            session_id=session.session_id,
            account_id=account_id,
            csrf=session.csrf,
            created_ms=now_ms,
            expires_ms=session.expires_ms,
        )
    )
    return session


def session_of(row: RowMapping) -> Session:
    return Session(row["session_id"], row["account_id"], row["csrf"], row["expires_ms"])


def needs_renewal(session: Session) -> bool:
    return session.expires_ms - wall_ms() < SESSION_FOR_MS // 2


async def renew_session(conn: AsyncConnection, session_id: str) -> None:
    own = sessions.c.session_id == session_id
    await conn.execute(update(sessions).where(own).values(expires_ms=wall_ms() + SESSION_FOR_MS))


async def close_session(conn: AsyncConnection, session_id: str) -> None:
    await conn.execute(delete(sessions).where(sessions.c.session_id == session_id))


async def close_sessions(conn: AsyncConnection, account_id: str, *, but: str | None = None) -> None:
    """Signs an account out everywhere, except in the session named."""
    own = sessions.c.account_id == account_id
    await conn.execute(delete(sessions).where(own if but is None else own & (sessions.c.session_id != but)))


def session_id_of(request: Request, settings: Settings) -> str | None:
    """The session the browser names, if it is we who wrote the name down."""
    return _unsigned(settings, "session", request.cookies.get(SESSION_COOKIE, ""))


def set_session_cookie(response: Response, settings: Settings, session: Session) -> None:
    set_cookie(response, settings, SESSION_COOKIE, _signer(settings, "session").dumps(session.session_id))


def guest_token(request: Request, settings: Settings) -> str | None:
    return _unsigned(settings, "guest", request.cookies.get(GUEST_COOKIE, ""))


def set_guest_cookie(response: Response, settings: Settings, token: str) -> None:
    set_cookie(response, settings, GUEST_COOKIE, _signer(settings, "guest").dumps(token))


def set_cookie(
    response: Response, settings: Settings, name: str, value: str, max_age_s: int | None = None
) -> None:
    is_secure = settings.public_base_url.startswith("https://")
    response.set_cookie(
        name, value, max_age=max_age_s, path="/", httponly=True, samesite="lax", secure=is_secure
    )


def tokens_match(expected: str | None, given: str | None) -> bool:
    return bool(expected and given) and hmac.compare_digest(str(expected).encode(), str(given).encode())


def _signer(settings: Settings, purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(settings.secret_key, salt=f"shouwen.{purpose}")


def _unsigned(settings: Settings, purpose: str, value: str) -> str | None:
    try:
        text = _signer(settings, purpose).loads(value) if value else None
    except BadSignature:
        return None
    return text if isinstance(text, str) else None
