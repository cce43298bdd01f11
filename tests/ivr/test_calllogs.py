"""Call logs: what the bank wrote down becomes calls to replay, and a bad file says where it is bad."""

import gzip
import os
from collections import Counter
from pathlib import Path

import pytest

from ivr.calllogs import (
    CallLogError,
    Hours,
    LoggedCall,
    arrival_of,
    day_name,
    days_of,
    parse_hours,
    read_calls,
)

HEADING = (
    "vru_line,call_id,customer_id,priority,type,date,vru_entry,vru_exit,vru_time,q_start,q_exit,q_time,"
    "outcome,ser_start,ser_exit,ser_time,server\n"
)
PLAIN_HEADING = "arrived_s,tier,queue,handling_s,patience_s\n"
ANSWERED = (
    "AA0101,1,771,2,PS,1999-08-02,10:00:00,10:00:06,6,10:00:06,10:00:46,40,AGENT,10:00:46,10:02:46,120,ANAT\n"
)
ABANDONED = (
    "AA0102,2,0,0,NW,1999-08-02,10:30:00,10:30:09,9,"
    "10:30:09,10:31:09,60,HANG,10:31:12,10:35:52,280,NO_SERVER\n"
)
MENU_HANG = (
    "AA0103,3,0,0,PS,1999-08-02,11:59:59,12:00:16,17,00:00:00,00:00:00,0,HANG,00:00:00,00:00:00,0,NO_SERVER\n"
)
PHANTOM = (
    "AA0104,4,0,0,PS,1999-08-02,11:00:00,11:00:05,5,"
    "11:00:05,11:02:21,136,PHANTOM,00:00:00,00:00:00,0,NO_SERVER\n"
)
FORGOTTEN = (
    "AA0105,5,772,1,PS,1999-08-02,11:10:00,11:10:06,6,00:00:00,00:00:00,0,AGENT,11:10:06,21:14:57,36291,AVI\n"
)
NO_SERVICE = (
    "AA0106,6,773,1,NE,1999-08-03,10:10:00,10:08:33,-87,00:00:00,00:00:00,0,AGENT,00:00:00,00:00:00,0,AVI\n"
)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def call(**changes: object) -> LoggedCall:
    facts: dict[str, object] = {
        "day": "1999-08-02",
        "at_ms_of_day": 36_000_000,
        "customer_key": "771",
        "priority": 2,
        "type": "PS",
        "tier": None,
        "queue": None,
        "menu_s": 6,
        "wait_s": 40,
        "outcome": "answered",
        "service_s": 120,
        "patience_s": None,
    } | changes
    return LoggedCall(**facts)  # type: ignore[arg-type]


def test_a_morning_of_the_bank_becomes_calls_with_patience_only_where_it_ran_out(tmp_path: Path) -> None:
    log = write(
        tmp_path / "calls.csv", HEADING + MENU_HANG + ANSWERED + PHANTOM + ABANDONED + FORGOTTEN + NO_SERVICE
    )
    assert read_calls(log, day="1999-08-02") == (
        call(),
        call(
            at_ms_of_day=37_800_000,
            customer_key="",
            priority=0,
            type="NW",
            menu_s=9,
            wait_s=60,
            outcome="abandoned",
            service_s=None,
            patience_s=60,
        ),
        call(at_ms_of_day=40_200_000, customer_key="772", priority=1, wait_s=0, service_s=120),
        call(
            at_ms_of_day=43_199_000,
            customer_key="",
            priority=0,
            menu_s=17,
            wait_s=0,
            outcome="left_in_menu",
            service_s=None,
        ),
    )


def test_hours_count_by_entry_and_leave_the_last_instant_out(tmp_path: Path) -> None:
    late = ANSWERED.replace("10:00:00", "12:00:00")
    log = write(tmp_path / "calls.csv", HEADING + ANSWERED + MENU_HANG + late)
    chosen = read_calls(log, hours=parse_hours("10-12"))
    assert [logged.at_ms_of_day for logged in chosen] == [36_000_000, 43_199_000]


def test_a_service_nobody_believes_is_the_median_of_its_type_or_of_all(tmp_path: Path) -> None:
    longer = ANSWERED.replace(",120,ANAT", ",200,ANAT")
    log = write(tmp_path / "calls.csv", HEADING + ANSWERED + longer + FORGOTTEN + NO_SERVICE)
    services = {logged.customer_key: (logged.service_s, logged.menu_s) for logged in read_calls(log)}
    assert services == {"771": (200, 6), "772": (160, 6), "773": (160, 0)}
    only_that_day = read_calls(log, day="1999-08-03")
    assert [logged.service_s for logged in only_that_day] == [160]
    assert days_of(read_calls(log)) == ("1999-08-02", "1999-08-03")


