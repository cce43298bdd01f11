"""Alarms: what a supervisor is told of without having asked, once when it begins and once when it is over.

A line has a limit and a point where it is calm again. An alarm is raised when its figure is past the limit, and cleared
when the figure is calm; in between it stays as it is, so it does not flicker. A figure made of fewer calls than the
line asks for raises nothing. Times are ms, shares are parts of one.

The longest wait falls to nothing with every caller who is answered, however slow the house is: its alarm is over when
the figure has been calm for a while, at every look. A share moves slowly by itself, and who is back is back: they need
no while.

The wallboard is coloured by such lines, too, those of the targets: red is past, green is calm, amber is in between. An
alarm's line is the target's unless the site says another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from pydantic import Field, field_validator, model_validator

from queues.domain.parts import Duration, Part
from queues.domain.periods import QUARTER_MS
from queues.domain.targets import SECOND_MS, target_of

if TYPE_CHECKING:
    from queues.domain.plan import Plan
    from queues.domain.plan_checks import Names

CALM_PART: Final = 0.75  # of a wait's limit
SLACK: Final = 5  # percent below the target until an alarm
DAY_MS: Final = 24 * 3_600_000


class Kind(StrEnum):
    LONGEST_WAIT = "longest_wait"  # by queue: who waits longest now
    SERVICE_LEVEL = "service_level"  # by queue: the contractual formula
    ABANDONMENT = "abandonment"  # by queue, short abandons out
    OCCUPANCY = "occupancy"  # of the house
    GHOST_AGENT = "ghost_agent"  # by agent: signed in and not there
    FORGOTTEN_HOLD = "forgotten_hold"  # by call


TIMES: Final = frozenset({Kind.LONGEST_WAIT, Kind.GHOST_AGENT, Kind.FORGOTTEN_HOLD})
OF_QUEUES: Final = frozenset({Kind.LONGEST_WAIT, Kind.SERVICE_LEVEL, Kind.ABANDONMENT})


class WaitLine(Part):
    """Without words: past the target's own time, calm at three quarters of it."""

    over_ms: Duration | None = Field(default=None, alias="over", ge=SECOND_MS)
    clear_ms: Duration | None = Field(default=None, alias="clear", ge=0)

    @model_validator(mode="after")
    def _has_a_gap(self) -> WaitLine:
        if self.clear_ms is not None and (self.over_ms is None or self.clear_ms >= self.over_ms):
            raise ValueError("'clear' must be below 'over', else the alarm would come and go")
        return self


class LevelLine(Part):
    """Percent. Without words: five points below the target, calm at the target."""

    below: int | None = Field(default=None, ge=1, le=99)
    clear: int | None = Field(default=None, ge=2, le=100)
    calls: int = Field(default=10, ge=1, le=10_000)

    @model_validator(mode="after")
    def _has_a_gap(self) -> LevelLine:
        if self.clear is not None and (self.below is None or self.clear <= self.below):
            raise ValueError("'clear' must be above 'below', else the alarm would come and go")
        return self


class ShareLine(Part):
    """Percent."""

    over: int = Field(default=5, ge=1, le=99)
    clear: int = Field(default=3, ge=0, le=98)
    calls: int = Field(default=20, ge=1, le=10_000)

    @model_validator(mode="after")
    def _has_a_gap(self) -> ShareLine:
        if self.clear >= self.over:
            raise ValueError("'clear' must be below 'over', else the alarm would come and go")
        return self


class BusyLine(ShareLine):
    over: int = Field(default=85, ge=1, le=99)
    clear: int = Field(default=80, ge=0, le=98)


class HoldLine(Part):
    over_ms: Duration = Field(default=300_000, alias="over", ge=10_000)


class GhostLine(Part):
    """So many calls missed in a row, or away for having missed them, or not heard of; who is away for longer has
    gone home."""

    missed: int = Field(default=2, ge=1, le=20)
    until_ms: Duration = Field(default=1_800_000, alias="until", ge=60_000)


class OfQueue(Part):
    """What is otherwise in one queue."""

    longest_wait: WaitLine | None = None
    service_level: LevelLine | None = None
    abandonment: ShareLine | None = None
    without: tuple[Kind, ...] = ()

    @field_validator("without")
    @classmethod
    def _has_queues(cls, kinds: tuple[Kind, ...]) -> tuple[Kind, ...]:
        if wrong := [kind for kind in kinds if kind not in OF_QUEUES]:
            raise ValueError(f"'{wrong[0].value}' is no alarm of a queue; write it under 'alarms'")
        return kinds


