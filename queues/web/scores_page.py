"""An agent's own figures and points, and for those who lead or judge the list of all agents.

What must hold: an agent sees his own and nobody else's, whatever he writes into an address; whose they are is told by
his account alone. Supervisors and QA staff see everybody's, with those below the pass mark flagged.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import Account, require
from config.web.sheets import csv_answer
from config.web.templates import page
from queues.domain.formulas import Value
from queues.domain.scores import JUDGED, Score
from queues.service import agent_figures, calls, people, scores
from queues.service.agent_figures import SYMBOLS, AgentReport
from queues.service.scores import Kept
from queues.web import scores_view
from queues.web.call_view import call_row
from queues.web.floor import Floor, floor_of, words_of
from queues.web.scores_asked import SPANS, Asked, read_asked
from queues.web.times import day_and_time, face
from queues.web.words import Words

View = dict[str, Any]
STAFF: Final = ("supervisor", "qa", "admin")
MINE: Final = "/my"
ALL: Final = "/agents"
SHOWN: Final = 50


def routes() -> list[BaseRoute]:
    return [
        Route(MINE, show_mine, methods=["GET"], name="my"),
        Route(f"{MINE}.csv", export_mine, methods=["GET"]),
        Route(f"{MINE}/calls", show_my_calls, methods=["GET"]),
        Route(ALL, show_agents, methods=["GET"], name="agents"),
        Route(f"{ALL}.csv", export_agents, methods=["GET"]),
        Route(f"{ALL}/{{agent_id}}", show_agent, methods=["GET"]),
        Route(f"{ALL}/{{agent_id}}/calls", show_agents_calls, methods=["GET"]),
    ]


@dataclass(frozen=True, slots=True)
class One:
    """Whose figures, and under which address."""

    agent_id: str
    name: str
    path: str

    @property
    def is_own(self) -> bool:
        return self.path == MINE


@dataclass(frozen=True, slots=True)
class Told:
    """One agent in one period: as it is now, or as it was kept."""

    values: Mapping[str, Value]
    score: Score | None
    signed_in: str
    report: AgentReport | None = None
    kept: Kept | None = None


@require()
async def show_mine(request: Request) -> Response:
    one = await _myself(request)
    return page(request, "no_seat.html") if one is None else await _page_of(request, one)


@require()
async def show_my_calls(request: Request) -> Response:
    one = await _myself(request)
    return page(request, "no_seat.html") if one is None else await _calls_of(request, one)


@require()
async def export_mine(request: Request) -> Response:
    one = await _myself(request)
    if one is None:
        raise HTTPException(403)
    floor, asked = floor_of(request), _asked(request, "today")
    told = (await _told(floor, asked, one.agent_id)).get(one.agent_id)
    return _csv(request, asked, [(one.name, told)] if told else [])


@require(*STAFF)
async def show_agent(request: Request) -> Response:
    return await _page_of(request, await _somebody(request))


@require(*STAFF)
async def show_agents_calls(request: Request) -> Response:
    return await _calls_of(request, await _somebody(request))


@require(*STAFF)
async def show_agents(request: Request) -> Response:
    floor, words, asked = floor_of(request), words_of(request), _asked(request, "today")
    names, told = await _names(floor), await _told(floor, asked)
    rows = [
        scores_view.list_row(
            names.get(agent_id, agent_id),
            asked.address(f"{ALL}/{quote(agent_id)}"),
            each.score,
            each.values,
            each.signed_in,
            words,
        )
        for agent_id, each in sorted(told.items(), key=lambda item: (names.get(item[0], item[0]), item[0]))
    ]
    judged = [each.score for each in told.values() if each.score is not None]
    below = sum(score.is_below for score in judged)
    months = await scores.kept_months(floor.runtime)
    return page(
        request,
        "scores_list.html",
        status_code=422 if asked.is_wrong else 200,
        **_head(asked, ALL, floor, words),
        rows=rows,
        columns=[scores_view.name_of(each, words) for each in scores_view.LIST_COLUMNS],
        has_points=bool(judged),
        flagged=words.t("scores.flagged", n=below, all=len(judged), mark=judged[0].pass_mark)
        if judged
        else "",
        flagged_state="past" if below else "good",
        adds_up=_adds_up(told.values(), words),
        months=[{"month": each.month, "href": f"{ALL}?month={each.month}"} for each in months],
        csv_href=asked.address(f"{ALL}.csv"),
    )


@require(*STAFF)
async def export_agents(request: Request) -> Response:
    floor, asked = floor_of(request), _asked(request, "today")
    names, told = await _names(floor), await _told(floor, asked)
    return _csv(request, asked, [(names.get(each, each), told[each]) for each in sorted(told)])


async def _page_of(request: Request, one: One) -> Response:
    floor, words, asked = floor_of(request), words_of(request), _asked(request, "today")
    told = (await _told(floor, asked, one.agent_id)).get(one.agent_id)
    kept = await scores.kept_by(floor.runtime, one.agent_id)
    made = await scores.made_at(floor.runtime)
    is_over = asked.is_over(floor.runtime.clock.now_ms())
    cards: list[View] = []
    if told and told.kept:
        cards = scores_view.kept_cards(told.kept, asked, one.path, words)
    elif told and told.report:
        figures = agent_figures.figures(told.report.totals)
        cards = scores_view.cards_of(figures, asked, one.path, words)
    return page(
        request,
        "scores.html",
        status_code=422 if asked.is_wrong else 200,
        **_head(asked, one.path, floor, words),
        heading=words.t("scores.my_title") if one.is_own else words.t("scores.whose", name=one.name),
        all_href="" if one.is_own else asked.address(ALL),
        told=told,
        answered=words.t("scores.answered", n=int(told.values.get("answered") or 0)) if told else "",
        score=scores_view.score_view(told.score, words, is_over=is_over) if told else None,
        has_rules=floor.plan.scores is not None or bool(told and told.kept),
        kept=_kept_words(told.kept, made, floor, words) if told and told.kept else [],
        cards=cards,
        tiers=scores_view.tier_rows(told.report, words) if told and told.report else [],
        columns=[scores_view.name_of(each, words) for each in scores_view.TIER_COLUMNS],
        months=scores_view.month_rows(kept, made, one.path, words),
        csv_href=asked.address(f"{MINE}.csv") if one.is_own else "",
    )


async def _calls_of(request: Request, one: One) -> Response:
    floor, words, asked = floor_of(request), words_of(request), _asked(request, "today")
    symbol = request.query_params.get("of", "")
    is_wrong = asked.is_wrong or symbol not in SYMBOLS
    rows: list[View] = []
    older = ""
    if not is_wrong:
        chosen = agent_figures.behind(floor.runtime, asked.spell(one.agent_id), symbol)
        before = request.query_params.get("before")
        found = await calls.list_calls(floor.runtime, chosen, before=before, limit=SHOWN)
        rows = [call_row(call, words) for call in found.calls]
        older = asked.address(f"{one.path}/calls", of=symbol, before=found.older) if found.older else ""
    return page(
        request,
        "scores_calls.html",
        status_code=422 if is_wrong else 200,
        error=words.t("scores.bad_set") if is_wrong else "",
        what=""
        if is_wrong
        else words.t(
            "scores.calls_of",
            what=scores_view.symbol_word(symbol, words),
            name=one.name,
            first=asked.first.isoformat(),
            last=asked.last.isoformat(),
        ),
        note=words.t("scores.offers_once") if symbol not in scores_view.OWN_WORDS and not is_wrong else "",
        calls=rows,
        older_href=older,
        back_href=asked.address(one.path),
    )


async def _told(floor: Floor, asked: Asked, agent_id: str = "") -> dict[str, Told]:
    """Everybody, or this agent. A month that was kept is told as it was kept."""
    if asked.month and (kept := await scores.kept_of(floor.runtime, asked.month)):
        return {
            each.agent_id: Told(_values(each), each.score, "", kept=each)
            for each in kept
            if agent_id in ("", each.agent_id)
        }
    found = await agent_figures.read(floor.runtime, floor.plan, asked.spell(agent_id))
    rules = floor.plan.scores
    return {
        each: Told(
            agent_figures.figures_by_id(report),
            scores.score_of(rules, report) if rules else None,
            face(report.signed_in_ms),
            report=report,
        )
        for each, report in found.items()
        if each
    }


def _values(kept: Kept) -> dict[str, Value]:
    return {name: each["value"] for name, each in kept.figures.items() if name in JUDGED}


def _adds_up(told: Iterable[Told], words: Words) -> str:
    """How the agents' calls come to those of the house."""
    reports = [each.report for each in told if each.report]
    taken_over = sum(report.taken_over for report in reports)
    if not taken_over:
        return ""
    answered = sum(report.totals.counts.sums["answered"] for report in reports)
    return words.t("scores.taken_over", n=taken_over, all=answered - taken_over)


