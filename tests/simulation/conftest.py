"""The town of these stories."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from config.runtime import Runtime
from queues import dispatcher as dispatcher_room
from tests.simulation.own_store import OwnStore
from tests.simulation.processes import Processes, environ_of, free_port
from tests.simulation.town import SPEED, Town, found_town

SHORT_LEASE_S = 0.4


@pytest.fixture
def speed() -> float:
    """How fast the story's time runs."""
    return SPEED


@pytest.fixture
async def town(runtime: Runtime, speed: float, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    """Every part in this process, so that a part can die at any point; a dead leader is missed soon."""
    monkeypatch.setattr(dispatcher_room, "LEASE_S", SHORT_LEASE_S)
    town = await found_town(runtime, speed=speed)
    yield town
    await town.close()
    assert town.exchange.application_errors == 0


@pytest.fixture
async def processes(tmp_path: Path) -> AsyncIterator[Callable[[Town], Processes]]:
    """Processes of their own on the stores of a town."""
    made: list[Processes] = []

    def of(town: Town) -> Processes:
        made.append(Processes(environ_of(town.runtime.settings, town.clock), tmp_path))
        return made[-1]

    yield of
    for each in made:
        await each.close()


@pytest.fixture
async def front_door_elsewhere(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    """A town whose front door is a process of its own, when there is one."""
    monkeypatch.setattr(dispatcher_room, "LEASE_S", SHORT_LEASE_S)
    town = await found_town(runtime, house_url=f"http://127.0.0.1:{free_port()}")
    yield town
    await town.close()
    assert town.exchange.application_errors == 0


@pytest.fixture
async def own_store(runtime: Runtime, tmp_path: Path) -> AsyncIterator[OwnStore]:
    store = OwnStore(runtime, tmp_path / "own")
    await store.start()
    yield store
    await store.close()


@pytest.fixture
async def fragile(own_store: OwnStore, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    """A town on a live store of its own."""
    monkeypatch.setattr(dispatcher_room, "LEASE_S", SHORT_LEASE_S)
    monkeypatch.setattr(dispatcher_room, "PAUSE_S", 0.05)
    town = await found_town(own_store.runtime)
    yield town
    await town.close()
    assert town.exchange.application_errors == 0
