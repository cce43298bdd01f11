"""What is left of a caller who stays anonymous is erased: from the history at once, from the disk after his call.

The switchboard has blanked the live call and taken the lines that named him out of the journal. `scrub` takes the
same lines out of their copy in SQL, and his number unless another call needs it. The disk still has it all: the
append-only file of the live store and the log of SQLite keep what was. `erase_traces` has both written anew. It is
a chore over what `scrub` wrote down in its own transaction, so whoever dies, it comes round again.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config.erasing import empty_database_log, rewrite_store_log
from config.log import get_log
from config.runtime import Runtime
from queues.domain.call_records import CallRecord, text_of
from queues.domain.journal import Line, LineType
from queues.service import cases
from queues.service.switchboard import Switchboard
from queues.store import abandoned, calls, customers, follow_ups, journal, tickets

log = get_log(__name__)

# Who he is, and which other call was his.
NAMING: Final = (LineType.CALL_ARRIVED, LineType.CALL_IDENTIFIED, LineType.CALL_PLACE_KEPT)


async def refs_of(connection: AsyncConnection, lines: Sequence[Line]) -> set[str]:
    """By which refs the history knows those who have become anonymous; asked before it is written over."""
    call_ids = {line.call_id for line in lines if line.type == LineType.CALL_ANONYMISED}
    records = await calls.load(connection, call_ids) if call_ids else {}
    return {record.caller_ref for record in records.values()} - {"", customers.WITHHELD}


def nameless(lines: Sequence[Line], records: Mapping[str, CallRecord]) -> dict[str, CallRecord]:
    """The calls that have become anonymous with these lines, or have told again who it is."""
    told = (line for line in lines if line.type == LineType.CALL_ANONYMISED or is_relapse(line, records))
    return {line.call_id: records[line.call_id] for line in told if line.call_id in records}


def is_relapse(line: Line, records: Mapping[str, CallRecord]) -> bool:
    """A webhook that came so late that the live store had forgotten the call: it has arrived again, with its number."""
    record = records.get(line.call_id)
    return line.type == LineType.CALL_ARRIVED and record is not None and record.is_anonymous


async def scrub(
    connection: AsyncConnection, records: Mapping[str, CallRecord], refs: Collection[str], now_ms: int
) -> None:
    """The calls' own records name nobody any more; now the rest."""
    if not records:
        return
    naming = await journal.lines_of_calls(connection, records.keys(), NAMING)
    told = {text_of(line.data, "caller_ref") for line in naming} - {"", customers.WITHHELD}
    await journal.delete_lines(connection, [line.id for line in naming])
    await calls.forget_given(connection, records.keys())
    await follow_ups.forget_callers(connection, records.keys())
    for call_id, record in records.items():
        await tickets.forget_caller(connection, [call_id], record.tier)
    files = {text_of(line.data, "customer_id") for line in naming} - {""}
    await tickets.tell_again(connection, {*refs, *told, *files})
    for caller_ref in {*refs, *told}:
        if not await calls.is_ref_in_use(connection, caller_ref):
            await customers.forget_number(connection, caller_ref)
            await abandoned.forget_refs(connection, [caller_ref])
    await calls.ask_erasure(connection, records.keys(), now_ms)


async def erase_traces(runtime: Runtime) -> int:
    """The chore: how many calls of anonymous callers have left no trace on the disk now."""
    async with runtime.database.read() as connection:
        asked = await calls.erasures_asked(connection)
    if not asked:
        return 0
    # Whoever wrote down that he is anonymous may have died before the live store heard of it.
    switchboard = Switchboard(runtime)
    for call_id, _ in asked:
        await switchboard.anonymise_call(call_id=call_id)
    # What may be heard of their cases names nobody either, before its log is rewritten.
    await cases.catch_up(runtime)
    is_rewritten = await rewrite_store_log(runtime.redis)
    is_emptied = await empty_database_log(runtime.database)
    if not (is_rewritten and is_emptied):
        log.info("erasing.not_yet", calls=len(asked), store=is_rewritten, database=is_emptied)
        return 0
    async with runtime.database.transaction() as connection:
        return await calls.note_erased(connection, asked, runtime.clock.now_ms())
