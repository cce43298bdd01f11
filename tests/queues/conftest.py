"""The hotline of the stories in this folder."""

import pytest

from config.runtime import Runtime
from tests.queues.hotline import Hotline


@pytest.fixture
async def hotline(runtime: Runtime) -> Hotline:
    return await Hotline(runtime).open()
