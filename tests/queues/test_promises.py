"""What a report tells of tickets and callbacks: by what is open and what moved in the period, not by all there was."""

from typing import Any

import pytest
from sqlalchemy import insert, text

from config.runtime import Runtime
from queues.store import promises
from queues.store.tickets import tickets
from tests.queues.asking import plans

FROM, UNTIL = 1_000, 2_000


def ticket(
    name: str, opened: int, due: int | None, resolved: int | None, closed: int | None
) -> dict[str, Any]:
    return {
        "ticket_no": name, "site": "power", "type": "fault", "work_queue": "field", "priority": 1, "state": "open",
        "opened_ms": opened, "due_ms": due, "resolved_ms": resolved, "closed_ms": closed, "amount_cents": 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (ticket("over before", 10, 500, 400, 450), {}),
        (ticket("closed before, never resolved", 10, 500, None, 450), {}),
        (ticket("opened after", 2_000, 2_500, None, None), {}),
        (ticket("opened, not done", 1_000, 2_500, None, None), {"opened": 1, "left": 1, "amount_cents": 5}),
        (ticket("undone of old", 10, 500, None, None), {"left": 1}),
        (ticket("done of old", 10, 500, 1_500, 1_600), {"done": 1}),
        (ticket("closed of old", 10, 500, None, 1_500), {"done": 1}),
        (ticket("due, and kept long before", 10, 1_500, 400, 450), {"kept": 1}),
        (ticket("due, and done later", 10, 1_500, 2_100, None), {"left": 1, "broken": 1}),
        (ticket("closed in it, resolved before", 10, 500, 400, 1_500), {}),
    ],
    ids=lambda each: each.get("ticket_no"),
)
async def test_a_ticket_is_told_by_what_became_of_it(
    runtime: Runtime, row: dict[str, Any], told: dict[str, int]
) -> None:
    async with runtime.database.transaction() as connection:
        await connection.execute(insert(tickets).values(**row))
        found = await promises.of_tickets(connection, "power", FROM, UNTIL)
        assert {name: n for name, n in found.get("fault", {}).items() if n} == told
        assert await promises.of_tickets(connection, "gas", FROM, UNTIL) == {}


async def test_no_report_reads_every_call_and_ticket_there_was(runtime: Runtime) -> None:
    """Of 3,000 tickets nearly all were over long before."""
    async with plans(runtime.database) as (connection, found):
        old = [ticket(f"T{n}", n % 900, n % 900 + 20, n % 900 + 10, n % 900 + 15) for n in range(3_000)]
        await connection.execute(insert(tickets), old)
        await connection.execute(text("analyze tickets"))
        assert await promises.callbacks_open(connection, "power", UNTIL) == 0
        assert await promises.of_tickets(connection, "power", FROM, UNTIL) == {}
    assert "ix_calls_callback_arrived_ms" in found[0]
    if runtime.database.is_sqlite:
        ways = ("opened_ms", "due_ms", "resolved_ms", "closed_ms_resolved_ms")
        assert [found[1].count(f"ix_tickets_site_{way} ") for way in ways] == [1, 1, 1, 2], found[1]
    else:
        assert "BitmapOr" in found[1], found[1]
        assert found[1].count("Bitmap Index Scan") == 5, found[1]
