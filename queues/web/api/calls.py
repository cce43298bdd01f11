"""Call records for programs: page by page, or one with its talks and the names of what happened.

Numbers are masked and people are not named. With the scope `agents` it is told which agent; with `customers` the whole
number and the customer, and each such answer is a line in the audit before it is given.
"""

import json
from typing import Final
from urllib.parse import urlencode

from config import numbers
from queues.domain.scopes import Scope
from queues.service import audits, calls, figures
from queues.service.calls import CallFilter, CallRow
from queues.web.api import models
from queues.web.api.asked import AskedWronglyError, CallsAsked, Span, narrowed, span_of
from queues.web.api.door import ProblemError
from queues.web.api.figures import out_of_scope, period_of
from queues.web.api.operations import ROOT, Asking

LOOKED: Final = "api.customers_shown"


async def tell_calls(asking: Asking) -> models.Calls:
    """Newest first. With `of`, exactly those that this symbol counts in the figures of the same period."""
    asked: CallsAsked = asking.parameters
    runtime, plan = asking.floor.runtime, asking.floor.plan
    if asked.agent and not asking.may(Scope.AGENTS):
        raise out_of_scope(Scope.AGENTS)
    span = span_of(asked, plan, runtime.clock.now_ms())
    chosen = await _chosen(asking, asked, span)
    found = await calls.list_calls(runtime, chosen, before=asked.after or None, limit=asked.limit)
    await _note_look(asking, [each.call_id for each in found.calls])
    is_whole = bool(asked.of) or span.is_named
    return models.Calls(
        period=period_of(span, plan) if is_whole else None,
        calls=[call_model(each, asking) for each in found.calls],
        next=_next(asked, found.older) if found.older else None,
    )


async def _chosen(asking: Asking, asked: CallsAsked, span: Span) -> CallFilter:
    runtime, plan = asking.floor.runtime, asking.floor.plan
    period = narrowed(asked, span, plan)
    if asked.of is not None:
        if asked.agent or asked.outcome:
            name = "agent" if asked.agent else "outcome"
            raise AskedWronglyError({name: "does not go together with 'of'"})
        return await figures.behind(runtime, plan, period, asked.of)
    return CallFilter(
        from_ms=span.from_ms if span.is_named else None,
        until_ms=span.until_ms if span.is_named else None,
        outcome=asked.outcome or "",
        queues=tuple(period.queues),
        agent_id=asked.agent,
        tier=asked.tier,
        line=asked.line,
    )


def _next(asked: CallsAsked, older: str) -> str:
    """The same question, after the last one told."""
    given = asked.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return f"{ROOT}/calls?{urlencode({**given, 'after': older})}"


async def tell_call(asking: Asking) -> models.CallStory:
    story = await calls.find_call(asking.floor.runtime, asking.request.path_params["call_id"])
    if story is None:
        raise ProblemError("absent", "There is no call of this id.")
    await _note_look(asking, [story.call.call_id])
    may_tell = asking.may(Scope.AGENTS)
    return models.CallStory(
        call=call_model(story.call, asking),
        talks=[
            models.Talk(
                agent_id=each.agent_id if may_tell else None,
                queue=each.queue or None,
                wait_ms=each.wait_ms,
                began_at=each.began_ms,
                ended_at=each.ended_ms,
                talk_ms=each.talk_ms,
                disposition=each.disposition or None,
            )
            for each in story.talks
        ],
        events=[
            models.Event(
                id=each.id,
                at=each.at_ms,
                type=each.type,
                agent_id=(each.agent_id or None) if may_tell else None,
            )
            for each in story.lines
        ],
    )


async def _note_look(asking: Asking, call_ids: list[str]) -> None:
    if not call_ids or not asking.may(Scope.CUSTOMERS):
        return
    await audits.done(
        asking.floor.runtime,
        account_id=f"token:{asking.token.token_id}",
        action=LOOKED,
        subject=call_ids[0] if len(call_ids) == 1 else asking.token.token_id,
        detail=json.dumps(call_ids),
    )


def call_model(row: CallRow, asking: Asking) -> models.Call:
    return models.Call(
        call_id=row.call_id,
        line=row.line or None,
        queue=row.queue or None,
        tier=row.tier or None,
        matter=row.matter or None,
        language=row.locale or None,
        state=row.state,
        outcome=row.outcome or None,
        ended_by=row.ended_by or None,
        disposition=row.disposition or None,
        callback=row.callback or None,
        callback_tries=row.tries or 0,
        came_closed=None if row.came_closed is None else bool(row.came_closed),
        is_anonymous=row.is_anonymous,
        agent_id=(row.agent_id or None) if asking.may(Scope.AGENTS) else None,
        ticket_no=row.ticket_no or None,
        site_version=row.site_version or None,
        caller=_caller(row, may_tell=asking.may(Scope.CUSTOMERS)),
        arrived_at=row.arrived_ms,
        menu_left_at=row.menu_left_ms,
        queued_at=row.queued_ms,
        offered_at=row.offered_ms,
        rang_at=row.rang_ms,
        answered_at=row.answered_ms,
        ended_at=row.ended_ms,
        wrapped_up_at=row.wrapped_up_ms,
        wait_ms=row.wait_ms,
        talk_ms=row.talk_ms,
        held_ms=row.held_ms,
        longest_hold_ms=row.longest_hold_ms,
        wrap_up_ms=row.wrap_ms,
        offers=row.offers,
        holds=row.holds or 0,
        transfers=row.transfers or 0,
    )


def _caller(row: CallRow, *, may_tell: bool) -> models.Caller:
    if may_tell:
        return models.Caller(
            number=row.number,
            is_masked=False,
            customer_id=row.customer_id or None,
            customer_name=row.customer_name or None,
        )
    masked = numbers.mask(row.number) if row.number else None
    return models.Caller(number=masked, is_masked=True, customer_id=None, customer_name=None)
