"""The scripts' literals are the domain's tables, and no reply depends on a hash's order."""

import json
from importlib import resources
from typing import Any

from redis.asyncio import Redis

from config.scripts import load
from queues.domain import agents, calls, offers
from queues.domain.calls import CALL_FACTS
from queues.domain.offers import OFFER_FACTS, OFFERED_CALL_FACTS
from queues.store.switchboard import PACKAGE

LUA = resources.files(PACKAGE).joinpath("lua")
LINES_MAX = 90


async def evaluate(redis: Redis, include: str, expression: str) -> Any:
    body = "\n".join(LUA.joinpath("include", f"{name}.lua").read_text("utf-8") for name in ("base", include))
    return json.loads(
        await redis.eval(f"local now_ms = 0\n{body}\nreturn cjson.encode({expression})", 1, "{t}")
    )


def by_event(kind: str, moves: Any) -> dict[str, set[str]]:
    table: dict[str, set[str]] = {}
    for state, events in moves.items():
        for event, after in events.items():
            table.setdefault(f"{kind} {event}", set()).add(f"{state}>{after}")
    return table


async def test_the_scripts_moves_are_the_domains(redis: Redis) -> None:
    moves = await evaluate(redis, "moves", "MOVES")
    assert {event: set(steps.split(" ")) for event, steps in moves.items()} == {
        **by_event("call", calls.MOVES),
        **by_event("agent", agents.MOVES),
        **by_event("offer", offers.MOVES),
    }


async def test_the_scripts_facts_are_the_domains(redis: Redis) -> None:
    told = await evaluate(redis, "facts", "{ CALL_FACTS, OFFER_FACTS, OFFERED_CALL_FACTS }")
    assert told == [list(CALL_FACTS), list(OFFER_FACTS), list(OFFERED_CALL_FACTS)]


def test_every_state_has_its_row_and_what_is_over_stays_over() -> None:
    assert set(calls.MOVES) == set(calls.CallState)
    assert set(agents.MOVES) == set(agents.AgentState)
    assert set(offers.MOVES) == set(offers.OfferState)
    assert calls.MOVES[calls.CallState.ENDED] == {}
    assert {state for state, events in offers.MOVES.items() if events} == offers.OPEN


def test_scripts_are_short_and_each_reads_its_contract() -> None:
    files = [file for file in LUA.iterdir() if file.name.endswith(".lua")]
    for file in files:
        assert len(file.read_text("utf-8").splitlines()) <= LINES_MAX, file.name
        load(PACKAGE, file.name.removesuffix(".lua"))
