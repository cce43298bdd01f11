"""Work queues over a real server and RQ's own worker, which is told to stop, or killed."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from config import jobs as work
from config import redis as live
from config.jobs import FailedJob, JobQueue, NoWorkerError
from config.runtime import Runtime
from config.settings import Settings
from config.store_server import start_store
from tests.config import workshop
from tests.installation import environ_of

NOTE = "tests.config.workshop.note"
NOTE_SLOWLY = "tests.config.workshop.note_slowly"
FAIL = "tests.config.workshop.fail"

THE_WORKER_PROCESS = """
import sys
from config.jobs import run_worker
from config.settings import load_settings
run_worker(load_settings(), sys.argv[1:])
"""

StartWorker = Callable[[Settings], "subprocess.Popen[bytes]"]


@pytest.fixture
def start_worker() -> Iterator[StartWorker]:
    """The worker as the Procfile runs it, on the queues "urgent" and "complaint"."""
    started: list[subprocess.Popen[bytes]] = []

    def start(settings: Settings) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", THE_WORKER_PROCESS, "urgent", "complaint"]
        started.append(subprocess.Popen(command, env=environ_of(settings)))  # noqa: S603
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


async def notes(runtime: Runtime) -> list[str]:
    written: list[str] = await runtime.redis.lrange(workshop.NOTES, 0, -1)
    return written


async def noted(runtime: Runtime, item: str) -> None:
    async with asyncio.timeout(30):
        while item not in await notes(runtime):
            await asyncio.sleep(0.02)


async def ended(process: "subprocess.Popen[bytes]") -> int:
    return await asyncio.to_thread(process.wait, 30)


async def test_an_id_pushed_twice_is_one_job_before_and_after_it_was_done(runtime: Runtime) -> None:
    pushes = [runtime.jobs.push("complaint", NOTE, "CA1-note-1", item=str(number)) for number in range(8)]
    assert sorted(await asyncio.gather(*pushes)) == [False] * 7 + [True]
    assert await runtime.jobs.waiting("complaint") == 1

    await work.work_off(runtime, ["complaint"])

    assert len(await notes(runtime)) == 1
    assert not await runtime.jobs.push("complaint", NOTE, "CA1-note-1", item="again")
    await work.work_off(runtime, ["complaint"])
    assert len(await notes(runtime)) == 1


async def test_queues_are_worked_in_the_order_named_and_belong_to_their_site(runtime: Runtime) -> None:
    await runtime.jobs.push("complaint", NOTE, "CA1-note-1", item="complaint")
    await runtime.jobs.push("urgent", NOTE, "CA2-note-1", item="urgent")
    assert runtime.jobs.queue("urgent").name == "power.urgent"
    await work.work_off(runtime, ["urgent", "complaint"])
    assert await notes(runtime) == ["urgent", "complaint"]


async def test_a_payload_is_json_and_nothing_else(runtime: Runtime) -> None:
    await runtime.jobs.push("complaint", NOTE, "CA1-note-1", item="first")
    job = runtime.jobs.queue("complaint").fetch_job("CA1-note-1")
    assert job is not None
    assert job.data == b'["tests.config.workshop.note", null, [], {"item": "first"}]'
    with pytest.raises(TypeError):
        await runtime.jobs.push("complaint", NOTE, "CA2-note-1", item=object())  # type: ignore[arg-type]
    assert await runtime.jobs.waiting("complaint") == 1


async def test_a_job_that_raises_is_kept_with_its_reason_until_it_is_pushed_anew(runtime: Runtime) -> None:
    await runtime.jobs.push("complaint", FAIL, "CA1-fail-1", why="no such customer")
    await runtime.jobs.push("complaint", NOTE, "CA2-note-1", item="the next one")
    await work.work_off(runtime, ["complaint"])

    assert await notes(runtime) == ["the next one"]
    assert await runtime.jobs.failed("complaint") == (
        FailedJob(
            "CA1-fail-1", "complaint", FAIL, {"why": "no such customer"}, "LookupError: no such customer"
        ),
    )
    assert await runtime.jobs.push("complaint", NOTE, "CA1-fail-2", item="second attempt")
    await runtime.jobs.forget("CA1-fail-1")
    await work.work_off(runtime, ["complaint"])
    assert await runtime.jobs.failed("complaint") == ()
    assert await notes(runtime) == ["the next one", "second attempt"]


async def test_a_job_function_can_be_called_without_a_queue_where_a_runtime_is_lent(runtime: Runtime) -> None:
    async with work.lent(runtime):
        await asyncio.to_thread(workshop.note, "by hand")
        with pytest.raises(NoWorkerError):
            workshop.note("on the loop itself, which would wait for itself")
    with pytest.raises(NoWorkerError):
        await asyncio.to_thread(workshop.note, "after hours")
    with pytest.raises(NoWorkerError):
        work.current_runtime()
    assert await notes(runtime) == ["by hand"]


async def test_a_job_out_of_time_is_stopped_and_counts_as_failed(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "JOB_S_MAX", 0.1)
    async with work.lent(runtime):
        with pytest.raises(TimeoutError):
            await asyncio.to_thread(workshop.note_slowly, "first", 30)
    await noted(runtime, "first stopped")
    assert await notes(runtime) == ["first begun", "first stopped"]


async def test_a_store_that_is_away_is_told_to_whoever_pushes(runtime: Runtime) -> None:
    nowhere = replace(runtime.settings, redis_url="redis://127.0.0.1:9")
    jobs = JobQueue("power", live.connect_queue(nowhere))
    with pytest.raises(live.STORE_ERRORS):
        await jobs.push("complaint", NOTE, "CA1-note-1", item="x")


@pytest.mark.slow
async def test_sigterm_lets_the_job_in_hand_finish_and_leaves_the_next(
    runtime: Runtime, start_worker: StartWorker
) -> None:
    await runtime.jobs.push("complaint", NOTE_SLOWLY, "CA1-note-1", item="first", for_s=0.4)
    await runtime.jobs.push("complaint", NOTE, "CA2-note-1", item="second")
    worker = start_worker(runtime.settings)
    await noted(runtime, "first begun")
    worker.send_signal(signal.SIGTERM)
    assert await ended(worker) == 0
    assert await notes(runtime) == ["first begun", "first done"]
    assert await runtime.jobs.waiting("complaint") == 1


@pytest.mark.slow
async def test_an_idle_worker_leaves_at_once(runtime: Runtime, start_worker: StartWorker) -> None:
    await runtime.jobs.push("urgent", NOTE, "CA1-note-1", item="awake")
    worker = start_worker(runtime.settings)
    await noted(runtime, "awake")
    worker.send_signal(signal.SIGTERM)
    assert await ended(worker) == 0


@pytest.mark.slow
async def test_a_worker_killed_in_mid_job_stops_nobody_from_doing_it_again(
    runtime: Runtime, start_worker: StartWorker
) -> None:
    await runtime.jobs.push("complaint", NOTE_SLOWLY, "CA1-note-1", item="first", for_s=30)
    worker = start_worker(runtime.settings)
    await noted(runtime, "first begun")
    worker.kill()
    worker.wait()
    # RQ holds the job for started: the same id is not taken again ...
    assert not await runtime.jobs.push("complaint", NOTE, "CA1-note-1", item="first again")
    # ... and whoever sees it overdue pushes the next attempt, which another worker does.
    assert await runtime.jobs.push("complaint", NOTE, "CA1-note-2", item="first again")
    start_worker(runtime.settings)
    await noted(runtime, "first again")
    assert await notes(runtime) == ["first begun", "first again"]


@pytest.mark.slow
async def test_a_worker_hears_of_work_queues_that_are_new(
    runtime: Runtime, start_worker: StartWorker
) -> None:
    """The words of a hotline change while it works: a ticket may go where none went before."""
    await runtime.jobs.push("complaint", NOTE, "CA1-note-1", item="known")
    start_worker(runtime.settings)
    await noted(runtime, "known")
    await runtime.jobs.push("repair_north", NOTE, "CA2-note-1", item="new")
    await noted(runtime, "new")
    assert await notes(runtime) == ["known", "new"]


@pytest.mark.slow
async def test_a_worker_outlives_its_store(
    runtime: Runtime, start_worker: StartWorker, tmp_path: Path
) -> None:
    own = replace(runtime.settings, redis_url=None, state_dir=tmp_path / "own")
    store = start_store(own)
    await live.wait_for_store(own)
    start_worker(own)
    jobs = JobQueue("power", live.connect_queue(own))
    async with live.connect(own) as redis:
        own_runtime = replace(runtime, settings=own, redis=redis, jobs=jobs)
        await jobs.push("complaint", NOTE, "CA1-note-1", item="before")
        await noted(own_runtime, "before")
        store.kill()
        store = start_store(own)
        await live.wait_for_store(own)
        await jobs.push("complaint", NOTE, "CA2-note-1", item="after")
        await noted(own_runtime, "after")
        assert await notes(own_runtime) == ["before", "after"]
    jobs.close()
    store.stop()
