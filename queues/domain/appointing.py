"""How a customer gets to know his account manager: the part `appointment` of customers.yaml.

By when one is to be named, what the text message says on the first appointment and on a change, and in which hours it
may go out. What must hold: a text names nothing but what we can fill in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field, field_validator

from queues.domain.clocks import Span
from queues.domain.parts import Part, Words

if TYPE_CHECKING:
    from queues.domain.plan_checks import Names

PLACE: Final = ("customers", "appointment")
FILLED: Final = ("customer", "name", "number")
_BRACED: Final = re.compile(r"\{([^{}]*)\}")


class Appointing(Part):
    within: Span = Field(default=Span(workdays=1), validate_default=True)
    calendar: str | None = None  # none: round the clock, and then not in workdays
    appointed: Words | None = None  # the text to the customer who has his first manager
    changed: Words | None = None  # and to him who has another one now
    window: str | None = None  # the calendar in which texts go out; none: at any hour

    @field_validator("appointed", "changed")
    @classmethod
    def _names_what_is_known(cls, words: dict[str, str] | None) -> dict[str, str] | None:
        for text in (words or {}).values():
            for name in _BRACED.findall(text):
                if name not in FILLED:
                    raise ValueError(
                        f"{{{name}}} cannot be filled in; known are {{customer}}, {{name}} and {{number}}"
                    )
        return words


def check(names: Names, parts: Mapping[str, Any]) -> None:
    appointing: Appointing | None = parts["appointing"]
    if appointing is None:
        return
    names.expect((*PLACE, "calendar"), "calendar", appointing.calendar)
    names.expect((*PLACE, "window"), "calendar", appointing.window)
    if appointing.within.workdays and appointing.calendar is None:
        names.book.add(PLACE, "workdays need a 'calendar' that says which days are worked")
