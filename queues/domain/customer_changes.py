"""What becomes of a file when somebody gives new values: the file, what forbids it, and what changed in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from queues.domain.customer_rows import Draft
from queues.domain.customers import Contact, Customer
from queues.domain.plan import Plan

FIELDS: Final[Mapping[str, str]] = {  # the column's name -> that of the file
    "name": "name",
    "area": "area",
    "language": "locale",
    "managers": "managers",
    "consent": "has_consent",
    "phones": "numbers",
    "contacts": "contacts",
}
NEEDED: Final = "is needed, and the file has none"
CONSENT_NEEDED: Final = "may be kept only with consent on file (column consent: yes)"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after; nothing before a first value, nothing after a last one."""

    field: str
    before: str
    after: str


def apply(plan: Plan, draft: Draft, customer: Customer) -> Customer:
    """The file with what the draft gives. Who takes his consent back takes with it what needed it."""
    given = {FIELDS.get(name, name): value for name, value in draft.fields.items()}
    merged = {**customer.attributes, **draft.attributes}
    if customer.has_consent and draft.fields.get("consent") is False:
        merged = {name: value for name, value in merged.items() if name not in consenting(plan)}
    attributes = {name: value for name, value in merged.items() if value}
    whole = replace(customer, account_no=draft.account_no, **given, attributes=attributes)
    persons = {number for contact in whole.contacts for number in contact.numbers}
    if persons.isdisjoint(whole.numbers):
        return whole
    return replace(whole, numbers=tuple(number for number in whole.numbers if number not in persons))


def consenting(plan: Plan) -> frozenset[str]:
    """The attributes that are kept only with consent."""
    return frozenset(attribute.id for attribute in plan.attributes.values() if attribute.needs_consent)


def faults_of(plan: Plan, customer: Customer) -> Iterator[tuple[str, str]]:
    """(field, what) of everything that forbids this file."""
    if not customer.name:
        yield "name", NEEDED
    for attribute in plan.attributes.values():
        has_value = attribute.id in customer.attributes
        if attribute.is_required and not has_value:
            yield attribute.id, NEEDED
        if attribute.needs_consent and has_value and not customer.has_consent:
            yield attribute.id, CONSENT_NEEDED
    for name in customer.attributes:
        if name not in plan.attributes:
            yield name, "is no field of this site's customers"


def changes_between(before: Customer, after: Customer) -> list[FieldChange]:
    """Every field that differs, in words a person reads."""
    if before == after:
        return []
    old, new = _told(before), _told(after)
    names = dict.fromkeys((*old, *new))
    return [
        FieldChange(name, old.get(name, ""), new.get(name, ""))
        for name in names
        if old.get(name, "") != new.get(name, "")
    ]


def without_withdrawn(plan: Plan, changes: Iterable[FieldChange], after: Customer) -> list[FieldChange]:
    """Of what needed the consent that is gone, not even the last value is kept."""
    gone = frozenset() if after.has_consent else consenting(plan)
    return [change for change in changes if change.field not in gone]


def _told(customer: Customer) -> dict[str, str]:
    told: dict[str, str] = {}
    for name, attribute in FIELDS.items():
        if text := _text(getattr(customer, attribute)):
            told[name] = text
    return {**told, **customer.attributes}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, str):
        return value
    return "; ".join(contact_text(each) if isinstance(each, Contact) else str(each) for each in value)


def contact_text(contact: Contact) -> str:
    """As a table gives it."""
    parts = (
        contact.name,
        contact.role,
        " ".join(contact.numbers),
        "notices" if contact.wants_notices else "",
    )
    return " | ".join(parts).rstrip(" |")
