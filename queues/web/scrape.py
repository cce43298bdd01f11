"""/metrics: what Prometheus is told, for the whole installation, whichever web process is asked.

Calls come from the intervals, that is from the very sums that the page of the figures shows; who waits and who answers
from the live store; what processes have done from their tally. No label names a person, a number or a call. Counters
never go back (see `queues.store.counted`). Nothing is told to whoever has neither a token nor an address that the
operator has named.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from ipaddress import ip_address
from itertools import accumulate
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    SummaryMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from config import tally
from config.runtime import Runtime
from config.tally import BOUNDS_MS, Lengths
from config.web.errors import AWAY
from queues.domain import waits
from queues.domain.agents import AgentState
from queues.domain.metrics import Totals
from queues.domain.plan import Plan
from queues.domain.scopes import Scope
from queues.domain.targets import target_of
from queues.service import counted, health
from queues.service.counted import ByGroup
from queues.service.figures import merge
from queues.service.health import Health
from queues.service.switchboard import WallState
from queues.web.api.door import METHODS, guarded, let_in
from queues.web.floor import Floor, floor_of

KEPT_S: Final = 2.0
OLD_KEPT_S: Final = 300.0
BOUNDS_S: Final = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200, 1800)
FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via", "x-forwarded-host")
PLACE: Final = ("queue", "tier")
# outcome -> the waits and what they come to
WAITS: Final = {
    "answered": ("answered_waits", "wait_ms"),
    "abandoned": ("abandoned_waits", "abandoned_wait_ms"),
}
EVERYBODY: Final = {"arrived": "Calls that came to us", "left_in_menu": "Calls that ended in the menu"}
ENDS: Final = {"answered": "A", "abandoned": "B", "called_back": "CB", "flowed_out": "F", "closed": "C"}
LENGTHS: Final = {
    "talk": ("talk_ms", "Talk of answered calls that are over, without holds"),
    "hold": ("held_ms", "Holds of answered calls that are over"),
    "wrap_up": ("wrap_ms", "Work after answered calls that are over"),
}
TALLIES: Final = {
    "webhook": ("webhook", "Webhooks of the provider, until our answer", ("route", "outcome")),
    "job": ("job", "Jobs of the work queues", ("job", "outcome")),
    "dispatcher_tick": ("dispatcher_tick", "Looks of the dispatcher", ()),
    "sql_writer_wait": ("sql_writer_wait", "Waits of SQL transactions for those before them", ()),
}

Family = Any  # the library's families have no base of their own


def routes() -> list[BaseRoute]:
    return [Route("/metrics", tell_metrics, methods=list(METHODS), name="metrics")]


@guarded
async def tell_metrics(request: Request) -> Response:
    runtime: Runtime = request.app.state.runtime
    if not is_near(request, runtime):
        await let_in(request, Scope.METRICS)
    floor = floor_of(request)
    found = await floor.remembered.get("metrics", KEPT_S, lambda: gather(floor))
    registry = CollectorRegistry()
    registry.register(Told(list(families(found))))
    encode, media_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(registry), headers={"Content-Type": media_type, "Cache-Control": "no-store"})


def is_near(request: Request, runtime: Runtime) -> bool:
    """Whether he is in a network that may ask without a token, and nobody asks on behalf of others."""
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    try:
        address = ip_address(request.client.host)
    except ValueError:
        return False
    return any(address in network for network in runtime.settings.metrics_networks)


class Told:
    """A collector that has collected."""

    def __init__(self, found: list[Family]) -> None:
        self._found = found

    def describe(self) -> list[Family]:
        return []

    def collect(self) -> list[Family]:
        return self._found


@dataclass
class Found:
    """What was to be had; a store that is away leaves its part out."""

    runtime: Runtime
    plan: Plan
    health: Health
    counters: dict[str, float] = field(default_factory=dict)
    groups: ByGroup = field(default_factory=dict)
    wall: WallState | None = None
    overdue: tuple[int, int] | None = None
    lengths: Lengths = field(default_factory=dict)


async def gather(floor: Floor) -> Found:
    runtime = floor.runtime
    found = Found(runtime, floor.plan, await health.look(runtime))
    try:
        await runtime.tally.flush(runtime.redis, runtime.settings.site)
        found.lengths = await tally.read(runtime.redis, runtime.settings.site)
        found.wall = await floor.switchboard.wall_state()
        found.overdue = await counted.overdue(runtime)
        found.groups = await _calls(floor)
        # Without the live store there is nobody to say what was told before: then no counter is.
        found.counters = await counted.raised(runtime, dict(_counters(found.groups, floor.plan)))
    except AWAY:
        found.groups = {}
    return found


async def _calls(floor: Floor) -> ByGroup:
    runtime, plan = floor.runtime, floor.plan
    edge_ms = counted.edge_of(plan, runtime.clock.now_ms())
    key = f"metrics:{plan.version}:{edge_ms}"
    old: ByGroup = await floor.remembered.get(key, OLD_KEPT_S, lambda: counted.before(runtime, plan, edge_ms))
    groups: ByGroup = {}
    for part in (old, await counted.since(runtime, plan, edge_ms)):
        for group, totals in part.items():
            merge(groups.setdefault(group, Totals()), totals)
    return groups


def bounds_of(plan: Plan) -> tuple[int, ...]:
    """Those that everybody has, and each target's own: so the share within it is exact."""
    targets = [target_of(plan, queue, tier) for queue in plan.queues for tier in plan.tiers]
    own = {seconds for target in targets for seconds in (target.within_s, target.short_s)}
    return tuple(sorted({*BOUNDS_S, *own}))


