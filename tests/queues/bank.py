"""Three weeks of a bank's hotline as a journal: what the scripts would have written, had these callers rung here.

Queue = the log's type, tier = its priority, line = its voice unit. PHANTOM rows are no calls. Whoever hung up without
having entered the queue left in the menu. Menu, wait and service are taken as the log gives them, each from the end of
the one before, since its instants are rounded each for itself. Local times are the site's.
"""

import csv
import datetime as dt
import gzip
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from queues.domain.journal import Line


@dataclass(frozen=True, slots=True)
class BankCall:
    """One row; times in s. `wait_s` is None for who never came to the queue, `talk_s` for who was not answered."""

    call_id: str
    day: str
    arrived: dt.datetime  # local
    queue: str
    tier: str
    line: str
    server: str
    menu_s: int
    wait_s: int | None
    talk_s: int | None


def bank_calls(days: int) -> list[BankCall]:
    """Of the first so many days; the test is left out, saying so, where the log is not."""
    name = os.environ.get("SHOUWEN_BANK_CALLS")
    if not name:
        pytest.skip("SHOUWEN_BANK_CALLS does not name the bank's call log")
    with gzip.open(Path(name), "rt", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["outcome"] != "PHANTOM"]
    chosen = set(sorted({row["date"] for row in rows})[:days])
    return [_call(f"B{n}", row) for n, row in enumerate(rows) if row["date"] in chosen]


def _call(call_id: str, row: dict[str, str]) -> BankCall:
    is_answered = row["outcome"] == "AGENT"
    has_queued = is_answered or row["q_start"] != "00:00:00"
    return BankCall(
        call_id,
        row["date"],
        dt.datetime.fromisoformat(f"{row['date']}T{row['vru_entry']}"),
        row["type"].strip(),
        row["priority"],
        row["vru_line"],
        row["server"],
        max(0, int(row["vru_time"])),
        max(0, int(row["q_time"])) if has_queued else None,
        max(0, int(row["ser_time"])) if is_answered else None,
    )


def journal_of(calls: Sequence[BankCall], zone: str) -> list[Line]:
    told = sorted(
        (
            (at_ms, place, number, event)
            for number, call in enumerate(calls)
            for place, (at_ms, event) in enumerate(_events(call, zone))
        ),
        key=lambda each: each[:3],
    )
    lines, last_ms, seq = list[Line](), 0, 0
    for at_ms, _, number, (type_, data) in told:
        last_ms, seq = (at_ms, 0) if at_ms > last_ms else (last_ms, seq + 1)
        call = calls[number]
        agent_id = call.server if type_.startswith("agent.") or type_ == "call.connected" else ""
        offer_id = f"{call.call_id}-1" if type_ == "call.connected" else ""
        lines.append(
            Line(
                id=f"{last_ms}-{seq}",
                type=type_,
                at_ms=at_ms,
                call_id=call.call_id,
                agent_id=agent_id,
                offer_id=offer_id,
                data=data,
            )
        )
    return lines


def _events(call: BankCall, zone: str) -> Iterator[tuple[int, tuple[str, dict[str, Any]]]]:
    at_ms = round(call.arrived.replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)
    yield at_ms, ("call.arrived", {"line": call.line, "tier": call.tier, "locale": "zh-CN"})
    at_ms += call.menu_s * 1000
    outcome = "left_in_menu"
    if call.wait_s is not None:
        yield at_ms, ("call.queued", {"queue": call.queue, "tier": call.tier, "entered_ms": at_ms})
        at_ms, outcome = at_ms + call.wait_s * 1000, "abandoned"
    if call.talk_s is not None:
        yield at_ms, ("call.connected", {"queue": call.queue})
        at_ms, outcome = at_ms + call.talk_s * 1000, "answered"
    yield at_ms, ("call.ended", {"outcome": outcome, "by": "caller", "ended_ms": at_ms})
    if call.talk_s is not None:
        yield at_ms, ("agent.wrap_up_started", {})
        yield at_ms, ("agent.wrap_up_closed", {})
        yield at_ms, ("agent.presence_changed", {"presence": "signed_out"})
