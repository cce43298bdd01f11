"""One trial on its way: played in a process of its own, watched from a worker.

The job takes the trial and is over; the worker goes on to its tickets. Beside it the trial's process is fed, its
progress is written down with the lease, and it is stopped when somebody cancels, when it takes too long, or when
another worker has taken over. When the worker dies its process finds nobody to talk to and ends; the lease runs out.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import sys
import zlib
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from config.clock import Clock
from config.log import get_log
from config.redis import STORE_ERRORS
from config.runtime import Runtime
from ivr.service import trials
from ivr.service.trial_days import read_record
from ivr.service.trials import LEASE_MS
from ivr.simulation import cell
from ivr.simulation.terms import Terms
from ivr.store import trials as store
from ivr.store.trials import CANCELLED, DONE, FAILED, Trial
from queues.service.plans import plan_in, words_of

log = get_log(__name__)

AT_ONCE: Final = 1
TELL_EVERY_S: Final = 0.5
RUN_S_MAX: Final = 300.0
LINE_BYTES_MAX: Final = 1 << 26
AWAY: Final[tuple[type[Exception], ...]] = (*STORE_ERRORS, SQLAlchemyError, TimeoutError)
# What the process is given of ours: how to find the program, and nothing else.
ENVIRON: Final = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "SYSTEMROOT")
_at_work: set[asyncio.Task[None]] = set()


class Stopped(Exception):  # noqa: N818  an answer: how it ended
    """The trial is not played to the end. `state` empty: somebody else has it now."""

    def __init__(self, state: str = "", error: str = "") -> None:
        self.state = state
        self.error = error
        super().__init__(state)


async def begin(runtime: Runtime, trial_id: str) -> bool:
    """Take the trial, if it waits and nothing else runs; it goes on when this has returned."""
    holder = f"{os.getpid()}-{secrets.token_hex(4)}"
    until_ms = Clock.real().now_ms() + LEASE_MS
    async with runtime.database.transaction() as connection:
        if await store.count_running(connection, runtime.settings.site) >= AT_ONCE:
            return False
        if not await store.begin(connection, trial_id, holder, until_ms):
            return False
        trial = await store.find(connection, runtime.settings.site, trial_id)
    assert trial is not None  # noqa: S101  it was begun in this transaction
    task = asyncio.create_task(Work(runtime, trial, holder).run(), name=f"trial {trial_id}")
    _at_work.add(task)
    task.add_done_callback(_at_work.discard)
    return True


@dataclass(slots=True)
class Work:
    runtime: Runtime
    trial: Trial
    holder: str
    done: float = 0.0
    process: asyncio.subprocess.Process | None = field(default=None)

    async def run(self) -> None:
        try:
            result = await self._play_and_tell()
        except Stopped as stopped:
            if stopped.state:
                await self._end(stopped.state, error=stopped.error)
        except Exception as fault:
            log.exception("trial.failed", trial_id=self.trial.trial_id, fault=type(fault).__name__)
            await self._end(FAILED, error="broken")
        else:
            packed = zlib.compress(json.dumps(result.pop("detail"), ensure_ascii=False).encode())
            told = json.dumps(result, ensure_ascii=False)
            await self._end(DONE, result=told, detail=packed, done=100.0)
        finally:
            self._kill()
        with contextlib.suppress(*AWAY):
            await trials.push_next(self.runtime)

    async def _play_and_tell(self) -> dict[str, Any]:
        play, teller = asyncio.create_task(self._play()), asyncio.create_task(self._tell())
        try:
            await asyncio.wait((play, teller), timeout=RUN_S_MAX, return_when=asyncio.FIRST_COMPLETED)
            if play.done():
                return play.result()
            if teller.done():
                teller.result()
            raise Stopped(FAILED, "too_long")
        finally:
            self._kill()
            for task in (play, teller):
                task.cancel()
            await asyncio.gather(play, teller, return_exceptions=True)
            if self.process is not None:
                await self.process.wait()

    async def _play(self) -> dict[str, Any]:
        terms = Terms.from_json(self.trial.terms)
        before, after = [await words_of(self.runtime, each) for each in (terms.before, terms.after)]
        if before is None or after is None:
            raise Stopped(FAILED, "no_version")
        record = await read_record(self.runtime, plan_in(before), terms)
        order = await asyncio.to_thread(cell.order, terms, record, before, after)
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "ivr.simulation.cell"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={name: os.environ[name] for name in ENVIRON if name in os.environ},
            limit=LINE_BYTES_MAX,
        )
        assert self.process.stdin is not None and self.process.stdout is not None  # noqa: S101, PT018  both are pipes
        self.process.stdin.write(f"{order}\n".encode())
        await self.process.stdin.drain()
        while line := await self.process.stdout.readline():
            told: dict[str, Any] = json.loads(line)
            if "result" in told:
                result: dict[str, Any] = told["result"]
                return result
            self.done = told["done"]
        raise RuntimeError("the process of the trial ended without a result")

    async def _tell(self) -> None:
        """How far it is, for whoever looks at the page; until somebody cancels, or somebody else has it."""
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            with contextlib.suppress(*AWAY):  # what cannot be told now is told next time
                until_ms = Clock.real().now_ms() + LEASE_MS
                async with self.runtime.database.transaction() as connection:
                    if not await store.note(
                        connection, self.trial.trial_id, self.holder, done=self.done, lease_until_ms=until_ms
                    ):
                        raise Stopped
                    found = await store.find(connection, self.runtime.settings.site, self.trial.trial_id)
                if found is not None and found.is_cancelled:
                    raise Stopped(CANCELLED)

    async def _end(self, state: str, **values: Any) -> None:
        """It is over; what cannot be written down is found by the watch."""
        with contextlib.suppress(*AWAY):
            async with self.runtime.database.transaction() as connection:
                await store.end(
                    connection,
                    self.trial.trial_id,
                    state,
                    self.runtime.clock.now_ms(),
                    holder=self.holder,
                    **values,
                )
            log.info("trial.ended", trial_id=self.trial.trial_id, state=state)

    def _kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
