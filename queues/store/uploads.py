"""Tables of customers that somebody sent in by a page: how far each has come, in SQL; the file itself on disk."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    Table,
    Text,
    and_,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata
from queues.store import leases

COUNTS: Final = ("rows", "faulty", "opened", "changed", "unchanged")

uploads = Table(
    "uploads",
    metadata,
    Column("upload_id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sent_ms", BigInteger, nullable=False),
    Column("sent_by", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("skip_faulty", Boolean, nullable=False),
    # per cent of the step at hand
    Column("done", Float, nullable=False),
    *(Column(name, Integer, nullable=False) for name in COUNTS),
    # JSON: the first of them
    Column("faults", Text),
    Column("error", Text),
    Column("finished_ms", BigInteger),
    Column("holder", Text, nullable=False),
    Column("lease_until_ms", BigInteger, nullable=False),
)
Index(None, uploads.c.site, uploads.c.sent_ms)
Index(None, uploads.c.site, uploads.c.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    upload_id: str
    file_name: str
    size: int
    sent_ms: int
    sent_by: str
    state: str
    skip_faulty: bool = False
    done: float = 0.0
    rows: int = 0
    faulty: int = 0
    opened: int = 0
    changed: int = 0
    unchanged: int = 0
    faults: str = ""
    error: str = ""
    finished_ms: int | None = None


_NAMES: Final = tuple(each.name for each in fields(Upload))
_COLUMNS: Final = [uploads.c[name] for name in _NAMES]


async def insert_new(connection: AsyncConnection, site: str, upload: Upload) -> None:
    values = {name: getattr(upload, name) for name in _NAMES}
    await connection.execute(insert(uploads).values(**values, site=site, holder="", lease_until_ms=0))


async def find(connection: AsyncConnection, site: str, upload_id: str) -> Upload | None:
    query = select(*_COLUMNS).where(uploads.c.site == site, uploads.c.upload_id == upload_id)
    row = (await connection.execute(query)).mappings().first()
    return _upload(row) if row else None


async def newest(connection: AsyncConnection, site: str, most: int) -> list[Upload]:
    query = select(*_COLUMNS).where(uploads.c.site == site).order_by(uploads.c.sent_ms.desc()).limit(most)
    return [_upload(row) for row in (await connection.execute(query)).mappings()]


async def turn(
    connection: AsyncConnection, upload_id: str, from_state: str, to_state: str, **values: Any
) -> bool:
    """Move it on from the state in which it was read; False when somebody else has."""
    here = (uploads.c.upload_id == upload_id, uploads.c.state == from_state)
    moved = await connection.execute(update(uploads).where(*here).values(state=to_state, **values))
    return moved.rowcount == 1


async def next_of(
    connection: AsyncConnection, site: str, lengths_ms: Mapping[str, int], now_ms: int
) -> Upload | None:
    """The oldest in one of these states that nobody is at; the states say for how long each is lent."""
    is_free = or_(
        *(
            and_(uploads.c.state == state, leases.is_over(uploads, now_ms, now_ms + length_ms))
            for state, length_ms in lengths_ms.items()
        )
    )
    query = select(*_COLUMNS).where(uploads.c.site == site, is_free)
    row = (await connection.execute(query.order_by(uploads.c.sent_ms).limit(1))).mappings().first()
    return _upload(row) if row else None


async def claim(connection: AsyncConnection, upload: Upload, holder: str, now_ms: int, until_ms: int) -> bool:
    """Take the lease; False while another holds it, or when its step is done."""
    here = (uploads.c.upload_id == upload.upload_id, uploads.c.state == upload.state)
    return await leases.claim(connection, uploads, here, holder, now_ms, until_ms)


async def release(connection: AsyncConnection, upload_id: str, holder: str) -> None:
    """Let the next process go on at once."""
    await leases.release(connection, uploads, [uploads.c.upload_id == upload_id], holder)


async def note(connection: AsyncConnection, upload_id: str, held_by: str, **values: Any) -> bool:
    """Write how far it has come; False when another has taken it over."""
    mine = (uploads.c.upload_id == upload_id, uploads.c.holder == held_by)
    return (await connection.execute(update(uploads).where(*mine).values(**values))).rowcount == 1


async def fail(
    connection: AsyncConnection, upload: Upload, held_by: str, to_state: str, why: str, now_ms: int
) -> bool:
    """Give this step up; False when another has taken it over, or it was done after all."""
    mine = (uploads.c.upload_id == upload.upload_id, uploads.c.holder == held_by)
    failed = update(uploads).where(*mine, uploads.c.state == upload.state)
    values = {"state": to_state, "error": why, "finished_ms": now_ms, **leases.FREE}
    return (await connection.execute(failed.values(**values))).rowcount == 1


async def forget_faults(connection: AsyncConnection, site: str, finished_before_ms: int | None = None) -> int:
    """Take out the faults of rows, which quote what was in them: of those long finished, or of all."""
    here = [uploads.c.site == site, uploads.c.faults.is_not(None)]
    if finished_before_ms is not None:
        here.append(uploads.c.finished_ms < finished_before_ms)
    return (await connection.execute(update(uploads).where(*here).values(faults=None))).rowcount


async def left_lying(
    connection: AsyncConnection, site: str, states: tuple[str, ...], sent_before_ms: int
) -> list[str]:
    """Those that nobody has decided about for so long."""
    query = select(uploads.c.upload_id).where(
        uploads.c.site == site, uploads.c.state.in_(states), uploads.c.sent_ms < sent_before_ms
    )
    return list((await connection.execute(query)).scalars())


def _upload(row: Any) -> Upload:
    return Upload(**{**row, "faults": row["faults"] or "", "error": row["error"] or ""})
