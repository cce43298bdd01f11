"""Exploring the figures: each picture's count is the count of the calls it leads to; views are kept; who may read."""

import csv
import datetime as dt
import html
import io
import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest

from config.web.assets import TAKEN
from queues.domain.metrics import CARDS
from queues.service.audits import of_subject
from tests.queues import past_calls
from tests.queues.hotline import Hotline
from tests.queues.past_calls import Past
from tests.queues.web.reader import Door, Reader, text_of

MONDAY_MS = round(dt.datetime.fromisoformat("2026-11-16T00:00:00+08:00").timestamp() * 1000)
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
WAITS = (2, 4.2, 11, 19.5, 20, 33, 61, 240)
LINK = re.compile(r'<a href="(/calls\?[^"]*)"[^>]*>([\d,]+)</a>')


def a_week_of_calls() -> list[Past]:
    """A Monday to a Monday: two queues; every third gives up; Mondays at nine are busiest.

    The last evening fills more than a page of any list, so that whoever looks there alone misses the others.
    """
    found = []
    for day in range(8):
        for number in range(6 if day % 7 else 10):
            hour = 9 if number % 2 else 14 + number // 4
            found.append(
                Past(
                    at_ms=MONDAY_MS + day * DAY_MS + hour * HOUR_MS + number * 400_000,
                    wait_s=WAITS[(number + day) % len(WAITS)],
                    agent_id="" if number % 3 == 2 else "wang",
                    queue="general" if number % 4 else "outage",
                    tier="key_customer" if number == 1 else "residential",
                )
            )
    evening_ms = MONDAY_MS + 7 * DAY_MS + 20 * HOUR_MS
    many = [
        Past(at_ms=evening_ms + number * 60_000, wait_s=4.2, agent_id="wang", queue="complaint")
        for number in range(60)
    ]
    return found + many


@pytest.fixture
async def boss(door: Door) -> Reader:
    return await door.enter("boss", "supervisor")


async def count_of(reader: Reader, href: str) -> int:
    """How many calls the list has, all its pages; the page says the same."""
    path, listed = html.unescape(href), 0
    said = None
    while path:
        page = await reader.open(path)
        assert page.status_code == 200, path
        said = said or re.search(r"共 (\d+) 通", text_of(page))
        listed += len(set(re.findall(r'href="/calls/(CA\d+)"', page.text)))
        older = re.search(r'rel="next" href="([^"]*)"', page.text)
        path = html.unescape(older[1]) if older else ""
    assert said is not None
    assert int(said[1]) == listed
    return listed


