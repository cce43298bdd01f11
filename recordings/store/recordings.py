"""Recordings in SQL: one row each, and a row that says so where one is missing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert
from queues.domain.journal import LineType
from queues.domain.talks import TRANSFERRED
from queues.store.calls import calls
from queues.store.journal import events
from queues.store.talks import talks
from recordings.domain.recordings import Kind, Recording, RecordingState, missing_id

recordings = Table(
    "recordings",
    metadata,
    Column("recording_id", Text, primary_key=True),
    Column("call_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("channels", Integer),
    Column("started_ms", BigInteger),
    Column("duration_s", Integer),
    Column("vault_key", Text),
    Column("bytes", Integer),
    Column("fetched_ms", BigInteger),
    Column("missing_why", Text),
)
Index(None, recordings.c.call_id)

NAMES: Final = tuple(each.name for each in fields(Recording))


async def load(connection: AsyncConnection, recording_ids: Collection[str]) -> dict[str, Recording]:
    query = select(recordings).where(recordings.c.recording_id.in_(recording_ids))
    return {row["recording_id"]: recording_of(row) for row in (await connection.execute(query)).mappings()}


async def find(connection: AsyncConnection, recording_id: str) -> Recording | None:
    return (await load(connection, [recording_id])).get(recording_id)


async def of_call(connection: AsyncConnection, call_id: str) -> list[Recording]:
    query = select(recordings).where(recordings.c.call_id == call_id)
    ordered = query.order_by(recordings.c.started_ms, recordings.c.recording_id)
    return [recording_of(row) for row in (await connection.execute(ordered)).mappings()]


def recording_of(row: Mapping[Any, Any]) -> Recording:
    return Recording(**{name: row[name] for name in NAMES})


async def of_calls(connection: AsyncConnection, call_ids: Collection[str]) -> list[Recording]:
    query = select(recordings).where(recordings.c.call_id.in_(call_ids))
    ordered = query.order_by(recordings.c.started_ms, recordings.c.recording_id)
    return [recording_of(row) for row in (await connection.execute(ordered)).mappings()]


async def save(connection: AsyncConnection, rows: Sequence[Recording]) -> None:
    insert = upsert(recordings, connection)
    changes = {name: insert.excluded[name] for name in NAMES if name != "recording_id"}
    statement = insert.on_conflict_do_update(index_elements=["recording_id"], set_=changes)
    await connection.execute(statement, [asdict(row) for row in rows])


async def replace_missing(connection: AsyncConnection, heard_of: Collection[tuple[str, str]]) -> None:
    """A recording of these calls and kinds has turned up: the rows that missed it go."""
    for kind in Kind:
        call_ids = [call_id for call_id, of_kind in heard_of if of_kind == kind]
        # Which kind it was stands in the row: an older one has the plain id for either.
        ids = [
            each
            for call_id in call_ids
            for each in (missing_id(call_id, kind), missing_id(call_id, Kind.CALL))
        ]
        missed = (recordings.c.recording_id.in_(ids), recordings.c.kind == kind)
        if ids:
            await connection.execute(delete(recordings).where(*missed))


async def note_fetched(
    connection: AsyncConnection, recording_id: str, *, vault_key: str, size: int, channels: int, now_ms: int
) -> bool:
    """False when the audio was there before."""
    unfetched = (recordings.c.recording_id == recording_id, recordings.c.state != RecordingState.FETCHED)
    fetched = {
        "state": RecordingState.FETCHED.value,
        "vault_key": vault_key,
        "bytes": size,
        "channels": channels,
        "fetched_ms": now_ms,
        "missing_why": "",
    }
    return (await connection.execute(update(recordings).where(*unfetched).values(**fetched))).rowcount == 1


async def give_up(connection: AsyncConnection, recording_id: str, why: str) -> bool:
    this = (recordings.c.recording_id == recording_id, recordings.c.state == RecordingState.COMPLETED)
    lost = {"state": RecordingState.MISSING.value, "missing_why": why}
    return (await connection.execute(update(recordings).where(*this).values(**lost))).rowcount == 1


# Who is put through after a talk may leave a message; his call counts as answered all the same.
_LEFT_AFTER_A_TALK: Final = (
    calls.c.answered_ms.is_not(None)
    & exists().where(talks.c.call_id == calls.c.call_id, talks.c.ended_as == TRANSFERRED)
    & exists().where(events.c.call_id == calls.c.call_id, events.c.type == LineType.CALL_MESSAGE_LEFT)
)
_EXPECTED: Final = {
    Kind.CALL: calls.c.answered_ms.is_not(None),
    Kind.VOICEMAIL: (calls.c.outcome == "voicemail") | _LEFT_AFTER_A_TALK,
}


async def unrecorded(
    connection: AsyncConnection, from_ms: int, until_ms: int, limit: int
) -> list[tuple[str, str, Kind]]:
    """Calls that ended in the interval, were answered or left a message, and have no row of it.

    (call_id, what the caller wished, what is missing)
    """
    found: list[tuple[str, str, Kind]] = []
    for kind, expects_one in _EXPECTED.items():
        has_row = exists().where(recordings.c.call_id == calls.c.call_id, recordings.c.kind == kind)
        query = (
            select(calls.c.call_id, calls.c.record)
            .where(expects_one, calls.c.ended_ms >= from_ms, calls.c.ended_ms < until_ms, ~has_row)
            .order_by(calls.c.ended_ms)
            .limit(limit)
        )
        found += [(row.call_id, row.record or "", kind) for row in await connection.execute(query)]
    return found


async def unsettled(connection: AsyncConnection, from_ms: int, until_ms: int, limit: int) -> list[str]:
    """Ended calls whose recording the provider should know more of.

    It is missing, or was never said to be done.
    """
    open_states = (RecordingState.IN_PROGRESS, RecordingState.MISSING)
    is_open = exists().where(recordings.c.call_id == calls.c.call_id, recordings.c.state.in_(open_states))
    has_row = exists().where(recordings.c.call_id == calls.c.call_id)
    expects_one = calls.c.answered_ms.is_not(None) | (calls.c.outcome == "voicemail")
    query = (
        select(calls.c.call_id)
        .where(calls.c.ended_ms >= from_ms, calls.c.ended_ms < until_ms, expects_one)
        .where(func.coalesce(calls.c.record, "") != "refused")
        .where(is_open | ~has_row)
        .order_by(calls.c.ended_ms.desc())
        .limit(limit)
    )
    return list((await connection.execute(query)).scalars())


async def calls_that_failed_to_start(connection: AsyncConnection, call_ids: Collection[str]) -> set[str]:
    """Those of these calls of which the journal says that recording could not be started."""
    query = select(events.c.call_id, events.c.data).where(
        events.c.call_id.in_(call_ids),
        events.c.type == LineType.EFFECT_FAILED,
        events.c.data.contains('"record"'),
    )
    return {row.call_id for row in await connection.execute(query)}


async def insert_missing(connection: AsyncConnection, call_id: str, kind: Kind, why: str) -> bool:
    row = Recording(
        recording_id=missing_id(call_id, kind),
        call_id=call_id,
        kind=kind.value,
        state=RecordingState.MISSING.value,
        missing_why=why,
    )
    statement = upsert(recordings, connection).values(**asdict(row)).on_conflict_do_nothing()
    return (await connection.execute(statement)).rowcount == 1


async def has_any(connection: AsyncConnection, call_id: str, kind: str) -> bool:
    query = select(recordings.c.recording_id).where(
        recordings.c.call_id == call_id, recordings.c.kind == kind
    )
    return (await connection.execute(query.limit(1))).first() is not None


async def count_by_state(connection: AsyncConnection) -> dict[str, int]:
    query = select(recordings.c.state, func.count()).group_by(recordings.c.state)
    return {row[0]: row[1] for row in await connection.execute(query)}
