"""Stop: ends what Start began, by its name."""

from ivr.standin.inbox import Target
from ivr.standin.stage import Stage
from ivr.standin.twiml import Attribute, Element, Spec, anything

RECORDING = Spec("Recording", {"name": Attribute(anything)})
SPEC = Spec("Stop", children=(RECORDING,))


async def run(stage: Stage, stop: Element) -> Target | None:
    exchange = stage.exchange
    for wanted in stop.children:
        for recording in exchange.recordings.running(stage.call.sid):
            if recording.name == wanted.word("name"):
                exchange.tapes.stop(recording)
    return None
