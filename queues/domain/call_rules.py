"""The rules of commands about a call: each changes a draft and replies, or replies why it does not."""

from typing import Any

from queues.domain import calls
from queues.domain import commands as c
from queues.domain.agents import AgentEvent
from queues.domain.announcing import is_due, range_at, read_told, tell
from queues.domain.callback_rules import drop_promise, end_callback, how_it_ends, is_taken_over
from queues.domain.calls import ASKED, KEPT, Call, CallEvent, CallState
from queues.domain.case_rules import without_asking
from queues.domain.dial_rules import end_dial, own_wait_ms
from queues.domain.effects import EffectKind
from queues.domain.identity_rules import running_notices
from queues.domain.journal import LineType
from queues.domain.lanes import Lane, Skip, member_of
from queues.domain.moves import Draft, Reply, about, refuse
from queues.domain.named import ref_of
from queues.domain.offer_rules import is_other_leg
from queues.domain.offers import offer_id_of
from queues.domain.place_rules import keep_place
from queues.domain.state import State, leads_out
from queues.domain.transfer_rules import keep_held


def step_menu(draft: Draft, command: c.StepMenu) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or call.state is not CallState.MENU:
        return refuse(call)
    is_late = command.step <= call.step
    if is_late and not (command.record == "refused" and call.record != "refused"):
        return about("again", call)
    if is_late:  # he has been told that he is not recorded: that holds, whenever we learn of it
        call = draft.change_call(call, record=command.record)
    else:
        call = draft.change_call(
            call,
            node=command.node,
            step=command.step,
            locale=command.locale or call.locale,
            record=command.record or call.record,
        )
    draft.state.live[call.call_id] = command.now_ms
    told: dict[str, Any] = {"node": call.node, "step": call.step, "locale": call.locale}
    draft.line(LineType.CALL_MENU_STEPPED, call_id=call.call_id, record=call.record, **told)
    return about("again" if is_late else "ok", call)


def touch_call(draft: Draft, command: c.TouchCall) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or call.state is CallState.ENDED:
        return refuse(call)
    if call.is_off_line:
        return about("again", call)
    draft.state.live[call.call_id] = command.now_ms
    if call.state is CallState.MENU:
        call = draft.change_call(call, notices=running_notices(draft, call.area))
    if call.state in calls.WAITING:
        place = place_of(draft.state, call)
        call = draft.change_call(call, position=min(place, call.position or place))
        call = _announce(draft, call, command)
    return about("ok", call)


def _announce(draft: Draft, call: Call, command: c.TouchCall) -> Call:
    """What is told in this round of waiting, if anything is due; the webhook that comes twice hears it twice."""
    told, lane = read_told(call.told), Lane.from_json(call.lane)
    times = {"first_ms": command.first_ms, "every_ms": command.every_ms, "now_ms": command.now_ms}
    if not command.every_ms or lane.is_safety or not is_due(told, entered_ms=call.entered_ms or 0, **times):
        return call
    entries = draft.state.lanes.get(call.lane_id, ())
    entry = (call.queued_ms, member_of(call.arrival, call.call_id))
    depth = entries.index(entry) + 1 if entry in entries else 0
    text = draft.state.estimates.get(call.lane_id, "") if depth else ""
    found = range_at(text, depth, command.now_ms, command.fresh_ms)
    now = tell(told, round_no=command.round_no, now_ms=command.now_ms, position=call.position, found=found)
    draft.line(
        LineType.CALL_TOLD,
        call_id=call.call_id,
        queue=call.queue,
        tier=call.tier,
        position=now.position,
        low_s=now.low_s,
        high_s=now.high_s,
    )
    return draft.change_call(call, told=str(now))


def place_of(state: State, call: Call) -> int:
    """1 + how many wait in front of it in its queue, heads past their ceiling left aside."""
    mine = Lane.from_json(call.lane)
    key = (call.queued_ms or 0) - mine.head_start_ms
    ahead = 0
    for lane_id, entries in state.lanes.items():
        lane = Lane.from_json(state.lane_rules[lane_id])
        if lane.queue != mine.queue or (mine.is_safety and not lane.is_safety):
            continue
        if lane.is_safety and not mine.is_safety:
            ahead += len(entries)
        else:
            ahead += sum(queued_ms - lane.head_start_ms < key for queued_ms, _ in entries)
    return ahead + 1


def divert_call(draft: Draft, command: c.DivertCall) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is not None and (call.callback or _has_left(call, command.step)):
        return refuse(call)
    if call is None or calls.next_state(call.state, CallEvent.DIVERT) is None:
        return refuse(call, again=(CallState.MESSAGING,))
    _stop_waiting(draft, call, "diverted")
    is_led = call.state is not CallState.MENU and leads_out(draft.state, call.queue)
    call = draft.change_call(
        draft.state.calls[call.call_id],
        CallEvent.DIVERT,
        diverted_to=command.to,
        is_open=call.is_open and not is_led,
    )
    draft.state.live[call.call_id] = command.now_ms
    draft.line(LineType.CALL_DIVERTED, call_id=call.call_id, to=command.to)
    return about("ok", call)


