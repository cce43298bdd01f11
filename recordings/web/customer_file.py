"""A customer's file with everything that happened in one line of time: calls and their recordings, tickets, changes.

It stands here because recordings are known here; what is below (file, tier, managers) is made by the storey below.
Numbers and personal values are masked. Showing them is an action by right, written down before it is done.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import Account, names_of_accounts, require
from config.web.templates import page
from queues.domain.plan import Plan
from queues.service import audits, calls, customers, managers, people, tiers
from queues.service.calls import CallFilter, CallRow
from queues.service.customers import Customer, Entry
from queues.service.managers import Appointment, Manager, NeverRoute
from queues.service.tiers import Change, Standing
from queues.web import customers as forms
from queues.web.customer_view import accounts_in, change_row, entry_row, file_view
from queues.web.floor import Floor, floor_of, words_of
from queues.web.rule_words import rule_in_words
from queues.web.times import date_of, face
from queues.web.words import Words
from recordings.domain.recordings import Recording
from recordings.service import recordings

REVEALERS: Final = frozenset({"supervisor", "qa", "admin"})
SHOWN: Final = 60

View = dict[str, Any]


def routes() -> list[BaseRoute]:
    return [
        *forms.routes(),
        Route("/customers/{customer_id}", show_file, methods=["GET"], name="customer"),
        Route("/customers/{customer_id}/reveal", reveal, methods=["POST"]),
    ]


@require()
async def show_file(request: Request) -> Response:
    return await _page(request, await forms.customer_asked_for(request), is_revealed=False)


@require()
async def reveal(request: Request) -> Response:
    """Numbers and personal values, for those who answer for their looks and for the customer's own managers."""
    customer = await forms.customer_asked_for(request)
    account: Account = request.state.account
    if not _may_reveal(account, customer):
        raise HTTPException(403)
    await audits.note(
        floor_of(request).runtime,
        account_id=account.account_id,
        action="customer.revealed",
        subject=customer.customer_id,
    )
    return await _page(request, customer, is_revealed=True)


def _may_reveal(account: Account, customer: Customer) -> bool:
    return account.role in REVEALERS or (bool(account.agent_id) and account.agent_id in customer.managers)


async def _page(request: Request, customer: Customer, *, is_revealed: bool) -> Response:
    floor, words = floor_of(request), words_of(request)
    account: Account = request.state.account
    agents = {each.agent_id: each.name for each in await people.agents_of_site(floor.runtime)}
    line, older = await _time_line(floor, words, customer, agents, request, is_revealed=is_revealed)
    changes = await tiers.changes_of(floor.runtime, customer.customer_id)
    names = await names_of_accounts(floor.runtime.database, accounts_in([], changes))
    standing = await tiers.standing_now(floor.runtime, customer)
    return page(
        request,
        "customer.html",
        customer=file_view(customer, words, agents, is_revealed=is_revealed),
        may_reveal=_may_reveal(account, customer) and not is_revealed,
        is_revealed=is_revealed,
        may_edit=account.role in forms.EDITORS,
        may_ask=account.role in forms.ASKERS,
        standing=_standing(standing, changes, words, names),
        managers=await _managers(floor, customer, words, agents),
        line=line,
        newest_href=f"/customers/{customer.customer_id}" if request.query_params.get("before") else "",
        older_href=f"/customers/{customer.customer_id}?before={older}" if older else "",
    )


def _standing(standing: Standing, changes: Sequence[Change], words: Words, names: Mapping[str, str]) -> View:
    """The tier and why it is this one: by hand, by rule, as the file was given, or because nothing else fits."""
    by_hand = next((each for each in changes if each.state == "approved"), None)
    pending = next((each for each in changes if each.state == "pending"), None)
    rule = words.plan.tiers[standing.tier].rule if standing.tier in words.plan.tiers else None
    return {
        "tier_word": words.tier(standing.tier),
        "rank": words.rank(standing.tier),
        "why": words.t(f"tiers.why.{standing.why}"),
        "rule": rule_in_words(rule, words) if rule and standing.why == "rule" else "",
        "by_hand": change_row(by_hand, words, names) if by_hand and standing.why == "by_hand" else None,
        "pending": change_row(pending, words, names) if pending else None,
    }


