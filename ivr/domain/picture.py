"""The menu as a picture: an SVG that is the same for the same words, drawn without anybody's help.

Callers come in at the top. Every node stands once, below the one that leads to it the shortest way, with the
key to press on the line; its other ways are written inside it and lead there when they are clicked. Children
stand in the order of the file, in columns beside a line that comes down from their parent. Colour says how a
way ends (a person, a message, goodbye, another telephone), and the word for it stands beside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

from ivr.domain.nodes import HangupNode, Node, RouteNode, TransferNode, VoicemailNode
from ivr.domain.outline import Branching, Door, Lead, LeadKind, Outline, branching

BOX: Final = 204
PAD: Final = 8
INDENT: Final = 26
SPINE: Final = 12  # from a column's left edge, and from a box's, to where lines come and go
ABOVE: Final = 26  # over a box: room for the key and its words
ROW: Final = 16
GAP: Final = 22
COLUMN_MAX: Final = 640
TOP: Final = 84
DOOR: Final = ROW + 10
MARGIN: Final = 16
COUNTS: Final = 88  # room for two numbers
FONT: Final = "system-ui, 'Noto Sans SC', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
SVG: Final = "http://www.w3.org/2000/svg"
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_PIECES = re.compile(r"[\x21-\x7e]+ ?|.[，。；：？！、）》”…]*")  # no line begins with a comma
COLOURS: Final[Mapping[str, tuple[str, str]]] = {  # paper, edge
    "route": ("#dbeafe", "#2563eb"),
    "voicemail": ("#fef3c7", "#b45309"),
    "transfer": ("#ede9fe", "#7c3aed"),
    "hangup": ("#e5e7eb", "#6b7280"),
    "way": ("#ffffff", "#94a3b8"),
}


@dataclass(frozen=True, slots=True)
class Passage:
    """How many callers are at a node now, and how many passed it today."""

    now: int = 0
    today: int = 0


def picture(outline: Outline, counts: Mapping[str, Passage] | None = None) -> str:
    """The SVG; with `counts` (of the nodes that have any) each node shows its own."""
    grown = branching(outline)
    doors: dict[str, list[Door]] = {}
    for door in outline.doors():
        doors.setdefault(door.goto, []).append(door)
    drawing = _Drawing(outline, grown, counts)
    pills = max((len(doors.get(root, ())) for root in grown.roots), default=0)
    top = TOP + pills * DOOR + ABOVE
    taken: list[_Area] = []
    for root in grown.roots:
        block = drawing.block(root)
        wide = max((drawing.pill_room(door) for door in doors.get(root, ())), default=0)
        shape = [_Area(0, TOP, wide, top), *(area.moved(0, top) for area in block.areas)]
        left = MARGIN + _beside(taken, shape)
        for number, door in enumerate(doors.get(root, ()), pills - len(doors.get(root, ()))):
            drawing.pill(door, left, TOP + number * DOOR)
        drawing.draw(block, left, top, None)
        taken += [area.moved(left - MARGIN, 0) for area in shape]
    side = max((area.right for area in taken if area.top < top), default=0.0) + GAP
    elsewhere = [door for door in outline.doors() if door.goto not in grown.roots]
    for number, door in enumerate(elsewhere):  # it leads to a node that stands below another
        drawing.side_door(door, MARGIN + side, TOP + number * DOOR)
        far = side + _pill_width(_to(door)) + COUNTS
        taken.append(_Area(side, TOP + number * DOOR, far, TOP + (number + 1) * DOOR))
    right, bottom = max(area.right for area in taken), max(area.bottom for area in taken)
    return drawing.finished(MARGIN + right, bottom + MARGIN)


def line_key(line: str) -> str:
    """Under which a line's callers are counted beside the nodes'."""
    return f"line:{line}"


def ending(node: Node) -> str:
    """How a caller's way ends here, or that it goes on."""
    match node:
        case RouteNode() | VoicemailNode() | TransferNode() | HangupNode():
            return node.type
    return "way"


def width_of(text: str, size: float) -> float:
    """About how wide a text is: a Chinese character is as wide as it is high."""
    return sum(size if ord(each) > 0x2E7F else size * 0.58 for each in text)


def wrapped(text: str, size: float, width: float, lines_max: int) -> list[str]:
    """The text in lines of this width; the last one ends in an ellipsis when there is more."""
    lines, line = [], ""
    for piece in _PIECES.findall(text):
        if line and width_of(line + piece.rstrip(), size) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
        while width_of(line, size) > width:
            cut = _fitting(line, size, width)
            lines.append(line[:cut])
            line = line[cut:]
    lines += [line.rstrip()] if line.strip() else []
    if len(lines) > lines_max:
        last = lines[lines_max - 1]
        while width_of(last + "…", size) > width:
            last = last[:-1]
        lines = [*lines[: lines_max - 1], last + "…"]
    return lines


