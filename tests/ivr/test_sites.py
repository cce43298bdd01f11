"""Every way through every hotline we ship: each question, each language, each kind of caller, each answer.

A caller is led as the webhooks lead him, only with the switchboard's part made up. The same place and the same
answer give the same document, so each place is visited once: that is every path of keys. Each ends with a person,
a message, a transfer that comes back, or a goodbye; silence and wrong keys end with a person or a message.
"""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import pytest

from config import site_files
from ivr.domain.flow import begin, door, step
from ivr.domain.heard import SILENCE, Heard
from ivr.domain.menus import load_menu
from ivr.domain.nodes import (
    CaseNode,
    CollectNode,
    GatherNode,
    Menu,
    NoticesNode,
    RouteNode,
    SayNode,
    VoicemailNode,
)
from ivr.domain.steps import (
    Account,
    CallerFacts,
    CaseFacts,
    CaseState,
    Facts,
    Given,
    Joining,
    Leaving,
    Messaging,
    Needed,
    Queueing,
    RunningNotice,
    Session,
    Step,
    Transferring,
    WhoCalls,
)
from ivr.domain.verbs import Gather, Prompt, Say
from queues.domain.parts import in_locale
from queues.domain.plan import Plan, load_plan

SITES = Path(__file__).parents[2] / "config" / "sites"
NAMES = ("gas", "heat", "power", "retail")
KEYS = "0123456789*#"
RIGHT_NUMBER = "000042"
NOTICE = RunningNotice((("zh", "城区因线路检修停供。"), ("en", "Supply is off in the city.")), "T000007")
CUSTOMER = "恒达化纤有限公司"
TOLD_TO_PRESS = re.compile(r"(?:按|\b[Pp]ress )([0-9])")


@cache
def hotline(name: str) -> tuple[Plan, Menu]:
    files = site_files.read(SITES / name)
    plan = load_plan(files)
    return plan, load_menu(files, plan)


@dataclass(frozen=True)
class World:
    """One kind of caller at one time of day, and what the switchboard will say to him."""

    name: str
    line: str
    caller: CallerFacts
    is_open: bool
    is_found: bool = True  # his account number and his case
    case_word: str = "ok"

    def facts(self) -> Facts:
        return hours(self.name, self.is_open)


@cache
def hours(name: str, is_open: bool) -> Facts:
    plan, _ = hotline(name)
    always = {each for each, calendar in plan.calendars.items() if calendar.open}
    calendars = frozenset(plan.calendars if is_open else always)
    queues = frozenset(each for each, queue in plan.queues.items() if queue.calendar in calendars)
    return Facts(queues, None, calendars)


def worlds(name: str) -> Iterator[World]:
    plan, menu = hotline(name)
    area = next(iter(plan.areas))
    unknown = CallerFacts(plan.default_tier, is_known=False)
    known = replace(unknown, is_known=True, name=CUSTOMER, area=area)
    callers = [
        unknown,
        replace(unknown, is_internal=True),
        *(replace(known, tier=tier, has_manager=True, manager_name="王静") for tier in plan.tiers),
        replace(known, is_care=True),
        replace(known, tier="unheard_of"),
    ]
    for line in menu.lines:
        for caller in callers:
            who = replace(caller, line=line)
            yield World(name, line, who, is_open=True)
            yield World(name, line, who, is_open=False)
            yield World(name, line, replace(who, notices=(NOTICE,)), is_open=True)
        for word in ("wrong", "unknown", "locked"):
            yield World(name, line, replace(unknown, line=line), is_open=True, is_found=False, case_word=word)


@dataclass
class Led:
    """Where a caller has come to; his own facts change as he is identified or joins a ticket."""

    at: Step
    world: World
    notice_heard: bool
    keyed: tuple[str, ...] = ()
    said: list[Prompt] = field(default_factory=list)

    @property
    def place(self) -> tuple[object, ...]:
        session = self.at.session
        return session.node, session.tries, session.locale, session.unsure, self.notice_heard, self.world


def take(world: World, session: Session, heard: Heard | None) -> tuple[Step, World]:
    """One step with its errands run, as `guide` runs them, and the redirects followed; None: the caller arrives."""
    _, menu = hotline(world.name)
    facts = world.facts()
    while True:
        try:
            at = begin(menu, session, facts) if heard is None else step(menu, session, heard, facts)
        except Needed as needed:
            assert facts.errands < 3, "a webhook has two errands, and one to look the caller up"
            facts, world = run_errand(world, needed, facts)
            continue
        if at.side is None and not isinstance(at.verbs[0], Gather) and not has_gather(at):
            following, world = take(world, replace(at.session, is_entering=True), SILENCE)
            return replace(following, verbs=(*at.verbs[:-1], *following.verbs)), world
        return at, world


