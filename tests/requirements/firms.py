"""Rows of firms as a power company's table has them."""

from typing import Any


def row(account_no: str, capacity: str, kwh: str, high_risk: str) -> dict[str, Any]:
    return {
        "account_no": account_no,
        "name": f"客户{account_no}",
        "phones": f"1380000{account_no}",
        "area": "city",
        "customer_kind": "non_residential",
        "address": "人民路1号",
        "capacity_kva": capacity,
        "annual_kwh": kwh,
        "high_risk": high_risk,
    }
