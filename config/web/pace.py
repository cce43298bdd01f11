"""How often somebody may ask in one process: a bucket for each, that fills by real time."""

from dataclasses import dataclass, field
from typing import Final

from config.clock import Clock

KNOWN_MAX: Final = 1000


@dataclass(slots=True)
class Pace:
    """`burst` at once, then `per_s` a second."""

    per_s: float
    burst: float
    _left: dict[str, tuple[float, int]] = field(default_factory=dict)
    _wall: Clock = field(default_factory=Clock.real)

    def wait_s(self, who: str) -> float:
        """0 when he may ask now, which counts; else after how many seconds he may."""
        now_ms = self._wall.now_ms()
        left, at_ms = self._left.get(who, (self.burst, now_ms))
        left = min(self.burst, left + max(0, now_ms - at_ms) / 1000 * self.per_s)
        if len(self._left) >= KNOWN_MAX and who not in self._left:
            self._left.clear()
        is_free = left >= 1
        self._left[who] = (left - 1 if is_free else left, now_ms)
        return 0.0 if is_free else (1 - left) / self.per_s
