"""The rooms of a demo: its folder, addresses and secrets, and the stand-in's process."""

import asyncio
import contextlib
import json
import os
import random
import secrets
import shlex
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from config.clock import Clock
from config.settings import Settings, load_settings
from ivr.demo_plan import DemoPlan
from queues.domain.plan import Plan

LOOPBACK = "127.0.0.1"
PAGES_PORT, PROVIDER_PORT = 8300, 8400
READY_WITHIN_S = 60.0
QUARTER_MS, SEARCHED_MS = 900_000, 30 * 24 * 3_600_000


@dataclass(frozen=True, kw_only=True)
class House:
    """Where one demo lives. `environ` is what our processes are given, and nobody else."""

    folder: Path
    pages_url: str
    provider_url: str
    numbers: Mapping[str, str]
    environ: Mapping[str, str]
    settings: Settings
    password: str

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def env_file(self) -> Path:
        """What a shell reads to give `shouwen` this demo's environment; for its owner alone."""
        return self.folder / "env"


def furnish(plan: DemoPlan, site: Plan, folder: Path) -> House:
    """Choose ports and secrets; write down the environment. Stores named in the caller's own are never touched."""
    # Nobody reads along in a headless run: its ports keep out of the way of whoever has a demo open.
    aside = random.SystemRandom().randrange(1, 200) * 100 if plan.is_headless else 0
    pages = free_port(plan.port or PAGES_PORT + aside, is_fixed=bool(plan.port))
    provider = free_port(PROVIDER_PORT + aside)
    numbers = {line: f"+86571888800{order:02d}" for order, line in enumerate(site.lines)}
    origin_ms = plan.origin_ms(site.timezone, datetime.now(UTC))
    clock = Clock.starting_at(origin_ms if plan.day else opening_ms(site, origin_ms), plan.speed)
    pages_url, provider_url = f"http://{LOOPBACK}:{pages}", f"http://{LOOPBACK}:{provider}"
    ours = {
        "SHOUWEN_ENV": "demo",
        "PUBLIC_BASE_URL": pages_url,
        "HOST": LOOPBACK,
        "PORT": str(pages),
        "STATE_DIR": str(folder / "state"),
        "SECRET_KEY": secrets.token_urlsafe(32),
        "SITE": plan.folder.name,
        "SITES_DIR": str(plan.folder.parent),
        "TWILIO_ACCOUNT_SID": f"AC{secrets.token_hex(16)}",
        "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
        "TWILIO_BASE_URL": provider_url,
        "HOTLINE_NUMBERS": ",".join(f"{line}={number}" for line, number in numbers.items()),
        "FALLBACK_URL": f"{provider_url}/bins/fallback",
        "SOFTPHONE_URL": provider_url,
        "SHOUWEN_CLOCK": str(clock),
        "LOG_FORMAT": "json",
    }
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV")
    }
    house = House(
        folder=folder,
        pages_url=pages_url,
        provider_url=provider_url,
        numbers=numbers,
        environ={**kept, **ours},
        settings=load_settings(ours),
        password=secrets.token_urlsafe(9),
    )
    house.env_file.touch(0o600)
    house.env_file.write_text("".join(f"{name}={shlex.quote(ours[name])}\n" for name in ours), "utf-8")
    return house


def opening_ms(site: Plan, now_ms: int) -> int:
    """Now, or half an hour into the next hours in which the first line is open and people are called back.

    A house that is closed has nothing to show, and at night nobody sees a promise kept.
    """
    named = (next(iter(site.lines.values())).calendar, site.callback.window)
    calendars = [calendar for calendar in named if calendar is not None]

    def is_open(at_ms: int) -> bool:
        return all(site.is_open(calendar, at_ms) for calendar in calendars)

    if is_open(now_ms) and is_open(now_ms + 2 * QUARTER_MS):
        return now_ms
    opens = (later for later in range(now_ms, now_ms + SEARCHED_MS, QUARTER_MS) if is_open(later))
    return next((later + 2 * QUARTER_MS for later in opens if is_open(later + 2 * QUARTER_MS)), now_ms)


def free_port(first: int, *, is_fixed: bool = False) -> int:
    """`first`, or where it may move the next port nobody listens on."""
    for port in [first] if is_fixed else range(first, first + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"port {first} is taken; choose another with --port")


@contextlib.asynccontextmanager
async def standin_process(house: House, configuration: Mapping[str, Any]) -> AsyncIterator[None]:
    """The provider and everybody on its lines, for as long as the block runs."""
    file = house.folder / "standin.json"
    file.write_text(json.dumps(configuration, ensure_ascii=False), "utf-8")
    file.chmod(0o600)
    port = house.provider_url.rpartition(":")[2]
    house.logs.mkdir(parents=True, exist_ok=True)
    with (house.logs / "standin.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ivr.standin", "--host", LOOPBACK, "--port", port, "--config", str(file)),
            env={
                name: value
                for name, value in house.environ.items()
                if name in ("PATH", "HOME", "LANG", "PYTHONPATH", "LOG_FORMAT")
            },
            stdout=log,
            stderr=log,
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        await answers(f"{house.provider_url}/standin/state", process)
        told = await ask(f"{house.provider_url}/standin/state")
        if told["clock"] != str(house.settings.clock):
            raise RuntimeError(f"another demo took {house.provider_url} at the same moment; start again")
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()


async def answers(
    url: str, process: asyncio.subprocess.Process | None = None, within_s: float = READY_WITHIN_S
) -> None:
    """Return when the address answers 200."""
    why: object = "no answer"
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s), aiohttp.ClientSession() as session:
            while process is None or process.returncode is None:
                try:
                    async with session.get(url, timeout=aiohttp.ClientTimeout(2)) as reply:
                        if reply.status == 200:
                            return
                        why = f"HTTP {reply.status}"
                except (aiohttp.ClientError, TimeoutError) as fault:
                    why = fault
                await asyncio.sleep(0.1)
            why = f"the process ended with code {process.returncode}"
    raise RuntimeError(f"{url} does not answer: {why}")


async def ask(url: str, **question: Any) -> Any:
    """GET some JSON."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, timeout=aiohttp.ClientTimeout(10), **question) as reply,
    ):
        reply.raise_for_status()
        return await reply.json()


async def tell(url: str, body: Mapping[str, Any]) -> None:
    """POST some JSON."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, json=body, timeout=aiohttp.ClientTimeout(10)) as reply,
    ):
        reply.raise_for_status()
