"""The voice menu of one site, as typed nodes, and everything that can be wrong with it.

What must hold, and is checked on loading: every node that is named exists and is reached; no caller goes
round in circles without pressing a key; silence leads to a person or a voicemail, never to a hang-up; from
every question there is a way to a person; nobody reaches a person without having heard the recording notice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from queues.domain.faults import FaultBook, SiteSource, Steps
from queues.domain.plan import Duration, Part, Plan, Words

_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_IN_NODES = frozenset({"org", "customer_name"})
_IN_WAIT_PROMPTS = frozenset({"org", "ticket_no", "position"})
_IN_WHISPER = frozenset({"tier", "matter", "waited_s"})

Known = Mapping[str, Any] | tuple[str, ...]


def _check_key(key: str) -> str:
    if len(key) != 1 or key not in "0123456789*#":
        raise ValueError(f"'{key}' is not a key of a telephone; write it as \"1\"")
    return key


Key = Annotated[str, AfterValidator(_check_key)]


class SayNode(Part):
    """Speaks and goes on. With `notice` it is where the caller learns that the call is recorded."""

    type: Literal["say"]
    prompt: Words
    goto: str
    notice: bool = False


class Option(Part):
    key: Key
    label: Words
    goto: str


class GatherNode(Part):
    """A question: one key chooses, silence and wrong keys lead to `exhausted` after some tries."""

    type: Literal["gather"]
    prompt: Words
    in_other_languages: Words | None = None
    options: tuple[Option, ...] = Field(min_length=1)
    back: str | None = None
    exhausted: str | None = None
    tries: int | None = Field(default=None, ge=1, le=9)
    listen_ms: Duration | None = Field(default=None, alias="listen")

    def option(self, key: str) -> Option | None:
        return next((option for option in self.options if option.key == key), None)


class Case(Part):
    """Holds when everything that it names holds."""

    tier: tuple[str, ...] | None = None
    known: bool | None = None
    open: str | None = None
    goto: str


class BranchNode(Part):
    type: Literal["branch"]
    cases: tuple[Case, ...] = Field(min_length=1)
    otherwise: str = Field(alias="else")


class RouteNode(Part):
    """Puts the call through to people."""

    type: Literal["route"]
    queue: str
    matter: str
    prompt: Words | None = None


class VoicemailNode(Part):
    type: Literal["voicemail"]
    prompt: Words
    longest_ms: Duration = Field(default=120_000, alias="longest")


class LocaleNode(Part):
    type: Literal["locale"]
    locale: str = Field(alias="set")
    goto: str


class HangupNode(Part):
    type: Literal["hangup"]
    prompt: Words


Node = SayNode | GatherNode | BranchNode | RouteNode | VoicemailNode | LocaleNode | HangupNode
_KINDS: dict[str, type[Node]] = {
    "say": SayNode,
    "gather": GatherNode,
    "branch": BranchNode,
    "route": RouteNode,
    "voicemail": VoicemailNode,
    "locale": LocaleNode,
    "hangup": HangupNode,
}


class Keys(Part):
    """Keys that work at every question."""

    repeat: Key = "*"
    back: Key = "#"
    do_not_record: Key = "8"


class Phrases(Part):
    """What is said between the nodes, to callers and to agents."""

    customer: Words
    unknown_key: Words
    not_recorded: Words
    still_waiting: Words
    connecting: Words
    place_kept: Words
    system_busy: Words
    call_later: Words
    message_taken: Words
    goodbye: Words
    whisper: Words
    accept: Words
    caller_left: Words


class _Head(Part):
    """The head of menu.yaml."""

    tries: int = Field(default=3, ge=1, le=9)
    steps: int = Field(default=40, ge=10, le=100)
    exhausted: str
    listen_ms: Duration = Field(default=6_000, alias="listen")
    keys: Keys = Keys()
    phrases: Phrases
    nodes: dict[str, Any]


class Menu(Part):
    version: str
    org: Words
    languages: tuple[str, ...]
    tries: int
    steps: int  # after so many keys in the menu the caller is put through
    exhausted: str
    listen_ms: int
    keys: Keys
    phrases: Phrases
    nodes: dict[str, Node]
    entries: dict[str, str]  # line -> node
    closed: dict[str, str]  # queue -> node for callers outside its hours

    def locale_of(self, language: str) -> str:
        """The locale of a text's language: `en` is `en-US`."""
        return next(
            (each for each in self.languages if each.partition("-")[0] == language), self.languages[0]
        )

    def exhausted_at(self, node: GatherNode) -> str:
        return node.exhausted or self.exhausted


