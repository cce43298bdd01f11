"""What a program asks for: the parameters of each operation, typed, and the period they come to.

A parameter that is not known, given twice, or makes no sense is refused by its name: a program that misspells one would
otherwise get figures of something else.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from queues.domain.calls import Outcome
from queues.domain.periods import YEARS, Grain, midnight, start_of, up
from queues.domain.plan import Plan
from queues.service.calls import local_day
from queues.service.figures import CALL_SETS, Asked

DAYS_MAX: Final = 366 * 3
POINTS_MAX: Final = 3_000  # a month of quarters
CALLS_MAX: Final = 200
TEXT_MAX: Final = 120
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
Text = Field(default="", max_length=TEXT_MAX)
Id = Field(default="", max_length=TEXT_MAX, pattern=r"^[\w.:@-]*$")


class AskedWronglyError(Exception):
    """One or more parameters cannot be taken: of each its name and what is wrong with it."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        self.faults = dict(faults)
        super().__init__(str(self.faults))


class Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class NoParameters(Parameters):
    pass


Kind = TypeVar("Kind", bound=Parameters)


class PeriodAsked(Parameters):
    from_: str = Field(default="", alias="from", max_length=TEXT_MAX)
    until: str = Text
    queue: str = Id
    tier: str = Id
    line: str = Id
    department: str = Id
    agent: str = Id


class FiguresAsked(PeriodAsked):
    grain: Grain | Literal["none"] = "none"
    by: Literal["none", "queue", "tier", "agent"] = "none"


class CallsAsked(PeriodAsked):
    of: Literal[CALL_SETS] | None = None  # type: ignore[valid-type]  # the registry's own list
    outcome: Outcome | None = None
    limit: int = Field(default=50, ge=1, le=CALLS_MAX)
    after: str = Field(default="", max_length=TEXT_MAX, pattern=r"^(\d{1,16}:[\w.:-]+)?$")


@dataclass(frozen=True, slots=True)
class Span:
    """Until is not in it. `is_named`: somebody asked for it."""

    from_ms: int
    until_ms: int
    is_named: bool


def read_parameters(kind: type[Kind], given: Iterable[tuple[str, str]]) -> Kind:
    found: dict[str, str] = {}
    faults: dict[str, str] = {}
    for name, value in given:
        if name in found:
            faults[name] = "is given twice"
        found[name] = value.strip()
    try:
        asked = kind.model_validate({name: value for name, value in found.items() if value})
    except ValidationError as wrong:
        for each in wrong.errors(include_url=False, include_context=False, include_input=False):
            faults.setdefault(".".join(str(part) for part in each["loc"][:1]), each["msg"])
        raise AskedWronglyError(faults) from None
    if faults:
        raise AskedWronglyError(faults)
    return asked


def span_of(asked: PeriodAsked, plan: Plan, now_ms: int) -> Span:
    """Days are the site's, the last one included; instants have an offset and are a quarter's beginning. Else today."""
    faults: dict[str, str] = {}
    today = local_day(plan, now_ms)
    from_ms = _edge("from", asked.from_, plan, faults, is_last=False)
    until_ms = _edge("until", asked.until, plan, faults, is_last=True)
    if from_ms is None:
        from_ms = midnight(today, plan.timezone)
    if until_ms is None:
        until_ms = midnight(max(today, local_day(plan, from_ms)) + dt.timedelta(days=1), plan.timezone)
    if not faults and from_ms >= until_ms:
        faults["until"] = "is not after 'from'"
    if not faults and until_ms - from_ms > (DAYS_MAX + 1) * 86_400_000:
        faults["until"] = f"is more than {DAYS_MAX} days after 'from'"
    if faults:
        raise AskedWronglyError(faults)
    return Span(from_ms, until_ms, bool(asked.from_ or asked.until))


def _edge(name: str, text: str, plan: Plan, faults: dict[str, str], *, is_last: bool) -> int | None:
    if not text:
        return None
    try:
        if _DAY.fullmatch(text):
            day = dt.date.fromisoformat(text) + dt.timedelta(days=int(is_last))
            at_ms = midnight(day, plan.timezone)
        else:
            at = dt.datetime.fromisoformat(text.replace(" ", "+"))
            if at.tzinfo is None:
                raise ValueError
            day, at_ms = at.date(), round(at.timestamp() * 1000)
        if day.year not in YEARS:
            raise ValueError
    except (ValueError, OverflowError):
        faults[name] = "is a day, 2026-11-23, or an instant with its offset, 2026-11-23T09:15:00Z"
        return None
    if at_ms % 900_000:
        faults[name] = "is not the beginning of a quarter of an hour"
    return at_ms


def narrowed(asked: PeriodAsked, span: Span, plan: Plan) -> Asked:
    """What the figures are read of; a name that the plan in force does not have is a fault."""
    faults: dict[str, str] = {}
    known: dict[str, Mapping[str, object]] = {
        "queue": plan.queues, "tier": plan.tiers, "line": plan.lines, "department": plan.departments,
    }  # fmt: skip
    for name, there in known.items():
        value = getattr(asked, name)
        if value and value not in there:
            faults[name] = f"there is no {name} of this name; there are: {', '.join(there) or 'none'}"
    if asked.queue and asked.department:
        faults["department"] = "is given together with 'queue': say one of them"
    if faults:
        raise AskedWronglyError(faults)
    owned = plan.departments[asked.department].queues if asked.department else ()
    return Asked(
        from_ms=span.from_ms,
        until_ms=span.until_ms,
        queues=(asked.queue,) if asked.queue else tuple(owned),
        tier=asked.tier,
        line=asked.line,
    )


def check_figures(asked: FiguresAsked, span: Span, plan: Plan, now_ms: int) -> None:
    """What does not go together: an agent's time has no queue, and a month is told whole or not at all."""
    faults: dict[str, str] = {}
    if asked.agent or asked.by == "agent":
        name = "agent" if asked.agent else "by"
        if asked.queue or asked.tier or asked.line or asked.department:
            faults[name] = "an agent's time has no queue, tier, line or department: ask without them"
        if asked.by == "agent" and asked.grain != "none":
            faults["grain"] = "agents are told side by side for the whole period alone: ask for one 'agent'"
        if asked.agent and asked.by != "none":
            faults["by"] = "is given together with 'agent': say one of them"
    if asked.grain != "none" and not faults:
        _check_grain(Grain(asked.grain), span, plan, now_ms, faults)
    if faults:
        raise AskedWronglyError(faults)


def _check_grain(grain: Grain, span: Span, plan: Plan, now_ms: int, faults: dict[str, str]) -> None:
    zone = plan.timezone
    ends_whole = span.until_ms > now_ms or start_of(grain, span.until_ms, zone) == span.until_ms
    if up(grain, span.from_ms, zone) != span.from_ms or not ends_whole:
        faults["grain"] = f"the period does not begin and end with a {grain}"
    shortest_ms = {Grain.QUARTER: 900_000, Grain.DAY: 82_800_000, Grain.MONTH: 2_419_200_000}[grain]
    if (span.until_ms - span.from_ms) // shortest_ms > POINTS_MAX:
        faults["grain"] = f"the period has more than {POINTS_MAX} of these: ask for less of it at a time"
