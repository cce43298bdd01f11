"""Readers of call logs: what a hotline wrote down about its callers, as values a demo can replay.

Two formats are understood, plain or gzipped, told apart by their heading:

* the bank's log (`vru_line, call_id, customer_id, priority, type, date, vru_entry, ...`), a row per call;
* a plain table `arrived_s,tier,queue,handling_s,patience_s`, seconds from midnight of the first day; it may also
  have `call,matter,locale`: the call's id, what it is about, and the caller's language.

What must hold:

* PHANTOM rows are not calls and are left out.
* The outcome column decides. A row that hung up has no service, whatever its service columns say; one that
  hung up without ever entering the queue left in the menu.
* Patience is known only for those who ran out of it: it is the real wait of a hang-up in the queue. For the
  others `patience_s` is None and `wait_s` is a lower bound (censored).
* Service times of the bank's log are cleaned (a plain table is believed): an answered call with less than one
  second or more than one hour of service (clock faults, agents who forgot to close the call) gets the median of
  the sound service times of its type, or of all types where its own has none. Negative menu times
  become 0. Nothing else is altered.
* A file that cannot be read completely is refused, with file, line and every fault (at most twenty),
  before a call is dialled.
"""

import csv
import gzip
import io
import re
import statistics
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

BANK_COLUMNS = (
    *("customer_id", "priority", "type", "date", "outcome"),
    *("vru_entry", "vru_time", "q_start", "q_time", "ser_time"),
)
PLAIN_COLUMNS = ("arrived_s", "tier", "queue", "handling_s", "patience_s")
SERVICE_S_MIN, SERVICE_S_MAX = 1, 3600
FAULTS_MAX = 20
DAY_S = 24 * 3600
SECONDS_MAX = 1000 * 366 * DAY_S
GZIP_MAGIC = b"\x1f\x8b"

Outcome = Literal["answered", "abandoned", "left_in_menu", "unknown"]


class CallLogError(ValueError):
    """The call log cannot be used; every fault is named with its file and line."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One call as the log tells it.

    `customer_key` is empty where the caller was not identified; `priority` and `type` are the bank's words,
    `tier` and `queue` those of a plain table, None where the format has no such column; so are `call_id`, `matter` and
    `locale`, empty where the table does not tell.
    """

    day: str
    at_ms_of_day: int
    customer_key: str
    priority: int
    type: str
    tier: str | None
    queue: str | None
    menu_s: int
    wait_s: int
    outcome: Outcome
    service_s: float | None
    patience_s: float | None
    call_id: str = ""
    matter: str = ""
    locale: str = ""


