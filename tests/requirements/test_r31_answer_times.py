"""R31: waits of 59, 60 and 61 s against 60 s count in, in, out, from the queue and not from the first ring; whoever
gives up is counted apart; each queue and tier has a target of its own."""

import datetime as dt
from typing import Any

from config.runtime import Runtime
from queues.domain.metrics import Totals, figures_of
from queues.domain.periods import midnight
from queues.domain.targets import Row, Targets, target_of
from queues.service import figures, figuring
from queues.service.figures import Asked
from tests.queues.hotline import CHEN_NUMBER, LIN_NUMBER, Hotline

MENU_S = 30
# Queue, number, seconds he waits, whether he is answered. 林 is a key customer, 陈 a resident.
CALLS = (
    ("complaint", CHEN_NUMBER, 59, True),
    ("complaint", CHEN_NUMBER, 60, True),
    ("complaint", CHEN_NUMBER, 61, True),
    ("complaint", CHEN_NUMBER, 60, False),
    ("complaint", CHEN_NUMBER, 3, False),
    ("complaint", LIN_NUMBER, 10, True),
    ("complaint", LIN_NUMBER, 11, True),
    ("general", CHEN_NUMBER, 20, True),
    ("general", CHEN_NUMBER, 21, True),
)
OWN = Targets(rows=(Row(tier="key_customer", profile="key-account"), Row(queue="general", profile="80/20")))


async def test_59_60_61_against_60_and_whoever_gives_up_is_counted_apart(runtime: Runtime) -> None:
    hotline = await Hotline(runtime).open()
    for number, (queue, caller, wait_s, is_answered) in enumerate(CALLS):
        await ring(hotline, f"CA{number}", caller, queue, wait_s, is_answered=is_answered)
    await hotline.write_down()
    await figuring.drain(hotline.runtime)
    plan = hotline.plan.model_copy(update={"targets": OWN})
    assert target_of(plan, "complaint", "residential").within_s == 60

    day = dt.date(2026, 11, 23)
    from_ms, until_ms = (midnight(day + dt.timedelta(days=n), plan.timezone) for n in (0, 1))
    report = await figures.read(hotline.runtime, plan, Asked(from_ms=from_ms, until_ms=until_ms))
    found = {group: counted(totals) for group, totals in report.by_group.items()}
    assert found == {
        ("complaint", "residential"): {"O": 5, "A": 3, "A_T": 2, "B": 2, "B_T": 2, "B_s": 1, "D_T": 0},
        ("complaint", "key_customer"): {"O": 2, "A": 2, "A_T": 1, "B": 0, "B_T": 0, "B_s": 0, "D_T": 0},
        ("general", "residential"): {"O": 2, "A": 2, "A_T": 1, "B": 0, "B_T": 0, "B_s": 0, "D_T": 0},
    }
    own = figures_of(report.by_group["complaint", "residential"])
    shares = {name: own[name].value for name in ("f1", "f2", "f3", "f4", "f5", "abandonment", "asa")}
    assert shares == {
        "f1": 4 / 5,
        "f2": 2 / 3,
        "f3": 2 / 5,
        "f4": 2 / 3,
        "f5": 2 / 4,
        "abandonment": 1 / 4,
        "asa": 60,
    }
    assert counted(report.totals) == {
        name: sum(each[name] for each in found.values())
        for name in ("O", "A", "A_T", "B", "B_T", "B_s", "D_T")
    }


def counted(totals: Totals) -> dict[str, Any]:
    told = totals.symbols()
    return {name: told[name] for name in ("O", "A", "A_T", "B", "B_T", "B_s", "D_T")}


async def ring(
    hotline: Hotline, call_id: str, caller: str, queue: str, wait_s: int, *, is_answered: bool
) -> None:
    clock: Any = hotline.runtime.clock
    await hotline.arrive(call_id, caller)
    clock.advance(MENU_S * 1000)
    await hotline.enqueue(call_id, "complaint" if queue == "complaint" else "enquiry", queue)
    clock.advance(wait_s * 1000)
    if is_answered:
        await hotline.answer(call_id)
        clock.advance(20_000)
    await hotline.end(call_id)
    if is_answered:
        clock.advance(5_000)
        await hotline.wrap_up()
