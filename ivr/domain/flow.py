"""Where a caller is in the menu, and what follows from what we heard: a pure step.

A `Session` is the caller's whole place and rides in the address of the next webhook; the same place and the
same key give the same document however often they come. Silence and wrong keys are limited and then lead on
to where the question says (a person, never a hang-up); so does a caller who presses keys without end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ivr.domain.menus import (
    BranchNode,
    Condition,
    GatherNode,
    HangupNode,
    LocaleNode,
    Menu,
    Node,
    RouteNode,
    SayNode,
    VoicemailNode,
)
from ivr.domain.verbs import Address, Gather, Prompt, Redirect, Say, Verb, address
from queues.domain.plan import Words, in_locale

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Session:
    node: str
    tries: int
    locale: str
    version: str
    step: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What a node may ask about. The caller's part is looked up, the queues' part follows from the clock."""

    open_queues: frozenset[str]
    caller: CallerFacts | None = None


@dataclass(frozen=True, slots=True)
class CallerFacts:
    tier: str
    is_known: bool
    name: str = ""


class CallerNeeded(LookupError):  # noqa: N818  a question to the switchboard, not a fault
    """A node asks who the caller is and the facts do not say."""


@dataclass(frozen=True, slots=True)
class Queueing:
    """The call goes to people; when their queue is closed, to what the menu says instead."""

    queue: str
    matter: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Messaging:
    """The caller is asked for a message; `queueing` tells what he wanted when its queue is closed."""

    queueing: Queueing | None
    longest_ms: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """The caller has been told goodbye."""

    queueing: Queueing | None


@dataclass(frozen=True, slots=True)
class Step:
    """What follows. `side` is None while the caller stays in the menu; `verbs` then end in a question."""

    session: Session
    verbs: tuple[Verb, ...]
    side: Queueing | Messaging | Leaving | None = None
    refuses_recording: bool = False


def begin(menu: Menu, session: Session, facts: Facts) -> Step:
    """The caller comes to the session's node: a line's entry, or the question at which he was."""
    return _Walk(menu, session, facts).to(session.node)


def step(menu: Menu, session: Session, heard: str, facts: Facts) -> Step:
    """One key, or "" for silence, at the session's question."""
    node = menu.nodes.get(session.node)
    moved = replace(session, step=session.step + 1)
    walk = _Walk(menu, moved, facts)
    if not isinstance(node, GatherNode):
        return walk.to(session.node if node else menu.exhausted)
    if moved.step > menu.steps:
        return walk.to(menu.exhausted_at(node))
    option = node.option(heard)
    if option:
        return walk.to(option.goto)
    if heard == menu.keys.repeat:
        return walk.ask_again(node)
    if heard == menu.keys.do_not_record:
        walk.say(menu.phrases.not_recorded)
        return replace(walk.ask_again(node), refuses_recording=True)
    if heard == menu.keys.back and node.back:
        return walk.to(node.back)
    return walk.missed(node, heard)


def speak(words: Words, locale: str, values: Mapping[str, str]) -> Say:
    """A text with its placeholders filled; a value that is missing is left out."""
    text = _PLACEHOLDER.sub(lambda found: values.get(found[1], ""), in_locale(words, locale))
    return Say(text, locale)


def spelled(ticket_no: str) -> str:
    """Digit by digit: without the spaces speech reads one large number."""
    return " ".join(ticket_no)


class _Walk:
    """From node to node until the caller is asked something or leaves the menu, collecting what is said."""

    def __init__(self, menu: Menu, session: Session, facts: Facts) -> None:
        self.menu = menu
        self.session = session
        self.facts = facts
        self.said: list[Prompt] = []
        self.closed: Queueing | None = None

    def say(self, words: Words) -> None:
        self.said.append(speak(words, self.session.locale, self._values(words)))

    def to(self, name: str) -> Step:
        for _ in range(len(self.menu.nodes) + 1):
            node = self.menu.nodes[name]
            self.session = replace(self.session, node=name, tries=0)
            following = self._pass(node)
            if isinstance(following, Step):
                return following
            name = following
        raise AssertionError("a checked menu has no circle without a question")

    def missed(self, node: GatherNode, heard: str) -> Step:
        """Silence or a wrong key."""
        self.session = replace(self.session, tries=self.session.tries + 1)
        if self.session.tries >= (node.tries or self.menu.tries):
            return self.to(self.menu.exhausted_at(node))
        if heard:
            self.say(self.menu.phrases.unknown_key)
        return self.ask_again(node)

    def ask_again(self, node: GatherNode) -> Step:
        """The question again. The Redirect is for providers that fall through on silence."""
        self.say(node.prompt)
        for language, text in (node.in_other_languages or {}).items():
            locale = self.menu.locale_of(language)
            if locale != self.session.locale:
                self.said.append(Say(text, locale))
        action = session_address(self.session)
        listen_s = max(1, (node.listen_ms or self.menu.listen_ms) // 1000)
        return Step(self.session, (Gather(tuple(self.said), action, listen_s), Redirect(action)))

    def _pass(self, node: Node) -> str | Step:
        match node:
            case SayNode():
                self.say(node.prompt)
                return node.goto
            case BranchNode():
                return next((case.goto for case in node.cases if self._holds(case)), node.otherwise)
            case LocaleNode():
                self.session = replace(self.session, locale=node.locale)
                return node.goto
            case GatherNode():
                return self.ask_again(node)
            case RouteNode():
                return self._route(node)
            case VoicemailNode():
                self.say(node.prompt)
                return self._leave(Messaging(self.closed, node.longest_ms))
            case HangupNode():
                self.say(node.prompt)
                return self._leave(Leaving(self.closed))
            case _:
                raise NotImplementedError(type(node).__name__)

    def _route(self, node: RouteNode) -> str | Step:
        is_open = node.queue in self.facts.open_queues or node.queue not in self.menu.closed
        queueing = Queueing(node.queue, node.matter, is_open)
        if not is_open:
            self.closed = queueing
            return self.menu.closed[node.queue]
        if node.prompt:
            self.say(node.prompt)
        return self._leave(queueing)

    def _leave(self, side: Queueing | Messaging | Leaving) -> Step:
        return Step(self.session, tuple(self.said), side)

    def _holds(self, case: Condition) -> bool:
        if case.open is not None and case.open not in self.facts.open_queues:
            return False
        if case.tier is not None and self._caller().tier not in case.tier:
            return False
        return case.known is None or self._caller().is_known == case.known

    def _caller(self) -> CallerFacts:
        if self.facts.caller is None:
            raise CallerNeeded
        return self.facts.caller

    def _values(self, words: Words) -> dict[str, str]:
        locale = self.session.locale
        values = {"org": in_locale(self.menu.org, locale)}
        if any("{customer_name}" in text for text in words.values()):
            values["customer_name"] = self._caller().name or in_locale(self.menu.phrases.customer, locale)
        return values


def session_address(session: Session) -> Address:
    """Where the next key of this caller is brought."""
    place: dict[str, str | int] = {
        "n": session.node,
        "t": session.tries,
        "l": session.locale,
        "v": session.version,
        "s": session.step,
    }
    return address("voice_menu", query=place)
