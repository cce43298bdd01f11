"""A day of arrivals: the same from the same seed, shaped like a utility's day, or replayed from a log."""

import json
import random
from collections import Counter

import pytest

from ivr.standin.arrivals import UTILITY_HOURS, draw_patience_s, patience_curve, plan_calls, seeded_calls
from ivr.standin.scenario import HOUR_MS, Customer, Errand, PlannedCall, Profile, ScenarioError, read_scenario

HOTLINE, KEY_LINE = "+865718888", "+865718889"
CUSTOMERS = (
    Customer(name="华峰铸造", number="+8613900000001", tier="key_customer"),
    Customer(name="恒达化纤", number="+8613900000002", tier="key_customer"),
    Customer(name="李伟", number="+8613900000003", tier="residential"),
)


def logged(**facts: object) -> dict[str, object]:
    return {
        "day": "1999-08-02",
        "at_ms_of_day": 36_000_000,
        "customer_key": "",
        "priority": 0,
        "type": "PS",
        "tier": None,
        "queue": None,
        "menu_s": 6,
        "wait_s": 40,
        "outcome": "answered",
        "service_s": 120,
        "patience_s": None,
        **facts,
    }


def a_day(seed: int, **changes: object) -> tuple[PlannedCall, ...]:
    errands = (
        Errand(weight=3, tier="residential", matter="power_cut", to=HOTLINE, keys=("1", "2")),
        Errand(weight=1, tier="key_customer", matter="enquiry", to=KEY_LINE, keys=("0",)),
    )
    facts = {
        "calls_per_day": 4_000,
        "starts_at_ms_of_day": 0,
        "for_ms": 24 * HOUR_MS,
        "errands": errands,
    } | changes
    return seeded_calls(Profile.model_validate(facts), CUSTOMERS, random.Random(seed))


def test_the_same_seed_gives_the_same_day_and_another_seed_another() -> None:
    assert a_day(7) == a_day(7)
    assert a_day(7) != a_day(8)


def test_a_seeded_day_has_the_expected_number_of_calls_in_the_expected_hours() -> None:
    calls = a_day(7)
    assert abs(len(calls) - 4_000) < 4 * 4_000**0.5
    hours = Counter(call.at_ms // HOUR_MS for call in calls)
    expected = {hour: 4_000 * weight / sum(UTILITY_HOURS) for hour, weight in enumerate(UTILITY_HOURS)}
    assert all(abs(hours[hour] - mean) < 5 * mean**0.5 + 3 for hour, mean in expected.items())
    assert [call.at_ms for call in calls] == sorted(call.at_ms for call in calls)


def test_a_seeded_day_has_its_tiers_numbers_and_keys() -> None:
    calls = a_day(7)
    shares = Counter(call.tier for call in calls)
    assert 0.7 < shares["residential"] / len(calls) < 0.8
    assert {call.from_ for call in calls if call.tier == "key_customer"} == {
        "+8613900000001",
        "+8613900000002",
    }
    pressing = {(call.tier, call.keys) for call in calls if call.menu_ms is None}
    assert pressing == {("residential", ("1", "2")), ("key_customer", ("0",))}
    assert all(call.keys == () for call in calls if call.menu_ms is not None)


def test_logged_calls_become_todays_callers() -> None:
    rows = [
        logged(priority=2, customer_key="771"),
        logged(
            at_ms_of_day=36_060_000, type="NE", outcome="abandoned", service_s=None, patience_s=55, wait_s=55
        ),
        logged(at_ms_of_day=36_090_000, outcome="left_in_menu", menu_s=9, wait_s=0, service_s=None),
        logged(at_ms_of_day=36_120_000, priority=2, customer_key="771", type="NE"),
        logged(at_ms_of_day=36_180_000, priority=1, type="NW"),
    ]
    lines = {"key_customer": KEY_LINE, "*": HOTLINE}
    first, hang_up, left, again, stranger = plan_calls(
        rows, customers=CUSTOMERS, lines=lines, rng=random.Random(3)
    )
    assert (first.at_ms, first.to, first.tier, first.keys, first.talk_ms) == (
        0,
        KEY_LINE,
        "key_customer",
        ("0",),
        120_000,
    )
    assert (hang_up.at_ms, hang_up.patience_ms, hang_up.keys) == (60_000, 55_000, ("1", "2"))
    assert (hang_up.from_, hang_up.matter) == ("+8613900000003", "power_cut")
    assert (left.menu_ms, left.keys) == (9_000, ())
    assert (again.from_, again.keys) == (first.from_, ("1", ""))
    assert (stranger.tier, stranger.keys, stranger.from_[:6]) == ("business", ("3",), "+86139")
    assert stranger.from_ not in {customer.number for customer in CUSTOMERS}


def test_a_plain_table_brings_its_own_tiers_and_queues() -> None:
    rows = [logged(tier="high_risk", queue="complaint", type="", patience_s=30, outcome="unknown")]
    (call,) = plan_calls(rows, customers=(), lines={"*": HOTLINE}, rng=random.Random(3))
    assert (call.tier, call.matter, call.keys, call.patience_ms) == ("high_risk", "complaint", ("4",), 30_000)


def test_a_table_may_name_the_logs_own_types() -> None:
    keys = {"*": {"PS": ("7",), "power_cut": ("8", "2"), "*": ("9",)}}
    rows = [logged(type="PS"), logged(type="NE"), logged(type="NW")]
    calls = plan_calls(rows, customers=(), lines={"*": HOTLINE}, rng=random.Random(3), keys=keys)
    assert [call.keys for call in calls] == [("7",), ("8", "2"), ("9",)]


def test_patience_is_drawn_beyond_what_is_known() -> None:
    hang_ups = [logged(outcome="abandoned", patience_s=second, wait_s=second) for second in (10, 20, 40)]
    answered = [logged(wait_s=second) for second in (5, 30)]
    curve = patience_curve([*hang_ups, *answered, logged(outcome="left_in_menu", wait_s=0)])
    assert [(second, round(share, 3)) for second, share in curve] == [(10, 0.75), (20, 0.5), (40, 0.0)]
    drawn = Counter(draw_patience_s(curve, 15, random.Random(seed)) for seed in range(300))
    assert set(drawn) == {20, 40}
    assert 60 < drawn[20] < 140


def test_planned_calls_travel_through_the_scenario_file() -> None:
    calls = plan_calls([logged()], customers=CUSTOMERS, lines={"*": HOTLINE}, rng=random.Random(3))
    data = json.loads(json.dumps({"calls": [call.model_dump(by_alias=True) for call in calls]}))
    assert data["calls"][0]["from"] == "+8613900000003"
    assert read_scenario(data).calls == calls


def test_a_scenario_is_refused_with_every_fault_and_its_place() -> None:
    with pytest.raises(ScenarioError) as refused:
        read_scenario(
            {"calls": [{"from": "+861", "to": "+862", "keys": ["1x"]}, {"to": "+862"}], "weather": "fine"}
        )
    faults = str(refused.value).splitlines()
    assert [fault.split(":")[0] for fault in faults] == [
        "people.calls.0.keys.0",
        "people.calls.1.from",
        "people.weather",
    ]
