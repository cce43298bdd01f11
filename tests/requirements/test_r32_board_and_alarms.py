"""R32: a live board, and alarms. A wait over the target turns the queue red and tells the shift lead once, not at every
refresh; it clears by itself. Whoever has seen it says so, and hides it from nobody."""

import asyncio
from contextlib import aclosing
from typing import Any

from config.runtime import Runtime
from queues import clockwork
from queues.domain.targets import target_of
from queues.service.alarms import watch_alarms
from queues.web import wall
from queues.web.words import Words
from tests.queues.web.reader import Reader, next_picture, text_of
from tests.requirements.house import House, open_house

QUEUE = "general"


async def waits(house: House, call_id: str) -> None:
    caller, heard = await house.call(call_id, f"+86139{int(call_id[2:]):08d}")
    assert "Enqueue" in (await caller.press(heard, "0")).verbs
    assert (await house.facts_of(call_id)).queue == QUEUE


def words_of(house: House) -> Words:
    app = house.hotline.app
    words, floor = app.state.templates.words, app.state.floor
    return Words(lambda key, **values: words("en", key, **values), floor.plan, "en")


def alarms_of(view: dict[str, Any]) -> list[str]:
    return [f"{each['kind']} {each['place']} {each['detail']}" for each in view["alarms"]["shown"]]


async def shown(house: House) -> dict[str, Any]:
    floor = house.hotline.app.state.floor
    floor.remembered.clear()
    return await wall.picture(floor, words_of(house))


def row_of(view: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = next(each for each in view["queues"] if each["id"] == QUEUE)
    return row


async def sees(boss: Reader, house: House) -> str:
    house.hotline.app.state.floor.remembered.clear()
    return text_of(await boss.open("/wall"))


async def test_red_and_told_once_by_many_clocks_seen_by_one_and_over(runtime: Runtime, clock: Any) -> None:
    async with open_house(runtime, "power") as house:
        boss = await house.enter("boss", "supervisor")
        lead = await house.enter("lead", "supervisor")
        tier = house.plan.default_tier
        await waits(house, "CA1")
        assert "No alarm" in await sees(boss, house)
        within_ms = target_of(house.plan, QUEUE, tier).within_s * 1000
        clock.advance(within_ms)
        assert await watch_alarms(house.runtime) == 0, "at the target is within it"
        clock.advance(1)
        assert sorted(await asyncio.gather(*(watch_alarms(house.runtime) for _ in range(4)))) == [0, 0, 0, 1]
        view = await shown(house)
        assert row_of(view)["longest"]["state"] == "past"
        told = "Longest wait General enquiries was 0:20 (at most 0:20) · Residential customer"
        assert alarms_of(view) == [told]
        clock.advance(60_000)
        await waits(house, "CA2")
        assert await watch_alarms(house.runtime) == 0, "it is told"
        assert alarms_of(await shown(house)) == [told]

        (alarm_id,) = view["alarms"]["unseen"]
        assert (await boss.send(f"/wall/alarms/{alarm_id}", {})).headers["location"] == "/wall"
        assert (await lead.post(f"/wall/alarms/{alarm_id}"))[1] == {"ok": False, "word": "again"}
        assert (await lead.send("/wall/alarms/none", {})).status_code == 404
        assert "seen by boss" in await sees(lead, house), "nobody else loses sight of it"
        assert (await shown(house))["alarms"]["unseen"] == []
        (audit,) = await house.rows("audits", "action", "subject", "detail", action="alarm.acknowledged")
        assert audit["subject"] == f"alarm:{alarm_id}"

        await house.hotline.switchboard.end_call(call_id="CA1", by="caller")
        clock.advance(within_ms * 3 // 4 + 1)
        assert await watch_alarms(house.runtime) == 0, (
            "who waits now is near the line; it does not come and go"
        )
        clock.advance(within_ms)
        assert await watch_alarms(house.runtime) == 0
        await house.hotline.switchboard.end_call(call_id="CA2", by="caller")
        assert await watch_alarms(house.runtime) == 0
        (still,) = alarms_of(await shown(house))
        assert "calm since" in still, "nobody waits; the next may wait as long"
        clock.advance(60_000)
        assert sorted(await asyncio.gather(*(watch_alarms(house.runtime) for _ in range(4)))) == [0, 0, 0, 1]
        assert alarms_of(await shown(house)) == []
        (row,) = await house.rows("alarms", "kind", "subject", "tier", "open_key", "acknowledged_by")
        assert (row["kind"], row["subject"], row["tier"], row["open_key"]) == (
            "longest_wait", QUEUE, tier, None,
        )  # fmt: skip
        page = text_of(await lead.open("/wall/alarms"))
        assert "was 0:20 (at most 0:20)" in page
        assert "seen by boss" in page
        agent = await house.enter("wang", "agent")
        assert (await agent.open("/wall/alarms")).status_code == 403
        assert (await agent.send(f"/wall/alarms/{alarm_id}", {})).status_code == 403


async def test_the_clock_process_watches_and_an_open_wall_hears_of_it(runtime: Runtime, clock: Any) -> None:
    """Nothing is written to the journal meanwhile: time alone raises it."""
    async with open_house(runtime, "power") as house:
        boss = await house.enter("boss", "supervisor")
        await boss.open("/wall")
        await waits(house, "CA1")
        (chore,) = [each for each in clockwork.own_chores([]) if each.run is watch_alarms]
        assert chore.every_s <= 1
        watching = asyncio.create_task(clockwork.run(house.runtime, [chore]))
        floor = house.hotline.app.state.floor
        async with aclosing(wall.pictures(floor, words_of(house))) as events:
            assert (await next_picture(events))["alarms"]["count"] == 0
            clock.advance(61_000)
            while not (view := await next_picture(events))["alarms"]["count"]:
                pass
            assert alarms_of(view) == [
                "Longest wait General enquiries was 1:01 (at most 0:20) · Residential customer"
            ]
            await house.hotline.switchboard.end_call(call_id="CA1", by="caller")
            while "calm since" not in alarms_of(await next_picture(events))[0]:
                pass
            clock.advance(60_000)
            while (await next_picture(events))["alarms"]["count"]:
                pass
        watching.cancel()
        await asyncio.wait([watching])
        assert len(await house.rows("alarms", "alarm_id")) == 1
