"""Who settles a ticket: the part of tickets.yaml that names the posts, and by what amount or gravity it goes to which.

A ticket begins at the lowest post and stands at the highest that any of its rules names. What must hold: an amount of
the edge itself is above it (500 is not below 500), gravity counts at any amount, and more never leads lower.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field, model_validator

from queues.domain.parts import Part, Words

if TYPE_CHECKING:
    from queues.domain.plan import Plan
    from queues.domain.plan_checks import Names

CENTS: Final = 100
AMOUNT_MAX: Final = Decimal(1_000_000_000)


class Post(Part):
    """A rung of the house: who stands on it may settle what has come up to it, and what is below."""

    id: str
    name: Words
    by: Literal["agent", "supervisor"] = "agent"  # whose account may resolve what stands here
    rank: int = 0  # 0 is the first of the file, the lowest


class SettleRule(Part):
    """One reason to go up to a post: an amount of so much or more, or one of these gravities."""

    at_least: Decimal | None = Field(default=None, alias="from", ge=0, lt=AMOUNT_MAX, decimal_places=2)
    gravity: tuple[str, ...] | None = Field(default=None, min_length=1)
    post: str

    @model_validator(mode="after")
    def _has_one_reason(self) -> SettleRule:
        if (self.at_least is None) == (self.gravity is None):
            raise ValueError("a rule says either 'from', an amount, or 'gravity', a list")
        return self

    def holds(self, amount_cents: int | None, gravity: str) -> bool:
        if self.at_least is not None:
            return amount_cents is not None and amount_cents >= int(self.at_least * CENTS)
        return gravity in (self.gravity or ())


def post_of(plan: Plan, ticket_type: str, amount_cents: int | None, gravity: str) -> str:
    """The post that settles such a ticket; empty for a type that has no rules."""
    kind = plan.ticket_types.get(ticket_type)
    if kind is None or not kind.settled_by or not plan.posts:
        return ""
    named = [rule.post for rule in kind.settled_by if rule.holds(amount_cents, gravity)]
    return max([next(iter(plan.posts)), *named], key=lambda post: plan.posts[post].rank)


def is_lower(plan: Plan, post: str, than: str) -> bool:
    """A post that the plan does not know any more is lower than all."""
    one, other = (plan.posts[each].rank if each in plan.posts else -1 for each in (post, than))
    return one < other


def read_amount(text: str) -> int | None:
    """`499.99` in hundredths; None for nothing at all. ValueError for what is no amount."""
    written = text.strip().replace(",", "")
    if not written:
        return None
    try:
        amount = Decimal(written)
    except InvalidOperation:
        raise ValueError(written) from None
    if not amount.is_finite() or not 0 <= amount < AMOUNT_MAX:
        raise ValueError(written)
    cents = amount * CENTS
    if cents != cents.to_integral_value():
        raise ValueError(written)
    return int(cents)


def amount_text(cents: int | None) -> str:
    """As it is written in a form: 499.99, 500."""
    if cents is None:
        return ""
    whole, part = divmod(cents, CENTS)
    return f"{whole}.{part:02d}" if part else str(whole)


def check(names: Names, parts: Mapping[str, Any]) -> None:
    """Every post and gravity that a rule names is there, and a larger amount never leads to a lower post."""
    posts: Mapping[str, Post] = parts["posts"]
    for kind in parts["ticket_types"].values():
        place = ("tickets", "types", kind.id, "settled_by")
        reached: list[tuple[Decimal, Post]] = []
        for index, rule in enumerate(kind.settled_by):
            names.among((*place, index, "post"), "post", rule.post, posts)
            for number, gravity in enumerate(rule.gravity or ()):
                names.among((*place, index, "gravity", number), "gravity", gravity, parts["gravities"])
            if rule.at_least is not None and rule.post in posts:
                reached.append((rule.at_least, posts[rule.post]))
        _check_order(names, place, reached)


def _check_order(names: Names, place: tuple[str, ...], reached: list[tuple[Decimal, Post]]) -> None:
    ordered = sorted(reached, key=lambda each: each[0])
    for (low, lower), (high, higher) in itertools.pairwise(ordered):
        if higher.rank <= lower.rank:
            names.book.add(
                place,
                f"from {high} on it would go to '{higher.id}', which is not above '{lower.id}' from {low} on",
            )
