"""Importing customers by a page: the table is kept, checked as a whole, and merged when somebody says so.

The work is done by the clock, not by the browser: whoever closes the page, or the process that dies, loses nothing.
States with a lease are picked up by whichever clock comes by; one whose lease ran out is taken over and the step done
again. Nothing is merged twice: that it was is written in the transaction of the merge, and only by who holds it then.

    sent -> (check) -> checked -> confirmed -> (merge) -> merged
                  \\-> refused                       \\-> refused, failed
    checked, refused -> discarded
"""

import asyncio
import contextlib
import json
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection

from config.clock import Clock
from config.log import get_log
from config.redis import STORE_ERRORS
from config.runtime import Runtime
from queues.service.imports import Options, Outcome, RowFault, SheetError, import_table
from queues.store import uploads as store
from queues.store.leases import FREE
from queues.store.uploads import Upload

log = get_log(__name__)

__all__ = [
    "FAULTS_KEPT",
    "Upload",
    "confirm",
    "discard",
    "faults_of",
    "find_upload",
    "keep_upload",
    "recent_uploads",
    "tidy_uploads",
    "work_off_uploads",
]

SENT, CHECKED, REFUSED = "sent", "checked", "refused"
CONFIRMED, MERGED, FAILED, DISCARDED = "confirmed", "merged", "failed", "discarded"
DECIDABLE: Final = (CHECKED, REFUSED)
FAULTS_KEPT: Final = 500
RECENT: Final = 20
# a merge is one transaction, and nobody renews a lease beside it
LEASE_MS: Final = {SENT: 60_000, CONFIRMED: 600_000}
TELL_EVERY_S: Final = 0.5
KEPT_FOR_MS: Final = 24 * 3_600_000
BLOCK: Final = 1 << 20
AWAY: Final[tuple[type[Exception], ...]] = (
    *(OperationalError, InterfaceError, PoolTimeout, TimeoutError),
    *STORE_ERRORS,
)
UNREADABLE: Final = "It could not be worked through; the log of the clock says why."


async def keep_upload(runtime: Runtime, source: BinaryIO, *, file_name: str, size: int, by: str) -> str:
    """Keep a table that was sent in; from now on the clock looks after it."""
    upload_id = secrets.token_hex(8)
    path = path_of(runtime, upload_id)
    await asyncio.to_thread(_copy, source, path)
    upload = Upload(
        upload_id=upload_id,
        file_name=Path(file_name.replace("\\", "/")).name[:120] or "table",
        size=size,
        sent_ms=runtime.clock.now_ms(),
        sent_by=by,
        state=SENT,
    )
    async with runtime.database.transaction() as connection:
        await store.insert_new(connection, runtime.settings.site, upload)
    return upload_id


def path_of(runtime: Runtime, upload_id: str) -> Path:
    return folder_of(runtime) / upload_id


def folder_of(runtime: Runtime) -> Path:
    return runtime.settings.state_dir / "uploads"


