"""Finding a customer, and the forms that change his file: values, tier, managers, pairs never to be brought together.

The file itself, with everything that happened, is shown a storey above, where recordings are known. A search is sent
as a form: a number or a name never stands in an address. What was typed stays in its form through every fault.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import Account, names_of_accounts, require
from config.web.forms import Form, read_form
from config.web.templates import page
from queues.domain.attributes import Attribute
from queues.domain.customer_changes import contact_text
from queues.domain.managers import MANAGERS_MAX, WAIT_MS_DEFAULT
from queues.domain.tiers import DAYS_MAX, REASON_MAX, day_of
from queues.service import audits, customers, managers, people, tiers
from queues.service.customers import Customer
from queues.service.managers import Appointment
from queues.web.customer_view import change_row, customer_row
from queues.web.fault_words import named_fault
from queues.web.floor import Floor, floor_of, words_of
from queues.web.words import Words

EDITORS: Final = ("supervisor", "admin")
ASKERS: Final = ("agent", "supervisor", "admin")  # who may ask for a tier; another account must approve
TEXT_MAX: Final = 80
FOUND_MAX: Final = 50
REASON_DEFAULT_MAX: Final = 200
ROWS_FREE: Final = 1
_BUILT_IN: Final = ("name", "area", "language", "phones", "contacts")

View = dict[str, Any]


def routes() -> list[BaseRoute]:
    path = "/customers/{customer_id}"
    return [
        Route("/customers", show_search, methods=["GET"], name="customers"),
        Route("/customers", find_customers, methods=["POST"]),
        Route(f"{path}/edit", show_values, methods=["GET"]),
        Route(f"{path}/edit", change_values, methods=["POST"]),
        Route(f"{path}/tier", show_tier, methods=["GET"]),
        Route(f"{path}/tier", ask_for_tier, methods=["POST"]),
        Route(f"{path}/tier/{{change_id}}/withdraw", withdraw_tier, methods=["POST"]),
        Route(f"{path}/managers", show_managers, methods=["GET"]),
        Route(f"{path}/managers", set_managers, methods=["POST"]),
        Route(f"{path}/never", add_never, methods=["POST"]),
        Route(f"{path}/never/{{agent_id}}/remove", remove_never, methods=["POST"]),
    ]


@require()
async def show_search(request: Request) -> Response:
    return await _search_page(request, "", [])


@require()
async def find_customers(request: Request) -> Response:
    """One file found is opened at once."""
    form = await read_form(request)
    text = form.get("q", "").strip()[:TEXT_MAX]
    found = await customers.search(floor_of(request).runtime, text, FOUND_MAX) if text else []
    if len(found) == 1:
        return RedirectResponse(f"/customers/{found[0].customer_id}", 303)
    return await _search_page(request, text, found)


async def _search_page(request: Request, text: str, found: Sequence[Customer]) -> Response:
    floor, words = floor_of(request), words_of(request)
    names = await _agent_names(floor)
    counts = {} if text else await tiers.tier_counts(floor.runtime)
    return page(
        request,
        "customers.html",
        text=text,
        found=[customer_row(each, words, names) for each in found],
        summary=words.t("customers.found", n=len(found)) if found else "",
        has_codes=bool(words.plan.class_code),
        is_cut=len(found) == FOUND_MAX,
        tiers=[
            {"word": words.tier(tier), "rank": words.rank(tier), "count": count}
            for tier, count in counts.items()
        ],
        total=sum(counts.values()),
        may_edit=_may_edit(request),
    )


@require(*EDITORS)
async def show_values(request: Request) -> Response:
    """The form shows whole numbers, so opening it is a look that is written down."""
    customer = await customer_asked_for(request)
    account: Account = request.state.account
    await audits.note(
        floor_of(request).runtime,
        account_id=account.account_id,
        action="customer.revealed",
        subject=customer.customer_id,
    )
    return await _values_page(request, customer, written_values(customer, words_of(request)))


@require(*EDITORS)
async def change_values(request: Request) -> Response:
    """Only what was changed here is written: what somebody else changed meanwhile stays."""
    customer, form, words = await customer_asked_for(request), await read_form(request), words_of(request)
    account: Account = request.state.account
    typed = _typed_values(form, words)
    reason = form.get("reason", "").strip()[:REASON_DEFAULT_MAX]
    if not reason:
        return await _values_page(
            request, customer, typed, form=form, errors={"reason": words.t("customers.fault.reason")}
        )
    changed = {name: text for name, text in typed.items() if text != form.get(f"was_{name}", "")}
    updated = await customers.update_customer(
        floor_of(request).runtime, customer.customer_id, changed, by=account.account_id, reason=reason
    )
    if updated is None:
        raise HTTPException(404)
    if updated.faults:
        errors = {name: named_fault(name, what, words) for name, what in updated.faults}
        return await _values_page(request, customer, typed, form=form, errors=errors)
    return RedirectResponse(f"/customers/{customer.customer_id}", 303)


def written_values(customer: Customer, words: Words) -> dict[str, str]:
    """The file's values as a form or a table gives them."""
    return {
        "name": customer.name,
        "area": customer.area,
        "language": customer.locale,
        "phones": "\n".join(customer.numbers),
        "contacts": "\n".join(contact_text(each) for each in customer.contacts),
        "consent": "yes" if customer.has_consent else "no",
        **{each: customer.attributes.get(each, "") for each in words.plan.attributes},
    }


