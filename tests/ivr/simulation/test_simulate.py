"""`shouwen simulate` as a supervisor types it: a table in, figures out, and clear words for what cannot be used."""

import gzip
import json
from pathlib import Path

import pytest

from ivr.cli import main
from ivr.simulation.figures import percentile
from tests.house.places import ROOT

COLUMNS = "arrived_s,tier,queue,handling_s,patience_s\n"
TIERS = "high_risk, key_customer, special_care, business, residential"
QUEUES = "key, outage, connection, complaint, general"
PLAIN = f"""{COLUMNS}\
0,residential,general,60,
1.5,residential,general,60,
2,key_customer,general,60,
3,residential,general,60,20
"""


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    file = tmp_path / "calls.csv"
    file.write_text(PLAIN, "utf-8")
    return file


def test_a_small_day_by_hand(calls: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One agent: the first at once, then the key customer for his head start, then the second; the fourth gives up."""
    out, page = tmp_path / "out.json", tmp_path / "out.html"
    words = ["simulate", "power", "--calls", str(calls), "--agents", "1", "--ring", "0", "--wrap-up", "0"]
    assert main([*words, "--json", str(out), "--html", str(page), "--scripts"]) == 0
    told = json.loads(out.read_text("utf-8"))
    assert told["by_tier"]["residential"] == {
        **told["by_tier"]["residential"],
        "offered": 3, "answered": 2, "abandoned": 1, "wait_mean_s": 59.25, "wait_p95_s": 118.5, "passed_max": 1,
    }  # fmt: skip
    assert told["by_tier"]["key_customer"]["wait_mean_s"] == 58
    assert "<svg" in page.read_text("utf-8")
    printed = capsys.readouterr().out
    assert "tier residential" in printed
    assert "the same day" in printed


def test_what_a_change_would_have_done(
    calls: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fair = tmp_path / "fair"
    fair.mkdir()
    for file in (ROOT / "config" / "sites" / "power").glob("*.yaml"):
        text = file.read_text("utf-8")
        fair.joinpath(file.name).write_text(
            text.replace("head_start: 5m", "head_start: 0s").replace("ceiling: 3m", "ceiling: 8m"), "utf-8"
        )
    words = ["simulate", "power", "--calls", str(calls), "--agents", "1", "--ring", "0", "--wrap-up", "0"]
    out = tmp_path / "out.json"
    assert main([*words, "--against", str(fair) + "/", "--json", str(out)]) == 0
    changed = {each["call_id"]: each["by_s"] for each in json.loads(out.read_text("utf-8"))["changes"]}
    assert sorted(changed.values()) == [-60.0, 60.0]
    assert "1 calls wait less, 1 longer" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("table", "agents", "words"),
    [
        (f"{COLUMNS}1.25,vip,general,60,\n", "1", f"calls.csv:2: power has no tier 'vip' ({TIERS})"),
        (
            COLUMNS.replace("\n", ",call\n") + "1,,general,60,,x\n2,,general,60,,x\n",
            "1",
            "arrived_s 2: the call 'x' is there twice",
        ),
        (f"{COLUMNS}90000,,nowhere,60,\n", "1", f"calls.csv:2: power has no queue 'nowhere' ({QUEUES})"),
        (
            f"{COLUMNS}1,,nowhere,60,\nx,,general,60,\n3,vip,general,60,\n",
            "1",
            (
                f"calls.csv:2: power has no queue 'nowhere' ({QUEUES})\n"
                "calls.csv:3: arrived_s 'x' is not a number of seconds\n"
                f"calls.csv:4: power has no tier 'vip' ({TIERS})"
            ),
        ),
        (PLAIN, "nobody.csv", "--agents: 'nobody.csv' is neither a number of agents nor a file"),
        (PLAIN, "0", "--agents: '0' is neither a number of agents nor a file"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place(
    table: str, agents: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "calls.csv"
    file.write_text(table, "utf-8")
    assert main(["simulate", "power", "--calls", str(file), "--agents", agents]) == 2
    assert capsys.readouterr().err.replace(f"{tmp_path}/", "") == f"{words}\n"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--calls", "none.csv"], "none.csv: cannot be read: No such file or directory"),
        (["--day", "3"], "calls.csv: no calls there; its days are 1"),
        (["--hours", "3"], "hours '3': write them like 10-12 or 9:30-11"),
        (["--priorities", "2"], "--priorities '2': write them like 0=ordinary,2=key"),
        (["--priorities", "2=vip"], f"--priorities: power has no tier 'vip' ({TIERS})"),
        (["--json", "none/out.json"], "none/out.json: cannot be written: No such file or directory"),
    ],
)
def test_what_was_asked_for_and_cannot_be_done_is_told_in_words(
    more: list[str],
    words: str,
    calls: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["simulate", "power", "--calls", calls.name, *more]) == 2
    assert capsys.readouterr().err == f"{words}\n"


def test_one_day_of_a_table_without_dates(
    calls: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls.write_text(f"{PLAIN}90000,residential,general,60,\n", "utf-8")
    out = tmp_path / "out.json"
    assert main(["simulate", "power", "--calls", str(calls), "--day", "2", "--json", str(out)]) == 0
    assert json.loads(out.read_text("utf-8"))["all"]["offered"] == 1


def test_a_table_of_agents_is_known_as_packed_by_what_is_in_it(
    calls: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    agents = tmp_path / "agents.csv"
    agents.write_bytes(gzip.compress(b"agent,skills,from_s,until_s\nlate,general,600,\n"))
    assert main(["simulate", "power", "--calls", str(calls), "--agents", str(agents)]) == 0
    agents.write_bytes(agents.read_bytes()[:-4])
    assert main(["simulate", "power", "--calls", str(calls), "--agents", str(agents)]) == 2
    told = capsys.readouterr().err
    assert told == f"{agents}: cannot be read: the compressed file is cut off or damaged\n"


def test_agents_have_hours_and_skills(calls: Path, tmp_path: Path) -> None:
    """Who comes at ten minutes answers all who still wait, by their coming: they are past their ceilings.

    Without the skill he answers nobody.
    """
    agents, out = tmp_path / "agents.csv", tmp_path / "out.json"
    agents.write_text("agent,skills,from_s,until_s\nlate,general,600,\nwrong,connection,0,\n", "utf-8")
    words = [
        "simulate",
        "power",
        "--calls",
        str(calls),
        "--agents",
        str(agents),
        "--ring",
        "0",
        "--wrap-up",
        "0",
    ]
    assert main([*words, "--json", str(out)]) == 0
    assert json.loads(out.read_text("utf-8"))["by_tier"]["key_customer"]["wait_mean_s"] == 718


def test_a_percentile_is_the_smallest_that_so_many_do_not_exceed() -> None:
    hundred = [float(each) for each in range(1, 101)]
    assert [percentile(hundred, each) for each in (0, 1, 55, 95, 100)] == [1, 1, 55, 95, 100]
    assert [percentile([1.0, 2.0], each) for each in (50, 51)] == [1, 2]
    assert percentile([], 50) == 0
