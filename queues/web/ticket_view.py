"""What the pages show of a ticket: its row in a list, its facts, how its promise stands, what was done to it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from config.web.accounts import Account
from queues.domain.clocks import DueState
from queues.domain.plan import OTHER_AREA, Plan
from queues.domain.settling import amount_text
from queues.domain.tickets import MOVES, TicketEvent, TicketState
from queues.service import customers
from queues.service.appointments import NEW_MANAGER
from queues.service.tickets import Ticket, due_state_of
from queues.web.floor import Floor
from queues.web.times import day_and_time, face, full_date, iso
from queues.web.words import Words

View = dict[str, Any]

WORKERS: Final = ("agent", "supervisor", "admin")
CLOSERS: Final = ("supervisor", "admin")
SETTLES: Final = frozenset({TicketEvent.RESOLVE, TicketEvent.CLOSE})
NEEDS_CLOSER: Final = frozenset({TicketEvent.CLOSE, TicketEvent.REOPEN})
_KEYS: Final = {
    TicketEvent.TAKE: "a",
    TicketEvent.GIVE_BACK: "b",
    TicketEvent.RESOLVE: "r",
    TicketEvent.REOPEN: "o",
    TicketEvent.CLOSE: "c",
}
_MARKS: Final = {
    DueState.ON_TIME: "good",
    DueState.NEAR: "near",
    DueState.PAST: "past",
    DueState.KEPT: "good",
    DueState.BROKEN: "past",
}
# The names under which a change is told; the instants that go with a state say nothing more.
_TOLD: Final = ("state", "owner", "taken_by", "reply", "amount_cents", "gravity", "post")


def may(role: str, event: TicketEvent, ticket: Ticket, plan: Plan) -> bool:
    """What stands at a supervisor's post is not an agent's to settle."""
    post = plan.posts.get(ticket.post or "")
    is_above = event in SETTLES and post is not None and post.by == "supervisor"
    return role in (CLOSERS if is_above or event in NEEDS_CLOSER else WORKERS)


def may_hand_over(ticket: Ticket, account: Account) -> bool:
    """Whoever owns it, or a supervisor; a closed ticket is nobody's work."""
    is_own = bool(account.agent_id) and account.agent_id == ticket.owner
    return ticket.state != TicketState.CLOSED and (account.role in CLOSERS or is_own)


def actions(ticket: Ticket, role: str, words: Words) -> list[View]:
    """What this person may do with the ticket now."""
    return [
        {"event": event.value, "word": words.t(f"ticket_work.{event}"), "key": _KEYS[event]}
        for event in MOVES[TicketState(ticket.state)]
        if may(role, event, ticket, words.plan)
    ]


async def row_of(floor: Floor, ticket: Ticket, words: Words, agents: Mapping[str, str]) -> View:
    zone = floor.zone
    return {
        "ticket_no": ticket.ticket_no,
        "href": f"/tickets/{ticket.ticket_no}",
        "work_queue": ticket.work_queue,
        "priority": ticket.priority,
        "type_word": words.ticket_type(ticket.type) or subject(ticket, words),
        "subject": subject(ticket, words),
        "state": f"{ticket.state}_ticket" if ticket.state == TicketState.CLOSED else ticket.state,
        "state_word": words.t(f"state.ticket.{ticket.state}"),
        "owner": agents.get(ticket.owner or "", ticket.owner or ""),
        "post": words.post(ticket.post or ""),
        "customer": await _customer_name(floor, ticket.customer_id or ""),
        "tier_word": words.tier(ticket.tier or ""),
        "rank": words.rank(ticket.tier or ""),
        "area_word": words.area(ticket.area or ""),
        "opened": day_and_time(ticket.opened_ms, zone, words.locale),
        "opened_iso": iso(ticket.opened_ms, zone),
        "opened_ms": ticket.opened_ms,
        "age": face(floor.runtime.clock.now_ms() - ticket.opened_ms),
        "due": _due(floor, ticket, words),
        "due_ms": ticket.due_ms,
    }


def subject(ticket: Ticket, words: Words) -> str:
    """What it is about, in the reader's language; older tickets have it in their caller's."""
    return words.matter(ticket.matter or "") or ticket.subject or ""


def _due(floor: Floor, ticket: Ticket, words: Words) -> View | None:
    state = due_state_of(floor.plan, ticket, floor.runtime.clock.now_ms())
    if state is None or ticket.due_ms is None:
        return None
    return {
        "at": day_and_time(ticket.due_ms, floor.zone, words.locale),
        "iso": iso(ticket.due_ms, floor.zone),
        "mark": _MARKS[state],
        "word": words.t(f"ticket_work.due.{state}"),
    }


async def _customer_name(floor: Floor, customer_id: str) -> str:
    async def ask() -> str:
        customer = await customers.find_customer(floor.runtime, customer_id)
        return customer.name if customer else ""

    return await floor.remembered.get(f"customer name:{customer_id}", 30, ask) if customer_id else ""


