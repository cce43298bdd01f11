"""What befalls a switchboard, by seed: mostly the usual course, and everything that disturbs it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from queues.domain import commands as c
from queues.domain.agents import Agent
from queues.domain.calls import DIVERSIONS, Call
from queues.domain.lanes import Lane
from queues.domain.offers import OfferId
from queues.domain.state import State
from queues.domain.surges import Subject
from tests.doubles import MONDAY_0900_MS
from tests.switchboard.world import lane

CALLS_AT_ONCE = 5
AGENTS = ("mei", "bo", "ann")
LANES = (lane(), lane(tier="vip", head_start_ms=120_000), lane("gas", "normal", is_safety=True))
# Their repetition tells something new: the next effects, another line.
UNREPEATABLE = (c.ClaimEffects, c.AppendLine, c.RaiseCounters, c.LoseAgent, c.ForgetMet)
STEPS_MS = (0, 0, 1, 300, 900, 4_000, 16_000, 31_000)
WHY = json.dumps({"rule": "键/key"}, ensure_ascii=False)


@dataclass
class Workload:
    chance: Random
    now_ms: int = MONDAY_0900_MS
    calls: list[str] = field(default_factory=lambda: [f"CA{n}" for n in range(1, CALLS_AT_ONCE + 1)])
    _known: set[str] = field(default_factory=set)

    def next(self, state: State) -> c.Command:
        """One command for this state: three in four are what would come next if all went well."""
        self.now_ms += self.chance.choice(STEPS_MS)
        self._replace_the_forgotten(state)
        if self.chance.random() < 0.02:
            return self._command(c.LoseAgent, agent_id=self._one(AGENTS), silent_ms=45_000)
        usual = self._usual(state)
        command = self._one(usual) if usual and self.chance.random() < 0.75 else self._disturbance(state)
        behind = self.chance.random() < 0.03  # another machine's clock
        return replace(command, now_ms=command.now_ms - 50) if behind else command

    def change_of_file(self) -> tuple[str, str] | None:
        """Now and then somebody is set apart from a customer who has called already, or is no more."""
        if self.chance.random() > 0.1:
            return None
        never = self._one([[], ["bo"], ["mei"], ["mei", "ann"]])
        return "C1", json.dumps(
            {"name": "林", "tier": "vip", "area": "east", "never": never}, ensure_ascii=False
        )

    def _replace_the_forgotten(self, state: State) -> None:
        """An id is used for one call only."""
        for place, call_id in enumerate(self.calls):
            if call_id in self._known and call_id not in state.calls:
                self.calls[place] = f"CA{len(self._known) + CALLS_AT_ONCE}"
        self._known |= state.calls.keys()

    def _one(self, choices: Sequence[Any]) -> Any:
        return self.chance.choice(list(choices))

    def _command(self, kind: Callable[..., c.Command], **fields: Any) -> c.Command:
        return kind(now_ms=self.now_ms, **fields)

    # The usual course

    def _usual(self, state: State) -> list[c.Command]:
        usual = [self._arrival(call_id) for call_id in self.calls if call_id not in state.calls]
        for call in state.calls.values():
            usual += self._next_of_call(state, call)
        usual += [self._command(c.DropPlace, caller_ref=ref) for ref in state.places]
        for agent_id in AGENTS:
            usual += self._next_of_agent(agent_id, state.agents.get(agent_id))
        return usual

    def _next_of_call(self, state: State, call: Call) -> list[c.Command]:
        match call.state:
            case "menu":
                step = self._command(
                    c.StepMenu, call_id=call.call_id, node="main", step=call.step + 1, locale="", record=""
                )
                return [
                    step,
                    self._entry(call.call_id, is_open=self.chance.random() < 0.85),
                    self._one(self._at_the_keys(call.call_id)),
                    *([self._ring_back(call.call_id)] if self.chance.random() < 0.1 else []),
                ]
            case "queued":
                claims = [self._claim(call.call_id, agent_id, state.turn) for agent_id in sorted(state.ready)]
                asks = self._command(c.AskCallback, call_id=call.call_id, linger_ms=5_000, expires_ms=300_000)
                return [
                    *claims,
                    self._round_of_waiting(call.call_id),
                    asks if not call.callback else self._tend(call.call_id),
                    *([self._leaves(call.leg_id)] if call.leg_id else []),
                ]
            case "calling":
                return [*self._of_a_customer(call.offer_id, f"out-{call.offer_id}"), self._tend(call.call_id)]
            case "resting":
                return [self._tend(call.call_id), self._end(call.call_id)]
            case "offered" | "connecting":
                return self._next_of_offer(state, call)
            case "connected":
                return (self._next_of_consult if call.consult_id else self._next_of_talk)(state, call)
            case "messaging" if call.diverted_to == "transfer":
                return [self._end(call.call_id), self._command(c.ReturnCall, call_id=call.call_id)]
            case "ended":
                return [self._command(c.ForgetCall, call_id=call.call_id)]
            case _:
                return [self._end(call.call_id)]

    def _next_of_talk(self, state: State, call: Call) -> list[c.Command]:
        about = {"call_id": call.call_id, "agent_id": call.agent_id}
        asked = [self._consult(call.call_id, call.agent_id, each) for each in sorted(state.ready)]
        hold = self._command(c.HoldCall, **about, is_held=call.held_ms is None)
        return [self._end(call.call_id), self._transfer(call.call_id, call.agent_id), hold, *asked]

    def _next_of_consult(self, state: State, call: Call) -> list[c.Command]:
        """What else may happen to the talk meanwhile is a disturbance, else hardly a colleague would come to it."""
        over = self._hand_over(call.call_id, call.agent_id)
        left = self._command(c.EndConsult, offer_id=call.consult_id, leg_id=self._one(["", "", "leg-other"]))
        if state.offers[call.consult_id].state == "accepted":
            return [over, over, left, left]
        return [*self._next_of_offer(state, replace(call, offer_id=OfferId(call.consult_id)))]

    def _next_of_offer(self, state: State, call: Call) -> list[c.Command]:
        offer = state.offers[call.offer_id]
        about = {"offer_id": offer.offer_id, "leg_id": f"leg-{offer.offer_id}"}
        if offer.state == "accepted":
            of_call = {"call_id": call.call_id, "offer_id": offer.offer_id}
            if call.is_off_line:
                return self._of_a_customer(offer.offer_id, f"out-{offer.offer_id}")
            too_long = self._command(c.RequeueCall, **of_call, by="deadline", skip_ms=10_000)
            return [self._command(c.ConnectCall, **of_call, remembers=self._one([False, True])), too_long]
        if offer.state == "claimed":
            return [self._command(c.RingOffer, **about), self._command(c.Ringing, **about, ring_ms=15_000)]
        if offer.state == "ringing":
            return [self._command(c.AnswerOffer, **about, whisper_ms=15_000)]
        return [self._command(c.AcceptOffer, **about, connect_ms=15_000)]

    def _next_of_agent(self, agent_id: str, agent: Agent | None) -> list[c.Command]:
        if agent is None or agent.state == "signed_out":
            return [self._sign_in(agent_id, "power")]
        beat = self._command(c.Beat, agent_id=agent_id)
        if agent.state == "away":
            return [self._command(c.SetPresence, agent_id=agent_id, presence="ready", reason=""), beat]
        if agent.state == "wrap_up":
            return [
                self._command(c.CloseWrapUp, agent_id=agent_id, disposition="solved", by="deadline"),
                beat,
            ]
        return [beat]

    def _tend(self, call_id: str) -> c.Command:
        opens_ms = self.now_ms + self._one([0, 0, 0, 60_000])
        closes_ms = self._one([0, self.now_ms + 120_000])
        return self._command(
            c.TendCallback,
            call_id=call_id,
            opens_ms=opens_ms,
            closes_ms=closes_ms,
            hold_ms=30_000,
            forget_ms=60_000,
        )

    def _ring_back(self, call_id: str) -> c.Command:
        where: Lane = self._one(LANES)
        return self._command(
            c.RingBack, call_id=call_id, queue=where.queue, matter="outage", tier=where.tier,
            lane_id=where.lane_id, lane=where.to_json(), head_start_ms=where.head_start_ms, locale="en-US",
            named=self._one(["", "ring_back 600000 mei"]), agent_id=self._one(AGENTS), expires_ms=20_000,
        )  # fmt: skip

    def _leaves(self, leg_id: str) -> c.Command:
        """Whoever was called back hangs up while he waits."""
        terms = {"every_ms": 20_000, "tries_max": 3, "forget_ms": 60_000}
        return self._command(c.MissCustomer, offer_id="", leg_id=leg_id, why="no_key", **terms)

    def _of_a_customer(self, offer_id: str, leg_id: str) -> list[c.Command]:
        about = {"offer_id": offer_id, "leg_id": leg_id}
        why = self._one(["unanswered", "unreached", "no_key", "deadline"])
        return [
            # No provider tells of a leg without its name.
            self._command(
                c.PlaceCustomer,
                offer_id=offer_id,
                leg_id=leg_id or "out-other",
                is_up=self._one([False, True]),
            ),
            self._command(c.ReachCustomer, **about, remembers=self._one([False, True])),
            self._command(c.MissCustomer, **about, why=why, every_ms=20_000, tries_max=3, forget_ms=60_000),
        ]

    # What disturbs it

    def _disturbance(self, state: State) -> c.Command:
        call_id = self._one(self.calls)
        current = [call.offer_id for call in state.calls.values() if call.offer_id]
        offers = [*current * 3, *state.offers, "CA9-1"]
        offer_id = self._one(offers)
        return self._one(
            [
                *self._late_for_a_call(call_id, offer_id),
                *self._late_for_an_offer(offer_id),
                *self._from_an_agent(self._one(AGENTS)),
                *self._from_the_house(state),
                self._claim(call_id, self._one(AGENTS), state.turn - self._one([0, 1])),
            ]
        )

    def _late_for_a_call(self, call_id: str, offer_id: str) -> list[c.Command]:
        of_offer = {"call_id": offer_id.partition("-")[0], "offer_id": offer_id}
        step, record = self._one([0, 1, 2]), self._one(["", "refused"])
        return [
            self._arrival(call_id),
            self._entry(call_id, is_open=True),
            self._end(call_id),
            self._command(c.StepMenu, call_id=call_id, node="late", step=step, locale="en-US", record=record),
            self._one(self._at_the_keys(call_id)),
            self._command(c.ReturnCall, call_id=call_id),
            self._command(c.TouchCall, call_id=call_id),
            self._round_of_waiting(call_id),
            self._command(
                c.DivertCall, call_id=call_id, to=self._one(DIVERSIONS), step=self._one([-1, -1, 0, 1, 9])
            ),
            self._command(c.LeadCall, call_id=call_id, node="on", queue=self._one(["power", "gas"])),
            self._leaves(self._one([f"out-{call_id}-1", f"out-{call_id}-2", "out-other"])),
            self._command(c.LeaveMessage, call_id=call_id),
            self._command(c.AskCallback, call_id=call_id, linger_ms=5_000, expires_ms=300_000),
            self._tend(call_id),
            self._ring_back(call_id),
            self._command(c.ForgetCall, call_id=call_id),
            self._command(c.ConnectCall, **of_offer),
            self._transfer(call_id, self._one(AGENTS)),
            self._consult(call_id, self._one(AGENTS), self._one(AGENTS)),
            self._hand_over(call_id, self._one(AGENTS)),
            self._command(c.EndConsult, offer_id=offer_id, leg_id=self._one(["", f"leg-{offer_id}"])),
            self._command(
                c.HoldCall,
                call_id=call_id,
                agent_id=self._one(AGENTS),
                is_held=self._one([False, True]),
            ),
            self._command(
                c.RequeueCall,
                **of_offer,
                by=self._one(["deadline", "agent", "provider"]),
                skip_ms=10_000,
                leg_id=self._one(["", f"leg-{offer_id}", "leg-other"]),
            ),
        ]

    def _round_of_waiting(self, call_id: str) -> c.Command:
        times = {"first_ms": self._one([0, 15_000]), "every_ms": self._one([15_000, 15_000, 0])}
        return self._command(
            c.TouchCall, call_id=call_id, round_no=self._one([0, 1, 2]), fresh_ms=30_000, **times
        )

    def _at_the_keys(self, call_id: str) -> list[c.Command]:
        """What a caller does in the menu beside going through it."""
        account = self._one(["a-vip", "a-plain", "a-cared", "a-dangling", "a-none"])
        case = [("case_no", "12"), ("case_no", "000013"), ("case_no", "9999999"), ("access_code", "k-1234")]
        name, value = self._one([*case, ("access_code", "k-none"), ("meter", "007")])
        limits = {"wrong_max": 2, "case_wrong_max": 4, "case_within_ms": 120_000}
        return [
            self._command(
                c.IdentifyCall, call_id=call_id, account_key=account, default_tier="normal", wrong_max=2
            ),
            self._command(c.AnonymiseCall, call_id=call_id, default_tier="normal"),
            self._command(c.KeepGiven, call_id=call_id, name=name, value=value),
            self._command(c.KeepGiven, call_id=call_id, name="case_no", value=self._one(["12", "0000013"])),
            self._command(c.CheckCase, call_id=call_id, step=self._one([-1, 0, 1, 2, 3]), **limits),
            self._command(
                c.JoinTicket, call_id=call_id, ticket_no=self._one(["T000012", "T000013", "T000014"])
            ),
        ]

    def _late_for_an_offer(self, offer_id: str) -> list[c.Command]:
        leg_id = self._one([f"leg-{offer_id}"] * 5 + ["leg-other"])
        about = {"offer_id": offer_id, "leg_id": leg_id}
        by = self._one(["deadline", "provider"])
        news_of = {"offer_id": offer_id, "leg_id": self._one(["", leg_id])}
        return [
            *self._of_a_customer(offer_id, self._one([f"out-{offer_id}", "out-other", ""])),
            self._command(c.RingOffer, **about),
            self._command(c.Ringing, offer_id=offer_id, leg_id=self._one(["", leg_id]), ring_ms=15_000),
            self._command(c.AnswerOffer, **about, whisper_ms=15_000),
            self._command(c.AcceptOffer, **about, connect_ms=15_000),
            self._command(c.DeclineOffer, **news_of, skip_ms=10_000),
            self._command(c.ExpireOffer, **news_of, by=by, skip_ms=60_000, missed_max=2),
            self._command(c.UnringOffer, **news_of, skip_ms=60_000),
        ]

    def _from_an_agent(self, agent_id: str) -> list[c.Command]:
        presence = self._one(["ready", "away", "away", "signed_out"])
        reason = self._one(["", "lunch:long"])
        wrapping = self._one([agent_id, "nobody"])
        return [
            self._sign_in(agent_id, self._one(["power", "gas,power", "", "@vip,power"])),
            self._command(c.SetPresence, agent_id=agent_id, presence=presence, reason=reason),
            self._command(c.Beat, agent_id=wrapping),
            self._command(c.ExtendWrapUp, agent_id=wrapping, by_ms=60_000),
            self._command(
                c.CloseWrapUp, agent_id=wrapping, disposition="", by=self._one(["agent", "deadline"])
            ),
        ]

    def _from_the_house(self, state: State) -> list[c.Command]:
        effect_id = self._one([*sorted(state.effects), "ring:none"])
        seen = self._one([0, 3])
        return [
            self._command(c.DropPlace, caller_ref=self._one(sorted(state.places) or ["r/1", "r/2"])),
            self._command(c.ForgetCaller, caller_ref=self._one(["r/1", "r/2"])),
            self._command(c.DropDeadline, name=self._one(self._droppable(state) or ["offer:none"])),
            self._command(c.RecallEffects, in_hand=self._one(["", effect_id, f"ring:none\n{effect_id}"])),
            self._command(c.ClaimEffects, lease_ms=30_000, effects_max=2),
            self._command(c.FinishEffect, effect_id=effect_id),
            self._command(c.FailEffect, effect_id=effect_id),
            self._command(c.RetryEffect, effect_id=effect_id, due_ms=self.now_ms + 5),
            self._one(self._from_a_supervisor()),
            self._command(
                c.SetReserve, queue="power", is_armed=self._one([False, True]), waited_ms=self._one([0, 9])
            ),
            self._command(c.ForgetMet, before_ms=self.now_ms - 60_000, met_max=self._one([1, 9])),
            self._one(self._live_changes(state)),
            self._estimates(),
            self._surge(),
            self._command(c.AppendLine, type="recording.started", call_id="CA1", data='{"id":"RE1"}'),
            self._command(
                c.RaiseCounters,
                last_ms=self.now_ms + seen,
                last_seq=seen,
                arrivals=seen,
                tickets=seen,
                server="A" if seen else "B",
                tickets_unseen=seen,
            ),
        ]

    def _droppable(self, state: State) -> list[str]:
        """The dispatcher drops what concerns nobody; a promise is tended."""
        return sorted(name for name in state.deadlines if not name.startswith("callback:"))

    def _surge(self) -> c.Command:
        queue = self._one(["power", "gas"])
        subject = Subject(count=9, limit=4, queues=(queue,), queue=queue)
        return self._command(
            c.WeighSurge,
            surge_id=subject.surge_id,
            level=self._one(["high", "middle", "low", "low"]),
            subject=subject.to_json(),
            calm_ms=30_000,
            on_call=self._one(["", "mei,bo"]),
        )

    def _estimates(self) -> c.Command:
        steps = self._one(["1:0:60 3:60:180", "2:120:300 9:600:86400", "1:0:120 2:0:0"])
        text = f"{self.now_ms - self._one([0, 0, 31_000])} {steps}"
        known = self._one([LANES, LANES[:1], ()])
        told = {each.lane_id: text for each in known}
        return self._command(c.KeepEstimates, estimates=json.dumps(told))

    def _from_a_supervisor(self) -> list[c.Command]:
        notice_id, areas = self._one(["n1", "n2"]), self._one([[], ["east"], ["west", "east"]])
        starts_ms = self.now_ms + self._one([-60_000, 0, 5_000])
        ends_ms = self._one([None, 0, starts_ms + 20_000])
        text = {"zh": "停电/故障", "en": "outage"}
        notice = {"id": notice_id, "areas": areas, "text": text, "starts_ms": starts_ms, "ends_ms": ends_ms}
        json_ = json.dumps(notice, ensure_ascii=False)
        return [
            self._command(c.RaiseNotice, notice_id=notice_id, notice=json_, by="chief"),
            self._command(c.ClearNotice, notice_id=notice_id, by="chief"),
            self._command(c.ActivateVersion, version=self._one(["v1", "v2"]), by="chief"),
        ]

    def _live_changes(self, state: State) -> list[c.Command]:
        """One call, one agent, one queue: as a supervisor changes them while people wait."""
        call_id, queue = self._one(self.calls), self._one(["power", "gas"])
        agent_id = self._one([*AGENTS, "nobody"])
        call = state.calls.get(call_id)
        was = call.lane_id if call and self.chance.random() < 0.9 else "elsewhere"
        to: Lane = self._one([*LANES, replace(LANES[1], is_raised=True)])
        return [
            self._command(
                c.RelaneCall, call_id=call_id, from_lane_id=was, lane_id=to.lane_id, lane=to.to_json(),
                is_raised=to.is_raised, by="chief",
            ),
            self._command(c.LendAgent, agent_id=agent_id, queue=queue, skills=self._one([queue, "a,b"]), by="chief"),
            self._command(c.TakeBackAgent, agent_id=agent_id, queue=queue, by="chief"),
            self._command(c.CloseQueue, queue=queue, leads=self._one([False, True]), by="chief"),
            self._command(c.OpenQueue, queue=queue, by="chief"),
        ]  # fmt: skip

    def _arrival(self, call_id: str) -> c.Command:
        ref = self._one(["r/1", "r/1", "r/2", "withheld"])
        key = self._one(["k-vip", "k-plain", "k-shared", "k-none", "k-dangling"])
        return self._command(
            c.Arrive, call_id=call_id, line="main", caller_ref=ref, number="+86138", number_key=key,
            default_tier="normal", default_locale="zh-CN", is_internal=self._one([False, True]), site_version="v1",
        )  # fmt: skip

    def _entry(self, call_id: str, *, is_open: bool) -> c.Command:
        where: Lane = self._one(LANES)
        return self._command(
            c.EnqueueCall, call_id=call_id, queue=where.queue, matter="outage",
            tier=self._one(["", where.tier]), lane_id=where.lane_id, lane=where.to_json(),
            head_start_ms=where.head_start_ms, locale=self._one(["", "en-US"]),
            ticket_type=self._one(["", "repair"]), ticket_on="answer",
            work_queue="w", is_open=is_open, access_key=self._one(["", "k-1234"]),
            own_ticket=self._one([False, True]), waiting_max=self._one([0, 0, 1, 2]),
            named=self._one(["", "", "manager 20000 mei", "manager 0 nobody\nlast_agent 5000 bo"]),
        )  # fmt: skip

    def _claim(self, call_id: str, agent_id: str, turn: int) -> c.Command:
        return self._command(
            c.ClaimOffer, call_id=call_id, agent_id=agent_id, turn=turn, place_ms=35_000, lease_ms=30_000,
            why=WHY, is_turn=self._one([False, True]), dial_ms=self._one([0, 40_000]),
        )  # fmt: skip

    def _consult(self, call_id: str, agent_id: str, colleague_id: str) -> c.Command:
        about = {"call_id": call_id, "agent_id": agent_id, "colleague_id": colleague_id}
        return self._command(c.ConsultAgent, **about, place_ms=35_000)

    def _hand_over(self, call_id: str, agent_id: str) -> c.Command:
        return self._command(
            c.HandOverCall, call_id=call_id, agent_id=agent_id, wrap_up_ms=30_000, connect_ms=15_000
        )

    def _transfer(self, call_id: str, agent_id: str) -> c.Command:
        where: Lane = self._one(LANES)
        return self._command(
            c.TransferCall, call_id=call_id, agent_id=agent_id, queue=where.queue, lane_id=where.lane_id,
            lane=where.to_json(), head_start_ms=where.head_start_ms, skip_ms=60_000,
            named=self._one(["", "transfer 300000 bo"]), wrap_up_ms=30_000,
        )  # fmt: skip

    def _end(self, call_id: str) -> c.Command:
        by = self._one(["caller", "agent", "system"])
        return self._command(
            c.EndCall,
            call_id=call_id,
            by=by,
            offer_id=f"{call_id}-{self._one([1, 2, 3])}" if by == "agent" else "",
            connect_ms=15_000,
            wrap_up_ms=30_000,
            linger_ms=10_000,
            forget_ms=60_000,
            place_kept_ms=self._one([0, 90_000]),
            leg_id=self._one(["", "", call_id, f"out-{call_id}-1", f"out-{call_id}-2"]),
        )

    def _sign_in(self, agent_id: str, skills: str) -> c.Command:
        return self._command(
            c.SignIn, agent_id=agent_id, name="美", skills=skills, endpoint=f"client:{agent_id}/1"
        )
