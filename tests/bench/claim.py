"""A call enqueued, matched and claimed ÷ three scripts that leave as much in the live store and decide nothing.

Ours: `enqueue_call`, the snapshot and the decision, `claim_offer`, through the service. The floor: a script that
writes a call with its lane and its journal line and replies its facts, one that reads the head of a lane and the
idle agents as JSON, one that writes call, agent and offer, the due ring and a line; through the bare client, with
no rule, no state looked at, nothing kept in step (config/decisions/0020). What makes the next call possible (its
arrival, the agent's release) is outside the time on both sides.
"""

import json
import statistics
from time import perf_counter
from typing import Any

from queues.domain.calls import CALL_FACTS
from queues.domain.routing import decide
from queues.store.switchboard import site_tag
from tests.bench import crowd
from tests.bench.deciding import MS
from tests.bench.house import House, furnished
from tests.bench.rounds import Bench, Findings, Pace, at_most, take_turns

AGENTS = 10

# What enqueue_call writes of a call.
QUEUED = (
    *("state", "queue", "first_queue", "matter", "tier", "locale", "ticket_no", "ticket_type", "ticket_on"),
    *(
        "work_queue",
        "access_key",
        "is_open",
        "lane_id",
        "lane",
        "position",
        "told",
        "queued_ms",
        "entered_ms",
        "named",
    ),
)

BARE_ENQUEUE = """
local T, id, now_ms, lane = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
redis.call("HSET", T .. ":call:" .. id, unpack(ARGV, 6))
redis.call("ZADD", T .. ":live", now_ms, id)
redis.call("ZADD", T .. ":lane:" .. lane, now_ms, id)
redis.call("HSET", T .. ":lanes", lane, ARGV[5])
redis.call("INCR", T .. ":turn")
redis.call("XADD", T .. ":journal", "*", "type", "call.queued", "at_ms", now_ms, "call_id", id, "data", ARGV[4])
return redis.call("HMGET", T .. ":call:" .. id, FACTS)
""".replace("FACTS", ", ".join(f'"{name}"' for name in CALL_FACTS))

BARE_SNAPSHOT = """
local T = KEYS[1]
local lanes = redis.call("HGETALL", T .. ":lanes")
for n = 1, #lanes, 2 do
  local waiting = redis.call("ZRANGE", T .. ":lane:" .. lanes[n], 0, 8, "WITHSCORES")
  for m = 1, #waiting, 2 do
    waiting[m + 1] = redis.call("HMGET", T .. ":call:" .. waiting[m], "skips", "never", "named")
  end
  lanes[n] = waiting
end
local ready = redis.call("ZRANGE", T .. ":ready", 0, 49, "WITHSCORES")
return cjson.encode({ lanes, ready, redis.call("GET", T .. ":turn") })
"""

BARE_CLAIM = """
local T, id, now_ms, lane, agent_id = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
redis.call("ZREM", T .. ":lane:" .. lane, id)
redis.call("HDEL", T .. ":lanes", lane)
redis.call("HSET", T .. ":call:" .. id, "state", "offered", "offers", "1", "offer_id", id .. "-1", "agent_id", agent_id)
redis.call("ZREM", T .. ":ready", agent_id)
redis.call("ZREM", T .. ":pool", agent_id)
redis.call("HSET", T .. ":agent:" .. agent_id, "state", "offered", "call_id", id, "offer_id", id .. "-1")
redis.call("HSET", T .. ":offer:" .. id .. "-1", "call_id", id, "agent_id", agent_id, "state", "claimed",
  "claimed_ms", now_ms, "is_turn", "0", "why", ARGV[5])
redis.call("INCR", T .. ":turn")
redis.call("ZADD", T .. ":deadlines", now_ms, "offer:" .. id)
redis.call("HSET", T .. ":effects", "ring:" .. id, ARGV[6])
redis.call("ZADD", T .. ":due", now_ms, "ring:" .. id)
redis.call("XADD", T .. ":journal", "*", "type", "call.offered", "at_ms", now_ms, "call_id", id, "agent_id", agent_id,
  "data", ARGV[5])
return { "ok", id .. "-1", ARGV[6] }
"""


async def run(pace: Pace) -> Findings:
    async with furnished() as house:
        for number in range(AGENTS):
            everything = tuple(house.plan.skills)
            await crowd.sit_down(house.board, f"agent{number}", everything)
        desk = Desk(house)
        await desk.claim_one()
        bare = await Bare.of(house, desk.call_id)
        rounds = await take_turns(desk.claim_one, bare.claim_one, rounds=pace.rounds, pairs=pace.of(500, 100))
        return Findings(rounds, desk.told())


