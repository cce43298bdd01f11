"""People for a bench: callers who wait, agents who sit ready; a few of them real, a great many alike.

A crowd is made by the product's own commands once for each lane and each set of skills; the live store then
copies those records under other names. So a crowd of 100,000 is there within seconds, and each of it is what
the commands would have left.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from config.numbers import number_key
from config.runtime import Runtime
from queues.domain.lanes import Lane, call_id_of
from queues.domain.plan import Plan
from queues.domain.routing import decide
from queues.service.switchboard import Switchboard
from queues.store.switchboard import site_tag
from tests.bench.house import House

CLONED_AT_ONCE = 2_000
HOUR_MS = 3_600_000
WAITED_FOR_MS = 240_000  # the longest-waiting of a crowd

# Copies of one waiting call: in the same lane, each a little later than the one before.
CLONE_CALLS = """
local T, from, lane_id = KEYS[1], ARGV[1], ARGV[2]
local first, count, queued_ms, step_ms = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
for n = first, first + count - 1 do
  local id, at = from .. "x" .. n, string.format("%.0f", queued_ms + math.floor(n * step_ms))
  local arrival = redis.call("INCR", T .. ":arrivals")
  redis.call("COPY", T .. ":call:" .. from, T .. ":call:" .. id)
  redis.call("HSET", T .. ":call:" .. id, "call_id", id, "arrival", arrival, "arrived_ms", at, "queued_ms", at)
  redis.call("ZADD", T .. ":lane:" .. lane_id, at, string.format("%012d:%s", arrival, id))
  redis.call("ZADD", T .. ":live", at, id)
end
return "ok"
"""

# Copies of one agent; one who is ready stands in the pool of his skills.
CLONE_AGENTS = """
local T, from, skills, is_ready = KEYS[1], ARGV[1], ARGV[2], ARGV[3] == "1"
local first, count, idle_ms = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
for n = first, first + count - 1 do
  local id, at = from .. "x" .. n, string.format("%.0f", idle_ms + n)
  redis.call("COPY", T .. ":agent:" .. from, T .. ":agent:" .. id)
  redis.call("HSET", T .. ":agent:" .. id, "agent_id", id, "endpoint", "client:" .. id, "idle_ms", at)
  redis.call("SADD", T .. ":agents", id)
  redis.call("ZADD", T .. ":beats", at, id)
  if is_ready then
    redis.call("ZADD", T .. ":ready", at, id)
    redis.call("ZADD", T .. ":pool:" .. skills, at, id)
  end
