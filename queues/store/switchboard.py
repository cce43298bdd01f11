"""The live state in Redis or Valkey: every command and every read is one script.

A command's value is the script's arguments, so there is one way in and no second list of names. All keys of
a site share one hash tag.
"""

import json
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from redis.asyncio import Redis

from config import scripts
from queues.domain.commands import Command, RaiseCounters, name_of
from queues.domain.lanes import Lane
from queues.domain.named import never_of, parse_never
from queues.domain.routing import (
    AGENTS_MAX,
    HEADS_MAX,
    LaneHeads,
    Person,
    Pool,
    Snapshot,
    called_of,
    waiting_from,
)
from queues.domain.skills import skills_of, tiers_of

PACKAGE: Final = "queues.store"
LINES_MAX: Final = 1000


def site_tag(site: str) -> str:
    return "{" + site + "}"


class CallPlace(NamedTuple):
    lane: Lane
    locale: str
    queued_ms: int
    never: frozenset[str]  # the agents he is never brought together with


class SwitchboardStore:
    """`on_new_server` is called before the first script runs on a server that has just started."""

    def __init__(self, redis: Redis, site: str, on_new_server: scripts.BeforeLoad | None = None) -> None:
        self._redis = redis
        self._site = site
        self._keys = (site_tag(site),)
        self._on_new_server = on_new_server

    async def run(self, command: Command) -> list[str]:
        """The script's reply: a word, then texts."""
        return await self._call(name_of(type(command)), **command.arguments())

    async def rise(self, command: RaiseCounters) -> None:
        """The one command that may run on a server nobody has met."""
        script = scripts.load(PACKAGE, name_of(type(command)), self._site)
        await script(self._redis, keys=self._keys, before_load=None, **command.arguments())

    async def note_loss(self, last_ms: int) -> None:
        """A new server may have lost what came after this instant; the earliest counts until it is mended."""
        await self._redis.set(f"{self._keys[0]}:lost_from", last_ms, nx=True)

    async def lost_from(self) -> int | None:
        found = await self._redis.get(f"{self._keys[0]}:lost_from")
        return int(found) if found is not None else None

    async def forget_loss(self) -> None:
        await self._redis.delete(f"{self._keys[0]}:lost_from")

    async def server(self) -> tuple[str, str]:
        """Which server this is, and which one the site met last; a restart or a failover makes it another."""
        info = await self._redis.info("server")
        return str(info["run_id"]), str(await self._redis.get(f"{self._keys[0]}:server") or "")

    async def read_snapshot(
        self,
        *,
        now_ms: int,
        silent_ms: int,
        heads_max: int = HEADS_MAX,
        agents_max: int = AGENTS_MAX,
        with_turns: bool = False,
    ) -> Snapshot:
        _, turn, rest = await self._call(
            "read_snapshot",
            now_ms=now_ms,
            silent_ms=silent_ms,
            heads_max=heads_max,
            agents_max=agents_max,
            with_turns=int(with_turns),
        )
        return _snapshot(int(turn), json.loads(rest))

    async def read_call(self, call_id: str) -> list[str]:
        """The call's facts, or nothing."""
        return (await self._call("read_call", call_id=call_id))[1:]

    async def read_desk(self, agent_id: str) -> dict[str, Any]:
        """The agent, his offer and call, and the lanes; or nothing."""
        reply = await self._call("read_desk", agent_id=agent_id)
        return dict(json.loads(reply[1])) if len(reply) > 1 else {}

    async def read_wall(self, *, now_ms: int) -> dict[str, Any]:
        return dict(json.loads((await self._call("read_wall", now_ms=now_ms))[1]))

    async def read_queues(self, *, now_ms: int, heads_max: int) -> dict[str, Any]:
        """The lanes from their heads, the agents, and what is closed by hand."""
        return dict(json.loads((await self._call("read_queues", now_ms=now_ms, heads_max=heads_max))[1]))

    async def closed_queues(self) -> dict[str, str]:
        """What is closed by hand: queue -> JSON."""
        found: Any = await self._redis.hgetall(f"{self._keys[0]}:closed_queues")
        return dict(found)

    async def read_standing(self, *, now_ms: int, calls_max: int) -> dict[str, Any]:
        """The lanes with those who wait, and the agents with how far they are."""
        return dict(json.loads((await self._call("read_standing", now_ms=now_ms, calls_max=calls_max))[1]))

    async def read_surges(self) -> list[str]:
        """The running ones, see surges.Running."""
        return [str(each) for each in await self._redis.hvals(f"{self._keys[0]}:surges")]

    async def read_menu(self, *, now_ms: int) -> dict[str, dict[str, int]]:
        """How many callers are at each node of the menu, and at the beginning of each line's."""
        found = json.loads((await self._call("read_menu", now_ms=now_ms))[1])
        # An empty Lua table is an empty object in JSON, or an empty list.
        return {name: dict(found[name] or {}) for name in ("nodes", "lines")}

    async def read_silent(self, *, now_ms: int, silent_ms: int, talking_ms: int, calls_max: int) -> list[str]:
        """Calls under way that gave no sign of life for so long, the longest silent first."""
        lengths = {"silent_ms": silent_ms, "talking_ms": talking_ms}
        return (await self._call("read_silent", now_ms=now_ms, **lengths, calls_max=calls_max))[1:]

    async def put_off(self, deadline: str, due_ms: int) -> None:
        """Later, if it is still there and not later already."""
        await self._redis.zadd(f"{self._keys[0]}:deadlines", {deadline: due_ms}, xx=True, gt=True)

    async def read_leg(self, offer_id: str) -> tuple[str, int | None]:
        """The leg of an offer, and when the offer was claimed."""
        key = f"{self._keys[0]}:offer:{offer_id}"
        leg_id, claimed_ms = await self._redis.hmget(key, ["leg_id", "claimed_ms"])
        return str(leg_id or ""), int(claimed_ms) if claimed_ms else None

    async def read_place(self, call_id: str) -> CallPlace | None:
        """Where the call stands among the waiting, or stood last; whom it may not have by the file as it is now."""
        site, names = self._keys[0], ["lane", "locale", "queued_ms", "never", "customer_id"]
        told: Any = await self._redis.hmget(f"{site}:call:{call_id}", names)
        rules, locale, queued_ms, never, customer_id = (str(each or "") for each in told)
        if not rules or not queued_ms:
            return None
        file = await self._redis.hget(f"{site}:customers", customer_id) if customer_id else None
        now = never_of(json.loads(file)) if file else never
        return CallPlace(Lane.from_json(rules), locale, int(queued_ms), parse_never(now))

    async def read_offer_of(self, leg_id: str) -> str:
        return str(await self._redis.hget(f"{self._keys[0]}:legs", leg_id) or "")

    async def read_customer(self, offer_id: str) -> tuple[str, str]:
        """The number of the customer this offer is about, and the leg that rings him."""
        site = self._keys[0]
        call_id, leg_id = await self._redis.hmget(f"{site}:offer:{offer_id}", ["call_id", "customer_leg_id"])
        number = await self._redis.hget(f"{site}:call:{call_id!s}", "number") if call_id else None
        return str(number or ""), str(leg_id or "")

    async def doubt(self, call_id: str) -> None:
        """As if it had been silent for ever; not when it is over."""
        await self._redis.zadd(f"{self._keys[0]}:live", {call_id: 0}, xx=True)

    async def hold_lease(self, *, name: str, holder: str, lease_ms: int) -> str:
        return (await self._call("hold_lease", name=name, holder=holder, lease_ms=lease_ms))[0]

    async def release_lease(self, *, name: str, holder: str) -> str:
        return (await self._call("release_lease", name=name, holder=holder))[0]

    async def wait_for_line(self, after_id: str, wait_ms: int) -> str:
        """The newest id of the journal, at once when it is another, else after waiting (real time)."""
        key = f"{self._keys[0]}:journal"
        found: Any = await self._redis.xread({key: after_id}, count=LINES_MAX, block=max(1, wait_ms))
        streams = dict(found) if found else {}
        return str(streams[key][-1][0]) if streams else after_id

    async def newest_line(self) -> str:
        found: Any = await self._redis.xrevrange(f"{self._keys[0]}:journal", count=1)
        return str(found[0][0]) if found else "0-0"

    async def _call(self, name: str, /, **arguments: str | int) -> list[str]:
        script = scripts.load(PACKAGE, name, self._site)
        return await script(self._redis, keys=self._keys, before_load=self._on_new_server, **arguments)


