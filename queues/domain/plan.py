"""The plan of one site: areas, tiers, queues, matters, ticket types, calendars and the times of an offer.

Read once from the site's files and never changed; a call keeps the version it began with. What must hold:
every name that is used exists, every text is there in every language of the site, and no tier passes another
by its ceiling further than by its head start (else the printed bound would not be the true one).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from queues.domain import calendars, plan_checks
from queues.domain.abandoned import Abandoned
from queues.domain.affinity import Affinity
from queues.domain.alarms import Alarms
from queues.domain.announcing import Announce
from queues.domain.appointing import Appointing
from queues.domain.attributes import Attribute
from queues.domain.calendars import Calendar
from queues.domain.clocks import Span
from queues.domain.departments import Department
from queues.domain.faults import FaultBook, Model, SiteSource
from queues.domain.hours import Hours, resolve
from queues.domain.lanes import Lane
from queues.domain.parts import Duration, Part, ShortName, Words, check_short_name, in_locale, words_context
from queues.domain.ranking import Ranking
from queues.domain.reports import Reports
from queues.domain.rules import Care, Rule
from queues.domain.scores import Scores
from queues.domain.settling import Post, SettleRule
from queues.domain.skills import highest
from queues.domain.surges import Surge
from queues.domain.targets import Targets
from queues.domain.widening import CallbackTerms, Overflow

__all__ = ["Duration", "Part", "Plan", "Words", "in_locale", "load_plan"]

AREA_MARK: Final = "{area}"
ROTATION: Final = "rotation"
OTHER_AREA: Final = "other"  # the work list of callers whose area we do not know


def check_work_queue(text: str) -> str:
    """A short name, with `{area}` in it where each area has a work list of its own."""
    check_short_name(text.replace(AREA_MARK, "area"))
    return text


class Area(Part):
    """A part of the country that has its own crews, its own notices and perhaps its own due times."""

    id: ShortName
    name: Words
    area_class: str = Field(default="", alias="class")


class Tier(Part):
    id: str
    name: Words
    code: str = ""
    head_start_ms: Duration = Field(default=0, alias="head_start")
    ceiling_ms: Duration = Field(alias="ceiling")
    rule: Rule | None = None  # the first tier whose rule holds is the customer's
    rank: int = 0  # 0 is the first tier of the file


class Reserve(Part):
    """So many idle seats of a queue are kept for these tiers, until somebody else has waited too long.

    With `per: 10` so many of every ten agents signed in, and none of fewer than ten.
    """

    tiers: tuple[str, ...] = Field(min_length=1)
    seats: int = Field(default=1, ge=1, le=32)
    per: int | None = Field(default=None, ge=2)
    release_after_ms: Duration = Field(default=120_000, alias="release_after")
    rearm_below_ms: Duration = Field(default=60_000, alias="rearm_below")

    def kept(self, signed_in: int) -> int:
        """How many idle seats are kept in a house of so many agents."""
        return self.seats if self.per is None else self.seats * (signed_in // self.per)

    @model_validator(mode="after")
    def _has_a_gap(self) -> Reserve:
        if not 0 < self.rearm_below_ms < self.release_after_ms:
            raise ValueError("'rearm_below' must be below 'release_after', else it would go to and fro")
        return self


class Queue(Part):
    id: str
    name: Words
    needs: tuple[str, ...]
    calendar: str
    order: Literal["longest_idle", "rotation"] = "longest_idle"
    reserve: Reserve | None = None
    overflow: tuple[Overflow, ...] = ()
    closed: str | None = None  # the menu node for callers outside the calendar
    wait_prompt: Words = Field(alias="wait")
    max_waiting: int | None = Field(default=None, ge=1, le=5000)
    full: str | None = None  # the menu node for callers who find so many waiting
    answer_within_ms: Duration = Field(default=20_000, alias="answer_within")

    @model_validator(mode="after")
    def _is_full_somewhere(self) -> Queue:
        if (self.max_waiting is None) != (self.full is None):
            raise ValueError(
                "'max_waiting' and 'full' go together: how many may wait, and where the next one is led"
            )
        return self


class Matter(Part):
    id: str
    name: Words
    head_start_ms: Duration = Field(default=0, alias="head_start")
    is_safety: bool = Field(default=False, alias="safety")
    ticket_type: str | None = Field(default=None, alias="ticket")
    ticket_on: Literal["entry", "answer", "end"] = "answer"


class Due(Part):
    """By when a ticket is to be done: a span inside a calendar, shorter or longer in some areas."""

    within: Span
    calendar: str | None = None  # none: hours run round the clock
    areas: dict[str, Span] = Field(default_factory=dict)

    def span(self, area: Area | None) -> Span:
        """The area's own span, else that of its class, else everybody's."""
        own = (self.areas.get(area.id) or self.areas.get(area.area_class)) if area else None
        return own or self.within


class TicketType(Part):
    id: str
    name: Words
    work_queue: Annotated[str, AfterValidator(check_work_queue)]
    priority: int = Field(ge=1, le=9)
    access_code: bool = False  # whoever asks for its state by phone needs the code that came with it
    own: bool = False  # opened also by a caller who was added to another ticket
    settled_by: tuple[SettleRule, ...] = ()  # by which post, for what an agent enters on it
    due: Due | None = None

    def work_queue_in(self, area: str) -> str:
        return self.work_queue.replace(AREA_MARK, area)


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
    """A number that can be dialled, and the menu node where its callers begin.

    `internal` is the first node of callers from an extension, `closed` that of callers outside `calendar`.
    """

    id: str
    name: Words
    entry: str
    internal: str | None = None
    calendar: str | None = None
    closed: str | None = None


class Voice(Part):
    """How the provider names one of our languages when it speaks and when it listens.

    Without `hears` callers in this language have the keys only. `text` is the language whose texts are read where
    this one has none of its own.
    """

    language: str
    voice: str
    hears: str | None = None
    text: str | None = None


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
    customer_ring_ms: Duration = Field(default=25_000, alias="customer_ring")
    place_kept_ms: Duration = Field(
        default=300_000, alias="place_kept"
    )  # of who loses his line while he waits
    busy_skip_ms: Duration = Field(default=60_000, alias="skip_after_busy")


class Identity(Part):
    """The head of site.yaml."""

    name: Words
    short_name: Words
    timezone: str
    languages: tuple[str, ...] = Field(min_length=1)
    voices: dict[str, Voice]
    timing: Timing = Timing()
    callback: CallbackTerms = CallbackTerms()
    lines: dict[str, Any]


def reads_of(voices: Mapping[str, Voice]) -> dict[str, str]:
    """Whose texts a language reads, for those that have none of their own."""
    return {language: voice.text for language, voice in voices.items() if voice.text}


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
    areas: dict[str, Area] = Field(default_factory=dict)
    departments: dict[str, Department] = Field(default_factory=dict)
    attributes: dict[str, Attribute] = Field(default_factory=dict)
    surge: Surge | None = None
    targets: Targets = Targets()
    reports: Reports = Reports()
    scores: Scores | None = None  # none: agents have figures and no points
    alarms: Alarms = Alarms()
    abandoned: Abandoned | None = None  # none: nobody who gave up is called back
    announce: Announce | None = None  # none: who waits is told his place once, if at all
    ranking: Ranking | None = None
    care: Care | None = None
    callback: CallbackTerms = CallbackTerms()
    class_code: str = ""  # how a customer's class is written, such as {market_type}{store_format}{band}
    managed: tuple[str, ...] = ()  # tiers whose customers have account managers
    affinity: Affinity = Affinity()  # who is asked first
    appointing: Appointing | None = None  # how a customer gets to know his manager
    ticket_states: dict[str, Words] = Field(default_factory=dict)  # what a caller hears of his case
    posts: dict[str, Post] = Field(default_factory=dict)  # who settles tickets, the lowest first
    gravities: dict[str, Named] = Field(default_factory=dict)  # how grave a complaint can be

    @property
    def provider_queue(self) -> str:
        return self.site

    @property
    def default_locale(self) -> str:
        return self.languages[0]

    @property
    def words_context(self) -> dict[str, Any]:
        """What the texts of the other files are read with."""
        return words_context(self.languages, reads_of(self.voices))

    @cached_property
    def hours(self) -> Mapping[str, Hours]:
        """What each calendar comes to."""
        return resolve(self.calendars, self.timezone)

    def calls_back(self, now_ms: int) -> tuple[int, int]:
        """The instant from which we call back, now or later, and the one until which we do; 0 = for ever."""
        window = self.callback.window
        if window is None:
            return now_ms, 0
        for opens_ms, closes_ms in self.hours[window].spells(now_ms):
            if closes_ms > now_ms:
                return max(opens_ms, now_ms), closes_ms
        return now_ms + self.callback.expires_ms, 0

    def is_open(self, calendar: str, now_ms: int) -> bool:
        return calendars.is_open(self, calendar, now_ms)

    def work_queue_of(self, ticket_type: str, area: str) -> str:
        """The work list of this kind of ticket for a caller of this area."""
        return self.ticket_types[ticket_type].work_queue_in(area if area in self.areas else OTHER_AREA)

    def work_queues(self) -> tuple[str, ...]:
        """Every work list that a ticket can land on, the most urgent first."""
        by_urgency = sorted(self.ticket_types.values(), key=lambda kind: kind.priority)
        areas = (*self.areas, OTHER_AREA)
        return tuple(dict.fromkeys(kind.work_queue_in(area) for kind in by_urgency for area in areas))

    def head_start_ms(self, tier: str, matter: str) -> int:
        """Tier and matter together, never more than the cap; one that is not in the plan any more has none."""
        known = (self.tiers.get(tier), self.matters.get(matter))
        return min(sum(each.head_start_ms for each in known if each), self.head_start_cap_ms)

    def lane(self, queue: str, tier: str, matter: str, locale: str) -> Lane:
        """Where a call waits that comes to this queue."""
        about = self.matters.get(matter)
        return Lane(
            queue=queue,
            tier=tier,
            needs=self.needs(queue, locale),
            head_start_ms=self.head_start_ms(tier, matter),
            is_safety=about is not None and about.is_safety,
        )

    @cached_property
    def every_skill(self) -> tuple[str, ...]:
        """Each skill at the highest level that a queue or a language asks for."""
        asked = [need for queue in self.queues.values() for need in queue.needs]
        return highest(self.skills, [*asked, *self.locale_needs.values()])

    @cached_property
    def has_rotation(self) -> bool:
        return any(queue.order == ROTATION for queue in self.queues.values())

    def lane_in(self, queue: str, lane: Lane, locale: str) -> Lane:
        """The lane in another queue of a call that stands in this one: tier, head start and safety stay."""
        return replace(lane, queue=queue, needs=self.needs(queue, locale))

    def lane_after(self, was: Lane, lane: Lane, matter: str) -> Lane:
        """The lane of a call that comes to a queue again. If it was raised by hand it stays so: in the tier that it
        was raised to, unless its own has by now a higher rank."""
        if not was.is_raised:
            return lane
        known = (self.tiers.get(was.tier), self.tiers.get(lane.tier))
        is_higher = known[0] is not None and (known[1] is None or known[0].rank < known[1].rank)
        tier = was.tier if is_higher else lane.tier
        return replace(lane, tier=tier, head_start_ms=self.head_start_ms(tier, matter), is_raised=True)

    def needs(self, queue: str, locale: str) -> tuple[str, ...]:
        """The skills a call in this queue and language asks for."""
        spoken = self.locale_needs.get(locale)
        return self.queues[queue].needs + ((spoken,) if spoken else ())


def load_plan(site_files: SiteSource) -> Plan:
    """The plan in these files, or `SiteFaults` with everything that is wrong with it."""
    book = FaultBook(site_files)
    shared = read_words_context(book)
    identity = book.read(Identity, ("site",), book.document("site"), shared)
    parts = _read_parts(book, shared)
    plan_checks.check(book, parts, identity)
    book.raise_if_any()
    assert identity is not None  # noqa: S101  its absence was a fault
    head = {name: value for name, value in identity if name not in {"timing", "lines"}}
    times = dict(identity.timing)
    return Plan(site=site_files.name, version=site_files.version, **head, **times, **parts)


def _read_parts(book: FaultBook, shared: Mapping[str, Any]) -> dict[str, Any]:
    customers = book.document("customers")
    return {
        "lines": _read_all(book, Line, ("site", "lines"), shared),
        "areas": _read_some(book, Area, ("customers", "areas"), shared),
        "attributes": _read_some(book, Attribute, ("customers", "attributes"), shared),
        "ranking": _read_one(book, Ranking, ("customers", "ranking"), shared),
        "care": _read_one(book, Care, ("customers", "care"), shared),
        "tiers": _ranked(_read_all(book, Tier, ("customers", "tiers"), shared)),
        "queues": _read_all(book, Queue, ("queues", "queues"), shared),
        "departments": _read_some(book, Department, ("queues", "departments"), shared),
        "skills": _read_all(book, Named, ("queues", "skills"), shared),
        "matters": _read_all(book, Matter, ("queues", "matters"), shared),
        "surge": _read_one(book, Surge, ("queues", "surge"), shared),
        "targets": _read_one(book, Targets, ("queues", "targets"), shared) or Targets(),
        "scores": _read_one(book, Scores, ("queues", "scores"), shared),
        "alarms": _read_one(book, Alarms, ("queues", "alarms"), shared) or Alarms(),
        "abandoned": _read_one(book, Abandoned, ("queues", "abandoned"), shared),
        "announce": _read_one(book, Announce, ("queues", "announce"), shared),
        "ticket_types": _read_all(book, TicketType, ("tickets", "types"), shared),
        "ticket_states": _read_states(book, shared),
        "posts": _ranked(_read_some(book, Post, ("tickets", "posts"), shared)),
        "gravities": _read_some(book, Named, ("tickets", "gravity"), shared),
        "calendars": _read_all(book, Calendar, ("calendars", "calendars"), shared),
        "dispositions": _read_all(book, Named, ("quality", "dispositions"), shared),
        "reports": _read_one(book, Reports, ("quality", "reports"), shared) or Reports(),
        "locale_needs": _locale_needs(book),
        "default_tier": str(customers.get("default", "")),
        "class_code": str(customers.get("class_code") or ""),
        "managed": _names(book, ("customers", "managed")),
        "appointing": _read_one(book, Appointing, ("customers", "appointment"), shared),
        "affinity": _read_one(book, Affinity, ("customers", "affinity"), shared) or Affinity(),
    }


def read_words_context(book: FaultBook) -> dict[str, Any]:
    """From the raw document: the texts are checked even where the head of site.yaml has faults of its own."""
    site = book.document("site")
    given, voices = site.get("languages"), site.get("voices")
    languages = tuple(str(each) for each in given) if isinstance(given, list) else ()
    reads = {
        str(locale): voice["text"]
        for locale, voice in (voices.items() if isinstance(voices, Mapping) else ())
        if isinstance(voice, Mapping) and isinstance(voice.get("text"), str)
    }
    return words_context(languages, reads)


def _read_some(
    book: FaultBook, model: type[Model], steps: tuple[str, str], shared: Mapping[str, Any]
) -> dict[str, Model]:
    """A section that may be absent."""
    return _read_all(book, model, steps, shared) if steps[1] in book.document(steps[0]) else {}


def _read_one(
    book: FaultBook, model: type[Model], steps: tuple[str, str], shared: Mapping[str, Any]
) -> Model | None:
    value = book.document(steps[0]).get(steps[1])
    return None if value is None else book.read(model, steps, value, shared)


def _read_states(book: FaultBook, shared: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    states = _read_some(book, Named, ("tickets", "states"), shared)
    return {name: state.name for name, state in states.items()}


def _names(book: FaultBook, steps: tuple[str, str]) -> tuple[str, ...]:
    """A list of names, which may be absent."""
    value = book.document(steps[0]).get(steps[1])
    if value is not None and not isinstance(value, list):
        book.add(steps, "expected a list of names such as [a, b]")
        return ()
    return tuple(str(each) for each in value or ())


def _read_all(
    book: FaultBook, model: type[Model], steps: tuple[str, str], shared: Mapping[str, Any]
) -> dict[str, Model]:
    found: dict[str, Model] = {}
    for name, value in book.section(*steps).items():
        entry = {"id": str(name), **value} if isinstance(value, Mapping) else value
        if part := book.read(model, (*steps, str(name)), entry, shared):
            found[str(name)] = part
    return found


def _ranked(parts: dict[str, Model]) -> dict[str, Model]:
    """Each with its place in the file."""
    return {name: part.model_copy(update={"rank": rank}) for rank, (name, part) in enumerate(parts.items())}


def _locale_needs(book: FaultBook) -> dict[str, str]:
    speaks = book.document("queues").get("speaks")
    if speaks is not None and not isinstance(speaks, Mapping):
        book.add(("queues", "speaks"), "expected a language and the skill of whoever speaks it")
        return {}
    return {str(locale): str(skill) for locale, skill in (speaks or {}).items()}
