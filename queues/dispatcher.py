"""The dispatcher: what is late is ended, waiting calls meet ready agents, due effects are performed.

One process leads by a lease in real time, the others stand by; if two should lead for a moment, claims and
commands are atomic and the second hears `stale` or `again`. The loop sleeps on the journal, so an agent who
gets ready is rung at once, and looks at least every POLL_S, because waiting alone widens what is possible.
One bad item is pushed away and logged; it does not stall the line.
"""

import asyncio
import contextlib
import os
import secrets
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from config.clock import Clock
from config.log import get_log
from config.redis import STORE_ERRORS, is_cancelled
from config.runtime import Runtime
from config.telephony import TelephonyError
from queues.domain.calls import CallState
from queues.domain.effects import Effect
from queues.domain.journal import LineType
from queues.domain.plan import Plan
from queues.domain.routing import FURTHER, Round, Snapshot, decide_round, reserve_changes
from queues.service.effects import Performer
from queues.service.plans import plan_of
from queues.service.switchboard import Switchboard

log = get_log(__name__)

LEASE: Final = "dispatcher"
LEASE_S: Final = 3.0
POLL_S: Final = 0.1
STANDBY_S: Final = 0.3
PAUSE_S: Final = 0.5
LAST_WORDS_S: Final = 3.0
EFFECTS_MAX: Final = 32
BUSY_S: Final = 1.0
PUT_OFF_MS: Final = 30_000
# What a deadline's command says when it has looked after that deadline itself.
SETTLED: Final = frozenset({"ok", "early", "held", "resting", "over"})

# How a call stands while its customer is rung.
RUNG: Final = frozenset({f"stale:{CallState.CONNECTING}", f"stale:{CallState.CALLING}"})

# A waiting call repeats its wait document; who talks says nothing. In product time, but never less than the
# network may need in real time.
WATCH_EVERY_S: Final = 5.0
SILENT_MS, SILENT_S = 120_000, 15.0
TALKING_MS, TALKING_S = 600_000, 60.0


@dataclass(slots=True)
class Told:
    """What one tick did, for its line in the log."""

    late: int = 0
    lost: int = 0
    offers: int = 0
    called: int = 0
    stale: int = 0
    effects: int = 0
    silent: int = 0
    is_overtaken: bool = False  # the world moved on, or the snapshot did not show all of it: look again

    @property
    def is_work(self) -> bool:
        return any(
            (self.late, self.lost, self.offers, self.called, self.effects, self.silent, self.is_overtaken)
        )


