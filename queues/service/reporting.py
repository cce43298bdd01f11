"""Reports are made, by whichever clock process gets to them first; and what of a kept one turned out otherwise is
written beside it.

What must hold: a period has one row, and a row is made once. The document is read and composed first, with nobody
waiting; then one change from "not made" keeps it. Who dies before that has done nothing and the next one does it; who
comes second finds it made. So after an outage whatever was not made is made, the oldest first.

A report is not made while the scribe has lines of its period to read, or batches of it are not added up: it would be
corrected at once. If that lasts, it is missing at its deadline, which is true.
"""

import json
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config.log import get_log
from config.runtime import Runtime
from queues.domain import report_document as documents
from queues.domain import reports as rules
from queues.domain.faults import SiteFaults
from queues.domain.metrics import Totals
from queues.domain.periods import Grain, pieces, start_of
from queues.domain.plan import Plan
from queues.domain.report_document import Document, Measured
from queues.domain.reports import Change, Kind, Period
from queues.service import figures
from queues.service.calls import local_day
from queues.service.figures import Asked
from queues.service.figuring import is_behind
from queues.service.plans import plan_in, plan_of, words_of
from queues.service.scores import make_due, month_scores
from queues.store import abandoned, intervals, people, promises, reports
from queues.store import scores as score_months
from queues.store.reports import EntryKind, Row

log = get_log(__name__)

AT_ONCE: Final = 20  # reports a round, so that the clock process sees the others in between
CHECKED_AT_ONCE: Final = 20
FRESH_MS: Final = 8 * 86_400_000  # so long after its end a report is looked at each time
LATE, SETTLED = "late", "settled"  # why it was corrected
WITHOUT_WORDS: Final = "without-words:"  # before a fingerprint: sums alone were compared
WITH_MONTHS: Final = (Kind.QUARTER, Kind.YEAR)


class Outcome(Enum):
    """Of a look at a kept report."""

    SAME = auto()
    CORRECTED = auto()
    REFUSED = auto()  # another process was first


async def make_reports(runtime: Runtime) -> int:
    """The chore: rows for the periods that have none, then whatever is due; how many were made."""
    plan = plan_of(runtime)
    await plant(runtime, plan)
    made = 0
    for row in await due(runtime, plan):
        if made == AT_ONCE:
            break
        if await is_behind(runtime, row.until_ms) or await awaits_points(runtime, plan, row):
            continue
        made += await _make_or_tell(runtime, plan, row)
    await tell_missing(runtime, plan)
    return made


async def _make_or_tell(runtime: Runtime, plan: Plan, row: Row) -> bool:
    """One that cannot be made keeps no other waiting: the log tells of it, and it is missing at its deadline."""
    try:
        return await make(runtime, plan, row)
    except Exception as fault:
        log.exception("report.failed", report_id=row.report_id, fault=type(fault).__name__)
        return False


async def plant(runtime: Runtime, plan: Plan) -> int:
    """A row for every period that has none, the running ones too: so it is known since when there are reports."""
    site = runtime.settings.site
    async with runtime.database.read() as connection:
        wanted = await _wanted(connection, runtime, plan)
    if not wanted:
        return 0
    async with runtime.database.transaction() as connection:
        return await reports.plant(connection, site, [_row(each, plan) for each in wanted])


async def _wanted(connection: AsyncConnection, runtime: Runtime, plan: Plan) -> list[Period]:
    site = runtime.settings.site
    newest, first_ms = await reports.newest(connection, site), await reports.first_call_ms(connection, site)
    began = None if first_ms is None else local_day(plan, first_ms)
    return rules.wanted(plan.reports, newest, began, local_day(plan, runtime.clock.now_ms()))


def _row(period: Period, plan: Plan) -> Row:
    from_ms, until_ms = period.span_ms(plan.timezone)
    return Row(
        report_id=period.report_id,
        kind=str(period.kind),
        first=period.first.isoformat(),
        from_ms=from_ms,
        until_ms=until_ms,
    )


async def awaited(runtime: Runtime, plan: Plan) -> list[Row]:
    """Those that are not made yet, planted or not, the running ones among them; the one that ends first comes first."""
    async with runtime.database.read() as connection:
        planted = await reports.unmade(connection, runtime.settings.site)
        wanted = await _wanted(connection, runtime, plan)
    periodic = [row for row in planted if row.kind in plan.reports.kinds or is_urgent(row)]
    rows = [*periodic, *(_row(each, plan) for each in wanted)]
    return sorted(rows, key=lambda row: (row.until_ms, -row.from_ms))


