"""Work that is done elsewhere and soon: RQ as transport, with SQL as the truth beside it.

A push names a work queue, a function by its dotted path, an id and ids to work on; never an object, never a
fact. An id that RQ still knows (waiting, running, done a short while ago, or failed) is not pushed twice.

A job function is synchronous and three lines long: it hands a coroutine to ``run``, which performs it on the
worker's one event loop, where the worker's one Runtime lives (``current_runtime``). A job that raises ends in
RQ's FailedJobRegistry; so does, later, one whose worker was killed. Nothing here tries again by itself: who
wants the work done keeps the list of what is overdue and pushes it anew, under a new id. RQ's scheduler is
not used.
"""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import redis as sync_redis
from rq import Queue, SimpleWorker, get_current_job
from rq.exceptions import DuplicateJobError
from rq.job import Job
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty

from config import traces
from config.log import get_log
from config.redis import STORE_ERRORS
from config.settings import Settings

if TYPE_CHECKING:
    from config.runtime import Runtime

JOB_S_MAX = 60
RESULT_KEPT_S = 600
FAILURE_KEPT_S = 30 * 24 * 3600
WORKER_TTL_S = 60
MAINTENANCE_S = 60
STORE_PAUSE_S = 1.0
LOOK_AGAIN_S = 1  # whole seconds: how soon an idle worker listens to a work queue that is new

log = get_log(__name__)
Result = TypeVar("Result")


class NoWorkerError(Exception):
    """run() and current_runtime() are for job functions, inside a worker."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@dataclass(frozen=True)
class FailedJob:
    """What a page shows of a job that failed, and needs to push it again."""

    job_id: str
    work_queue: str
    function: str
    ids: dict[str, Any]
    why: str  # the last line of what was raised


class JobQueue:
    """The pushing side, for one site."""

    def __init__(self, site: str, connection: sync_redis.Redis) -> None:
        self.site = site
        self.connection = connection
        self._queues: dict[str, Queue] = {}

    async def push(self, work_queue: str, function: str, job_id: str, **ids: str | int | float) -> bool:
        """Queue a job; false when this id was pushed before."""
        return await asyncio.to_thread(self._push, work_queue, function, job_id, ids)

    async def failed(self, work_queue: str) -> tuple[FailedJob, ...]:
        """The jobs of a queue that failed, oldest first."""
        return await asyncio.to_thread(self._failed, work_queue)

    async def forget(self, job_id: str) -> None:
        """Drop a job, for example a failed one whose work has been pushed anew."""
        await asyncio.to_thread(self._forget, job_id)

    async def waiting(self, work_queue: str) -> int:
        """How many jobs of a queue nobody has taken yet."""
        return await asyncio.to_thread(lambda: self.queue(work_queue).count)

    def queue(self, work_queue: str) -> Queue:
        """RQ's own queue behind a work queue of this site."""
        name = f"{self.site}.{work_queue}"
        return self._queues.setdefault(
            work_queue, Queue(name, connection=self.connection, serializer=JSONSerializer)
        )

    def known(self) -> list[str]:
        """Every work queue of this site that was ever pushed to."""
        before = f"{self.site}."
        names = (queue.name for queue in Queue.all(connection=self.connection, serializer=JSONSerializer))
        return sorted(name.removeprefix(before) for name in names if name.startswith(before))

    def close(self) -> None:
        self.connection.close()

    def _push(self, work_queue: str, function: str, job_id: str, ids: dict[str, str | int | float]) -> bool:
        try:
            self.queue(work_queue).enqueue_call(
                function,
                kwargs=ids,
                job_id=job_id,
                unique=True,
                timeout=JOB_S_MAX,
                result_ttl=RESULT_KEPT_S,
                failure_ttl=FAILURE_KEPT_S,
                description=function,
            )
        except DuplicateJobError:
            return False
        return True

    def _failed(self, work_queue: str) -> tuple[FailedJob, ...]:
        registry = FailedJobRegistry(queue=self.queue(work_queue))
        jobs = Job.fetch_many(
            registry.get_job_ids(cleanup=False), connection=self.connection, serializer=JSONSerializer
        )
        return tuple(_as_failed(work_queue, job) for job in jobs if job is not None)

    def _forget(self, job_id: str) -> None:
        for job in Job.fetch_many([job_id], connection=self.connection, serializer=JSONSerializer):
            if job is not None:
                job.delete()


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Perform a coroutine on the worker's loop and wait for it; the edge between RQ and everything else."""
    if _bench is None or _bench.thread_id == threading.get_ident():
        coroutine.close()
        raise NoWorkerError
    tally, outcome = _bench.runtime.tally, "failed"
    name: str = getattr(coroutine, "__name__", "job")
    began_ms = tally.now_ms()
    work = _traced(coroutine, name, _call_in_hand()) if traces.is_on() else coroutine
    future = asyncio.run_coroutine_threadsafe(work, _bench.loop)
    try:
        # RQ's own limit cannot interrupt this wait outside the main thread.
        done, outcome = future.result(JOB_S_MAX), "ok"
    except BaseException:
        future.cancel()  # a job out of time is stopped, not left running
        raise
    else:
        return done
    finally:
        tally.note("job", began_ms, name, outcome)


