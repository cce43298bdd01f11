"""Notices: raised, changed and cleared by a supervisor, heard by callers of their area within seconds.

SQL is the truth and the history; the switchboard holds what callers hear. Each change is written and audited in
one transaction first and put live after it. Whoever dies in between leaves a difference between the two, which
`mend_notices` finds: it puts live what is missing or old, takes out what is over, and leaves callers no ticket to
join that has been closed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config.runtime import Runtime
from queues.domain.notices import (
    NoticeFault,
    NoticeKind,
    Phase,
    RaisedNotice,
    Wording,
    faults_of,
    live_form,
    spoken_s,
    wording_form,
)
from queues.domain.parts import language_of
from queues.domain.plan import Plan
from queues.domain.tickets import TicketState
from queues.service.plans import plan_of
from queues.service.switchboard import Switchboard
from queues.store import audits, notices, tickets

__all__ = [
    "Board",
    "NoticeFault",
    "NoticeKind",
    "NoticesRefused",
    "Phase",
    "RaisedNotice",
    "Wording",
    "board_of",
    "change_notice",
    "clear_notice",
    "find_notice",
    "history_of",
    "mend_notices",
    "raise_notice",
    "spoken_s",
    "text_languages",
]

PAST_SHOWN: Final = 50
JOINABLE: Final = frozenset({TicketState.OPEN, TicketState.TAKEN})
# who clears a notice whose end has come
BY_TIME: Final = "time"
NOT_LOOKED: Final[Mapping[str, Any] | None] = {}


class NoticesRefused(Exception):  # noqa: N818  an answer, told to whoever filled in the form
    """A notice that cannot be raised or changed so: everything that is wrong with it."""

    def __init__(self, faults: Sequence[NoticeFault]) -> None:
        self.faults = tuple(faults)
        super().__init__(", ".join(fault.key for fault in faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All notices of the site, as people look at them."""

    running: tuple[RaisedNotice, ...]
    coming: tuple[RaisedNotice, ...]
    past: tuple[RaisedNotice, ...]
    not_live: frozenset[str]  # running or coming, and callers cannot hear them (yet)
    not_joinable: frozenset[str]  # their ticket has been closed


def text_languages(plan: Plan) -> tuple[str, ...]:
    """The languages that a notice must have a text in: all that the site speaks and does not read from another."""
    own = (each for each in plan.languages if not getattr(plan.voices.get(each), "text", None))
    return tuple(dict.fromkeys(language_of(each) for each in own))


async def raise_notice(runtime: Runtime, notice_id: str, given: Wording, by: str) -> RaisedNotice:
    """Raises NoticesRefused. The same id again is the notice that is there: a form may come twice."""
    await _check(runtime, given)
    now_ms = runtime.clock.now_ms()
    site = runtime.settings.site
    form = wording_form(given) | {"areas": given.areas}
    notice = RaisedNotice(**form, notice_id=notice_id, revision=1, raised_ms=now_ms, raised_by=by)
    async with runtime.database.transaction() as connection:
        if not await notices.insert_new(connection, site, notice):
            known = await notices.find(connection, site, notice_id)
            if known is None:
                raise NoticesRefused([NoticeFault(field="", key="not_new", values={})])
            return known
        await _audit(connection, notice, "notice.raised", now_ms, by, None, wording_form(notice))
    await _show(runtime, notice_id, by)
    return notice


async def change_notice(
    runtime: Runtime, notice_id: str, revision: int, given: Wording, by: str
) -> RaisedNotice:
    """Raises NoticesRefused, also when somebody was faster: nobody's words are written over unseen."""
    now_ms = runtime.clock.now_ms()
    site = runtime.settings.site
    await _check(runtime, given)
    async with runtime.database.transaction() as connection:
        before = await notices.find(connection, site, notice_id)
        if before is None or before.phase(now_ms) is Phase.PAST:
            raise NoticesRefused([NoticeFault(field="", key="over", values={})])
        if not await notices.change(connection, notice_id, revision, given):
            raise NoticesRefused([NoticeFault(field="", key="changed_meanwhile", values={})])
        after = await notices.find(connection, site, notice_id)
        assert after is not None  # noqa: S101  it has just been changed
        forms = (wording_form(before), wording_form(after))
        await _audit(connection, after, "notice.changed", now_ms, by, *forms)
    await _show(runtime, notice_id, by)
    return after


async def clear_notice(runtime: Runtime, notice_id: str, by: str) -> bool:
    """False when it was over already, or there is none."""
    now_ms = runtime.clock.now_ms()
    async with runtime.database.transaction() as connection:
        before = await notices.find(connection, runtime.settings.site, notice_id)
        is_cleared = before is not None and await notices.clear(connection, notice_id, now_ms, by)
        if before is not None and is_cleared:
            await _audit(connection, before, "notice.cleared", now_ms, by, wording_form(before), None)
    if before is not None:
        await _show(runtime, notice_id, by)
    return is_cleared