def has_gather(at: Step) -> bool:
    return any(isinstance(verb, Gather) for verb in at.verbs)


def run_errand(world: World, needed: Needed, facts: Facts) -> tuple[Facts, World]:
    plan, _ = hotline(world.name)
    word = "ok"
    match needed.need:
        case WhoCalls():
            return replace(facts, caller=world.caller, errands=facts.errands + 1), world
        case CaseState():
            case = CaseFacts(world.case_word, "open", "已派员上门。", "T000042")
            return replace(facts, case=case, errands=facts.errands + 1), world
        case Account() if not world.is_found:
            word = "unknown"
        case Account():
            found = replace(
                world.caller, is_known=True, tier=next(iter(plan.tiers)), area=next(iter(plan.areas))
            )
            world = replace(world, caller=found)
        case Joining(ticket_no=ticket_no):
            world = replace(world, caller=replace(world.caller, ticket_no=ticket_no))
        case Given():
            pass
    return replace(facts, caller=world.caller, answer=word, errands=facts.errands + 1), world


def arrive(world: World) -> Led:
    plan, menu = hotline(world.name)
    first = door(menu, world.line, replace(world.facts(), caller=world.caller))
    at, moved = take(world, Session(first, 0, plan.default_locale, menu.version, 0), None)
    return led(at, moved, Led(at, world, notice_heard=False), "")


def led(at: Step, world: World, before: Led, answer: str) -> Led:
    said = prompts(at)
    notice = before.notice_heard or any(is_notice(world.name, prompt) for prompt in said)
    return Led(at, world, notice, (*before.keyed, answer), said)


def prompts(at: Step) -> list[Prompt]:
    return [prompt for verb in at.verbs for prompt in (verb.prompts if isinstance(verb, Gather) else (verb,))]  # type: ignore[misc]


@cache
def notices_of(name: str) -> frozenset[tuple[str, str]]:
    """The beginnings of every recording notice in each language, up to its first placeholder."""
    plan, menu = hotline(name)
    return frozenset(
        (locale, in_locale(node.prompt, locale).partition("{")[0])
        for node in noticed(menu)
        for locale in plan.languages
    )


def noticed(menu: Menu) -> list[SayNode | GatherNode]:
    return [node for node in menu.nodes.values() if isinstance(node, SayNode | GatherNode) and node.notice]


def is_notice(name: str, prompt: Prompt) -> bool:
    return isinstance(prompt, Say) and any(
        prompt.locale == locale and prompt.text.startswith(beginning)
        for locale, beginning in notices_of(name)
    )


def answers(world: World, session: Session) -> Iterator[tuple[str, Heard]]:
    """Everything a caller can do at this question."""
    _, menu = hotline(world.name)
    node = menu.nodes[session.node]
    yield "silence", SILENCE
    if session.tries:
        return  # what is new at the second try is only that there were fewer left
    if isinstance(node, CollectNode):
        yield "#", Heard(has_ended=True)
        for digits in ("0", "8", "*", "5", RIGHT_NUMBER, "9" * node.digits.max, "12*3"):
            yield f"{digits}#", Heard(digits, has_ended=True)
        return
    yield from ((key, Heard(key)) for key in KEYS)
    if world.caller.notices or not world.is_open:
        return  # what is understood depends on neither
    yield "nonsense", Heard(speech="今天天气真好 what a lovely day", confidence=0.9)
    for word in spoken(menu, node, session.locale):
        yield word, Heard(speech=word, confidence=0.9)
        yield f"{word}?", Heard(speech=word, confidence=0.2)


def spoken(menu: Menu, node: object, locale: str) -> Iterator[str]:
    language = locale.partition("-")[0]
    if isinstance(node, GatherNode):
        for option in node.options:
            yield from option.words.get(language, ())[:1]
    for phrase in (menu.phrases.yes, menu.phrases.no):
        yield from phrase.get(language, ())[:1]


@cache
def everywhere(name: str) -> tuple[Led, ...]:
    """Every place that any caller of any world can come to, each once."""
    found: list[Led] = []
    seen: set[tuple[object, ...]] = set()
    waiting = deque(arrive(world) for world in worlds(name))
    while waiting:
        here = waiting.popleft()
        if here.at.side is None:
            if here.place in seen:
                continue
            seen.add(here.place)
            for answer, heard in answers(here.world, here.at.session):
                session = replace(here.at.session, step=0)
                at, world = take(here.world, session, heard)
                waiting.append(led(at, world, here, answer))
        waiting.extend(out_of_a_queue(name, here))
        found.append(here)
    return tuple(found)


