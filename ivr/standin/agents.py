"""A simulated agent: an account at our desk, a phone on the exchange, and habits.

He works as people do: says ready, answers (or misses, or declines) what rings, talks, writes down what it
was about, takes a break now and then. He knows the desk only by HTTP and the caller only by phone. When the
desk is away he keeps trying; when he was set away for a missed call he says ready again.

What must hold: he always comes back; his heart beats every 15 real seconds whatever else he waits for; he
holds one call at a time and counts as trouble whatever rings beside it.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from config.clock import Clock
from config.log import get_log
from ivr.standin.deeds import Deeds
from ivr.standin.desks import Desk, DeskRefusedError
from ivr.standin.handsets import Handset, Registration
from ivr.standin.scenario import Agent, Habits

BEAT_S = 15
SIGN_IN_AGAIN_S = 5
DISPOSITION = "solved"
BREAK_REASON = "break"
RINGS = ("rang", "answered", "connected", "missed", "declined", "rang_while_busy")
DEEDS = ("held", "consulted", "handed_over", "transferred", "passed")
NOTES = ("已解答，客户满意。", "已登记，转派处理。", "客户咨询，已告知办理流程。", "已核对信息并说明。")


@dataclass
class AgentAccount:
    """What the agent remembers of his shift."""

    rang: int = 0
    answered: int = 0
    connected: int = 0
    missed: int = 0
    declined: int = 0
    rang_while_busy: int = 0
    held: int = 0
    consulted: int = 0
    handed_over: int = 0
    transferred: int = 0
    passed: int = 0
    trouble: str = ""


@dataclass
class SimulatedAgent:
    """One shift: `work` runs until it is cancelled."""

    agent: Agent
    register: Callable[[str], Registration]
    clock: Clock
    rng: random.Random
    desk_url: str
    account: AgentAccount = field(default_factory=AgentAccount)
    is_signed_in: asyncio.Event = field(default_factory=asyncio.Event)
    _next_break_ms: int | None = None
    _line: Handset | None = None
    _is_on_break: bool = False

    @property
    def habits(self) -> Habits:
        return self.agent.habits

    async def work(self) -> None:
        """Sign in and take calls; a phone without a desk takes calls all the same."""
        registration = self.register(self.agent.identity)  # before he says ready: his phone must ring
        try:
            if not self.desk_url:
                self.is_signed_in.set()
                await self._take_calls(registration, None)
                return
            async with Desk(self.desk_url, self.agent.name, self.agent.password) as desk:
                await self._begin(desk)
                beating = asyncio.create_task(self._beat(desk))
                try:
                    await self._take_calls(registration, desk)
                finally:
                    beating.cancel()
        finally:
            registration.unregister()

    async def _begin(self, desk: Desk) -> None:
        """Sign in and say ready; who is refused asks again later, for his account may still be made."""
        while True:
            try:
                await desk.sign_in()
                await desk.set_presence("ready")
            except DeskRefusedError as refusal:
                self.account.trouble = str(refusal)
                get_log(__name__).warning("agent.refused", agent_id=self.agent.identity, why=str(refusal))
                await asyncio.sleep(SIGN_IN_AGAIN_S)
            else:
                self.account.trouble = ""
                self._plan_break()
                self.is_signed_in.set()
                return

    async def _beat(self, desk: Desk) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                await desk.beat()
                await self._look(desk)
            except DeskRefusedError as refusal:
                self.account.trouble = str(refusal)

    async def _look(self, desk: Desk) -> None:
        """Who glances at the desk and finds himself away without having wished it says ready."""
        stage = (await desk.state()).get("stage")
        if stage in ("away", "signed_out") and not self._is_on_break and not self._is_on_line:
            await desk.set_presence("ready")

    @property
    def _is_on_line(self) -> bool:
        return self._line is not None and self._line.state != "ended"

    async def _take_calls(self, registration: Registration, desk: Desk | None) -> None:
        current: asyncio.Task[None] | None = None
        try:
            async for handset in registration:
                self.account.rang += 1
                if self._is_on_line:
                    self.account.rang_while_busy += 1
                    handset.decline()
                    continue
                if current is not None:
                    current.cancel()  # he was writing something down; a ringing phone goes first
                self._line = handset
                current = asyncio.create_task(self._take(handset, desk))
                current.add_done_callback(self._note_failure)
        finally:
            if current is not None:
                current.cancel()

    async def _take(self, handset: Handset, desk: Desk | None) -> None:
        """One ring to its end, and the work after it; failing desks end it without ending the agent."""
        try:
            if await self._answers(handset):
                if await self._talk(handset, desk):
                    await self._finish(desk)
            elif desk is not None:
                await self.clock.sleep(self._about(self.habits.returns_after_ms))
                await desk.set_presence("ready")
        except DeskRefusedError as refusal:
            self.account.trouble = str(refusal)

    async def _answers(self, handset: Handset) -> bool:
        """Whether the phone was picked up and there was still somebody there."""
        mood = self.rng.random()
        if mood < self.habits.miss_share:
            await handset.ended()
            self.account.missed += 1
            return False
        await self.clock.sleep(self._about(self.habits.answers_after_ms))
        if handset.state != "ringing":
            return False
        if mood < self.habits.miss_share + self.habits.decline_share:
            handset.decline()
            self.account.declined += 1
            return False
        handset.answer()
        self.account.answered += 1
        return True

    async def _talk(self, handset: Handset, desk: Desk | None) -> bool:
        """From the whisper to the end of the line; whether there was a talk in between."""
        ending: asyncio.Task[None] | None = None
        doing: asyncio.Task[None] | None = None
        try:
            async for heard in handset.events():
                if heard.kind == "gathering" and handset.to.startswith("+"):
                    handset.press("1")
                if heard.kind == "bridged" and ending is None:
                    self.account.connected += 1
                    ending = asyncio.create_task(self._hang_up_later(handset))
                    if desk is not None:
                        deeds = Deeds(self.habits, desk, self.clock, self.rng, self.account)
                        doing = asyncio.create_task(deeds.happen())
                        doing.add_done_callback(self._note_failure)
        finally:
            for task in filter(None, (ending, doing)):
                task.cancel()
            if handset.state != "ended":
                handset.hang_up()
        return ending is not None

    async def _hang_up_later(self, handset: Handset) -> None:
        if self.habits.talk_ms is not None:
            await self.clock.sleep(self._about(self.habits.talk_ms))
            if handset.state != "ended":
                handset.hang_up()

    async def _finish(self, desk: Desk | None) -> None:
        """Write it down, and rest when it is time to."""
        await self.clock.sleep(self._about(self.habits.wrap_up_ms))
        if desk is None:
            return
        state = await desk.state()
        disposition = self.rng.choice(desk.dispositions or (DISPOSITION,))
        await desk.wrap_up(_call_of(state), disposition, self.rng.choice(NOTES))
        if self._next_break_ms is not None and self.clock.now_ms() >= self._next_break_ms:
            await self._rest(desk)

    async def _rest(self, desk: Desk) -> None:
        self._is_on_break = True
        try:
            await desk.set_presence("away", BREAK_REASON)
            await self.clock.sleep(self._about(self.habits.break_for_ms))
        finally:
            self._is_on_break = False
        self._plan_break()
        await desk.set_presence("ready")

    def _note_failure(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()) is not None:
            self.account.trouble = repr(fault)
            get_log(__name__).error("agent.failed", agent_id=self.agent.identity, exc_info=fault)

    def _plan_break(self) -> None:
        if self.habits.break_every_ms is not None:
            self._next_break_ms = self.clock.now_ms() + self._about(self.habits.break_every_ms)

    def _about(self, for_ms: int) -> int:
        spread = self.habits.spread
        return round(for_ms * self.rng.uniform(1 - spread, 1 + spread))


def _call_of(state: Mapping[str, Any]) -> str:
    work = state.get("work")
    return str(work.get("call_id", "")) if isinstance(work, Mapping) else ""
