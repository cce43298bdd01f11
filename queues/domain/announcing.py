"""What is told to a caller who waits: how many are ahead of him, and how long it may take.

The place told never gets worse. How long it takes is told as a range of minutes (see `estimates`), and never a longer
one than before: where it would be, nothing is said of the time and the place alone is told, so nobody is promised two
minutes and then ten. Nothing is said of the time either while too little is known. A caller in danger hears no
numbers at all.

`position` is 1 for the next in line. A range is (low_s, high_s); high_s = 0: not known; OPEN_S: no upper end.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from pydantic import Field, model_validator

from queues.domain.parts import Duration, Part, Words, language_of

OPEN_S: Final = 86_400
APART_MS: Final = 15_000  # two announcements are never closer
SLACK_MS: Final = 5_000  # half a hold tone: an announcement that is due during the next one is made before it
FIRST_MS_MAX: Final = 600_000
_MINUTE_S: Final = 60

# Two of anything that is counted is 两, in Mandarin and in Cantonese alike, where 十二 stays 十二. Cantonese is written
# as its texts are.
_CHINESE: Final = {1: "一", 2: "两", 3: "三", 5: "五", 10: "十"}
_TRADITIONAL: Final = str.maketrans("两钟", "兩鐘")
_CHINESE_SPOKEN: Final = frozenset({"zh", "cmn", "yue"})


class Announce(Part):
    """When a waiting caller is told his place, and in which words."""

    first_ms: Duration = Field(default=15_000, alias="first", le=FIRST_MS_MAX)
    every_ms: Duration = Field(default=60_000, alias="every", ge=APART_MS)
    ahead: Words
    next_in_line: Words = Field(alias="next")
    wait: Words | None = None  # said when it is known how long it may take

    @model_validator(mode="after")
    def _says_what_it_is_for(self) -> Announce:
        for field, words, placeholder in (("ahead", self.ahead, "ahead"), ("wait", self.wait, "wait")):
            if words and any(f"{{{placeholder}}}" not in text for text in words.values()):
                raise ValueError(f"'{field}' is to say {{{placeholder}}} in every language")
        return self


class Range(NamedTuple):
    """Seconds."""

    low_s: int = 0
    high_s: int = 0

    @property
    def is_known(self) -> bool:
        return self.high_s > 0


UNKNOWN: Final = Range()


class Told(NamedTuple):
    """The last announcement of a call. Stored in its record as one text."""

    round_no: int
    at_ms: int
    position: int
    low_s: int
    high_s: int
    least_s: int  # the shortest upper end ever told; 0: none

    @property
    def range(self) -> Range:
        return Range(self.low_s, self.high_s)

    def __str__(self) -> str:
        return " ".join(map(str, self))


def read_told(text: str) -> Told | None:
    return Told(*map(int, text.split(" "))) if text else None


def is_due(told: Told | None, *, entered_ms: int, first_ms: int, every_ms: int, now_ms: int) -> bool:
    due_ms = told.at_ms + every_ms if told else entered_ms + first_ms
    return now_ms + SLACK_MS >= due_ms


def tell(told: Told | None, *, round_no: int, now_ms: int, position: int, found: Range) -> Told:
    """What is said now, after what was said before."""
    least_s = told.least_s if told else 0
    if found.is_known and least_s and found.high_s > least_s:
        found = UNKNOWN
    return Told(round_no, now_ms, position, *found, found.high_s or least_s)


def steps_of(text: str, now_ms: int, fresh_ms: int) -> tuple[tuple[int, Range], ...]:
    """A lane's estimates as the live store holds them: `at_ms depth:low:high …`; nothing when they are old."""
    at_ms, *steps = text.split(" ") if text else ("0",)
    if not steps or now_ms - int(at_ms) > fresh_ms:
        return ()
    numbers = (tuple(map(int, step.split(":"))) for step in steps)
    return tuple((depth, Range(low_s, high_s)) for depth, low_s, high_s in numbers)


def range_at(text: str, depth: int, now_ms: int, fresh_ms: int) -> Range:
    """Of the call so deep in its lane, 1 for the head."""
    steps = steps_of(text, now_ms, fresh_ms)
    return next((found for deepest, found in steps if depth <= deepest), UNKNOWN)


# In words


def spoken_ahead(ahead: int, locale: str) -> str:
    """1位, 两位, 12位; 1 caller, 2 callers."""
    if language_of(locale) in _CHINESE_SPOKEN:
        return _written("两位" if ahead == 2 else f"{ahead}位", locale)
    return f"{ahead or 'no'} caller{'' if ahead == 1 else 's'}"


def spoken_wait(found: Range, locale: str) -> str:
    """一到两分钟, 不到五分钟, 十分钟以上; 1 to 2 minutes, less than a minute, more than 10 minutes."""
    low, high = found.low_s // _MINUTE_S, found.high_s // _MINUTE_S
    is_open = found.high_s >= OPEN_S
    if language_of(locale) in _CHINESE_SPOKEN:
        first, last = _CHINESE.get(low, str(low)), _CHINESE.get(high, str(high))
        if is_open:
            return _written(f"{first}分钟以上", locale)
        return _written(f"{first}到{last}分钟" if low else f"不到{last}分钟", locale)
    if is_open:
        return f"more than {_minutes(low)}"
    return f"{low} to {_minutes(high)}" if low else f"less than {_minutes(high, one='a minute')}"


def _written(text: str, locale: str) -> str:
    return text.translate(_TRADITIONAL) if language_of(locale) == "yue" else text


def _minutes(count: int, *, one: str = "1 minute") -> str:
    return one if count == 1 else f"{count} minutes"
