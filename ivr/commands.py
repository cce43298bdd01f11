"""What each `shouwen` command does: open the runtime, run one thing, close it again."""

import argparse
import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import uvicorn
from sqlalchemy import select
from starlette.applications import Starlette

from config import jobs, migrations, store_server, tally
from config.log import configure_log, get_log
from config.redis import WAIT_FOR_STORE_S, wait_for_store
from config.runtime import Runtime, open_runtime, settle
from config.settings import Settings
from config.site_files import SiteFilesError
from config.web.accounts import NameTaken, accounts, create_account
from ivr import doctor as doctor_room
from ivr.app import build, link
from ivr.check import told
from ivr.launcher import run_until_stopped
from ivr.service import reconcile as reconcile_room
from ivr.service import trials, versions
from ivr.service.hotlines import read_hotline
from queues import clockwork as queues_clockwork
from queues import dispatcher as queues_dispatcher
from queues import figures as queues_figures
from queues import scribe as queues_scribe
from queues.domain.faults import SiteFaults
from queues.service import closings, figuring
from queues.service.plans import plan_of
from recordings import chores as recordings_chores
from recordings import scribe as recordings_scribe

log = get_log(__name__)
Loop = Callable[[Runtime], Awaitable[None]]
STREAMS_END_WITHIN_S = 3
ASK_AGAIN_AFTER_S = 0.5
AUDIO_JOBS = "audio"
OPERATOR = "operator"


@contextlib.asynccontextmanager
async def opened(settings: Settings, *, store_within_s: float = WAIT_FOR_STORE_S) -> AsyncIterator[Runtime]:
    """The runtime with the words in force."""
    async with open_runtime(
        settings, store_within_s=store_within_s, first_words=versions.first_words
    ) as runtime:
        settle()
        yield runtime


@contextlib.asynccontextmanager
async def followed(settings: Settings, *, store_within_s: float = WAIT_FOR_STORE_S) -> AsyncIterator[Runtime]:
    """The same for a process that stays: it takes up whatever words come into force."""
    async with opened(settings, store_within_s=store_within_s) as runtime:
        following = [
            asyncio.create_task(each(runtime)) for each in (versions.follow, closings.follow, tally.follow)
        ]
        try:
            yield runtime
        finally:
            for task in following:
                await end(task)


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
        async with followed(settings, store_within_s=0) as runtime:
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
    """Journal to SQL, jobs to the work queues, and the figures added up."""

    async def all_three(runtime: Runtime) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(queues_scribe.run(runtime))
            group.create_task(queues_figures.run(runtime))
            group.create_task(recordings_scribe.run(runtime))

    return run_loop(settings, all_three)


def clock(settings: Settings, _: argparse.Namespace) -> int:
    """Sweeps, watches and timed work."""

    async def chores(runtime: Runtime) -> None:
        every = [
            *queues_clockwork.own_chores(recordings_chores.READERS),
            *recordings_chores.own_chores(),
            *reconcile_room.own_chores(),
            *versions.own_chores(),
            *trials.own_chores(),
        ]
        await queues_clockwork.run(runtime, every)

    return run_loop(settings, chores)


def worker(settings: Settings, _: argparse.Namespace) -> int:
    """The job queues, the most urgent tickets first; those of words that come into force as well."""
    configure(settings)

    def names(runtime: Runtime) -> Sequence[str]:
        return (*plan_of(runtime).work_queues(), AUDIO_JOBS, trials.WORK_QUEUE)

    asyncio.run(wait_for_store(settings))
    jobs.run_worker(settings, names, opened, beside_jobs)
    return 0


async def beside_jobs(runtime: Runtime) -> None:
    """What a worker does besides: takes up new words, and tells what it has counted."""
    async with asyncio.TaskGroup() as group:
        group.create_task(versions.follow(runtime))
        group.create_task(tally.follow(runtime))


def store(settings: Settings, _: argparse.Namespace) -> int:
    """The embedded live store, in the foreground."""
    configure(settings)
    if settings.redis_url is not None:
        print("REDIS_URL is set: the store is there, not here.", file=sys.stderr)
        return 2
    store_server.run_store(settings)
    return 0


def release(settings: Settings, _: argparse.Namespace) -> int:
    """Bring the database up to date, raise the live store above what it has seen, put new words in force."""
    configure(settings)
    migrations.upgrade(settings)

    async def prepare() -> None:
        async with opened(settings) as runtime:
            await queues_dispatcher.raise_counters(runtime)
            await figuring.begin(runtime)
            try:
                await versions.release(runtime)
            except (SiteFilesError, SiteFaults) as fault:
                print(
                    f"{fault}\nThe folder was not taken; version {runtime.site_files.version} stays in force.",
                    file=sys.stderr,
                )

    try:
        asyncio.run(prepare())
    except (SiteFilesError, SiteFaults) as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


def reload(settings: Settings, chosen: argparse.Namespace) -> int:
    """The folder's words come into force in every process, for the calls that begin from now on."""
    configure(settings)

    async def once() -> versions.Change:
        async with opened(settings) as runtime:
            return await versions.reload(runtime, by=OPERATOR)

    try:
        change = asyncio.run(once())
    except (SiteFilesError, SiteFaults) as fault:
        print(f"{fault}\nNothing was changed.", file=sys.stderr)
        return 1
    print("\n".join(said_of(change, chosen.language)))
    return 0


def said_of(change: versions.Change, language: str | None) -> list[str]:
    """What came into force, and what that does."""
    if not change.is_new:
        return [f"Version {change.now.version} is in force already; nothing changes."]
    head = f"Version {change.now.version} is in force (before: {change.before.version})."
    try:
        before = read_hotline(change.before)
    except SiteFaults:  # words of an older release of this software
        return [head]
    return [head, *told(before, read_hotline(change.now), language)]


def reconcile(settings: Settings, _: argparse.Namespace) -> int:
    """Compare with the provider and fill what was missed; prints what was found."""
    configure(settings)

    async def once() -> str:
        async with opened(settings) as runtime:
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


def doctor(settings: Settings, _: argparse.Namespace) -> int:
    """What is set, what is missing, what the provider must be given."""
    return asyncio.run(doctor_room.examine(settings))


def configure(settings: Settings) -> None:
    configure_log(settings.log_level, settings.log_format)


def run_loop(settings: Settings, loop: Loop) -> int:
    """Run a loop in an open runtime until SIGTERM or SIGINT, then let it close what it holds."""
    configure(settings)

    async def until_told() -> None:
        async with followed(settings) as runtime:
            link(runtime)
            task, told = asyncio.ensure_future(loop(runtime)), asyncio.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, told.set)
            telling = asyncio.ensure_future(told.wait())
            await asyncio.wait({task, telling}, return_when=asyncio.FIRST_COMPLETED)
            telling.cancel()
            await end(task)

    asyncio.run(until_told())
    return 0


async def end(task: "asyncio.Future[None]") -> None:
    """Stop a loop, and let what it raises be seen."""
    while not task.done():  # the client of the live store may swallow one cancellation
        task.cancel()
        await asyncio.wait({task}, timeout=ASK_AGAIN_AFTER_S)
    with contextlib.suppress(asyncio.CancelledError):
        await task
