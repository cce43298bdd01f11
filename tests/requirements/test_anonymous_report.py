"""R77: after choosing to report anonymously, the caller's number is in no record, file or log of ours: neither the
number, nor what is made from it, nor the customer whose number it is. What the call had stored goes as well."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import select

from config.database import metadata
from config.erasing import empty_database_log, rewrite_store_log
from config.numbers import number_key
from config.runtime import Runtime
from queues.domain.timeline import SpanKind, read_timeline
from queues.service import erasing
from queues.service.calls import find_call
from queues.service.erasing import erase_traces
from queues.service.history import History
from queues.service.journal import high_water
from queues.store.calls import ask_erasure
from recordings.service.recordings import reader as recordings_reader
from tests.requirements.house import House, open_house
from tests.requirements.reporting import choose, speak
from tests.simulation.own_store import OwnStore
from tests.traces.hotline import Caller, Heard

INFORMANT, NEIGHBOUR = "+8613911112222", "+8613766668888"
FILES = {"customers", "customer_numbers", "customer_changes", "index_gone", "tier_history", "scores"}
INDEXES = {"{power}:numbers", "{power}:customers", "{power}:accounts"}


@dataclass
class Search:
    """Everything that the installation has written down anywhere."""

    runtime: Runtime
    directory: Path
    texts: tuple[str, ...]
    found: list[str] = field(default_factory=list)

    async def everywhere(self, *, but: Iterable[str] = ()) -> list[str]:
        self.found = [*self.files(), *await self.rows(set(but)), *await self.values(set(but))]
        return self.found

    def files(self) -> list[str]:
        return [f"{path.name} {count}" for path, count in self.in_files().items()]

    def in_files(self) -> dict[Path, int]:
        """How often the texts stand in each file that has them."""
        paths = [Path(folder, name) for folder, _, names in os.walk(self.directory) for name in names]
        counts = {path: self.count(path.read_bytes()) for path in paths if path.is_file()}
        return {path: count for path, count in counts.items() if count}

    async def rows(self, but: set[str]) -> list[str]:
        tables = [table for table in metadata.sorted_tables if table.name not in but]
        async with self.runtime.database.read() as connection:
            found = {table.name: (await connection.execute(select(table))).all() for table in tables}
        return [f"row of {name}: {row}" for name, rows in found.items() for row in rows if self.has(row)]

    async def values(self, but: set[str]) -> list[str]:
        url = self.runtime.settings.redis_url
        assert url
        async with Redis.from_url(url) as raw:
            names = [name async for name in raw.scan_iter(count=1000) if name.decode() not in but]
            return [f"value of {name!r}" for name in names if self.has((name, await value_of(raw, name)))]

    def has(self, value: Any) -> bool:
        return self.count(repr(value).encode()) > 0

    def count(self, content: bytes) -> int:
        return sum(content.count(text.encode()) for text in self.texts)


async def value_of(redis: Redis, name: bytes) -> Any:
    match (await redis.type(name)).decode():
        case "hash":
            return await redis.hgetall(name)
        case "zset":
            return await redis.zrange(name, 0, -1, withscores=True)
        case "set":
            return await redis.smembers(name)
        case "list":
            return await redis.lrange(name, 0, -1)
        case "stream":
            return await redis.xrange(name)
        case _:
            return await redis.get(name)


@dataclass
class Report:
    """The stages of one report; whoever listens decides when the house writes things down."""

    house: House
    directory: Path
    number: str = INFORMANT

    def __post_init__(self) -> None:
        runtime = self.house.runtime
        self.tape = recordings_reader(runtime)

    def search(self, *more: str) -> Search:
        key = number_key(self.house.runtime.settings.secret_key, self.number)
        return Search(self.house.runtime, self.directory, (self.number.removeprefix("+86"), key, *more))

    async def dial(self, call_id: str = "CA1") -> tuple[Caller, Heard]:
        return await self.house.call(call_id, self.number)

    async def write_down(self) -> None:
        await self.house.settle()
        await self.tape.drain()

    async def lay_to_rest(self) -> None:
        """As if it were quiet for a while: the logs of both stores hold what is there and nothing older."""
        assert await rewrite_store_log(self.house.runtime.redis)
        assert await empty_database_log(self.house.runtime.database)


@pytest.fixture
async def report(runtime: Runtime, tmp_path: Path) -> AsyncIterator[Report]:
    """A house on a store of its own, so that its files are this story's alone."""
    store = OwnStore(runtime, tmp_path / "own")
    await store.start()
    async with open_house(store.runtime, "power") as house:
        yield Report(house, tmp_path)
    await store.close()


