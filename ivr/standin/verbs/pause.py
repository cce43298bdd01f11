"""Pause: silence. As the first verb of a call it delays the answer, as the provider's page says."""

from ivr.standin.inbox import Target
from ivr.standin.stage import Stage
from ivr.standin.twiml import Attribute, Element, Spec, whole

SPEC = Spec("Pause", {"length": Attribute(whole(0, 86_400), 13910)})


async def run(stage: Stage, pause: Element) -> Target | None:
    if not stage.exchange.faults.pause_delays_answer:
        stage.exchange.answer(stage.call)
    stage.call.hear("paused", pause.word("length", "1"))
    await stage.pass_time(pause.number("length", 1) * 1000)
    return None