def _head(asked: Asked, path: str, floor: Floor, words: Words) -> View:
    return {
        "error": words.t("scores.bad_month") if asked.is_wrong else "",
        "days": scores_view.days_text(asked, words),
        "spans": [
            {
                "word": words.t(f"scores.span.{span}"),
                "href": f"{path}?span={span}",
                "is_current": span == asked.span,
                "key": str(place),
            }
            for place, span in enumerate(SPANS, 1)
        ],
        "is_over": asked.is_over(floor.runtime.clock.now_ms()),
    }


def _kept_words(kept: Kept, made: Mapping[tuple[str, int], int], floor: Floor, words: Words) -> list[str]:
    at_ms = made.get((kept.month, kept.revision))
    said = [words.t("scores.kept", at=day_and_time(at_ms, floor.zone, words.locale))] if at_ms else []
    return [*said, words.t("scores.corrected_how", n=kept.revision)] if kept.is_corrected else said


def _asked(request: Request, otherwise: str) -> Asked:
    given = {name: request.query_params.get(name, "").strip()[:16] for name in ("span", "month")}
    return read_asked(given, floor_of(request), otherwise)


async def _myself(request: Request) -> One | None:
    """By the account alone."""
    account: Account = request.state.account
    agent = await people.find_agent(floor_of(request).runtime, account.agent_id) if account.agent_id else None
    return One(agent.agent_id, agent.name, MINE) if agent else None


async def _somebody(request: Request) -> One:
    """A seat of this site, or whoever has a month that was kept."""
    floor, agent_id = floor_of(request), request.path_params["agent_id"]
    names = await _names(floor)
    if agent_id not in names and not await scores.kept_by(floor.runtime, agent_id):
        raise HTTPException(404)
    return One(agent_id, names.get(agent_id, agent_id), f"{ALL}/{quote(agent_id)}")


async def _names(floor: Floor) -> dict[str, str]:
    return {each.agent_id: each.name for each in await people.agents_of_site(floor.runtime)}


def _csv(request: Request, asked: Asked, told: Iterable[tuple[str, Told]]) -> Response:
    words = words_of(request)
    rows = [
        row
        for name, each in told
        for row in scores_view.csv_rows(asked, name, each.values, each.score, words)
    ]
    heading = [words.t(f"scores.csv.{name}") for name in scores_view.CSV_COLUMNS]
    status = 422 if asked.is_wrong else 200
    return csv_answer(f"agents-{asked.first}-{asked.last}", heading, rows, status_code=status)