async def table(reader: Reader, path: str) -> list[dict[str, str]]:
    answer = await reader.client.get(path)
    assert (answer.status_code, answer.content[:3]) == (200, b"\xef\xbb\xbf"), path
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def test_every_point_of_every_picture_leads_to_as_many_calls(boss: Reader, hotline: Hotline) -> None:
    past = a_week_of_calls()
    await past_calls.write(hotline.runtime, past)
    days = "from=2026-11-16&until=2026-11-23"

    course = await boss.open(f"/figures?{days}")
    (series,) = re.findall(r'<table class="[^"]*figures-series".*?</table>', course.text, re.DOTALL)
    by_day = [[int(count) for _, count in LINK.findall(row)] for row in series.split("<tr>")[2:]]
    assert [row[0] for row in by_day] == [10, 6, 6, 6, 6, 6, 6, 70]
    assert sum(row[2] for row in by_day) == sum(bool(each.agent_id) for each in past)
    for href, number in LINK.findall(series)[:8]:
        assert await count_of(boss, href) == int(number), href
    told = await table(boss, f"/figures/course.csv?{days}")
    assert [[int(row[name]) for name in ("来电", "请求人工", "接起", "放弃")] for row in told] == [
        row if len(row) == 4 else [*row[:2], *([row[2]] if row[2:] else [0]), 0] for row in by_day
    ]
    (finer,) = re.findall(r'<a href="(/figures\?from=2026-11-16&amp;until=2026-11-16)">', series)
    quarters = (await boss.open(html.unescape(finer))).text
    found = [link for link in LINK.findall(quarters) if "quarter=" in link[0] and "of=N" in link[0]]
    assert sum(int(number) for _, number in found) == 10
    for href, number in found[:3]:
        assert await count_of(boss, href) == int(number), href

    for measure, of in (("arrived", "N"), ("level", "O"), ("longest", "O"), ("mean", "A")):
        week = (await boss.open(f"/figures/week?{days}&queue=general&measure={measure}")).text
        (heat,) = re.findall(r'<table class="figures-heat".*?</table>', week, re.DOTALL)
        cells = re.findall(r'<a href="([^"]*)"[^>]*>([^<]+)</a>', heat)
        assert all(f"of={of}&amp;hour=" in href for href, _ in cells)
        at_nine = [each for each in past if each.queue == "general" and each.at_ms % DAY_MS // HOUR_MS == 1]
        mondays = [each for each in at_nine if (each.at_ms - MONDAY_MS) // DAY_MS in (0, 7)]
        href = next(href for href, _ in cells if "hour=1-09" in href)
        expected = len(mondays) if of != "A" else sum(bool(each.agent_id) for each in mondays)
        assert await count_of(boss, href) == expected > 5
        if measure == "arrived":
            assert dict(cells)[href] == str(expected)
            assert sum(int(number) for _, number in cells) == sum(each.queue == "general" for each in past)
    told = await table(boss, f"/figures/week.csv?{days}")
    assert len(told) == 168
    assert sum(int(row["来电"]) for row in told) == len(past)

    waits = (await boss.open(f"/figures/waits?{days}")).text
    bars = [link for link in LINK.findall(waits) if "waited=" in link[0]]
    for symbol in ("A", "B"):
        own = [(href, int(number)) for href, number in bars if f"of={symbol}&" in html.unescape(href)]
        assert sum(number for _, number in own) == sum(
            bool(each.agent_id) == (symbol == "A") for each in past
        )
        for href, number in own:
            assert await count_of(boss, href) == number, href
    told = await table(boss, f"/figures/waits.csv?{days}")
    assert [row["等待（秒）"] for row in told] == ["2", "5", "11", "20", "33", "61", "240"], (
        "seconds are rounded up"
    )
    assert int(told[0]["等到此时的通数"]) == len(past)

    agents = (await boss.open(f"/figures/agents?{days}&agent=wang")).text
    his = dict(re.findall(r'<a href="(/calls\?[^"]*agent=wang[^"]*)">([\d,]+)</a>', agents))
    answered = sum(bool(each.agent_id) for each in past)
    assert {int(number) for number in his.values()} == {answered}
    for href in his:
        assert await count_of(boss, href) == answered, href
    text = text_of(await boss.open(f"/figures/agents?{days}&agent=wang"))
    assert "平均处理时长 0:50" in text
    (row,) = await table(boss, f"/figures/agents.csv?{days}")
    assert (row["座席编号"], row["分配"], row["通话（秒）"]) == ("wang", str(answered), str(answered * 40))


async def test_a_view_is_saved_shared_opened_and_dropped_by_its_owner_and_moves_with_the_calendar(
    door: Door, boss: Reader, hotline: Hotline, clock: Any
) -> None:
    await past_calls.write(hotline.runtime, a_week_of_calls())
    page = await boss.open("/figures/week?span=last_week&queue=general&measure=level&said=gone&nonsense=1")
    assert 'name="from" value="2026-11-16"' in page.text
    assert "span=last_week" in page.text
    query = html.unescape(re.search(r'name="query" value="([^"]*)"', page.text)[1])  # type: ignore[index]
    assert query == "span=last_week&queue=general&measure=level"
    form = {"page": "week", "query": f"{query}&evil=1", "name": "  上周 <b>各时段</b> ", "is_shared": "yes"}
    kept = await boss.send("/figures/views", form)
    assert (kept.status_code, kept.headers["Location"]) == (303, f"/figures/week?{query}&said=saved")
    again = await boss.send("/figures/views", form)
    assert again.headers["Location"].endswith("said=taken"), "what it stands for does not change unasked"
    assert (await boss.send("/figures/views", {**form, "name": " "})).headers["Location"].endswith("no_name")
    for wrong in ({"page": "//evil"}, {"query": "&".join(["a=1"] * 20)}):
        assert (await boss.send("/figures/views", {**form, **wrong})).status_code == 422, wrong

    reviewer = await door.enter("reviewer", "qa")
    page = await reviewer.open("/figures")
    (href,) = re.findall(r'<li><a href="([^"]*)">上周 &lt;b&gt;各时段&lt;/b&gt;</a>', page.text)
    assert "boss 共享" in text_of(page)
    clock.advance(7 * DAY_MS)
    page = await reviewer.open(html.unescape(href))
    assert 'name="from" value="2026-11-23"' in page.text, "last week is another week by now"
    (view_id,) = re.findall(r"/figures/views/(\w+)/drop", (await boss.open("/figures")).text)
    drop = f"/figures/views/{view_id}/drop"
    for wrong in ("/figures?" + "&".join(["a=1"] * 20), "http://[half"):
        assert (await boss.send(drop, {"back": wrong})).status_code == 422, wrong
    back = {"back": f"/figures/week?{query}"}
    assert (await reviewer.send(drop, back)).headers["Location"].endswith("said=gone")
    assert (await boss.send(drop, back)).headers["Location"] == f"/figures/week?{query}&said=dropped"
    assert (await boss.send(drop, {"back": "https://evil.example/figures"})).headers[
        "Location"
    ] == "/figures?said=gone"
    assert "各时段" not in text_of(await boss.open("/figures"))
    told = await of_subject(hotline.runtime, "上周 <b>各时段</b>")
    assert [(each["action"], json.loads(each["detail"] or "{}").get("shared")) for each in told] == [
        ("view.saved", True),
        ("view.dropped", None),
    ]


async def test_pages_stand_without_calls_and_without_the_library_and_are_for_their_readers(
    door: Door, boss: Reader, hotline: Hotline, tmp_path: Any
) -> None:
    pages = ("", "/week", "/week?measure=level", "/waits", "/agents", "/agents?agent=nobody")
    for locale in ("zh", "en"):
        await boss.speak(locale)
        for page in pages:
            answer = await boss.open(f"/figures{page}")
            assert answer.status_code == 200, page
            assert not re.search(r"\bfigures\.[a-z_]+", text_of(answer)), page
    agent = await door.agent()
    for path in (*pages, "/course.csv", "/week.csv", "/waits.csv", "/agents.csv"):
        assert (await agent.open(f"/figures{path}")).status_code == 403, path
    assert (await agent.send("/figures/views", {"page": "", "name": "x"})).status_code == 403
    for behind in ("of=A&agent=li", "of=A&waited=0-5", "of=N&hour=1-09", "of=B", "of=nobody"):
        assert (await agent.open(f"/calls?{behind}")).status_code == 403, f"{behind}: figures by another way"
    assert (await agent.open("/calls?agent=li")).status_code == 200
    for wrong in ("span=never", "span=week&from=soon", "from=2026-11-30&until=2026-11-01"):
        assert (await boss.open(f"/figures/week?{wrong}")).status_code == 422
    for wrong in (
        "hour=8-09",
        "hour=x",
        "quarter=1",
        "quarter=9" * 2,
        "quarter=9" + "0" * 14,
        "waited=a-b",
        "waited=-",
    ):
        assert (await boss.open(f"/calls?of=N&{wrong}")).status_code == 422, wrong

    await past_calls.write(hotline.runtime, a_week_of_calls())
    await boss.speak("en")
    statics = door.app.state.templates.static.all_directories
    for year in ("?span=year", "?from=2026-11-16&until=2026-11-16"):
        statics[:] = [each for each in statics if "vendor" not in str(each)]
        page = (await boss.open(f"/figures{year}")).text
        (told,) = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL) or ["{}"]
        assert ("uPlot" in page) == (told != "{}")
    vendor = tmp_path / "vendor"
    vendor.mkdir()
    for name in TAKEN.values():
        (vendor / name).write_text("")
    before = list(statics)
    statics[:] = [tmp_path]
    page = (await boss.open("/figures?from=2026-11-16&until=2026-11-23")).text
    assert '<script src="/static/vendor/uPlot.iife.min.js" defer>' in page
    (told,) = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    drawn = json.loads(told)
    assert drawn["labels"][0] == "16 Nov"
    assert [chart["id"] for chart in drawn["charts"]] == ["counts", "level", "waits"]
    assert drawn["charts"][0]["lines"][0]["values"] == [10, 6, 6, 6, 6, 6, 6, 70]
    assert all(len(line["values"]) == 8 for chart in drawn["charts"] for line in chart["lines"])
    (vendor / "uPlot.iife.min.js").unlink()
    page = (await boss.open("/figures?from=2026-11-16&until=2026-11-23")).text
    assert "uPlot" not in page
    assert '<details class="figures-numbers" open>' in page, "the table is all there is, and stands open"
    statics[:] = before
    assert "style=" not in page
    assert urlencode({"of": "asa"}) not in page
    assert CARDS["asa"].formula.printed in page
