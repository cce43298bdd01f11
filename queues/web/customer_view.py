"""A customer's file as pages show it: masked where it must be, in one reader's words.

Numbers and personal values are hidden until somebody asks for them by right; whoever asks is written down by the
page. What changed in the file is shown under the same rule, or the history would tell what the file does not.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from config import numbers
from queues.domain.attributes import Attribute
from queues.domain.customers import Contact, Customer
from queues.service.customers import Entry
from queues.service.tiers import Change
from queues.web.caller_view import advice
from queues.web.times import date_of, day_and_time, iso
from queues.web.words import Words

HIDDEN: Final = "••••••"
_NUMBER: Final = re.compile(r"\+\d{5,15}")
_WITH_NUMBERS: Final = frozenset({"phones", "contacts"})

View = dict[str, Any]


def customer_row(customer: Customer, words: Words, names: Mapping[str, str]) -> View:
    """The line by which a customer is recognised, in lists and above his file."""
    return {
        "customer_id": customer.customer_id,
        "href": f"/customers/{customer.customer_id}",
        "name": customer.name,
        "account_no": customer.account_no,
        "tier_word": words.tier(customer.tier or words.plan.default_tier),
        "rank": words.rank(customer.tier or words.plan.default_tier),
        "class_code": customer.class_code,
        "area": words.area(customer.area) if customer.area else "",
        "is_care": customer.is_care,
        "managers": [names.get(each, each) for each in customer.managers],
        "numbers": [numbers.mask(each) for each in customer.everybodys_numbers],
    }


def file_view(customer: Customer, words: Words, names: Mapping[str, str], *, is_revealed: bool) -> View:
    """The file itself, above its time line."""
    return {
        **customer_row(customer, words, names),
        "advice": advice(words) if customer.is_care else "",
        "numbers": [_shown(each, is_revealed=is_revealed) for each in customer.numbers],
        "contacts": [_contact(each, is_revealed=is_revealed) for each in customer.contacts],
        "facts": _facts(customer, words, is_revealed=is_revealed),
        "has_hidden": has_hidden(customer, words),
    }


def has_hidden(customer: Customer, words: Words) -> bool:
    return bool(customer.everybodys_numbers) or any(
        each.is_personal and customer.attributes.get(each.id) for each in words.plan.attributes.values()
    )


def _contact(contact: Contact, *, is_revealed: bool) -> View:
    return {
        "name": contact.name,
        "role": contact.role,
        "numbers": [_shown(each, is_revealed=is_revealed) for each in contact.numbers],
        "wants_notices": contact.wants_notices,
    }


def _shown(number: str, *, is_revealed: bool) -> str:
    return numbers.display(number) if is_revealed else numbers.mask(number)


def _facts(customer: Customer, words: Words, *, is_revealed: bool) -> list[View]:
    built_in = {
        "account_no": customer.account_no,
        "area": words.area(customer.area) if customer.area else "",
        "language": words.language(customer.locale) if customer.locale else "",
        "band": words.band(customer.band) if customer.band else "",
        "consent": words.t("state.yes" if customer.has_consent else "state.no"),
    }
    shown = [
        {"label": words.field(name), "text": text, "is_hidden": False}
        for name, text in built_in.items()
        if text
    ]
    return [*shown, *(_fact(each, customer, words, is_revealed) for each in words.plan.attributes.values())]


def _fact(attribute: Attribute, customer: Customer, words: Words, is_revealed: bool) -> View:
    value = customer.attributes.get(attribute.id, "")
    is_hidden = bool(value) and attribute.is_personal and not is_revealed
    text = HIDDEN if is_hidden else words.value(attribute.id, value)
    return {"label": words.attribute(attribute.id), "text": text or "–", "is_hidden": is_hidden}


def entry_row(
    entry: Entry, words: Words, accounts: Mapping[str, str], agents: Mapping[str, str], *, is_revealed: bool
) -> View:
    """One line of the time line; what a call's recordings add is known a storey above."""
    zone = words.plan.timezone
    shown = {
        "at_ms": entry.at_ms,
        "at": day_and_time(entry.at_ms, zone, words.locale),
        "at_iso": iso(entry.at_ms, zone),
        "year": date_of(entry.at_ms, zone, words.locale),
        "kind": entry.kind,
        "kind_word": words.t(f"customers.entry.{entry.kind}"),
        "ref": entry.ref,
        "href": "",
        "text": "",
        "note": "",
        "who": accounts.get(entry.account_id, ""),
        "outcome": "",
        "outcome_word": "",
        "parts": [],
    }
    return shown | _ENTRIES[entry.kind](entry, words, accounts, agents, is_revealed)


