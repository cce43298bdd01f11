"""R19: keying a case number (and access code for reports) speaks the present state; three wrong codes end the
attempt and are logged. The answer given in an ordinary case is for its own customer."""

import json
from pathlib import Path

from config.numbers import account_key
from config.runtime import Runtime
from queues.domain.tickets import TicketEvent
from queues.service.tickets import answer_caller, work_on
from tests.requirements.firms import row
from tests.requirements.house import House, open_house
from tests.requirements.reporting import choose, speak
from tests.traces.hotline import Caller, Heard

INFORMANT, OTHER_PHONE, OWN_PHONE = "+8613911112222", "+8613766668888", "+8613800004711"


async def reported(house: House) -> tuple[str, str]:
    """An anonymous report by phone; the number and code that the caller was told."""
    caller, heard = await house.call("CA1", INFORMANT)
    told = await speak(caller, await choose(caller, heard))
    await house.settle()
    return told


async def asking(house: House, call_id: str) -> tuple[Caller, Heard]:
    caller, heard = await house.call(call_id, OTHER_PHONE)
    return caller, await caller.press(heard, "6")


async def asked(caller: Caller, heard: Heard, number: str, code: str) -> Heard:
    return await caller.key_in(await caller.key_in(heard, number), code)


async def test_a_report_is_followed_by_number_and_code_from_any_phone(runtime: Runtime) -> None:
    async with open_house(runtime, "heat") as house:
        number, code = await reported(house)
        caller, heard = await asking(house, "CA2")
        assert "目前状态：已受理，等待处理。" in (await asked(caller, heard, number, code)).said

        await work_on(house.runtime, f"T{number}", TicketEvent.TAKE, "wang")
        await answer_caller(house.runtime, f"T{number}", "已约谈当事人，退还您300元。", "wang")
        caller, heard = await asking(house, "CA3")
        said = (await asked(caller, heard, number, code)).said
        assert f"受理编号T {' '.join(number)}，目前状态：正在处理。已约谈当事人，退还您3 0 0元。" in said


async def test_three_wrong_codes_end_the_attempt_and_are_logged(runtime: Runtime) -> None:
    async with open_house(runtime, "heat") as house:
        number, code = await reported(house)
        wrong = f"{(int(code) + 1) % 1_000_000:06d}"
        caller, heard = await asking(house, "CA2")
        for _ in range(2):
            heard = await asked(caller, heard, number, wrong)
            assert "编号或查询码不正确" in heard.said
        ended = await asked(caller, heard, number, wrong)
        assert ended.verbs[-1] == "Enqueue", "to a person, not to a hang-up"
        assert "目前状态" not in ended.said
        lines = await house.runtime.redis.xrange("{heat}:journal")
        words = [json.loads(line["data"])["word"] for _, line in lines if line["type"] == "case.asked"]
        assert words == ["wrong", "wrong", "locked"]
        assert not any(number in str(line) and line["type"] == "case.asked" for _, line in lines)


async def said_of(house: House, call_id: str, phone: str, number: str, *, account_no: str = "") -> str:
    """What this telephone hears of an ordinary case, which has no access code."""
    caller, heard = await house.call(call_id, phone)
    if account_no:
        await house.hotline.switchboard.identify_call(
            call_id=call_id,
            account_key=account_key(house.runtime.settings.secret_key, "power", account_no),
        )
    heard = await caller.press(await caller.press(heard, "4"), "2")
    return (await asked(caller, heard, number, "")).said


async def test_what_was_answered_in_an_ordinary_case_its_own_customer_alone_hears(
    runtime: Runtime, tmp_path: Path
) -> None:
    """Numbers of cases run on: whoever keys one at random hears how it stands, and nothing of what it is about."""
    async with open_house(runtime, "power") as house:
        owner = {**row("47110001", "100", "0", "no"), "phones": OWN_PHONE.removeprefix("+86")}
        await house.import_rows(tmp_path / "power.csv", [owner])
        caller, heard = await house.call("CA1", OWN_PHONE)
        await caller.press(await caller.press(heard, "1"), "2")
        await caller.report_end()
        await house.settle()
        (ticket,) = await house.rows("tickets", "ticket_no", call_id="CA1")
        await answer_caller(house.runtime, ticket["ticket_no"], "王家的电表已更换。", "wang")
        number = ticket["ticket_no"].removeprefix("T")

        mine = await said_of(house, "CA2", OWN_PHONE, number)
        assert "目前状态：已受理，等待处理。王家的电表已更换。" in mine
        for call_id, account_no in (("CA3", ""), ("CA4", "47110001")):
            other = await said_of(house, call_id, OTHER_PHONE, number, account_no=account_no)
            assert "目前状态：已受理，等待处理。" in other
            assert "电表" not in other
