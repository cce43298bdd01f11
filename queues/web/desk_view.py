"""What the desk shows, as one value in one reader's words.

The page is painted from it on the server and kept up to date from it in the browser, so both always say the
same. A clock is told as an instant (`since_ms`, `until_ms`) or as a length that stands still (`for_ms`);
the browser counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from queues.domain.agents import AgentState
from queues.domain.offers import OfferState
from queues.service.switchboard import DeskCall, DeskOffer, DeskState
from queues.web.caller_view import caller_view
from queues.web.why import why_in_words
from queues.web.words import AWAY_REASONS, Words

View = dict[str, Any]

ACCEPTED = OfferState.ACCEPTED.value
_STAGES: Mapping[AgentState, str] = {
    AgentState.SIGNED_OUT: "signed_out",
    AgentState.AWAY: "away",
    AgentState.READY: "idle",
    AgentState.OFFERED: "offer",
    AgentState.CONNECTING: "connecting",
    AgentState.CONNECTED: "talking",
    AgentState.WRAP_UP: "wrap_up",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """What the desk shows beside the live state; history that SQL knows."""

    calls: int = 0
    mean_answer: str = "–"
    longest_queued_ms: int | None = None
    mine: Sequence[Mapping[str, str]] = ()
    customer: Mapping[str, Any] | None = None
    note: str = ""
    joined: str = ""  # a ticket that was there before the call, and that the caller was attached to
    class_code: str = ""
    phone: str = ""  # the identity under which a phone in the page registers
    names: Mapping[str, str] = field(default_factory=dict)  # agent_id -> name
    colleagues: Sequence[Mapping[str, str]] = ()  # to whom he may put the caller through: id, name, state
    open_queues: Sequence[str] = ()  # into which he may put him through now
    owed: Mapping[str, Any] | None = None  # who gave up and is to be called; None: no list is kept
    notes: Sequence[Mapping[str, str]] = ()  # of agents who talked with this caller before


def desk_view(state: DeskState, shift: Shift, words: Words) -> View:
    stage = _STAGES[state.state]
    work = _work(state, shift)
    may_pass = stage == "talking"
    return {
        "stage": stage,
        "title": words.t("desk.title") if not state.call and not state.offer else _name(state, words),
        "now_ms": state.now_ms,
        "agent_id": state.agent_id,
        "phone": shift.phone,
        "presence": _presence(state, words),
        "may": {
            "ready": stage in ("away", "signed_out") or bool(state.next and state.next != AgentState.READY),
            "away": stage != "signed_out"
            and stage != "away"
            and (not state.next or state.next == AgentState.READY),
            "extend": state.is_extendable,
        },
        "queue": {
            "waiting": sum(state.waiting.values()),
            "clock": _since(shift.longest_queued_ms),
        },
        "today": {"calls": shift.calls, "mean": shift.mean_answer},
        "hero": _hero(state, stage, words, shift),
        "offer": _offer(state.offer),
        "hold": _hold(state, shift, words) if may_pass else None,
        "pass": _pass(state, shift, words) if may_pass else None,
        "why": why_in_words(state.offer.why, words, shift.names) if state.offer and stage == "offer" else [],
        "work": work,
        "customer": shift.customer if state.call or state.offer else None,
        "mine": list(shift.mine),
        "owed": {**shift.owed, "may_call": state.state is AgentState.READY} if shift.owed else None,
        "away_reasons": [{"id": reason, "word": words.reason(reason)} for reason in AWAY_REASONS],
        "dispositions": [{"id": each, "word": words.disposition(each)} for each in words.plan.dispositions],
        "extend_word": words.t("desk.extend", seconds=words.plan.wrap_up_extension_ms // 1000),
    }


def _presence(state: DeskState, words: Words) -> View:
    wished, _, reason = state.next.partition(":")
    return {
        "state": str(state.state),
        "word": words.presence(state.state, state.reason if state.state is AgentState.AWAY else ""),
        "next_word": words.t("desk.after_work", presence=words.presence(wished, reason)) if wished else "",
        "clock": _since(state.since_ms) if state.state is not AgentState.SIGNED_OUT else None,
    }


def _work(state: DeskState, shift: Shift) -> View | None:
    """The form of the call that is being talked about or wrapped up."""
    if state.call is None or state.state not in (AgentState.CONNECTED, AgentState.WRAP_UP):
        return None
    return {"call_id": state.call.call_id, "disposition": "", "note": shift.note}


def _hold(state: DeskState, shift: Shift, words: Words) -> View | None:
    """Whether the caller is held, who is being asked meanwhile, and how far that is."""
    call = state.call
    if call is None:
        return None
    is_held, told = call.held_ms is not None, ""
    if call.asked_agent:
        who = shift.names.get(call.asked_agent, call.asked_agent)
        told = words.t(f"desk.hold.asked_{'there' if call.asked_state == ACCEPTED else 'rings'}", agent=who)
    return {
        "is_held": is_held,
        "next": "0" if is_held else "1",
        "word": words.t("desk.hold.back" if is_held else "desk.hold.on"),
        "told": told or (words.t("desk.hold.held") if is_held else ""),
        "may_hand_over": call.asked_state == ACCEPTED,
    }


def _pass(state: DeskState, shift: Shift, words: Words) -> View | None:
    """To whom the caller may be put through now."""
    if state.call is None:
        return None
    present = state.call.queue
    queues = [
        {"id": f"queue:{queue}", "word": words.queue(queue)}
        for queue in shift.open_queues
        if queue != present
    ]
    people = [
        {"id": f"agent:{each['id']}", "word": f"{each['name']} · {words.presence(each['state'])}"}
        for each in shift.colleagues
    ]
    groups = (("queues", queues), ("colleagues", people))
    return {
        "call_id": state.call.call_id,
        "groups": [
            {"word": words.t(f"desk.pass.{name}"), "options": options} for name, options in groups if options
        ],
    }


def _offer(offer: DeskOffer | None) -> View | None:
    if offer is None:
        return None
    return {
        "offer_id": offer.offer_id,
        "call_id": offer.call_id,
        "decline_href": f"/desk/offers/{offer.offer_id}/decline",
    }


def _hero(state: DeskState, stage: str, words: Words, shift: Shift) -> View:
    """The largest thing on the desk: who is calling and why, or what to do until somebody does."""
    fields = (
        "eyebrow",
        "title",
        "tier",
        "rank",
        "class_code",
        "matter",
        "meta",
        "hint",
        "clock_word",
        "advice",
    )
    hero: View = {**dict.fromkeys(fields, ""), "marks": [], "told": [], "waited": None, "clock": None}
    t = words.t
    about = state.offer if stage == "offer" else state.call
    if about is None:
        word = "idle" if stage not in ("away", "signed_out") else stage
        hero |= {
            "eyebrow": words.presence(state.state),
            "title": t(f"desk.hero.{word}"),
            "hint": t(f"desk.hero.{word}_hint"),
        }
        return hero
    hero |= {
        "eyebrow": t(f"desk.hero.{stage}"),
        "title": _name(state, words),
        "tier": words.tier(about.tier),
        "rank": words.rank(about.tier),
        "class_code": shift.class_code,
        "matter": words.matter(about.matter) or words.queue(about.queue),
        "meta": _meta(about, words),
        **caller_view(about.caller, words, joined=shift.joined),
    }
    if stage == "offer" and state.offer and state.offer.asked_by:
        who = shift.names.get(state.offer.asked_by, state.offer.asked_by)
        hero["eyebrow"] = t("desk.hero.asked_by", agent=who)
    hero["told"] = [*hero["told"], *shift.notes]
    return hero | _clocks(state, stage, words)


def _meta(about: DeskOffer | DeskCall, words: Words) -> str:
    ticket = words.t("desk.hero.ticket", no=about.ticket_no) if about.ticket_no else ""
    callback = words.callback("open") if about.callback else ""
    return " · ".join(part for part in (callback, words.queue(about.queue), ticket) if part)


def _clocks(state: DeskState, stage: str, words: Words) -> View:
    t, plan = words.t, words.plan
    if stage == "offer" and state.offer:
        is_answered = state.offer.state is OfferState.ANSWERED
        callback = words.callback("open") if state.offer.callback else ""
        length_ms = plan.whisper_ms if is_answered else plan.ring_ms
        # Until the phone rings the deadline is the network's, not the agent's: no countdown yet.
        counts = state.offer.state is not OfferState.CLAIMED and state.offer.ends_ms is not None
        return {
            "waited": _since(state.offer.queued_ms),
            "meta": " · ".join(
                part for part in (callback, words.queue(state.offer.queue), t("desk.hero.waited")) if part
            ),
            "clock": {"until_ms": state.offer.ends_ms, "length_ms": length_ms} if counts else None,
            "clock_word": t("desk.hero.rings_out") if not is_answered else t("desk.hero.left"),
            "hint": t("desk.hero.answered_hint") if is_answered else t("desk.hero.offer_hint_phone"),
        }
    if stage == "talking" and state.call:
        is_held = state.call.held_ms is not None
        return {
            "clock": _since(state.call.held_ms if is_held else state.call.talks_since_ms),
            "clock_word": t("desk.hero.held_for" if is_held else "desk.hero.talk_time"),
            **({"eyebrow": t("desk.hold.held")} if is_held else {}),
        }
    if stage == "wrap_up" and state.wrap_up_until_ms is not None:
        length_ms = plan.wrap_up_ms if state.is_extendable else plan.wrap_up_ms + plan.wrap_up_extension_ms
        return {
            "clock": {"until_ms": state.wrap_up_until_ms, "length_ms": length_ms},
            "clock_word": t("desk.hero.left"),
            "hint": t("desk.hero.wrap_up_hint"),
        }
    return {}


def _name(state: DeskState, words: Words) -> str:
    about = state.offer or state.call
    return (about.customer_name if about else "") or words.t("desk.unknown_caller")


def _since(since_ms: int | None) -> View | None:
    return None if since_ms is None else {"since_ms": since_ms}