async def _managers(floor: Floor, customer: Customer, words: Words, agents: Mapping[str, str]) -> View:
    ranked = await managers.managers_of(floor.runtime, customer.customer_id)
    present = await managers.manager_now(floor.runtime, customer.customer_id)
    pairs = await managers.never_routes(floor.runtime, customer_id=customer.customer_id)
    leaves = {each.agent_id: each for each in await managers.leaves(floor.runtime)}
    now_ms = floor.runtime.clock.now_ms()
    away = {
        agent_id: date_of(each.until_ms, floor.zone, words.locale)
        for agent_id, each in leaves.items()
        if each.covers(now_ms)
    }
    return {
        "rows": [_manager(each, agents, away, words) for each in ranked],
        "present": _present(present, agents, words),
        "is_missing": _is_missing(words.plan, customer, ranked),
        "never": [_pair(each, agents) for each in pairs],
    }


def _manager(each: Appointment, agents: Mapping[str, str], away: Mapping[str, str], words: Words) -> View:
    until = away.get(each.agent_id, "")
    return {
        "name": agents.get(each.agent_id, each.agent_id),
        "note": words.t("customers.away_until", until=until)
        if until
        else words.t("customers.waits", length=face(each.wait_ms)),
        "is_away": bool(until),
    }


def _present(present: Manager | None, agents: Mapping[str, str], words: Words) -> str:
    if present is None or not present.stands_in_for:
        return ""
    cover = agents.get(present.agent_id, present.agent_id)
    return words.t("customers.stands_in", cover=cover, manager=agents.get(present.stands_in_for, ""))


def _is_missing(plan: Plan, customer: Customer, ranked: Sequence[Appointment]) -> bool:
    return (customer.tier or plan.default_tier) in plan.managed and not ranked


def _pair(pair: NeverRoute, agents: Mapping[str, str]) -> View:
    return {"name": agents.get(pair.agent_id, pair.agent_id), "reason": pair.reason}


async def _time_line(
    floor: Floor,
    words: Words,
    customer: Customer,
    agents: Mapping[str, str],
    request: Request,
    *,
    is_revealed: bool,
) -> tuple[list[View], int | None]:
    """A page of it, newest first, and where the next one begins."""
    before = request.query_params.get("before", "")
    before_ms = int(before) if before.isdecimal() and len(before) < 16 else None
    entries = await customers.entries_of(
        floor.runtime, customer.customer_id, before_ms=before_ms, most=SHOWN + 1
    )
    shown = _whole_instants(entries)
    accounts = await names_of_accounts(floor.runtime.database, accounts_in(shown, []))
    rows = [entry_row(each, words, accounts, agents, is_revealed=is_revealed) for each in shown]
    await _add_calls(floor, words, customer, rows)
    return rows, shown[-1].at_ms if len(entries) > SHOWN else None


def _whole_instants(entries: Sequence[Entry]) -> list[Entry]:
    """The next page begins before an instant, so this one ends with all that happened at its last."""
    if len(entries) <= SHOWN:
        return list(entries)
    cut = [each for each in entries if each.at_ms > entries[-1].at_ms]
    return cut or list(entries[:SHOWN])


async def _add_calls(floor: Floor, words: Words, customer: Customer, rows: Sequence[View]) -> None:
    """What the calls' own records and recordings say: how they ended, how long one talked, what can be heard."""
    of_calls = [row for row in rows if row["kind"] == "call"]
    if not of_calls:
        return
    chosen = CallFilter(
        customer_id=customer.customer_id,
        from_ms=min(row["at_ms"] for row in of_calls),
        until_ms=max(row["at_ms"] for row in of_calls) + 1,
    )
    found = await calls.list_calls(floor.runtime, chosen, limit=calls.PAGE_MAX)
    known = {call.call_id: call for call in found.calls}
    heard = await recordings.of_calls(floor.runtime, [row["ref"] for row in of_calls])
    for row in of_calls:
        if call := known.get(row["ref"]):
            row |= _call(call, row, words)
        row["parts"] = [_recording(each, row["href"], words) for each in heard[row["ref"]]]


def _call(call: CallRow, row: View, words: Words) -> View:
    length = words.t("customers.talked", length=face(call.talk_ms)) if call.talk_ms else ""
    told = (length, words.disposition(call.disposition or ""), row["note"])
    return {
        "outcome": call.outcome or "",
        "outcome_word": words.outcome(call.outcome or "", call.state),
        "note": " · ".join(part for part in told if part),
        "who": call.agent_name or call.agent_id or "",
    }


def _recording(recording: Recording, href: str, words: Words) -> View:
    length = face(recording.duration_s * 1000) if recording.duration_s is not None else ""
    return {
        "word": words.t(f"call.kind.{recording.kind}"),
        "href": f"{href}#audio",
        "note": length or words.t(f"call.state.{recording.state}"),
        "has_audio": recording.has_audio,
    }
