"""Clocks of promises: by when a ticket is to be done.

A span is either a length of open time (`24h` inside a calendar) or a number of workdays (`5 workdays`).
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationInfo, model_validator

from queues.domain.parts import Part, read_duration

_WORKDAYS = re.compile(r"([1-9]\d{0,2}) workdays?")


class Span(Part):
    """How long something may take: open time, or workdays; never both."""

    ms: int = 0
    workdays: int = 0

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
        return {"ms": ms}
