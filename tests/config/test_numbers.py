"""One written form inside, readable ones outside, and never more digits than needed."""

import pytest

from config.numbers import account_key, code_key, display, mask, number_key, parse


@pytest.mark.parametrize(
    ("text", "region", "e164"),
    [
        ("+8613800138000", "CN", "+8613800138000"),
        ("13800138000", "CN", "+8613800138000"),
        ("138-0013-8000", "CN", "+8613800138000"),
        ("0571 8765 4321", "CN", "+8657187654321"),
        ("（0571）87654321", "CN", None),  # typed with full-width brackets: not guessed at
        ("(415) 555-2671", "US", "+14155552671"),
        ("+44 20 7946 0958", "CN", "+442079460958"),
        ("95598", "CN", None),
        ("", "CN", None),
        ("anonymous", "CN", None),
        ("+266696687", "CN", None),  # how a withheld number is written
        ("client:amy", "CN", None),
        ("sip:13800138000@example.com", "CN", None),
        ("+86138001380001380013800013800", "CN", None),
    ],
)
def test_a_number_is_read_in_its_region_and_nothing_else_is_taken_for_one(
    text: str, region: str, e164: str | None
) -> None:
    assert parse(text, region) == e164


@pytest.mark.parametrize(
    ("e164", "shown", "masked"),
    [
        ("+8613800138000", "+86 138 0013 8000", "+86 138****8000"),
        ("+8657187654321", "+86 571 8765 4321", "+86 571****4321"),
        ("+14155552671", "+1 415-555-2671", "+1 415***2671"),
        ("+3905551234", "+39 055 51234", "+39 ****34"),
        ("withheld", "withheld", "****"),
    ],
)
def test_a_number_is_shown_for_people_and_masked_so_that_it_cannot_be_dialled(
    e164: str, shown: str, masked: str
) -> None:
    assert display(e164) == shown
    assert mask(e164) == masked


def test_a_key_stands_for_a_number_and_for_one_secret() -> None:
    key = number_key("secret", "+8613800138000")
    assert key == number_key("secret", "+8613800138000")
    assert len(key) == 32
    assert set(key) <= set("0123456789abcdef")
    assert key != number_key("secret", "+8613800138001")
    assert key != number_key("other", "+8613800138000")


def test_keys_of_accounts_and_codes_are_no_keys_of_numbers() -> None:
    """The same digits stand for something else each time, and for another site's account."""
    digits = "13800138000"
    keys = {
        number_key("secret", digits),
        code_key("secret", digits),
        account_key("secret", "power", digits),
        account_key("secret", "gas", digits),
        account_key("other", "power", digits),
    }
    assert len(keys) == 5
    assert all(len(key) == 32 for key in keys)
