"""The benches run as people run them, and say what they found in a form that a program can read."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.__main__ import BY_NAME, HEADINGS, main, row_of, table
from tests.bench.rounds import Findings, Pace, Round, Size, p99, take_turns
from tests.house.places import ROOT


def run_in(folder: Path, *words: str) -> str:
    """What `python WORDS` prints when it is started there."""
    told = subprocess.run(  # noqa: S603  our own command, and no shell
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


@pytest.mark.slow
def test_every_bench_runs_prints_its_row_and_writes_it_into_the_report(tmp_path: Path) -> None:
    told = run_in(tmp_path, "-m", "tests.bench", "--trial")
    heading, *rest = told.splitlines()
    rows = [line for line in rest if not line.startswith(" ")]
    assert heading.split() == list(HEADINGS)
    assert [row.split()[0] for row in rows] == list(BY_NAME)
    assert [path.name for path in tmp_path.iterdir()] == ["bench.json"]
    report = json.loads((tmp_path / "bench.json").read_text("utf-8"))
    found = {each["name"]: each for each in report.pop("benches")}
    assert set(report) == {"rounds", "size", "python", "system", "cores"}
    assert (report["rounds"], report["size"]) == (1, "trial")
    assert list(found) == list(BY_NAME)
    for each in found.values():
        low, high = each["spread"]
        assert 0 < low <= each["ratio"] <= high
        assert each["ours"] > 0 < each["floor_reading"]
        assert each["note"]
    claim = found["claim"]
    assert (claim["floor"], claim["is_least"], claim["unit"]) == (3, False, "ms")
    assert claim["met"] is (claim["ratio"] <= claim["floor"])


@pytest.mark.slow
def test_an_arrival_among_many_customers_is_one_command_and_finds_each_of_them(tmp_path: Path) -> None:
    told = run_in(tmp_path, "-m", "tests.bench.customers", "--count", "2000")
    assert "  2,000 new, 0 changed, 0 as they were" in told
    (arrival,) = (line for line in told.splitlines() if line.startswith("arrival: "))
    assert arrival.startswith("arrival: 1 command each, ")
    assert "; 200 of 200 known" in arrival
    assert list(tmp_path.iterdir()) == []


def test_a_floor_that_is_not_met_is_explained() -> None:
    slow = Findings([Round(40.0, 10.0), Round(50.0, 10.0), Round(35.0, 10.0)], "the script takes it all")
    row = row_of(BY_NAME["claim"], slow)
    assert (row["ratio"], row["met"], row["ours"], row["floor_reading"]) == (4.0, False, 40.0, 10.0)
    assert row["spread"] == [3.5, 5.0]
    _, line, why = table([row])
    assert line.split()[:5] == ["claim", "4", "<=", "3", "no"]
    assert why.strip() == "the script takes it all"
    [_, _] = table([row_of(BY_NAME["claim"], Findings([Round(20.0, 10.0)]))])


def test_a_bench_that_breaks_costs_the_others_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def breaks(_: Pace) -> Findings:
        raise TimeoutError

    async def runs(_: Pace) -> Findings:
        return Findings([Round(1.0, 1.0)], "even")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(BY_NAME, "ring", replace(BY_NAME["ring"], run=breaks))
    monkeypatch.setitem(BY_NAME, "claim", replace(BY_NAME["claim"], run=runs))
    assert main(["ring", "claim"]) == 1
    assert "TimeoutError" in capsys.readouterr().err
    assert [row["name"] for row in json.loads(Path("bench.json").read_text("utf-8"))["benches"]] == ["claim"]
    assert main(["claim"]) == 0


async def test_both_sides_take_turns_and_neither_is_always_first() -> None:
    order: list[str] = []

    async def ours() -> list[float]:
        order.append("ours")
        return [3.0]

    async def floor() -> list[float]:
        order.append("floor")
        return [1.0, 2.0, 9.0]

    rounds = await take_turns(ours, floor, rounds=1, pairs=2)
    assert order == ["ours", "floor", "ours", "floor", "floor", "ours"]
    assert rounds == [Round(3.0, 2.0)]


def test_the_tail_is_the_reading_that_one_in_a_hundred_passes() -> None:
    assert p99([float(each) for each in range(1, 101)]) == 99.0
    assert p99([1.0, 2.0]) == 2.0


def test_a_quick_run_does_less_and_a_trial_as_little_as_there_can_be() -> None:
    assert [Pace(5, size).of(10, 2) for size in Size] == [10, 2, 1]
    assert Pace(5, Size.TRIAL).of(10, 2, 4) == 4
