"""Lanes: waiting calls that the same agents may take under the same rules.

Inside a lane order is `queued_ms` alone, ties by arrival counter; keys compare the heads of lanes only.
key = queued_ms - head start, the head start capped; lowest first. Safety goes before every key. A head that
has waited past its tier's ceiling goes before all but safety, by `queued_ms`.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import NamedTuple

ARRIVAL_DIGITS = 12
MISSED, DECLINED, UNRUNG, TRANSFERRED = "missed", "declined", "unrung", "transferred"


@dataclass(frozen=True, slots=True)
class Lane:
    queue: str
    tier: str
    needs: tuple[str, ...]
    head_start_ms: int
    is_safety: bool = False
    is_raised: bool = False  # by hand, so exempt from the bound

    @property
    def lane_id(self) -> str:
        """A text of the values that make it: equal rules, same lane. The script touch_call reads its two ends."""
        needs = "+".join(sorted(self.needs))
        raised = "|raised" if self.is_raised else ""
        return f"{self.queue}|{self.tier}|{needs}|{self.head_start_ms}|{int(self.is_safety)}{raised}"

    @classmethod
    def of_id(cls, lane_id: str) -> "Lane":
        queue, tier, needs, head_start_ms, is_safety, *raised = lane_id.split("|")
        skills = tuple(needs.split("+")) if needs else ()
        return cls(queue, tier, skills, int(head_start_ms), is_safety == "1", bool(raised))

    def to_json(self) -> str:
        fields = {**asdict(self), "needs": sorted(self.needs)}
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Lane":
        return cls(**{**(fields := json.loads(text)), "needs": tuple(fields["needs"])})


def head_start_of(*parts_ms: int, cap_ms: int) -> int:
    """Tier and matter, summed and capped."""
    return min(sum(parts_ms), cap_ms)


def member_of(arrival: int, call_id: str) -> str:
    """The member of a lane's sorted set: equal scores are ordered by this text, so by arrival."""
    return f"{arrival:0{ARRIVAL_DIGITS}d}:{call_id}"


def call_id_of(member: str) -> str:
    return member[ARRIVAL_DIGITS + 1 :]


class Class(IntEnum):
    """Before any key is compared."""

    SAFETY = 0
    PAST_CEILING = 1
    ORDINARY = 2


class Rank(NamedTuple):
    """Lowest first."""

    rank_class: Class
    key: int
    arrival: str


def rank(
    *,
    queued_ms: int,
    arrival: str,
    head_start_ms: int,
    is_safety: bool,
    ceiling_ms: int | None,
    now_ms: int,
) -> Rank:
    key = queued_ms - head_start_ms
    if is_safety:
        return Rank(Class.SAFETY, key, arrival)
    if ceiling_ms is not None and now_ms - queued_ms >= ceiling_ms:
        return Rank(Class.PAST_CEILING, queued_ms, arrival)
    return Rank(Class.ORDINARY, key, arrival)


class Skip(NamedTuple):
    """Whom a call is not offered to until an instant, and why. Stored one a line: `until why agent`."""

    until_ms: int
    why: str
    agent_id: str


def parse_skips(text: str) -> tuple[Skip, ...]:
    parts = (line.split(" ", 2) for line in text.splitlines())
    return tuple(Skip(int(until), why, agent_id) for until, why, agent_id in parts)


def write_skips(skips: Iterable[Skip]) -> str:
    return "\n".join(f"{skip.until_ms} {skip.why} {skip.agent_id}" for skip in skips)


def with_skip(text: str, skip: Skip, now_ms: int) -> str:
    """The stored skips with one more; what has lapsed or is replaced is dropped."""
    kept = (old for old in parse_skips(text) if old.until_ms > now_ms and old.agent_id != skip.agent_id)
    return write_skips([*kept, skip])
