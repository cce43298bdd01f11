"""Tiers: who is in them by which rule, what waits for approval, ranking, special care, missing managers; leaves.

A change by hand is approved or refused by another account than the one that asked. Whoever asked sees why he cannot.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import Account, names_of_accounts, require
from config.web.forms import read_form
from config.web.templates import page
from queues.domain.bounds import passing_bounds
from queues.domain.plan import in_locale
from queues.service import appointments, customers, managers, people, tiers
from queues.service.customers import Customer
from queues.service.managers import Leave
from queues.service.tiers import Change, NamedStep, RankingReport, Run
from queues.web.customer_view import change_row, customer_row
from queues.web.customers import tier_error
from queues.web.floor import Floor, floor_of, words_of
from queues.web.rule_words import rule_in_words
from queues.web.times import date_of, day_and_time, face, for_input, read_local, when
from queues.web.words import Words

READERS: Final = ("supervisor", "qa", "admin")
DECIDERS: Final = ("supervisor", "admin")
SHOWN: Final = 50
NOTE_MAX: Final = 200
SCORE_DIGITS: Final = 6

View = dict[str, Any]


def routes() -> list[BaseRoute]:
    return [
        Route("/customers/tiers", show_tiers, methods=["GET"], name="tiers"),
        Route("/customers/tiers/{change_id}/{event}", decide, methods=["POST"]),
        Route("/customers/leaves", show_leaves, methods=["GET"], name="leaves"),
        Route("/customers/leaves", set_leave, methods=["POST"]),
        Route("/customers/leaves/{leave_id}/end", end_leave, methods=["POST"]),
    ]


@require(*READERS)
async def show_tiers(request: Request) -> Response:
    return await _tiers_page(request)


@require(*DECIDERS)
async def decide(request: Request) -> Response:
    runtime, words = floor_of(request).runtime, words_of(request)
    account: Account = request.state.account
    note = (await read_form(request)).get("note", "").strip()[:NOTE_MAX]
    event, change_id = request.path_params["event"], request.path_params["change_id"]
    act = {"approve": tiers.approve, "refuse": tiers.refuse, "withdraw": tiers.withdraw}.get(event)
    if act is None:
        return await _tiers_page(request, error=tier_error("unknown", words))
    reply = await act(runtime, change_id=change_id, by=account.account_id, note=note)
    if not reply.is_ok:
        return await _tiers_page(request, error=tier_error(reply.word, words))
    return RedirectResponse("/customers/tiers#pending", 303)


async def _tiers_page(request: Request, *, error: str = "") -> Response:
    floor, words = floor_of(request), words_of(request)
    account: Account = request.state.account
    after = {name: request.query_params.get(name, "")[:80] for name in ("care", "unmanaged", "excluded")}
    report = await tiers.ranking_report(floor.runtime, after_id=after["excluded"], most=SHOWN + 1)
    care = await tiers.special_care(floor.runtime, after_id=after["care"], most=SHOWN + 1)
    lonely = await managers.unmanaged(floor.runtime, after_id=after["unmanaged"], most=SHOWN + 1)
    agents = {each.agent_id: each.name for each in await people.agents_of_site(floor.runtime)}
    return page(
        request,
        "tiers.html",
        moves=await _moves(request, report.runs),
        status_code=409 if error else 200,
        error=error,
        tiers=_tiers(await tiers.tier_counts(floor.runtime), words),
        default=words.tier(words.plan.default_tier),
        pending=await _changes(floor, words, await tiers.pending_changes(floor.runtime)),
        in_force=await _changes(floor, words, await tiers.changes_in_force(floor.runtime)),
        account_id=account.account_id,
        may_decide=account.role in DECIDERS,
        ranking=_ranking(report, words),
        care=_paged(care, words, agents, "care"),
        has_codes=bool(words.plan.class_code),
        has_care=words.plan.care is not None,
        unmanaged=await _unmanaged(floor, lonely, words, agents),
        held=await _held_long(floor, words, agents),
        has_managed=bool(words.plan.managed),
        managed=words.t("why.comma").join(words.tier(each) for each in words.plan.managed),
    )


def _tiers(counts: Mapping[str, int], words: Words) -> list[View]:
    bounds = list(passing_bounds(words.plan))
    total = sum(counts.values())
    shown = []
    for name, count in counts.items():
        tier = words.plan.tiers.get(name)
        shown.append(
            {
                "word": words.tier(name),
                "rank": words.rank(name),
                "code": tier.code if tier else "",
                "count": count,
                "share": words.t("tiers.share", share=round(count * 100 / total)) if total else "",
                "head_start": face(tier.head_start_ms) if tier else "–",
                "ceiling": face(tier.ceiling_ms) if tier else "–",
                "rule": rule_in_words(tier.rule, words) if tier and tier.rule else "",
                "is_default": name == words.plan.default_tier,
                "is_unknown": tier is None,
                "passes": [
                    words.t("tiers.passes_by", tier=words.tier(each.behind), by=face(each.by_ms))
                    for each in bounds
                    if each.ahead == name and each.behind != name
                ],
            }
        )
    return shown


async def _changes(floor: Floor, words: Words, changes: Sequence[Change]) -> list[View]:
    names = await names_of_accounts(
        floor.runtime.database, [each for one in changes for each in (one.asked_by, one.decided_by)]
    )
    shown = []
    for change in changes:
        customer = await customers.find_customer(floor.runtime, change.customer_id)
        now = customer.tier if customer and customer.tier else words.plan.default_tier
        shown.append(
            change_row(change, words, names)
            | {
                "customer": customer.name if customer else change.customer_id,
                "account_no": customer.account_no if customer else "",
                "now_word": words.tier(now),
                "now_rank": words.rank(now),
            }
        )
    return shown


def _ranking(report: RankingReport, words: Words) -> View | None:
    ranking = words.plan.ranking
    if ranking is None:
        return None
    within = ranking.within
    excluded = report.excluded[:SHOWN]
    return {
        "within": words.attribute(within),
        "of": words.t("why.comma").join(words.attribute(each) for each in ranking.of),
        "bands": [
            {"code": each.code, "word": in_locale(each.name, words.locale), "share": each.share}
            for each in ranking.bands
        ],
        "groups": [
            {
                "word": words.value(within, peers),
                "counts": [counts.get(band.code, 0) for band in ranking.bands],
                "total": sum(counts.values()),
            }
            for peers, counts in report.bands.items()
        ],
        "excluded": [
            {
                "href": f"/customers/{each.customer_id}",
                "name": each.name,
                "account_no": each.account_no,
                "why": words.t("tiers.missing", field=words.field(each.missing))
                if each.missing
                else in_locale(each.why, words.locale),
            }
            for each in excluded
        ],
        "more": f"?excluded={excluded[-1].customer_id}#ranking" if len(report.excluded) > SHOWN else "",
        "runs": [_run(each, words) for each in report.runs[:5]],
        "when": words.t(f"tiers.when.{ranking.every}", day=ranking.day),
    }


def _run(run: Run, words: Words) -> View:
    return {
        "at": day_and_time(run.started_ms, words.plan.timezone, words.locale),
        "word": words.t(f"tiers.run.{run.kind}"),
        "origin": words.t(f"tiers.run_origin.{run.origin}"),
        "href": f"?{urlencode({'run': run.run_id})}#moves" if run.changed else "",
        "is_done": run.finished_ms is not None,
        "told": words.t("tiers.run_told", scored=run.scored, left_out=run.left_out, changed=run.changed),
    }


async def _moves(request: Request, runs: Sequence[Run]) -> View:
    """Who went from which tier to which: of late, or in one run."""
    runtime, words, asked = floor_of(request).runtime, words_of(request), request.query_params
    now_ms = runtime.clock.now_ms()
    run = next((each for each in runs if each.run_id == asked.get("run")), None)
    origin = run.run_id if run else ""
    after = asked.get("moves", "")[:80]
    found = await tiers.recent_history(runtime, origin=origin, after=after, most=SHOWN + 1)
    shown = found[:SHOWN]
    more = urlencode({"run": origin, "moves": tiers.key_of(shown[-1])}) if len(found) > SHOWN else ""
    return {
        "rows": [_move(each, words, now_ms) for each in shown],
        "more": f"?{more}#moves" if more else "",
        "run": _run(run, words) if run else None,
    }


def _move(step: NamedStep, words: Words, now_ms: int) -> View:
    return {
        "href": f"/customers/{step.customer_id}",
        "name": step.name,
        "account_no": step.account_no,
        "old": _place(step.old_tier, step.old_band, words),
        "new": _place(step.new_tier, step.new_band, words),
        "at": when(step.at_ms, now_ms, words.plan.timezone, words.locale),
        "score": f"{Decimal(step.score):.{SCORE_DIGITS}f}" if step.score else "",
        "reason": words.t(f"tiers.reason.{step.reason}"),
    }


def _place(tier: str, band: str, words: Words) -> View | None:
    if not tier:
        return None
    bands = words.plan.ranking.bands if words.plan.ranking else ()
    named = next((in_locale(each.name, words.locale) for each in bands if each.code == band), band)
    return {"word": words.tier(tier), "rank": words.rank(tier), "band": named}


def _paged(found: Sequence[Customer], words: Words, agents: Mapping[str, str], name: str) -> View:
    shown = found[:SHOWN]
    more = f"?{name}={shown[-1].customer_id}#{name}" if len(found) > SHOWN else ""
    return {"rows": [customer_row(each, words, agents) for each in shown], "more": more}


async def _unmanaged(
    floor: Floor, found: Sequence[Customer], words: Words, agents: Mapping[str, str]
) -> View:
    """Who should have had a manager by now stands apart from whom there is time for."""
    listed = _paged(found, words, agents, "unmanaged")
    since = await appointments.unmanaged_since(floor.runtime, found[:SHOWN])
    due = {each: appointments.named_by(words.plan, at_ms) for each, at_ms in since.items()}
    now_ms = floor.runtime.clock.now_ms()
    late: list[View] = []
    ahead: list[View] = []
    for file, row in zip(found[:SHOWN], listed["rows"], strict=True):
        due_ms = due.get(file.customer_id)
        (ahead if due_ms is not None and now_ms <= due_ms else late).append(row)
    return {**listed, "rows": late, "ahead": ahead}


async def _held_long(floor: Floor, words: Words, agents: Mapping[str, str]) -> list[View]:
    """Posts that have had the same manager for a year."""
    held = await appointments.posts_held_long(floor.runtime, SHOWN)
    return [
        {
            "name": file.name,
            "href": f"/customers/{file.customer_id}",
            "manager": agents.get(agent_id, agent_id),
            "since": date_of(since_ms, floor.zone, words.locale),
        }
        for file, agent_id, since_ms in held
    ]


@require(*DECIDERS)
async def show_leaves(request: Request) -> Response:
    return await _leaves_page(request, {})


@require(*DECIDERS)
async def set_leave(request: Request) -> Response:
    floor, words, form = floor_of(request), words_of(request), await read_form(request)
    account: Account = request.state.account
    typed = {name: form.get(name, "").strip() for name in ("agent", "from", "until", "cover")}
    errors, instants = {}, {}
    for name in ("from", "until"):
        try:
            instants[name] = read_local(typed[name], floor.zone)
        except ValueError:
            errors[name] = words.t("notices.error.instant")
    if not errors:
        word = await managers.set_leave(
            floor.runtime,
            agent_id=typed["agent"],
            from_ms=instants["from"],
            until_ms=instants["until"],
            cover=typed["cover"],
            by=account.account_id,
        )
        if word == "ok":
            return RedirectResponse("/customers/leaves", 303)
        errors[_LEAVE_FIELDS.get(word, "")] = words.t(f"customers.leave.error.{word}")
    return await _leaves_page(request, typed, errors)


@require(*DECIDERS)
async def end_leave(request: Request) -> Response:
    account: Account = request.state.account
    await managers.end_leave(
        floor_of(request).runtime, leave_id=request.path_params["leave_id"], by=account.account_id
    )
    return RedirectResponse("/customers/leaves", 303)


_LEAVE_FIELDS: Final = {
    "unknown_agent": "agent",
    "own_cover": "cover",
    "no_time": "until",
    "past": "until",
    "overlaps": "from",
}


async def _leaves_page(
    request: Request, typed: Mapping[str, str], errors: Mapping[str, str] | None = None
) -> Response:
    floor, words = floor_of(request), words_of(request)
    agents = {each.agent_id: each.name for each in await people.agents_of_site(floor.runtime)}
    now_ms = floor.runtime.clock.now_ms()
    known = await managers.leaves(floor.runtime)
    return page(
        request,
        "leaves.html",
        status_code=422 if errors else 200,
        leaves=[_leave(each, agents, words, now_ms) for each in sorted(known, key=lambda one: one.from_ms)],
        agents=[{"id": each, "word": name} for each, name in agents.items()],
        typed={"agent": "", "cover": "", "until": "", "from": for_input(now_ms, floor.zone), **typed},
        errors=errors or {},
    )


def _leave(leave: Leave, agents: Mapping[str, str], words: Words, now_ms: int) -> View:
    zone, locale = words.plan.timezone, words.locale
    return {
        "leave_id": leave.leave_id,
        "name": agents.get(leave.agent_id, leave.agent_id),
        "from": day_and_time(leave.from_ms, zone, locale),
        "until": day_and_time(leave.until_ms, zone, locale),
        "cover": agents.get(leave.cover, leave.cover),
        "is_now": leave.covers(now_ms),
    }
