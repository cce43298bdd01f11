"""Killing a process of ours in the middle of its work."""

import asyncio
import os
import signal
import sys

from config.settings import Settings
from tests.conftest import ENVIRONMENT


async def kill_when_stuck(
    process: str, settings: Settings, *words: str, module: str = "tests.queues.stuck"
) -> None:
    """Start it, wait until it is in the middle, and SIGKILL it there."""
    stuck = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        process,
        *words,
        env={
            **os.environ,
            **ENVIRONMENT,
            "STATE_DIR": str(settings.state_dir),
            "REDIS_URL": settings.redis_url or "",
            "DATABASE_URL": settings.database_url or "",
        },
        stdout=asyncio.subprocess.PIPE,
    )
    assert stuck.stdout is not None
    said = b""
    async with asyncio.timeout(60):
        while line := await stuck.stdout.readline():
            said += line
            if line == b"stuck\n":
                break
    assert line == b"stuck\n", said.decode()
    stuck.send_signal(signal.SIGKILL)
    assert await stuck.wait() == -signal.SIGKILL
