"""Surges: many call at once. A queue grows past a set length, or one area calls about a matter again and again.

While a surge runs, a notice is proposed, whoever is on call is alerted once, and the overflow steps marked for it count
at once. It begins the moment the count is over its limit, and ends when the count has stayed at half of that or less
for `calm`: in between it goes on, so it does not flicker.

A surge is known by its subject: `queue:outage`, `area:north:power_cut`; there is one of each at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from pydantic import Field, model_validator

from queues.domain.parts import Duration, Part, Words

WITHIN_MS_MIN, WITHIN_MS_MAX = 60_000, 3_600_000
CALM_MS_MIN: Final = 10_000


class AreaSurge(Part):
    """More than `calls` about one of these matters from one area `within` so long."""

    matters: tuple[str, ...] = Field(min_length=1)
    calls: int = Field(ge=2, le=10_000)
    within_ms: Duration = Field(default=600_000, alias="within", ge=WITHIN_MS_MIN, le=WITHIN_MS_MAX)


class Alert(Part):
    """Who is on call has this skill; he is alerted while the calendar is open."""

    skill: str
    calendar: str


class Surge(Part):
    waiting: dict[str, int] = Field(default_factory=dict)  # queue -> more than so many wait
    area: AreaSurge | None = None
    calm_ms: Duration = Field(default=300_000, alias="calm", ge=CALM_MS_MIN)
    alert: Alert | None = None
    notice: Words | None = None  # what the proposed notice says

    @model_validator(mode="after")
    def _can_begin(self) -> Surge:
        if not self.waiting and self.area is None:
            raise ValueError("a surge needs 'waiting' or 'area', or it never begins")
        if small := [queue for queue, count in self.waiting.items() if count < 2]:
            raise ValueError(
                f"more than {self.waiting[small[0]]} waiting in '{small[0]}' is every day; 2 at least"
            )
        return self


class Level(StrEnum):
    HIGH = "high"
    MIDDLE = "middle"
    LOW = "low"


def level_of(count: int, limit: int) -> Level:
    if count > limit:
        return Level.HIGH
    return Level.LOW if count <= limit // 2 else Level.MIDDLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a surge is about, and the queues that it widens."""

    count: int
    limit: int
    queues: tuple[str, ...]
    queue: str = ""
    area: str = ""
    matter: str = ""

    @property
    def surge_id(self) -> str:
        return f"queue:{self.queue}" if self.queue else f"area:{self.area}:{self.matter}"

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Subject:
        told: Mapping[str, Any] = json.loads(text)
        return cls(**{**told, "queues": tuple(told["queues"])})


@dataclass(frozen=True, slots=True)
class Running:
    """As the live store holds it: `begun_ms low_ms alerted_ms subject`; 0 = not, or not yet."""

    begun_ms: int
    low_ms: int
    alerted_ms: int
    subject: str  # JSON

    def __str__(self) -> str:
        return f"{self.begun_ms} {self.low_ms} {self.alerted_ms} {self.subject}"

    @property
    def about(self) -> Subject:
        return Subject.from_json(self.subject)

    @property
    def notice_id(self) -> str:
        """Of the notice that is proposed for it: always the same, so it can be raised once."""
        return "surge" + sha256(f"{self.about.surge_id} {self.begun_ms}".encode()).hexdigest()[:16]


def read_running(text: str) -> Running:
    begun_ms, low_ms, alerted_ms, subject = text.split(" ", 3)
    return Running(int(begun_ms), int(low_ms), int(alerted_ms), subject)


def surging_queues(surges: Iterable[str]) -> frozenset[str]:
    """Of these running ones, as they are stored."""
    return frozenset(queue for text in surges for queue in read_running(text).about.queues)
