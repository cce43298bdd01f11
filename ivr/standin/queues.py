"""Queues of waiting calls: who is in, in which order, and who gets out exactly once.

A member is taken out by one step that cannot be shared: whoever comes second finds nobody. What the leg then
does is told to it through its inbox.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from ivr.standin.calls import Call
from ivr.standin.dates import rfc2822
from ivr.standin.inbox import Dequeued, Scope, Target
from ivr.standin.sids import new_sid

NAME_CHARS_MAX = 64


class QueueFullError(Exception):
    """The queue has as many members as it may."""


@dataclass(eq=False)
class Member:
    queue: "Queue"
    call: Call
    enqueued_ms: int
    scope: Scope = field(default_factory=Scope)
    result: str = ""
    left_ms: int | None = None

    def waited_s(self, now_ms: int) -> int:
        return max(0, (self.left_ms or now_ms) - self.enqueued_ms) // 1000


@dataclass(eq=False)
class Queue:
    sid: str
    friendly_name: str
    max_size: int
    created_ms: int
    updated_ms: int
    members: dict[str, Member] = field(default_factory=dict)
    takers: list[Callable[[], None]] = field(default_factory=list)

    def add(self, call: Call, now_ms: int) -> Member:
        if len(self.members) >= self.max_size:
            raise QueueFullError
        member = Member(self, call, now_ms)
        self.members[call.sid] = member
        call.member = member
        for taker in list(self.takers):
            taker()
        return member

    def remove(self, member: Member, result: str, now_ms: int) -> bool:
        """Take a member out; False when somebody else has."""
        if self.members.pop(member.call.sid, None) is not member:
            return False
        member.result = result
        member.left_ms = now_ms
        member.call.member = None
        return True

    def find(self, call_sid: str) -> Member | None:
        if call_sid == "Front":
            return next(iter(self.members.values()), None)
        return self.members.get(call_sid)

    def pull(self, member: Member, target: Target, result: str, now_ms: int) -> bool:
        """Send one waiting call to a document."""
        if not self.remove(member, result, now_ms):
            return False
        member.call.inbox.put(Dequeued(member.scope, target))
        return True

    def position(self, member: Member) -> int:
        return list(self.members).index(member.call.sid) + 1 if member.call.sid in self.members else 0

    def average_wait_s(self, now_ms: int) -> int:
        waits = [member.waited_s(now_ms) for member in self.members.values()]
        return round(sum(waits) / len(waits)) if waits else 0

    def wait_params(self, member: Member, now_ms: int) -> dict[str, str]:
        return {
            "QueueSid": self.sid,
            "QueuePosition": str(self.position(member)),
            "QueueTime": str(member.waited_s(now_ms)),
            "AvgQueueTime": str(self.average_wait_s(now_ms)),
            "CurrentQueueSize": str(len(self.members)),
            "MaxQueueSize": str(self.max_size),
        }

    def as_json(self, account_sid: str, now_ms: int) -> dict[str, object]:
        uri = f"/2010-04-01/Accounts/{account_sid}/Queues/{self.sid}"
        return {
            "sid": self.sid,
            "friendly_name": self.friendly_name,
            "current_size": len(self.members),
            "max_size": self.max_size,
            "average_wait_time": self.average_wait_s(now_ms),
            "account_sid": account_sid,
            "date_created": rfc2822(self.created_ms),
            "date_updated": rfc2822(self.updated_ms),
            "uri": f"{uri}.json",
            "subresource_uris": {"members": f"{uri}/Members.json"},
        }

    def member_json(self, member: Member, account_sid: str, now_ms: int) -> dict[str, object]:
        return {
            "call_sid": member.call.sid,
            "queue_sid": self.sid,
            "date_enqueued": rfc2822(member.enqueued_ms),
            "position": self.position(member),
            "wait_time": member.waited_s(now_ms),
            "uri": f"/2010-04-01/Accounts/{account_sid}/Queues/{self.sid}/Members/{member.call.sid}.json",
        }


class Queues:
    def __init__(self) -> None:
        self.by_sid: dict[str, Queue] = {}

    def named(self, friendly_name: str) -> Queue | None:
        return next((queue for queue in self.by_sid.values() if queue.friendly_name == friendly_name), None)

    def create(self, friendly_name: str, max_size: int, now_ms: int) -> Queue:
        queue = Queue(new_sid("QU"), friendly_name, max_size, now_ms, now_ms)
        self.by_sid[queue.sid] = queue
        return queue