def _fitting(text: str, size: float, width: float) -> int:
    return next((cut for cut in range(len(text), 1, -1) if width_of(text[:cut], size) <= width), 1)


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of text inside a box; `goto` makes it a link."""

    text: str
    kind: str
    goto: str = ""


@dataclass(frozen=True, slots=True)
class _Block:
    """A node with everything below it: its box at 0, 0 and the columns beside lines that come down from it."""

    name: str
    rows: tuple[_Row, ...]
    columns: tuple[_Column, ...]
    areas: tuple[_Area, ...]  # what it covers: other blocks may come close, but not over it

    @property
    def box_height(self) -> float:
        return 2 * PAD + ROW * (1 + len(self.rows))

    @property
    def width(self) -> float:
        return max(area.right for area in self.areas)

    @property
    def height(self) -> float:
        return max(area.bottom for area in self.areas)


@dataclass(frozen=True, slots=True)
class _Area:
    left: float
    top: float
    right: float
    bottom: float

    def moved(self, x: float, y: float) -> _Area:
        return _Area(self.left + x, self.top + y, self.right + x, self.bottom + y)

    def is_level_with(self, other: _Area) -> bool:
        return self.top < other.bottom + GAP / 2 and other.top < self.bottom + GAP / 2


@dataclass(frozen=True, slots=True)
class _Column:
    """Blocks below each other, `left` from their parent's left edge."""

    left: float
    blocks: tuple[tuple[Lead, _Block], ...]

    def areas(self) -> list[_Area]:
        """From the top of the column, without `left`; the line that comes down beside it included."""
        found: list[_Area] = []
        y = 0.0
        for _, block in self.blocks:
            y += ABOVE
            found.append(_Area(0, y - ABOVE, INDENT, y + block.box_height))
            found += [area.moved(INDENT, y) for area in block.areas]
            y += block.height + GAP / 2
        return found


