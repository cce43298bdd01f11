"""What is simulated: calls with their lengths and patience, agents with their hours, and the times in between.

A scenario is complete: nothing in a simulation is drawn by chance, so the same scenario gives the same day.
"""

from dataclasses import dataclass
from typing import Final

EVERYBODY: Final = ()  # skills of an agent who has all of the site's


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCall:
    """`at_ms` is when it enters its queue. `patience_ms` None: the caller never leaves by himself.

    `locale` empty: the site's first language.
    """

    call_id: str
    at_ms: int
    tier: str
    queue: str
    matter: str
    handling_ms: int
    patience_ms: int | None = None
    locale: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedAgent:
    """Works from `from_ms` until `until_ms`, or to the end; who talks then finishes his call first."""

    agent_id: str
    skills: tuple[str, ...] = EVERYBODY
    from_ms: int = 0
    until_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    calls: tuple[SimulatedCall, ...]
    agents: tuple[SimulatedAgent, ...]
    ring_ms: int = 5_000
    wrap_up_ms: int = 20_000
    starts_ms: int = 0  # the instant of at_ms 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedCall:
    """What became of one call. `rule` is why it was taken when it was: safety, ceiling, key."""

    call: SimulatedCall
    answered_ms: int | None
    left_ms: int  # answered, or given up
    agent_id: str = ""
    rule: str = ""

    @property
    def is_answered(self) -> bool:
        return self.answered_ms is not None

    @property
    def wait_ms(self) -> int:
        return self.left_ms - self.call.at_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedDay:
    """Every call in the order of arrival; each agent's time on calls and in all; when the last thing happened."""

    calls: tuple[PlayedCall, ...]
    busy_ms: dict[str, int]
    staffed_ms: dict[str, int]
    ended_ms: int
    kept_back_ms: int = 0  # agents' idle time on kept seats while somebody waited whom they could have served
