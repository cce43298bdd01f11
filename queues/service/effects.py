"""Due effects performed: rings, pulls, recordings and hang-ups, through the telephone company.

An effect may be performed twice, because its performer died after the act and before the acknowledgement, or
because an answer was lost. So each looks first when it is not the first attempt, and being too late is no
fault. None takes longer than PERFORM_S; whether the provider acted on what was cut short is not known. What
fails is tried again later, at most ATTEMPTS_MAX times in all; then it is given up, the journal says so, and
what it held goes back: the call to its place, the agent to ready. A pull is not counted: it is tried until
the provider refuses or the deadline of connecting, which is its judge, has passed.
"""

import asyncio
import math
from dataclasses import dataclass
from typing import Final

from config import traces
from config.log import get_log
from config.runtime import Runtime
from config.telephony import Direction, LegGone, ProviderError, RecordingStatus, TelephonyError
from queues.domain.calls import CallState
from queues.domain.effects import Effect, EffectKind
from queues.domain.journal import LineType
from queues.domain.plan import Plan
from queues.service.plans import plan_of
from queues.service.switchboard import Switchboard

log = get_log(__name__)

ATTEMPTS_MAX: Final = 5
PERFORM_S: Final = 45.0  # real; below EFFECT_LEASE_S, so that nobody else takes it meanwhile
RETRY_S: Final = 0.25  # doubled with every attempt, DOUBLINGS_MAX times; real
DOUBLINGS_MAX: Final = 4
NOT_YET_S: Final = 0.4
RING_MARGIN_S: Final = 5  # our own deadline comes before the provider's
CLOCKS_APART_S: Final = 2.0  # the provider's clock and ours, at most; real
LEGS_LOOKED_AT: Final = 20  # of one agent's phone, the newest
REFUSALS: Final = range(400, 500)
RUNNING: Final = frozenset({RecordingStatus.IN_PROGRESS, RecordingStatus.PAUSED})
REFUSED: Final = "refused"
HOLDS_MAX: Final = 4  # how often an agent may change his mind while the provider is asked
TRY_LATER: Final = frozenset({408, 409, 425, 429})


class NotYetError(Exception):
    """The caller is between two documents: not to be pulled this moment."""


