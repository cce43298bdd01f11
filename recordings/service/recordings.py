"""Recordings: kept from the journal, fetched once into the vault, missed out loud, opened by right."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config.log import get_log
from config.runtime import Runtime
from config.telephony import ProviderError
from queues.domain.journal import Line
from queues.service import audits, links
from queues.service import calls as call_service
from queues.service.links import Link, LinkKind
from queues.service.readers import Entry, Reader
from recordings.domain.recordings import EVENTS, FETCH, Kind, Recording, RecordingState, Why, fetch_kind, fold
from recordings.store import recordings as store
from recordings.store.vault import Vault, key_of

log = get_log(__name__)

READER: Final = "recordings"
WORK_QUEUE: Final = "audio"
FETCH_AUDIO: Final = LinkKind(FETCH, "recordings.jobs.fetch_audio", "recording_id")

MISSED_AFTER_MS: Final = 120_000  # of the product's time, and never sooner than MISSED_AFTER_S
MISSED_AFTER_S: Final = 5.0
LOOK_BACK_MS: Final = 7 * 24 * 3600 * 1000
SWEEP_MAX: Final = 200
ATTEMPTS_MAX: Final = 8
NOT_FOUND: Final = 404


class AudioNotReadyError(Exception):
    """The provider has no audio of this recording yet; the sweep asks again."""

    def __init__(self, recording_id: str) -> None:
        super().__init__(f"{self.__doc__} ({recording_id})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Playback:
    """Audio that somebody may hear now."""

    path: Path
    recording: Recording


class RecordingsBook:
    """The recordings reader's book; see `queues.service.readers.Book`."""

    name = READER

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    async def look_up(self, entries: Sequence[Entry]) -> list[Line]:
        return [entry.line for entry in entries if entry.line is not None and entry.line.type in EVENTS]

    def is_concerned(self, known: list[Line]) -> bool:
        return bool(known)

    async def write(
        self, connection: AsyncConnection, _entries: Sequence[Entry], known: list[Line]
    ) -> list[Link]:
        before = await store.load(connection, {recording_id_of(line) for line in known})
        after, completed = fold_all(before, known)
        changed = [recording for name, recording in after.items() if recording != before.get(name)]
        if changed:
            await store.save(connection, changed)
        heard_of = {(each.call_id, each.kind) for each in after.values()}
        await store.replace_missing(connection, heard_of)
        now_ms = self.runtime.clock.now_ms()
        due = [fetch_link(after[name], at_ms, now_ms) for name, at_ms in completed.items()]
        return await links.insert_new(connection, due)

    async def after_commit(self, done: list[Link]) -> None:
        if done:
            await links.push(self.runtime, FETCH_AUDIO, done)

    async def take_over(self) -> None:
        await links.push_left_over(self.runtime, FETCH_AUDIO)


def reader(runtime: Runtime, holder: str | None = None) -> Reader[list[Line], list[Link]]:
    """This process's seat at the journal."""
    return Reader(runtime, RecordingsBook(runtime), holder)


def recording_id_of(line: Line) -> str:
    return str(line.data.get("recording_id", ""))


def fold_all(
    before: dict[str, Recording], lines: Sequence[Line]
) -> tuple[dict[str, Recording], dict[str, int]]:
    """Every recording after these lines, and those whose audio can be fetched now, with the instant."""
    after: dict[str, Recording] = dict(before)
    completed: dict[str, int] = {}
    for line in lines:
        name = recording_id_of(line)
        recording = fold(after.get(name), line)
        if recording is None:
            log.error("recordings.line_not_folded", entry_id=line.id, type=line.type)
            continue
        after[name] = recording
        if recording.state == RecordingState.COMPLETED:
            completed.setdefault(name, line.at_ms)
    return after, completed


def fetch_link(recording: Recording, due_ms: int, now_ms: int) -> Link:
    kind = fetch_kind(recording.recording_id)
    link = Link(call_id=recording.call_id, kind=kind, work_queue=WORK_QUEUE, due_ms=due_ms)
    return links.first_attempt(FETCH_AUDIO, link, now_ms)


