"""`shouwen check` and `shouwen diff`: what is wrong with a site's folder, what it comes to, what a change does.

They read folders and nothing else: no installation, no store, no settings but SITES_DIR. Faults of every file
are told at once, each with its place; where the form of one file is broken the others are still looked at.
"""

import argparse
import datetime as dt
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from config import site_folders, yaml_faults
from config.clock import Clock
from config.site_files import SiteFiles, SiteFilesError, read
from ivr.domain.differences import differences
from ivr.domain.fault_words import told_in
from ivr.domain.menu_form import faults_in_form
from ivr.domain.outline import LANGUAGES, Outline, word
from ivr.domain.picture import picture
from ivr.domain.spoken_keys import mismatches
from ivr.domain.tree import tree_lines, tree_values
from ivr.service.hotlines import Hotline, read_hotline
from queues.domain.bounds import exempt, kept_seats, outside_the_bounds, passing_bounds
from queues.domain.calendars import warnings
from queues.domain.faults import MISSING_FILE, Fault, SiteFaults
from queues.domain.plan import load_plan


@dataclass(frozen=True)
class Examined:
    """One folder: its faults, or the hotline it describes and what is worth knowing of it."""

    name: str
    faults: tuple[Fault, ...] = ()
    hotline: Hotline | None = None
    warnings: tuple[Fault, ...] = ()


def check(chosen: argparse.Namespace) -> int:
    """Every fault with its place, exit 1; else warnings, bounds, work queues and the menu, exit 0."""
    folder = folder_of(chosen.site)
    if folder is None:
        return 2
    found = examine(folder)
    if chosen.json:
        print(json.dumps(as_values(found, chosen.language), ensure_ascii=False, indent=1))
    if found.hotline is None:
        if not chosen.json:
            print("\n".join(told_in(found.faults, chosen.language)), file=sys.stderr)
        return 1
    if not chosen.json:
        print("\n".join(report(found, found.hotline, chosen.language)))
    if chosen.picture:
        outline = outline_of(found.hotline, chosen.language)
        Path(chosen.picture).write_text(picture(outline), "utf-8")
        if not chosen.json:
            print(f"\nThe menu as a picture: {chosen.picture}")
    return 0


def diff(chosen: argparse.Namespace) -> int:
    """What the change from one folder to the other does to callers and to those who serve them."""
    sides: list[Hotline] = []
    for name in (chosen.site, chosen.other):
        folder = folder_of(name)
        if folder is None:
            return 2
        found = examine(folder)
        if found.hotline is None:
            told_of = "\n".join(told_in(found.faults, chosen.language))
            print(f"{name} has faults:\n{told_of}", file=sys.stderr)
            return 1
        sides.append(found.hotline)
    print("\n".join(told(sides[0], sides[1], chosen.language)))
    return 0


def told(before: Hotline, after: Hotline, language: str | None) -> list[str]:
    """The differences in words, or that there are none."""
    chosen = language or LANGUAGES[0]
    said = differences(outline_of(before, chosen), outline_of(after, chosen))
    return said or [word("nothing_changes", chosen)]


def folder_of(site: str) -> Path | None:
    """A path, or the name of a folder of SITES_DIR; None after saying that there is none."""
    try:
        return site_folders.find(site)
    except site_folders.NoSiteError as fault:
        print(fault, file=sys.stderr)
        return None


def examine(folder: Path) -> Examined:
    """Read a folder as far as it can be read."""
    try:
        files = read(folder)
    except SiteFilesError as fault:
        return Examined(folder.name, tuple(Fault(where, "", why) for where, why in fault.faults))
    try:
        hotline = read_hotline(files)
    except SiteFaults as fault:
        return Examined(
            folder.name, tuple(_renamed(folder, each) for each in _with_form(files, fault.faults))
        )
    today = dt.datetime.fromtimestamp(Clock.real().now_ms() / 1000, ZoneInfo(hotline.plan.timezone)).date()
    found = [(each.steps, each.message) for each in warnings(hotline.plan, today)]
    told = [
        Fault(files.where(steps), ".".join(map(str, steps[1:])), message)
        for steps, message in (*found, *mismatches(hotline.menu))
    ]
    return Examined(
        folder.name,
        hotline=hotline,
        warnings=(*_unnamed(folder), *_surprises(files), *told, *_unplayed(files, hotline)),
    )


def _with_form(files: SiteFiles, found: Sequence[Fault]) -> tuple[Fault, ...]:
    """A plan with faults keeps the menu from being read; what is wrong with its own form is told all the same."""
    try:
        load_plan(files)
    except SiteFaults:
        found = (*found, *faults_in_form(files))
    return tuple(dict.fromkeys(found))