async def due(runtime: Runtime, plan: Plan) -> list[Row]:
    now_ms = runtime.clock.now_ms()
    async with runtime.database.read() as connection:
        rows = await reports.unmade(connection, runtime.settings.site)
    return [
        row
        for row in rows
        if row.kind in plan.reports.kinds
        and rules.ready_ms(row.period, plan.reports, plan.timezone) <= now_ms
    ]


async def missing(runtime: Runtime, plan: Plan) -> list[tuple[Row, int]]:
    """What should be there and is not, with the instant by which it should; whether a clock process runs or not."""
    now_ms = runtime.clock.now_ms()
    found = [(row, due_ms_of(row, plan)) for row in await awaited(runtime, plan)]
    return [(row, due_ms) for row, due_ms in found if due_ms <= now_ms]


def due_ms_of(row: Row, plan: Plan) -> int:
    """An urgent one brings its own."""
    return row.due_ms or rules.due_ms(row.period, plan.reports, plan.timezone)


async def tell_missing(runtime: Runtime, plan: Plan) -> None:
    """A line in the log for each that is missing, once."""
    site, now_ms = runtime.settings.site, runtime.clock.now_ms()
    for row, due_ms in await missing(runtime, plan):
        if row.missed_ms is not None:
            continue
        async with runtime.database.transaction() as connection:
            is_new = await reports.miss(connection, site, row.report_id, now_ms)
        if is_new:
            log.error("report.missing", report_id=row.report_id, due_ms=due_ms)


async def awaits_points(runtime: Runtime, plan: Plan, row: Row) -> bool:
    """A quarter ranks by the mean of three months: it waits for the points of the last one, until it is due at most.

    They are made here where nobody has come to it: after an outage beyond that instant this chore may be the first.
    """
    if row.kind != Kind.QUARTER or plan.scores is None:
        return False
    last = row.period.last
    if await month_scores(runtime, plan, last.year, last.month):
        return False
    await make_due(runtime, plan)
    are_there = bool(await month_scores(runtime, plan, last.year, last.month))
    return not are_there and runtime.clock.now_ms() < due_ms_of(row, plan)


async def make(runtime: Runtime, plan: Plan, row: Row, more: Document | None = None) -> bool:
    """Compose it, with what else it is to hold, and keep it; False when another process has."""
    document = {**await compose(runtime, plan, row), **(more or {})}
    text, site, now_ms = documents.write(document), runtime.settings.site, runtime.clock.now_ms()
    due_ms = due_ms_of(row, plan)
    async with runtime.database.transaction() as connection:
        is_kept = await reports.keep(
            connection,
            site,
            row.report_id,
            made_ms=now_ms,
            due_ms=due_ms,
            document=text,
            digest=documents.digest_of(text),
        )
    if is_kept:
        log.info("report.made", report_id=row.report_id, late_ms=max(0, now_ms - due_ms))
    return is_kept


async def compose(runtime: Runtime, plan: Plan, row: Row) -> Document:
    """What the report holds, as things stand now."""
    told = await figures_told(runtime, plan, row.from_ms, row.until_ms)
    return {
        "form": documents.FORM,
        "site": plan.site,
        "site_name": dict(plan.name),
        "site_version": plan.version,
        "zone": plan.timezone,
        "kind": row.kind,
        "first": row.first,
        "last": row.period.last.isoformat(),
        "from_ms": row.from_ms,
        "until_ms": row.until_ms,
        **told,
        **await _work(runtime, plan, row),
        **await _months(runtime, plan, row, told["sets"]),
        **await _ranking(runtime, plan, row),
    }


async def _months(runtime: Runtime, plan: Plan, row: Row, sets: list[Document]) -> Document:
    """Of a quarter and a year: each month of the departments, or of the queues where there are none, and of all.

    The months are those of the zone in force, also where the period was planted by another.
    """
    if row.kind not in WITH_MONTHS:
        return {}
    period, zone = row.period, plan.timezone
    parts = documents.DEPARTMENT if plan.departments else documents.QUEUE
    months = list(rules.months_of(period.first, period.after))
    names = {each.span_ms(zone)[0]: f"{each.first:%Y-%m}" for each in months}
    from_ms, until_ms = period.span_ms(zone)
    told = []
    for whole in sets:
        if whole["by"] not in (documents.ALL, parts) or (whole["by"] == parts and not whole["id"]):
            continue
        own = plan.departments[whole["id"]].queues if whole["by"] == documents.DEPARTMENT else (whole["id"],)
        queues = () if whole["by"] == documents.ALL else own
        asked = Asked(from_ms=from_ms, until_ms=until_ms, queues=queues)
        totals: dict[str, Totals] = {}
        for point in await figures.series(runtime, plan, asked, Grain.MONTH):
            name = names[start_of(Grain.MONTH, point.start_ms, zone)]  # it may begin by the zone before
            figures.merge(totals.setdefault(name, Totals()), point.totals)
        told.append(documents.months_in(plan, whole, list(names.values()), totals))
    return {"months": told}


