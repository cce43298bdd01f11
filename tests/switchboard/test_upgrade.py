"""A live store that the release before turns, places, transfers and callbacks left behind is worked on as it stands.

`before_upgrade.json` was read from its scripts: one caller talks, one is rung for, two wait, one is in the menu; four
agents. The fields that came later are not in it.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from queues.domain import commands as c
from queues.store.switchboard import SwitchboardStore
from tests.switchboard.people import LEASE_MS, PLACE_MS, SKIP_MS, Story
from tests.switchboard.world import INDEXES, SITE, TAG, lane

LEFT_MS = 1_795_395_607_000  # its last instant
KEEP = {
    "hash": lambda redis, key, value: redis.hset(key, mapping=value),
    "zset": lambda redis, key, value: redis.zadd(key, value),
    "set": lambda redis, key, value: redis.sadd(key, *value),
    "string": lambda redis, key, value: redis.set(key, value),
}


class Left:
    """The scripts alone: the rules know no record without its fields."""

    def __init__(self, redis: Redis) -> None:
        self.redis, self.store = redis, SwitchboardStore(redis, SITE)

    async def do(self, command: c.Command) -> tuple[str, ...]:
        return tuple(await self.store.run(command))


@pytest.fixture
async def story(redis: Redis) -> Story:
    keys = json.loads(Path(__file__).with_name("before_upgrade.json").read_text("utf-8"))
    keys |= {name: {"hash": records} for name, records in INDEXES.items() if name not in ("owned", "owners")}
    for name, ((kind, value),) in ((name, tuple(each.items())) for name, each in keys.items()):
        if kind == "stream":
            for line_id, fields in value:
                await redis.xadd(f"{TAG}:{name}", fields, line_id)
        else:
            await KEEP[kind](redis, f"{TAG}:{name}", value)
    return Story(Left(redis), now_ms=LEFT_MS)  # type: ignore[arg-type]


async def call(story: Story, call_id: str) -> dict[str, str]:
    found: Any = await story.world.redis.hgetall(f"{TAG}:call:{call_id}")
    return dict(found)


async def claim(story: Story, call_id: str, agent_id: str) -> str:
    """In rotation: his turn, and whoever is away loses his."""
    turn = int(await story.world.redis.get(f"{TAG}:turn"))
    about = {"call_id": call_id, "agent_id": agent_id, "turn": turn, "why": '{"rule":"key"}', "is_turn": True}
    word = await story.word(c.ClaimOffer(now_ms=story.now_ms, place_ms=PLACE_MS, lease_ms=LEASE_MS, **about))
    assert word == "ok", (call_id, word)
    return (await call(story, call_id))["offer_id"]


async def all_ok(*words: Any) -> None:
    assert [await word for word in words] == ["ok"] * len(words)


async def test_every_call_of_the_release_before_is_played_to_its_end(story: Story) -> None:
    redis, store = story.world.redis, story.world.store
    # Everybody looks.
    look = await store.read_snapshot(now_ms=LEFT_MS, silent_ms=45_000, with_turns=True)
    assert [each.call_id for heads in look.lanes for each in heads.waiting] == ["waits", "other"]
    for agent_id in ("mei", "bo", "ann", "cid"):
        assert await store.read_desk(agent_id)
    await store.read_wall(now_ms=LEFT_MS)
    await store.read_queues(now_ms=LEFT_MS, heads_max=9)
    await store.read_standing(now_ms=LEFT_MS, calls_max=9)

    # Whoever was rung for is put through to another queue; who waited goes to cid, in his turn.
    await all_ok(story.answer("rings-1"), story.accept("rings-1"), story.connect("rings", "rings-1"))
    await all_ok(story.later(9_000).transfer("rings", "bo"), story.close_wrap_up("bo"))
    offer_id = await claim(story, "waits", "cid")
    await all_ok(story.accept(offer_id), story.connect("waits", offer_id))
    turns = await redis.hget(f"{TAG}:agent:cid", "turn"), await redis.hget(f"{TAG}:agent:ann", "turn")
    assert turns == ("1", None), "no turn of hers is lost that she never had"

    # Who talked all the time is held, and handed over to a colleague who is asked.
    await all_ok(story.hold("talks", "mei"), story.hold("talks", "mei", is_held=False))
    await all_ok(story.consult("talks", "mei", "bo"))
    consult_id = (await call(story, "talks"))["consult_id"]
    await all_ok(
        story.accept(consult_id), story.hand_over("talks", "mei"), story.connect("talks", consult_id)
    )

    # Who still waits is told his place, asks to be called back, and is.
    touch = c.TouchCall(now_ms=story.now_ms, call_id="other", round_no=1, every_ms=60_000)
    asks = c.AskCallback(now_ms=story.now_ms, call_id="other", linger_ms=0, expires_ms=600_000)
    await all_ok(story.word(touch), story.word(asks))
    tends = {"closes_ms": 0, "hold_ms": 60_000, "forget_ms": 60_000}
    tend = c.TendCallback(now_ms=story.now_ms, call_id="other", opens_ms=0, **tends)
    await all_ok(story.word(tend), story.close_wrap_up("mei"))
    offer_id = await claim(story, "other", "mei")
    await all_ok(story.accept(offer_id))
    dialled = {"offer_id": offer_id, "leg_id": "out"}
    await all_ok(
        story.word(c.PlaceCustomer(now_ms=story.now_ms, **dialled, is_up=True)),
        story.word(c.ReachCustomer(now_ms=story.now_ms, **dialled, remembers=True)),
    )
    connected = [
        fields for _, fields in await redis.xrange(f"{TAG}:journal") if fields["type"] == "call.connected"
    ]
    assert json.loads(connected[-1]["data"])["wait_ms"] == story.now_ms - 1_795_395_606_000

    # Whoever is in the menu comes to a queue, is raised there, and loses his line; agents are lent, and lost.
    await all_ok(story.enqueue("menu"), story.presence("ann"))
    raised = lane(tier="vip", head_start_ms=60_000)
    was = (await call(story, "menu"))["lane_id"]
    relane = {"from_lane_id": was, "lane_id": raised.lane_id, "lane": raised.to_json(), "is_raised": True}
    await all_ok(story.word(c.RelaneCall(now_ms=story.now_ms, call_id="menu", by="chief", **relane)))
    lend = c.LendAgent(now_ms=story.now_ms, agent_id="cid", queue="gas", skills="gas", by="chief")
    await all_ok(story.word(lend), story.end("menu", "caller", 300_000))
    await all_ok(story.word(c.AnonymiseCall(now_ms=story.now_ms, call_id="menu", default_tier="normal")))

    await all_ok(*(story.end(each) for each in ("talks", "waits")), story.end_of_offer("rings", ""))
    assert await story.word(end_of_callback(story)) == "ok"
    for agent_id in ("mei", "bo", "cid"):
        await all_ok(story.later(SKIP_MS).close_wrap_up(agent_id))
    outcomes = [(await call(story, each))["outcome"] for each in ("talks", "rings", "waits", "other", "menu")]
    assert outcomes == ["answered", "answered", "answered", "callback", "abandoned"]
    story.later(24 * 3_600_000)
    for each in ("talks", "rings", "waits", "other", "menu"):
        await all_ok(story.word(c.ForgetCall(now_ms=story.now_ms, call_id=each)))
    assert await redis.keys(f"{TAG}:call:*") == await redis.keys(f"{TAG}:offer:*") == []


def end_of_callback(story: Story) -> c.EndCall:
    """On the leg that rang him, not the one he asked on."""
    lengths = {"wrap_up_ms": 30_000, "linger_ms": 10_000, "forget_ms": 60_000}
    return c.EndCall(now_ms=story.now_ms, call_id="other", by="caller", leg_id="out", **lengths)
