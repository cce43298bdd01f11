"""R7: a call from a flagged number shows the flag to the agent and offers a home visit; it queues ahead of an ordinary
resident who arrived at the same time. "65 and older" is no age that we keep: it is what `special_care: elderly` says,
which whoever keeps the register enters."""

from pathlib import Path
from typing import Any

import pytest

from config.runtime import Runtime
from queues.service import tiers
from tests.queues.web.reader import text_of
from tests.requirements.house import open_house

PLAIN, FRAIL = "+8613900000001", "+8613900000002"


def row(account_no: str, name: str, phones: str, special_care: str) -> dict[str, Any]:
    return {
        "account_no": account_no,
        "name": name,
        "phones": phones.removeprefix("+86"),
        "area": "east",
        "customer_kind": "residential",
        "address": "和平里1号",
        "special_care": special_care,
    }


@pytest.mark.parametrize("kind", ["elderly", "frail", "ill", "disabled"])
async def test_the_flagged_caller_is_offered_first_and_the_agent_is_told_why(
    runtime: Runtime, tmp_path: Path, kind: str
) -> None:
    async with open_house(runtime, "gas") as house:
        rows = [row("0001", "陈静", PLAIN, "none"), row("0002", "赵奶奶", FRAIL, kind)]
        await house.import_rows(tmp_path / "gas.csv", rows)
        for leg_id, number in (("CAplain", PLAIN), ("CAfrail", FRAIL)):
            caller, heard = await house.call(leg_id, number)
            await caller.press(heard, "0")
        waiting = [await house.facts_of(leg_id) for leg_id in ("CAplain", "CAfrail")]
        assert [facts.state for facts in waiting] == ["queued", "queued"]
        assert waiting[0].queued_ms == waiting[1].queued_ms, "they came at the same time"
        assert [facts.is_care for facts in waiting] == [False, True]

        desk = await house.agent("wang", "王敏")
        assert await house.offered_to("wang") == "CAfrail"
        assert house.plan.care is not None
        advice = house.plan.care.advice["en"]
        assert "come to their home" in advice
        assert (await desk.get("/desk/state"))["hero"]["advice"] == advice
        assert advice in text_of(await desk.open("/desk"))
        register = await tiers.special_care(house.runtime)
        assert [file.account_no for file in register] == ["0002"]


async def test_who_waits_two_minutes_longer_than_the_head_start_still_goes_first(
    runtime: Runtime, tmp_path: Path, clock: Any
) -> None:
    """Care is a head start, and nobody starves for it."""
    async with open_house(runtime, "gas") as house:
        rows = [row("0001", "陈静", PLAIN, "none"), row("0002", "赵奶奶", FRAIL, "ill")]
        await house.import_rows(tmp_path / "gas.csv", rows)
        caller, heard = await house.call("CAplain", PLAIN)
        waits = await caller.press(heard, "0")
        for _ in range(5):
            clock.advance(60_000)
            waits = await caller.wait(waits)
        caller, heard = await house.call("CAfrail", FRAIL)
        await caller.press(heard, "0")
        await house.agent("wang", "王敏")
        assert await house.offered_to("wang") == "CAplain"
