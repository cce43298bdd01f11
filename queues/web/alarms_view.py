"""Alarms in one reader's words: what it is about, its figure and limit when it was raised, and who has seen it.

One that is raised while its figure is calm says since when: the figure shown is an old one then.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from queues.domain.alarms import TIMES, Kind
from queues.service.alarms import Alarm
from queues.web.times import day_and_time, face, time_of_day
from queues.web.words import Words

View = dict[str, Any]

SHOWN: Final = 3  # at a time on the wall, so that its lines keep their place


def strip_view(alarms: Sequence[Alarm], names: Mapping[str, str], words: Words) -> View:
    """What the wall has room for: those that nobody has seen yet first, then the newest."""
    order = sorted(alarms, key=lambda each: (each.acknowledged_ms is not None, -each.since_ms))
    shown, rest = order[:SHOWN], len(order[SHOWN:])
    return {
        "count": len(order),
        "unseen": [each.alarm_id for each in order if each.acknowledged_ms is None],
        "shown": [alarm_view(each, names, words) for each in shown],
        "more": words.t("alarms.more", count=rest) if rest else "",
    }


def alarm_view(alarm: Alarm, names: Mapping[str, str], words: Words) -> View:
    zone, until_ms, value = words.plan.timezone, alarm.until_ms, _value(alarm, words)
    tier = words.tier(alarm.tier) if alarm.tier else ""
    place = [words.queue(alarm.queue) if alarm.queue else "", names.get(alarm.agent_id, alarm.agent_id)]
    calm = _calm(alarm, words)
    seen_by = names.get(alarm.acknowledged_by or "", "–")
    return {
        "id": alarm.alarm_id,
        "kind": words.t(f"alarms.kind.{alarm.kind}"),
        "place": _joined(place) or words.t("alarms.house"),
        "tier": tier,
        "value": value,
        "calm": calm,
        "detail": _joined([value, tier, calm]),
        "since_ms": alarm.since_ms,
        "since": day_and_time(alarm.since_ms, zone, words.locale),
        "until": day_and_time(until_ms, zone, words.locale) if until_ms else "",
        "lasted": face(until_ms - alarm.since_ms) if until_ms else "",
        "seen": words.t("alarms.seen_by", name=seen_by, at=time_of_day(alarm.acknowledged_ms, zone)[:5])
        if alarm.acknowledged_ms
        else "",
        "call_id": alarm.subject if alarm.kind is Kind.FORGOTTEN_HOLD else "",
    }


def _joined(parts: Sequence[str]) -> str:
    return " · ".join(part for part in parts if part)


def _calm(alarm: Alarm, words: Words) -> str:
    if alarm.until_ms or not alarm.calm_ms:
        return ""
    return words.t("alarms.calm_since", at=time_of_day(alarm.calm_ms, words.plan.timezone)[:5])


def _value(alarm: Alarm, words: Words) -> str:
    """An agent who is not there has none: he is there or not."""
    if alarm.kind is Kind.GHOST_AGENT:
        return ""
    return words.t("alarms.value_of", value=_text(alarm, alarm.value), limit=_limit(alarm, words))


def _text(alarm: Alarm, value: float) -> str:
    """A share to a tenth, or one just past its limit would read like it."""
    if alarm.kind in TIMES:
        return face(round(value))
    return f"{value * 100:.1f}".removesuffix(".0") + "%"


def _limit(alarm: Alarm, words: Words) -> str:
    side = "least" if alarm.kind is Kind.SERVICE_LEVEL else "most"
    return words.t(f"alarms.{side}", limit=_text(alarm, alarm.limit_value))