class Alarms(Part):
    """Shares are those of the quarters of an hour that began within the last `within`, and of the one before."""

    window_ms: Duration = Field(default=1_800_000, alias="within", ge=QUARTER_MS, le=DAY_MS)
    calm_ms: Duration = Field(default=60_000, alias="calm", ge=0, le=3_600_000)  # of the longest wait
    longest_wait: WaitLine = WaitLine()
    service_level: LevelLine = LevelLine()
    abandonment: ShareLine = ShareLine()
    occupancy: BusyLine = BusyLine()
    forgotten_hold: HoldLine = HoldLine()
    ghost_agent: GhostLine = GhostLine()
    without: tuple[Kind, ...] = ()
    queues: dict[str, OfQueue] = Field(default_factory=dict)

    def is_watched(self, kind: Kind, queue: str = "") -> bool:
        own = self.queues.get(queue)
        return kind not in self.without and not (own and kind in own.without)


class Line(NamedTuple):
    """`is_floor`: past is below."""

    limit: float
    calm: float
    calls: int = 0
    is_floor: bool = False

    def is_past(self, value: float) -> bool:
        return value < self.limit if self.is_floor else value > self.limit

    def is_calm(self, value: float) -> bool:
        return value >= self.calm if self.is_floor else value <= self.calm

    def state(self, value: float | None) -> str:
        """As the wallboard shows it: good, near, past, or off where there is nothing to judge."""
        if value is None:
            return "off"
        return "past" if self.is_past(value) else "good" if self.is_calm(value) else "near"


def wait_target(plan: Plan, queue: str, tier: str) -> Line:
    limit = target_of(plan, queue, tier).within_s * SECOND_MS
    return Line(limit, limit * CALM_PART)


def wait_line(plan: Plan, queue: str, tier: str) -> Line:
    own = plan.alarms.queues.get(queue)
    line = (own and own.longest_wait) or plan.alarms.longest_wait
    if line.over_ms is None:
        return wait_target(plan, queue, tier)
    return Line(line.over_ms, line.over_ms * CALM_PART if line.clear_ms is None else line.clear_ms)


def level_target(plan: Plan, queue: str = "", tier: str = "") -> Line:
    target = target_of(plan, queue, tier).share
    return Line((target - SLACK) / 100, target / 100, is_floor=True)


def level_line(plan: Plan, queue: str) -> Line:
    own = plan.alarms.queues.get(queue)
    line, target = (own and own.service_level) or plan.alarms.service_level, level_target(plan, queue)
    if line.below is None:
        return target._replace(calls=line.calls)
    calm = line.clear / 100 if line.clear else max(target.calm, (line.below + 1) / 100)
    return Line(line.below / 100, calm, line.calls, is_floor=True)


def abandon_line(plan: Plan, queue: str = "") -> Line:
    own = plan.alarms.queues.get(queue)
    return _of(own.abandonment if own and own.abandonment else plan.alarms.abandonment)


def busy_line(plan: Plan) -> Line:
    return _of(plan.alarms.occupancy)


def _of(line: ShareLine) -> Line:
    return Line(line.over / 100, line.clear / 100, line.calls)


Key = tuple[Kind, str]  # kind, subject: a queue, an agent, a call, or nothing for the house


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A figure at one moment; without a value there is nothing to judge. `queue`, `agent_id`: what else it is about.
    `calm_ms`: for how long it has to be calm until its alarm is over."""

    kind: Kind
    subject: str
    value: float | None
    line: Line
    calls: int = 0
    queue: str = ""
    tier: str = ""
    agent_id: str = ""
    calm_ms: int = 0

    @property
    def key(self) -> Key:
        return self.kind, self.subject

    @property
    def raises(self) -> bool:
        return self.value is not None and self.calls >= self.line.calls and self.line.is_past(self.value)

    @property
    def clears(self) -> bool:
        return self.value is None or self.line.is_calm(self.value)


class Changes(NamedTuple):
    """`calmed` is raised and calm from now on; `stirred` was calm, and is no more."""

    raised: tuple[Reading, ...] = ()
    cleared: tuple[Key, ...] = ()
    calmed: tuple[Key, ...] = ()
    stirred: tuple[Key, ...] = ()


def changes(raised: Mapping[Key, int | None], readings: Sequence[Reading], now_ms: int) -> Changes:
    """What begins and what is over, by what is raised, since when it is calm, and what was read; of what is not read
    any more all is over."""
    read = {reading.key: reading for reading in readings}
    begun = tuple(each for key, each in read.items() if key not in raised and each.raises)
    told: dict[str, list[Key]] = {"cleared": [], "calmed": [], "stirred": []}
    for key in sorted(raised):
        if change := _change(raised[key], read.get(key), now_ms):
            told[change].append(key)
    return Changes(begun, **{change: tuple(keys) for change, keys in told.items()})


def _change(calm_since_ms: int | None, reading: Reading | None, now_ms: int) -> str | None:
    """What becomes of one that is raised."""
    if reading is None:
        return "cleared"
    if not reading.clears:
        return None if calm_since_ms is None else "stirred"
    if now_ms - (now_ms if calm_since_ms is None else calm_since_ms) >= reading.calm_ms:
        return "cleared"
    return "calmed" if calm_since_ms is None else None


def check(names: Names, alarms: Alarms) -> None:
    for queue in alarms.queues:
        names.expect(("queues", "alarms", "queues", queue), "queue", queue)
