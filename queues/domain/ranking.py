"""Ranking customers against their like: the 20/60/20 bands inside each format, never across formats.

The score of one is the mean of its shares of its format's totals; a share of a total of 0 counts as 0. Figures are
whole millionths, so totals are exact and only the score is rounded: whoever ranks the same files gets the same order,
in whatever order they come and on whatever machine. The order is one of bytes (`sort_key`): a database sorts a million
as Python sorts ten. Ranks run from 1, the best; band 1 lasts while (r - 1) * 100 < share * n.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, Final, Literal

from pydantic import Field, model_validator

from queues.domain.parts import Part, Words
from queues.domain.rules import BUILT_IN, Rule, Text, holds, number_in, plain_value

FULL: Final = 100  # per cent
PLACES: Final = 18  # of a score
TIE_DIGITS: Final = 40
FIGURE_PLACES: Final = 6
_EXACT: Final = Context(prec=60)
_UNIT: Final = 10**PLACES
_FIGURE_UNIT: Final = 10**FIGURE_PLACES
_TIE_EDGE: Final = 10**TIE_DIGITS // 10


class Band(Part):
    code: Text
    share: int = Field(ge=1, le=FULL)  # per cent of the customers of one format
    name: Words


class LeaveOut(Rule):
    """Whose figures would distort the ranking, and why, as the list of the excluded says it."""

    why: Words


class Ranking(Part):
    within: str  # only customers with the same value of this attribute are ranked with each other
    of: tuple[str, ...] = Field(min_length=1)
    ties: tuple[str, ...] = ()
    bands: tuple[Band, ...] = Field(min_length=1)
    leave_out: tuple[LeaveOut, ...] = ()
    every: Literal["month", "quarter"] = "quarter"  # how often the order is made anew
    day: int = Field(default=30, ge=1, le=31)  # of the month; its last day where it is shorter

    @model_validator(mode="after")
    def _has_whole_bands(self) -> Ranking:
        if (together := sum(band.share for band in self.bands)) != FULL:
            raise ValueError(f"the shares of the bands are {together} together, not {FULL}")
        codes = [band.code for band in self.bands]
        if twice := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValueError(f"there are two bands with the code '{twice[0]}'")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A customer who takes part: his figures in the order of `ranking.of`, and what settles his ties, as bytes."""

    customer_id: str
    group: str
    figures: tuple[int, ...]  # in millionths
    ties: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    customer_id: str
    group: str
    score: Decimal
    rank: int
    count: int  # how many there are in the group
    band: str


def entrant_of(ranking: Ranking, customer_id: str, values: Mapping[str, Any]) -> Entrant | None:
    """The customer as he takes part; None without a format, for then there is nobody to rank him with.

    A figure that is missing counts as 0. Ties go to the larger number, and of account numbers to the smaller one.
    """
    group = values.get(ranking.within)
    if group is None or group == "":
        return None
    return Entrant(
        customer_id=customer_id,
        group=str(group),
        figures=tuple(_figure(values.get(name)) for name in ranking.of),
        ties=b"".join(_tie(name, values.get(name)) for name in ranking.ties),
    )


def left_out_by(ranking: Ranking, values: Mapping[str, Any]) -> LeaveOut | None:
    """The first reason for which this file takes no part."""
    return next((each for each in ranking.leave_out if holds(each, values)), None)


def add_to(totals: tuple[int, ...] | None, entrant: Entrant) -> tuple[int, ...]:
    """The sums of a format's figures, with one more in them."""
    if totals is None:
        return entrant.figures
    return tuple(total + figure for total, figure in zip(totals, entrant.figures, strict=True))


def score_of(figures: Sequence[int], totals: Sequence[int]) -> Decimal:
    """The mean of the shares, to 18 places; a total of 0 makes its share 0."""
    above, below = 0, 1
    for figure, total in zip(figures, totals, strict=True):
        if total:
            above, below = above * total + figure * below, below * total
    below *= len(totals)
    return Decimal((2 * above * _UNIT + below) // (2 * below)).scaleb(-PLACES)


def sort_key(entrant: Entrant, score: Decimal) -> bytes:
    """The best first: by score, then by ties, last by id, so that no two are equal."""
    points = int(score.scaleb(PLACES))
    return b"%0*d" % (PLACES + 1, _UNIT - points) + entrant.ties + entrant.customer_id.encode()


def band_of(ranking: Ranking, rank: int, count: int) -> str:
    """The band of the one at this rank (1 is the best) among so many."""
    edge = 0
    for band in ranking.bands:
        edge += band.share
        if (rank - 1) * FULL < edge * count:
            return band.code
    raise ValueError(f"rank {rank} of {count} is in no band")


def rank_all(ranking: Ranking, entrants: Iterable[Entrant]) -> dict[str, Ranked]:
    """Everybody, format by format: customers of two formats are never compared."""
    groups: dict[str, list[Entrant]] = {}
    for entrant in entrants:
        groups.setdefault(entrant.group, []).append(entrant)
    return {each.customer_id: each for group in groups.values() for each in rank_group(ranking, group)}


def rank_group(ranking: Ranking, entrants: Sequence[Entrant]) -> list[Ranked]:
    """Everybody of one format, the best first."""
    totals: tuple[int, ...] | None = None
    for entrant in entrants:
        totals = add_to(totals, entrant)
    scored = [(score_of(entrant.figures, totals or ()), entrant) for entrant in entrants]
    scored.sort(key=lambda each: sort_key(each[1], each[0]))
    return [
        Ranked(
            customer_id=entrant.customer_id,
            group=entrant.group,
            score=score,
            rank=rank,
            count=len(scored),
            band=band_of(ranking, rank, len(scored)),
        )
        for rank, (score, entrant) in enumerate(scored, 1)
    ]


def _figure(value: Any) -> int:
    """A figure to rank by; below 0 it counts as 0, or returned goods would give others more than the whole."""
    return max(_millionths(value) or 0, 0)


def _tie(name: str, value: Any) -> bytes:
    """Larger numbers first, smaller texts first, nothing last; an account number is a text of digits."""
    if value is None or value == "":
        return b"2\0"
    number = None if name in BUILT_IN else _millionths(value)
    if number is not None and abs(number) < _TIE_EDGE:
        return b"0%0*d" % (TIE_DIGITS, _TIE_EDGE - number)
    text = str(value)
    return b"1" + (text.zfill(TIE_DIGITS) if text.isdecimal() else text).encode() + b"\0"


def _millionths(value: Any) -> int | None:
    if isinstance(value, str) and value.isdecimal():
        return int(value) * _FIGURE_UNIT
    number = None if value is None else number_in(plain_value(value))
    return None if number is None else round(number.scaleb(FIGURE_PLACES, _EXACT))
