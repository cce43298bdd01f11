"""R117: one query lists a customer's calls, recordings and tickets in time order; two files for one account number
cannot exist."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from config.migrations import upgrade_url
from config.runtime import Runtime
from queues.service.customers import entries_of, update_customer
from queues.store.customers import customers
from recordings.service.recordings import reader as recordings_reader
from tests.requirements.command_line import shouwen
from tests.requirements.firms import row
from tests.requirements.house import open_house

NUMBER = "+8613800000001"


async def test_everything_of_a_customer_is_listed_in_order_of_time(runtime: Runtime, tmp_path: Path) -> None:
    clock: Any = runtime.clock
    async with open_house(runtime, "power") as house:
        await house.import_rows(tmp_path / "power.csv", [row("0001", "8", "0", "no")])
        customer_id = await house.id_of("0001")
        reader, recordings = await house.enter("sun", "supervisor"), recordings_reader(house.runtime)
        for call_id in ("CA1", "CA2"):
            clock.advance(60_000)
            caller, heard = await house.call(call_id, NUMBER)
            await caller.press(await caller.press(heard, "1"), "1")
            await house.hotline.post(
                f"/recordings/callback/{call_id}/call",
                CallSid=call_id,
                RecordingSid=f"RE{call_id}",
                RecordingStatus="completed",
                RecordingUrl="https://elsewhere.example/audio",
                RecordingDuration="60",
            )
            await caller.report_end()
            await house.settle()
            await recordings.drain()
        clock.advance(60_000)
        await update_customer(
            house.runtime, customer_id, {"phones": "13800000002"}, by="sun", reason="told us"
        )

        listed = [(one.at_ms, one.kind) for one in await entries_of(house.runtime, customer_id)]
        assert listed == sorted(listed, key=lambda one: -one[0])
        assert [kind for _, kind in reversed(listed)] == [
            *("opened", "call", "ticket", "call", "ticket", "change"),
        ]
        said = await shouwen(house.runtime, "customers", "show", customer_id)
        story = said.out.partition("\n\n")[2].splitlines()
        assert [line.split("  ")[1] for line in story] == [
            *("opened", "call", "recording", "ticket", "call", "recording", "ticket", "change"),
        ]
        assert NUMBER not in said.out
        page = await reader.open(f"/customers/{customer_id}")
        assert all(str(call_id) in page.text for call_id in ("CA1", "CA2"))


async def test_two_files_for_one_account_cannot_be(runtime: Runtime, tmp_path: Path) -> None:
    async with open_house(runtime, "power") as house:
        await house.import_rows(tmp_path / "a.csv", [row("0001", "8", "0", "no")])
        await house.import_rows(tmp_path / "b.csv", [{**row("0001", "9", "0", "no"), "account_no": "00 01"}])
        assert await house.files("customer_id") == {"0001": (await house.id_of("0001"),)}
        twice = {"site": "power", "account_no": "0001", "customer_id": "C9", "name": "again"}
        with pytest.raises(IntegrityError):
            async with house.runtime.database.transaction() as connection:
                await connection.execute(insert(customers).values(twice))


def test_two_files_of_older_data_become_one(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    upgrade_url(f"sqlite+aiosqlite:///{path}", "0002")
    with sqlite3.connect(path) as old:
        old.executemany(
            "INSERT INTO customers (customer_id, site, account_no, name) VALUES (?, 'power', ?, ?)",
            [("C2", "0001", "new"), ("C1", "0001", "old"), ("C3", "", "nobody"), ("C4", "", "nobody")],
        )
        old.execute("INSERT INTO customer_numbers VALUES ('key', 'C2', '+8613800000001')")
        old.execute(
            "INSERT INTO calls (call_id, site, customer_id, state, arrived_ms, offers)"
            " VALUES ('CA1', 'power', 'C2', 'ended', 1, 0)"
        )
    upgrade_url(f"sqlite+aiosqlite:///{path}")
    with sqlite3.connect(path) as new:
        files = new.execute(
            "SELECT customer_id, account_no, account_digits FROM customers ORDER BY 1"
        ).fetchall()
        assert files == [("C1", "0001", "0001"), ("C3", None, None), ("C4", None, None)]
        assert new.execute("SELECT number_key, customer_id FROM customer_numbers").fetchall() == [
            ("key", "C1")
        ]
        assert new.execute("SELECT customer_id FROM calls").fetchall() == [("C1",)]