@dataclass
class _Drawing:
    outline: Outline
    grown: Branching
    counts: Mapping[str, Passage] | None
    lines: list[ET.Element] = field(default_factory=list)
    shapes: list[ET.Element] = field(default_factory=list)

    def block(self, name: str) -> _Block:
        """Measured from the leaves up."""
        rows = tuple(self._rows(name))
        below = 2 * PAD + ROW * (1 + len(rows))
        areas = [_Area(0, -ABOVE, BOX, below)]
        columns: list[_Column] = []
        taken: list[_Area] = []
        for blocks in _columns([(lead, self.block(lead.goto)) for lead in self.grown.children[name]]):
            column = _Column(0, blocks)
            shape = [area.moved(0, below + GAP / 2) for area in column.areas()]
            column = _Column(_beside(taken, shape), blocks)
            columns.append(column)
            taken += [area.moved(column.left, 0) for area in shape]
        return _Block(name, rows, tuple(columns), (*areas, *taken))

    def _rows(self, name: str) -> Iterator[_Row]:
        for line in wrapped(self.outline.title(name), 12, BOX - 2 * PAD, 3):
            yield _Row(line, "says")
        for lead in self.grown.mentions[name]:
            for line in wrapped(f"{lead.text} → {lead.goto}", 11, BOX - 2 * PAD, 2):
                yield _Row(line, "mention", lead.goto)

    def draw(self, block: _Block, x: float, y: float, lead: Lead | None) -> None:
        self._box(block, x, y, lead)
        top = y + block.box_height
        for column in block.columns:
            left = x + column.left
            spine = left + SPINE
            place = top + GAP / 2
            last = place
            for child_lead, child in column.blocks:
                place += ABOVE
                last = place - ABOVE / 2
                self._line(spine, last, left + INDENT + SPINE - 9, last)
                self.draw(child, left + INDENT, place, child_lead)
                place += child.height + GAP / 2
            self._line(x + SPINE, top, x + SPINE, top + GAP / 2)
            self._line(x + SPINE, top + GAP / 2, spine, top + GAP / 2)
            self._line(spine, top + GAP / 2, spine, last)

    def pill(self, door: Door, x: float, y: float) -> None:
        """A door, at the top of what it leads to."""
        self.shapes += self._pill(door, x, y)
        self._line(x + SPINE, y + ROW + 6, x + SPINE, y + DOOR)

    def _pill(self, door: Door, x: float, y: float) -> Iterator[ET.Element]:
        attributes = {"class": "door", "rx": "11", "fill": "#0f766e"}
        yield _rect(x, y, _pill_width(door), ROW + 6, **attributes)
        yield _text(door.words, x + 12, y + 16, 12, "#ffffff", **{"class": "door-name"})
        if self.counts is not None and door.line:
            yield from self._counts("data-line", door.line, x + _pill_width(door) + COUNTS, y + 16)

    def side_door(self, door: Door, x: float, y: float) -> None:
        """A door to a node that stands elsewhere: a link to it."""
        link = ET.Element("a", {"href": f"#node-{quote(door.goto)}"})
        link.extend(self._pill(_to(door), x, y))
        self.shapes.append(link)

    def pill_room(self, door: Door) -> float:
        return _pill_width(door) + (COUNTS if self.counts is not None else 0)

    def _box(self, block: _Block, x: float, y: float, lead: Lead | None) -> None:
        node = self.outline.menu.nodes[block.name]
        end = ending(node)
        paper, edge = COLOURS[end]
        group = ET.Element("g", {"id": f"node-{block.name}", "class": f"node {end} {node.type}"})
        title = ET.SubElement(group, "title")
        title.text = _clean(self._spoken(block.name))
        if lead is not None:
            self._arrival(group, lead, x, y)
        else:
            self._line(x + SPINE, y - ABOVE, x + SPINE, y)
        group.append(
            _rect(x, y, BOX, block.box_height, fill=paper, stroke=edge, rx="6", **{"class": "paper"})
        )
        group.append(_rect(x, y, 4, block.box_height, fill=edge, rx="2", **{"class": "edge"}))
        self._heading(group, block, x, y)
        for number, row in enumerate(block.rows, 1):
            self._row(group, row, x + PAD + 2, y + PAD + ROW * number + 12)
        self.shapes.append(group)

    def _heading(self, group: ET.Element, block: _Block, x: float, y: float) -> None:
        kind = self.outline.kind(block.name)
        named = wrapped(block.name, 11, BOX - 2 * PAD - width_of(kind, 11) - 8, 1)[0]
        group.append(
            _text(named, x + PAD + 2, y + PAD + 11, 11, "#0f172a", **{"class": "name", "font-weight": "600"})
        )
        where = {"class": "kind", "text-anchor": "end"}
        group.append(_text(kind, x + BOX - PAD, y + PAD + 11, 11, "#475569", **where))
        if self.counts is not None:
            group.extend(self._counts("data-node", block.name, x + BOX, y - 5))

    def _counts(self, marked: str, name: str, right: float, y: float) -> Iterator[ET.Element]:
        """Now and today, each in its place; whoever has the picture live writes others there."""
        key = name if marked == "data-node" else line_key(name)
        passage = (self.counts or {}).get(key, Passage())
        for what, number, x in (("now", passage.now, right - COUNTS / 2), ("today", passage.today, right)):
            where = {"class": f"count {what}", marked: name, "text-anchor": "end"}
            where |= {} if number else {"data-empty": "true"}
            yield _text(str(number), x, y, 12, "#0f172a", **where)

    def _arrival(self, group: ET.Element, lead: Lead, x: float, y: float) -> None:
        """The key on the line that comes in, and what it stands for."""
        middle = y - ABOVE / 2
        shown = lead.key or {LeadKind.CASE: "?", LeadKind.FAILED: "…"}.get(lead.kind, "↓")
        circle = {
            "cx": _n(x + SPINE),
            "cy": _n(middle),
            "r": "9",
            "fill": "#334155",
            "class": f"key {lead.kind}",
        }
        group.append(ET.Element("circle", circle))
        group.append(
            _text(
                shown, x + SPINE, middle + 4, 11, "#ffffff", **{"class": "key-name", "text-anchor": "middle"}
            )
        )
        room = BOX - SPINE - 14 - (COUNTS - 4 if self.counts is not None else 0)
        said = wrapped(lead.words, 11, room, 1)
        if said and lead.kind is not LeadKind.NEXT:
            group.append(_text(said[0], x + SPINE + 13, middle + 4, 11, "#334155", **{"class": "lead"}))

    def _row(self, group: ET.Element, row: _Row, x: float, y: float) -> None:
        if not row.goto:
            group.append(_text(row.text, x, y, 12, "#0f172a", **{"class": row.kind}))
            return
        link = ET.SubElement(group, "a", {"href": f"#node-{quote(row.goto)}"})
        link.append(_text(row.text, x, y, 11, "#1d4ed8", **{"class": row.kind}))

    def _spoken(self, name: str) -> str:
        """Everything that is known of a node, for whoever points at it or has it read aloud."""
        said = [f"{name}: {self.outline.kind(name)}", self.outline.title(name), self.outline.speech(name)]
        ways = (*self.grown.children[name], *self.grown.mentions[name])
        said += [f"{lead.whole} → {lead.goto}" for lead in ways]
        return "\n".join(dict.fromkeys(each for each in said if each))

    def _line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        if (x1, y1) != (x2, y2):
            ends = {"x1": _n(x1), "y1": _n(y1), "x2": _n(x2), "y2": _n(y2)}
            self.lines.append(
                ET.Element("line", {**ends, "stroke": "#94a3b8", "stroke-width": "1.5", "class": "way"})
            )

    def finished(self, width: float, height: float) -> str:
        legend = self._legend()
        width = max(width, *(float(each.get("data-right", "0")) for each in legend)) + MARGIN
        size = {"width": _n(width), "height": _n(height), "viewBox": f"0 0 {_n(width)} {_n(height)}"}
        about = {"role": "group", "aria-labelledby": "menu-picture-title", "font-family": FONT}
        svg = ET.Element("svg", {"xmlns": SVG, **size, **about})
        title = ET.SubElement(svg, "title", {"id": "menu-picture-title"})
        title.text = _clean(f"{self.outline.text(self.outline.plan.name)} · {self.outline.menu.version}")
        svg.append(_rect(0, 0, width, height, fill="#f8fafc", **{"class": "ground"}))
        svg.extend(legend)
        svg.extend(self.lines)
        svg.extend(self.shapes)
        ET.indent(svg)
        return ET.tostring(svg, encoding="unicode") + "\n"

    def _legend(self) -> list[ET.Element]:
        name = self.outline.text(self.outline.plan.name)
        shown: list[ET.Element] = [
            _text(name, MARGIN, 26, 16, "#0f172a", **{"class": "site", "font-weight": "600"})
        ]
        x = float(MARGIN)
        for kind in ("route", "voicemail", "transfer", "hangup"):
            paper, edge = COLOURS[kind]
            said = self.outline.word(kind)
            shown.append(_rect(x, 38, 14, 14, fill=paper, stroke=edge, rx="3", **{"class": f"sample {kind}"}))
            shown.append(_text(said, x + 20, 50, 12, "#334155", **{"class": "legend"}))
            x += width_of(said, 12) + 40
        keys = f"{self.outline.word('keys_everywhere')}: " + " · ".join(
            f"{lead.text} → {lead.goto}" if lead.goto else lead.text for lead in self.outline.everywhere()
        )
        right = {"class": "legend", "data-right": _n(MARGIN + width_of(keys, 12))}
        shown.append(_text(keys, MARGIN, 70, 12, "#334155", **right))
        return shown


