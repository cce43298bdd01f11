"""Metric cards: computed as printed, by golden numbers and by a library; targets; who called again."""

import math
from collections import Counter
from random import Random
from typing import Any

import pytest
from scipy import stats

from queues.domain import waits
from queues.domain.abandoned import back_id
from queues.domain.formulas import Formula, FormulaError
from queues.domain.intervals import Cell, Counts
from queues.domain.metrics import CARDS, Callers, Totals, figures_of
from queues.domain.periods import Grain, start_of
from queues.domain.targets import Row as TargetRow
from queues.domain.targets import Target, Targets, target_of
from queues.service import callers, figures, figuring
from queues.service.figures import Asked
from queues.store import caller_days, intervals
from queues.store.figured import Chosen
from queues.store.intervals import Row
from tests.queues.hotline import CHEN_NUMBER, LIN_NUMBER, Hotline

HOUR_MS = 3_600_000


def test_the_example_of_icmi() -> None:
    """1000 answered, 860 of them in 20 s; 60 abandoned, 20 of them in 20 s, 10 in 5 s."""
    counts = Counts(
        Counter(arrived=1060, offered=1060, answered=1000, abandoned=60),
        {
            "answered_waits": Counter({20: 860, 21: 140}),
            "abandoned_waits": Counter({5: 10, 20: 10, 21: 40}),
            "felt_waits": Counter({20: 860, 21: 140}),
        },
    )
    totals = Totals()
    totals.add(counts, Target(80, 20, 5))
    found = figures_of(totals)
    shares = {name: found[name].value for name in ("f1", "f2", "f3", "f4", "f5", "f6", "f7")}
    assert {name: None if value is None else round(value * 100, 2) for name, value in shares.items()} == {
        "f1": 83.02, "f2": 86.00, "f3": 81.13, "f4": 82.69, "f5": 81.90, "f6": 81.90, "f7": 81.90,
    }  # fmt: skip
    assert found["f5"].symbols == {"A_T": 860, "A": 1000, "B": 60, "B_s": 10}
    assert found["occupancy"].value is None, "agents were not asked about"


def test_of_nothing_there_is_nothing_to_tell() -> None:
    found = figures_of(Totals())
    assert {each.value for each in found.values() if each.card.id not in ("waiting", "answered")} == {None}
    assert found["waiting"].value == 0
    assert set(found) == set(CARDS)


def test_a_formula_is_symbols_and_four_operations_and_nothing_else() -> None:
    assert Formula("(a + b) / (c - 1)").value({"a": 1, "b": 2, "c": 4}) == 1
    assert Formula("a / b").value({"a": 1, "b": 0}) is None
    assert Formula("a + b").value({"a": 1, "b": None}) is None
    assert Formula("a * b / a - 1").printed == "a × b ÷ a − 1"
    assert Formula("b + a * b").symbols == ("b", "a")
    for text in ("__import__('os')", "a ** 2", "a if b else c", "-a", "'a' + 'b'"):
        with pytest.raises(FormulaError):
            Formula(text).value({"a": 1, "b": 1, "c": 1})


@pytest.mark.parametrize("seed", range(3))
def test_patience_is_the_librarys_estimate(seed: int) -> None:
    chance = Random(seed)
    people = [(chance.randint(0, 90), chance.random() < 0.3) for _ in range(400)]
    gave_up = Counter(at_s for at_s, is_gone in people if is_gone)
    others = Counter(at_s for at_s, is_gone in people if not is_gone)
    sample = stats.CensoredData.right_censored([each[0] for each in people], [not each[1] for each in people])
    curve = stats.ecdf(sample).sf
    theirs = dict(zip(curve.quantiles.tolist(), curve.probabilities.tolist(), strict=True))
    steps = waits.patience(gave_up, others)
    assert len(steps) == len(gave_up)
    assert all(math.isclose(step.share, theirs[step.at_s], abs_tol=1e-12) for step in steps)
    assert sum(step.left for step in steps) == sum(gave_up.values())


async def test_the_first_row_that_fits_is_the_target(hotline: Hotline) -> None:
    rows = (
        TargetRow(queue="key", tier="vip", within=7_000, share=99),
        TargetRow(queue="key", profile="key-account"),
        TargetRow(tier="vip", profile="cn-public"),
        TargetRow(queue="outage", share=85),
    )
    own = hotline.plan.model_copy(update={"targets": Targets(short_abandon=4_000, rows=rows)})
    asked = (("key", "vip"), ("key", ""), ("outage", "vip"), ("outage", ""), ("general", ""), ("no_more", ""))
    assert [target_of(own, *each) for each in asked] == [
        Target(99, 7, 4), Target(90, 10, 4), Target(95, 15, 4), Target(85, 20, 4), Target(80, 20, 4), Target(80, 20, 4),
    ]  # fmt: skip


