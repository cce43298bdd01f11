"""Rules tried on calls of the past, on a page: what it comes to, and who finds it when somebody dies."""

import csv
import io
import json
import signal
import sys
from asyncio import create_subprocess_exec
from pathlib import Path
from typing import Any

from sqlalchemy import update

from config.jobs import work_off
from config.runtime import Runtime
from config.settings import Settings
from ivr.cli import main
from ivr.service import trials
from ivr.simulation.record import STINT_TYPES, stints_in
from ivr.store import trials as store
from queues.domain.call_records import CallRecord
from queues.domain.journal import Line
from queues.store import calls
from queues.store.audits import audits
from tests.doubles import MONDAY_0900_MS, ManualClock
from tests.installation import environ_of
from tests.ivr.test_site_page import boss, door, edit, folder, hotline, settings
from tests.queues.hotline import CHEN_NUMBER, Hotline
from tests.queues.web.reader import Door, Reader, text_of

__all__ = ["boss", "door", "folder", "hotline", "settings"]

HOUR_MS = 3_600_000
DAY = "2026-11-23"


async def a_morning(hotline: Hotline, clock: ManualClock, *, is_over: bool = True) -> None:
    """王 alone from nine: five calls one after another, and two who come while he talks: one waits, one gives up."""
    for number in range(5):
        await hotline.answered_call(f"CA{number}")
        clock.advance(30_000)
    await hotline.arrive("CAtalk")
    await hotline.enqueue("CAtalk")
    clock.advance(4_000)
    await hotline.answer("CAtalk")
    await hotline.arrive("CAlost", CHEN_NUMBER)
    await hotline.enqueue("CAlost")
    clock.advance(20_000)
    await hotline.arrive("CAkey")
    await hotline.enqueue("CAkey")
    clock.advance(30_000)
    await hotline.end("CAlost")
    clock.advance(60_000)
    await hotline.end("CAtalk")
    clock.advance(10_000)
    await hotline.wrap_up()
    clock.advance(1_000)
    await hotline.answer("CAkey")
    clock.advance(90_000)
    await hotline.end("CAkey")
    await hotline.wrap_up()
    if is_over:
        await hotline.switchboard.set_presence(agent_id="wang", presence="away", reason="meal")
    await hotline.write_down()
    clock.advance(24 * HOUR_MS if is_over else 60_000)


async def a_long_day(runtime: Runtime, count: int = 3_000) -> None:
    """So many calls of the day before, as history keeps them: playing them takes a while."""
    begins_ms = MONDAY_0900_MS - 24 * HOUR_MS
    records = []
    for number in range(count):
        at_ms = begins_ms + number * 10_000
        records.append(
            CallRecord(
                call_id=f"CB{number:05d}", state="ended", outcome="answered", arrived_ms=at_ms, queued_ms=at_ms,
                answered_ms=at_ms + 9_000, offered_ms=at_ms + 4_000, offers=1, ended_ms=at_ms + 190_000,
                wait_ms=9_000, talk_ms=181_000, tier="residential", queue="general", matter="enquiry",
                locale="zh-CN", agent_id="wang",
            )
        )  # fmt: skip
    async with runtime.database.transaction() as connection:
        for start in range(0, count, 500):
            await calls.save(connection, runtime.settings.site, records[start : start + 500])


LONG_DAY = {"day": "2026-11-22", "staff": "number", "agents": "20", "from_hour": "0", "until_hour": "24"}


def form_of(runtime: Runtime, **more: str) -> dict[str, str]:
    version = runtime.site_files.version
    return {"day": DAY, "before": version, "after": version, "staff": "record", "seed": "1", **more}


async def asked(boss: Reader, form: dict[str, str]) -> str:
    await boss.open("/simulate")
    answer = await boss.send("/simulate", form)
    assert answer.status_code == 303, text_of(answer)
    path: str = answer.headers["Location"]
    return path