async def fetch_audio(runtime: Runtime, recording_id: str) -> bool:
    """Bring the audio into the vault, once. Raises while the provider has none, so that it is tried again."""
    async with runtime.database.read() as connection:
        recording = await store.find(connection, recording_id)
    if recording is None:
        log.error("recording.unknown", recording_id=recording_id)
        return False
    vault = Vault(runtime.settings.state_dir)
    if recording.has_audio and await asyncio.to_thread(vault.has, recording.vault_key):
        await finish(runtime, recording)
        return False
    try:
        audio = await runtime.telephony.fetch_audio(recording_id)
    except ProviderError as fault:
        if fault.status == NOT_FOUND:
            raise AudioNotReadyError(recording_id) from None
        raise
    vault_key = key_of(recording_id, recording.started_ms or runtime.clock.now_ms())
    size = await asyncio.to_thread(vault.write, vault_key, audio.content)
    now_ms = runtime.clock.now_ms()
    async with runtime.database.transaction() as connection:
        is_first = await store.note_fetched(
            connection, recording_id, vault_key=vault_key, size=size, channels=audio.channels, now_ms=now_ms
        )
        await links.finish(connection, recording.call_id, fetch_kind(recording_id), now_ms)
    log.info("recording.fetched", recording_id=recording_id, call_id=recording.call_id, bytes=size)
    return is_first


async def finish(runtime: Runtime, recording: Recording) -> None:
    async with runtime.database.transaction() as connection:
        kind = fetch_kind(recording.recording_id)
        await links.finish(connection, recording.call_id, kind, runtime.clock.now_ms())


async def miss(runtime: Runtime) -> int:
    """Write a row that says so for each answered call and each message that should have a recording and has none."""
    now_ms = runtime.clock.now_ms()
    until_ms = now_ms - max(MISSED_AFTER_MS, runtime.clock.product_ms(MISSED_AFTER_S))
    async with runtime.database.transaction() as connection:
        without = await store.unrecorded(connection, now_ms - LOOK_BACK_MS, until_ms, SWEEP_MAX)
        failed = await store.calls_that_failed_to_start(connection, {call_id for call_id, _, _ in without})
        for call_id, wish, kind in without:
            why = why_missing(wish, call_id in failed) if kind is Kind.CALL else Why.NOT_REPORTED
            await store.insert_missing(connection, call_id, kind, why.value)
    return len(without)


def why_missing(wish: str, failed_to_start: bool) -> Why:
    if wish == "refused":
        return Why.REFUSED
    return Why.NOT_STARTED if failed_to_start else Why.NOT_REPORTED


async def give_up(runtime: Runtime) -> int:
    """Audio that could not be had in all this time is called missing; its row says so."""
    now_ms, given_up = runtime.clock.now_ms(), 0
    async with runtime.database.transaction() as connection:
        for link in await links.tried(connection, FETCH, ATTEMPTS_MAX, SWEEP_MAX):
            recording_id = link.kind.partition(":")[2]
            await store.give_up(connection, recording_id, Why.NOT_FETCHED.value)
            await links.finish(connection, link.call_id, link.kind, now_ms)
            given_up += 1
            log.error("recording.given_up", recording_id=recording_id, call_id=link.call_id)
    return given_up


async def sweep(runtime: Runtime) -> int:
    """Fetch again what is overdue."""
    return await links.sweep(runtime, FETCH_AUDIO)


async def find_recording(runtime: Runtime, recording_id: str) -> Recording | None:
    async with runtime.database.read() as connection:
        return await store.find(connection, recording_id)


async def of_call(runtime: Runtime, call_id: str) -> list[Recording]:
    """The recordings of a call, in the order they began."""
    async with runtime.database.read() as connection:
        return await store.of_call(connection, call_id)


async def of_calls(runtime: Runtime, call_ids: Collection[str]) -> dict[str, list[Recording]]:
    """The recordings of each of these calls, in the order they began."""
    found: dict[str, list[Recording]] = {call_id: [] for call_id in call_ids}
    if found:
        async with runtime.database.read() as connection:
            for recording in await store.of_calls(connection, call_ids):
                found[recording.call_id].append(recording)
    return found


async def unsettled_calls(runtime: Runtime, from_ms: int, until_ms: int, limit: int) -> list[str]:
    """Ended calls whose recordings the provider should be asked about."""
    async with runtime.database.read() as connection:
        return await store.unsettled(connection, from_ms, until_ms, limit)


async def is_of_agent(runtime: Runtime, recording: Recording, agent_id: str | None) -> bool:
    """Whether this agent has talked with the caller: a call that was put through has one recording of both talks."""
    story = await call_service.find_call(runtime, recording.call_id) if agent_id else None
    return story is not None and story.is_agents(agent_id)


async def open_playback(runtime: Runtime, recording: Recording, account_id: str) -> Playback | None:
    """The audio, with the look written down; None when the vault has it not."""
    if not recording.has_audio:
        return None
    vault = Vault(runtime.settings.state_dir)
    path = vault.path(recording.vault_key)
    if not await asyncio.to_thread(path.is_file):
        log.error("recording.lost", recording_id=recording.recording_id)
        return None
    await audits.note(
        runtime, account_id=account_id, action="recording.played", subject=recording.recording_id
    )
    return Playback(path=path, recording=recording)