def _call_in_hand() -> str:
    """The call that the job is about, where its ids name one."""
    job = get_current_job()
    return str(job.kwargs.get("call_id", "")) if job is not None else ""


async def _traced(coroutine: Coroutine[Any, Any, Result], name: str, call_id: str) -> Result:
    with traces.span(f"job {name}", of=call_id):
        return await coroutine


def current_runtime() -> "Runtime":
    """The runtime of the worker that runs this job."""
    if _bench is None:
        raise NoWorkerError
    return _bench.runtime


Opening = Callable[[Settings], "AbstractAsyncContextManager[Runtime]"]
Names = Callable[["Runtime"], Sequence[str]]
Beside = Callable[["Runtime"], Coroutine[Any, Any, None]]


def run_worker(
    settings: Settings,
    names: Sequence[str] | Names,
    opening: Opening | None = None,
    beside: Beside | None = None,
) -> None:
    """Work on these work queues, the first before the second, until SIGTERM or SIGINT.

    Names that may change are asked for again every LOOK_AGAIN_S. Last come all others that were ever pushed
    to: work that was named otherwise yesterday is still work. A job in hand is finished first. Must be called
    in the main thread. Outlives a store that comes back. `beside` runs along on the worker's loop.
    """
    from config.runtime import open_runtime  # here, because a runtime holds a JobQueue

    told = _Told()
    with _loop_in_thread() as loop:
        opened = (opening or open_runtime)(settings)
        runtime = asyncio.run_coroutine_threadsafe(opened.__aenter__(), loop).result()
        along = asyncio.run_coroutine_threadsafe(_begin(beside(runtime)), loop).result() if beside else None
        try:
            with _bench_set(runtime, loop, loop_thread=None), told.by_signals():
                _work_until_told(runtime, names if callable(names) else lambda _: names, told)
        finally:
            if along is not None:
                asyncio.run_coroutine_threadsafe(_end(along), loop).result()
            asyncio.run_coroutine_threadsafe(opened.__aexit__(None, None, None), loop).result()


