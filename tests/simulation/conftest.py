"""The town of these stories."""

from collections.abc import AsyncIterator

import pytest

from config.runtime import Runtime
from queues import dispatcher as dispatcher_room
from tests.simulation.town import Town, found_town

SHORT_LEASE_S = 0.4


@pytest.fixture
async def town(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    """Every part in this process, so that a part can die at any point; a dead leader is missed soon."""
    monkeypatch.setattr(dispatcher_room, "LEASE_S", SHORT_LEASE_S)
    town = await found_town(runtime)
    yield town
    await town.close()
    assert town.exchange.application_errors == 0
