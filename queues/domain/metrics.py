"""The metric cards: one registry of every figure, read by the page, the CSV and whatever else tells a figure.

A card names its figure by an id, and has the formula as it is computed (see `formulas`), the unit, what is counted when
(`Window`), its version and its source. A changed formula is a new version; the words (name, formula in words, what is
left out) stand in the catalogues under `figures.card.<id>`. `SYMBOLS` are the counts that formulas are made of: each is
a set of calls that can be listed, or a sum over such a set, or comes from the agents' time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from queues.domain import waits
from queues.domain.formulas import Formula, Value
from queues.domain.intervals import ANSWERED_OR_GONE, Counts
from queues.domain.targets import Target


class Unit(StrEnum):
    SHARE = "share"
    SECONDS = "s"
    COUNT = "count"


class Window(StrEnum):
    ARRIVAL = "arrival"  # of calls that arrived in the period, whenever they ended
    OVERLAP = "overlap"  # of agents' time, what of it lies in the period
    CALLERS = "callers"  # of calls that arrived in the period, compared with those before and after


class Kind(StrEnum):
    SERVICE = "service"
    WAITING = "waiting"
    LOSS = "loss"
    HANDLING = "handling"
    AGENTS = "agents"
    CALLERS = "callers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    id: str
    kind: Kind
    formula: Formula
    unit: Unit = Unit.SHARE
    window: Window = Window.ARRIVAL
    version: int = 1
    source: str = ""


def _card(
    card_id: str,
    kind: Kind,
    formula: str,
    unit: Unit = Unit.SHARE,
    window: Window = Window.ARRIVAL,
    source: str = "",
    version: int = 1,
) -> Card:
    return Card(
        id=card_id,
        kind=kind,
        formula=Formula(formula),
        unit=unit,
        window=window,
        version=version,
        source=source,
    )


PERCENTS: Final = (50, 80, 90, 95, 99)
_S, _N = Unit.SECONDS, Unit.COUNT
_HANDLING = "connecting + connected + wrapping"
_AT_WORK = f"ready + ringing + {_HANDLING}"
_RUNG = "(offers - withdrawn - unrung)"  # what could be accepted: the caller was there, and a telephone rang
CARDS: Final[Mapping[str, Card]] = {
    card.id: card
    for card in (
        _card("f1", Kind.SERVICE, "(A_T + B_T) / (A + B)", source="ICMI; Asterisk SL2; Amazon Connect"),
        _card("f2", Kind.SERVICE, "A_T / A", source="ICMI; Asterisk SL; Wazo qos"),
        _card("f3", Kind.SERVICE, "A_T / (A + B)", source="ICMI; COPC"),
        _card("f4", Kind.SERVICE, "A_T / (A + B - B_T)", source="ICMI; Bright Pattern"),
        _card("f5", Kind.SERVICE, "A_T / (A + B - B_s)", source="ICMI"),
        _card("f6", Kind.SERVICE, "A_T / (A + B + F - B_s)", source="Genesys Cloud"),
        _card("f7", Kind.SERVICE, "D_T / (A + B - B_s)"),
        _card("connect_rate", Kind.SERVICE, "A / O", source="95598; 12345"),
        _card("connect_rate_long", Kind.SERVICE, "A / (O - B_s)", source="12345"),
        _card("asa", Kind.WAITING, "wait / A", _S),
        _card("longest_wait", Kind.WAITING, "longest", _S),
        *(_card(f"wait_p{n}", Kind.WAITING, f"answered_p{n}", _S) for n in PERCENTS),
        *(_card(f"gave_up_p{n}", Kind.WAITING, f"abandoned_p{n}", _S) for n in PERCENTS),
        _card("patience", Kind.WAITING, "patience_p50", _S, source="Kaplan, Meier 1958; Brown et al. 2005"),
        _card("abandonment", Kind.LOSS, "(B - B_s) / (O - B_s)", source="ICMI"),
        _card("abandonment_all", Kind.LOSS, "B / O"),
        _card("lost_in_menu", Kind.LOSS, "M / N"),
        _card("lost_closed", Kind.LOSS, "C / N"),
        _card("lost_short", Kind.LOSS, "B_s / O"),
        _card("lost_ringing", Kind.LOSS, "R / O"),
        _card("lost_flowed_out", Kind.LOSS, "F / O"),
        _card("waiting", Kind.LOSS, "W", _N),
        _card("callback_kept", Kind.SERVICE, "(K + J) / (K + J + X)"),
        _card("answered", Kind.HANDLING, "A", _N),
        _card("aht", Kind.HANDLING, "(talk + hold + wrap) / H", _S),
        _card("talk_time", Kind.HANDLING, "talk / H", _S),
        _card("hold_time", Kind.HANDLING, "hold / H", _S),
        _card("wrap_time", Kind.HANDLING, "wrap / H", _S),
        _card("held_share", Kind.HANDLING, "HC / A"),
        _card("transfer", Kind.HANDLING, "TC / A"),
        _card("occupancy", Kind.AGENTS, f"({_HANDLING}) / ({_HANDLING} + ready)", window=Window.OVERLAP),
        _card("readiness", Kind.AGENTS, f"({_AT_WORK}) / ({_AT_WORK} + away)", window=Window.OVERLAP),
        _card("acceptance", Kind.AGENTS, f"accepted / {_RUNG}", window=Window.OVERLAP, version=2),
        _card("missed", Kind.AGENTS, f"expired / {_RUNG}", window=Window.OVERLAP, version=2),
        _card("repeat_24", Kind.CALLERS, "E_24 / E", window=Window.CALLERS),
        _card("repeat_48", Kind.CALLERS, "E_48 / E", window=Window.CALLERS),
        _card("fcr", Kind.CALLERS, "S_7 / E_7", window=Window.CALLERS),
    )
}
SERVICE_LEVELS: Final = ("f1", "f2", "f3", "f4", "f5", "f6", "f7")

# Symbols that are sets of calls: each can be listed. The sum behind it, where it is one.
CALL_SUMS: Final[Mapping[str, str]] = {
    "N": "arrived", "M": "left_in_menu", "C": "came_closed", "O": "offered", "A": "answered", "B": "abandoned",
    "R": "abandoned_ringing", "F": "flowed_out", "CB": "called_back", "K": "callbacks_kept", "X": "callbacks_failed",
    "J": "callbacks_joined", "H": "handled", "HC": "with_hold", "TC": "transferred",
}  # fmt: skip
CALL_SETS: Final = (*CALL_SUMS, "W", "A_T", "B_T", "B_s", "D_T")
CALL_SECONDS: Final[Mapping[str, str]] = {
    "wait": "wait_ms", "talk": "talk_ms", "hold": "held_ms", "wrap": "wrap_ms",
}  # fmt: skip
AGENT_SECONDS: Final[Mapping[str, str]] = {
    "ready": "ready_ms", "ringing": "offered_ms", "connecting": "connecting_ms", "connected": "connected_ms",
    "wrapping": "wrap_up_ms", "away": "away_ms",
}  # fmt: skip
AGENT_COUNTS: Final = ("offers", "accepted", "declined", "expired", "unrung", "withdrawn", "talks")


@dataclass(frozen=True, slots=True)
class Callers:
    """Whoever called again; None where there were too many calls to compare. Known = not withheld, not anonymous.

    E = calls of known callers that came to an open queue; E_24 and E_48 = of these, he had called about the same matter
    no more than so many hours before. E_7 = those answered that are seven days old; S_7 = of these, he has not called
    about the same matter within seven days after.
    """

    known: int
    again_24: int
    again_48: int
    settled: int
    solved: int


@dataclass(slots=True)
class Totals:
    """What the cells of a period come to, each judged by the target of its own queue and tier."""

    counts: Counts = field(default_factory=Counts)
    in_time: Counter[str] = field(default_factory=Counter)
    agents: Counter[str] | None = None
    callers: Callers | None = None
    waiting_longest_s: int | None = None  # of those who wait still
    corrected_ms: int | None = None

    def add(self, counts: Counts, target: Target) -> None:
        self.counts.add(counts)
        told = counts.waits
        answered, abandoned = told.get("answered_waits", waits.NONE), told.get("abandoned_waits", waits.NONE)
        self.in_time["A_T"] += waits.within(answered, target.within_s)
        self.in_time["B_T"] += waits.within(abandoned, target.within_s)
        self.in_time["B_s"] += waits.within(abandoned, target.short_s)
        self.in_time["D_T"] += waits.within(told.get("felt_waits", waits.NONE), target.within_s)

    @property
    def is_open(self) -> bool:
        """Some calls are not over yet, or the work after them is not."""
        return self.counts.sums["unsettled"] > 0

    def steps(self) -> tuple[waits.Step, ...]:
        """The patience of callers."""
        others = waits.total(self._waits(name) for name in ("answered_waits", "other_waits"))
        return waits.patience(self._waits("abandoned_waits"), others)

    def symbols(self) -> dict[str, Value]:
        sums = self.counts.sums
        told: dict[str, Value] = {name: sums[column] for name, column in CALL_SUMS.items()}
        told |= {name: self.in_time[name] for name in ("A_T", "B_T", "B_s", "D_T")}
        told["W"] = sums["offered"] - sum(sums[name] for name in ANSWERED_OR_GONE)
        told |= {name: sums[column] / 1000 for name, column in CALL_SECONDS.items()}
        told |= self._of_waits()
        told |= self._of_agents()
        told |= self._of_callers()
        return told

    def _waits(self, name: str) -> waits.Waits:
        return self.counts.waits.get(name, waits.NONE)

    def _of_waits(self) -> dict[str, Value]:
        answered, abandoned = self._waits("answered_waits"), self._waits("abandoned_waits")
        ends = (waits.longest(answered), waits.longest(abandoned), waits.longest(self._waits("other_waits")))
        told: dict[str, Value] = {
            "longest": max(
                (each for each in (*ends, self.waiting_longest_s) if each is not None), default=None
            ),
            "patience_p50": waits.median_patience(self.steps()),
        }
        told |= {f"answered_p{n}": waits.percentile(answered, n) for n in PERCENTS}
        told |= {f"abandoned_p{n}": waits.percentile(abandoned, n) for n in PERCENTS}
        return told

    def _of_agents(self) -> dict[str, Value]:
        if self.agents is None:
            return dict.fromkeys((*AGENT_SECONDS, *AGENT_COUNTS))
        told: dict[str, Value] = {name: self.agents[column] / 1000 for name, column in AGENT_SECONDS.items()}
        return told | {name: self.agents[name] for name in AGENT_COUNTS}

    def _of_callers(self) -> dict[str, Value]:
        names = ("E", "E_24", "E_48", "E_7", "S_7")
        if self.callers is None:
            return dict.fromkeys(names)
        found = self.callers
        values = (found.known, found.again_24, found.again_48, found.settled, found.solved)
        return dict(zip(names, values, strict=True))


@dataclass(frozen=True, slots=True)
class Figure:
    """A card with its value, None where there is nothing to tell, and the symbols it was computed from."""

    card: Card
    value: Value
    symbols: Mapping[str, Value]


def figures_of(totals: Totals, cards: Iterable[Card] = CARDS.values()) -> dict[str, Figure]:
    told = totals.symbols()
    return {
        card.id: Figure(card, card.formula.value(told), {name: told[name] for name in card.formula.symbols})
        for card in cards
    }


def added(groups: Iterable[tuple[Counts, Target]]) -> Totals:
    totals = Totals()
    for counts, target in groups:
        totals.add(counts, target)
    return totals


def levels(figures: Mapping[str, Figure]) -> Sequence[Figure]:
    """All readings of the service level, side by side."""
    return [figures[each] for each in SERVICE_LEVELS]