def _renamed(folder: Path, fault: Fault) -> Fault:
    """A missing file that is there under a name which is not read."""
    stem = fault.where.removesuffix(".yaml")
    near = [each.name for each in sorted(folder.iterdir()) if each.name.lower().startswith(f"{stem}.")]
    if fault.message != MISSING_FILE or not near:
        return fault
    return replace(fault, message=f"{fault.message}; rename '{near[0]}' to '{fault.where}'")


def _surprises(files: SiteFiles) -> list[Fault]:
    """What can be read and is hardly meant."""
    told = [
        Fault(f"{name}:{line}", "", why)
        for name, text in files.content.items()
        for line, why in yaml_faults.surprises(text)
    ]
    known = {"site", "menu", "queues", "customers", "calendars", "tickets", "quality"}
    return told + [
        Fault(f"{name}.yaml", "", "this file is not read; a hotline's files have other names")
        for name in files.documents
        if name not in known
    ]


def _unnamed(folder: Path) -> list[Fault]:
    """A folder that SITE cannot name."""
    if site_folders.NAMED.fullmatch(folder.name):
        return []
    return [Fault(folder.name, "", f"this folder cannot be run; give it {site_folders.HOW_NAMED}")]


def _unplayed(files: SiteFiles, hotline: Hotline) -> list[Fault]:
    """Recorded prompts that no node plays."""
    played = {
        name for node in hotline.menu.nodes.values() for name in (getattr(node, "audio", None) or {}).values()
    }
    return [
        Fault(f"audio/{name}", "", "no node of the menu plays this file")
        for name in files.audio
        if name not in played
    ]


def outline_of(hotline: Hotline, language: str | None) -> Outline:
    return Outline(hotline.menu, hotline.plan, language or hotline.menu.languages[0])


def report(found: Examined, hotline: Hotline, language: str | None) -> list[str]:
    """What a sound site comes to."""
    plan, menu = hotline.plan, hotline.menu
    sizes = f"{len(menu.nodes)} menu nodes, {len(plan.queues)} queues, {len(plan.tiers)} tiers"
    said = [f"{plan.site}: {sizes}, version {plan.version}; no faults."]
    said += [f"  warning: {warning}" for warning in told_in(found.warnings, language)]
    for bound in passing_bounds(plan):
        said.append(
            f"  {bound.ahead} may pass {bound.behind} who came up to {bound.by_ms / 1000:g} s earlier"
        )
    said.append(f"  always first, whoever calls: {', '.join(exempt(plan)) or 'nobody'}")
    said += [f"  outside these bounds: {who}" for who in outside_the_bounds(plan)]
    for kept in kept_seats(plan):
        seats = f"{kept.seats} idle seat{'s' * (kept.seats > 1)}" + (
            f" of every {kept.per} agents" if kept.per else ""
        )
        cost = f"anybody else may wait up to {kept.up_to_ms / 1000:g} s while they stand idle"
        said.append(f"  {kept.queue} keeps {seats} for {', '.join(kept.tiers)}: {cost}")
    said.append(f"  work queues, the most urgent first: {', '.join(plan.work_queues())}")
    return [*said, "", *tree_lines(outline_of(hotline, language))]


def as_values(found: Examined, language: str | None) -> dict[str, Any]:
    """The same for other programs."""
    values: dict[str, Any] = {
        "site": found.name,
        "faults": [_fault_values(fault) for fault in found.faults],
        "warnings": [_fault_values(warning) for warning in found.warnings],
    }
    if found.hotline is not None:
        plan = found.hotline.plan
        values |= {
            "version": plan.version,
            "bounds": [
                {"ahead": each.ahead, "behind": each.behind, "by_s": each.by_ms / 1000}
                for each in passing_bounds(plan)
            ],
            "always_first": list(exempt(plan)),
            "outside_the_bounds": list(outside_the_bounds(plan)),
            "kept_seats": [
                {"queue": each.queue, "tiers": list(each.tiers), "seats": each.seats, "per": each.per}
                | {"others_wait_up_to_s": each.up_to_ms / 1000}
                for each in kept_seats(plan)
            ],
            "work_queues": list(plan.work_queues()),
            "menu": tree_values(outline_of(found.hotline, language)),
        }
    return values


def _fault_values(fault: Fault) -> dict[str, str]:
    return {"where": fault.where, "path": fault.path, "message": fault.message}
