"""An explanation in one reader's words. The sentences stand in the catalogues under `why.` and `explain.`.

Tiers, queues and agents are named as the site names them now; what an older version of the site called something
is shown as it was stored. `names` gives agents their names; without a name the id is shown.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from queues.domain.calls import DIVERSIONS
from queues.domain.dial_rules import MISSES
from queues.domain.explanation import Explanation, Passer, Said, Why, queue_and_tier, reasons
from queues.web.times import face, time_of_day
from queues.web.words import Words

View = dict[str, Any]
# Why a call went back to its place or rests, an offer was withdrawn, a customer not reached.
AGAIN: Final = frozenset(
    {"missed", "declined", "unrung", "connecting", "lost", "diverted", "ended", "moved", "raised"}
    | {"window", "closed", "engaged", "failed", "joined", "transferred", "back", *MISSES}
)
# What has a word of its own; anything else is shown as it was stored.
_WORDED: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "by": ("explain.by", frozenset({"caller", "agent", "system"})),
    "to": ("explain.to", frozenset(DIVERSIONS)),
    "role": ("why.role", frozenset({"manager", "last_agent", "first_contact", "transfer", "ring_back"})),
    "why": ("explain.again", AGAIN),
}


def why_in_words(why: Why, words: Words, names: Mapping[str, str]) -> list[str]:
    """The stored reasons of one offer in whole sentences, the weightiest first."""
    return in_words(reasons(why), words, names)


def in_words(told: Iterable[Said], words: Words, names: Mapping[str, str]) -> list[str]:
    return [sentence(each, words, names) for each in told]


def sentence(told: Said, words: Words, names: Mapping[str, str]) -> str:
    values = {name: _value(name, value, words, names) for name, value in told.values.items()}
    return words.t(told.key, **values) if values else words.t(told.key)


def _value(name: str, value: Any, words: Words, names: Mapping[str, str]) -> Any:
    if name.endswith("_for"):
        return face(value)
    if name.endswith("_at"):
        return time_of_day(value, words.plan.timezone)
    if name in ("queues", "agents", "tiers"):
        one = {"queues": words.queue, "tiers": words.tier}.get(name, names_of(names))
        return words.t("why.comma").join(one(each) for each in value)
    reader = _readers(words, names).get(name.removeprefix("from_").removeprefix("to_"))
    if reader is not None and isinstance(value, str):
        return reader(value)
    prefix, known = _WORDED.get(name, ("", frozenset()))
    return words.t(f"{prefix}.{value}") if value in known else value


def _readers(words: Words, names: Mapping[str, str]) -> Mapping[str, Callable[[str], str]]:
    return {
        "queue": words.queue,
        "tier": words.tier,
        "matter": words.matter,
        "outcome": words.outcome,
        "agent": names_of(names),
    }


def names_of(names: Mapping[str, str]) -> Callable[[str], str]:
    return lambda agent_id: names.get(agent_id, agent_id)


def explanation_view(told: Explanation, words: Words, names: Mapping[str, str]) -> View:
    """What the call's page and the command line show of an explanation."""
    zone = words.plan.timezone
    return {
        "site_version": told.site_version,
        "waited": in_words(told.waited, words, names),
        "before": [_passer(each, words, names) for each in told.before],
        "decisions": [
            {
                "offer_id": each.offer_id,
                "at": time_of_day(each.at_ms, zone),
                "agent": names.get(each.agent_id, each.agent_id),
                "ended_as": each.ended_as,
                "site_version": each.site_version,
                "sentences": in_words(each.reasons, words, names),
                "candidates": _candidates(each.candidates, words),
            }
            for each in told.decisions
        ],
        "course": [
            {"at": time_of_day(each.at_ms or 0, zone), "text": sentence(each, words, names)}
            for each in told.course
        ],
        "missing": in_words(told.missing, words, names),
    }


def _passer(passer: Passer, words: Words, names: Mapping[str, str]) -> View:
    later = passer.came_for >= 0
    return {
        "call_id": passer.call_id,
        "href": f"/calls/{passer.call_id}",
        "at": time_of_day(passer.at_ms, words.plan.timezone),
        "tier": words.tier(passer.tier),
        "queue": words.queue(passer.queue),
        "agent": names.get(passer.agent_id, passer.agent_id),
        "reason": passer.reason,
        "reason_word": words.t(f"explain.reason.{passer.reason}", ahead=face(abs(passer.ahead_for))),
        "came": words.t(
            "explain.came_later" if later else "explain.came_earlier", by=face(abs(passer.came_for))
        ),
    }


def _candidates(candidates: Sequence[Mapping[str, Any]], words: Words) -> list[View]:
    """The heads that were compared, in their order."""
    shown = []
    for each in candidates:
        try:
            queue, tier = queue_and_tier(each["lane"])
            shown.append(
                {
                    "tier": words.tier(tier),
                    "queue": words.queue(queue),
                    "rule": words.t(f"explain.rule.{each['rule']}"),
                    "key": time_of_day(each["key"], words.plan.timezone),
                    "call_id": each["call_id"],
                }
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
    return shown
