"""`shouwen`, typed by an operator of the house under test."""

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass

from config.runtime import Runtime
from tests.conftest import ENVIRONMENT


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


async def shouwen(runtime: Runtime, *words: str) -> Said:
    """Run one command to its end, in a process of its own."""
    settings = runtime.settings
    environ = {
        **os.environ,
        **ENVIRONMENT,
        "SITES_DIR": str(settings.sites_dir),
        "SITE": settings.site,
        "STATE_DIR": str(settings.state_dir),
        "REDIS_URL": settings.redis_url or "",
        "DATABASE_URL": settings.database_url or "",
    }
    command = [sys.executable, "-m", "ivr", *words]
    done = await asyncio.to_thread(
        subprocess.run, command, env=environ, capture_output=True, text=True, check=False, timeout=180
    )
    return Said(done.returncode, done.stdout, done.stderr)
