"""Importing customers by a page: the table is kept, checked as a whole, and merged when somebody says so.

The work is done by the clock, not by the browser: whoever closes the page, or the process that dies, loses nothing.
`WAITING` states are picked up by whichever clock comes by; a lease that ran out is taken over and the step done again,
which changes nothing twice, because an import is one transaction and finds its own values there already.

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

from sqlalchemy.exc import SQLAlchemyError

from config.clock import Clock
from config.log import get_log
from config.redis import STORE_ERRORS
from config.runtime import Runtime
from queues.service.imports import Options, Outcome, RowFault, SheetError, import_table
from queues.store import uploads as store
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
WAITING: Final = (SENT, CONFIRMED)
DECIDABLE: Final = (CHECKED, REFUSED)
FAULTS_KEPT: Final = 500
RECENT: Final = 20
LEASE_S: Final = {
    SENT: 60.0,
    CONFIRMED: 600.0,
}  # a merge is one transaction, and nobody renews a lease beside it
TELL_EVERY_S: Final = 0.5
KEPT_FOR_MS: Final = 24 * 3_600_000
BLOCK: Final = 1 << 20
AWAY: Final[tuple[type[Exception], ...]] = (OSError, SQLAlchemyError, *STORE_ERRORS)
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


# The clock's work ------------------------------------------------------------------


async def work_off_uploads(runtime: Runtime) -> int:
    """The chore: everything that waits, one after the other; how many steps were done."""
    done = 0
    while (upload := await _next(runtime)) is not None:
        done += await Work(runtime, upload).run()
    return done


async def _next(runtime: Runtime) -> Upload | None:
    async with runtime.database.read() as connection:
        return await store.next_of(connection, runtime.settings.site, WAITING, Clock.real().now_ms())


async def tidy_uploads(runtime: Runtime) -> int:
    """The chore: a table that nobody has decided about for a day is thrown away, and files that belong to nothing."""
    before_ms = runtime.clock.now_ms() - KEPT_FOR_MS
    async with runtime.database.read() as connection:
        lying = await store.left_lying(connection, runtime.settings.site, DECIDABLE, before_ms)
    tidied = sum([await discard(runtime, upload_id) for upload_id in lying])
    for upload_id in await asyncio.to_thread(_old_files, folder_of(runtime)):
        upload = await find_upload(runtime, upload_id)
        if upload is None or upload.state in (MERGED, FAILED, DISCARDED):
            await _forget_file(runtime, upload_id)
            tidied += 1
    return tidied


def _old_files(folder: Path) -> list[str]:
    """Files that have lain here for a day by the machine's own clock."""
    before_s = Clock.real().now_ms() / 1000 - KEPT_FOR_MS / 1000
    return [each.name for each in folder.glob("*") if each.stat().st_mtime < before_s]


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
            found = await self._import_and_tell()
        except SheetError as fault:
            await self._fail(str(fault))
        except AWAY:
            raise  # a store is away: the step is done again when the lease has run out
        except Exception:
            await self._fail(UNREADABLE)
            raise
        else:
            await self._finish(found)
        return 1

    async def _import_and_tell(self) -> tuple[Outcome, list[RowFault]]:
        teller = asyncio.create_task(self._tell())
        try:
            return await self._import()
        finally:
            teller.cancel()
            await asyncio.gather(teller, return_exceptions=True)

    async def _fail(self, why: str) -> None:
        await self._note(state=FAILED, error=why, finished_ms=self.runtime.clock.now_ms())
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
        )
        outcome = await import_table(self.runtime, path, options, _keeper(faults), self._heard)
        return outcome, faults

    def _heard(self, _step: str, done: float) -> None:
        self.done = done

    async def _finish(self, found: tuple[Outcome, list[RowFault]]) -> None:
        outcome, faults = found
        is_check, now_ms = self.upload.state == SENT, self.runtime.clock.now_ms()
        state = MERGED if outcome.is_merged else CHECKED if is_check and not outcome.faulty else REFUSED
        counts = outcome.counts
        kept = [[each.row_no, each.account_no, each.field, each.what] for each in faults]
        await self._note(
            state=state,
            done=100.0,
            rows=outcome.rows,
            faulty=outcome.faulty,
            opened=counts.opened,
            changed=counts.changed,
            unchanged=counts.unchanged,
            faults=json.dumps(kept, ensure_ascii=False) if kept else None,
            finished_ms=now_ms if state == MERGED else None,
        )
        if state == MERGED:
            await _forget_file(self.runtime, self.upload.upload_id)
        log.info("upload.done", upload_id=self.upload.upload_id, state=state, rows=outcome.rows)

    async def _tell(self) -> None:
        """How far it has come, for whoever looks at the page; and that somebody is still at it."""
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            with contextlib.suppress(SQLAlchemyError):  # what cannot be told now is told next time
                await self._hold()
                await self._note(done=round(min(self.done, 100.0), 1))

    async def _hold(self) -> bool:
        now_ms = Clock.real().now_ms()
        async with self.runtime.database.transaction() as connection:
            return await store.claim(
                connection, self.upload.upload_id, self.holder, now_ms, now_ms + self._lease_ms
            )

    @property
    def _lease_ms(self) -> int:
        return round(LEASE_S[self.upload.state] * 1000)

    async def _note(self, **values: Any) -> None:
        released = {"holder": "", "lease_until_ms": 0} if "state" in values else {}
        async with self.runtime.database.transaction() as connection:
            await store.note(connection, self.upload.upload_id, self.holder, **values, **released)


def _keeper(faults: list[RowFault]) -> Callable[[Sequence[RowFault]], None]:
    def keep(found: Sequence[RowFault]) -> None:
        faults.extend(found[: FAULTS_KEPT - len(faults)])

    return keep


async def _forget_file(runtime: Runtime, upload_id: str) -> None:
    await asyncio.to_thread(path_of(runtime, upload_id).unlink, True)