async def _ranking(runtime: Runtime, plan: Plan, row: Row) -> Document:
    """Of a quarter: the agents by the mean of their three months' scores; nothing where no month has any."""
    if row.kind != Kind.QUARTER:
        return {}
    period = row.period
    months = list(rules.months_of(period.first, period.after))
    kept_months = [await month_scores(runtime, plan, each.first.year, each.first.month) for each in months]
    points: dict[str, list[float | None]] = {}
    for place, scores in enumerate(kept_months):
        for agent_id, score in scores.items():
            if score.points is not None:
                points.setdefault(agent_id, [None] * len(months))[place] = float(score.points)
    if not points:
        return {}
    means = {who: rules.mean_of(each for each in told if each is not None) for who, told in points.items()}
    async with runtime.database.read() as connection:
        names = {
            each.agent_id: each.name for each in await people.all_of_site(connection, runtime.settings.site)
        }
    ranked = rules.rank({who: mean for who, mean in means.items() if mean is not None})
    rows = [
        {
            "rank": each.rank,
            "agent_id": each.who,
            "name": names.get(each.who, each.who),
            "months": points[each.who],
            "mean": each.mean,
        }
        for each in ranked
    ]
    return {"ranking": {"months": [f"{each.first:%Y-%m}" for each in months], "rows": rows}}


async def figures_told(runtime: Runtime, plan: Plan, from_ms: int, until_ms: int) -> Document:
    found = await figures.read(runtime, plan, Asked(from_ms=from_ms, until_ms=until_ms))
    async with runtime.database.read() as connection:
        agents = await people.all_of_site(connection, runtime.settings.site)
    measured = Measured(found.totals, found.by_group, found.by_agent)
    told = documents.figures_in(plan, measured, {each.agent_id: each.name for each in agents})
    return {**told, "unsettled": found.totals.counts.sums["unsettled"]}


async def _work(runtime: Runtime, plan: Plan, row: Row) -> Document:
    """Tickets, complaints and callbacks: what was promised, what was kept, what is left."""
    site, now_ms = runtime.settings.site, runtime.clock.now_ms()
    span = row.from_ms, row.until_ms
    async with runtime.database.read() as connection:
        tickets = await promises.of_tickets(connection, site, *span)
        types = rules.complaint_types(plan)
        count, complaints = await promises.complaints(connection, site, types, *span)
        callbacks = await promises.callbacks_open(connection, site, row.until_ms)
        owed = await abandoned.count_day(connection, site, *span, now_ms)
    return {
        "tickets": tickets,
        "complaints": {"count": count, "types": list(types), "first": complaints},
        "callbacks_open": callbacks,
        "gave_up": {name: getattr(owed, name) for name in ("opened", "settled", "kept", "open", "open_late")},
        "names": _names(plan),
    }


def _names(plan: Plan) -> Document:
    """As what stands in the lists was called."""
    parts: Mapping[str, Mapping[str, Any]] = {
        "ticket_types": plan.ticket_types,
        "matters": plan.matters,
        "areas": plan.areas,
        "gravities": plan.gravities,
    }
    return {noun: {name: dict(each.name) for name, each in known.items()} for noun, known in parts.items()}


async def correct_reports(runtime: Runtime) -> int:
    """The chore: look whether kept reports still say what the figures say; how many were corrected.

    One that cannot be looked at is told in the log, and keeps no other waiting.
    """
    site, now_ms = runtime.settings.site, runtime.clock.now_ms()
    async with runtime.database.read() as connection:
        rows = await reports.to_check(connection, site, now_ms - FRESH_MS, CHECKED_AT_ONCE)
    if not rows or await is_behind(runtime, max(row.until_ms for row in rows)):
        return 0
    count: int = 0
    looked: dict[str, str | None] = {}
    for row in rows:
        fingerprint = None
        try:
            outcome, fingerprint = await _check(runtime, row)
            count += outcome is Outcome.CORRECTED
        except Exception as fault:
            log.exception("report.not_compared", report_id=row.report_id, fault=type(fault).__name__)
        if fingerprint not in (None, row.fingerprint) or row.until_ms < now_ms - FRESH_MS:
            looked[row.report_id] = fingerprint
    if looked:
        async with runtime.database.transaction() as connection:
            await reports.look(connection, site, looked, now_ms)
    return count


