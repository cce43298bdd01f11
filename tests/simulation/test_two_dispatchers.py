"""Two dispatchers on one site, killed at random: between any two requests, before or after the last one was made.

The provider is in good health here, so that nothing hides behind its faults. Somebody of the house dies every few
seconds; leases are lost by who is alive, so that two of them lead for a while. What holds on such a day, at every
line of the journal and after every look of a living leader: no agent is idle while a caller waits whom he may take,
except for a skip that is logged; one agent one call; a place is kept; each offer ends once; everybody is in exactly
one place; nobody is passed by more than the bound of every pair of tiers.
"""

import pytest

from config.runtime import Runtime
from config.web import webhooks
from tests.simulation.days.day import Course, open_day

KILLS_EVERY_MS = 5_000


@pytest.mark.parametrize("seed", range(100, 106))
async def test_whoever_of_the_two_is_killed_and_wherever_no_law_is_broken(
    runtime: Runtime, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However slow the machine is: no limit in real time decides what happens on such a day."""
    monkeypatch.setattr(webhooks, "HANDLER_S_MAX", 0.001)
    course = Course(seed, minutes=6, calls=20, has_faults=False, kills_every_ms=KILLS_EVERY_MS)
    async with open_day(runtime, course) as day:
        assert await day.play() == []
        assert day.deaths >= 15
        assert day.auditor.offers >= 10


async def test_many_of_them_at_once_are_as_safe_as_two(runtime: Runtime) -> None:
    course = Course(7, minutes=5, calls=20, dispatchers=4, has_faults=False, kills_every_ms=KILLS_EVERY_MS)
    async with open_day(runtime, course) as day:
        assert await day.play() == []
