"""The switchboard: the one door to the live state of calls, agents and offers.

Every command is one method and one script. A command that comes late, twice or out of order is answered in
words (`again`, `gone`, `stale:<state>`) and changes nothing. The lengths a command needs come from the
plan; what the network needs on top is real time, turned into the product's.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from config import numbers
from config.runtime import Runtime
from queues.domain import commands
from queues.domain.abandoned import entry_of
from queues.domain.calls import ACCESS_CODE
from queues.domain.effects import Effect
from queues.domain.estimates import Standing
from queues.domain.journal import APPENDABLE, parse_id
from queues.domain.lanes import Lane
from queues.domain.named import RING_BACK, TRANSFER, Named, write_lines
from queues.domain.offers import OfferId
from queues.domain.plan import Plan
from queues.domain.routing import AGENTS_MAX, CUSTOMER_FIRST, HEADS_MAX, Snapshot, is_able, widen
from queues.domain.surges import Level, Running, Subject, read_running, surging_queues
from queues.service import journal, lost_changes
from queues.service.facts import (
    CallerFacts,
    CallFacts,
    CallReply,
    CaseReply,
    ClaimReply,
    DeskCall,
    DeskOffer,
    DeskState,
    Notice,
    OfferFacts,
    OfferReply,
    WaitingFacts,
    WallAgent,
    WallState,
    read_call_facts,
    read_desk_state,
    read_offer_facts,
    read_standing,
    read_wall_state,
)
from queues.service.plans import plan_of
from queues.service.queue_board import HEADS_SHOWN, QueueAgent, QueueBoard, read_board
from queues.store.switchboard import SwitchboardStore

__all__ = [
    "CallFacts",
    "CallReply",
    "CallerFacts",
    "CaseReply",
    "ClaimReply",
    "DeskCall",
    "DeskOffer",
    "DeskState",
    "Notice",
    "OfferFacts",
    "OfferReply",
    "Switchboard",
    "WaitingFacts",
    "WallAgent",
    "WallState",
]

# What the network may take on top of a human's time: real seconds.
PLACE_S: Final = 20.0
WHISPER_S: Final = 5.0
CONNECT_S: Final = 30.0
LOST_AFTER_S: Final = 45.0
LINGER_S: Final = 10.0
ASKED_S: Final = 30.0  # until a hang-up that was not told of is taken for granted
ESTIMATE_FRESH_S: Final = 10.0  # it is made anew every other second
EFFECT_LEASE_S: Final = 60.0  # longer than an effect may take; what a dead leader held is recalled before
TRANSFER_SKIP_MS: Final = 60_000  # who put a caller through is not asked about him again for so long
COLLEAGUE_MS: Final = 20_000  # so long the others hold back for the one he was put through to
TICKETS_UNSEEN: Final = 100  # more than are told in the second or two that a server can lose
WRONG_CODES_MAX: Final = 3  # wrong answers in one call
CASE_WRONG_CODES_MAX: Final = 10  # about one case in a day
WRONG_ACCOUNTS_MAX: Final = 5  # account numbers that nobody has, in one call
DAY_MS: Final = 24 * 3_600_000
FORGET_AFTER_MS: Final = commands.FORGET_MS
DIAL_S: Final = 45.0  # real: what the network may take to reach a customer, and he to press the key
HOLD_MS: Final = 60_000


class Switchboard:
    """No command runs on a live store that has just started before it has risen above what SQL has seen."""

    def __init__(self, runtime: Runtime, site: str = "") -> None:
        self._runtime = runtime
        self._clock = runtime.clock
        self._store = SwitchboardStore(runtime.redis, site or runtime.settings.site, self._meet_server)

    # The caller's side

    async def arrive(
        self,
        *,
        call_id: str,
        line: str,
        caller_ref: str,
        number: str,
        number_key: str,
        is_internal: bool = False,
    ) -> CallReply:
        """ok | again: who calls, from the number index, and the call's first line."""
        return await self._about_call(
            commands.Arrive(
                now_ms=self._now_ms(),
                call_id=call_id,
                line=line,
                caller_ref=caller_ref,
                number=number,
                number_key=number_key,
                default_tier=self._plan.default_tier,
                default_locale=self._plan.default_locale,
                is_internal=is_internal,
                site_version=self._runtime.site_files.version,
            )
        )

    async def identify_call(self, *, call_id: str, account_key: str) -> CallReply:
        """ok | unknown (or he is anonymous, or tried too many) | again | gone | stale:<state>: by its account_key."""
        return await self._about_call(
            commands.IdentifyCall(
                now_ms=self._now_ms(),
                call_id=call_id,
                account_key=account_key,
                default_tier=self._plan.default_tier,
                wrong_max=WRONG_ACCOUNTS_MAX,
            )
        )

    async def anonymise_call(self, *, call_id: str) -> CallReply:
        """ok (of an ended call, too) | again | gone: from now on nothing tells who this is, and what did is erased."""
        return await self._about_call(
            commands.AnonymiseCall(
                now_ms=self._now_ms(), call_id=call_id, default_tier=self._plan.default_tier
            )
        )

    async def keep_given(self, *, call_id: str, name: str, value: str) -> CallReply:
        """ok | gone | stale:<state>: digits the caller keyed; of an access code the key alone is kept."""
        if name == ACCESS_CODE:
            value = numbers.code_key(self._runtime.settings.secret_key, value)
        return await self._about_call(
            commands.KeepGiven(now_ms=self._now_ms(), call_id=call_id, name=name, value=value)
        )

    async def check_case(self, *, call_id: str, step: int = -1) -> CaseReply:
        """ok | wrong | unknown | locked (no try is left) | gone, of the case_no and access_code given.

        `step` is the menu step that asks: a webhook that comes twice asks the same question, and it counts once.
        """
        reply = await self._store.run(
            commands.CheckCase(
                now_ms=self._now_ms(),
                call_id=call_id,
                step=step,
                wrong_max=WRONG_CODES_MAX,
                case_wrong_max=CASE_WRONG_CODES_MAX,
                case_within_ms=DAY_MS,
            )
        )
        return CaseReply(*reply)

    async def join_ticket(self, *, call_id: str, ticket_no: str) -> CallReply:
        """ok | again (it has a ticket) | closed (that ticket is) | gone | stale:<state>."""
        return await self._about_call(
            commands.JoinTicket(now_ms=self._now_ms(), call_id=call_id, ticket_no=ticket_no)
        )

    async def step_menu(
        self, *, call_id: str, node: str, step: int, locale: str = "", record: str = ""
    ) -> CallReply:
        """ok | again (this step or a later one was seen) | gone | stale:<state>. Empty = as before."""
        return await self._about_call(
            commands.StepMenu(
                now_ms=self._now_ms(), call_id=call_id, node=node, step=step, locale=locale, record=record
            )
        )

    async def enqueue_call(
        self,
        *,
        call_id: str,
        queue: str,
        matter: str,
        tier: str,
        lane: Lane,
        locale: str = "",
        ticket_type: str = "",
        ticket_on: str = "",
        work_queue: str = "",
        access_key: str = "",
        is_open: bool = True,
        own_ticket: bool = False,
        named: Iterable[Named] = (),
        waiting_max: int = 0,
    ) -> CallReply:
        """ok | closed (to messaging) | full | again (queued, or beyond) | gone. The lane holds the head start.

        A call that has a ticket keeps it, whatever `ticket_type` says; unless it was added to it, and now asks for
        an `own_ticket`. It is offered to the `named` first.
        `access_key` is numbers.code_key of the access code that is told with a new one.
        """
        return await self._about_call(
            commands.EnqueueCall(
                now_ms=self._now_ms(),
                call_id=call_id,
                queue=queue,
                matter=matter,
                tier=tier,
                lane_id=lane.lane_id,
                lane=lane.to_json(),
                head_start_ms=lane.head_start_ms,
                locale=locale,
                ticket_type=ticket_type,
                ticket_on=ticket_on,
                work_queue=work_queue,
                is_open=is_open,
                access_key=access_key,
                own_ticket=own_ticket,
                named=write_lines(named),
                waiting_max=waiting_max,
            )
        )

    async def touch_call(self, *, call_id: str) -> CallReply:
        """ok | gone: a sign of life, answered with the position in the queue."""
        return await self._about_call(commands.TouchCall(now_ms=self._now_ms(), call_id=call_id))

    async def wait_round(self, *, call_id: str, round_no: int) -> CallReply:
        """ok | gone: the same from a caller who is waiting; what he is told now is written down with it."""
        announce = self._plan.announce
        return await self._about_call(
            commands.TouchCall(
                now_ms=self._now_ms(),
                call_id=call_id,
                round_no=round_no,
                first_ms=announce.first_ms if announce else 0,
                every_ms=announce.every_ms if announce else 0,
                fresh_ms=self._clock.product_ms(ESTIMATE_FRESH_S),
            )
        )

    async def keep_estimates(self, *, estimates: Mapping[str, str]) -> str:
        """ok: by lane_id, see estimates.text_of; those of before are gone."""
        text = json.dumps(estimates, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        return await self._word(commands.KeepEstimates(now_ms=self._now_ms(), estimates=text))

    async def standing(self, *, calls_max: int) -> Standing:
        """Who waits and who is there, for an estimate."""
        now_ms = self._now_ms()
        told = await self._store.read_standing(now_ms=now_ms, calls_max=calls_max)
        return read_standing(told, now_ms)

    async def divert_call(self, *, call_id: str, to: str, step: int = -1) -> CallReply:
        """ok | again (it is in messaging) | gone | stale:<state>; to = one of calls.DIVERSIONS.

        With the `step` of the menu that leads there, a caller who has left the menu, or is further on, stays.
        """
        return await self._about_call(
            commands.DivertCall(now_ms=self._now_ms(), call_id=call_id, to=to, step=step)
        )

    async def lead_call(self, *, call_id: str, node: str, queue: str) -> CallReply:
        """ok | again (he is in the menu) | gone | stale:<state>: he has waited long enough, and goes to this node."""
        return await self._about_call(
            commands.LeadCall(now_ms=self._now_ms(), call_id=call_id, node=node, queue=queue)
        )

    async def return_call(self, *, call_id: str) -> CallReply:
        """ok | again (it is in the menu) | gone | stale:<state>: nobody answered the transfer."""
        return await self._about_call(commands.ReturnCall(now_ms=self._now_ms(), call_id=call_id))

    async def leave_message(self, *, call_id: str) -> CallReply:
        """ok (also just after the hang-up) | again | gone | stale:<state>."""
        return await self._about_call(commands.LeaveMessage(now_ms=self._now_ms(), call_id=call_id))

    async def end_call(self, *, call_id: str, by: str, leg_id: str = "", offer_id: str = "") -> CallReply:
        """ok | again (or he is to be called back) | gone (no such call): from any state; by = caller | agent | system.

        `leg_id` is the leg that is down: of a callback, the one he asked on is not the one he talks on.
        `kept`: the agent of this offer has gone while the caller was held, so he goes on waiting, or to a colleague.
        """
        return await self._about_call(
            commands.EndCall(
                now_ms=self._now_ms(),
                call_id=call_id,
                by=by,
                wrap_up_ms=self._plan.wrap_up_ms,
                linger_ms=self._clock.product_ms(LINGER_S),
                forget_ms=FORGET_AFTER_MS,
                connect_ms=self._clock.product_ms(CONNECT_S),
                offer_id=offer_id,
                leg_id=leg_id,
                place_kept_ms=self._plan.place_kept_ms,
            )
        )

    async def forget_call(self, *, call_id: str) -> str:
        """ok | again | stale:<state>: an ended call and its offers leave the live store."""
        return await self._word(commands.ForgetCall(now_ms=self._now_ms(), call_id=call_id))

    async def drop_place(self, *, caller_ref: str) -> str:
        """ok | early | gone: the time of the places kept for this caller is up."""
        return await self._word(commands.DropPlace(now_ms=self._now_ms(), caller_ref=caller_ref))

    async def forget_caller(self, *, caller_ref: str) -> str:
        """ok | again: nothing is kept under this reference any more."""
        return await self._word(commands.ForgetCaller(now_ms=self._now_ms(), caller_ref=caller_ref))

    # Calling back

    async def ask_callback(self, *, call_id: str) -> CallReply:
        """ok | again | gone | stale:<state> (he does not wait, or nobody knows whom to call): he keeps his place."""
        return await self._about_call(
            commands.AskCallback(
                now_ms=self._now_ms(),
                call_id=call_id,
                linger_ms=self._clock.product_ms(ASKED_S),
                expires_ms=self._plan.callback.expires_ms,
            )
        )

    async def ring_back(
        self, *, call_id: str, queue: str, matter: str, tier: str, lane: Lane, locale: str, agent_id: str
    ) -> CallReply:
        """ok | again | promised (he has a callback there, or is being called) | nameless | gone: by this agent.

        The call has just arrived, in the name of a caller who gave up. One try, in the hours in which we call: the next
        is somebody's own wish.
        """
        now_ms, expires_ms = self._now_ms(), self._plan.callback.every_ms
        _, closes_ms = self._plan.calls_back(now_ms)
        if closes_ms:
            expires_ms = min(expires_ms, closes_ms - now_ms)
        return await self._about_call(
            commands.RingBack(
                now_ms=now_ms,
                call_id=call_id,
                queue=queue,
                matter=matter,
                tier=tier,
                lane_id=lane.lane_id,
                lane=lane.to_json(),
                head_start_ms=lane.head_start_ms,
                locale=locale,
                named=write_lines([Named(RING_BACK, 0 if lane.is_safety else expires_ms, agent_id)]),
                agent_id=agent_id,
                expires_ms=expires_ms,
            )
        )

    async def tend_callback(self, *, call_id: str) -> CallReply:
        """ok (in its lane) | resting (outside the hours) | over | held (an agent has it) | early | gone."""
        now_ms = self._now_ms()
        opens_ms, closes_ms = self._plan.calls_back(now_ms)
        return await self._about_call(
            commands.TendCallback(
                now_ms=now_ms,
                call_id=call_id,
                opens_ms=opens_ms,
                closes_ms=closes_ms,
                hold_ms=HOLD_MS,
                forget_ms=FORGET_AFTER_MS,
            )
        )

    async def place_customer(self, *, offer_id: str, leg_id: str, is_up: bool = False) -> CallReply:
        """ok | again | gone: this leg rings the customer for the agent of this offer; is_up: he has answered."""
        return await self._about_call(
            commands.PlaceCustomer(now_ms=self._now_ms(), offer_id=offer_id, leg_id=leg_id, is_up=is_up)
        )

    async def reach_customer(self, *, offer_id: str, leg_id: str) -> CallReply:
        """ok | again | gone: he pressed the key, and is with the agent who waits."""
        return await self._about_call(
            commands.ReachCustomer(
                now_ms=self._now_ms(),
                offer_id=offer_id,
                leg_id=leg_id,
                remembers=self._plan.affinity.last_agent is not None,
            )
        )

    async def miss_customer(self, *, offer_id: str, why: str, leg_id: str = "") -> CallReply:
        """ok | early | gone | stale:<state>; why = unanswered | unreached | no_key | deadline, or he left the line."""
        terms = self._plan.callback
        return await self._about_call(
            commands.MissCustomer(
                now_ms=self._now_ms(),
                offer_id=offer_id,
                leg_id=leg_id,
                why=why,
                every_ms=terms.every_ms,
                tries_max=terms.tries,
                forget_ms=FORGET_AFTER_MS,
            )
        )

    async def lose_line(self, *, call_id: str, leg_id: str) -> CallReply:
        """The caller's line is down, be it the one he came on or the one on which we called him back."""
        if leg_id in ("", call_id):
            return await self.end_call(call_id=call_id, by="caller", leg_id=leg_id)
        reply = await self.miss_customer(offer_id="", why="no_key", leg_id=leg_id)
        if not reply.word.startswith("stale:"):
            return reply
        return await self.end_call(call_id=call_id, by="caller", leg_id=leg_id)

    async def whom_to_call(self, *, offer_id: str) -> tuple[str, str]:
        """The number of the customer, and the leg that rings him already; empty: none."""
        return await self._store.read_customer(offer_id)

    async def connect_call(self, *, call_id: str, offer_id: str) -> CallReply:
        """ok | again | gone: the pulled caller is with the agent who accepted this offer."""
        return await self._about_call(
            commands.ConnectCall(
                now_ms=self._now_ms(),
                call_id=call_id,
                offer_id=offer_id,
                remembers=self._plan.affinity.last_agent is not None,
            )
        )

    async def requeue_call(
        self, *, call_id: str, offer_id: str, leg_id: str = "", by: str = "agent"
    ) -> CallReply:
        """ok | gone | stale:<state> | early: connecting failed, so back to the old place.

        by = agent (his leg is gone) | provider | deadline. A leg that is not the offer's own hears `gone`.
        """
        return await self._about_call(
            commands.RequeueCall(
                now_ms=self._now_ms(),
                call_id=call_id,
                offer_id=offer_id,
                by=by,
                skip_ms=self._plan.decline_skip_ms,
                leg_id=leg_id,
            )
        )

    async def transfer_call(
        self, *, call_id: str, agent_id: str, queue: str = "", colleague: str = ""
    ) -> CallReply:
        """ok | again (he has done so) | gone | stale:<state> (it is not with him) | never (those two may not meet).

        To a queue ("" = the one in which he was answered) with his place; a colleague is asked first.
        """
        place = await self._store.read_place(call_id)
        if place is None:
            return CallReply(word="gone", call=None)
        if colleague in place.never:
            return CallReply(word="never", call=None)
        now_ms, lane = self._now_ms(), place.lane
        lane = self._plan.lane_in(queue, lane, place.locale) if queue in self._plan.queues else lane
        # Who waits is counted from his place, and so is how long the others hold back.
        wait_ms = 0 if lane.is_safety else now_ms - place.queued_ms + COLLEAGUE_MS
        named = [Named(TRANSFER, wait_ms, colleague)] if colleague else []
        return await self._about_call(
            commands.TransferCall(
                now_ms=now_ms,
                call_id=call_id,
                agent_id=agent_id,
                queue=lane.queue,
                lane_id=lane.lane_id,
                lane=lane.to_json(),
                head_start_ms=lane.head_start_ms,
                named=write_lines(named),
                skip_ms=TRANSFER_SKIP_MS,
                wrap_up_ms=self._plan.wrap_up_ms,
            )
        )

    async def lane_of(self, *, call_id: str) -> Lane | None:
        """Where it waits, or waited last; none: it never has."""
        place = await self._store.read_place(call_id)
        return place.lane if place else None

    async def able_colleagues(
        self, *, call_id: str, agent_id: str, agents: Iterable[QueueAgent]
    ) -> tuple[QueueAgent, ...]:
        """Of these, who could have the call by the rules of routing, but for who talks in it now."""
        place = await self._store.read_place(call_id)
        if place is None:
            return ()
        is_surging = place.lane.queue in surging_queues(await self._store.read_surges())
        waited_ms = self._now_ms() - place.queued_ms
        width = widen(self._plan, place.lane, waited_ms, is_surging=is_surging)
        return tuple(
            each
            for each in agents
            if each.agent_id not in (agent_id, *place.never) and is_able(width, place.lane, each)
        )

    async def hold_call(self, *, call_id: str, agent_id: str, is_held: bool) -> CallReply:
        """ok | again | gone | stale:<state> (it is not with him). Back to the caller lets go who was asked."""
        return await self._about_call(
            commands.HoldCall(now_ms=self._now_ms(), call_id=call_id, agent_id=agent_id, is_held=is_held)
        )

    async def consult_agent(self, *, call_id: str, agent_id: str, colleague: str) -> CallReply:
        """ok | again | gone | stale:<state> (of call or colleague) | never: the caller is held, the colleague rung."""
        return await self._about_call(
            commands.ConsultAgent(
                now_ms=self._now_ms(),
                call_id=call_id,
                agent_id=agent_id,
                colleague_id=colleague,
                place_ms=self._plan.ring_ms + self._clock.product_ms(PLACE_S),
            )
        )

    async def end_consult(self, *, offer_id: str, leg_id: str = "") -> CallReply:
        """ok | gone | stale:<state>: the line of a colleague who was asked is down."""
        return await self._about_call(
            commands.EndConsult(now_ms=self._now_ms(), offer_id=offer_id, leg_id=leg_id)
        )

    async def hand_over_call(self, *, call_id: str, agent_id: str) -> CallReply:
        """ok | again | gone | stale:<state> | never (by now): the colleague who was asked takes the caller."""
        return await self._about_call(
            commands.HandOverCall(
                now_ms=self._now_ms(),
                call_id=call_id,
                agent_id=agent_id,
                wrap_up_ms=self._plan.wrap_up_ms,
                connect_ms=self._clock.product_ms(CONNECT_S),
            )
        )

    # The offer

    async def claim_offer(
        self, *, call_id: str, agent_id: str, turn: int, why: Mapping[str, Any], is_turn: bool = False
    ) -> ClaimReply:
        """ok | called (the customer is, nobody is held) | stale:<state> | stale:turn.

        The due ring of an ok is leased to who claimed.
        """
        # An agent who calls somebody from the list waits for him: nobody else was to have him.
        is_customer_first = self._plan.callback.first == CUSTOMER_FIRST and not entry_of(call_id)
        reply = await self._store.run(
            commands.ClaimOffer(
                now_ms=self._now_ms(),
                call_id=call_id,
                agent_id=agent_id,
                turn=turn,
                place_ms=self._plan.ring_ms + self._clock.product_ms(PLACE_S),
                lease_ms=self._clock.product_ms(EFFECT_LEASE_S),
                why=json.dumps(why, ensure_ascii=False, separators=(",", ":")),
                is_turn=is_turn,
                hold_ms=HOLD_MS,
                dial_ms=self._dial_ms if is_customer_first else 0,
            )
        )
        if reply[0] != "ok":
            return ClaimReply(word=reply[0], offer_id=None, effect=None)
        return ClaimReply(word="ok", offer_id=OfferId(reply[1]), effect=Effect.from_json(reply[2], reply[3]))

    async def ring_offer(self, *, offer_id: str, leg_id: str) -> OfferReply:
        """ok | again | gone (a leg nobody needs: its hang-up is due)."""
        return await self._about_offer(
            commands.RingOffer(now_ms=self._now_ms(), offer_id=offer_id, leg_id=leg_id)
        )

    async def ringing(self, *, offer_id: str, leg_id: str = "") -> OfferReply:
        """ok | again | gone: the phone rings; the agent's time runs from here."""
        return await self._about_offer(
            commands.Ringing(
                now_ms=self._now_ms(), offer_id=offer_id, leg_id=leg_id, ring_ms=self._plan.ring_ms
            )
        )

    async def answer_offer(self, *, offer_id: str, leg_id: str) -> OfferReply:
        """ok | again | gone: the agent's leg is up; facts for the whisper."""
        return await self._about_offer(
            commands.AnswerOffer(
                now_ms=self._now_ms(),
                offer_id=offer_id,
                leg_id=leg_id,
                whisper_ms=self._plan.whisper_ms + self._clock.product_ms(WHISPER_S),
            )
        )

    async def accept_offer(self, *, offer_id: str, leg_id: str) -> OfferReply:
        """ok | again (still his call) | gone."""
        return await self._about_offer(
            commands.AcceptOffer(
                now_ms=self._now_ms(),
                offer_id=offer_id,
                leg_id=leg_id,
                connect_ms=self._clock.product_ms(CONNECT_S),
                dial_ms=self._dial_ms,
            )
        )

    async def decline_offer(self, *, offer_id: str, leg_id: str = "") -> OfferReply:
        """ok | again | gone | stale:<state>."""
        return await self._about_offer(
            commands.DeclineOffer(
                now_ms=self._now_ms(), offer_id=offer_id, skip_ms=self._plan.decline_skip_ms, leg_id=leg_id
            )
        )

    async def expire_offer(self, *, offer_id: str, leg_id: str = "", by: str = "provider") -> OfferReply:
        """ok | again | gone | stale:<state> | early (it lies ahead); by = provider | deadline."""
        return await self._about_offer(
            commands.ExpireOffer(
                now_ms=self._now_ms(),
                offer_id=offer_id,
                by=by,
                skip_ms=self._plan.rona_skip_ms,
                missed_max=self._plan.rona_in_a_row,
                leg_id=leg_id,
            )
        )

    async def unring_offer(self, *, offer_id: str, leg_id: str = "") -> OfferReply:
        """ok | again | gone | stale:<state>: the phone never rang, or the line failed."""
        return await self._about_offer(
            commands.UnringOffer(
                now_ms=self._now_ms(), offer_id=offer_id, skip_ms=self._plan.busy_skip_ms, leg_id=leg_id
            )
        )

    # The agent's side

    async def sign_in(self, *, agent_id: str, name: str, skills: Iterable[str], endpoint: str) -> str:
        """ok | again: signed in and away (reason signed_in) until he says he is ready."""
        return await self._word(
            commands.SignIn(
                now_ms=self._now_ms(),
                agent_id=agent_id,
                name=name,
                skills=",".join(sorted(set(skills))),
                endpoint=endpoint,
            )
        )

    async def set_presence(self, *, agent_id: str, presence: str, reason: str = "") -> str:
        """ok | again | later (remembered until his work is over) | gone (not signed in)."""
        return await self._word(
            commands.SetPresence(now_ms=self._now_ms(), agent_id=agent_id, presence=presence, reason=reason)
        )

    async def beat(self, *, agent_id: str) -> str:
        """ok | gone (not signed in)."""
        return await self._word(commands.Beat(now_ms=self._now_ms(), agent_id=agent_id))

    async def lose_agent(self, *, agent_id: str) -> str:
        """ok | again (he was heard, or nobody was) | gone."""
        return await self._word(
            commands.LoseAgent(now_ms=self._now_ms(), agent_id=agent_id, silent_ms=self.lost_after_ms)
        )

    async def extend_wrap_up(self, *, agent_id: str) -> str:
        """ok | again (once only) | gone | stale:<state>."""
        by_ms = self._plan.wrap_up_extension_ms
        return await self._word(commands.ExtendWrapUp(now_ms=self._now_ms(), agent_id=agent_id, by_ms=by_ms))

    async def close_wrap_up(self, *, agent_id: str, disposition: str = "", by: str = "agent") -> str:
        """ok | gone | stale:<state> | early (by deadline: it lies ahead)."""
        return await self._word(
            commands.CloseWrapUp(now_ms=self._now_ms(), agent_id=agent_id, disposition=disposition, by=by)
        )

    # Effects, the journal, the start

    async def claim_effects(self, *, effects_max: int = 32) -> tuple[Effect, ...]:
        lease_ms = self._clock.product_ms(EFFECT_LEASE_S)
        reply = await self._store.run(
            commands.ClaimEffects(now_ms=self._now_ms(), lease_ms=lease_ms, effects_max=effects_max)
        )
        pairs = zip(reply[1::2], reply[2::2], strict=True)
        return tuple(Effect.from_json(effect_id, text) for effect_id, text in pairs)

    async def recall_effects(self, *, in_hand: Iterable[str] = ()) -> str:
        """ok: for who takes over from a dead performer; what he has in hand himself stays his."""
        return await self._word(
            commands.RecallEffects(now_ms=self._now_ms(), in_hand="\n".join(sorted(in_hand)))
        )

    async def finish_effect(self, *, effect_id: str) -> str:
        """ok | again."""
        return await self._word(commands.FinishEffect(now_ms=self._now_ms(), effect_id=effect_id))

    async def retry_effect(self, *, effect_id: str, due_ms: int) -> str:
        """ok | gone."""
        return await self._word(
            commands.RetryEffect(now_ms=self._now_ms(), effect_id=effect_id, due_ms=due_ms)
        )

    async def fail_effect(self, *, effect_id: str) -> str:
        """ok | again: given up; the line effect.failed says so."""
        return await self._word(commands.FailEffect(now_ms=self._now_ms(), effect_id=effect_id))

    async def weigh_surge(
        self, *, subject: Subject, level: Level, calm_ms: int, on_call: Iterable[str] = ()
    ) -> str:
        """begun | ended | again: whoever looks, it begins and ends once; `on_call` are alerted once, if any."""
        return await self._word(
            commands.WeighSurge(
                now_ms=self._now_ms(),
                surge_id=subject.surge_id,
                level=level,
                subject=subject.to_json(),
                calm_ms=calm_ms,
                on_call=",".join(sorted(on_call)),
            )
        )

    async def surges(self) -> tuple[Running, ...]:
        """Those that run, the oldest first."""
        running = map(read_running, await self._store.read_surges())
        return tuple(sorted(running, key=lambda each: (each.begun_ms, each.subject)))

    async def raise_notice(self, *, notice_id: str, notice: Mapping[str, Any], by: str) -> str:
        """ok | again (it is there, word for word): {id, areas, text, starts_ms, ends_ms, ticket_no, kind}."""
        text = json.dumps(notice, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        return await self._word(
            commands.RaiseNotice(now_ms=self._now_ms(), notice_id=notice_id, notice=text, by=by)
        )

    async def clear_notice(self, *, notice_id: str, by: str) -> str:
        """ok | again (it was not there)."""
        return await self._word(commands.ClearNotice(now_ms=self._now_ms(), notice_id=notice_id, by=by))

    async def set_reserve(self, *, queue: str, is_armed: bool, waited_ms: int) -> str:
        """ok | again: the seats that a queue keeps for some tiers are kept from now on, or are for everybody."""
        return await self._word(
            commands.SetReserve(now_ms=self._now_ms(), queue=queue, is_armed=is_armed, waited_ms=waited_ms)
        )

    async def forget_met(self, *, older_than_ms: int, met_max: int = 1000) -> int:
        """Who talked with whom so long ago is forgotten; how many were."""
        before_ms = self._now_ms() - older_than_ms
        reply = await self._store.run(
            commands.ForgetMet(now_ms=self._now_ms(), before_ms=before_ms, met_max=met_max)
        )
        return int(reply[1])

    # What supervisors change while people wait

    async def relane_call(
        self, *, call_id: str, from_lane_id: str, lane: Lane, is_raised: bool, by: str
    ) -> CallReply:
        """ok | again | gone | stale:<state> | stale:lane (it was elsewhere by then): moved, or raised in tier."""
        return await self._about_call(
            commands.RelaneCall(
                now_ms=self._now_ms(),
                call_id=call_id,
                from_lane_id=from_lane_id,
                lane_id=lane.lane_id,
                lane=lane.to_json(),
                is_raised=is_raised,
                by=by,
            )
        )

    async def lend_agent(self, *, agent_id: str, queue: str, skills: Iterable[str], by: str) -> str:
        """ok | again | gone (not signed in): he has the queue's skills until he signs out or is taken back."""
        text = ",".join(sorted(set(skills)))
        return await self._word(
            commands.LendAgent(now_ms=self._now_ms(), agent_id=agent_id, queue=queue, skills=text, by=by)
        )

    async def take_back_agent(self, *, agent_id: str, queue: str, by: str) -> str:
        """ok | again (he is not lent to it) | gone."""
        return await self._word(
            commands.TakeBackAgent(now_ms=self._now_ms(), agent_id=agent_id, queue=queue, by=by)
        )

    async def close_queue(self, *, queue: str, leads: bool, by: str) -> str:
        """ok | again: no new callers from now on; `leads`: those who wait are led out as well."""
        return await self._word(commands.CloseQueue(now_ms=self._now_ms(), queue=queue, leads=leads, by=by))

    async def open_queue(self, *, queue: str, by: str) -> str:
        """ok | again."""
        return await self._word(commands.OpenQueue(now_ms=self._now_ms(), queue=queue, by=by))

    async def queue_board(self) -> QueueBoard:
        now_ms = self._now_ms()
        return read_board(await self._store.read_queues(now_ms=now_ms, heads_max=HEADS_SHOWN), now_ms)

    async def activate_version(self, *, version: str, by: str) -> str:
        """ok | again (it is in force): calls that arrive from now on begin with it."""
        return await self._word(commands.ActivateVersion(now_ms=self._now_ms(), version=version, by=by))

    async def append_line(self, *, type: str, call_id: str, data: Mapping[str, Any]) -> str:  # noqa: A002
        """The id of a line another room may write (journal.APPENDABLE)."""
        if type not in APPENDABLE:
            raise ValueError(f"{type} is not a line others may append")
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        reply = await self._store.run(
            commands.AppendLine(now_ms=self._now_ms(), type=type, call_id=call_id, data=text)
        )
        return reply[1]

    async def raise_counters(self) -> None:
        """Ids and counters of the live store rise above what SQL has seen: it may have lost its last second.

        What supervisors had changed in that second is done again.
        """
        server, met = await self._store.server()
        if server != met:
            last_ms, _ = parse_id(await self._store.newest_line())
            await self._store.note_loss(last_ms)
        seen = await journal.high_water(self._runtime)
        last_ms, last_seq = parse_id(seen.journal_id)
        await self._store.rise(
            commands.RaiseCounters(
                now_ms=self._now_ms(),
                last_ms=last_ms,
                last_seq=last_seq,
                arrivals=seen.arrivals,
                tickets=seen.tickets,
                server=server,
                tickets_unseen=TICKETS_UNSEEN,
            )
        )
        lost_from_ms = await self._store.lost_from()
        if lost_from_ms is not None:
            await lost_changes.do_again(self._runtime, self, lost_from_ms)
            await self._store.forget_loss()

    async def _meet_server(self) -> None:
        """Asked when a script is not known there: for the first time ever, or because the server is new."""
        server, met = await self._store.server()
        if server != met:
            await self.raise_counters()

    # What only the dispatcher asks

    async def drop_deadline(self, *, name: str) -> str:
        """ok | early | again: a deadline that concerns nobody any more."""
        return await self._word(commands.DropDeadline(now_ms=self._now_ms(), name=name))

    async def put_off_deadline(self, *, name: str, for_ms: int) -> None:
        await self._store.put_off(name, self._now_ms() + for_ms)

    async def silent_calls(self, *, silent_ms: int, talking_ms: int, calls_max: int = 64) -> list[str]:
        """Calls without a sign of life for so long; who talks gives none, so his limit is his own."""
        return await self._store.read_silent(
            now_ms=self._now_ms(), silent_ms=silent_ms, talking_ms=talking_ms, calls_max=calls_max
        )

    async def leg_of_offer(self, *, offer_id: str) -> tuple[str, int | None]:
        """The leg that rings for it, or nothing yet; and when it was claimed, unless it is forgotten."""
        return await self._store.read_leg(offer_id)

    async def offer_of_leg(self, *, leg_id: str) -> str:
        """The offer a leg was placed for; empty: no agent's leg, or not heard of yet."""
        return await self._store.read_offer_of(leg_id)

    async def doubt_call(self, *, call_id: str) -> None:
        """Something is odd about a call under way: the next watch asks the provider about it."""
        await self._store.doubt(call_id)

    async def hold_lease(self, *, name: str, holder: str, lease_s: float) -> str:
        """ok | new (won) | taken."""
        return await self._store.hold_lease(name=name, holder=holder, lease_ms=round(lease_s * 1000))

    async def release_lease(self, *, name: str, holder: str) -> str:
        """ok | gone."""
        return await self._store.release_lease(name=name, holder=holder)

    async def wait_for_line(self, *, after_id: str, wait_s: float) -> str:
        """The journal's newest id, as soon as it is another; real time."""
        return await self._store.wait_for_line(after_id, round(wait_s * 1000))

    async def newest_line(self) -> str:
        return await self._store.newest_line()

    # Reads

    @property
    def lost_after_ms(self) -> int:
        return self._clock.product_ms(LOST_AFTER_S)

    async def read_call(self, *, call_id: str) -> CallFacts | None:
        reply = await self._store.read_call(call_id)
        return read_call_facts(reply) if reply else None

    async def desk_state(self, *, agent_id: str) -> DeskState | None:
        """What his desk shows; none: nobody of this id ever signed in."""
        reply = await self._store.read_desk(agent_id)
        return read_desk_state(reply, self._plan, self._now_ms()) if reply else None

    async def in_menu(self) -> dict[str, dict[str, int]]:
        """How many callers are at each node of the menu (`nodes`), and at the beginning of each line's (`lines`)."""
        return await self._store.read_menu(now_ms=self._now_ms())

    async def wall_state(self) -> WallState:
        now_ms = self._now_ms()
        return read_wall_state(await self._store.read_wall(now_ms=now_ms), now_ms)

    async def snapshot(self, *, times: int = 1) -> Snapshot:
        """What a decision is made on; so many times as far into each lane and pool as usual."""
        return await self._store.read_snapshot(
            now_ms=self._now_ms(),
            silent_ms=self.lost_after_ms,
            heads_max=HEADS_MAX * times,
            agents_max=AGENTS_MAX * times,
            with_turns=self._plan.has_rotation,
        )

    @property
    def _plan(self) -> Plan:
        """The one in force now: it may be another than a moment ago."""
        return plan_of(self._runtime)

    @property
    def _dial_ms(self) -> int:
        """How long it may take to reach a customer."""
        return self._plan.customer_ring_ms + self._plan.whisper_ms + self._clock.product_ms(DIAL_S)

    def _now_ms(self) -> int:
        return self._clock.now_ms()

    async def _word(self, command: commands.Command) -> str:
        return (await self._store.run(command))[0]

    async def _about_call(self, command: commands.Command) -> CallReply:
        word, *facts = await self._store.run(command)
        return CallReply(word=word, call=read_call_facts(facts) if facts else None)

    async def _about_offer(self, command: commands.Command) -> OfferReply:
        word, *facts = await self._store.run(command)
        return OfferReply(word=word, offer=read_offer_facts(facts, self._now_ms()) if facts else None)
