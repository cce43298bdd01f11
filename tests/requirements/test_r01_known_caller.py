"""R1: a call from 0571-8888 6666 and one from +86 571 8888 6666 find the same customer before the first prompt; an
unknown number yields `customer_known = false` and the call goes on."""

from pathlib import Path

import pytest

from config.runtime import Runtime
from tests.requirements.firms import row
from tests.requirements.house import open_house

LANDLINE = "+8657188886666"


@pytest.mark.parametrize(
    "written", ["0571-8888 6666", "+86 571 8888 6666", "88886666", "（0571）88886666", "0086-571-88886666"]
)
@pytest.mark.parametrize("calling", ["0571-8888 6666", "+86 571 8888 6666", LANDLINE])
async def test_however_a_number_is_written_it_is_one_customer(
    runtime: Runtime, tmp_path: Path, written: str, calling: str
) -> None:
    async with open_house(runtime, "power") as house:
        table = [{**row("0001", "2000", "0", "no"), "phones": written, "language": "英语"}]
        await house.import_rows(tmp_path / "power.csv", table)
        _, heard = await house.call("CA1", calling)
        facts = await house.facts_of("CA1")
        assert (facts.is_known, facts.customer_name, facts.tier) == (True, "客户0001", "key_customer")
        assert facts.locale == "en-US"
        assert "客户0001" in heard.said, "he is greeted by name in the first prompt"


async def test_a_number_that_nobody_has_goes_on_as_unknown(runtime: Runtime, tmp_path: Path) -> None:
    async with open_house(runtime, "power") as house:
        await house.import_rows(tmp_path / "power.csv", [row("0001", "2000", "0", "no")])
        caller, heard = await house.call("CA1", "+8613911112222")
        facts = await house.facts_of("CA1")
        assert (facts.is_known, facts.customer_id, facts.tier) == (False, "", "residential")
        assert "Gather" in heard.verbs
        assert "Enqueue" in (await caller.press(heard, "0")).verbs
        await house.write_down()
        (call,) = await house.rows("calls", "customer_id", "queue")
        assert (call["customer_id"], call["queue"]) == ("", "general")
