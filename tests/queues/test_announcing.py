"""What a waiting caller is told, in words, and when."""

import pytest

from queues.domain.announcing import (
    OPEN_S,
    UNKNOWN,
    Range,
    is_due,
    range_at,
    read_told,
    spoken_ahead,
    spoken_wait,
    tell,
)


@pytest.mark.parametrize(
    ("ahead", "locale", "words"),
    [
        (1, "zh-CN", "1位"),
        (2, "zh-CN", "两位"),
        (2, "yue-HK", "兩位"),
        (12, "zh-CN", "12位"),
        (0, "en-US", "no callers"),
        (1, "en-US", "1 caller"),
        (2, "en-US", "2 callers"),
    ],
)
def test_how_many_are_ahead_in_words(ahead: int, locale: str, words: str) -> None:
    assert spoken_ahead(ahead, locale) == words


@pytest.mark.parametrize(
    ("low_s", "high_s", "mandarin", "english"),
    [
        (0, 60, "不到一分钟", "less than a minute"),
        (0, 300, "不到五分钟", "less than 5 minutes"),
        (60, 120, "一到两分钟", "1 to 2 minutes"),
        (120, 300, "两到五分钟", "2 to 5 minutes"),
        (180, 300, "三到五分钟", "3 to 5 minutes"),
        (300, 600, "五到十分钟", "5 to 10 minutes"),
        (60, OPEN_S, "一分钟以上", "more than 1 minute"),
        (600, OPEN_S, "十分钟以上", "more than 10 minutes"),
    ],
)
def test_how_long_in_words(low_s: int, high_s: int, mandarin: str, english: str) -> None:
    told = Range(low_s, high_s)
    assert (spoken_wait(told, "zh-CN"), spoken_wait(told, "en-GB")) == (mandarin, english)
    assert spoken_wait(told, "yue-HK") == mandarin.replace("两", "兩").replace("钟", "鐘")


def test_a_time_that_grew_is_not_told_and_does_not_free_the_next_one() -> None:
    told = None
    said = []
    for n, (low_s, high_s) in enumerate([(60, 120), (180, 300), (120, 180), (0, 60), (0, 0), (60, 120)]):
        told = tell(told, round_no=n, now_ms=n, position=9 - n, found=Range(low_s, high_s))
        assert read_told(str(told)) == told
        said.append(told.range)
    assert said == [(60, 120), UNKNOWN, UNKNOWN, (0, 60), UNKNOWN, UNKNOWN]


def test_it_is_due_first_after_its_time_and_then_as_often() -> None:
    times = {"entered_ms": 0, "first_ms": 15_000, "every_ms": 60_000}
    assert [is_due(None, **times, now_ms=now_ms) for now_ms in (9_999, 10_000)] == [False, True]
    told = tell(None, round_no=1, now_ms=20_000, position=1, found=UNKNOWN)
    assert [is_due(told, **times, now_ms=now_ms) for now_ms in (20_000, 74_000, 75_000)] == [
        False,
        False,
        True,
    ]


def test_what_is_known_of_a_lane_is_told_by_depth_while_it_is_fresh() -> None:
    text = "1000 1:0:60 3:60:180"
    assert [range_at(text, depth, 2_000, 5_000) for depth in (1, 2, 3, 4)] == [
        (0, 60),
        (60, 180),
        (60, 180),
        UNKNOWN,
    ]
    assert range_at(text, 1, 6_001, 5_000) == UNKNOWN
    assert range_at("", 1, 0, 5_000) == UNKNOWN
