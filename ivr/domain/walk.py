"""A caller's way from node to node, until he is asked something or leaves the menu.

A walk collects what is said on the way. What it must know or have done first it asks for by raising `Needed`;
whoever runs it does that and walks again with the facts it brought. A webhook has two such errands at most:
a node whose errand would be one too many is entered at the next webhook, to which the caller is sent at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ivr.domain.heard import Heard
from ivr.domain.nodes import (
    END_KEY,
    BranchNode,
    CaseNode,
    CollectNode,
    Condition,
    GatherNode,
    HangupNode,
    LocaleNode,
    Menu,
    Node,
    NoticesNode,
    Option,
    RouteNode,
    SayNode,
    TransferNode,
    VoicemailNode,
)
from ivr.domain.steps import (
    ERRANDS_MAX,
    CallerFacts,
    CaseState,
    Facts,
    Leaving,
    Messaging,
    Needed,
    Queueing,
    RunningNotice,
    Session,
    Side,
    Step,
    Transferring,
    WhoCalls,
    session_address,
)
from ivr.domain.texts import PLACEHOLDER, spelled, spelled_in
from ivr.domain.verbs import Gather, Listening, Play, Prompt, Redirect, Say, address
from queues.domain.parts import Words, in_locale, language_of

HINTS_MAX = 500

Question = GatherNode | CollectNode | NoticesNode


class Walk:
    """From node to node until the caller is asked something or leaves the menu, collecting what is said."""

    def __init__(self, menu: Menu, session: Session, facts: Facts) -> None:
        self.menu = menu
        self.session = session
        self.facts = facts
        self.said: list[Prompt] = []
        self.closed: Queueing | None = None

    def say(
        self,
        words: Words,
        audio: Mapping[str, str] | None = None,
        values: Mapping[str, str] | None = None,
    ) -> None:
        """Speaks, or plays the file there is for this language when nothing has to be filled in."""
        locale, given = self.session.locale, values or {}
        wanted = set(PLACEHOLDER.findall(in_locale(words, locale)))
        spoken = speak(words, locale, {**given, **self._values(wanted - given.keys())})
        file = (audio or {}).get(language_of(locale), "")
        if wanted or file not in self.menu.sounds:
            self.said.append(spoken)
        else:
            name = f"{self.menu.sounds[file]}.{file.rpartition('.')[2].lower()}"
            self.said.append(Play(address("voice_audio", name=name), spoken))

    def _values(self, wanted: set[str]) -> dict[str, str]:
        """What the text asks for; the caller is looked up only where it names something of his."""
        if not wanted:
            return {}
        return {name: value() for name, value in self._fillers().items() if name in wanted}

    def _fillers(self) -> dict[str, Callable[[], str]]:
        locale, phrases = self.session.locale, self.menu.phrases
        return {
            "org": lambda: in_locale(self.menu.org, locale),
            "customer_name": lambda: self.caller.name or in_locale(phrases.customer, locale),
            "manager_name": lambda: self.caller.manager_name or in_locale(phrases.manager or {}, locale),
            "area": lambda: in_locale(self.menu.areas.get(self.caller.area, {}), locale),
            "ticket_no": lambda: spelled(self.caller.ticket_no),
            "access_code": lambda: spelled(self.caller.access_code),
        }

    def enter(self, name: str) -> Step:
        """To the node of this webhook's own address: what it needs done is done now."""
        return self._go(name, is_here=True)

    def to(self, name: str) -> Step:
        return self._go(name, is_here=False)

    def _go(self, name: str, *, is_here: bool) -> Step:
        for _ in range(len(self.menu.nodes) + 1):
            node = self.menu.nodes[name]
            self.session = replace(self.session, node=name, tries=0, unsure=0)
            if not is_here and self._must_hop(node):
                return self._hop()
            following = self._pass(node)
            if isinstance(following, Step):
                return following
            name, is_here = following, False
        raise AssertionError("a checked menu has no circle without a question")

    def _must_hop(self, node: Node) -> bool:
        """Nodes with errands of their own, and effects on the call after two errands, have their own webhook."""
        if isinstance(node, CaseNode | TransferNode) or (isinstance(node, VoicemailNode) and node.anonymous):
            return True
        has_effect = isinstance(node, RouteNode | VoicemailNode | HangupNode)
        done = self.facts.errands + (self.facts.errands > 0 and self.facts.caller is None)
        return has_effect and done >= ERRANDS_MAX

    def _hop(self) -> Step:
        there = session_address(replace(self.session, is_entering=True))
        return Step(self.session, (*self.said, Redirect(there)))

    def _pass(self, node: Node) -> str | Step:
        match node:
            case SayNode():
                self.say(node.prompt, node.audio)
                return node.goto
            case BranchNode():
                return next((case.goto for case in node.cases if self._holds(case)), node.otherwise)
            case LocaleNode():
                self.session = replace(self.session, locale=node.locale)
                return node.goto
            case GatherNode():
                return self.ask(node)
            case CollectNode():
                return node.goto if node.skip_known and self.caller.is_known else self.ask(node)
            case NoticesNode():
                return self._notices(node)
            case CaseNode():
                return self._case(node)
            case _:
                return self._depart(node)

    def _depart(self, node: Node) -> str | Step:
        """Out of the menu."""
        match node:
            case RouteNode():
                return self._route(node)
            case VoicemailNode():
                self.say(node.prompt, node.audio)
                about = self.closed
                if about is None and node.queue and node.matter:
                    about = Queueing(node.queue, node.matter, is_open=False)
                return self._leave(Messaging(about, node.longest_ms, node.anonymous))
            case TransferNode():
                self.say(node.prompt, node.audio)
                return self._leave(Transferring(node.to, node.ring_ms))
            case HangupNode():
                self.say(node.prompt, node.audio)
                return self._leave(Leaving(self.closed))
        raise AssertionError(f"a {node.type} leads on in the menu")

    def _route(self, node: RouteNode) -> str | Step:
        is_open = node.queue in self.facts.open_queues or node.queue not in self.menu.closed
        queueing = Queueing(node.queue, node.matter, is_open)
        if not is_open:
            self.closed = queueing
            return self.menu.closed[node.queue]
        if node.prompt:
            self.say(node.prompt, node.audio)
        return self._leave(queueing)

    def _leave(self, side: Side) -> Step:
        return Step(self.session, tuple(self.said), side)

    def _notices(self, node: NoticesNode) -> str | Step:
        notices = self.caller.notices
        for notice in notices:
            self.say(node.prompt, node.audio, {"notice": self._text_of(notice)})
        if not notices and node.none:
            self.say(node.none)
        return self.ask(node) if node.join and self.joinable() else node.goto

    def _text_of(self, notice: RunningNotice) -> str:
        locale = self.session.locale
        return spelled_in(self.menu.text_in(dict(notice.text), locale), locale)

    def joinable(self, *, is_asked: bool = False) -> RunningNotice | None:
        """The first running notice with a ticket; not again for whoever is attached to it already."""
        mine = "" if is_asked else self.caller.ticket_no
        return next((each for each in self.caller.notices if each.ticket_no and each.ticket_no != mine), None)

    def _case(self, node: CaseNode) -> str:
        case = self.facts.case
        if case is None:
            raise Needed(CaseState())
        if case.word != "ok":
            return node.exhausted if case.word == "locked" else node.wrong
        locale = self.session.locale
        told = {
            "case_status": in_locale(self.menu.case_states.get(case.state, {}), locale),
            "case_reply": spelled_in(case.reply, locale),
            "ticket_no": spelled(case.ticket_no),
        }
        self.say(node.prompt, node.audio, told)
        return node.goto

    def _holds(self, case: Condition) -> bool:
        """What the clock tells first; the caller is looked up only when that holds."""
        if case.open is not None and case.open not in self.facts.open_queues:
            return False
        if case.calendar is not None and case.calendar not in self.facts.open_calendars:
            return False
        asked = (
            (case.tier, lambda caller: caller.tier in (case.tier or ())),
            (case.line, lambda caller: caller.line in (case.line or ())),
            (case.area, lambda caller: caller.area in (case.area or ())),
            (case.known, lambda caller: caller.is_known == case.known),
            (case.care, lambda caller: caller.is_care == case.care),
            (case.manager, lambda caller: caller.has_manager == case.manager),
            (case.internal, lambda caller: caller.is_internal == case.internal),
            (case.notice, lambda caller: bool(caller.notices) == case.notice),
        )
        return all(holds(self.caller) for given, holds in asked if given is not None)

    @property
    def caller(self) -> CallerFacts:
        if self.facts.caller is None:
            raise Needed(WhoCalls())
        return self.facts.caller

    def missed(self, node: Question, heard: Heard, words: Words | None = None) -> Step:
        """Silence, or an answer that is none."""
        self.session = replace(self.session, tries=self.session.tries + 1)
        if self.session.tries >= (getattr(node, "tries", None) or self.menu.tries):
            return self.to(self.menu.exhausted_at(node))
        phrases = self.menu.phrases
        is_key = bool(heard.key) and not isinstance(node, CollectNode)
        if heard.key or heard.speech:
            self.say(
                words or (phrases.unknown_key if is_key else phrases.not_understood or phrases.unknown_key)
            )
        return self.ask_again(node)

    def ask_back(self, node: GatherNode, option: Option) -> Step:
        self.session = replace(self.session, unsure=node.options.index(option) + 1)
        return self.ask_again(node)

    def option_in_doubt(self, node: GatherNode) -> Option | None:
        """The one we asked back about."""
        return dict(enumerate(node.options, 1)).get(self.session.unsure)

    def ask_again(self, node: Node) -> Step:
        """The question at which the caller is, or what we asked back there."""
        if isinstance(node, GatherNode) and (option := self.option_in_doubt(node)):
            return self._ask_if_sure(node, option)
        match node:
            case NoticesNode() if not self.joinable(is_asked=True):
                # What he could join is over by now. He goes on at the next webhook: this one is written down,
                # with whatever he said on the way, wherever that may lead.
                self.session = replace(self.session, node=node.goto, tries=0, unsure=0)
                return self._hop()
            case GatherNode() | CollectNode() | NoticesNode():
                return self.ask(node)
        raise AssertionError("only a question is asked")

    def ask(self, node: Question) -> Step:
        match node:
            case GatherNode():
                self.say(node.prompt, node.audio)
                self._say_in_other_languages(node)
                words = [word for option in node.options for word in self._words(option.words)]
                return self._listen(node.listen_ms, words=words)
            case CollectNode():
                self.say(node.prompt, node.audio)
                return self._listen(node.listen_ms, end_key=END_KEY)
            case NoticesNode(join=join) if join:
                offered = self.joinable(is_asked=True)
                told = (
                    {"notice": self._text_of(offered), "ticket_no": spelled(offered.ticket_no)}
                    if offered
                    else {}
                )
                self.say(join.prompt, None, told)
                return self._listen(None)
        raise AssertionError("only a question is asked")

    def _ask_if_sure(self, node: GatherNode, option: Option) -> Step:
        phrases, locale = self.menu.phrases, self.session.locale
        self.say(phrases.sure_of or option.label, None, {"label": in_locale(option.label, locale)})
        return self._listen(node.listen_ms, words=[*self._words(phrases.yes), *self._words(phrases.no)])

    def _say_in_other_languages(self, node: GatherNode) -> None:
        for language, text in (node.in_other_languages or {}).items():
            locale = self.menu.locale_of(language)
            if locale != self.session.locale:
                self.said.append(Say(text, locale))

    def _words(self, words: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        return words.get(language_of(self.session.locale), ())

    def _listen(self, listen_ms: int | None, *, words: list[str] | None = None, end_key: str = "") -> Step:
        """The Redirect is for providers that fall through on silence."""
        action = session_address(self.session)
        language = self.menu.hears.get(self.session.locale)
        listening = Listening(language, tuple(words[:HINTS_MAX])) if language and words else None
        listen_s = max(1, (listen_ms or self.menu.listen_ms) // 1000)
        gather = Gather(tuple(self.said), action, listen_s, end_key, listening)
        return Step(self.session, (gather, Redirect(action)))


def speak(words: Words, locale: str, values: Mapping[str, str]) -> Say:
    """A text with its placeholders filled; a value that is missing is left out."""
    text = PLACEHOLDER.sub(lambda found: values.get(found[1], ""), in_locale(words, locale))
    return Say(text, locale)