def _has_left(call: Call, step: int) -> bool:
    """Whether this step of the menu comes too late to lead him anywhere: he waits, talks, or is at a later one."""
    is_there = call.state in (CallState.MENU, CallState.MESSAGING)
    return step >= 0 and not (is_there and step >= call.step)


def return_call(draft: Draft, command: c.ReturnCall) -> Reply:
    """Nobody answered there: back to the menu, where a way on is found."""
    call = draft.state.calls.get(command.call_id)
    if call is None or call.diverted_to != calls.TRANSFER or call.state is not CallState.MESSAGING:
        return refuse(call, again=(CallState.MENU,))
    call = draft.change_call(call, CallEvent.RETURN, diverted_to="")
    draft.state.live[call.call_id] = command.now_ms
    draft.line(LineType.CALL_RETURNED, call_id=call.call_id)
    return about("ok", call)


def _stop_waiting(draft: Draft, call: Call, why: str) -> None:
    """Out of the lane, or away from the agent, who is not to blame: his idle time runs on."""
    if call.state is CallState.QUEUED:
        draft.leave_lane(call)
    elif call.state is CallState.OFFERED:
        draft.withdraw_offer(draft.state.offers[call.offer_id], why)
        draft.release(draft.state.agents[call.agent_id])
    elif call.state is CallState.CONNECTING:
        draft.change_call(call, offer_id="", agent_id="")
        draft.release(draft.state.agents[call.agent_id])


def leave_message(draft: Draft, command: c.LeaveMessage) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or not _was_messaging(call):
        return refuse(call)
    if call.is_message_left:
        return about("again", call)
    is_all = call.state is CallState.ENDED and call.answered_ms is None
    outcome = calls.Outcome.VOICEMAIL if is_all else call.outcome
    call = draft.change_call(call, is_message_left=True, outcome=str(outcome))
    draft.line(LineType.CALL_MESSAGE_LEFT, call_id=call.call_id, outcome=str(outcome))
    return about("ok", call)


def _was_messaging(call: Call) -> bool:
    """In messaging now, or when it ended: the provider tells of the message after the hang-up, too."""
    ended_there = call.state is CallState.ENDED and (bool(call.diverted_to) or not call.is_open)
    return call.state is CallState.MESSAGING or ended_there


def end_call(draft: Draft, command: c.EndCall) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or call.state is CallState.ENDED:
        if command.by == "caller":
            draft.drop_effect(f"{EffectKind.HANG_UP}:{command.leg_id or command.call_id}")
        return about("again" if call else "gone", call)
    if call.callback and _is_called_back_all_the_same(draft, call, command.leg_id):
        return about("again", call)
    if command.offer_id and command.offer_id != call.offer_id:
        return about("again", call)
    if command.by == "agent" and call.state is CallState.CONNECTED and call.held_ms is not None:
        return about("kept", keep_held(draft, call, command.wrap_up_ms, command.connect_ms))
    return about("ok", _end(draft, call, command))


def _end(draft: Draft, call: Call, command: c.EndCall) -> Call:
    outcome = calls.outcome_of(call)
    call = draft.drop_consult(call, "ended")
    if call.state in (CallState.CONNECTING, CallState.CONNECTED):
        draft.end_agent_leg(call, is_there=command.by != "agent")
    if call.state is CallState.CONNECTED and command.by != "caller":
        _let_go(draft, call, command.linger_ms)
    if call.state in calls.WAITING or (call.state is CallState.MENU and call.led):
        keep_place(draft, call, command.place_kept_ms)
    _stop_waiting(draft, call, "ended")
    ended = draft.change_call(
        draft.state.calls[call.call_id],
        CallEvent.END,
        outcome=str(outcome),
        ended_ms=command.now_ms,
        ended_by=command.by,
        given=without_asking(call.given),
    )
    if call.callback:
        draft.let_go_of_customer(call)
    draft.state.live.pop(call.call_id, None)
    draft.state.deadlines[f"forget:{call.call_id}"] = command.now_ms + command.forget_ms
    told: dict[str, Any] = {"outcome": ended.outcome, "by": command.by, "ended_ms": command.now_ms}
    if ended.callback:
        told |= {"callback": ended.callback, "tries": ended.tries or 0}
    draft.line(LineType.CALL_ENDED, call_id=ended.call_id, agent_id=ended.agent_id, **told)
    if call.state is CallState.CONNECTED:
        draft.start_wrap_up(draft.state.agents[ended.agent_id], command.wrap_up_ms)
    return ended