async def test_no_file_row_or_value_knows_the_number(
    report: Report, capfd: pytest.CaptureFixture[str]
) -> None:
    caller, heard = await report.dial()
    await report.write_down()
    search = report.search()
    before = await search.everywhere()
    assert any("caller_numbers" in place for place in before), "it had been stored"
    assert any("aof" in place for place in before)
    if report.house.runtime.database.is_sqlite:  # a database of its own keeps its files elsewhere
        assert any("sqlite" in place for place in before)

    digits, _ = await speak(caller, await choose(caller, heard))
    await report.write_down()
    assert await erase_traces(report.house.runtime) == 1
    assert await search.everywhere() == []
    assert not search.has(capfd.readouterr())

    [ticket] = await report.house.rows("tickets", "ticket_no", "type", "caller_ref", "customer_id", "tier")
    assert ticket == {
        "ticket_no": f"T{digits}", "type": "anonymous_report", "caller_ref": "", "customer_id": "",
        "tier": report.house.plan.default_tier,
    }  # fmt: skip
    assert await erase_traces(report.house.runtime) == 0, "once is enough"


async def test_what_nobody_had_written_down_yet_never_is(report: Report) -> None:
    runtime = report.house.runtime
    caller, heard = await report.dial()
    arrived_ms = runtime.clock.now_ms()
    runtime.clock.advance(9_000)  # type: ignore[attr-defined]
    await speak(caller, await choose(caller, heard))
    await report.write_down()
    assert await erase_traces(runtime) == 1
    assert await report.search().everywhere() == []

    story = await find_call(runtime, "CA1")
    assert story is not None
    assert (story.call.is_anonymous, story.call.arrived_ms, story.call.line) == (True, arrived_ms, "main")
    assert story.call.site_version == report.house.plan.version
    assert [line.type for line in story.lines][-1] == "call.ended"
    first = read_timeline(story.lines)[0]
    assert (first.kind, first.start_ms, first.end_ms) == (SpanKind.MENU, arrived_ms, arrived_ms + 9_000)
    assert (await high_water(runtime)).arrivals == 1


