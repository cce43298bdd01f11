"""Departments: who answers for which queues. A department's figures are the sum of its queues'.

A queue belongs to one department or to none, so departments never count a call twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from queues.domain.parts import Part, Words

if TYPE_CHECKING:
    from queues.domain.plan_checks import Names


class Department(Part):
    id: str
    name: Words
    queues: tuple[str, ...] = Field(min_length=1)


def check(names: Names, parts: Mapping[str, Any]) -> None:
    owner: dict[str, str] = {}
    for department in parts["departments"].values():
        for index, queue in enumerate(department.queues):
            place = ("queues", "departments", department.id, "queues", index)
            names.expect(place, "queue", queue)
            if queue in owner:
                names.book.add(place, f"'{queue}' belongs to '{owner[queue]}' already")
            owner.setdefault(queue, department.id)