def _copy(source: BinaryIO, path: Path) -> None:
    """Only the owner reads it: it is full of names and numbers."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    source.seek(0)
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as kept:
        while block := source.read(BLOCK):
            kept.write(block)


async def find_upload(runtime: Runtime, upload_id: str) -> Upload | None:
    async with runtime.database.read() as connection:
        return await store.find(connection, runtime.settings.site, upload_id)


async def recent_uploads(runtime: Runtime) -> list[Upload]:
    async with runtime.database.read() as connection:
        return await store.newest(connection, runtime.settings.site, RECENT)


def faults_of(upload: Upload) -> list[RowFault]:
    """The first faults that were found, in the order of the rows."""
    return [RowFault(*each) for each in json.loads(upload.faults or "[]")]


async def confirm(runtime: Runtime, upload_id: str, *, skip_faulty: bool) -> bool:
    """Merge it. Where rows are faulty the others are merged only if that is said; False: not in a state to."""
    upload = await find_upload(runtime, upload_id)
    if upload is None or upload.state not in DECIDABLE or (upload.state == REFUSED and not skip_faulty):
        return False
    if upload.rows <= upload.faulty:
        return False  # not one sound row
    async with runtime.database.transaction() as connection:
        return await store.turn(
            connection, upload_id, upload.state, CONFIRMED, skip_faulty=skip_faulty, done=0.0
        )


async def discard(runtime: Runtime, upload_id: str) -> bool:
    upload = await find_upload(runtime, upload_id)
    if upload is None or upload.state not in DECIDABLE:
        return False
    now_ms = runtime.clock.now_ms()
    async with runtime.database.transaction() as connection:
        is_mine = await store.turn(
            connection, upload_id, upload.state, DISCARDED, finished_ms=now_ms, faults=None
        )
    if is_mine:
        await _forget_file(runtime, upload_id)
    return is_mine


async def work_off_uploads(runtime: Runtime) -> int:
    """The chore: everything that waits, one after the other; how many steps were done."""
    done = 0
    while (upload := await _next(runtime)) is not None:
        done += await Work(runtime, upload).run()
    return done


async def _next(runtime: Runtime) -> Upload | None:
    async with runtime.database.read() as connection:
        return await store.next_of(connection, runtime.settings.site, LEASE_MS, Clock.real().now_ms())


async def tidy_uploads(runtime: Runtime) -> int:
    """The chore: what nobody has decided about for a day is thrown away, files that belong to nothing, and faults.

    A fault quotes what was in its row, and a day after the import nobody mends the table by it any more.
    """
    before_ms = runtime.clock.now_ms() - KEPT_FOR_MS
    async with runtime.database.read() as connection:
        lying = await store.left_lying(connection, runtime.settings.site, DECIDABLE, before_ms)
    tidied = sum([await discard(runtime, upload_id) for upload_id in lying])
    for upload_id in await asyncio.to_thread(_old_files, folder_of(runtime)):
        upload = await find_upload(runtime, upload_id)
        if upload is None or upload.state in (MERGED, FAILED, DISCARDED):
            await _forget_file(runtime, upload_id)
            tidied += 1
    async with runtime.database.transaction() as connection:
        return tidied + await store.forget_faults(connection, runtime.settings.site, before_ms)


def _old_files(folder: Path) -> list[str]:
    """Files that have lain here for a day by the machine's own clock."""
    before_s = Clock.real().now_ms() / 1000 - KEPT_FOR_MS / 1000
    return [each.name for each in folder.glob("*") if each.stat().st_mtime < before_s]


class OvertakenError(Exception):
    """Another process has taken this step over."""


