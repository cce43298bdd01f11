"""The rules of what the house does for itself: deadlines, due effects, others' lines, the start."""

from dataclasses import replace
from typing import Any

from queues.domain import commands as c
from queues.domain.journal import LineType
from queues.domain.moves import Draft, Reply, json_of


def drop_deadline(draft: Draft, command: c.DropDeadline) -> Reply:
    if command.name not in draft.state.deadlines:
        return ("again",)
    if draft.is_early(command.name):
        return ("early",)
    del draft.state.deadlines[command.name]
    return ("ok",)


def claim_effects(draft: Draft, command: c.ClaimEffects) -> Reply:
    state = draft.state
    due = sorted((due_ms, effect_id) for effect_id, due_ms in state.due.items() if due_ms <= command.now_ms)
    reply = ["ok"]
    for _, effect_id in due[: command.effects_max]:
        effect = replace(state.effects[effect_id], attempt=state.effects[effect_id].attempt + 1)
        state.effects[effect_id] = effect
        state.due[effect_id] = command.now_ms + command.lease_ms
        reply += [effect_id, effect.to_json()]
    return tuple(reply)


def recall_effects(draft: Draft, command: c.RecallEffects) -> Reply:
    """What nobody has taken yet keeps its hour."""
    state, in_hand = draft.state, command.in_hand.split("\n")
    for effect_id, due_ms in state.due.items():
        is_taken = state.effects[effect_id].attempt > 0 and effect_id not in in_hand
        if due_ms > command.now_ms and is_taken:
            state.due[effect_id] = command.now_ms
    return ("ok",)


def finish_effect(draft: Draft, command: c.FinishEffect) -> Reply:
    return ("ok" if draft.drop_effect(command.effect_id) else "again",)


def retry_effect(draft: Draft, command: c.RetryEffect) -> Reply:
    if command.effect_id not in draft.state.effects:
        return ("gone",)
    draft.state.due[command.effect_id] = command.due_ms
    return ("ok",)


def fail_effect(draft: Draft, command: c.FailEffect) -> Reply:
    effect = draft.state.effects.get(command.effect_id)
    if effect is None:
        return ("again",)
    draft.drop_effect(command.effect_id)
    about = {"call_id": effect.call_id, "agent_id": effect.agent_id, "offer_id": effect.offer_id}
    told: dict[str, Any] = {"kind": str(effect.kind), "attempts": effect.attempt}
    draft.line(LineType.EFFECT_FAILED, **about, **told)
    return ("ok",)


def keep_estimates(draft: Draft, command: c.KeepEstimates) -> Reply:
    draft.state.estimates = dict(json_of(command.estimates))
    return ("ok",)


def raise_notice(draft: Draft, command: c.RaiseNotice) -> Reply:
    if draft.state.notices.get(command.notice_id) == command.notice:
        return ("again",)
    draft.state.notices[command.notice_id] = command.notice
    draft.line(LineType.NOTICE_RAISED, notice_id=command.notice_id, by=command.by)
    return ("ok",)


def clear_notice(draft: Draft, command: c.ClearNotice) -> Reply:
    if draft.state.notices.pop(command.notice_id, None) is None:
        return ("again",)
    draft.line(LineType.NOTICE_CLEARED, notice_id=command.notice_id, by=command.by)
    return ("ok",)


def set_reserve(draft: Draft, command: c.SetReserve) -> Reply:
    reserves = draft.state.reserves
    if command.is_armed == (command.queue not in reserves):
        return ("again",)
    if command.is_armed:
        del reserves[command.queue]
    else:
        reserves[command.queue] = str(command.now_ms)
    draft.state.turn += 1
    type_ = LineType.RESERVE_ARMED if command.is_armed else LineType.RESERVE_RELEASED
    draft.line(type_, queue=command.queue, waited_ms=command.waited_ms)
    return ("ok",)


def forget_met(draft: Draft, command: c.ForgetMet) -> Reply:
    met = draft.state.met
    by_age = sorted((int(text.partition(" ")[0]), ref) for ref, text in met.items())
    old = [ref for at_ms, ref in by_age if at_ms <= command.before_ms][: command.met_max]
    for ref in old:
        del met[ref]
    return ("ok", str(len(old)))


def activate_version(draft: Draft, command: c.ActivateVersion) -> Reply:
    if draft.state.version == command.version:
        return ("again",)
    draft.state.version = command.version
    draft.line(LineType.SITE_ACTIVATED, version=command.version, by=command.by)
    return ("ok",)


def append_line(draft: Draft, command: c.AppendLine) -> Reply:
    return ("ok", draft.line(command.type, call_id=command.call_id, **json_of(command.data)))


def raise_counters(draft: Draft, command: c.RaiseCounters) -> Reply:
    state = draft.state
    seen = (command.last_ms, command.last_seq)
    state.last_ms, state.last_seq = max((state.last_ms, state.last_seq), seen)
    state.arrivals = max(state.arrivals, command.arrivals)
    has_lost = state.tickets < command.tickets or state.server not in ("", command.server)
    state.tickets = max(state.tickets, command.tickets)
    if has_lost and state.tickets:
        state.tickets += command.tickets_unseen
    state.server = command.server
    state.turn += 1
    return ("ok",)