async def test_a_scribe_that_dies_before_the_live_store_has_heard_leaves_no_trace_either(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A webhook came so late that the call had been forgotten: it has arrived again, with its number."""
    runtime = report.house.runtime
    caller, heard = await report.dial()
    await speak(caller, await choose(caller, heard))
    await report.write_down()
    await report.house.hotline.switchboard.forget_call(call_id="CA1")
    await report.dial()
    await report.house.hotline.switchboard.end_call(call_id="CA1", by="caller")

    async def dies(*_: object) -> None:
        """Between the commit and what is to be done after it."""

    with monkeypatch.context() as patched:
        patched.setattr(History, "after_commit", dies)
        await report.write_down()
    assert any("call:CA1" in place for place in await report.search().values(set()))
    assert await erase_traces(runtime) == 1
    assert await report.search().everywhere() == []
    await report.write_down()
    assert await erase_traces(runtime) == 1, "the live store's own word of it asks once more"
    await report.write_down()
    assert await erase_traces(runtime) == 0


async def test_what_is_asked_for_again_while_it_is_erased_is_not_done(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = report.house.runtime
    caller, heard = await report.dial()
    await speak(caller, await choose(caller, heard))
    await report.write_down()

    async def rewrites_and_is_asked_again(redis: Any) -> bool:
        async with runtime.database.transaction() as connection:
            await ask_erasure(connection, ["CA1"], runtime.clock.now_ms() + 1)
        return await rewrite_store_log(redis)

    with monkeypatch.context() as patched:
        patched.setattr(erasing, "rewrite_store_log", rewrites_and_is_asked_again)
        assert await erase_traces(runtime) == 0
    assert await erase_traces(runtime) == 1


async def test_two_clocks_at_once_are_nothing_to_warn_of(
    report: Report, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, both = report.house.runtime, asyncio.Barrier(2)

    async def rewrites_with_the_other(redis: Any) -> bool:
        await both.wait()
        return await rewrite_store_log(redis)

    monkeypatch.setattr(erasing, "rewrite_store_log", rewrites_with_the_other)
    caller, heard = await report.dial()
    await speak(caller, await choose(caller, heard))
    await report.write_down()
    capfd.readouterr()
    done = sum(await asyncio.gather(erase_traces(runtime), erase_traces(runtime)))
    monkeypatch.undo()
    assert done + await erase_traces(runtime) == 1, "one of the two at most has to come round again"
    assert "warning" not in capfd.readouterr().out


async def test_a_customer_who_reports_is_a_customer_and_no_more(report: Report, tmp_path: Path) -> None:
    row = {
        "account_no": "3300100042",
        "name": "林某",
        "phones": report.number,
        "area": "city",
        "address": "湖滨路1号",
        "customer_kind": "residential",
        "high_risk": "no",
        "capacity_kva": "10",
        "annual_kwh": "2400",
    }
    await report.house.import_rows(tmp_path / "customers.csv", [row])
    (tmp_path / "customers.csv").unlink()
    customer_id = await report.house.id_of("3300100042")
    search = report.search(customer_id, "林某")
    await report.lay_to_rest()
    before = search.in_files()

    caller, heard = await report.dial()
    assert (await report.house.facts_of("CA1")).customer_id == customer_id
    await report.write_down()
    await speak(caller, await choose(caller, heard))
    await report.write_down()
    assert await erase_traces(report.house.runtime) == 1
    assert {each.name: count for each, count in search.in_files().items() if "aof" not in each.name} == {
        each.name: count for each, count in before.items() if "aof" not in each.name
    }
    assert sum(n for each, n in search.in_files().items() if "aof" in each.name) == sum(
        n for each, n in before.items() if "aof" in each.name
    )
    assert await search.rows(FILES) == []
    assert await search.values(INDEXES) == []


async def test_another_call_of_the_same_phone_is_as_before(report: Report) -> None:
    by_name, _ = await report.dial("CA1")
    await by_name.report_end()
    caller, heard = await report.dial("CA2")
    await report.write_down()
    await speak(caller, await choose(caller, heard))
    await report.write_down()
    assert await erase_traces(report.house.runtime) == 1
    calls = {row["call_id"]: row["caller_ref"] for row in await report.house.rows("calls")}
    assert calls["CA1"]
    assert calls["CA2"] == ""
    [known] = await report.house.rows("caller_numbers")
    assert (known["caller_ref"], known["number"]) == (calls["CA1"], report.number)


async def test_a_place_that_was_kept_ties_no_call_of_his_to_another(report: Report) -> None:
    for call_id in ("CA1", "CA2"):
        caller, heard = await report.dial(call_id)
        while "Enqueue" not in heard.verbs:
            heard = await caller.press(heard, "0")
        await caller.report_end()
    await report.write_down()
    told = await report.house.rows("events", "call_id", "type")
    assert {"call_id": "CA2", "type": "call.place_kept"} in told
    await report.house.hotline.switchboard.anonymise_call(call_id="CA2")
    await report.write_down()
    told = await report.house.rows("events", "call_id", "type")
    assert {"call_id": "CA2", "type": "call.place_kept"} not in told


async def test_whoever_dies_before_it_is_done_leaves_it_to_the_next(report: Report) -> None:
    caller, heard = await report.dial()
    await report.write_down()
    record = await choose(caller, heard)
    await report.write_down()
    assert await erase_traces(report.house.runtime) == 0, "the call is not over"
    assert [row for row in await report.search().rows(set()) if "calls" in row] == [], "but scrubbed at once"
    await speak(caller, record)
    await report.write_down()
    async with report.house.runtime.database.read() as still_reading:
        await still_reading.execute(select(metadata.tables["calls"]))
        await report.house.call("CA9", NEIGHBOUR)
        await report.write_down()
        assert await erase_traces(report.house.runtime) == 0, "somebody holds the old log"
    assert await erase_traces(report.house.runtime) == 1
    assert await report.search().everywhere() == []
