"""What each `shouwen` command does: open the runtime, run one thing, close it again."""

import argparse
import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvicorn
from sqlalchemy import select
from starlette.applications import Starlette

from config import jobs, migrations, store_server
from config.log import configure_log, get_log
from config.redis import wait_for_store
from config.runtime import Runtime, open_runtime
from config.settings import Settings
from config.site_files import SiteFilesError
from config.site_files import read as read_site
from config.web.accounts import NameTaken, accounts, create_account
from ivr import doctor as doctor_room
from ivr.app import build, link
from ivr.domain.menus import load_menu
from ivr.launcher import run_until_stopped
from ivr.service import reconcile as reconcile_room
from queues import clockwork as queues_clockwork
from queues import dispatcher as queues_dispatcher
from queues import scribe as queues_scribe
from queues.domain.bounds import exempt, passing_bounds
from queues.domain.faults import SiteFaults
from queues.domain.plan import load_plan
from recordings import chores as recordings_chores
from recordings import scribe as recordings_scribe

log = get_log(__name__)
Loop = Callable[[Runtime], Awaitable[None]]
STREAMS_END_WITHIN_S = 3
ASK_AGAIN_AFTER_S = 0.5
SITES_DIR = Path(__file__).parent.parent / "config" / "sites"


def up(settings: Settings, chosen: argparse.Namespace) -> int:
    """Every process here, until Ctrl-C."""
    configure(settings)
    counts = {name: getattr(chosen, name) for name in ("web", "dispatcher", "scribe", "worker", "clock")}
    try:
        return asyncio.run(run_until_stopped(settings, os.environ, counts))
    except RuntimeError as fault:
        print(fault, file=sys.stderr)
        return 2


def web(settings: Settings, chosen: argparse.Namespace) -> int:
    """Webhooks and pages, on the launcher's socket or on one of its own. Starts also while the store is away."""
    configure(settings)

    async def serve() -> None:
        async with open_runtime(settings, store_within_s=0) as runtime:
            given = [socket.socket(fileno=chosen.fd)] if chosen.fd is not None else None
            server = FrontDoor(
                uvicorn.Config(
                    build(runtime),
                    host=settings.host,
                    port=settings.port,
                    log_config=None,
                    access_log=False,
                    server_header=False,
                    proxy_headers=False,  # what a proxy claims is not believed; PUBLIC_BASE_URL says who we are
                    timeout_graceful_shutdown=STREAMS_END_WITHIN_S,
                )
            )
            await server.serve(sockets=given)

    asyncio.run(serve())
    return 0


