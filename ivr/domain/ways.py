"""The menu as a graph: which node leads to which, by an answer or by itself, and what can be reached.

`ways` is every way a node names, with the place in the file that names it. A caller who presses nothing goes
the *unasked* ways; the checks follow him to prove that he is never lost.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from ivr.domain.nodes import (
    BranchNode,
    CaseNode,
    CollectNode,
    GatherNode,
    LocaleNode,
    Menu,
    Node,
    NoticesNode,
    RouteNode,
    SayNode,
    TransferNode,
    VoicemailNode,
)
from queues.domain.faults import Steps

Way = tuple[Steps, str]


def ways(node: Node) -> Iterator[Way]:
    """Every node that this one names, with the place where it does; the keys' own ways included."""
    yield from answered_ways(node)
    yield from unasked_ways(node)


def answered_ways(node: Node) -> Iterator[Way]:
    """The ways a caller goes by what he does: a key, a word, a number, a message."""
    match node:
        case GatherNode():
            for index, option in enumerate(node.options):
                yield ("options", index, "goto"), option.goto
            if node.back:
                yield ("back",), node.back
        case CollectNode():
            yield ("goto",), node.goto
            if node.empty:
                yield ("empty",), node.empty
        case NoticesNode(join=join) if join:
            yield ("join", "goto"), join.goto
        case VoicemailNode(goto=goto) if goto:
            yield ("goto",), goto
        case _:
            return


def unasked_ways(node: Node) -> Iterator[Way]:
    """The ways a caller goes who does nothing, as far as the node itself names them."""
    match node:
        case SayNode() | LocaleNode() | NoticesNode():
            yield ("goto",), node.goto
        case BranchNode():
            for index, case in enumerate(node.cases):
                yield ("cases", index, "goto"), case.goto
            yield ("else",), node.otherwise
        case GatherNode(exhausted=goto) if goto:
            yield ("exhausted",), goto
        case CollectNode(unknown=goto) if goto:
            yield ("unknown",), goto
        case CaseNode():
            yield ("wrong",), node.wrong
            yield ("exhausted",), node.exhausted
            yield ("goto",), node.goto
        case TransferNode():
            yield ("unanswered",), node.unanswered
        case _:
            return


def silent_ways(menu: Menu, name: str) -> tuple[str, ...]:
    """Where a caller who does nothing goes from here."""
    node = menu.nodes[name]
    if isinstance(node, GatherNode | CollectNode):
        return (menu.exhausted_at(node),)
    return tuple(goto for _, goto in unasked_ways(node))


def failing_ways(menu: Menu, name: str) -> tuple[str, ...]:
    """Where silence, a wrong answer or a phone nobody lifts leads from here."""
    node = menu.nodes[name]
    match node:
        case GatherNode() | CollectNode():
            return (menu.exhausted_at(node),)
        case CaseNode():
            return node.wrong, node.exhausted
        case TransferNode():
            return (node.unanswered,)
        case _:
            return ()


def next_nodes(menu: Menu, name: str) -> set[str]:
    """Every node that can follow, the keys that work everywhere and closed queues included."""
    node = menu.nodes[name]
    following = {goto for _, goto in ways(node)}
    if isinstance(node, GatherNode | CollectNode):
        following |= {menu.exhausted_at(node), menu.exhausted}
    if isinstance(node, NoticesNode) and node.join:
        following.add(menu.exhausted)
    if isinstance(node, RouteNode):
        following |= {led[node.queue] for led in (menu.closed, menu.full, menu.led) if node.queue in led}
    return following


def reached(
    menu: Menu, starts: Iterable[str], onwards: Callable[[str], Collection[str]] | None = None
) -> dict[str, tuple[str, ...]]:
    """The nodes that can be reached from these, each with a path to it; `onwards` names what follows a node."""
    onwards = onwards or (lambda name: next_nodes(menu, name))
    found: dict[str, tuple[str, ...]] = {name: (name,) for name in starts}
    waiting = list(found)
    while waiting:
        name = waiting.pop(0)
        for following in sorted(onwards(name)):
            if following not in found:
                found[following] = (*found[name], following)
                waiting.append(following)
    return found
