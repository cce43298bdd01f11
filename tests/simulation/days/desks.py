"""Those who work in the house on a day: agents at their desks, and a supervisor whose hand is on the queues."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from queues.domain.agents import AgentState
from queues.domain.offers import OfferState
from queues.service.live_changes import LiveChanges
from queues.service.queue_board import QueueBoard
from queues.service.switchboard import DeskCall, Switchboard
from tests.simulation.days.timeline import Timeline

QUEUES = ("general", "outage", "complaint", "key")
LOOKS_EVERY_MS = 15_000
CLOSABLE = ("general", "complaint")


@dataclass
class Desk:
    """An agent at his desk: he beats, comes back when he was put away, takes a break, holds a caller, asks a colleague,
    puts somebody through."""

    board: Switchboard
    timeline: Timeline
    agent_id: str
    skills: tuple[str, ...]
    chance: Random
    colleagues: tuple[str, ...] = ()
    is_quiet: bool = False  # his browser hangs

    async def sits_down(self) -> None:
        await self.board.sign_in(
            agent_id=self.agent_id, name=self.agent_id, skills=self.skills, endpoint=f"client:{self.agent_id}"
        )
        await self.board.set_presence(agent_id=self.agent_id, presence="ready")

    async def lives(self) -> None:
        await self.sits_down()
        await self.timeline.sleep(self.chance.randrange(LOOKS_EVERY_MS))  # no two of them at one instant
        while True:
            await self.timeline.sleep(LOOKS_EVERY_MS)
            mood = self.chance.random()
            if self.is_quiet:
                self.is_quiet = mood < 0.7
                continue
            self.is_quiet = mood < 0.01
            await self.board.beat(agent_id=self.agent_id)
            state = await self.board.desk_state(agent_id=self.agent_id)
            if state is None:
                continue
            if state.state == "away" and mood > 0.3:
                await self.board.set_presence(agent_id=self.agent_id, presence="ready")
            elif 0.01 < mood < 0.03:
                await self.board.set_presence(agent_id=self.agent_id, presence="away", reason="break")
            elif state.state == "connected" and state.call:
                await self._talks(state.call, mood)
            elif state.state == "wrap_up" and mood > 0.5:
                await self.board.close_wrap_up(agent_id=self.agent_id, disposition="solved")

    async def _talks(self, call: DeskCall, mood: float) -> None:
        about = {"call_id": str(call.call_id), "agent_id": self.agent_id}
        colleague = self.chance.choice(self.colleagues)
        if call.asked_state == OfferState.ACCEPTED and mood > 0.4:
            await self.board.hand_over_call(**about)
        elif call.held_ms is not None and mood > 0.6:
            await self.board.hold_call(**about, is_held=False)
        elif mood > 0.9:
            await self.board.transfer_call(**about, queue=self.chance.choice(["general", "outage"]))
        elif mood > 0.84:
            await self.board.transfer_call(**about, colleague=colleague)
        elif mood > 0.6 and not call.asked_state:
            ready = [each for each in self.colleagues if await self._is_ready(each)]
            await self.board.consult_agent(**about, colleague=ready[0] if ready else colleague)
        elif mood > 0.5:
            await self.board.hold_call(**about, is_held=True)

    async def _is_ready(self, agent_id: str) -> bool:
        desk = await self.board.desk_state(agent_id=agent_id)
        return desk is not None and desk.state is AgentState.READY


@dataclass
class Supervisor:
    """Moves one caller, raises another, lends an agent, closes a queue for a while."""

    changes: LiveChanges
    timeline: Timeline
    chance: Random
    words: list[str] = field(default_factory=list)  # with which each of his changes was answered

    async def lives(self) -> None:
        while True:
            await self.timeline.sleep(round(self.chance.expovariate(1 / 30_000)))
            board = await self.changes.switchboard.queue_board()
            what = self.chance.random()
            if what < 0.3:
                await self._moves(board)
            elif what < 0.6:
                await self._raises(board)
            elif what < 0.8:
                await self._lends(board)
            else:
                await self._closes()

    async def _moves(self, board: QueueBoard) -> None:
        if board.waiting:
            one = self.chance.choice(sorted(board.waiting, key=lambda each: each.call_id))
            to = self.chance.choice(QUEUES)
            self.words.append(await self.changes.move_call(one.call_id, one.lane_id, to, "move"))

    async def _raises(self, board: QueueBoard) -> None:
        if board.waiting:
            one = self.chance.choice(sorted(board.waiting, key=lambda each: each.call_id))
            self.words.append(
                await self.changes.raise_call(one.call_id, one.lane_id, "key_customer", "raise")
            )

    async def _lends(self, board: QueueBoard) -> None:
        agent = self.chance.choice(board.agents)
        queue = self.chance.choice(QUEUES)
        if queue in agent.lent:
            word = await self.changes.take_back_agent(agent.agent_id, queue)
        else:
            word = await self.changes.lend_agent(agent.agent_id, queue, "lend")
        self.words.append(word)

    async def _closes(self) -> None:
        queue, leads = self.chance.choice(CLOSABLE), self.chance.random() < 0.5
        self.words.append(await self.changes.close_queue(queue, "close", leads=leads))
        await self.timeline.sleep(round(self.chance.expovariate(1 / 45_000)))
        await self.changes.open_queue(queue)

    async def goes_home(self) -> None:
        for queue in CLOSABLE:
            await self.changes.open_queue(queue)