async def test_who_calls_again_about_the_same_within_a_day_two_days_or_a_week(hotline: Hotline) -> None:
    """林 calls now, after 23 h, 47 h later and 8 days later; 陈 once, and is called back; somebody without a number
    twice.
    """
    clock: Any = hotline.runtime.clock
    from_ms = clock.now_ms() // HOUR_MS * HOUR_MS
    await hotline.answered_call("CA1", LIN_NUMBER)
    await hotline.answered_call("CA2", CHEN_NUMBER)
    await hotline.answered_call(back_id("CA2", 1), CHEN_NUMBER)
    for number in (5, 6):
        await hotline.answered_call(f"CA{number}", "")
    for number, hours in ((7, 23), (8, 47), (9, 8 * 24)):
        clock.advance(hours * HOUR_MS - 90_000)
        await hotline.answered_call(f"CA{number}", LIN_NUMBER)
    clock.advance(HOUR_MS)
    await hotline.scribe.drain()
    await figuring.drain(hotline.runtime)
    until_ms = clock.now_ms() // HOUR_MS * HOUR_MS + HOUR_MS
    report = await figures.read(hotline.runtime, hotline.plan, Asked(from_ms=from_ms, until_ms=until_ms))
    assert report.totals.callers == Callers(known=5, again_24=1, again_48=2, settled=4, solved=2)


async def test_who_read_the_calls_before_one_changed_keeps_nothing_of_them(hotline: Hotline) -> None:
    """Two loops count one day. A late call comes between: the first of them has not seen it."""
    database, group = hotline.runtime.database, ("general", "", "")
    before, now = Callers(1, 0, 0, 0, 0), Callers(2, 1, 1, 0, 0)
    async with database.transaction() as connection:
        first = await caller_days.claim(connection, "power", 0)
        assert await caller_days.claim(connection, "power", 0) == first, "two that count see the same changes"
        await caller_days.drop(connection, "power", 0, 1)
        second = await caller_days.claim(connection, "power", 0)
        assert not await caller_days.keep(connection, "power", 0, {group: before}, first)
        assert await caller_days.kept(connection, "power", 0, 1) == set()
        assert await caller_days.keep(connection, "power", 0, {group: now}, second)
        assert await caller_days.claim(connection, "power", 0) >= 0
        assert not await caller_days.keep(connection, "power", 0, {group: before}, 0), "it is kept already"
        assert await caller_days.total(connection, "power", 0, 1) == now


async def test_eight_days_that_cannot_be_kept_yet_are_counted_at_the_size_we_claim(hotline: Hotline) -> None:
    """Ten million calls a year. Of each day stands one call; how many there were, the intervals say."""
    runtime, zone, now_ms = hotline.runtime, hotline.plan.timezone, hotline.runtime.clock.now_ms()
    starts = [start_of(Grain.DAY, now_ms - back * 24 * HOUR_MS, zone) for back in range(30)]
    a_day = Row(Counts(Counter(arrived=27_400, offered=27_400)))
    async with runtime.database.transaction() as connection:
        for day_ms in starts:
            await intervals.save(
                connection, "power", Grain.DAY, {Cell(day_ms, "general", "vip", "main"): a_day}
            )
        for day_ms in starts[8:]:
            mark = await caller_days.claim(connection, "power", day_ms)
            counts = {("general", "vip", "main"): Callers(27_400, 3, 4, 2, 1)}
            await caller_days.keep(connection, "power", day_ms, counts, mark)
    async with runtime.database.read() as connection:
        for days, known in ((1, 0), (8, 0), (30, 22 * 27_400)):
            chosen = Chosen("power", starts[days - 1], starts[0] + 24 * HOUR_MS)
            found = await callers.read(connection, chosen, zone, now_ms)
            assert found is not None, days
            assert found.known == known
    async with runtime.database.transaction() as connection:
        await caller_days.drop(connection, "power", starts[29], starts[8])
    async with runtime.database.read() as connection:
        chosen = Chosen("power", starts[29], starts[0] + 24 * HOUR_MS)
        assert await callers.read(connection, chosen, zone, now_ms) is None, "a backlog is not for who waits"
