"""Ranking customers against their like: the 20/60/20 bands inside each format, never across formats.

The score of one is the mean of its shares of its format's totals; a share of a total of 0 counts as 0. Scores are
exact (fractions of the decimals in the files), so whoever ranks the same files gets the same order, in whatever
order they come and on whatever machine. Ranks run from 1, the best; band 1 lasts while (r - 1) * 100 < share * n.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Literal

from pydantic import Field, model_validator

from queues.domain.parts import Part, Words
from queues.domain.rules import Rule, Text, holds, number_in, plain_value

FULL: Final = 100  # per cent


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
    """A customer who takes part: his figures in the order of `ranking.of`, his ties in that of `ranking.ties`."""

    customer_id: str
    group: str
    figures: tuple[Decimal, ...]
    ties: tuple[Decimal | str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    customer_id: str
    group: str
    score: Fraction
    rank: int
    band: str


def entrant_of(ranking: Ranking, customer_id: str, values: Mapping[str, Any]) -> Entrant | None:
    """The customer as he takes part; None without a format, for then there is nobody to rank him with.

    A figure that is missing counts as 0. A tie is settled by the larger number, or by the smaller text.
    """
    group = values.get(ranking.within)
    if group is None or group == "":
        return None
    return Entrant(
        customer_id=customer_id,
        group=str(group),
        figures=tuple(_figure(values.get(name)) for name in ranking.of),
        ties=tuple(_tie(values.get(name)) for name in ranking.ties),
    )


def left_out_by(ranking: Ranking, values: Mapping[str, Any]) -> LeaveOut | None:
    """The first reason for which this file takes no part."""
    return next((each for each in ranking.leave_out if holds(each, values)), None)


def totals_of(entrants: Iterable[Entrant], width: int) -> tuple[Decimal, ...]:
    """The sum of each figure over one format."""
    totals = [Decimal(0)] * width
    for entrant in entrants:
        totals = [total + figure for total, figure in zip(totals, entrant.figures, strict=True)]
    return tuple(totals)


def score_of(figures: Sequence[Decimal], totals: Sequence[Decimal]) -> Fraction:
    """The mean of the shares; a total of 0 makes its share 0."""
    shares = (
        Fraction(figure) / Fraction(total) if total else Fraction(0)
        for figure, total in zip(figures, totals, strict=True)
    )
    return sum(shares, Fraction(0)) / len(totals)


def band_of(ranking: Ranking, rank: int, count: int) -> str:
    """The band of the one at this rank (1 is the best) among so many."""
    edge = 0
    for band in ranking.bands:
        edge += band.share
        if (rank - 1) * FULL < edge * count:
            return band.code
    raise ValueError(f"rank {rank} of {count} is in no band")


def rank_group(ranking: Ranking, entrants: Iterable[Entrant]) -> list[Ranked]:
    """Everybody of one format, the best first."""
    entrants = list(entrants)
    totals = totals_of(entrants, len(ranking.of))
    scored = [(score_of(entrant.figures, totals), entrant) for entrant in entrants]
    scored.sort(key=lambda each: (-each[0], order_of_ties(each[1])))
    return [
        Ranked(
            customer_id=entrant.customer_id,
            group=entrant.group,
            score=score,
            rank=rank,
            band=band_of(ranking, rank, len(scored)),
        )
        for rank, (score, entrant) in enumerate(scored, 1)
    ]


def rank_all(ranking: Ranking, entrants: Iterable[Entrant]) -> dict[str, Ranked]:
    """Everybody, format by format: customers of two formats are never compared."""
    groups: dict[str, list[Entrant]] = {}
    for entrant in entrants:
        groups.setdefault(entrant.group, []).append(entrant)
    return {each.customer_id: each for group in groups.values() for each in rank_group(ranking, group)}


def order_of_ties(entrant: Entrant) -> tuple[Any, ...]:
    """Sorts equals: the larger number first, then the smaller text; last the id, so that no two are equal."""
    ties = tuple((0, -tie, "") if isinstance(tie, Decimal) else (1, Decimal(0), tie) for tie in entrant.ties)
    return (*ties, entrant.customer_id)


def _figure(value: Any) -> Decimal:
    """A figure to rank by; below 0 it counts as 0, or returned goods would give others more than the whole."""
    number = None if value is None else number_in(plain_value(value))
    return max(number, Decimal(0)) if number is not None else Decimal(0)


def _tie(value: Any) -> Decimal | str:
    if value is None:
        return ""
    number = number_in(plain_value(value))
    return number if number is not None else str(value)
