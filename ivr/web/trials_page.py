"""Trials on a page: which calls, which agents, which rules; on the way; and what came out.

A worker plays it; the page asks for it, looks at it and goes on by itself while there is something to see. What was
tried is there for every supervisor, and each is an act in the audit.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from config.runtime import Runtime
from config.web.accounts import Account, names_of_accounts, require
from config.web.forms import read_form
from config.web.sheets import csv_answer
from config.web.templates import page
from ivr.calllogs import PLAIN_COLUMNS
from ivr.service import trial_days, trials
from ivr.service.trials import Refusal, Trial
from ivr.simulation.logs import AGENT_COLUMNS
from ivr.simulation.terms import Terms
from ivr.web.trial_form import knob_rows, read_terms, sentence, values_of
from ivr.web.trial_view import result_view, said_of, summary_view
from queues.domain.faults import SiteFaults
from queues.domain.plan import Plan
from queues.service import audits
from queues.service.plans import plan_in
from queues.service.plans import words_of as words_of_version
from queues.service.versions import activations
from queues.web.floor import floor_of, words_of
from queues.web.times import date_of, local
from queues.web.words import Words

ROLES: Final = ("supervisor", "admin")
VERSIONS_SHOWN: Final = 12
VERSION_LENGTH_MAX: Final = 40
KNOB_FIELDS: Final = ("head_start.", "ceiling.", "ring_s", "wrap_up_s")
View = dict[str, Any]


def routes() -> list[BaseRoute]:
    path = "/simulate"
    return [
        Route(path, show_form, methods=["GET"], name="trials"),
        Route(path, ask, methods=["POST"]),
        Route(f"{path}/{{trial_id}}", show_trial, methods=["GET"]),
        Route(f"{path}/{{trial_id}}/state", tell_state, methods=["GET"]),
        Route(f"{path}/{{trial_id}}/cancel", cancel, methods=["POST"]),
        Route(f"{path}/{{trial_id}}/again", again, methods=["POST"]),
        Route(f"{path}/{{trial_id}}/result.json", send_json, methods=["GET"]),
        Route(f"{path}/{{trial_id}}/{{table}}.csv", send_table, methods=["GET"]),
    ]


@require(*ROLES)
async def show_form(request: Request) -> Response:
    return await _form(request, await _prefilled(request))


async def _prefilled(request: Request) -> dict[str, str]:
    """Yesterday under the rules in force, or what the address asks for, or the terms of an earlier trial."""
    runtime, asked = floor_of(request).runtime, request.query_params
    earlier = await trials.find_trial(runtime, asked.get("like", ""))
    if earlier is not None:
        return values_of(Terms.from_json(earlier.terms))
    in_force = runtime.site_files.version
    now = local(runtime.clock.now_ms(), floor_of(request).zone)
    told = {"day": (now.date() - dt.timedelta(days=1)).isoformat(), "before": in_force, "after": in_force}
    return told | {name: asked[name][:VERSION_LENGTH_MAX] for name in told if asked.get(name)}


@require(*ROLES)
async def ask(request: Request) -> Response:
    """What is wrong is said at its field, and nothing begins."""
    runtime, words = floor_of(request).runtime, words_of(request)
    given = dict(await read_form(request))
    known = await _tiers_of(runtime, given.get("after", ""), words.plan)
    terms, faults = read_terms(given, words, runtime.clock.now_ms(), known)
    if not faults:
        for side, version in (("before", terms.before), ("after", terms.after)):
            if not await _is_kept(runtime, version):
                faults[side] = ("no_version", {"version": version})
    if not faults:
        faults = await trials.faults_of(runtime, terms)
    if faults:
        return await _form(request, given, faults)
    return await _begin(request, terms, given)


async def _begin(request: Request, terms: Terms, given: Mapping[str, str]) -> Response:
    runtime, account = floor_of(request).runtime, _account(request)
    counts = await trial_days.count_calls(runtime, words_of(request).plan, terms)
    trial_id = await trials.ask(runtime, terms, account.account_id, sum(counts.values()))
    if trial_id is None:
        return await _form(request, given, {"": ("one_at_a_time", {})}, status_code=409)
    await _note(request, "trial.asked", trial_id, terms.to_json())
    return RedirectResponse(f"/simulate/{trial_id}", 303)


async def _is_kept(runtime: Runtime, version: str) -> bool:
    """Whether SQL has it; the folder's words are kept now, as they were when the form was shown."""
    if version and await words_of_version(runtime, version) is not None:
        return True
    return await trials.keep_folder(runtime, version)


