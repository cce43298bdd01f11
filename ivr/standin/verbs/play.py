"""Play: a sound file, fetched as the provider fetches it (no parameters, cached), or keys sent."""

from ivr.standin.inbox import Target
from ivr.standin.stage import Stage
from ivr.standin.twiml import Attribute, Element, Fault, Spec, whole

KEY_MS = 500
LOOPS_WITHOUT_END = 1000
KEYS = frozenset("0123456789ABCD#*wW")


def _inspect(play: Element) -> list[Fault]:
    if not play.text and not play.word("digits"):
        return [Fault(13420, "Play: there is nothing to play")]
    return []


SPEC = Spec(
    "Play",
    {
        "loop": Attribute(whole(0, LOOPS_WITHOUT_END), 13410),
        "digits": Attribute(lambda text: bool(text) and set(text) <= KEYS),
    },
    inspect=_inspect,
)


async def run(stage: Stage, play: Element) -> Target | None:
    stage.exchange.answer(stage.call)
    if play.word("digits"):
        stage.call.hear("played", play.word("digits"))
        await stage.pass_time(sum(KEY_MS * (2 if key == "W" else 1) for key in play.word("digits")))
        return None
    url = stage.address(play.text)
    lasts_ms = await stage.call.inbox.during(stage.exchange.sounds.lasts_ms(stage.call, url))
    if lasts_ms is None:
        return None
    for _ in range(play.number("loop", 1) or LOOPS_WITHOUT_END):
        stage.call.hear("played", url)
        await stage.pass_time(lasts_ms)
    return None
