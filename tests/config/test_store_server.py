"""The embedded store: one per directory, reachable by its owner alone, and what it acknowledged it keeps."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest
from redis.asyncio import Redis

from config import redis as live
from config.settings import Settings, load_settings
from config.store_server import StoreHandle, StoreTakenError, socket_path, start_store

Start = Callable[[], StoreHandle]

COUNT_SLOWLY = "redis.call('INCR', KEYS[1]) for turn = 1, 50000000 do end"
THE_STORE_PROCESS = """
from config.settings import load_settings
from config.store_server import run_store
run_store(load_settings())
"""
A_PARENT = """
import time
from config.settings import load_settings
from config.store_server import start_store
handle = start_store(load_settings())
time.sleep(60)
"""


def settings_in(directory: Path) -> Settings:
    return load_settings({"SHOUWEN_ENV": "test", "STATE_DIR": str(directory), "SECRET_KEY": "x" * 32})


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    """An installation with an embedded store of its own, not yet started."""
    return settings_in(tmp_path / "state")


@pytest.fixture
async def start(own: Settings) -> AsyncIterator[Start]:
    started: list[StoreHandle] = []

    def start() -> StoreHandle:
        started.append(start_store(own))
        return started[-1]

    yield start
    for handle in started:
        handle.kill()


async def test_what_was_acknowledged_survives_sigkill_and_sigterm(own: Settings, start: Start) -> None:
    first = start()
    await live.wait_for_store(own)
    async with live.connect(own) as client:
        for number in range(500):
            await client.rpush("lines", number)
        first.kill()

        second = start()
        await live.wait_for_store(own)
        # The same client: a connection that died meanwhile is replaced without an error.
        assert await client.lrange("lines", 0, -1) == [str(number) for number in range(500)]
        await client.rpush("lines", "last")
        second.stop()
        assert second.process.returncode == 0

        start()
        await live.wait_for_store(own)
        assert await client.llen("lines") == 501


async def test_the_store_listens_to_its_owner_alone_and_on_no_port(own: Settings, start: Start) -> None:
    start()
    await live.wait_for_store(own)
    assert stat.S_IMODE(socket_path(own.state_dir).stat().st_mode) == 0o600
    assert stat.S_IMODE(own.state_dir.stat().st_mode) == 0o700
    async with live.connect(own) as client:
        kept = await client.config_get()
    assert {
        name: kept[name] for name in ("port", "appendonly", "appendfsync", "maxmemory-policy", "save")
    } == {
        "port": "0",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "save": "",
    }


async def test_two_stores_cannot_share_a_directory_however_the_first_was_left(
    own: Settings, start: Start
) -> None:
    first = start()
    await live.wait_for_store(own)
    with pytest.raises(StoreTakenError):
        start()
    first.kill()
    start()
    await live.wait_for_store(own)


async def test_a_directory_too_deep_for_a_socket_gets_a_short_one_that_all_agree_on(tmp_path: Path) -> None:
    deep = settings_in(tmp_path / ("d" * 120))
    with ThreadPoolExecutor(4) as processes:  # whoever starts first, the store or those who wait for it
        (path,) = set(processes.map(socket_path, [deep.state_dir] * 8))
    client = live.connect(deep)
    for _ in range(2):
        handle = start_store(deep)
        await live.wait_for_store(deep)
        await client.ping()
        handle.stop()
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        shutil.rmtree(path.parent)  # as a system that tidies up; the next start makes it again
    await client.aclose()
    assert len(os.fsencode(path)) < 104
    assert socket_path(deep.state_dir) == path


async def test_a_short_socket_is_never_put_where_others_could_have_put_one(tmp_path: Path) -> None:
    deep = settings_in(tmp_path / ("d" * 120))
    taken = socket_path(deep.state_dir)
    taken.parent.chmod(0o777)
    handle = start_store(deep)
    await live.wait_for_store(deep)
    handle.stop()
    path = socket_path(deep.state_dir)
    assert path != taken
    for directory in (path.parent, taken.parent):
        shutil.rmtree(directory)


async def test_a_store_that_does_not_come_is_told_not_waited_for_for_ever(own: Settings) -> None:
    with pytest.raises(live.StoreAbsentError):
        await live.wait_for_store(own, within_s=0.2)


async def test_a_silent_store_costs_no_longer_than_the_limit(own: Settings, start: Start) -> None:
    handle = start()
    await live.wait_for_store(own)
    client = live.connect(own)
    client.limit_s = 0.2
    handle.process.send_signal(signal.SIGSTOP)
    with pytest.raises(live.STORE_ERRORS):
        await client.get("x")
    handle.process.send_signal(signal.SIGCONT)
    await client.aclose()


@pytest.mark.parametrize("stage", ["watch", "read", "execute", "reset"])
async def test_no_stage_of_a_transaction_waits_longer_for_a_silent_store(
    own: Settings, start: Start, stage: str
) -> None:
    handle = start()
    await live.wait_for_store(own)
    async with live.connect(own) as client:
        client.limit_s = 0.2
        pipeline = client.pipeline()
        stages: dict[str, Callable[[], Awaitable[object]]] = {
            "watch": lambda: pipeline.watch("x"),
            "read": lambda: pipeline.get("x"),
            "execute": pipeline.execute,
            "reset": pipeline.reset,
        }
        if stage != "watch":
            await pipeline.watch("x")
        if stage == "execute":
            pipeline.multi()
            pipeline.incr("x")
        handle.process.send_signal(signal.SIGSTOP)
        async with asyncio.timeout(2):
            with nullcontext() if stage == "reset" else pytest.raises(live.STORE_ERRORS):
                await stages[stage]()
        handle.process.send_signal(signal.SIGCONT)
        await pipeline.reset()
        client.limit_s = live.LIMIT_S
        await asyncio.gather(*(client.set("x", "1") for _ in range(live.CONNECTIONS_MAX)))
        assert await client.get("x") == "1", "nobody gets a reply that was meant for another"


async def test_who_watches_takes_turns_with_everybody_else(own: Settings, start: Start) -> None:
    start()
    await live.wait_for_store(own)

    async def read_watched(client: live.LiveStore) -> str | None:
        async with client.pipeline() as pipeline:
            await pipeline.watch("x")
            await asyncio.sleep(0.01)
            value: str | None = await pipeline.get("x")
            return value

    async with live.connect(own) as client:
        await client.set("x", "1")
        many = range(2 * live.CONNECTIONS_MAX)
        found = await asyncio.gather(*(read_watched(client) for _ in many), *(client.get("x") for _ in many))
        assert set(found) == {"1"}


async def test_a_command_whose_reply_was_lost_is_not_sent_again(own: Settings, start: Start) -> None:
    start()
    await live.wait_for_store(own)
    async with live.connect(own) as other, live.connect(own) as client:
        client.limit_s = 0.05
        with pytest.raises(live.STORE_ERRORS):
            await client.eval(COUNT_SLOWLY, 1, "counted")
        assert await _counted(other) == "1"


async def _counted(client: Redis) -> str | None:
    value: str | None = await client.get("counted")
    return value


async def test_the_store_process_becomes_the_server_and_sigterm_ends_it_well(own: Settings) -> None:
    """As the Procfile runs it."""
    environ = {"SHOUWEN_ENV": "test", "STATE_DIR": str(own.state_dir), "SECRET_KEY": "x" * 32}
    process = subprocess.Popen(  # noqa: ASYNC220, S603
        [sys.executable, "-c", THE_STORE_PROCESS], env={**os.environ, **environ}
    )
    try:
        await live.wait_for_store(own)
        with pytest.raises(StoreTakenError):
            start_store(own)
        async with live.connect(own) as client:
            await client.set("kept", "yes")
            info = await client.info("server")
        assert info["process_id"] == process.pid
        process.terminate()
        assert process.wait(10) == 0
    finally:
        process.kill()
    handle = start_store(own)
    await live.wait_for_store(own)
    async with live.connect(own) as client:
        assert await client.get("kept") == "yes"
    handle.stop()


async def test_a_started_store_does_not_outlive_whoever_started_it(own: Settings) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux can promise this")
    environ = {"SHOUWEN_ENV": "test", "STATE_DIR": str(own.state_dir), "SECRET_KEY": "x" * 32}
    parent = subprocess.Popen(  # noqa: ASYNC220, S603
        [sys.executable, "-c", A_PARENT], env={**os.environ, **environ}
    )
    await live.wait_for_store(own)
    assert _is_taken(own), "the store runs while whoever started it does"
    parent.kill()
    parent.wait()
    async with asyncio.timeout(10):
        while _is_taken(own):
            await asyncio.sleep(0.02)


def _is_taken(own: Settings) -> bool:
    try:
        start_store(own).kill()
    except StoreTakenError:
        return True
    return False
