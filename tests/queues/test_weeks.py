"""Hours of the week and ranges of waits: nothing is lost between them, also where a clock is set."""

import datetime as dt
from collections import Counter
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from queues.domain import distribution, waits
from queues.domain.periods import QUARTER_MS, midnight
from queues.domain.weeks import Hour, hour_at, number_of, spans, stretches


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Madrid", "Asia/Kolkata", "Australia/Lord_Howe"])
def test_every_quarter_is_in_the_one_hour_that_the_clock_shows(zone: str) -> None:
    for first, last in (
        (dt.date(2026, 3, 28), dt.date(2026, 4, 6)),
        (dt.date(2026, 10, 3), dt.date(2026, 10, 5)),
    ):
        from_ms, until_ms = midnight(first, zone), midnight(last, zone)
        counted = Counter[Hour]()
        for stretch in stretches(from_ms, until_ms, zone):
            for start_ms in range(stretch.from_ms, stretch.until_ms, QUARTER_MS):
                moment = dt.datetime.fromtimestamp(start_ms / 1000, ZoneInfo(zone))
                hour = hour_at(number_of(start_ms, stretch.shift_ms))
                assert hour == (moment.weekday(), moment.hour)
                counted[hour] += 1
        assert counted.total() == (until_ms - from_ms) // QUARTER_MS
        for hour in (Hour(6, 0), Hour(6, 1), Hour(6, 2), Hour(6, 3), Hour(2, 23)):
            within = spans(hour, from_ms, until_ms, zone)
            assert sum(until - start for start, until in within) == counted[hour] * QUARTER_MS
            assert all(before[1] < after[0] for before, after in pairwise(within))


def test_ranges_of_waits_are_few_and_lose_nobody() -> None:
    assert distribution.ranges([{}, {}]) == ()
    (first, rest) = distribution.ranges([{0: 3}])
    assert (first, rest) == ((0, 1), (2, None))
    for answered in ({1: 1}, dict.fromkeys(range(1, 400), 1), {59: 5, 60: 5, 61: 5}, {90_000: 1}):
        abandoned = {7: 2}
        found = distribution.ranges([answered, abandoned])
        assert len(found) <= distribution.RANGES_MAX + 1
        for counted in (answered, abandoned):
            assert sum(each.count(counted) for each in found) == sum(counted.values())
    steps = waits.patience({10: 1, 20: 1}, {15: 1})
    assert [distribution.after(steps, at_s) for at_s in (9, 10, 19, 20)] == [
        1.0,
        *[pytest.approx(2 / 3)] * 2,
        0.0,
    ]
