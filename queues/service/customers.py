"""Customers: files found, changed with date and origin, and forgotten; SQL first, then the live index.

Who dies between the two leaves a revision that the live index has not seen; `mend_index` finds it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config import numbers
from config.runtime import Runtime
from queues.domain.attributes import UnreadableError, tidy
from queues.domain.customer_changes import FieldChange, consenting
from queues.domain.customer_rows import Columns, Register, read_account
from queues.domain.customers import Contact, Customer
from queues.service import cases
from queues.service.customer_index import catch_up, mend_index, rebuild_index, show_live
from queues.service.customer_work import Known, Worked, register_of, work_out
from queues.service.standings import Cause, Move, note_steps
from queues.service.switchboard import Switchboard
from queues.store import abandoned, tickets, tiers, uploads
from queues.store import customer_history as history
from queues.store import customers as store
from queues.store.customer_history import Entry

BATCH: Final = 500
FOUND_MAX: Final = 50
# no name looks like this, and names are looked through one by one
_IS_NUMBER: Final = re.compile(r"[+\d\s()-]{4,}")

__all__ = [
    "Contact",
    "Customer",
    "Entry",
    "FieldChange",
    "Updated",
    "entries_of",
    "find_customer",
    "forget",
    "forget_number",
    "import_customers",
    "mend_index",
    "number_of",
    "rebuild_index",
    "search",
    "to_be_told",
    "update_customer",
]


@dataclass(frozen=True, slots=True)
class Updated:
    """What came of an update: faults by field and then nothing done, or what changed."""

    faults: Sequence[tuple[str, str]] = ()
    changes: Sequence[FieldChange] = ()


async def import_customers(runtime: Runtime, files: Iterable[Customer]) -> int:
    """Write these files as they are, tier and all, to SQL and then to the live index; those there are replaced."""
    remaining, count = iter(files), 0
    while batch := tuple(islice(remaining, BATCH)):
        keys = keys_of(runtime, batch)
        async with runtime.database.transaction() as connection:
            await store.save(connection, runtime.settings.site, batch, keys, runtime.clock.now_ms())
        await catch_up(runtime, waits=True)
        count += len(batch)
    return count


def keys_of(runtime: Runtime, files: Sequence[Customer]) -> dict[str, str]:
    secret = runtime.settings.secret_key
    return {
        number: numbers.number_key(secret, number) for file in files for number in file.everybodys_numbers
    }


async def find_customer(runtime: Runtime, customer_id: str) -> Customer | None:
    async with runtime.database.read() as connection:
        return await store.find(connection, customer_id)


async def number_of(runtime: Runtime, caller_ref: str) -> str | None:
    """The number behind a `caller_ref`, if it is kept."""
    async with runtime.database.read() as connection:
        return await store.number_of(connection, caller_ref)


async def forget_number(runtime: Runtime, caller_ref: str) -> bool:
    """From now on nobody can tell who this caller was."""
    async with runtime.database.transaction() as connection:
        return await store.forget_number(connection, caller_ref)


async def search(runtime: Runtime, text: str, limit: int = FOUND_MAX) -> list[Customer]:
    """Files by a part of the name, an account number, or a telephone number in any writing."""
    name = tidy(text)
    if not name:
        return []
    register = await register_of(runtime)
    number = register.read_number(name) or ""
    try:
        account_no = read_account(name)
    except UnreadableError:
        account_no = ""
    async with runtime.database.read() as connection:
        return await store.search(
            connection,
            runtime.settings.site,
            account_no=account_no,
            number_key=numbers.number_key(runtime.settings.secret_key, number) if number else "",
            name="" if _IS_NUMBER.fullmatch(name) else name,
            limit=limit,
        )


async def entries_of(
    runtime: Runtime, customer_id: str, *, before_ms: int | None = None, most: int = 200
) -> list[Entry]:
    """Calls, tickets and changes of one customer, the newest first. Recordings are known by their calls above."""
    async with runtime.database.read() as connection:
        return await history.entries_of(connection, customer_id, before_ms=before_ms, most=most)


async def update_customer(
    runtime: Runtime, customer_id: str, values: Mapping[str, str], *, by: str, reason: str
) -> Updated | None:
    """New values as somebody wrote them, by field; a fault in one of them changes nothing. None: no such file."""
    register = await register_of(runtime)
    site, now_ms = runtime.settings.site, runtime.clock.now_ms()
    async with runtime.database.transaction() as connection:
        known = await _known(connection, site, customer_id, now_ms)
        if known is None:
            return None
        worked, faults = _worked(register, known, values)
        if faults:
            return Updated(faults=faults)
        if not worked.is_changed:
            return Updated()
        revision = await store.next_revision(connection, site)
        keys = keys_of(runtime, [worked.after])
        await store.save_as(connection, site, [worked.after], keys, revision, now_ms)
        await store.keep_changes(
            connection, customer_id, worked.changes, revision, now_ms, origin=reason, account_id=by
        )
        cause = Cause(reason="import", origin=reason, account_id=by)
        moves = [Move(before=known.customer, after=worked.after)]
        await note_steps(connection, runtime, moves, cause, revision)
        if not worked.after.has_consent:
            await store.drop_history(connection, customer_id, consenting(register.plan))
    await show_live(runtime)
    return Updated(changes=worked.changes)


def _worked(
    register: Register, known: Known, values: Mapping[str, str]
) -> tuple[Worked, list[tuple[str, str]]]:
    columns = Columns(["account_no", *values], register)
    if "account_no" in values:
        columns.faults.append(("account_no", "a file keeps its account number"))
    draft = columns.read(0, [known.customer.account_no or known.customer.customer_id, *values.values()])
    draft.account_no = known.customer.account_no
    (worked,) = work_out(register.plan, [draft], {draft.account_no: known})
    return worked, [*columns.faults, *draft.faults]


async def _known(connection: AsyncConnection, site: str, customer_id: str, now_ms: int) -> Known | None:
    customer = await store.find(connection, customer_id, site)
    if customer is None:
        return None
    by_hand = await tiers.manual_tiers(connection, [customer_id], now_ms)
    return Known(customer, 0, by_hand.get(customer_id))


async def forget(runtime: Runtime, written: str) -> int | None:
    """Nobody can tell any more whose this number was: it leaves every file, their history, and every past call.

    Returns in how many files it was or had been; None if it is no number.
    """
    register = await register_of(runtime)
    number = register.read_number(tidy(written))
    if number is None:
        return None
    site, key = runtime.settings.site, numbers.number_key(runtime.settings.secret_key, number)
    async with runtime.database.transaction() as connection:
        await store.forget_number(connection, key)
        await tickets.forget_ref(connection, key)
        await abandoned.forget_refs(connection, [key])
        await uploads.forget_faults(connection, site)
        customer_ids = await history.ever_with(connection, site, number, key)
        if customer_ids:
            revision = await store.next_revision(connection, site)
            await store.drop_number(connection, key)
            await store.mark_gone(connection, site, [key], revision, runtime.clock.now_ms())
            await history.scrub(connection, customer_ids, number, revision)
    await Switchboard(runtime).forget_caller(caller_ref=key)
    await cases.tell(runtime)
    await show_live(runtime)
    return len(customer_ids)


async def to_be_told(runtime: Runtime, area: str = "") -> list[tuple[Customer, Contact]]:
    """Whom notices go to: of every file of the area, or of all, the persons who are marked for them."""
    async with runtime.database.read() as connection:
        found = await store.with_wishes(connection, runtime.settings.site, area)
    return [(file, contact) for file in found for contact in file.contacts if contact.wants_notices]
