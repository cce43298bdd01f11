"""A whole house of people on the real exchange: who calls, who answers, and the count of it."""

import asyncio
import contextlib
import itertools
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from ivr.standin import people
from ivr.standin.agents import DEEDS
from ivr.standin.app import build
from ivr.standin.exchange import Exchange
from ivr.standin.options import Options
from ivr.standin.people import People
from ivr.standin.phone.page import HERE, masked
from ivr.standin.scenario import ScenarioError, read_scenario
from tests.standin.people_hotline import CALLER, HOTLINE, Hotline, open_hotline

CONNECT = '<Dial timeout="20"><Client>{agent}</Client></Dial><Say>再见。</Say>'


@pytest.fixture
async def hotline() -> AsyncIterator[Hotline]:
    async with open_hotline() as hotline:
        yield hotline


def calling(at_ms: int = 0, **wishes: object) -> dict[str, object]:
    return {"from": CALLER, "to": HOTLINE, "at_ms": at_ms, "keys": ["0"], "tier": "residential", **wishes}


def agent(identity: str = "agent01", **habits: object) -> dict[str, object]:
    return {"name": identity, "password": "", "identity": identity, "habits": {"spread": 0, **habits}}


async def play(hotline: Hotline, **scenario: object) -> dict[str, Any]:
    """The day to its end; what its people count."""
    house = People(hotline.exchange, hotline.clock, read_scenario(scenario))
    life = asyncio.create_task(house.run())
    try:
        async with asyncio.timeout(60):
            while not house.is_over and not life.done():
                await asyncio.sleep(0.02)
        return house.tally()
    finally:
        life.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await life


def counted(tally: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: tally[name] for name in names}


async def test_a_day_ends_with_everybody_accounted_for(hotline: Hotline) -> None:
    hotline.documents["/menu"] = lambda form: (
        CONNECT.format(agent="agent01")
        if form["Digits"] == "0"
        else '<Enqueue waitUrl="/wait">power</Enqueue>'
    )
    tally = await play(
        hotline,
        calls=[
            calling(0, talk_ms=10_000),
            calling(2_000, keys=["1"], patience_ms=8_000, tier="key_customer"),
            calling(3_000, menu_ms=2_000, keys=[]),
            calling(90_000, talk_ms=5_000),
        ],
        agents=[agent(answers_after_ms=2_000, wrap_up_ms=1_000)],
    )
    agents = tally.pop("agents")
    assert counted(tally, "planned", "dialled", "arrived", "answered", "abandoned", "in_menu_hangups") == {
        "planned": 4, "dialled": 4, "arrived": 4, "answered": 2, "abandoned": 1, "in_menu_hangups": 1,
    }  # fmt: skip
    assert counted(tally, "queued", "still_on_line", "application_errors", "finished") == {
        "queued": 1, "still_on_line": 0, "application_errors": 0, "finished": True,
    }  # fmt: skip
    assert list(tally["by_tier"]) == ["key_customer"]
    assert agents == {
        "signed_in": 1, "rang": 2, "answered": 2, "connected": 2, "missed": 0, "declined": 0,
        "rang_while_busy": 0, "troubles": [], **dict.fromkeys(DEEDS, 0),
    }  # fmt: skip


async def test_an_agent_misses_declines_and_ends_the_talk_as_is_his_habit(hotline: Hotline) -> None:
    agents = [
        agent("agent01", miss_share=1),
        agent("agent02", decline_share=1),
        agent("agent03", talk_ms=6_000, answers_after_ms=500),
    ]
    hotline.documents["/menu"] = "".join(
        CONNECT.format(agent=name).replace("<Say>再见。</Say>", "")
        for name in ("agent01", "agent02", "agent03")
    )
    tally = await play(hotline, calls=[calling(ends_talk=False)], agents=agents)
    assert counted(tally["agents"], "rang", "missed", "declined", "connected") == {
        "rang": 3, "missed": 1, "declined": 1, "connected": 1,
    }  # fmt: skip
    assert counted(tally, "answered", "finished") == {"answered": 1, "finished": True}


