"""R26: a repair ticket for station 3 lands on station 3's work list; 12-hour service applies in core areas and 24-hour
elsewhere."""

from pathlib import Path
from typing import Any

import pytest

from config.runtime import Runtime
from tests.doubles import MONDAY_0900_MS
from tests.queues.web.reader import text_of
from tests.requirements.house import House, open_house

HOUR_MS = 3_600_000
NOBODY = "+8613899999999"


def row(account_no: str, station: str) -> dict[str, Any]:
    return {
        "account_no": account_no,
        "name": f"用户{account_no}",
        "phones": f"1380000{account_no}",
        "area": station,
        "customer_kind": "residential",
        "address": "人民路1号",
    }


async def report_a_fault(house: House, leg_id: str, number: str, account_no: str = "") -> None:
    """Repairs, another repair; who is not known by his number keys his account, or just the pound key."""
    caller, heard = await house.call(leg_id, number)
    for key in "13":
        heard = await caller.press(await caller.send_on(heard), key)
    if "Enqueue" not in heard.verbs:
        heard = await caller.key_in(heard, account_no)
    assert "Enqueue" in heard.verbs
    await caller.report_end()


@pytest.mark.parametrize(("station", "hours"), [("station_1", 12), ("station_2", 24), ("station_3", 24)])
async def test_a_repair_lands_on_the_work_list_of_its_station(
    runtime: Runtime, tmp_path: Path, station: str, hours: int
) -> None:
    async with open_house(runtime, "heat") as house:
        await house.import_rows(tmp_path / "heat.csv", [row("0001", station)])
        await report_a_fault(house, "CA1", "+8613800000001")
        await house.write_down()
        assert await house.runtime.jobs.waiting(f"repair_{station}") == 1
        await house.settle()
        assert await house.rows("tickets", "type", "work_queue", "area", "opened_ms", "due_ms") == [
            {
                "type": "general_repair",
                "work_queue": f"repair_{station}",
                "area": station,
                "opened_ms": MONDAY_0900_MS,
                "due_ms": MONDAY_0900_MS + hours * HOUR_MS,
            }
        ]


async def test_who_keys_his_account_number_has_its_station_and_who_has_none_the_list_of_others(
    runtime: Runtime, tmp_path: Path
) -> None:
    async with open_house(runtime, "heat") as house:
        await house.import_rows(tmp_path / "heat.csv", [row("0003", "station_3")])
        await report_a_fault(house, "CA1", NOBODY, "0003")
        await report_a_fault(house, "CA2", NOBODY)
        await house.settle()
        assert await house.rows("tickets", "call_id", "work_queue", "area", "due_ms") == [
            {
                "call_id": call_id,
                "work_queue": work_queue,
                "area": area,
                "due_ms": MONDAY_0900_MS + 24 * HOUR_MS,
            }
            for call_id, work_queue, area in (
                ("CA1", "repair_station_3", "station_3"),
                ("CA2", "repair_other", ""),
            )
        ]


async def test_each_station_sees_its_own_list(runtime: Runtime, tmp_path: Path) -> None:
    async with open_house(runtime, "heat") as house:
        await house.import_rows(tmp_path / "heat.csv", [row("0001", "station_1"), row("0003", "station_3")])
        await report_a_fault(house, "CA1", "+8613800000001")
        await report_a_fault(house, "CA3", "+8613800000003")
        await house.settle()
        boss = await house.enter("boss", "supervisor")
        whole = text_of(await boss.open("/tickets"))
        third = text_of(await boss.open("/tickets?work_queue=repair_station_3"))
        assert "T000001" in whole
        assert "T000002" in whole
        assert "T000001" not in third
        assert "Heat station 3 · Room temperature below standard, General heating repair" in third
        assert "24 Nov 09:00 on time" in third


async def test_the_workers_lists_are_those_of_every_station_the_most_urgent_first(runtime: Runtime) -> None:
    async with open_house(runtime, "heat") as house:
        assert house.plan.work_queues() == (
            "dispatch_urgent",
            "complaint",
            "report",
            "repair_station_1",
            "repair_station_2",
            "repair_station_3",
            "repair_other",
            "business",
            "desk",
        )
