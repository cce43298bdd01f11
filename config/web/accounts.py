"""The people who may enter: passwords, lockout, and the guard in front of every page.

A role is an opaque word here; the storeys above say which pages it opens. What must hold: a wrong name costs
the same work and gets the same answer as a wrong password; every try is counted before its password is
looked at, so that tries at the same time cannot slip past the lock; nothing that changes anything is done
without the session's token.
"""

import asyncio
import functools
import secrets
import threading
import unicodedata
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pwdlib import PasswordHash
from sqlalchemy import BigInteger, Boolean, Column, Integer, RowMapping, Table, Text, insert, select, update
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from config.database import Database, metadata
from config.runtime import Runtime
from config.web.forms import close_file, expect_file, read_form, refuse_no_text
from config.web.sessions import (
    Session,
    close_sessions,
    guest_token,
    needs_renewal,
    open_session,
    renew_session,
    session_id_of,
    session_of,
    sessions,
    tokens_match,
    wall_ms,
)

FAILURES_MAX = 5
LOCKED_FOR_MS = 15 * 60 * 1000
PASSWORD_LENGTH_MIN = 10
PASSWORD_LENGTH_MAX = 200
NAME_LENGTH_MAX = 80
HASHES_AT_ONCE = 2
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

accounts = Table(
    "accounts",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("agent_id", Text),
    Column("locale", Text),
    Column("must_change_password", Boolean, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until_ms", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
)


@dataclass(frozen=True)
class Account:
    account_id: str
    name: str
    role: str
    agent_id: str | None
    locale: str | None
    must_change_password: bool


class NameTaken(Exception):  # noqa: N818 - an answer, told to whoever chose the name
    """There is an account of that name already."""


class PasswordRefused(Exception):  # noqa: N818 - an answer, told to whoever chose the password
    """The new password will not do; `reason` is the key of the sentence that says why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class SignedOut(Exception):  # noqa: N818 - a state, answered with the way back in
    """There is no session, or it has run out."""


Endpoint = Callable[[Request], Awaitable[Response]]


async def create_account(
    database: Database,
    *,
    name: str,
    password: str,
    role: str,
    agent_id: str | None = None,
    locale: str | None = None,
    must_change_password: bool = True,
) -> Account:
    """Raises NameTaken or PasswordRefused; the first account of an installation is made like any other."""
    name = _plain(name).strip()
    if not name or len(name) > NAME_LENGTH_MAX:
        raise ValueError("an account needs a name of 1 to 80 characters")
    _check_length(password)
    account = Account(secrets.token_hex(8), name, role, agent_id, locale, must_change_password)
    row = {
        "account_id": account.account_id,
        "name": name,
        "password_hash": await _hash(password),
        "role": role,
        "agent_id": agent_id,
        "locale": locale,
        "must_change_password": must_change_password,
        "failures": 0,
        "locked_until_ms": None,
        "created_ms": wall_ms(),
    }
    try:
        async with database.transaction() as conn:
            await conn.execute(insert(accounts).values(row))
    except IntegrityError:
        raise NameTaken from None
    return account


async def sign_in(database: Database, name: str, password: str) -> tuple[Account, Session] | None:
    """A new session; none for a wrong name, a wrong password or a locked account, which look the same."""
    row = await _begin_try(database, accounts.c.name == _plain(name).strip())
    is_right = await _verify(password, row["password_hash"] if row else None)
    if row is None or not is_right:
        return None
    async with database.transaction() as conn:
        await conn.execute(_forgiven(row["account_id"]))
        return _account(row), await open_session(conn, row["account_id"])


async def change_password(database: Database, session: Session, old: str, new: str) -> None:
    """Signs the account out everywhere else. Raises PasswordRefused."""
    row = await _begin_try(database, accounts.c.account_id == session.account_id)
    if not await _verify(old, row["password_hash"] if row else None) or row is None:
        raise PasswordRefused("password.error.current")
    async with database.transaction() as conn:
        await conn.execute(_forgiven(session.account_id))
    _check_length(new)
    if _plain(new) == _plain(old) or _plain(new).casefold() == row["name"].casefold():
        raise PasswordRefused("password.error.same")
    password_hash = await _hash(new)
    async with database.transaction() as conn:
        own = accounts.c.account_id == session.account_id
        await conn.execute(
            update(accounts).where(own).values(password_hash=password_hash, must_change_password=False)
        )
        await close_sessions(conn, session.account_id, but=session.session_id)


async def set_password(database: Database, name: str, password: str) -> bool:
    """A one-time password for an account whose own was forgotten; ends its sessions. False: no such account."""
    _check_length(password)
    password_hash = await _hash(password)
    renewed = {
        "password_hash": password_hash,
        "must_change_password": True,
        "failures": 0,
        "locked_until_ms": None,
    }
    async with database.transaction() as conn:
        changed = update(accounts).where(accounts.c.name == _plain(name).strip()).values(renewed)
        account_id = (await conn.execute(changed.returning(accounts.c.account_id))).scalar_one_or_none()
        if account_id is not None:
            await close_sessions(conn, account_id)
    return account_id is not None


async def names_of_accounts(database: Database, account_ids: Collection[str]) -> dict[str, str]:
    """Who they are; one that is gone is not among them."""
    wanted = [each for each in set(account_ids) if each]
    if not wanted:
        return {}
    query = select(accounts.c.account_id, accounts.c.name).where(accounts.c.account_id.in_(wanted))
    async with database.read() as conn:
        return {row.account_id: row.name for row in await conn.execute(query)}


async def set_locale(database: Database, account_id: str, locale: str) -> None:
    async with database.transaction() as conn:
        await conn.execute(update(accounts).where(accounts.c.account_id == account_id).values(locale=locale))


async def identify(request: Request) -> Account | None:
    """The account of this request, looked up once; also sets request.state.session."""
    if not hasattr(request.state, "account"):
        request.state.account, request.state.session = await _look_up(request)
    account: Account | None = request.state.account
    return account


def require(*roles: str, takes_file: bool = False) -> Callable[[Endpoint], Endpoint]:
    """An endpoint that only accounts of these roles reach (none named: any account), and no forged form."""

    def guard(endpoint: Endpoint) -> Endpoint:
        @functools.wraps(endpoint)
        async def guarded(request: Request) -> Response:
            if "\0" in request.url.path:
                raise HTTPException(404)
            refuse_no_text(request.query_params)
            account = await identify(request)
            if account is None:
                raise SignedOut
            if takes_file and (not roles or account.role in roles):  # nobody else's is even read
                expect_file(request)
            try:
                return await _answer(request, account)
            finally:
                await close_file(request)

        async def _answer(request: Request, account: Account) -> Response:
            if request.method not in SAFE_METHODS:
                await check_token(request)
            if account.must_change_password:
                return RedirectResponse("/password", status_code=303)
            if roles and account.role not in roles:
                raise HTTPException(403)
            return await endpoint(request)

        return guarded

    return guard


async def check_token(request: Request) -> None:
    """Raises 403 unless the form or the header carries the token of this browser's session."""
    runtime: Runtime = request.app.state.runtime
    session: Session | None = getattr(request.state, "session", None)
    expected = session.csrf if session else guest_token(request, runtime.settings)
    given = request.headers.get("X-CSRF-Token") or (await read_form(request)).get("csrf")
    if not tokens_match(expected, given):
        raise HTTPException(403, "csrf")


async def _look_up(request: Request) -> tuple[Account | None, Session | None]:
    runtime: Runtime = request.app.state.runtime
    session_id = session_id_of(request, runtime.settings)
    if session_id is None:
        return None, None
    join = sessions.join(accounts, accounts.c.account_id == sessions.c.account_id)
    is_live = (sessions.c.session_id == session_id) & (sessions.c.expires_ms > wall_ms())
    columns = [
        *sessions.c,
        *(column for column in accounts.c if column.name not in ("account_id", "created_ms")),
    ]
    async with runtime.database.read() as conn:
        row = (await conn.execute(select(*columns).select_from(join).where(is_live))).mappings().first()
    if row is None:
        return None, None
    session = session_of(row)
    if needs_renewal(session):
        async with runtime.database.transaction() as conn:
            await renew_session(conn, session.session_id)
    return _account(row), session


async def _begin_try(database: Database, is_theirs: Any) -> RowMapping | None:
    """Counts the try and returns the row it may be held against; none while the account is locked."""
    now_ms = wall_ms()
    async with database.transaction() as conn:
        row = (await conn.execute(select(accounts).where(is_theirs))).mappings().first()
        if row is None or (row["locked_until_ms"] or 0) > now_ms:
            return None
        await conn.execute(
            update(accounts).where(accounts.c.account_id == row["account_id"]).values(_counted(row, now_ms))
        )
    return row


def _counted(row: RowMapping, now_ms: int) -> Mapping[str, Any]:
    failures = row["failures"] + 1
    if failures < FAILURES_MAX:
        return {"failures": failures}
    # The last try locks the account before its password is looked at, and unlocks it if that was right.
    return {"failures": 0, "locked_until_ms": now_ms + LOCKED_FOR_MS}


def _forgiven(account_id: str) -> Any:
    return (
        update(accounts).where(accounts.c.account_id == account_id).values(failures=0, locked_until_ms=None)
    )


def _account(row: RowMapping) -> Account:
    return Account(
        account_id=row["account_id"],
        name=row["name"],
        role=row["role"],
        agent_id=row["agent_id"],
        locale=row["locale"],
        must_change_password=bool(row["must_change_password"]),
    )


def _check_length(password: str) -> None:
    if len(_plain(password)) < PASSWORD_LENGTH_MIN:
        raise PasswordRefused("password.error.short")
    if len(password) > PASSWORD_LENGTH_MAX:
        raise PasswordRefused("password.error.long")


def _plain(text: str) -> str:
    """One form for letters that keyboards write in several."""
    return unicodedata.normalize("NFKC", text)


@functools.cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@functools.cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))


# One hash takes tens of megabytes: a flood of guesses waits in line instead of taking the machine.
_hashing = threading.BoundedSemaphore(HASHES_AT_ONCE)


async def _hash(password: str) -> str:
    def work() -> str:
        with _hashing:
            return _hasher().hash(_plain(password))

    return await asyncio.to_thread(work)


async def _verify(password: str, password_hash: str | None) -> bool:
    """Off the loop, and the same work where there is nothing to verify against."""

    def work() -> bool:
        known = password_hash or _nobodys_hash()
        with _hashing:
            is_right = _hasher().verify(_plain(password)[:PASSWORD_LENGTH_MAX], known)
        return is_right and password_hash is not None

    return await asyncio.to_thread(work)
