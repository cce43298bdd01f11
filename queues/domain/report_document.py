"""What a report holds: a document of plain values that can be read without the site and the product of that day.

It names every card with its formula and version, and every queue, tier, department and agent as they were called then.
A *set* is what is measured together: all, one queue, one tier, one department, one agent. The sums of the queues are
the sums of all, and so are those of the tiers; the sums of a month are those of its days. Values are as computed;
rounding is the reader's. Counts that are 0 and figures that have no value are left out.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from queues.domain.metrics import CARDS, Card, Kind, Totals, Window, figures_of
from queues.domain.reports import Change
from queues.domain.targets import target_of

if TYPE_CHECKING:
    from queues.domain.plan import Plan
    from queues.domain.reports import Values

FORM: Final = 1  # of the document; raised when what stands in it means something else
ALL, QUEUE, TIER, DEPARTMENT, AGENT = "all", "queue", "tier", "department", "agent"
IN_TIME: Final = ("A_T", "B_T", "B_s", "D_T")  # sums that hang on targets
MONTH: Final = "month:"  # before a month and what is told of it: month:2026-10:level
RANKED: Final = "ranked:"  # before rank, mean and each month of an agent in the ranking
LEVEL: Final = "level"
MONTH_COUNTS: Final = ("arrived", "offered", "answered", "abandoned")
SUM: Final = "sum:"  # before the name of a sum where it stands beside those of cards
Group = tuple[str, str]  # queue, tier
Document = dict[str, Any]

_OF_CALLS: Final = tuple(card for card in CARDS.values() if card.window is Window.ARRIVAL)
_OF_AGENTS: Final = tuple(card for card in CARDS.values() if card.kind is Kind.AGENTS)


@dataclass(frozen=True, slots=True)
class Measured:
    """What the figures of a period came to, by queue and tier, and by agent."""

    totals: Totals
    by_group: Mapping[Group, Totals] = field(default_factory=dict)
    by_agent: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def figures_in(plan: Plan, measured: Measured, agents: Mapping[str, str]) -> Document:
    """The part of a document that is told by figures. `agents` are their names."""
    groups = measured.by_group
    sets = [_set(plan, ALL, "", {}, measured.totals, groups, CARDS.values())]
    sets += _by(plan, QUEUE, 0, groups)
    sets += _by(plan, TIER, 1, groups)
    for each in plan.departments.values():
        own = {group: totals for group, totals in groups.items() if group[0] in each.queues}
        sets.append(_set(plan, DEPARTMENT, each.id, each.name, _sum(own), own, _OF_CALLS))
    for agent_id, sums in sorted(measured.by_agent.items()):
        totals = Totals(agents=Counter(sums))
        words = {"": agents.get(agent_id, agent_id)}
        sets.append(_told(AGENT, agent_id, words, sums, totals, _OF_AGENTS))
    return {
        "contract": plan.targets.formula,
        "cards": {
            card.id: {
                "formula": card.formula.printed,
                "version": card.version,
                "unit": str(card.unit),
                "window": str(card.window),
                "kind": str(card.kind),
            }
            for card in CARDS.values()
        },
        "sets": sets,
    }


def _by(plan: Plan, by: str, place: int, groups: Mapping[Group, Totals]) -> list[Document]:
    known: Mapping[str, Any] = plan.queues if by == QUEUE else plan.tiers
    found = []
    for name in sorted({group[place] for group in groups}):
        own = {group: totals for group, totals in groups.items() if group[place] == name}
        words = known[name].name if name in known else {}
        found.append(_set(plan, by, name, words, _sum(own), own, _OF_CALLS))
    return found


def _set(
    plan: Plan,
    by: str,
    name: str,
    words: Mapping[str, str],
    totals: Totals,
    groups: Mapping[Group, Totals],
    cards: Iterable[Card],
) -> Document:
    """With the target of its queues and tiers, where these have the same."""
    sums = {**totals.counts.sums, **totals.in_time}
    found = _told(by, name, words, sums, totals, cards)
    targets = {target_of(plan, *group) for group in groups if group[0]}
    shares, times = {each.share for each in targets}, {each.within_s for each in targets}
    if len(shares) == 1:
        found["target"] = {"share": shares.pop()} | ({"within_s": times.pop()} if len(times) == 1 else {})
    return found


def _told(
    by: str,
    name: str,
    words: Mapping[str, str],
    sums: Mapping[str, int],
    totals: Totals,
    cards: Iterable[Card],
) -> Document:
    figures = figures_of(totals, cards)
    return {
        "by": by,
        "id": name,
        "name": dict(words),
        "sums": {each: number for each, number in sorted(sums.items()) if number},
        "cards": {each: figure.value for each, figure in figures.items() if figure.value is not None},
    }


def _sum(groups: Mapping[Group, Totals]) -> Totals:
    found = Totals()
    for totals in groups.values():
        found.counts.add(totals.counts)
        found.in_time.update(totals.in_time)
    return found


def is_met(told: Mapping[str, Any], contract: str) -> bool | None:
    """Whether a set reached the share of its target; None where there is no target or nothing to measure."""
    return _reaches(told["cards"].get(contract), told.get("target"))


def _reaches(level: float | None, target: Mapping[str, int] | None) -> bool | None:
    return None if level is None or target is None else bool(level * 100 >= target["share"])


def months_in(
    plan: Plan, whole: Mapping[str, Any], months: Sequence[str], totals: Mapping[str, Totals]
) -> Document:
    """The service level of a set of this document month by month, beside its target: `2026-01` and so on."""
    contract, target = CARDS[plan.targets.formula], whole.get("target")
    told = []
    for month in months:
        own = totals.get(month, Totals())
        level = figures_of(own, [contract])[contract.id].value
        sums = own.counts.sums
        told.append(
            {
                "month": month,
                **{name: sums[name] for name in MONTH_COUNTS},
                "level": level,
                "met": _reaches(level, target),
            }
        )
    return {"by": whole["by"], "id": whole["id"], "name": whole["name"], "target": target, "months": told}


def values_of(document: Mapping[str, Any]) -> Values:
    """Every figure that can be corrected, by set and name.

    Who called again is measured at calls after the period, and at callers who may be forgotten: it is told as of when
    the report was made.
    """
    lasting = {name for name, card in document["cards"].items() if card["window"] != str(Window.CALLERS)}
    found: Values = {}
    for each in document["sets"]:
        whose = key_of(each)
        named = figures_of_set(each).items()
        found |= {(whose, name): value for name, value in named if name in lasting or name.startswith(SUM)}
    return found | _values_of_months(document) | _values_of_ranking(document)


def _values_of_months(document: Mapping[str, Any]) -> Values:
    """Counts that are 0 are left out, as they are of sums."""
    return {
        (key_of(part), month_figure(each["month"], name)): each[name]
        for part in document.get("months", ())
        for each in part["months"]
        for name in (*MONTH_COUNTS, LEVEL)
        if each[name] or name == LEVEL
    }


def _values_of_ranking(document: Mapping[str, Any]) -> Values:
    told = document.get("ranking", {"months": [], "rows": []})
    found: Values = {}
    for row in told["rows"]:
        whose = f"{AGENT}:{row['agent_id']}"
        found |= {(whose, f"{RANKED}{name}"): row[name] for name in ("rank", "mean")}
        points = zip(told["months"], row["months"], strict=True)
        found |= {(whose, f"{RANKED}{month}"): number for month, number in points}
    return found


def month_figure(month: str, name: str) -> str:
    return f"{MONTH}{month}:{name}"


def figures_of_set(told: Mapping[str, Any]) -> dict[str, float | int]:
    """Sums and cards by their names; a card may be called as a sum is."""
    return {f"{SUM}{name}": number for name, number in told["sums"].items()} | dict(told["cards"])


def key_of(told: Mapping[str, Any]) -> str:
    return f"{told['by']}:{told['id']}"


def same_cards(kept: Mapping[str, Any], fresh: Mapping[str, Any]) -> set[str]:
    """The cards that mean the same in both: only these can be compared."""
    about = ("formula", "version")
    return {
        name
        for name, card in fresh["cards"].items()
        if name in kept["cards"] and all(card[each] == kept["cards"][name][each] for each in about)
    }


def comparable(changes: Sequence[Change], kept: Mapping[str, Any], fresh: Mapping[str, Any]) -> list[Change]:
    """Without what only differs because a card has another formula now, or was not there."""
    cards, same = {*kept["cards"], *fresh["cards"]}, same_cards(kept, fresh)

    def card_of(figure: str) -> str:
        is_level = figure.startswith(MONTH) and figure.endswith(f":{LEVEL}")
        return str(kept["contract"]) if is_level else figure

    return [each for each in changes if (card := card_of(each.figure)) not in cards or card in same]


def plain(changes: Sequence[Change]) -> list[Change]:
    """What is the same by whatever words of the site: no cards, no times of targets, no departments."""
    return [
        each
        for each in changes
        if each.figure.startswith((SUM, MONTH, RANKED))
        and not each.figure.endswith(f":{LEVEL}")
        and each.figure.removeprefix(SUM) not in IN_TIME
        and not each.of.startswith(f"{DEPARTMENT}:")
    ]


def write(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def digest_of(text: str) -> str:
    """By which anybody can see that a kept document is the one that was made."""
    return hashlib.sha256(text.encode()).hexdigest()


def read(text: str) -> Document:
    found: Document = json.loads(text)
    return found


def write_changes(changes: Iterable[Change]) -> str:
    return write({"changes": [list(each) for each in changes]})


def read_changes(text: str) -> list[Change]:
    return [Change(*each) for each in json.loads(text)["changes"]]
