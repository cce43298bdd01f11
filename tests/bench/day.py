"""A day of 2,300 calls from event to event on the real scripts: how many times faster than the day itself.

One driver plays callers, agents, provider and dispatcher on a clock that jumps to the next event: arrivals on
the curve of a utility's hotline, keys, a place in a queue, the match, ringing, talk, wrap-up, or patience that
ends first. Every step is the service's own command and every match the product's own decision. There are no
heartbeats in it, no webhooks and no SQL. A quick run plays the evening hour that has as many calls as the average one.
"""

import heapq
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from time import perf_counter
from typing import Any

from ivr.standin.arrivals import DAY_MS, seeded_calls
from ivr.standin.scenario import HOUR_MS, Errand, PlannedCall, Profile
from queues.domain.calls import CallState
from queues.domain.effects import EffectKind
from queues.domain.journal import LineType
from queues.domain.routing import decide
from queues.service.switchboard import ClaimReply
from tests.bench import crowd
from tests.bench.house import House, furnished
from tests.bench.rounds import Bench, Findings, Pace, Round, at_least
from tests.doubles import ManualClock

CALLS_A_DAY = 2_300
AGENTS = 24
SEED = 20_261_123
KEY_MS, RINGS_FOR_MS, CONNECT_MS, WRAP_UP_MS = 4_000, 5_000, 1_000, 20_000
EVENING_MS = 21 * HOUR_MS  # its hour has as many calls as an hour of the day has on average
MINUTE_MS = 60_000

Step = Callable[[], Awaitable[None]]


@dataclass
class Day:
    house: House
    clock: ManualClock
    callers: dict[str, "Caller"] = field(default_factory=dict)
    coming: list[tuple[int, int, Step]] = field(default_factory=list)
    order: Any = field(default_factory=itertools.count)

    def after(self, for_ms: int, step: Step) -> None:
        heapq.heappush(self.coming, (self.clock.now_ms() + for_ms, next(self.order), step))

    async def play(self, calls: Sequence[PlannedCall]) -> None:
        """Until the last caller has gone and the last agent has wrapped up."""
        places = crowd.places(self.house.plan, len(self.house.plan.queues))
        for number, planned in enumerate(calls):
            caller = Caller(self, planned, f"CA{number:05d}", number, places[number % len(places)])
            self.callers[caller.call_id] = caller
            self.after(planned.at_ms, caller.arrive)
        while self.coming:
            at_ms, _, step = heapq.heappop(self.coming)
            self.clock.advance(at_ms - self.clock.now_ms())
            await step()

    async def match(self) -> None:
        """A tick of the dispatcher."""
        board = self.house.board
        snapshot = await board.snapshot()
        for turn, match in enumerate(decide(self.house.plan, snapshot, self.clock.now_ms()), snapshot.turn):
            claim = await board.claim_offer(
                call_id=match.call_id, agent_id=match.agent_id, turn=turn, why=match.why
            )
            await self.callers[match.call_id].is_offered(claim, match.agent_id)

    async def perform(self) -> None:
        """What is due at the provider: pulls and recordings."""
        board = self.house.board
        for effect in await board.claim_effects():
            if effect.kind is EffectKind.RECORD:
                data = {"recording_id": f"RE{effect.call_id}", "kind": "call"}
                await board.append_line(type=LineType.RECORDING_STARTED, call_id=effect.call_id, data=data)
            await board.finish_effect(effect_id=effect.effect_id)


