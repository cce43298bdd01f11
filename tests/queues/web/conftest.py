"""The whole front door over real stores, and people who open pages in it."""

from collections.abc import AsyncIterator

import pytest

from config.runtime import Runtime
from ivr.app import build
from tests.queues.hotline import Hotline
from tests.queues.web.reader import Door


@pytest.fixture
async def door(runtime: Runtime, hotline: Hotline) -> AsyncIterator[Door]:
    app = build(runtime)
    async with app.router.lifespan_context(app):
        door = Door(app, hotline)
        yield door
        await door.close()