async def _begin(work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    return asyncio.create_task(work)


async def _end(task: "asyncio.Task[None]") -> None:
    """Until it is over: a client of a store may swallow one cancellation."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=STORE_PAUSE_S)


@asynccontextmanager
async def lent(runtime: "Runtime") -> AsyncIterator[None]:
    """Let job functions called in other threads use this loop and runtime, as a worker would."""
    with _bench_set(runtime, asyncio.get_running_loop(), loop_thread=threading.get_ident()):
        yield


async def work_off(runtime: "Runtime", names: Sequence[str]) -> None:
    """Perform what these queues hold now with a real worker, on this loop, and return when they are empty."""
    async with lent(runtime):
        await asyncio.to_thread(_work_off, runtime.jobs, names)


@dataclass(frozen=True)
class _Bench:
    """Where the jobs of this process are done."""

    runtime: "Runtime"
    loop: asyncio.AbstractEventLoop
    thread_id: int | None  # of the loop, where waiting for the loop would wait for ever


_bench: _Bench | None = None


@contextmanager
def _bench_set(
    runtime: "Runtime", loop: asyncio.AbstractEventLoop, loop_thread: int | None
) -> Iterator[None]:
    # Of the module, because RQ calls a function by its name and hands it nothing else.
    global _bench
    before, _bench = _bench, _Bench(runtime, loop, loop_thread)
    try:
        yield
    finally:
        _bench = before


@contextmanager
def _loop_in_thread() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="jobs", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(_end_tasks(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()


class _Told:
    """Whether this process was told to stop; RQ only says that a worker did stop, not why."""

    def __init__(self) -> None:
        self._event = threading.Event()

    @property
    def is_told(self) -> bool:
        return self._event.is_set()

    def tell(self) -> None:
        self._event.set()

    def pause(self, for_s: float) -> None:
        self._event.wait(for_s)

    @contextmanager
    def by_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._note) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.tell()


class _Worker(SimpleWorker):
    """RQ's worker in this process, which tells us when it is told to stop."""

    max_connection_wait_time = 2.0  # RQ would grow its pauses to a minute, and work would wait for it
    told: _Told
    listed: Callable[[], list[Queue]]
    beats_at_s = 0.0

    @property
    def dequeue_timeout(self) -> int:
        return LOOK_AGAIN_S

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Before and after each look at the queues; so here is where a worker hears of queues that are new.

        Once in LOOK_AGAIN_S is enough for both: more would keep every job waiting. The one that tells for how long
        it may work on a job rides on the pipeline that begins the job.
        """
        if pipeline is not None:
            super().heartbeat(timeout, pipeline)
        elif monotonic() >= self.beats_at_s:
            super().heartbeat(timeout)
            self.queues = self.listed()
            self._ordered_queues = self.queues[:]
            self.beats_at_s = monotonic() + LOOK_AGAIN_S

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.told.tell()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def handle_warm_shutdown_request(self) -> None:
        """Nothing to say: the process's own log does."""


class _QuietWorker(SimpleWorker):
    """The same in a thread that is not the main one, where signals cannot be handled."""

    death_penalty_class = TimerDeathPenalty

    def _install_signal_handlers(self) -> None:
        pass


def _worker(kind: Callable[..., Any], queues: Sequence[Queue], connection: sync_redis.Redis) -> Any:
    return kind(
        list(queues),
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL_S,
        maintenance_interval=MAINTENANCE_S,
        log_job_description=False,
    )


def _work_until_told(runtime: "Runtime", names: Names, told: _Told) -> None:
    jobs = runtime.jobs

    def listed() -> list[Queue]:
        return [jobs.queue(name) for name in dict.fromkeys((*names(runtime), *jobs.known()))]

    while not told.is_told:
        try:
            worker = _worker(_Worker, listed(), jobs.connection)
            worker.told, worker.listed = told, listed
            worker.work(logging_level=None)
        except STORE_ERRORS as fault:
            log.warning("worker.store_away", why=type(fault).__name__)
        told.pause(STORE_PAUSE_S)


def _work_off(jobs: JobQueue, names: Sequence[str]) -> None:
    queues = [jobs.queue(name) for name in names]
    _worker(_QuietWorker, queues, jobs.connection).work(burst=True, logging_level=None)


def _as_failed(work_queue: str, job: Job) -> FailedJob:
    result = job.latest_result()
    lines = ((result and result.exc_string) or "").strip().splitlines()
    return FailedJob(job.id, work_queue, str(job.func_name), job.kwargs, lines[-1] if lines else "")
