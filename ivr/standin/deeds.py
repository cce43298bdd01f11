"""What an agent does to a call while he talks: holds it, asks a colleague, hands over, puts it through.

He does at most one of these in a talk, by habit and chance, with the buttons that his desk shows him; where the
desk shows none (a call that is not his yet, nobody to ask) he goes on talking. What must hold: whoever
was put on hold is taken back or handed over, unless he has gone.
"""

import random
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from config.clock import Clock
from ivr.standin.desks import Desk
from ivr.standin.scenario import Habits

LOOKS = 12
LOOK_EVERY_MS = 2_500
HAND_OVER_SHARE = 0.75
View = dict[str, Any]


class Account(Protocol):
    held: int
    consulted: int
    handed_over: int
    transferred: int
    passed: int


@dataclass
class Deeds:
    """Of one talk."""

    habits: Habits
    desk: Desk
    clock: Clock
    rng: random.Random
    account: Account

    async def happen(self) -> None:
        deed = self._chosen()
        if deed is None:
            return
        await self.clock.sleep(self._about(self.habits.acts_after_ms))
        view = await self.desk.state()
        if view.get("pass") and view.get("hold"):
            await deed(view, str(view["pass"]["call_id"]))

    def _chosen(self) -> Callable[[View, str], Coroutine[Any, Any, None]] | None:
        habits, mood = self.habits, self.rng.random()
        for share, deed in (
            (habits.hold_share, self._hold),
            (habits.consult_share, self._consult),
            (habits.transfer_share, self._transfer),
            (habits.pass_share, self._pass_on),
        ):
            if mood < share:
                return deed
            mood -= share
        return None

    async def _hold(self, _: View, call_id: str) -> None:
        if await self.desk.hold(call_id, is_held=True):
            self.account.held += 1
            await self.clock.sleep(self._about(self.habits.hold_ms))
            await self.desk.hold(call_id, is_held=False)

    async def _consult(self, view: View, call_id: str) -> None:
        """The caller is held meanwhile; who finds nobody goes back to him."""
        if not await self._is_anyone_asked(view, call_id):
            return
        self.account.consulted += 1
        for _ in range(LOOKS):
            await self.clock.sleep(LOOK_EVERY_MS)
            hold = (await self.desk.state()).get("hold") or {}
            if hold.get("may_hand_over"):
                await self.clock.sleep(self._about(self.habits.hold_ms))
                if self.rng.random() < HAND_OVER_SHARE and await self.desk.hand_over(call_id):
                    self.account.handed_over += 1
                    return
                break
        await self.desk.hold(call_id, is_held=False)

    async def _is_anyone_asked(self, view: View, call_id: str) -> bool:
        for to in _destinations(view, "agent:"):
            if await self.desk.consult(call_id, to):
                return True
        return False

    async def _transfer(self, view: View, call_id: str) -> None:
        queues = list(_destinations(view, "queue:"))
        if queues and await self.desk.transfer(call_id, self.rng.choice(queues)):
            self.account.transferred += 1

    async def _pass_on(self, view: View, call_id: str) -> None:
        colleagues = list(_destinations(view, "agent:"))
        if colleagues and await self.desk.transfer(call_id, self.rng.choice(colleagues)):
            self.account.passed += 1

    def _about(self, for_ms: int) -> int:
        spread = self.habits.spread
        return round(for_ms * self.rng.uniform(1 - spread, 1 + spread))


def _destinations(view: View, kind: str) -> Iterator[str]:
    for group in view["pass"]["groups"]:
        for option in group["options"]:
            if option["id"].startswith(kind):
                yield option["id"]
