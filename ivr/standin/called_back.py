"""People whom the hotline promised to call back: their own phones, after they have hung up.

They know nothing of the hotline but what it says. The phone rings; by habit it is answered (then the key that is asked
for is pressed, and they talk), or it rings in vain, is engaged, or a mailbox takes the call and says nothing. What must
hold: who has asked can be rung until he was reached, or rings again himself.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from config.clock import Clock
from ivr.standin.callers import Caller
from ivr.standin.handsets import Handset, Registration
from ivr.standin.scenario import PlannedCall, Reached

ANSWERS_AFTER_MS = 5_000
MAILBOX_AFTER_MS = 12_000
MAILBOX_LISTENS_MS = 30_000
KEY = "1"


@dataclass
class CalledBack:
    """What became of the promise, as he lived it."""

    plan: PlannedCall
    clock: Clock
    rang: int = 0
    missed: int = 0
    was_reached: bool = False

    async def wait_for_it(self, register: Callable[[str], Registration]) -> None:
        """Until he has talked, or cancelled."""
        registration = register(self.plan.from_)
        try:
            async for handset in registration:
                self.rang += 1
                await self._take(handset)
                if self.was_reached:
                    return
        finally:
            registration.unregister()

    async def _take(self, handset: Handset) -> None:
        habit: Reached = "answers"
        if self.rang <= len(self.plan.when_called_back):
            habit = self.plan.when_called_back[self.rang - 1]
        if habit == "answers":
            await self._answer(handset)
        elif habit == "busy":
            handset.decline()
        elif habit == "mailbox":
            await self._let_mailbox(handset)
        else:
            await handset.ended()
        self.missed += not self.was_reached

    async def _answer(self, handset: Handset) -> None:
        await self.clock.sleep(ANSWERS_AFTER_MS)
        if handset.state != "ringing":
            return
        wishes = {"keys": (KEY,), "menu_ms": None, "patience_ms": None, "takes_callback": False}
        caller = Caller(self.plan.model_copy(update=wishes), handset, self.clock)
        handset.answer()
        self.was_reached = (await caller.live()).answered_ms is not None

    async def _let_mailbox(self, handset: Handset) -> None:
        await self.clock.sleep(MAILBOX_AFTER_MS)
        if handset.state == "ringing":
            handset.answer()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.clock.real_s(MAILBOX_LISTENS_MS)):
                    await handset.ended()
        if handset.state != "ended":
            handset.hang_up()
