"""An account of our own: what the journal alone must show if the laws were kept.

The auditor knows nothing of the tables and scripts that make the lines; it has its own idea of what may follow
what. So a fault in the switchboard and the same fault in its rules cannot hide each other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from queues.domain.journal import Line, parse_id

# Where a call stands, told in the auditor's own words; line type -> (allowed before, after).
_MENU, _WAIT, _REST, _CALL, _HELD, _JOIN, _TALK, _NOTE, _OVER = (
    "menu",
    "waiting",
    "resting",
    "calling",
    "held",
    "joining",
    "talking",
    "message",
    "over",
)
_NEW: Final = "unheard of"
_PATH: Final[Mapping[str, tuple[frozenset[str], str]]] = {
    "call.arrived": (frozenset({_NEW}), _MENU),
    "call.queued": (frozenset({_MENU}), _WAIT),
    "call.offered": (frozenset({_WAIT}), _HELD),
    "call.requeued": (frozenset({_HELD, _JOIN}), _WAIT),
    "call.connecting": (frozenset({_HELD}), _JOIN),
    "call.connected": (frozenset({_JOIN}), _TALK),
    "call.transferred": (frozenset({_TALK}), _WAIT),
    "call.handed_over": (frozenset({_TALK}), _JOIN),
    "call.diverted": (frozenset({_MENU, _WAIT, _HELD}), _NOTE),
    "call.returned": (frozenset({_NOTE}), _MENU),
    "call.led": (frozenset({_WAIT}), _MENU),
    "callback.asked": (frozenset({_WAIT}), _REST),
    "callback.begun": (frozenset({_WAIT}), _WAIT),
    "callback.woken": (frozenset({_REST}), _WAIT),
    "callback.rested": (frozenset({_WAIT, _REST, _CALL, _HELD, _JOIN}), _REST),
    "callback.called": (frozenset({_WAIT}), _CALL),
    "callback.reached": (frozenset({_CALL}), _WAIT),
    "call.ended": (frozenset({_MENU, _WAIT, _REST, _CALL, _HELD, _JOIN, _TALK, _NOTE}), _OVER),
}
_OFFER_ENDS: Final = frozenset(
    {"offer.accepted", "offer.declined", "offer.expired", "offer.unrung", "offer.withdrawn"}
)


@dataclass(frozen=True, slots=True)
class Breach:
    """One law broken: which, by whom, and the line that shows it."""

    law: str
    subject: str
    line_id: str


@dataclass
class Auditor:
    """Hears every line in order; `breaches` is what it found, `close` adds what only the end can show."""

    where: dict[str, str] = field(default_factory=dict)
    open_offers: dict[str, str] = field(default_factory=dict)  # offer -> agent
    ended_offers: set[str] = field(default_factory=set)
    busy: dict[str, str] = field(default_factory=dict)  # agent -> call
    asked: dict[str, str] = field(default_factory=dict)  # offer of a consultation -> agent
    serves: dict[str, str] = field(default_factory=dict)  # call -> agent
    queued_ms: dict[str, int] = field(default_factory=dict)
    last_id: tuple[int, int] = (0, -1)
    breaches: list[Breach] = field(default_factory=list)

    def hear(self, line: Line) -> None:
        """Take one line into the account."""
        self._must(parse_id(line.id) > self.last_id, "ids only grow", line.call_id, line)
        self.last_id = parse_id(line.id)
        if line.type in _PATH:
            self._follow(line)
        if line.type == "call.offered":
            self._hold(line)
        elif line.type == "call.consulted":
            self._ask(line)
        elif line.type == "consult.ended":
            self._let_go(line.offer_id)
        elif line.type == "call.handed_over":
            self._hand_over(line)
        elif line.type in _OFFER_ENDS:
            self._end_offer(line)
        elif line.type in ("call.ended", "call.requeued", "call.transferred", "callback.rested"):
            self._release(line.call_id)
        self._keep_place(line)

    def close(self, *, is_drained: bool) -> tuple[Breach, ...]:
        """All breaches; a drained house has no call under way and no offer open."""
        if is_drained:
            for call_id, state in self.where.items():
                if state != _OVER:
                    self.breaches.append(Breach("every call ends", call_id, state))
            for offer_id in self.open_offers:
                self.breaches.append(Breach("every offer ends", offer_id, ""))
        return tuple(self.breaches)

    def _must(self, holds: bool, law: str, subject: str, line: Line) -> None:
        if not holds:
            self.breaches.append(Breach(law, subject, line.id))

    def _follow(self, line: Line) -> None:
        before, after = _PATH[line.type]
        state = self.where.get(line.call_id, _NEW)
        self._must(state in before, f"{line.type} does not follow {state}", line.call_id, line)
        closed = line.type == "call.queued" and line.data.get("closed")
        self.where[line.call_id] = _NOTE if closed else after

    def _hold(self, line: Line) -> None:
        known = line.offer_id in self.open_offers or line.offer_id in self.ended_offers
        self._must(not known, "an offer is made once", line.offer_id, line)
        other = self.busy.get(line.agent_id, line.call_id)
        self._must(
            line.agent_id not in self.busy, f"one agent, one call: he has {other}", line.agent_id, line
        )
        self.open_offers[line.offer_id] = line.agent_id
        self.busy[line.agent_id] = line.call_id
        self.serves[line.call_id] = line.agent_id

    def _ask(self, line: Line) -> None:
        """A colleague is held beside the one who serves."""
        self._must(line.agent_id not in self.busy, "one agent, one call", line.agent_id, line)
        self._must(self.where.get(line.call_id) == _TALK, "who talks asks", line.call_id, line)
        self.open_offers[line.offer_id] = self.asked[line.offer_id] = line.agent_id
        self.busy[line.agent_id] = line.call_id

    def _let_go(self, offer_id: str) -> None:
        self.busy.pop(self.asked.pop(offer_id, ""), None)

    def _hand_over(self, line: Line) -> None:
        self._must(self.asked.pop(line.offer_id, "") == line.agent_id, "to who was asked", line.call_id, line)
        self._release(line.call_id)
        self.serves[line.call_id] = line.agent_id

    def _end_offer(self, line: Line) -> None:
        was_open = self.open_offers.pop(line.offer_id, None) is not None
        self._must(was_open, f"an offer ends once: {line.type}", line.offer_id, line)
        self.ended_offers.add(line.offer_id)
        if line.type != "offer.accepted" and line.offer_id in self.asked:
            self._let_go(line.offer_id)
        elif line.type != "offer.accepted":
            self._release(line.call_id)

    def _release(self, call_id: str) -> None:
        agent_id = self.serves.pop(call_id, None)
        if agent_id is not None:
            self.busy.pop(agent_id, None)

    def _keep_place(self, line: Line) -> None:
        told = line.data.get("queued_ms")
        if told is None or not line.call_id:
            return
        first = self.queued_ms.setdefault(line.call_id, int(told))
        self._must(int(told) == first, "a place once earned is kept", line.call_id, line)


def audit(lines: Iterable[Line], *, is_drained: bool) -> tuple[Breach, ...]:
    """Every breach of the laws that `lines`, a whole journal, show."""
    told = list(lines)
    arrived = {line.call_id for line in told if line.type == "call.arrived"}
    nameless = {line.call_id for line in told if line.type == "call.anonymised"} - arrived
    auditor = Auditor(where=dict.fromkeys(nameless, _MENU))  # their arrivals were taken out
    for line in told:
        auditor.hear(line)
    return auditor.close(is_drained=is_drained)
