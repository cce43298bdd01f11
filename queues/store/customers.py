"""Customers in SQL: one file for one account number, the numbers in each, what changed in it and from where.

`caller_numbers` is the one place that ties a `caller_ref` of the journal to a number; deleting its row makes the
caller anonymous. Every transaction that changes files takes a revision (`next_revision`) and writes it on them:
by it the live index knows what it has not seen yet.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Select,
    Table,
    Text,
    delete,
    func,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert
from queues.domain.customer_changes import FieldChange
from queues.domain.customers import Contact, Customer

WITHHELD: Final = "withheld"
WANTS_NOTICES: Final = '"wants_notices":true'  # as `packed` writes it
ASKED: Final = 5_000  # ids in one question

caller_numbers = Table(
    "caller_numbers",
    metadata,
    Column("caller_ref", Text, primary_key=True),
    Column("number", Text, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
)
customers = Table(
    "customers",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("account_no", Text),
    Column("account_digits", Text),  # as it can be keyed on a telephone
    Column("name", Text, nullable=False),
    Column("locale", Text),
    Column("area", Text),
    Column("attributes", Text),
    Column("contacts", Text),
    Column("managers", Text),
    Column("has_consent", Boolean),
    Column("tier", Text),
    Column("band", Text),
    Column("class_code", Text),
    Column("is_care", Boolean),
    Column("import_no", Integer),  # that opened the file
    Column("opened_ms", BigInteger),
    Column("revision", BigInteger),
)
Index(None, customers.c.site, customers.c.account_no, unique=True)
Index(None, customers.c.site, customers.c.account_digits)
Index(None, customers.c.site, customers.c.revision)
customer_numbers = Table(
    "customer_numbers",
    metadata,
    Column("number_key", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("contact", Text),
    PrimaryKeyConstraint("number_key", "customer_id", name="pk_customer_numbers_shared"),
)
Index(None, customer_numbers.c.customer_id)
customer_changes = Table(
    "customer_changes",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("origin", Text, nullable=False),
    Column("account_id", Text),
)
index_stamps = Table(
    "index_stamps",
    metadata,
    Column("site", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
)
index_gone = Table(
    "index_gone",
    metadata,
    Column("site", Text, primary_key=True),
    Column("number_key", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
Index(None, index_gone.c.site, index_gone.c.revision)
Index(None, index_gone.c.site, index_gone.c.at_ms)

compact: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
TEXTS: Final = ("account_no", "name", "locale", "area", "tier", "band", "class_code")
FLAGS: Final = ("has_consent", "is_care")
WRITTEN: Final = (*TEXTS, *FLAGS, "account_digits", "attributes", "contacts", "managers")


async def next_revision(connection: AsyncConnection, site: str) -> int:
    """The revision of this transaction, to be written on every file that it changes."""
    insert = upsert(index_stamps, connection).values(site=site, revision=1)
    statement = insert.on_conflict_do_update(
        index_elements=["site"], set_={"revision": index_stamps.c.revision + 1}
    ).returning(index_stamps.c.revision)
    return int((await connection.execute(statement)).scalar_one())


async def save(
    connection: AsyncConnection, site: str, batch: Sequence[Customer], keys: Mapping[str, str], now_ms: int
) -> None:
    """Write these files as they are; `keys` gives the key of each of their numbers."""
    await save_as(connection, site, batch, keys, await next_revision(connection, site), now_ms)


async def save_as(
    connection: AsyncConnection,
    site: str,
    batch: Sequence[Customer],
    keys: Mapping[str, str],
    revision: int,
    now_ms: int,
) -> None:
    """As `save`, with the revision that this transaction has taken."""
    insert = upsert(customers, connection)
    changes = {name: insert.excluded[name] for name in ("site", *WRITTEN, "revision")}
    statement = insert.on_conflict_do_update(index_elements=["customer_id"], set_=changes)
    rows = [
        {"site": site, **row_of(customer), "opened_ms": now_ms, "revision": revision} for customer in batch
    ]
    await connection.execute(statement, rows)
    await replace_numbers(connection, site, batch, keys, revision, now_ms)


async def replace_numbers(
    connection: AsyncConnection,
    site: str,
    batch: Sequence[Customer],
    keys: Mapping[str, str],
    revision: int,
    now_ms: int,
) -> None:
    are_theirs = customer_numbers.c.customer_id.in_([customer.customer_id for customer in batch])
    held = (await connection.execute(select(customer_numbers.c.number_key).where(are_theirs))).scalars()
    await mark_gone(connection, site, held, revision, now_ms)
    await connection.execute(delete(customer_numbers).where(are_theirs))
    if rows := [
        {
            "number_key": keys[number],
            "customer_id": customer.customer_id,
            "number": number,
            "contact": contact or None,
        }
        for customer in batch
        for number, contact in customer.everybodys_numbers.items()
    ]:
        await connection.execute(customer_numbers.insert(), rows)


async def mark_gone(
    connection: AsyncConnection, site: str, number_keys: Iterable[str], revision: int, now_ms: int
) -> None:
    """These numbers may have left a file: the live index must look at them again."""
    insert = upsert(index_gone, connection)
    statement = insert.on_conflict_do_update(
        index_elements=["site", "number_key"],
        set_={"revision": insert.excluded.revision, "at_ms": insert.excluded.at_ms},
    )
    if rows := [
        {"site": site, "number_key": key, "revision": revision, "at_ms": now_ms} for key in number_keys
    ]:
        await connection.execute(statement, rows)


def row_of(customer: Customer) -> dict[str, Any]:
    """The columns of a file; what is empty is NULL, and JSON has no spaces."""
    return {
        "customer_id": customer.customer_id,
        **{name: getattr(customer, name) or None for name in (*TEXTS, *FLAGS)},
        "account_digits": digits_of(customer.account_no) or None,
        "attributes": packed(dict(customer.attributes)),
        "contacts": packed(contact_lines(customer.contacts)),
        "managers": packed(list(customer.managers)),
    }


def digits_of(account_no: str) -> str:
    return account_no if account_no.isdecimal() else "".join(filter(str.isdecimal, account_no))


def packed(value: Any) -> str | None:
    return compact(value) if value else None


def contact_lines(contacts: Iterable[Contact]) -> list[dict[str, Any]]:
    """Contacts as JSON keeps them. Their numbers are rows, so that a number is kept in one place."""
    lines = ({"name": one.name, "role": one.role, "wants_notices": one.wants_notices} for one in contacts)
    return [{name: value for name, value in line.items() if value} for line in lines]


async def keep_changes(
    connection: AsyncConnection,
    customer_id: str,
    changes: Iterable[FieldChange],
    revision: int,
    now_ms: int,
    *,
    origin: str,
    account_id: str,
) -> None:
    rows = [
        {
            "customer_id": customer_id,
            "revision": revision,
            "field": change.field,
            "at_ms": now_ms,
            "before": change.before,
            "after": change.after,
            "origin": origin,
            "account_id": account_id or None,
        }
        for change in changes
    ]
    if rows:
        await connection.execute(customer_changes.insert(), rows)


async def drop_history(connection: AsyncConnection, customer_id: str, fields: Collection[str]) -> None:
    """Nothing is known any more of what these fields held."""
    theirs = customer_changes.c.customer_id == customer_id
    await connection.execute(delete(customer_changes).where(theirs, customer_changes.c.field.in_(fields)))


async def drop_number(connection: AsyncConnection, number_key: str) -> None:
    """Out of every file."""
    await connection.execute(delete(customer_numbers).where(customer_numbers.c.number_key == number_key))


async def with_wishes(connection: AsyncConnection, site: str, area: str) -> list[Customer]:
    """Files with a contact person who wants notices, of one area or of all."""
    query = select(customers).where(
        customers.c.site == site, customers.c.contacts.contains(WANTS_NOTICES, autoescape=True)
    )
    if area:
        query = query.where(customers.c.area == area)
    return await find_all(connection, query.order_by(customers.c.customer_id))


async def find(connection: AsyncConnection, customer_id: str, site: str = "") -> Customer | None:
    query = select(customers).where(customers.c.customer_id == customer_id)
    found = await find_all(connection, query.where(customers.c.site == site) if site else query)
    return found[0] if found else None


async def find_with_revisions(
    connection: AsyncConnection, site: str, account_nos: Collection[str]
) -> list[tuple[Customer, int]]:
    """The files of these accounts, and the revision of each."""
    query = select(customers).where(customers.c.site == site, customers.c.account_no.in_(account_nos))
    rows = (await connection.execute(query)).mappings().all()
    found = await with_numbers(connection, rows)
    return [(file, row["revision"] or 0) for file, row in zip(found, rows, strict=True)]


async def find_all(connection: AsyncConnection, query: Select[Any]) -> list[Customer]:
    """The files of these rows, with their numbers."""
    return await with_numbers(connection, (await connection.execute(query)).mappings().all())


async def with_numbers(connection: AsyncConnection, rows: Sequence[Mapping[Any, Any]]) -> list[Customer]:
    numbers: dict[str, list[tuple[str, str]]] = {row["customer_id"]: [] for row in rows}
    columns = (customer_numbers.c.customer_id, customer_numbers.c.number, customer_numbers.c.contact)
    owned = select(*columns)
    ids = list(numbers)
    for start in range(0, len(ids), ASKED):
        of_these = owned.where(customer_numbers.c.customer_id.in_(ids[start : start + ASKED]))
        for row in await connection.execute(of_these.order_by(customer_numbers.c.number)):
            numbers[row.customer_id].append((row.number, row.contact or ""))
    return [customer_of(row, numbers[row["customer_id"]]) for row in rows]


def customer_of(row: Mapping[Any, Any], numbers: Iterable[tuple[str, str]] = ()) -> Customer:
    """A file from its row, and from its numbers each with the contact's name."""
    owned: dict[str, list[str]] = {}
    for number, contact in numbers:
        owned.setdefault(contact, []).append(number)
    contacts = tuple(
        Contact(
            name=line["name"],
            role=line.get("role", ""),
            numbers=tuple(owned.pop(line["name"], ())),
            wants_notices=line.get("wants_notices", False),
        )
        for line in json.loads(row["contacts"] or "[]")
    )
    plain: dict[str, Any] = {
        **{name: row[name] or "" for name in TEXTS},
        **{name: bool(row[name]) for name in FLAGS},
    }
    return Customer(
        customer_id=row["customer_id"],
        **plain,
        attributes=json.loads(row["attributes"] or "{}"),
        contacts=contacts,
        managers=tuple(json.loads(row["managers"] or "[]")),
        numbers=tuple(number for held in owned.values() for number in held),
    )