def groups(rows: Iterable[View], words: Words) -> list[View]:
    """By work queue, the most urgent first; inside it the most urgent ticket, then what is due first."""

    def urgency(row: View) -> tuple[int, float, int]:
        return row["priority"], row["due_ms"] or float("inf"), row["opened_ms"]

    by_queue: dict[str, list[View]] = {}
    for row in sorted(rows, key=urgency):
        by_queue.setdefault(row["work_queue"], []).append(row)
    return [
        {"id": name, "word": work_queue_word(name, words), "count": len(own), "tickets": own}
        for name, own in by_queue.items()
    ]


def work_queue_word(name: str, words: Words) -> str:
    """A work queue is known by what is done in it, and where."""
    kinds: dict[str, None] = {}
    places: dict[str, None] = {}
    for kind in words.plan.ticket_types.values():
        for area in (*words.plan.areas, OTHER_AREA):
            if kind.work_queue_in(area) == name:
                kinds[words.ticket_type(kind.id)] = None
                if kind.work_queue != name:
                    places[words.area(area) if area != OTHER_AREA else words.t("ticket_work.other_area")] = (
                        None
                    )
    comma = words.t("why.comma")
    return " · ".join(comma.join(each) for each in (places, kinds) if each)


def weight_of(ticket: Ticket, words: Words, typed: Mapping[str, str] | None) -> View | None:
    """The form for amount and gravity, with what was typed; none for a kind of ticket that no rule looks at."""
    kind = words.plan.ticket_types.get(ticket.type)
    if kind is None or not kind.settled_by or ticket.state == TicketState.CLOSED:
        return None
    kept = {"amount": amount_text(ticket.amount_cents), "gravity": ticket.gravity or "", "why": ""}
    return {
        **kept,
        **(typed or {}),
        "is_open": typed is not None,
        "choices": [{"id": each, "word": words.gravity(each)} for each in words.plan.gravities],
    }


def facts_of(
    ticket: Ticket, names: Mapping[str, str], agents: Mapping[str, str], words: Words
) -> list[dict[str, str]]:
    zone = words.plan.timezone

    def date(at_ms: int | None) -> str:
        return full_date(at_ms, zone, words.locale) if at_ms else ""

    facts = {
        "tickets.subject": subject(ticket, words),
        "tickets.priority": str(ticket.priority),
        "tickets.work_queue": work_queue_word(ticket.work_queue, words) or ticket.work_queue,
        "ticket_work.area": words.area(ticket.area or ""),
        "tickets.opened": date(ticket.opened_ms),
        "ticket_work.due_at": date(ticket.due_ms),
        "ticket_work.owner": agents.get(ticket.owner or "", ticket.owner or ""),
        "ticket_work.amount": amount_text(ticket.amount_cents),
        "ticket_work.gravity": words.gravity(ticket.gravity or ""),
        "ticket_work.post": words.post(ticket.post or ""),
        "ticket_work.taken_by": names.get(ticket.taken_by or "", ticket.taken_by or ""),
        "ticket_work.resolved": date(ticket.resolved_ms),
        "ticket_work.replied": date(ticket.replied_ms),
        "tickets.closed": date(ticket.closed_ms),
        "ticket_work.code": words.t("ticket_work.has_code") if ticket.code_key else "",
    }
    return [{"label": words.t(key), "text": text} for key, text in facts.items() if text]


def story_of(
    rows: Iterable[Mapping[str, Any]], names: Mapping[str, str], agents: Mapping[str, str], words: Words
) -> list[View]:
    """Who did what to it and when, with what was there before and after."""
    return [
        {
            "word": words.t(f"ticket_work.done.{row['action'].partition('.')[2]}"),
            "who": names.get(row["account_id"] or "", ""),
            "at": full_date(row["at_ms"], words.plan.timezone, words.locale),
            "reason": _reason(str(row.get("reason") or ""), words),
            "changes": list(_changes(row, {"owner": agents, "taken_by": names}, words)),
        }
        for row in rows
    ]


def _reason(reason: str, words: Words) -> str:
    """What somebody wrote, or the house's own reason in words."""
    return words.t("ticket_work.new_manager") if reason == NEW_MANAGER else reason


def _changes(
    row: Mapping[str, Any], names: Mapping[str, Mapping[str, str]], words: Words
) -> Iterable[dict[str, str]]:
    before, after = row.get("before") or {}, row.get("after") or {}

    def told(name: str, value: str) -> str:
        if name == "state":
            return words.t(f"state.ticket.{value}")
        if name == "amount_cents":
            return amount_text(int(value)) if value else "–"
        own = {"gravity": words.gravity, "post": words.post}.get(name)
        return (own(value) if own else names.get(name, {}).get(value, value)) or value or "–"

    for name in _TOLD:
        if name in after and before.get(name) != after[name]:
            was, now = (
                told(name, "" if each.get(name) is None else str(each[name])) for each in (before, after)
            )
            yield {"label": words.t(f"ticket_work.field.{name}"), "was": was, "now": now}
