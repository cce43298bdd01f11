"""Importing tables: all of one or nothing of it, however it is written; and what is changed by hand meanwhile."""

import datetime as dt
import threading
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.reader import excel
from sqlalchemy import select

from config.database import metadata
from config.runtime import Runtime
from queues.domain.rules import Rule
from queues.service import customers, rescoring
from queues.service.imports import Counts, Options, RowFault, SheetError, import_table
from queues.service.people import Agent, save_agents
from queues.service.plans import plan_of
from queues.store import imports as store
from queues.store import sheets
from tests.doubles import ManualClock
from tests.queues import birthdays
from tests.queues.customer_tables import COLUMNS, LIU, MILL, changed, take, write_csv


async def rows_of(runtime: Runtime, table: str, *names: str) -> list[tuple[Any, ...]]:
    described = metadata.tables[table]
    query = select(*(described.c[name] for name in names)).order_by(*described.primary_key.columns)
    async with runtime.database.read() as connection:
        return [tuple(row) for row in await connection.execute(query)]


async def only(runtime: Runtime, text: str) -> customers.Customer:
    (found,) = await customers.search(runtime, text)
    return found


@pytest.fixture
def with_birthdays(runtime: Runtime, tmp_path: Path) -> Runtime:
    return birthdays.with_birthdays(runtime, tmp_path / "sites")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
async def test_a_table_is_read_however_it_was_saved(
    runtime: Runtime, tmp_path: Path, encoding: str, delimiter: str
) -> None:
    path = write_csv(tmp_path / "a.csv", encoding=encoding, delimiter=delimiter)
    outcome, faults = await take(runtime, path)
    assert (outcome.counts, faults) == (Counts(opened=2), [])
    mill = await only(runtime, "恒达")
    assert mill == customers.Customer(
        customer_id="C1-2",
        name="恒达化纤",
        account_no="0571000001",
        area="city",
        attributes={
            "customer_kind": "non_residential",
            "address": "东湖路1号",
            "capacity_kva": "2000",
            "annual_kwh": "120000",
            "high_risk": "no",
        },
        numbers=("+8657188886666",),
        tier="key_customer",
    )