def out_of_a_queue(name: str, here: Led) -> Iterator[Led]:
    """Where whoever finds the queue full is led, and who has waited there too long."""
    menu = hotline(name)[1]
    if isinstance(here.at.side, Queueing) and here.at.side.is_open:
        for way in (menu.full, menu.led):
            if node := way.get(here.at.side.queue):
                at, world = take(here.world, replace(here.at.session, node=node, step=0), None)
                yield led(at, world, here, node)


def check_end(name: str, here: Led) -> None:
    plan, menu = hotline(name)
    path = (here.world, here.keyed)
    match here.at.side:
        case Queueing(queue=queue, matter=matter, is_open=True):
            assert queue in plan.queues, path
            assert matter in plan.matters, path
            assert here.notice_heard, path
        case Messaging() as message:
            node = menu.nodes[here.at.session.node]
            assert isinstance(node, VoicemailNode), path
            assert here.said, path
            assert message.longest_ms >= 60_000, path
            assert message.queueing is not None, f"nobody would hear this message: {path}"
            assert not message.queueing.is_open, path
        case Transferring():
            node = menu.nodes[here.at.session.node]
            unanswered = getattr(node, "unanswered")  # noqa: B009  only a transfer has it
            back, _ = take(here.world, replace(here.at.session, node=unanswered), None)
            assert has_gather(back) or back.side is not None, path
        case Leaving():
            assert here.said, path
        case side:
            raise AssertionError(f"{side} at {path}")


@pytest.mark.parametrize("name", NAMES)
def test_every_path_of_every_caller_ends_well(name: str) -> None:
    plan, menu = hotline(name)
    nodes: set[str] = set()
    locales: set[str] = set()
    for here in everywhere(name):
        nodes.add(here.at.session.node)
        locales.add(here.at.session.locale)
        for prompt in here.said:
            if isinstance(prompt, Say):
                assert prompt.text.strip(), (here.world, here.keyed)
                assert "{" not in prompt.text, (here.world, here.keyed, prompt)
        if here.at.side is None:
            assert has_gather(here.at), (here.world, here.keyed)
        else:
            check_end(name, here)
    stops = {
        each
        for each, node in menu.nodes.items()
        if node.type in {"gather", "collect", "route", "voicemail", "transfer"}
    }
    assert stops - only_by_hand(name) <= nodes, f"no caller of this test ever came to {stops - nodes}"
    assert locales == set(plan.languages)


def only_by_hand(name: str) -> set[str]:
    """Where the callers of queues go that no calendar closes, but a supervisor may."""
    plan, menu = hotline(name)
    return {node for queue, node in menu.closed.items() if plan.calendars[plan.queues[queue].calendar].open}


