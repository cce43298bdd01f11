"""Calls as the provider counts them: one leg each, its status and what may be known of it.

A status moves only along the table below and never leaves an end state. Everything that waits for the leg
goes through its inbox; everything the world learns of it goes through its callback lane, in order.
"""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ivr.standin.dates import rfc2822
from ivr.standin.handsets import Handset
from ivr.standin.inbox import Inbox, Target

if TYPE_CHECKING:
    from ivr.standin.conferences import Participant
    from ivr.standin.queues import Member

QUEUED, INITIATED, RINGING, IN_PROGRESS = "queued", "initiated", "ringing", "in-progress"
COMPLETED, BUSY, FAILED, NO_ANSWER, CANCELED = "completed", "busy", "failed", "no-answer", "canceled"
ENDED = frozenset({COMPLETED, BUSY, FAILED, NO_ANSWER, CANCELED})
STATUSES = frozenset({QUEUED, RINGING, IN_PROGRESS}) | ENDED

NEXT: dict[str, frozenset[str]] = {
    QUEUED: frozenset({RINGING, IN_PROGRESS}) | ENDED,
    RINGING: frozenset({IN_PROGRESS}) | ENDED,
    IN_PROGRESS: frozenset({COMPLETED, FAILED}),
    COMPLETED: frozenset(),
    BUSY: frozenset(),
    FAILED: frozenset(),
    NO_ANSWER: frozenset(),
    CANCELED: frozenset(),
}


@dataclass(frozen=True)
class Subscription:
    """Where status callbacks go, and which of them are wanted."""

    url: str
    method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})


@dataclass
class Lane:
    """Callbacks about one thing, sent in the order they arose; ``last`` is the one to wait for."""

    last: "asyncio.Task[None] | None" = None
    number: int = 0
    sequence: int = 0


@dataclass(eq=False)
class Call:
    sid: str
    ordinal: int
    from_: str
    to: str
    direction: str
    inbox: Inbox
    created_ms: int
    parent_sid: str | None = None
    status: str = QUEUED
    updated_ms: int = 0
    started_ms: int | None = None
    answered_ms: int | None = None
    ended_ms: int | None = None
    queue_time_ms: int = 0
    timeout_s: int = 60
    time_limit_s: int = 14400
    sip_code: str | None = None
    fallback: Target | None = None
    subscription: Subscription | None = None
    recording: "RecordingWish | None" = None
    handset: Handset | None = None
    member: "Member | None" = None
    participant: "Participant | None" = None
    is_initiated: bool = False
    asked: int = 0
    extra: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    lane: Lane = field(default_factory=Lane)
    history: list[tuple[int, str]] = field(default_factory=list)
    task: "asyncio.Task[None] | None" = None

    @property
    def is_over(self) -> bool:
        return self.status in ENDED

    def move(self, status: str, now_ms: int) -> bool:
        """Take a step of the table; False when the table has no such step."""
        if status not in NEXT[self.status]:
            return False
        self.status = status
        self.updated_ms = now_ms
        self.history.append((now_ms, status))
        if status == IN_PROGRESS:
            self.answered_ms = self.started_ms = now_ms
        elif status in ENDED:
            self.ended_ms = now_ms
            self.started_ms = self.started_ms or now_ms
        return True

    def status_at(self, at_ms: int) -> str:
        """What a reader that lags behind would see."""
        seen = QUEUED if self.direction == "outbound-api" else RINGING
        for moment_ms, status in self.history:
            if moment_ms > at_ms:
                break
            seen = status
        return seen

    @property
    def duration_s(self) -> int | None:
        if self.ended_ms is None:
            return None
        return 0 if self.answered_ms is None else round((self.ended_ms - self.answered_ms) / 1000)

    def hear(self, kind: str, text: str = "", language: str = "") -> None:
        if self.handset is not None:
            self.handset.hear(kind, text, language)


@dataclass(frozen=True)
class RecordingWish:
    """A recording asked for together with the call or the dial that it belongs to."""

    channels: int
    source: str
    subscription: Subscription | None
    from_ringing: bool = False


def standard_params(call: Call, account_sid: str) -> dict[str, str]:
    """What every request about a call says; empty values are said too."""
    geo = {f"{who}{what}": "" for who in ("From", "To", "Caller", "Called") for what in _GEO}
    params = {
        "CallSid": call.sid,
        "AccountSid": account_sid,
        "From": call.from_,
        "To": call.to,
        "Caller": call.from_,
        "Called": call.to,
        "CallStatus": call.status,
        "ApiVersion": "2010-04-01",
        "Direction": call.direction,
        **geo,
        **call.extra,
    }
    if call.parent_sid is not None:
        params["ParentCallSid"] = call.parent_sid
    return params


_GEO = ("City", "State", "Zip", "Country")


def call_json(call: Call, account_sid: str, status: str) -> dict[str, object]:
    """The call as REST shows it."""
    uri = f"/2010-04-01/Accounts/{account_sid}/Calls/{call.sid}"
    is_over = status in ENDED
    return {
        "sid": call.sid,
        "date_created": rfc2822(call.created_ms),
        "date_updated": rfc2822(call.updated_ms or call.created_ms),
        "parent_call_sid": call.parent_sid,
        "account_sid": account_sid,
        "to": call.to,
        "to_formatted": call.to,
        "from": call.from_,
        "from_formatted": call.from_,
        "phone_number_sid": None,
        "status": status,
        "start_time": rfc2822(call.started_ms) if status == IN_PROGRESS or is_over else None,
        "end_time": rfc2822(call.ended_ms) if is_over else None,
        "duration": str(call.duration_s) if is_over else None,
        "price": None,
        "price_unit": "USD",
        "direction": call.direction,
        "answered_by": None,
        "annotation": None,
        "api_version": "2010-04-01",
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": str(call.queue_time_ms),
        "trunk_sid": None,
        "uri": f"{uri}.json",
        "subresource_uris": {name: f"{uri}/{segment}.json" for name, segment in _SUBRESOURCES.items()},
    }


_SUBRESOURCES = {
    "notifications": "Notifications",
    "recordings": "Recordings",
    "events": "Events",
    "payments": "Payments",
    "siprec": "Siprec",
    "streams": "Streams",
    "transcriptions": "Transcriptions",
    "user_defined_messages": "UserDefinedMessages",
    "user_defined_message_subscriptions": "UserDefinedMessageSubscriptions",
}
