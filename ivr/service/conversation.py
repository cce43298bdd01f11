"""The caller's side of a call: each thing the telephone tells us becomes a command and a document.

What must hold: the same news twice gives the same document and one effect; whoever waits and loses his line,
his agent or our answer comes back to the place he had; news about a call nobody knows lead to the beginning
or to a goodbye, never to silence. A call is answered in the words of the version it began with. No method
waits for the provider: it runs one script, two where what the first one says decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from config.numbers import number_key, parse
from config.runtime import Runtime
from ivr.domain.documents import ACCEPT_KEY, Documents, Offering
from ivr.domain.flow import begin, taken_up
from ivr.domain.heard import Heard
from ivr.domain.nodes import TransferNode, VoicemailNode
from ivr.domain.steps import Session
from ivr.domain.verbs import Document
from ivr.service.guide import Guide, access_code
from ivr.service.hotlines import Hotline, active_hotline, hotline_of
from queues.domain.calls import CALLBACK, GOODBYE, TRANSFER, VOICEMAIL, WAITING, CallState
from queues.domain.named import TRANSFER as TO_COLLEAGUE
from queues.domain.place_rules import NAMELESS
from queues.domain.widening import callback_after_ms, goto_step
from queues.service.closings import closings_of
from queues.service.facts import CallFacts
from queues.service.switchboard import Switchboard

WITHHELD: Final = "withheld"
_EXTENSION = re.compile(r"(?:sips?|client):.*|\d{1,5}", re.ASCII | re.IGNORECASE)


class Exit(StrEnum):
    """How a caller left the provider's queue."""

    HUNG_UP = "hung_up"
    LEFT = "left"  # our own wait document let him go
    TAKEN = "taken"  # he was pulled out; his next document is elsewhere
    REFUSED = "refused"  # the queue did not take him, or a document of it failed