@dataclass
class Dispatcher:
    runtime: Runtime
    switchboard: Switchboard
    holder: str = field(default_factory=lambda: f"{os.getpid()}-{secrets.token_hex(4)}")

    def __post_init__(self) -> None:
        self._performer = Performer(self.runtime, self.switchboard)
        self._under_way: set[asyncio.Task[None]] = set()
        self._in_hand: set[str] = set()
        self._real = Clock.real()
        self._led_until_ms = 0
        self._watch_at_ms = 0
        self._has_raised = False
        self._is_queue_wanted = False
        self._next_ms: int | None = None

    @classmethod
    def of(cls, runtime: Runtime) -> "Dispatcher":
        return cls(runtime, Switchboard(runtime))

    @property
    def plan(self) -> Plan:
        return plan_of(self.runtime)

    # One tick

    async def tick(self) -> bool:
        """Everything that is to be done now; says whether there was anything."""
        began_ms, told = self._real.now_ms(), Told()
        snapshot = await self.switchboard.snapshot()
        if await self._end_what_is_late(snapshot, told):
            snapshot = await self.switchboard.snapshot()
        await self._match(snapshot, told)
        await self._start_what_is_due(snapshot, told)
        await self._watch(told)
        self._next_ms = earliest(snapshot.deadline_ms, snapshot.due_ms)
        self.runtime.tally.note("dispatcher_tick", began_ms)
        if told.is_work:
            self._tell(snapshot, told, self._real.now_ms() - began_ms)
        return told.is_work

    async def settle(self) -> None:
        """Until no effect is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def _end_what_is_late(self, snapshot: Snapshot, told: Told) -> bool:
        for name in snapshot.late:
            with self._shielded(deadline=name) as is_bad:
                await self._end(name)
            if is_bad:
                await self.switchboard.put_off_deadline(name=name, for_ms=PUT_OFF_MS)
            told.late += 1
        for agent_id in snapshot.lost:
            with self._shielded(agent_id=agent_id):
                told.lost += await self.switchboard.lose_agent(agent_id=agent_id) == "ok"
        return bool(told.late or told.lost)

    async def _end(self, name: str) -> None:
        kind, _, about = name.partition(":")
        ends = {
            "offer": self._end_offer,
            "connect": self._end_connecting,
            "wrap_up": self._end_wrap_up,
            "forget": self._forget,
            "place": self._drop_place,
            "callback": self._tend_callback,
        }
        word = await ends[kind](about)
        if word not in SETTLED:
            await self.switchboard.drop_deadline(name=name)

    async def _end_offer(self, offer_id: str) -> str:
        """Nobody answered, or accepted after answering; or the phone never rang."""
        reply = await self.switchboard.expire_offer(offer_id=offer_id, by="deadline")
        if reply.word == "stale:claimed":
            reply = await self.switchboard.unring_offer(offer_id=offer_id)
        return reply.word

    async def _end_connecting(self, offer_id: str) -> str:
        call_id = offer_id.rpartition("-")[0]
        reply = await self.switchboard.requeue_call(call_id=call_id, offer_id=offer_id, by="deadline")
        if reply.word in RUNG:  # it is the customer of a callback who did not come
            reply = await self.switchboard.miss_customer(offer_id=offer_id, why="deadline")
        return reply.word

    async def _tend_callback(self, call_id: str) -> str:
        return (await self.switchboard.tend_callback(call_id=call_id)).word

    async def _end_wrap_up(self, agent_id: str) -> str:
        return await self.switchboard.close_wrap_up(agent_id=agent_id, by="deadline")

    async def _forget(self, call_id: str) -> str:
        return await self.switchboard.forget_call(call_id=call_id)

    async def _drop_place(self, caller_ref: str) -> str:
        return await self.switchboard.drop_place(caller_ref=caller_ref)

    async def _match(self, snapshot: Snapshot, told: Told) -> None:
        """Claims in the order decided. Each moves the turn on by one; another's change ends this round."""
        changes = reserve_changes(self.plan, snapshot, self.runtime.clock.now_ms())
        for change in changes:
            await self.switchboard.set_reserve(**change._asdict())
        if changes:
            snapshot = await self.switchboard.snapshot()
        times, decided = 1, self._decide(snapshot)
        while decided.is_cut and not decided.matches:
            times *= FURTHER
            snapshot = await self.switchboard.snapshot(times=times)
            decided = self._decide(snapshot)
        told.is_overtaken = decided.is_cut
        for match in decided.matches:
            reply = await self.switchboard.claim_offer(
                call_id=match.call_id,
                agent_id=match.agent_id,
                turn=snapshot.turn + told.offers + told.called,
                why=match.why,
                is_turn=match.is_turn,
            )
            if reply.effect is not None:
                told.offers += 1
                self._start(reply.effect)
                continue
            if reply.word == "called":  # the agent of this match is free for somebody else
                told.called += 1
                continue
            told.stale += 1
            # A callback whose customer is engaged has counted as one who is rung: it is decided anew without it.
            if reply.word in ("stale:turn", f"stale:{CallState.RESTING}"):
                told.is_overtaken = True
                return

    def _decide(self, snapshot: Snapshot) -> Round:
        return decide_round(self.plan, snapshot, self.runtime.clock.now_ms())

    async def _start_what_is_due(self, snapshot: Snapshot, told: Told) -> None:
        free = EFFECTS_MAX - len(self._under_way)
        if free <= 0 or snapshot.due_ms is None or snapshot.due_ms > self.runtime.clock.now_ms():
            return
        for effect in await self.switchboard.claim_effects(effects_max=free):
            told.effects += 1
            self._start(effect)

    def _start(self, effect: Effect) -> None:
        self._begin(self._perform(effect))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._retrieve)

    def _retrieve(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._has_raised = False  # what was not acknowledged is recalled
            log.warning("dispatcher.store_away", fault=type(fault).__name__)

    async def _perform(self, effect: Effect) -> None:
        if effect.effect_id in self._in_hand:
            await self._put_back(effect)
            return
        self._in_hand.add(effect.effect_id)
        try:
            with self._shielded(effect_id=effect.effect_id):
                await self._performer.perform(effect)
        finally:
            self._in_hand.discard(effect.effect_id)

    async def _put_back(self, effect: Effect) -> None:
        """Its lease ran out while it is still in hand: not a second time beside the first, but not lost."""
        due_ms = self.runtime.clock.now_ms() + self.runtime.clock.product_ms(BUSY_S)
        await self.switchboard.retry_effect(effect_id=effect.effect_id, due_ms=due_ms)

    async def _watch(self, told: Told) -> None:
        """A hang-up whose callback was lost: the provider is asked about calls that fell silent."""
        now_ms = self._real.now_ms()
        if now_ms < self._watch_at_ms:
            return
        self._watch_at_ms = now_ms + self._real.product_ms(WATCH_EVERY_S)
        if self._is_queue_wanted:
            self._begin(self._open_queue())
        product_ms = self.runtime.clock.product_ms
        silent = await self.switchboard.silent_calls(
            silent_ms=max(SILENT_MS, product_ms(SILENT_S)), talking_ms=max(TALKING_MS, product_ms(TALKING_S))
        )
        for call_id in silent[: max(0, EFFECTS_MAX - len(self._under_way))]:
            told.silent += 1
            self._begin(self._look_after(call_id))

    async def _open_queue(self) -> None:
        """Before callers make the provider's queue by entering it, with whatever size it gives by default."""
        self._is_queue_wanted, is_open = False, False
        try:
            with self._shielded(queue=self.plan.provider_queue):
                await self.runtime.telephony.open_queue(self.plan.provider_queue)
                is_open = True
        finally:
            self._is_queue_wanted = self._is_queue_wanted or not is_open

    async def _look_after(self, call_id: str) -> None:
        with self._shielded(call_id=call_id):
            call = await self.switchboard.read_call(call_id=call_id)
            leg_id = (call and call.leg_id) or call_id
            leg = await self.runtime.telephony.leg(leg_id)
            is_over = leg is None or leg.status.is_over
            if is_over and call is not None and call.callback and call.state is not CallState.CONNECTED:
                await self.switchboard.lose_line(call_id=call_id, leg_id=leg_id)
            elif is_over:
                await self._reconcile(call_id, why="silent", by="system")
            elif offer_id := await self._offer_without_agent(call_id):
                await self._reconcile(call_id, why="agent_gone", by="agent", offer_id=offer_id)
            else:
                await self.switchboard.touch_call(call_id=call_id)

    async def _offer_without_agent(self, call_id: str) -> str:
        """They talk, as far as we were told; but the leg of this offer's agent is over and nobody said so."""
        call = await self.switchboard.read_call(call_id=call_id)
        if call is None or call.state is not CallState.CONNECTED:
            return ""
        leg_id, _ = await self.switchboard.leg_of_offer(offer_id=call.offer_id)
        if not leg_id:
            return ""
        leg = await self.runtime.telephony.leg(leg_id)
        return call.offer_id if leg is None or leg.status.is_over else ""

    async def _reconcile(self, call_id: str, *, why: str, by: str, offer_id: str = "") -> None:
        """`offer_id` is the one that was looked at: whoever has gone on meanwhile stays where he is."""
        line = LineType.CALL_RECONCILED
        await self.switchboard.append_line(type=line, call_id=call_id, data={"why": why})
        await self.switchboard.end_call(call_id=call_id, by=by, offer_id=offer_id)

    @contextlib.contextmanager
    def _shielded(self, **ids: str) -> Iterator[list[str]]:
        """What goes wrong with one item is logged; a store that is away is everybody's trouble."""
        bad: list[str] = []
        try:
            yield bad
        except STORE_ERRORS:
            raise
        except TelephonyError as fault:
            log.warning("dispatcher.no_answer", **ids, fault=type(fault).__name__)
        except Exception as fault:
            bad.append(type(fault).__name__)
            log.exception("dispatcher.item_refused", **ids)

    def _tell(self, snapshot: Snapshot, told: Told, took_ms: int) -> None:
        log.info(
            "dispatcher.ticked",
            turn=snapshot.turn,
            lanes=len(snapshot.lanes),
            late=told.late,
            lost=told.lost,
            offers=told.offers,
            called=told.called,
            stale=told.stale,
            effects=told.effects,
            silent=told.silent,
            under_way=len(self._under_way),
            took_ms=took_ms,
        )

    # The loop

    async def run(self) -> None:
        """Until cancelled."""
        seen: str | None = None
        try:
            while not is_cancelled():
                try:
                    if not await self.lead():
                        await asyncio.sleep(STANDBY_S)
                    elif not await self.tick():
                        seen = await self._wait(seen)
                except STORE_ERRORS as fault:
                    log.warning("dispatcher.store_away", fault=type(fault).__name__)
                    await self._pause()
                except Exception:
                    log.exception("dispatcher.stumbled")
                    await self._pause()
        finally:
            await asyncio.shield(self._step_down())

    async def lead(self) -> bool:
        """Hold or renew the lease. Who wins it raises what a lost second of the store took back,

        and takes over the effects of the one before; not those it is performing itself.
        """
        now_ms = self._real.now_ms()
        lease_ms = self._real.product_ms(LEASE_S)
        if self._has_raised and now_ms < self._led_until_ms - 2 * lease_ms // 3:
            return True
        word = await self.switchboard.hold_lease(name=LEASE, holder=self.holder, lease_s=LEASE_S)
        if word == "taken":
            self._led_until_ms, self._has_raised = 0, False
            return False
        if word == "new" or not self._has_raised:
            await raise_counters(self.runtime, self.switchboard)
            await self.switchboard.recall_effects(in_hand=self._in_hand)
            self._has_raised = True
            self._is_queue_wanted = self._is_queue_wanted or word == "new"
            log.info("dispatcher.leads", holder=self.holder)
        self._led_until_ms = now_ms + lease_ms
        return True

    @property
    def is_leading(self) -> bool:
        return self._real.now_ms() < self._led_until_ms

    async def _wait(self, seen: str | None) -> str:
        """Until there is a new line, the next deadline, or POLL_S."""
        wait_s = POLL_S
        if self._next_ms is not None:
            left_ms = self._next_ms - self.runtime.clock.now_ms()
            wait_s = min(wait_s, max(0.001, self.runtime.clock.real_s(left_ms)))
        if seen is None:
            return await self.switchboard.newest_line()
        return await self.switchboard.wait_for_line(after_id=seen, wait_s=wait_s)

    async def _pause(self) -> None:
        self._led_until_ms = 0
        await asyncio.sleep(PAUSE_S)

    async def _step_down(self) -> None:
        """Finish what is under way, then let the next one lead."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                await self.settle()
        with contextlib.suppress(*STORE_ERRORS):
            await self.switchboard.release_lease(name=LEASE, holder=self.holder)


def earliest(*instants_ms: int | None) -> int | None:
    return min((each for each in instants_ms if each is not None), default=None)


async def raise_counters(runtime: Runtime, switchboard: Switchboard | None = None) -> None:
    """The live store's ids and numbers rise above what SQL has seen: it may have lost its last second."""
    await (switchboard or Switchboard(runtime)).raise_counters()


async def run(runtime: Runtime) -> None:
    """The loop of the `dispatcher` process, until it is cancelled."""
    await Dispatcher.of(runtime).run()
