"""The demo as anybody runs it: real processes, a stand-in provider, callers and agents, and books that balance."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ivr import demo
from ivr.demo_report import CALLBACK_ENDS, QUEUED_OUTCOMES

OURS = ("PATH", "HOME", "LANG", "PYTHONPATH", "VIRTUAL_ENV")


async def start(*words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ivr", "demo", *words),
        env={name: value for name, value in os.environ.items() if name in OURS},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def play(*words: str) -> tuple[int | None, Mapping[str, Any], str]:
    """Exit code, figures, everything it said."""
    process = await start("--headless", *words)
    said, _ = await asyncio.wait_for(process.communicate(), 540)
    text = said.decode()
    last = text.strip().splitlines()[-1]
    assert last.startswith("{"), text[-3000:]
    return process.returncode, json.loads(last), text


def check_books(code: int | None, figures: Mapping[str, Any], said: str) -> None:
    assert code == 0, said[-3000:]
    assert figures["arrived"] == figures["left_in_menu"] + figures["transferred"] + figures["offered"] > 0
    assert figures["offered"] == sum(figures[name] for name in (*QUEUED_OUTCOMES, "waiting"))
    assert figures["tickets"] == figures["offered"]
    kept = figures["callbacks"]["kept"]
    assert figures["recordings"] == figures["answered"] + figures["voicemail"] + kept
    assert figures["callback"] == sum(figures["callbacks"][how] for how in CALLBACK_ENDS)
    assert [figures[name] for name in ("lost", "waiting", "duplicates", "notifications")] == [0, 0, 0, 0]
    assert sum(tier["offered"] for tier in figures["by_tier"].values()) == figures["offered"]
    assert sum(tier["answered"] for tier in figures["by_tier"].values()) == figures["answered"] + kept


async def test_a_calm_replay_of_a_call_log(tmp_path: Path) -> None:
    log = tmp_path / "calls.csv"
    rows = ["36000,residential,general,60,", "36004,key_customer,key,45,", "36007,residential,outage,30,400"]
    rows += [
        f"{36010 + 9 * n},{'key_customer' if n % 3 else 'residential'},general,40,300" for n in range(18)
    ]
    log.write_text("arrived_s,tier,queue,handling_s,patience_s\n" + "\n".join(rows) + "\n", "utf-8")
    code, figures, said = await play("--calls", str(log), "--speed", "40", "--seed", "3", "--agents", "4")
    check_books(code, figures, said)
    assert figures["arrived"] == len(rows)
    assert figures["answered"] > 0


async def test_a_stormy_hour_with_every_process_killed_once() -> None:
    words = ("--for", "16", "--speed", "30", "--seed", "5", "--agents", "6", "--faults")
    code, figures, said = await play(*words, "--kill", "dispatcher,scribe,worker,web")
    check_books(code, figures, said)
    for name in ("dispatcher", "scribe", "worker", "web"):
        assert f"killed {name}" in said
    assert min(figures["callbacks"]["asked"], figures["put_through"], figures["held"]) > 0


in_full = pytest.mark.skipif(
    "SHOUWEN_EVERY_DEMO" not in os.environ, reason="SHOUWEN_EVERY_DEMO=1 plays these, too"
)


@pytest.mark.parametrize(
    "site", ["gas", pytest.param("heat", marks=in_full), pytest.param("retail", marks=in_full)]
)
async def test_each_hotline_has_people_and_errands_of_its_own(site: str) -> None:
    words = ("--for", "6", "--speed", "50", "--seed", "4", "--agents", "6")
    code, figures, said = await play("--site", site, *words)
    check_books(code, figures, said)
    assert figures["answered"] > 0
    assert len(figures["by_tier"]) > 1


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
async def test_ctrl_c_leaves_nothing_running(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    process = await start("--keep", str(folder), "--port", "0")
    try:
        assert process.stdout is not None
        said = b""
        async with asyncio.timeout(360):
            while b"Ctrl-C" not in (line := await process.stdout.readline()):
                assert line, "the demo ended by itself"
                said += line
        await explains(said.decode())
        assert len(living(folder)) >= 7  # five processes of ours, the launcher's own and the stand-in
    finally:
        process.send_signal(signal.SIGINT)
        said, _ = await asyncio.wait_for(process.communicate(), 240)
    assert process.returncode == 0
    assert "asked to be called back" in said.decode()
    assert living(folder) == []


async def explains(said: str) -> None:
    """The line to paste finds this demo's own state, wherever it is pasted."""
    (line,) = [line for line in said.splitlines() if line.endswith("explain CALL)")]
    shell = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", line.replace("CALL)", "CALL --language en)")),
        env={},
        cwd="/",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await asyncio.wait_for(shell.communicate(), 60)
    assert "No call CALL is known here" in told.decode()


def living(folder: Path) -> list[int]:
    """Processes that were told of this demo's folder, in their environment or on their command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in told and int(process.name) != os.getpid():
            found.append(int(process.name))
    return found


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--calls", "nowhere.csv"), "--calls: there is no file nowhere.csv"),
        (("--kill", "postman"), "'postman' is not one of dispatcher, scribe, worker, web"),
        (("--hours", "12-10"), "argument --hours"),
        (("--day", "1999-08-02"), "name it with --calls"),
        (("--site", "atlantis"), "atlantis"),
    ],
)
async def test_a_wrong_word_is_named(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: object = await demo.main(words)
    except SystemExit as refused:
        code = refused.code
    printed = capsys.readouterr()
    assert code != 0
    assert told in f"{printed.out}{printed.err}{code}"
