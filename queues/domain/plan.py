"""The routing plan of one site: tiers, queues, matters, ticket types, calendars and the times of an offer.

Read once from the site's files and never changed; a call keeps the version it began with. A duration is
written `2m`, `15s` or `1m30s` in the files and is a number of milliseconds here. What must hold: every name
that is used exists, every text is there in every language of the site, and no tier passes another by its
ceiling further than by its head start (else the printed bound would not be the true one).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from queues.domain.calendars import Calendar
from queues.domain.faults import FaultBook, Model, SiteSource, Steps
from queues.domain.parts import Duration, Part, ShortName, Words, in_locale

__all__ = ["Duration", "Part", "Plan", "Words", "in_locale", "load_plan"]

_SECTIONS = {
    "tier": ("customers", "tiers"),
    "queue": ("queues", "queues"),
    "skill": ("queues", "skills"),
    "ticket type": ("tickets", "types"),
    "calendar": ("calendars", "calendars"),
}


class Tier(Part):
    id: str
    name: Words
    head_start_ms: Duration = Field(default=0, alias="head_start")
    ceiling_ms: Duration = Field(alias="ceiling")
    rank: int = 0  # 0 is the first tier of the file


class Overflow(Part):
    after_ms: Duration = Field(alias="after")
    to_queue: str = Field(alias="to")
    front: bool = False


class Queue(Part):
    id: str
    name: Words
    needs: tuple[str, ...]
    calendar: str
    order: Literal["longest_idle"] = "longest_idle"
    overflow: tuple[Overflow, ...] = ()
    closed: str | None = None  # the menu node for callers outside the calendar
    wait_prompt: Words = Field(alias="wait")
    max_waiting: int = Field(default=1000, ge=1, le=5000)
    answer_within_ms: Duration = Field(default=20_000, alias="answer_within")


class Matter(Part):
    id: str
    name: Words
    head_start_ms: Duration = Field(default=0, alias="head_start")
    is_safety: bool = Field(default=False, alias="safety")
    ticket_type: str | None = Field(default=None, alias="ticket")
    ticket_on: Literal["entry", "answer", "end"] = "answer"


class TicketType(Part):
    id: str
    name: Words
    work_queue: ShortName
    priority: int = Field(ge=1, le=9)


class Named(Part):
    """A skill or a disposition, written `solved: {zh: 当场解决, en: Solved}`."""

    id: str
    name: Words

    @model_validator(mode="before")
    @classmethod
    def _from_words(cls, value: Any) -> Any:
        if not isinstance(value, Mapping) or "name" in value:
            return value
        return {"id": value["id"], "name": {key: text for key, text in value.items() if key != "id"}}


class Line(Part):
    """A number that can be dialled, and the menu node where its callers begin."""

    id: str
    name: Words
    entry: str


class Voice(Part):
    """How the provider's speech names one of our languages."""

    language: str
    voice: str


class Timing(Part):
    """How long each step of an offer may take, and whom it then passes over."""

    ring_ms: Duration = Field(default=15_000, alias="ring")
    whisper_ms: Duration = Field(default=10_000, alias="whisper")
    wrap_up_ms: Duration = Field(default=30_000, alias="wrap_up")
    wrap_up_extension_ms: Duration = Field(default=60_000, alias="wrap_up_extension")
    head_start_cap_ms: Duration = Field(default=600_000, alias="head_start_cap")
    rona_skip_ms: Duration = Field(default=60_000, alias="skip_after_missed")
    rona_in_a_row: int = Field(default=2, ge=1, alias="missed_in_a_row")
    decline_skip_ms: Duration = Field(default=10_000, alias="skip_after_declined")
    busy_skip_ms: Duration = Field(default=60_000, alias="skip_after_busy")


class Identity(Part):
    """The head of site.yaml."""

    name: Words
    short_name: Words
    timezone: str
    languages: tuple[str, ...] = Field(min_length=1)
    voices: dict[str, Voice]
    timing: Timing = Timing()
    lines: dict[str, Any]


class Plan(Timing):
    site: str
    version: str
    name: Words
    short_name: Words
    timezone: str
    languages: tuple[str, ...]  # the first is spoken to a caller of whom we know nothing
    voices: dict[str, Voice]
    lines: dict[str, Line]
    tiers: dict[str, Tier]
    default_tier: str
    queues: dict[str, Queue]
    skills: dict[str, Named]
    matters: dict[str, Matter]
    ticket_types: dict[str, TicketType]
    calendars: dict[str, Calendar]
    dispositions: dict[str, Named]
    locale_needs: dict[str, str]

    @property
    def provider_queue(self) -> str:
        return self.site

    @property
    def default_locale(self) -> str:
        return self.languages[0]

    def head_start_ms(self, tier: str, matter: str) -> int:
        """Tier and matter together, never more than the cap."""
        together = self.tiers[tier].head_start_ms + self.matters[matter].head_start_ms
        return min(together, self.head_start_cap_ms)

    def needs(self, queue: str, locale: str) -> tuple[str, ...]:
        """The skills a call in this queue and language asks for."""
        spoken = self.locale_needs.get(locale)
        return self.queues[queue].needs + ((spoken,) if spoken else ())


