"""One agent's desk as it stands: what the switchboard says now, and what history knows of caller and day.

The live state is read whenever a journal line may have changed it. History stands beside it and may be a
moment old.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from starlette.requests import Request

from config import numbers
from config.web.accounts import Account
from config.web.streams import Event, Line, Subscription
from queues.domain.agents import AgentState
from queues.domain.tickets import TicketState
from queues.service import calls, customers, people, ringing_back, tickets
from queues.service.calls import CallFilter, CallRow
from queues.service.closings import closings_of
from queues.service.customers import Customer
from queues.service.people import Agent
from queues.service.surging import is_on_call, surges_now
from queues.service.switchboard import CallerFacts, DeskCall, DeskOffer, DeskState
from queues.web.abandoned_view import ON_DESK, desk_list
from queues.web.desk_view import Shift, View, desk_view
from queues.web.floor import Floor, floor_of, words_of
from queues.web.surge_view import surge_words
from queues.web.times import day_and_time, face, time_of_day
from queues.web.words import Words

CLIENT = "client:"
GATHER_S = 0.1  # lines come in bunches; one picture for all of them
SETTLED_S = 1.5
OTHERS_S = 1.0  # what happens to others is shown within a second
HISTORY_S = 3.0
CUSTOMER_S = 20.0
MINE_SHOWN = 8
CALLS_SHOWN = 5
TICKETS_SHOWN = 5
ATTRIBUTES_SHOWN = 6


async def desk_of(request: Request) -> "Desk | None":
    """The desk of who is signed in; none for an account without a seat."""
    account: Account = request.state.account
    floor = floor_of(request)
    if not account.agent_id:
        return None
    agent = await people.find_agent(floor.runtime, account.agent_id)
    return Desk(floor, agent, words_of(request)) if agent else None


class Desk:
    def __init__(self, floor: Floor, agent: Agent, words: Words) -> None:
        self.floor = floor
        self.agent = agent
        self.words = words

    async def state(self) -> DeskState | None:
        return await self.floor.switchboard.desk_state(agent_id=self.agent.agent_id)

    async def sign_in(self) -> None:
        """Harmless for who is signed in: he stays as he is."""
        agent = self.agent
        await self.floor.switchboard.sign_in(
            agent_id=agent.agent_id, name=agent.name, skills=agent.skills, endpoint=agent.endpoint
        )

    async def view(self) -> View:
        """A first visit signs the agent in; who signed out stays out until he says that he is ready."""
        state = await self.state()
        if state is None:
            await self.sign_in()
            state = await self.state()
        if state is None:
            raise RuntimeError("the switchboard does not know an agent who just signed in")
        return {**desk_view(state, await self._shift(state), self.words), "surge": await self._surge()}

    async def _surge(self) -> str:
        """What runs, for whoever is on call and was alerted of it."""
        if not is_on_call(self.floor.plan, self.agent.skills):
            return ""
        running = [each for each in await surges_now(self.floor.runtime) if each.alerted_ms]
        told = " ".join(surge_words(each, self.words) for each in running)
        return self.words.t("surge.on_call", what=told) if told else ""

    async def has_taken(self, call_id: str) -> bool:
        story = await calls.find_call(self.floor.runtime, call_id)
        return story is not None and story.is_agents(self.agent.agent_id)

    async def keep_note(self, call_id: str, note: str) -> bool:
        """False while the call has no record yet: the browser keeps the note and sends it again."""
        self.floor.remembered.forget(f"note:{call_id}:{self.agent.agent_id}")
        own = self.agent.agent_id
        return not note or await calls.write_note(self.floor.runtime, call_id, note, agent_id=own)

    async def events(self) -> AsyncGenerator[Event]:
        """The whole desk, at first and whenever it has changed."""
        async with self.floor.tail.subscribe() as lines:
            shown: View = {}
            changes = self._changes(lines)
            async with aclosing(changes):
                async for _ in changes:
                    view = await self.view()
                    fresh = {name: value for name, value in view.items() if name != "now_ms"}
                    if fresh != shown:
                        shown = fresh
                        yield Event(json.dumps(view, ensure_ascii=False, separators=(",", ":")))

    async def _changes(self, lines: Subscription) -> AsyncGenerator[None]:
        """Once now, at once for a line about this agent, within a second for any other.

        History follows the journal by a moment: one more look comes when it is quiet after a line of his own.
        """
        is_settled = True
        yield None
        while not isinstance(
            found := await self._next(lines, None if is_settled else SETTLED_S), Subscription
        ):
            is_own = found is None or self._is_own(found)
            for _ in range(round(OTHERS_S / GATHER_S)):
                if is_own:
                    break
                await asyncio.sleep(GATHER_S)
                is_own = any(map(self._is_own, lines.waiting()))
            if is_own:
                await asyncio.sleep(GATHER_S)
                lines.waiting()
                self.floor.remembered.forget(self._history_key)
            is_settled = found is None or not is_own
            yield None

    async def _next(self, lines: Subscription, patience_s: float | None) -> Line | Subscription | None:
        """The next line; nothing when it stays quiet for so long; the subscription when it is over."""
        try:
            async with asyncio.timeout(patience_s):
                return await anext(lines)
        except StopAsyncIteration:
            return lines
        except TimeoutError:
            return None

    def _is_own(self, line: Line) -> bool:
        return line.fields.get("agent_id") == self.agent.agent_id

    @property
    def _history_key(self) -> str:
        return f"shift:{self.agent.agent_id}:{self.words.locale}"

    async def _shift(self, state: DeskState) -> Shift:
        remembered = self.floor.remembered
        history = await remembered.get(self._history_key, HISTORY_S, self._history)
        about = state.offer or state.call
        is_at_call = state.call is not None and state.state in (AgentState.CONNECTED, AgentState.WRAP_UP)
        names = await remembered.get("agent names", CUSTOMER_S, self._names) if about else {}
        panel = await self._panel(about, names) if about else None
        return Shift(
            **history,
            phone=self.agent.endpoint.removeprefix(CLIENT) if self.agent.endpoint.startswith(CLIENT) else "",
            names=names,
            colleagues=await self.colleagues(state),
            open_queues=self.open_queues(state.now_ms),
            longest_queued_ms=await self._longest(state),
            customer=panel,
            class_code=panel["class_code"] if panel else "",
            joined=await self._joined(about) if about else "",
            owed=await self._owed(),
            **(await self._notes(state.call.call_id, names) if is_at_call and state.call else {}),
        )

    async def _history(self) -> dict[str, Any]:
        runtime, plan = self.floor.runtime, self.floor.plan
        from_ms, until_ms = calls.day_of(plan, calls.local_day(plan, runtime.clock.now_ms()))
        chosen = CallFilter(agent_id=self.agent.agent_id, from_ms=from_ms, until_ms=until_ms)
        mine = (await calls.list_calls(runtime, chosen, limit=calls.PAGE_MAX)).calls
        waits = [call.wait_ms for call in mine if call.wait_ms is not None]
        seconds = round(sum(waits) / len(waits) / 1000) if waits else None
        return {
            "calls": len(mine),
            "mean_answer": "–" if seconds is None else self.words.t("desk.seconds", count=seconds),
            "mine": [self._mine(call) for call in mine[:MINE_SHOWN]],
        }

    async def _names(self) -> dict[str, str]:
        return {agent.agent_id: agent.name for agent in await people.agents_of_site(self.floor.runtime)}

    async def _longest(self, state: DeskState) -> int | None:
        if not any(state.waiting.values()):
            return None
        wall = await self.floor.remembered.get("wall", OTHERS_S / 2, self.floor.switchboard.wall_state)
        instants = [each.longest_queued_ms for each in wall.waiting if each.queue in state.waiting]
        return min((each for each in instants if each is not None), default=None)

    async def _owed(self) -> View | None:
        """Who gave up and is for him to call."""
        if self.floor.plan.abandoned is None:
            return None

        async def ask() -> View:
            runtime, own = self.floor.runtime, self.agent
            found = await ringing_back.listed(
                runtime, agent_id=own.agent_id, skills=own.skills, limit=ON_DESK
            )
            names = await self.floor.remembered.get("agent names", CUSTOMER_S, self._names)
            return desk_list(found.entries, found.count, self.words, names, runtime.clock.now_ms())

        key = f"owed:{self.agent.agent_id}:{self.words.locale}"
        return await self.floor.remembered.get(key, OTHERS_S / 2, ask)

    async def _notes(self, call_id: str, names: Mapping[str, str]) -> dict[str, Any]:
        """His own note, and what those have written who talked with the caller before him."""

        async def ask() -> dict[str, Any]:
            story = await calls.find_call(self.floor.runtime, call_id)
            if story is None:
                return {}
            mine = self.agent.agent_id
            own = next((talk.note for talk in reversed(story.talks) if talk.agent_id == mine), None)
            others = [talk for talk in story.talks if talk.agent_id != mine and talk.note]
            return {
                "note": (story.call.note or "" if not story.talks else "") if own is None else own,
                "notes": [
                    {"label": names.get(talk.agent_id, talk.agent_id), "text": talk.note} for talk in others
                ],
            }

        return await self.floor.remembered.get(f"note:{call_id}:{self.agent.agent_id}", HISTORY_S, ask)

    def open_queues(self, now_ms: int) -> Sequence[str]:
        """Which take callers now: by their hours, and by hand."""
        plan, closed = self.floor.plan, closings_of(self.floor.runtime)
        return [
            queue.id
            for queue in plan.queues.values()
            if queue.id not in closed and plan.is_open(queue.calendar, now_ms)
        ]

    async def colleagues(self, state: DeskState) -> list[Mapping[str, str]]:
        """Who is signed in and could have the call this agent talks in, as routing would say; the ready ones first."""
        call, board = state.call, self.floor.switchboard
        if call is None or state.state is not AgentState.CONNECTED:
            return []
        floor = await self.floor.remembered.get("queue board", OTHERS_S / 2, board.queue_board)
        own = self.agent.agent_id
        able = await board.able_colleagues(call_id=call.call_id, agent_id=own, agents=floor.agents)
        in_order = sorted(able, key=lambda each: (each.state is not AgentState.READY, each.name))
        return [{"id": each.agent_id, "name": each.name, "state": str(each.state)} for each in in_order]

    async def _joined(self, about: DeskOffer | DeskCall) -> str:
        """The ticket that the caller was attached to, if it was opened by another call."""
        ticket_no = about.ticket_no

        async def ask() -> str:
            ticket = await tickets.find_ticket(self.floor.runtime, ticket_no)
            return ticket_no if ticket and ticket.call_id and ticket.call_id != about.call_id else ""

        key = f"joined:{about.call_id}:{ticket_no}"
        return await self.floor.remembered.get(key, HISTORY_S, ask) if ticket_no else ""

    async def _panel(self, about: DeskOffer | DeskCall, names: Mapping[str, str]) -> View | None:
        """The customer's file, and who looks after him at this moment."""
        if not about.customer_id:
            return None

        async def ask() -> View | None:
            return await self._look_up(about.customer_id, about.tier)

        key = f"customer:{about.customer_id}:{self.words.locale}"
        found = await self.floor.remembered.get(key, CUSTOMER_S, ask)
        if found is None:
            return None
        manager = self._manager(about.caller, found["managers"], names)
        said = [{"label": self.words.t("desk.fact.manager"), "text": manager}] if manager else []
        return {**found, "facts": [*found["facts"][:2], *said, *found["facts"][2:]]}

    def _manager(self, caller: CallerFacts, ranked: Sequence[str], names: Mapping[str, str]) -> str:
        """The first of his managers; beside him who stands in, when it is somebody else today."""
        first = names.get(ranked[0], ranked[0]) if ranked else ""
        present = caller.manager_name or names.get(caller.manager, caller.manager)
        if not present or caller.manager in ranked[:1]:
            return first or present
        return self.words.t("desk.covered", manager=first, cover=present) if first else present

    async def _look_up(self, customer_id: str, tier: str) -> View | None:
        runtime, words = self.floor.runtime, self.words
        customer = await customers.find_customer(runtime, customer_id)
        if customer is None:
            return None
        last = await calls.list_calls(runtime, CallFilter(text=customer_id), limit=CALLS_SHOWN + 1)
        opened = await tickets.list_tickets(
            runtime,
            tickets.TicketFilter(customer_id=customer_id, state=TicketState.OPEN),
            limit=TICKETS_SHOWN,
        )
        facts = {
            "account_no": customer.account_no,
            "tier": words.tier(customer.tier or tier),
            "area": words.area(customer.area),
            "number": " · ".join(numbers.mask(number) for number in customer.everybodys_numbers),
        }
        return {
            "title": customer.name,
            "href": f"/customers/{customer_id}",
            "class_code": customer.class_code,
            "managers": list(customer.managers),
            "facts": [
                *(
                    {"label": words.t(f"desk.fact.{name}"), "text": text}
                    for name, text in facts.items()
                    if text
                ),
                *self._attributes(customer),
            ],
            "tickets": [self._ticket(ticket) for ticket in opened.tickets],
            "calls": [
                self._line(call, day_and_time(call.arrived_ms, self.floor.zone, words.locale), who="")
                for call in last.calls
                if call.customer_id == customer_id and call.ended_ms is not None
            ][:CALLS_SHOWN],
        }

    def _attributes(self, customer: Customer) -> list[dict[str, str]]:
        """What the site keeps of him, in its own order; what is personal stands in the file alone."""
        words = self.words
        return [
            {"label": words.attribute(each.id), "text": words.value(each.id, customer.attributes[each.id])}
            for each in words.plan.attributes.values()
            if customer.attributes.get(each.id) and not each.is_personal
        ][:ATTRIBUTES_SHOWN]

    def _ticket(self, ticket: tickets.Ticket) -> dict[str, str]:
        return {
            "href": f"/tickets/{ticket.ticket_no}",
            "at": ticket.ticket_no,
            "text": self.words.ticket_type(ticket.type),
            "note": day_and_time(ticket.opened_ms, self.floor.zone, self.words.locale),
        }

    def _mine(self, call: CallRow) -> dict[str, str]:
        return self._line(call, time_of_day(call.arrived_ms, self.floor.zone), who=call.customer_name)

    def _line(self, call: CallRow, at: str, *, who: str) -> dict[str, str]:
        words = self.words
        about = words.matter(call.matter) or words.queue(call.queue)
        result = (
            words.disposition(call.disposition)
            if call.disposition
            else words.outcome(call.outcome, call.state)
        )
        return {
            "href": f"/calls/{call.call_id}",
            "at": at,
            "text": " · ".join(part for part in (who, about) if part) or words.line(call.line),
            "note": " · ".join(part for part in (result, face(call.talk_ms) if call.talk_ms else "") if part),
        }
