"""Waits, counted by whole seconds: what shares, percentiles and the patience of callers are read from.

A wait of 59.2 s stands under 60: it was over within 60 s and not within 59. So the share within any whole number of
seconds is exact, and a percentile is a true sentence: p80 = 41 says that 80 % waited no longer than 41 s, and that of
no smaller whole number this is true (nearest rank). Counts of parts add up to the counts of the whole in any order,
and what was counted can be taken back; neither is true of sketches that thin their samples (decision 0018).
"""

import json
import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

Waits = Mapping[int, int]  # seconds -> how many
NONE: Final[Waits] = {}
_DIGITS: Final = 8  # base 16: a second counts up to four thousand million calls
_BITS: Final = 4 * _DIGITS
_SPARSE_DIGITS: Final = 24  # an entry of JSON has a third of it, and takes so much longer to add


class Step(NamedTuple):
    """After so many seconds this share of those who wait have not given up yet."""

    at_s: int
    share: float
    at_risk: int
    left: int


def second_of(wait_ms: int) -> int:
    """The whole second within which a wait was over."""
    return -(-max(0, wait_ms) // 1000)


def read(text: str | None) -> Counter[int]:
    return added([text]) if text else Counter()


def write(waits: Waits) -> str:
    """Always the same text for the same counts.

    Few of them are JSON, `{"12":3,"41":1}`. Many are one number in base 16, of which each eight digits are a second's
    count, the last ones those of second 0: such texts are added as numbers, and a year of them takes milliseconds.
    """
    told = {at_s: waits[at_s] for at_s in sorted(waits) if waits[at_s]}
    if not told:
        return ""
    last_s = max(told)
    if len(told) * _SPARSE_DIGITS < (last_s + 1) * _DIGITS or min(told.values()) < 0 or min(told) < 0:
        return json.dumps(told, separators=(",", ":"))
    return "".join(f"{told.get(at_s, 0):0{_DIGITS}x}" for at_s in range(last_s, -1, -1))


def added(texts: Iterable[str]) -> Counter[int]:
    """The counts of all of them together.

    Of JSON the same few entries, `"12":3`, come again and again: each is counted as a text, in C, and read once.
    """
    dense, entries, told = 0, list[str](), Counter[int]()
    for text in texts:
        if text.startswith("{"):
            entries.append(text[1:-1])
        else:
            dense += int(text, 16)
    if entries:
        for entry, times in Counter(",".join(entries).split(",")).items():
            at_s, number = _entry(entry)
            told[at_s] += number * times
    size = -(-dense.bit_length() // _BITS)
    for at_s, number in enumerate(struct.unpack(f"<{size}I", dense.to_bytes(size * _BITS // 8, "little"))):
        if number:
            told[at_s] += number
    return told


@lru_cache(maxsize=1 << 16)
def _entry(text: str) -> tuple[int, int]:
    """`"12":3` are three calls that waited 12 seconds."""
    at_s, _, number = text.partition(":")
    return int(at_s[1:-1]), int(number)


def total(parts: Iterable[Waits]) -> Counter[int]:
    found: Counter[int] = Counter()
    for part in parts:
        for at_s, count in part.items():
            found[at_s] += count
    return found


def count(waits: Waits) -> int:
    return sum(waits.values())


def within(waits: Waits, limit_s: int) -> int:
    """How many were over after at most so many seconds."""
    return sum(number for at_s, number in waits.items() if at_s <= limit_s)


def percentile(waits: Waits, percent: int) -> int | None:
    """Nearest rank, in seconds; None of none."""
    rank = -(-percent * count(waits) // 100)
    for at_s in sorted(waits):
        rank -= waits[at_s]
        if rank <= 0 and waits[at_s]:
            return at_s
    return None


def longest(waits: Waits) -> int | None:
    return max((at_s for at_s, number in waits.items() if number > 0), default=None)


def patience(gave_up: Waits, others: Waits) -> tuple[Step, ...]:
    """Kaplan and Meier's estimate of how long callers are ready to wait, one step for each second somebody gave up.

    Whoever was answered, called back or led elsewhere would have waited longer, nobody knows how long: he counts among
    those at risk until then, that second included.
    """
    at_risk, share, steps = count(gave_up) + count(others), 1.0, list[Step]()
    for at_s in sorted({*gave_up, *others}):
        left = gave_up.get(at_s, 0)
        if left:
            share *= 1 - left / at_risk
            steps.append(Step(at_s, share, at_risk, left))
        at_risk -= left + others.get(at_s, 0)
    return tuple(steps)


def median_patience(steps: Iterable[Step]) -> int | None:
    """The second by which half have given up; None while more than half would still wait."""
    return next((step.at_s for step in steps if step.share <= 0.5), None)
