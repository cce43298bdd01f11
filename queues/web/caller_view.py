"""What an agent is told of who calls, beside name and tier: in short marks, one sentence of advice, and what was keyed.

The same for an offer, a call and the record of a call, so that nobody is told less afterwards.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from queues.domain.plan import in_locale
from queues.web.words import Words

View = dict[str, Any]


class Caller(Protocol):
    """What the live state and the record know alike."""

    @property
    def contact(self) -> str: ...
    @property
    def shared(self) -> int: ...
    @property
    def is_care(self) -> bool: ...
    @property
    def is_internal(self) -> bool: ...
    @property
    def is_anonymous(self) -> bool: ...
    @property
    def is_keyed(self) -> bool: ...
    @property
    def given(self) -> Mapping[str, str]: ...


def caller_view(caller: Caller, words: Words, *, joined: str = "") -> View:
    """`joined` is the number of a ticket that was there before the call and that it was added to."""
    return {
        "marks": [*_marks(caller, words), *_joined(joined, words)],
        "advice": advice(words) if caller.is_care else "",
        "told": told(caller, words),
    }


def advice(words: Words) -> str:
    care = words.plan.care
    return in_locale(care.advice, words.locale) if care else words.t("desk.care")


def told(caller: Caller, words: Words) -> list[dict[str, str]]:
    """Who speaks, and what he keyed on the way here."""
    person = [{"label": words.t("desk.fact.contact"), "text": caller.contact}] if caller.contact else []
    keyed = [{"label": words.given(name), "text": value} for name, value in caller.given.items() if value]
    return [*person, *keyed]


def _marks(caller: Caller, words: Words) -> list[dict[str, str]]:
    marks = []
    if caller.is_keyed:  # it stands beside the name: whoever speaks may be somebody else
        marks.append({"kind": "keyed", "text": words.t("desk.mark.keyed")})
    if caller.is_care:
        marks.append({"kind": "care", "text": words.t("desk.mark.care")})
    if caller.is_internal:
        marks.append({"kind": "internal", "text": words.t("desk.mark.internal")})
    if caller.is_anonymous:
        marks.append({"kind": "anonymous", "text": words.t("desk.mark.anonymous")})
    if caller.shared:
        marks.append({"kind": "shared", "text": words.t("desk.mark.shared", n=caller.shared)})
    return marks


def _joined(ticket_no: str, words: Words) -> list[dict[str, str]]:
    return [{"kind": "joined", "text": words.t("desk.mark.joined", no=ticket_no)}] if ticket_no else []
