"""Both switchboards at once: every command goes to the rules and to the scripts, and all is compared."""

import json
from typing import Any

from redis.asyncio import Redis

from queues.domain.commands import Command, name_of
from queues.domain.journal import Line
from queues.domain.lanes import Lane
from queues.domain.routing import Snapshot, snapshot_of
from queues.domain.state import State, hash_of
from queues.domain.switchboard import Step, step
from queues.store.switchboard import SwitchboardStore, site_tag
from tests.doubles import MONDAY_0900_MS

SITE = "power"
TAG = site_tag(SITE)
SILENT_MS = 45_000
EMPTY = "0-0"

NUMBERS = {
    "k-vip": "C1", "k-plain": "C2", "k-dangling": "C9",
    "k-shared": "C9~谁\nC3~王~芳\nC1\nC2~x",
}  # fmt: skip
ACCOUNTS = {"a-vip": "C1", "a-plain": "C2", "a-cared": "C3", "a-dangling": "C9"}
CUSTOMERS = {
    "C1": {
        "name": "林",
        "tier": "vip",
        "locale": "en-US",
        "manager": None,
        "area": "east",
        "managers": ["mei"],
        "waits": {"mei": 5_000},
        "never": ["bo", "ann"],
    },
    "C2": {"name": "王", "tier": None, "locale": "", "managers": None},
    "C3": {"name": "赵", "area": "west", "managers": ["bo", "ann"], "care": "1"},
}
PEOPLE = {
    "mei": {"name": "美", "leaves": [{"from_ms": 0, "until_ms": 1, "cover": "ann"}]},
    "bo": {"name": "Bo", "leaves": [{"from_ms": 0, "until_ms": MONDAY_0900_MS + 60_000, "cover": "mei"}]},
}
CASES = {
    "T000012": {"state": "taken", "code_key": "k-1234", "reply": "明天/tomorrow"},
    "T000013": {"state": "open", "code_key": "", "reply": ""},
    "T000014": {"state": "closed", "code_key": "", "reply": ""},
    "T000015": {"state": "taken", "code_key": "", "reply": "已退款", "customer_id": "C3"},
    "T000016": {"state": "taken", "code_key": "", "reply": "谁的？", "customer_id": ""},
    "T000017": {"state": "taken", "code_key": "", "reply": "从前的"},
}
OWNERS = {"C1": "ann", "r/1": "bo"}
OWNED = {"T000001": "C1", "T000002": "r/1", "T000012": "r/1"}
INDEXES = {
    "numbers": NUMBERS,
    "accounts": ACCOUNTS,
    "owners": OWNERS,
    "owned": OWNED,
    **{
        name: {each: json.dumps(value, ensure_ascii=False) for each, value in records.items()}
        for name, records in (("customers", CUSTOMERS), ("people", PEOPLE), ("cases", CASES))
    },
}


def first_state() -> State:
    """Nobody has called yet, and the indexes are filled."""
    return State(**{name: dict(records) for name, records in INDEXES.items()})


class World:
    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.store = SwitchboardStore(redis, SITE)
        self.state = first_state()
        self.lines: list[Line] = []
        self.words: list[tuple[str, str]] = []  # command, reply
        self._last_id = EMPTY

    async def open(self) -> "World":
        await self.redis.flushdb()
        for name, records in INDEXES.items():
            await self.redis.hset(f"{TAG}:{name}", mapping=records)
        return self

    async def do(self, command: Command) -> tuple[str, ...]:
        """The reply, once both agreed on it, on the lines, and on the whole state after it."""
        before = self.state.copy()
        expected = step(self.state, command)
        assert self.state == before, "the step changed its argument"
        reply = tuple(await self.store.run(command))
        assert _plain(reply) == _plain(expected.reply), command
        self.words.append((name_of(type(command)), reply[0]))
        await self._compare(expected, command)
        self.state = expected.state
        return reply

    async def change_file(self, customer_id: str, text: str) -> None:
        """A clerk has changed a customer's file, and the index shows it."""
        self.state = self.state.copy()
        self.state.customers[customer_id] = text
        await self.redis.hset(f"{TAG}:customers", customer_id, text)

    async def twice(self, command: Command) -> tuple[str, ...]:
        """A webhook that comes twice: the second time changes nothing that anybody sees."""
        reply = await self.do(command)
        lines = len(self.lines)
        await self.do(command)
        assert self.lines[lines:] == [], f"{command} told its story twice"
        return reply

    async def _compare(self, expected: Step, command: Command) -> None:
        entries = await self.redis.xrange(f"{TAG}:journal", min=f"({self._last_id}")
        lines = [Line.from_stream(entry_id, fields) for entry_id, fields in entries]
        assert lines == list(expected.lines), command
        self.lines = [line for line in self.lines if line.id not in expected.erased] + lines
        for line_id in expected.erased:
            assert await self.redis.xrange(f"{TAG}:journal", min=line_id, max=line_id) == [], command
        self._last_id = lines[-1].id if lines else self._last_id
        assert await dump(self.redis) == picture(expected.state), command

    async def snapshot(self, now_ms: int) -> Snapshot:
        for asked in (
            {"silent_ms": SILENT_MS, "with_turns": True, "heads_max": 1, "agents_max": 1},
            {"silent_ms": SILENT_MS},
        ):
            read = await self.store.read_snapshot(now_ms=now_ms, **asked)
            assert read == snapshot_of(self.state, now_ms, **asked)
        return read


