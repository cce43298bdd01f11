"""Who is asked first: the part of customers.yaml that says which people of his own a caller is offered to.

Each kind stands alone, and what is not written is not done: a site without `affinity` offers every call to whoever
has been idle longest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AfterValidator, Field

from queues.domain.named import FIRST_CONTACT, LAST_AGENT, MANAGER, TOGETHER_MS_MAX
from queues.domain.parts import Duration, Part

if TYPE_CHECKING:
    from queues.domain.plan_checks import Names

WAIT_MS: Final = 20_000
WEEK_MS: Final = 7 * 24 * 3_600_000


def _check_wait(wait_ms: int) -> int:
    if not 0 < wait_ms <= TOGETHER_MS_MAX:
        raise ValueError(f"nobody waits for one person alone longer than {TOGETHER_MS_MAX // 1000}s")
    return wait_ms


class Asked(Part):
    """How long the others hold back for him, and in which queues; none named: in all."""

    wait_ms: Annotated[Duration, AfterValidator(_check_wait)] = Field(default=WAIT_MS, alias="wait")
    queues: tuple[str, ...] = ()


class AskedManager(Asked):
    """The customer's own managers; of the tiers under `managed`, or of these."""

    tiers: tuple[str, ...] = ()


class AskedAgain(Asked):
    """Who talked with him last, if that is not longer ago."""

    within_ms: Duration = Field(default=WEEK_MS, alias="within")


class Affinity(Part):
    manager: AskedManager | None = None
    first_contact: Asked | None = None  # who owns his open ticket
    last_agent: AskedAgain | None = None

    def rule(self, why: str) -> Asked | None:
        return {MANAGER: self.manager, FIRST_CONTACT: self.first_contact, LAST_AGENT: self.last_agent}[why]

    @property
    def manager_tiers(self) -> tuple[str, ...]:
        return self.manager.tiers if self.manager else ()

    @property
    def last_agent_within_ms(self) -> int:
        return self.last_agent.within_ms if self.last_agent else 0


PLACE: Final = ("customers", "affinity")


def check(names: Names, parts: Mapping[str, Any]) -> None:
    """Every queue and tier that it names is there."""
    affinity: Affinity = parts["affinity"]
    for why in (MANAGER, FIRST_CONTACT, LAST_AGENT):
        rule = affinity.rule(why)
        for index, queue in enumerate(rule.queues if rule else ()):
            names.expect((*PLACE, why, "queues", index), "queue", queue)
    for index, tier in enumerate(affinity.manager_tiers):
        names.expect((*PLACE, MANAGER, "tiers", index), "tier", tier)
    if affinity.manager and not (affinity.manager_tiers or parts["managed"]):
        names.book.add((*PLACE, MANAGER), "nobody has a manager: name the tiers here, or under 'managed'")
