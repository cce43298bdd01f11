"""The books of a demo, closed: what our records say, held against what the provider and the callers say.

Every figure is taken from SQL, as an operator would take it, and the laws are checked from the journal by the
auditor. Times are in the product's seconds. `offered` = entered a queue = answered + abandoned + voicemail +
callback + closed + waiting.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from config.runtime import Runtime
from ivr.simulation.figures import percentile
from queues.domain.audit import Breach, audit
from queues.domain.journal import Line

QUEUED_OUTCOMES = ("answered", "abandoned", "voicemail", "callback", "closed", "full")
PERCENTILES = (50, 80, 95)
CALLBACK_ENDS = ("kept", "failed", "joined")
DEEDS = ("held", "consulted", "handed_over")


@dataclass(frozen=True, kw_only=True)
class Books:
    """The report and what is wrong with it; no faults means the laws held."""

    figures: Mapping[str, Any]
    faults: tuple[str, ...]


async def close_books(
    runtime: Runtime,
    *,
    dialled: Sequence[str],
    agent_legs: int,
    notifications: Sequence[Mapping[str, Any]],
    is_calm: bool,
) -> Books:
    """Read everything once. `dialled`: the provider's inbound calls; `is_calm`: nothing was made to fail."""
    async with runtime.database.read() as connection:
        calls = [dict(row._mapping) for row in await connection.execute(text("SELECT * FROM calls"))]
        tickets = (
            await connection.execute(
                text("SELECT call_id, kind, ticket_no FROM links WHERE kind = 'open_ticket'")
            )
        ).all()
        written = (await connection.execute(text("SELECT ticket_no, call_id FROM tickets"))).all()
        recordings = (
            await connection.execute(text("SELECT call_id, kind, state, recording_id FROM recordings"))
        ).all()
        events = (
            await connection.execute(
                text("SELECT id, type, at_ms, call_id, agent_id, offer_id, data FROM events")
            )
        ).all()
    lines = sorted(
        (line_of(row) for row in events), key=lambda line: tuple(int(part) for part in line.id.split("-"))
    )
    breaches = audit(lines, is_drained=True)
    linked = {row.call_id for row in tickets if row.ticket_no} & {row.call_id for row in written}
    refusals = [one for one in notifications if is_calm or not is_weather(one)]
    figures = {
        **counts(calls, set(dialled)),
        "callbacks": callbacks(lines),
        **deeds(lines),
        "tickets": len(linked),
        "recordings": len(recordings),
        "duplicates": doubled(written, recordings) + max(0, agent_legs - offers_rung(lines)),
        "notifications": len(refusals),
        "by_tier": by_tier(calls),
    }
    faults = [
        *laws(figures, calls, linked, recordings),
        *told(breaches),
        *(f"provider refused: {one}" for one in refusals[:5]),
    ]
    return Books(figures=figures, faults=tuple(faults))


def counts(calls: Iterable[Mapping[str, Any]], dialled: set[str]) -> dict[str, int]:
    """Every call in exactly one place."""
    by_outcome: dict[str, int] = {}
    for call in calls:
        by_outcome[call["outcome"] or "under_way"] = by_outcome.get(call["outcome"] or "under_way", 0) + 1
    ended = {call["call_id"] for call in calls if call["outcome"]}
    waiting = sum(1 for call in calls if not call["outcome"] and call["queued_ms"] is not None)
    queued = {outcome: by_outcome.get(outcome, 0) for outcome in QUEUED_OUTCOMES}
    return {
        "arrived": len(dialled),
        "left_in_menu": by_outcome.get("left_in_menu", 0),
        "transferred": by_outcome.get("transferred", 0),
        "offered": sum(1 for call in calls if call["queued_ms"] is not None),
        **queued,
        "waiting": waiting,
        "lost": len(dialled - ended),
    }


