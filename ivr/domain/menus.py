"""The voice menu of one site, read from its files; one with a fault in it is not loaded.

What must hold, and is checked on loading (`menu_checks`): every node that is named exists and is reached; no
caller goes round in circles without pressing a key; silence leads to a person or a voicemail, never to a
hang-up; from every question there is a way to a person; nobody reaches a person without having heard the
recording notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from ivr.domain.menu_checks import check_menu
from ivr.domain.nodes import (
    KINDS,
    Keys,
    LineDoors,
    Listen,
    Menu,
    Node,
    Phrases,
)
from queues.domain.faults import FaultBook, SiteSource, Steps
from queues.domain.parts import Part
from queues.domain.plan import Line, Plan
from queues.domain.widening import goto_step


class MenuHead(Part):
    """The head of menu.yaml."""

    tries: int = Field(default=3, ge=1, le=9)
    steps: int = Field(default=40, ge=10, le=100)
    exhausted: str
    listen_ms: Listen = Field(default=6_000, alias="listen")
    sure: float = Field(default=0.6, ge=0, le=1)
    keys: Keys = Keys()
    phrases: Phrases
    nodes: dict[str, Any]


def load_menu(site_files: SiteSource, plan: Plan) -> Menu:
    """The menu in these files, or `SiteFaults` with everything that is wrong with it."""
    book = FaultBook(site_files)
    head = book.read(MenuHead, ("menu",), book.document("menu"), plan.words_context)
    nodes = read_nodes(book, plan.words_context)
    book.raise_if_any()
    assert head is not None  # noqa: S101  its absence was a fault
    menu = Menu(
        version=plan.version,
        org=plan.short_name,
        languages=plan.languages,
        nodes=nodes,
        lines={name: _doors(line) for name, line in plan.lines.items()},
        closed={name: queue.closed for name, queue in plan.queues.items() if queue.closed},
        full={name: queue.full for name, queue in plan.queues.items() if queue.full},
        led={
            name: step.goto
            for name, queue in plan.queues.items()
            if (step := goto_step(queue.overflow)) and step.goto
        },
        areas={name: area.name for name, area in plan.areas.items()},
        case_states=plan.ticket_states,
        reads={locale: voice.text for locale, voice in plan.voices.items() if voice.text},
        hears={locale: voice.hears for locale, voice in plan.voices.items() if voice.hears},
        sounds=dict(getattr(site_files, "audio", {})),
        **{name: value for name, value in head if name != "nodes"},
    )
    check_menu(book, menu, plan)
    return menu


def _doors(line: Line) -> LineDoors:
    return LineDoors(entry=line.entry, internal=line.internal, calendar=line.calendar, closed=line.closed)


def read_nodes(book: FaultBook, shared: Mapping[str, Any]) -> dict[str, Node]:
    nodes: dict[str, Node] = {}
    for name, value in book.section("menu", "nodes").items():
        steps: Steps = ("menu", "nodes", str(name))
        kind = str(value.get("type")) if isinstance(value, Mapping) else ""
        if isinstance(value, Mapping) and "type" not in value:
            book.add(steps, f"'type' is missing; it is one of {', '.join(KINDS)}")
        elif kind not in KINDS:
            book.unknown((*steps, "type"), "kind of node", kind, KINDS)
        elif node := book.read(KINDS[kind], steps, value, shared):
            nodes[str(name)] = node
    return nodes
