"""A live store of a story's own: it may be killed, and robbed of its last second."""

from dataclasses import dataclass, replace
from pathlib import Path

from config import redis as live
from config.jobs import JobQueue
from config.runtime import Runtime
from config.store_server import StoreHandle, socket_path, start_store


@dataclass(frozen=True)
class Mark:
    """A point in what the store has written down, between two commands."""

    file: Path
    size: int


class OwnStore:
    def __init__(self, runtime: Runtime, directory: Path) -> None:
        self.directory = directory
        self.settings = replace(
            runtime.settings, state_dir=directory, redis_url=f"unix://{socket_path(directory)}"
        )
        self.runtime = replace(
            runtime,
            settings=self.settings,
            redis=live.connect(self.settings),
            jobs=JobQueue(self.settings.site, live.connect_queue(self.settings)),
        )
        self.handle: StoreHandle | None = None

    async def start(self) -> None:
        self.handle = start_store(replace(self.settings, redis_url=None))
        await live.wait_for_store(self.settings)

    def kill(self) -> None:
        """As a crash would; what was written is in the file, the system keeps it."""
        assert self.handle
        self.handle.kill()
        self.handle = None

    def stop(self) -> None:
        assert self.handle
        self.handle.stop()
        self.handle = None

    async def mark(self) -> Mark:
        """Here; everything acknowledged so far is before it."""
        while int((await self.runtime.redis.info("persistence"))["aof_buffer_length"]):
            pass
        [file] = (self.directory / "store" / "appendonlydir").glob("*.incr.aof")
        return Mark(file, file.stat().st_size)

    def lose_what_came_after(self, mark: Mark) -> int:
        """The machine went down before the disk had it; how many bytes were lost."""
        assert self.handle is None
        lost = mark.file.stat().st_size - mark.size
        with mark.file.open("r+b") as file:
            file.truncate(mark.size)
        return lost

    async def close(self) -> None:
        await self.runtime.redis.aclose()
        self.runtime.jobs.close()
        if self.handle:
            self.handle.kill()