async def test_a_workbook_is_read_as_what_its_cells_show(runtime: Runtime, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in ([*COLUMNS, "dual_supply"], [*MILL[:6], 2000.0, 120000, False, True], [], [*LIU, None]):
        sheet.append(row)
    sheet.cell(4, 3).value = 13800138000
    book.save(tmp_path / "a.xlsx")
    (tmp_path / "a.xlsx").rename(tmp_path / "86f082327db4394c")  # as an upload is kept
    outcome, faults = await take(runtime, tmp_path / "86f082327db4394c")
    assert (outcome.rows, outcome.counts, faults) == (2, Counts(opened=2), [])
    assert (await only(runtime, "恒达")).attributes["dual_supply"] == "yes"
    assert (await only(runtime, "13800138000")).name == "刘芳"


async def test_a_day_in_a_workbook_is_a_day(with_birthdays: Runtime, tmp_path: Path) -> None:
    book = Workbook()
    assert book.active is not None
    book.active.append([*COLUMNS, "生日", "consent"])
    book.active.append([*LIU, dt.date(1980, 5, 6), "是"])
    book.save(tmp_path / "a.xlsx")
    await take(with_birthdays, tmp_path / "a.xlsx")
    assert (await only(with_birthdays, "刘芳")).attributes["birthday"] == "1980-05-06"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "Its first row should name the columns, and is empty."),
        (b"\x00\x01\x02", "It is neither text nor an XLSX workbook."),
        (b"account_no,name\n\xff\xff\xff", "Its text is in none of utf-8-sig, gb18030."),
        (b"PK\x05\x06" + b"\x00" * 18, "It is a packed file, but no XLSX workbook."),
    ],
)
async def test_a_file_that_is_no_table_is_refused(
    runtime: Runtime, tmp_path: Path, content: bytes, why: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(SheetError) as told:
        await take(runtime, path)
    assert str(told.value) == f"This file cannot be read as a table. {why}"


async def test_a_heading_too_long_for_a_table_is_told(runtime: Runtime, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x" * (sheets.CELL_MAX + 1), "utf-8")
    with pytest.raises(SheetError, match="Near row 1: field larger than field limit"):
        await take(runtime, path)


def large_workbook(path: Path, rows: int) -> Path:
    book = Workbook()
    assert book.active is not None
    book.active.append(COLUMNS)
    for number in range(rows):
        book.active.append([f"{number:010}", *LIU[1:]])
    book.save(path)
    return path


async def test_a_workbook_that_breaks_off_is_told(runtime: Runtime, tmp_path: Path) -> None:
    whole = large_workbook(tmp_path / "a.xlsx", 2_000)
    broken = tmp_path / "b.xlsx"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(broken, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content[: len(content) // 2] if "sheet1" in name else content)
    with pytest.raises(SheetError, match=r"Near row \d{3,} the workbook is broken"):
        await take(runtime, broken)


async def test_a_workbook_is_opened_once_beside_the_event_loop_and_says_how_far_it_is(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = large_workbook(tmp_path / "a.xlsx", 3_000)
    opened: list[int] = []
    whole, told = excel.load_workbook, []

    def counted(*given: Any, **more: Any) -> Any:
        opened.append(threading.get_ident())
        return whole(*given, **more)

    monkeypatch.setattr(excel, "load_workbook", counted)
    await import_table(runtime, path, Options(dry_run=True), told=lambda _, done: told.append(done))
    assert len(opened) == 1
    assert threading.get_ident() not in opened
    assert 0 < told[0] < told[-1] <= 100


async def test_every_fault_is_told_with_its_row_and_nothing_is_imported(
    runtime: Runtime, tmp_path: Path
) -> None:
    rows = [
        MILL,
        changed(LIU, phones="12", area="moon"),
        changed(LIU, account_no="", name=""),
        changed(LIU, account_no="0571000009", high_risk="", capacity_kva="much"),
        LIU,
        (*changed(LIU, account_no="0571000010"), "more"),
    ]
    outcome, faults = await take(runtime, write_csv(tmp_path / "a.csv", rows))
    assert [(one.row_no, one.account_no, one.field, one.what) for one in faults] == [
        (3, "0571000002", "account_no", "the account number is also in another row, the first time in row 3"),
        (3, "0571000002", "area", "there is no area named 'moon' (city, suburb, rural)"),
        (3, "0571000002", "phones", "'12' is not a telephone number"),
        (4, "", "account_no", "is missing"),
        (4, "", "name", "is missing"),
        (5, "0571000009", "capacity_kva", "'much' is not a number such as 1999.9"),
        (5, "0571000009", "high_risk", "is needed, and the file has none"),
        (6, "0571000002", "account_no", "the account number is also in another row, the first time in row 3"),
        (7, "0571000010", "", "has more cells than there are headings"),
    ]
    assert (outcome.rows, outcome.faulty, outcome.is_merged) == (6, 5, False)
    assert await rows_of(runtime, "customers", "name") == []
    assert await rows_of(runtime, "imports", "import_no") == []

    options = Options(origin="register", skip_faulty=True)
    outcome, again = await take(runtime, tmp_path / "a.csv", options)
    assert again == faults
    assert (outcome.is_merged, outcome.counts) == (True, Counts(opened=1, skipped=5))
    assert await rows_of(runtime, "customers", "account_no") == [("0571000001",)]


async def test_a_dry_run_says_what_would_be_and_changes_nothing(runtime: Runtime, tmp_path: Path) -> None:
    await take(runtime, write_csv(tmp_path / "a.csv", [MILL]))
    path = write_csv(tmp_path / "b.csv", [changed(MILL, capacity_kva="10"), LIU])
    outcome, faults = await take(runtime, path, Options(dry_run=True))
    assert (outcome.counts, outcome.is_merged, faults) == (Counts(opened=1, changed=1), False, [])
    assert (await only(runtime, "恒达")).attributes["capacity_kva"] == "2000"
    assert await rows_of(runtime, "imports", "import_no") == [(1,)]


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        (("account_no", "shoe size"), ("shoe size", "'shoe size' is no field of this site's customers")),
        (
            ("account_no", "capacity_kav"),
            (
                "capacity_kav",
                "'capacity_kav' is no field of this site's customers; did you mean 'capacity_kva'?",
            ),
        ),
        (("account_no", "电话", "phones"), ("phones", "two columns give this field")),
        (("name",), ("account_no", "there is no column with the account number (account_no, 户号)")),
        (("account_no", "tier"), ("tier", "'tier' is no field of this site's customers")),
    ],
)
async def test_a_heading_that_names_nothing_is_a_fault(
    runtime: Runtime, tmp_path: Path, columns: tuple[str, ...], fault: tuple[str, str]
) -> None:
    path = write_csv(tmp_path / "a.csv", [["1"] * len(columns)], columns)
    outcome, faults = await take(runtime, path)
    assert faults == [RowFault(1, "", *fault)]
    assert not outcome.is_merged


async def test_a_column_that_is_not_there_leaves_its_field_and_an_empty_cell_empties_it(
    runtime: Runtime, tmp_path: Path
) -> None:
    await take(runtime, write_csv(tmp_path / "a.csv", [(*MILL, "yes")], (*COLUMNS, "dual_supply")))
    await take(runtime, write_csv(tmp_path / "b.csv", [["0571000001", "7"]], ["户号", "annual_kwh"]))
    mill = await only(runtime, "恒达")
    assert (mill.attributes["annual_kwh"], mill.attributes["dual_supply"], mill.area) == ("7", "yes", "city")
    await take(
        runtime, write_csv(tmp_path / "c.csv", [["0571000001", "", ""]], ["户号", "dual_supply", "area"])
    )
    mill = await only(runtime, "恒达")
    assert ("dual_supply" in mill.attributes, mill.area, mill.numbers) == (False, "", ("+8657188886666",))
    path = write_csv(tmp_path / "d.csv", [["0571000001", ""]], ["户号", "annual_kwh"])
    assert (await take(runtime, path))[1] == [
        RowFault(2, "0571000001", "annual_kwh", "is needed, and the file has none")
    ]


async def test_the_same_table_again_changes_nothing(runtime: Runtime, tmp_path: Path) -> None:
    person = "李梅 | 经理 | 88887777 13800138000 | notices"
    path = write_csv(tmp_path / "a.csv", [(*MILL, person), (*LIU, "")], (*COLUMNS, "contacts"))
    await take(runtime, path)
    outcome, _ = await take(runtime, path)
    assert outcome.counts == Counts(unchanged=2)
    assert outcome.import_no is None
    assert await rows_of(runtime, "customer_changes", "field") == []
    assert await rows_of(runtime, "imports", "import_no") == [(1,)]


async def test_managers_are_agents_by_name_or_id_in_their_order(runtime: Runtime, tmp_path: Path) -> None:
    people = [
        Agent(agent_id=agent_id, name=name, skills=(), endpoint=f"client:{agent_id}")
        for agent_id, name in (("wang", "王敏"), ("zhao", "赵磊"), ("li1", "李强"), ("li2", "李强"))
    ]
    await save_agents(runtime, people)
    columns = (*COLUMNS, "客户经理")
    await take(runtime, write_csv(tmp_path / "a.csv", [(*MILL, "赵磊、wang")], columns))
    assert (await only(runtime, "恒达")).managers == ("zhao", "wang")
    _, faults = await take(runtime, write_csv(tmp_path / "b.csv", [(*MILL, "李强")], columns))
    assert faults == [RowFault(2, "0571000001", "managers", "there is no agent named '李强'")]


async def test_who_takes_his_consent_back_takes_its_values_with_it(
    with_birthdays: Runtime, tmp_path: Path
) -> None:
    runtime, columns = with_birthdays, ("account_no", "生日", "同意")
    await take(runtime, write_csv(tmp_path / "a.csv", [LIU]))
    for number, birthday in enumerate(("1980-05-06", "1980-05-07")):
        await take(runtime, write_csv(tmp_path / f"{number}.csv", [["0571000002", birthday, "是"]], columns))
    fields = await rows_of(runtime, "customer_changes", "field")
    assert fields == [("birthday",), ("consent",), ("birthday",)]
    await take(runtime, write_csv(tmp_path / "c.csv", [["0571000002", "否"]], ("account_no", "同意")))
    assert "birthday" not in (await only(runtime, "刘芳")).attributes
    kept = await rows_of(runtime, "customer_changes", "field", "before", "after")
    assert kept == [("consent", "", "yes"), ("consent", "yes", "")]
    await customers.update_customer(
        runtime, "C1-2", {"consent": "yes", "birthday": "1980-05-06"}, by="", reason=""
    )
    await customers.update_customer(runtime, "C1-2", {"consent": "no"}, by="", reason="")
    assert "1980" not in str(await rows_of(runtime, "customer_changes", "before", "after"))


async def test_what_was_changed_by_hand_meanwhile_is_not_overwritten(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await take(runtime, write_csv(tmp_path / "a.csv"))
    path = write_csv(tmp_path / "b.csv", [["0571000001", "5"], ["0571000002", "6"]], ["户号", "annual_kwh"])
    counted = store.count_faulty

    async def while_somebody_updates(connection: Any) -> int:
        monkeypatch.setattr(store, "count_faulty", counted)
        await customers.update_customer(runtime, "C1-2", {"phones": "88887777"}, by="A1", reason="told us")
        return await counted(connection)

    monkeypatch.setattr(store, "count_faulty", while_somebody_updates)
    outcome, _ = await take(runtime, path)
    assert (outcome.is_merged, outcome.counts) == (True, Counts(changed=2))
    mill = await only(runtime, "恒达")
    assert (mill.attributes["annual_kwh"], mill.numbers) == ("5", ("+8657188887777",))
    assert (await only(runtime, "88887777")).customer_id == "C1-2"


async def test_rules_that_came_into_force_during_an_import_reach_what_it_brought(
    runtime: Runtime, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await take(runtime, write_csv(tmp_path / "a.csv"))
    assert await rescoring.rescore_due(runtime) == 1
    # Of runs that began in one millisecond nobody could say which was the last.
    clock.advance(1)
    plan, ahead = plan_of(runtime), replace(runtime)
    rarer = Rule.model_validate({"attribute": "capacity_kva", "at_least": 5000})
    tier = plan.tiers["key_customer"].model_copy(update={"rule": rarer})
    newer = plan.model_copy(update={"tiers": plan.tiers | {"key_customer": tier}})
    for module in ("rescoring", "standings"):
        known = lambda given: newer if given is ahead else plan  # noqa: E731
        monkeypatch.setattr(f"queues.service.{module}.plan_of", known)
    counted = store.count_faulty

    async def while_the_rules_change(connection: Any) -> int:
        assert await rescoring.rescore_due(ahead) == 1
        return await counted(connection)

    monkeypatch.setattr(store, "count_faulty", while_the_rules_change)
    more = changed(MILL, account_no="0571000003", name="新厂")
    await take(runtime, write_csv(tmp_path / "b.csv", [more, LIU]))
    assert (await only(runtime, "新厂")).tier == "key_customer"
    assert await rescoring.rescore_due(ahead) == 1
    assert (await only(runtime, "新厂")).tier == "business"
    assert await rescoring.rescore_due(ahead) == 0


@pytest.mark.parametrize("skip_faulty", [False, True])
async def test_a_row_that_became_faulty_meanwhile_is_a_faulty_row(
    with_birthdays: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, skip_faulty: bool
) -> None:
    runtime = with_birthdays
    await take(runtime, write_csv(tmp_path / "a.csv", [(*MILL, "是"), (*LIU, "是")], (*COLUMNS, "consent")))
    rows = [["0571000001", "1980-05-06"], ["0571000002", "1981-05-06"]]
    path = write_csv(tmp_path / "b.csv", rows, ("account_no", "birthday"))
    counted = store.count_faulty

    async def while_somebody_changes_his_mind(connection: Any) -> int:
        await customers.update_customer(runtime, "C1-2", {"consent": "no"}, by="A1", reason="told us")
        return await counted(connection)

    monkeypatch.setattr(store, "count_faulty", while_somebody_changes_his_mind)
    outcome, faults = await take(runtime, path, Options(skip_faulty=skip_faulty))
    assert [(one.row_no, one.field) for one in faults] == [(2, "birthday")]
    assert (outcome.is_merged, outcome.faulty) == (skip_faulty, 1)
    kept = [(await only(runtime, name)).attributes.get("birthday") for name in ("恒达", "刘芳")]
    assert kept == [None, "1981-05-06" if skip_faulty else None]


async def test_search_finds_by_name_number_and_account(runtime: Runtime, tmp_path: Path) -> None:
    await take(runtime, write_csv(tmp_path / "a.csv", [MILL, changed(LIU, phones="13800138000 88886666")]))
    for text, names in (
        ("恒达", ["恒达化纤"]),
        ("0571 88886666", ["刘芳", "恒达化纤"]),
        ("+86 571 8888-6666", ["刘芳", "恒达化纤"]),
        ("138 0013 8000", ["刘芳"]),
        ("0571000001", ["恒达化纤"]),
        ("%", []),
        ("", []),
    ):
        assert [one.name for one in await customers.search(runtime, text)] == names, text


async def test_an_update_by_hand_is_checked_as_a_row_is(runtime: Runtime, tmp_path: Path) -> None:
    await take(runtime, write_csv(tmp_path / "a.csv"))
    refused = await customers.update_customer(
        runtime, "C1-2", {"capacity_kva": "much", "shoe size": "43", "account_no": "7"}, by="A1", reason="x"
    )
    assert refused is not None
    assert {field for field, _ in refused.faults} == {"capacity_kva", "shoe size", "account_no"}
    assert await customers.update_customer(runtime, "C9-9", {"name": "x"}, by="A1", reason="x") is None
    same = await customers.update_customer(runtime, "C1-2", {"capacity_kva": "2,000.0"}, by="A1", reason="x")
    assert same == customers.Updated()
    done = await customers.update_customer(runtime, "C1-2", {"capacity_kva": "8"}, by="A1", reason="x")
    assert done is not None
    assert [(one.field, one.before, one.after) for one in done.changes] == [("capacity_kva", "2000", "8")]
    steps = await rows_of(runtime, "tier_history", "old_tier", "new_tier", "account_id")
    assert steps == [("key_customer", "business", "A1")]


async def test_a_forgotten_number_is_in_no_file_and_in_no_history(runtime: Runtime, tmp_path: Path) -> None:
    await take(runtime, write_csv(tmp_path / "a.csv", [MILL, changed(LIU, phones="13800138000 88886666")]))
    await take(runtime, write_csv(tmp_path / "b.csv", [changed(MILL, phones="88887777"), LIU]))
    await customers.update_customer(runtime, "C1-3", {"phones": "88886666"}, by="", reason="")
    assert await customers.forget(runtime, "0571-8888 6666") == 2
    assert await customers.forget(runtime, "nobody") is None
    assert await customers.search(runtime, "88886666") == []
    for table, names in (("customer_numbers", ["number"]), ("customer_changes", ["before", "after"])):
        assert "88886666" not in str(await rows_of(runtime, table, *names))
    redis: Any = runtime.redis
    assert len(await redis.hgetall("{power}:numbers")) == 1
