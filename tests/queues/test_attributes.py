"""Declared attributes: what a site may declare, and every written form that is one value."""

from typing import Any

import pytest
from pydantic import ValidationError

from queues.domain.attributes import Attribute, UnreadableError, read_value, tidy

NAME = {"zh": "项", "en": "Field"}


def attribute(type: str, **more: Any) -> Attribute:  # noqa: A002  as the files call it
    return Attribute.model_validate({"id": "field", "name": NAME, "type": type, **more})


@pytest.mark.parametrize(
    ("type", "written", "kept"),
    [
        ("text", "  滨江路１号 ", "滨江路1号"),
        ("text", "a\u200b b\tc", "a b c"),
        ("number", "2,000", "2000"),
        ("number", "２０００．５０", "2000.5"),
        ("number", "-0", "0"),
        ("number", "007", "7"),
        ("number", "1e3", "1000"),
        ("date", "2026-11-23", "2026-11-23"),
        ("date", "2026/1/2", "2026-01-02"),
        ("date", "2026年11月23日", "2026-11-23"),
        ("date", "20261123", "2026-11-23"),
        ("yes_no", "是", "yes"),
        ("yes_no", "TRUE", "yes"),
        ("yes_no", "无", "no"),
    ],
)
def test_every_way_to_write_a_value_is_kept_in_one(type: str, written: str, kept: str) -> None:  # noqa: A002
    assert read_value(attribute(type), written) == kept


@pytest.mark.parametrize(
    ("type", "written", "what"),
    [
        ("text", "x" * 501, "is longer than 500 characters"),
        ("number", "12 kVA", "'12 kVA' is not a number such as 1999.9"),
        ("number", "1,00", "'1,00' is not a number such as 1999.9"),
        ("number", "NaN", "'NaN' is not a number such as 1999.9"),
        ("number", "9" * 31, f"'{'9' * 31}' is not a number such as 1999.9"),
        ("date", "23.11.2026", "'23.11.2026' is not a date such as 2026-11-23"),
        ("date", "2026-02-30", "'2026-02-30' is no day of the calendar"),
        ("yes_no", "maybe", "'maybe' is neither yes nor no (是, 否)"),
    ],
)
def test_what_is_not_of_the_type_is_told(type: str, written: str, what: str) -> None:  # noqa: A002
    with pytest.raises(UnreadableError) as told:
        read_value(attribute(type), written)
    assert str(told.value) == what


def test_a_choice_is_written_by_its_code_or_its_word() -> None:
    market = attribute(
        "choice", values={"C": {"zh": "城镇", "en": "Town"}, "X": {"zh": "乡村", "en": "Country"}}
    )
    assert [read_value(market, text) for text in ("C", "x", "城镇", "TOWN", "")] == ["C", "X", "C", "C", ""]
    with pytest.raises(UnreadableError, match="'moon' is none of C, X"):
        read_value(market, "moon")
    assert attribute("choice", values=["elderly", "ill"]).values == {"elderly": {}, "ill": {}}


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"type": "choice"}, "a choice needs its 'values', and only a choice has them"),
        ({"type": "text", "values": ["a"]}, "a choice needs its 'values', and only a choice has them"),
        ({"id": "phones", "type": "text"}, "'phones' is a built-in column and needs no declaration"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(given: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        Attribute.model_validate({"id": "field", "name": NAME, **given})


def test_what_cannot_be_seen_is_no_part_of_a_text() -> None:
    assert tidy("\ufeff 张　三\r\n") == "张 三"
