"""The live state as one value: what the keys of a site hold, without a server.

`State` is what the rules of `domain.switchboard` step over and what a test compares with the real store
after every command. What can be derived is not kept twice: who is signed in, who is ready in which pool.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any

from queues.domain.agents import Agent
from queues.domain.calls import CALL_FACTS, Call
from queues.domain.effects import Effect
from queues.domain.offers import OFFER_FACTS, OFFERED_CALL_FACTS, Offer

Entry = tuple[int, str]  # queued_ms, member


@dataclass(slots=True)
class State:
    calls: dict[str, Call] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    lanes: dict[str, tuple[Entry, ...]] = field(default_factory=dict)  # by lane_id, in order
    lane_rules: dict[str, str] = field(default_factory=dict)  # lane_id -> JSON
    ready: dict[str, int] = field(default_factory=dict)  # agent_id -> idle_ms
    deadlines: dict[str, int] = field(default_factory=dict)
    effects: dict[str, Effect] = field(default_factory=dict)
    due: dict[str, int] = field(default_factory=dict)  # effect_id -> due_ms
    live: dict[str, int] = field(default_factory=dict)  # call_id -> last sign of life
    beats: dict[str, int] = field(default_factory=dict)  # agent_id -> last heartbeat
    numbers: dict[str, str] = field(default_factory=dict)  # number_key -> who stands there, one a line
    accounts: dict[str, str] = field(default_factory=dict)  # account_key -> customer_id
    customers: dict[str, str] = field(default_factory=dict)  # customer_id -> JSON
    people: dict[str, str] = field(default_factory=dict)  # agent_id -> JSON: his name, his leave
    owners: dict[str, str] = field(default_factory=dict)  # named.ref_of a caller -> who owns his open ticket
    owned: dict[str, str] = field(default_factory=dict)  # ticket_no -> under which ref it stands there
    met: dict[str, str] = field(default_factory=dict)  # the same -> "at_ms agent" who talked with him last
    estimates: dict[str, str] = field(default_factory=dict)  # lane_id -> how long it takes, by depth
    surges: dict[str, str] = field(default_factory=dict)  # surge_id -> see surges.Running
    notices: dict[str, str] = field(default_factory=dict)  # notice_id -> JSON
    cases: dict[str, str] = field(default_factory=dict)  # ticket_no -> JSON
    case_faults: dict[str, str] = field(default_factory=dict)  # ticket_no -> "from_ms count" of wrong answers
    places: dict[str, str] = field(default_factory=dict)  # caller_ref -> his places, one a line
    callbacks: dict[str, str] = field(
        default_factory=dict
    )  # caller_ref|queue -> the call that is to be called back
    dialling: dict[str, str] = field(default_factory=dict)  # caller_ref -> the callback that is being tried
    legs: dict[str, str] = field(default_factory=dict)  # leg_id -> the offer it was placed for
    reserves: dict[str, str] = field(
        default_factory=dict
    )  # queue whose kept seats are released -> since when, ms
    turn: int = 0
    turns: int = 0  # of all rotations
    arrivals: int = 0
    tickets: int = 0
    last_ms: int = 0
    last_seq: int = 0
    closed_queues: dict[str, str] = field(default_factory=dict)  # by hand: queue -> JSON
    server: str = ""
    version: str = ""  # of the site's words in force

    def copy(self) -> "State":
        """Records are frozen, so a copy of the indexes is a copy of all."""
        copied: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            copied[each.name] = dict(value) if isinstance(value, dict) else value
        return State(**copied)


def leads_out(state: State, queue: str) -> bool:
    """Whether those who wait in this queue are led out of it, because it was closed so."""
    text = state.closed_queues.get(queue)
    return text is not None and bool(json.loads(text)["leads"])


def text_of(value: Any) -> str:
    """A value as the live store holds it: nothing is empty, true is 1."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value.value) if isinstance(value, Enum) else str(value)


def texts_of(record: Call | Agent | Offer, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(text_of(getattr(record, name)) for name in names)


def hash_of(record: Call | Agent | Offer) -> dict[str, str]:
    """The record's hash in the live store, without what is empty."""
    texts = {each.name: text_of(getattr(record, each.name)) for each in fields(record)}
    return {name: text for name, text in texts.items() if text}


def call_facts(call: Call) -> tuple[str, ...]:
    return texts_of(call, CALL_FACTS)


def offer_facts(offer: Offer, call: Call | None) -> tuple[str, ...]:
    told = texts_of(call, OFFERED_CALL_FACTS) if call else ("",) * len(OFFERED_CALL_FACTS)
    return texts_of(offer, OFFER_FACTS) + told
