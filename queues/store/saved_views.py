"""Views of the figures that people keep under a name: one row each, one of a name for each account."""

from dataclasses import asdict, dataclass

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert

saved_views = Table(
    "saved_views",
    metadata,
    Column("view_id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("page", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("is_shared", Boolean, nullable=False),
    Column("saved_ms", BigInteger, nullable=False),
)
KEY = (saved_views.c.site, saved_views.c.account_id, saved_views.c.name)
Index(None, *KEY, unique=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """`page` is the last part of an address, `query` what stands behind its question mark."""

    view_id: str
    site: str
    account_id: str
    name: str
    page: str
    query: str
    is_shared: bool
    saved_ms: int


async def insert_new(connection: AsyncConnection, view: SavedView) -> bool:
    """False where the account has a view of that name."""
    statement = upsert(saved_views, connection).values(**asdict(view)).on_conflict_do_nothing()
    return (await connection.execute(statement)).rowcount == 1


async def seen_by(connection: AsyncConnection, site: str, account_id: str) -> list[SavedView]:
    """His own and what others share with the site, by name."""
    c = saved_views.c
    query = select(saved_views).where(c.site == site, or_(c.account_id == account_id, c.is_shared.is_(True)))
    rows = await connection.execute(query.order_by(c.name, c.view_id))
    return [SavedView(**row) for row in rows.mappings()]


async def count(connection: AsyncConnection, site: str, account_id: str) -> int:
    c = saved_views.c
    query = select(func.count()).where(c.site == site, c.account_id == account_id)
    return int((await connection.execute(query)).scalar_one())


async def drop(connection: AsyncConnection, site: str, account_id: str, view_id: str) -> str | None:
    """The name of what was dropped; None if it is not his or not there."""
    c = saved_views.c
    this = delete(saved_views).where(c.site == site, c.account_id == account_id, c.view_id == view_id)
    name: str | None = (await connection.execute(this.returning(c.name))).scalar_one_or_none()
    return name
