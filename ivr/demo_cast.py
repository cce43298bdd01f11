"""The people of the demo: customers, agents and the staff who sign in. All invented; the same for the same seed."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林高罗"
GIVEN = (
    "伟",
    "敏",
    "静",
    "磊",
    "洋",
    "艳",
    "勇",
    "娟",
    "涛",
    "明",
    "秀英",
    "建国",
    "海燕",
    "志强",
    "晓东",
    "雪梅",
)
PLACES = ("浙江", "临江", "东湖", "北岸", "青石", "白塔", "龙门", "新桥")
TRADES = ("华峰铸造", "恒达化纤", "永盛冷链", "瑞康医院", "天成数据", "金穗粮油", "宏图机械", "安澜水厂")
FORMS = ("有限公司", "股份有限公司", "集团", "厂")
SHOPS = ("便利店", "面馆", "印刷社", "五金店", "幼儿园", "修理厂")
AREAS = ("city", "rural", "remote")
# Share of each class of customer among a hundred.
TIERS = (("high_risk", 3), ("key_customer", 12), ("business", 25), ("residential", 60))
SKILLS = ("general", "outage", "connection", "complaint", "english")
KEY_SKILL = "key_account"
STAFF = (("supervisor", "supervisor"), ("qa", "qa"), ("admin", "admin"))


@dataclass(frozen=True, kw_only=True)
class Customer:
    """One file of the customer register, with the numbers it calls from."""

    customer_id: str
    account_no: str
    name: str
    tier: str
    locale: str
    manager: str | None
    area: str
    numbers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Seat:
    """One agent: what he can do, and the account he signs in with."""

    agent_id: str
    name: str
    login: str
    skills: tuple[str, ...]
    is_played: bool  # by the demo; False leaves the seat to a person in a browser


def cast_customers(count: int, rng: random.Random) -> tuple[Customer, ...]:
    """`count` customers with the tiers in the shares above."""
    tiers = [tier for tier, share in TIERS for _ in range(share)]
    return tuple(cast_customer(number, tiers[number * 37 % len(tiers)], rng) for number in range(count))


def cast_customer(number: int, tier: str, rng: random.Random) -> Customer:
    """Customer `number` of the register, with one mobile number of its own."""
    is_key = tier in ("high_risk", "key_customer")
    return Customer(
        customer_id=f"C{number:05d}",
        account_no=f"{33_000_000 + number:010d}",
        name=name_of(tier, rng),
        tier=tier,
        locale="en-US" if not is_key and number % 20 == 7 else "zh-CN",
        manager=f"{rng.choice(SURNAMES)}{rng.choice(GIVEN)}" if is_key else None,
        area=rng.choice(AREAS),
        numbers=(f"+861390{number:07d}",),
    )


def name_of(tier: str, rng: random.Random) -> str:
    """A name as it would stand on the bill of a customer of that class."""
    if tier in ("high_risk", "key_customer"):
        return f"{rng.choice(PLACES)}{rng.choice(TRADES)}{rng.choice(FORMS)}"
    person = f"{rng.choice(SURNAMES)}{rng.choice(GIVEN)}"
    return f"{person}{rng.choice(SHOPS)}" if tier == "business" else person


def cast_seats(count: int, rng: random.Random, *, one_pool: bool, for_people: int = 0) -> tuple[Seat, ...]:
    """`count` seats, the first `for_people` of them left to people in browsers.

    `one_pool` gives everybody every skill, as in a hotline that has one kind of agent; else skills are dealt.
    """
    return tuple(
        Seat(
            agent_id=f"agent{number + 1:02d}",
            name=f"{rng.choice(SURNAMES)}{rng.choice(GIVEN)}",
            login=f"agent{number + 1:02d}",
            skills=tuple(sorted({*SKILLS, KEY_SKILL})) if one_pool else skills_of(number),
            is_played=number >= for_people,
        )
        for number in range(count)
    )


def skills_of(number: int) -> tuple[str, ...]:
    """Skills by seat: dealt so that with any six seats every queue has somebody."""
    skills: Sequence[str] = SKILLS if number % 3 != 2 else ("general", "outage", "english")
    return tuple(sorted({*skills, *((KEY_SKILL,) if number % 3 == 0 else ())}))


# What the callers of the power site press. In a replayed log the bank's types become matters of the site.
BANK_TIERS = {0: "residential", 1: "business", 2: "key_customer"}
ORDINARY_KEYS: Mapping[str, Sequence[str]] = {
    "PS": ("2",), "NW": ("3",), "IN": ("0",), "NE": ("5", "1"), "PE": ("9", "0"), "TT": ("1", "2"),
    "general": ("2",), "outage": ("1", "2"), "connection": ("3",), "complaint": ("5", "1"), "key": ("6",), "*": ("0",),
}  # fmt: skip
KEY_CUSTOMER_KEYS: Mapping[str, Sequence[str]] = {
    "PS": ("3",), "NW": ("2",), "IN": ("0",), "NE": ("4",), "PE": ("0",), "TT": ("1", ""),
    "general": ("3",), "outage": ("1", ""), "connection": ("2",), "complaint": ("4",), "key": ("0",), "*": ("0",),
}  # fmt: skip
KEYS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "high_risk": KEY_CUSTOMER_KEYS,
    "key_customer": KEY_CUSTOMER_KEYS,
    "*": ORDINARY_KEYS,
}
# (share, tier, or "" for a number nobody knows, matter): the errands of a seeded day.
ERRANDS = (
    (22, "residential", "outage"), (16, "residential", "general"), (6, "residential", "complaint"), (8, "", "general"),
    (6, "", "outage"), (9, "business", "connection"), (8, "business", "general"), (5, "residential", "connection"),
    (6, "key_customer", "key"), (5, "key_customer", "outage"), (4, "key_customer", "general"),
    (3, "high_risk", "outage"), (2, "high_risk", "key"),
)  # fmt: skip
TALK_MEAN_MS, PATIENCE_MEAN_MS = 100_000, 180_000


def errands(to: str) -> list[dict[str, Any]]:
    """The seeded day's errands, all dialling `to`."""
    return [
        {
            "weight": weight,
            "tier": tier,
            "matter": matter,
            "to": to,
            "keys": list(KEYS.get(tier, ORDINARY_KEYS)[matter]),
            "talk_mean_ms": TALK_MEAN_MS,
            "patience_mean_ms": PATIENCE_MEAN_MS,
        }
        for weight, tier, matter in ERRANDS
    ]
