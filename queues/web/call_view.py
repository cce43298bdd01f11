"""A call record as the lists and pages show it: in one reader's words, with its number masked."""

from typing import Any

from config import numbers
from queues.service.calls import CallRow
from queues.web.times import day_and_time, face, iso
from queues.web.words import Words

WITHHELD = "withheld"


def call_row(call: CallRow, words: Words) -> dict[str, Any]:
    zone = words.plan.timezone
    return {
        "call_id": call.call_id,
        "href": f"/calls/{call.call_id}",
        "arrived": day_and_time(call.arrived_ms, zone, words.locale),
        "arrived_iso": iso(call.arrived_ms, zone),
        "customer": call.customer_name,
        "number": masked(call, words),
        "tier_word": words.tier(call.tier or ""),
        "rank": words.rank(call.tier or ""),
        "queue": words.queue(call.queue or ""),
        "matter": words.matter(call.matter or ""),
        "outcome": call.outcome or "",
        "outcome_word": words.callback(call.callback, call.tries or 0, call.missed or "")
        or words.outcome(call.outcome or "", call.state),
        "waited": face(call.wait_ms),
        "talked": face(call.talk_ms),
        "agent": call.agent_name or call.agent_id or "",
        "ticket_no": call.ticket_no or "",
        "ticket_href": f"/tickets/{call.ticket_no}" if call.ticket_no else "",
        "disposition_word": words.disposition(call.disposition or ""),
    }


def masked(call: CallRow, words: Words) -> str:
    if call.number:
        return numbers.mask(call.number)
    if call.is_anonymous:
        return words.t("calls.anonymous")
    return words.t("calls.withheld") if call.caller_ref == WITHHELD else ""
