"""The clockwork: chores that come round again, done by whichever clock process gets to them first.

A chore claims what it does by conditional change, so any number of clock processes may run it at once. One
chore that fails is logged and comes round again; the others go on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete

from config.log import get_log
from config.redis import is_cancelled
from config.runtime import Runtime
from config.web.sessions import sessions, wall_ms
from queues.service import (
    abandoned,
    alarms,
    appointments,
    cases,
    customers,
    erasing,
    estimating,
    journal,
    links,
    notices,
    people,
    plans,
    reporting,
    rescoring,
    scores,
    surging,
    tiers,
    uploads,
    urgent_reports,
    wrap_ups,
)

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """`run` says how much it did. It comes round every so often, in real seconds."""

    name: str
    every_s: float
    run: Callable[[Runtime], Awaitable[int]]


def own_chores(reader_names: Collection[str]) -> tuple[Chore, ...]:
    """The chores of this storey. The journal is kept for the readers named here."""
    return (
        Chore("sweep_tickets", 5.0, lambda runtime: links.sweep(runtime, links.OPEN_TICKET)),
        Chore("mend_cases", 10.0, cases.mend_cases),
        Chore("trim_journal", 60.0, lambda runtime: journal.trim(runtime, reader_names)),
        Chore("erase_traces", 60.0, erasing.erase_traces),
        Chore("mend_index", 10.0, customers.mend_index),
        Chore("mend_people", 5.0, people.mend_people),
        Chore("forget_met", 300.0, people.forget_met),
        Chore("mend_notices", 5.0, notices.mend_notices),
        Chore("end_changes", 2.0, tiers.end_changes),
        Chore("rescore_due", 10.0, rescoring.rescore_due),
        Chore("work_off_uploads", 1.0, uploads.work_off_uploads),
        Chore("tidy_uploads", 300.0, uploads.tidy_uploads),
        Chore("close_lapsed", 10.0, abandoned.close_lapsed),
        Chore("send_texts", 2.0, appointments.send_texts),
        Chore("estimate_waits", 2.0, estimating.estimate_waits),
        Chore("watch_surges", 1.0, surging.watch_surges),
        Chore("make_reports", 5.0, reporting.make_reports),
        Chore("urgent_reports", 2.0, urgent_reports.go_on),
        Chore("correct_reports", 20.0, reporting.correct_reports),
        Chore("watch_alarms", 0.5, alarms.watch_alarms),
        Chore("drop_alarms", 60.0, alarms.drop_old),
        Chore("keep_version", 300.0, plans.keep_version),
        Chore("keep_scores", 60.0, scores.make_months),
        Chore("mend_wrap_ups", 60.0, wrap_ups.mend_wrap_ups),
        Chore("end_sessions", 300.0, end_sessions),
    )


async def end_sessions(runtime: Runtime) -> int:
    """Forget sign-in sessions that have run out; their time is real time."""
    async with runtime.database.transaction() as connection:
        ended = await connection.execute(delete(sessions).where(sessions.c.expires_ms <= wall_ms()))
    return int(ended.rowcount)


async def do(runtime: Runtime, chore: Chore) -> int:
    """The chore once; a fault is logged, and it comes round again."""
    try:
        count = await chore.run(runtime)
    except Exception as fault:
        log.exception("chore.failed", chore=chore.name, fault=type(fault).__name__)
        return 0
    if count:
        log.info("chore.done", chore=chore.name, count=count)
    return count


async def run(runtime: Runtime, chores: Sequence[Chore]) -> None:
    """The loop of the `clock` process, until it is cancelled. A slow chore keeps no other waiting."""
    async with asyncio.TaskGroup() as group:
        for chore in chores:
            group.create_task(come_round(runtime, chore), name=chore.name)


async def come_round(runtime: Runtime, chore: Chore) -> None:
    while not is_cancelled():
        await do(runtime, chore)
        await asyncio.sleep(chore.every_s)
