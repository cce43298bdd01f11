"""People outside the house whom the hotline dials: the makers of an appliance, another office.

They know nothing of the hotline. A phone rings; by habit they pick it up or let it ring; they talk for a while
and hang up, unless the other one did.
"""

import asyncio
import random
from collections.abc import Callable

from config.clock import Clock
from ivr.standin.handsets import Handset, Registration
from ivr.standin.scenario import Outsider

SPREAD = 0.3


async def be_reachable(
    outsider: Outsider, register: Callable[[str], Registration], clock: Clock, rng: random.Random
) -> None:
    """Take calls at the number until cancelled; every ring is a call of its own."""
    registration = register(outsider.number)
    talks: set[asyncio.Task[None]] = set()
    try:
        async for handset in registration:
            talk = asyncio.create_task(_take(outsider, handset, clock, rng))
            talks.add(talk)
            talk.add_done_callback(talks.discard)
    finally:
        registration.unregister()
        for talk in talks:
            talk.cancel()


async def _take(outsider: Outsider, handset: Handset, clock: Clock, rng: random.Random) -> None:
    if rng.random() >= outsider.answer_share:
        return
    await clock.sleep(_about(outsider.answers_after_ms, rng))
    if handset.state != "ringing":
        return
    handset.answer()
    async for heard in handset.events():
        if heard.kind == "bridged":
            await clock.sleep(_about(outsider.talk_ms, rng))
            if handset.state != "ended":
                handset.hang_up()
            return


def _about(for_ms: int, rng: random.Random) -> int:
    return round(for_ms * rng.uniform(1 - SPREAD, 1 + SPREAD))
