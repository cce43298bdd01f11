"""What follows from what we heard of a caller at his place in the menu: a pure step.

A `Session` is the caller's whole place and rides in the address of the next webhook; the same place and the
same answer give the same document however often they come. Silence and wrong answers are limited and then
lead on to where the question says (a person, never a hang-up); so does a caller who presses keys without end.
"""

from __future__ import annotations

from dataclasses import replace

from ivr.domain.heard import SILENCE, Heard, is_yes, meant
from ivr.domain.nodes import JOIN_KEY, CollectNode, GatherNode, Menu, Node, NoticesNode
from ivr.domain.steps import Account, Facts, Given, Joining, Needed, Session, Step
from ivr.domain.walk import Walk

_DONE = ("ok", "again")


def door(menu: Menu, line: str, facts: Facts) -> str:
    """The first node of a caller on this line: by where he calls from, and by the hour."""
    doors = menu.lines.get(line) or next(iter(menu.lines.values()))
    if doors.internal and facts.caller and facts.caller.is_internal:
        return doors.internal
    if doors.closed and doors.calendar not in facts.open_calendars:
        return doors.closed
    return doors.entry


def begin(menu: Menu, session: Session, facts: Facts) -> Step:
    """The caller comes to the session's node: a line's entry, or the question at which he was."""
    return Walk(menu, replace(session, is_entering=False), facts).to(session.node)


def taken_up(menu: Menu, session: Session, facts: Facts) -> Step:
    """What the caller hears at the node at which he is; what it did for him is done."""
    return Walk(menu, replace(session, is_entering=False), facts).enter(session.node)


def again(menu: Menu, session: Session, facts: Facts) -> Step:
    """The question at which the caller is, once more, with the tries he has used up."""
    return Walk(menu, session, facts).ask_again(menu.nodes[session.node])


def step(menu: Menu, session: Session, heard: Heard, facts: Facts) -> Step:
    """What was heard, or `SILENCE`, at the session's question."""
    node = menu.nodes.get(session.node)
    walk = Walk(menu, replace(session, step=session.step + 1, is_entering=False), facts)
    if node is None:
        return walk.to(menu.exhausted)
    if session.is_entering or not is_question(node):
        return walk.enter(session.node)
    if walk.session.step > menu.steps:
        return walk.to(menu.exhausted_at(node))
    answer = _answer_everywhere(walk, node, heard)
    if answer is not None:
        return answer
    match node:
        case GatherNode():
            return _answer_gather(walk, node, heard)
        case CollectNode():
            return _answer_collect(walk, node, heard)
        case NoticesNode():
            return _answer_notices(walk, node, heard)
    raise AssertionError("every question has its answers")


def is_question(node: Node | None) -> bool:
    """Whether a caller can be asked something here."""
    return isinstance(node, GatherNode | CollectNode) or (isinstance(node, NoticesNode) and bool(node.join))


def _answer_everywhere(walk: Walk, node: Node, heard: Heard) -> Step | None:
    """The keys that mean the same at every question; in a collect they are pressed alone."""
    keys = walk.menu.keys
    pressed = heard.digits if isinstance(node, CollectNode) else heard.key
    if isinstance(node, CollectNode) and pressed == keys.do_not_record and node.digits.min <= 1:
        return None  # it may be a number
    if isinstance(node, GatherNode) and node.option(pressed) and not walk.session.unsure:
        return None
    if pressed == keys.person:
        own = node.option(pressed) if isinstance(node, GatherNode) else None
        return walk.to(own.goto if own else walk.menu.exhausted)
    if pressed == keys.repeat:
        return walk.ask_again(node)
    if pressed == keys.do_not_record:
        walk.say(walk.menu.phrases.not_recorded)
        return replace(walk.ask_again(node), refuses_recording=True)
    return None


def _answer_gather(walk: Walk, node: GatherNode, heard: Heard) -> Step:
    if walk.session.unsure:
        return _answer_asked_back(walk, node, heard)
    option = node.option(heard.key) if heard.key else meant(node.options, heard.speech, walk.session.locale)
    if option and (heard.key or walk.menu.sure <= (heard.confidence or 0)):
        return walk.to(option.goto)
    if option:
        return walk.ask_back(node, option)
    if heard.key == walk.menu.keys.back and node.back:
        return walk.to(node.back)
    return walk.missed(node, heard)


def _answer_asked_back(walk: Walk, node: GatherNode, heard: Heard) -> Step:
    """A yes, a no or neither to "is that right?"; whoever then presses or plainly says another option means that one.

    So a key that is danger at every question stays danger here, where the site says yes and no with others.
    """
    option = walk.option_in_doubt(node)
    if option is None:
        return walk.ask(node)
    keys, phrases = walk.menu.keys, walk.menu.phrases
    answer = {keys.yes: True, keys.no: False}.get(heard.key)
    pressed = node.option(heard.key) if answer is None else None
    if pressed is not None:
        return walk.to(pressed.goto)
    said = meant(node.options, heard.speech, walk.session.locale) if not heard.key else None
    if said is not None and said is not option and walk.menu.sure <= (heard.confidence or 0):
        return walk.to(said.goto)
    if not heard.key:
        answer = is_yes(phrases.yes, phrases.no, heard.speech, walk.session.locale)
    if answer:
        return walk.to(option.goto)
    if answer is False or heard.key == keys.back:
        walk.session = replace(walk.session, unsure=0)
        return walk.missed(node, SILENCE)
    return walk.missed(node, heard)


def _answer_collect(walk: Walk, node: CollectNode, heard: Heard) -> Step:
    digits = heard.digits
    if not digits and heard.has_ended and node.on_empty:
        return walk.to(node.on_empty)
    if not (digits.isascii() and digits.isdigit() and node.digits.min <= len(digits) <= node.digits.max):
        return walk.missed(node, heard)
    if walk.facts.answer is None:
        raise Needed(Account(digits) if node.is_account else Given(node.into, digits))
    if walk.facts.answer in _DONE:
        return walk.to(node.goto)
    return walk.missed(node, heard, walk.menu.phrases.not_found)


def _answer_notices(walk: Walk, node: NoticesNode, heard: Heard) -> Step:
    assert node.join is not None  # noqa: S101  else nothing was asked
    if heard.key == JOIN_KEY:
        if walk.facts.answer is not None:
            return walk.to(node.join.goto if walk.facts.answer in _DONE else node.goto)
        offered = walk.joinable(is_asked=True)
        if offered:
            raise Needed(Joining(offered.ticket_no))
        return walk.to(node.goto)
    if not heard.key or heard.key == walk.menu.keys.back:
        return walk.to(node.goto)
    return walk.missed(node, heard)
