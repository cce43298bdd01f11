"""Reading numbers, persons and headings as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import numbers
from queues.domain.attributes import UnreadableError
from queues.domain.customer_rows import read_account, read_contacts, read_numbers
from queues.domain.customers import Contact
from queues.service.customer_work import number_reader, own_area_code

READ = number_reader("CN", "571")
LAND, MOBILE = "+8657188886666", "+8613800138000"


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("0571-8888 6666", (LAND,)),
        ("(0571) 88886666", (LAND,)),
        ("+86 571 8888 6666", (LAND,)),
        ("0086 571 88886666", (LAND,)),
        ("88886666", (LAND,)),
        ("8888-6666", (LAND,)),
        ("０５７１－８８８８６６６６", (LAND,)),
        ("138 0013 8000", (MOBILE,)),
        ("8613800138000", (MOBILE,)),
        ("13800138000、0571-88886666", (MOBILE, LAND)),
        ("13800138000 88886666", (MOBILE, LAND)),
        ("88886666/13800138000；13800138000", (MOBILE, LAND)),
        ("0571-88886666转801", (LAND,)),
        ("0571-88886666 ext 801", (LAND,)),
        ("+1 202 555 0143", ("+12025550143",)),
        ("010-12345678", ("+861012345678",)),
        (" ", ()),
    ],
)
def test_numbers_are_read_however_they_are_written(written: str, found: tuple[str, ...]) -> None:
    assert read_numbers(written, READ) == tuple(sorted(found))


@pytest.mark.parametrize(
    "written",
    [
        "12",
        "1380013800",
        "+86 138-0013-800",
        "13800138000, twelve",
        "client:wang",
        "138001380001380013800138",
    ],
)
def test_what_is_no_number_is_told(written: str) -> None:
    with pytest.raises(UnreadableError, match="is not a telephone number"):
        read_numbers(written, READ)


def test_a_number_without_its_area_is_none_where_no_area_is_known() -> None:
    assert number_reader("CN", "")("88886666") is None
    assert number_reader("CN", "")("0571-88886666") == LAND


def test_the_area_is_that_of_the_hotlines_own_numbers() -> None:
    assert own_area_code({"main": "+8657195598000", "key_line": "+8657195598001"}) == "571"
    assert own_area_code({"main": "+8657195598000", "north": "+861095598"}) == ""
    assert own_area_code({}) == ""


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_a_mobile_read_the_short_way_is_what_the_library_reads(written: str) -> None:
    assert READ(written) == numbers.parse(written, "CN")


def test_persons_with_role_numbers_and_wishes() -> None:
    assert read_contacts("李梅|采购经理|13800138000 88886666|通知； 王强 / 值班\n赵磊", READ) == (
        Contact(name="李梅", role="采购经理", numbers=(MOBILE, LAND), wants_notices=True),
        Contact(name="王强", role="值班"),
        Contact(name="赵磊"),
    )


@pytest.mark.parametrize(
    ("written", "what"),
    [
        ("李梅|经理|12", "'12' is not a telephone number"),
        ("李梅;李梅", "names '李梅' twice"),
        ("|经理", "does not begin with a name"),
        ("李~梅", "does not begin with a name"),
        ("李梅|经理|13800138000|maybe", "'maybe' is neither yes nor no"),
        ("李梅|经理||是|再来", "is not: name | role | numbers | notices"),
        ("李梅||13800138000;王强||13800138000", "to two persons: put it under phones"),
    ],
)
def test_a_person_that_cannot_be_read_is_told(written: str, what: str) -> None:
    with pytest.raises(UnreadableError) as told:
        read_contacts(written, READ)
    assert what in str(told.value)


def test_an_account_number_is_one_in_every_writing() -> None:
    assert [read_account(text) for text in ("hn 0012 ", "ＨＮ0012")] == ["HN0012", "HN0012"]
    with pytest.raises(UnreadableError, match="is missing"):
        read_account(" ")
