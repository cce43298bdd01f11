"""Enqueue: wait in a queue, hearing the wait document over and over, until taken out of it.

Out by Leave or by REST: the action is requested at once (after REST its answer does not control the call).
Out to another leg: the action follows the conversation. Out by hanging up: the action is told, its answer
unheard.
"""

from ivr.standin import bridges
from ivr.standin.inbox import Dequeued, Gone, Left, Redirected, Target
from ivr.standin.queues import NAME_CHARS_MAX, Member, QueueFullError
from ivr.standin.stage import DEQUEUED, QUEUE_WAIT, Stage
from ivr.standin.twiml import Attribute, DocumentError, Element, Fault, Spec, anything, whole
from ivr.standin.verbs.attributes import ANY_METHOD, ANY_URL


def _inspect(enqueue: Element) -> list[Fault]:
    if enqueue.word("workflowSid"):
        return [Fault(14220, "Enqueue: there are no workflows here")]
    if not enqueue.text:
        return [Fault(14204, "Enqueue: the queue's name is too short")]
    return (
        [Fault(14205, "Enqueue: the queue's name is too long")] if len(enqueue.text) > NAME_CHARS_MAX else []
    )


SPEC = Spec(
    "Enqueue",
    {
        "action": ANY_URL,
        "method": Attribute(ANY_METHOD.is_valid, 14201),
        "waitUrl": Attribute(ANY_URL.is_valid, 14203),
        "waitUrlMethod": Attribute(ANY_METHOD.is_valid, 14202),
        "maxQueueSize": Attribute(whole(1, 5000), 14206),
        "workflowSid": Attribute(anything),
    },
    children=(Spec("Task", {"priority": Attribute(anything), "timeout": Attribute(anything)}),),
    inspect=_inspect,
)


async def run(stage: Stage, enqueue: Element) -> Target | None:
    exchange, call = stage.exchange, stage.call
    exchange.answer(call)
    queue = exchange.open_queue(enqueue.text, enqueue.number("maxQueueSize", 0) or None)
    try:
        member = queue.add(call, exchange.clock.now_ms())
    except QueueFullError:
        return _next(stage, enqueue, "queue-full", None)
    call.hear("queued", queue.friendly_name)
    try:
        result = await _wait(stage, enqueue, member)
    except Gone:
        _tell(stage, enqueue, "bridged" if member.result == "bridged" else "hangup", member)
        raise
    except Redirected as redirected:
        redirected.delay_ms = max(redirected.delay_ms, exchange.faults.redirect_target_ms)
        result = "redirected-from-bridged" if member.result == "bridged" else "redirected"
        _tell(stage, enqueue, result, member, exchange.faults.redirect_action_ms)
        raise
    finally:
        member.scope.is_over = True
    return _next(stage, enqueue, result, member)


async def _wait(stage: Stage, enqueue: Element, member: Member) -> str:
    """Hear the wait document until something else happens; how the stay ended."""
    while True:
        try:
            await _hear_once(stage, enqueue, member)
        except Left:
            return "leave"
        except DocumentError:
            if member.queue.remove(member, "error", stage.exchange.clock.now_ms()):
                return "error"
        except Dequeued as dequeued:
            stage.call.hear("dequeued", member.queue.friendly_name)
            if dequeued.source is not None:
                raise Redirected(dequeued.source) from None
            return await _be_taken(stage, dequeued)


async def _hear_once(stage: Stage, enqueue: Element, member: Member) -> None:
    """The wait document with all that follows from it; one that takes no time is not hurried through."""
    clock = stage.exchange.clock
    began_ms = clock.now_ms()
    if "waitUrl" not in enqueue.attributes:
        stage.call.hear("played", "music")
        await stage.pass_time(stage.exchange.faults.play_ms)
    elif not enqueue.word("waitUrl"):
        await stage.pass_time(3_600_000)
    else:
        target = Target(stage.address(enqueue.word("waitUrl")), enqueue.word("waitUrlMethod", "POST"))
        await stage.exchange.carry_out(
            stage.call, target, QUEUE_WAIT, lambda: member.queue.wait_params(member, clock.now_ms())
        )
    await stage.pass_time(max(0, stage.exchange.faults.wait_loop_ms_min - (clock.now_ms() - began_ms)))


async def _be_taken(stage: Stage, dequeued: Dequeued) -> str:
    """The other leg's document for this one, then the conversation."""
    bridge = dequeued.taker
    if not isinstance(bridge, bridges.Bridge):
        return "error"
    try:
        if bridge.target is not None:
            await stage.exchange.carry_out(stage.call, bridge.target, DEQUEUED)
        bridge.join(stage.call)
        await bridge.talk(stage.call)
    except DocumentError:
        return "error"
    finally:
        bridge.break_off(stage.call)
    return "bridged"


def _params(stage: Stage, result: str, member: Member | None) -> dict[str, str]:
    if member is None:
        return {"QueueResult": result}
    waited_s = member.waited_s(stage.exchange.clock.now_ms())
    return {"QueueResult": result, "QueueSid": member.queue.sid, "QueueTime": str(waited_s)}


def _next(stage: Stage, enqueue: Element, result: str, member: Member | None) -> Target | None:
    if not enqueue.word("action"):
        return None
    return stage.action(enqueue, **_params(stage, result, member))


def _tell(stage: Stage, enqueue: Element, result: str, member: Member, delay_ms: int = 0) -> None:
    """An action whose answer does not control the call."""
    if not enqueue.word("action") or (result == "hangup" and not stage.exchange.faults.action_on_hangup):
        return
    if result == "redirected":
        result = stage.exchange.faults.pull_result
    stage.afterwards(stage.action(enqueue, **_params(stage, result, member)), delay_ms)
