"""The agents of a period: their time by overlap and what they were offered; of one of them also his calls."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import require
from config.web.sheets import csv_answer
from queues.domain.metrics import AGENT_SECONDS
from queues.service import agent_figures, people
from queues.service.agent_figures import AgentReport, Spell
from queues.service.figures import CARDS, Asked, Figure, Kind, Report, Totals, figures_of
from queues.web.figures_asked import TEXT_LENGTH_MAX, Found, address, view_address
from queues.web.figures_cards import card_view
from queues.web.figures_frame import ROLES, csv_address, framed, path_of, read
from queues.web.figures_values import number_of, text_of
from queues.web.floor import Floor, floor_of, words_of
from queues.web.times import face
from queues.web.words import Words

View = dict[str, Any]
COUNTS: Final = ("offers", "accepted", "declined", "expired", "talks", "transfers")
SHARES: Final = ("occupancy", "acceptance")
LISTED: Final = ("connected_ms", "wrap_up_ms", "ready_ms", "away_ms")
# Of the calls of one agent these cards have a meaning; the service level is nobody's own.
HIS_CALLS: Final = ("aht", "talk_time", "hold_time", "wrap_time", "held_share", "transfer")
HIS_TIME: Final = tuple(card.id for card in CARDS.values() if card.kind is Kind.AGENTS)
HIS_SETS: Final = ("H", "A", "HC", "TC")


def routes() -> list[BaseRoute]:
    return [
        Route("/figures/agents", show_agents, methods=["GET"]),
        Route("/figures/agents.csv", export_agents, methods=["GET"]),
    ]


@require(*ROLES)
async def show_agents(request: Request) -> Response:
    floor, words = floor_of(request), words_of(request)
    found, report = await read(request, floor, words)
    agent_id = request.query_params.get("agent", "").strip()[:TEXT_LENGTH_MAX]
    names = await _names(floor)
    return await framed(
        request,
        "figures_agents.html",
        "agents",
        found,
        report.totals,
        {"agent": agent_id},
        shows_empty=bool(report.by_agent) or bool(agent_id),
        agents=[_row(each, sums, names, found, agent_id) for each, sums in _sorted(report, names)],
        agent_choices=[{"id": each, "word": name} for each, name in sorted(names.items(), key=_by_name)],
        agent=await _one(floor, found, agent_id, names, words) if agent_id else None,
        is_narrowed=not found.asked.is_whole_house,
        csv_href=csv_address("agents", found),
    )


@require(*ROLES)
async def export_agents(request: Request) -> Response:
    """One row an agent: seconds by state, counts, shares in percent."""
    floor, words = floor_of(request), words_of(request)
    found, report = await read(request, floor, words)
    names = await _names(floor)
    heading = [words.t(f"figures.csv.{name}") for name in ("first", "last", "agent_id")]
    heading += [words.t("figures.agent.agent")]
    heading += [
        words.t("figures.csv.seconds", of=words.t(f"figures.symbol.{name}")) for name in AGENT_SECONDS
    ]
    heading += [words.t(f"figures.agent.{name}") for name in COUNTS]
    heading += [words.t("figures.csv.percent", of=words.t(f"figures.agent.{name}")) for name in SHARES]
    rows = [
        [
            *(found.first.isoformat(), found.last.isoformat(), each, names.get(each, each)),
            *(round(sums[column] / 1000) for column in AGENT_SECONDS.values()),
            *(sums[name] for name in COUNTS),
            *(number_of(figure) for figure in _shares(sums).values()),
        ]
        for each, sums in _sorted(report, names)
    ]
    return csv_answer(
        f"agents-{found.first}-{found.last}", heading, rows, status_code=422 if found.error else 200
    )


async def _names(floor: Floor) -> dict[str, str]:
    return {each.agent_id: each.name for each in await people.agents_of_site(floor.runtime)}


def _by_name(named: tuple[str, str]) -> tuple[str, str]:
    return named[1], named[0]


def _sorted(report: Report, names: Mapping[str, str]) -> list[tuple[str, Counter[str]]]:
    return sorted(report.by_agent.items(), key=lambda each: (names.get(each[0], each[0]), each[0]))


def _shares(sums: Counter[str]) -> dict[str, Figure]:
    return figures_of(Totals(agents=sums), [CARDS[name] for name in SHARES])


def _spent(sums: Mapping[str, int]) -> int:
    return sum(sums[column] for column in AGENT_SECONDS.values())


def _row(agent_id: str, sums: Counter[str], names: Mapping[str, str], found: Found, chosen: str) -> View:
    return {
        "name": names.get(agent_id, agent_id),
        "href": view_address(path_of("agents"), found, agent=agent_id),
        "is_current": agent_id == chosen,
        "signed_in": face(_spent(sums)),
        "counts": [f"{sums[name]:,}" for name in COUNTS],
        "lengths": [face(sums[column]) for column in LISTED],
        "shares": [text_of(each) for each in _shares(sums).values()],
    }


async def _one(floor: Floor, found: Found, agent_id: str, names: Mapping[str, str], words: Words) -> View:
    asked = found.asked
    whose = Spell(asked.from_ms, asked.until_ms, agent_id)
    told = (await agent_figures.read(floor.runtime, floor.plan, whose)).get(agent_id, AgentReport())
    totals, everything = told.totals, replace(found, department="", queue="", asked=_of_everything(asked))
    time = figures_of(Totals(agents=totals.agents or Counter()), [CARDS[name] for name in HIS_TIME])
    return {
        "name": names.get(agent_id, agent_id),
        "href": f"/agents/{quote(agent_id)}" if agent_id in names else "",
        "signed_in": face(told.signed_in_ms),
        "states": _states(totals.agents or Counter(), told.signed_in_ms, words),
        "cards": [card_view(each, found, "", words) for each in time.values()],
        "calls": _calls(totals, everything, agent_id, words),
    }


def _of_everything(asked: Asked) -> Asked:
    """An agent's time and calls are told of the whole house."""
    return Asked(from_ms=asked.from_ms, until_ms=asked.until_ms)


def _states(sums: Mapping[str, int], spent: int, words: Words) -> list[View]:
    """His time, divided; the parts come to the time he was signed in."""
    parts, at = [], 0.0
    for name, column in AGENT_SECONDS.items():
        share = sums[column] / spent if spent else 0.0
        parts.append(
            {
                "id": name,
                "word": words.t(f"figures.symbol.{name}"),
                "text": face(sums[column]),
                "share": f"{share * 100:.1f}%" if spent else "–",
                "x": round(at * 100, 2),
                "width": round(share * 100, 2),
            }
        )
        at += share
    return parts


def _calls(totals: Totals, found: Found, agent_id: str, words: Words) -> View:
    symbols = totals.symbols()
    told = figures_of(totals, [CARDS[name] for name in HIS_CALLS])
    return {
        "counts": [
            {
                "word": words.t(f"figures.symbol.{name}"),
                "text": f"{symbols[name]:,}",
                "href": address("/calls", found, of=name, agent=agent_id) if symbols[name] else "",
            }
            for name in HIS_SETS
        ],
        "cards": [card_view(each, found, "", words, agent=agent_id) for each in told.values()],
    }
