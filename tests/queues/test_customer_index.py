"""The live index: what it shows is a revision of SQL, and whoever dies on the way leaves the rest to a chore."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from config import numbers
from config.runtime import Runtime
from queues.domain.customers import Contact, Customer
from queues.service import customer_index
from queues.service.customers import import_customers, rebuild_index, search, update_customer
from queues.store import customer_index as store
from tests.queues.customer_tables import LIU, MILL, changed, take, write_csv
from tests.queues.killing import kill_when_stuck

ONE, OTHER = "+8613900000001", "+8613900000002"


def file(customer_id: str, **more: Any) -> Customer:
    return Customer(**{"customer_id": customer_id, "name": customer_id, "tier": "residential", **more})


async def shown(runtime: Runtime) -> dict[str, Any]:
    """The whole index, and its stamp."""
    redis: Any = runtime.redis
    hashes = {key.partition(":")[2]: await redis.hgetall(key) for key in store.index_keys("power")}
    return {**hashes, "index": await redis.get(store.stamp_key("power"))}


def number_key(runtime: Runtime, number: str) -> str:
    return numbers.number_key(runtime.settings.secret_key, number)


def account_key(runtime: Runtime, digits: str) -> str:
    return numbers.account_key(runtime.settings.secret_key, "power", digits)


async def test_a_change_shows_what_a_new_index_would(runtime: Runtime) -> None:
    person = Contact(name="李梅", numbers=(ONE,), wants_notices=True)
    await import_customers(
        runtime, [file("C1", account_no="A1", numbers=(ONE,)), file("C2", contacts=(person,))]
    )
    await import_customers(runtime, [file("C3", tier="high_risk", numbers=(ONE, OTHER), account_no="77")])
    await import_customers(runtime, [file("C1", account_no="A1", numbers=(OTHER,))])
    after_changes = await shown(runtime)
    assert after_changes["numbers"] == {
        number_key(runtime, ONE): "C3\nC2~李梅",
        number_key(runtime, OTHER): "C3\nC1",
    }
    await rebuild_index(runtime)
    assert await shown(runtime) == after_changes


async def test_digits_that_two_accounts_share_name_neither(runtime: Runtime) -> None:
    await import_customers(runtime, [file("C1", account_no="A1001"), file("C2", account_no="2002")])
    keys = [account_key(runtime, digits) for digits in ("1001", "2002")]
    assert (await shown(runtime))["accounts"] == dict(zip(keys, ("C1", "C2"), strict=True))
    await import_customers(runtime, [file("C3", account_no="B1001")])
    assert (await shown(runtime))["accounts"] == {keys[1]: "C2"}
    await rebuild_index(runtime)
    assert (await shown(runtime))["accounts"] == {keys[1]: "C2"}


async def test_a_lost_part_of_the_index_is_made_again(runtime: Runtime) -> None:
    await import_customers(runtime, [file("C1", numbers=(ONE,))])
    before = await shown(runtime)
    for key in (*store.index_keys("power"), store.stamp_key("power")):
        await runtime.redis.delete(key)
        await customer_index.mend_index(runtime)
        assert await shown(runtime) == before
    assert await customer_index.mend_index(runtime) == 0


async def test_an_index_from_before_sql_was_set_back_goes(runtime: Runtime) -> None:
    await import_customers(runtime, [file("C1", numbers=(ONE,))])
    before = await shown(runtime)
    await runtime.redis.set(store.stamp_key("power"), 99)
    await runtime.redis.hset(store.index_keys("power")[0], "from the future", "C9")  # type: ignore[misc]
    await customer_index.mend_index(runtime)
    assert await shown(runtime) == before


async def test_changes_that_two_put_at_once_end_as_the_last_one(runtime: Runtime) -> None:
    await take(runtime, write_csv(runtime.settings.state_dir.parent / "a.csv"))
    (customer,) = await search(runtime, "刘芳")
    writings = [f"1380013{number:04d}" for number in range(12)]
    await asyncio.gather(
        *(
            update_customer(runtime, customer.customer_id, {"phones": each}, by="", reason="")
            for each in writings
        )
    )
    await customer_index.mend_index(runtime)
    after = await shown(runtime)
    await rebuild_index(runtime)
    assert await shown(runtime) == after
    assert len(after["numbers"]) == 2


async def test_who_comes_late_overwrites_nothing(runtime: Runtime) -> None:
    await import_customers(runtime, [file("C1", numbers=(ONE,))])
    seen = await store.live_stamp(runtime.redis, "power")
    assert seen is not None
    await import_customers(runtime, [file("C1", name="new", numbers=(OTHER,))])
    after = await shown(runtime)
    stale = store.Delta(customers={"C1": "old"})
    assert not await store.put_delta(runtime.redis, "power", seen, seen + 1, stale)
    fresh = ("{power}:numbers:x", "{power}:accounts:x", "{power}:customers:x")
    await store.put_page(runtime.redis, fresh[0], {"old": "C1"})
    assert not await store.swap(runtime.redis, "power", fresh, (1, 0, 0), seen, seen)
    assert not await store.swap(runtime.redis, "power", fresh, (2, 0, 0), 99, 99), "a part of it is lost"
    assert await shown(runtime) == after


async def test_one_makes_the_whole_index_and_the_others_wait(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await import_customers(runtime, [file("C1", numbers=(ONE,))])
    await runtime.redis.delete(store.stamp_key("power"))
    assert await store.begin_building(runtime.redis, "power", "somebody")
    assert await customer_index.catch_up(runtime) == 0
    assert await runtime.redis.exists(store.stamp_key("power")) == 0
    monkeypatch.setattr(customer_index, "WAIT_FOR_OTHERS_S", 0.01)
    waiting = asyncio.ensure_future(customer_index.catch_up(runtime, waits=True))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await store.end_building(runtime.redis, "power", "somebody else")
    assert not waiting.done()
    await store.end_building(runtime.redis, "power", "somebody")
    assert await waiting == 1


async def test_numbers_that_were_given_up_are_forgotten_after_an_hour(runtime: Runtime, clock: Any) -> None:
    await import_customers(runtime, [file("C1", numbers=(ONE,))])
    await import_customers(runtime, [file("C1", numbers=(OTHER,))])
    async with runtime.database.read() as connection:
        assert not await store.has_gone(connection, "power", clock.now_ms())
        assert await store.has_gone(connection, "power", clock.now_ms() + 1)
    clock.advance(customer_index.GONE_KEPT_FOR_MS + 1)
    await customer_index.mend_index(runtime)
    async with runtime.database.read() as connection:
        assert not await store.has_gone(connection, "power", clock.now_ms())


BEFORE_THE_COMMIT = ("staged", "files moved")
AFTER_IT = ("committed", "changes read", "index half made", "index made")


@pytest.mark.parametrize("step", BEFORE_THE_COMMIT)
async def test_an_import_killed_before_its_commit_has_changed_nothing(
    runtime: Runtime, tmp_path: Path, step: str
) -> None:
    await take(runtime, write_csv(tmp_path / "a.csv", [MILL]))
    before = await shown(runtime)
    path = write_csv(tmp_path / "b.csv", [changed(MILL, phones="0571-88887777", capacity_kva="5"), LIU])
    await kill_when_stuck(step, runtime.settings, str(path), module="tests.queues.stuck_import")
    assert await customer_index.mend_index(runtime) == 0
    assert await shown(runtime) == before
    assert await search(runtime, "刘芳") == []
    outcome, _ = await take(runtime, path)
    assert (outcome.counts.opened, outcome.counts.changed) == (1, 1)


@pytest.mark.parametrize("step", AFTER_IT)
async def test_an_import_killed_after_its_commit_is_finished_by_the_chore(
    runtime: Runtime, tmp_path: Path, step: str
) -> None:
    await take(runtime, write_csv(tmp_path / "a.csv", [MILL]))
    before = await shown(runtime)
    path = write_csv(tmp_path / "b.csv", [changed(MILL, phones="0571-88887777", capacity_kva="5"), LIU])
    await kill_when_stuck(step, runtime.settings, str(path), module="tests.queues.stuck_import")
    assert await shown(runtime) == before, "callers are known as they were until all of it is there"
    await runtime.redis.delete("{power}:index:builder")  # the dead one's minute is over
    assert await customer_index.mend_index(runtime) > 0
    after = await shown(runtime)
    assert after["numbers"] == {
        number_key(runtime, "+8657188887777"): "C1-2",
        number_key(runtime, "+8613800138000"): "C2-3",
    }
    outcome, _ = await take(runtime, path)
    assert (outcome.counts.unchanged, outcome.is_merged) == (2, True)
    assert await shown(runtime) == after


async def test_an_import_killed_with_the_index_in_place_leaves_nothing_to_do(
    runtime: Runtime, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "a.csv")
    await kill_when_stuck("index swapped", runtime.settings, str(path), module="tests.queues.stuck_import")
    assert await customer_index.mend_index(runtime) == 0
    assert len((await shown(runtime))["numbers"]) == 2


async def test_what_a_killed_maker_leaves_goes_away_by_itself(runtime: Runtime, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv")
    await kill_when_stuck("index made", runtime.settings, str(path), module="tests.queues.stuck_import")
    left = [key async for key in runtime.redis.scan_iter("{power}:*:*") if key != "{power}:index:builder"]
    assert len(left) == 3
    lasting = [await runtime.redis.ttl(key) for key in left]
    assert all(0 < for_s <= store.ABANDONED_AFTER_S for for_s in lasting)
