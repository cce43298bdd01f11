"""Rows of outlets as a retail supplier's table has them."""

from typing import Any


def outlet(number: int, qty: float, amount: float, store_format: str = "Z", **more: Any) -> dict[str, Any]:
    return {
        "account_no": f"{number:08d}",
        "name": f"商店{number}",
        "phones": f"13800{number:06d}",
        "area": "city_a",
        "address": f"解放路{number}号",
        "licence_no": f"L{number:06d}",
        "store_format": store_format,
        "market_type": "C",
        "route": "R1",
        "purchase_qty": qty,
        "purchase_amount": amount,
        "purchase_days": "8",
        **more,
    }


def phone(number: int) -> str:
    return f"+8613800{number:06d}"
