"""The menu as a picture: a sound SVG with every node and key, the same each time, over nobody's box."""

import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from config import site_files
from ivr.domain.nodes import GatherNode
from ivr.domain.outline import Outline, branching
from ivr.domain.picture import BOX, Passage, line_key, picture, width_of, wrapped
from ivr.service.hotlines import read_hotline
from tests.ivr.site import ALL_KINDS, site

SITES = sorted(path for path in (Path(__file__).parents[2] / "config" / "sites").iterdir() if path.is_dir())
FOLDERS = [*SITES, ALL_KINDS]
SVG = "{http://www.w3.org/2000/svg}"
EVERY = pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)


def outline(folder: Path, language: str = "zh") -> Outline:
    hotline = read_hotline(site_files.read(folder))
    return Outline(hotline.menu, hotline.plan, language)


def drawn(folder: Path, language: str = "zh", counts: dict[str, Passage] | None = None) -> ET.Element:
    return ET.fromstring(picture(outline(folder, language), counts))  # noqa: S314  our own picture


def box_of(group: ET.Element) -> tuple[float, float, float, float]:
    paper = next(each for each in group.iter(f"{SVG}rect") if each.get("class") == "paper")
    x, y, width, height = (float(paper.attrib[name]) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


@EVERY
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_node_stands_once_and_every_way_is_told(folder: Path, language: str) -> None:
    shown, svg = outline(folder, language), drawn(folder, language)
    groups = {each.attrib["id"].removeprefix("node-"): each for each in svg.iter(f"{SVG}g")}
    assert set(groups) == set(shown.menu.nodes)
    grown = branching(shown)
    for name, node in shown.menu.nodes.items():
        title = groups[name].findtext(f"{SVG}title") or ""
        assert title.startswith(f"{name}: ")
        for lead in shown.leads(name):
            assert f"→ {lead.goto}" in title
        if not isinstance(node, GatherNode):
            continue
        own = {lead.goto: lead.key for lead in grown.children[name]}
        for option in node.options:
            there = groups[option.goto] if own.get(option.goto) == option.key else groups[name]
            keys = [each.text or "" for each in there.iter(f"{SVG}text")]
            assert any(key == option.key or key.startswith(f"{option.key} ") for key in keys), (
                name,
                option.key,
            )


@EVERY
def test_the_same_words_make_the_same_picture(folder: Path) -> None:
    assert picture(outline(folder)) == picture(outline(folder))


@EVERY
def test_no_box_stands_on_another_and_all_are_on_the_paper(folder: Path) -> None:
    svg = drawn(folder)
    boxes = {each.attrib["id"]: box_of(each) for each in svg.iter(f"{SVG}g")}
    width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
    for name, (left, top, right, bottom) in boxes.items():
        assert 0 <= left < right <= width, name
        assert 0 <= top < bottom <= height, name
    for (one, a), (other, b) in combinations(boxes.items(), 2):
        is_clear = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        assert is_clear, (one, other)


@EVERY
def test_callers_come_in_at_the_top(folder: Path) -> None:
    svg, shown = drawn(folder), outline(folder)
    doors = [each for each in svg.iter(f"{SVG}rect") if each.get("class") == "door"]
    assert len(doors) == len(shown.doors())
    said = [each.text or "" for each in svg.iter(f"{SVG}text")]
    for door in shown.doors():
        assert any(each.startswith(door.words) for each in said)
    lowest = max(float(each.attrib["y"]) for each in doors)
    assert all(box_of(each)[1] > lowest for each in svg.iter(f"{SVG}g"))


@EVERY
@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_is_written_stays_in_its_box(folder: Path, language: str) -> None:
    for group in drawn(folder, language).iter(f"{SVG}g"):
        left, top, right, bottom = box_of(group)
        for text in group.iter(f"{SVG}text"):
            if text.get("class") in {"says", "mention", "name"}:
                x, y = float(text.attrib["x"]), float(text.attrib["y"])
                size = float(text.attrib["font-size"])
                assert left < x
                assert x + width_of(text.text or "", size) <= right + size, text.text  # a comma may hang
                assert top < y < bottom


def test_colour_means_the_kind_of_end() -> None:
    svg, shown = drawn(ALL_KINDS), outline(ALL_KINDS)
    for group in svg.iter(f"{SVG}g"):
        node = shown.menu.nodes[group.attrib["id"].removeprefix("node-")]
        end = node.type if node.type in {"route", "voicemail", "transfer", "hangup"} else "way"
        assert end in group.attrib["class"].split()


def test_counts_are_shown_where_there_are_any() -> None:
    counts = {"main_menu": Passage(3, 128), line_key("main"): Passage(1, 77)}
    svg = drawn(SITES[[path.name for path in SITES].index("power")], counts=counts)
    told = {
        (each.get("data-node") or each.get("data-line"), (each.get("class") or "").split()[-1]): each
        for each in svg.iter(f"{SVG}text")
        if "count" in (each.get("class") or "").split()
    }
    assert (told["main_menu", "now"].text, told["main_menu", "today"].text) == ("3", "128")
    assert (told["main", "now"].text, told["main", "today"].text) == ("1", "77")
    assert told["main_menu", "now"].get("data-empty") is None
    assert told["agent", "now"].get("data-empty") == "true"
    assert not [each for each in drawn(ALL_KINDS).iter(f"{SVG}text") if "count" in (each.get("class") or "")]


def test_no_inline_style_and_no_script() -> None:
    text = picture(outline(ALL_KINDS), {})
    assert not re.search(r"\sstyle=|<script|<style|javascript:|\son\w+=", text)


def test_a_text_cannot_leave_its_place(tmp_path: Path) -> None:
    files = site(tmp_path, ("menu", "zh: 您好将录音", "zh: '</text><script>alert(1)</script>&amp;\"'"))
    hotline = read_hotline(files)
    svg = ET.fromstring(picture(Outline(hotline.menu, hotline.plan, "zh")))  # noqa: S314  our own picture
    assert "script" not in {each.tag.removeprefix(SVG) for each in svg.iter()}
    assert any("<script>" in (each.text or "") for each in svg.iter(f"{SVG}title"))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("一二三", ["一二三"]),
        ("一二三四五六七八九十", ["一二三四五", "六七八九十"]),
        ("一二三四五，六七八", ["一二三四", "五，六七八"]),
        ("press one now", ["press", "one now"]),
        ("一二三四五六七八九十一二三", ["一二三四五", "六七八九…"]),
        ("averyveryverylongword", ["averyver", "yverylo…"]),
    ],
)
def test_texts_are_broken_as_people_read_them(text: str, lines: list[str]) -> None:
    found = wrapped(text, 12, 60, 2)
    assert found == lines
    assert BOX > 60
