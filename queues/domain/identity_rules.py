"""The rules of who calls: from his number, from an account number he keys, and of nobody at all.

A number opens the file that stands first under it. Whoever stays anonymous leaves no trace of himself behind:
what the call held is blanked, and the journal lines that named him are taken out and replaced by one that does
not.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from queues.domain import commands as c
from queues.domain.callback_rules import end_callback, forget_promise, is_idle
from queues.domain.calls import FAILED, Call, CallId, CallState
from queues.domain.customers import read_entry
from queues.domain.journal import LineType
from queues.domain.managers import Appointment, Leave, Manager, effective_managers
from queues.domain.moves import Draft, Reply, about, json_of, refuse
from queues.domain.named import FIRST_CONTACT, LAST_AGENT, MANAGER, Known, never_of, ref_of, write_lines
from queues.domain.place_rules import NAMELESS, erase_places
from queues.domain.state import State


class Opened(NamedTuple):
    """The file that a call opens."""

    customer_id: str
    file: dict[str, Any]
    contact: str
    shared: int


NOBODY = Opened("", {}, "", 0)


def opened_by_number(state: State, number_key: str) -> Opened:
    """The first file that stands under this number, and how many stand behind it."""
    entries = read_entry(state.numbers.get(number_key, ""))
    for place, (customer_id, contact) in enumerate(entries, 1):
        if file := json_of(state.customers.get(customer_id, "")):
            return Opened(customer_id, file, contact, len(entries) - place)
    return NOBODY


def opened_by_account(state: State, account_key: str) -> Opened:
    customer_id = state.accounts.get(account_key, "")
    file = json_of(state.customers.get(customer_id, ""))
    return Opened(customer_id, file, "", 0) if file else NOBODY


def what_is_known(draft: Draft, opened: Opened, caller_ref: str) -> dict[str, Any]:
    """What a call says of its caller, but for tier and locale."""
    managers = managers_of(draft, opened.file)
    first = managers[0].agent_id if managers else ""
    area = opened.file.get("area") or ""
    known = [*_managers_known(managers), *_met(draft.state, ref_of(opened.customer_id, caller_ref))]
    return {
        "customer_id": opened.customer_id,
        "customer_name": opened.file.get("name") or "",
        "is_known": bool(opened.file),
        "area": area,
        "manager": first,
        "manager_name": _person(draft, first).get("name") or "",
        "known": write_lines(known),
        "never": never_of(opened.file),
        "is_care": opened.file.get("care") == "1",
        "contact": opened.contact,
        "shared": opened.shared,
        "notices": running_notices(draft, area),
    }


def managers_of(draft: Draft, file: dict[str, Any]) -> list[Manager]:
    """Who looks after him now, in rank; a wait of 0 is the site's."""
    waits = file.get("waits") or {}
    appointed = [
        Appointment(agent_id=agent_id, wait_ms=waits.get(agent_id) or 0)
        for agent_id in file.get("managers") or ()
    ]
    leaves = [leave for manager in appointed for leave in _leaves(draft, manager.agent_id)]
    of_covers = [leave for each in leaves for leave in _leaves(draft, each.cover)]
    return list(effective_managers(appointed, [*leaves, *of_covers], draft.now_ms))


def _managers_known(managers: Iterable[Manager]) -> list[Known]:
    return [Known(MANAGER, manager.wait_ms, 0, manager.agent_id) for manager in managers]


def _met(state: State, ref: str) -> list[Known]:
    """Who owns his open ticket, and who talked with him last."""
    owner, (at_ms, _, met) = state.owners.get(ref, ""), state.met.get(ref, "").partition(" ")
    found = [Known(FIRST_CONTACT, 0, 0, owner)] if owner else []
    return [*found, Known(LAST_AGENT, 0, int(at_ms), met)] if met else found


def _leaves(draft: Draft, agent_id: str) -> list[Leave]:
    told = _person(draft, agent_id).get("leaves") or ()
    return [Leave(agent_id=agent_id, **each) for each in told]


def _person(draft: Draft, agent_id: str) -> dict[str, Any]:
    person: dict[str, Any] = json_of(draft.state.people.get(agent_id, ""))
    return person


def running_notices(draft: Draft, area: str) -> str:
    """The running ones that concern this area, as they are stored: one JSON list, the oldest first."""
    stored = ((json_of(text), text) for text in draft.state.notices.values())
    running = sorted(
        (notice["starts_ms"], notice["id"], text)
        for notice, text in stored
        if notice["starts_ms"] <= draft.now_ms
        and (not notice.get("ends_ms") or draft.now_ms < notice["ends_ms"])
        and (not notice["areas"] or area in notice["areas"])
    )
    return f"[{','.join(text for *_, text in running)}]" if running else ""


