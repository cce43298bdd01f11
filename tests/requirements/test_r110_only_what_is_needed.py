"""R110: a field not in the configuration cannot be stored; birthday or family data need consent on file."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from config.database import metadata
from config.runtime import Runtime
from queues.service.customers import update_customer
from tests.queues.birthdays import with_birthdays
from tests.requirements.command_line import shouwen
from tests.requirements.firms import row
from tests.requirements.house import open_house

PLAIN = row("0001", "8", "100", "no")


@pytest.fixture
def family(runtime: Runtime, tmp_path: Path) -> Runtime:
    return with_birthdays(runtime, tmp_path / "sites")


def table(path: Path, columns: Sequence[str], *rows: Sequence[str]) -> str:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return str(path)


async def test_a_field_that_is_not_declared_cannot_be_stored(family: Runtime, tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", [*PLAIN, "religion"], [*PLAIN.values(), "none"])
    said = await shouwen(family, "customers", "import", path, "--skip-faulty")
    assert said.code == 1
    assert said.out.startswith("Nothing was imported: its first row does not name the columns")
    assert "row 1 religion: 'religion' is no field of this site's customers" in said.err
    async with open_house(family, "power") as house:
        assert await house.rows("customers", "name") == []
        await house.import_rows(tmp_path / "b.csv", [PLAIN])
        customer_id = await house.id_of("0001")
        updated = await update_customer(house.runtime, customer_id, {"religion": "none"}, by="A1", reason="x")
        assert updated is not None
        assert updated.faults == [("religion", "'religion' is no field of this site's customers")]
        assert "religion" not in str(await house.rows("customers"))


async def test_a_birthday_is_kept_only_with_consent_on_file(family: Runtime, tmp_path: Path) -> None:
    columns = [*PLAIN, "生日", "consent"]
    for consent in ("", "no"):
        path = table(tmp_path / "a.csv", columns, [*PLAIN.values(), "1980-05-06", consent])
        said = await shouwen(family, "customers", "import", path)
        assert said.code == 1
        expected = "row 2 0001 birthday: may be kept only with consent on file (column consent: yes)"
        assert expected in said.err
    path = table(tmp_path / "a.csv", columns, [*PLAIN.values(), "1980-05-06", "yes"])
    said = await shouwen(family, "customers", "import", path)
    assert (said.code, said.out.splitlines()[0]) == (0, "Imported: 1 new, 0 changed, 0 as they were.")
    async with open_house(family, "power") as house:
        (kept,) = await house.rows("customers", "attributes", "customer_id")
        assert '"birthday":"1980-05-06"' in kept["attributes"]
        await update_customer(house.runtime, kept["customer_id"], {"consent": "no"}, by="A1", reason="asked")
        assert "1980" not in str([await house.rows(name) for name in ("customers", "customer_changes")])


async def test_a_forgotten_number_is_behind_no_past_call(runtime: Runtime, tmp_path: Path) -> None:
    number = "+8613800138000"
    async with open_house(runtime, "power") as house:
        await house.import_rows(tmp_path / "a.csv", [PLAIN | {"phones": number}])
        caller, _ = await house.call("CApast", number)
        await caller.report_end()
        await house.write_down()
        (past,) = await house.rows("calls", "caller_ref")
        assert [row["number"] for row in await house.rows("caller_numbers", **past)] == [number]

        said = await shouwen(house.runtime, "customers", "forget", "138 0013 8000")
        assert (said.code, said.out) == (0, "Forgotten. Customers' files it was in: 1.\n")
        assert await house.rows("caller_numbers") == []
        everywhere = [await house.rows(table) for table in metadata.tables]
        assert number.removeprefix("+86") not in str(everywhere)
