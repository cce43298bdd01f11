"""Hangup: the call ends here; an unanswered one is answered first."""

from ivr.standin.inbox import Target
from ivr.standin.stage import Stage
from ivr.standin.twiml import Element, Spec

SPEC = Spec("Hangup")


async def run(stage: Stage, _: Element) -> Target | None:
    stage.exchange.answer(stage.call)
    stage.exchange.end_call(stage.call, "completed")
    stage.call.inbox.check()
    return None
