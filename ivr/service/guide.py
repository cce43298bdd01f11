"""A caller led through the menu: each step's errands are run, and where it led is written down.

The menu's flow is pure; what it must know or have done it asks for, and here the switchboard does it. A
webhook costs two scripts at most: two errands, or one and the record of the step, or one and its effect. The
process may die between any two of them: the caller then comes back to the last step that was written down,
and everything that was done for the lost one may be done again.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from config.numbers import account_key, code_key
from config.runtime import Runtime
from ivr.domain.flow import again, begin, door, is_question, step
from ivr.domain.heard import SILENCE, Heard
from ivr.domain.steps import (
    ERRANDS_MAX,
    Account,
    CallerFacts,
    CaseFacts,
    CaseState,
    Facts,
    Given,
    Joining,
    Leaving,
    Messaging,
    Need,
    Needed,
    Queueing,
    RunningNotice,
    Session,
    Step,
    Transferring,
)
from ivr.domain.verbs import Document, Play, Say
from ivr.service.hotlines import Hotline, hotline_of
from queues.domain.calls import GOODBYE, TRANSFER, VOICEMAIL, WAITING, CallState
from queues.domain.lanes import Lane
from queues.domain.named import named_for
from queues.domain.plan import Plan
from queues.service.closings import closings_of
from queues.service.facts import CallFacts, CallReply
from queues.service.switchboard import Switchboard

REFUSED: Final = "refused"
CODE_DIGITS: Final = 6
FULLS_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class _Run:
    """A step that was taken, what is known by now, and how many scripts it has cost."""

    result: Step
    call: CallFacts | None
    scripts: int
    fulls: int = 0  # how many full queues he has come to in this step


@dataclass(frozen=True, slots=True)
class Guide:
    runtime: Runtime
    switchboard: Switchboard

    async def enter(self, call: CallFacts) -> Document:
        """The line's greeting; or the question at which the caller was when the line broke."""
        hotline = await hotline_of(self.runtime, call.site_version)
        facts = self.facts(hotline, call)
        node = call.node if call.node in hotline.menu.nodes else door(hotline.menu, call.line, facts)
        session = hotline.documents.start(node, call.locale, max(call.step, 0))
        result = begin(hotline.menu, session, facts)
        if result.side is None:  # where he is need not be written down: he comes here again
            return result.verbs
        return await self._follow(hotline, _Run(result, call, 1), call.call_id)

    async def answer(self, *, call_id: str, session: Session, heard: Heard) -> Document:
        """A key, digits, words or silence at a question of the menu; or a node that he comes to."""
        hotline = await hotline_of(self.runtime, session.version)
        return await self._go(
            hotline, call_id, session, lambda facts: step(hotline.menu, session, heard, facts)
        )

    async def ask_again(self, *, call_id: str, session: Session) -> Document:
        """What he answered was lost on its way to us: that is not silence, and does not count as a try."""
        hotline = await hotline_of(self.runtime, session.version)
        if session.is_entering or not is_question(hotline.menu.nodes.get(session.node)):
            return await self.answer(call_id=call_id, session=session, heard=SILENCE)
        call = (await self.switchboard.touch_call(call_id=call_id)).call
        if call is None:
            return hotline.documents.come_back(1, session.locale)
        if call.state is CallState.ENDED:
            return hotline.documents.goodbye(session.locale)
        result = again(hotline.menu, session, self.facts(hotline, call, errands=1))
        return await self._follow(hotline, _Run(result, call, 1), call_id)

    async def go_on(self, call: CallFacts, session: Session) -> Document:
        """To this node, after a command that has told how the call stands."""
        hotline = await hotline_of(self.runtime, session.version)
        moved = replace(session, step=session.step + 1)
        result = begin(hotline.menu, moved, self.facts(hotline, call, errands=1))
        return await self._follow(hotline, _Run(result, call, 1), call.call_id)

    async def _go(
        self, hotline: Hotline, call_id: str, session: Session, take: Callable[[Facts], Step]
    ) -> Document:
        facts, call = self.facts(hotline), None
        while True:
            try:
                return await self._follow(hotline, _Run(take(facts), call, facts.errands), call_id)
            except Needed as needed:
                facts, told = await self._fetch(hotline, call_id, session, needed.need, facts)
                if told is not None and told.call is None:
                    return hotline.documents.come_back(1, session.locale)
                call = told.call if told else call

    async def _fetch(
        self, hotline: Hotline, call_id: str, session: Session, need: Need, facts: Facts
    ) -> tuple[Facts, CallReply | None]:
        """What the step needs, done and told; without a reply when it is not about the call itself."""
        if facts.errands >= ERRANDS_MAX:
            raise RuntimeError(f"a step asked for {type(need).__name__} after two errands")
        done = replace(facts, errands=facts.errands + 1)
        if isinstance(need, CaseState):
            case = await self.switchboard.check_case(call_id=call_id, step=session.step + 1)
            if case.word == "gone":
                return done, CallReply(word="gone", call=None)
            return replace(done, case=CaseFacts(*case)), None
        reply = await self._run_errand(hotline, call_id, need)
        if reply.call is None:
            return done, reply
        answer = facts.answer if facts.answer is not None else _answer(need, reply)
        return replace(done, caller=self._caller(reply.call), answer=answer), reply

    async def _run_errand(self, hotline: Hotline, call_id: str, need: Need) -> CallReply:
        match need:
            case Account(digits=digits):
                key = account_key(self.runtime.settings.secret_key, hotline.plan.site, digits)
                return await self.switchboard.identify_call(call_id=call_id, account_key=key)
            case Given(name=name, digits=digits):
                return await self.switchboard.keep_given(call_id=call_id, name=name, value=digits)
            case Joining(ticket_no=ticket_no):
                return await self.switchboard.join_ticket(call_id=call_id, ticket_no=ticket_no)
            case _:
                return await self.switchboard.touch_call(call_id=call_id)

    async def _follow(self, hotline: Hotline, run: _Run, call_id: str) -> Document:
        """Do what the step decided, and say it."""
        result, call, documents = run.result, run.call, hotline.documents
        if isinstance(result.side, Messaging) and result.side.is_anonymous:
            call = (await self.switchboard.anonymise_call(call_id=call_id)).call
        elif isinstance(result.side, Transferring):
            call = (await self._divert(call_id, TRANSFER, result)).call
        elif run.call is None or (result.side is None and run.scripts < ERRANDS_MAX):
            call = (await self._write_down(call_id, result)).call
        if call is None:
            return documents.come_back(1, result.session.locale)
        if call.state is CallState.ENDED:
            return documents.goodbye(result.session.locale)
        if _is_elsewhere(call, result):
            return documents.come_back(1, call.locale)
        if full := await self._affect(hotline, call, result):
            return await self._turn_away(hotline, call, result, full, run.fulls)
        return documents.of_step(result, call_id)

    async def _turn_away(
        self, hotline: Hotline, call: CallFacts, result: Step, queue: str, fulls: int
    ) -> Document:
        """To the node for whoever finds this queue full; the words before it are said all the same.

        `shouwen check` sees to it that the node leads on; that he goes round nevertheless ends in a goodbye.
        """
        node = hotline.menu.full.get(queue, "")
        if not node or fulls >= FULLS_MAX:
            await self._divert(call.call_id, GOODBYE, result)
            return hotline.documents.goodbye(result.session.locale)
        session = replace(result.session, node=node, tries=0, step=result.session.step + 1, is_entering=False)
        onwards = begin(hotline.menu, session, self.facts(hotline, call, errands=1))
        before = tuple(verb for verb in result.verbs if isinstance(verb, Say | Play))
        run = _Run(replace(onwards, verbs=(*before, *onwards.verbs)), call, 1, fulls + 1)
        return await self._follow(hotline, run, call.call_id)

    async def _write_down(self, call_id: str, result: Step) -> CallReply:
        return await self.switchboard.step_menu(
            call_id=call_id,
            node=result.session.node,
            step=result.session.step,
            locale=result.session.locale,
            record=REFUSED if result.refuses_recording else "",
        )

    async def _affect(self, hotline: Hotline, call: CallFacts, result: Step) -> str:
        """The queue that does not take him, because it is full."""
        match result.side:
            case Queueing() as queueing:
                reply = await self._enqueue(hotline, call, queueing, result.session.locale)
                return queueing.queue if reply.word == "full" else ""
            case Messaging(queueing=Queueing() as queueing) | Leaving(queueing=Queueing() as queueing):
                await self._enqueue(hotline, call, queueing, result.session.locale)
            case Messaging():
                await self._divert(call.call_id, VOICEMAIL, result)
            case Leaving():
                await self._divert(call.call_id, GOODBYE, result)
            case _:
                pass
        return ""

    async def _divert(self, call_id: str, to: str, result: Step) -> CallReply:
        return await self.switchboard.divert_call(call_id=call_id, to=to, step=result.session.step)

    async def _enqueue(self, hotline: Hotline, call: CallFacts, queueing: Queueing, locale: str) -> CallReply:
        plan = hotline.plan
        matter = plan.matters[queueing.matter]
        kind = plan.ticket_types.get(matter.ticket_type or "")
        tier = call.tier if call.tier in plan.tiers else plan.default_tier
        lane = plan.lane(queueing.queue, tier, queueing.matter, locale)
        lane = await self._raised(plan, call, lane, queueing.matter)
        secret = self.runtime.settings.secret_key
        has_code = kind is not None and kind.access_code
        return await self.switchboard.enqueue_call(
            call_id=call.call_id,
            queue=queueing.queue,
            matter=queueing.matter,
            tier=tier,
            lane=lane,
            locale=locale,
            ticket_type=kind.id if kind else "",
            ticket_on=matter.ticket_on if kind else "",
            work_queue=plan.work_queue_of(kind.id, call.area) if kind else "",
            is_open=queueing.is_open,
            access_key=code_key(secret, access_code(secret, call.call_id)) if has_code else "",
            waiting_max=plan.queues[queueing.queue].max_waiting or 0,
            own_ticket=has_code or matter.is_safety or (kind is not None and kind.own),
            named=named_for(
                plan,
                queue=queueing.queue,
                tier=tier,
                is_safety=matter.is_safety,
                known=call.known,
                never=call.never,
                now_ms=self.runtime.clock.now_ms(),
            ),
        )

    async def _raised(self, plan: Plan, call: CallFacts, lane: Lane, matter: str) -> Lane:
        """Whoever has waited before and was raised by hand then is so still."""
        was = None if call.queued_ms is None else await self.switchboard.lane_of(call_id=call.call_id)
        return plan.lane_after(was, lane, matter) if was else lane

    def facts(self, hotline: Hotline, call: CallFacts | None = None, *, errands: int = 0) -> Facts:
        """What a step may ask: of queues, those in their hours that no supervisor has closed."""
        plan, now_ms = hotline.plan, self.runtime.clock.now_ms()
        closed = closings_of(self.runtime)
        open_now = frozenset(name for name in plan.calendars if plan.is_open(name, now_ms))
        in_hours = (name for name, queue in plan.queues.items() if queue.calendar in open_now)
        queues = frozenset(name for name in in_hours if name not in closed)
        return Facts(queues, self._caller(call) if call else None, open_now, errands=errands)

    def _caller(self, call: CallFacts) -> CallerFacts:
        return CallerFacts(
            tier=call.tier,
            is_known=call.is_known,
            name="" if call.is_keyed else call.customer_name,
            line=call.line,
            area=call.area,
            has_manager=bool(call.manager),
            manager_name=call.manager_name,
            is_care=call.is_care,
            is_internal=call.is_internal,
            notices=tuple(
                RunningNotice(tuple(notice.text.items()), notice.ticket_no) for notice in call.notices
            ),
            ticket_no=call.ticket_no,
            access_code=access_code(self.runtime.settings.secret_key, call.call_id) if call.ticket_no else "",
        )


def access_code(secret: str, call_id: str) -> str:
    """The code that goes with the ticket of this call: made anew wherever it is spoken, and kept nowhere."""
    digest = hmac.new(secret.encode(), f"access:{call_id}".encode(), hashlib.sha256).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def _is_elsewhere(call: CallFacts, result: Step) -> bool:
    """Whether this webhook came so late that the caller is somewhere else by now: he has left the menu another way,
    or is further on in it. Whoever comes a second time is where the first one led him."""
    if result.side is None:
        return call.state is not CallState.MENU
    if result.session.step < call.step:
        return True
    led = {CallState.MENU} | (WAITING if isinstance(result.side, Queueing) else {CallState.MESSAGING})
    return call.state not in led


def _answer(need: Need, reply: CallReply) -> str | None:
    """The switchboard's word; one that comes after the call has moved on tells what the first time found."""
    if not isinstance(need, Account | Given | Joining):
        return None
    if reply.word in {"ok", "again", "unknown", "closed"}:
        return reply.word
    is_known = reply.call is not None and reply.call.is_known
    return "ok" if is_known or not isinstance(need, Account) else "unknown"
