"""R30: of a scripted call every stamp is there, in order, each length is the script's, and who hung up and where."""

from typing import Any

from config.runtime import Runtime
from queues.domain.metrics import figures_of
from queues.service import figures, figuring
from queues.service.calls import day_of, local_day
from queues.service.figures import Asked
from tests.doubles import MONDAY_0900_MS
from tests.queues.hotline import CHEN_NUMBER, Hotline

STAMPS = (
    "arrived_ms", "menu_left_ms", "queued_ms", "offered_ms", "rang_ms", "answered_ms", "ended_ms", "wrapped_up_ms",
)  # fmt: skip
ENDS = ("ended_by", "ended_in", "outcome")


async def test_a_scripted_call_has_every_stamp_and_its_figures_are_the_scripts(runtime: Runtime) -> None:
    """5 s in the menu, 12 s waiting, 4 s ringing, a minute of talk with 20 s on hold, 10 s of work after it."""
    hotline = await Hotline(runtime).open()
    board, clock = hotline.switchboard, runtime.clock
    pass_by: Any = clock.advance  # type: ignore[attr-defined]
    await hotline.arrive("CA1")
    pass_by(5_000)
    await hotline.enqueue("CA1")
    pass_by(12_000)
    snapshot = await board.snapshot()
    claimed = await board.claim_offer(call_id="CA1", agent_id="wang", turn=snapshot.turn, why={})
    assert claimed.offer_id is not None
    for step, for_ms in (
        (board.ring_offer, 1_000), (board.ringing, 3_000), (board.answer_offer, 0), (board.accept_offer, 0),
    ):  # fmt: skip
        assert (await step(offer_id=claimed.offer_id, leg_id="CAwang")).is_ok
        pass_by(for_ms)
    assert (await board.connect_call(call_id="CA1", offer_id=claimed.offer_id)).is_ok
    pass_by(10_000)
    for is_held, for_ms in ((True, 20_000), (False, 30_000)):
        assert (await board.hold_call(call_id="CA1", agent_id="wang", is_held=is_held)).is_ok
        pass_by(for_ms)
    await hotline.end("CA1", by="agent")
    pass_by(10_000)
    await hotline.wrap_up()
    await hotline.write_down()
    await figuring.drain(runtime)

    (one,) = await hotline.rows("calls", *STAMPS, *ENDS, "held_ms", "longest_hold_ms", "holds", "wrap_ms")
    at_s = [(one[name] - MONDAY_0900_MS) / 1000 for name in STAMPS]
    assert at_s == sorted(at_s)
    assert at_s == [0, 5, 5, 17, 18, 21, 81, 91]
    assert {name: one[name] for name in ("held_ms", "longest_hold_ms", "holds", "wrap_ms")} == {
        "held_ms": 20_000, "longest_hold_ms": 20_000, "holds": 1, "wrap_ms": 10_000,
    }  # fmt: skip
    assert [one[name] for name in ENDS] == ["agent", "connected", "answered"]
    plan = hotline.plan
    from_ms, until_ms = day_of(plan, local_day(plan, MONDAY_0900_MS))
    report = await figures.read(runtime, plan, Asked(from_ms=from_ms, until_ms=until_ms))
    found = figures_of(report.totals)
    values = {name: found[name].value for name in ("asa", "aht", "talk_time", "hold_time", "wrap_time", "f3")}
    assert values == {"asa": 16, "aht": 70, "talk_time": 40, "hold_time": 20, "wrap_time": 10, "f3": 1}
    assert found["occupancy"].symbols == {"connecting": 0, "connected": 60, "wrapping": 10, "ready": 17}


async def test_who_hung_up_and_where_is_told_of_a_call_that_was_never_answered(runtime: Runtime) -> None:
    hotline = await Hotline(runtime).open()
    board, clock = hotline.switchboard, runtime.clock
    pass_by: Any = clock.advance  # type: ignore[attr-defined]
    for call_id in ("CA1", "CA2", "CA3"):
        await hotline.arrive(call_id, CHEN_NUMBER)
        pass_by(4_000)
        if call_id != "CA1":
            await hotline.enqueue(call_id)
            pass_by(8_000)
        if call_id == "CA3":
            turn = (await board.snapshot()).turn
            claimed = await board.claim_offer(call_id=call_id, agent_id="wang", turn=turn, why={})
            assert claimed.offer_id is not None
            assert (await board.ring_offer(offer_id=claimed.offer_id, leg_id="CAwang")).is_ok
            assert (await board.ringing(offer_id=claimed.offer_id, leg_id="CAwang")).is_ok
            pass_by(2_000)
        await hotline.end(call_id)
    await hotline.write_down()
    rows = await hotline.rows("calls", *STAMPS, *ENDS, "wait_ms")
    assert [tuple(row[name] for name in (*ENDS, "wait_ms")) for row in rows] == [
        ("caller", "menu", "left_in_menu", None),
        ("caller", "queued", "abandoned", 8_000),
        ("caller", "offered", "abandoned", 10_000),
    ]
    assert [[name for name in STAMPS if row[name] is not None] for row in rows] == [
        ["arrived_ms", "ended_ms"],
        ["arrived_ms", "menu_left_ms", "queued_ms", "ended_ms"],
        ["arrived_ms", "menu_left_ms", "queued_ms", "offered_ms", "rang_ms", "ended_ms"],
    ]
