"""Scores and order made anew: on schedule, when the rules have changed, and by hand.

A run goes through every file in three phases: `scoring` (each format's totals, and each file's score by them),
`ranking` (the ranks inside each format) and `placing` (tier, band and class code, with history). It works in batches
with a transaction each and holds no more than one batch in memory, so it may be as long as it likes. Whoever runs it
holds a lease; when he dies, the next one goes on where the last batch was committed.
"""

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config.clock import Clock
from config.log import get_log
from config.runtime import Runtime
from queues.domain.plan import Plan
from queues.domain.ranking import Entrant, Ranking, add_to, entrant_of, left_out_by, score_of, sort_key
from queues.domain.tiers import Kind, day_of, fingerprint, ranking_mark, run_due
from queues.service.customer_index import show_live
from queues.service.plans import plan_of
from queues.service.standings import Cause, moves_among, place_again
from queues.service.versions import last_activated, version_in_force
from queues.store import rescores, tiers
from queues.store.rescores import Origin, Run, Score

log = get_log(__name__)

__all__ = ["RankingReport", "Run", "ranking_report", "rescore", "rescore_due", "runs_of"]

BATCH: Final = 500  # few enough that no other writer waits long
TRIES: Final = 5
LEASE_S: Final = 30.0
LOOK_AGAIN_S: Final = 0.5
QUIET_PAGES: Final = 20  # so many pages without a change, and it is written down how far the run has come

Totals = dict[str, tuple[int, ...]]  # of each format


class OvertakenError(Exception):
    """Another process has taken this run over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """A file that took no part in the ranking: for a reason of the site's, or because `missing` is empty on it."""

    customer_id: str
    name: str
    account_no: str
    why: dict[str, str]
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingReport:
    """How the last ranking came out: files by format and band, and who was left out and why."""

    bands: dict[str, dict[str, int]]
    excluded: list[Excluded]
    runs: list[Run]


async def rescore_due(runtime: Runtime) -> int:
    """The chore: finish a run that somebody left behind, else begin one that is due; returns the runs finished.

    Only by the rules in force: two processes that know different ones would undo each other's work for ever.
    """
    if not await _has_rules_in_force(runtime):
        return 0
    async with runtime.database.read() as connection:
        run = await _open_or_due(connection, runtime)
    if run is None:
        return 0
    async with runtime.database.transaction() as connection:
        run = await _open_or_due(connection, runtime)  # of two processes one is second, and sees the other's
        if run is not None and await rescores.insert_run(connection, runtime.settings.site, run):
            log.info("rescore.begun", run_id=run.run_id, kind=run.kind)
    return int(run is not None and await _work(runtime, run.run_id))


async def _has_rules_in_force(runtime: Runtime) -> bool:
    site = runtime.settings.site
    version = await version_in_force(runtime.redis, site)
    if not version and (told := await last_activated(runtime.database, site)):
        version = told.version
    return version in ("", runtime.site_files.version)


async def rescore(runtime: Runtime, *, by: str = "") -> Run:
    """The same now, by hand: returns when the run is over, whoever finished it."""
    plan, now_ms = plan_of(runtime), runtime.clock.now_ms()
    run = _new_run(runtime, "sort" if plan.ranking else "place", "hand", secrets.token_hex(4), by)
    async with runtime.database.transaction() as connection:
        await rescores.insert_run(connection, runtime.settings.site, run)
    log.info("rescore.begun", run_id=run.run_id, kind=run.kind, at_ms=now_ms)
    while True:
        async with runtime.database.read() as connection:
            found = await rescores.find_run(connection, run.run_id)
            first = await rescores.unfinished(connection, runtime.settings.site)
        if found is not None and found.finished_ms is not None:
            return found
        if first is None or not await _work(runtime, first.run_id):
            await asyncio.sleep(LOOK_AGAIN_S)


async def runs_of(runtime: Runtime, most: int = 20) -> list[Run]:
    """The newest first."""
    async with runtime.database.read() as connection:
        return await rescores.runs(connection, runtime.settings.site, most)


