"""Points: what an agent's figures of a month come to by the rules of the site, and how they came about.

A site names the figures that are judged, the full points of each (100 together), a target that earns all of them and a
floor that earns none; between the two the points rise in a straight line. Only figures that an agent can do something
about may be judged (`JUDGED`): how many callers come and how long they wait is nobody's merit and nobody's fault.

How it is rounded, so that everybody can add it up: a value is taken to six decimals, the points of a part are rounded
half up to two, and the points of all are the sum of the parts as they are printed. A part without data is left out, and
what the others earned is scaled to 100; only then the sum is rounded once more, half up to two decimals. Where less
than half of the full points has data nobody is judged by the rest. Whoever has less than the pass mark is below it:
59.9 is, 60 is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field, ValidationInfo, field_validator

from queues.domain.formulas import Value
from queues.domain.metrics import CARDS, Unit
from queues.domain.parts import Part, duration_of

if TYPE_CHECKING:
    from queues.domain.plan_checks import Names

FULL: Final = 100
PASS_MARK: Final = 60
COUNTED_MIN: Final = 50  # of the full points, else there is too little to judge by
PRECISION: Final = 40  # digits kept on the way, so that nothing is rounded but where it is said
CENT: Final = Decimal("0.01")
MILLIONTH: Final = Decimal("0.000001")


class Better(StrEnum):
    MORE = "more"
    LESS = "less"
    EITHER = "either"


# What may be judged, and which way is better. Nothing else of the registry is an agent's own doing.
JUDGED: Final[Mapping[str, Better]] = {
    "acceptance": Better.MORE,
    "missed": Better.LESS,
    "answered": Better.MORE,
    "aht": Better.LESS,
    "talk_time": Better.LESS,
    "hold_time": Better.LESS,
    "wrap_time": Better.LESS,
    "held_share": Better.LESS,
    "transfer": Better.LESS,
    "occupancy": Better.EITHER,
    "readiness": Better.MORE,
}


class ScorePart(Part):
    """One judged figure. `target` and `floor` as they are written: percent, a length of time, or a number."""

    figure: str
    points: int = Field(ge=1, le=FULL)
    target: int | float | str
    floor: int | float | str

    @field_validator("target", "floor", mode="before")
    @classmethod
    def _is_of_its_unit(cls, value: Any, info: ValidationInfo) -> Any:
        figure = str(info.data.get("figure"))
        if figure in JUDGED:
            amount(figure, value)
        return value

    @property
    def target_value(self) -> Decimal:
        return amount(self.figure, self.target)

    @property
    def floor_value(self) -> Decimal:
        return amount(self.figure, self.floor)


class Scores(Part):
    pass_mark: int = Field(default=PASS_MARK, ge=1, le=FULL)
    parts: tuple[ScorePart, ...] = Field(min_length=1)


def amount(figure: str, value: Any) -> Decimal:
    """What is written, in the unit of the figure: a share as a fraction of 1, a length in seconds."""
    unit = CARDS[figure].unit
    if unit is Unit.SECONDS:
        return Decimal(duration_of(str(value))) / 1000
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"'{value}' is not a number")
    if value < 0 or (unit is Unit.SHARE and value > FULL):
        raise ValueError("expected percent, 0 to 100" if unit is Unit.SHARE else "must be at least 0")
    return Decimal(str(value)) / FULL if unit is Unit.SHARE else Decimal(str(value))


class Why(StrEnum):
    REACHED = "reached"  # the target, or better: full points
    BETWEEN = "between"
    FLOOR = "floor"  # or worse: no points
    NO_DATA = "no_data"  # nothing to judge: left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One part: value, target and floor in the unit of the figure; `earned` of `points`, None where it is left out."""

    figure: str
    value: Decimal | None
    target: Decimal
    floor: Decimal
    points: int
    earned: Decimal | None
    why: Why

    def as_json(self) -> dict[str, Any]:
        numbers = {name: getattr(self, name) for name in ("value", "target", "floor", "earned")}
        texts = {name: None if number is None else str(number) for name, number in numbers.items()}
        return {"figure": self.figure, "points": self.points, "why": str(self.why), **texts}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Judged:
        numbers: dict[str, Any] = {
            name: None if told[name] is None else Decimal(told[name])
            for name in ("value", "target", "floor", "earned")
        }
        return cls(figure=told["figure"], points=int(told["points"]), why=Why(told["why"]), **numbers)


