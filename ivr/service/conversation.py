"""The caller's side of a call: each thing the telephone tells us becomes a command and a document.

What must hold: the same news twice gives the same document and one effect; whoever waits and loses his line,
his agent or our answer comes back to the place he had; news about a call nobody knows lead to the beginning
or to a goodbye, never to silence. No method waits for the provider or for SQL: it runs one script, two where
what the first one says decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from config.clock import Clock
from config.numbers import number_key, parse
from config.settings import Settings
from ivr.domain.documents import Documents
from ivr.domain.flow import (
    CallerFacts,
    CallerNeeded,
    Facts,
    Leaving,
    Messaging,
    Queueing,
    Session,
    Step,
    begin,
    step,
)
from ivr.domain.verbs import Document
from queues.domain.calendars import is_open
from queues.domain.calls import CALLBACK, GOODBYE, VOICEMAIL, CallState
from queues.domain.lanes import Lane
from queues.service.facts import CallFacts
from queues.service.switchboard import Switchboard

WITHHELD = "withheld"
REFUSED = "refused"
_WAITING = frozenset({CallState.QUEUED, CallState.OFFERED, CallState.CONNECTING})


class Exit(StrEnum):
    """How a caller left the provider's queue."""

    HUNG_UP = "hung_up"
    LEFT = "left"  # our own wait document let him go
    TAKEN = "taken"  # he was pulled out; his next document is elsewhere
    REFUSED = "refused"  # the queue did not take him, or a document of it failed