end
return "ok"
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call waits, and what it is about."""

    lane: Lane
    matter: str


def places(plan: Plan, count: int) -> list[Place]:
    """Lanes of the site: its queues, tiers and matters; beyond what it has, lanes that differ in a head start."""
    pairs = [(queue, tier) for tier in plan.tiers for queue in plan.queues]
    matters = [matter for matter in plan.matters.values() if not matter.is_safety]
    found = []
    for number in range(count):
        queue, tier = pairs[number % len(pairs)]
        extra_ms = 100 * (number // len(pairs))
        needs = plan.needs(queue, plan.default_locale)
        lane = Lane(queue, tier, needs, plan.tiers[tier].head_start_ms + extra_ms)
        found.append(Place(lane, matters[number % len(matters)].id))
    return found


def skill_sets(plan: Plan) -> list[tuple[str, ...]]:
    """What the agents of a site can do: a main skill each, beside general enquiries."""
    return [tuple(sorted({"general", skill})) for skill in plan.skills]


async def arrive(runtime: Runtime, board: Switchboard, call_id: str, number: int) -> None:
    caller = f"+86138{number:08d}"
    key = number_key(runtime.settings.secret_key, caller)
    await board.arrive(call_id=call_id, line="main", caller_ref=key, number=caller, number_key=key)


async def enqueue(board: Switchboard, plan: Plan, call_id: str, place: Place) -> None:
    kind = plan.ticket_types.get(plan.matters[place.matter].ticket_type or "")
    reply = await board.enqueue_call(
        call_id=call_id,
        queue=place.lane.queue,
        matter=place.matter,
        tier=place.lane.tier,
        lane=place.lane,
        ticket_type=kind.id if kind else "",
        ticket_on=plan.matters[place.matter].ticket_on,
        work_queue=kind.work_queue if kind else "",
    )
    assert reply.is_ok, reply


async def sit_down(board: Switchboard, agent_id: str, skills: Sequence[str]) -> None:
    """Signed in and ready."""
    await board.sign_in(agent_id=agent_id, name=agent_id, skills=skills, endpoint=f"client:{agent_id}")
    assert await board.set_presence(agent_id=agent_id, presence="ready") == "ok"


async def talk(house: House, call_id: str, number: int, place: Place) -> None:
    """A whole call, from the first ring to the end of wrap-up, and everything that happens in between."""
    board = house.board
    await arrive(house.runtime, board, call_id, number)
    for step, node in enumerate(("welcome", "main_menu")):
        await board.step_menu(call_id=call_id, node=node, step=step)
    await enqueue(board, house.plan, call_id, place)
    snapshot = await board.snapshot()
    [match] = decide(house.plan, snapshot, house.runtime.clock.now_ms())
    claim = await board.claim_offer(
        call_id=match.call_id, agent_id=match.agent_id, turn=snapshot.turn, why=match.why
    )
    assert claim.offer_id, claim
    for command in (board.ring_offer, board.ringing, board.answer_offer, board.accept_offer):
        assert (await command(offer_id=claim.offer_id, leg_id=f"CAleg-{number}")).is_ok
    assert (await board.connect_call(call_id=call_id, offer_id=claim.offer_id)).is_ok
    assert (await board.end_call(call_id=call_id, by="caller")).is_ok
    assert await board.close_wrap_up(agent_id=match.agent_id, disposition="solved") == "ok"


@dataclass(frozen=True)
class Crowd:
    """A site of its own in the live store, so that a small and a large one can be asked in turns."""

    runtime: Runtime
    plan: Plan
    board: Switchboard

    @classmethod
    def of(cls, runtime: Runtime, plan: Plan, site: str) -> "Crowd":
        own = plan.model_copy(update={"site": site})
        return cls(runtime, own, Switchboard(runtime, site))

    async def gather(self, *, waiting: int, lanes: int, agents: int) -> None:
        """So many calls, spread evenly over so many lanes; so many agents, every second one ready."""
        each = math.ceil(waiting / lanes)
        for number, place in enumerate(places(self.plan, lanes)):
            await self._fill_lane(f"CA{number:05d}", place, min(each, waiting - number * each), number)
        sets = skill_sets(self.plan)
        for number, skills in enumerate(sets):
            ready, busy = _shares(agents, len(sets), number)
            await self._seat(f"ready{number}", skills, ready, is_ready=True)
            await self._seat(f"busy{number}", skills, busy, is_ready=False)

    async def _fill_lane(self, call_id: str, place: Place, count: int, number: int) -> None:
        if count < 1:
            return
        await arrive(self.runtime, self.board, call_id, number)
        await enqueue(self.board, self.plan, call_id, place)
        since_ms = self.runtime.clock.now_ms() - WAITED_FOR_MS
        step_ms = WAITED_FOR_MS / count
        await self._clone(CLONE_CALLS, count - 1, lambda first, some: (
            call_id, place.lane.lane_id, first, some, since_ms, step_ms
        ))  # fmt: skip

    async def restrict(self, count: int) -> None:
        """The first so many of those who wait, lane by lane in equal parts: each is never to meet one of the agents,
        and has a manager who is away."""
        client: Any = self.runtime.redis
        tag = site_tag(self.plan.site)
        lanes = sorted(await client.hkeys(f"{tag}:lanes"))
        agents = sorted(await client.smembers(f"{tag}:agents"))
        each = count // len(lanes)
        async with client.pipeline(transaction=False) as pipe:
            for lane_id in lanes:
                for n, member in enumerate(await client.zrange(f"{tag}:lane:{lane_id}", 0, each - 1)):
                    never, manager = agents[n % len(agents)], agents[-1 - n % len(agents)]
                    own = {"never": never, "named": f"manager 20000 {manager}"}
                    pipe.hset(f"{tag}:call:{call_id_of(member)}", mapping=own)
            await pipe.execute()

    async def _seat(self, agent_id: str, skills: Sequence[str], count: int, *, is_ready: bool) -> None:
        if count < 1:
            return
        await sit_down(self.board, agent_id, skills)
        if not is_ready:
            await self.board.set_presence(agent_id=agent_id, presence="away", reason="break")
        since_ms = self.runtime.clock.now_ms() - WAITED_FOR_MS
        text = ",".join(sorted(skills))
        await self._clone(CLONE_AGENTS, count - 1, lambda first, some: (
            agent_id, text, int(is_ready), first, some, since_ms
        ))  # fmt: skip

    async def _clone(self, script: str, count: int, arguments: Any) -> None:
        client: Any = self.runtime.redis
        for first in range(0, count, CLONED_AT_ONCE):
            some = min(CLONED_AT_ONCE, count - first)
            await client.eval(script, 1, site_tag(self.plan.site), *arguments(first, some))

    async def call_ids(self) -> list[str]:
        """Everybody who waits, lane by lane."""
        client: Any = self.runtime.redis
        tag = site_tag(self.plan.site)
        lanes = [f"{tag}:lane:{lane_id}" for lane_id in sorted(await client.hkeys(f"{tag}:lanes"))]
        return [call_id_of(member) for lane in lanes for member in await client.zrange(lane, 0, -1)]

    async def has_heard_its_places(self) -> None:
        """Nobody is told his place for an hour: then a sentence and a line of the journal more are due."""
        client: Any = self.runtime.redis
        told = f"0 {self.runtime.clock.now_ms() + HOUR_MS} 1 0 0 0"
        async with client.pipeline(transaction=False) as pipe:
            for call_id in await self.call_ids():
                pipe.hset(f"{site_tag(self.plan.site)}:call:{call_id}", "told", told)
            await pipe.execute()

    async def prove(self) -> None:
        """One of the crowd can be claimed: the copies are what the commands would have left."""
        snapshot = await self.board.snapshot()
        heads = [heads.waiting[0] for heads in snapshot.lanes if len(heads.waiting) > 1]
        agents = [pool.agents[0] for pool in snapshot.pools]
        claim = await self.board.claim_offer(
            call_id=heads[0].call_id, agent_id=agents[0][1], turn=snapshot.turn, why={}
        )
        assert claim.is_ok, claim
        assert (await self.board.end_call(call_id=heads[0].call_id, by="caller")).is_ok


def _shares(agents: int, sets: int, number: int) -> tuple[int, int]:
    """How many of this set of skills are ready, and how many are not."""
    ready = agents // 2 // sets + (number < agents // 2 % sets)
    busy = (agents - agents // 2) // sets + (number < (agents - agents // 2) % sets)
    return ready, busy
