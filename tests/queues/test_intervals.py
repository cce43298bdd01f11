"""Intervals: what is added up as lines come is what all call records come to from scratch; waits and periods."""

import datetime as dt
from collections import Counter
from dataclasses import replace
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queues.domain import agent_time, stays, waits
from queues.domain.call_records import CallRecord
from queues.domain.intervals import Cells, changes, contribution, difference, merged, total
from queues.domain.journal import Line
from queues.domain.periods import QUARTER_MS, Grain, midnight, pieces, start_of
from queues.domain.switchboard import step
from queues.service.history import fold_all
from tests.switchboard.workload import Workload
from tests.switchboard.world import first_state

SECONDS = st.dictionaries(st.integers(0, 700), st.integers(1, 9))


def day_of_lines(seed: int, commands: int = 2_500) -> list[Line]:
    """What a switchboard's day by chance leaves in the journal; its hours are made long enough for several quarters."""
    state, workload, lines = first_state(), Workload(Random(seed)), list[Line]()
    for _ in range(commands):
        done = step(state, workload.next(state))
        state = done.state
        lines += done.lines
    return lines


@pytest.mark.parametrize("seed", range(3))
def test_live_is_rebuilt_however_the_lines_come(seed: int) -> None:
    """In batches by chance, lines doubled, neighbours swapped, some late or never: after every batch the sum of the
    changes is what the records come to from scratch, and so is agents' time."""
    chance = Random(seed)
    lines = disturbed(day_of_lines(seed), chance)
    records: dict[str, CallRecord] = {}
    live: Cells = {}
    stands: stays.Stays = {}
    spent: stays.AgentCells = {}
    while lines:
        batch, lines = lines[: (size := chance.randint(1, 300))], lines[size:]
        before = {call_id: replace(record) for call_id, record in records.items()}
        changed = fold_all(records, batch)
        live = merged([live, changes(before, changed)])
        stands, gained = stays.take_in(stands, stays.moves_of(batch))
        spent = stays.merged([spent, gained])
        assert difference(total(records.values()), live) == {}
    assert len({cell.start_ms for cell in live}) > 3, "the day is long enough to mean something"
    for counts in merged([live]).values():
        offered = counts.sums["offered"]
        parts = ("answered", "abandoned", "called_back", "flowed_out")
        assert sum(counts.sums[name] for name in parts) <= offered
        assert min((*counts.sums.values(), 0)) == 0


def disturbed(lines: list[Line], chance: Random) -> list[Line]:
    """The journal has one order; what reaches it comes doubled, late and swapped, so its facts do. Lines that are
    missing were lost with a server's last second."""
    told: list[Line] = []
    for line in lines:
        if chance.random() < 0.02:
            continue
        told.append(line)
        if chance.random() < 0.1:
            told.append(line)
    for place in range(len(told) - 1):
        if chance.random() < 0.05:
            told[place], told[place + 1] = told[place + 1], told[place]
    return told


@pytest.mark.parametrize("seed", range(2))
def test_agents_time_by_quarters_is_their_time_by_the_definition(seed: int) -> None:
    lines = day_of_lines(seed)
    until_ms = max(int(line.id.split("-")[0]) for line in lines) + 5_000
    stands, spent = stays.take_in({}, stays.moves_of(lines))
    cells = stays.merged([spent, stays.running(stands, 0, until_ms)])
    assert len({cell.start_ms for cell in cells}) > 1
    for start_ms in {cell.start_ms for cell in cells}:
        defined = agent_time.fold(lines, start_ms, min(start_ms + QUARTER_MS, until_ms))
        counted = {
            cell.agent_id: {state: ms for state in stays.STATES if (ms := sums[f"{state}_ms"])}
            for cell, sums in cells.items()
            if cell.start_ms == start_ms and any(sums[f"{state}_ms"] for state in stays.STATES)
        }
        assert counted == {each: dict(time.by_state) for each, time in defined.items()}


def test_a_correction_moves_a_call_from_one_cell_to_the_other() -> None:
    before = CallRecord(
        call_id="CA1", arrived_ms=5 * QUARTER_MS, queue="repair", tier="normal", queued_ms=5 * QUARTER_MS
    )
    after = replace(before, arrived_ms=4 * QUARTER_MS + 1, tier="vip")
    gained = changes({"CA1": before}, [after])
    assert {cell[0::2]: counts.sums["arrived"] for cell, counts in gained.items()} == {
        (5 * QUARTER_MS, "normal"): -1,
        (4 * QUARTER_MS, "vip"): 1,
    }
    assert changes({"CA1": after}, [after]) == {}
    assert contribution(after).sums["unsettled"] == 1


@given(SECONDS, SECONDS, st.integers(0, 100))
def test_waits_add_up_and_percentiles_are_true_sentences(
    one: dict[int, int], two: dict[int, int], percent: int
) -> None:
    both = waits.total([one, two])
    assert both == waits.total([two, one])
    assert waits.read(waits.write(both)) == +both
    assert waits.within(both, 60) == waits.within(one, 60) + waits.within(two, 60)
    in_order = sorted(Counter(both).elements())
    found = waits.percentile(both, percent)
    if not in_order:
        assert found is None
    elif percent:
        assert found == in_order[-(-percent * len(in_order) // 100) - 1]
        assert found is not None
        assert waits.within(both, found) * 100 >= percent * len(in_order)
        assert waits.within(both, found - 1) * 100 < percent * len(in_order)


def test_59_60_61_seconds_against_60() -> None:
    told = Counter(waits.second_of(ms) for ms in (59_000, 60_000, 61_000))
    assert [waits.within(Counter([at_s]), 60) for at_s in sorted(told)] == [1, 1, 0]
    assert waits.second_of(60_001) == 61
    assert waits.second_of(59_999) == 60


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Madrid", "Asia/Kathmandu", "Australia/Lord_Howe"])
@given(st.integers(0, 5_000), st.integers(0, 40_000))
def test_a_range_is_cut_into_months_days_and_quarters_without_gap_or_overlap(
    zone: str, first: int, many: int
) -> None:
    from_ms = midnight(dt.date(2026, 1, 1), zone) + first * QUARTER_MS
    until_ms = from_ms + many * QUARTER_MS
    found = pieces(from_ms, until_ms, zone)
    edges = [from_ms, *(piece.until_ms for piece in found)]
    assert [piece.from_ms for piece in found] == edges[:-1]
    assert edges[-1] == until_ms
    for piece in found:
        for edge in (piece.from_ms, piece.until_ms):
            assert start_of(piece.grain, edge, zone) == edge
    assert sum(piece.grain is Grain.QUARTER for piece in found) <= 2


def test_the_days_on_which_the_clock_is_changed_have_23_and_25_hours() -> None:
    zone = "Europe/Madrid"
    for day, hours in ((dt.date(2026, 3, 29), 23), (dt.date(2026, 10, 25), 25), (dt.date(2026, 6, 1), 24)):
        begins, ends = midnight(day, zone), midnight(day + dt.timedelta(days=1), zone)
        assert (ends - begins) / 3_600_000 == hours
        assert {start_of(Grain.DAY, at, zone) for at in range(begins, ends, QUARTER_MS)} == {begins}
    twice = dt.datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo(zone))
    instants = [round(twice.replace(fold=fold).timestamp() * 1000) for fold in (0, 1)]
    assert len({start_of(Grain.QUARTER, at, zone) for at in instants}) == 2
