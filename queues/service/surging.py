"""Watching for surges: how many wait in each queue, and how often each area calls about a matter, against the limits.

Any number of clock processes may watch: the script begins, alerts and ends each surge once, and what runs survives a
restart with the live store. What is counted of areas is read from the journal in SQL.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from config.log import get_log
from config.runtime import Runtime
from queues.domain.journal import LineType
from queues.domain.plan import Plan
from queues.domain.skills import skills_of
from queues.domain.surges import Running, Subject, Surge, level_of
from queues.service.plans import plan_of
from queues.service.switchboard import Switchboard
from queues.store import passages, people

log = get_log(__name__)

LINES_MAX: Final = 50_000


async def watch_surges(runtime: Runtime) -> int:
    """How many begin or end now. Without words for it nothing is watched, but what runs still comes to its end."""
    switchboard, plan = Switchboard(runtime), plan_of(runtime)
    running = await switchboard.surges()
    surge = plan.surge
    if surge is None and not running:
        return 0
    found = {each.surge_id: each for each in await _subjects(runtime, switchboard, plan)}
    calm = (each.about for each in running if each.about.surge_id not in found)
    subjects = [*found.values(), *(_without_any(each) for each in calm)]
    on_call = await on_call_now(runtime, plan)
    moved = 0
    for subject in subjects:
        level = level_of(subject.count, subject.limit)
        calm_ms = surge.calm_ms if surge else 0
        word = await switchboard.weigh_surge(subject=subject, level=level, calm_ms=calm_ms, on_call=on_call)
        if word != "again":
            moved += 1
            log.warning("surge.moved", surge_id=subject.surge_id, word=word, count=subject.count)
    return moved


async def surges_now(runtime: Runtime) -> tuple[Running, ...]:
    """Those that run, the oldest first."""
    return await Switchboard(runtime).surges()


async def on_call_now(runtime: Runtime, plan: Plan) -> list[str]:
    """The agents who are on call and may be alerted at this hour."""
    alert = plan.surge.alert if plan.surge else None
    if alert is None or not plan.is_open(alert.calendar, runtime.clock.now_ms()):
        return []
    async with runtime.database.read() as connection:
        agents = await people.all_of_site(connection, runtime.settings.site)
    return [each.agent_id for each in agents if alert.skill in skills_of(",".join(each.skills))]


def is_on_call(plan: Plan, skills: Iterable[str]) -> bool:
    """Whether who has these skills is alerted in a surge."""
    alert = plan.surge.alert if plan.surge else None
    return alert is not None and alert.skill in skills_of(",".join(skills))


async def _subjects(runtime: Runtime, switchboard: Switchboard, plan: Plan) -> list[Subject]:
    surge = plan.surge
    if surge is None:
        return []
    waiting: Counter[str] = Counter()
    for each in (await switchboard.wall_state()).waiting:
        waiting[each.queue] += each.waiting
    queues = [
        Subject(count=waiting[queue], limit=limit, queues=(queue,), queue=queue)
        for queue, limit in surge.waiting.items()
    ]
    return [*queues, *await _areas(runtime, surge)]


async def _areas(runtime: Runtime, surge: Surge) -> list[Subject]:
    if surge.area is None:
        return []
    from_ms = runtime.clock.now_ms() - surge.area.within_ms
    async with runtime.database.read() as connection:
        lines = await passages.lines_from(
            connection, runtime.settings.site, from_ms, [LineType.CALL_QUEUED], LINES_MAX
        )
    calls: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for line in lines:
        area, matter = str(line.data.get("area") or ""), str(line.data.get("matter") or "")
        if area and matter in surge.area.matters:
            calls.setdefault((area, matter), []).append(line.data)
    return [
        Subject(
            count=len(told),
            limit=surge.area.calls,
            queues=tuple(sorted({str(each.get("queue", "")) for each in told})),
            area=area,
            matter=matter,
        )
        for (area, matter), told in sorted(calls.items())
    ]


def _without_any(about: Subject) -> Subject:
    """Nobody calls about it any more."""
    return Subject(
        count=0,
        limit=about.limit,
        queues=about.queues,
        queue=about.queue,
        area=about.area,
        matter=about.matter,
    )
