"""Calls like those of a hotline, as many as wanted, and the same each time.

A few thousand scripts of calls are told as journal lines and folded by the product's own fold; every call is one of
them, moved to its arrival, with a caller and an agent of its own. Arrivals follow the hour, the weekday and the season.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from config.numbers import number_key
from queues.domain import intervals
from queues.domain.call_records import CallRecord, fold_onto
from queues.domain.intervals import Cell, Counts
from queues.domain.journal import Line
from queues.domain.journal import LineType as L
from queues.domain.periods import QUARTER_MS
from queues.store.calls import FOLDED, FOLDED_OF

SCRIPTS: Final = 6_000
AGENTS: Final = tuple(f"agent{number:03d}" for number in range(120))
BASE_MS: Final = (
    1_000_000_000_000  # where the scripts are told; whole quarters since the epoch's beginning do not matter
)
FIRST_NUMBER: Final = 13_000_000_000
DAY_MS: Final = 24 * 3_600_000
# Queue, its matter, line, and how many of a hundred calls: of these none is ever answered after the doors have closed.
DESKS: Final = (
    ("general", "billing", "main", 40),
    ("general", "enquiry", "main", 17),
    ("outage", "power_cut", "main", 22),
    ("connection", "connection", "main", 11),
    ("complaint", "complaint", "main", 7),
    ("key", "enquiry", "key_line", 3),
)
TIERS: Final = (("residential", 78), ("business", 13), ("special_care", 5), ("", 4))
KEY_TIERS: Final = (("key_customer", 80), ("high_risk", 20))
# What becomes of a hundred calls.
FATES: Final = (
    ("answered", 82),
    ("abandoned", 8),
    ("menu", 6),
    ("callback", 1.5),
    ("message", 1.3),
    ("closed", 1.2),
)
HOURS: Final = (9, 6, 4, 3, 4, 7, 18, 40, 78, 100, 98, 84, 62, 66, 82, 84, 78, 70, 58, 50, 42, 32, 22, 14)
WEEK: Final = (1.18, 1.08, 1.04, 1.02, 1.06, 0.86, 0.76)
SEASON: Final = (1.1, 1.0, 0.9, 0.85, 0.9, 1.05, 1.25, 1.3, 1.05, 0.85, 0.85, 1.0)


@dataclass(frozen=True, slots=True)
class Script:
    """One way a call may go. `row` is what its record comes to, arrived at BASE_MS."""

    lines: Sequence[Line]
    record: CallRecord
    row: tuple[Any, ...]
    counts: Counts


@dataclass(frozen=True, slots=True)
class Call:
    script: Script
    call_id: str
    arrived_ms: int
    caller_ref: str
    customer_id: str
    agent_id: str


def scripts(rng: random.Random, count: int = SCRIPTS) -> list[Script]:
    return [_script(rng) for _ in range(count)]


def _script(rng: random.Random) -> Script:
    lines = list(_lines(rng))
    record: CallRecord | None = None
    for line in lines:
        record = fold_onto(record, line)
    assert record is not None
    assert record.is_settled, record
    return Script(lines, record, FOLDED_OF(record), intervals.contribution(record))


def _pick(rng: random.Random, weighted: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    return rng.choices(weighted, [each[-1] for each in weighted])[0]


def _lines(rng: random.Random) -> Iterator[Line]:
    queue, matter, line, _ = _pick(rng, DESKS)
    tier = _pick(rng, KEY_TIERS if queue == "key" else TIERS)[0]
    fate = _pick(rng, FATES)[0]
    told = _Teller(rng)
    who = {"tier": tier, "locale": "zh-CN" if rng.random() < 0.97 else "en-US", "site_version": "5f2c1a"}
    yield told(L.CALL_ARRIVED, line=line, **who)
    told.later(3, 40)
    yield told(L.CALL_MENU_STEPPED, node="main_menu", record="wanted")
    if fate != "menu":
        is_closed = {"closed": 1} if fate == "closed" else {}
        told.later(2, 25)
        yield told(L.CALL_QUEUED, queue=queue, matter=matter, tier=tier, entered_ms=told.at_ms, **is_closed)
    if fate == "answered":
        yield from _answered(told, rng)
    elif fate == "callback":
        yield from _called_back(told, rng)
    else:
        yield from _in_vain(told, rng, fate)


class _Teller:
    """The lines of one call, one after another."""

    def __init__(self, rng: random.Random) -> None:
        self.at_ms, self._rng, self._seq = BASE_MS, rng, 0

    def later(self, least_s: float, most_s: float) -> None:
        self.at_ms += round(self._rng.uniform(least_s, most_s) * 1000)

    def in_about(self, mean_s: float) -> None:
        self.at_ms += round(self._rng.expovariate(1 / mean_s) * 1000)

    def __call__(self, type_: str, **data: Any) -> Line:
        self._seq += 1
        is_agents = type_.startswith(("agent.", "offer.")) or type_ in (L.CALL_OFFERED, L.CALL_CONNECTED)
        offer_id = "CA-1" if is_agents else ""
        agent_id = "agent" if is_agents else ""
        return Line(
            id=f"{self.at_ms}-{self._seq}", type=type_, at_ms=self.at_ms, call_id="CA", agent_id=agent_id,
            offer_id=offer_id, data=data,
        )  # fmt: skip


def _answered(told: _Teller, rng: random.Random) -> Iterator[Line]:
    if rng.random() < 0.35:
        told.in_about(38)
    yield told(L.CALL_OFFERED, why={})
    yield told(L.OFFER_RINGING)
    told.later(2, 12)
    yield told(L.OFFER_ACCEPTED)
    yield told(L.CALL_CONNECTING)
    told.later(0.2, 1.5)
    yield told(L.CALL_CONNECTED, answered_ms=told.at_ms)
    told.in_about(110)
    if rng.random() < 0.12:
        yield told(L.CALL_HELD)
        told.in_about(35)
        yield told(L.CALL_RETRIEVED)
        told.in_about(60)
    yield told(L.CALL_ENDED, outcome="answered", by=_pick(rng, (("caller", 80), ("agent", 20)))[0])
    yield told(L.AGENT_WRAP_UP_STARTED)
    told.later(4, 60)
    yield told(L.AGENT_WRAP_UP_CLOSED, disposition=_pick(rng, (("done", 85), ("ticket", 15)))[0])


def _called_back(told: _Teller, rng: random.Random) -> Iterator[Line]:
    told.later(60, 200)
    yield told(L.CALLBACK_ASKED)
    is_kept = rng.random() < 0.8
    told.in_about(900)
    yield told(L.CALLBACK_WOKEN)
    yield told(L.CALL_OFFERED, why={})
    told.later(2, 12)
    yield told(L.OFFER_ACCEPTED)
    if is_kept:
        yield told(L.CALL_CONNECTED, answered_ms=told.at_ms)
        told.in_about(150)
    else:
        yield told(L.CALLBACK_MISSED, tries=3, why="no_answer")
    yield told(L.CALL_ENDED, outcome="callback", by="caller", callback="kept" if is_kept else "failed")


def _in_vain(told: _Teller, rng: random.Random, fate: str) -> Iterator[Line]:
    if fate == "abandoned":
        told.in_about(55)
        if rng.random() < 0.1:
            yield told(L.CALL_OFFERED, why={})
            yield told(L.OFFER_RINGING)
            told.later(1, 10)
        outcome = "abandoned"
    elif fate == "message":
        told.later(90, 300)
        yield told(L.CALL_DIVERTED, to="voicemail")
        told.later(5, 60)
        yield told(L.CALL_MESSAGE_LEFT)
        outcome = "voicemail"
    else:
        told.later(2, 50)
        outcome = "left_in_menu" if fate == "menu" else "closed"
    yield told(L.CALL_ENDED, outcome=outcome, by="caller")


class Crowd:
    """Who calls: some often, most of them rarely, and one in fifty withholds his number."""

    def __init__(self, secret: str, count: int) -> None:
        callers = max(100, count // 16)
        self.numbers = [f"+86{FIRST_NUMBER + number}" for number in range(callers)]
        self.refs = [number_key(secret, each) for each in self.numbers]
        self.customers = [f"{33_000_000 + n:010d}" if n % 7 else "" for n in range(callers)]

    def pick(self, rng: random.Random) -> tuple[str, str]:
        if rng.random() < 0.02:
            return "withheld", ""
        number = int(rng.random() ** 1.6 * len(self.refs))
        return self.refs[number], self.customers[number]


def quarters(from_ms: int, days: int, count: int) -> Iterator[tuple[int, int]]:
    """Each quarter of an hour with how many calls arrive in it; together `count`. It begins on a midnight."""
    weights = [
        HOURS[quarter // 4] * WEEK[day % 7] * SEASON[day % 365 * 12 // 365] * (1 + day / 3000)
        for day in range(days)
        for quarter in range(96)
    ]
    whole, told, passed = sum(weights), 0, 0.0
    for place, weight in enumerate(weights):
        passed += weight
        until = round(count * passed / whole)
        yield from_ms + place * QUARTER_MS, until - told
        told = until


def arrivals(
    rng: random.Random, told: Sequence[Script], crowd: Crowd, start_ms: int, count: int
) -> list[Call]:
    """The calls of one quarter in the order of their arrival."""
    instants = sorted(start_ms + int(rng.random() * QUARTER_MS) for _ in range(count))
    found = []
    for at_ms, script in zip(instants, rng.choices(told, k=count), strict=True):
        caller_ref, customer_id = crowd.pick(rng)
        call_id = f"CA{rng.getrandbits(128):032x}"
        found.append(Call(script, call_id, at_ms, caller_ref, customer_id, rng.choice(AGENTS)))
    return found


INSTANTS: Final = tuple(
    FOLDED.index(f"{name}_ms")
    for name in (
        "arrived", "menu_left", "queued", "offered", "rang", "answered", "connected", "ended", "wrapped_up"
    )
)  # fmt: skip
ARRIVED, CALL_ID, UPDATED_ID, CALLER_REF, CUSTOMER_ID, AGENT_ID = (
    FOLDED.index(name)
    for name in ("arrived_ms", "call_id", "updated_id", "caller_ref", "customer_id", "agent_id")
)


def row_of(call: Call) -> list[Any]:
    """What the scribe would have saved of it, in the order of FOLDED."""
    row, moved_by = list(call.script.row), call.arrived_ms - BASE_MS
    for place in INSTANTS:
        if row[place] is not None:
            row[place] += moved_by
    row[CALL_ID], row[CALLER_REF], row[CUSTOMER_ID] = call.call_id, call.caller_ref, call.customer_id
    row[UPDATED_ID] = f"{row[ARRIVED] + 600_000}-0"
    if row[AGENT_ID]:
        row[AGENT_ID] = call.agent_id
    return row


def lines_of(call: Call) -> list[Line]:
    """The same call as the journal would tell it; the caller must give each line its id."""
    moved_by = call.arrived_ms - BASE_MS
    found = []
    for line in call.script.lines:
        data = dict(line.data)
        if line.type == L.CALL_ARRIVED:
            data |= {"caller_ref": call.caller_ref, "customer_id": call.customer_id}
        data |= {name: data[name] + moved_by for name in ("entered_ms", "answered_ms") if name in data}
        found.append(
            replace(
                line,
                at_ms=line.at_ms + moved_by,
                call_id=call.call_id,
                agent_id=line.agent_id and call.agent_id,
                offer_id=line.offer_id and f"{call.call_id}-1",
                data=data,
            )
        )
    return found


def cell_of(call: Call, start_ms: int) -> Cell:
    record = call.script.record
    return Cell(start_ms, record.queue, record.tier, record.line)