async def ranking_report(runtime: Runtime, *, after_id: str = "", most: int = 200) -> RankingReport:
    """The bands of each format, and a page of those left out, by id."""
    site, plan = runtime.settings.site, plan_of(runtime)
    async with runtime.database.read() as connection:
        counts = await rescores.band_counts(connection, site)
        rows = await rescores.excluded(connection, site, after_id, most)
        runs = await rescores.runs(connection, site)
    codes = [band.code for band in plan.ranking.bands] if plan.ranking else []
    peers = sorted({peers for peers, _ in counts})
    bands = {each: {code: counts.get((each, code), 0) for code in codes} for each in peers}
    return RankingReport(bands=bands, excluded=[_excluded(row) for row in rows], runs=runs)


def _excluded(row: Any) -> Excluded:
    why = json.loads(row.left_out)
    missing = why.pop("missing", "")
    return Excluded(
        customer_id=row.customer_id,
        name=row.name,
        account_no=row.account_no or "",
        why=why,
        missing=missing,
    )


async def _open_or_due(connection: AsyncConnection, runtime: Runtime) -> Run | None:
    site, plan = runtime.settings.site, plan_of(runtime)
    if (left := await rescores.unfinished(connection, site)) is not None:
        return left
    if await tiers.is_empty(connection, site):
        return None
    scored_ms = await rescores.last_started(connection, site)
    sorted_ms = await rescores.last_started(connection, site, "sort")
    if due := run_due(plan, runtime.clock.now_ms(), scored_ms, sorted_ms):
        return _new_run(runtime, due[0], "schedule", due[1].isoformat())
    last = await rescores.last_placing(connection, site)
    if last is None or last.rules != fingerprint(plan):
        is_sorted_so = last is not None and ranking_mark(last.rules) == ranking_mark(fingerprint(plan))
        kind: Kind = "place" if plan.ranking is None or is_sorted_so else "sort"
        return _new_run(runtime, kind, "rules", secrets.token_hex(4))
    return None


async def place_if_overtaken(connection: AsyncConnection, runtime: Runtime, plan: Plan) -> None:
    """Files were just placed by this plan; if rules that came since have been everywhere, they come once more."""
    site = runtime.settings.site
    last = await rescores.last_placing(connection, site)
    if last is None or last.rules == fingerprint(plan):
        return
    run = replace(_new_run(runtime, "place", "rules", secrets.token_hex(4)), rules=last.rules)
    await rescores.insert_run(connection, site, run)
    log.info("rescore.begun", run_id=run.run_id, kind=run.kind)


def _new_run(runtime: Runtime, kind: Kind, origin: Origin, name: str, by: str = "") -> Run:
    """A scheduled run is named by the date it was due on, so that a date is claimed once."""
    plan, now_ms = plan_of(runtime), runtime.clock.now_ms()
    due_on = name if origin == "schedule" else day_of(plan, now_ms).isoformat()
    parts = (runtime.settings.site, kind, due_on) if origin == "schedule" else (origin, due_on, name)
    return Run(
        run_id=":".join(parts),
        kind=kind,
        origin=origin,
        due_on=due_on,
        rules=fingerprint(plan),
        phase="placing" if kind == "place" else "scoring",
        started_ms=now_ms,
        account_id=by or None,
    )


async def _work(runtime: Runtime, run_id: str) -> bool:
    """Do what is left of this run; False when another process is at it."""
    hold = Hold(runtime, run_id)
    if not await hold.take():
        return False
    try:
        await hold.finish()
    except OvertakenError:
        log.warning("rescore.overtaken", run_id=run_id)
        return False
    except BaseException:
        await hold.release()
        raise
    return True


