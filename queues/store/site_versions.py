"""Every version of the site's words that was ever in force, by the hash of its content."""

from sqlalchemy import BigInteger, Column, Table, Text, select
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert

site_versions = Table(
    "site_versions",
    metadata,
    Column("version", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("content", Text, nullable=False),
)


async def insert_new(
    connection: AsyncConnection, *, version: str, site: str, created_ms: int, content: str
) -> bool:
    """False when this version is kept already."""
    row = {"version": version, "site": site, "created_ms": created_ms, "content": content}
    statement = upsert(site_versions, connection).values(**row).on_conflict_do_nothing()
    return (await connection.execute(statement)).rowcount == 1


async def content_of(connection: AsyncConnection, version: str) -> str | None:
    query = select(site_versions.c.content).where(site_versions.c.version == version)
    return (await connection.execute(query)).scalar_one_or_none()
