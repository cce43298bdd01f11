"""What a site keeps of a customer beside the built-in columns, and how a written value of it is read.

Nothing that is not declared can be kept. A value is text from the cell to SQL, in one form for each type: a number
plain (`1999.9`), a date as `2026-11-23`, a yes or no as `yes` or `no`, a choice as its code; so two spellings of
one value never look like a change.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from queues.domain.parts import Part, ShortName, Words

TEXT_MAX: Final = 500
DIGITS_MAX: Final = 30
YES: Final = frozenset({"yes", "y", "true", "1", "是", "有", "对", "√"})
NO: Final = frozenset({"no", "n", "false", "0", "否", "无", "没有", "×"})
BUILT_IN: Final = ("account_no", "name", "phones", "contacts", "area", "language", "managers", "consent")

_DATE: Final = re.compile(
    r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))(?:[T ]00:00(?::00)?)?"
)
_GROUPED: Final = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?")
_SPACES: Final = re.compile(r"\s+")


class UnreadableError(ValueError):
    """A written value is not of its field's type; the message says so to whoever wrote it."""


def _read_choices(value: Any) -> Any:
    """`[C, X]`, or with words for each: `{C: {zh: 城镇, en: Town}}`."""
    if isinstance(value, list | tuple):
        return {str(each): {} for each in value}
    return {str(code): words for code, words in value.items()} if isinstance(value, Mapping) else value


Choices = Annotated[dict[str, dict[str, str]], BeforeValidator(_read_choices)]


class Attribute(Part):
    """One declared field of the customers' files."""

    id: ShortName
    name: Words
    type: Literal["text", "number", "date", "yes_no", "choice"]
    values: Choices = Field(default={})
    is_personal: bool = Field(default=False, alias="personal")
    is_required: bool = Field(default=False, alias="required")
    needs_consent: bool = False

    @model_validator(mode="after")
    def _has_what_its_type_needs(self) -> Attribute:
        if self.id in BUILT_IN:
            raise ValueError(f"'{self.id}' is a built-in column and needs no declaration")
        if (self.type == "choice") != bool(self.values):
            raise ValueError("a choice needs its 'values', and only a choice has them")
        return self


def tidy(text: str) -> str:
    """One writing for one text: full-width forms, odd spaces and what cannot be seen are gone."""
    if text.isalnum() and text.isascii():
        return text
    plain = unicodedata.normalize("NFKC", text)
    if not plain.isprintable():
        plain = "".join(each if each.isprintable() else " " for each in plain)
    return _SPACES.sub(" ", plain).strip()


def read_value(attribute: Attribute, text: str) -> str:
    """The value in the form it is kept in; empty is no value. Raises `UnreadableError`."""
    written = tidy(text)
    return _READ[attribute.type](attribute, written) if written else ""


def read_yes_no(text: str) -> bool:
    word = text.casefold()
    if word in YES or word in NO:
        return word in YES
    raise UnreadableError(f"'{text}' is neither yes nor no (是, 否)")


def _read_text(_: Attribute, text: str) -> str:
    if len(text) > TEXT_MAX:
        raise UnreadableError(f"is longer than {TEXT_MAX} characters")
    return text


def _read_number(_: Attribute, text: str) -> str:
    plain = text.replace(",", "") if _GROUPED.fullmatch(text) else text
    if plain.isdecimal() and plain.isascii() and len(plain) <= DIGITS_MAX:
        return plain.lstrip("0") or "0"
    if not _NUMBER.fullmatch(plain) or len(plain) > DIGITS_MAX:
        raise UnreadableError(f"'{text}' is not a number such as 1999.9")
    try:
        number = Decimal(plain)
    except InvalidOperation as fault:
        raise UnreadableError(f"'{text}' is not a number such as 1999.9") from fault
    shown = f"{number:f}"
    return (shown.rstrip("0").rstrip(".") if "." in shown else shown) if number else "0"


def _read_date(_: Attribute, text: str) -> str:
    found = _DATE.fullmatch(text)
    if found is None:
        raise UnreadableError(f"'{text}' is not a date such as 2026-11-23")
    year, month, day = found[1], found[2] or found[4], found[3] or found[5]
    try:
        return dt.date(int(year), int(month), int(day)).isoformat()
    except ValueError as fault:
        raise UnreadableError(f"'{text}' is no day of the calendar") from fault


def _read_word(_: Attribute, text: str) -> str:
    return "yes" if read_yes_no(text) else "no"


def _read_choice(attribute: Attribute, text: str) -> str:
    """By its code, or by what it is called in any language."""
    if text in attribute.values:
        return text
    word = text.casefold()
    for code, words in attribute.values.items():
        if word == code.casefold() or word in (each.casefold() for each in words.values()):
            return code
    raise UnreadableError(f"'{text}' is none of {', '.join(attribute.values)}")


_READ: Final = {
    "text": _read_text,
    "number": _read_number,
    "date": _read_date,
    "yes_no": _read_word,
    "choice": _read_choice,
}