def in_queues(groups: ByGroup) -> ByGroup:
    """Without those who never came to one: of them nothing but their number can be told."""
    return {group: totals for group, totals in groups.items() if group[0]}


def _counters(groups: ByGroup, plan: Plan) -> Iterator[tuple[str, float]]:
    """Each counter by its name and labels, `|` between them; the same names are read by `families`."""
    for name in EVERYBODY:
        yield name, sum(totals.counts.sums[name] for totals in groups.values())
    bounds = bounds_of(plan)
    for (queue, tier), totals in in_queues(groups).items():
        place, sums = f"{queue}|{tier}", totals.counts.sums
        symbols = totals.symbols()
        for outcome, symbol in ENDS.items():
            yield f"ended|{place}|{outcome}", symbols[symbol] or 0
        target = target_of(plan, queue, tier)
        yield f"in_target|{place}|{target.within_s}", symbols["A_T"] or 0
        yield f"short|{place}|{target.short_s}", symbols["B_s"] or 0
        for outcome, (name, summed) in WAITS.items():
            told = totals.counts.waits.get(name, waits.NONE)
            for bound in bounds:
                yield f"wait|{place}|{outcome}|{bound}", waits.within(told, bound)
            yield f"wait|{place}|{outcome}|all", waits.count(told)
            yield f"wait|{place}|{outcome}|sum", sums[summed] / 1000
        for name, (column, _) in LENGTHS.items():
            yield f"{name}|{place}|sum", sums[column] / 1000
            yield f"{name}|{place}|all", sums["handled"]


def families(found: Found) -> Iterator[Family]:
    build = GaugeMetricFamily(
        "shouwen_build_info", "What runs here", labels=("version", "site", "site_version")
    )
    build.add_metric((version("shouwen"), found.runtime.settings.site, found.plan.version), 1)
    yield build
    yield from _of_calls(found)
    yield from _of_targets(found.plan)
    if found.wall is not None:
        yield from _of_now(found.wall)
    yield from _of_health(found)
    for name, (title, help_, labels) in TALLIES.items():
        yield _lengths(f"shouwen_{title}_seconds", help_, labels, found.lengths.get(name, {}))


def _of_calls(found: Found) -> Iterator[Family]:
    told, groups = found.counters, sorted(in_queues(found.groups))
    if not told:
        return
    for name, help_ in EVERYBODY.items():
        yield CounterMetricFamily(f"shouwen_calls_{name}", help_, value=told[name])
    yield _counter("calls", "Calls by what became of their waiting", "outcome", told, "ended", groups, ENDS)
    within = {group: [str(target_of(found.plan, *group).within_s)] for group in groups}
    short = {group: [str(target_of(found.plan, *group).short_s)] for group in groups}
    yield _counter(
        "calls_answered_in_target",
        "Calls answered within the target of their queue and tier",
        "within",
        told,
        "in_target",
        groups,
        within,
    )
    yield _counter("calls_abandoned_short", "Short abandons", "within", told, "short", groups, short)
    yield _wait_seconds(told, groups, bounds_of(found.plan))
    for name, (_, help_) in LENGTHS.items():
        family = SummaryMetricFamily(f"shouwen_call_{name}_seconds", help_, labels=PLACE)
        for group in groups:
            key = f"{name}|{'|'.join(group)}"
            family.add_metric(group, round(told[f"{key}|all"]), told[f"{key}|sum"])
        yield family


def _counter(
    name: str,
    help_: str,
    label: str,
    told: Mapping[str, float],
    key: str,
    groups: Iterable[tuple[str, str]],
    values: Any,
) -> Family:
    """`values`: those of the label, for everybody or by queue and tier."""
    family = CounterMetricFamily(f"shouwen_{name}", help_, labels=(*PLACE, label))
    for group in groups:
        for value in values.get(group, ()) if group in values else values:
            family.add_metric((*group, value), told[f"{key}|{'|'.join(group)}|{value}"])
    return family