def _is_called_back_all_the_same(draft: Draft, call: Call, leg_id: str) -> bool:
    """The end of the line he asked on is not the end of his callback: now he can be rung. Nor is the end of one on
    which he waits for an agent, see miss_customer."""
    if not call.has_promise:
        return bool(leg_id) and leg_id != call.leg_id
    if call.callback == ASKED and call.state is CallState.RESTING:
        draft.state.deadlines[f"callback:{call.call_id}"] = draft.now_ms
    return True


def _let_go(draft: Draft, call: Call, linger_ms: int) -> None:
    """He hears goodbye and leaves; unless he came when the agent had gone, and sits alone in the conference."""
    draft.due(
        EffectKind.HANG_UP,
        call.leg_id or call.call_id,
        due_ms=draft.now_ms + linger_ms,
        call_id=call.call_id,
        leg_id=call.leg_id or call.call_id,
    )


def forget_call(draft: Draft, command: c.ForgetCall) -> Reply:
    state = draft.state
    call = state.calls.get(command.call_id)
    state.deadlines.pop(f"forget:{command.call_id}", None)
    if call is None:
        return ("again",)
    if call.state is not CallState.ENDED:
        return (f"stale:{call.state}",)
    for n in range(1, call.offers + 1):
        offer = state.offers.pop(offer_id_of(call.call_id, n), None)
        if offer is not None:
            state.legs.pop(offer.leg_id, None)
            state.legs.pop(offer.customer_leg_id, None)
    del state.calls[call.call_id]
    return ("ok",)


def connect_call(draft: Draft, command: c.ConnectCall) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or call.offer_id != command.offer_id or call.state is CallState.ENDED or call.is_off_line:
        return about("gone", call)
    if call.state is not CallState.CONNECTING:
        return about("again" if call.state is CallState.CONNECTED else "gone", call)
    offer_id = command.offer_id
    wait_ms = command.now_ms - (call.waits_ms or call.entered_ms or call.queued_ms or 0)
    if call.has_promise:
        drop_promise(draft, call)
        call, wait_ms = draft.change_call(call, callback=KEPT), own_wait_ms(call)
    call = draft.change_call(
        call,
        CallEvent.CONNECT,
        answered_ms=call.answered_ms or command.now_ms,
        connected_ms=command.now_ms,
        room=offer_id,
        talks=call.talks + 1,
    )
    draft.change_agent(draft.state.agents[call.agent_id], AgentEvent.CONNECT)
    draft.state.live[call.call_id] = command.now_ms
    draft.state.deadlines.pop(f"connect:{offer_id}", None)
    draft.drop_effect(f"{EffectKind.PULL}:{offer_id}")
    ids: dict[str, Any] = {"call_id": call.call_id, "agent_id": call.agent_id, "offer_id": offer_id}
    if call.record == "wanted":
        draft.due(EffectKind.RECORD, call.call_id, **ids, leg_id=call.leg_id)
    if command.remembers and (ref := ref_of(call.customer_id, call.caller_ref)):
        draft.state.met[ref] = f"{command.now_ms} {call.agent_id}"
    told: dict[str, Any] = {"answered_ms": call.answered_ms, "wait_ms": wait_ms}
    draft.line(
        LineType.CALL_CONNECTED, **ids, **told, queue=call.queue, recording=call.record, talk=call.talks
    )
    draft.take_turn(draft.state.offers[call.offer_id])
    return about("ok", call)


def requeue_call(draft: Draft, command: c.RequeueCall) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if command.by == "deadline" and draft.is_early(f"connect:{command.offer_id}"):
        return about("early", call)
    offer = draft.state.offers.get(command.offer_id)
    if offer is not None and is_other_leg(offer, command.leg_id):
        return about("gone", call)
    if call is None or call.state is not CallState.CONNECTING or call.offer_id != command.offer_id:
        return refuse(call)
    is_dialled = call.is_off_line
    if is_dialled and command.by == "deadline":  # he was not reached: that is a try
        return refuse(call)
    agent = draft.state.agents[call.agent_id]
    if is_dialled:
        end_dial(draft, draft.state.offers[call.offer_id], is_agent_there=command.by != "agent")
    draft.end_agent_leg(call, is_there=command.by != "agent")
    skip = Skip(command.now_ms + command.skip_ms, "connecting", agent.agent_id)
    if is_dialled and is_taken_over(draft.state, call):
        end_callback(draft, call, how_it_ends(draft, call), command.forget_ms)
    else:
        draft.requeue(call, "connecting", skip)
    draft.release(agent, idle_ms=command.now_ms)
    return about("ok", draft.state.calls[call.call_id])
