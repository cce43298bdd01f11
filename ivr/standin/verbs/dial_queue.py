"""Dial Queue: take whoever is at the front of a queue, now or when somebody comes, and talk."""

from ivr.standin.bridges import Bridge
from ivr.standin.inbox import Dequeued, Interrupt, Redirected, Target, Tidings
from ivr.standin.queues import Member, Queue
from ivr.standin.stage import Stage
from ivr.standin.twiml import Attribute, Element, Spec, anything
from ivr.standin.verbs.attributes import ANY_METHOD, ANY_URL

TIMEOUT_S, TIME_LIMIT_S = 30, 14_400

QUEUE = Spec(
    "Queue",
    {
        "url": ANY_URL,
        "method": ANY_METHOD,
        "reservationSid": Attribute(anything),
        "postWorkActivitySid": Attribute(anything),
    },
)


async def run(stage: Stage, dial: Element) -> Target | None:
    exchange, call = stage.exchange, stage.call
    exchange.answer(call)
    queue = exchange.queues.named(dial.children[0].text)
    if queue is None:
        exchange.complain(call, 14210, "Dial Queue: there is no queue of that name")
        return _next(stage, dial, "failed", None, None)
    bridge: Bridge | None = None
    member: Member | None = None
    try:
        member = await _await_member(stage, dial, queue)
        if member is None:
            return _next(stage, dial, "no-answer", None, None)
        bridge = _take(stage, dial.children[0], queue, member)
        bridge.join(call)
        await bridge.talk(
            call, dial.number("timeLimit", TIME_LIMIT_S) * 1000, star_ends=dial.flag("hangupOnStar", False)
        )
    except Interrupt as interrupt:
        _cut_short(stage, dial, interrupt, bridge, member)
        raise
    finally:
        if bridge is not None:
            bridge.break_off(call)
    return _next(stage, dial, "completed", bridge, member)


async def _await_member(stage: Stage, dial: Element, queue: Queue) -> Member | None:
    """Whoever is first, or comes first before the time is over."""
    exchange, call = stage.exchange, stage.call
    until_ms = exchange.clock.now_ms() + dial.number("timeout", TIMEOUT_S) * 1000

    def wake() -> None:
        call.inbox.put(Tidings("queue", queue))

    queue.takers.append(wake)
    try:
        while True:
            member = queue.find("Front")
            if member is not None and queue.remove(member, "bridged", exchange.clock.now_ms()):
                return member
            left_ms = until_ms - exchange.clock.now_ms()
            if left_ms <= 0:
                return None
            await call.inbox.take(left_ms)
    finally:
        queue.takers.remove(wake)


def _take(stage: Stage, noun: Element, queue: Queue, member: Member) -> Bridge:
    target = None
    if noun.word("url"):
        waited_s = member.waited_s(stage.exchange.clock.now_ms())
        target = Target(stage.address(noun.word("url")), noun.word("method", "POST")).saying(
            QueueSid=queue.sid, QueueTime=str(waited_s), DequeingCallSid=stage.call.sid
        )
    bridge = Bridge(target)
    member.call.inbox.put(Dequeued(member.scope, None, bridge))
    return bridge


def _cut_short(
    stage: Stage, dial: Element, interrupt: Interrupt, bridge: Bridge | None, member: Member | None
) -> None:
    faults = stage.exchange.faults
    target = _next(stage, dial, "completed" if bridge is not None else "canceled", bridge, member)
    if isinstance(interrupt, Redirected):
        interrupt.delay_ms = max(interrupt.delay_ms, faults.redirect_target_ms)
        if target is not None:
            stage.afterwards(target, faults.redirect_action_ms)
    elif target is not None and faults.action_on_hangup:
        stage.afterwards(target)


def _next(
    stage: Stage, dial: Element, status: str, bridge: Bridge | None, member: Member | None
) -> Target | None:
    if not dial.word("action"):
        return None
    params = {"DialCallStatus": status, "DialBridged": "true" if bridge and bridge.has_talked else "false"}
    if member is not None:
        waited_s = member.waited_s(stage.exchange.clock.now_ms())
        params |= {"DialCallSid": member.call.sid, "QueueSid": member.queue.sid, "QueueTime": str(waited_s)}
    return stage.action(dial, **params)
