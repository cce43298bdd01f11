"""The guide's small hotline is a real one: its files, as they stand on the page, make a site without faults."""

import re
from pathlib import Path

import pytest

from config import site_files
from ivr.domain.menus import load_menu
from queues.domain.plan import load_plan
from tests.house.places import ROOT

BLOCK = re.compile(r"```yaml\n# ([a-z]+)\.yaml\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("page", ["sites.md", "sites.zh-CN.md"])
def test_the_hotline_of_the_guide_has_no_faults(page: str, tmp_path: Path) -> None:
    blocks = BLOCK.findall((ROOT / "docs" / page).read_text("utf-8"))
    assert {name for name, _ in blocks} == {
        "site", "menu", "queues", "customers", "calendars", "tickets", "quality"
    }  # fmt: skip
    for name, text in blocks:
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    files = site_files.read(tmp_path)
    plan = load_plan(files)
    menu = load_menu(files, plan)
    assert menu.nodes["welcome"]
    assert plan.calendars["office"]
