"""R109: what is exported is in UTF-8, opens with correct Chinese, and its columns follow the agreed form.

The form stands in docs/figures.md and docs/figures.zh-CN.md: programs and people's own sheets go by it.
"""

import csv
import datetime as dt
import io
import re
from collections.abc import AsyncIterator

import pytest

from config.runtime import Runtime
from ivr.app import build
from queues.domain.metrics import CARDS
from queues.service.people import Agent, save_agents
from tests.house.places import ROOT
from tests.queues import past_calls
from tests.queues.hotline import Hotline
from tests.queues.past_calls import Past
from tests.queues.web.reader import Door

MONDAY_MS = round(dt.datetime.fromisoformat("2026-11-23T00:00:00+08:00").timestamp() * 1000)
DAYS = "from=2026-11-23&until=2026-11-23"
PAGES = {"zh": "docs/figures.zh-CN.md", "en": "docs/figures.md"}
FORM = re.compile(r"^\| `(/[a-z/]+\.csv)` \| [^|]* \| (.*) \|$", re.MULTILINE)
NAME = '=cmd|"/c calc"!A1'


@pytest.fixture
async def door(runtime: Runtime) -> AsyncIterator[Door]:
    hotline, app = await Hotline(runtime).open(), build(runtime)
    async with app.router.lifespan_context(app):
        door = Door(app, hotline)
        yield door
        await door.close()


def agreed(locale: str) -> dict[str, list[str]]:
    """The columns of each table, as the page of the docs in this language has them."""
    found = FORM.findall((ROOT / PAGES[locale]).read_text("utf-8"))
    return {path: columns.split(" · ") for path, columns in found}


@pytest.mark.parametrize("locale", ["zh", "en"])
async def test_every_table_is_utf8_with_the_agreed_columns_and_computes_nothing(
    door: Door, locale: str
) -> None:
    runtime = door.hotline.runtime
    await save_agents(runtime, [Agent(agent_id="li", name=NAME, skills=("general",), endpoint="client:li")])
    await past_calls.write(
        runtime,
        [
            Past(at_ms=MONDAY_MS, wait_s=12.2, agent_id="wang"),
            Past(at_ms=MONDAY_MS + 3_600_000, wait_s=7, agent_id="li", queue="complaint"),
            Past(at_ms=MONDAY_MS + 7_200_000, wait_s=60),
        ],
    )
    boss = await door.enter("boss", "supervisor", locale=locale)
    form = agreed(locale)
    pages = (
        "/figures",
        *(f"/figures/{each}" for each in ("course", "week", "waits", "agents")),
        "/abandoned",
    )
    assert set(form) == {f"{each}.csv" for each in pages}
    tables = {}
    for path, columns in form.items():
        answer = await boss.client.get(f"{path}?{DAYS}")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.content.startswith(b"\xef\xbb\xbf"), "by this Excel knows that it is UTF-8"
        heading, *tables[path] = csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
        assert heading == columns, path
        assert all(len(row) == len(heading) for row in tables[path]), path
        assert not any(re.match(r"[=+@\t\r\n]|-\D", cell) for row in tables[path] for cell in row), path
    words = door.app.state.templates.words
    told = {(row[2], row[3]): (row[4], row[6]) for row in tables["/figures.csv"]}
    asa = words(locale, "figures.card.asa.name")
    queue = {"zh": "投诉举报", "en": "Complaints and reports"}[locale]
    assert told[queue, asa] == ("7.0", CARDS["asa"].formula.printed)
    assert {row[3] for row in tables["/figures/agents.csv"]} == {"王敏", f"'{NAME}"}
    assert [row[0] for row in tables["/figures/waits.csv"]] == ["7", "13", "60"]
    hours = [row for row in tables["/figures/week.csv"] if row[2] != "0"]
    monday = {"zh": "星期一", "en": "Monday"}[locale]
    assert [(row[0], row[1], row[2]) for row in hours] == [(monday, f"0{n}:00", "1") for n in range(3)]
    assert sum(int(row[3]) for row in tables["/figures/course.csv"]) == 3
