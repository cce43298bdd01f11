"""A real hotline's days through the real scribe: every figure by priority and type, computed two other ways.

One day of the three weeks; SHOUWEN_BANK_DAYS=21 takes all of them. Data: "Anonymous Bank" (A. Mandelbaum, I. Guedj).
"""

import datetime as dt
import json
import math
import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from scipy import stats

from queues.domain.metrics import PERCENTS, Totals, figures_of
from queues.domain.periods import midnight
from queues.service import figures, figuring
from queues.service.figures import Asked, Report
from tests.queues.bank import BankCall, bank_calls, journal_of
from tests.queues.hotline import Hotline

DAYS = int(os.environ.get("SHOUWEN_BANK_DAYS", "1"))
WITHIN_S, SHORT_S = 20, 5
DAY = dt.timedelta(days=1)
Numbers = dict[str, float | None]
Group = tuple[str, str]


async def test_every_figure_of_a_day_is_the_one_computed_from_the_log(hotline: Hotline) -> None:
    calls = bank_calls(DAYS)
    await write_down(hotline, calls)
    by_sql, by_hand = in_sql(calls), in_python(calls)
    assert by_sql == by_hand, "the two other ways agree"
    days = sorted({call.day for call in calls})
    for day in days:
        report = await report_of(hotline, day, day)
        found = {
            group: numbers_of(each) for group, each in report.by_group.items() if each.counts.sums["offered"]
        }
        assert {(day, *group): each for group, each in found.items()} == {
            key: each for key, each in by_hand.items() if key[0] == day
        }
        assert report.totals.counts.sums["left_in_menu"] == sum(
            call.day == day and call.wait_s is None for call in calls
        )
        expect_patience(report.totals, [call for call in calls if call.day == day])
    whole = await report_of(hotline, days[0], days[-1])
    (everybody,) = in_python([replace(call, day="all", queue="all", tier="all") for call in calls]).values()
    assert numbers_of(whole.totals) == everybody
    assert (await figuring.verify(hotline.runtime)).count == 0


async def write_down(hotline: Hotline, calls: Sequence[BankCall]) -> None:
    """Into the live store's journal, and from there by the scribe."""
    redis, key = hotline.runtime.redis, f"{{{hotline.plan.site}}}:journal"
    await redis.delete(key)
    pipeline = redis.pipeline(transaction=False)
    for line in journal_of(calls, hotline.plan.timezone):
        fields: dict[Any, Any] = {
            name: getattr(line, name) for name in ("type", "at_ms", "call_id", "agent_id", "offer_id")
        }
        pipeline.xadd(key, fields | {"data": json.dumps(dict(line.data))}, id=line.id)
    await pipeline.execute()
    await hotline.scribe.drain()
    await figuring.drain(hotline.runtime)


async def report_of(hotline: Hotline, first: str, last: str) -> Report:
    zone = hotline.plan.timezone
    from_ms = midnight(dt.date.fromisoformat(first), zone)
    until_ms = midnight(dt.date.fromisoformat(last) + DAY, zone)
    return await figures.read(hotline.runtime, hotline.plan, Asked(from_ms=from_ms, until_ms=until_ms))


SHOWN = ("O", "A", "B", "A_T", "B_T", "B_s", "D_T")


def numbers_of(totals: Totals) -> Numbers:
    symbols, cards = totals.symbols(), figures_of(totals)
    told: Numbers = {name: symbols[name] for name in SHOWN}
    told |= {name: symbols[name] for name in ("wait", "talk", "longest")}
    told |= {f"answered_p{n}": symbols[f"answered_p{n}"] for n in PERCENTS}
    told |= {f"abandoned_p{n}": symbols[f"abandoned_p{n}"] for n in PERCENTS}
    return told | {
        name: rounded(cards[name].value)
        for name in ("f1", "f2", "f3", "f4", "f5", "f7", "asa", "abandonment")
    }


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 9)


def in_python(calls: Iterable[BankCall]) -> dict[tuple[str, str, str], Numbers]:
    """With lists and sorting alone."""
    groups: dict[tuple[str, str, str], list[BankCall]] = defaultdict(list)
    for call in calls:
        if call.wait_s is not None:
            groups[call.day, call.queue, call.tier].append(call)
    return {key: _by_hand(group) for key, group in groups.items()}


