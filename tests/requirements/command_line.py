"""`shouwen`, typed by an operator of the house under test."""

import asyncio
import subprocess
import sys
from dataclasses import dataclass

from config.runtime import Runtime
from tests.installation import environ_of


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


async def shouwen(runtime: Runtime, *words: str) -> Said:
    """Run one command to its end, in a process of its own."""
    environ = environ_of(runtime.settings)
    command = [sys.executable, "-m", "ivr", *words]
    done = await asyncio.to_thread(
        subprocess.run, command, env=environ, capture_output=True, text=True, check=False, timeout=180
    )
    return Said(done.returncode, done.stdout, done.stderr)
