"""What the parts of a plan must be to each other; each fault is told with its place."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from queues.domain import (
    abandoned,
    affinity,
    alarms,
    appointing,
    calendars,
    departments,
    reports,
    rule_checks,
    scores,
    settling,
    skills,
    targets,
)
from queues.domain.faults import FaultBook, Steps
from queues.domain.parts import language_of
from queues.domain.tickets import TicketState

if TYPE_CHECKING:
    from queues.domain.plan import Area, Identity, Line, TicketType, Tier
    from queues.domain.widening import Overflow

_SECTIONS: Final = {
    "tier": ("customers", "tiers"),
    "queue": ("queues", "queues"),
    "skill": ("queues", "skills"),
    "ticket type": ("tickets", "types"),
    "calendar": ("calendars", "calendars"),
}


def check(book: FaultBook, parts: Mapping[str, Any], identity: Identity | None) -> None:
    names = Names(book)
    names.expect(("customers", "default"), "tier", parts["default_tier"])
    for index, tier in enumerate(parts["managed"]):
        names.expect(("customers", "managed", index), "tier", tier)
    affinity.check(names, parts)
    _check_queues(names, parts)
    _check_surge(names, parts)
    departments.check(names, parts)
    targets.check(names, parts)
    scores.check(names, parts["scores"])
    alarms.check(names, parts["alarms"])
    abandoned.check(names, parts["abandoned"])
    reports.check(names, parts)
    for name, line in parts["lines"].items():
        _check_line(names, name, line)
    for name, kind in parts["ticket_types"].items():
        _check_ticket_type(names, name, kind, parts["areas"])
    _check_states(book, parts["ticket_states"])
    settling.check(names, parts)
    appointing.check(names, parts)
    _check_bounds(book, parts["tiers"])
    rule_checks.check(book, parts)
    calendars.check(book, parts["calendars"], identity.timezone if identity else "")
    if "other" in parts["areas"]:
        book.add(("customers", "areas", "other"), "'other' stands for callers whose area is unknown")
    if identity:
        _check_identity(book, identity)
        names.expect(("site", "callback", "window"), "calendar", identity.callback.window)
        for locale in parts["locale_needs"]:
            names.among(("queues", "speaks", locale), "language", locale, identity.languages)


class Names:
    """Every name that one entry uses of another exists."""

    def __init__(self, book: FaultBook) -> None:
        self.book = book

    def expect(self, steps: Steps, noun: str, word: str | None) -> None:
        self.among(steps, noun, word, self.book.names(*_SECTIONS[noun]))

    def expect_skill(self, steps: Steps, skill: str) -> None:
        """With or without a level."""
        known = self.book.names(*_SECTIONS["skill"])
        if skills.name_of(skill) not in known:
            self.book.unknown(steps, "skill", skills.name_of(skill), known)
        elif fault := skills.fault_of(skill, known):
            self.book.add(steps, fault)

    def among(self, steps: Steps, noun: str, word: str | None, known: Collection[str]) -> None:
        if word is not None and word not in known:
            self.book.unknown(steps, noun, word, known)


def _check_queues(names: Names, parts: Mapping[str, Any]) -> None:
    for name, queue in parts["queues"].items():
        place = ("queues", "queues", name)
        names.expect((*place, "calendar"), "calendar", queue.calendar)
        for index, skill in enumerate(queue.needs):
            names.expect_skill((*place, "needs", index), skill)
        for index, tier in enumerate(queue.reserve.tiers if queue.reserve else ()):
            names.expect((*place, "reserve", "tiers", index), "tier", tier)
        for index, overflow in enumerate(queue.overflow):
            names.expect((*place, "overflow", index, "to"), "queue", overflow.to_queue)
            names.expect((*place, "overflow", index, "ring"), "skill", overflow.ring)
        _check_steps(names.book, (*place, "overflow"), queue.overflow)
    for name, matter in parts["matters"].items():
        names.expect(("queues", "matters", name, "ticket"), "ticket type", matter.ticket_type)
    for locale, skill in parts["locale_needs"].items():
        names.expect_skill(("queues", "speaks", locale), skill)


def _check_steps(book: FaultBook, place: Steps, steps: Sequence[Overflow]) -> None:
    """In the order of their instants, each thing once: a table that a person reads from the top."""
    seen: set[tuple[str | None, ...]] = set()
    for index, step in enumerate(steps):
        if index and step.after_ms < steps[index - 1].after_ms:
            book.add((*place, index, "after"), "this step comes before the one above it; put them in order")
        kind = (step.to_queue, step.offer, step.ring, "goto" if step.goto else None)
        if kind in seen:
            book.add((*place, index), "this step does the same as one above it; take it out")
        seen.add(kind)


def _check_surge(names: Names, parts: Mapping[str, Any]) -> None:
    surge, place = parts["surge"], ("queues", "surge")
    for name, queue in parts["queues"].items():
        for index, step in enumerate(queue.overflow):
            if step.surge and surge is None:
                where = ("queues", "queues", name, "overflow", index, "surge")
                names.book.add(where, "no surge ever begins: 'surge' is missing in queues.yaml")
    if surge is None:
        return
    for queue in surge.waiting:
        names.expect((*place, "waiting", queue), "queue", queue)
    if surge.area:
        matters = names.book.names("queues", "matters")
        for index, matter in enumerate(surge.area.matters):
            names.among((*place, "area", "matters", index), "matter", matter, matters)
        if not parts["areas"]:
            names.book.add((*place, "area"), "this hotline has no areas (customers.yaml)")
    if surge.alert:
        names.expect((*place, "alert", "skill"), "skill", surge.alert.skill)
        names.expect((*place, "alert", "calendar"), "calendar", surge.alert.calendar)


def _check_line(names: Names, name: str, line: Line) -> None:
    place = ("site", "lines", name)
    names.expect((*place, "calendar"), "calendar", line.calendar)
    if bool(line.calendar) != bool(line.closed):
        names.book.add(place, "a line with hours needs both 'calendar' and 'closed', the node outside them")


def _check_ticket_type(names: Names, name: str, kind: TicketType, areas: Mapping[str, Area]) -> None:
    if kind.due is None:
        return
    place = ("tickets", "types", name, "due")
    names.expect((*place, "calendar"), "calendar", kind.due.calendar)
    spans = (kind.due.within, *kind.due.areas.values())
    if kind.due.calendar is None and any(span.workdays for span in spans):
        names.book.add(place, "workdays need a 'calendar' that says which days are worked")
    known = {*areas, *(area.area_class for area in areas.values() if area.area_class)}
    for area in kind.due.areas:
        names.among((*place, "areas", area), "area or class of areas", area, known)


def _check_states(book: FaultBook, states: Mapping[str, Any]) -> None:
    known = [state.value for state in TicketState]
    for state in states:
        if state not in known:
            book.unknown(("tickets", "states", state), "state", state, known)
    if states and (missing := [state for state in known if state not in states]):
        book.add(("tickets", "states"), f"there are no words for {' and '.join(missing)}")


def _check_bounds(book: FaultBook, tiers: Mapping[str, Tier]) -> None:
    """A tier may pass another by its head start; a ceiling that lets it pass further makes that untrue."""
    for ahead in tiers.values():
        for behind in tiers.values():
            by_head_start = ahead.head_start_ms - behind.head_start_ms
            by_ceiling = behind.ceiling_ms - ahead.ceiling_ms
            if by_ceiling > max(by_head_start, 0):
                book.add(
                    ("customers", "tiers", ahead.id, "ceiling"),
                    f"lets '{ahead.id}' pass '{behind.id}' by {by_ceiling // 1000}s, "
                    f"but its head start over it is only {by_head_start // 1000}s; "
                    f"a ceiling of {(behind.ceiling_ms - max(by_head_start, 0)) // 1000}s is possible",
                )


def _check_identity(book: FaultBook, identity: Identity) -> None:
    calendars.check_zone(book, ("site", "timezone"), identity.timezone)
    for index, language in enumerate(identity.languages):
        if language not in identity.voices:
            book.add(("site", "languages", index), f"'{language}' has no entry under voices")
    own = {language_of(locale) for locale, voice in identity.voices.items() if not voice.text}
    for locale, voice in identity.voices.items():
        if locale not in identity.languages:
            book.unknown(("site", "voices", locale), "language", locale, identity.languages)
        if voice.text and voice.text not in own:
            book.unknown(("site", "voices", locale, "text"), "language with texts", voice.text, own)