def by_tier(calls: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Waits of the answered, in seconds from first entering a queue to being connected."""
    tiers: dict[str, list[Mapping[str, Any]]] = {}
    for call in calls:
        if call["queued_ms"] is not None:
            tiers.setdefault(call["tier"] or "unknown", []).append(call)
    return {tier: waits_of(tiers[tier]) for tier in sorted(tiers)}


def waits_of(calls: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Offered, answered, mean and nearest-rank percentiles."""
    waits = sorted(
        (call["answered_ms"] - call["queued_ms"]) / 1000 for call in calls if call["answered_ms"] is not None
    )
    figures: dict[str, Any] = {"offered": len(calls), "answered": len(waits)}
    figures["wait_mean_s"] = round(sum(waits) / len(waits), 1) if waits else None
    for percent in PERCENTILES:
        figures[f"wait_p{percent}_s"] = round(percentile(waits, percent), 1) if waits else None
    return figures


def doubled(written: Sequence[Any], recordings: Sequence[Any]) -> int:
    """Tickets and recordings beyond the first of their call and kind."""
    tickets = len(written) - len({row.call_id for row in written})
    return tickets + len(recordings) - len({(row.call_id, row.kind) for row in recordings})


def offers_rung(lines: Iterable[Line]) -> int:
    """How many legs to agents the journal accounts for: one an offer, and one to whoever was asked about a call."""
    return sum(1 for line in lines if line.type in ("call.offered", "call.consulted"))


def callbacks(lines: Sequence[Line]) -> dict[str, int]:
    """How many asked to be called back, how often they were rung, and what became of it."""
    ended = [str(line.data.get("callback", "")) for line in lines if line.type == "call.ended"]
    asked = sum(line.type == "callback.asked" for line in lines)
    rung = sum(line.type == "callback.dialled" for line in lines)
    return {"asked": asked, "rung": rung, **{how: ended.count(how) for how in CALLBACK_ENDS}}


def deeds(lines: Sequence[Line]) -> dict[str, int]:
    """What agents did with callers: put through (to a queue or a colleague), held, asked about, handed over."""
    types = [line.type for line in lines]
    passed = sum(line.type == "call.transferred" and line.data.get("why") == "passed" for line in lines)
    return {"put_through": passed, **{name: types.count(f"call.{name}") for name in DEEDS}}


def is_weather(notification: Mapping[str, Any]) -> bool:
    """Our own absence while a process was killed, as against a document the provider refuses."""
    return str(notification.get("error_code") or notification.get("code") or "") in {
        "11200",
        "11205",
        "11206",
        "15003",
    }


def laws(
    figures: Mapping[str, Any],
    calls: Sequence[Mapping[str, Any]],
    linked: set[str],
    recordings: Sequence[Any],
) -> list[str]:
    """What must hold between the figures."""
    parts = sum(figures[name] for name in (*QUEUED_OUTCOMES, "waiting"))
    recorded = {row.call_id for row in recordings}
    answered = [call["call_id"] for call in calls if call["outcome"] == "answered"]
    offered = [call["call_id"] for call in calls if call["queued_ms"] is not None]
    faults = []
    if figures["offered"] != parts:
        faults.append(f"offered {figures['offered']} is not the sum of its parts {parts}")
    if figures["lost"]:
        faults.append(f"{figures['lost']} calls have no end in our books")
    if missing := [call for call in answered if call not in recorded]:
        faults.append(f"{len(missing)} answered calls have no recording row, such as {missing[0]}")
    if missing := [call for call in offered if call not in linked]:
        faults.append(f"{len(missing)} calls have no ticket, such as {missing[0]}")
    if figures["duplicates"]:
        faults.append(f"{figures['duplicates']} tickets, recordings or rings are doubled")
    if figures["waiting"]:
        faults.append(f"{figures['waiting']} calls still wait after the drain")
    return faults


def summary(tally: Mapping[str, Any]) -> str:
    """What callers and agents of a demo say happened, for whoever has watched it."""
    agents: Mapping[str, int] = tally["agents"]
    return (
        f"{tally['dialled']} calls, {tally['answered']} answered. {tally['callback']} asked to be called back, "
        f"{tally['called_back']} of them were reached, {tally['callbacks_missed']} rings were in vain. "
        f"Agents held {agents['held']} callers, asked a colleague about {agents['consulted']}, "
        f"handed {agents['handed_over']} over, put {agents['transferred']} through to a queue "
        f"and {agents['passed']} to a colleague."
    )


def told(breaches: Sequence[Breach]) -> list[str]:
    """The auditor's findings in words, the first ten."""
    return [f"auditor: {one.law} ({one.subject}, {one.line_id})" for one in breaches[:10]]


def line_of(row: Any) -> Line:
    """An event row as the line it was."""
    return Line.from_stream(
        row.id,
        {
            "type": row.type,
            "at_ms": str(row.at_ms),
            "call_id": row.call_id or "",
            "agent_id": row.agent_id or "",
            "offer_id": row.offer_id or "",
            "data": row.data or "{}",
        },
    )


async def house_is_quiet(runtime: Runtime) -> bool:
    """Every call has ended, every job is done, and every answered call's recording is settled."""
    still = (
        "SELECT count(*) FROM calls WHERE outcome IS NULL OR outcome = ''",
        "SELECT count(*) FROM links WHERE done_ms IS NULL",
        "SELECT count(*) FROM recordings WHERE state IN ('in_progress', 'completed')",
        """SELECT count(*) FROM calls WHERE outcome IN ('answered', 'voicemail')
           AND call_id NOT IN (SELECT call_id FROM recordings)""",
    )
    async with runtime.database.read() as connection:
        counts = [(await connection.execute(text(statement))).scalar_one() for statement in still]
        written = (await connection.execute(text("SELECT min(last_id) FROM readers"))).scalar_one_or_none()
    newest = await runtime.redis.xrevrange(f"{{{runtime.settings.site}}}:journal", count=1)
    is_written = not newest or written == newest[0][0]
    return is_written and not any(counts)
