"""What a supervisor wants to try: which day's calls, which agents, under which rules, and what else is changed.

Ids, instants and numbers only: it travels to a worker and is kept with the result.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

Patience = Literal["estimated", "stays"]
PATIENCES: Final = ("estimated", "stays")
HEAD_START, CEILING = "head_start", "ceiling"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """`day` as YYYY-MM-DD and hours of it where the site is. `agents` 0: those who were there.

    What follows `after` is changed on that side alone: agents more or fewer, seconds of ringing and wrap-up, and
    for some tiers seconds of `head_start` and `ceiling`.
    """

    day: str
    from_hour: int = 0
    until_hour: int = 24
    agents: int = 0
    patience: Patience = "estimated"
    seed: int = 1
    before: str
    after: str
    more: int = 0
    ring_s: float | None = None
    wrap_up_s: float | None = None
    tiers: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def is_compared(self) -> bool:
        """Whether the two sides differ in anything."""
        own = (self.more, self.ring_s, self.wrap_up_s, self.tiers or None)
        return self.before != self.after or own != (0, None, None, None)

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Terms:
        given: dict[str, Any] = json.loads(text)
        return cls(**given)
