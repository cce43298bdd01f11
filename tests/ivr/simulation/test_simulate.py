"""`shouwen simulate` as a supervisor types it: a table in, figures out, and clear words for what cannot be used."""

import json
from pathlib import Path

import pytest

from ivr.cli import main
from tests.house.places import ROOT

PLAIN = """arrived_s,tier,queue,handling_s,patience_s
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
        ("arrived_s,tier,queue,handling_s,patience_s\n0,vip,general,60,\n", "1", "no tier 'vip'"),
        ("arrived_s,tier,queue,handling_s,patience_s\n0,,nowhere,60,\n", "1", "no queue 'nowhere'"),
        ("arrived_s,tier,queue,handling_s,patience_s\nx,,general,60,\n", "1", ":2: arrived_s 'x'"),
        (PLAIN, "nobody.csv", "neither a number of agents nor a file"),
        (PLAIN, "0", "neither a number of agents nor a file"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place(
    table: str, agents: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "calls.csv"
    file.write_text(table, "utf-8")
    assert main(["simulate", "power", "--calls", str(file), "--agents", agents]) == 2
    assert words in capsys.readouterr().err


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