@dataclass(slots=True)
class Work:
    """One process's hold on one upload, for one step."""

    runtime: Runtime
    upload: Upload
    holder: str = ""
    done: float = 0.0

    async def run(self) -> int:
        self.holder = f"{os.getpid()}-{secrets.token_hex(4)}"
        if not await self._hold():
            return 0
        try:
            await self._finish(await self._import_and_tell())
        except OvertakenError:
            log.warning("upload.overtaken", upload_id=self.upload.upload_id)
            return 0
        except SheetError as fault:
            await self._fail(str(fault))
        except Exception as fault:
            if is_away(fault):
                await self._release()
            else:
                await self._fail(UNREADABLE)
            raise
        except BaseException:
            await self._release()
            raise
        return 1

    async def _import_and_tell(self) -> tuple[Outcome, list[RowFault]]:
        step, teller = asyncio.create_task(self._import()), asyncio.create_task(self._tell())
        try:
            await asyncio.wait((step, teller), return_when=asyncio.FIRST_COMPLETED)
            if not step.done():
                teller.result()
                raise OvertakenError
            return step.result()
        finally:
            for task in (step, teller):
                task.cancel()
            await asyncio.gather(step, teller, return_exceptions=True)

    async def _fail(self, why: str) -> None:
        now_ms = self.runtime.clock.now_ms()
        async with self.runtime.database.transaction() as connection:
            is_mine = await store.fail(connection, self.upload, self.holder, FAILED, why, now_ms)
        if is_mine:
            await _forget_file(self.runtime, self.upload.upload_id)

    async def _import(self) -> tuple[Outcome, list[RowFault]]:
        faults: list[RowFault] = []
        path = path_of(self.runtime, self.upload.upload_id)
        if not path.is_file():
            raise SheetError("It is not here any more: send it again.")
        options = Options(
            dry_run=self.upload.state == SENT,
            skip_faulty=self.upload.skip_faulty,
            origin=f"import {self.upload.file_name}",
            account_id=self.upload.sent_by,
            on_merge=self._merged,
        )
        outcome = await import_table(self.runtime, path, options, _keeper(faults), self._heard)
        return outcome, faults

    def _heard(self, _step: str, done: float) -> None:
        self.done = done

    async def _merged(self, connection: AsyncConnection, outcome: Outcome) -> None:
        """In the transaction of the merge, so that whoever dies after it leaves nothing to be done again."""
        values = {"state": MERGED, "finished_ms": self.runtime.clock.now_ms(), **_counts(outcome)}
        if not await store.note(connection, self.upload.upload_id, self.holder, **values):
            raise OvertakenError

    async def _finish(self, found: tuple[Outcome, list[RowFault]]) -> None:
        outcome, faults = found
        is_check = self.upload.state == SENT
        state = MERGED if outcome.is_merged else CHECKED if is_check and not outcome.faulty else REFUSED
        kept = [[each.row_no, each.account_no, each.field, each.what] for each in faults]
        told = json.dumps(kept, ensure_ascii=False) if kept else None
        if not await self._note(state=state, faults=told, **_counts(outcome), **FREE):
            raise OvertakenError
        if state == MERGED:
            await _forget_file(self.runtime, self.upload.upload_id)
        log.info("upload.done", upload_id=self.upload.upload_id, state=state, rows=outcome.rows)

    async def _tell(self) -> None:
        """How far it has come, for whoever looks at the page; and that somebody is still at it.

        It ends when somebody else is.
        """
        told, told_ms = self.done, self._real_ms()
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            done, now_ms = round(min(self.done, 100.0), 1), self._real_ms()
            if done == told and 0 <= now_ms - told_ms < self._lease_ms // 3:
                continue
            with contextlib.suppress(*AWAY):  # what cannot be told now is told next time
                if not await self._note(done=done, lease_until_ms=now_ms + self._lease_ms):
                    return
                told, told_ms = done, now_ms

    async def _hold(self) -> bool:
        now_ms = self._real_ms()
        async with self.runtime.database.transaction() as connection:
            return await store.claim(connection, self.upload, self.holder, now_ms, now_ms + self._lease_ms)

    async def _release(self) -> None:
        """The step is done again by whoever comes next."""
        with contextlib.suppress(*AWAY):
            async with self.runtime.database.transaction() as connection:
                await store.release(connection, self.upload.upload_id, self.holder)

    def _real_ms(self) -> int:
        return Clock.real().now_ms()

    @property
    def _lease_ms(self) -> int:
        return LEASE_MS[self.upload.state]

    async def _note(self, **values: Any) -> bool:
        async with self.runtime.database.transaction() as connection:
            return await store.note(connection, self.upload.upload_id, self.holder, **values)


def is_away(fault: Exception) -> bool:
    """A store is not there just now, and nothing is wrong with the table."""
    return isinstance(fault, AWAY) or (isinstance(fault, DBAPIError) and fault.connection_invalidated)


def _counts(outcome: Outcome) -> dict[str, Any]:
    counts = outcome.counts
    return {
        "done": 100.0,
        "rows": outcome.rows,
        "faulty": outcome.faulty,
        "opened": counts.opened,
        "changed": counts.changed,
        "unchanged": counts.unchanged,
    }


def _keeper(faults: list[RowFault]) -> Callable[[Sequence[RowFault]], None]:
    def keep(found: Sequence[RowFault]) -> None:
        faults.extend(found[: FAULTS_KEPT - len(faults)])

    return keep


async def _forget_file(runtime: Runtime, upload_id: str) -> None:
    await asyncio.to_thread(path_of(runtime, upload_id).unlink, True)
