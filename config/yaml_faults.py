"""What a YAML file has wrong, in words for somebody who never heard of YAML: what stands there, and what to do."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any, Final

from ruamel.yaml.error import MarkedYAMLError

_DAY: Final = re.compile(r"(?<![\w\"'-])(\d{4})-(\d\d?)-(\d\d?)(?![\w\"'])")
_QUOTED: Final = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:''|[^'])*'")
_NO_SPACE: Final = re.compile(r"^\s*(?:- *)?([A-Za-z][\w-]*):(?=[^\s:])")
_WIDE: Final = {
    "：": "':' and a space",
    "，": "',' and a space",
    "｛": "'{'",
    "｝": "'}'",
    "［": "'['",
    "］": "']'",
}
_BEGINS: Final = re.compile(r"[:\[,{]\s+([*&%@`!|>])")


def in_words(fault: MarkedYAMLError, text: str) -> tuple[int, str]:
    """The line, counted from 1, and what is wrong there."""
    lines = text.splitlines() or [""]
    problem = str(fault.problem or fault.context)
    mark = fault.problem_mark or fault.context_mark
    row = min(mark.line if mark else 0, len(lines) - 1)
    if twice := re.match(r'found duplicate key "(.*?)" with value', problem):
        return row + 1, f"duplicate key: '{twice[1]}' stands here a second time; a name is given once"
    if r"'\t'" in problem or lines[row].lstrip(" ").startswith("\t"):
        return row + 1, "a tab stands in this line; use spaces"
    started = min(fault.context_mark.line if fault.context_mark else row, row)
    if "quoted scalar" in str(fault.context):
        return started + 1, "the quotation mark in this line is never closed"
    for each in dict.fromkeys((row, _last_above(lines, row), started)):
        if said := _looks_like(lines[each]):
            return each + 1, said
    if "stream end" in problem:
        return (
            started + 1,
            f"a bracket that opens {'in this line' if started < row else 'above'} is never closed",
        )
    if "',' or" in problem:
        return row + 1, (
            "a comma or a closing bracket is missing here or in the line above; "
            "a text with , : [ ] { } in it goes in quotation marks"
        )
    if "mapping values" in problem:
        return row + 1, (
            "this line goes on where nothing more can follow: a text with ': ' in it goes in quotation marks; "
            "or the line above needs a ':' at its end"
        )
    return row + 1, (
        "this line does not fit the one above: begin it exactly below the lines that it belongs with; "
        "a text that begins with { or [ goes in quotation marks"
    )


def _looks_like(line: str) -> str:
    """The usual slips of one line, or nothing."""
    bare = _QUOTED.sub('""', line)
    key = re.match(r"\s*(?:- *)?[\w.-]+：", bare)
    if key or ("{" in bare and re.search(r"[\w\"}\]]：", re.sub(r"(?<=: )[^,{}]*", "", bare))):
        return f"a full-width '：' stands where {_WIDE['：']} should"
    if "{" in bare and (wide := re.search(r"[\w\"}\]](，)\s*[A-Za-z_]+\s*[:：]", bare)):
        return f"a full-width '{wide[1]}' stands where {_WIDE[wide[1]]} should"
    if '"' in bare.replace('""', ""):
        return "a quotation mark in this line is not closed"
    if found := _NO_SPACE.match(bare):
        return f"a space is missing behind '{found[1]}:'"
    if found := _BEGINS.search(bare):
        return f"'{found[1]}' must stand in quotation marks: \"{found[1]}\""
    return ""


def _last_above(lines: list[str], row: int) -> int:
    return next((each for each in range(row - 1, -1, -1) if lines[each].strip()), row)


def no_such_day(text: str) -> tuple[int, str] | None:
    """The first date of the text that no calendar has."""
    for number, line in enumerate(text.splitlines(), 1):
        for found in _DAY.finditer(line):
            try:
                dt.date(*map(int, found.groups()))
            except ValueError:
                return number, found[0]
    return None


def wide_names(node: Any) -> Iterator[str]:
    """Names with a full-width ':' or ',' in them: YAML takes the whole piece for a name without a value."""
    if isinstance(node, dict):
        for name, value in node.items():
            if isinstance(name, str) and value is None and ("：" in name or "，" in name):
                yield name
            yield from wide_names(value)
    elif isinstance(node, list):
        for value in node:
            yield from wide_names(value)


def wide_name_in_words(name: str) -> str:
    sign = next(each for each in name if each in _WIDE)
    return f"'{name}': a full-width '{sign}' stands where {_WIDE[sign]} should"


def surprises(text: str) -> Iterator[tuple[int, str]]:
    """What is right in YAML and hardly ever meant: a text cut off at a '#', full-width brackets, words run together."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        bare = _QUOTED.sub('""', line)
        if cut := re.search(r"\s#[^\s#].*", bare):
            yield (
                number,
                f"'{cut[0].strip()[:20]}' is not read: what follows a '#' is a remark; put the text in quotation marks",
            )
        if wide := re.search(r"｛\w+｝", line):
            yield (
                number,
                f"'{wide[0]}' is spoken as it stands; placeholders have plain brackets: '{{{wide[0][1:-1]}}}'",
            )
        if joined := re.search(r"\[[^\[\]]*[^\[\],，、]([，、])[^\[\],]", bare):
            yield number, f"'{joined[1]}' does not part words in a list; use ','"
