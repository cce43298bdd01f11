"""The people of the demo: customers, agents and the staff who sign in. All invented; the same for the same seed.

Who they are follows from the site: its tiers and their rules, its areas, languages and skills.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ivr.demo_files import bands_of, values_for
from queues.domain.customers import Customer
from queues.domain.plan import Plan
from queues.domain.tiers import first_band, standing_of

SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林高罗"
GIVEN = (
    *("伟", "敏", "静", "磊", "洋", "艳", "勇", "娟", "涛", "明"),
    *("秀英", "建国", "海燕", "志强", "晓东", "雪梅"),
)
PLACES = ("浙江", "临江", "东湖", "北岸", "青石", "白塔", "龙门", "新桥")
TRADES = ("华峰铸造", "恒达化纤", "永盛冷链", "瑞康医院", "天成数据", "金穗粮油", "宏图机械", "安澜水厂")
FORMS = ("有限公司", "股份有限公司", "集团", "厂")
SHOPS = ("便利店", "面馆", "印刷社", "五金店", "幼儿园", "修理厂")
STAFF = (("supervisor", "supervisor"), ("qa", "qa"), ("admin", "admin"))
DEFAULT_SHARE: Final = 0.6  # of customers who are in the default tier; the others are the rarer the higher
OTHER_LANGUAGE_EVERY: Final = 20


@dataclass(frozen=True, kw_only=True)
class Seat:
    """One agent: what he can do, and the account he signs in with."""

    agent_id: str
    name: str
    login: str
    skills: tuple[str, ...]
    is_played: bool  # by the demo; False leaves the seat to a person in a browser


def cast_customers(
    plan: Plan, count: int, rng: random.Random, managers: Sequence[str] = ()
) -> tuple[Customer, ...]:
    """`count` files as an import would leave them: tier, band, class code and care are the site's own doing."""
    tiers = _tiers_of(plan, count, rng)
    values = {f"C{number:05d}": values_for(plan, tier, rng) for number, tier in enumerate(tiers)}
    bands = bands_of(plan, values)
    return tuple(
        _cast_customer(plan, number, name, values[name], bands.get(name, first_band(plan)), rng, managers)
        for number, name in enumerate(values)
    )


def _tiers_of(plan: Plan, count: int, rng: random.Random) -> list[str]:
    """A tier for each: most in the default one, at least one in every tier if there is room."""
    others = [tier for tier in plan.tiers if tier != plan.default_tier]
    weights = [DEFAULT_SHARE, *(_share(place, len(others)) for place in range(len(others)))]
    drawn = rng.choices([plan.default_tier, *others], weights, k=count)
    return [*plan.tiers, *drawn][:count]


def _share(place: int, count: int) -> float:
    return (1 - DEFAULT_SHARE) * (place + 1) / (count * (count + 1) / 2)


def _cast_customer(
    plan: Plan,
    number: int,
    customer_id: str,
    values: dict[str, str],
    band: str,
    rng: random.Random,
    managers: Sequence[str],
) -> Customer:
    """Customer `number` of the register, with one mobile number of its own."""
    standing = standing_of(plan, values, None, band if plan.ranking else "")
    others = plan.languages[1:]
    speaks_other = others and number % OTHER_LANGUAGE_EVERY == 7
    has_manager = standing.tier in plan.managed and managers
    return Customer(
        customer_id=customer_id,
        account_no=f"{33_000_000 + number:010d}",
        name=_name_of(plan, standing.tier, rng),
        locale=others[number // OTHER_LANGUAGE_EVERY % len(others)] if speaks_other else plan.default_locale,
        area=rng.choice([*plan.areas]) if plan.areas else "",
        attributes=values,
        numbers=(f"+861390{number:07d}",),
        managers=(rng.choice(managers),) if has_manager else (),
        tier=standing.tier,
        band=standing.band,
        class_code=standing.class_code,
        is_care=standing.is_care,
    )


def _name_of(plan: Plan, tier: str, rng: random.Random) -> str:
    """A name as it would stand on the bill: firms where somebody looks after them, shops where all are managed."""
    person = f"{rng.choice(SURNAMES)}{rng.choice(GIVEN)}"
    if plan.default_tier in plan.managed:
        return f"{person}{rng.choice(SHOPS)}"
    return f"{rng.choice(PLACES)}{rng.choice(TRADES)}{rng.choice(FORMS)}" if tier in plan.managed else person


def cast_seats(
    plan: Plan, count: int, rng: random.Random, *, one_pool: bool, for_people: int = 0
) -> tuple[Seat, ...]:
    """`count` seats, the first `for_people` of them left to people in browsers.

    `one_pool` gives everybody every skill, as in a hotline that has one kind of agent; else skills are dealt.
    """
    return tuple(
        Seat(
            agent_id=f"agent{number + 1:02d}",
            name=f"{rng.choice(SURNAMES)}{rng.choice(GIVEN)}",
            login=f"agent{number + 1:02d}",
            skills=tuple(sorted(plan.every_skill)) if one_pool or count < 3 else _skills_of(plan, number),
            is_played=number >= for_people,
        )
        for number in range(count)
    )


def _skills_of(plan: Plan, number: int) -> tuple[str, ...]:
    """Every third skill is missing, in turn: of any three neighbours one has any two skills that a call asks for."""
    return tuple(sorted(skill for place, skill in enumerate(plan.every_skill) if (place + number) % 3))