def load_menu(site_files: SiteSource, plan: Plan) -> Menu:
    """The menu in these files, or `SiteFaults` with everything that is wrong with it."""
    book = FaultBook(site_files)
    shared = {"languages": tuple(language.partition("-")[0] for language in plan.languages)}
    head = book.read(_Head, ("menu",), book.document("menu"), shared)
    nodes = _read_nodes(book, shared)
    book.raise_if_any()
    assert head is not None  # noqa: S101  its absence was a fault
    menu = Menu(
        version=plan.version,
        org=plan.short_name,
        languages=plan.languages,
        nodes=nodes,
        entries={name: line.entry for name, line in plan.lines.items()},
        closed={name: queue.closed for name, queue in plan.queues.items() if queue.closed},
        **{name: value for name, value in head if name != "nodes"},
    )
    _check_names(book, menu, plan)
    _check_texts(book, menu, plan)
    _check_keys(book, menu)
    book.raise_if_any()
    _check_ways(book, menu, plan)
    book.raise_if_any()
    return menu


def _read_nodes(book: FaultBook, shared: Mapping[str, Any]) -> dict[str, Node]:
    nodes: dict[str, Node] = {}
    for name, value in book.section("menu", "nodes").items():
        steps: Steps = ("menu", "nodes", str(name))
        kind = value.get("type") if isinstance(value, Mapping) else None
        if kind not in _KINDS:
            book.unknown((*steps, "type"), "kind of node", str(kind), _KINDS)
        elif node := book.read(_KINDS[kind], steps, value, shared):
            nodes[str(name)] = node
    return nodes


def ways(node: Node) -> Iterator[tuple[Steps, str]]:
    """Every node that this one names, with the place where it does; the keys' own ways included."""
    if isinstance(node, GatherNode):
        for index, option in enumerate(node.options):
            yield ("options", index, "goto"), option.goto
        if node.back:
            yield ("back",), node.back
    yield from unasked_ways(node)


def unasked_ways(node: Node) -> Iterator[tuple[Steps, str]]:
    """The ways a caller goes who presses nothing, as far as the node itself names them."""
    if isinstance(node, SayNode | LocaleNode):
        yield ("goto",), node.goto
    elif isinstance(node, BranchNode):
        for index, case in enumerate(node.cases):
            yield ("cases", index, "goto"), case.goto
        yield ("else",), node.otherwise
    elif isinstance(node, GatherNode) and node.exhausted:
        yield ("exhausted",), node.exhausted


def _check_names(book: FaultBook, menu: Menu, plan: Plan) -> None:
    """Every node, queue, matter, tier, calendar and language that is named exists."""

    def expect(steps: Steps, noun: str, word: str, known: Known) -> None:
        if word not in known:
            book.unknown(steps, noun, word, tuple(known))

    expect(("menu", "exhausted"), "node", menu.exhausted, menu.nodes)
    for line, entry in menu.entries.items():
        expect(("site", "lines", line, "entry"), "node", entry, menu.nodes)
    for queue, node in menu.closed.items():
        expect(("queues", "queues", queue, "closed"), "node", node, menu.nodes)
    for name, each in menu.nodes.items():
        for steps, noun, word, known in _named(each, menu, plan):
            expect(("menu", "nodes", name, *steps), noun, word, known)


def _named(node: Node, menu: Menu, plan: Plan) -> Iterator[tuple[Steps, str, str, Known]]:
    """What a node names: where, what kind of thing, its name, and the names there are."""
    for steps, goto in ways(node):
        yield steps, "node", goto, menu.nodes
    match node:
        case RouteNode():
            yield ("queue",), "queue", node.queue, plan.queues
            yield ("matter",), "matter", node.matter, plan.matters
        case LocaleNode():
            yield ("set",), "language", node.locale, plan.languages
        case BranchNode():
            for index, case in enumerate(node.cases):
                for tier in case.tier or ():
                    yield ("cases", index, "tier"), "tier", tier, plan.tiers
                if case.open:
                    yield ("cases", index, "open"), "queue", case.open, plan.queues


def _check_texts(book: FaultBook, menu: Menu, plan: Plan) -> None:
    """No placeholder that nobody fills; no ticket number promised where none is made at entry."""

    def expect(steps: Steps, words: Words | None, known: frozenset[str]) -> None:
        for text in (words or {}).values():
            for word in _PLACEHOLDER.findall(text):
                if word not in known:
                    book.unknown(steps, "placeholder", word, known)

    for name, node in menu.nodes.items():
        expect(("menu", "nodes", name, "prompt"), getattr(node, "prompt", None), _IN_NODES)
    for name, queue in plan.queues.items():
        expect(("queues", "queues", name, "wait"), queue.wait_prompt, _IN_WAIT_PROMPTS)
    for phrase, words in menu.phrases:
        expect(("menu", "phrases", phrase), words, _IN_WHISPER if phrase == "whisper" else _IN_NODES)
    for name, node in menu.nodes.items():
        if isinstance(node, RouteNode) and _promises_ticket(plan, node):
            book.add(
                ("menu", "nodes", name, "matter"),
                f"the wait prompt of '{node.queue}' speaks the ticket number, "
                f"but '{node.matter}' does not open a ticket at entry",
            )


