"""Live pages: each line once, to everybody who listens; a stream that cannot be true any more ends."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as StoreGone

from config.web import streams
from config.web.streams import BACKLOG_MAX, Event, JournalTail, Line, Subscription, sse

KEY = "{power}:journal"


@pytest.fixture
async def tail(redis: Redis) -> AsyncIterator[JournalTail]:
    await redis.xadd(KEY, {"type": "call.arrived"}, id="1-0")
    async with JournalTail(redis, KEY) as tail:
        yield tail


async def types(subscription: Subscription, count: int) -> list[str]:
    async with asyncio.timeout(30):
        return [(await anext(subscription)).fields["type"] for _ in range(count)]


async def test_everybody_hears_each_line_from_when_he_began_to_listen(redis: Redis, tail: JournalTail):
    async with tail.subscribe() as early:
        await redis.xadd(KEY, {"type": "call.queued"}, id="2-0")
        assert await types(early, 1) == ["call.queued"]
        async with tail.subscribe() as late:
            await redis.xadd(KEY, {"type": "call.offered"}, id="2-1")
            await redis.xadd(KEY, {"type": "call.ended"}, id="3-0")
            assert await types(late, 2) == ["call.offered", "call.ended"]
        assert await types(early, 2) == ["call.offered", "call.ended"]


async def test_lines_that_wait_can_be_taken_together(redis: Redis, tail: JournalTail):
    async with tail.subscribe() as subscription:
        for n in range(3):
            await redis.xadd(KEY, {"type": f"line.{n}"}, id=f"2-{n}")
        assert await types(subscription, 1) == ["line.0"]
        for _ in range(100):
            if subscription._lines.qsize() == 2:
                break
            await asyncio.sleep(0.01)
        assert [line.line_id for line in subscription.waiting()] == ["2-1", "2-2"]
        assert subscription.waiting() == []


async def test_one_reader_serves_all(redis: Redis, tail: JournalTail):
    async with tail.subscribe(), tail.subscribe(), tail.subscribe():
        clients = await redis.client_list()
        assert sum(client["cmd"] == "xread" for client in clients) <= 1


async def test_a_page_that_cannot_keep_up_is_let_go(tail: JournalTail):
    subscription = Subscription()
    for n in range(BACKLOG_MAX + 5):
        subscription.put(Line(f"{n}-0", {}))
    assert subscription.is_over
    assert len([line async for line in subscription]) == BACKLOG_MAX


async def test_when_the_process_ends_so_do_its_streams(redis: Redis):
    tail = JournalTail(redis, KEY)
    async with tail, tail.subscribe() as subscription:
        await tail.stop()
        assert [line async for line in subscription] == []
        async with tail.subscribe() as afterwards:
            assert [line async for line in afterwards] == []


async def test_when_the_store_goes_the_streams_end_and_new_ones_wait_for_it(
    redis: Redis, tail: JournalTail, monkeypatch: pytest.MonkeyPatch
):
    async def refuse(*_: object, **__: object) -> None:
        raise StoreGone("no socket")

    async with tail.subscribe() as subscription:
        with monkeypatch.context() as patch:
            patch.setattr(tail, "_read", refuse)
            patch.setattr(tail, "_last_id", refuse)
            await redis.xadd(KEY, {"type": "call.queued"}, id="2-0")  # wakes the reader that is blocked
            async with asyncio.timeout(30):
                assert [line.fields["type"] async for line in subscription] == ["call.queued"]
    async with asyncio.timeout(30), tail.subscribe() as again:
        await redis.xadd(KEY, {"type": "call.ended"}, id="3-0")
        assert await types(again, 1) == ["call.ended"]


async def body(events: AsyncIterator[Event], parts: int) -> list[str]:
    response = sse(events)
    found: list[str] = []
    iterator = response.body_iterator
    async for part in iterator:
        found.append(str(part))
        if len(found) == parts:
            break
    await iterator.aclose()  # type: ignore[attr-defined]
    return found


async def test_events_are_written_as_browsers_read_them():
    async def told() -> AsyncIterator[Event]:
        yield Event('{"waiting": 3}')
        yield Event("two\nlines", name="desk")

    assert await body(told(), 9) == [
        "retry: 2000\n\n",
        'event: message\ndata: {"waiting": 3}\n\n',
        "event: desk\ndata: two\ndata: lines\n\n",
    ]
    response = sse(told())
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["x-accel-buffering"] == "no"
    await response.body_iterator.aclose()  # type: ignore[attr-defined]


async def test_silence_is_filled_and_the_event_that_was_waited_for_still_comes(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(streams, "HEARTBEAT_S", 0.02)

    async def slow() -> AsyncIterator[Event]:
        await asyncio.sleep(0.07)
        yield Event("at last")

    parts = await body(slow(), 9)
    assert parts[0] == "retry: 2000\n\n"
    assert parts[1:-1] == [streams.BEAT] * (len(parts) - 2)
    assert len(parts) > 3
    assert parts[-1] == "event: message\ndata: at last\n\n"


async def test_a_reader_who_leaves_closes_what_was_opened_for_him():
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[Event]:
        try:
            while True:
                yield Event("tick")
                await asyncio.sleep(0.01)
        finally:
            closed.set()

    await body(endless(), 3)
    assert closed.is_set()


async def test_a_store_that_goes_while_a_page_is_watched_ends_the_stream_quietly():
    async def gone() -> AsyncIterator[Event]:
        yield Event("one")
        raise StoreGone("no socket")

    assert len(await body(gone(), 9)) == 2