async def played(hotline: Hotline, boss: Reader, path: str) -> str:
    """By a real worker; how it ended."""
    await work_off(hotline.runtime, [trials.WORK_QUEUE])

    async def is_over() -> bool:
        return (await boss.get(f"{path}/state"))["state"] not in trials.OPEN

    await hotline.until(is_over)
    state: str = (await boss.get(f"{path}/state"))["state"]
    return state


async def result_of(hotline: Hotline, path: str) -> dict[str, Any]:
    rows = await hotline.rows("trials")
    (row,) = [each for each in rows if path.endswith(each["trial_id"])]
    result: dict[str, Any] = json.loads(row["result"])
    return result


async def test_yesterday_is_played_as_it_was_and_under_another_folder(
    door: Door, boss: Reader, hotline: Hotline, clock: ManualClock, folder: Path, tmp_path: Path
) -> None:
    runtime = hotline.runtime
    await a_morning(hotline, clock)
    edit(folder, "after: 20s, to: general", "after: 25s, to: general", "queues")
    site = await boss.open("/site")
    link = site.text.partition('href="/simulate?')[2].partition('"')[0].replace("&amp;", "&")
    form_page = await boss.open(f"/simulate?{link}")
    after = link.rpartition("=")[2]
    assert f'value="{DAY}"' in form_page.text
    assert f'<option value="{after}" selected>' in form_page.text
    assert "昨天 8 通来电" in text_of(form_page)
    assert "trials." not in text_of(form_page)
    path = await asked(boss, form_of(runtime, after=after, more="1"))
    on_its_way = await boss.open(path)
    assert "排队等待" in text_of(on_its_way)
    assert '<noscript><meta http-equiv="refresh"' in on_its_way.text
    assert await played(hotline, boss, path) == "done"

    page = await boss.open(path)
    said = text_of(page)
    assert "trials." not in said
    assert "增加 1 名座席" in said
    assert "7 通已接通，通话时长按实际" in said
    assert "1 通放弃，其耐心已知" in said
    result = await result_of(hotline, path)
    really, before, changed = (result[side]["all"] for side in ("really", "before", "after"))
    assert (really["offered"], really["answered"], really["abandoned"]) == (8, 7, 1)
    assert really["longest_s"] == 101
    assert (before["answered"], before["abandoned"]) == (7, 1)
    assert (changed["answered"], changed["abandoned"]) == (8, 0)
    assert result["really"]["agents"] == result["before"]["agents"] == 1
    assert result["after"]["agents"] == 2
    assert 'href="/calls/CAkey"' in page.text
    assert "+86" not in json.dumps(await hotline.rows("trials", "terms", "result"))

    await same_on_the_command_line(boss, path, tmp_path)
    again = (await boss.send(f"{path}/again", {})).headers["Location"]
    assert again != path
    assert await played(hotline, boss, again) == "done"
    assert await result_of(hotline, again) == result
    other = await door.enter("other", "admin", locale="en")
    assert "As it was, simulated" in text_of(await other.open(path))
    assert path in (await other.open("/simulate")).text
    trail = [row["action"] for row in await hotline.rows(audits.name) if row["action"].startswith("trial.")]
    assert trail == ["trial.asked", "trial.asked"]


async def test_of_a_day_that_is_not_over_nothing_is_told_past_now(
    boss: Reader, hotline: Hotline, clock: ManualClock
) -> None:
    await a_morning(hotline, clock, is_over=False)
    path = await asked(boss, form_of(hotline.runtime))
    assert await played(hotline, boss, path) == "done"
    really = (await result_of(hotline, path))["really"]
    assert really["length_s"] * 1000 == clock.now_ms() - MONDAY_0900_MS + 9 * HOUR_MS
    assert really["occupancy"] > 0.4, "he is there until now, and not until midnight"
    page = text_of(await boss.open(path))
    assert page.count("尚未结束：实际情况只统计到那时") == 1


