"""The live store comes back without its last second: what supervisors had changed in it is there again."""

import pytest

from queues.domain.lanes import Lane
from queues.service import lost_changes
from queues.service.live_changes import LiveChanges
from queues.service.switchboard import Switchboard
from tests.doubles import ManualClock
from tests.queues.hotline import CHEN_NUMBER, Hotline


async def keep(hotline: Hotline) -> dict[str, bytes]:
    """What the disk has: every key of the site."""
    raw = hotline.runtime.redis
    names = await raw.keys("{power}:*")
    return {name: await raw.execute_command("DUMP", name, NEVER_DECODE=True) for name in names}


async def come_back(hotline: Hotline, kept: dict[str, bytes]) -> None:
    """As another server, with what the disk had and without any script."""
    redis = hotline.runtime.redis
    await redis.delete(*await redis.keys("{power}:*"))
    for name, dumped in kept.items():
        await redis.restore(name, 0, dumped)
    await redis.set("{power}:server", "the one before")
    await redis.script_flush()


async def change(hotline: Hotline) -> LiveChanges:
    boss = LiveChanges(hotline.runtime, hotline.switchboard, "chief")
    (waiting,) = (await hotline.switchboard.queue_board()).waiting
    assert await boss.close_queue("general", "drill", leads=False) == "ok"
    assert await boss.lend_agent("wang", "connection", "two are ill") == "ok"
    assert await boss.raise_call("CA1", waiting.lane_id, "high_risk", "a hospital") == "ok"
    return boss


async def seen(board: Switchboard) -> tuple[set[str], tuple[str, ...], list[Lane]]:
    now = await board.queue_board()
    (wang,) = now.agents
    return set(now.closed), wang.lent, [each.lane for each in now.waiting]


async def test_what_was_changed_in_the_lost_second_is_changed_again(
    hotline: Hotline, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = hotline.switchboard
    boss = LiveChanges(hotline.runtime, board, "chief")
    await hotline.arrive("CA1", CHEN_NUMBER)
    await hotline.enqueue("CA1")
    assert await boss.close_queue("complaint", "long ago", leads=False) == "ok"
    clock.advance(60_000)
    await board.open_queue(queue="complaint", by="somebody who died before he wrote it down")
    kept = await keep(hotline)
    clock.advance(5_000)
    await change(hotline)
    told = await seen(board)
    await come_back(hotline, kept)
    assert (await hotline.runtime.redis.hgetall("{power}:closed_queues")) == {}

    async def dies(*_: object) -> int:
        raise ConnectionError

    # Whoever meets it first dies on the way; the counters are raised, and the mark is there for the next.
    with monkeypatch.context() as first:
        first.setattr(lost_changes, "do_again", dies)
        with pytest.raises(ConnectionError):
            await board.queue_board()
    await board.raise_counters()
    assert await seen(board) == told
    assert told[0] == {"general"}, "what was opened before that second stays open"
    await board.raise_counters()
    assert await seen(board) == told
    assert await hotline.runtime.redis.keys("{power}:lost_from") == []


async def test_what_was_not_lost_is_not_done_twice(hotline: Hotline) -> None:
    await hotline.arrive("CA1", CHEN_NUMBER)
    await hotline.enqueue("CA1")
    boss = await change(hotline)
    assert await boss.take_back_agent("wang", "connection") == "ok"
    told = await seen(hotline.switchboard)
    await come_back(hotline, await keep(hotline))
    newest = await hotline.switchboard.newest_line()
    assert await seen(hotline.switchboard) == told
    lines = await hotline.runtime.redis.xrange("{power}:journal", min=f"({newest}")
    assert lines == [], "nor lent and taken back once more"


def test_a_lane_is_read_from_its_name() -> None:
    for lane in (
        Lane("power", "vip", ("english", "outage:2"), 120_000, is_raised=True),
        Lane("gas", "normal", (), 0, is_safety=True),
    ):
        assert Lane.of_id(lane.lane_id) == lane
