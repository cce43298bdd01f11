"""Importing customers by a page: checked as a whole, reported by row, merged when told to, whatever dies meanwhile."""

import re
from typing import Any

import pytest

from queues.service import uploads
from queues.service.customers import search
from queues.service.uploads import tidy_uploads, work_off_uploads
from tests.queues.hotline import Hotline
from tests.queues.web.reader import Door, Reader, text_of

GOOD = (
    "户号,名称,电话,用电类别,用电地址,用电容量（千伏安）,年用电量（千瓦时）,高危重点客户\n"
    "0099000001,新客户一,13800990001,居民,东湖路1号,8,2400,否\n"
    '0099000002,新客户二,0571-8899 0002,非居民,东湖路2号,630,"1,200,000",否\n'
)
BAD = GOOD.replace(",8,2400", ",很大,2400")


@pytest.fixture
async def boss(door: Door) -> Reader:
    return await door.enter("boss", "supervisor")


async def sent(boss: Reader, text: str, name: str = "客户.csv") -> str:
    answer = await boss.client.post(
        "/customers/import",
        data={"csrf": boss.csrf},
        files={"file": (name, text.encode())},
        headers={"Accept": "text/html"},
    )
    assert answer.status_code == 303, text_of(answer)
    path: str = answer.headers["Location"]
    return path


def files_of(hotline: Hotline) -> list[str]:
    return [each.name for each in (hotline.runtime.settings.state_dir / "uploads").glob("*")]


async def test_a_table_is_checked_first_and_merged_when_told_to(boss: Reader, hotline: Hotline) -> None:
    path = await sent(boss, GOOD)
    waiting = await boss.open(path)
    assert "正在检查" in text_of(waiting)
    assert '<progress class="upload-bar"' in waiting.text
    assert '<noscript><meta http-equiv="refresh"' in waiting.text
    assert await work_off_uploads(hotline.runtime) == 1
    checked = text_of(await boss.open(path))
    assert "检查完毕，等待确认" in checked
    assert "行数 2 新建 2 变更 0 不变 0 有误 0" in checked
    assert await search(hotline.runtime, "新客户一") == []
    assert (await boss.send(f"{path}/confirm", {})).status_code == 303
    assert await boss.get(f"{path}/state") == {"state": "confirmed", "done": 0.0}
    assert await work_off_uploads(hotline.runtime) == 1
    assert "已全部写入" in text_of(await boss.open(path))
    (found,) = await search(hotline.runtime, "0571 8899 0002")
    assert found.name == "新客户二"
    assert files_of(hotline) == []


async def test_faulty_rows_are_reported_and_nothing_is_written(boss: Reader, hotline: Hotline) -> None:
    path = await sent(boss, BAD)
    await work_off_uploads(hotline.runtime)
    page = text_of(await boss.open(path))
    assert "有错误，未写入" in page
    assert "2 0099000001 用电容量（千伏安） “很大”不是数字" in page
    assert (await boss.send(f"{path}/confirm", {})).status_code == 303
    assert await work_off_uploads(hotline.runtime) == 0
    assert (await boss.send(f"{path}/confirm", {"skip": "yes"})).status_code == 303
    await work_off_uploads(hotline.runtime)
    assert await search(hotline.runtime, "新客户一") == []
    assert len(await search(hotline.runtime, "新客户二")) == 1


async def test_a_table_without_known_columns_says_which(boss: Reader, hotline: Hotline) -> None:
    path = await sent(boss, "户号,鞋码\n1,42\n")
    await work_off_uploads(hotline.runtime)
    page = text_of(await boss.open(path))
    assert "没有名为“鞋码”的栏目" in page
    assert "跳过有误的行" not in page


async def test_what_is_no_table_is_said_to_be_none(boss: Reader, hotline: Hotline) -> None:
    path = await sent(boss, "\x00\x01\x02", "picture.csv")
    await work_off_uploads(hotline.runtime)
    assert "无法处理" in text_of(await boss.open(path))
    assert files_of(hotline) == []


async def test_without_a_file_the_form_says_so(boss: Reader) -> None:
    await boss.open("/customers/import")
    answer = await boss.client.post(
        "/customers/import",
        data={"csrf": boss.csrf},
        files={"file": ("", b"")},
        headers={"Accept": "text/html"},
    )
    assert answer.status_code == 422
    assert "请选择一张表" in text_of(answer)


async def test_a_worker_that_died_leaves_the_step_to_the_next(boss: Reader, hotline: Hotline) -> None:
    """Its lease runs out; the file on disk is still there."""
    runtime = hotline.runtime
    path = await sent(boss, GOOD)
    upload = await uploads.find_upload(runtime, path.rpartition("/")[2])
    assert upload is not None
    dead = uploads.Work(runtime, upload, holder="dead")
    assert await dead._hold()
    assert await work_off_uploads(runtime) == 0
    await dead._note(lease_until_ms=0)
    assert await work_off_uploads(runtime) == 1
    assert "检查完毕" in text_of(await boss.open(path))


async def test_the_same_table_again_changes_nothing(boss: Reader, hotline: Hotline) -> None:
    for _ in range(2):
        path = await sent(boss, GOOD)
        await work_off_uploads(hotline.runtime)
        await boss.send(f"{path}/confirm", {})
        await work_off_uploads(hotline.runtime)
    again = await sent(boss, GOOD)
    await work_off_uploads(hotline.runtime)
    page = text_of(await boss.open(again))
    assert "与现有资料相同" in page
    assert (await boss.send(f"{again}/discard", {})).status_code == 303
    assert "已放弃" in text_of(await boss.open("/customers/import"))


async def test_a_table_nobody_decides_about_is_thrown_away(
    boss: Reader, hotline: Hotline, clock: Any
) -> None:
    await sent(boss, GOOD)
    await work_off_uploads(hotline.runtime)
    assert await tidy_uploads(hotline.runtime) == 0
    clock.advance(25 * 3_600_000)
    assert await tidy_uploads(hotline.runtime) == 1
    assert files_of(hotline) == []


async def test_the_empty_table_has_every_heading_and_is_understood(boss: Reader, hotline: Hotline) -> None:
    table = await boss.open("/customers/import/table.csv")
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert table.text.startswith("\ufeff户号,名称,电话")
    path = await sent(boss, table.text + "1,某某\r\n")
    await work_off_uploads(hotline.runtime)
    assert "没有名为" not in text_of(await boss.open(path))


async def test_words_are_there_in_both_languages(door: Door, hotline: Hotline) -> None:
    boss = await door.enter("boss", "supervisor", locale="en")
    path = await sent(boss, BAD)
    for _ in range(2):
        page = text_of(await boss.open(path))
        assert not re.search(r"\b(customers|tiers|imports)\.[a-z_.]+\b", page), page
        await work_off_uploads(hotline.runtime)
    assert "'很大' is not a number such as 1999.9" in page
