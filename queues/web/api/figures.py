"""Figures and their cards for programs: the registry's own, nothing computed here."""

from collections import Counter
from collections.abc import Iterable
from typing import Final, Literal

from config.web.words import LOCALES
from queues.domain.formulas import Value
from queues.domain.metrics import AGENT_COUNTS, CALL_SETS, Window
from queues.domain.periods import following
from queues.domain.plan import Plan
from queues.domain.scopes import Scope
from queues.domain.targets import target_of
from queues.service import agent_series, figures
from queues.service.figures import CARDS, Asked, Card, Grain, Point, Report, Totals, figures_of
from queues.web.api import models
from queues.web.api.asked import FiguresAsked, PeriodAsked, Span, check_figures, narrowed, span_of
from queues.web.api.door import ProblemError
from queues.web.api.operations import Asking

OF_CALLS: Final = tuple(card for card in CARDS.values() if card.window is Window.ARRIVAL)
OF_AGENTS: Final = tuple(card for card in CARDS.values() if card.window is Window.OVERLAP)


async def tell_figures(asking: Asking) -> models.Figures:
    asked: FiguresAsked = asking.parameters
    runtime, plan = asking.floor.runtime, asking.floor.plan
    now_ms = runtime.clock.now_ms()
    span = span_of(asked, plan, now_ms)
    chosen = narrowed(asked, span, plan)
    check_figures(asked, span, plan, now_ms)
    if (asked.agent or asked.by == "agent") and not asking.may(Scope.AGENTS):
        raise out_of_scope(Scope.AGENTS)
    report = await figures.read(runtime, plan, chosen)
    totals, cards = report.totals, tuple(CARDS.values())
    if asked.agent:
        totals, cards = Totals(agents=report.by_agent.get(asked.agent, Counter())), OF_AGENTS
    points = await _points(asking, asked, chosen) if asked.grain != "none" else []
    return models.Figures(
        site=runtime.settings.site,
        site_version=plan.version,
        period=period_of(span, plan),
        narrowed=_narrowed(asked),
        is_open=totals.is_open or span.until_ms > now_ms,
        unsettled=totals.counts.sums["unsettled"],
        corrected_at=totals.corrected_ms,
        contract=plan.targets.formula,
        target=target_model(plan, asked.queue, asked.tier) if asked.queue else None,
        figures={
            name: models.Figure(
                value=each.value, unit=each.card.unit, version=each.card.version, symbols=dict(each.symbols)
            )
            for name, each in figures_of(totals, cards).items()
        },
        by=asked.by,
        groups=_groups(asked, report),
        grain=asked.grain,
        series=[_point(each, plan, asked.grain, now_ms, is_agents=bool(asked.agent)) for each in points],
    )


async def _points(asking: Asking, asked: FiguresAsked, chosen: Asked) -> list[Point]:
    """Of the calls; of the whole house with the agents' time, of one agent with his alone."""
    runtime, plan, grain = asking.floor.runtime, asking.floor.plan, Grain(asked.grain)
    found: dict[int, Totals] = {}
    if not asked.agent:
        found = dict(await figures.series(runtime, plan, chosen, grain))
    if chosen.is_whole_house:
        times = await agent_series.series(runtime, plan, chosen.from_ms, chosen.until_ms, grain, asked.agent)
        for start_ms, sums in times.items():
            found.setdefault(start_ms, Totals()).agents = sums
    return [Point(start_ms, totals) for start_ms, totals in sorted(found.items())]


def out_of_scope(scope: Scope) -> ProblemError:
    return ProblemError("out_of_scope", f"It takes the scope {scope}.")


def period_of(span: Span, plan: Plan) -> models.Period:
    return models.Period(from_at=span.from_ms, until_at=span.until_ms, timezone=plan.timezone)


def target_model(plan: Plan, queue: str, tier: str) -> models.Target:
    target = target_of(plan, queue, tier)
    return models.Target(share=target.share / 100, within_s=target.within_s, short_abandon_s=target.short_s)


def _narrowed(asked: PeriodAsked) -> models.Narrowed:
    return models.Narrowed(
        queue=asked.queue or None,
        tier=asked.tier or None,
        line=asked.line or None,
        department=asked.department or None,
        agent_id=asked.agent or None,
    )


def _groups(asked: FiguresAsked, report: Report) -> list[models.Group]:
    if asked.by == "agent":
        return [
            _group(agent_id, Totals(agents=sums), OF_AGENTS)
            for agent_id, sums in sorted(report.by_agent.items())
        ]
    if asked.by == "none":
        return []
    place = 0 if asked.by == "queue" else 1
    return [_group(name, totals, OF_CALLS) for name, totals in report.by(place).items()]


def _group(name: str, totals: Totals, cards: Iterable[Card]) -> models.Group:
    values, symbols = _values(totals, cards)
    return models.Group(id=name, figures=values, symbols=symbols)


def _values(totals: Totals, cards: Iterable[Card]) -> tuple[dict[str, Value], dict[str, Value]]:
    """The figures, and every symbol in their formulas."""
    told = figures_of(totals, cards)
    symbols: dict[str, Value] = {}
    for each in told.values():
        symbols |= each.symbols
    return {name: each.value for name, each in told.items()}, symbols


def _point(point: Point, plan: Plan, grain: str, now_ms: int, *, is_agents: bool) -> models.Point:
    own = OF_AGENTS if is_agents else (*OF_CALLS, *OF_AGENTS)
    values, symbols = _values(point.totals, own)
    ends_ms = following(Grain(grain), point.start_ms, plan.timezone)
    return models.Point(
        start_at=point.start_ms,
        is_open=point.totals.is_open or ends_ms > now_ms,
        corrected_at=point.totals.corrected_ms,
        figures=values,
        symbols=symbols,
    )


async def tell_cards(asking: Asking) -> models.Cards:
    contract = asking.floor.plan.targets.formula
    cards = [
        models.Card(
            id=card.id,
            kind=card.kind,
            formula=card.formula.text,
            symbols=list(card.formula.symbols),
            unit=card.unit,
            window=card.window,
            version=card.version,
            source=card.source,
            is_contract=card.id == contract,
            name=_in_words(asking, f"figures.card.{card.id}.name"),
            definition=_in_words(asking, f"figures.card.{card.id}.words"),
        )
        for card in CARDS.values()
    ]
    names = dict.fromkeys(name for card in CARDS.values() for name in card.formula.symbols)
    symbols = [
        models.Symbol(
            id=name,
            kind=_kind(name),
            is_listed=name in CALL_SETS,
            name=_in_words(asking, f"figures.symbol.{name}"),
        )
        for name in (*names, *(each for each in CALL_SETS if each not in names))
    ]
    return models.Cards(cards=cards, symbols=symbols)


def _in_words(asking: Asking, key: str) -> dict[str, str]:
    words = asking.request.app.state.templates.words
    return {locale: words(locale, key) for locale in LOCALES}


def _kind(name: str) -> Literal["calls", "seconds", "count"]:
    if name in CALL_SETS:
        return "calls"
    return "count" if name in AGENT_COUNTS or name.startswith(("E", "S_")) else "seconds"