def _by_hand(group: Sequence[BankCall]) -> Numbers:
    answered = sorted(call.wait_s for call in group if call.talk_s is not None and call.wait_s is not None)
    gave_up = sorted(call.wait_s for call in group if call.talk_s is None and call.wait_s is not None)
    felt = [call.menu_s + (call.wait_s or 0) for call in group if call.talk_s is not None]
    a, b = len(answered), len(gave_up)
    a_t, b_t = sum(each <= WITHIN_S for each in answered), sum(each <= WITHIN_S for each in gave_up)
    b_s, d_t = sum(each <= SHORT_S for each in gave_up), sum(each <= WITHIN_S for each in felt)
    told: Numbers = {"O": a + b, "A": a, "B": b, "A_T": a_t, "B_T": b_t, "B_s": b_s, "D_T": d_t}
    told |= {
        "wait": sum(answered),
        "talk": sum(call.talk_s or 0 for call in group),
        "longest": max(answered + gave_up),
    }
    told |= {f"answered_p{n}": answered[math.ceil(n * a / 100) - 1] if a else None for n in PERCENTS}
    told |= {f"abandoned_p{n}": gave_up[math.ceil(n * b / 100) - 1] if b else None for n in PERCENTS}
    return told | _shares(a, b, a_t, b_t, b_s, d_t, sum(answered))


def _shares(a: int, b: int, a_t: int, b_t: int, b_s: int, d_t: int, waited: int) -> Numbers:
    pairs = {
        "f1": (a_t + b_t, a + b), "f2": (a_t, a), "f3": (a_t, a + b), "f4": (a_t, a + b - b_t),
        "f5": (a_t, a + b - b_s), "f7": (d_t, a + b - b_s), "asa": (waited, a), "abandonment": (b - b_s, a + b - b_s),
    }  # fmt: skip
    return {name: round(over / under, 9) if under else None for name, (over, under) in pairs.items()}


def in_sql(calls: Iterable[BankCall]) -> dict[tuple[str, str, str], Numbers]:
    """With one table and SQL."""
    base = sqlite3.connect(":memory:")
    base.execute("CREATE TABLE log (day, queue, tier, menu_s, wait_s, talk_s)")
    base.executemany(
        "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)",
        [(c.day, c.queue, c.tier, c.menu_s, c.wait_s, c.talk_s) for c in calls],
    )
    found: dict[tuple[str, str, str], Numbers] = {}
    for day, queue, tier, *told in base.execute(COUNTS, {"within": WITHIN_S, "short": SHORT_S}):
        names = (*SHOWN, "wait", "talk", "longest")
        found[day, queue, tier] = dict(zip(names, told, strict=True))
    for percent in PERCENTS:
        for kind, word in ((0, "abandoned"), (1, "answered")):
            for each in found.values():
                each[f"{word}_p{percent}"] = None
            for day, queue, tier, wait_s in base.execute(RANKED, {"percent": percent, "kind": kind}):
                found[day, queue, tier][f"{word}_p{percent}"] = wait_s
    base.close()
    return {
        key: each | _shares(*(int(each[name] or 0) for name in (*SHOWN[1:], "wait")))
        for key, each in found.items()
    }


COUNTS = """
SELECT day, queue, tier, count(*), count(talk_s), sum(talk_s IS NULL),
       sum(talk_s IS NOT NULL AND wait_s <= :within), sum(talk_s IS NULL AND wait_s <= :within),
       sum(talk_s IS NULL AND wait_s <= :short), sum(talk_s IS NOT NULL AND menu_s + wait_s <= :within),
       coalesce(sum(CASE WHEN talk_s IS NOT NULL THEN wait_s END), 0), coalesce(sum(talk_s), 0), max(wait_s)
FROM log WHERE wait_s IS NOT NULL GROUP BY day, queue, tier
"""
RANKED = """
SELECT day, queue, tier, wait_s FROM (
    SELECT day, queue, tier, wait_s,
           row_number() OVER (PARTITION BY day, queue, tier ORDER BY wait_s) AS place,
           count(*) OVER (PARTITION BY day, queue, tier) AS many
    FROM log WHERE wait_s IS NOT NULL AND (talk_s IS NOT NULL) = :kind
) WHERE place = (:percent * many + 99) / 100
"""


def expect_patience(totals: Totals, calls: Sequence[BankCall]) -> None:
    """Kaplan and Meier's curve, against scipy's."""
    waited = [call for call in calls if call.wait_s is not None]
    sample = stats.CensoredData.right_censored(
        [call.wait_s for call in waited], [call.talk_s is not None for call in waited]
    )
    curve = stats.ecdf(sample).sf
    theirs = dict(zip(curve.quantiles.tolist(), curve.probabilities.tolist(), strict=True))
    ours = totals.steps()
    assert len(ours) > 5
    for step in ours:
        assert math.isclose(step.share, theirs[step.at_s], abs_tol=1e-12)
