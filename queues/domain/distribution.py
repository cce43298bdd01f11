"""How waits are spread, by ranges of whole seconds, and how many callers are still ready to wait after each.

Ranges are all of one length, which grows with the waits so that there are few of them; the last is open and has the one
of a hundred that waited longest. The counts of the ranges add up to the counts of the waits.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from queues.domain import waits
from queues.domain.waits import Step, Waits

RANGES_MAX: Final = 20
LENGTHS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600)
_MOST_PERCENT: Final = 99


class Range(NamedTuple):
    """Waits that count under these whole seconds, both in it; the open one has no `most_s`."""

    least_s: int
    most_s: int | None

    def count(self, of: Waits) -> int:
        return sum(
            number
            for at_s, number in of.items()
            if at_s >= self.least_s and (self.most_s is None or at_s <= self.most_s)
        )


def ranges(of: Iterable[Waits]) -> tuple[Range, ...]:
    """The same for all of these; none where nobody waited."""
    together = waits.total(of)
    most_s = waits.percentile(together, _MOST_PERCENT)
    if most_s is None:
        return ()
    length_s = next((each for each in LENGTHS_S if most_s <= each * RANGES_MAX), LENGTHS_S[-1])
    count = max(1, -(-most_s // length_s))
    edges = [(number * length_s, (number + 1) * length_s) for number in range(min(count, RANGES_MAX))]
    closed = [Range(least_s + 1 if least_s else 0, until_s) for least_s, until_s in edges]
    return (*closed, Range(edges[-1][1] + 1, None))


def after(steps: Sequence[Step], at_s: int) -> float:
    """Which share has not given up by the end of this second."""
    share = 1.0
    for step in steps:
        if step.at_s > at_s:
            break
        share = step.share
    return share
