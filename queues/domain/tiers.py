"""How a customer comes to a tier: by hand while that lasts, else by the first rule that holds, else the default.

A change by hand is asked for by one account and approved by another; only then does it count, and it ends by
itself on its last day. `TURNS` is the whole life of such a change. When the order of the ranking is made anew is
settled here too: on a day of the month, on its last day where the month is shorter.
"""

from __future__ import annotations

import calendar
import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from queues.domain.customers import Customer
from queues.domain.plan import Plan
from queues.domain.ranking import Ranking
from queues.domain.rules import CODE_PART, holds

# a change by hand that outlives a year is a rule nobody wrote down
DAYS_MAX: Final = 366
QUARTER_ENDS: Final = (3, 6, 9, 12)
REASON_MAX: Final = 500

Why = Literal["by_hand", "rule", "given", "default"]
# score only · scores, ranks and bands · tiers alone, where nobody is ranked
Kind = Literal["score", "sort", "place"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the site's rules make of one file."""

    tier: str
    band: str
    class_code: str
    is_care: bool
    why: Why


def standing_of(plan: Plan, values: Mapping[str, Any], manual: str | None, band: str) -> Standing:
    """The standing of a file with these values, with the tier given by hand if there is one now."""
    tier, why = _tier_of(plan, values, manual, band)
    return Standing(
        tier=tier,
        band=band,
        class_code=class_code_of(plan, values, band, tier),
        is_care=plan.care is not None and holds(plan.care.rule, values, band),
        why=why,
    )


def _tier_of(plan: Plan, values: Mapping[str, Any], manual: str | None, band: str) -> tuple[str, Why]:
    if manual in plan.tiers:
        return str(manual), "by_hand"
    rules = {name: tier.rule for name, tier in plan.tiers.items() if tier.rule is not None}
    for name, rule in rules.items():
        if holds(rule, values, band):
            return name, "rule"
    given = values.get("tier")
    if not rules and given in plan.tiers:  # a site that leaves the tiers to whoever keeps its files
        return str(given), "given"
    return plan.default_tier, "default"


def class_code_of(plan: Plan, values: Mapping[str, Any], band: str, tier: str) -> str:
    """`{market_type}{store_format}{band}` filled in: CZ1. A part that is not known is a dash."""
    named = {**values, "band": band, "tier": plan.tiers[tier].code}
    return CODE_PART.sub(lambda found: str(named.get(found[1]) or "-"), plan.class_code)


def values_of(customer: Customer) -> dict[str, Any]:
    """What rules and the ranking may ask of a file."""
    return {
        **customer.attributes,
        "account_no": customer.account_no,
        "area": customer.area,
        "language": customer.locale,
        "tier": customer.tier,
    }


def first_band(plan: Plan) -> str:
    """The band of a file that no ranking has seen yet: the lowest."""
    return plan.ranking.bands[-1].code if plan.ranking else ""


def fingerprint(plan: Plan) -> str:
    """Changes whenever the same files could come to another standing; behind the dash, with the ranking alone."""
    care = plan.care.rule if plan.care else None
    tiers = [(name, tier.code, tier.rule) for name, tier in plan.tiers.items()]
    return f"{_digest([tiers, plan.default_tier, plan.class_code, care])}-{_digest(plan.ranking)}"


def ranking_mark(rules: str) -> str:
    return rules.partition("-")[2]


def _digest(part: Any) -> str:
    text = json.dumps(part, default=lambda model: model.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class State(StrEnum):
    """Where a change by hand stands."""

    PENDING = "pending"
    APPROVED = "approved"  # counts
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


TURNS: Final[Mapping[tuple[State, str], State]] = {
    (State.PENDING, "approve"): State.APPROVED,
    (State.PENDING, "refuse"): State.REFUSED,
    (State.PENDING, "withdraw"): State.WITHDRAWN,
    (State.PENDING, "end"): State.ENDED,  # nobody decided before its last day was over
    (State.APPROVED, "withdraw"): State.WITHDRAWN,
    (State.APPROVED, "end"): State.ENDED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A tier asked for by hand."""

    change_id: str
    customer_id: str
    tier: str
    reason: str
    until_ms: int  # the first instant at which it no longer counts
    state: State
    asked_by: str
    asked_ms: int
    decided_by: str = ""
    decided_ms: int | None = None
    note: str = ""


def refusal_of(change: Change, event: str, by: str, now_ms: int) -> str:
    """Why this account cannot do this to the change now; empty when it can."""
    if (change.state, event) not in TURNS:
        return f"stale:{change.state}"
    if event == "approve" and by == change.asked_by:
        return "own"
    if event == "withdraw" and change.state is State.PENDING and by != change.asked_by:
        return "others"
    if event == "approve" and now_ms >= change.until_ms:
        return "over"
    return ""


def request_fault(plan: Plan, tier: str, reason: str, until: dt.date, now_ms: int) -> str:
    """What is wrong with a change as it is asked for; empty when nothing is."""
    if tier not in plan.tiers:
        return "unknown_tier"
    if not reason.strip():
        return "no_reason"
    if len(reason) > REASON_MAX:
        return "long_reason"
    today = day_of(plan, now_ms)
    if until < today:
        return "past"
    return "too_far" if until > today + dt.timedelta(days=DAYS_MAX) else ""


def end_of(plan: Plan, until: dt.date) -> int:
    """The end of this day in the site's time zone."""
    return start_of(plan, until + dt.timedelta(days=1))


def start_of(plan: Plan, day: dt.date) -> int:
    midnight = dt.datetime.combine(day, dt.time(), ZoneInfo(plan.timezone))
    return int(midnight.timestamp()) * 1000


def day_of(plan: Plan, now_ms: int) -> dt.date:
    return dt.datetime.fromtimestamp(now_ms / 1000, ZoneInfo(plan.timezone)).date()


def latest_due(ranking: Ranking, today: dt.date, kind: Kind) -> dt.date:
    """The last day, today included, on which this was due."""
    year, month = today.year, today.month
    while True:
        due = _due_in(ranking, year, month)
        if due <= today and (kind != "sort" or _sorts_in(ranking, month)):
            return due
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)


def _due_in(ranking: Ranking, year: int, month: int) -> dt.date:
    return dt.date(year, month, min(ranking.day, calendar.monthrange(year, month)[1]))


def _sorts_in(ranking: Ranking, month: int) -> bool:
    return ranking.every == "month" or month in QUARTER_ENDS


def run_due(
    plan: Plan, now_ms: int, scored_ms: int | None, sorted_ms: int | None
) -> tuple[Kind, dt.date] | None:
    """The run that is due now, when scores and order were last made at these instants; a sort scores as well."""
    if plan.ranking is None:
        return None
    today = day_of(plan, now_ms)
    last: tuple[tuple[Kind, int | None], ...] = (("sort", sorted_ms), ("score", scored_ms))
    for kind, done_ms in last:
        due = latest_due(plan.ranking, today, kind)
        if done_ms is None or done_ms < start_of(plan, due):
            return kind, due
    return None