class Hold:
    """One process's hold on one run."""

    def __init__(self, runtime: Runtime, run_id: str) -> None:
        self.runtime = runtime
        self.run_id = run_id
        self.site = runtime.settings.site
        self.holder = f"{os.getpid()}-{secrets.token_hex(4)}"
        self.real = Clock.real()

    async def take(self) -> bool:
        now_ms = self.real.now_ms()
        async with self.runtime.database.transaction() as connection:
            return await rescores.claim(connection, self.run_id, self.holder, now_ms, self._until_ms())

    async def release(self) -> None:
        """Let the next process go on at once."""
        async with self.runtime.database.transaction() as connection:
            await rescores.release(connection, self.run_id, self.holder)

    async def keep(self, connection: AsyncConnection, **values: Any) -> None:
        """Write how far it has come, in the transaction of what was done; the lease runs on."""
        kept = await rescores.move_on(
            connection, self.run_id, self.holder, lease_until_ms=self._until_ms(), **values
        )
        if not kept:
            raise OvertakenError

    async def finish(self) -> None:
        """Every phase that is left, one after another."""
        while (run := await self._run()).finished_ms is None:
            if run.phase == "scoring":
                await self._score()
            elif run.phase == "ranking":
                await self._rank(run)
            else:
                await self._place(run)
        await show_live(self.runtime)
        log.info(
            "rescore.done",
            run_id=run.run_id,
            scored=run.scored,
            left_out=run.left_out,
            changed=run.changed,
        )

    def _until_ms(self) -> int:
        return self.real.now_ms() + round(LEASE_S * 1000)

    async def _run(self) -> Run:
        async with self.runtime.database.read() as connection:
            found = await rescores.find_run(connection, self.run_id)
        if found is None:
            raise OvertakenError
        return found

    async def _score(self) -> None:
        """Totals, then scores by them; begun anew after a death, for it only writes scores.

        Each page is read for itself, since one long look would keep SQLite's log from being folded in. So figures
        may change on the way: scores stand when they were made with the very totals of the figures they were made
        from, else they are made again.
        """
        ranking = plan_of(self.runtime).ranking
        if ranking is None:  # the rules lost their ranking while this waited
            await self._keep_alone(phase="placing", cursor="")
            return
        totals, count = await self._totals(ranking), Count()
        for _ in range(TRIES):
            found, count = await self._score_by(ranking, totals)
            if found == totals:
                break
            totals = found
        while await self._forget_others():
            pass
        await self._keep_alone(phase="ranking", scored=count.scored, left_out=count.left_out)

    async def _score_by(self, ranking: Ranking, totals: Totals) -> tuple[Totals, "Count"]:
        """Write everybody's score by these totals; returns the totals of what was read for it."""
        found: Totals = {}
        count = Count()
        async for rows in self._pages():
            entrants = [_entrant(ranking, row) for row in rows]
            _add_all(found, entrants)
            page = [
                _score_of(row.customer_id, entrant, totals)
                for row, entrant in zip(rows, entrants, strict=True)
            ]
            count.add(page)
            async with self.runtime.database.transaction() as connection:
                now_ms = self.runtime.clock.now_ms()
                await rescores.save_scores(connection, self.site, self.run_id, page, now_ms)
                await self.keep(connection)
        return found, count

    async def _totals(self, ranking: Ranking) -> Totals:
        totals: Totals = {}
        pages = 0
        async for rows in self._pages():
            _add_all(totals, [_entrant(ranking, row) for row in rows])
            pages += 1
            if pages % QUIET_PAGES == 0:
                await self._keep_alone()
        return totals

    async def _pages(self) -> AsyncIterator[Sequence[Any]]:
        after_id = ""
        while True:
            async with self.runtime.database.read() as connection:
                rows = await rescores.page_after(connection, self.site, after_id, BATCH)
            if not rows:
                return
            yield rows
            after_id = rows[-1].customer_id

    async def _forget_others(self) -> int:
        async with self.runtime.database.transaction() as connection:
            gone = await rescores.forget_others(connection, self.site, self.run_id, BATCH)
            await self.keep(connection)
        return gone

    async def _rank(self, run: Run) -> None:
        """Ranks by the order of the keys, format by format; begun anew after a death, with the same outcome."""
        async with self.runtime.database.read() as connection:
            sizes = await rescores.sizes(connection, self.site)
        for peers, count in sorted(sizes.items()):
            after, rank = b"", 0
            while page := await self._next_in_order(peers, after):
                ranks = [(customer_id, rank + place) for place, (customer_id, _) in enumerate(page, 1)]
                async with self.runtime.database.transaction() as connection:
                    await rescores.save_ranks(connection, ranks, count)
                    await self.keep(connection)
                after, rank = page[-1][1], ranks[-1][1]
        if run.kind == "score":
            await self._keep_alone(phase="done", finished_ms=self.runtime.clock.now_ms())
        else:
            await self._keep_alone(phase="placing", cursor="")

    async def _next_in_order(self, peers: str, after: bytes) -> list[tuple[str, bytes]]:
        async with self.runtime.database.read() as connection:
            return await rescores.next_in_order(connection, self.site, peers, after, BATCH)

    async def _place(self, run: Run) -> None:
        """Every file by id from where the run has come to; only those that stand elsewhere now are written."""
        cursor, changed, pages = run.cursor, run.changed, 0
        cause = Cause(
            reason="ranking" if run.kind == "sort" else "rules",
            origin=run.run_id,
            account_id=run.account_id or "",
        )
        while True:
            if await self._begins_anew(run):
                return
            async with self.runtime.database.read() as connection:
                files = await rescores.scored_after(connection, self.site, cursor, BATCH)
                moves = await moves_among(connection, self.runtime, files, run.kind)
            if not files:
                break
            cursor, pages = files[-1][0].customer_id, pages + 1
            if moves or pages % QUIET_PAGES == 0:
                ids = [move.after.customer_id for move in moves]
                async with self.runtime.database.transaction() as connection:
                    changed += await place_again(connection, self.runtime, ids, cause, run.kind)
                    await self.keep(connection, cursor=cursor, changed=changed)
        await self._keep_alone(phase="done", finished_ms=self.runtime.clock.now_ms())

    async def _begins_anew(self, run: Run) -> bool:
        """Other rules have come into force since: the run is theirs from now on, and goes through every file again."""
        plan = plan_of(self.runtime)
        rules = fingerprint(plan)
        if rules == run.rules:
            return False
        values: dict[str, Any] = {"rules": rules, "cursor": ""}
        if plan.ranking is not None and ranking_mark(rules) != ranking_mark(run.rules):
            values |= {"kind": "sort", "phase": "scoring"}
        await self._keep_alone(**values)
        log.info("rescore.anew", run_id=run.run_id, rules=rules)
        return True

    async def _keep_alone(self, **values: Any) -> None:
        async with self.runtime.database.transaction() as connection:
            await self.keep(connection, **values)