@dataclass(frozen=True, slots=True)
class Score:
    """`points` of 100; None where too few parts have data. `counted` are the full points of the parts that have."""

    points: Decimal | None
    parts: tuple[Judged, ...]
    pass_mark: int

    @property
    def counted(self) -> int:
        return sum(part.points for part in self.parts if part.earned is not None)

    @property
    def earned(self) -> Decimal:
        return sum((part.earned for part in self.parts if part.earned is not None), Decimal(0))

    @property
    def is_below(self) -> bool:
        """Nobody is below of whom nothing is known."""
        return self.points is not None and self.points < self.pass_mark

    def as_json(self) -> dict[str, Any]:
        return {"pass_mark": self.pass_mark, "parts": [part.as_json() for part in self.parts]}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Score:
        return total(tuple(Judged.from_json(each) for each in told["parts"]), int(told["pass_mark"]))


def score(values: Mapping[str, Value], rules: Scores) -> Score:
    """What these values come to. A figure that is not among them has no data."""
    return total(tuple(judge(values.get(each.figure), each) for each in rules.parts), rules.pass_mark)


def judge(value: Value, rule: ScorePart) -> Judged:
    target, floor = rule.target_value, rule.floor_value
    exact = None if value is None else rounded(Decimal(str(value)), MILLIONTH)
    earned, why = None, Why.NO_DATA
    if exact is not None:
        reach = (exact - floor) * (1 if target > floor else -1)
        span = abs(target - floor)
        why = Why.REACHED if reach >= span else Why.FLOOR if reach <= 0 else Why.BETWEEN
        earned = rounded(share_of(rule.points, min(max(reach, Decimal(0)), span), span))
    return Judged(
        figure=rule.figure,
        value=exact,
        target=target,
        floor=floor,
        points=rule.points,
        earned=earned,
        why=why,
    )


def total(parts: tuple[Judged, ...], pass_mark: int) -> Score:
    found = Score(None, parts, pass_mark)
    if found.counted < COUNTED_MIN:
        return found
    points = found.earned
    if found.counted != FULL:
        points = rounded(share_of(FULL, points, Decimal(found.counted)))
    return Score(points, parts, pass_mark)


def share_of(whole: int, part: Decimal, of: Decimal) -> Decimal:
    with localcontext(prec=PRECISION):
        return whole * part / of


def rounded(number: Decimal, to: Decimal = CENT) -> Decimal:
    with localcontext(prec=PRECISION):
        return number.quantize(to, ROUND_HALF_UP)


def check(names: Names, rules: Scores | None) -> None:
    if rules is None:
        return
    place, book = ("queues", "scores", "parts"), names.book
    for index, part in enumerate(rules.parts):
        here = (*place, index)
        if part.figure in CARDS and part.figure not in JUDGED:
            book.add(
                (*here, "figure"),
                f"'{part.figure}' is no agent's own doing; judged can be {', '.join(JUDGED)}",
            )
            continue
        names.among((*here, "figure"), "figure of an agent", part.figure, JUDGED)
        if part.figure not in JUDGED:
            continue
        if any(part.figure == before.figure for before in rules.parts[:index]):
            book.add(here, f"'{part.figure}' is judged by a part above already; take one of them out")
        if fault := _direction(part):
            book.add((*here, "target"), fault)
    if (points := sum(part.points for part in rules.parts)) != FULL:
        book.add(place, f"the points of all parts are {points} together; they must be {FULL}")


def _direction(part: ScorePart) -> str:
    """What is wrong with the two ends."""
    target, floor, better = part.target_value, part.floor_value, JUDGED[part.figure]
    if target == floor:
        return "target and floor are the same; between them the points rise, so one must be the better"
    if better is Better.MORE and target < floor:
        return f"of '{part.figure}' more is better: the target must be above the floor"
    if better is Better.LESS and target > floor:
        return f"of '{part.figure}' less is better: the target must be below the floor"
    return ""
