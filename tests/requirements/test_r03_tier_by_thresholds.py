"""R3: 2000 kVA gives key customer; 1999.9 kVA with 4,999,999 kWh does not; 10 kVA with 5,000,000 kWh does; the
high-risk flag wins over all."""

from pathlib import Path

import pytest

from config.runtime import Runtime
from tests.requirements.firms import row
from tests.requirements.house import open_house

CASES = [
    ("0001", "2000", "0", "no", "key_customer"),
    ("0002", "1999.9", "4999999", "no", "business"),
    ("0003", "10", "5000000", "no", "key_customer"),
    ("0004", "4000", "9000000", "yes", "high_risk"),
    ("0005", "1", "1", "yes", "high_risk"),
]


async def test_who_calls_is_in_the_tier_that_his_file_says(runtime: Runtime, tmp_path: Path) -> None:
    async with open_house(runtime, "power") as house:
        await house.import_rows(tmp_path / "power.csv", [row(*case[:4]) for case in CASES])
        for account_no, *_, tier in CASES:
            await house.call(f"CA{account_no}", f"+861380000{account_no}")
            facts = await house.facts_of(f"CA{account_no}")
            assert (facts.customer_name, facts.tier) == (f"客户{account_no}", tier)
        await house.call("CAnobody", "+8613899999999")
        assert (await house.facts_of("CAnobody")).tier == "residential"
        await house.write_down()
        recorded = {each["call_id"]: each["tier"] for each in await house.rows("calls", "call_id", "tier")}
        assert recorded == {f"CA{case[0]}": case[4] for case in CASES} | {"CAnobody": "residential"}


@pytest.mark.parametrize("capacity", ["2,000", "2000.0", "２０００"])
async def test_a_number_is_read_however_it_is_written(
    runtime: Runtime, tmp_path: Path, capacity: str
) -> None:
    async with open_house(runtime, "power") as house:
        await house.import_rows(tmp_path / "power.csv", [row("0001", capacity, "0", "否")])
        assert await house.files("tier") == {"0001": ("key_customer",)}


async def test_a_file_that_grows_past_the_threshold_moves_with_its_history(
    runtime: Runtime, tmp_path: Path
) -> None:
    async with open_house(runtime, "power") as house:
        await house.import_rows(tmp_path / "before.csv", [row("0001", "1999.9", "0", "no")])
        await house.import_rows(tmp_path / "after.csv", [row("0001", "2000", "0", "no")])
        (step,) = await house.rows("tier_history", "old_tier", "new_tier", "reason", "origin")
        assert (step["old_tier"], step["new_tier"], step["reason"]) == ("business", "key_customer", "import")
        assert "after.csv" in step["origin"]
