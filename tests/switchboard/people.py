"""The same people in every test: callers Lin and Wang, agents Mei and Bo, and what befalls them."""

from dataclasses import dataclass, field

from queues.domain import commands as c
from queues.domain.lanes import Lane
from tests.doubles import MONDAY_0900_MS
from tests.switchboard.world import World, lane

RING_MS, PLACE_MS, WHISPER_MS, CONNECT_MS = 15_000, 35_000, 15_000, 15_000
WRAP_UP_MS, SKIP_MS, LEASE_MS, FORGET_MS = 30_000, 60_000, 30_000, 3_600_000
LINGER_MS = 10_000


@dataclass
class Story:
    """Commands with the usual lengths, at the story's time."""

    world: World
    now_ms: int = MONDAY_0900_MS
    legs: dict[str, str] = field(default_factory=dict)

    def later(self, for_ms: int) -> "Story":
        self.now_ms += for_ms
        return self

    async def word(self, command: c.Command) -> str:
        return (await self.world.do(command))[0]

    async def arrive(self, call_id: str, number_key: str = "k-none", caller_ref: str = "ref") -> str:
        return await self.word(
            c.Arrive(
                now_ms=self.now_ms, call_id=call_id, line="main", caller_ref=caller_ref, number="+86138",
                number_key=number_key, default_tier="normal", default_locale="zh-CN", is_internal=False,
                site_version="v1",
            )
        )  # fmt: skip

    async def enqueue(
        self, call_id: str, to: Lane | None = None, *, is_open: bool = True, own_ticket: bool = False
    ) -> str:
        where = to or lane()
        return await self.word(
            c.EnqueueCall(
                now_ms=self.now_ms, call_id=call_id, queue=where.queue, matter="outage", tier=where.tier,
                lane_id=where.lane_id, lane=where.to_json(), head_start_ms=where.head_start_ms, locale="",
                ticket_type="repair", ticket_on="answer", work_queue="dispatch", is_open=is_open,
                own_ticket=own_ticket,
            )
        )  # fmt: skip

    async def queued(self, call_id: str, to: Lane | None = None) -> None:
        assert await self.arrive(call_id) == "ok"
        assert await self.enqueue(call_id, to) == "ok"

    async def told(self, call_id: str) -> str:
        """What he was told last, after a round in which something was due."""
        touch = c.TouchCall(now_ms=self.now_ms, call_id=call_id, round_no=1, every_ms=60_000)
        assert await self.word(touch) == "ok"
        return self.world.state.calls[call_id].told

    async def sign_in(self, agent_id: str, skills: str = "power") -> str:
        return await self.word(
            c.SignIn(
                now_ms=self.now_ms, agent_id=agent_id, name=agent_id.title(), skills=skills,
                endpoint=f"client:{agent_id}",
            )
        )  # fmt: skip

    async def presence(self, agent_id: str, presence: str = "ready", reason: str = "") -> str:
        return await self.word(
            c.SetPresence(now_ms=self.now_ms, agent_id=agent_id, presence=presence, reason=reason)
        )

    async def ready(self, agent_id: str, skills: str = "power") -> None:
        await self.sign_in(agent_id, skills)
        assert await self.presence(agent_id) == "ok"

    async def claim(self, call_id: str, agent_id: str, turn: int | None = None) -> str:
        current = self.world.state.turn if turn is None else turn
        return await self.word(
            c.ClaimOffer(
                now_ms=self.now_ms, call_id=call_id, agent_id=agent_id, turn=current, place_ms=PLACE_MS,
                lease_ms=LEASE_MS, why='{"rule":"key"}',
            )
        )  # fmt: skip

    async def ring(self, offer_id: str) -> str:
        return await self.word(c.RingOffer(now_ms=self.now_ms, offer_id=offer_id, leg_id=f"CA-{offer_id}"))

    async def ringing(self, offer_id: str, leg_id: str = "") -> str:
        return await self.word(
            c.Ringing(now_ms=self.now_ms, offer_id=offer_id, leg_id=leg_id, ring_ms=RING_MS)
        )

    async def answer(self, offer_id: str) -> str:
        return await self.word(
            c.AnswerOffer(
                now_ms=self.now_ms, offer_id=offer_id, leg_id=f"CA-{offer_id}", whisper_ms=WHISPER_MS
            )
        )

    async def accept(self, offer_id: str, leg_id: str | None = None) -> str:
        leg = f"CA-{offer_id}" if leg_id is None else leg_id
        return await self.word(
            c.AcceptOffer(now_ms=self.now_ms, offer_id=offer_id, leg_id=leg, connect_ms=CONNECT_MS)
        )

    async def decline(self, offer_id: str, leg_id: str = "") -> str:
        return await self.word(
            c.DeclineOffer(now_ms=self.now_ms, offer_id=offer_id, skip_ms=10_000, leg_id=leg_id)
        )

    async def expire(self, offer_id: str, by: str = "deadline", leg_id: str = "") -> str:
        return await self.word(
            c.ExpireOffer(
                now_ms=self.now_ms, offer_id=offer_id, by=by, skip_ms=SKIP_MS, missed_max=2, leg_id=leg_id
            )
        )

    async def unring(self, offer_id: str, leg_id: str = "") -> str:
        return await self.word(
            c.UnringOffer(now_ms=self.now_ms, offer_id=offer_id, skip_ms=SKIP_MS, leg_id=leg_id)
        )

    async def connect(self, call_id: str, offer_id: str) -> str:
        return await self.word(c.ConnectCall(now_ms=self.now_ms, call_id=call_id, offer_id=offer_id))

    async def requeue(self, call_id: str, offer_id: str, by: str = "agent", leg_id: str = "") -> str:
        return await self.word(
            c.RequeueCall(
                now_ms=self.now_ms, call_id=call_id, offer_id=offer_id, by=by, skip_ms=10_000, leg_id=leg_id
            )
        )

    async def transfer(
        self, call_id: str, agent_id: str, where: Lane | None = None, *, named: str = ""
    ) -> str:
        where = where or lane("gas")
        return await self.word(
            c.TransferCall(
                now_ms=self.now_ms, call_id=call_id, agent_id=agent_id, queue=where.queue,
                lane_id=where.lane_id, lane=where.to_json(), head_start_ms=where.head_start_ms, named=named,
                skip_ms=SKIP_MS, wrap_up_ms=WRAP_UP_MS,
            )
        )  # fmt: skip

    async def end_of_offer(self, call_id: str, offer_id: str) -> str:
        """The line of the agent of this offer is down."""
        return await self.word(
            c.EndCall(
                now_ms=self.now_ms, call_id=call_id, by="agent", offer_id=offer_id, wrap_up_ms=WRAP_UP_MS,
                linger_ms=LINGER_MS, forget_ms=FORGET_MS, connect_ms=CONNECT_MS,
            )
        )  # fmt: skip

    async def hold(self, call_id: str, agent_id: str, is_held: bool = True) -> str:
        return await self.word(
            c.HoldCall(now_ms=self.now_ms, call_id=call_id, agent_id=agent_id, is_held=is_held)
        )

    async def consult(self, call_id: str, agent_id: str, colleague_id: str) -> str:
        return await self.word(
            c.ConsultAgent(
                now_ms=self.now_ms, call_id=call_id, agent_id=agent_id, colleague_id=colleague_id,
                place_ms=PLACE_MS,
            )
        )  # fmt: skip

    async def end_consult(self, offer_id: str, leg_id: str = "") -> str:
        return await self.word(c.EndConsult(now_ms=self.now_ms, offer_id=offer_id, leg_id=leg_id))

    async def hand_over(self, call_id: str, agent_id: str) -> str:
        return await self.word(
            c.HandOverCall(
                now_ms=self.now_ms, call_id=call_id, agent_id=agent_id, wrap_up_ms=WRAP_UP_MS,
                connect_ms=CONNECT_MS,
            )
        )  # fmt: skip

    async def divert(self, call_id: str, to: str = "voicemail", step: int = -1) -> str:
        return await self.word(c.DivertCall(now_ms=self.now_ms, call_id=call_id, to=to, step=step))

    async def leave_message(self, call_id: str) -> str:
        return await self.word(c.LeaveMessage(now_ms=self.now_ms, call_id=call_id))

    async def end(self, call_id: str, by: str = "caller", place_kept_ms: int = 0) -> str:
        return await self.word(
            c.EndCall(
                now_ms=self.now_ms,
                call_id=call_id,
                by=by,
                wrap_up_ms=WRAP_UP_MS,
                linger_ms=LINGER_MS,
                forget_ms=FORGET_MS,
                connect_ms=CONNECT_MS,
                place_kept_ms=place_kept_ms,
            )
        )

    async def close_wrap_up(self, agent_id: str, by: str = "agent") -> str:
        return await self.word(
            c.CloseWrapUp(now_ms=self.now_ms, agent_id=agent_id, disposition="solved", by=by)
        )

    async def beat(self, agent_id: str) -> str:
        return await self.word(c.Beat(now_ms=self.now_ms, agent_id=agent_id))

    async def lose(self, agent_id: str) -> str:
        return await self.word(c.LoseAgent(now_ms=self.now_ms, agent_id=agent_id, silent_ms=45_000))

    # Where a call can be when something happens to it.

    async def offered(self, call_id: str, agent_id: str) -> str:
        await self.queued(call_id)
        await self.ready(agent_id)
        assert await self.claim(call_id, agent_id) == "ok"
        return f"{call_id}-1"

    async def rung(self, call_id: str, agent_id: str) -> str:
        offer_id = await self.offered(call_id, agent_id)
        assert await self.ring(offer_id) == "ok"
        assert await self.ringing(offer_id) == "ok"
        return offer_id

    async def whispered(self, call_id: str, agent_id: str) -> str:
        offer_id = await self.rung(call_id, agent_id)
        assert await self.answer(offer_id) == "ok"
        return offer_id

    async def accepted(self, call_id: str, agent_id: str) -> str:
        offer_id = await self.whispered(call_id, agent_id)
        assert await self.accept(offer_id) == "ok"
        return offer_id

    async def talking(self, call_id: str, agent_id: str) -> str:
        offer_id = await self.accepted(call_id, agent_id)
        assert await self.connect(call_id, offer_id) == "ok"
        return offer_id
