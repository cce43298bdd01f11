"""Customers: the file of somebody who may call, the persons who speak for him, and the numbers they call from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

BETWEEN_FILES: Final = "\n"
BEFORE_CONTACT: Final = "~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person who calls for the customer, and whether notices go to him."""

    name: str
    role: str = ""
    numbers: tuple[str, ...] = ()  # E.164
    wants_notices: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One customer, one file. What the site's rules made of it (tier to managers) stands beside what it says."""

    customer_id: str
    name: str
    account_no: str = ""
    locale: str = ""
    area: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    contacts: tuple[Contact, ...] = ()
    numbers: tuple[str, ...] = ()  # E.164, those of no person in particular
    managers: tuple[str, ...] = ()  # agents, the first of them first
    has_consent: bool = False
    tier: str = ""
    band: str = ""
    class_code: str = ""
    is_care: bool = False

    @property
    def everybodys_numbers(self) -> dict[str, str]:
        """Each number of the file, and the name of the contact person it belongs to or nothing."""
        persons = {number: person.name for person in reversed(self.contacts) for number in person.numbers}
        return {**dict.fromkeys(self.numbers, ""), **persons}


@dataclass(frozen=True, slots=True)
class Bonds:
    """What stands beside a file: how long a caller waits for each of his managers, and whom he never meets."""

    waits: Mapping[str, int] = field(default_factory=dict)  # agent_id -> ms, of those appointed by hand
    never: tuple[str, ...] = ()


NO_BONDS: Final = Bonds()


def live_file(customer: Customer, bonds: Bonds = NO_BONDS) -> dict[str, Any]:
    """What the live store needs at an arrival; the rest of the file stays in SQL, and so does what is empty."""
    whole = {
        "name": customer.name,
        "tier": customer.tier,
        "locale": customer.locale,
        "area": customer.area,
        "account_no": customer.account_no,
        "managers": list(customer.managers),
        "waits": dict(bonds.waits),
        "never": list(bonds.never),
        "care": "1" if customer.is_care else "",
    }
    return {name: value for name, value in whole.items() if value}


def index_entry(owners: Iterable[tuple[str, str, str]], ranks: Mapping[str, int]) -> str:
    """What the number index says of one number: every file it is in, that of the highest tier first.

    `owners` are (customer_id, tier, contact's name); `ranks` gives the place of each tier, 0 the highest.
    """
    ordered = list(owners)
    if len(ordered) > 1:
        ordered.sort(key=lambda owner: (ranks.get(owner[1], len(ranks)), owner[0], owner[2]))
    return BETWEEN_FILES.join(one_owner(customer_id, contact) for customer_id, _, contact in ordered)


def one_owner(customer_id: str, contact: str) -> str:
    return f"{customer_id}{BEFORE_CONTACT}{contact}" if contact else customer_id


def read_entry(entry: str) -> Sequence[tuple[str, str]]:
    """(customer_id, contact's name) of every file that the number is in."""
    owners = (each.partition(BEFORE_CONTACT) for each in entry.split(BETWEEN_FILES) if each)
    return [(customer_id, contact) for customer_id, _, contact in owners]
