"""Queues and their members; a member is pulled at most once, by his call or from the front."""

from ivr.standin.inbox import Target
from ivr.standin.queues import NAME_CHARS_MAX, Member, Queue
from ivr.standin.rest.asking import Answer, ApiError, Ask, gone
from ivr.standin.rest.instants import in_time
from ivr.standin.rest.paging import page


async def create(ask: Ask) -> Answer:
    name = _name(ask)
    if ask.exchange.queues.named(name) is not None:
        raise ApiError(400, 22003, "A queue with this FriendlyName exists already")
    faults = ask.exchange.faults
    max_size = ask.number("MaxSize", faults.queue_size_default, 1, faults.queue_size_max)
    return show(ask, ask.exchange.open_queue(name, max_size))


async def fetch(ask: Ask) -> Answer:
    return show(ask, find(ask))


async def update(ask: Ask) -> Answer:
    queue = find(ask)
    if ask.has("FriendlyName"):
        queue.friendly_name = _name(ask)
    queue.max_size = ask.number("MaxSize", queue.max_size, 1, ask.exchange.faults.queue_size_max)
    queue.updated_ms = ask.exchange.clock.now_ms()
    return show(ask, queue)


async def delete(ask: Ask) -> Answer:
    queue = find(ask)
    if queue.members:
        raise ApiError(400, 22002, "The queue is not empty")
    del ask.exchange.queues.by_sid[queue.sid]
    return gone()


async def listed(ask: Ask) -> Answer:
    queues = [
        queue
        for queue in reversed(ask.exchange.queues.by_sid.values())
        if in_time(ask, "DateCreated", queue.created_ms)
    ]
    return page(ask, "queues", queues, lambda queue: queue.sid, lambda queue: show(ask, queue))


async def list_members(ask: Ask) -> Answer:
    queue = find(ask)
    members = list(queue.members.values())
    return page(
        ask,
        "queue_members",
        members,
        lambda member: member.call.sid,
        lambda member: show_member(ask, queue, member),
    )


async def fetch_member(ask: Ask) -> Answer:
    queue = find(ask)
    member = queue.find(ask.path("call_sid"))
    if member is None:
        raise ask.not_found()
    return show_member(ask, queue, member)


async def pull_member(ask: Ask) -> Answer:
    """Take one waiting call out of the queue to another document; whoever comes second finds nobody."""
    queue = find(ask)
    url = ask.url("Url")
    if not url:
        raise ApiError(400, 21205, "Url parameter is required")
    faults = ask.exchange.faults
    member = queue.find(ask.path("call_sid"))
    if member is None:
        path = ask.request.url.path
        raise ApiError(
            faults.second_pull_status, faults.second_pull_code, f"The requested resource {path} was not found"
        )
    shown = show_member(ask, queue, member)
    queue.pull(member, Target(url, ask.method("Method")), "redirected", ask.exchange.clock.now_ms())
    return shown


def find(ask: Ask) -> Queue:
    queue = ask.exchange.queues.by_sid.get(ask.path("queue_sid"))
    if queue is None:
        raise ask.not_found()
    return queue


def show(ask: Ask, queue: Queue) -> dict[str, object]:
    return queue.as_json(ask.account_sid, ask.exchange.clock.now_ms())


def show_member(ask: Ask, queue: Queue, member: Member) -> dict[str, object]:
    return queue.member_json(member, ask.account_sid, ask.exchange.clock.now_ms())


def _name(ask: Ask) -> str:
    name = ask.one("FriendlyName")
    if not 0 < len(name) <= NAME_CHARS_MAX:
        raise ApiError(400, 20001, "FriendlyName has 1 to 64 characters")
    return name
