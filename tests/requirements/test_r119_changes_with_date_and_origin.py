"""R119: yesterday's and today's value of a changed field are both visible, each with its date and origin."""

import csv
from pathlib import Path
from typing import Any

from config.runtime import Runtime
from tests.requirements.command_line import shouwen
from tests.requirements.firms import row
from tests.requirements.house import open_house

DAY_MS = 86_400_000
NEXT_DAY = "2026-11-24 09:00:00"


async def test_both_values_of_a_changed_field_are_seen_with_date_and_origin(
    runtime: Runtime, tmp_path: Path
) -> None:
    clock: Any = runtime.clock
    async with open_house(runtime, "power") as house:
        await house.import_rows(tmp_path / "register.csv", [row("0001", "1999.9", "0", "no")])
        customer_id = await house.id_of("0001")
        clock.advance(DAY_MS)
        moved = {**row("0001", "2000", "0", "no"), "phones": "13800000009", "area": "suburb"}
        await house.import_rows(tmp_path / "november.csv", [moved])
        said = await shouwen(house.runtime, "customers", "show", customer_id)
        story = [line.split("  ") for line in said.out.partition("\n\n")[2].splitlines()]
        assert story == [
            ["2026-11-23 09:00:00", "opened", "1", "import register.csv"],
            [NEXT_DAY, "change", "area", "city -> suburb", "import november.csv"],
            [NEXT_DAY, "change", "capacity_kva", "1999.9 -> 2000", "import november.csv"],
            [NEXT_DAY, "change", "phones", "+86 138****0001 -> +86 138****0009", "import november.csv"],
            [NEXT_DAY, "tier", "import", "business -> key_customer", "import november.csv"],
        ]


async def test_the_operator_sees_rows_rates_and_a_report(runtime: Runtime, tmp_path: Path) -> None:
    async with open_house(runtime, "power") as house:
        path, report = tmp_path / "a.csv", tmp_path / "report.csv"
        rows = [row(f"{number:04d}", "8", "0", "no") for number in range(1, 41)]
        rows[7]["capacity_kva"] = "much"
        with path.open("w", encoding="gb18030", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        command = ("customers", "import", str(path), "--report", str(report), "--origin", "winter register")
        said = await shouwen(house.runtime, *command)
        assert said.code == 1
        assert said.out.splitlines() == [
            f"1 of 40 rows are faulty; all of it is in {report}",
            "Nothing was imported. --skip-faulty imports the sound rows.",
        ]
        assert said.err.splitlines() == ["row 9 0008 capacity_kva: 'much' is not a number such as 1999.9"]
        with report.open(encoding="utf-8-sig", newline="") as file:
            assert list(csv.reader(file)) == [
                ["row", "account_no", "field", "what"],
                ["9", "0008", "capacity_kva", "'much' is not a number such as 1999.9"],
            ]
        dry = await shouwen(house.runtime, *command, "--skip-faulty", "--dry-run")
        assert (
            dry.out.splitlines()[1] == "Nothing was changed. It would be: 39 new, 0 changed, 0 as they were."
        )
        said = await shouwen(house.runtime, *command, "--skip-faulty")
        assert said.out.splitlines()[1] == "Imported: 39 new, 0 changed, 0 as they were."
        assert " a second (checking " in said.out
        assert {each["origin"] for each in await house.rows("imports", "origin")} == {"winter register"}
        assert len(await house.files("tier")) == 39
