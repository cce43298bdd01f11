"""Everything opens in order and closes, also where something is missing."""

from dataclasses import replace

import pytest
from redis.asyncio import Redis

from config.database import Database
from config.redis import STORE_ERRORS, StoreAbsentError
from config.runtime import open_runtime
from config.settings import Settings
from config.site_files import SiteFilesError
from tests.doubles import TelephonyDouble


async def test_a_runtime_holds_what_the_settings_name(
    settings: Settings, redis: Redis, database: Database, telephony: TelephonyDouble
) -> None:
    await redis.set("here", "yes")
    async with open_runtime(settings, telephony=telephony) as runtime:
        assert await runtime.redis.get("here") == "yes"
        assert runtime.site_files.name == settings.site
        assert runtime.clock is settings.clock
        assert runtime.database.url == database.url
        assert await runtime.jobs.waiting("complaint") == 0
        assert not telephony.is_closed
    assert telephony.is_closed


async def test_with_a_fault_in_the_words_nothing_is_opened(
    settings: Settings, telephony: TelephonyDouble
) -> None:
    with pytest.raises(SiteFilesError):
        async with open_runtime(replace(settings, site="nowhere"), telephony=telephony):
            pass
    assert not telephony.is_closed


async def test_without_a_store_it_is_refused_unless_one_can_do_without(
    settings: Settings, telephony: TelephonyDouble
) -> None:
    away = replace(settings, redis_url="redis://127.0.0.1:9")
    with pytest.raises(StoreAbsentError):
        async with open_runtime(away, telephony=telephony, store_within_s=0.1):
            pass
    async with open_runtime(away, telephony=telephony, store_within_s=0) as runtime:
        with pytest.raises(STORE_ERRORS):
            await runtime.redis.ping()
