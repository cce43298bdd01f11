"""A plan is read whole or not at all, and whoever wrote it is told every fault with its place."""

from pathlib import Path

import pytest

from config import site_files
from queues.domain.faults import SiteFaults
from queues.domain.plan import load_plan
from tests.ivr.site import line_of, power, site


def faults(directory: Path, *changes: tuple[str, str, str]) -> list[str]:
    with pytest.raises(SiteFaults) as caught:
        load_plan(site(directory, *changes))
    return [str(fault) for fault in caught.value.faults]


def test_the_power_hotline_serves_key_customers_sooner_and_danger_first() -> None:
    plan, _ = power()
    assert (plan.site, plan.provider_queue, plan.default_locale) == ("power", "power", "zh-CN")
    assert list(plan.tiers) == ["high_risk", "key_customer", "special_care", "business", "residential"]
    assert [tier.rank for tier in plan.tiers.values()] == [0, 1, 2, 3, 4]
    assert plan.head_start_ms("residential", "power_cut") == 120_000
    assert plan.head_start_ms("key_customer", "power_cut") == 420_000
    assert plan.head_start_ms("high_risk", "key_power_cut") == 540_000 < plan.head_start_cap_ms
    assert [matter.id for matter in plan.matters.values() if matter.is_safety] == ["danger"]
    assert plan.needs("outage", "en-US") == ("outage", "english")
    assert plan.ticket_types["danger"].work_queue == "dispatch_urgent"
    assert (plan.ring_ms, plan.whisper_ms, plan.wrap_up_ms) == (15_000, 10_000, 30_000)


def test_the_version_is_that_of_the_files(tmp_path: Path) -> None:
    files = site(tmp_path)
    assert load_plan(files).version == files.version == site_files.read(tmp_path).version


def test_an_unknown_name_is_shown_with_its_line_and_the_nearest_right_one(tmp_path: Path) -> None:
    found = faults(tmp_path, ("queues", "needs: [general]", "needs: [genral]"), ("queues", "office", "offic"))
    calendar = f"queues.yaml:{line_of('queues', 'calendar')} queues.general.calendar:"
    needs = f"queues.yaml:{line_of('queues', 'needs')} queues.general.needs.0:"
    assert found == [
        f"{calendar} there is no calendar named 'offic'; did you mean 'office'?",
        f"{needs} there is no skill named 'genral'; did you mean 'general'?",
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ("customers", "head_start: 5m", "headstart: 5m"),
            "'headstart' is not known here; did you mean 'head_start'?",
        ),
        (("customers", "ceiling: 3m", "ceiling: 180"), "'180' is not a duration such as 15s, 2m or 1m30s"),
        (("customers", ", ceiling: 3m", ""), "'ceiling' is missing"),
        (("customers", "head_start: 5m", "head_start: 4m"), "lets 'key' pass 'ordinary' by 300s"),
        (("customers", "default: ordinary", "default: normal"), "there is no tier named 'normal'"),
        (("customers", "大客户, en: Key", "大客户"), "the text is missing in en"),
        (("queues", "ticket: enquiry", "ticket: enquiries"), "did you mean 'enquiry'?"),
        (("queues", "wait: {zh: 请稍候, en", "wait: {zh: 请稍候, fr"), "the text is missing in en"),
        (("tickets", "work_queue: desk", "work_queue: The Desk"), "'The Desk' is not a short name"),
        (("calendars", "08:30-17:30", "17:30-08:30"), "does not end after it begins"),
        (("calendars", "mon-fri", "mon-fry"), "'mon-fry' is not a day or a range of days"),
        (("site", "Asia/Shanghai", "Asia/Shangri-La"), "is not a time zone such as Asia/Shanghai"),
        (
            ("site", "  en-US: {language: en-US", "  en-GB: {language: en-GB"),
            "'en-US' has no entry under voices",
        ),
    ],
)
def test_a_fault_is_told_in_words(tmp_path: Path, change: tuple[str, str, str], told: str) -> None:
    found = faults(tmp_path, change)
    assert any(told in fault for fault in found), found
    assert all(fault.startswith(f"{change[0]}.yaml:") for fault in found), found


def test_every_fault_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        ("customers", "head_start: 5m", "head_start: soon"),
        ("queues", "matters:", "matter:"),
        ("tickets", "priority: 5", "priority: 0"),
    )
    assert [fault.partition(":")[0] for fault in found] == ["customers.yaml", "queues.yaml", "tickets.yaml"]
