"""Importing customers by a page: checked as a whole, reported by row, merged when told to, whatever dies meanwhile."""

import asyncio
import re
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError, OperationalError

from config.clock import Clock
from queues.service import customer_index, imports, uploads
from queues.service.customers import forget, search, update_customer
from queues.service.uploads import tidy_uploads, work_off_uploads
from queues.store import uploads as store
from tests.doubles import ManualClock
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
    assert await dead._note(lease_until_ms=1)
    assert await work_off_uploads(runtime) == 1
    assert "检查完毕" in text_of(await boss.open(path))


async def confirmed(boss: Reader, hotline: Hotline) -> uploads.Upload:
    """A table that waits to be merged."""
    path = await sent(boss, GOOD)
    await work_off_uploads(hotline.runtime)
    await boss.send(f"{path}/confirm", {})
    return await found(hotline, path.rpartition("/")[2])


async def found(hotline: Hotline, upload_id: str) -> uploads.Upload:
    upload = await uploads.find_upload(hotline.runtime, upload_id)
    assert upload is not None
    return upload


async def edit(hotline: Hotline) -> None:
    """What a clerk changes after the merge."""
    (file,) = await search(hotline.runtime, "新客户一")
    updated = await update_customer(
        hotline.runtime, file.customer_id, {"capacity_kva": "9"}, by="mei", reason="told us"
    )
    assert updated is not None
    assert len(updated.changes) == 1


async def capacity(hotline: Hotline) -> str:
    (file,) = await search(hotline.runtime, "新客户一")
    return str(file.attributes["capacity_kva"])