@dataclass(frozen=True, slots=True)
class Conversation:
    runtime: Runtime
    switchboard: Switchboard
    guide: Guide

    @classmethod
    def of(cls, runtime: Runtime, switchboard: Switchboard) -> Conversation:
        return cls(runtime, switchboard, Guide(runtime, switchboard))

    async def incoming(self, *, call_id: str, from_: str, to: str, tries: int = 0) -> Document:
        """A new caller, or one we know who came back: he gets the document of his present state."""
        call = await self._arrive(call_id, from_, to)
        if call.state is CallState.MESSAGING and call.diverted_to == TRANSFER:
            # A first word that comes twice finds him talking there: whoever is here comes round again.
            if not tries:
                return (await self._hotline(call)).documents.come_back(1, call.locale)
            call = (await self.switchboard.return_call(call_id=call_id)).call or call  # his way out was lost
        if call.state is CallState.MENU:
            return await self.guide.enter(call)
        return await self.resume(call, call_id, tries)

    async def resume(self, call: CallFacts, leg_id: str, tries: int) -> Document:
        """Whoever comes to us anew on this leg, at the place he has."""
        if call.state is CallState.CONNECTED and tries > 0:  # something broke: is the agent still there?
            await self.switchboard.doubt_call(call_id=call.call_id)
            call = await self._off_hold(call)
        return await self._resume(call, leg_id, tries)

    async def _off_hold(self, call: CallFacts) -> CallFacts:
        """He comes into the room anew, where he hears and is heard: nobody shall think that he does not."""
        if not call.is_held:
            return call
        reply = await self.switchboard.hold_call(call_id=call.call_id, agent_id=call.agent_id, is_held=False)
        return reply.call or call

    async def hung_up(self, *, call_id: str, from_: str, to: str) -> None:
        """The caller's line is down. A call of which no word had come is recorded all the same."""
        reply = await self.switchboard.end_call(call_id=call_id, by="caller", leg_id=call_id)
        if reply.call is None:
            await self._arrive(call_id, from_, to)
            await self.switchboard.end_call(call_id=call_id, by="caller")

    async def answer(self, *, call_id: str, session: Session, heard: Heard) -> Document:
        """A key, digits, words or silence at a question of the menu."""
        return await self.guide.answer(call_id=call_id, session=session, heard=heard)

    async def ask_again(self, *, call_id: str, session: Session) -> Document:
        return await self.guide.ask_again(call_id=call_id, session=session)

    async def ask_callback(self, *, call_id: str, round_no: int, key: str) -> Document:
        """He wants to be called back; or he has pressed nothing, and waits on."""
        if key != ACCEPT_KEY:
            return await self.wait(call_id=call_id, leg_id=call_id, round_no=round_no, is_offered=True)
        reply = await self.switchboard.ask_callback(call_id=call_id)
        call = reply.call
        if call is not None and call.is_off_line:
            return (await self._hotline(call)).documents.promised(call.locale)
        # An agent has him, or is about to: nothing is better.
        return await self.wait(call_id=call_id, leg_id=call_id, round_no=round_no, is_offered=True)

    async def wait(self, *, call_id: str, leg_id: str, round_no: int, is_offered: bool = False) -> Document:
        """One round in the queue: a sign of life, and something to hear."""
        call = (await self.switchboard.wait_round(call_id=call_id, round_no=round_no)).call
        hotline = await self._hotline(call)
        documents = hotline.documents.on_leg_of(call_id, call.leg_id if call else "")
        if call is None or call.state in {CallState.MENU, CallState.MESSAGING}:
            return documents.leave_queue()
        if call.state is CallState.ENDED:
            return documents.goodbye(call.locale)
        if _is_on_another(call, leg_id):
            return documents.promised(call.locale)
        if call.state in {CallState.CONNECTING, CallState.CONNECTED}:
            return documents.connecting(call.locale, round_no)
        if self._is_led_out(call) or self._leads_to(call, hotline):
            return documents.leave_queue()
        return documents.wait(
            queue=call.queue,
            ticket_no=call.ticket_no,
            access_code="" if round_no else self._access_code(call_id),
            position=call.position,
            locale=call.locale,
            round_no=round_no,
            told=call.told,
            callback=self._offering(call, is_offered=is_offered),
        )

    def _offering(self, call: CallFacts, *, is_offered: bool) -> Offering:
        """By the table in force: waiting alone widens what is possible."""
        queue = active_hotline(self.runtime).plan.queues.get(call.queue)
        after_ms = callback_after_ms(queue.overflow) if queue else None
        has_number = call.caller_ref not in NAMELESS and not call.is_anonymous
        has_number = has_number and not call.talks and not call.callback
        waited_ms = self.runtime.clock.now_ms() - (call.queued_ms or 0)
        if after_ms is None or not has_number or waited_ms < after_ms:
            return Offering.NO
        return Offering.KNOWN if is_offered else Offering.NEW

    def _is_led_out(self, call: CallFacts) -> bool:
        """A supervisor has closed his queue for those who wait as well; but not for whom an agent is found, nor for
        whom we called."""
        closing = closings_of(self.runtime).get(call.queue)
        if closing is None or not closing.leads or call.state is CallState.OFFERED or call.leg_id:
            return False
        return not (call.talks and any(each.why == TO_COLLEAGUE for each in call.named))

    def _leads_to(self, call: CallFacts, hotline: Hotline) -> str:
        """The node to which whoever has waited so long is led, by the table in force; empty: he waits on.

        Counted from when he came to wait in this call, not from a place he had before; once in a call.
        """
        plan = active_hotline(self.runtime).plan
        step = goto_step(plan.queues[call.queue].overflow) if call.queue in plan.queues else None
        if step is None or step.goto not in hotline.menu.nodes or call.state is not CallState.QUEUED:
            return ""
        matter = plan.matters.get(call.matter)
        is_exempt = call.is_led or call.talks or call.callback or (matter and matter.is_safety)
        now_ms = self.runtime.clock.now_ms()
        waited_ms = now_ms - (call.entered_ms or now_ms)
        return "" if is_exempt or waited_ms < step.after_ms else step.goto

    async def left_queue(
        self, *, call_id: str, leg_id: str, exit_: Exit, locale: str, tries: int
    ) -> Document:
        documents = self._documents
        if exit_ is Exit.TAKEN:
            return documents.nothing()
        if exit_ is Exit.HUNG_UP:
            await self.switchboard.lose_line(call_id=call_id, leg_id=leg_id)
            return documents.nothing()
        if exit_ is Exit.REFUSED:
            if documents.is_last(tries + 1):  # he leaves us: nobody may be rung for him any more
                await self.switchboard.divert_call(call_id=call_id, to=GOODBYE)
            return documents.come_back(tries + 1, locale)
        call = (await self.switchboard.touch_call(call_id=call_id)).call
        if call is None or call.state is CallState.MENU:  # the live store has lost the step that queued him
            return documents.come_back(tries + 1, locale)
        hotline = await self._hotline(call)
        if not self._is_led_out(call) and (node := self._leads_to(call, hotline)):
            return await self._lead(call, hotline, node, tries)
        if call.state is CallState.OFFERED:  # an agent has been found for him meanwhile
            return await self._resume(call, leg_id, tries)
        reply = await self.switchboard.divert_call(call_id=call_id, to=VOICEMAIL)
        return await self._resume(reply.call or call, leg_id, tries)

    async def _lead(self, call: CallFacts, hotline: Hotline, node: str, tries: int) -> Document:
        """To this node of the menu, unless an agent has found him meanwhile."""
        reply = await self.switchboard.lead_call(call_id=call.call_id, node=node, queue=call.queue)
        if reply.call is None or reply.word != "ok":
            return await self._resume(reply.call or call, call.call_id, tries)
        session = Session(node, 0, call.locale, hotline.menu.version, reply.call.step)
        return await self.guide.go_on(reply.call, session)

    async def connect(self, *, leg_id: str, offer_id: str) -> Document:
        """The caller was pulled to the agent of this offer; if that one has gone, back to the queue."""
        call_id = offer_id.rpartition("-")[0]
        reply = await self.switchboard.connect_call(call_id=call_id, offer_id=offer_id)
        call = reply.call
        if call is None:
            return self._documents.come_back(1, self._documents.plan.default_locale)
        if call.state is CallState.CONNECTED and call.offer_id == offer_id:
            return self._documents.meet(call.room)
        return await self._resume(call, leg_id, 0, has_lost_agent=True)

    async def after(self, *, call_id: str, leg_id: str, room: str, has_hung_up: bool) -> Document:
        """He is out of this room: the talk is over, or never began, or he was put through."""
        call = (await self.switchboard.touch_call(call_id=call_id)).call
        if call is None:
            return self._documents.goodbye(self._documents.plan.default_locale)
        if has_hung_up or (call.state is CallState.CONNECTED and call.room == room):
            by, offer_id = ("caller", "") if has_hung_up else ("agent", call.offer_id)
            reply = await self.switchboard.end_call(call_id=call_id, by=by, offer_id=offer_id, leg_id=leg_id)
            call = reply.call or call
            if has_hung_up or call.state is CallState.ENDED:
                return (await self._hotline(call)).documents.goodbye(call.locale)
        if call.state in WAITING and call.talks and not call.room and not _is_on_another(call, leg_id):
            documents = (await self._hotline(call)).documents
            return documents.on_leg_of(call_id, call.leg_id).put_through(call.locale)
        return await self._resume(call, leg_id, 0, has_lost_agent=True)

    async def transferred(
        self, *, call_id: str, session: Session, was_answered: bool, has_hung_up: bool
    ) -> Document:
        """The number outside has talked to him, or nobody lifted it and he comes back to the menu."""
        hotline = await hotline_of(self.runtime, session.version)
        if was_answered and not has_hung_up:
            now = (await self.switchboard.touch_call(call_id=call_id)).call
            if now is not None and _has_gone_on(now, session):
                return await self._resume(now, call_id, 0)
        if was_answered or has_hung_up:
            await self.switchboard.end_call(call_id=call_id, by="caller" if has_hung_up else "system")
            return hotline.documents.goodbye(session.locale)
        reply = await self.switchboard.return_call(call_id=call_id)
        call = reply.call
        if call is None:
            return hotline.documents.come_back(1, session.locale)
        if call.state is CallState.ENDED:
            return hotline.documents.goodbye(session.locale)
        if reply.word.startswith("stale:") and call.step > session.step:
            return await self._resume(call, call_id, 0)
        node = hotline.menu.nodes.get(session.node)
        back = node.unanswered if isinstance(node, TransferNode) else hotline.menu.exhausted
        return await self.guide.go_on(call, replace(session, node=back))

    async def message(self, *, call_id: str, session: Session, is_left: bool) -> Document:
        """What was said is ours: thanks, or what the menu says behind the message, such as its number."""
        hotline = await hotline_of(self.runtime, session.version)
        if not is_left:
            return hotline.documents.goodbye(session.locale)
        call = (await self.switchboard.leave_message(call_id=call_id)).call
        return self._after_message(hotline, call, session)

    def _after_message(self, hotline: Hotline, call: CallFacts | None, session: Session) -> Document:
        node = hotline.menu.nodes.get(session.node)
        if call is None or not isinstance(node, VoicemailNode) or not node.goto:
            return hotline.documents.message_taken(session.locale)
        result = begin(hotline.menu, replace(session, node=node.goto), self.guide.facts(hotline, call))
        return hotline.documents.of_step(result, call.call_id)

    async def left_conference(self, *, room: str, leg_id: str, has_hung_up: bool | None) -> None:
        """Someone left this room: the end of the call, when it was the caller, his line is down and he talks there.

        Who does not tell about the line (None) is believed as long as nobody else can have ended the room.
        """
        call_id = room.rpartition("-")[0]
        if has_hung_up is False:
            return
        if leg_id == call_id:
            call = (await self.switchboard.touch_call(call_id=call_id)).call
        else:  # an agent, or a customer whom we called back
            call = await self.switchboard.read_call(call_id=call_id)
        if call is None or leg_id != (call.leg_id or call_id):
            return
        if call.state is not CallState.CONNECTED or call.room != room:
            return
        if has_hung_up is None and call.is_held:
            await self.switchboard.doubt_call(call_id=call_id)
        else:
            await self.switchboard.end_call(call_id=call_id, by="caller", leg_id=leg_id)

    async def _arrive(self, call_id: str, from_: str, to: str) -> CallFacts:
        settings = self.runtime.settings
        is_internal = _EXTENSION.fullmatch(from_) is not None
        number = "" if is_internal else parse(from_, settings.default_region) or ""
        key = number_key(settings.secret_key, number) if number else ""
        reply = await self.switchboard.arrive(
            call_id=call_id,
            line=self._line(to),
            caller_ref=key or WITHHELD,
            number=number,
            number_key=key,
            is_internal=is_internal,
        )
        assert reply.call is not None  # noqa: S101  an arrival always leaves a call
        return reply.call

    def _line(self, to: str) -> str:
        """The line that was dialled; the first of the site when the number is none of ours."""
        settings = self.runtime.settings
        dialled = parse(to, settings.default_region)
        lines = self._documents.plan.lines
        return next(
            (
                line
                for line, number in settings.hotline_numbers.items()
                if number == dialled and line in lines
            ),
            next(iter(lines)),
        )

    async def _resume(
        self, call: CallFacts, leg_id: str, tries: int, *, has_lost_agent: bool = False
    ) -> Document:
        """The document of a call's present state."""
        hotline = await self._hotline(call)
        documents = hotline.documents.on_leg_of(call.call_id, call.leg_id)
        if call.state is CallState.MENU:
            return documents.come_back(tries + 1, call.locale)
        if call.state is not CallState.ENDED and _is_on_another(call, leg_id):
            return documents.promised(call.locale)
        if call.state is CallState.CONNECTING and call.room:  # a colleague who was asked takes him
            return documents.to_agent(call.offer_id)
        if call.state in WAITING:
            return (
                documents.requeue(call.locale) if has_lost_agent else (documents.enqueue(call.locale, tries),)
            )
        if call.state is CallState.CONNECTED:
            return documents.meet(call.room)
        if call.state is CallState.MESSAGING and call.diverted_to not in {GOODBYE, CALLBACK, TRANSFER}:
            session = Session(call.node, 0, call.locale, hotline.menu.version, max(call.step, 0))
            if call.message_left:  # only the thanks were lost
                return self._after_message(hotline, call, session)
            return self._message_again(hotline, call, session)
        return documents.goodbye(call.locale)

    def _message_again(self, hotline: Hotline, call: CallFacts, session: Session) -> Document:
        """What he hears before he speaks, as the first time."""
        name = hotline.documents.voicemail_for(session.node, call.queue, call.matter)
        if not name:
            return hotline.documents.record(call.call_id, session)
        there = replace(session, node=name)
        result = taken_up(hotline.menu, there, self.guide.facts(hotline, call))
        return hotline.documents.of_step(result, call.call_id)

    async def _hotline(self, call: CallFacts | None) -> Hotline:
        """In the words the call began with."""
        return await hotline_of(self.runtime, call.site_version if call else "")

    @property
    def _documents(self) -> Documents:
        """In the words that are in force: where no call says another, or where every version says the same."""
        return active_hotline(self.runtime).documents

    def _access_code(self, call_id: str) -> str:
        return access_code(self.runtime.settings.secret_key, call_id)


def _is_on_another(call: CallFacts, leg_id: str) -> bool:
    """He is to be called back, or was: this leg is not, or no more, the one on which he is."""
    return call.is_off_line or (bool(call.leg_id) and call.leg_id != leg_id)


def _has_gone_on(call: CallFacts, session: Session) -> bool:
    """Whether the news of this transfer came so late that the caller is somewhere else by now."""
    if call.state is CallState.ENDED:
        return False
    is_there = call.state is CallState.MENU or (
        call.state is CallState.MESSAGING and call.diverted_to == TRANSFER
    )
    return not is_there or call.step > session.step