def _to(door: Door) -> Door:
    return Door(f"{door.words} → {door.goto}", door.goto, door.line)


def _pill_width(door: Door) -> float:
    return width_of(door.words, 12) + 24


def _columns(children: Sequence[tuple[Lead, _Block]]) -> tuple[tuple[tuple[Lead, _Block], ...], ...]:
    """In order, each column as high as it may be; a wide block has one of its own."""
    columns: list[list[tuple[Lead, _Block]]] = []
    for lead, block in children:
        is_narrow = block.width <= BOX + 2 * INDENT
        column = columns[-1] if columns else None
        fits = column is not None and _height((*column, (lead, block))) <= COLUMN_MAX
        is_beside = column is not None and all(each.width <= BOX + 2 * INDENT for _, each in column)
        if column is not None and fits and is_narrow and is_beside:
            column.append((lead, block))
        else:
            columns.append([(lead, block)])
    return tuple(tuple(column) for column in columns)


def _beside(taken: Sequence[_Area], shape: Sequence[_Area]) -> float:
    """How far right a shape must go to stand clear of what is there."""
    pairs = ((there, here) for there in taken for here in shape if there.is_level_with(here))
    return max((there.right + GAP - here.left for there, here in pairs), default=0.0)


def _height(column: Sequence[tuple[Lead, _Block]]) -> float:
    return sum(ABOVE + block.height + GAP / 2 for _, block in column)


def _rect(x: float, y: float, width: float, height: float, **attributes: str) -> ET.Element:
    return ET.Element(
        "rect", {"x": _n(x), "y": _n(y), "width": _n(width), "height": _n(height), **attributes}
    )


def _text(text: str, x: float, y: float, size: int, fill: str, **attributes: str) -> ET.Element:
    element = ET.Element("text", {"x": _n(x), "y": _n(y), "font-size": str(size), "fill": fill, **attributes})
    element.text = _clean(text)
    return element


def _clean(text: str) -> str:
    return _UNWRITABLE.sub("", text)


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