class FrontDoor(uvicorn.Server):
    """Ends the pages' streams first when it is told to stop: they would hold it up until the limit."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app = self.config.app
        if isinstance(app, Starlette):
            await app.state.tail.stop()
        await super().shutdown(sockets)


def dispatcher(settings: Settings, _: argparse.Namespace) -> int:
    """Match waiting calls with agents, ring them, perform what is due."""
    return run_loop(settings, queues_dispatcher.run)


def scribe(settings: Settings, _: argparse.Namespace) -> int:
    """Journal to SQL, and jobs to the work queues."""

    async def both(runtime: Runtime) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(queues_scribe.run(runtime))
            group.create_task(recordings_scribe.run(runtime))

    return run_loop(settings, both)


def clock(settings: Settings, _: argparse.Namespace) -> int:
    """Sweeps, watches and timed work."""

    async def chores(runtime: Runtime) -> None:
        every = [
            *queues_clockwork.own_chores(recordings_chores.READERS),
            *recordings_chores.own_chores(),
            *reconcile_room.own_chores(),
        ]
        await queues_clockwork.run(runtime, every)

    return run_loop(settings, chores)


def worker(settings: Settings, _: argparse.Namespace) -> int:
    """The job queues, the most urgent tickets first."""
    configure(settings)
    plan = load_plan(read_site(settings.sites_dir / settings.site))
    urgent_first = sorted(plan.ticket_types.values(), key=lambda kind: kind.priority)
    names = list(dict.fromkeys(kind.work_queue for kind in urgent_first))
    asyncio.run(wait_for_store(settings))
    jobs.run_worker(settings, [*names, "audio"])
    return 0


def store(settings: Settings, _: argparse.Namespace) -> int:
    """The embedded live store, in the foreground."""
    configure(settings)
    if settings.redis_url is not None:
        print("REDIS_URL is set: the store is there, not here.", file=sys.stderr)
        return 2
    store_server.run_store(settings)
    return 0


def release(settings: Settings, _: argparse.Namespace) -> int:
    """Bring the database up to date, and raise the live store above what it has seen."""
    configure(settings)
    migrations.upgrade(settings)

    async def raise_counters() -> None:
        async with open_runtime(settings) as runtime:
            await queues_dispatcher.raise_counters(runtime)

    asyncio.run(raise_counters())
    return 0


def reconcile(settings: Settings, _: argparse.Namespace) -> int:
    """Compare with the provider and fill what was missed; prints what was found."""
    configure(settings)

    async def once() -> str:
        async with open_runtime(settings) as runtime:
            link(runtime)
            return str(await reconcile_room.reconcile(runtime))

    print(asyncio.run(once()))
    return 0


def init(settings: Settings, chosen: argparse.Namespace) -> int:
    """The first account: asks for a name, prints a password once, to be changed at the first sign-in."""
    if not chosen.name and not sys.stdin.isatty():
        print("--name: who is the first account for? There is no terminal to ask on.", file=sys.stderr)
        return 2
    name = (chosen.name or input("Name of the first account (an administrator): ")).strip()
    password = secrets.token_urlsafe(9)
    migrations.upgrade(settings)

    async def make() -> None:
        from config.database import Database, database_url

        database = Database(database_url(settings))
        try:
            async with database.read() as connection:
                if (await connection.execute(select(accounts.c.name).limit(1))).first() is not None:
                    raise ValueError(
                        "there are accounts already: shouwen people add makes more, people list shows them"
                    )
            await create_account(
                database, name=name, password=password, role="admin", must_change_password=True
            )
        finally:
            await database.close()

    try:
        asyncio.run(make())
    except (NameTaken, ValueError) as refused:
        print(str(refused) or refused.__doc__, file=sys.stderr)
        return 2
    print(f"{name} may sign in at {settings.public_base_url}/sign-in with the password\n\n    {password}\n")
    print("and is asked for a new one there. It is shown only now.")
    return 0


def check(chosen: argparse.Namespace) -> int:
    """Read a site's folder; every fault with its place. Needs no installation, only SITES_DIR where it is set."""
    sites_dir = Path(os.environ.get("SITES_DIR") or SITES_DIR)
    folder = Path(chosen.site) if "/" in chosen.site else sites_dir / chosen.site
    if not folder.is_dir():
        known = ", ".join(sorted(path.name for path in sites_dir.glob("*/"))) or "none"
        print(f"there is no site {chosen.site!r}: no folder {folder}; there are: {known}", file=sys.stderr)
        return 2
    try:
        files = read_site(folder)
        plan = load_plan(files)
        menu = load_menu(files, plan)
    except (SiteFilesError, SiteFaults) as fault:
        print(fault, file=sys.stderr)
        return 1
    sizes = f"{len(menu.nodes)} menu nodes, {len(plan.queues)} queues, {len(plan.tiers)} tiers"
    print(f"{plan.site}: {sizes}, version {plan.version}; no faults.")
    for bound in passing_bounds(plan):
        print(f"  {bound.ahead} may pass {bound.behind} who came up to {bound.by_ms / 1000:g} s earlier")
    print(f"  always first, whoever calls: {', '.join(exempt(plan)) or 'nobody'}")
    return 0


def doctor(settings: Settings, _: argparse.Namespace) -> int:
    """What is set, what is missing, what the provider must be given."""
    return asyncio.run(doctor_room.examine(settings))


def configure(settings: Settings) -> None:
    configure_log(settings.log_level, settings.log_format)


def run_loop(settings: Settings, loop: Loop) -> int:
    """Run a loop in an open runtime until SIGTERM or SIGINT, then let it close what it holds."""
    configure(settings)

    async def until_told() -> None:
        async with open_runtime(settings) as runtime:
            link(runtime)
            task, told = asyncio.ensure_future(loop(runtime)), asyncio.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, told.set)
            telling = asyncio.ensure_future(told.wait())
            await asyncio.wait({task, telling}, return_when=asyncio.FIRST_COMPLETED)
            telling.cancel()
            while not task.done():  # the client of the live store may swallow one cancellation
                task.cancel()
                await asyncio.wait({task}, timeout=ASK_AGAIN_AFTER_S)
            with contextlib.suppress(asyncio.CancelledError):
                await task

    asyncio.run(until_told())
    return 0
