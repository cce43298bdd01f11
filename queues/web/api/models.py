"""What the API answers, typed: the answers are made of these, and so is the document that describes them.

Names are stable, with their unit at the end: `_ms` and `_s` are lengths, `_at` is an instant in UTC with milliseconds,
shares are from 0 to 1. What is not known is null. The words about each field stand in the catalogues.
"""

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema

from queues.domain.agents import AgentState
from queues.domain.metrics import Kind, Unit, Window
from queues.domain.periods import Grain


def iso_of(at_ms: int) -> str:
    """2026-11-23T01:00:00.000Z"""
    at = dt.datetime.fromtimestamp(at_ms // 1000, dt.UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


Instant = Annotated[
    int,
    PlainSerializer(iso_of, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
Number = float | int | None
Words = dict[str, str]  # by language


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Period(Answer):
    from_at: Instant
    until_at: Instant
    timezone: str


class Narrowed(Answer):
    queue: str | None
    tier: str | None
    line: str | None
    department: str | None
    agent_id: str | None


class Target(Answer):
    share: float
    within_s: int
    short_abandon_s: int


class Figure(Answer):
    value: Number
    unit: Unit
    version: int
    symbols: dict[str, Number]


class Group(Answer):
    id: str
    figures: dict[str, Number]
    symbols: dict[str, Number]


class Point(Answer):
    start_at: Instant
    is_open: bool
    corrected_at: Instant | None
    figures: dict[str, Number]
    symbols: dict[str, Number]


class Figures(Answer):
    site: str
    site_version: str
    period: Period
    narrowed: Narrowed
    is_open: bool
    unsettled: int
    corrected_at: Instant | None
    contract: str
    target: Target | None
    figures: dict[str, Figure]
    by: Literal["none", "queue", "tier", "agent"]
    groups: list[Group]
    grain: Grain | Literal["none"]
    series: list[Point]


class Card(Answer):
    id: str
    kind: Kind
    formula: str
    symbols: list[str]
    unit: Unit
    window: Window
    version: int
    source: str
    is_contract: bool
    name: Words
    definition: Words


class Symbol(Answer):
    id: str
    kind: Literal["calls", "seconds", "count"]
    is_listed: bool
    name: Words


class Cards(Answer):
    cards: list[Card]
    symbols: list[Symbol]


class Caller(Answer):
    number: str | None
    is_masked: bool
    customer_id: str | None
    customer_name: str | None


class Call(Answer):
    call_id: str
    line: str | None
    queue: str | None
    tier: str | None
    matter: str | None
    language: str | None
    state: str
    outcome: str | None
    ended_by: str | None
    disposition: str | None
    callback: str | None
    callback_tries: int
    came_closed: bool | None
    is_anonymous: bool
    agent_id: str | None
    ticket_no: str | None
    site_version: str | None
    caller: Caller
    arrived_at: Instant
    menu_left_at: Instant | None
    queued_at: Instant | None
    offered_at: Instant | None
    rang_at: Instant | None
    answered_at: Instant | None
    ended_at: Instant | None
    wrapped_up_at: Instant | None
    wait_ms: int | None
    talk_ms: int | None
    held_ms: int | None
    longest_hold_ms: int | None
    wrap_up_ms: int | None
    offers: int
    holds: int
    transfers: int


class Calls(Answer):
    period: Period | None
    calls: list[Call]
    next: str | None


class Talk(Answer):
    agent_id: str | None
    queue: str | None
    wait_ms: int | None
    began_at: Instant
    ended_at: Instant | None
    talk_ms: int | None
    disposition: str | None


class Event(Answer):
    id: str
    at: Instant
    type: str
    agent_id: str | None


class CallStory(Answer):
    call: Call
    talks: list[Talk]
    events: list[Event]


class Queue(Answer):
    id: str
    name: Words
    needs: list[str]
    answer_within_s: int
    departments: list[str]
    target: Target


class Queues(Answer):
    queues: list[Queue]


class Tier(Answer):
    id: str
    name: Words
    rank: int
    head_start_s: int
    ceiling_s: int


class Tiers(Answer):
    tiers: list[Tier]


class Department(Answer):
    id: str
    name: Words
    queues: list[str]


class Departments(Answer):
    departments: list[Department]


class Line(Answer):
    id: str
    name: Words


class Lines(Answer):
    lines: list[Line]


class Agent(Answer):
    id: str
    name: str
    skills: list[str]


class Agents(Answer):
    agents: list[Agent]


class Waiting(Answer):
    queue: str
    tier: str
    waiting: int
    to_be_called_back: int
    longest_queued_at: Instant | None
    longest_wait_ms: int | None


class Live(Answer):
    at: Instant
    waiting: int
    to_be_called_back: int
    longest_wait_ms: int | None
    by_queue_and_tier: list[Waiting]
    agents_signed_in: int
    agents_by_state: dict[AgentState, int]


class FieldFault(Answer):
    field: str
    detail: str


class Problem(Answer):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldFault]
