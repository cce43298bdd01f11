"""The hotline of a trace."""

from collections.abc import AsyncIterator

import pytest

from config.runtime import Runtime
from tests.traces.hotline import Hotline


@pytest.fixture
async def hotline(runtime: Runtime) -> AsyncIterator[Hotline]:
    hotline = Hotline.of(runtime)
    yield hotline
    await hotline.client.aclose()