async def board_of(runtime: Runtime) -> Board:
    now_ms, site = runtime.clock.now_ms(), runtime.settings.site
    async with runtime.database.read() as connection:
        present = await notices.not_over(connection, site, now_ms)
        past = await notices.over(connection, site, now_ms, PAST_SHOWN)
        joinable = await _joinable(connection, present)
    held = await notices.live(runtime.redis, site)
    wanted = {each.notice_id: live_form(each, may_join=each.ticket_no in joinable) for each in present}
    return Board(
        running=tuple(each for each in present if each.phase(now_ms) is Phase.RUNNING),
        coming=tuple(each for each in present if each.phase(now_ms) is Phase.COMING),
        past=tuple(past),
        not_live=frozenset(name for name, form in wanted.items() if held.get(name) != form),
        not_joinable=frozenset(
            each.notice_id for each in present if each.ticket_no and each.ticket_no not in joinable
        ),
    )


async def find_notice(runtime: Runtime, notice_id: str) -> RaisedNotice | None:
    async with runtime.database.read() as connection:
        return await notices.find(connection, runtime.settings.site, notice_id)


async def history_of(runtime: Runtime, notice_id: str) -> list[dict[str, Any]]:
    """Who did what to it, oldest first: at_ms, account_id, action, before, after."""
    async with runtime.database.read() as connection:
        rows = await audits.of_subject(connection, _subject(notice_id))
    return [{**row, **json.loads(row["detail"] or "{}")} for row in rows]


async def mend_notices(runtime: Runtime) -> int:
    """What callers hear is what SQL says; how many notices had to be put live or taken out."""
    now_ms, site = runtime.clock.now_ms(), runtime.settings.site
    held = await notices.live(runtime.redis, site)
    async with runtime.database.read() as connection:
        present = await notices.not_over(connection, site, now_ms)
        joinable = await _joinable(connection, present)
    over = held.keys() - {each.notice_id for each in present}
    for notice_id in over:
        await _end(runtime, notice_id, now_ms)
    differing = [
        each
        for each in present
        if held.get(each.notice_id) != live_form(each, may_join=each.ticket_no in joinable)
    ]
    for notice in differing:
        await _show(runtime, notice.notice_id, notice.raised_by)
    return len(over) + len(differing)


async def _end(runtime: Runtime, notice_id: str, now_ms: int) -> None:
    """Out of the live store: cleared by somebody who died before he could, or its end has come."""
    async with runtime.database.transaction() as connection:
        notice = await notices.find(connection, runtime.settings.site, notice_id)
        if notice is not None and notice.phase(now_ms) is not Phase.PAST:
            return  # raised again since we looked
        if notice is not None and notice.cleared_ms is None:
            await _audit(connection, notice, "notice.ended", now_ms, "", wording_form(notice), None)
    await _show(runtime, notice_id, (notice.cleared_by if notice else "") or BY_TIME)


async def _show(runtime: Runtime, notice_id: str, by: str) -> None:
    """Callers hear of this notice what SQL says of it.

    Two who change it at once may come here in the other order than they wrote, so each looks again at what stands
    after he has shown it: the last one to look has seen both.
    """
    switchboard, shown = Switchboard(runtime), NOT_LOOKED
    while (form := await _standing(runtime, notice_id)) != shown:
        if form is None:
            await switchboard.clear_notice(notice_id=notice_id, by=by)
        else:
            await switchboard.raise_notice(notice_id=notice_id, notice=form, by=by)
        shown = form


async def _standing(runtime: Runtime, notice_id: str) -> Mapping[str, Any] | None:
    """As callers should hear it now; None when it is over, or there is none."""
    async with runtime.database.read() as connection:
        notice = await notices.find(connection, runtime.settings.site, notice_id)
        if notice is None or notice.phase(runtime.clock.now_ms()) is Phase.PAST:
            return None
        return live_form(notice, may_join=notice.ticket_no in await _joinable(connection, [notice]))


async def _check(runtime: Runtime, given: Wording) -> None:
    plan = plan_of(runtime)
    faults = list(
        faults_of(given, languages=text_languages(plan), areas=plan.areas, now_ms=runtime.clock.now_ms())
    )
    if given.ticket_no:
        async with runtime.database.read() as connection:
            ticket = await tickets.find(connection, given.ticket_no)
        if ticket is None:
            faults.append(NoticeFault(field="ticket_no", key="ticket_unknown", values={}))
        elif ticket.state not in JOINABLE:
            faults.append(NoticeFault(field="ticket_no", key="ticket_closed", values={}))
    if faults:
        raise NoticesRefused(faults)


async def _joinable(connection: AsyncConnection, among: Sequence[RaisedNotice]) -> set[str]:
    """The tickets of these notices that a caller may still be attached to."""
    found = set()
    for ticket_no in {each.ticket_no for each in among if each.ticket_no}:
        ticket = await tickets.find(connection, ticket_no)
        if ticket is not None and ticket.state in JOINABLE:
            found.add(ticket_no)
    return found


async def _audit(
    connection: AsyncConnection,
    notice: RaisedNotice,
    action: str,
    at_ms: int,
    by: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    mark, subject = f"{notice.notice_id}:{notice.revision}", _subject(notice.notice_id)
    detail = {"before": before, "after": after}
    await audits.write(connection, action, mark, at_ms=at_ms, by=by, subject=subject, detail=detail)


def _subject(notice_id: str) -> str:
    return f"notice:{notice_id}"
