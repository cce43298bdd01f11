"""Leave: out of the queue by the caller's own choice; whoever pulled first has won."""

from ivr.standin.inbox import Left, Target
from ivr.standin.stage import Stage
from ivr.standin.twiml import Element, Spec

SPEC = Spec("Leave")


async def run(stage: Stage, _: Element) -> Target | None:
    call = stage.call
    if call.member is None:
        call.inbox.check()
        stage.exchange.complain(call, 12200, "Leave has a meaning only in a queue", log=1)
        return None
    member = call.member
    member.queue.remove(member, "leave", stage.exchange.clock.now_ms())
    raise Left(member.scope)
