"""Work queues over a real server and RQ's own worker."""

from config import jobs as work
from config.runtime import Runtime
from tests.config import workshop


async def test_a_pushed_job_is_done_once_by_the_worker_with_its_runtime(runtime: Runtime) -> None:
    assert await runtime.jobs.push("complaint", "tests.config.workshop.note", "CA1-note-1", item="first")
    assert not await runtime.jobs.push("complaint", "tests.config.workshop.note", "CA1-note-1", item="second")
    assert await runtime.jobs.waiting("complaint") == 1

    await work.work_off(runtime, ["complaint"])

    assert await runtime.redis.lrange(workshop.NOTES, 0, -1) == ["first"]
    assert not await runtime.jobs.push("complaint", "tests.config.workshop.note", "CA1-note-1", item="third")
