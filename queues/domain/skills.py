"""Skills: what an agent can do and what a call asks for, with levels where a site needs them.

A skill is a name, or a name and a level from 1 to 9: `outage:2`. A name alone is level 1. Whoever can do it at a
level can do it at every lower one.

An agent's list also says for whom his seat is dedicated, if it is: `@key_customer`. He takes calls of these tiers
alone. Agents with equal lists are one pool.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache
from typing import Final

LEVEL_MAX: Final = 9
MARK: Final = ":"
SEAT: Final = "@"


def name_of(skill: str) -> str:
    return skill.partition(MARK)[0]


def level_of(skill: str) -> int:
    """0 of a level that is none."""
    _, mark, level = skill.partition(MARK)
    if not mark:
        return 1
    return int(level) if level.isdecimal() and len(level) == 1 else 0


@cache
def skills_of(text: str) -> frozenset[str]:
    """All that an agent's skills, joined by commas, stand for: `outage:2` for outage, outage:1 and outage:2."""
    found = (skill for skill in text.split(",") if skill and not skill.startswith(SEAT))
    return frozenset(each for skill in found for each in _with_lower(skill))


@cache
def tiers_of(text: str) -> frozenset[str]:
    """The tiers that an agent's seat is dedicated to; none: it is for everybody."""
    return frozenset(skill.removeprefix(SEAT) for skill in text.split(",") if skill.startswith(SEAT))


def _with_lower(skill: str) -> tuple[str, ...]:
    name = name_of(skill)
    return (skill, name, *(f"{name}{MARK}{level}" for level in range(1, level_of(skill) + 1)))


def fault_of(skill: str, known: Collection[str], tiers: Collection[str] = ()) -> str:
    """What is wrong with this skill, or tier of a seat; empty when nothing is."""
    if skill.startswith(SEAT):
        tier = skill.removeprefix(SEAT)
        return "" if tier in tiers else f"there is no tier named '{tier}'"
    if name_of(skill) not in known:
        return f"there is no skill named '{name_of(skill)}'"
    if not level_of(skill):
        return f"'{skill}' has no level from 1 to {LEVEL_MAX}, such as {name_of(skill)}{MARK}2"
    return ""


def highest(names: Iterable[str], asked: Iterable[str]) -> tuple[str, ...]:
    """Each of these skills at the highest level that anybody asks for."""
    levels: dict[str, int] = {}
    for skill in asked:
        levels[name_of(skill)] = max(levels.get(name_of(skill), 1), level_of(skill))
    return tuple(name if levels.get(name, 1) == 1 else f"{name}{MARK}{levels[name]}" for name in names)