def _call(entry: Entry, words: Words, _a: Mapping[str, str], agents: Mapping[str, str], _r: bool) -> View:
    return {
        "href": f"/calls/{entry.ref}",
        "text": words.matter(entry.before) or words.line(entry.origin),
        "outcome": entry.after,
        "note": words.t("customers.ticket", no=entry.detail) if entry.detail else "",
        "who": agents.get(entry.account_id, ""),
    }


def _ticket(entry: Entry, words: Words, _a: Mapping[str, str], _n: Mapping[str, str], _r: bool) -> View:
    return {
        "href": f"/tickets/{entry.ref}",
        "text": f"{entry.ref} {words.ticket_type(entry.before)}",
        "note": words.t(f"state.ticket.{entry.after}"),
    }


def _change(
    entry: Entry, words: Words, _a: Mapping[str, str], agents: Mapping[str, str], is_revealed: bool
) -> View:
    before, after = (
        _value(entry.ref, text, words, agents, is_revealed=is_revealed)
        for text in (entry.before, entry.after)
    )
    return {"text": words.field(entry.ref), "before": before, "after": after, "note": entry.origin}


def _tier(entry: Entry, words: Words, _a: Mapping[str, str], _n: Mapping[str, str], _r: bool) -> View:
    score = words.t("customers.score", score=entry.detail) if entry.detail else ""
    return {
        "text": words.field("tier"),
        "before": words.tier(entry.before) if entry.before else "–",
        "after": words.tier(entry.after) if entry.after else "–",
        "note": " · ".join(part for part in (words.t(f"tiers.reason.{entry.ref}"), score) if part),
    }


def _opened(entry: Entry, words: Words, _a: Mapping[str, str], _n: Mapping[str, str], _r: bool) -> View:
    return {"text": words.t("customers.opened"), "note": entry.origin}


_ENTRIES: Final = {"call": _call, "ticket": _ticket, "change": _change, "tier": _tier, "opened": _opened}


def _value(field: str, text: str, words: Words, agents: Mapping[str, str], *, is_revealed: bool) -> str:
    """A value before or after a change."""
    if not text:
        return "–"
    attribute = words.plan.attributes.get(field)
    if attribute is not None:
        return HIDDEN if attribute.is_personal and not is_revealed else words.value(field, text)
    if field in _WITH_NUMBERS:
        return _NUMBER.sub(lambda found: _shown(found[0], is_revealed=is_revealed), text)
    if field == "area":
        return words.area(text)
    if field == "language":
        return words.language(text)
    if field == "managers":
        return words.t("why.comma").join(agents.get(each, each) for each in text.split("; "))
    return words.t(f"state.{text}") if field == "consent" else text


def change_row(change: Change, words: Words, accounts: Mapping[str, str]) -> View:
    zone, locale = words.plan.timezone, words.locale
    decided = day_and_time(change.decided_ms, zone, locale) if change.decided_ms else ""
    return {
        "change_id": change.change_id,
        "customer_id": change.customer_id,
        "tier_word": words.tier(change.tier),
        "rank": words.rank(change.tier),
        "reason": change.reason,
        "until": date_of(change.until_ms - 1, zone, locale),
        "state": str(change.state),
        "state_word": words.t(f"tiers.state.{change.state}"),
        "asked_by": accounts.get(change.asked_by, ""),
        "asked_by_id": change.asked_by,
        "asked": day_and_time(change.asked_ms, zone, locale),
        "decided_by": accounts.get(change.decided_by, ""),
        "decided": decided,
        "note": change.note,
    }


def accounts_in(entries: Sequence[Entry], changes: Sequence[Change]) -> list[str]:
    """The accounts whose names a page needs."""
    return [
        *(each.account_id for each in entries if each.kind != "call"),
        *(account_id for each in changes for account_id in (each.asked_by, each.decided_by)),
    ]
