"""The switchboard's rules: step(state, command) -> the next state, a reply, journal lines, due effects.

One small function a command, in one table. Pure: no store, no clock, no chance. The scripts in `store/lua`
do the same to the live store, and one suite drives both and compares everything. A reply is the script's
reply: a word, then texts. A command that finds another state than it needs changes nothing and says so.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from queues.domain import (
    agent_rules,
    call_rules,
    callback_rules,
    case_rules,
    dial_rules,
    house_rules,
    identity_rules,
    live_rules,
    offer_rules,
    place_rules,
    queueing_rules,
    ring_back_rules,
    surge_rules,
    transfer_rules,
)
from queues.domain import commands as c
from queues.domain.effects import Effect
from queues.domain.journal import Line
from queues.domain.moves import Draft, Reply
from queues.domain.state import State


class Step(NamedTuple):
    state: State
    reply: Reply
    lines: tuple[Line, ...]
    effects: tuple[Effect, ...]
    erased: tuple[str, ...]  # ids of lines that the journal has no more


def step(state: State, command: c.Command) -> Step:
    """The given state is left as it is."""
    return advance(state.copy(), command)


def advance(state: State, command: c.Command) -> Step:
    """The same, in the given state itself: for long runs that need no past."""
    draft = Draft(state, command.now_ms)
    reply = RULES[type(command)](draft, command)
    return Step(state, reply, tuple(draft.lines), tuple(draft.effects), tuple(draft.erased))


RULES: Final[Mapping[type[c.Command], Callable[[Draft, Any], Reply]]] = {
    c.Arrive: identity_rules.arrive,
    c.IdentifyCall: identity_rules.identify_call,
    c.AnonymiseCall: identity_rules.anonymise_call,
    c.KeepGiven: case_rules.keep_given,
    c.CheckCase: case_rules.check_case,
    c.JoinTicket: case_rules.join_ticket,
    c.StepMenu: call_rules.step_menu,
    c.EnqueueCall: queueing_rules.enqueue_call,
    c.TouchCall: call_rules.touch_call,
    c.DivertCall: call_rules.divert_call,
    c.LeadCall: queueing_rules.lead_call,
    c.ReturnCall: call_rules.return_call,
    c.LeaveMessage: call_rules.leave_message,
    c.EndCall: call_rules.end_call,
    c.ForgetCall: call_rules.forget_call,
    c.DropPlace: place_rules.drop_place,
    c.ForgetCaller: callback_rules.forget_caller,
    c.AskCallback: callback_rules.ask_callback,
    c.RingBack: ring_back_rules.ring_back,
    c.TendCallback: callback_rules.tend_callback,
    c.PlaceCustomer: dial_rules.place_customer,
    c.ReachCustomer: dial_rules.reach_customer,
    c.MissCustomer: dial_rules.miss_customer,
    c.ClaimOffer: offer_rules.claim_offer,
    c.RingOffer: offer_rules.ring_offer,
    c.Ringing: offer_rules.ringing,
    c.AnswerOffer: offer_rules.answer_offer,
    c.AcceptOffer: offer_rules.accept_offer,
    c.DeclineOffer: offer_rules.decline_offer,
    c.ExpireOffer: offer_rules.expire_offer,
    c.UnringOffer: offer_rules.unring_offer,
    c.ConnectCall: call_rules.connect_call,
    c.RequeueCall: call_rules.requeue_call,
    c.TransferCall: transfer_rules.transfer_call,
    c.HoldCall: transfer_rules.hold_call,
    c.ConsultAgent: transfer_rules.consult_agent,
    c.EndConsult: transfer_rules.end_consult,
    c.HandOverCall: transfer_rules.hand_over_call,
    c.SignIn: agent_rules.sign_in,
    c.SetPresence: agent_rules.set_presence,
    c.Beat: agent_rules.beat,
    c.LoseAgent: agent_rules.lose_agent,
    c.ExtendWrapUp: agent_rules.extend_wrap_up,
    c.CloseWrapUp: agent_rules.close_wrap_up,
    c.DropDeadline: house_rules.drop_deadline,
    c.ClaimEffects: house_rules.claim_effects,
    c.RecallEffects: house_rules.recall_effects,
    c.FinishEffect: house_rules.finish_effect,
    c.RetryEffect: house_rules.retry_effect,
    c.FailEffect: house_rules.fail_effect,
    c.KeepEstimates: house_rules.keep_estimates,
    c.WeighSurge: surge_rules.weigh_surge,
    c.RaiseNotice: house_rules.raise_notice,
    c.ClearNotice: house_rules.clear_notice,
    c.ForgetMet: house_rules.forget_met,
    c.SetReserve: house_rules.set_reserve,
    c.RelaneCall: live_rules.relane_call,
    c.LendAgent: live_rules.lend_agent,
    c.TakeBackAgent: live_rules.take_back_agent,
    c.CloseQueue: live_rules.close_queue,
    c.OpenQueue: live_rules.open_queue,
    c.ActivateVersion: house_rules.activate_version,
    c.AppendLine: house_rules.append_line,
    c.RaiseCounters: house_rules.raise_counters,
}
