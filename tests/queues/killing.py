"""Killing a process of ours in the middle of its work."""

import asyncio
import signal
import sys

from config.settings import Settings
from tests.installation import environ_of


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
        env=environ_of(settings),
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