def _typed_values(form: Form, words: Words) -> dict[str, str]:
    typed = {name: form.get(name, "").strip() for name in (*_BUILT_IN, *words.plan.attributes)}
    lines = {name: typed[name].replace("\r\n", "\n") for name in ("phones", "contacts")}
    return {**typed, **lines, "consent": "yes" if form.get("consent") else "no"}


async def _values_page(
    request: Request,
    customer: Customer,
    typed: Mapping[str, str],
    *,
    form: Form | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    words = words_of(request)
    plan = words.plan
    was = written_values(customer, words) if form is None else _was(form, words)
    return page(
        request,
        "customer_edit.html",
        status_code=422 if errors else 200,
        customer=await _head(request, customer),
        typed=typed,
        was=was,
        errors=errors or {},
        reason=form.get("reason", "") if form else "",
        areas=[{"id": each, "word": words.area(each)} for each in plan.areas],
        spoken=[{"id": each, "word": words.language(each)} for each in plan.languages],
        attributes=[_attribute_field(each, words) for each in plan.attributes.values()],
    )


def _was(form: Form, words: Words) -> dict[str, str]:
    names = (*_BUILT_IN, "consent", *words.plan.attributes)
    return {name: form.get(f"was_{name}", "").replace("\r\n", "\n") for name in names}


def _attribute_field(attribute: Attribute, words: Words) -> View:
    options = {
        "yes_no": [("yes", words.t("state.yes")), ("no", words.t("state.no"))],
        "choice": [(code, words.value(attribute.id, code)) for code in attribute.values],
    }.get(attribute.type, [])
    return {
        "id": attribute.id,
        "word": words.attribute(attribute.id),
        "type": attribute.type,
        "options": [{"id": code, "word": word} for code, word in options],
        "hint": words.t("customers.needs_consent") if attribute.needs_consent else "",
        "is_required": attribute.is_required,
    }


@require(*ASKERS)
async def show_tier(request: Request) -> Response:
    customer = await customer_asked_for(request)
    return await _tier_page(request, customer, {"tier": "", "reason": "", "until": ""})


@require(*ASKERS)
async def ask_for_tier(request: Request) -> Response:
    customer, form = await customer_asked_for(request), await read_form(request)
    words = words_of(request)
    account: Account = request.state.account
    typed = {name: form.get(name, "").strip() for name in ("tier", "reason", "until")}
    try:
        until = dt.date.fromisoformat(typed["until"])
    except ValueError:
        errors = {"until": words.t("tiers.error.until")}
        return await _tier_page(request, customer, typed, errors)
    reply = await tiers.request_change(
        floor_of(request).runtime,
        customer_id=customer.customer_id,
        tier=typed["tier"],
        reason=typed["reason"],
        until=until,
        by=account.account_id,
    )
    if not reply.is_ok:
        field = _TIER_FIELDS.get(reply.word, "")
        return await _tier_page(request, customer, typed, {field: tier_error(reply.word, words)})
    return RedirectResponse(f"/customers/{customer.customer_id}/tier", 303)


@require(*ASKERS)
async def withdraw_tier(request: Request) -> Response:
    customer, words = await customer_asked_for(request), words_of(request)
    account: Account = request.state.account
    runtime, change_id = floor_of(request).runtime, request.path_params["change_id"]
    if account.role not in EDITORS:  # an agent may take back what he has asked for himself, and nothing else
        pending = [each for each in await tiers.pending_changes(runtime) if each.change_id == change_id]
        if not pending:
            raise HTTPException(403)
    reply = await tiers.withdraw(runtime, change_id=change_id, by=account.account_id)
    if not reply.is_ok:
        empty = {"tier": "", "reason": "", "until": ""}
        return await _tier_page(request, customer, empty, {"": tier_error(reply.word, words)})
    return RedirectResponse(f"/customers/{customer.customer_id}/tier", 303)


_TIER_FIELDS: Final = {
    "unknown_tier": "tier",
    "same": "tier",
    "no_reason": "reason",
    "long_reason": "reason",
    "past": "until",
    "too_far": "until",
}


def tier_error(word: str, words: Words) -> str:
    return words.t(f"tiers.error.{word.partition(':')[0]}", days=DAYS_MAX, most=REASON_MAX)


async def _tier_page(
    request: Request, customer: Customer, typed: Mapping[str, str], errors: Mapping[str, str] | None = None
) -> Response:
    floor, words = floor_of(request), words_of(request)
    account: Account = request.state.account
    changes = await tiers.changes_of(floor.runtime, customer.customer_id)
    names = await names_of_accounts(
        floor.runtime.database, [each for one in changes for each in (one.asked_by, one.decided_by)]
    )
    today = day_of(words.plan, floor.runtime.clock.now_ms())
    return page(
        request,
        "customer_tier.html",
        status_code=422 if errors else 200,
        customer=await _head(request, customer),
        typed=typed,
        errors=errors or {},
        tiers=[{"id": each, "word": words.tier(each)} for each in words.plan.tiers],
        first_day=today.isoformat(),
        last_day=(today + dt.timedelta(days=DAYS_MAX)).isoformat(),
        most=REASON_MAX,
        is_pending=any(each.state == "pending" for each in changes),
        changes=[
            change_row(each, words, names) | {"may_withdraw": _may_withdraw(account, each)}
            for each in changes
        ],
    )


def _may_withdraw(account: Account, change: tiers.Change) -> bool:
    if change.state == "pending":
        return change.asked_by == account.account_id
    return change.state == "approved" and account.role in EDITORS


@require(*EDITORS)
async def show_managers(request: Request) -> Response:
    customer = await customer_asked_for(request)
    ranked = await managers.managers_of(floor_of(request).runtime, customer.customer_id)
    rows = [(each.agent_id, str(each.wait_ms // 1000)) for each in ranked]
    return await _managers_page(request, customer, rows)


@require(*EDITORS)
async def set_managers(request: Request) -> Response:
    customer, form, words = await customer_asked_for(request), await read_form(request), words_of(request)
    account: Account = request.state.account
    rows = list(zip(form.getlist("manager"), form.getlist("wait"), strict=False))
    listed = [(agent_id, wait.strip()) for agent_id, wait in rows if agent_id]
    wrong = [wait for _, wait in listed if wait and not wait.isdecimal()]
    word = "bad_wait" if wrong else ""
    if not word:
        word = await managers.set_managers(
            floor_of(request).runtime,
            customer_id=customer.customer_id,
            managers=[
                Appointment(agent_id=agent_id, wait_ms=int(wait) * 1000 if wait else WAIT_MS_DEFAULT)
                for agent_id, wait in listed
            ],
            by=account.account_id,
        )
    if word != "ok":
        errors = {"managers": words.t(f"customers.managers.error.{word}", most=MANAGERS_MAX)}
        return await _managers_page(request, customer, listed, errors=errors)
    return RedirectResponse(f"/customers/{customer.customer_id}", 303)


@require(*EDITORS)
async def add_never(request: Request) -> Response:
    customer, form, words = await customer_asked_for(request), await read_form(request), words_of(request)
    account: Account = request.state.account
    runtime = floor_of(request).runtime
    typed = {"agent": form.get("agent", ""), "never_reason": form.get("never_reason", "").strip()}
    word = await managers.add_never_route(
        runtime,
        customer_id=customer.customer_id,
        agent_id=typed["agent"],
        reason=typed["never_reason"],
        by=account.account_id,
    )
    if word not in ("ok", "again"):
        ranked = await managers.managers_of(runtime, customer.customer_id)
        rows = [(each.agent_id, str(each.wait_ms // 1000)) for each in ranked]
        field = "never_reason" if word == "no_reason" else "agent"
        errors = {field: words.t(f"customers.never.error.{word}")}
        return await _managers_page(request, customer, rows, never=typed, errors=errors)
    return RedirectResponse(f"/customers/{customer.customer_id}/managers", 303)


@require(*EDITORS)
async def remove_never(request: Request) -> Response:
    customer = await customer_asked_for(request)
    account: Account = request.state.account
    await managers.remove_never_route(
        floor_of(request).runtime,
        customer_id=customer.customer_id,
        agent_id=request.path_params["agent_id"],
        by=account.account_id,
    )
    return RedirectResponse(f"/customers/{customer.customer_id}/managers", 303)


async def _managers_page(
    request: Request,
    customer: Customer,
    rows: Sequence[tuple[str, str]],
    *,
    never: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    floor = floor_of(request)
    names = await _agent_names(floor)
    pairs = await managers.never_routes(floor.runtime, customer_id=customer.customer_id)
    free = max(min(len(rows) + ROWS_FREE, MANAGERS_MAX), 3)
    return page(
        request,
        "customer_managers.html",
        status_code=422 if errors else 200,
        customer=await _head(request, customer),
        rows=[*rows, *([("", "")] * free)][:free],
        agents=[{"id": each, "word": name} for each, name in names.items()],
        wait_default=WAIT_MS_DEFAULT // 1000,
        pairs=[
            {
                "agent_id": each.agent_id,
                "name": names.get(each.agent_id, each.agent_id),
                "reason": each.reason,
            }
            for each in pairs
        ],
        never=never or {"agent": "", "never_reason": ""},
        errors=errors or {},
    )


async def customer_asked_for(request: Request) -> Customer:
    floor = floor_of(request)
    customer = await customers.find_customer(floor.runtime, request.path_params["customer_id"])
    if customer is None:
        raise HTTPException(404)
    return customer


async def _head(request: Request, customer: Customer) -> View:
    floor = floor_of(request)
    return customer_row(customer, words_of(request), await _agent_names(floor))


async def _agent_names(floor: Floor) -> dict[str, str]:
    return {each.agent_id: each.name for each in await people.agents_of_site(floor.runtime)}


def _may_edit(request: Request) -> bool:
    account: Account = request.state.account
    return account.role in EDITORS
