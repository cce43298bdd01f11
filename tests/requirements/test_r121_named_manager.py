"""R121: a new key customer without a manager is on the list after one working day; on appointment an SMS with name and
number goes out. Introduced by call, too: a follow-up of the manager's."""

from pathlib import Path

from config.runtime import Runtime
from queues.service.appointments import send_texts
from tests.doubles import ManualClock, TelephonyDouble
from tests.queues.web.reader import Reader, text_of
from tests.requirements.house import open_house
from tests.requirements.test_r18_key_customers import FACTORY, NAMES
from tests.requirements.test_r126_handover_and_cover import (
    HOUR_MS,
    TEXTS,
    appoint,
    key_customer,
    texting,
)


async def listed(boss: Reader) -> tuple[bool, bool]:
    """On the list of who should have one by now; among those there is time for."""
    page = await boss.open("/customers/tiers")
    section = page.text.partition('id="unmanaged"')[2].partition("</section>")[0]
    late, _, ahead = section.partition("Still in time")
    return NAMES[FACTORY] in late, NAMES[FACTORY] in ahead


async def test_who_has_no_manager_after_one_working_day_is_on_the_list(
    runtime: Runtime, tmp_path: Path, clock: ManualClock
) -> None:
    """Monday 09:00: by the close of business on Tuesday, 17:30."""
    async with open_house(runtime, "power") as house:
        boss = await house.enter("boss", "supervisor")
        await house.agent("wang", "王敏")
        customer_id = await key_customer(house, tmp_path)
        assert await listed(boss) == (False, True)
        clock.advance(32 * HOUR_MS + HOUR_MS // 2)
        assert await listed(boss) == (False, True)
        clock.advance(1)
        assert await listed(boss) == (True, False)
        await appoint(house, customer_id, "wang")
        assert await listed(boss) == (False, False)


async def test_on_appointment_name_and_number_go_out_and_the_manager_is_to_call(
    runtime: Runtime, tmp_path: Path
) -> None:
    async with open_house(texting(runtime), "power") as house:
        wang = await house.agent("wang", "王敏")
        await appoint(house, await key_customer(house, tmp_path), "wang")
        assert await send_texts(house.runtime) == 1
        telephony = house.runtime.telephony
        assert isinstance(telephony, TelephonyDouble)
        ((to, from_, body),) = telephony.texts
        assert (to, from_) == (FACTORY, TEXTS)
        assert body.startswith(f"尊敬的{NAMES[FACTORY]}：您的客户经理是王敏，电话+86 ")
        assert "Ring the customer and introduce yourself" in text_of(await wang.open("/follow-ups"))
        (call,) = await house.rows("follow_ups", "follow_up_id", kind="introduce")
        assert (await wang.send("/follow-ups/done", call)).status_code == 303
        assert "Nothing is owed." in text_of(await wang.open("/follow-ups"))
        sent = await house.rows("audits", "action", "detail", action="text.sent")
        assert [row["action"] for row in sent] == ["text.sent"]
        assert FACTORY not in str(sent)
