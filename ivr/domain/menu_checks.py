"""Everything that can be wrong with a menu, told with the place where its writer can mend it.

First what stands at one place (names, texts, keys, sounds), then, when all names are known, where callers can
and cannot get to. Whoever writes a hotline is no programmer: each message says what a caller would suffer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ivr.domain.nodes import (
    JOIN_KEY,
    BranchNode,
    CaseNode,
    CollectNode,
    GatherNode,
    HangupNode,
    LocaleNode,
    Menu,
    Node,
    NoticesNode,
    RouteNode,
    SayNode,
    TransferNode,
    VoicemailNode,
    starts_of,
    texts_of,
)
from ivr.domain.texts import CHARACTERS_MAX, ENCODED_MAX, PLACEHOLDER, as_heard, fits
from ivr.domain.ways import (
    failing_ways,
    next_nodes,
    reached,
    silent_ways,
    unasked_ways,
    ways,
)
from queues.domain.calls import ACCESS_CODE, CASE_NO
from queues.domain.faults import FaultBook, Steps, suggestion
from queues.domain.plan import Plan

_EVERYWHERE = frozenset({"org", "customer_name", "manager_name", "area"})
_TICKET = frozenset({"ticket_no", "access_code"})
_IN_PHRASES = frozenset({"org", "customer_name"})
_OF_PHRASE = {"whisper": frozenset({"tier", "matter", "waited_s"}), "sure_of": frozenset({"org", "label"})}
_IN_WAIT_PROMPTS = frozenset({"org", "ticket_no", "access_code", "position", "ahead"})
_IN_ANNOUNCEMENTS = {
    "ahead": frozenset({"org", "ahead", "position"}),
    "next": frozenset({"org"}),
    "wait": frozenset({"org", "ahead", "position", "wait"}),
}

Known = Mapping[str, Any] | tuple[str, ...]


def check_menu(book: FaultBook, menu: Menu, plan: Plan) -> None:
    """Raises `SiteFaults` with everything that is wrong with this menu."""
    _check_names(book, menu, plan)
    _check_texts(book, menu, plan)
    _check_sounds(book, menu)
    _check_keys(book, menu)
    _check_words(book, menu)
    book.raise_if_any()
    _check_callbacks(book, menu, plan)
    _check_list(book, menu, plan)
    _check_ways(book, menu)
    _check_tickets(book, menu, plan)
    book.raise_if_any()


def _place(name: str, *steps: str | int) -> Steps:
    return ("menu", "nodes", name, *steps)


def _check_names(book: FaultBook, menu: Menu, plan: Plan) -> None:
    """Every node, queue, matter, tier, calendar, line, area and language that is named exists."""

    def expect(steps: Steps, noun: str, word: str, known: Known) -> None:
        if word not in known:
            book.unknown(steps, noun, word, tuple(known))

    expect(("menu", "exhausted"), "node", menu.exhausted, menu.nodes)
    for steps, name in starts_of(menu).items():
        expect(steps, "node", name, menu.nodes)
    for queue, node in menu.closed.items():
        expect(("queues", "queues", queue, "closed"), "node", node, menu.nodes)
    for queue, node in menu.full.items():
        expect(("queues", "queues", queue, "full"), "node", node, menu.nodes)
    for queue, node in menu.led.items():
        expect(_goto_place(plan, queue), "node", node, menu.nodes)
    for name, each in menu.nodes.items():
        for steps, noun, word, known in _named(each, menu, plan):
            expect(_place(name, *steps), noun, word, known)


def _goto_place(plan: Plan, queue: str) -> Steps:
    index = next(index for index, step in enumerate(plan.queues[queue].overflow) if step.goto)
    return ("queues", "queues", queue, "overflow", index, "goto")


def _named(node: Node, menu: Menu, plan: Plan) -> Iterator[tuple[Steps, str, str, Known]]:
    """What a node names: where, what kind of thing, its name, and the names there are."""
    for steps, goto in ways(node):
        yield steps, "node", goto, menu.nodes
    match node:
        case RouteNode() | VoicemailNode():
            if node.queue is not None:
                yield ("queue",), "queue", node.queue, plan.queues
            if node.matter is not None:
                yield ("matter",), "matter", node.matter, plan.matters
        case LocaleNode():
            yield ("set",), "language", node.locale, plan.languages
        case BranchNode():
            yield from _asked(node, plan)
        case _:
            return


def _asked(node: BranchNode, plan: Plan) -> Iterator[tuple[Steps, str, str, Known]]:
    for index, case in enumerate(node.cases):
        lists = (
            ("tier", case.tier, plan.tiers),
            ("line", case.line, plan.lines),
            ("area", case.area, plan.areas),
        )
        for noun, given, known in lists:
            for word in given or ():
                yield ("cases", index, noun), noun, word, known
        if case.open:
            yield ("cases", index, "open"), "queue", case.open, plan.queues
        if case.calendar:
            yield ("cases", index, "calendar"), "calendar", case.calendar, plan.calendars


def _check_texts(book: FaultBook, menu: Menu, plan: Plan) -> None:
    """No placeholder that nobody fills, and nothing longer than one Say."""
    for steps, words, known in _texts(menu, plan):
        for text in words.values():
            for word in PLACEHOLDER.findall(text):
                if word not in known:
                    book.unknown(steps, "placeholder", word, known)
            if not fits(text):
                book.add(
                    steps,
                    f"this text is too long to be spoken at once ({len(text)} characters; {CHARACTERS_MAX} are "
                    f"possible, or about {ENCODED_MAX // 9} Chinese ones); put a say node behind it",
                )


def _texts(menu: Menu, plan: Plan) -> Iterator[tuple[Steps, Mapping[str, str], frozenset[str]]]:
    """Every text that is spoken, with its place and the placeholders that somebody fills in it."""
    for name, node in menu.nodes.items():
        for field, words in texts_of(node).items():
            yield _place(name, *field.split(".")), words, _fillable(node, field)
        for index, option in enumerate(node.options if isinstance(node, GatherNode) else ()):
            yield _place(name, "options", index, "label"), option.label, frozenset()
    for name, queue in plan.queues.items():
        yield ("queues", "queues", name, "wait"), queue.wait_prompt, _IN_WAIT_PROMPTS
    yield from _announcements(plan)
    for phrase, words in menu.phrases:
        if words and phrase not in {"yes", "no"}:
            yield ("menu", "phrases", phrase), words, _OF_PHRASE.get(phrase, _IN_PHRASES)


def _announcements(plan: Plan) -> Iterator[tuple[Steps, Mapping[str, str], frozenset[str]]]:
    """What is told to callers who wait, and what is proposed in a surge."""
    if plan.surge and plan.surge.notice:
        yield ("queues", "surge", "notice"), plan.surge.notice, frozenset({"area"})
    if announce := plan.announce:
        texts = (("ahead", announce.ahead), ("next", announce.next_in_line), ("wait", announce.wait))
        for name, words in texts:
            if words:
                yield ("queues", "announce", name), words, _IN_ANNOUNCEMENTS[name]


def _fillable(node: Node, field: str) -> frozenset[str]:
    """The placeholders of a text that somebody fills."""
    match node, field:
        case NoticesNode(), "prompt":
            return _EVERYWHERE | {"notice"}
        case NoticesNode(), "join.prompt":
            return _EVERYWHERE | {"notice", "ticket_no"}
        case CaseNode(), _:
            return _EVERYWHERE | {"case_status", "case_reply", "ticket_no"}
        case (SayNode() | HangupNode(), _):
            return _EVERYWHERE | _TICKET
        case VoicemailNode(anonymous=True), _:
            # It is spoken once nothing tells any more who he is: whoever comes back to it must hear the same.
            return frozenset({"org"})
        case _:
            return _EVERYWHERE


def _check_sounds(book: FaultBook, menu: Menu) -> None:
    for name, node in menu.nodes.items():
        for language, file in getattr(node, "audio", {}).items():
            if file not in menu.sounds:
                near = suggestion(file, menu.sounds)
                book.add(_place(name, "audio", language), f"there is no file audio/{file} in this site{near}")


def _keys_everywhere(menu: Menu) -> dict[str, str]:
    keys = menu.keys
    return {keys.repeat: "repeat", keys.back: "back", keys.do_not_record: "do_not_record"}


def _check_keys(book: FaultBook, menu: Menu) -> None:
    everywhere = _keys_everywhere(menu)
    if len({*everywhere, menu.keys.person}) < 4:
        book.add(("menu", "keys"), "two of these keys are the same")
    _check_yes_and_no(book, menu, {*everywhere, menu.keys.person})
    for name, node in menu.nodes.items():
        if isinstance(node, NoticesNode) and node.join and JOIN_KEY in {*everywhere, menu.keys.person}:
            book.add(
                _place(name, "join"),
                f"joining is key {JOIN_KEY}, which the keys above use for something else",
            )
        if not isinstance(node, GatherNode):
            continue
        used: set[str] = set()
        for index, option in enumerate(node.options):
            place = _place(name, "options", index, "key")
            if option.key in used:
                book.add(place, f"key {option.key} is used twice in this question")
            elif option.key in everywhere:
                book.add(place, f"key {option.key} means '{everywhere[option.key]}' at every question")
            used.add(option.key)


def _check_yes_and_no(book: FaultBook, menu: Menu, everywhere: Collection[str]) -> None:
    """Where something is asked back, or the site names these keys itself."""
    keys = menu.keys
    gathers = (node for node in menu.nodes.values() if isinstance(node, GatherNode))
    is_asked_back = any(option.words for node in gathers for option in node.options)
    if not is_asked_back and not {"yes", "no"} & keys.model_fields_set:
        return
    if keys.yes == keys.no:
        book.add(("menu", "keys"), f"key {keys.yes} is both 'yes' and 'no'")
    for name, pressed in (("yes", keys.yes), ("no", keys.no)):
        if pressed in everywhere:
            book.add(
                ("menu", "keys"), f"key {pressed} is '{name}', and means something else at every question"
            )


def _check_words(book: FaultBook, menu: Menu) -> None:
    """A spoken word means one option only; what is asked back can be said."""
    with_words = [
        name
        for name, node in menu.nodes.items()
        if isinstance(node, GatherNode) and any(option.words for option in node.options)
    ]
    for name in with_words:
        node = menu.nodes[name]
        assert isinstance(node, GatherNode)  # noqa: S101  chosen so above
        _check_shared_words(book, name, node)
    missing = [phrase for phrase in ("sure_of", "yes", "no") if not getattr(menu.phrases, phrase)]
    if with_words and missing and menu.sure > 0:
        book.add(
            ("menu", "phrases"),
            f"'{missing[0]}' is missing: a word of '{with_words[0]}' that we are not sure of is asked back",
        )
    accounts = [
        name for name, node in menu.nodes.items() if isinstance(node, CollectNode) and node.is_account
    ]
    if accounts and not menu.phrases.not_found:
        book.add(
            ("menu", "phrases"), f"'not_found' is missing: it is said when '{accounts[0]}' finds no customer"
        )


def _check_shared_words(book: FaultBook, name: str, node: GatherNode) -> None:
    owner: dict[tuple[str, str], int] = {}
    for index, option in enumerate(node.options):
        for language, words in option.words.items():
            for word in words:
                first = owner.setdefault((language, as_heard(word)), index)
                if first != index:
                    book.add(
                        _place(name, "options", index, "words"),
                        f"'{word}' is also a word of key {node.options[first].key}: nobody can tell which is meant",
                    )


def _check_callbacks(book: FaultBook, menu: Menu, plan: Plan) -> None:
    """Where a queue offers to call back there are words for it."""
    said = ("offer", "promised", "greeting", "gone", "whisper")
    missing = [name for each in said if not getattr(menu.phrases, name := f"callback_{each}")]
    for queue in plan.queues.values():
        for index, step in enumerate(queue.overflow):
            if step.offer and missing:
                place = ("queues", "queues", queue.id, "overflow", index, "offer")
                book.add(place, f"menu.yaml has no words for it: {', '.join(missing)} under phrases")


def _check_list(book: FaultBook, menu: Menu, plan: Plan) -> None:
    """Whoever gave up is told who calls him and why."""
    if plan.abandoned is not None and menu.phrases.gave_up_greeting is None:
        fault = "menu.yaml has no words for who is called: gave_up_greeting under phrases"
        book.add(("queues", "abandoned"), fault)


def _all_starts(menu: Menu) -> tuple[str, ...]:
    """Where callers come from outside the menu: from a line, from silence, out of a queue."""
    from_queues = (*menu.closed.values(), *menu.full.values(), *menu.led.values())
    return (*starts_of(menu).values(), menu.exhausted, *from_queues)


def _check_ways(book: FaultBook, menu: Menu) -> None:
    starts = _all_starts(menu)
    everything = reached(menu, starts)
    for name in menu.nodes:
        if name not in everything:
            book.add(_place(name), "no caller ever gets to this node; lead there with a goto, or take it out")
    _check_person(book, menu)
    _check_circles(book, menu, everything)
    _check_full(book, menu)
    _check_hangups(book, menu, everything)
    _check_notices(book, menu)


def _check_person(book: FaultBook, menu: Menu) -> None:
    """From every question there is a way to a person: his key leads there without another question."""
    people = {name for name, node in menu.nodes.items() if isinstance(node, RouteNode)}

    def is_led(name: str) -> bool:
        return bool(people & reached(menu, (name,), lambda each: _passed(menu, each)).keys())

    if not is_led(menu.exhausted):
        book.add(
            ("menu", "exhausted"),
            f"'{menu.exhausted}' leads to no person, but key {menu.keys.person} and silence must, at every question",
        )
    for name, node in menu.nodes.items():
        for index, option in enumerate(node.options if isinstance(node, GatherNode) else ()):
            if option.key == menu.keys.person and not is_led(option.goto):
                book.add(
                    _place(name, "options", index, "goto"),
                    f"key {option.key} means a person at every question, but '{option.goto}' leads to none",
                )


def _passed(menu: Menu, name: str) -> tuple[str, ...]:
    """What follows a node at which the caller is not asked anything."""
    node = menu.nodes[name]
    if isinstance(node, GatherNode | CollectNode | TransferNode):
        return ()
    return tuple(goto for _, goto in unasked_ways(node))


def _check_circles(book: FaultBook, menu: Menu, names: Collection[str]) -> None:
    """Nobody who does nothing goes round in circles; each circle is told once."""
    told: set[str] = set()
    for name in menu.nodes:
        if name not in names or name in told:
            continue
        circle = _circle(menu, name)
        if circle:
            told.update(circle)
            path = " > ".join((*circle, name))
            book.add(_place(name), f"a caller who presses nothing goes round in circles: {path}")


def _check_full(book: FaultBook, menu: Menu) -> None:
    """Whoever finds a queue full and does nothing does not come to it again, by whatever other full queues."""

    def onwards(name: str) -> tuple[str, ...]:
        node = menu.nodes[name]
        if isinstance(node, RouteNode):
            return (menu.full[node.queue],) if node.queue in menu.full else ()
        return silent_ways(menu, name)

    for queue, start in menu.full.items():
        for name, path in reached(menu, (start,), onwards).items():
            node = menu.nodes[name]
            if isinstance(node, RouteNode) and node.queue == queue:
                book.add(
                    ("queues", "queues", queue, "full"),
                    f"a caller who presses nothing comes to the full queue again: {' > '.join(path)}; lead him to "
                    "a voicemail, a goodbye or a queue that is never full",
                )
                break


def _circle(menu: Menu, name: str) -> tuple[str, ...]:
    """The shortest silent way from a node back to itself."""
    paths = reached(menu, silent_ways(menu, name), lambda each: silent_ways(menu, each))
    if name not in paths:
        return ()
    return (name, *paths[name][:-1])


def _check_hangups(book: FaultBook, menu: Menu, names: Collection[str]) -> None:
    """Silence and failure never end in a hang-up."""
    for name in menu.nodes:
        if name not in names:
            continue
        paths = reached(menu, failing_ways(menu, name), lambda each: silent_ways(menu, each))
        ends = [path for end, path in paths.items() if isinstance(menu.nodes[end], HangupNode)]
        if ends:
            what = "silence" if isinstance(menu.nodes[name], GatherNode | CollectNode) else "failure"
            path = " > ".join((name, *min(ends, key=len)))
            book.add(_place(name), f"{what} ends in a hang-up: {path}; it must lead to a person")


def _is_notice(node: Node) -> bool:
    return isinstance(node, SayNode | GatherNode) and node.notice


def _check_notices(book: FaultBook, menu: Menu) -> None:
    """Nobody is put through unheard, and whoever hears the notice can refuse."""
    starts = starts_of(menu).values()
    unheard = reached(
        menu, starts, lambda name: () if _is_notice(menu.nodes[name]) else next_nodes(menu, name)
    )
    for name, node in menu.nodes.items():
        if isinstance(node, RouteNode) and name in unheard:
            path = " > ".join(unheard[name])
            book.add(_place(name), f"callers can get here without having heard a recording notice: {path}")
        if isinstance(node, SayNode) and node.notice:
            _check_refusal(book, menu, name)


def _check_refusal(book: FaultBook, menu: Menu, name: str) -> None:
    after = reached(menu, (name,), lambda each: _passed(menu, each))
    for end, path in after.items():
        if isinstance(menu.nodes[end], RouteNode | CollectNode | TransferNode):
            book.add(
                _place(name),
                f"after this notice key {menu.keys.do_not_record} (do not record) cannot be pressed: "
                f"{' > '.join(path)}; a question must come first",
            )
            return


def _check_tickets(book: FaultBook, menu: Menu, plan: Plan) -> None:
    for name, node in menu.nodes.items():
        match node:
            case RouteNode():
                _check_route(book, plan, name, node)
            case VoicemailNode():
                _check_voicemail(book, menu, plan, name, node)
            case CaseNode():
                _check_case(book, menu, plan, name)
            case _:
                pass
    _check_placeholders(book, menu)


def _speaks(words: Mapping[str, str] | None, placeholder: str) -> bool:
    return any(f"{{{placeholder}}}" in text for text in (words or {}).values())


def _check_route(book: FaultBook, plan: Plan, name: str, node: RouteNode) -> None:
    """The wait prompt promises no ticket that is not made, and keeps no code to itself."""
    matter, prompt = plan.matters[node.matter], plan.queues[node.queue].wait_prompt
    kind = plan.ticket_types.get(matter.ticket_type or "")
    if _speaks(prompt, "ticket_no") and (kind is None or matter.ticket_on != "entry"):
        book.add(
            _place(name, "matter"),
            f"the wait prompt of '{node.queue}' speaks the ticket number, "
            f"but '{node.matter}' does not open a ticket at entry",
        )
    if _speaks(prompt, "access_code") and (kind is None or not kind.access_code):
        book.add(
            _place(name, "matter"),
            f"the wait prompt of '{node.queue}' speaks an access code, but the ticket of '{node.matter}' has none",
        )


def _check_voicemail(book: FaultBook, menu: Menu, plan: Plan, name: str, node: VoicemailNode) -> None:
    """After the message there is nothing but words, and a code that is made is told."""
    after = reached(menu, (node.goto,), lambda each: _passed(menu, each)) if node.goto else {}
    for end, path in after.items():
        if not isinstance(menu.nodes[end], SayNode | HangupNode):
            book.add(
                _place(name, "goto"),
                f"after a message only say and hangup can follow, but {' > '.join((name, *path))} does",
            )
            return
    kind = plan.ticket_types.get(plan.matters[node.matter].ticket_type or "") if node.matter else None
    told = any(_speaks(getattr(menu.nodes[each], "prompt", None), "access_code") for each in after)
    if node.anonymous and kind is None:
        book.add(
            _place(name, "matter"),
            f"'{node.matter}' opens no ticket, so nobody would ever hear an anonymous message",
        )
    elif kind is not None and kind.access_code and not told:
        book.add(
            _place(name, "goto" if node.goto else "type"),
            f"the ticket of '{node.matter}' has an access code; tell it in a say or hangup behind the message",
        )


def _check_case(book: FaultBook, menu: Menu, plan: Plan, name: str) -> None:
    """Nobody asks for a case without having been asked for its number, and its code if the site has codes."""
    if not plan.ticket_states:
        book.add(_place(name), "tickets.yaml has no 'states': nobody could say how a case stands")
    has_codes = any(kind.access_code for kind in plan.ticket_types.values())
    for into in (CASE_NO, ACCESS_CODE) if has_codes else (CASE_NO,):

        def onwards(each: str, into: str = into) -> Collection[str]:
            node = menu.nodes[each]
            if isinstance(node, CollectNode) and node.into == into:
                return set(silent_ways(menu, each))
            return next_nodes(menu, each)

        found = reached(menu, starts_of(menu).values(), onwards)
        if name in found:
            book.add(
                _place(name),
                f"callers can get here without a collect into '{into}': {' > '.join(found[name])}",
            )


def _check_placeholders(book: FaultBook, menu: Menu) -> None:
    """A ticket is spoken of only where there is one; a manager's name only where it is known."""
    starts = _all_starts(menu)
    without_ticket = reached(menu, starts, lambda name: _without_ticket(menu, name))
    without_code = reached(menu, starts, lambda name: _without_message(menu, name))
    without_manager = reached(menu, starts, lambda name: _without_manager(menu, name))
    for name, node in menu.nodes.items():
        for field, words in texts_of(node).items():
            place = _place(name, *field.split("."))
            is_plain = isinstance(node, SayNode | HangupNode)
            if is_plain and _speaks(words, "ticket_no") and name in without_ticket:
                path = " > ".join(without_ticket[name])
                book.add(place, f"there is no ticket yet when callers come this way: {path}")
            if is_plain and _speaks(words, "access_code") and name in without_code:
                path = " > ".join(without_code[name])
                book.add(place, f"there is no access code when callers come this way: {path}")
            if _speaks(words, "manager_name") and not menu.phrases.manager and name in without_manager:
                path = " > ".join(without_manager[name])
                book.add(
                    place,
                    f"the manager is not known when callers come this way: {path}; "
                    "ask with a branch (manager: true), or give phrases.manager, a polite word",
                )


def _without_ticket(menu: Menu, name: str) -> set[str]:
    node = menu.nodes[name]
    if isinstance(node, VoicemailNode):
        return set()
    following = next_nodes(menu, name)
    if isinstance(node, NoticesNode) and node.join and node.join.goto != node.goto:
        following = following - {node.join.goto}
    return following


def _without_message(menu: Menu, name: str) -> set[str]:
    return set() if isinstance(menu.nodes[name], VoicemailNode) else next_nodes(menu, name)


def _without_manager(menu: Menu, name: str) -> set[str]:
    node = menu.nodes[name]
    if not isinstance(node, BranchNode):
        return next_nodes(menu, name)
    return {case.goto for case in node.cases if not case.manager} | {node.otherwise}