class Desk:
    """Where one call after the other is put through, and what the parts of that took."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.number = 0
        self.call_id = ""
        self.parts_ms: dict[str, list[float]] = {"enqueue": [], "snapshot": [], "decide": [], "claim": []}
        self.places = crowd.places(house.plan, len(house.plan.queues))

    async def claim_one(self) -> list[float]:
        self.number += 1
        house, number = self.house, self.number
        self.call_id = call_id = f"CA{number:06d}"
        place = self.places[number % len(self.places)]
        await crowd.arrive(house.runtime, house.board, call_id, number)
        instants = [perf_counter()]
        await crowd.enqueue(house.board, house.plan, call_id, place)
        instants.append(perf_counter())
        snapshot = await house.board.snapshot()
        instants.append(perf_counter())
        [match] = decide(house.plan, snapshot, house.runtime.clock.now_ms())
        instants.append(perf_counter())
        claim = await house.board.claim_offer(
            call_id=match.call_id, agent_id=match.agent_id, turn=snapshot.turn, why=match.why
        )
        instants.append(perf_counter())
        assert claim.is_ok, claim
        await house.board.end_call(call_id=call_id, by="caller")
        for part, before, after in zip(self.parts_ms.values(), instants, instants[1:], strict=False):
            part.append((after - before) * MS)
        return [(instants[-1] - instants[0]) * MS]

    def told(self) -> str:
        return (
            ", ".join(f"{name} {statistics.median(part):.2f}" for name, part in self.parts_ms.items()) + " ms"
        )


class Bare:
    """The same again by scripts that only write; what they write is what ours has left of a call."""

    TAG = "{bare}"

    def __init__(self, house: House, scripts: tuple[str, str, str], left: dict[str, Any]) -> None:
        self.client: Any = house.runtime.redis
        self.clock = house.runtime.clock
        self.enqueue, self.snapshot, self.claim = scripts
        self.left = left
        self.number = 0

    @classmethod
    async def of(cls, house: House, call_id: str) -> "Bare":
        """`call_id` is one that ours has put through."""
        client: Any = house.runtime.redis
        left = await what_is_left(house, call_id)
        digests = [await client.script_load(each) for each in (BARE_ENQUEUE, BARE_SNAPSHOT, BARE_CLAIM)]
        return cls(house, (digests[0], digests[1], digests[2]), left)

    async def claim_one(self) -> list[float]:
        self.number += 1
        call_id, agent_id, lane = f"CB{self.number:06d}", f"agent{self.number % AGENTS}", "general|ordinary"
        for pool in ("ready", "pool"):  # all are idle again
            idle = {f"agent{number}": self.clock.now_ms() for number in range(AGENTS)}
            await self.client.zadd(f"{self.TAG}:{pool}", idle)
        fields = [each for pair in self.left["call"].items() for each in pair]
        began = perf_counter()
        words = (call_id, self.clock.now_ms(), lane, self.left["queued"], self.left["call"]["lane"], *fields)
        await self.client.evalsha(self.enqueue, 1, self.TAG, *words)
        json.loads(await self.client.evalsha(self.snapshot, 1, self.TAG))
        words = (call_id, self.clock.now_ms(), lane, agent_id, self.left["why"], self.left["effect"])
        await self.client.evalsha(self.claim, 1, self.TAG, *words)
        return [(perf_counter() - began) * MS]


async def what_is_left(house: House, call_id: str) -> dict[str, Any]:
    """The texts that ours has written about a call, for the bare scripts to write again."""
    client, tag = house.runtime.redis, site_tag(house.plan.site)
    found: Any = await client.xrange(f"{tag}:journal")
    lines = {fields["type"]: fields["data"] for _, fields in found if fields["call_id"] == call_id}
    call: Any = await client.hgetall(f"{tag}:call:{call_id}")  # type: ignore[misc]
    queued = {name: call[name] for name in QUEUED if name in call}
    effect = {"kind": "ring", "call_id": call_id, "agent_id": "agent0", "to": "client:agent0", "attempt": 1}
    why = lines["call.offered"]
    return {"call": queued, "queued": lines["call.queued"], "why": why, "effect": json.dumps(effect)}


BENCH = Bench(
    name="claim",
    what="enqueue, decide, claim ÷ three scripts that write as much",
    unit="ms",
    limit=at_most(3),
    run=run,
)
