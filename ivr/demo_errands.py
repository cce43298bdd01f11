"""What callers of the demo press: read off the site's own menu, by walking it as a caller of each kind would.

The same pure steps that lead a real caller lead these; what the switchboard would say is made up. A way is the
keys, question by question ("" is silence), and what they lead to. Nothing here knows a menu: a hotline that was
written this afternoon has errands as well.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ivr.domain.flow import begin, door, step
from ivr.domain.heard import SILENCE, Heard
from ivr.domain.nodes import END_KEY, CollectNode, GatherNode, LocaleNode, Menu
from ivr.domain.steps import (
    Account,
    CallerFacts,
    CaseFacts,
    CaseState,
    Facts,
    Messaging,
    Needed,
    Queueing,
    Session,
    Step,
    Transferring,
    WhoCalls,
)
from ivr.domain.verbs import Gather
from ivr.standin import arrivals
from ivr.standin.scenario import Customer as Dialler
from queues.domain.calls import ACCESS_CODE, CASE_NO
from queues.domain.customers import Customer
from queues.domain.parts import language_of
from queues.domain.plan import Plan
from queues.domain.widening import callback_after_ms

QUESTIONS_MAX: Final = 6
LOGGED_TYPES: Final = ("TT", "PS", "NW", "NE")  # of the bank's log; its IN and PE want a person
PERSON: Final = "0"
A_CASE: Final = "000001"
PROGRESS, TRANSFER, ANYBODY = "progress", "transfer", "*"
STRANGERS_SHARE: Final = 0.2
SECOND_LINES_SHARE: Final = 0.15
SPOKEN_SHARE: Final = 0.15
WAYS_MAX: Final = 2  # to the same matter
TALK_MEAN_MS, PATIENCE_MEAN_MS = 100_000, 180_000
RUSH_MS, RUSH_TALK_MS = 30_000, (60_000, 110_000)
TAKES_CALLBACK_SHARE, MISSED_CALLBACK_SHARE = 0.7, 0.25
RARE: Final = 0.15  # a matter that comes up seldom, as against one that comes up every day


@dataclass(frozen=True, kw_only=True)
class Way:
    """Keys that lead somewhere, and how likely a caller takes them among all ways of his kind."""

    keys: tuple[str, ...]
    queue: str
    matter: str
    weight: float


@dataclass(frozen=True, kw_only=True)
class _Walker:
    """One caller under way: what he pressed, which questions he has answered."""

    at: Step
    caller: CallerFacts
    keys: tuple[str, ...] = ()
    spoken: tuple[str, ...] = ()
    asked: frozenset[str] = frozenset()
    has_changed_language: bool = False
    has_asked_case: bool = False


@dataclass(frozen=True, kw_only=True)
class Hotline:
    """A site at the hour at which its demo begins."""

    plan: Plan
    menu: Menu
    now_ms: int
    accounts: Mapping[str, Customer]

    @property
    def facts(self) -> Facts:
        calendars = frozenset(name for name in self.plan.calendars if self.plan.is_open(name, self.now_ms))
        queues = frozenset(name for name, queue in self.plan.queues.items() if queue.calendar in calendars)
        return Facts(queues, None, calendars)


def errands(
    hotline: Hotline, customers: Sequence[Customer], lines: Mapping[str, str]
) -> list[dict[str, Any]]:
    """A day's errands: for strangers and each tier, on each line, in the words of the stand-in's scenario."""
    kinds = {"": STRANGERS_SHARE}
    for customer in customers:
        kinds[customer.tier] = kinds.get(customer.tier, 0) + (1 - STRANGERS_SHARE) / len(customers)
    found = []
    for tier, share in kinds.items():
        for place, line in enumerate(lines):
            of_line = 1.0 if len(lines) == 1 else 1 - SECOND_LINES_SHARE
            if place:
                of_line = SECOND_LINES_SHARE / (len(lines) - 1)
            ways = ways_of(hotline, caller_of(hotline.plan, customers, tier, line))
            whole = sum(way.weight for way in ways) or 1
            found += [
                _errand(way, tier, lines[line], share * of_line * way.weight / whole * 1000) for way in ways
            ]
    return found


def rush(
    hotline: Hotline, diallers: Sequence[Dialler], lines: Mapping[str, str], count: int, rng: random.Random
) -> list[dict[str, Any]]:
    """More callers at once than there are agents, for a queue that offers to call back; none where no queue does.

    So whoever looks on for a few minutes sees the offer made, taken and kept.
    """
    plan, line = hotline.plan, next(iter(lines))
    ways = [
        way
        for way in ways_of(hotline, caller_of(plan, (), "", line))
        if _is_keyed(way) and way.queue and callback_after_ms(plan.queues[way.queue].overflow) is not None
    ]
    if not ways:
        return []
    numbers = [one.number for one in diallers if one.tier == plan.default_tier]
    return [
        {
            "at_ms": rng.randrange(RUSH_MS),
            "from": rng.choice(numbers) if numbers else arrivals.stranger(rng),
            "to": lines[line],
            "keys": list(min(ways, key=lambda way: len(way.keys)).keys),
            "talk_ms": rng.randrange(*RUSH_TALK_MS),
            "takes_callback": rng.random() < TAKES_CALLBACK_SHARE,
            "tier": plan.default_tier,
        }
        for _ in range(count)
    ]


def _errand(way: Way, tier: str, number: str, weight: float) -> dict[str, Any]:
    return {
        "weight": round(weight, 3),
        "tier": tier,
        "matter": way.matter,
        "to": number,
        "keys": list(way.keys),
        "talk_mean_ms": TALK_MEAN_MS,
        "patience_mean_ms": PATIENCE_MEAN_MS,
        "takes_callback_share": TAKES_CALLBACK_SHARE,
        "missed_callback_share": MISSED_CALLBACK_SHARE,
    }


def caller_of(plan: Plan, customers: Sequence[Customer], tier: str, line: str) -> CallerFacts:
    """A caller as most of his tier are; without a tier one whom nobody knows."""
    if not tier:
        return CallerFacts(plan.default_tier, is_known=False, line=line)
    alike = [customer for customer in customers if customer.tier == tier]
    return CallerFacts(
        tier,
        is_known=True,
        name=alike[0].name if alike else "",
        line=line,
        area=next(iter(plan.areas), ""),
        has_manager=any(customer.managers for customer in alike),
        is_care=sum(customer.is_care for customer in alike) * 2 > len(alike),
    )


def keys_to(ways: Sequence[Way]) -> dict[str, tuple[str, ...]]:
    """The shortest keys to each matter, and to each queue without crying danger.

    A log's own types stand for the choices of the menu in their order; what it has none for goes to a person.
    """
    keyed = sorted((way for way in ways if _is_keyed(way)), key=lambda way: (len(way.keys), way.keys))
    usual = [way for way in keyed if way.weight > RARE]
    found: dict[str, tuple[str, ...]] = {}
    for way in keyed:
        found.setdefault(way.matter, way.keys)
    for way in usual:
        found.setdefault(way.queue, way.keys)
    first_choices = {key: way.keys for way in reversed(usual) if (key := _first_choice(way))}
    choices = [first_choices[key] for key in sorted(first_choices)]
    found.update({kind: choices[place % len(choices)] for place, kind in enumerate(LOGGED_TYPES) if choices})
    found[ANYBODY] = next((way.keys for way in keyed if PERSON in way.keys or not any(way.keys)), ())
    return found


def _is_keyed(way: Way) -> bool:
    return all(set(key) <= set("0123456789*#") for key in way.keys)


def _first_choice(way: Way) -> str:
    return next((key for key in way.keys if key and key != PERSON), "")


@dataclass(frozen=True)
class ReplayTables:
    """How a log of another hotline is understood: its priorities as tiers, its types as choices of the menu."""

    tiers: Mapping[int, str]
    keys: Mapping[str, Mapping[str, tuple[str, ...]]]


def replay_tables(hotline: Hotline, customers: Sequence[Customer], line: str) -> ReplayTables:
    """Priority 0 is the default tier, 1 the next above it, 2 the highest but the rarest."""
    plan = hotline.plan
    above = [tier for tier in plan.tiers if tier != plan.default_tier] or [plan.default_tier]
    highest = above[1] if len(above) > 2 else above[0]
    tiers = {0: plan.default_tier, 1: above[-1], 2: highest}
    keys = {tier: keys_to(ways_of(hotline, caller_of(plan, customers, tier, line))) for tier in plan.tiers}
    return ReplayTables(tiers, {**keys, ANYBODY: keys[plan.default_tier]})


def ways_of(hotline: Hotline, caller: CallerFacts) -> list[Way]:
    """Every sensible way of this caller, a few to each matter; some of them said instead of keyed."""
    ends: dict[str, list[_Walker]] = {}
    for walker in _walk(hotline, caller):
        ends.setdefault(_name_of(walker), []).append(walker)
    ways: list[Way] = []
    for name, walkers in ends.items():
        chosen = sorted(walkers, key=lambda each: len(each.keys))[:WAYS_MAX]
        for walker in chosen:
            ways += _as_ways(hotline.plan, name, walker, 1 / len(chosen))
    return ways


def _name_of(walker: _Walker) -> str:
    """What the caller has come for; another language is a reason of its own."""
    queueing = _queueing(walker)
    name = queueing.matter if queueing else PROGRESS if walker.has_asked_case else TRANSFER
    return f"{name} {walker.at.session.locale}" if walker.has_changed_language else name


def _queueing(walker: _Walker) -> Queueing | None:
    side = walker.at.side
    return side if isinstance(side, Queueing) else side.queueing if isinstance(side, Messaging) else None


def _as_ways(plan: Plan, name: str, walker: _Walker, weight: float) -> Iterator[Way]:
    queueing, side = _queueing(walker), walker.at.side
    is_usual = queueing is not None and not plan.matters[queueing.matter].is_safety
    if not is_usual or (isinstance(side, Messaging) and side.is_anonymous):
        weight *= RARE
    if walker.has_changed_language:
        weight *= RARE / 2
    way = Way(
        keys=walker.keys, queue=queueing.queue if queueing else "", matter=name.split()[0], weight=weight
    )
    if walker.spoken == walker.keys:
        yield way
    else:
        yield replace(way, weight=weight * (1 - SPOKEN_SHARE))
        yield replace(way, keys=walker.spoken, weight=weight * SPOKEN_SHARE)


def _walk(hotline: Hotline, caller: CallerFacts) -> Iterator[_Walker]:
    """Every way to its end, each question once."""
    plan, menu = hotline.plan, hotline.menu
    first = door(menu, caller.line, replace(hotline.facts, caller=caller))
    session = Session(first, 0, plan.default_locale, menu.version, 0)
    at, caller = _take(hotline, caller, session, None)
    waiting = [_Walker(at=at, caller=caller)]
    while waiting:
        walker = waiting.pop()
        if walker.at.side is not None:
            if isinstance(walker.at.side, Queueing | Messaging | Transferring):
                yield walker
        elif walker.has_asked_case and not isinstance(menu.nodes[walker.at.session.node], CollectNode):
            yield walker  # told how his case stands he has what he wanted
        elif walker.at.session.node not in walker.asked and len(walker.keys) < QUESTIONS_MAX:
            waiting += _answered(hotline, walker)


def _answered(hotline: Hotline, walker: _Walker) -> Iterator[_Walker]:
    node = hotline.menu.nodes[walker.at.session.node]
    for key, word in _answers(hotline, walker):
        heard = Heard(key.removesuffix(END_KEY), has_ended=key.endswith(END_KEY)) if key else SILENCE
        option = node.option(key) if isinstance(node, GatherNode) else None
        onwards = hotline.menu.nodes[option.goto] if option else None
        changes = isinstance(onwards, LocaleNode)
        if isinstance(onwards, LocaleNode) and not _wants(walker, onwards.locale):
            continue
        at, caller = _take(hotline, walker.caller, walker.at.session, heard)
        yield replace(
            walker,
            at=at,
            caller=caller,
            keys=(*walker.keys, key),
            spoken=(*walker.spoken, word or key),
            asked=frozenset() if changes else walker.asked | {walker.at.session.node},
            has_changed_language=walker.has_changed_language or changes,
            has_asked_case=walker.has_asked_case or (isinstance(node, CollectNode) and node.into == CASE_NO),
        )


def _wants(walker: _Walker, locale: str) -> bool:
    """Another language is for strangers, and once: of whom we know we know his language."""
    is_new = locale != walker.at.session.locale
    return is_new and not walker.has_changed_language and not walker.caller.is_known


def _answers(hotline: Hotline, walker: _Walker) -> Iterator[tuple[str, str]]:
    """Keys at a question, each with a word that means the same or nothing."""
    menu, locale = hotline.menu, walker.at.session.locale
    match menu.nodes[walker.at.session.node]:
        case GatherNode() as node:
            for option in node.options:
                words = option.words.get(language_of(locale), ()) if locale in menu.hears else ()
                yield option.key, next(iter(words), "")
            if node.tries == 1 or node.exhausted not in (None, menu.exhausted):
                yield "", ""
        case CollectNode(into=into) as node:
            if node.is_account:
                yield from ((f"{number}{END_KEY}", "") for number in hotline.accounts)
                yield END_KEY, ""
            elif into == CASE_NO:
                yield f"{A_CASE}{END_KEY}", ""
            elif into == ACCESS_CODE:
                yield END_KEY, ""
        case _:
            yield "", ""


def _take(
    hotline: Hotline, caller: CallerFacts, session: Session, heard: Heard | None
) -> tuple[Step, CallerFacts]:
    """One answer, with what the switchboard would have done for it; to the next question or out of the menu."""
    menu, facts = hotline.menu, hotline.facts
    while True:
        try:
            at = begin(menu, session, facts) if heard is None else step(menu, session, heard, facts)
        except Needed as needed:
            facts, caller = _run_errand(hotline, needed, facts, caller)
            continue
        if at.side is None and not any(isinstance(verb, Gather) for verb in at.verbs):
            return _take(hotline, caller, replace(at.session, is_entering=True), SILENCE)
        return at, caller


def _run_errand(
    hotline: Hotline, needed: Needed, facts: Facts, caller: CallerFacts
) -> tuple[Facts, CallerFacts]:
    done = replace(facts, caller=caller, errands=facts.errands + 1)
    match needed.need:
        case WhoCalls():
            return done, caller
        case CaseState():
            return replace(facts, case=CaseFacts("ok", "open"), errands=facts.errands + 1), caller
        case Account(digits=digits):
            found = hotline.accounts[digits]
            caller = replace(caller, tier=found.tier, is_known=True, name=found.name, area=found.area)
        case _:
            pass
    return replace(done, caller=caller, answer="ok"), caller


def some_accounts(customers: Sequence[Customer], rng: random.Random) -> dict[str, Customer]:
    """A few account numbers that callers from unknown numbers will key in."""
    return {one.account_no: one for one in rng.sample(list(customers), min(2, len(customers)))}
