"""Working out what new values make of customers' files: checked, ranked and compared, before anything is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config import numbers
from config.runtime import Runtime
from queues.domain.customer_changes import (
    FieldChange,
    apply,
    changes_between,
    faults_of,
    without_withdrawn,
)
from queues.domain.customer_rows import Draft, Register
from queues.domain.customers import Customer
from queues.domain.plan import Plan
from queues.domain.tiers import first_band
from queues.service.plans import plan_of
from queues.service.standings import placed
from queues.store import customers as files
from queues.store import people, tiers

_MOBILE: Final = re.compile(r"1[3-9]\d{9}")
# a digit too few: the library takes it for possible
_NO_MOBILE: Final = re.compile(r"\+861[3-9](?!\d{9}$)\d*")
_LOCAL: Final = re.compile(r"[2-9]\d{6,7}")
_LOOSE: Final = re.compile(r"[\s()\u2010-\u2015-]")


@dataclass(frozen=True, slots=True)
class Known:
    """A file as it is, the revision it had, and the tier given to it by hand."""

    customer: Customer
    revision: int
    manual: str | None


@dataclass(frozen=True, slots=True)
class Worked:
    """What becomes of one file."""

    draft: Draft
    known: Known | None
    after: Customer
    changes: Sequence[FieldChange]

    @property
    def is_changed(self) -> bool:
        return self.known is None or self.known.customer != self.after

    @property
    def has_new_numbers(self) -> bool:
        before = self.known.customer.everybodys_numbers if self.known else {}
        return before != self.after.everybodys_numbers


async def register_of(runtime: Runtime, area_code: str = "") -> Register:
    """What rows are read against: the plan in force, the agents there are, how numbers are written here."""
    async with runtime.database.read() as connection:
        agents = await people.all_of_site(connection, runtime.settings.site)
    names = [agent.name for agent in agents]
    return Register(
        plan=plan_of(runtime),
        agents={
            **{agent.name: agent.agent_id for agent in agents if names.count(agent.name) == 1},
            **{agent.agent_id: agent.agent_id for agent in agents},
        },
        read_number=number_reader(
            runtime.settings.default_region, area_code or own_area_code(runtime.settings.hotline_numbers)
        ),
    )


def own_area_code(lines: Mapping[str, str]) -> str:
    """The area that the hotline's own numbers are in; nothing when they are in none or in several."""
    codes = {numbers.area_code(number) for number in lines.values()}
    return codes.pop() if len(codes) == 1 else ""


def number_reader(region: str, area_code: str) -> Callable[[str], str | None]:
    """E.164 of a number as people write it. In China one without an area code is in `area_code`, or none at all.

    The library takes such a number for one of the whole country.
    """

    def read(text: str) -> str | None:
        if region != "CN":
            return numbers.parse(text, region)
        if _MOBILE.fullmatch(text):
            return f"+86{text}"  # what the library says as well, 30 times as fast
        if _LOCAL.fullmatch(local := _LOOSE.sub("", text)):
            return numbers.parse(f"0{area_code.lstrip('0')}{local}", region) if area_code else None
        found = numbers.parse(text, region)
        return None if found and _NO_MOBILE.fullmatch(found) else found

    return read


async def known_of(
    connection: AsyncConnection, site: str, account_nos: Collection[str], now_ms: int
) -> dict[str, Known]:
    """The files that these accounts have, by account."""
    found = await files.find_with_revisions(connection, site, account_nos)
    by_hand = await tiers.manual_tiers(connection, [file.customer_id for file, _ in found], now_ms)
    return {file.account_no: Known(file, revision, by_hand.get(file.customer_id)) for file, revision in found}


def work_out(plan: Plan, drafts: Sequence[Draft], known: Mapping[str, Known]) -> Iterator[Worked]:
    """What each draft makes of its file; what forbids it is added to the draft's faults."""
    lowest = first_band(plan)
    for draft in drafts:
        there = known.get(draft.account_no)
        before = there.customer if there else Customer(customer_id="", name="")
        after = apply(plan, draft, before)
        seen = {name for name, _ in draft.faults}
        draft.faults.extend(fault for fault in faults_of(plan, after) if fault[0] not in seen)
        if draft.faults:
            yield Worked(draft, there, after, ())
            continue
        after = placed(plan, after, there.manual if there else None, before.band if there else lowest)
        changes = without_withdrawn(plan, changes_between(before, after), after) if there else ()
        yield Worked(draft, there, after, changes)
