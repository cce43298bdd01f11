"""Urgent reports: begun by a person or by a surge, made at once, and gone on with in one thread until they are closed.

What must hold: a surge begins one report however many clock processes see it, because it is named after the surge; it
is made within the request, or by the next round of the clock process if whoever began it died; each update is written
by a change from "so many are there", so no two processes write the same one.
"""

import json
import secrets
from collections import Counter
from typing import Any, Final

from config.log import get_log
from config.runtime import Runtime
from queues.domain import report_document as documents
from queues.domain.plan import Plan
from queues.domain.report_document import ALL, Document
from queues.domain.reports import URGENT_WITHIN_MS, Kind
from queues.domain.surges import Running
from queues.service import reporting
from queues.service.calls import day_of, local_day
from queues.service.plans import plan_of
from queues.service.surging import surges_now
from queues.service.switchboard import Switchboard
from queues.store import audits, reports
from queues.store.reports import EntryKind, Row

log = get_log(__name__)

WHY_LENGTH_MAX: Final = 300
TEXT_LENGTH_MAX: Final = 2_000
# Why an update was written: its time had come, somebody had something to say, the surge is over, or nobody has said
# anything for days: then it is closed, or it would go on for ever.
DUE, SAID, OVER, LEFT = "due", "said", "over", "left"
LEFT_MS: Final = 3 * 86_400_000
TOLD: Final = ("arrived", "offered", "answered", "abandoned", "unsettled")


async def begin(runtime: Runtime, why: str, by: str) -> str:
    """By a person; the report's id. Raises ValueError when no reason is given."""
    said = why.strip()[:WHY_LENGTH_MAX]
    if not said:
        raise ValueError(why)
    report_id = f"{Kind.URGENT}-{secrets.token_hex(6)}"
    await _begin(runtime, report_id, said, by)
    return report_id


async def _begin(runtime: Runtime, report_id: str, why: str, by: str) -> bool:
    """False when it was begun before."""
    plan, site, now_ms = plan_of(runtime), runtime.settings.site, runtime.clock.now_ms()
    today = local_day(plan, now_ms)
    row = Row(
        report_id=report_id,
        kind=Kind.URGENT,
        first=today.isoformat(),
        from_ms=day_of(plan, today)[0],
        until_ms=now_ms + 1,  # this moment is in it
        why=why,
        account_id=by or None,
        due_ms=now_ms + URGENT_WITHIN_MS,
    )
    async with runtime.database.transaction() as connection:
        if not await reports.plant(connection, site, [row]):
            return False
        subject = f"report:{report_id}"
        await audits.write(
            connection, "report.begun", f"{site}:{report_id}", at_ms=now_ms, by=by, subject=subject
        )
    log.warning("report.begun", report_id=report_id)
    await _make(runtime, plan, row)
    return True


async def _make(runtime: Runtime, plan: Plan, row: Row) -> bool:
    return await reporting.make(runtime, plan, row, {"now": await _now(runtime)})


async def go_on(runtime: Runtime) -> int:
    """The chore: begin what a surge asks for, make what was left unmade, write the updates that are due."""
    plan, site = plan_of(runtime), runtime.settings.site
    surges = {_id_of(each): each for each in await surges_now(runtime)}
    async with runtime.database.read() as connection:
        unmade = [row for row in await reports.unmade(connection, site) if reporting.is_urgent(row)]
        open_ones = await reports.open_urgent(connection, site)
    done = 0
    if plan.reports.urgent.surge:
        known = {row.report_id for row in (*unmade, *open_ones)}
        for report_id, surge in surges.items():
            done += report_id not in known and await _begin(runtime, report_id, str(surge), "")
    for row in unmade:
        done += await _make(runtime, plan, row)
    for row in open_ones:
        done += await _go_on(runtime, plan, row, is_over=_is_surges(row) and row.report_id not in surges)
    return done


