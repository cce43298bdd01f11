"""Customers: the file of somebody who may call, and the numbers he calls from."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    customer_id: str
    name: str
    tier: str = ""
    locale: str = ""
    account_no: str = ""
    manager: str = ""
    area: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    numbers: tuple[str, ...] = ()  # E.164


def live_file(customer: Customer) -> dict[str, str]:
    """What the live store needs at an arrival; the rest of the file stays in SQL."""
    return {
        "name": customer.name,
        "tier": customer.tier,
        "locale": customer.locale,
        "manager": customer.manager,
        "area": customer.area,
        "account_no": customer.account_no,
    }
