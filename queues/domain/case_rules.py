"""The rules of what a caller keys, and of the cases and tickets he asks about.

A case is asked about by its number and, where it has one, its access code. Wrong answers are counted for the
call and for the case; who has used up either hears *locked*, and no answer any more. Which case it was is not
journalled: it could tell who once reported it. Numbers run on, so anybody can key one: how a case without a code
stands is told to all, but what our people answered only to the customer whose case it is, on a telephone of his.
"""

import json
from collections.abc import Mapping
from typing import Any

from queues.domain import commands as c
from queues.domain.calls import ACCESS_CODE, CASE_NO, KEYED_TO_ASK, Call, CallState
from queues.domain.journal import LineType
from queues.domain.moves import Draft, Reply, about, json_of, refuse
from queues.domain.tickets import TicketState, number_in


def keep_given(draft: Draft, command: c.KeepGiven) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or call.state is not CallState.MENU:
        return refuse(call)
    given = {**json_of(call.given), command.name: command.value}
    draft.state.live[call.call_id] = command.now_ms
    return about("ok", draft.change_call(call, given=_written(given)))


def without_asking(given: str) -> str:
    """What a call keeps when it is over: not whose case it asked about."""
    kept = {name: value for name, value in json_of(given).items() if name not in KEYED_TO_ASK}
    return _written(kept) if kept else ""


def _written(given: Mapping[str, str]) -> str:
    return json.dumps(given, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def check_case(draft: Draft, command: c.CheckCase) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or call.state is CallState.ENDED:
        return ("gone",)
    step = command.step if command.step >= 0 else call.step
    asked_step, _, asked_word = call.asked.partition(" ")
    given = json_of(call.given)
    ticket_no = number_in(given.get(CASE_NO, ""))
    word = _answer(draft, command, call, given, ticket_no)
    if asked_step and step <= int(asked_step):
        word = word if asked_word == "ok" else asked_word
    else:
        word = _count(draft, command, call, step, word, ticket_no)
    if word != "ok":
        return (word,)
    case = json_of(draft.state.cases[ticket_no])
    reply = case.get("reply") or "" if _may_hear(call, case) else ""
    return ("ok", case.get("state") or "", reply, ticket_no)


def _may_hear(call: Call, case: Mapping[str, Any]) -> bool:
    """He gave the code, or his number is the customer's own. An account number that was keyed proves nothing."""
    is_owner = bool(call.customer_id) and not call.is_keyed and call.customer_id == case.get("customer_id")
    return bool(case.get("code_key")) or is_owner


def _answer(draft: Draft, command: c.CheckCase, call: Call, given: Mapping[str, str], ticket_no: str) -> str:
    case = json_of(draft.state.cases.get(ticket_no, ""))
    if (
        call.wrong_codes >= command.wrong_max
        or _faults(draft, command, ticket_no)[1] >= command.case_wrong_max
    ):
        return "locked"
    if not case:
        return "unknown"
    code_key = case.get("code_key") or ""
    return "ok" if code_key in ("", given.get(ACCESS_CODE)) else "wrong"


def _faults(draft: Draft, command: c.CheckCase, ticket_no: str) -> tuple[int, int]:
    """Since when there were how many wrong answers about this case."""
    from_ms, _, count = draft.state.case_faults.get(ticket_no, "0 0").partition(" ")
    is_over = command.now_ms - int(from_ms) >= command.case_within_ms
    return (command.now_ms, 0) if is_over else (int(from_ms), int(count))


def _count(draft: Draft, command: c.CheckCase, call: Call, step: int, word: str, ticket_no: str) -> str:
    """A new question is journalled; the wrong answer that uses up the last try says so."""
    wrong = call.wrong_codes
    if word in ("wrong", "unknown"):
        wrong += 1
        if word == "wrong":
            from_ms, count = _faults(draft, command, ticket_no)
            draft.state.case_faults[ticket_no] = f"{from_ms} {count + 1}"
        word = "locked" if wrong >= command.wrong_max else word
    draft.change_call(call, wrong_codes=wrong, asked=f"{step} {word}")
    draft.give_sign_of_life(call)
    draft.line(LineType.CASE_ASKED, call_id=call.call_id, word=word)
    return word


def join_ticket(draft: Draft, command: c.JoinTicket) -> Reply:
    """His trouble is known: he is added to the ticket, unless that is closed by now. A call has one ticket."""
    call = draft.state.calls.get(command.call_id)
    if call is None or call.state is not CallState.MENU:
        return refuse(call)
    if call.ticket_no:
        return about("again", call)
    if json_of(draft.state.cases.get(command.ticket_no, "")).get("state") == TicketState.CLOSED:
        return about("closed", call)
    call = draft.change_call(call, ticket_no=command.ticket_no)
    draft.give_sign_of_life(call)
    draft.line(LineType.CALL_JOINED, call_id=call.call_id, ticket_no=call.ticket_no)
    return about("ok", call)