def load_plan(site_files: SiteSource) -> Plan:
    """The plan in these files, or `SiteFaults` with everything that is wrong with it."""
    book = FaultBook(site_files)
    languages = _languages(book)
    shared = {"languages": tuple(language.partition("-")[0] for language in languages)}
    identity = book.read(Identity, ("site",), book.document("site"), shared)
    parts: dict[str, Any] = {
        "lines": _read_all(book, Line, ("site", "lines"), shared),
        "tiers": _ranked(_read_all(book, Tier, ("customers", "tiers"), shared)),
        "queues": _read_all(book, Queue, ("queues", "queues"), shared),
        "skills": _read_all(book, Named, ("queues", "skills"), shared),
        "matters": _read_all(book, Matter, ("queues", "matters"), shared),
        "ticket_types": _read_all(book, TicketType, ("tickets", "types"), shared),
        "calendars": _read_all(book, Calendar, ("calendars", "calendars"), shared),
        "dispositions": _read_all(book, Named, ("quality", "dispositions"), shared),
        "locale_needs": _locale_needs(book),
        "default_tier": str(book.document("customers").get("default", "")),
    }
    _check_names(book, parts)
    _check_bounds(book, parts["tiers"])
    if identity:
        _check_identity(book, identity)
    book.raise_if_any()
    assert identity is not None  # noqa: S101  its absence was a fault
    head = {name: value for name, value in identity if name not in {"timing", "lines"}}
    times = dict(identity.timing)
    return Plan(site=site_files.name, version=site_files.version, **head, **times, **parts)


def _languages(book: FaultBook) -> tuple[str, ...]:
    given = book.document("site").get("languages")
    return tuple(str(each) for each in given) if isinstance(given, list) else ()


def _read_all(
    book: FaultBook, model: type[Model], steps: tuple[str, str], shared: Mapping[str, Any]
) -> dict[str, Model]:
    found: dict[str, Model] = {}
    for name, value in book.section(*steps).items():
        entry = {"id": str(name), **value} if isinstance(value, Mapping) else value
        if part := book.read(model, (*steps, str(name)), entry, shared):
            found[str(name)] = part
    return found


def _ranked(tiers: dict[str, Tier]) -> dict[str, Tier]:
    return {name: tier.model_copy(update={"rank": rank}) for rank, (name, tier) in enumerate(tiers.items())}


def _locale_needs(book: FaultBook) -> dict[str, str]:
    speaks = book.document("queues").get("speaks") or {}
    return {str(locale): str(skill) for locale, skill in speaks.items()}


def _check_names(book: FaultBook, parts: Mapping[str, Any]) -> None:
    """Every name that one entry uses of another."""

    def expect(steps: Steps, noun: str, word: str | None) -> None:
        known = book.names(*_SECTIONS[noun])
        if word is not None and word not in known:
            book.unknown(steps, noun, word, known)

    expect(("customers", "default"), "tier", parts["default_tier"])
    for name, queue in parts["queues"].items():
        place = ("queues", "queues", name)
        expect((*place, "calendar"), "calendar", queue.calendar)
        for index, skill in enumerate(queue.needs):
            expect((*place, "needs", index), "skill", skill)
        for index, overflow in enumerate(queue.overflow):
            expect((*place, "overflow", index, "to"), "queue", overflow.to_queue)
    for name, matter in parts["matters"].items():
        expect(("queues", "matters", name, "ticket"), "ticket type", matter.ticket_type)
    for locale, skill in parts["locale_needs"].items():
        expect(("queues", "speaks", locale), "skill", skill)


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
                    f"but its head start over it is only {by_head_start // 1000}s",
                )


def _check_identity(book: FaultBook, identity: Identity) -> None:
    try:
        ZoneInfo(identity.timezone)
    except (KeyError, OSError, ValueError):
        book.add(("site", "timezone"), f"'{identity.timezone}' is not a time zone such as Asia/Shanghai")
    for index, language in enumerate(identity.languages):
        if language not in identity.voices:
            book.add(("site", "languages", index), f"'{language}' has no entry under voices")
    for language in identity.voices:
        if language not in identity.languages:
            book.unknown(("site", "voices", language), "language", language, identity.languages)
