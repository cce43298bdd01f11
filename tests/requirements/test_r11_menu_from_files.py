"""R11: swapping two keys in the file and reloading changes the next call; a file with an unknown `goto` is refused
with the node's name. Menus come from configuration alone, in Chinese and English."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from config.runtime import Runtime
from config.settings import Settings
from ivr.commands import end
from ivr.service import versions
from tests.requirements.command_line import shouwen
from tests.traces.hotline import Caller, Heard, Hotline

SITES = Path(__file__).parents[2] / "config" / "sites"
BILLS, CONNECTIONS = "电费咨询座席", "业扩报装座席"
BILLS_EN = "our billing desk"


@pytest.fixture
def menu(tmp_path: Path) -> Path:
    """The power hotline's menu, in a folder of its own."""
    return Path(shutil.copytree(SITES / "power", tmp_path / "sites" / "power")) / "menu.yaml"


@pytest.fixture
def settings(settings: Settings, menu: Path) -> Settings:
    return replace(settings, sites_dir=menu.parent.parent)


@pytest.fixture
async def hotline(runtime: Runtime) -> AsyncIterator[Hotline]:
    """A front door that follows what is put in force."""
    assert (released := await shouwen(runtime, "release")).code == 0, released.err
    following = asyncio.create_task(versions.follow(runtime))
    yield Hotline.of(runtime)
    await end(following)


def swap(menu: Path, one: str, other: str) -> None:
    """Where two keys of a menu lead."""
    text = menu.read_text("utf-8")
    assert one in text
    assert other in text
    menu.write_text(text.replace(one, "@", 1).replace(other, one, 1).replace("@", other, 1), "utf-8")


def misspell(menu: Path, right: str, wrong: str) -> int:
    """The line of it."""
    text = menu.read_text("utf-8")
    menu.write_text(text.replace(right, wrong, 1), "utf-8")
    return text[: text.index(right)].count("\n") + 1


async def at_main_menu(hotline: Hotline, call_id: str, keys: str = "") -> tuple[Caller, Heard]:
    caller = hotline.caller(call_id, from_=f"+8613911112{len(hotline.commands):03d}")
    heard = await caller.dial()
    for key in keys:
        heard = await caller.press(heard, key)
    return caller, heard


async def test_swapped_keys_lead_the_next_call_elsewhere(
    hotline: Hotline, runtime: Runtime, menu: Path
) -> None:
    under_way, asked = await at_main_menu(hotline, "CA1")
    before, heard = await at_main_menu(hotline, "CA2")
    assert BILLS in (await before.press(heard, "2")).said

    swap(menu, "goto: billing}", "goto: connection}")
    told = await shouwen(runtime, "reload", "--language", "en")
    assert told.code == 0, told.err
    assert "key 2 in main_menu now leads to connection (was: billing)" in told.out
    assert "key 3 in main_menu now leads to billing (was: connection)" in told.out

    after, heard = await at_main_menu(hotline, "CA3")
    assert CONNECTIONS in (await after.press(heard, "2")).said
    english, heard = await at_main_menu(hotline, "CA4", keys="9")
    assert BILLS_EN in (await english.press(heard, "3")).said
    assert BILLS in (await under_way.press(asked, "2")).said, "a call keeps the words it began with"


async def test_an_unknown_goto_is_refused_with_the_node(
    hotline: Hotline, runtime: Runtime, menu: Path
) -> None:
    line = misspell(menu, "goto: complaint_menu}", "goto: complaints_menu}")
    for words in (["check", str(menu.parent)], ["reload"]):
        said = await shouwen(runtime, *words)
        assert said.code == 1
        assert f"menu.yaml:{line} nodes.main_menu.options" in said.err
        assert "there is no node named 'complaints_menu'; did you mean 'complaint_menu'?" in said.err
    caller, heard = await at_main_menu(hotline, "CA1")
    assert "投诉与建议请按1" in (await caller.press(heard, "5")).said
