"""The hotlines of a trace."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from config import site_files
from config.runtime import Runtime
from tests.ivr.site import ALL_KINDS
from tests.traces.hotline import Hotline


@pytest.fixture
async def hotline(runtime: Runtime) -> AsyncIterator[Hotline]:
    hotline = Hotline.of(runtime)
    yield hotline
    await hotline.client.aclose()


@pytest.fixture
async def kinds(runtime: Runtime) -> AsyncIterator[Hotline]:
    """The hotline with a node of every kind."""
    settings = replace(runtime.settings, site=ALL_KINDS.name, sites_dir=ALL_KINDS.parent)
    hotline = Hotline.of(replace(runtime, settings=settings, site_files=site_files.read(ALL_KINDS)))
    yield hotline
    await hotline.client.aclose()
