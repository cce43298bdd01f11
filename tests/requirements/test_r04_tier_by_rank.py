"""R4: 10 outlets of one format give 2/6/2; the score of the worked example is 0.055; outlets of different formats are
never ranked together."""

from collections import Counter
from pathlib import Path

from config.runtime import Runtime
from queues.service.rescoring import rescore_due
from tests.requirements.house import House, open_house
from tests.requirements.outlets import outlet


async def bands(house: House) -> dict[str, list[int]]:
    report = Counter(
        (row["attributes"].split('"store_format":"')[1][0], row["tier"])
        for row in await house.rows("customers", "attributes", "tier")
    )
    return {
        store_format: [report[store_format, tier] for tier in ("tier_a", "tier_b", "tier_c")]
        for store_format in sorted({name for name, _ in report})
    }


async def test_ten_seven_and_one_outlet_each_inside_their_own_format(
    runtime: Runtime, tmp_path: Path
) -> None:
    """The one of Y sells next to nothing, those of S a thousand times what those of Z sell: nobody is moved by it."""
    rows = [
        *(outlet(number, number, 10 * number, "Z") for number in range(1, 11)),
        *(outlet(number, 1000 * number, 10_000 * number, "S") for number in range(11, 18)),
        outlet(20, 0.1, 0.5, "Y"),
    ]
    async with open_house(runtime, "retail") as house:
        await house.import_rows(tmp_path / "outlets.csv", rows)
        assert await bands(house) == {"S": [0, 0, 7], "Y": [0, 0, 1], "Z": [0, 0, 10]}, (
            "not ranked yet: the lowest"
        )
        await rescore_due(house.runtime)
        assert await bands(house) == {"S": [2, 4, 1], "Y": [1, 0, 0], "Z": [2, 6, 2]}
        best = {account for account, (tier,) in (await house.files("tier")).items() if tier == "tier_a"}
        assert best == {f"{number:08d}" for number in (9, 10, 16, 17, 20)}


async def test_the_worked_example(runtime: Runtime, tmp_path: Path) -> None:
    """Of 1,000 cartons and 200,000 yuan of its format, 50 cartons and 12,000 yuan."""
    rows = [outlet(1, 50, 12_000), outlet(2, 950, 188_000), outlet(3, 7, 7, "S")]
    async with open_house(runtime, "retail") as house:
        await house.import_rows(tmp_path / "outlets.csv", rows)
        await rescore_due(house.runtime)
        scores = {row["customer_id"]: row["score"] for row in await house.rows("scores")}
        assert float(scores[await house.id_of("00000001")]) == 0.055
        assert float(scores[await house.id_of("00000003")]) == 1


async def test_equal_outlets_are_told_apart_by_amount_then_by_number(
    runtime: Runtime, tmp_path: Path
) -> None:
    rows = [outlet(number, 5, 5) for number in (4, 3, 2, 1, 5)]
    async with open_house(runtime, "retail") as house:
        await house.import_rows(tmp_path / "outlets.csv", rows)
        await rescore_due(house.runtime)
        tiers = await house.files("tier")
        assert [tiers[f"{number:08d}"][0] for number in range(1, 6)] == [
            "tier_a",
            "tier_b",
            "tier_b",
            "tier_b",
            "tier_c",
        ]
