"""The leg on which we call a customer back: he lifts his phone, hears who calls, presses the key, talks.

What must hold: a mailbox, silence and a wrong key are no answer; news of a leg that rings for nobody any more, or of a
second leg, change nothing; he is told the truth when the agent has gone; and where no agent waits for him yet he hears
the documents of whoever waits, never nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from config.runtime import Runtime
from ivr.domain.documents import ACCEPT_KEY
from ivr.domain.verbs import Document
from ivr.service.conversation import Conversation
from ivr.service.hotlines import Hotline, active_hotline, hotline_of
from queues.domain.abandoned import entry_of
from queues.domain.calls import WAITING, CallState
from queues.service.facts import CallFacts
from queues.service.switchboard import Switchboard


class CustomerNews(StrEnum):
    """What became of the leg."""

    RINGING = "ringing"
    UNANSWERED = "unanswered"
    UNREACHED = "unreached"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class CustomerLine:
    runtime: Runtime
    switchboard: Switchboard
    conversation: Conversation

    async def answered(self, *, offer_id: str, leg_id: str, tries: int = 0) -> Document:
        """He, or his mailbox, has lifted: who calls, and the key to press."""
        reply = await self.switchboard.place_customer(offer_id=offer_id, leg_id=leg_id, is_up=True)
        hotline, call = await self._hotline(reply.call), reply.call
        if call is not None and _is_on(call, leg_id):
            return await self.conversation.resume(call, leg_id, tries)
        if call is None or reply.word == "gone":
            return _call_again(hotline, call)
        gave_up = bool(entry_of(call.call_id))
        return hotline.documents.call_back(offer_id, call.locale, gave_up=gave_up)

    async def pressed(self, *, offer_id: str, leg_id: str, key: str) -> Document:
        """The key is a person; anything else is nobody."""
        if key != ACCEPT_KEY:
            reply = await self.switchboard.miss_customer(offer_id=offer_id, leg_id=leg_id, why="no_key")
            return (await self._hotline(reply.call)).documents.hang_up()
        reply = await self.switchboard.reach_customer(offer_id=offer_id, leg_id=leg_id)
        hotline, call = await self._hotline(reply.call), reply.call
        if call is None or not _is_on(call, leg_id):
            return _call_again(hotline, call)
        if call.state in WAITING and not call.talks:
            return hotline.documents.on_leg_of(call.call_id, leg_id).reached(call.locale)
        return await self.conversation.resume(call, leg_id, 0)

    async def news(self, *, offer_id: str, leg_id: str, news: CustomerNews) -> None:
        """A report of the leg; it may come late, twice or out of order."""
        if news is CustomerNews.RINGING:
            await self.switchboard.place_customer(offer_id=offer_id, leg_id=leg_id)
            return
        why = "no_key" if news is CustomerNews.OVER else str(news)
        reply = await self.switchboard.miss_customer(offer_id=offer_id, leg_id=leg_id, why=why)
        if reply.call is not None and reply.word.startswith("stale:") and _is_on(reply.call, leg_id):
            await self.switchboard.end_call(call_id=reply.call.call_id, by="caller", leg_id=leg_id)

    async def _hotline(self, call: CallFacts | None) -> Hotline:
        """In the words the call began with."""
        return await hotline_of(self.runtime, call.site_version) if call else active_hotline(self.runtime)


def _is_on(call: CallFacts, leg_id: str) -> bool:
    """He waits, or talks, on this leg."""
    return call.leg_id == leg_id and call.state is not CallState.ENDED


def _call_again(hotline: Hotline, call: CallFacts | None) -> Document:
    locale = call.locale if call else hotline.plan.default_locale
    return hotline.documents.call_again(locale, gave_up=call is not None and bool(entry_of(call.call_id)))