@dataclass(frozen=True, slots=True)
class Conversation:
    switchboard: Switchboard
    documents: Documents
    settings: Settings
    clock: Clock

    async def incoming(self, *, call_id: str, from_: str, to: str, tries: int = 0) -> Document:
        """A new caller, or one we know who came back: he gets the document of his present state."""
        call = await self._arrive(call_id, from_, to)
        if call.state is CallState.MENU:
            return await self._enter_menu(call)
        if call.state is CallState.CONNECTED and tries > 0:  # something broke: is the agent still there?
            await self.switchboard.doubt_call(call_id=call_id)
        return self._resume(call, tries)

    async def hung_up(self, *, call_id: str, from_: str, to: str) -> None:
        """The caller's line is down. A call of which no word had come is recorded all the same."""
        reply = await self.switchboard.end_call(call_id=call_id, by="caller")
        if reply.call is None:
            await self._arrive(call_id, from_, to)
            await self.switchboard.end_call(call_id=call_id, by="caller")

    async def press(self, *, call_id: str, session: Session, key: str) -> Document:
        """A key, or silence, at a question of the menu."""
        facts = self._facts()
        try:
            result = step(self.documents.menu, session, key, facts)
        except CallerNeeded:
            return await self._press_as_known(call_id, session, key)
        reply = await self.switchboard.step_menu(
            call_id=call_id,
            node=result.session.node,
            step=result.session.step,
            locale=result.session.locale,
            record=REFUSED if result.refuses_recording else "",
        )
        return await self._follow(call_id, reply.call, result)

    async def ask_again(self, *, call_id: str, session: Session) -> Document:
        """A key was lost on its way to us: that is not silence, and does not count as a try."""
        call = (await self.switchboard.touch_call(call_id=call_id)).call
        if call is None or session.node not in self.documents.menu.nodes:
            return self.documents.come_back(1, session.locale)
        return await self._follow(call_id, call, begin(self.documents.menu, session, self._facts(call)))

    async def wait(self, *, call_id: str, locale: str, round_no: int) -> Document:
        """One round in the queue: a sign of life, and something to hear."""
        call = (await self.switchboard.touch_call(call_id=call_id)).call
        if call is None or call.state in {CallState.MENU, CallState.MESSAGING}:
            return self.documents.leave_queue()
        if call.state is CallState.ENDED:
            return self.documents.goodbye(locale)
        if call.state in {CallState.CONNECTING, CallState.CONNECTED}:
            return self.documents.connecting(locale, round_no)
        return self.documents.wait(
            queue=call.queue,
            ticket_no=call.ticket_no,
            position=call.position,
            locale=locale,
            round_no=round_no,
        )

    async def left_queue(self, *, call_id: str, exit_: Exit, locale: str, tries: int) -> Document:
        if exit_ is Exit.TAKEN:
            return self.documents.nothing()
        if exit_ is Exit.HUNG_UP:
            await self.switchboard.end_call(call_id=call_id, by="caller")
            return self.documents.nothing()
        if exit_ is Exit.REFUSED:
            if self.documents.is_last(tries + 1):  # he leaves us: nobody may be rung for him any more
                await self.switchboard.divert_call(call_id=call_id, to=GOODBYE)
            return self.documents.come_back(tries + 1, locale)
        call = (await self.switchboard.touch_call(call_id=call_id)).call
        if call is None or call.state is CallState.MENU:  # the live store has lost the step that queued him
            return self.documents.come_back(tries + 1, locale)
        reply = await self.switchboard.divert_call(call_id=call_id, to=VOICEMAIL)
        return self._resume(reply.call or call, tries)

    async def connect(self, *, call_id: str, offer_id: str) -> Document:
        """The caller was pulled to the agent of this offer; if that one has gone, back to the queue."""
        reply = await self.switchboard.connect_call(call_id=call_id, offer_id=offer_id)
        call = reply.call
        if call is None:
            return self.documents.come_back(1, self.documents.plan.default_locale)
        if call.state is CallState.CONNECTED and call.offer_id == offer_id:
            return self.documents.meet(call_id, offer_id)
        return self._resume(call, 0, has_lost_agent=True)

    async def after(self, *, call_id: str, has_hung_up: bool) -> Document:
        """The conversation is over, or it never began."""
        call = (await self.switchboard.touch_call(call_id=call_id)).call
        if call is None:
            return self.documents.goodbye(self.documents.plan.default_locale)
        if has_hung_up or call.state is CallState.CONNECTED:
            await self.switchboard.end_call(call_id=call_id, by="caller" if has_hung_up else "agent")
            return self.documents.goodbye(call.locale)
        return self._resume(call, 0, has_lost_agent=True)

    async def message(self, *, call_id: str, locale: str, is_left: bool) -> Document:
        if not is_left:
            return self.documents.goodbye(locale)
        await self.switchboard.leave_message(call_id=call_id)
        return self.documents.message_taken(locale)

    async def left_conference(self, *, call_id: str, leg_id: str) -> None:
        """Someone left the conference of this call: the end of it, when it was the caller on the line."""
        if leg_id != call_id:
            return
        call = (await self.switchboard.touch_call(call_id=call_id)).call
        if call is not None and call.state is CallState.CONNECTED:
            await self.switchboard.end_call(call_id=call_id, by="caller")

    async def _arrive(self, call_id: str, from_: str, to: str) -> CallFacts:
        number = parse(from_, self.settings.default_region) or ""
        key = number_key(self.settings.secret_key, number) if number else ""
        reply = await self.switchboard.arrive(
            call_id=call_id, line=self._line(to), caller_ref=key or WITHHELD, number=number, number_key=key
        )
        assert reply.call is not None  # noqa: S101  an arrival always leaves a call
        return reply.call

    def _line(self, to: str) -> str:
        """The line that was dialled; the first of the site when the number is none of ours."""
        dialled = parse(to, self.settings.default_region)
        lines = self.documents.plan.lines
        return next(
            (
                line
                for line, number in self.settings.hotline_numbers.items()
                if number == dialled and line in lines
            ),
            next(iter(lines)),
        )

    async def _enter_menu(self, call: CallFacts) -> Document:
        """The line's greeting; or the question at which the caller was when the line broke."""
        menu = self.documents.menu
        node = call.node if call.node in menu.nodes else menu.entries[call.line]
        session = self.documents.start(node, call.locale, max(call.step, 0))
        result = begin(menu, session, self._facts(call))
        if result.side is None:
            return result.verbs
        return await self._follow(call.call_id, call, result)

    async def _press_as_known(self, call_id: str, session: Session, key: str) -> Document:
        """A step that depends on who the caller is."""
        call = (await self.switchboard.touch_call(call_id=call_id)).call
        if call is None:
            return self.documents.come_back(1, session.locale)
        result = step(self.documents.menu, session, key, self._facts(call))
        if result.side is None:
            await self.switchboard.step_menu(
                call_id=call_id,
                node=result.session.node,
                step=result.session.step,
                locale=result.session.locale,
                record=REFUSED if result.refuses_recording else "",
            )
        return await self._follow(call_id, call, result)

    async def _follow(self, call_id: str, call: CallFacts | None, result: Step) -> Document:
        """Do what the step decided, and say it."""
        if call is None:
            return self.documents.come_back(1, result.session.locale)
        if call.state is CallState.ENDED:
            return self.documents.goodbye(result.session.locale)
        match result.side:
            case Queueing() as queueing:
                await self._enqueue(call, queueing, result.session.locale)
            case Messaging(queueing=queueing) | Leaving(queueing=queueing):
                await self._divert(call, queueing, result)
        return self.documents.of_step(result, call_id)

    async def _enqueue(self, call: CallFacts, queueing: Queueing, locale: str) -> None:
        plan = self.documents.plan
        matter = plan.matters[queueing.matter]
        ticket_type = plan.ticket_types.get(matter.ticket_type or "")
        tier = call.tier if call.tier in plan.tiers else plan.default_tier
        lane = Lane(
            queue=queueing.queue,
            tier=tier,
            needs=plan.needs(queueing.queue, locale),
            head_start_ms=plan.head_start_ms(tier, queueing.matter),
            is_safety=matter.is_safety,
        )
        await self.switchboard.enqueue_call(
            call_id=call.call_id,
            queue=queueing.queue,
            matter=queueing.matter,
            tier=tier,
            lane=lane,
            locale=locale,
            ticket_type=ticket_type.id if ticket_type else "",
            ticket_on=matter.ticket_on if ticket_type else "",
            work_queue=ticket_type.work_queue if ticket_type else "",
            is_open=queueing.is_open,
        )

    async def _divert(self, call: CallFacts, queueing: Queueing | None, result: Step) -> None:
        if queueing is not None:
            await self._enqueue(call, queueing, result.session.locale)
        else:
            to = VOICEMAIL if isinstance(result.side, Messaging) else GOODBYE
            await self.switchboard.divert_call(call_id=call.call_id, to=to)

    def _resume(self, call: CallFacts, tries: int, *, has_lost_agent: bool = False) -> Document:
        """The document of a call's present state."""
        documents = self.documents
        if call.state is CallState.MENU:
            return documents.come_back(tries + 1, call.locale)
        if call.state in _WAITING:
            return (
                documents.requeue(call.locale) if has_lost_agent else (documents.enqueue(call.locale, tries),)
            )
        if call.state is CallState.CONNECTED:
            return documents.meet(call.call_id, call.offer_id)
        if call.state is CallState.MESSAGING and call.diverted_to not in {GOODBYE, CALLBACK}:
            return documents.closed_message(call.call_id, call.queue, call.locale)
        return documents.goodbye(call.locale)

    def _facts(self, call: CallFacts | None = None) -> Facts:
        plan = self.documents.plan
        now_ms = self.clock.now_ms()
        open_queues = (name for name, queue in plan.queues.items() if is_open(plan, queue.calendar, now_ms))
        caller = CallerFacts(call.tier, call.is_known, call.customer_name) if call else None
        return Facts(frozenset(open_queues), caller)
