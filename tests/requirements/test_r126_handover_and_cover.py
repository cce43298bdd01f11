"""R126: during leave calls go to the cover; on a change of manager all open items move and the customer is told; posts
held over a year are listed."""

from dataclasses import replace
from pathlib import Path

from config.runtime import Runtime
from config.telephony import ProviderError, ProviderUnreachable
from queues.service.appointments import send_texts
from queues.service.managers import Appointment, set_leave, set_managers
from tests.doubles import ManualClock, TelephonyDouble
from tests.queues.web.reader import text_of
from tests.requirements.house import House, open_house
from tests.requirements.test_r18_key_customers import ACCOUNTS, FACTORY, row
from tests.requirements.test_r124_first_contact import complain, owed_to, talk, tickets_of

HOUR_MS, DAY_MS = 3_600_000, 24 * 3_600_000
TEXTS = "+8657100000000"
LANDLINE = "0571-88880001"


def texting(runtime: Runtime) -> Runtime:
    return replace(runtime, settings=replace(runtime.settings, texts_from=TEXTS))


async def key_customer(house: House, tmp_path: Path) -> str:
    """The factory; of its two numbers one takes texts."""
    phones = f"{LANDLINE};{FACTORY}"
    await house.import_rows(tmp_path / "power.csv", [{**row(FACTORY, capacity_kva="2000"), "phones": phones}])
    return await house.id_of(ACCOUNTS[FACTORY])


async def appoint(house: House, customer_id: str, *agent_ids: str) -> None:
    listed = [Appointment(agent_id=each) for each in agent_ids]
    word = await set_managers(house.runtime, customer_id=customer_id, managers=listed, by="boss")
    assert word == "ok"


async def test_all_open_items_move_to_the_new_manager_and_the_customer_is_told(
    runtime: Runtime, tmp_path: Path
) -> None:
    async with open_house(texting(runtime), "power") as house:
        wang, li = await house.agent("wang", "王敏"), await house.agent("li", "李静")
        customer_id = await key_customer(house, tmp_path)
        await appoint(house, customer_id, "wang")
        assert await send_texts(house.runtime) == 1
        await complain(house, "CA1", FACTORY)
        await talk(house, "wang")
        await house.hotline.caller("CA1", FACTORY).report_end()
        await house.settle()
        (mine,) = await tickets_of(wang)
        await appoint(house, customer_id, "li", "wang")
        assert (await tickets_of(wang), await tickets_of(li)) == ([], [mine])
        assert await house.runtime.redis.hgetall("{power}:owners") == {customer_id: "li"}
        story = text_of(await li.open(f"/tickets/{mine}"))
        assert "The customer has another manager Owner 王敏 → 李静" in story
        # once, however often the chore comes round
        assert [await send_texts(house.runtime) for _ in range(3)] == [1, 0, 0]
        telephony = house.runtime.telephony
        assert isinstance(telephony, TelephonyDouble)
        assert [(to, from_) for to, from_, _ in telephony.texts] == [(FACTORY, TEXTS)] * 2
        assert "您的客户经理现为李静，电话" in telephony.texts[1][2]
        assert await owed_to(li) == []


async def test_a_table_with_other_managers_does_what_a_change_by_hand_does(
    runtime: Runtime, tmp_path: Path, clock: ManualClock
) -> None:
    """It says nothing to whoever has his first; and at night the text waits."""
    async with open_house(texting(runtime), "power") as house:
        wang, li = await house.agent("wang", "王敏"), await house.agent("li", "李静")
        table = {**row(FACTORY, capacity_kva="2000"), "phones": FACTORY}
        await house.import_rows(tmp_path / "first.csv", [{**table, "managers": "wang"}])
        assert await house.rows("follow_ups") == []
        await complain(house, "CA1", FACTORY)
        await talk(house, "wang")
        await house.hotline.caller("CA1", FACTORY).report_end()
        await house.settle()
        (mine,) = await tickets_of(wang)
        clock.advance(13 * HOUR_MS)
        await house.import_rows(tmp_path / "second.csv", [{**table, "managers": "li"}])
        assert (await tickets_of(wang), await tickets_of(li)) == ([], [mine])
        assert list(await house.runtime.redis.hvals("{power}:owners")) == ["li"]
        telephony = house.runtime.telephony
        assert isinstance(telephony, TelephonyDouble)
        assert (await send_texts(house.runtime), telephony.texts) == (0, []), "it is ten in the evening"
        clock.advance(12 * HOUR_MS)
        assert await send_texts(house.runtime) == 1
        assert "您的客户经理现为李静" in telephony.texts[0][2]
        await house.import_rows(tmp_path / "again.csv", [{**table, "managers": "li"}])
        assert await send_texts(house.runtime) == 0


