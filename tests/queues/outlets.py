"""Outlets of the retail hotline: made, imported, ranked. The letters of a format stand for a kind of shop."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from config import site_files
from config.database import metadata
from config.runtime import Runtime
from queues.domain.customers import Customer
from queues.domain.tiers import first_band
from queues.service.customers import import_customers
from queues.service.plans import plan_of
from queues.service.standings import placed


def at_site(runtime: Runtime, site: str) -> Runtime:
    """The same house, answering for another of the hotlines."""
    settings = replace(runtime.settings, site=site)
    return replace(runtime, settings=settings, site_files=site_files.read(settings.sites_dir / site))


def outlet(number: int, qty: float, amount: float, store_format: str = "Z", **attributes: str) -> Customer:
    known = {
        "store_format": store_format,
        "market_type": "C",
        "purchase_qty": str(qty),
        "purchase_amount": str(amount),
    }
    return Customer(
        customer_id=f"S{number:04d}",
        name=f"商店{number}",
        account_no=f"{number:08d}",
        area="city_a",
        attributes=known | attributes,
        numbers=(f"+8613800{number:06d}",),
    )


async def import_placed(runtime: Runtime, files: Sequence[Customer]) -> None:
    """As an import does it: the standing is made with the files, and whom no ranking has seen is in the lowest band."""
    plan = plan_of(runtime)
    await import_customers(runtime, [placed(plan, file, None, first_band(plan)) for file in files])


async def rows(runtime: Runtime, table: str, *names: str) -> list[dict[str, Any]]:
    """Every row of a table, by its key; of it, these columns or all. A key that is drawn says nothing of what came
    first."""
    described = metadata.tables[table]
    columns = [described.c[name] for name in names] or list(described.c)
    query = select(*columns).order_by(*described.primary_key.columns)
    async with runtime.database.read() as connection:
        return [dict(row) for row in (await connection.execute(query)).mappings()]


async def column(runtime: Runtime, name: str) -> dict[str, Any]:
    """One column of every customer's file."""
    return {row["customer_id"]: row[name] for row in await rows(runtime, "customers", "customer_id", name)}