@dataclass
class Caller:
    """One call, from its arrival to the end of its wrap-up."""

    day: Day
    planned: PlannedCall
    call_id: str
    number: int
    place: crowd.Place
    agent_id: str = ""
    offer_id: str = ""
    has_ended: bool = False
    is_answered: bool = False

    async def arrive(self) -> None:
        await crowd.arrive(self.day.house.runtime, self.day.house.board, self.call_id, self.number)
        await self._step("welcome", 0)
        self.day.after(KEY_MS, self.press)

    async def press(self) -> None:
        await self._step("main_menu", 1)
        self.day.after(KEY_MS, self.queue_up)

    async def queue_up(self) -> None:
        await crowd.enqueue(self.day.house.board, self.day.house.plan, self.call_id, self.place)
        self.day.after(self.planned.patience_ms or HOUR_MS, self.lose_patience)
        await self.day.match()

    async def is_offered(self, claim: ClaimReply, agent_id: str) -> None:
        assert claim.offer_id is not None
        assert claim.effect is not None
        self.agent_id, self.offer_id = agent_id, claim.offer_id
        board = self.day.house.board
        await board.ring_offer(offer_id=self.offer_id, leg_id=f"CAleg-{self.offer_id}")
        await board.ringing(offer_id=self.offer_id)
        self.day.after(RINGS_FOR_MS, self.is_accepted)

    async def is_accepted(self) -> None:
        if self.has_ended:
            return
        board, leg_id = self.day.house.board, f"CAleg-{self.offer_id}"
        await board.answer_offer(offer_id=self.offer_id, leg_id=leg_id)
        assert (await board.accept_offer(offer_id=self.offer_id, leg_id=leg_id)).is_ok
        self.is_answered = True
        await self.day.perform()
        self.day.after(CONNECT_MS, self.talk)

    async def talk(self) -> None:
        reply = await self.day.house.board.connect_call(call_id=self.call_id, offer_id=self.offer_id)
        assert reply.call is not None
        assert reply.call.state is CallState.CONNECTED
        await self.day.perform()
        self.day.after(self.planned.talk_ms, self.hang_up)

    async def hang_up(self) -> None:
        await self._end()
        self.day.after(WRAP_UP_MS, self.wrap_up)

    async def wrap_up(self) -> None:
        word = await self.day.house.board.close_wrap_up(agent_id=self.agent_id, disposition="solved")
        assert word == "ok", word
        await self.day.match()

    async def lose_patience(self) -> None:
        """Unless an agent came first; whose phone rings for him in vain is ready again."""
        if self.is_answered:
            return
        await self._end()
        await self.day.perform()
        if self.offer_id:
            await self.day.match()

    async def _step(self, node: str, step: int) -> None:
        await self.day.house.board.step_menu(call_id=self.call_id, node=node, step=step)

    async def _end(self) -> None:
        self.has_ended = True
        assert (await self.day.house.board.end_call(call_id=self.call_id, by="caller")).is_ok


async def run(pace: Pace) -> Findings:
    starts_ms, for_ms = pace.of(0, EVENING_MS, EVENING_MS), pace.of(DAY_MS, HOUR_MS, MINUTE_MS)
    errand = Errand(to="+8657195598000", talk_mean_ms=170_000, patience_mean_ms=240_000)
    profile = Profile(
        calls_per_day=CALLS_A_DAY, starts_at_ms_of_day=starts_ms, for_ms=for_ms, errands=(errand,)
    )
    calls = seeded_calls(profile, (), Random(SEED))
    rounds, answered = [], 0
    for _ in range(pace.of((pace.rounds + 1) // 2, pace.rounds)):  # a whole day takes its time
        took_s, answered = await play_once(calls)
        rounds.append(Round(for_ms / 1000 / took_s, 1.0))
    each_ms = for_ms / rounds[-1].ours / len(calls)
    return Findings(rounds, f"{len(calls)} calls, {answered} of them answered, at {each_ms:.2f} ms each")


async def play_once(calls: Sequence[PlannedCall]) -> tuple[float, int]:
    """The same day in a house of its own: its seconds, and how many calls were answered."""
    clock = ManualClock()
    async with furnished(clock=clock) as house:
        sets = crowd.skill_sets(house.plan)
        for number in range(AGENTS):
            await crowd.sit_down(house.board, f"agent{number:02d}", sets[number % len(sets)])
        day = Day(house, clock)
        began = perf_counter()
        await day.play(calls)
        took_s = perf_counter() - began
        assert all(caller.has_ended for caller in day.callers.values())
        return took_s, sum(caller.is_answered for caller in day.callers.values())


BENCH = Bench(
    name="day",
    what="a day of 2,300 calls on the real scripts ÷ the day itself",
    unit="x real time",
    limit=at_least(10_000),
    run=run,
)
