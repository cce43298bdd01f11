"""Reject: refuse an unanswered call; anywhere but first it is ignored with a warning."""

from ivr.standin.inbox import Target
from ivr.standin.stage import Stage
from ivr.standin.twiml import Attribute, Element, Spec, one_of

SPEC = Spec("Reject", {"reason": Attribute(one_of("rejected", "busy"))})


async def run(stage: Stage, reject: Element) -> Target | None:
    call = stage.call
    if call.status != "ringing":
        stage.exchange.complain(call, 12200, "Reject stands first or not at all", log=1)
        return None
    is_busy = reject.word("reason", "rejected") == "busy"
    stage.exchange.end_call(call, "busy" if is_busy else stage.exchange.faults.reject_rejected_status)
    call.inbox.check()
    return None