def test_gzip_is_told_by_content_not_by_name(tmp_path: Path) -> None:
    log = tmp_path / "calls.log"
    log.write_bytes(gzip.compress((HEADING + ANSWERED).encode()))
    assert read_calls(log) == (call(),)


def test_a_plain_table_gives_tier_queue_handling_and_patience(tmp_path: Path) -> None:
    table = "arrived_s,tier,queue,handling_s,patience_s\n"
    table += "90000,key_customer,q_key,180,45\n60,residential,q_general,30,\n"
    blank = {"customer_key": "", "priority": 0, "type": "", "menu_s": 0, "wait_s": 0, "outcome": "unknown"}
    assert read_calls(write(tmp_path / "plain.csv", table)) == (
        call(
            day="0001-01-01",
            at_ms_of_day=60_000,
            tier="residential",
            queue="q_general",
            service_s=30,
            **blank,
        ),
        call(
            day="0001-01-02",
            at_ms_of_day=3_600_000,
            tier="key_customer",
            queue="q_key",
            service_s=180,
            patience_s=45,
            **blank,
        ),
    )


def test_every_fault_is_told_with_file_and_line(tmp_path: Path) -> None:
    gone = ABANDONED.replace("HANG", "GONE")
    bad = HEADING + ANSWERED + ANSWERED.replace("10:00:00", "25:00:00") + "\n" + gone + "AA,1\n"
    log = write(tmp_path / "calls.csv", bad + ANSWERED.replace("1999-08-02", "2 Aug"))
    with pytest.raises(CallLogError) as refused:
        read_calls(log)
    assert refused.value.faults == (
        f"{log}:3: vru_entry '25:00:00' is not a time of day",
        f"{log}:5: outcome 'GONE' is not AGENT, HANG or PHANTOM",
        f"{log}:6: 2 fields where the heading has 17",
        f"{log}:7: date '2 Aug' is not YYYY-MM-DD",
    )


def test_a_file_that_is_no_call_log_is_refused(tmp_path: Path) -> None:
    other = write(tmp_path / "other.csv", "a,b\n1,2\n")
    with pytest.raises(CallLogError, match=r"other\.csv:1: neither the bank's columns nor arrived_s"):
        read_calls(other)
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(gzip.compress((HEADING + ANSWERED * 50).encode())[:60])
    with pytest.raises(CallLogError, match=r"cut\.csv\.gz: cannot be read"):
        read_calls(cut)
    with pytest.raises(CallLogError, match=r"absent\.csv: cannot be read: No such file or directory$"):
        read_calls(tmp_path / "absent.csv")
    (tmp_path / "old.csv").write_bytes("到达".encode("gb18030"))
    with pytest.raises(CallLogError, match=r"old\.csv: cannot be read: it is not UTF-8 text$"):
        read_calls(tmp_path / "old.csv")


def test_a_call_is_named_as_its_log_names_it(tmp_path: Path) -> None:
    bank = read_calls(write(tmp_path / "bank.csv", HEADING + NO_SERVICE + MENU_HANG))
    plain = read_calls(write(tmp_path / "plain.csv", f"{PLAIN_HEADING}90000.5,,,60,\n7,,,60,\n"))
    assert [arrival_of(each) for each in bank] == ["1999-08-02 11:59:59", "1999-08-03 10:10:00"]
    assert [arrival_of(each) for each in plain] == ["arrived_s 7", "arrived_s 90000.5"]
    assert [day_name(each.day) for each in (*bank, *plain)] == ["1999-08-02", "1999-08-03", "1", "2"]


@pytest.mark.parametrize(
    ("text", "hours"),
    [("10-12", Hours(36000, 43200)), ("9:30-10", Hours(34200, 36000)), ("0-24", Hours(0, 86400))],
)
def test_hours_are_read(text: str, hours: Hours) -> None:
    assert parse_hours(text) == hours


@pytest.mark.parametrize("text", ["12-10", "10", "8-25", "10:75-12", "ten-twelve", "10-10"])
def test_hours_that_mean_nothing_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="hours"):
        parse_hours(text)


def test_the_real_log_reads_completely() -> None:
    path = os.environ.get("SHOUWEN_BANK_CALLS")
    if not path:
        pytest.skip("SHOUWEN_BANK_CALLS does not name the bank's call log")
    calls = read_calls(Path(path))
    assert Counter(logged.outcome for logged in calls) == {
        "answered": 21035,
        "abandoned": 6409,
        "left_in_menu": 2455,
    }
    services = [logged.service_s for logged in calls if logged.outcome == "answered"]
    assert all(service is not None and 1 <= service <= 3600 for service in services)
    morning = read_calls(Path(path), day="1999-08-02", hours=parse_hours("10-12"))
    assert Counter(logged.priority for logged in morning) == {2: 206, 1: 113, 0: 83}
