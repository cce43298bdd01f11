"""Rules over a customer's file: `{any: [{attribute: capacity_kva, at_least: 2000}, {band: "1"}]}`.

A rule is `any` or `all` of further rules, or one leaf; a leaf compares one attribute with one value, or asks for
the band that the ranking gave. A value that is missing, or is not of the kind it is compared with, makes its leaf
false whatever it asks: nobody is "not below 2000 kVA" because nobody knows his capacity.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from queues.domain.attributes import NO, YES, tidy
from queues.domain.parts import Part, Words

Value = bool | Decimal | str
Steps = tuple[str | int, ...]

# what a rule may ask beside the declared attributes
BUILT_IN: Final = frozenset({"account_no", "area", "language"})
# of numbers and dates only
ORDERED: Final = ("at_least", "at_most", "over", "under", "between", "not_between")
# a part of a class code; a check tells of one that nothing is known by
CODE_PART: Final = re.compile(r"\{([^{}]*)\}")


def plain_value(value: Any) -> Value:
    """A value as rules compare it: a yes or no, a number, or a text (a date is its text, 2026-11-23)."""
    if isinstance(value, bool | str | Decimal):
        return value
    if isinstance(value, int | float):
        return Decimal(str(value))
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    raise ValueError("a rule compares with a number, a date, a text, or true and false")


def _read_text(value: Any) -> str:
    return str(value)


def _read_values(value: Any) -> tuple[Value, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError("expected a list such as [elderly, ill]")
    return tuple(plain_value(each) for each in value)


def _check_orderable(value: Value) -> Value:
    if isinstance(value, Decimal) or (isinstance(value, str) and date_in(value) is not None):
        return value
    raise ValueError(f"'{value}' is neither a number nor a date such as 2026-11-23")


def _check_range(values: tuple[Value, ...]) -> tuple[Value, ...]:
    if len(values) != 2:
        raise ValueError("expected two values such as [100, 200]: the first is inside, the second is not")
    low, high = (_check_orderable(each) for each in values)
    if type(low) is not type(high) or not low < high:  # type: ignore[operator]  # just found to be alike
        raise ValueError("the first of the two values must be below the second")
    return values


Scalar = Annotated[Value, BeforeValidator(plain_value)]
Edge = Annotated[Scalar, AfterValidator(_check_orderable)]
Values = Annotated[tuple[Value, ...], BeforeValidator(_read_values)]
Range = Annotated[Values, AfterValidator(_check_range)]
Text = Annotated[str, BeforeValidator(_read_text)]


class Rule(Part):
    """`any` or `all` of rules, or a leaf: an attribute with one comparison, or a band."""

    any_of: tuple[Rule, ...] | None = Field(default=None, alias="any", min_length=1)
    all_of: tuple[Rule, ...] | None = Field(default=None, alias="all", min_length=1)
    band: Text | None = None
    attribute: str | None = None
    at_least: Edge | None = None
    at_most: Edge | None = None
    over: Edge | None = None
    under: Edge | None = None
    is_: Scalar | None = Field(default=None, alias="is")
    is_not: Scalar | None = None
    in_: Values | None = Field(default=None, alias="in")
    between: Range | None = None
    not_between: Range | None = None

    @cached_property
    def comparisons(self) -> dict[str, Any]:
        """What the leaf asks of its attribute, by the word it is asked with."""
        return {
            word: asked for word in _COMPARE if (asked := getattr(self, _FIELD.get(word, word))) is not None
        }

    @model_validator(mode="after")
    def _has_one_form(self) -> Rule:
        forms = [self.any_of, self.all_of, self.band, self.attribute]
        if sum(form is not None for form in forms) != 1:
            raise ValueError("a rule is one of: any, all, band, or an attribute with a comparison")
        words = tuple(self.comparisons)
        if self.attribute is None and words:
            raise ValueError(f"'{words[0]}' needs the attribute that it compares")
        if self.attribute is not None and len(words) != 1:
            raise ValueError(f"'{self.attribute}' needs exactly one comparison: {', '.join(_COMPARE)}")
        return self


class Care(Part):
    """The register of customers who need special care, and what their agent is advised to do."""

    rule: Rule
    advice: Words


def holds(rule: Rule, values: Mapping[str, Any], band: str = "") -> bool:
    """Does the rule hold of a file with these values, in this band of the ranking?"""
    if rule.any_of is not None:
        return any(holds(each, values, band) for each in rule.any_of)
    if rule.all_of is not None:
        return all(holds(each, values, band) for each in rule.all_of)
    if rule.band is not None:
        return band == rule.band
    found = values.get(rule.attribute or "")
    if found is None or found == "":
        return False
    ((word, asked),) = rule.comparisons.items()
    return _COMPARE[word](plain_value(found), asked)


def leaves(rule: Rule, steps: Steps = ()) -> Iterator[tuple[Steps, Rule]]:
    """Every leaf with the way to it inside the rule, as it stands in the file: ("any", 0), leaf."""
    branches = {"any": rule.any_of, "all": rule.all_of}
    inner = {word: rules for word, rules in branches.items() if rules is not None}
    if not inner:
        yield steps, rule
    for word, rules in inner.items():
        for index, each in enumerate(rules):
            yield from leaves(each, (*steps, word, index))


def number_in(value: Value) -> Decimal | None:
    """The number a value is, `1999.9` written as a text included."""
    if isinstance(value, bool):
        return None
    try:
        found = Decimal(value)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def date_in(value: Value) -> dt.date | None:
    if not isinstance(value, str):
        return None
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        return None


def truth_in(value: Value) -> bool | None:
    if isinstance(value, bool):
        return value
    word = tidy(str(value)).casefold()
    return True if word in YES else False if word in NO else None


def _pair(found: Value, asked: Value) -> tuple[Any, Any]:
    """Both in the kind of what was asked; the found one None where it is not of that kind."""
    if isinstance(asked, bool):
        return truth_in(found), asked
    if isinstance(asked, Decimal):
        return number_in(found), asked
    if (day := date_in(asked)) is not None:
        return date_in(found), day
    return (None if isinstance(found, bool) else str(found)), asked


def _compared(test: Callable[[Any, Any], bool]) -> Callable[[Value, Any], bool]:
    def compare(found: Value, asked: Value) -> bool:
        one, other = _pair(found, asked)
        return one is not None and test(one, other)

    return compare


_at_least = _compared(lambda found, asked: found >= asked)
_under = _compared(lambda found, asked: found < asked)
_is = _compared(lambda found, asked: found == asked)


def _is_between(found: Value, asked: tuple[Value, ...]) -> bool:
    return _at_least(found, asked[0]) and _under(found, asked[1])


def _is_not_between(found: Value, asked: tuple[Value, ...]) -> bool:
    return _under(found, asked[0]) or _at_least(found, asked[1])


_FIELD: Final = {"is": "is_", "in": "in_"}
_COMPARE: Final[Mapping[str, Callable[[Value, Any], bool]]] = {
    "at_least": _at_least,
    "at_most": _compared(lambda found, asked: found <= asked),
    "over": _compared(lambda found, asked: found > asked),
    "under": _under,
    "is": _is,
    "is_not": _compared(lambda found, asked: found != asked),
    "in": lambda found, asked: any(_is(found, each) for each in asked),
    "between": _is_between,
    "not_between": _is_not_between,
}