def _snapshot(turn: int, rest: dict[str, Any]) -> Snapshot:
    # An empty Lua table is an empty object in JSON; iterating over it is the same.
    return Snapshot(
        turn=turn,
        seen=rest["seen"],
        lanes=tuple(_heads(rules, list(entries), *marks) for rules, entries, *marks in rest["lanes"]),
        pools=tuple(_pool(*pool) for pool in rest["pools"]),
        people={
            agent_id: Person(state, skills_of(skills), int(idle_ms), tiers_of(skills))
            for agent_id, state, skills, idle_ms in rest["people"]
        },
        signed_in=int(rest["signed_in"]),
        released=frozenset(rest["released"]),
        called=called_of(rest["called"]),
        late=tuple(rest["late"]),
        lost=tuple(rest["lost"]),
        deadline_ms=int(rest["deadline_ms"]) if rest["deadline_ms"] else None,
        due_ms=int(rest["due_ms"]) if rest["due_ms"] else None,
    )


def _heads(rules: str, entries: list[list[str]], is_cut: bool, is_surging: bool) -> LaneHeads:
    waiting = tuple(waiting_from(member, int(queued_ms), *texts) for member, queued_ms, *texts in entries)
    return LaneHeads(Lane.from_json(rules), waiting, is_cut, is_surging)


def _pool(skills: str, agents: Iterable[str], is_cut: bool, turns: Iterable[str]) -> Pool:
    told = list(agents)
    pairs = zip(told[::2], told[1::2], strict=True)
    idle = tuple((int(idle_ms), agent_id) for agent_id, idle_ms in pairs)
    return Pool(skills_of(skills), idle, is_cut, tiers_of(skills), tuple(int(turn or 0) for turn in turns))
