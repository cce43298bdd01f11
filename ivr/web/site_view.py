"""What the page of the site shows, as values in one reader's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ivr.domain.nodes import RouteNode
from ivr.domain.outline import Outline
from ivr.domain.picture import Passage, line_key
from ivr.service.hotlines import Hotline
from queues.domain.hours import Hours
from queues.domain.plan import Plan
from queues.service.passages import Passages
from queues.service.versions import Activation
from queues.web.times import day_and_time, full_date, iso, local, time_of_day
from queues.web.words import Words

View = dict[str, Any]
WHOLE_DAY = ((0, 24 * 60),)


def counts_of(hotline: Hotline, now: Mapping[str, Mapping[str, int]], today: Passages) -> dict[str, Passage]:
    """Callers at each node and before each line's first question: now, and how many came there today."""
    found = {
        name: Passage(now["nodes"].get(name, 0), passed) for name, passed in _passed(hotline, today).items()
    }
    for line in hotline.menu.lines:
        found[line_key(line)] = Passage(now["lines"].get(line, 0), today.lines[line])
    return found


def _passed(hotline: Hotline, today: Passages) -> dict[str, int]:
    """Who reaches people is counted by queue and matter, where one node alone leads there."""
    routes = [
        (node.queue, node.matter) for node in hotline.menu.nodes.values() if isinstance(node, RouteNode)
    ]
    passed: dict[str, int] = {}
    for name, node in hotline.menu.nodes.items():
        passed[name] = today.nodes[name]
        if isinstance(node, RouteNode) and routes.count((node.queue, node.matter)) == 1:
            passed[name] = today.queued[node.queue, node.matter]
    return passed


def live_view(hotline: Hotline, now: Mapping[str, Mapping[str, int]], today: Passages, words: Words) -> View:
    """The part of the page that changes while it is open."""
    counts = counts_of(hotline, now, today)
    here = sum(each.now for each in counts.values())
    whole = sum(now["nodes"].values()) + sum(now["lines"].values())
    shown = {name: [each.now, each.today] for name, each in counts.items() if each.now or each.today}
    return {
        "version": hotline.plan.version,
        "in_menu": whole,
        "arrived": sum(today.lines.values()),
        "elsewhere": words.t("site.elsewhere", n=whole - here) if whole > here else "",
        "counts": shown,
    }


def hours_view(plan: Plan, now_ms: int, words: Words) -> list[View]:
    """Every queue, and every line that has hours: open or not, today's hours, and until when."""
    rows = [("queue", words.queue(name), queue.calendar) for name, queue in plan.queues.items()]
    rows += [("line", words.line(name), line.calendar) for name, line in plan.lines.items() if line.calendar]
    return [
        {"kind": words.t(f"site.{kind}"), "word": name, **_open_view(plan, calendar, now_ms, words)}
        for kind, name, calendar in rows
    ]


def _open_view(plan: Plan, calendar: str, now_ms: int, words: Words) -> View:
    hours = plan.hours[calendar]
    today = hours.on(hours.day_of(now_ms))
    is_open = hours.contains(now_ms)
    return {
        "calendar": words.t("site.calendar", name=_name(plan, calendar, words)),
        "today": _spoken(today, words),
        "state": "good" if is_open else "off",
        "open": words.t("site.open" if is_open else "site.closed"),
        "until": _until(hours, now_ms, is_open, words),
    }


def _name(plan: Plan, calendar: str, words: Words) -> str:
    name = plan.calendars[calendar].name
    return name.get(words.locale) or next(iter(name.values()), calendar)


def _spoken(spells: Sequence[tuple[int, int]], words: Words) -> str:
    if tuple(spells) == WHOLE_DAY:
        return words.t("site.all_day")
    told = [f"{a // 60:02d}:{a % 60:02d}–{b // 60:02d}:{b % 60:02d}" for a, b in spells]
    return words.t("why.comma").join(told) or words.t("site.not_today")


def _until(hours: Hours, now_ms: int, is_open: bool, words: Words) -> str:
    zone = hours.zone.key
    if not is_open:
        opens_ms = hours.next_open(now_ms)
        return words.t("site.opens", at=day_and_time(opens_ms, zone, words.locale)) if opens_ms else ""
    closes_ms = next((closes for opens, closes in hours.spells(now_ms) if opens <= now_ms), None)
    if closes_ms is None or time_of_day(closes_ms, zone) == "00:00:00":  # it goes on tomorrow
        return ""
    return words.t("site.closes", at=f"{local(closes_ms, zone):%H:%M}")


def versions_view(
    told: Sequence[Activation],
    in_force: str,
    changes: Mapping[str, Sequence[str]],
    names: Mapping[str, str],
    words: Words,
) -> list[View]:
    """What was put in force, the newest first; a version can be taken again from its newest entry."""
    zone = words.plan.timezone
    seen: set[str] = set()
    rows = []
    for number, each in enumerate(told):
        is_here = each.version == in_force and number == 0
        rows.append(
            {
                "version": each.version,
                "at": full_date(each.at_ms, zone, words.locale),
                "at_iso": iso(each.at_ms, zone),
                "at_ms": each.at_ms,
                "who": who(each.by, names, words),
                "is_in_force": is_here,
                "may_return": each.version != in_force and each.version not in seen,
                "changes": list(changes.get(each.entry_id, ())),
                "is_known": each.entry_id in changes,
                "is_first": number == len(told) - 1,
            }
        )
        seen.add(each.version)
    return rows


def who(by: str, names: Mapping[str, str], words: Words) -> str:
    if by in {"operator", "system"}:
        return words.t(f"site.by.{by}")
    return names.get(by) or words.t("site.by.somebody")


def outline_for(hotline: Hotline, locale: str) -> Outline:
    return Outline(hotline.menu, hotline.plan, locale)
