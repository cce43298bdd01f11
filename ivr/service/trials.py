"""Trials: rules tried on calls of the past before they are live. Asked for on a page, played beside a worker.

    waiting -> running -> done, failed, cancelled, interrupted

The row in SQL is the truth, the job on the work queue only says that there is something to do. A job that is lost is
pushed again while its trial waits; a trial whose worker died has a lease that runs out, and is said to be interrupted:
whoever wants it has it run again, and the same terms give the same result. One at a time runs in the house, and one
waits or runs for each person.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import zlib
from collections.abc import Mapping
from typing import Any, Final

from config import site_files
from config.clock import Clock
from config.log import get_log
from config.redis import STORE_ERRORS
from config.runtime import Runtime
from config.site_files import SiteFiles, SiteFilesError
from ivr.service import trial_days
from ivr.service.hotlines import read_hotline
from ivr.service.trial_days import CALLS_MAX
from ivr.service.versions import folder_of
from ivr.simulation.terms import Terms
from ivr.simulation.variant import changed_words, knob_of
from ivr.store import trials as store
from ivr.store.trials import CANCELLED, INTERRUPTED, OPEN, Trial
from queues.clockwork import Chore
from queues.domain.faults import SiteFaults
from queues.domain.plan import Plan, load_plan
from queues.service.plans import keep_version, plan_in, words_of

log = get_log(__name__)

__all__ = ["CALLS_MAX", "OPEN", "Trial"]

WORK_QUEUE: Final = "trials"
JOB: Final = "ivr.jobs.play_trial"
LEASE_MS: Final = 15_000
PUSH_AGAIN_AFTER_MS: Final = 10_000
KEPT_FOR_MS: Final = 30 * 24 * 3_600_000
RECENT: Final = 20
Refusal = tuple[str, Mapping[str, Any]]


async def faults_of(runtime: Runtime, terms: Terms) -> dict[str, Refusal]:
    """What is wrong with these terms, by the field it is wrong in, as the name of a sentence and its values."""
    faults: dict[str, Refusal] = {}
    before = await _plan_of(runtime, "before", terms.before, faults)
    after = await _plan_of(runtime, "after", terms.after, faults, terms)
    if before is None or after is None:
        return faults
    counts = await trial_days.count_calls(runtime, before, terms)
    total = sum(counts.values())
    if not total:
        faults["day"] = ("no_calls", {})
    elif total > CALLS_MAX:
        faults["until_hour"] = ("too_many", {"n": total, "most": CALLS_MAX})
    for side, plan in (("before", before), ("after", after)):
        for (queue, tier), count in counts.items():
            if queue not in plan.queues:
                faults.setdefault(side, ("no_queue", {"queue": queue, "n": count}))
            if tier and tier not in plan.tiers:
                faults.setdefault(side, ("no_tier", {"tier": tier, "n": count}))
    return faults


async def _plan_of(
    runtime: Runtime, side: str, version: str, faults: dict[str, Refusal], terms: Terms | None = None
) -> Plan | None:
    """The plan of a side, with what is changed on it; else the fault is noted."""
    words = await words_of(runtime, version)
    if words is None:
        faults[side] = ("no_version", {"version": version})
        return None
    try:
        plan = plan_in(words)
        return plan if terms is None else load_plan(changed_words(words, terms.tiers))
    except SiteFaults as found:
        for fault in found.faults:
            knob = knob_of(fault) if terms is not None and terms.tiers else None
            if knob is not None:
                faults.setdefault(f"{knob[1]}.{knob[0]}", ("knob", {"why": fault.message}))
            else:
                faults.setdefault(side, ("fault", {"why": str(fault)}))
        return None


async def keep_folder(runtime: Runtime, version: str) -> bool:
    """Keep the folder's words, sound and not yet in force, so that they can be tried; False when they are others."""
    try:
        files = await asyncio.to_thread(site_files.read, folder_of(runtime))
        if files.version != version:
            return False
        await asyncio.to_thread(read_hotline, files, runtime.settings.duty_number)
        await keep_version(runtime, files)
    except (SiteFilesError, SiteFaults):
        return False
    return True


