"""Calls: place, look, redirect, end, list, forget."""

from ivr.standin.calls import IN_PROGRESS, QUEUED, RINGING, Call, RecordingWish, call_json
from ivr.standin.inbox import Target
from ivr.standin.interpreter import checked
from ivr.standin.outgoing import BacklogFullError
from ivr.standin.rest.asking import Answer, ApiError, Ask, gone
from ivr.standin.rest.instants import in_time
from ivr.standin.rest.paging import page
from ivr.standin.rest.subscriptions import call_subscription, recording_subscription
from ivr.standin.stage import CALL
from ivr.standin.twiml import INLINE_CHARS_MAX, Document, DocumentError
from ivr.standin.verbs.dial_people import is_number

TIMEOUT_S, TIMEOUT_S_MAX = 60, 600
TIME_LIMIT_S, TIME_LIMIT_S_MAX = 14_400, 86_400
NOT_IN_PROGRESS = "Call is not in-progress. Cannot redirect."


async def create(ask: Ask) -> Answer:
    to, from_ = check_ends(ask)
    source = _source(ask, ask.target("Url", "Method"))
    if source is None:
        raise ApiError(400, 21205, "Url parameter is required")
    call = place_call(ask, to, from_)
    if ask.flag("Record", default=False):
        channels = 2 if ask.one("RecordingChannels", "mono") == "dual" else 1
        call.recording = RecordingWish(channels, "OutboundAPI", recording_subscription(ask))
    ask.exchange.place(call, source)
    return show(ask, call)


def place_call(ask: Ask, to: str, from_: str) -> Call:
    """A new outgoing call, waiting for its slot."""
    exchange = ask.exchange
    fallback = ask.target("FallbackUrl", "FallbackMethod")
    subscription = call_subscription(ask)
    timeout_s = ask.number("Timeout", TIMEOUT_S, 1, TIMEOUT_S_MAX)
    time_limit_s = ask.number("TimeLimit", TIME_LIMIT_S, 1, TIME_LIMIT_S_MAX)
    try:
        queue_time_ms = exchange.slots.take(exchange.clock.now_ms())
    except BacklogFullError:
        raise ApiError(400, 22005, "The account's call queue is full") from None
    call = exchange.new_call(from_, to, "outbound-api")
    call.fallback, call.subscription = fallback, subscription
    call.timeout_s, call.time_limit_s, call.queue_time_ms = timeout_s, time_limit_s, queue_time_ms
    return call


def check_ends(ask: Ask) -> tuple[str, str]:
    """Whom to ring and who seems to ring; both needed, and the caller one that is the account's."""
    to, from_ = ask.one("To"), ask.one("From")
    if not to:
        raise ApiError(400, 21201, "No 'To' number is specified")
    if not from_:
        raise ApiError(400, 21213, "No 'From' number is specified")
    if not to.startswith(("client:", "sip:", "sips:")) and not is_number(to):
        raise ApiError(400, 21211, f"Invalid 'To' phone number: {to}")
    is_own = from_ in ask.exchange.numbers or from_.startswith(("client:", "sip:"))
    if not is_own and ask.exchange.numbers and ask.exchange.faults.verify_caller_id:
        raise ApiError(400, 21210, f"'From' phone number not verified: {from_}")
    return to, from_


async def fetch(ask: Ask) -> Answer:
    return show(ask, find(ask))


async def update(ask: Ask) -> Answer:
    """Another document or an end; either only while the call is where that can be done."""
    call = find(ask)
    status = ask.one("Status")
    source = _source(ask, ask.target("Url", "Method"))
    if ask.has("FallbackUrl"):
        call.fallback = ask.target("FallbackUrl", "FallbackMethod")
    if ask.has("StatusCallback"):
        call.subscription = call_subscription(ask)
    if status:
        _end(ask, call, status)
    elif source is not None and not ask.exchange.redirect(call, source):
        raise ApiError(400, 21220, NOT_IN_PROGRESS)
    return show(ask, call)


def _end(ask: Ask, call: Call, status: str) -> None:
    if status not in {"canceled", "completed"}:
        raise ApiError(400, 21218, f"Invalid Status: {status}")
    may_end = {QUEUED, RINGING} if status == "canceled" else {QUEUED, RINGING, IN_PROGRESS}
    if call.status not in may_end:
        raise ApiError(400, 21220, NOT_IN_PROGRESS)
    ask.exchange.hang_up(call)


async def delete(ask: Ask) -> Answer:
    call = find(ask)
    if not call.is_over:
        raise ApiError(400, 20009, "A call in progress cannot be deleted")
    ask.exchange.forget(call)
    return gone()


async def listed(ask: Ask) -> Answer:
    calls = [call for call in reversed(ask.exchange.calls.values()) if _is_wanted(ask, call)]
    return page(ask, "calls", calls, lambda call: call.sid, lambda call: show(ask, call))


def _is_wanted(ask: Ask, call: Call) -> bool:
    for name, value in (("To", call.to), ("From", call.from_), ("ParentCallSid", call.parent_sid)):
        if ask.query(name) and ask.query(name) != value:
            return False
    if ask.query("Status") and ask.query("Status") != seen_status(ask, call):
        return False
    return in_time(ask, "StartTime", call.started_ms) and in_time(ask, "EndTime", call.ended_ms)


def find(ask: Ask, name: str = "call_sid") -> Call:
    call = ask.exchange.calls.get(ask.path(name))
    if call is None:
        raise ask.not_found()
    return call


def seen_status(ask: Ask, call: Call) -> str:
    """Readers may lag behind by a while."""
    lag_ms = ask.exchange.faults.stale_reads_ms
    if not lag_ms or ask.request.method != "GET":
        return call.status
    return call.status_at(ask.exchange.clock.now_ms() - lag_ms)


def show(ask: Ask, call: Call) -> dict[str, object]:
    status = seen_status(ask, call)
    return call_json(call, ask.account_sid, status)


def _source(ask: Ask, target: Target | None) -> Target | Document | None:
    """The address, or else the document given inline."""
    if target is not None:
        return target
    text = ask.one("Twiml")
    if not text:
        return None
    if len(text) > INLINE_CHARS_MAX:
        raise ApiError(400, 32018, "Twiml is longer than 4000 characters")
    try:
        return checked(ask.exchange, None, text, CALL)
    except DocumentError as error:
        ask.exchange.complain(None, error.code, error.message)
        raise ApiError(400, error.code, error.message) from None
