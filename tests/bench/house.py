"""A whole installation for the length of one bench: the embedded store, SQL in a file, processes of its own.

It lives in a temporary folder, believes nothing of the environment it was started in, and is gone afterwards,
whatever happened. What the product logs goes to a file there, at the usual level, because writing the log is
part of the work.
"""

import asyncio
import contextlib
import functools
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.clock import Clock
from config.log import configure_log
from config.migrations import upgrade_url
from config.redis import wait_for_store
from config.runtime import Runtime, open_runtime, settle
from config.settings import load_settings
from config.store_server import start_store
from config.telephony import Telephony
from ivr.app import link
from queues.domain.plan import Plan
from queues.service.plans import plan_of
from queues.service.switchboard import Switchboard
from tests.house.places import ROOT

KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
DATABASE = "shouwen.sqlite"
TOKEN = "the token of a bench"
ENVIRONMENT = {
    "SHOUWEN_ENV": "test",
    "PUBLIC_BASE_URL": "https://hotline.example",
    "SECRET_KEY": "a secret for benches, of no worth at all",
    "TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000001",
    "TWILIO_AUTH_TOKEN": TOKEN,
    "TWILIO_BASE_URL": "http://127.0.0.1:9",  # nobody: a bench rings no phone
    "HOTLINE_NUMBERS": "main=+8657195598000,key_line=+8657195598001",
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "info",
}


@functools.cache
def empty_database() -> bytes:
    """A database with all its tables and nothing in them; made once, because that takes longer than some benches."""
    with tempfile.TemporaryDirectory(prefix="shouwen-bench-") as folder:
        path = Path(folder) / DATABASE
        upgrade_url(f"sqlite+aiosqlite:///{path}")
        return path.read_bytes()


@dataclass(frozen=True)
class House:
    folder: Path
    environ: Mapping[str, str]
    runtime: Runtime
    plan: Plan
    board: Switchboard

    @contextlib.asynccontextmanager
    async def process(
        self, name: str, words: Sequence[str], *, fds: Sequence[int] = ()
    ) -> AsyncIterator[None]:
        """`python WORDS` in this installation, until the block ends."""
        with (self.folder / f"{name}.log").open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *words,
                cwd=ROOT,
                env={**self.environ, "SHOUWEN_PROCESS": name},
                pass_fds=tuple(fds),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            yield
        finally:
            await _end(process)

    async def scripts_busy_ms(self) -> float:
        """How long the live store has worked on scripts so far, by its own count."""
        stats = await self.runtime.redis.info("commandstats")
        return float(stats.get("cmdstat_evalsha", {}).get("usec", 0)) / 1000


@contextlib.asynccontextmanager
async def furnished(
    *, telephony: Telephony | None = None, clock: Clock | None = None, database_url: str | None = None
) -> AsyncIterator[House]:
    """With `database_url` on a database that is there; it is not emptied."""
    with tempfile.TemporaryDirectory(prefix="shouwen-bench-") as name, contextlib.ExitStack() as closing:
        folder = Path(name)
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        environ = {**kept, **ENVIRONMENT, "STATE_DIR": str(folder / "state")}
        if database_url:
            environ["DATABASE_URL"] = database_url
        settings = load_settings(environ)
        output = closing.enter_context((folder / "bench.log").open("w", encoding="utf-8"))
        closing.enter_context(contextlib.redirect_stdout(output))
        configure_log(settings.log_level, "json", "bench")
        closing.callback(start_store(settings).stop)
        await wait_for_store(settings)
        (settings.state_dir / DATABASE).write_bytes(empty_database())
        async with open_runtime(settings, telephony=telephony) as runtime:
            runtime.clock = clock or runtime.clock
            link(runtime)
            plan = plan_of(runtime)
            settle()
            yield House(folder, environ, runtime, plan, Switchboard(runtime))


@contextlib.asynccontextmanager
async def running(loop: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """A loop of the product beside the block, in this process."""
    task = asyncio.ensure_future(loop)
    try:
        yield
    finally:
        while not task.done():  # the client of the live store may swallow one cancellation
            task.cancel()
            await asyncio.wait({task}, timeout=1)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 10)
    except TimeoutError:
        process.kill()
        await process.wait()