async def names(connection: AsyncConnection, customer_ids: Collection[str]) -> dict[str, str]:
    query = select(customers.c.customer_id, customers.c.name).where(customers.c.customer_id.in_(customer_ids))
    return {row.customer_id: row.name for row in await connection.execute(query)}


async def ids_named(connection: AsyncConnection, text: str, limit: int) -> tuple[str, ...]:
    """Customers whose name contains this, or whose account number it is."""
    is_like = func.lower(customers.c.name).contains(text.lower(), autoescape=True)
    query = select(customers.c.customer_id).where(is_like | (customers.c.account_no == text)).limit(limit)
    return tuple((await connection.execute(query)).scalars())


async def search(
    connection: AsyncConnection, site: str, *, account_no: str, number_key: str, name: str, limit: int
) -> list[Customer]:
    """Files with this account number, with this telephone number, and with this in their name, in this order.

    What is empty is not asked for. Each is a question of its own, so that only the last one reads every name.
    """
    here, digits = customers.c.site == site, digits_of(account_no)
    with_number = select(customer_numbers.c.customer_id).where(customer_numbers.c.number_key == number_key)
    questions = (
        (account_no, customers.c.account_no == account_no),
        (digits == account_no and digits, customers.c.account_digits == digits),
        (number_key, customers.c.customer_id.in_(with_number)),
        (name, func.lower(customers.c.name).contains(name.lower(), autoescape=True)),
    )
    found: dict[str, Customer] = {}
    for asked, test in questions:
        if asked and len(found) < limit:
            query = select(customers).where(here, test).order_by(customers.c.name, customers.c.customer_id)
            for customer in await find_all(connection, query.limit(limit)):
                found.setdefault(customer.customer_id, customer)
    return list(found.values())[:limit]