async def _go_on(runtime: Runtime, plan: Plan, row: Row, *, is_over: bool) -> bool:
    site, now_ms, made_ms = runtime.settings.site, runtime.clock.now_ms(), row.made_ms or 0
    async with runtime.database.read() as connection:
        number, last_ms = await reports.last_of(connection, site, row.report_id)
        is_due = max(made_ms, last_ms) + plan.reports.urgent.every_ms <= now_ms
        _, said_ms = await reports.last_of(connection, site, row.report_id, SAID) if is_due else (0, 0)
    if not is_over and not is_due:
        return False
    is_left = not _is_surges(row) and max(made_ms, said_ms) + LEFT_MS <= now_ms
    return await _update(runtime, plan, row, OVER if is_over else LEFT if is_left else DUE, known=number)


async def update(runtime: Runtime, report_id: str, text: str, by: str, *, closes: bool = False) -> bool:
    """What somebody adds, with how things stand; False where there is no such report, or it is closed."""
    row = await _open(runtime, report_id)
    said = text.strip()[:TEXT_LENGTH_MAX]
    if row is None or not (said or closes):
        return False
    return await _update(runtime, plan_of(runtime), row, SAID, text=said, by=by, closes=closes)


async def _update(
    runtime: Runtime,
    plan: Plan,
    row: Row,
    why: str,
    *,
    text: str = "",
    by: str = "",
    closes: bool = False,
    known: int | None = None,
) -> bool:
    site, now_ms = runtime.settings.site, runtime.clock.now_ms()
    today_ms, _ = day_of(plan, local_day(plan, now_ms))  # it may go on for days: each update tells of its own
    told = await reporting.figures_told(runtime, plan, max(row.from_ms, today_ms), now_ms + 1)
    content = documents.write({"text": text, "now": await _now(runtime), "figures": _short(told)})
    entry = {
        "kind": str(EntryKind.UPDATE),
        "at_ms": now_ms,
        "account_id": by or None,
        "why": why,
        "content": content,
    }
    async with runtime.database.transaction() as connection:
        is_open = await reports.is_open(connection, site, row.report_id)
        last, _ = await reports.last_of(connection, site, row.report_id)
        if not is_open or known not in (None, last):
            return False
        number = await reports.add(connection, site, row.report_id, entry)
        action = "report.closed" if closes or why in (OVER, LEFT) else "report.updated"
        if action == "report.closed":
            await reports.close(connection, site, row.report_id, now_ms)
        mark, subject = f"{site}:{row.report_id}:{number}", f"report:{row.report_id}"
        await audits.write(connection, action, mark, at_ms=now_ms, by=by, subject=subject)
    log.info("report.updated", report_id=row.report_id, number=number, why=why)
    return True


async def _open(runtime: Runtime, report_id: str) -> Row | None:
    async with runtime.database.read() as connection:
        rows = await reports.open_urgent(connection, runtime.settings.site)
    return next((row for row in rows if row.report_id == report_id), None)


def _id_of(surge: Running) -> str:
    return f"{Kind.URGENT}-{surge.notice_id}"


def _is_surges(row: Row) -> bool:
    return row.account_id is None


async def _now(runtime: Runtime) -> Document:
    """Who waits and who is there, at this moment."""
    wall = await Switchboard(runtime).wall_state()
    waiting: Counter[str] = Counter()
    for each in wall.waiting:
        waiting[each.queue] += each.waiting
    since = [each.longest_queued_ms for each in wall.waiting if each.longest_queued_ms is not None]
    return {
        "at_ms": wall.now_ms,
        "waiting": {queue: count for queue, count in waiting.items() if count},
        "longest_ms": wall.now_ms - min(since) if since else 0,
        "agents": dict(Counter(str(each.state) for each in wall.agents)),
        "surges": [str(each) for each in await surges_now(runtime)],
    }


def _short(told: Document) -> Document:
    """Of an update, as much as is read at a glance."""
    whole = next(each for each in told["sets"] if each["by"] == ALL)
    return {
        "sums": {name: whole["sums"].get(name, 0) for name in TOLD},
        "contract": told["contract"],
        "level": whole["cards"].get(told["contract"]),
    }


def read_update(content: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(content)
    return found
