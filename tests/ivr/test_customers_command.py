"""What `shouwen customers` shows."""

from ivr.customers import masked


def test_no_number_is_shown_in_full_among_other_words() -> None:
    assert masked("+8613800000001; +8657188886666 -> ") == "+86 138****0001; +86 571****6666 -> "
    assert masked("change") == "change"
