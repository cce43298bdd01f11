"""R5: an outlet in town, format Z, scale 1 shows the code CZ1 beside tier A and area city_a."""

from pathlib import Path

from config.runtime import Runtime
from queues.service.rescoring import rescore_due
from tests.queues.web.reader import text_of
from tests.requirements.house import open_house
from tests.requirements.outlets import outlet, phone


async def test_codes_stand_beside_each_other_in_the_file_and_at_the_desk(
    runtime: Runtime, tmp_path: Path
) -> None:
    rows = [outlet(1, 90, 900), *(outlet(number, number, number, market_type="X") for number in range(2, 8))]
    async with open_house(runtime, "retail") as house:
        await house.import_rows(tmp_path / "outlets.csv", rows)
        await rescore_due(house.runtime)
        files = await house.files("class_code", "tier", "area")
        assert files["00000001"] == ("CZ1", "tier_a", "city_a")
        assert house.plan.tiers["tier_a"].code == "A"
        assert files["00000002"] == ("XZ3", "tier_c", "city_a")

        desk = await house.agent("wang", "王敏")
        caller, heard = await house.call("CA1", phone(1))
        await caller.press(heard, "0")
        assert await house.offered_to("wang") == "CA1"
        hero = (await desk.get("/desk/state"))["hero"]
        assert hero["class_code"] == "CZ1"
        page = text_of(await desk.open("/desk"))
        assert "CZ1" in page
        assert house.plan.tiers["tier_a"].name["en"] in page


async def test_who_was_left_out_of_the_ranking_has_no_scale(runtime: Runtime, tmp_path: Path) -> None:
    async with open_house(runtime, "retail") as house:
        rows = [outlet(1, 9, 9, purchase_days="29"), outlet(2, 1, 1)]
        await house.import_rows(tmp_path / "outlets.csv", rows)
        await rescore_due(house.runtime)
        assert await house.files("class_code", "tier") == {
            "00000001": ("CZ-", "tier_c"),
            "00000002": ("CZ1", "tier_a"),
        }
