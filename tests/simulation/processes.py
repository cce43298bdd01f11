"""Real processes of the house, started as the Procfile starts them, on the stores of a town."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from config.settings import Settings
from tests.simulation.town import LeapingClock, until

Process = asyncio.subprocess.Process
# Only what never comes is waited for so long: on a machine that is busy six of them take minutes to start.
START_S = 300.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environ_of(settings: Settings, clock: LeapingClock) -> dict[str, str]:
    """What a process is told so that it finds the stores and the telephone company of these settings."""
    told = {
        "SHOUWEN_ENV": "test",
        "PUBLIC_BASE_URL": settings.public_base_url,
        "HOST": "127.0.0.1",
        "PORT": settings.public_base_url.rpartition(":")[2],
        "SECRET_KEY": settings.secret_key,
        "STATE_DIR": str(settings.state_dir),
        "REDIS_URL": settings.redis_url,
        "DATABASE_URL": settings.database_url,
        "TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "TWILIO_AUTH_TOKEN": settings.twilio_auth_token,
        "TWILIO_BASE_URL": settings.twilio_base_url,
        "HOTLINE_NUMBERS": ",".join(f"{name}={number}" for name, number in settings.hotline_numbers.items()),
        "SHOUWEN_CLOCK": clock.as_text(),
        "LOG_FORMAT": "json",
    }
    return {name: value for name, value in told.items() if value}


@dataclass
class Processes:
    """Started here, ended here: whatever a story leaves running is killed after it."""

    environ: Mapping[str, str]
    logs: Path
    started: list[Process] = field(default_factory=list)

    async def start(self, *words: str, fd: int | None = None, **changes: str) -> Process:
        """`shouwen <words>`; with `fd` on a socket that is ours."""
        inherited = () if fd is None else (fd,)
        given = (*words, *(("--fd", str(fd)) if inherited else ()))
        with (self.logs / f"{len(self.started)}-{words[0]}.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "ivr", *given),
                env={**os.environ, **self.environ, **changes},
                pass_fds=inherited,
                stdout=log,
                stderr=log,
                stdin=asyncio.subprocess.DEVNULL,
            )
        self.started.append(process)
        return process

    async def said(self, *words: str, **changes: str) -> str:
        """The last line that a command prints."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ivr", *words),
            env={**os.environ, **self.environ, **changes},
            stdout=asyncio.subprocess.PIPE,
            stdin=asyncio.subprocess.DEVNULL,
        )
        self.started.append(process)
        printed, _ = await process.communicate()
        assert process.returncode == 0, printed.decode()
        return printed.decode().splitlines()[-1]

    async def kill(self, process: Process) -> None:
        """As a crash would."""
        process.kill()
        assert await process.wait() == -signal.SIGKILL

    async def close(self) -> None:
        for process in self.started:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def by_pid(self, pid: int) -> Process:
        return next(process for process in self.started if process.pid == pid)


async def is_serving(url: str) -> None:
    """Wait until the front door of this address answers."""

    async def answers() -> bool:
        async with httpx2.AsyncClient(base_url=url, timeout=5) as client:
            try:
                return (await client.get("/health/live")).status_code == 200
            except httpx2.TransportError:
                return False

    await until(answers, within_s=START_S)
