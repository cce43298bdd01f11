"""Notices that callers of an area hear before the menu: what one must say, and when it is heard.

A notice is raised by a supervisor: an outage, an emergency, planned works. What must hold: it has a text in
every language that is spoken, so no caller hears silence where another is warned; a notice that is over is
never heard again, whoever forgot to clear it.
"""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

TEXT_LENGTH_MAX: Final = 500
LONG_S: Final = 25  # from here on a caller who came for something else loses patience
_DAY_MS: Final = 86_400_000
RUNS_FOR_MS_MAX: Final = 90 * _DAY_MS

# What a synthetic voice reads in a second: written signs of a language that has no spaces, letters of one that has.
_SIGNS_A_S: Final = 4.2
_LETTERS_A_S: Final = 14.0
_PAUSE_S: Final = 0.4
_WIDE: Final = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_PAUSES: Final = re.compile(r"[,.;:!?，。；：！？、]+")


class NoticeKind(StrEnum):
    EMERGENCY = "emergency"
    OUTAGE = "outage"
    PLANNED = "planned"


class Phase(StrEnum):
    RUNNING = "running"
    COMING = "coming"
    PAST = "past"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What a supervisor gives: everything of a notice that he may change while it runs."""

    kind: str
    areas: tuple[str, ...]  # none: everybody
    text: Mapping[str, str]
    starts_ms: int
    ends_ms: int | None  # none: until it is cleared
    ticket_no: str = ""  # callers may be attached to it


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedNotice(Wording):
    notice_id: str
    revision: int
    raised_ms: int
    raised_by: str  # an account
    cleared_ms: int | None = None
    cleared_by: str = ""

    def phase(self, now_ms: int) -> Phase:
        if self.cleared_ms is not None or (self.ends_ms is not None and self.ends_ms <= now_ms):
            return Phase.PAST
        return Phase.COMING if self.starts_ms > now_ms else Phase.RUNNING

    @property
    def over_ms(self) -> int | None:
        """When it was over: cleared, or ended by itself."""
        ends = [instant for instant in (self.cleared_ms, self.ends_ms) if instant is not None]
        return min(ends, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFault:
    """What is wrong with one field; `key` names the sentence that says it."""

    field: str
    key: str
    values: Mapping[str, Any]


def faults_of(
    given: Wording, *, languages: Collection[str], areas: Collection[str], now_ms: int
) -> tuple[NoticeFault, ...]:
    """Every fault at once, in the order of the form."""
    found = [*_faults_of_place(given, areas)]
    for language in languages:
        found += _faults_of_text(language, given.text.get(language, ""))
    return (*found, *_faults_of_times(given, now_ms))


def _faults_of_place(given: Wording, areas: Collection[str]) -> list[NoticeFault]:
    found = []
    if given.kind not in tuple(NoticeKind):
        found.append(NoticeFault(field="kind", key="kind", values={}))
    if unknown := [area for area in given.areas if area not in areas]:
        found.append(NoticeFault(field="areas", key="area", values={"area": unknown[0]}))
    return found


def _faults_of_text(language: str, text: str) -> list[NoticeFault]:
    field = f"text_{language}"
    if not text.strip():
        return [NoticeFault(field=field, key="text_missing", values={"language": language})]
    if len(text) > TEXT_LENGTH_MAX:
        return [NoticeFault(field=field, key="text_long", values={"most": TEXT_LENGTH_MAX, "has": len(text)})]
    if re.search(r"[{}<>]", text) or not text.replace("\n", " ").isprintable():
        # A brace would be read as a place of the menu's own sentences.
        return [NoticeFault(field=field, key="text_signs", values={})]
    return []


def _faults_of_times(given: Wording, now_ms: int) -> list[NoticeFault]:
    if given.ends_ms is None:
        return []
    if given.ends_ms <= max(given.starts_ms, now_ms):
        key = "ends_before_start" if given.ends_ms <= given.starts_ms else "ends_past"
        return [NoticeFault(field="ends", key=key, values={})]
    if given.ends_ms - given.starts_ms > RUNS_FOR_MS_MAX:
        return [NoticeFault(field="ends", key="runs_long", values={"days": RUNS_FOR_MS_MAX // _DAY_MS})]
    return []


def live_form(notice: RaisedNotice, *, may_join: bool) -> dict[str, Any]:
    """What the live store holds of a notice: all that a call needs to hear it, and nothing of who raised it."""
    return {
        "id": notice.notice_id,
        "kind": notice.kind,
        "areas": list(notice.areas),
        "text": dict(notice.text),
        "starts_ms": notice.starts_ms,
        "ends_ms": notice.ends_ms,
        "ticket_no": notice.ticket_no if may_join else "",
    }


def wording_form(given: Wording) -> dict[str, Any]:
    """A wording as the audit log keeps it, before and after."""
    return {
        "kind": given.kind,
        "areas": list(given.areas),
        "text": dict(given.text),
        "starts_ms": given.starts_ms,
        "ends_ms": given.ends_ms,
        "ticket_no": given.ticket_no,
    }


def spoken_s(text: str) -> int:
    """About how long a synthetic voice needs for this, in seconds."""
    wide = len(_WIDE.findall(text))
    digits = sum(sign.isdecimal() for sign in text)
    letters = sum(sign.isalpha() for sign in text) - wide
    pauses = len(_PAUSES.findall(text))
    return math.ceil((wide + digits) / _SIGNS_A_S + letters / _LETTERS_A_S + pauses * _PAUSE_S)