async def same_on_the_command_line(boss: Reader, path: str, tmp_path: Path) -> None:
    """The tables of the page, given to `shouwen simulate`, come to the same figures."""
    told = await boss.get(f"{path}/result.json")
    words = ["simulate", str(tmp_path / "sites" / "power")]
    for name in ("calls", "agents"):
        table = (await boss.client.get(f"{path}/{name}.csv")).text
        (tmp_path / f"{name}.csv").write_text(table, "utf-8")
        words += [f"--{name}", str(tmp_path / f"{name}.csv")]
    changes = (await boss.client.get(f"{path}/changes.csv")).text.removeprefix("\ufeff")
    assert len(list(csv.DictReader(io.StringIO(changes)))) == len(told["changes"]) > 0
    out = tmp_path / "out.json"
    words += ["--ring", str(told["ring_s"][0]), "--wrap-up", str(told["wrap_up_s"][0])]
    assert main([*words, "--json", str(out)]) == 0
    by_hand = json.loads(out.read_text("utf-8"))
    for name in ("all", "by_tier", "by_queue", "occupancy", "agents"):
        assert by_hand[name] == told[name], name


async def test_what_cannot_be_tried_is_said_at_its_field(
    door: Door, boss: Reader, hotline: Hotline, clock: ManualClock
) -> None:
    await a_morning(hotline, clock)
    await boss.open("/simulate")
    wrong = {
        "day": {"day": "2026-13-40"},
        "until_hour": {"from_hour": "10", "until_hour": "9"},
        "agents": {"staff": "number", "agents": "0"},
        "more": {"more": "many"},
        "seed": {"seed": "-1"},
        "after": {"after": "0123456789ab"},
        "ceiling.key_customer": {"ceiling.key_customer": "5"},
        "head_start.residential": {"head_start.residential": "1.5"},
        "wrap_up_s": {"wrap_up_s": "99999"},
    }
    for name, given in wrong.items():
        answer = await boss.send("/simulate", form_of(hotline.runtime, **given))
        assert answer.status_code == 422, name
        assert f'id="{name}-error"' in answer.text, name
        assert f'href="#{name}"' in answer.text, name
        assert f'value="{given[name]}"' in answer.text, name
    empty = await boss.send("/simulate", form_of(hotline.runtime, day="2026-11-20"))
    assert "这段时间没有来电进入队列" in text_of(empty)
    assert await hotline.rows("trials") == []
    agent = await door.agent()
    for path in ("/simulate", "/simulate/x"):
        assert (await agent.open(path)).status_code == 403
    assert (await agent.send("/simulate", form_of(hotline.runtime))).status_code == 403
    assert (await boss.open("/simulate/x")).status_code == 404


async def test_one_at_a_time_for_each_and_it_can_be_cancelled(
    door: Door, boss: Reader, hotline: Hotline
) -> None:
    """While it waits it is over at once; while it runs its process is stopped, and the next one begins."""
    runtime = hotline.runtime
    await a_long_day(runtime)
    first = await asked(boss, form_of(runtime, **LONG_DAY))
    refused = await boss.send("/simulate", form_of(runtime, **LONG_DAY))
    assert refused.status_code == 409
    await boss.send(f"{first}/cancel", {})
    assert (await boss.get(f"{first}/state"))["state"] == "cancelled"
    await work_off(runtime, [trials.WORK_QUEUE])
    second = await asked(boss, form_of(runtime, **LONG_DAY))
    await work_off(runtime, [trials.WORK_QUEUE])
    assert (await boss.get(f"{second}/state"))["state"] == "running"
    other = await door.enter("other", "supervisor")
    third = await asked(other, form_of(runtime, **LONG_DAY | {"agents": "21"}))
    await work_off(runtime, [trials.WORK_QUEUE])
    assert (await boss.get(f"{third}/state"))["state"] == "waiting"
    await other.send(f"{third}/cancel", {})
    await boss.send(f"{second}/cancel", {})
    assert await played(hotline, boss, second) == "cancelled"
    assert "已取消" in text_of(await boss.open(second))
    trail = [row["action"] for row in await hotline.rows(audits.name) if row["action"].startswith("trial.")]
    assert trail.count("trial.cancelled") == 3


