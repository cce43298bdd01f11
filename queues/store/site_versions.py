"""Every version of the site's words that was ever in force, by the hash of its content.

Beside the words: the recorded prompts by the hash of their bytes, and which version was put in force when and
by whom, as the journal told it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from redis.asyncio import Redis
from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text, select
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert
from queues.domain.journal import Line
from queues.store.switchboard import site_tag

ACTIVATED: Final = "site.activated"

site_versions = Table(
    "site_versions",
    metadata,
    Column("version", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("content", Text, nullable=False),
)
site_activations = Table(
    "site_activations",
    metadata,
    Column("entry_id", Text, primary_key=True),  # of the journal's line
    Column("site", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
)
site_sounds = Table(
    "site_sounds",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Activation:
    """A version came into force."""

    version: str
    at_ms: int
    by: str
    entry_id: str


async def read_live(redis: Redis, site: str) -> str:
    """The version that the live store names as the one in force; nothing in a store that is new."""
    return str(await redis.get(f"{site_tag(site)}:version") or "")


async def insert_new(
    connection: AsyncConnection, *, version: str, site: str, created_ms: int, content: str
) -> bool:
    """False when this version is kept already."""
    row = {"version": version, "site": site, "created_ms": created_ms, "content": content}
    statement = upsert(site_versions, connection).values(**row).on_conflict_do_nothing()
    return (await connection.execute(statement)).rowcount == 1


async def insert_sounds(connection: AsyncConnection, sounds: Mapping[str, bytes]) -> None:
    if not sounds:
        return
    rows = [{"digest": digest, "data": data} for digest, data in sounds.items()]
    await connection.execute(upsert(site_sounds, connection).on_conflict_do_nothing(), rows)


def activation_in(line: Line) -> Activation | None:
    """What a line of the journal says of a version that came into force."""
    if line.type != ACTIVATED:
        return None
    return Activation(str(line.data.get("version", "")), line.at_ms, str(line.data.get("by", "")), line.id)


async def insert_activations(connection: AsyncConnection, site: str, lines: Sequence[Line]) -> None:
    """Write down what the journal says; a line that is told again changes nothing."""
    found = [each for line in lines if (each := activation_in(line))]
    if found:
        rows = [{"site": site, **asdict(each)} for each in found]
        await connection.execute(upsert(site_activations, connection).on_conflict_do_nothing(), rows)


async def content_of(connection: AsyncConnection, version: str) -> str | None:
    query = select(site_versions.c.content).where(site_versions.c.version == version)
    return (await connection.execute(query)).scalar_one_or_none()


async def activations(connection: AsyncConnection, site: str, *, most: int) -> list[Activation]:
    """The newest first."""
    table = site_activations.c
    query = (
        select(table.version, table.at_ms, table.by, table.entry_id)
        .where(table.site == site)
        .order_by(table.at_ms.desc(), table.entry_id.desc())
        .limit(most)
    )
    return [Activation(**row) for row in (await connection.execute(query)).mappings()]


async def kept_sounds(connection: AsyncConnection, digests: Collection[str]) -> set[str]:
    """Those of these that are here."""
    query = select(site_sounds.c.digest).where(site_sounds.c.digest.in_(digests))
    return set((await connection.execute(query)).scalars())


async def sound(connection: AsyncConnection, digest: str) -> bytes | None:
    query = select(site_sounds.c.data).where(site_sounds.c.digest == digest)
    return (await connection.execute(query)).scalar_one_or_none()
