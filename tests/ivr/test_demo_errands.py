"""The demo's people and errands: read off any site, placed by its own rules, and led where they meant to go."""

import random
from functools import cache
from pathlib import Path

import pytest

from config import site_files
from ivr.demo_cast import cast_customers, cast_seats
from ivr.demo_errands import Hotline, caller_of, errands, keys_to, replay_tables, some_accounts, ways_of
from ivr.domain.menus import load_menu
from ivr.standin.scenario import Errand
from queues.domain.attributes import read_value
from queues.domain.customers import Customer
from queues.domain.plan import load_plan
from tests.doubles import MONDAY_0900_MS

SITES = Path(__file__).parents[2] / "config" / "sites"
NAMES = ("gas", "heat", "power", "retail")
SUNDAY_0300_MS = MONDAY_0900_MS - 30 * 3_600_000


@cache
def cast(name: str) -> tuple[Hotline, tuple[Customer, ...]]:
    files = site_files.read(SITES / name)
    plan = load_plan(files)
    rng = random.Random(1)
    customers = cast_customers(plan, 300, rng, ["agent01", "agent02"])
    accounts = some_accounts(customers, rng)
    return Hotline(
        plan=plan, menu=load_menu(files, plan), now_ms=MONDAY_0900_MS, accounts=accounts
    ), customers


@pytest.mark.parametrize("name", NAMES)
def test_every_tier_has_customers_whose_files_the_site_would_take(name: str) -> None:
    hotline, customers = cast(name)
    plan = hotline.plan
    assert {customer.tier for customer in customers} == set(plan.tiers)
    assert {customer.area for customer in customers} == set(plan.areas)
    assert {customer.locale for customer in customers} == set(plan.languages)
    assert any(customer.is_care for customer in customers)
    for customer in customers:
        assert set(customer.attributes) == set(plan.attributes)
        assert bool(customer.managers) == (customer.tier in plan.managed)
        for attribute, value in customer.attributes.items():
            assert read_value(plan.attributes[attribute], value) == value


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_people(name: str) -> None:
    plan = cast(name)[0].plan
    assert cast_customers(plan, 50, random.Random(7)) == cast_customers(plan, 50, random.Random(7))


@pytest.mark.parametrize("name", NAMES)
def test_any_three_seats_can_take_any_call_of_the_site(name: str) -> None:
    plan = cast(name)[0].plan
    seats = cast_seats(plan, 9, random.Random(1), one_pool=False)
    for start in range(7):
        for queue in plan.queues:
            for locale in plan.languages:
                needs = set(plan.needs(queue, locale))
                assert any(needs <= set(seat.skills) for seat in seats[start : start + 3]), (queue, locale)


@pytest.mark.parametrize("name", NAMES)
def test_errands_reach_every_matter_that_callers_can_choose(name: str) -> None:
    hotline, customers = cast(name)
    lines = {line: f"+86571888800{place:02d}" for place, line in enumerate(hotline.plan.lines)}
    made = [Errand.model_validate(errand) for errand in errands(hotline, customers, lines)]
    assert {errand.matter for errand in made} >= set(hotline.plan.matters)
    assert {errand.tier for errand in made} == {"", *hotline.plan.tiers}
    assert {errand.to for errand in made} == set(lines.values())
    assert sum(errand.weight for errand in made) == pytest.approx(1000, rel=0.01)
    keys = [key for errand in made for key in errand.keys]
    assert any(key.endswith("#") and len(key) > 6 for key in keys), "somebody keys in a number"
    assert any(key and not set(key) <= set("0123456789*#") for key in keys), "somebody speaks"


@pytest.mark.parametrize("name", NAMES)
def test_out_of_hours_there_are_errands_too(name: str) -> None:
    hotline, customers = cast(name)
    night = Hotline(plan=hotline.plan, menu=hotline.menu, now_ms=SUNDAY_0300_MS, accounts=hotline.accounts)
    for line in hotline.plan.lines:
        assert ways_of(night, caller_of(hotline.plan, customers, "", line))


def test_the_banks_log_is_understood_by_each_hotline() -> None:
    hotline, customers = cast("power")
    tables = replay_tables(hotline, customers, "main")
    assert tables.tiers == {0: "residential", 1: "business", 2: "key_customer"}
    assert {kind: tables.keys["residential"][kind] for kind in ("TT", "PS", "NW", "NE", "*")} == {
        "TT": ("1", ""),
        "PS": ("2",),
        "NW": ("3",),
        "NE": ("5", "1"),
        "*": ("0",),
    }
    assert tables.keys["key_customer"]["*"] == ("",), "who holds is put through"
    for name in NAMES:
        hotline, customers = cast(name)
        tables = replay_tables(hotline, customers, next(iter(hotline.plan.lines)))
        assert set(tables.tiers.values()) <= set(hotline.plan.tiers)
        assert set(tables.keys) == {*hotline.plan.tiers, "*"}


def test_nobody_cries_danger_to_reach_a_queue() -> None:
    hotline, customers = cast("gas")
    keys = keys_to(ways_of(hotline, caller_of(hotline.plan, customers, "residential", "main")))
    assert keys["emergency"] == ("1",), "it is the name of the matter as well"
    assert "repair" in keys
    assert keys["repair"][:2] == ("", "2")