Check = Callable[[LoggedCall], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Hours:
    """A part of the day, half open: `10-12` is 10:00 to 12:00, and a call at 12:00:00 is not in it."""

    from_s: int
    to_s: int

    def __contains__(self, second_of_day: int) -> bool:
        return self.from_s <= second_of_day < self.to_s


def parse_hours(text: str) -> Hours:
    """Read `10-12`, `9:30-10` or `0-24`; ValueError with the text where it is none of these."""
    match = re.fullmatch(r"(\d{1,2})(?::(\d{2}))?-(\d{1,2})(?::(\d{2}))?", text.strip())
    if match is None:
        raise ValueError(f"hours {text!r}: write them like 10-12 or 9:30-11")
    from_hour, from_minute, to_hour, to_minute = (int(part or 0) for part in match.groups())
    if max(from_minute, to_minute) > 59:
        raise ValueError(f"hours {text!r}: minutes go up to 59")
    hours = Hours(from_hour * 3600 + from_minute * 60, to_hour * 3600 + to_minute * 60)
    if not 0 <= hours.from_s < hours.to_s <= DAY_S:
        raise ValueError(f"hours {text!r}: the end must come after the start, within one day")
    return hours


def read_calls(
    path: Path, *, day: str | None = None, hours: Hours | None = None, check: Check | None = None
) -> tuple[LoggedCall, ...]:
    """The calls of `day` (as `day_name` tells it) that entered within `hours`, by time of arrival; all without them.

    What `check` finds wrong with one of them is told with its line, among the lines that cannot be read. Service times
    are cleaned with the medians of the whole file: a call reads the same under every filter.
    """

    def is_chosen(call: LoggedCall) -> bool:
        is_of_day = day is None or day in (call.day, day_name(call.day))
        return is_of_day and (hours is None or call.at_ms_of_day // 1000 in hours)

    def faults_of(call: LoggedCall) -> Sequence[str]:
        return check(call) if check is not None and is_chosen(call) else ()

    calls = _clean_services(_parse(path, text_of(path), faults_of))
    return tuple(sorted(filter(is_chosen, calls), key=lambda call: (call.day, call.at_ms_of_day)))


def days_of(calls: Sequence[LoggedCall]) -> tuple[str, ...]:
    """The days that occur, in order: what a command can offer when the wished one is not among them."""
    return tuple(sorted({call.day for call in calls}))


def day_name(day: str) -> str:
    """The day as its log tells it: a date, or in a plain table, which knows no date, a number from 1."""
    number = _number_of(day)
    return day if number is None else str(number)


def arrival_of(call: LoggedCall) -> str:
    """When it came, in the words of its log, so that it is found there."""
    number = _number_of(call.day)
    if number is None:
        return f"{call.day} {timedelta(seconds=call.at_ms_of_day // 1000)!s:0>8}"
    seconds, ms = divmod((number - 1) * DAY_S * 1000 + call.at_ms_of_day, 1000)
    return f"arrived_s {seconds}" + (f".{ms:03}".rstrip("0") if ms else "")


def text_of(path: Path) -> str:
    """A file of text, plain or gzipped, whatever it is called; CallLogError where it is none."""
    try:
        content = path.read_bytes()
        if content.startswith(GZIP_MAGIC):
            content = gzip.decompress(content)
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise CallLogError([f"{path}: cannot be read: it is not UTF-8 text"]) from fault
    except OSError as fault:
        raise CallLogError([f"{path}: cannot be read: {fault.strerror or fault}"]) from fault
    except (EOFError, zlib.error) as fault:
        raise CallLogError([f"{path}: cannot be read: the compressed file is cut off or damaged"]) from fault


def _number_of(day: str) -> int | None:
    """Which day of a plain table it is; none of a log with dates."""
    number = date.fromisoformat(day).toordinal()
    return number if number <= SECONDS_MAX // DAY_S else None


def _parse(path: Path, text: str, check: Check) -> list[LoggedCall]:
    rows = csv.reader(io.StringIO(text, newline=""))
    heading = [column.strip() for column in next(rows, [])]
    read_row = _row_reader(path, heading)
    calls: list[LoggedCall] = []
    faults: list[str] = []
    try:
        for row in filter(None, rows):
            try:
                call = read_row(_named(heading, row))
                if call is not None:
                    calls.append(call)
                    faults += (f"{path}:{rows.line_num}: {fault}" for fault in check(call))
            except ValueError as fault:
                faults.append(f"{path}:{rows.line_num}: {fault}")
            if len(faults) >= FAULTS_MAX:
                break
    except csv.Error as fault:
        faults.append(f"{path}:{rows.line_num}: {fault}")
    if faults:
        raise CallLogError(faults)
    return calls


def _row_reader(path: Path, heading: list[str]) -> Callable[[dict[str, str]], LoggedCall | None]:
    if set(BANK_COLUMNS) <= set(heading):
        return _bank_call
    if set(PLAIN_COLUMNS) <= set(heading):
        return _plain_call
    raise CallLogError([f"{path}:1: neither the bank's columns nor {','.join(PLAIN_COLUMNS)}"])


def _named(heading: list[str], row: list[str]) -> dict[str, str]:
    if len(row) != len(heading):
        raise ValueError(f"{len(row)} fields where the heading has {len(heading)}")
    return dict(zip(heading, (field.strip() for field in row), strict=True))


def _bank_call(row: dict[str, str]) -> LoggedCall | None:
    outcome_word = row["outcome"]
    if outcome_word == "PHANTOM":
        return None
    if outcome_word not in ("AGENT", "HANG"):
        raise ValueError(f"outcome {outcome_word!r} is not AGENT, HANG or PHANTOM")
    has_queued = row["q_start"] != "00:00:00"
    wait_s = max(0, _whole("q_time", row["q_time"]))
    service_s = _whole("ser_time", row["ser_time"])
    outcome: Outcome = "abandoned" if has_queued else "left_in_menu"
    if outcome_word == "AGENT":
        outcome = "answered"
    return LoggedCall(
        day=_day(row["date"]),
        at_ms_of_day=_second_of_day("vru_entry", row["vru_entry"]) * 1000,
        customer_key="" if row["customer_id"] == "0" else row["customer_id"],
        priority=_whole("priority", row["priority"]),
        type=row["type"],
        tier=None,
        queue=None,
        menu_s=max(0, _whole("vru_time", row["vru_time"])),
        wait_s=wait_s,
        outcome=outcome,
        service_s=service_s if outcome == "answered" else None,
        patience_s=wait_s if outcome == "abandoned" else None,
    )


def _plain_call(row: dict[str, str]) -> LoggedCall:
    days, ms_of_day = divmod(round(_seconds("arrived_s", row["arrived_s"]) * 1000), DAY_S * 1000)
    return LoggedCall(
        day=date.fromordinal(1 + days).isoformat(),
        at_ms_of_day=ms_of_day,
        customer_key="",
        priority=0,
        type="",
        tier=row["tier"] or None,
        queue=row["queue"] or None,
        menu_s=0,
        wait_s=0,
        outcome="unknown",
        service_s=_seconds("handling_s", row["handling_s"]) if row["handling_s"] else 0,
        patience_s=_seconds("patience_s", row["patience_s"]) if row["patience_s"] else None,
        call_id=row.get("call", ""),
        matter=row.get("matter", ""),
        locale=row.get("locale", ""),
    )


def _clean_services(calls: list[LoggedCall]) -> list[LoggedCall]:
    sound: dict[str, list[float]] = {}
    for call in calls:
        if _is_sound(call):
            sound.setdefault(_kind(call), []).append(call.service_s or 0)
    medians = {kind: round(statistics.median(times)) for kind, times in sound.items()}
    all_times = [time_s for times in sound.values() for time_s in times]
    overall = round(statistics.median(all_times)) if all_times else SERVICE_S_MIN
    return [
        call
        if call.outcome != "answered" or _is_sound(call)
        else replace(call, service_s=medians.get(_kind(call), overall))
        for call in calls
    ]


def _is_sound(call: LoggedCall) -> bool:
    return call.service_s is not None and SERVICE_S_MIN <= call.service_s <= SERVICE_S_MAX


def _kind(call: LoggedCall) -> str:
    return call.queue or call.type


def _whole(column: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{column} {text!r} is not a whole number") from None


def _seconds(column: str, text: str) -> float:
    """Seconds with or without a fraction, as a simulation or a spreadsheet writes them."""
    try:
        seconds = float(text)
    except ValueError:
        raise ValueError(f"{column} {text!r} is not a number of seconds") from None
    if not 0 <= seconds < SECONDS_MAX:
        raise ValueError(f"{column} {text} is {'negative' if seconds < 0 else 'not a time'}")
    return seconds


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f"date {text!r} is not YYYY-MM-DD") from None


def _second_of_day(column: str, text: str) -> int:
    match = re.fullmatch(r"(\d{2}):(\d{2}):(\d{2})", text)
    if match is None:
        raise ValueError(f"{column} {text!r} is not HH:MM:SS")
    hour, minute, second = (int(part) for part in match.groups())
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(f"{column} {text!r} is not a time of day")
    return hour * 3600 + minute * 60 + second
