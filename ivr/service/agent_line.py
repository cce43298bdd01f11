"""The agent's side of a call: his telephone rings, he hears who is calling, he accepts, he leaves.

What must hold: news about an offer that is no longer the call's own, or of a leg that is not the offer's own,
change nothing for the call. The agent
hears the caller's tier and matter and how long he has waited, never a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from config.runtime import Runtime
from ivr.domain.documents import ACCEPT_KEY, Documents
from ivr.domain.verbs import Document, Say
from ivr.service.hotlines import active_hotline
from queues.domain.calls import CallState
from queues.domain.offers import OfferState
from queues.service.facts import OfferFacts
from queues.service.switchboard import Switchboard

_ON_THE_WAY = frozenset({CallState.CONNECTING, CallState.CONNECTED})


class LegNews(StrEnum):
    """What became of an agent's leg."""

    RINGING = "ringing"
    UNANSWERED = "unanswered"
    DECLINED = "declined"
    UNREACHED = "unreached"  # engaged, out of order, or never rung
    OVER = "over"  # it was answered and is down
    HUNG_UP = "hung_up"  # the same in a browser, where no mailbox answers


@dataclass(frozen=True, slots=True)
class AgentLine:
    runtime: Runtime
    switchboard: Switchboard

    @property
    def documents(self) -> Documents:
        """Agents hear the words that are in force; the caller's own version is the caller's."""
        return active_hotline(self.runtime).documents

    async def answered(self, *, offer_id: str, leg_id: str, must_press: bool) -> Document:
        """He lifted his phone: tell him who is calling."""
        reply = await self.switchboard.answer_offer(offer_id=offer_id, leg_id=leg_id)
        if reply.offer is None or reply.word not in {"ok", "again"}:
            return self.documents.caller_left(self._locale())
        return self.documents.announce(self._whisper(reply.offer), offer_id, must_press=must_press)

    async def join(self, *, offer_id: str, leg_id: str, must_press: bool, key: str) -> Document:
        """He accepted, by answering in the browser or by pressing the key on a telephone."""
        if must_press and key != ACCEPT_KEY:
            if key:  # a no; silence may be a mailbox, and is a miss when its time is up
                await self.switchboard.decline_offer(offer_id=offer_id, leg_id=leg_id)
            return self.documents.hang_up()
        reply = await self.switchboard.accept_offer(offer_id=offer_id, leg_id=leg_id)
        if reply.offer is None or reply.word not in {"ok", "again"}:
            return self.documents.caller_left(self._locale())
        if reply.offer.consults_in:
            return self.documents.agent_is_asked(reply.offer.consults_in, offer_id)
        return self.documents.agent_meets(offer_id)

    async def back(self, *, offer_id: str, leg_id: str, must_press: bool) -> Document:
        """The provider's own document sent him to us: he gets the document of his offer's present state."""
        offer = (await self.switchboard.answer_offer(offer_id=offer_id, leg_id=leg_id)).offer
        if offer is not None and offer.state is OfferState.ACCEPTED:
            return await self.join(offer_id=offer_id, leg_id=leg_id, must_press=False, key="")
        return await self.answered(offer_id=offer_id, leg_id=leg_id, must_press=must_press)

    async def left(self, *, offer_id: str, leg_id: str, room: str, has_hung_up: bool) -> Document:
        """The room is over for him: he hung up, or the caller did; or what he was asked about is his own call now."""
        if not room:
            await self._part(offer_id, leg_id, by="agent" if has_hung_up else "caller")
            return self.documents.hang_up()
        if not has_hung_up:
            call = await self.switchboard.read_call(call_id=offer_id.rpartition("-")[0])
            if call is not None and call.offer_id == offer_id and call.state in _ON_THE_WAY:
                return self.documents.agent_meets(offer_id)
        await self._leave_asker(offer_id, leg_id)
        return self.documents.hang_up()

    async def _leave_asker(self, offer_id: str, leg_id: str) -> None:
        """The line of a colleague who was asked is down: the call stays as it is, unless it was his by then."""
        call = (await self.switchboard.end_consult(offer_id=offer_id, leg_id=leg_id)).call
        if call is None or call.offer_id != offer_id:
            return
        if call.state is CallState.CONNECTING:
            await self.switchboard.requeue_call(call_id=call.call_id, offer_id=offer_id, leg_id=leg_id)
        elif call.state is CallState.CONNECTED:
            await self.switchboard.end_call(call_id=call.call_id, by="agent", offer_id=offer_id)

    async def news(self, *, offer_id: str, leg_id: str, news: LegNews) -> None:
        """A progress report of his leg; it may come late, twice or out of order."""
        match news:
            case LegNews.RINGING:
                await self.switchboard.ringing(offer_id=offer_id, leg_id=leg_id)
            case LegNews.UNANSWERED:
                await self.switchboard.expire_offer(offer_id=offer_id, leg_id=leg_id)
            case LegNews.DECLINED:
                await self.switchboard.decline_offer(offer_id=offer_id, leg_id=leg_id)
            case LegNews.UNREACHED:
                await self.switchboard.unring_offer(offer_id=offer_id, leg_id=leg_id)
            case LegNews.OVER | LegNews.HUNG_UP:
                await self._over(offer_id, leg_id, is_person=news is LegNews.HUNG_UP)

    async def _over(self, offer_id: str, leg_id: str, *, is_person: bool) -> None:
        """His leg is down. Unaccepted that is a no; or a mailbox's silence, a miss when its time is up."""
        reply = await self.switchboard.expire_offer(offer_id=offer_id, leg_id=leg_id)
        if reply.offer is None or not reply.word.startswith("stale:"):
            return
        if reply.offer.state is OfferState.ACCEPTED and reply.offer.consults_in:
            await self.switchboard.end_consult(offer_id=offer_id, leg_id=leg_id)
        elif reply.offer.state is OfferState.ACCEPTED:
            await self._part(offer_id, leg_id, by="agent")
        elif is_person:
            await self.switchboard.decline_offer(offer_id=offer_id, leg_id=leg_id)

    async def _part(self, offer_id: str, leg_id: str, *, by: str) -> None:
        """Before the caller came the call goes back to its place; after it, it is over, or he is held and goes on."""
        call_id = offer_id.rpartition("-")[0]
        reply = await self.switchboard.requeue_call(call_id=call_id, offer_id=offer_id, leg_id=leg_id)
        call = reply.call
        if reply.word == "gone":
            return
        if call is not None and call.state is CallState.CONNECTED and call.offer_id == offer_id:
            await self.switchboard.end_call(call_id=call_id, by=by, offer_id=offer_id)

    def _whisper(self, offer: OfferFacts) -> Say:
        return self.documents.whisper(
            tier=offer.tier,
            matter=offer.matter,
            waited_ms=offer.waited_ms,
            locale=self._locale(),
            is_callback=bool(offer.callback),
        )

    def _locale(self) -> str:
        return self.documents.plan.default_locale