def _values(row: Any) -> dict[str, Any]:
    attributes: dict[str, Any] = json.loads(row.attributes) if row.attributes else {}
    return attributes | {"account_no": row.account_no, "area": row.area, "language": row.locale}


def _entrant(ranking: Ranking, row: Any) -> Entrant | str:
    """The file as it takes part, or as JSON why it does not."""
    values = _values(row)
    if (left_out := left_out_by(ranking, values)) is not None:
        return json.dumps(left_out.why, ensure_ascii=False)
    return entrant_of(ranking, row.customer_id, values) or json.dumps({"missing": ranking.within})


def _add_all(totals: Totals, entrants: Sequence[Entrant | str]) -> None:
    for entrant in entrants:
        if isinstance(entrant, Entrant):
            totals[entrant.group] = add_to(totals.get(entrant.group), entrant)


def _score_of(customer_id: str, entrant: Entrant | str, totals: Totals) -> Score:
    if isinstance(entrant, str):
        return Score(customer_id=customer_id, left_out=entrant)
    score = score_of(entrant.figures, totals.get(entrant.group, entrant.figures))
    return Score(
        customer_id=customer_id,
        peers=entrant.group,
        sort_key=sort_key(entrant, score),
        score=f"{score:f}",
    )


@dataclass(slots=True)
class Count:
    """How many took part and how many were left out."""

    scored: int = 0
    left_out: int = 0

    def add(self, page: Sequence[Score]) -> None:
        out = sum(each.left_out is not None for each in page)
        self.scored, self.left_out = self.scored + len(page) - out, self.left_out + out