def picture(state: State) -> dict[str, Any]:
    """What the keys of the site hold when the live state is this one."""
    keys: dict[str, Any] = {
        **{f"call:{call_id}": hash_of(call) for call_id, call in state.calls.items()},
        **{f"agent:{agent_id}": hash_of(agent) for agent_id, agent in state.agents.items()},
        **{f"offer:{offer_id}": hash_of(offer) for offer_id, offer in state.offers.items()},
        **{f"lane:{lane_id}": {m: at for at, m in entries} for lane_id, entries in state.lanes.items()},
        **_pools(state),
        "lanes": state.lane_rules,
        "ready": state.ready,
        "agents": {agent_id for agent_id, agent in state.agents.items() if agent.state != "signed_out"},
        "deadlines": state.deadlines,
        "due": state.due,
        "effects": {effect_id: json.loads(effect.to_json()) for effect_id, effect in state.effects.items()},
        "live": state.live,
        "beats": state.beats,
        "numbers": state.numbers,
        "customers": state.customers,
        "accounts": state.accounts,
        "people": state.people,
        "owners": state.owners,
        "owned": state.owned,
        "reserves": state.reserves,
        "met": state.met,
        "met_at": {ref: int(text.partition(" ")[0]) for ref, text in state.met.items()},
        "notices": state.notices,
        "surges": state.surges,
        "estimates": state.estimates,
        "cases": state.cases,
        "case_faults": state.case_faults,
        "legs": state.legs,
        "places": state.places,
        "callbacks": state.callbacks,
        "dialling": state.dialling,
        "closed_queues": state.closed_queues,
        "server": state.server,
        "version": state.version,
    }
    counters = {
        "turn": state.turn,
        "turns": state.turns,
        "arrivals": state.arrivals,
        "ticket_no": state.tickets,
        "last_ms": state.last_ms,
        "last_seq": state.last_seq,
    }
    return {name: value for name, value in keys.items() if value} | {n: v for n, v in counters.items() if v}


def _pools(state: State) -> dict[str, Any]:
    pools: dict[str, dict[str, int]] = {}
    for agent_id, idle_ms in state.ready.items():
        pools.setdefault(state.agents[agent_id].skills, {})[agent_id] = idle_ms
    return {**{f"pool:{skills}": agents for skills, agents in pools.items()}, "pools": set(pools)}


async def dump(redis: Redis) -> dict[str, Any]:
    """The same picture, read key by key."""
    names = sorted(await redis.keys(f"{TAG}:*"))
    async with redis.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.type(name)
        kinds = await pipe.execute()
        for name, kind in zip(names, kinds, strict=True):
            _READS[kind](pipe, name)
        values = await pipe.execute()
    found = {
        name.removeprefix(f"{TAG}:"): _value(name, kind, value)
        for name, kind, value in zip(names, kinds, values, strict=True)
        if kind != "stream"
    }
    return {name: value for name, value in found.items() if value}


_READS = {
    "hash": lambda pipe, name: pipe.hgetall(name),
    "zset": lambda pipe, name: pipe.zrange(name, 0, -1, withscores=True),
    "set": lambda pipe, name: pipe.smembers(name),
    "string": lambda pipe, name: pipe.get(name),
    "stream": lambda pipe, name: pipe.xlen(name),
}


def _value(name: str, kind: str, value: Any) -> Any:
    if kind == "zset":
        return {member: int(score) for member, score in value}
    if kind == "string":
        return value if name.endswith((":server", ":version")) else int(value)
    if name.endswith(":effects"):
        return {effect_id: json.loads(text) for effect_id, text in value.items()}
    if kind == "hash":
        return {field: text for field, text in value.items() if text}
    return value


def _plain(reply: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(json.loads(text) if text.startswith("{") else text for text in reply)


def lane(
    queue: str = "power", tier: str = "normal", head_start_ms: int = 0, *, is_safety: bool = False
) -> Lane:
    return Lane(queue, tier, (queue,), head_start_ms, is_safety)