def _wait_seconds(
    told: Mapping[str, float], groups: Iterable[tuple[str, str]], bounds: Sequence[int]
) -> Family:
    family = HistogramMetricFamily(
        "shouwen_call_wait_seconds",
        "From the place in the queue to the answer, or to the hanging up",
        labels=(*PLACE, "outcome"),
    )
    for group in groups:
        for outcome in WAITS:
            key = f"wait|{'|'.join(group)}|{outcome}"
            # A bound that is new, by a new target, has no highest of its own yet: it is not below the one before.
            counts = accumulate((told[f"{key}|{bound}"] for bound in (*bounds, "all")), max)
            names = (*(str(float(bound)) for bound in bounds), "+Inf")
            family.add_metric((*group, outcome), list(zip(names, counts, strict=True)), told[f"{key}|sum"])
    return family


def _of_targets(plan: Plan) -> Iterator[Family]:
    seconds = GaugeMetricFamily("shouwen_target_seconds", "Within how long to answer", labels=PLACE)
    ratio = GaugeMetricFamily("shouwen_target_ratio", "Which share of them", labels=PLACE)
    for queue in plan.queues:
        for tier in plan.tiers:
            target = target_of(plan, queue, tier)
            seconds.add_metric((queue, tier), target.within_s)
            ratio.add_metric((queue, tier), target.share / 100)
    yield from (seconds, ratio)


def _of_now(wall: WallState) -> Iterator[Family]:
    waiting = GaugeMetricFamily("shouwen_calls_waiting", "Callers who wait on the line", labels=PLACE)
    resting = GaugeMetricFamily("shouwen_callbacks_waiting", "Who is to be called back", labels=PLACE)
    longest = GaugeMetricFamily(
        "shouwen_longest_wait_seconds", "How long the first of them waits by now", labels=PLACE
    )
    for each in wall.waiting:
        place = (each.queue, each.tier)
        waiting.add_metric(place, each.waiting)
        resting.add_metric(place, each.callbacks)
        since_ms = each.longest_queued_ms
        longest.add_metric(place, 0 if since_ms is None else max(0, wall.now_ms - since_ms) / 1000)
    agents = GaugeMetricFamily("shouwen_agents", "Agents who are signed in", labels=("state",))
    for state in AgentState:
        if state is not AgentState.SIGNED_OUT:
            agents.add_metric((state,), len(wall.agents_in(state)))
    yield from (waiting, resting, longest, agents)


def _of_health(found: Found) -> Iterator[Family]:
    looked = found.health
    up = GaugeMetricFamily("shouwen_store_up", "Whether the store answers", labels=("store",))
    took = GaugeMetricFamily("shouwen_store_answer_seconds", "In how long", labels=("store",))
    for store in looked.stores:
        up.add_metric((store.name,), int(store.is_good))
        took.add_metric((store.name,), store.took_ms / 1000)
    lines = GaugeMetricFamily(
        "shouwen_reader_behind_lines", "Lines of the journal not read yet, 1000 at most", labels=("reader",)
    )
    behind = GaugeMetricFamily(
        "shouwen_reader_behind_seconds", "From the last line read to the newest", labels=("reader",)
    )
    held = GaugeMetricFamily("shouwen_lease_held", "Whether a process does this work", labels=("reader",))
    for reader in looked.readers:
        lines.add_metric((reader.name,), reader.behind)
        behind.add_metric((reader.name,), reader.behind_ms / 1000)
        held.add_metric((reader.name,), int(reader.lease_s > 0))
    waiting = GaugeMetricFamily("shouwen_jobs_waiting", "Jobs nobody has taken", labels=("work_queue",))
    failed = GaugeMetricFamily("shouwen_jobs_failed", "Jobs that failed", labels=("work_queue",))
    for queue in looked.work_queues:
        waiting.add_metric((queue.name,), queue.waiting)
        failed.add_metric((queue.name,), queue.failed)
    yield from (up, took, lines, behind, held, waiting, failed)
    if found.overdue is not None:
        count, for_ms = found.overdue
        yield GaugeMetricFamily("shouwen_effects_overdue", "Due effects that nobody has taken", value=count)
        yield GaugeMetricFamily(
            "shouwen_effects_overdue_seconds", "For how long the first of them", value=for_ms / 1000
        )


def _lengths(
    name: str, help_: str, labels: tuple[str, ...], lengths: Mapping[tuple[str, ...], tally.Length]
) -> Family:
    family = HistogramMetricFamily(name, help_, labels=labels)
    for values, each in sorted(lengths.items()):
        buckets = [(str(bound / 1000), each.within[bound]) for bound in BOUNDS_MS]
        family.add_metric(values, [*buckets, ("+Inf", each.count)], each.sum_ms / 1000)
    return family