async def candidate(runtime: Runtime) -> SiteFiles | None:
    """The folder's words, when they are sound and differ from those in force."""
    try:
        files = await asyncio.to_thread(site_files.read, folder_of(runtime))
        if files.version == runtime.site_files.version:
            return None
        await asyncio.to_thread(read_hotline, files, runtime.settings.duty_number)
    except (SiteFilesError, SiteFaults):
        return None
    return files


async def ask(runtime: Runtime, terms: Terms, by: str, calls: int) -> str | None:
    """Have it tried; its id, or None while another of the same account waits or runs."""
    trial = Trial(
        trial_id=secrets.token_hex(6),
        asked_ms=runtime.clock.now_ms(),
        asked_by=by,
        terms=terms.to_json(),
        calls=calls,
    )
    async with runtime.database.transaction() as connection:
        if not await store.insert_new(connection, runtime.settings.site, trial):
            return None
    await push(runtime, trial)
    return trial.trial_id


async def push(runtime: Runtime, trial: Trial) -> bool:
    """Its job onto the work queue; what cannot be pushed now is pushed by the watch."""
    async with runtime.database.transaction() as connection:
        if not await store.note_push(connection, trial, Clock.real().now_ms()):
            return False
    job_id = f"trial-{trial.trial_id}-{trial.pushes + 1}"
    try:
        return await runtime.jobs.push(WORK_QUEUE, JOB, job_id, trial_id=trial.trial_id)
    except STORE_ERRORS as fault:
        log.warning("trial.not_pushed", trial_id=trial.trial_id, why=type(fault).__name__)
        return False


async def push_next(runtime: Runtime) -> bool:
    """The oldest that waits, when nothing runs."""
    site = runtime.settings.site
    async with runtime.database.read() as connection:
        is_free = await store.count_running(connection, site) == 0
        trial = await store.next_waiting(connection, site) if is_free else None
    return trial is not None and await push(runtime, trial)


async def find_trial(runtime: Runtime, trial_id: str) -> Trial | None:
    async with runtime.database.read() as connection:
        return await store.find(connection, runtime.settings.site, trial_id)


async def recent(runtime: Runtime) -> list[Trial]:
    async with runtime.database.read() as connection:
        return await store.newest(connection, runtime.settings.site, RECENT)


async def detail_of(runtime: Runtime, trial_id: str) -> dict[str, Any]:
    """Call by call, and what was played; empty of a trial that was not played to the end."""
    async with runtime.database.read() as connection:
        packed = await store.detail_of(connection, trial_id)
    found: dict[str, Any] = json.loads(zlib.decompress(packed)) if packed else {}
    return found


async def cancel(runtime: Runtime, trial: Trial) -> bool:
    """One that waits is over at once; one that runs is stopped by whoever is at it."""
    now_ms = runtime.clock.now_ms()
    async with runtime.database.transaction() as connection:
        if await store.end(connection, trial.trial_id, CANCELLED, now_ms):
            return True
        return await store.ask_cancel(connection, trial.trial_id)


async def watch_trials(runtime: Runtime) -> int:
    """The chore: those whose worker died are said to be interrupted, and whoever waits is not forgotten."""
    site, real_ms = runtime.settings.site, Clock.real().now_ms()
    async with runtime.database.read() as connection:
        left = await store.abandoned(connection, site, real_ms, LEASE_MS)
        is_free = await store.count_running(connection, site) == len(left)
        waiting = await store.next_waiting(connection, site) if is_free else None
    ended = 0
    for trial in left:
        state = CANCELLED if trial.is_cancelled else INTERRUPTED
        async with runtime.database.transaction() as connection:
            ended += await store.end_abandoned(
                connection, trial.trial_id, state, runtime.clock.now_ms(), real_ms, LEASE_MS
            )
    if waiting is not None and not 0 <= real_ms - waiting.pushed_ms < PUSH_AGAIN_AFTER_MS:
        ended += await push(runtime, waiting)
    return ended


async def tidy_trials(runtime: Runtime) -> int:
    """The chore: what is older than a month goes."""
    before_ms = runtime.clock.now_ms() - KEPT_FOR_MS
    async with runtime.database.transaction() as connection:
        return await store.delete_before(connection, runtime.settings.site, before_ms)


def own_chores() -> tuple[Chore, ...]:
    return (Chore("watch_trials", 2.0, watch_trials), Chore("tidy_trials", 300.0, tidy_trials))
