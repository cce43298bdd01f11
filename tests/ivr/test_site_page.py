"""The page of the site: the running menu with its callers, what is open, versions, and the two buttons."""

import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import select
from starlette.requests import Request

from config.runtime import Runtime
from config.settings import Settings
from ivr.app import build
from ivr.service import versions
from ivr.web import site_page
from queues.service.versions import activations, version_in_force
from queues.store.audits import audits
from tests.queues.hotline import Hotline
from tests.queues.web.reader import Door, Reader, text_of

SITES = Path(__file__).parents[2] / "config" / "sites"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The power hotline, in a folder that may be changed."""
    return Path(shutil.copytree(SITES / "power", tmp_path / "sites" / "power"))


@pytest.fixture
def settings(settings: Settings, folder: Path) -> Settings:
    return replace(settings, sites_dir=folder.parent)


@pytest.fixture
async def hotline(runtime: Runtime) -> Hotline:
    return await Hotline(runtime).open()


@pytest.fixture
async def door(runtime: Runtime, hotline: Hotline) -> AsyncIterator[Door]:
    await versions.release(runtime)
    app = build(runtime)
    async with app.router.lifespan_context(app):
        door = Door(app, hotline)
        yield door
        await door.close()


@pytest.fixture
async def boss(door: Door) -> Reader:
    return await door.enter("boss", "supervisor")


def edit(folder: Path, old: str, new: str, file: str = "menu") -> None:
    path = folder / f"{file}.yaml"
    text = path.read_text("utf-8")
    assert old in text, old
    path.write_text(text.replace(old, new, 1), "utf-8")


def folder_version(page: str) -> str:
    return page.partition('name="version" value="')[2].partition('"')[0]


async def test_supervisors_see_it_and_agents_do_not(door: Door, boss: Reader) -> None:
    page = await boss.open("/site")
    assert page.status_code == 200
    assert 'href="/site"' in page.text
    agent = await door.agent()
    assert (await agent.open("/site")).status_code == 403
    assert (await agent.send("/site/reload", {"version": "x"})).status_code == 403
    assert 'href="/site"' not in (await agent.open("/calls")).text


@pytest.mark.parametrize("locale", ["zh", "en"])
async def test_the_page_shows_the_menu_the_hours_and_the_version(
    door: Door, runtime: Runtime, locale: str
) -> None:
    boss = await door.enter(f"boss-{locale}", "supervisor", locale=locale)
    page = await boss.open("/site")
    for name in runtime.site_files.documents["menu"]["nodes"]:
        assert f'id="node-{name}"' in page.text
    said = text_of(page)
    assert {"zh": "文件夹内容就是正在使用的版本", "en": "The folder is what is in force"}[locale] in said
    assert {"zh": "业扩报装 队列 服务中 至 17:30 08:30–17:30", "en": "Connections queue open until 17:30"}[
        locale
    ] in said
    assert runtime.site_files.version in said
    assert "site." not in said  # every sentence is there
    assert "style=" not in page.text
    svg = await boss.open("/site/picture.svg")
    assert svg.headers["Content-Type"].startswith("image/svg+xml")
    assert ET.fromstring(svg.text).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314  our own picture


async def test_callers_are_counted_where_they_are_now_and_where_they_came_today(
    door: Door, boss: Reader, hotline: Hotline, runtime: Runtime
) -> None:
    await boss.open("/site")
    await hotline.arrive("CA1")
    await hotline.arrive("CA2")
    await hotline.switchboard.step_menu(call_id="CA2", node="complaint_menu", step=1)
    await hotline.arrive("CA3")
    await hotline.switchboard.step_menu(call_id="CA3", node="a_node_of_yesterday", step=1)
    await hotline.arrive("CA4")
    await hotline.enqueue("CA4", "connection", "connection")
    await hotline.write_down()
    door.forget()
    live = await seen(door)
    assert live["in_menu"] == 3
    assert live["arrived"] == 4
    assert live["counts"]["line:main"] == [1, 4]
    assert live["counts"]["complaint_menu"] == [1, 1]
    assert live["counts"]["connection"] == [0, 1]
    assert live["elsewhere"] == "其中 1 人在旧版本的其他节点"
    await hotline.switchboard.end_call(call_id="CA2", by="caller")
    await hotline.write_down()
    door.forget()
    assert (await seen(door))["counts"]["complaint_menu"] == [0, 1]
    page = await boss.open("/site")
    assert 'class="count today" data-node="complaint_menu" text-anchor="end">1<' in page.text


async def seen(door: Door) -> dict[str, Any]:
    """The first picture of the stream."""
    request = Request(
        {"type": "http", "app": door.app, "headers": [], "method": "GET", "path": "/site/events"}
    )
    events = site_page.counts(request)
    event = await anext(events)
    await events.aclose()
    found: dict[str, Any] = json.loads(event.data)
    return found


async def test_the_folder_is_taken_after_it_was_read_in_words(
    boss: Reader, runtime: Runtime, folder: Path
) -> None:
    before = runtime.site_files.version
    edit(folder, "tries: 3", "tries: 2")
    page = await boss.open("/site")
    assert "语音菜单的重试次数改为 2（原为 3）" in text_of(page)
    version = folder_version(page.text)
    answer = await boss.send("/site/reload", {"version": version})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/site")
    assert runtime.site_files.version == version != before
    assert await version_in_force(runtime.redis, "power") == version
    newest = (await activations(runtime))[0]
    assert (newest.version, newest.by.startswith("operator")) == (version, False)
    async with runtime.database.read() as connection:
        row = (await connection.execute(select(audits).where(audits.c.action == "site.reloaded"))).one()
    assert (row.subject, row.account_id) == (f"site:{version}", newest.by)
    said = text_of(await boss.open("/site"))
    assert "boss" in said
    assert "1 项变化 语音菜单的重试次数改为 2（原为 3）" in said


async def test_a_folder_that_changed_meanwhile_is_shown_first(
    boss: Reader, runtime: Runtime, folder: Path
) -> None:
    before = runtime.site_files.version
    edit(folder, "tries: 3", "tries: 2")
    version = folder_version((await boss.open("/site")).text)
    edit(folder, "tries: 2", "tries: 4")
    answer = await boss.send("/site/reload", {"version": version})
    assert answer.status_code == 409
    assert "文件夹在此期间又有变化" in text_of(answer)
    assert runtime.site_files.version == before


async def test_a_recorded_prompt_that_changes_while_it_is_taken_is_shown_first(
    boss: Reader, runtime: Runtime, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = folder / "audio" / "hello.wav"
    prompt.parent.mkdir(exist_ok=True)
    prompt.write_bytes(b"RIFF one")
    before, put = runtime.site_files.version, versions.put_in_force

    async def while_it_changes(*given: Any) -> Any:
        prompt.write_bytes(b"RIFF two")
        return await put(*given)

    version = folder_version((await boss.open("/site")).text)
    monkeypatch.setattr(versions, "put_in_force", while_it_changes)
    assert (await boss.send("/site/reload", {"version": version})).status_code == 409
    assert runtime.site_files.version == before


async def test_a_folder_with_faults_is_told_with_its_places(
    boss: Reader, runtime: Runtime, folder: Path
) -> None:
    before = runtime.site_files.version
    edit(folder, "exhausted: agent", "exhausted: agnet")
    page = await boss.open("/site")
    assert "menu.yaml:" in text_of(page)
    assert "是不是“agent”？" in text_of(page)
    assert 'action="/site/reload"' not in page.text
    assert (await boss.send("/site/reload", {"version": before})).status_code == 422
    assert runtime.site_files.version == before


async def test_back_to_an_older_version(boss: Reader, runtime: Runtime, folder: Path) -> None:
    first = runtime.site_files.version
    edit(folder, "tries: 3", "tries: 2")
    await versions.reload(runtime, by="operator")
    page = await boss.open("/site")
    assert f'action="/site/versions/{first}"' in page.text
    assert "命令行" in text_of(page)
    assert (await boss.send(f"/site/versions/{first}", {})).status_code == 303
    assert runtime.site_files.version == first
    assert await version_in_force(runtime.redis, "power") == first
    page = await boss.open("/site")
    assert f'action="/site/versions/{first}"' not in page.text
    assert (await boss.send("/site/versions/ffffffffffff", {})).status_code == 404
    assert (await boss.send(f"/site/versions/{first}", {"csrf": "wrong"})).status_code == 403