async def test_a_live_store_that_is_away_after_the_merge_does_not_undo_what_is_edited_then(
    boss: Reader, hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> int:
        raise ConnectionError

    upload = await confirmed(boss, hotline)
    with monkeypatch.context() as patched:
        patched.setattr(customer_index, "catch_up", away)
        assert await work_off_uploads(hotline.runtime) == 1
    merged = await found(hotline, upload.upload_id)
    assert (merged.state, merged.opened, merged.done) == ("merged", 2, 100.0)
    await edit(hotline)
    assert await work_off_uploads(hotline.runtime) == 0
    assert await capacity(hotline) == "9"


async def test_a_worker_killed_after_the_merge_does_not_undo_what_is_edited_then(
    boss: Reader, hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: Any, **__: Any) -> None:
        raise asyncio.CancelledError

    async def says_nothing(_: uploads.Work) -> None:
        """A killed process releases nothing."""

    upload = await confirmed(boss, hotline)
    with monkeypatch.context() as patched:
        patched.setattr(imports, "show_live", dies)
        patched.setattr(uploads.Work, "_release", says_nothing)
        with pytest.raises(asyncio.CancelledError):
            await work_off_uploads(hotline.runtime)
    merged = await found(hotline, upload.upload_id)
    assert (merged.state, merged.opened, merged.rows) == ("merged", 2, 2)
    await edit(hotline)
    monkeypatch.setattr(uploads.Clock, "real", lambda: ManualClock(2**41))
    assert await work_off_uploads(hotline.runtime) == 0
    assert await capacity(hotline) == "9"


async def test_a_database_that_is_away_leaves_the_step_to_whoever_comes_next(
    boss: Reader, hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> None:
        raise OperationalError("", None, Exception())

    upload = await confirmed(boss, hotline)
    with monkeypatch.context() as patched:
        patched.setattr(uploads, "import_table", away)
        with pytest.raises(OperationalError):
            await work_off_uploads(hotline.runtime)
    assert await work_off_uploads(hotline.runtime) == 1, "nobody waits for the end of the lease"
    assert (await found(hotline, upload.upload_id)).state == "merged"


async def test_a_fault_that_stays_is_told_and_not_tried_for_ever(
    boss: Reader, hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(*_: Any, **__: Any) -> None:
        raise IntegrityError("", None, Exception())

    upload = await confirmed(boss, hotline)
    with monkeypatch.context() as patched:
        patched.setattr(uploads, "import_table", refuses)
        with pytest.raises(IntegrityError):
            await work_off_uploads(hotline.runtime)
    assert (await found(hotline, upload.upload_id)).state == "failed"
    assert files_of(hotline) == []


async def test_who_was_overtaken_merges_nothing_and_leaves_the_file_to_the_other(
    boss: Reader, hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = await confirmed(boss, hotline)
    whole = uploads.import_table

    async def while_another_takes_over(*given: Any, **more: Any) -> Any:
        async with hotline.runtime.database.transaction() as connection:
            await connection.execute(update(store.uploads).values(holder="another", lease_until_ms=1))
        return await whole(*given, **more)

    with monkeypatch.context() as patched:
        patched.setattr(uploads, "import_table", while_another_takes_over)
        first = uploads.Work(hotline.runtime, upload)
        assert await first.run() == 0
    assert await search(hotline.runtime, "新客户一") == []
    assert files_of(hotline) == [upload.upload_id]
    assert await uploads.Work(hotline.runtime, upload).run() == 1
    assert len(await search(hotline.runtime, "新客户一")) == 1
    assert await uploads.Work(hotline.runtime, upload).run() == 0, "what is done is not lent again"


async def test_who_learns_that_he_was_overtaken_stops(
    boss: Reader, hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = await confirmed(boss, hotline)

    async def takes_long(*_: Any, **__: Any) -> Any:
        async with hotline.runtime.database.transaction() as connection:
            await connection.execute(update(store.uploads).values(holder="another"))
        work.done = 7.0
        await asyncio.sleep(60)

    monkeypatch.setattr(uploads, "TELL_EVERY_S", 0.01)
    monkeypatch.setattr(uploads, "import_table", takes_long)
    work = uploads.Work(hotline.runtime, upload)
    async with asyncio.timeout(20):
        assert await work.run() == 0
    assert (await found(hotline, upload.upload_id)).state == "confirmed"


async def test_it_is_told_how_far_it_is_only_when_that_has_changed(
    boss: Reader, hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = await confirmed(boss, hotline)
    noted: list[dict[str, Any]] = []
    note = store.note

    async def counted(*given: Any, **values: Any) -> bool:
        noted.append(values)
        return await note(*given, **values)

    async def takes_a_while(*_: Any, **__: Any) -> Any:
        await asyncio.sleep(0.1)
        work.done = 50.0
        await asyncio.sleep(0.2)
        raise asyncio.CancelledError

    monkeypatch.setattr(uploads, "TELL_EVERY_S", 0.01)
    monkeypatch.setattr(uploads, "import_table", takes_a_while)
    monkeypatch.setattr(store, "note", counted)
    work = uploads.Work(hotline.runtime, upload)
    with pytest.raises(asyncio.CancelledError):
        await work.run()
    assert [each["done"] for each in noted] == [50.0]


async def test_a_lease_left_by_a_clock_set_back_holds_nobody(boss: Reader, hotline: Hotline) -> None:
    upload = await confirmed(boss, hotline)
    async with hotline.runtime.database.transaction() as connection:
        until_ms = Clock.real().now_ms() + 24 * 3_600_000
        await connection.execute(update(store.uploads).values(holder="gone", lease_until_ms=until_ms))
    assert await work_off_uploads(hotline.runtime) == 1
    assert (await found(hotline, upload.upload_id)).state == "merged"


async def test_faults_are_forgotten_a_day_after_the_import_and_with_any_number(
    boss: Reader, hotline: Hotline, clock: Any
) -> None:
    """They quote rows, with names and numbers."""
    for _ in range(2):
        path = await sent(boss, BAD)
        await work_off_uploads(hotline.runtime)
        await boss.send(f"{path}/confirm", {"skip": "yes"})
        await work_off_uploads(hotline.runtime)
    upload = await found(hotline, path.rpartition("/")[2])
    assert (upload.state, "很大" in upload.faults) == ("merged", True)
    assert await tidy_uploads(hotline.runtime) == 0
    clock.advance(25 * 3_600_000)
    assert await tidy_uploads(hotline.runtime) == 2
    assert (await found(hotline, upload.upload_id)).faults == ""

    path = await sent(boss, BAD)
    await work_off_uploads(hotline.runtime)
    assert await forget(hotline.runtime, "13800990001") is not None
    assert (await found(hotline, path.rpartition("/")[2])).faults == ""


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