@pytest.mark.parametrize("name", NAMES)
def test_a_queue_closed_by_hand_leads_to_a_message(name: str) -> None:
    plan, menu = hotline(name)
    who = CallerFacts(plan.default_tier, is_known=False, line=next(iter(menu.lines)))
    closed = replace(hours(name, True), open_queues=frozenset(), caller=who)
    for each, node in menu.nodes.items():
        if isinstance(node, RouteNode) and node.queue in menu.closed:
            session = Session(each, 0, plan.default_locale, menu.version, 0)
            at = begin(menu, session, closed)
            assert at.session.node == menu.closed[node.queue]
            check_end(name, Led(at, World(name, who.line, who, is_open=True), True, said=list(at.verbs)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("answer", [SILENCE, Heard("7"), Heard(speech="嗯 hmm", confidence=0.9)])
def test_silence_and_wrong_answers_lead_to_a_person_or_a_message(name: str, answer: Heard) -> None:
    _, menu = hotline(name)
    for here in everywhere(name):
        node = menu.nodes[here.at.session.node]
        if here.at.side is not None or here.at.session.tries:
            continue
        if isinstance(node, GatherNode) and node.option(answer.digits):
            continue  # this key is a right one here
        at, world = here.at, here.world
        for _ in range(12):
            at, world = take(world, at.session, answer)
            if at.side is not None:
                break
            following = menu.nodes[at.session.node]
            if isinstance(following, GatherNode) and following.option(answer.digits):
                break  # and here as well: he has a way on
        else:
            raise AssertionError(f"never ends: {here.world} {here.keyed} {node}")
        assert at.side is None or isinstance(at.side, Queueing | Messaging), (here.world, here.keyed)


@pytest.mark.parametrize("name", NAMES)
def test_key_0_leads_to_a_person_or_out_of_hours_to_a_message(name: str) -> None:
    _, menu = hotline(name)
    for here in everywhere(name):
        if here.at.side is None and not here.at.session.tries:
            node = menu.nodes[here.at.session.node]
            at, _ = take(here.world, here.at.session, Heard("0", has_ended=isinstance(node, CollectNode)))
            if here.world.is_open:
                assert isinstance(at.side, Queueing), (here.world, here.keyed)
                continue
            assert isinstance(at.side, Queueing | Messaging) or has_gather(at), (here.world, here.keyed)
            assert at.side is not None or at.session.node != here.at.session.node, (here.world, here.keyed)


@pytest.mark.parametrize("name", NAMES)
def test_a_care_caller_reaches_a_person_with_one_touch(name: str) -> None:
    plan, menu = hotline(name)
    assert plan.care is not None
    caller = CallerFacts(plan.default_tier, is_known=True, name=CUSTOMER, is_care=True)
    led_to = set()
    for line in menu.lines:
        here = arrive(World(name, line, replace(caller, line=line), is_open=True))
        for _ in range(6):
            if here.at.side is not None or here.at.session.node == "care_menu":
                break
            # whatever is asked before (gas asks for emergencies first), one touch is enough
            is_number = isinstance(menu.nodes[here.at.session.node], CollectNode)
            at, _ = take(here.world, here.at.session, Heard("0", has_ended=is_number))
            assert isinstance(at.side, Queueing), (line, here.at.session.node)
            at, world = take(here.world, here.at.session, SILENCE)
            here = led(at, world, here, "")
        led_to.add(here.at.session.node)
        if here.at.session.node != "care_menu":
            # a line for complaints or for key customers puts whoever simply holds through
            assert isinstance(here.at.side, Queueing), (line, here.at.session.node)
            continue
        for heard in (Heard("0"), SILENCE, Heard("5")):
            at, _ = take(here.world, here.at.session, heard)
            assert isinstance(at.side, Queueing), (line, heard)
    assert "care_menu" in led_to


@pytest.mark.parametrize("name", NAMES)
def test_every_recording_notice_says_how_to_refuse(name: str) -> None:
    plan, menu = hotline(name)
    assert noticed(menu)
    for node in noticed(menu):
        for locale in plan.languages:
            assert menu.keys.do_not_record in in_locale(node.prompt, locale), node.prompt


@pytest.mark.parametrize("name", NAMES)
def test_every_key_that_is_spoken_works_and_every_key_that_works_is_spoken(name: str) -> None:
    plan, menu = hotline(name)
    assert (menu.keys.person, menu.keys.do_not_record) == ("0", "8")
    for node_name, node in menu.nodes.items():
        if not isinstance(node, GatherNode):
            continue
        others = " ".join((node.in_other_languages or {}).values())
        offered = {option.key for option in node.options}
        for locale in plan.languages:
            spoken = set(TOLD_TO_PRESS.findall(f"{in_locale(node.prompt, locale)} {others}"))
            # the keys of a person and of no recording work at every question
            assert spoken - {"0", "8"} == offered - {"0"}, (node_name, locale)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_asked_back_says_the_keys_of_yes_and_no(name: str) -> None:
    plan, menu = hotline(name)
    assert menu.phrases.sure_of
    for locale in plan.languages:
        said = in_locale(menu.phrases.sure_of, locale)
        assert menu.keys.yes in said, locale
        assert menu.keys.no in said, locale


@pytest.mark.parametrize("name", NAMES)
def test_main_menus_understand_speech_in_every_language(name: str) -> None:
    plan, menu = hotline(name)
    main = menu.nodes["main_menu"]
    assert isinstance(main, GatherNode)
    assert set(menu.hears) == set(plan.languages)
    assert all({"zh", "en"} <= option.words.keys() for option in main.options)


@pytest.mark.parametrize("name", NAMES)
def test_the_notices_are_heard_before_the_menu_and_again_on_their_key(name: str) -> None:
    _, menu = hotline(name)
    notices = {each for each, node in menu.nodes.items() if isinstance(node, NoticesNode)}
    assert notices >= {"news"}
    heard = {
        here.at.session.node
        for here in everywhere(name)
        for prompt in here.said
        if isinstance(prompt, Say) and "城区因线路检修停供" in prompt.text
    }
    assert "main_menu" in heard or "first_menu" in heard
    assert any(isinstance(node, CaseNode) for node in menu.nodes.values())
