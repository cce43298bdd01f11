"""`shouwen up`: every process of an installation under one roof.

The launcher owns the listening socket and hands it to each web process, so a web process that dies or restarts
makes connections wait instead of failing. A process that ends unasked is started again; the store is the first
to start and the last to stop. The Procfile says the same for those who bring their own supervisor.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config.log import get_log
from config.redis import wait_for_store
from config.settings import Settings

log = get_log(__name__)

STOP_WITHIN_S = 10.0
RESTART_AFTER_S = (0.2, 0.5, 1.0, 2.0, 5.0)
STEADY_AFTER_S = 30.0
LOOPS = ("dispatcher", "scribe", "worker", "clock")


@dataclass
class Child:
    """One process of the installation and how often it had to be started again."""

    name: str
    arguments: tuple[str, ...]
    inherits: tuple[int, ...] = ()
    process: asyncio.subprocess.Process | None = None
    keeper: asyncio.Task[None] | None = None
    restarts: int = 0
    is_stopping: bool = False


@dataclass
class Launcher:
    """Starts, keeps and stops the processes.

    `environ` is what they are given; `logs` a folder for one log file each, or None for the launcher's own
    output; `counts` how many of each (1 where it is silent).
    """

    settings: Settings
    environ: Mapping[str, str]
    logs: Path | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    children: list[Child] = field(default_factory=list)
    listener: socket.socket | None = None

    async def start(self) -> None:
        """Open the socket, start the store, bring the database up to date, start the rest."""
        self.listener = listen(self.settings.host, self.settings.port)
        if self.settings.redis_url is None:
            await self._keep(Child("store", ("store",)))
        await wait_for_store(self.settings)
        await self._release()
        inherited = self.listener.fileno()
        web = ("web", "--fd", str(inherited))
        for number in range(self.counts.get("web", 1)):
            await self._keep(Child(numbered("web", number), web, (inherited,)))
        for name in LOOPS:
            for number in range(self.counts.get(name, 1)):
                await self._keep(Child(numbered(name, number), (name,)))

    async def kill(self, name: str) -> None:
        """SIGKILL the process of that name; its keeper starts it again."""
        for child in self.children:
            if child.name == name and child.process is not None and child.process.returncode is None:
                log.warning("process.killed", process=name, pid=child.process.pid)
                child.process.kill()
                return
        raise LookupError(
            f"no process named {name!r} is running; there are {[c.name for c in self.children]}"
        )

    async def stop(self) -> None:
        """Ask all to stop, the store last; insist after ten seconds."""
        others = [child for child in self.children if child.name != "store"]
        await asyncio.gather(*(self._stop(child) for child in others))
        await asyncio.gather(*(self._stop(child) for child in self.children if child.name == "store"))
        if self.listener is not None:
            self.listener.close()

    async def _release(self) -> None:
        process = await self._spawn(Child("release", ("release",)))
        if await process.wait() != 0:
            raise RuntimeError("the database could not be brought up to date; the lines above say why")

    async def _keep(self, child: Child) -> None:
        child.process = await self._spawn(child)
        child.keeper = asyncio.create_task(self._watch(child))
        self.children.append(child)

    async def _watch(self, child: Child) -> None:
        while True:
            started = time.monotonic()
            code = await child.process.wait() if child.process is not None else None
            if child.is_stopping:
                return
            steady = time.monotonic() - started > STEADY_AFTER_S
            child.restarts = 0 if steady else child.restarts + 1
            pause_s = RESTART_AFTER_S[min(child.restarts, len(RESTART_AFTER_S) - 1)]
            log.warning("process.ended", process=child.name, code=code, again_in_s=pause_s)
            await asyncio.sleep(pause_s)
            if child.is_stopping:
                return
            child.process = await self._spawn(child)

    async def _spawn(self, child: Child) -> asyncio.subprocess.Process:
        with contextlib.ExitStack() as stack:
            output = None
            if self.logs is not None:
                self.logs.mkdir(parents=True, exist_ok=True)
                output = stack.enter_context((self.logs / f"{child.name}.log").open("ab"))
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "ivr",
                *child.arguments,
                env={**self.environ, "SHOUWEN_PROCESS": child.name},
                pass_fds=child.inherits,
                stdout=output,
                stderr=output,
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches the launcher alone, which stops them in order
            )

    async def _stop(self, child: Child) -> None:
        child.is_stopping = True
        process = child.process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_WITHIN_S)
            except TimeoutError:
                log.warning("process.insisted", process=child.name)
                process.kill()
                await process.wait()
        if child.keeper is not None:
            child.keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await child.keeper


def numbered(name: str, number: int) -> str:
    """`web`, `web.2`, `web.3`: the names in logs and for `kill`."""
    return name if number == 0 else f"{name}.{number + 1}"


def listen(host: str, port: int) -> socket.socket:
    """The socket every web process accepts from."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise RuntimeError(f"HOST:PORT {host}:{port} cannot be listened on: {error.strerror}") from error
    listener.listen(512)
    listener.set_inheritable(True)
    return listener


async def run_until_stopped(settings: Settings, environ: Mapping[str, str], counts: Mapping[str, int]) -> int:
    """`shouwen up`: all processes until SIGINT or SIGTERM."""
    launcher = Launcher(settings, environ, counts=counts)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        await launcher.start()
        log.info(
            "up", url=settings.public_base_url, listening=f"{settings.host}:{settings.port}", pid=os.getpid()
        )
        await stopped.wait()
    finally:
        await launcher.stop()
    return 0