@require(*ROLES)
async def show_trial(request: Request) -> Response:
    trial, words = await _trial(request), words_of(request)
    names = await names_of_accounts(floor_of(request).runtime.database, [trial.asked_by])
    shown = summary_view(trial, names, words)
    result = _result_of(trial)
    return page(
        request,
        "trial.html",
        trial=shown,
        result=result_view(result, words) if result else None,
        seed=Terms.from_json(trial.terms).seed,
        refresh_s=2 if shown["is_open"] else 0,
    )


def _result_of(trial: Trial) -> View | None:
    """The figures, with the instants of the calls that are named."""
    if trial.result is None:
        return None
    result: View = json.loads(trial.result)
    midnight_ms = result["midnight_ms"]
    for change in (*result["worst"], *result["best"]):
        change["queued_ms"] = midnight_ms + change["at_ms"]
    return result


@require(*ROLES)
async def tell_state(request: Request) -> Response:
    """For the script of the page: whether there is something new to show."""
    trial = await _trial(request)
    return JSONResponse({"state": trial.state, "done": trial.done})


@require(*ROLES)
async def cancel(request: Request) -> Response:
    trial = await _trial(request)
    if await trials.cancel(floor_of(request).runtime, trial):
        await _note(request, "trial.cancelled", trial.trial_id)
    return RedirectResponse(f"/simulate/{trial.trial_id}", 303)


@require(*ROLES)
async def again(request: Request) -> Response:
    """The same terms once more; the form with what is wrong when they cannot be played any longer."""
    terms = Terms.from_json((await _trial(request)).terms)
    faults = await trials.faults_of(floor_of(request).runtime, terms)
    if faults:
        return await _form(request, values_of(terms), faults)
    return await _begin(request, terms, values_of(terms))


@require(*ROLES)
async def send_json(request: Request) -> Response:
    """As `shouwen simulate --json` writes it, and what really happened beside it."""
    trial, words = await _trial(request), words_of(request)
    result = _result_of(trial)
    if result is None:
        raise HTTPException(404)
    detail = await trials.detail_of(floor_of(request).runtime, trial.trial_id)
    told = {
        **result["before"],
        "assumed": said_of(result["said"], words),
        "really": result["really"],
        "terms": json.loads(trial.terms),
        "ring_s": result["ring_s"],
        "wrap_up_s": result["wrap_up_s"],
        "digest": result["digest"],
    }
    if result["after"]:
        told |= {"against": result["after"], "changes": detail["changes"]}
    text = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
    as_file = {"Content-Disposition": f'attachment; filename="{_file_name(trial)}.json"'}
    return PlainTextResponse(text, media_type="application/json", headers=as_file)


@require(*ROLES)
async def send_table(request: Request) -> Response:
    """The changes call by call; or the calls and agents that were played, as `shouwen simulate` reads them."""
    trial, table = await _trial(request), request.path_params["table"]
    detail = await trials.detail_of(floor_of(request).runtime, trial.trial_id)
    if not detail or table not in TABLES:
        raise HTTPException(404)
    columns, rows = TABLES[table](detail)
    return csv_answer(f"{_file_name(trial)}-{table}", columns, rows)


def _changes_table(detail: View) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    columns = ("call_id", "tier", "queue", "wait_s", "answered", "other_wait_s", "other_answered", "by_s")
    return columns, ([each[name] for name in columns] for each in detail["changes"])


def _calls_table(detail: View) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    rows = (
        (
            at_ms / 1000,
            tier,
            queue,
            handling_ms / 1000,
            "" if patience_ms is None else patience_ms / 1000,
            call_id,
            matter,
            locale,
        )
        for call_id, at_ms, tier, queue, matter, locale, handling_ms, patience_ms in detail["calls"]
    )
    return (*PLAIN_COLUMNS, "call", "matter", "locale"), rows