def arrive(draft: Draft, command: c.Arrive) -> Reply:
    state = draft.state
    if known := state.calls.get(command.call_id):
        return about("again", known)
    state.arrivals += 1
    opened = opened_by_number(state, command.number_key)
    call = Call(
        call_id=CallId(command.call_id),
        state=CallState.MENU,
        arrival=state.arrivals,
        arrived_ms=command.now_ms,
        line=command.line,
        caller_ref=command.caller_ref,
        number=command.number,
        tier=opened.file.get("tier") or command.default_tier,
        locale=opened.file.get("locale") or command.default_locale,
        is_internal=command.is_internal,
        site_version=state.version or command.site_version,
        **what_is_known(draft, opened, command.caller_ref),
    )
    line_id = draft.line(
        LineType.CALL_ARRIVED,
        call_id=call.call_id,
        line=call.line,
        caller_ref=call.caller_ref,
        customer_id=call.customer_id,
        tier=call.tier,
        locale=call.locale,
        known=int(call.is_known),
        area=call.area,
        internal=int(call.is_internal),
        site_version=call.site_version,
        arrival=call.arrival,
    )
    state.live[call.call_id] = command.now_ms
    return about("ok", draft.change_call(call, named_in=line_id))


def identify_call(draft: Draft, command: c.IdentifyCall) -> Reply:
    """He has keyed an account number. Who is anonymous stays so: no file is opened for him. Nor for whoever tries
    one number after the other: the register is not read by keying."""
    call = draft.state.calls.get(command.call_id)
    if call is None or call.state is not CallState.MENU:
        return refuse(call)
    count, _, last = call.wrong_accounts.partition(" ")
    wrong = int(count or 0)
    if call.is_anonymous or wrong >= command.wrong_max:
        return about("unknown", call)
    opened = opened_by_account(draft.state, command.account_key)
    if not opened.file:
        if command.account_key != last:  # else the same webhook came again
            call = draft.change_call(call, wrong_accounts=f"{wrong + 1} {command.account_key}")
        return about("unknown", call)
    if opened.customer_id == call.customer_id:
        return about("again", call)
    tier = opened.file.get("tier") or command.default_tier
    call = draft.change_call(call, tier=tier, is_keyed=True, **what_is_known(draft, opened, call.caller_ref))
    draft.state.live[call.call_id] = command.now_ms
    line_id = draft.line(
        LineType.CALL_IDENTIFIED,
        call_id=call.call_id,
        customer_id=call.customer_id,
        tier=call.tier,
        area=call.area,
    )
    return about("ok", draft.change_call(call, named_in=f"{call.named_in} {line_id}"))


def anonymise_call(draft: Draft, command: c.AnonymiseCall) -> Reply:
    """From now on nothing tells who this is, even of a call that is over. His area remains: it is not he."""
    call = draft.state.calls.get(command.call_id)
    if call is None:
        return refuse(call)
    if call.is_anonymous:
        return about("again", call)
    if call.callback and is_idle(call):
        end_callback(draft, call, FAILED, command.forget_ms)  # nobody knows any more whom to call
        call = draft.state.calls[call.call_id]
    forget_promise(draft, call)
    call = draft.state.calls[call.call_id]
    draft.erased += call.named_in.split()
    if call.caller_ref not in NAMELESS:
        erase_places(draft, call.caller_ref)
    ref = ref_of(call.customer_id, call.caller_ref)
    draft.state.met.pop(ref, None)
    # SQL tells again what it still knows of other calls of his.
    draft.state.owners.pop(ref, None)
    draft.state.owned.pop(call.ticket_no, None)
    nothing = what_is_known(draft, NOBODY, "") | {"area": call.area, "notices": call.notices, "named": ""}
    blank: dict[str, Any] = {
        "number": "",
        "caller_ref": "",
        "given": "",
        "asked": "",
        "named_in": "",
        "wrong_accounts": "",
    }
    call = draft.change_call(
        call, tier=command.default_tier, is_anonymous=True, is_keyed=False, **nothing, **blank
    )
    if call.state is not CallState.ENDED and not call.is_off_line:
        draft.state.live[call.call_id] = command.now_ms
    draft.line(
        LineType.CALL_ANONYMISED,
        call_id=call.call_id,
        line=call.line,
        tier=call.tier,
        locale=call.locale,
        site_version=call.site_version,
        area=call.area,
        arrived_ms=call.arrived_ms,
        arrival=call.arrival,
    )
    return about("ok", call)