@dataclass(frozen=True, slots=True)
class Performer:
    runtime: Runtime
    switchboard: Switchboard

    @property
    def plan(self) -> Plan:
        return plan_of(self.runtime)

    async def perform(self, effect: Effect) -> None:
        """One effect, to its end or to its next attempt. Never raises for what the world does."""
        ids = {"kind": str(effect.kind), "call_id": effect.call_id, "offer_id": effect.offer_id}
        if effect.attempt > ATTEMPTS_MAX and is_counted(effect):
            await self._give_up(effect, "its performers died", ids)
            return
        with traces.span(f"effect {effect.kind}", of=effect.call_id, attempt=effect.attempt, **ids) as span:
            span.tell(became=await self._perform(effect, ids))

    async def _perform(self, effect: Effect, ids: dict[str, str]) -> str:
        """What became of it, in a word."""
        try:
            async with asyncio.timeout(PERFORM_S):
                await self._act(effect)
        except NotYetError:
            await self._retry(effect, NOT_YET_S)
            return "not_yet"
        except (TelephonyError, TimeoutError) as fault:
            await self._stumble(effect, fault, ids)
            return type(fault).__name__
        except Exception as fault:
            log.exception("effect.broke", **ids, attempt=effect.attempt)
            await self._stumble(effect, fault, ids)
            return type(fault).__name__
        if effect.kind is not EffectKind.RING:  # of which `ring_offer` has said so
            await self.switchboard.finish_effect(effect_id=effect.effect_id)
        return "done"

    async def _act(self, effect: Effect) -> None:
        acts = {
            EffectKind.RING: self._ring,
            EffectKind.PULL: self._pull,
            EffectKind.DIAL: self._dial,
            EffectKind.RECORD: self._record,
            EffectKind.HOLD: self._hold,
            EffectKind.HANG_UP: self._hang_up,
        }
        await acts[effect.kind](effect)

    async def _ring(self, effect: Effect) -> None:
        links, from_ = self.runtime.links, self._line_number(effect)
        leg_id = await self._leg_placed(effect, from_) if effect.attempt > 1 else None
        if leg_id is None:
            leg_id = await self.runtime.telephony.place(
                to=effect.to,
                from_=from_,
                url=links.url("voice_agent", offer_id=effect.offer_id),
                status_url=links.url("voice_agent_status", offer_id=effect.offer_id),
                timeout_s=math.ceil(self.plan.ring_ms / 1000) + RING_MARGIN_S,
                fallback_url=self.runtime.settings.fallback_url,
            )
        await self.switchboard.ring_offer(offer_id=effect.offer_id, leg_id=leg_id)

    def _line_number(self, effect: Effect) -> str:
        """The number the caller dialled, else our first."""
        numbers = self.runtime.settings.hotline_numbers
        return numbers.get(effect.line) or next(iter(numbers.values()), "")

    async def _leg_placed(self, effect: Effect, from_: str) -> str | None:
        """The leg an earlier attempt placed for this very offer, if it did.

        The agent's phone may have others: an earlier offer's whose hang-up is under way, somebody's own.
        """
        leg_id, claimed_ms = await self.switchboard.leg_of_offer(offer_id=effect.offer_id)
        if leg_id or claimed_ms is None:
            return leg_id or None
        return await self._own_leg(effect.to, from_, claimed_ms)

    async def _own_leg(self, to: str, from_: str, claimed_ms: int) -> str | None:
        """One we placed to this phone since the claim, which no other offer has."""
        since_ms = claimed_ms - self.runtime.clock.product_ms(CLOCKS_APART_S)
        found = await self.runtime.telephony.legs(
            to=to, from_=from_ or None, created_since_ms=since_ms, limit=LEGS_LOOKED_AT
        )
        for leg in found:
            if leg.status.is_over or leg.direction is not Direction.OUTBOUND:
                continue
            if not await self.switchboard.offer_of_leg(leg_id=leg.leg_id):
                return leg.leg_id
        return None

    async def _dial(self, effect: Effect) -> None:
        """The customer of a callback, for the agent who waits for him in the conference."""
        number, leg_id = await self.switchboard.whom_to_call(offer_id=effect.offer_id)
        if leg_id or not number:
            return
        if effect.attempt > 1:
            leg_id = await self._customer_leg_placed(effect, number) or ""
        links = self.runtime.links
        leg_id = leg_id or await self.runtime.telephony.place(
            to=number,
            from_=self._line_number(effect),
            url=links.url("voice_customer", offer_id=effect.offer_id),
            status_url=links.url("voice_customer_status", offer_id=effect.offer_id),
            timeout_s=math.ceil(self.plan.customer_ring_ms / 1000),
            fallback_url=self.runtime.settings.fallback_url,
        )
        await self.switchboard.place_customer(offer_id=effect.offer_id, leg_id=leg_id)

    async def _customer_leg_placed(self, effect: Effect, number: str) -> str | None:
        """The leg that an earlier attempt placed for this very offer: two calls to one person are never right."""
        _, claimed_ms = await self.switchboard.leg_of_offer(offer_id=effect.offer_id)
        if claimed_ms is None:
            return None
        return await self._own_leg(number, self._line_number(effect), claimed_ms)

    async def _pull(self, effect: Effect) -> None:
        url = self.runtime.links.url("voice_connect", offer_id=effect.offer_id)
        try:
            leg_id = effect.leg_id or effect.call_id
            await self.runtime.telephony.pull(self.plan.provider_queue, leg_id, url)
        except LegGone:
            await self._miss_the_caller(effect)

    async def _miss_the_caller(self, effect: Effect) -> None:
        """Not in the provider's queue: pulled before, hung up, or between two documents."""
        call = await self.switchboard.read_call(call_id=effect.call_id)
        if call is None or call.state is not CallState.CONNECTING or call.offer_id != effect.offer_id:
            return
        leg_id = call.leg_id or effect.call_id
        leg = await self.runtime.telephony.leg(leg_id)
        if leg is None or leg.status.is_over:
            await self.switchboard.lose_line(call_id=effect.call_id, leg_id=leg_id)
            return
        raise NotYetError(NotYetError.__doc__)

    async def _record(self, effect: Effect) -> None:
        """Once for all talks of a call: it goes on while he is put through, and begins again only if it has ended.

        A recording that another attempt for the same talk began is that recording, whatever became of it.
        """
        call = await self.switchboard.read_call(call_id=effect.call_id)
        if call is not None and call.record == REFUSED:
            return
        leg_id = effect.leg_id or effect.call_id
        is_later = call is not None and call.talks > 1
        is_asked = is_later or effect.attempt > 1
        known = await self.runtime.telephony.recordings_of(leg_id) if is_asked else ()
        if is_later:
            known = tuple(each for each in known if each.status in RUNNING)
        if known:
            recording_id = known[0].recording_id
        else:
            url = self.runtime.links.url("recordings_callback", call_id=effect.call_id, kind="call")
            recording_id = await self.runtime.telephony.record(leg_id, url)
        data = {"recording_id": recording_id, "kind": "call"}
        await self.switchboard.append_line(type=LineType.RECORDING_STARTED, call_id=effect.call_id, data=data)

    async def _hold(self, effect: Effect) -> None:
        """The line is brought to what the call says by now, and looked at again: two of these do not cross."""
        asked: bool | None = None
        for _ in range(HOLDS_MAX):
            call = await self.switchboard.read_call(call_id=effect.call_id)
            if call is None or call.state is not CallState.CONNECTED or call.is_held is asked:
                return
            asked, url = call.is_held, self.runtime.links.url("voice_held")
            await self.runtime.telephony.hold(call.room, call.leg_id or effect.call_id, asked, url)

    async def _hang_up(self, effect: Effect) -> None:
        await self.runtime.telephony.hang_up(effect.leg_id)

    async def _stumble(self, effect: Effect, fault: Exception, ids: dict[str, str]) -> None:
        if is_refusal(fault) or (effect.attempt >= ATTEMPTS_MAX and is_counted(effect)):
            await self._give_up(effect, type(fault).__name__, ids)
            return
        log.warning("effect.put_off", **ids, attempt=effect.attempt, fault=type(fault).__name__)
        await self._retry(effect, RETRY_S * 2 ** min(effect.attempt - 1, DOUBLINGS_MAX))

    async def _retry(self, effect: Effect, after_s: float) -> None:
        due_ms = self.runtime.clock.now_ms() + self.runtime.clock.product_ms(after_s)
        await self.switchboard.retry_effect(effect_id=effect.effect_id, due_ms=due_ms)

    async def _give_up(self, effect: Effect, why: str, ids: dict[str, str]) -> None:
        log.error("effect.given_up", **ids, attempt=effect.attempt, why=why)
        await self.switchboard.fail_effect(effect_id=effect.effect_id)
        if effect.kind is EffectKind.RING:
            await self.switchboard.unring_offer(offer_id=effect.offer_id)
        elif effect.kind is EffectKind.DIAL:
            await self.switchboard.miss_customer(offer_id=effect.offer_id, why="unreached")
        elif effect.kind is EffectKind.HOLD:  # he hears the agent: nobody shall think that he does not
            await self.switchboard.hold_call(call_id=effect.call_id, agent_id=effect.agent_id, is_held=False)
        elif effect.kind is EffectKind.PULL:
            await self.switchboard.requeue_call(
                call_id=effect.call_id, offer_id=effect.offer_id, by="provider"
            )


def is_counted(effect: Effect) -> bool:
    """A pull has been asked often by the time it is refused: a caller who is not there yet costs attempts."""
    return effect.kind is not EffectKind.PULL


def is_refusal(fault: Exception) -> bool:
    """The provider understood and said no: asking again would not change its mind."""
    return isinstance(fault, ProviderError) and fault.status in REFUSALS and fault.status not in TRY_LATER