def children_of(pid: int) -> list[int]:
    """Of any of its threads."""
    told = [each.read_text() for each in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(each) for each in " ".join(told).split()]


def is_there(pid: int) -> bool:
    """A process that is over and that nobody has asked about is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_a_worker_that_is_killed_leaves_it_to_be_run_again(
    boss: Reader, hotline: Hotline, settings: Settings
) -> None:
    runtime = hotline.runtime
    await a_long_day(runtime, 800)
    path = await asked(boss, form_of(runtime, **LONG_DAY))
    worker = await create_subprocess_exec(sys.executable, "-m", "ivr", "worker", env=environ_of(settings))

    async def is_under_way() -> bool:
        return (await boss.get(f"{path}/state"))["state"] == "running" and bool(children_of(worker.pid))

    await hotline.until(is_under_way)
    children = children_of(worker.pid)
    assert len(children) == 1
    worker.send_signal(signal.SIGKILL)
    await worker.wait()

    async def is_alone() -> bool:
        return not any(map(is_there, children))

    await hotline.until(is_alone)
    assert await trials.watch_trials(runtime) == 0
    async with runtime.database.transaction() as connection:
        await connection.execute(update(store.trials).values(lease_until_ms=1))
    assert await trials.watch_trials(runtime) == 1
    page = await boss.open(path)
    assert "已中断" in text_of(page)
    assert "请再算一次" in text_of(page)
    again = (await boss.send(f"{path}/again", {})).headers["Location"]
    assert await played(hotline, boss, again) == "done"
    assert (await result_of(hotline, again))["before"]["all"]["offered"] == 800


async def test_a_job_that_is_lost_is_pushed_again_and_old_trials_go(
    boss: Reader, hotline: Hotline, clock: ManualClock
) -> None:
    runtime = hotline.runtime
    await a_morning(hotline, clock)
    path = await asked(boss, form_of(runtime))
    await runtime.jobs.forget(f"trial-{path.rpartition('/')[2]}-1")
    assert await trials.watch_trials(runtime) == 0
    async with runtime.database.transaction() as connection:
        await connection.execute(update(store.trials).values(pushed_ms=0))
    assert await trials.watch_trials(runtime) == 1
    assert await played(hotline, boss, path) == "done"
    assert "只与当天实际情况比较" in text_of(await boss.open(path))
    clock.advance(trials.KEPT_FOR_MS)
    assert await trials.tidy_trials(runtime) == 0
    clock.advance(1)
    assert await trials.tidy_trials(runtime) == 1


def test_an_agent_is_there_from_ready_to_away_with_the_skills_he_then_has() -> None:
    def line(at_s: int, kind: str, **data: Any) -> Line:
        assert kind in STINT_TYPES
        return Line(id=f"{at_s * 1000}-0", type=kind, at_ms=at_s * 1000, agent_id="wang", data=data)

    presence, changed = "agent.presence_changed", "agent.skills_changed"
    lines = [
        line(50, "agent.signed_in", skills="general"),
        line(50, presence, presence="away", skills="general"),
        line(90, presence, presence="ready", skills="general"),
        line(120, presence, presence="wrap_up", skills="general"),
        line(130, changed, skills="general,outage"),
        line(150, presence, presence="away", skills="general,outage"),
        line(170, presence, presence="ready", skills="general,outage"),
        line(300, presence, presence="signed_out", skills="general,outage"),
    ]
    told = [(each.skills, each.from_ms, each.until_ms) for each in stints_in(lines, 100_000, 200_000)]
    assert told == [
        ("general", 100_000, 130_000),
        ("general,outage", 130_000, 150_000),
        ("general,outage", 170_000, None),
    ]