async def test_the_period_ends_the_dialling_and_the_house_empties(hotline: Hotline) -> None:
    calls = [calling(at_ms, keys=["1"], patience_ms=5_000) for at_ms in (0, 10_000, 60_000, 70_000)]
    tally = await play(hotline, calls=calls, until_ms=50_000)
    assert counted(tally, "planned", "dialled", "abandoned", "still_on_line", "finished") == {
        "planned": 4, "dialled": 2, "abandoned": 2, "still_on_line": 0, "finished": True,
    }  # fmt: skip


async def test_a_house_that_is_full_lets_callers_wait_their_turn(hotline: Hotline) -> None:
    calls = [calling(0, keys=["1"], patience_ms=3_000) for _ in range(4)]
    tally = await play(hotline, calls=calls, callers_max=1)
    assert counted(tally, "dialled", "abandoned") == {"dialled": 4, "abandoned": 4}
    assert len(hotline.exchange.calls) == 4
    spans = sorted((call.created_ms, call.ended_ms or 0) for call in hotline.exchange.calls.values())
    assert all(ended_ms <= dialled_ms for (_, ended_ms), (dialled_ms, _) in itertools.pairwise(spans))


async def test_a_caller_who_would_never_leave_is_ended_by_the_drain(hotline: Hotline) -> None:
    tally = await play(hotline, calls=[calling(keys=["1"])], drain_ms=20_000)
    assert counted(tally, "abandoned", "still_on_line", "finished") == {
        "abandoned": 1, "still_on_line": 0, "finished": True,
    }  # fmt: skip


async def test_a_scenario_that_cannot_be_played_is_refused_before_anybody_dials(hotline: Hotline) -> None:
    with pytest.raises(ScenarioError, match=r"people\.calls\.0\.to: Field required"):
        await people.run(hotline.exchange, hotline.clock, {"calls": [{"from": CALLER}]})
    assert people.people_of(hotline.exchange) is None


def test_the_phone_page_offers_customers_with_their_numbers_hidden_and_the_count_is_open() -> None:
    exchange = Exchange(Options("AC" + "0" * 32, "token"))
    app = build(exchange, more_routes=people.people_routes())
    with TestClient(app) as client:
        page = client.get("/phone")
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert client.get("/phone/static/phone.js").status_code == 200
        tally = client.get("/standin/tally").json()
        assert counted(tally, "planned", "still_on_line", "finished") == {
            "planned": 0, "still_on_line": 0, "finished": False,
        }  # fmt: skip
        assert client.post("/standin/arrivals/stop").status_code == 204
    assert masked("+8613800138000") == "+86138****8000"


def test_the_phone_says_everything_in_both_languages() -> None:
    words = (HERE / "static" / "words.js").read_text(encoding="utf-8")
    chinese, english = (
        set(re.findall(r'"([\w.-]+)": "', part))
        for part in words.partition("export const WORDS")[2].split("\n  en: {")
    )
    page = (HERE / "phone.html").read_text(encoding="utf-8")
    script = (HERE / "static" / "phone.js").read_text(encoding="utf-8")
    used = set(re.findall(r'data-t(?:-\w+)?="([\w.]+)"', page)) | set(re.findall(r'\bt\("([\w.-]+)"', script))
    assert chinese == english
    assert used <= chinese


async def test_the_file_and_the_process_agree(hotline: Hotline) -> None:
    scenario = {
        "seed": 4, "lines": {"main": HOTLINE},
        "customers": [{"name": "李静", "number": CALLER, "tier": "residential"}],
        "profile": {
            "calls_per_day": 24_000, "hourly": [1] * 24, "for_ms": 20_000,
            "errands": [{"tier": "residential", "to": HOTLINE, "keys": ["1"], "patience_mean_ms": 4_000}],
        },
    }  # fmt: skip
    tally = await play(hotline, **json.loads(json.dumps(scenario)))
    assert tally["dialled"] == tally["planned"] == tally["arrived"] > 0
    assert tally["abandoned"] + tally["in_menu_hangups"] == tally["dialled"]