async def save_caller_numbers(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Remember which number stands behind a `caller_ref`: rows of caller_ref, number, seen_ms."""
    insert = upsert(caller_numbers, connection)
    changes = {"number": insert.excluded.number, "seen_ms": insert.excluded.seen_ms}
    is_newer = caller_numbers.c.seen_ms < insert.excluded.seen_ms
    statement = insert.on_conflict_do_update(index_elements=["caller_ref"], set_=changes, where=is_newer)
    await connection.execute(statement, rows)


async def number_of(connection: AsyncConnection, caller_ref: str) -> str | None:
    query = select(caller_numbers.c.number).where(caller_numbers.c.caller_ref == caller_ref)
    return (await connection.execute(query)).scalar_one_or_none()


async def numbers_behind(connection: AsyncConnection, caller_refs: Collection[str]) -> dict[str, str]:
    query = select(caller_numbers.c.caller_ref, caller_numbers.c.number)
    rows = await connection.execute(query.where(caller_numbers.c.caller_ref.in_(caller_refs)))
    return {row.caller_ref: row.number for row in rows}


async def forget_number(connection: AsyncConnection, caller_ref: str) -> bool:
    gone = await connection.execute(delete(caller_numbers).where(caller_numbers.c.caller_ref == caller_ref))
    return gone.rowcount == 1
