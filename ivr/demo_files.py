"""Invented values for the attributes of a site: such that a customer's file is in the tier it is meant to be in.

The site alone says which attributes there are and which values make a tier; nothing here knows one by name. What
must hold: a file with these values is placed by the site's own rules, never by us.
"""

import random
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from queues.domain.attributes import Attribute
from queues.domain.plan import Plan
from queues.domain.ranking import entrant_of, left_out_by, rank_all
from queues.domain.rules import Rule, leaves

FORMATS: Final = "ZBSY"
STREETS: Final = ("人民路", "解放街", "湖滨路", "文化巷", "工业大道")
ORDERED: Final = ("at_least", "over", "at_most", "under")
CARE_SHARE: Final = 0.04


def values_for(plan: Plan, tier: str, rng: random.Random) -> dict[str, str]:
    """An ordinary file, with what the tier's rule asks for on top; some need care whatever their tier."""
    values = {name: _ordinary(plan, attribute, rng) for name, attribute in plan.attributes.items()}
    wanted = plan.tiers[tier].rule
    if wanted is not None:
        values.update(_meeting(wanted, rng))
    if plan.care is not None and rng.random() < CARE_SHARE:
        values.update(_meeting(plan.care.rule, rng))
    return values


def bands_of(plan: Plan, files: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """What the site's ranking makes of these files; nothing where it has none."""
    if plan.ranking is None:
        return {}
    ranked = {name: values for name, values in files.items() if not left_out_by(plan.ranking, values)}
    entrants = (entrant_of(plan.ranking, name, values) for name, values in ranked.items())
    found = rank_all(plan.ranking, (each for each in entrants if each))
    return {name: each.band for name, each in found.items()}


def _ordinary(plan: Plan, attribute: Attribute, rng: random.Random) -> str:
    asked = [leaf for rule in _rules_of(plan) for _, leaf in leaves(rule) if leaf.attribute == attribute.id]
    match attribute.type:
        case "number":
            return str(_below(asked, rng))
        case "yes_no":
            return "no"
        case "choice":
            named = {str(value) for leaf in asked for value in _values_asked(leaf)}
            return rng.choice(
                [value for value in attribute.values if value not in named] or [*attribute.values]
            )
        case "date":
            return f"{rng.choice((2024, 2025))}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"
        case _:
            if plan.ranking is not None and plan.ranking.within == attribute.id:
                return rng.choice(FORMATS)
            if attribute.is_personal:
                return f"{rng.choice(STREETS)}{rng.randrange(1, 300)}号"
            return f"{rng.choice('ABCD')}{rng.randrange(1, 30)}"


def _rules_of(plan: Plan) -> Iterator[Rule]:
    yield from (tier.rule for tier in plan.tiers.values() if tier.rule)
    if plan.care:
        yield plan.care.rule
    if plan.ranking:
        yield from plan.ranking.leave_out


def _below(asked: list[Rule], rng: random.Random) -> int:
    """A number that meets none of what is asked of the attribute, or any number when nothing is."""
    edges = [edge for leaf in asked for word in ORDERED if (edge := getattr(leaf, word)) is not None]
    if not edges:
        return max(1, int(rng.lognormvariate(5, 1)))
    return int(float(min(edges)) * rng.uniform(0.05, 0.9))


def _values_asked(leaf: Rule) -> tuple[Any, ...]:
    return (*(leaf.in_ or ()), *((leaf.is_,) if leaf.is_ is not None else ()))


def _meeting(rule: Rule, rng: random.Random) -> dict[str, str]:
    """Values of which the rule holds; what only a ranking can give is left to it."""
    if rule.any_of is not None:
        return _meeting(rng.choice(rule.any_of), rng)
    if rule.all_of is not None:
        return {name: value for each in rule.all_of for name, value in _meeting(each, rng).items()}
    if rule.attribute is None or not rule.comparisons:
        return {}
    ((word, asked),) = rule.comparisons.items()
    return {rule.attribute: _written(word, asked, rng)}


def _written(word: str, asked: Any, rng: random.Random) -> str:
    match word:
        case "at_least" | "over":
            return str(int(float(asked) * rng.uniform(1.01, 3)) + 1)
        case "at_most" | "under":
            return str(int(float(asked) * rng.uniform(0.1, 0.9)))
        case "between":
            return _text(asked[0])
        case "in":
            return _text(rng.choice(asked))
        case _:
            return _text(asked)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
