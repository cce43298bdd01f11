"""R8: a change without approval has no effect on routing; after approval the next call is routed by the new tier, and
the change is in the audit log. It ends by itself on its last day."""

import datetime as dt
import json
from pathlib import Path

from config.runtime import Runtime
from queues import clockwork
from queues.domain.tiers import start_of
from queues.service import audits, tiers
from tests.doubles import ManualClock
from tests.queues.web.reader import text_of
from tests.requirements.firms import row
from tests.requirements.house import House, open_house

PHONE, OTHER = "+8613800000001", "+8613800000002"
LAST_DAY = dt.date(2026, 12, 24)


async def tier_of_next_call(house: House, leg_id: str) -> str:
    caller, heard = await house.call(leg_id, PHONE)
    await caller.press(heard, "0")
    return (await house.facts_of(leg_id)).tier


async def open_with_two(house: House, tmp_path: Path) -> str:
    rows = [row("0001", "10", "10", "no"), row("0002", "10", "10", "no")]
    await house.import_rows(tmp_path / "power.csv", rows)
    return await house.id_of("0001")


async def asked(house: House, customer_id: str, tier: str, reason: str) -> str:
    """A change that Mei wants until the last day; its id."""
    reply = await tiers.request_change(
        house.runtime, customer_id=customer_id, tier=tier, reason=reason, until=LAST_DAY, by="mei"
    )
    assert reply.change is not None, reply.word
    return reply.change.change_id


async def test_only_an_approved_change_counts_and_only_until_its_end(
    runtime: Runtime, clock: ManualClock, tmp_path: Path
) -> None:
    async with open_house(runtime, "power") as house:
        customer_id = await open_with_two(house, tmp_path)
        change_id = await asked(house, customer_id, "key_customer", "正在建设的数据中心")
        assert await tier_of_next_call(house, "CA1") == "business", "asked for is not given"
        clock.advance(60_000)
        assert (await tiers.approve(house.runtime, change_id=change_id, by="mei")).word == "own"
        assert await tier_of_next_call(house, "CA2") == "business"
        assert (await tiers.approve(house.runtime, change_id=change_id, by="li")).word == "ok"
        assert await tier_of_next_call(house, "CA3") == "key_customer"
        assert (await house.facts_of("CA1")).tier == "business", "who waits already keeps his place as it was"

        told = [
            (entry["action"], entry["account_id"], json.loads(entry["detail"])["reason"])
            for entry in await audits.of_subject(house.runtime, customer_id)
        ]
        assert told == [
            ("tier.requested", "mei", "正在建设的数据中心"),
            ("tier.approved", "li", "正在建设的数据中心"),
        ]

        clock.advance(start_of(house.plan, LAST_DAY + dt.timedelta(days=1)) - 1 - clock.now_ms())
        assert await end_changes(house) == 0
        assert await tier_of_next_call(house, "CA4") == "key_customer", "its last day counts to the end"
        clock.advance(1)
        assert await end_changes(house) == 1
        assert await tier_of_next_call(house, "CA5") == "business"
        reasons = [step.reason for step in await tiers.history_of(house.runtime, customer_id)]
        assert reasons == ["ended", "by_hand"]


async def end_changes(house: House) -> int:
    (chore,) = [each for each in clockwork.own_chores(()) if each.name == "end_changes"]
    return await clockwork.do(house.runtime, chore)


async def test_the_new_tier_decides_who_is_offered_first(runtime: Runtime, tmp_path: Path) -> None:
    async with open_house(runtime, "power") as house:
        customer_id = await open_with_two(house, tmp_path)
        change_id = await asked(house, customer_id, "high_risk", "医院")
        await tiers.approve(house.runtime, change_id=change_id, by="li")
        for leg_id, number in (("CAother", OTHER), ("CAraised", PHONE)):
            caller, heard = await house.call(leg_id, number)
            await caller.press(heard, "0")
        await house.agent("wang", "王敏")
        assert await house.offered_to("wang") == "CAraised"


async def test_an_import_does_not_undo_what_was_given_by_hand(runtime: Runtime, tmp_path: Path) -> None:
    async with open_house(runtime, "power") as house:
        customer_id = await open_with_two(house, tmp_path)
        change_id = await asked(house, customer_id, "residential", "申诉中")
        await tiers.approve(house.runtime, change_id=change_id, by="li")
        await house.import_rows(tmp_path / "again.csv", [row("0001", "5000", "10", "no")])
        assert (await house.files("tier"))["0001"] == ("residential",)
        await tiers.withdraw(house.runtime, change_id=change_id, by="li")
        assert (await house.files("tier"))["0001"] == ("key_customer",), "the file as it is by now"


async def test_asked_for_and_approved_on_the_pages_by_two_people(runtime: Runtime, tmp_path: Path) -> None:
    async with open_house(runtime, "power") as house:
        customer_id = await open_with_two(house, tmp_path)
        mei, li = await house.enter("mei", "supervisor"), await house.enter("li", "supervisor")
        form = {"tier": "key_customer", "reason": "New data centre", "until": LAST_DAY.isoformat()}
        assert (await mei.send(f"/customers/{customer_id}/tier", form)).status_code == 303
        (change,) = await tiers.pending_changes(house.runtime)
        assert "New data centre" in text_of(await li.open("/customers/tiers"))

        approval = f"/customers/tiers/{change.change_id}/approve"
        own = await mei.send(approval, {})
        assert own.status_code != 303
        assert await tier_of_next_call(house, "CA1") == "business"
        assert (await li.send(approval, {})).status_code == 303
        assert await tier_of_next_call(house, "CA2") == "key_customer"

        who = {row["name"]: row["account_id"] for row in await house.rows("accounts", "name", "account_id")}
        told = {
            (entry["action"], entry["account_id"])
            for entry in await audits.of_subject(house.runtime, customer_id)
        }
        assert told >= {("tier.requested", who["mei"]), ("tier.approved", who["li"])}


async def test_an_agent_may_ask_and_not_approve(runtime: Runtime, tmp_path: Path) -> None:
    async with open_house(runtime, "power") as house:
        customer_id = await open_with_two(house, tmp_path)
        wang, zhao = await house.agent("wang", "王敏"), await house.agent("zhao", "赵强")
        form = {"tier": "key_customer", "reason": "New plant", "until": LAST_DAY.isoformat()}
        assert (await wang.send(f"/customers/{customer_id}/tier", form)).status_code == 303
        (change,) = await tiers.pending_changes(house.runtime)
        for agent in (wang, zhao):
            sent = await agent.send(f"/customers/tiers/{change.change_id}/approve", {})
            assert sent.status_code == 403
        assert await tier_of_next_call(house, "CA1") == "business"
