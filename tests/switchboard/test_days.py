"""Long days by seed: rules and scripts side by side, every second command doubled, the auditor listening.

A seed that fails is printed by its name; run it alone with `-k`.
"""

import re
from collections import defaultdict
from importlib import resources
from random import Random

import pytest
from redis.asyncio import Redis

from config.scripts import load
from queues.domain import commands as c
from queues.domain.audit import audit
from queues.domain.commands import name_of
from queues.domain.switchboard import RULES, advance
from queues.store.switchboard import PACKAGE
from queues.web.why import AGAIN
from tests.switchboard.laws import Laws
from tests.switchboard.workload import UNREPEATABLE, Workload
from tests.switchboard.world import World, first_state

SEEDS = range(8)
COMMANDS = 450
DAYS_MIN, DAYS_MAX = 8, 40
# Lines that tell a reader their reason.
REASONED = ("call.requeued", "offer.withdrawn", "callback.missed", "callback.rested")


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_day_leaves_rules_and_scripts_in_the_same_place(redis: Redis, seed: int) -> None:
    world, chance, laws = await World(redis).open(), Random(seed), Laws()
    workload = Workload(chance)
    for _ in range(COMMANDS):
        if changed := workload.change_of_file():
            await world.change_file(*changed)
        command = workload.next(world.state)
        is_doubled = chance.random() < 0.5 and not isinstance(command, UNREPEATABLE)
        await (world.twice if is_doubled else world.do)(command)
        laws.check(world.state)
        if chance.random() < 0.05:
            await world.snapshot(command.now_ms)
    assert audit(world.lines, is_drained=False) == ()
    for name, word in world.words:
        assert general({word}) <= promised(name), name


def test_the_words_of_the_rules_are_the_words_of_the_headers() -> None:
    """Days enough that every word is said once; the more commands there are, the more it takes.

    And each reason they give has words for whoever reads the call's page.
    """
    reasons: set[str] = set()
    words: dict[str, set[str]] = defaultdict(set)
    headers = {name: promised(name) for name in scripts()}
    for seed in range(DAYS_MAX):
        state, workload = first_state(), Workload(Random(seed))
        for _ in range(6_000):
            state.customers.update([changed] if (changed := workload.change_of_file()) else [])
            command = workload.next(state)
            first, again = advance(state, command), advance(state, command)
            words[name_of(type(command))] |= {first.reply[0], again.reply[0]}
            reasons |= {line.data["why"] for line in first.lines if line.type in REASONED}
        if seed >= DAYS_MIN and {name: general(words[name]) for name in headers} == headers:
            break
    assert {name: general(words[name]) for name in headers} == headers
    assert reasons - AGAIN == set()


def test_every_command_has_one_rule_one_script_and_the_same_arguments() -> None:
    kinds = {name_of(kind): kind for kind in c.Command.__subclasses__()}
    assert set(kinds) == {name_of(kind) for kind in RULES} == set(scripts())
    for name, kind in kinds.items():
        assert load(PACKAGE, name).contract.arguments == tuple(kind.__dataclass_fields__), name


def scripts() -> list[str]:
    """The scripts of commands: those that change the state of calls, agents and offers."""
    files = resources.files(PACKAGE).joinpath("lua").iterdir()
    names = [file.name.removesuffix(".lua") for file in files if file.name.endswith(".lua")]
    return [name for name in names if not name.startswith("read_") and not name.endswith("_lease")]


def promised(name: str) -> set[str]:
    return set(load(PACKAGE, name).contract.replies)


def general(words: set[str]) -> set[str]:
    return {word if word == "stale:turn" else re.sub(r"^stale:.*", "stale:<state>", word) for word in words}
