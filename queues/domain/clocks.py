"""Clocks of promises: by when a ticket is to be done, and how near that is.

A span is open time (`24h` inside a calendar) or a number of workdays (`5 workdays`). Open time runs from the instant;
what is closed does not count. Of workdays the day of the start is not counted, and the clock ends at the close of
business of the last one; a day with no hours is no workday. Without a calendar time runs round the clock.
"""

from __future__ import annotations

import itertools
import re
from enum import StrEnum
from typing import Any, Final

from pydantic import Field, ValidationInfo, model_validator

from queues.domain.hours import Hours
from queues.domain.parts import Part, read_duration

_WORKDAYS: Final = re.compile(r"([1-9]\d{0,2}) workdays?")
_LONGEST_MS: Final = 366 * 24 * 3_600_000
_DAYS_AHEAD: Final = 20 * 366
NEAR_SHARE: Final = 0.7  # of the time that was given


class Span(Part):
    """How long something may take: open time, or workdays; never both."""

    ms: int = Field(default=0, ge=0)
    workdays: int = Field(default=0, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, dict | Span):
            return value
        if isinstance(value, str) and (found := _WORKDAYS.fullmatch(value)):
            return {"workdays": int(found[1])}
        try:
            ms = read_duration(value, info)
        except ValueError:
            ms = 0
        if ms <= 0:
            raise ValueError(f"'{value}' is not a span such as 90m, 24h or 5 workdays")
        if ms > _LONGEST_MS:
            raise ValueError(f"'{value}' is longer than a year")
        return {"ms": ms}


class DueState(StrEnum):
    """How a promise stands: while it runs, and for good once it is done."""

    ON_TIME = "on_time"
    NEAR = "near"
    PAST = "past"
    KEPT = "kept"
    BROKEN = "broken"


class NeverOpenError(Exception):
    """A clock whose calendar has not enough open time ahead to run out."""


def deadline(hours: Hours | None, start_ms: int, span: Span) -> int:
    """The instant by which what began at `start_ms` is to be done."""
    if span.workdays:
        return _after_workdays(hours, start_ms, span.workdays)
    if hours is None:
        return start_ms + span.ms
    left_ms = span.ms
    for opens, closes in hours.spells(start_ms):
        begins = max(opens, start_ms)
        if left_ms <= closes - begins:
            return begins + left_ms
        left_ms -= closes - begins
    raise NeverOpenError


def _after_workdays(hours: Hours | None, start_ms: int, workdays: int) -> int:
    if hours is None:
        raise NeverOpenError
    tomorrow = itertools.islice(hours.days_from(hours.day_of(start_ms)), 1, 1 + _DAYS_AHEAD)
    worked = (spells[-1][1] for day in tomorrow if (spells := hours.spells_on(day)))
    for count, close_ms in enumerate(worked, 1):
        if count == workdays:
            return close_ms
    raise NeverOpenError


def due_state(
    hours: Hours | None, opened_ms: int, due_ms: int, now_ms: int, done_ms: int | None = None
) -> DueState:
    """Near is when most of the open time that was given has run; what is done can only be kept or broken."""
    if done_ms is not None:
        return DueState.KEPT if done_ms <= due_ms else DueState.BROKEN
    if now_ms > due_ms:
        return DueState.PAST
    given_ms, used_ms = _ran(hours, opened_ms, due_ms), _ran(hours, opened_ms, now_ms)
    return DueState.NEAR if used_ms >= NEAR_SHARE * given_ms else DueState.ON_TIME


def _ran(hours: Hours | None, from_ms: int, until_ms: int) -> int:
    if hours is None:
        return max(until_ms - from_ms, 0)
    return hours.open_ms(from_ms, until_ms)