def _agents_table(detail: View) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    rows = (
        (agent_id, " ".join(skills), from_ms // 1000, "" if until_ms is None else until_ms // 1000)
        for agent_id, skills, from_ms, until_ms in detail["agents"]
    )
    return AGENT_COLUMNS, rows


TABLES: Final = {
    "changes": _changes_table,
    "calls": _calls_table,
    "agents": _agents_table,
}


def _file_name(trial: Trial) -> str:
    return f"trial-{Terms.from_json(trial.terms).day}-{trial.trial_id}"


async def _form(
    request: Request,
    given: Mapping[str, str],
    faults: Mapping[str, Refusal] | None = None,
    status_code: int = 422,
) -> Response:
    floor, words = floor_of(request), words_of(request)
    runtime = floor.runtime
    found = await trials.recent(runtime)
    names = await names_of_accounts(runtime.database, [each.asked_by for each in found])
    after = given.get("after", "") or runtime.site_files.version
    touched = {name for name, text in given.items() if text} | set(faults or {})
    return page(
        request,
        "trials.html",
        status_code=status_code if faults else 200,
        errors={name: sentence(fault, words) for name, fault in (faults or {}).items()},
        given={"staff": "record", "patience": "estimated", "seed": "1", "until_hour": "24", **given},
        days=await _days(runtime, words),
        versions=await _versions(runtime, words, [given.get("before", ""), after]),
        tiers=knob_rows(await _tiers_of(runtime, after, words.plan), words),
        shown_version=after,
        are_knobs_open=any(name.startswith(KNOB_FIELDS) for name in touched),
        calls_max=trials.CALLS_MAX,
        recent=[summary_view(each, names, words) for each in found],
    )


async def _tiers_of(runtime: Runtime, version: str, plan: Plan) -> Mapping[str, Any]:
    """The tiers of the rules that are tried; those in force where that version cannot be read here."""
    try:
        files = await words_of_version(runtime, version) or await trials.candidate(runtime)
        return plan_in(files).tiers if files is not None and files.version == version else plan.tiers
    except SiteFaults:
        return plan.tiers


async def _days(runtime: Runtime, words: Words) -> list[View]:
    """The last days and how many calls each has; empty ones are not offered."""
    found = await trial_days.days_before(runtime, words.plan)
    weekdays = words.t("trials.weekdays").split()
    names = {0: "today", 1: "yesterday", 7: "last_week"}
    return [
        {
            "value": each.day.isoformat(),
            "word": words.t(
                f"trials.day.{names.get(back, 'other_day')}",
                weekday=weekdays[each.day.weekday()],
                date=f"{each.day:%m-%d}",
            ),
            "calls": words.t("trials.n_calls", n=each.calls),
        }
        for back, each in enumerate(found)
        if each.calls
    ]


async def _versions(runtime: Runtime, words: Words, wanted: Sequence[str]) -> list[View]:
    """Those that were in force, the newest first, the folder's when it is another, and those that are asked for."""
    in_force, zone = runtime.site_files.version, words.plan.timezone
    told = {in_force: words.t("trials.version.in_force", version=in_force)}
    folder = await trials.candidate(runtime)
    if folder is not None:
        told[folder.version] = words.t("trials.version.folder", version=folder.version)
    for each in await activations(runtime):
        if len(told) < VERSIONS_SHOWN:
            at = date_of(each.at_ms, zone, words.locale)
            told.setdefault(each.version, words.t("trials.version.earlier", version=each.version, at=at))
    for version in filter(None, wanted):
        told.setdefault(version, version)
    return [{"id": version, "word": word} for version, word in told.items()]


async def _trial(request: Request) -> Trial:
    trial = await trials.find_trial(floor_of(request).runtime, request.path_params["trial_id"])
    if trial is None:
        raise HTTPException(404)
    return trial


async def _note(request: Request, action: str, trial_id: str, detail: str = "") -> None:
    await audits.done(
        floor_of(request).runtime,
        account_id=_account(request).account_id,
        action=action,
        subject=f"trial:{trial_id}",
        detail=detail,
    )


def _account(request: Request) -> Account:
    account: Account = request.state.account
    return account
