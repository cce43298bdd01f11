"""Alarms: the rule, by whatever figures come; and what is kept of them, by real calls and agents."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from queues.domain.alarms import (
    Changes,
    Key,
    Kind,
    Line,
    Reading,
    changes,
    level_line,
    level_target,
    wait_line,
    wait_target,
)
from queues.domain.metrics import Totals
from queues.domain.plan import Plan
from queues.domain.targets import target_of
from queues.service import alarms, figuring
from queues.service.alarms import of_figures, of_floor, open_alarms, watch_alarms
from queues.service.figures import Report
from queues.store import alarms as store
from queues.web.alarms_view import alarm_view
from queues.web.times import time_of_day
from tests.queues.asking import plans
from tests.queues.hotline import CHEN_NUMBER, LIN_NUMBER, Hotline
from tests.queues.test_explanation import words_in

MINUTE_MS = 60_000
values = st.one_of(st.none(), st.floats(0, 1))
looks = st.lists(st.tuples(values, st.integers(0, 30)), max_size=40)


@st.composite
def lines(draw: st.DrawFn) -> Line:
    low, high = sorted((draw(st.floats(0, 1)), draw(st.floats(0, 1))))
    is_floor = draw(st.booleans())
    limit, calm = (low, high) if is_floor else (high, low)
    return Line(limit, calm, draw(st.integers(0, 20)), is_floor)


def reading(value: float | None, calls: int, line: Line) -> Reading:
    return Reading(kind=Kind.ABANDONMENT, subject="general", value=value, line=line, calls=calls)


@given(lines(), looks)
def test_one_alarm_a_crossing_and_none_within_the_gap(
    line: Line, seen: Sequence[tuple[float | None, int]]
) -> None:
    raised: set[Key] = set()
    for value, calls in seen:
        was = bool(raised)
        told = changes(dict.fromkeys(raised), [reading(value, calls, line)], 0)
        assert len(told.raised) + len(told.cleared) <= 1
        raised = (raised | {each.key for each in told.raised}) - set(told.cleared)
        is_past = value is not None and calls >= line.calls and line.is_past(value)
        is_calm = value is None or line.is_calm(value)
        # From the figure alone, without what came before; in between it is as it was.
        assert bool(raised) == (True if is_past else False if is_calm else was)
        again = changes(dict.fromkeys(raised), [reading(value, calls, line)], 0)
        assert again == Changes(), "a second look does nothing"
        assert line.state(value) == ("off" if value is None else line.state(value))


def test_what_is_not_read_any_more_is_over() -> None:
    gone = (Kind.GHOST_AGENT, "wang")
    assert changes({gone: None}, [], 0) == Changes(cleared=(gone,))


@given(st.lists(st.tuples(st.integers(1, 90), st.sampled_from([None, 10.0, 17.0, 25.0])), max_size=40))
def test_a_wait_is_over_when_every_look_of_a_minute_was_calm(
    seen: Sequence[tuple[int, float | None]],
) -> None:
    """Over 20 is past, up to 15 is calm."""
    raised: dict[Key, int | None] = {}
    now_s, began_calm_s = 0, None
    for later_s, value in seen:
        now_s += later_s
        about = replace(reading(value, 1, Line(20, 15)), calm_ms=60)
        told = changes(raised, [about], now_s)
        if value in (17.0, 25.0):
            began_calm_s = None
        elif began_calm_s is None and raised:
            began_calm_s = now_s
        is_over = began_calm_s is not None and now_s - began_calm_s >= 60
        assert told.cleared == ((about.key,) if is_over else ())
        raised |= {each.key: None for each in told.raised}
        raised |= dict.fromkeys(told.calmed, now_s) | dict.fromkeys(told.stirred)
        if is_over:
            raised, began_calm_s = {}, None


def test_a_limit_is_the_target_of_the_queue_and_tier_or_what_the_site_says(hotline: Hotline) -> None:
    plan = hotline.plan
    for queue, tier in (("general", "residential"), ("key", "key_customer")):
        target = target_of(plan, queue, tier)
        assert wait_line(plan, queue, tier) == (target.within_s * 1000, target.within_s * 750, 0, False)
        line = level_target(plan, queue, tier)
        assert (line.limit, line.calm) == ((target.share - 5) / 100, target.share / 100)
    assert level_line(plan, "key") == level_target(plan, "key")._replace(calls=10)
    assert wait_line(plan, "outage", "residential")[:2] == (90_000, 45_000), "queues.yaml"
    assert wait_target(plan, "outage", "residential").limit == 20_000, "the wall's colour stays the target's"


def _plan_without(plan: Plan, *kinds: Kind) -> Plan:
    return plan.model_copy(update={"alarms": plan.alarms.model_copy(update={"without": kinds})})


def test_the_house_is_too_busy_only_when_there_is_something_to_judge(hotline: Hotline) -> None:
    def busy(minutes: float, of: float, offered: int = 20, plan: Plan = hotline.plan) -> list[Reading]:
        totals = Totals(agents=Counter(connected_ms=minutes * MINUTE_MS, ready_ms=(of - minutes) * MINUTE_MS))
        totals.counts.sums["offered"] = offered
        found = of_figures(plan, Report(totals))
        return [each for each in found if each.kind is Kind.OCCUPANCY and each.raises]

    assert [each.value for each in busy(54, 60)] == [0.9]
    assert busy(51, 60) == [], "85 % is not over 85 %"
    assert busy(20, 20) == [], "less than half an hour of all agents together"
    assert busy(54, 60, offered=19) == []
    assert busy(54, 60, plan=_plan_without(hotline.plan, Kind.OCCUPANCY)) == []


async def kinds(hotline: Hotline) -> list[tuple[str, str]]:
    return [(alarm.kind.value, alarm.subject) for alarm in await open_alarms(hotline.runtime)]


async def test_an_agent_who_is_not_there_and_a_caller_who_was_forgotten(hotline: Hotline, clock: Any) -> None:
    board = hotline.switchboard
    await hotline.arrive("CA1")
    await hotline.enqueue("CA1")
    await hotline.answer("CA1")
    await board.hold_call(call_id="CA1", agent_id="wang", is_held=True)
    await board.sign_in(agent_id="li", name="李静", skills=["general"], endpoint="client:li")
    await board.set_presence(agent_id="li", presence="ready")
    clock.advance(2 * MINUTE_MS)
    await board.beat(agent_id="wang")
    assert await watch_alarms(hotline.runtime) == 0, "nobody has found yet that 李 is silent"
    assert await board.lose_agent(agent_id="li") == "ok"
    clock.advance(1_000)
    assert await watch_alarms(hotline.runtime) == 1
    assert await kinds(hotline) == [("ghost_agent", "li")]
    clock.advance(MINUTE_MS)
    assert await watch_alarms(hotline.runtime) == 1
    assert await kinds(hotline) == [("ghost_agent", "li"), ("forgotten_hold", "CA1")]
    (hold,) = [each for each in await open_alarms(hotline.runtime) if each.kind is Kind.FORGOTTEN_HOLD]
    assert (hold.agent_id, hold.queue, hold.value, hold.limit_value) == ("wang", "general", 181_000, 180_000)
    await board.beat(agent_id="li")
    await board.hold_call(call_id="CA1", agent_id="wang", is_held=False)
    assert await watch_alarms(hotline.runtime) == 2, "his browser is back, and the caller is not alone"
    assert await kinds(hotline) == []

    state = await board.wall_state()
    (wang,) = [each for each in state.agents if each.agent_id == "wang"]
    away = replace(wang, missed=2, held_ms=None)

    def ghosts(for_ms: int, missed: int) -> int:
        agent = replace(away, missed=missed)
        later = replace(state, agents=(agent,), now_ms=agent.since_ms + for_ms)
        return sum(each.kind is Kind.GHOST_AGENT for each in of_floor(hotline.plan, later))

    assert [ghosts(MINUTE_MS, missed) for missed in (0, 1, 2)] == [0, 0, 1]
    assert ghosts(30 * MINUTE_MS, 2) == 0, "he has gone home"


async def test_the_figures_of_the_last_half_hour_by_enough_calls(hotline: Hotline, clock: Any) -> None:
    """王 answers ten callers who waited a minute; ten more give up; and then it is quiet."""

    async def watched() -> list[tuple[str, str]]:
        await hotline.scribe.drain()
        await figuring.drain(hotline.runtime)
        await watch_alarms(hotline.runtime)
        return [each for each in await kinds(hotline) if each[0] in ("service_level", "abandonment")]

    for n in range(10):
        assert await watched() == []
        await hotline.arrive(f"CA{n}")
        await hotline.enqueue(f"CA{n}")
        clock.advance(MINUTE_MS)
        await hotline.answer(f"CA{n}")
        await hotline.end(f"CA{n}")
        await hotline.wrap_up()
    assert await watched() == [("service_level", "general")]
    for n in range(10, 20):
        assert await watched() == [("service_level", "general")]
        await hotline.arrive(f"CA{n}", CHEN_NUMBER)
        await hotline.enqueue(f"CA{n}")
        clock.advance(30_000)
        await hotline.end(f"CA{n}")
    assert sorted(await watched()) == [("abandonment", "general"), ("service_level", "general")]
    told = {alarm.kind: (alarm.value, alarm.calls) for alarm in await open_alarms(hotline.runtime)}
    assert told[Kind.SERVICE_LEVEL] == (0.0, 10)
    assert told[Kind.ABANDONMENT] == (0.5, 20)
    clock.advance(60 * MINUTE_MS)
    assert await watched() == [], "half an hour without a call has nothing to judge"


async def test_an_older_look_raises_nothing_that_is_over_and_clears_nothing_that_is_newer(
    hotline: Hotline,
) -> None:
    """A clock process that slept between its look and its writing finds the alarm over, or another one raised."""
    about = replace(reading(0.5, 20, Line(0.1, 0.1)), value=0.5)
    async with hotline.runtime.database.transaction() as connection:
        first = await store.begin(connection, "power", "a1", about, 1_000)
        assert first is not None
        assert await store.begin(connection, "power", "a2", about, 1_001) is None, "one is open"
        assert await store.end(connection, [first], 2_000) == ["a1"]
        assert await store.end(connection, [first], 2_001) == []
        assert await store.begin(connection, "power", "a3", about, 2_000) is None, "seen before its end"
        assert await store.begin(connection, "power", "a4", about, 2_001) is not None
        assert await store.end(connection, [first], 2_002) == [], (
            "who saw the first does not clear the second"
        )
    page = await alarms.list_alarms(hotline.runtime)
    assert [(each.alarm_id, each.since_ms, each.until_ms) for each in page.alarms] == [
        ("a4", 2_001, None),
        ("a1", 1_000, 2_000),
    ]
    assert await alarms.acknowledge(hotline.runtime, "nobody's", "boss") == "gone"


async def test_a_house_that_lets_every_caller_wait_tells_it_once(hotline: Hotline, clock: Any) -> None:
    """Six callers one after another, each for 25 s where 20 s is the line; then nobody calls."""
    runtime = hotline.runtime
    for n in range(6):
        await hotline.arrive(f"CA{n}", CHEN_NUMBER if n % 2 else LIN_NUMBER)
        await hotline.enqueue(f"CA{n}")
        for _ in range(5):
            clock.advance(5_000)
            await watch_alarms(runtime)
        await hotline.answer(f"CA{n}")
        await watch_alarms(runtime)
        await hotline.end(f"CA{n}")
        await hotline.wrap_up()
    (raised,) = (await alarms.list_alarms(runtime)).alarms
    assert (raised.kind, raised.until_ms, raised.calm_ms) == (Kind.LONGEST_WAIT, None, clock.now_ms())

    told = [alarm_view(raised, {}, words_in(hotline, locale))["detail"] for locale in ("en", "zh")]
    at = time_of_day(clock.now_ms(), hotline.plan.timezone)[:5]
    assert told[0] == f"was 0:25 (at most 0:20) · Residential customer · calm since {at}, not over yet"
    assert told[1].endswith(f"{at} 起已恢复正常，尚未解除")

    clock.advance(59_999)
    assert await watch_alarms(runtime) == 0
    clock.advance(1)
    assert await watch_alarms(runtime) == 1
    (over,) = (await alarms.list_alarms(runtime)).alarms
    assert over.until_ms == clock.now_ms()


async def test_a_calm_that_was_broken_does_not_end_it(runtime: Any) -> None:
    """Two clock processes: one saw a minute of calm and slept; the other saw a caller wait meanwhile."""
    about = reading(0.5, 20, Line(0.1, 0.1))
    async with runtime.database.transaction() as connection:
        await store.begin(connection, "power", "a1", about, 1_000)
        await store.note_calm(connection, ["a1"], 2_000)
        await store.note_calm(connection, ["a1"], 3_000)
        (slept,) = await store.open_ones(connection, "power")
        assert slept.calm_ms == 2_000, "the first who saw it"
        await store.note_calm(connection, ["a1"], None)
        assert await store.end(connection, [slept], 62_000) == []
        await store.note_calm(connection, ["a1"], 61_000)
        assert await store.end(connection, [slept], 62_000) == []
        assert await store.end(connection, await store.open_ones(connection, "power"), 121_000) == ["a1"]


async def test_many_alarms_of_old_are_not_read_and_some_day_forgotten(runtime: Any, clock: Any) -> None:
    now_ms, day_ms = clock.now_ms(), 86_400_000
    about = reading(0.5, 20, Line(0.1, 0.1))
    async with runtime.database.transaction() as connection:
        for n, days in enumerate((402, 401, 399)):
            known = await store.begin(connection, "power", f"old{n}", about, now_ms - days * day_ms - 1)
            assert known is not None
            await store.end(connection, [known], now_ms - days * day_ms)
        forgotten = replace(about, subject="key")
        assert await store.begin(connection, "power", "open", forgotten, now_ms - 500 * day_ms) is not None
    assert await alarms.drop_old(runtime) == 2
    assert await alarms.drop_old(runtime) == 0
    assert [each.alarm_id for each in (await alarms.list_alarms(runtime)).alarms] == ["open", "old2"]
    async with plans(runtime.database) as (connection, found):
        await store.begin(connection, "power", "new", about, now_ms)
        await store.drop_over(connection, now_ms, 10)
    assert "ix_alarms_site_kind_subject_until_ms" in found[0]
    assert "ix_alarms_until_ms" in found[-1]
