"""Style as a test: what may stand where, and lengths that only go down."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.places import ROOT, STOREYS

FUNCTION_LINES_MAX = 60
SCRIPT_LINES_MAX = 120
SHORT_SHARE_MIN = 0.80  # of functions have at most twenty lines
READS_TIME = re.compile(r"\btime\.time(_ns)?\(|\bdatetime\.now\(|\bdatetime\.utcnow\(|\bdate\.today\(")
MAY_READ_TIME = {
    "config/clock.py": "the only reader of time",
    "ivr/demo_house.py": "starts the clock of a demo at the wall's present",
}


def sources() -> Iterator[Path]:
    for storey in STOREYS:
        yield from sorted((ROOT / storey).rglob("*.py"))


def test_only_the_clock_reads_the_time() -> None:
    found = {str(path.relative_to(ROOT)) for path in sources() if READS_TIME.search(path.read_text("utf-8"))}
    assert found <= set(MAY_READ_TIME), found - set(MAY_READ_TIME)


def test_no_file_is_named_after_nothing() -> None:
    assert [path for path in sources() if path.stem in {"utils", "helpers", "misc", "common"}] == []


def test_every_module_says_what_it_is_for() -> None:
    assert [
        str(path) for path in sources() if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ] == []


def test_functions_stay_short() -> None:
    lengths = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": (node.end_lineno or node.lineno)
        - node.lineno
        + 1
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length > FUNCTION_LINES_MAX} == {}
    short = sum(1 for length in lengths.values() if length <= 20)
    assert short / len(lengths) >= SHORT_SHARE_MIN


def test_scripts_stay_readable() -> None:
    longest = {p.name: len(p.read_text("utf-8").splitlines()) for p in ROOT.glob("queues/store/lua/*.lua")}
    assert {name: length for name, length in longest.items() if length > SCRIPT_LINES_MAX} == {}


def test_the_product_talks_of_itself_alone() -> None:
    words = re.compile(r"/work/|\bpypi\.org|registry\.npmjs|\bassistant\b|\bTODO\b|\bFIXME\b", re.IGNORECASE)
    kinds = {".py", ".lua", ".md", ".html", ".js", ".css", ".yaml", ".toml", ".sh"}
    ignored = {".venv", "node_modules", ".git", "var"}
    found = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*")
        if path.suffix in kinds and not ignored & set(path.parts) and path.name != "test_tidy.py"
        if words.search(path.read_text("utf-8"))
    ]
    assert found == []