async def test_what_cannot_be_texted_is_somebodys_to_say(runtime: Runtime, tmp_path: Path) -> None:
    """Refused; perhaps sent and perhaps not; nobody to send it for: it stands on the manager's list, and why."""
    async with open_house(texting(runtime), "power") as house:
        readers = {each: await house.agent(each, each) for each in ("wang", "li", "zhao")}
        customer_id = await key_customer(house, tmp_path)
        telephony = house.runtime.telephony
        assert isinstance(telephony, TelephonyDouble)
        faults = [
            ProviderError(400, 21211, "no"),
            ProviderUnreachable("?"),
            ProviderError(429, None, "later"),
        ]
        told = [
            "the text was refused",
            "it is not known whether the text went out",
            "a text is about to go out",
        ]
        for fault, words, (agent_id, reader) in zip(faults, told, readers.items(), strict=True):
            await appoint(house, customer_id, agent_id)
            telephony.fail("send_text", fault)
            assert await send_texts(house.runtime) == 0
            assert words in text_of(await reader.open("/follow-ups"))
        assert await send_texts(house.runtime) == 1
        assert len(telephony.texts) == 1


async def test_without_texts_the_manager_is_asked_to_tell(runtime: Runtime, tmp_path: Path) -> None:
    async with open_house(runtime, "power") as house:
        wang = await house.agent("wang", "王敏")
        await appoint(house, await key_customer(house, tmp_path), "wang")
        assert await send_texts(house.runtime) == 0
        assert "Tell the customer who his manager is no text messages here, please ring" in text_of(
            await wang.open("/follow-ups")
        )


async def test_calls_go_to_the_cover_and_posts_of_a_year_are_listed(
    runtime: Runtime, tmp_path: Path, clock: ManualClock
) -> None:
    async with open_house(runtime, "power") as house:
        for agent_id in ("wang", "li", "zhao"):
            await house.agent(agent_id, agent_id)
        boss = await house.enter("boss", "supervisor")
        await appoint(house, await key_customer(house, tmp_path), "zhao")
        now_ms = clock.now_ms()
        span = {"from_ms": now_ms, "until_ms": now_ms + HOUR_MS}
        assert await set_leave(house.runtime, agent_id="zhao", cover="wang", by="boss", **span) == "ok"
        await complain(house, "CA1", FACTORY)
        assert await house.offered_to("wang") == "CA1"
        assert "Nobody has held a post for a year." in text_of(await boss.open("/customers/tiers"))
        clock.advance(365 * DAY_MS)
        assert "zhao since" in text_of(await boss.open("/customers/tiers"))


async def test_an_account_without_a_seat_covers_nobody(
    runtime: Runtime, tmp_path: Path, clock: ManualClock
) -> None:
    """王 is on leave and nobody stands in for him: that is not whoever has no seat."""
    async with open_house(runtime, "power") as house:
        wang = await house.agent("wang", "王敏")
        seatless = await house.enter("seatless", "agent")
        await appoint(house, await key_customer(house, tmp_path), "wang")
        assert await send_texts(house.runtime) == 0
        span = {"from_ms": clock.now_ms(), "until_ms": clock.now_ms() + HOUR_MS}
        assert await set_leave(house.runtime, agent_id="wang", by="boss", **span) == "ok"
        clock.advance(1_000)
        assert "Tell the customer" in text_of(await wang.open("/follow-ups"))
        assert "Tell the customer" not in text_of(await seatless.open("/follow-ups"))
        for owed in await house.rows("follow_ups", "follow_up_id"):
            assert (await seatless.send("/follow-ups/done", owed)).status_code == 403