async def _check(runtime: Runtime, row: Row) -> tuple[Outcome, str | None]:
    """And the fingerprint of what it was found to say; None where it is to be compared again.

    Most say what they said, so the sums of the period are looked at first. They are read before the report is compared:
    what changes in between is seen the next time. After a correction, noted or refused, it is compared once more.
    """
    async with runtime.database.read() as connection:
        sums = await _fingerprint(connection, runtime.settings.site, row, plan_of(runtime).timezone)
    found = await kept(runtime, row.report_id) if sums != row.fingerprint else None
    if found is None:
        return Outcome.SAME, sums
    plan = await _plan_then(runtime, found[1])
    fingerprint = sums if plan else f"{WITHOUT_WORDS}{sums}"
    if fingerprint == row.fingerprint:
        return Outcome.SAME, fingerprint
    if plan is None:
        log.warning("report.words_gone", report_id=row.report_id, site_version=found[1]["site_version"])
    outcome = await _correct(runtime, found, plan)
    return outcome, fingerprint if outcome is Outcome.SAME else None


async def _plan_then(runtime: Runtime, document: Document) -> Plan | None:
    """By the site's words of that time, in the zone of the figures; None where they are gone or are refused today."""
    files = await words_of(runtime, document["site_version"])
    try:
        plan = None if files is None else plan_in(files)
    except SiteFaults:
        return None
    return plan and plan.model_copy(update={"timezone": plan_of(runtime).timezone})


async def _fingerprint(connection: AsyncConnection, site: str, row: Row, zone: str) -> str:
    """Of everything that the figures of calls and of agents' ended stays are made of, and a ranking."""
    parts = pieces(row.from_ms, row.until_ms, zone)
    groups = await intervals.totals(connection, site, parts)
    agents = await intervals.agent_totals(connection, site, parts)
    told: list[Any] = [
        sorted((group, each.counts.as_json()) for group, each in groups.items()),
        sorted((agent_id, sorted(sums.items())) for agent_id, sums in agents.items()),
    ]
    if row.kind in WITH_MONTHS:
        told.append(await _revisions(connection, site, row))
    return documents.digest_of(json.dumps(told, sort_keys=True))


async def _revisions(connection: AsyncConnection, site: str, row: Row) -> list[tuple[str, int]]:
    """Of the points of its months: by these a quarter ranks."""
    period = row.period
    first, after = f"{period.first:%Y-%m}", f"{period.after:%Y-%m}"
    found = await score_months.months(connection, site, first)
    return [(each.month, each.revision) for each in found if each.month < after]


async def _correct(
    runtime: Runtime, found: tuple[Row, Document, list[list[Change]]], plan_then: Plan | None
) -> Outcome:
    """Write down what is otherwise now, by the site's words of that time: other targets are no correction.

    Without these words only what does not hang on them is compared.
    """
    row, document, corrections = found
    plan = plan_then or plan_of(runtime)
    told = await figures_told(runtime, plan, row.from_ms, row.until_ms)
    fresh = {
        **told,
        **await _months(runtime, plan, row, told["sets"]),
        **await _ranking(runtime, plan, row),
    }
    before = rules.corrected(documents.values_of(document), corrections)
    found_now = documents.comparable(rules.changes(before, documents.values_of(fresh)), document, fresh)
    if plan_then is None:
        found_now = documents.plain(found_now)
    if not found_now:
        return Outcome.SAME
    why = SETTLED if before.get((f"{documents.ALL}:", f"{documents.SUM}unsettled")) else LATE
    is_noted = await _note_correction(runtime, row.report_id, len(corrections), found_now, why)
    return Outcome.CORRECTED if is_noted else Outcome.REFUSED


async def kept(runtime: Runtime, report_id: str) -> tuple[Row, Document, list[list[Change]]] | None:
    """A report that is made, its document, and its corrections in their order."""
    site = runtime.settings.site
    async with runtime.database.read() as connection:
        found = await reports.find(connection, site, report_id)
        entries = await reports.entries_of(connection, site, report_id, EntryKind.CORRECTION)
    if found is None or not found[0].is_made:
        return None
    return found[0], documents.read(found[1]), [documents.read_changes(each.content) for each in entries]


async def _note_correction(
    runtime: Runtime, report_id: str, known: int, changes: list[Change], why: str
) -> bool:
    """False when another process has noted one meanwhile: it will be looked at again."""
    site, now_ms = runtime.settings.site, runtime.clock.now_ms()
    async with runtime.database.transaction() as connection:
        if len(await reports.entries_of(connection, site, report_id, EntryKind.CORRECTION)) != known:
            return False
        entry = {
            "kind": str(EntryKind.CORRECTION),
            "at_ms": now_ms,
            "why": why,
            "content": documents.write_changes(changes),
        }
        await reports.add(connection, site, report_id, entry)
    log.warning("report.corrected", report_id=report_id, figures=len(changes), why=why)
    return True


def is_urgent(row: Row) -> bool:
    return row.kind == Kind.URGENT
