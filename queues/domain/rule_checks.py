"""What the rules, the ranking and the class code of customers.yaml name must be declared there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from queues.domain.faults import FaultBook, Steps
from queues.domain.rules import BUILT_IN, CODE_PART, ORDERED, Rule, Value, date_in, leaves

if TYPE_CHECKING:
    from queues.domain.attributes import Attribute
    from queues.domain.ranking import Ranking

_BAND: Final = "band"
_TIER: Final = "tier"


def check(book: FaultBook, parts: Mapping[str, Any]) -> None:
    attributes: Mapping[str, Attribute] = parts["attributes"]
    ranking: Ranking | None = parts["ranking"]
    declared = book.names("customers", "attributes")
    bands = [band.code for band in ranking.bands] if ranking else []
    for steps, rule in _rules(parts):
        for inside, leaf in leaves(rule):
            _check_leaf(book, (*steps, *inside), leaf, declared, attributes, bands)
    if ranking:
        _check_ranking(book, ranking, declared, attributes)
    known = {*declared, *BUILT_IN, _TIER, *([_BAND] if ranking else [])}
    for name in CODE_PART.findall(parts["class_code"]):
        if name not in known:
            book.unknown(("customers", "class_code"), "attribute", name, known)


def _rules(parts: Mapping[str, Any]) -> Iterator[tuple[Steps, Rule]]:
    for name, tier in parts["tiers"].items():
        if tier.rule is not None:
            yield ("customers", "tiers", name, "rule"), tier.rule
    if parts["care"] is not None:
        yield ("customers", "care", "rule"), parts["care"].rule
    if parts["ranking"] is not None:
        for index, left_out in enumerate(parts["ranking"].leave_out):
            yield ("customers", "ranking", "leave_out", index), left_out


def _check_leaf(
    book: FaultBook,
    steps: Steps,
    leaf: Rule,
    declared: Collection[str],
    attributes: Mapping[str, Attribute],
    bands: Collection[str],
) -> None:
    if leaf.band is not None:
        if leaf.band not in bands:
            book.unknown((*steps, _BAND), "band of the ranking", leaf.band, bands)
        return
    name = leaf.attribute or ""
    if name not in declared and name not in BUILT_IN:
        book.unknown((*steps, "attribute"), "attribute", name, {*declared, *BUILT_IN})
    elif name in attributes:
        ((word, asked),) = leaf.comparisons.items()
        for value in asked if isinstance(asked, tuple) else (asked,):
            if fault := _misfit(attributes[name], word, value):
                book.add((*steps, word), fault)


def _misfit(attribute: Attribute, word: str, value: Value) -> str:
    """Why no value of this attribute can ever compare so; empty when it can."""
    name, kind = attribute.id, attribute.type
    if word in ORDERED and kind not in {"number", "date"}:
        return f"'{name}' is neither a number nor a date, so it has no '{word}'"
    if kind == "number" and not isinstance(value, Decimal):
        return f"'{name}' is a number, and '{value}' is not"
    if kind == "date" and date_in(value) is None:
        return f"'{name}' is a date, and '{value}' is not"
    if kind == "yes_no" and not isinstance(value, bool):
        return f"'{name}' is true or false, and '{value}' is neither"
    if kind == "choice" and str(value) not in attribute.values:
        return f"'{value}' is none of the values of '{name}' ({', '.join(attribute.values)})"
    return ""


def _check_ranking(
    book: FaultBook, ranking: Ranking, declared: Collection[str], attributes: Mapping[str, Attribute]
) -> None:
    known = {*declared, *BUILT_IN}
    ties: list[tuple[Steps, str]] = [(("ties", index), name) for index, name in enumerate(ranking.ties)]
    figures: list[tuple[Steps, str]] = [(("of", index), name) for index, name in enumerate(ranking.of)]
    for inside, name in [(("within",), ranking.within), *figures, *ties]:
        if name not in known:
            book.unknown(("customers", "ranking", *inside), "attribute", name, known)
    for inside, name in figures:
        if name in attributes and attributes[name].type != "number":
            book.add(("customers", "ranking", *inside), f"'{name}' is not a number")
