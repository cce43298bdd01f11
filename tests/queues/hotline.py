"""A hotline to tell stories with: the same people in every test, the real switchboard, and what SQL holds.

王 is an agent. 林 is a key customer, 陈 a resident; 无名 withholds his number.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from config import numbers
from config.database import metadata
from config.jobs import work_off
from config.runtime import Runtime
from queues.domain.customers import Customer
from queues.domain.lanes import Lane
from queues.domain.plan import Plan
from queues.service.customers import import_customers
from queues.service.history import Scribe, scribe
from queues.service.people import Agent, save_agents
from queues.service.plans import plan_of
from queues.service.switchboard import Switchboard

LIN_NUMBER, CHEN_NUMBER = "+8613900000001", "+8613900000002"
LIN = Customer(
    customer_id="C1",
    name="东湖恒达化纤有限公司",
    tier="key_customer",
    locale="zh-CN",
    account_no="0033000001",
    managers=("wang",),
    area="city",
    numbers=(LIN_NUMBER,),
)
CHEN = Customer(customer_id="C2", name="陈静", tier="residential", locale="zh-CN", numbers=(CHEN_NUMBER,))
WANG = Agent(
    agent_id="wang", name="王敏", skills=("general", "outage", "key_account"), endpoint="client:wang"
)
WORK_QUEUES = ("dispatch_urgent", "dispatch_normal", "complaint", "business", "desk", "audio")


@dataclass
class Hotline:
    runtime: Runtime
    plan: Plan = field(init=False)
    switchboard: Switchboard = field(init=False)
    scribe: Scribe = field(init=False)

    def __post_init__(self) -> None:
        self.plan = plan_of(self.runtime)
        self.switchboard = Switchboard(self.runtime)
        self.scribe = scribe(self.runtime)

    async def open(self) -> "Hotline":
        """Customers are on file and 王 sits ready."""
        await import_customers(self.runtime, [LIN, CHEN])
        await save_agents(self.runtime, [WANG])
        await self.switchboard.sign_in(
            agent_id=WANG.agent_id, name=WANG.name, skills=WANG.skills, endpoint=WANG.endpoint
        )
        await self.switchboard.set_presence(agent_id=WANG.agent_id, presence="ready")
        return self

    async def arrive(self, call_id: str, number: str = LIN_NUMBER) -> None:
        key = numbers.number_key(self.runtime.settings.secret_key, number) if number else ""
        await self.switchboard.arrive(
            call_id=call_id, line="main", caller_ref=key or "withheld", number=number, number_key=key
        )

    async def enqueue(
        self,
        call_id: str,
        matter: str = "enquiry",
        queue: str = "general",
        *,
        is_open: bool = True,
        access_key: str = "",
    ) -> str:
        """Into the queue; the ticket number that the call was given."""
        about = self.plan.matters[matter]
        kind = self.plan.ticket_types[about.ticket_type] if about.ticket_type else None
        lane = Lane(queue, "residential", self.plan.queues[queue].needs, about.head_start_ms, about.is_safety)
        reply = await self.switchboard.enqueue_call(
            call_id=call_id,
            queue=queue,
            matter=matter,
            tier="",
            lane=lane,
            ticket_type=about.ticket_type or "",
            ticket_on=about.ticket_on,
            work_queue=kind.work_queue if kind else "",
            is_open=is_open,
            access_key=access_key,
        )
        assert reply.call is not None
        return reply.call.ticket_no

    async def answer(self, call_id: str) -> str:
        """王 is offered the call, takes it, and they talk."""
        board = self.switchboard
        snapshot = await board.snapshot()
        claimed = await board.claim_offer(call_id=call_id, agent_id="wang", turn=snapshot.turn, why={})
        assert claimed.offer_id is not None, claimed
        offer_id = claimed.offer_id
        for step in (board.ring_offer, board.ringing, board.answer_offer, board.accept_offer):
            reply = await step(offer_id=offer_id, leg_id="CAwang")
            assert reply.is_ok, (step, reply)
        connected = await board.connect_call(call_id=call_id, offer_id=offer_id)
        assert connected.is_ok, connected
        return offer_id

    async def end(self, call_id: str, by: str = "caller") -> None:
        await self.switchboard.end_call(call_id=call_id, by=by)

    async def wrap_up(self, disposition: str = "solved") -> None:
        await self.switchboard.close_wrap_up(agent_id="wang", disposition=disposition)

    async def answered_call(self, call_id: str, number: str = LIN_NUMBER, matter: str = "enquiry") -> str:
        """First ring to last word: 5 s in the menu, 12 s waiting, a minute of talk, 10 s after it."""
        clock: Any = self.runtime.clock
        await self.arrive(call_id, number)
        clock.advance(5_000)
        ticket_no = await self.enqueue(call_id, matter)
        clock.advance(12_000)
        await self.answer(call_id)
        clock.advance(60_000)
        await self.end(call_id)
        clock.advance(10_000)
        await self.wrap_up()
        return ticket_no

    async def journal(self, type: str, call_id: str = "", agent_id: str = "", **data: Any) -> str:  # noqa: A002
        """A line as a script would write it; also one that no script would."""
        fields = {
            "type": type,
            "at_ms": self.runtime.clock.now_ms(),
            "call_id": call_id,
            "agent_id": agent_id,
            "offer_id": "",
            "data": json.dumps(data, ensure_ascii=False),
        }
        return await self.write_raw(fields)

    async def write_raw(self, fields: dict[str, Any]) -> str:
        """An entry of its own millisecond, so that it is in nobody's way."""
        clock: Any = self.runtime.clock
        clock.advance(1)
        entry_id = f"{clock.now_ms()}-0"
        await self.runtime.redis.xadd(f"{{{self.plan.site}}}:journal", fields, id=entry_id)
        clock.advance(1)
        return entry_id

    async def work_off(self) -> None:
        """A real worker does what the work queues hold."""
        await work_off(self.runtime, WORK_QUEUES)

    async def write_down(self) -> None:
        """The scribe reads to the end, and the workers do what is due."""
        await self.scribe.drain()
        await self.work_off()

    async def rows(self, table: str, *names: str) -> list[dict[str, Any]]:
        """Every row of a table, by its key; of it, these columns or all."""
        described = metadata.tables[table]
        columns = [described.c[name] for name in names] or list(described.c)
        query = select(*columns).order_by(*described.primary_key.columns)
        async with self.runtime.database.read() as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]

    async def rq_counts(self) -> dict[str, int]:
        """How many jobs wait, in the work queues that have any."""
        counts = {name: await self.runtime.jobs.waiting(name) for name in WORK_QUEUES}
        return {name: count for name, count in counts.items() if count}

    async def until(self, probe: Callable[[], Awaitable[Any]]) -> None:
        """Wait for what another process or task is about to do."""
        for _ in range(1_500):
            if await probe():
                return
            await asyncio.sleep(0.02)
        raise AssertionError("it did not happen")
