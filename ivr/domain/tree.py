"""The menu as a tree of lines for the terminal: every node once, everything else is a mention of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unicodedata import east_asian_width

from ivr.domain.outline import Branching, Door, Lead, Outline, branching

TEXT_MAX = 72  # as wide as so many letters; a Chinese character counts for two


def tree_lines(outline: Outline) -> list[str]:
    """What `shouwen check` prints of a menu."""
    grown = branching(outline)
    doors: dict[str, list[Door]] = {}
    for door in outline.doors():
        doors.setdefault(door.goto, []).append(door)
    printed: set[str] = set()
    lines = [_everywhere(outline)]
    for root in grown.roots:
        lines.append("")
        lines += [door.words for door in doors.get(root, ())]
        lines += _node_lines(outline, grown, root, "", "", printed)
    elsewhere = [each for each in outline.doors() if each.goto not in grown.roots]
    see = outline.word("see_above")
    return [
        *lines,
        *([""] if elsewhere else []),
        *(f"{each.words} -> {each.goto} ({see})" for each in elsewhere),
    ]


def tree_values(outline: Outline) -> list[dict[str, Any]]:
    """The same for other programs: each node with its ways on."""
    found = []
    for name in outline.menu.nodes:
        silence = outline.silence(name)
        leads = (*outline.leads(name), *([silence] if silence else []))
        ways = [
            {"kind": lead.kind, "key": lead.key, "words": lead.words, "goto": lead.goto} for lead in leads
        ]
        found.append(
            {"node": name, "kind": outline.menu.nodes[name].type, "says": outline.speech(name), "ways": ways}
        )
    return found


def shortened(text: str, most: int) -> str:
    """The text, cut where it gets wider than this."""
    width = 0
    for cut, each in enumerate(text):
        width += 2 if east_asian_width(each) in "WF" else 1
        if width > most:
            return text[:cut] + "…"
    return text


def _everywhere(outline: Outline) -> str:
    said = [f"{lead.text} -> {lead.goto}" if lead.goto else lead.text for lead in outline.everywhere()]
    return f"{outline.word('keys_everywhere')}: {' · '.join(said)}"


def _node_lines(
    outline: Outline, grown: Branching, name: str, first: str, rest: str, printed: set[str]
) -> Iterator[str]:
    printed.add(name)
    title = shortened(outline.title(name), TEXT_MAX)
    yield f"{first}{name} [{outline.kind(name)}] {title}".rstrip()
    own, others = grown.children[name], grown.mentions[name]
    ways = [(lead, lead in own) for lead in (*outline.leads(name), *_silence(outline, name))]
    assert len(ways) == len(own) + len(others)  # noqa: S101  every way is told once
    for number, (lead, is_own) in enumerate(ways, 1):
        is_last = number == len(ways)
        branch = f"{rest}{'└─' if is_last else '├─'} {lead.whole} -> "
        if is_own and lead.goto not in printed:
            deeper = rest + ("   " if is_last else "│  ")
            yield from _node_lines(outline, grown, lead.goto, branch, deeper, printed)
        else:
            where = "see_above" if lead.goto in printed else "see_below"
            yield f"{branch}{lead.goto} ({outline.word(where)})"


def _silence(outline: Outline, name: str) -> tuple[Lead, ...]:
    found = outline.silence(name)
    return (found,) if found else ()
