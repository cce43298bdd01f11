"""How the list of callers who gave up is shown, on its page, on a desk and in a table."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from config import numbers
from queues.domain.abandoned import NOTED, SETTLED, Ending
from queues.domain.clocks import DueState, due_state
from queues.service.ringing_back import DayCount, Listed
from queues.web.times import day_and_time, face, iso, time_of_day
from queues.web.words import Words

View = dict[str, Any]

ON_DESK: Final = 5
_MARKS: Final = {
    DueState.ON_TIME: "good",
    DueState.NEAR: "near",
    DueState.PAST: "past",
    DueState.KEPT: "good",
    DueState.BROKEN: "past",
}
# What can be said of a call that has been made.
_AFTERWARDS: Final = (Ending.WRONG_NUMBER, Ending.UNWANTED)
COLUMNS: Final = (
    *("entry", "opened", "queue", "tier", "matter", "customer", "number", "times", "waited_s", "due"),
    *("state", "tries", "closed", "after_s", "in_time", "agent", "call"),
)


def row_of(one: Listed, words: Words, names: Mapping[str, str], now_ms: int) -> View:
    """One entry in a list."""
    entry, plan = one.entry, words.plan
    zone = plan.timezone
    return {
        "entry_id": entry.entry_id,
        "who": one.name or (numbers.mask(one.number) if one.number else ""),
        "number": numbers.mask(one.number) if one.number and one.name else "",
        "href": f"/customers/{entry.customer_id}" if entry.customer_id and one.name else "",
        "tier": words.tier(entry.tier or ""),
        "rank": words.rank(entry.tier or ""),
        "is_mine": one.is_mine,
        "about": _about(one, words),
        "ticket_no": one.ticket_no,
        "times": entry.times,
        "times_word": words.t("abandoned.times", n=entry.times),
        "at": ", ".join(time_of_day(at_ms, zone)[:5] for _, at_ms, _ in one.times[-4:]),
        "first_href": f"/calls/{one.times[-1][0] if one.times else entry.entry_id}",
        "waited": face(entry.waited_ms),
        "since_ms": entry.opened_ms,
        "since_iso": iso(entry.opened_ms, zone),
        "due": _due(one, words, now_ms),
        **_state(one, words, names, now_ms),
    }


def _about(one: Listed, words: Words) -> str:
    entry = one.entry
    matter = words.matter(entry.matter) if entry.matter else words.t("abandoned.in_menu")
    return " · ".join(part for part in (matter, words.queue(entry.queue)) if part)


def _due(one: Listed, words: Words, now_ms: int) -> View:
    entry, plan = one.entry, words.plan
    hours = plan.hours.get(plan.callback.window or "")
    is_settled = entry.ending in SETTLED
    done_ms = entry.closed_ms if is_settled else None
    state = due_state(hours, entry.opened_ms, entry.due_ms, entry.closed_ms or now_ms, done_ms)
    word = words.t(f"abandoned.due.{state}")
    at = day_and_time(entry.due_ms, plan.timezone, words.locale)
    return {"at": at, "iso": iso(entry.due_ms, plan.timezone), "mark": _MARKS[state], "word": word}


def _state(one: Listed, words: Words, names: Mapping[str, str], now_ms: int) -> View:
    """Who has him, and whether he can be called now; or how it ended."""
    entry, t, zone = one.entry, words.t, words.plan.timezone
    who = names.get(entry.taken_by or entry.agent_id or "", entry.taken_by or entry.agent_id or "")
    if entry.closed_ms is not None:
        word = t(f"abandoned.ending.{entry.ending}")
        mark = "good" if entry.ending in SETTLED else "off"
        at = day_and_time(entry.closed_ms, zone, words.locale)
        told = {"who_did": who, "closed": at, "closed_iso": iso(entry.closed_ms, zone)}
        href = f"/calls/{entry.call_id}" if entry.call_id else ""
        return {"state": word, "mark": mark, "may_call": False, "call_href": href, **told}
    if entry.is_taken(now_ms) or (entry.taken_by and entry.here_call_id):
        return {"state": t("abandoned.state.taken", agent=who), "mark": "near", "may_call": False}
    if entry.here_call_id:
        return {"state": t("abandoned.state.here"), "mark": "near", "may_call": False}
    if now_ms < (entry.next_ms or 0):
        again = time_of_day(entry.next_ms or 0, zone)[:5]
        later = t("abandoned.state.later", at=again, n=entry.tries)
        return {"state": later, "mark": "off", "may_call": False}
    if words.plan.calls_back(now_ms)[0] > now_ms:
        return {"state": t("abandoned.state.hours"), "mark": "off", "may_call": False}
    word = t("abandoned.state.tried", n=entry.tries) if entry.tries else t("abandoned.state.free")
    return {"state": word, "mark": "off", "may_call": True}


def noted_by(one: Listed, agent_id: str, *, leads: bool) -> Sequence[str]:
    """What this reader may say of it now."""
    entry = one.entry
    if entry.is_open and not entry.here_call_id and (leads or (agent_id and entry.taken_by == agent_id)):
        return NOTED
    is_his = leads or (bool(agent_id) and entry.agent_id == agent_id)
    return _AFTERWARDS if entry.ending == Ending.REACHED and is_his else ()


def desk_list(
    found: Iterable[Listed], count: int, words: Words, names: Mapping[str, str], now_ms: int
) -> View:
    """The first few on a desk, each with its key."""
    rows = [row_of(one, words, names, now_ms) for one in found]
    shown = [
        {
            "entry_id": row["entry_id"],
            "key": str(n),
            "who": row["who"],
            "note": " · ".join(filter(None, (row["tier"], row["about"], row["times_word"]))),
            "state": "" if row["may_call"] else row["state"],
            "mark": row["due"]["mark"],
            "since_ms": row["since_ms"],
            "may_call": row["may_call"],
        }
        for n, row in enumerate(rows[:ON_DESK], 1)
    ]
    late = sum(row["due"]["mark"] == "past" for row in rows)
    more = count - len(shown)
    return {
        "count": count,
        "mark": "past" if late else "off",
        "rows": shown,
        "more": words.t("abandoned.more", n=more) if more > 0 else words.t("abandoned.whole"),
    }


def day_row(begins_ms: int, count: DayCount, words: Words) -> View:
    """A day: how many of those who were due have been settled in time."""
    owed = count.opened - (count.open - count.open_late)
    return {
        "day": day_and_time(begins_ms, words.plan.timezone, words.locale).rpartition(" ")[0],
        "opened": count.opened,
        "times": count.times,
        "settled": count.settled,
        "kept": count.kept,
        "share": f"{count.kept / owed * 100:.0f}%" if owed else "–",
        "open": count.open,
        "late": count.open_late,
        "mean": face(count.reach_ms // count.settled) if count.settled else "–",
    }


def as_table(
    found: Iterable[Listed], words: Words, names: Mapping[str, str]
) -> tuple[list[str], list[list[str]]]:
    """The heading in the reader's language, and one row an entry."""
    heading = [words.t(f"abandoned.column.{name}") for name in COLUMNS]
    return heading, [_cells(one, words, names) for one in found]


def _cells(one: Listed, words: Words, names: Mapping[str, str]) -> list[str]:
    entry, t, zone = one.entry, words.t, words.plan.timezone
    is_settled = entry.ending in SETTLED
    closed_ms = entry.closed_ms
    in_time = is_settled and closed_ms is not None and closed_ms <= entry.due_ms
    return [
        entry.entry_id,
        iso(entry.opened_ms, zone),
        words.queue(entry.queue),
        words.tier(entry.tier or ""),
        words.matter(entry.matter) if entry.matter else t("abandoned.in_menu"),
        one.name,
        numbers.mask(one.number) if one.number else "",
        str(entry.times),
        str(entry.waited_ms // 1000),
        iso(entry.due_ms, zone),
        t(f"abandoned.ending.{entry.ending}") if entry.ending else t("abandoned.state.open"),
        str(entry.tries),
        iso(closed_ms, zone) if closed_ms is not None else "",
        str((closed_ms - entry.opened_ms) // 1000) if closed_ms is not None else "",
        t("abandoned.yes") if in_time else t("abandoned.no") if is_settled else "",
        names.get(entry.agent_id or "", entry.agent_id or ""),
        entry.call_id or "",
    ]
