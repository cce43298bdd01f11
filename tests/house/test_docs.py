"""The documents keep up with the code: every setting, command and make target is in them."""

import re
from pathlib import Path

from ivr import launcher
from ivr.cli import ENTRIES
from tests.house.places import ROOT

SETTINGS = ROOT / "config" / "settings.py"


def test_every_setting_is_documented() -> None:
    used = set(re.findall(r'"([A-Z][A-Z_]{3,})"', SETTINGS.read_text("utf-8")))
    told = set(re.findall(r"`([A-Z][A-Z_]{3,})`", (ROOT / "docs" / "settings.md").read_text("utf-8")))
    assert told == used


def test_the_procfile_has_exactly_the_processes_the_launcher_runs() -> None:
    written = dict(
        line.split(": ", 1) for line in (ROOT / "Procfile").read_text("utf-8").splitlines() if line
    )
    assert written == {name: f"shouwen {name}" for name in ("release", "store", "web", *launcher.LOOPS)}
    assert set(written) <= set(ENTRIES)


def test_both_readmes_have_the_same_commands_and_pictures() -> None:
    english, chinese = (Path(ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh-CN.md"))
    for pattern in (r"\bmake [a-z]+|shouwen [a-z]+", r"docs/pictures/([a-z-]+?)-(?:en|zh)-"):
        assert set(re.findall(pattern, english)) == set(re.findall(pattern, chinese)), pattern


def test_every_picture_in_the_readmes_exists() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        for picture in re.findall(r"\((docs/pictures/[^)]+)\)", (ROOT / name).read_text("utf-8")):
            assert (ROOT / picture).is_file(), picture