def _promises_ticket(plan: Plan, node: RouteNode) -> bool:
    matter = plan.matters.get(node.matter)
    prompts = plan.queues[node.queue].wait_prompt.values() if node.queue in plan.queues else ()
    logged = matter is not None and matter.ticket_type is not None and matter.ticket_on == "entry"
    return matter is not None and not logged and any("{ticket_no}" in text for text in prompts)


def _check_keys(book: FaultBook, menu: Menu) -> None:
    everywhere = {
        menu.keys.repeat: "repeat",
        menu.keys.back: "back",
        menu.keys.do_not_record: "do_not_record",
    }
    if len(everywhere) < 3:
        book.add(("menu", "keys"), "two of these keys are the same")
    for name, node in menu.nodes.items():
        if not isinstance(node, GatherNode):
            continue
        used: set[str] = set()
        for index, option in enumerate(node.options):
            place: Steps = ("menu", "nodes", name, "options", index, "key")
            if option.key in used:
                book.add(place, f"key {option.key} is used twice in this question")
            elif option.key in everywhere:
                book.add(place, f"key {option.key} means '{everywhere[option.key]}' at every question")
            used.add(option.key)


def _check_ways(book: FaultBook, menu: Menu, plan: Plan) -> None:
    """Where callers can and cannot get to."""
    starts = (*menu.entries.values(), menu.exhausted, *menu.closed.values())
    reached = _reached(menu, starts)
    people = _leading_to(menu, {name for name, node in menu.nodes.items() if isinstance(node, RouteNode)})
    unheard = _reached(menu, tuple(menu.entries.values()), past_notice=False)
    for name, node in menu.nodes.items():
        place: Steps = ("menu", "nodes", name)
        if name not in reached:
            book.add(place, "no caller ever gets to this node")
            continue
        _check_silence(book, menu, name)
        if isinstance(node, GatherNode) and name not in people:
            book.add(place, "from this question there is no way to a person")
        if isinstance(node, RouteNode) and name in unheard:
            book.add(place, "callers can get here without having heard a recording notice")
    for queue in menu.closed:
        if plan.calendars[plan.queues[queue].calendar].open:
            book.add(("queues", "queues", queue, "closed"), "this queue is never closed")


def _check_silence(book: FaultBook, menu: Menu, name: str) -> None:
    """Follow the caller who presses nothing: he must be put through, and must not go round in circles."""
    place: Steps = ("menu", "nodes", name)
    path: list[str] = [name]
    stack = [(name, iter(_silent_ways(menu, name)))]
    while stack:
        _, rest = stack[-1]
        following = next(rest, None)
        if following is None:
            stack.pop()
            path.pop()
        elif following == name:
            book.add(
                place, f"a caller who presses nothing goes round in circles: {' > '.join([*path, name])}"
            )
            return
        elif following not in path:
            path.append(following)
            stack.append((following, iter(_silent_ways(menu, following))))
            if isinstance(menu.nodes[name], GatherNode) and isinstance(menu.nodes[following], HangupNode):
                book.add(place, f"silence ends in a hang-up: {' > '.join(path)}; it must lead to a person")
                return


def _silent_ways(menu: Menu, name: str) -> tuple[str, ...]:
    node = menu.nodes[name]
    if isinstance(node, GatherNode):
        return (menu.exhausted_at(node),)
    return tuple(goto for _, goto in unasked_ways(node))


def _next_nodes(menu: Menu, name: str) -> set[str]:
    node = menu.nodes[name]
    following = {goto for _, goto in ways(node)}
    if isinstance(node, GatherNode):
        following.add(menu.exhausted_at(node))
    if isinstance(node, RouteNode) and node.queue in menu.closed:
        following.add(menu.closed[node.queue])
    return following


def _reached(menu: Menu, starts: tuple[str, ...], *, past_notice: bool = True) -> set[str]:
    """The nodes that can be reached from these; with `past_notice=False`, before any recording notice."""
    reached: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        node = menu.nodes[name]
        if name in reached or (not past_notice and isinstance(node, SayNode) and node.notice):
            continue
        reached.add(name)
        waiting.extend(_next_nodes(menu, name))
    return reached


def _leading_to(menu: Menu, goals: set[str]) -> set[str]:
    """The nodes from which one of the goals can be reached."""
    found = set(goals)
    while True:
        more = {name for name in menu.nodes if name not in found and _next_nodes(menu, name) & found}
        if not more:
            return found
        found |= more
