"""R104: the totals of a month equal the sum of its days; each promise (clock) has its share kept; complaints are listed
with their tickets. R106: figures of twelve months per department with target and result."""

from collections import Counter
from dataclasses import replace

from sqlalchemy import update

from config.runtime import Runtime
from queues.domain.report_document import values_of
from queues.service import figuring, reporting
from queues.service.plans import plan_of
from queues.store.tickets import Ticket, insert_new, tickets
from tests.queues.outlets import rows
from tests.queues.web.reader import text_of
from tests.requirements.reported import HOUR_MS, House, open_house, sums_of

MONTH, YEAR = "month-2026-11-01", "year-2026-01-01"


async def complain(house: House, number: int, *, due_h: int, done_h: int | None) -> None:
    """A complaint that is due, and done, so many hours from now."""
    now_ms = house.runtime.clock.now_ms()
    ticket = Ticket(
        ticket_no=f"T{number:06d}",
        site="power",
        type="complaint",
        work_queue="complaint",
        priority=2,
        state="open",
        call_id=None,
        customer_id=None,
        caller_ref=None,
        tier=None,
        subject=None,
        matter="complaint",
        opened_ms=now_ms,
        due_ms=now_ms + due_h * HOUR_MS,
    )
    if done_h is not None:
        ticket = replace(ticket, state="resolved", resolved_ms=now_ms + done_h * HOUR_MS)
    async with house.runtime.database.transaction() as connection:
        assert await insert_new(connection, ticket)


async def test_a_month_is_its_days_and_a_year_its_months_with_target_and_result(runtime: Runtime) -> None:
    async with open_house(runtime) as house:
        await house.clock_turns(processes=1)
        for n, day in enumerate(range(23, 31)):
            house.go_to(f"2026-11-{day}", "10:00")
            await house.call(f"CA{n}", 12 * n, is_answered=n % 3 != 1, queue="outage" if n % 2 else "general")
            if n < 3:
                await complain(house, n + 1, due_h=24, done_h=(2, 30, None)[n])
            await house.write_down()
        house.go_to("2026-12-03", "12:00")
        await house.write_down()
        await house.clock_turns(2, processes=1)
        days = [f"day-2026-11-{day}" for day in range(23, 31)]
        assert set(await house.made()) > {MONTH, *days}, "on the third, as the site says"
        month = await house.document(MONTH)
        for by in ("all", "queue", "tier", "department", "agent"):
            summed: dict[str, Counter[str]] = {}
            for each in days:
                for name, sums in sums_of(await house.document(each), by).items():
                    summed.setdefault(name, Counter()).update(sums)
            assert summed == {name: Counter(sums) for name, sums in sums_of(month, by).items()}, by
        await expect_promises_and_complaints(house, month)

        before = values_of(month)
        await figuring.rebuild(runtime)
        found = await reporting.kept(runtime, MONTH)
        assert found is not None
        rebuilt = await reporting.compose(runtime, plan_of(runtime), found[0])
        assert values_of(rebuilt) == before, "rebuilt from the calls it is the same"
        await expect_a_year(house)


async def expect_promises_and_complaints(house: House, month: dict[str, object]) -> None:
    assert month["tickets"]["complaint"] == {  # type: ignore[index]
        "opened": 3, "done": 2, "left": 1, "kept": 1, "broken": 2, "amount_cents": 0,
    }  # fmt: skip
    boss = await house.door.enter("boss", "supervisor")
    page = text_of(await boss.open(f"/reports/{MONTH}"))
    assert "月报 2026年11月" in page
    assert "工单时限 3 1 33.3% 1" in page, "due, kept, share, left"
    assert "投诉 3" in page
    assert "T000002 用电投诉与纠纷" in page
    async with house.runtime.database.transaction() as connection:
        await connection.execute(update(tickets).values(state="closed", closed_ms=1))
    assert "T000003" in text_of(await boss.open(f"/reports/{MONTH}")), "it is kept as it was"


async def expect_a_year(house: House) -> None:
    house.go_to("2027-01-01", "12:00")
    await house.clock_turns(3, processes=1)
    year = await house.document(YEAR)
    parts = {(each["by"], each["id"]): each for each in year["months"]}
    plan = plan_of(house.runtime)
    by = "department" if plan.departments else "queue"
    assert {key[0] for key in parts} == {"all", by}
    assert [each["month"] for each in parts["all", ""]["months"]] == [f"2026-{n:02d}" for n in range(1, 13)]
    for key, part in parts.items():
        (whole,) = [each for each in year["sets"] if (each["by"], each["id"]) == key]
        for name in ("arrived", "offered", "answered", "abandoned"):
            assert sum(month[name] for month in part["months"]) == whole["sums"].get(name, 0), (key, name)
    told = [part for part in parts.values() if part["target"]]
    assert told
    for part in told:
        november = part["months"][10]
        assert november["met"] == (november["level"] * 100 >= part["target"]["share"])
        assert part["months"][0] == {
            "month": "2026-01", "arrived": 0, "offered": 0, "answered": 0, "abandoned": 0, "level": None, "met": None,
        }  # fmt: skip
    boss = await house.door.enter("chief", "admin")
    page = text_of(await boss.open(f"/reports/{YEAR}"))
    assert "各月服务水平与目标" in page
    assert "2026-12" in page
    assert not await rows(house.runtime, "report_entries"), "nothing of all this was a correction"
