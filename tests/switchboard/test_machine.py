"""Hypothesis drives rules and scripts together: any order, any command twice; faults shrink to few steps."""

import asyncio
from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from redis.asyncio import Redis

from queues.domain.audit import audit
from tests.switchboard.laws import Laws
from tests.switchboard.workload import UNREPEATABLE, Workload
from tests.switchboard.world import World


class SwitchboardMachine(RuleBasedStateMachine):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.redis = Redis.from_url(url, decode_responses=True)
        self.world, self.laws, self.workload = World(self.redis), Laws(), Workload(Random(0))

    @initialize()
    def open(self) -> None:
        self.runner.run(self.world.open())

    @rule(chance=st.integers(0, 2**32), is_doubled=st.booleans())
    def something_happens(self, chance: int, is_doubled: bool) -> None:
        self.workload.chance = Random(chance)
        command = self.workload.next(self.world.state)
        is_doubled = is_doubled and not isinstance(command, UNREPEATABLE)
        self.runner.run((self.world.twice if is_doubled else self.world.do)(command))
        self.laws.check(self.world.state)

    @rule(chance=st.integers(0, 2**32))
    def a_file_changes(self, chance: int) -> None:
        self.workload.chance = Random(chance)
        if changed := self.workload.change_of_file():
            self.runner.run(self.world.change_file(*changed))

    @rule()
    def somebody_looks(self) -> None:
        self.runner.run(self.world.snapshot(self.workload.now_ms))

    def teardown(self) -> None:
        self.runner.run(self.redis.aclose())
        self.runner.close()
        assert audit(self.world.lines, is_drained=False) == ()


def test_rules_and_scripts_agree_on_everything(redis_url: str) -> None:
    run_state_machine_as_test(
        lambda: SwitchboardMachine(redis_url),
        settings=settings(
            max_examples=25, stateful_step_count=80, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
