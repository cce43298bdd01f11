"""Targets: which share of callers is to be answered within how long, and which formula is the contract.

A site writes them as rows, the first that fits counts; whom none fits is to be answered within the queue's own
`answer_within`, 80 of 100. Times are whole seconds, because waits are counted by them: so every share is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from queues.domain.parts import Duration, Part

if TYPE_CHECKING:
    from queues.domain.plan import Plan
    from queues.domain.plan_checks import Names

SHARE: Final = 80
SECOND_MS: Final = 1000


class Profile(NamedTuple):
    """Percent, and ms."""

    share: int
    within_ms: int


# By the names they go by: the industry's habit, a key account's contract, the promise of Chinese public hotlines, and
# the rules of Spain (three minutes) and of India's regulator (90 s).
PROFILES: Final[Mapping[str, Profile]] = {
    "80/20": Profile(80, 20_000),
    "90/10": Profile(90, 10_000),
    "key-account": Profile(90, 10_000),
    "cn-public": Profile(95, 15_000),
    "es-2025": Profile(95, 180_000),
    "in-trai": Profile(95, 90_000),
}
Formula = Literal["f1", "f2", "f3", "f4", "f5", "f6", "f7"]


class Row(Part):
    """For whom, and what; without `queue` or `tier` for everybody."""

    queue: str | None = None
    tier: str | None = None
    profile: str | None = None
    share: int | None = Field(default=None, ge=1, le=100)
    within_ms: Duration | None = Field(default=None, alias="within", gt=0)

    @field_validator("within_ms")
    @classmethod
    def _in_whole_seconds(cls, value: int | None) -> int | None:
        if value is not None and value % SECOND_MS:
            raise ValueError("is to be a whole number of seconds")
        return value

    @model_validator(mode="after")
    def _says_one_thing(self) -> Row:
        if self.profile is None and self.share is None and self.within_ms is None:
            raise ValueError("say 'profile', or 'share' and 'within'")
        if self.profile is not None and (self.share is not None or self.within_ms is not None):
            raise ValueError("'profile' says share and time; take out 'share' and 'within', or 'profile'")
        return self

    def covers(self, other: Row) -> bool:
        """Whoever fits the other fits this one."""
        return self.queue in (None, other.queue) and self.tier in (None, other.tier)


class Targets(Part):
    formula: Formula = "f5"
    short_abandon_ms: Duration = Field(default=5_000, alias="short_abandon", ge=1_000, le=60_000)
    rows: tuple[Row, ...] = ()


class Target(NamedTuple):
    """What holds for one queue and tier; `short_s`: who hung up within it is a short abandon."""

    share: int
    within_s: int
    short_s: int


def target_of(plan: Plan, queue: str, tier: str) -> Target:
    own = plan.queues.get(queue)
    within_ms, share = own.answer_within_ms if own else PROFILES["80/20"].within_ms, SHARE
    for row in plan.targets.rows:
        if row.queue in (None, queue) and row.tier in (None, tier):
            if row.profile is not None:
                share, within_ms = PROFILES[row.profile]
            share = share if row.share is None else row.share
            within_ms = within_ms if row.within_ms is None else row.within_ms
            break
    return Target(share, within_ms // SECOND_MS, plan.targets.short_abandon_ms // SECOND_MS)


def check(names: Names, parts: Mapping[str, Any]) -> None:
    targets: Targets = parts["targets"]
    for index, row in enumerate(targets.rows):
        place = ("queues", "targets", "rows", index)
        names.expect((*place, "queue"), "queue", row.queue)
        names.expect((*place, "tier"), "tier", row.tier)
        names.among((*place, "profile"), "profile", row.profile, PROFILES)
        if any(before.covers(row) for before in targets.rows[:index]):
            names.book.add(place, "this row never counts: one above it fits everybody whom it fits")
