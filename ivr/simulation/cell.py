"""A process of its own in which a trial is played, so that it takes no worker's time and can be stopped at any moment.

It is given everything in one line on its input and knows nothing else: no store, no secret, no network. It tells its
progress and at last the result, a line each. Whoever started it is gone when its output breaks: then it is, too.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import Any, Final

from config.site_files import SiteFiles, of_content
from ivr.simulation import report
from ivr.simulation.figures import figures_of, percentile
from ivr.simulation.record import (
    DayRecord,
    Reading,
    RecordedCall,
    Stint,
    changed,
    digest_of,
    longest_there,
    people_in,
    read_day,
    under,
)
from ivr.simulation.report import Told
from ivr.simulation.scenario import PlayedDay, Scenario, SimulatedAgent, SimulatedCall
from ivr.simulation.telling import tell
from ivr.simulation.terms import Terms
from ivr.simulation.variant import changed_words
from queues.domain.plan import Plan, load_plan

NICENESS: Final = 10
SHOWN: Final = 15
Tell = Callable[[float], None]


def order(terms: Terms, record: DayRecord, before: SiteFiles, after: SiteFiles) -> str:
    """What the process is given, as one line."""
    words = {"before": before, "after": after}
    return json.dumps(
        {
            "terms": terms.to_json(),
            "record": asdict(record),
            "words": {
                side: {"name": each.name, "everything": each.everything} for side, each in words.items()
            },
        },
        ensure_ascii=True,
    )


def perform(text: str, progress: Tell) -> dict[str, Any]:
    """Both sides played; progress is told in per cent of all calls."""
    given = json.loads(text)
    terms, record = Terms.from_json(given["terms"]), _record(given["record"])
    before, after = (_words(given["words"][side]) for side in ("before", "after"))
    plan = load_plan(before)
    reading = read_day(record, terms, plan)
    said = list(reading.said)
    sides = [(plan, reading.scenario)]
    if terms.is_compared:
        sides.append((load_plan(changed_words(after, terms.tiers)), changed(reading.scenario, terms)))
        if terms.more < 0:
            said.append(("fewer", {"who": longest_there(reading.scenario)[: -terms.more]}))
    total, done = max(len(sides) * len(record.calls), 1), 0
    told: list[Told] = []
    for side, scenario in sides:
        fitted, unknown = under(scenario, side)
        if unknown:
            said.append(("matters", {"n": unknown, "version": side.version}))
        told.append(tell(side, fitted, partial(_count, progress, done, total)))
        done += len(record.calls)
    result = _result(reading, told, plan, sides[-1][1], said)
    return {**result, "midnight_ms": record.midnight_ms}


def _count(progress: Tell, past: int, total: int, left: int) -> None:
    progress(100 * (past + left) / total)


def _result(
    reading: Reading, told: list[Told], plan: Plan, after: Scenario, said: list[Any]
) -> dict[str, Any]:
    really = figures_of(plan, reading.really)
    other = told[1] if len(told) > 1 else None
    changes = report.changes(told[0].day, other.day) if other else []
    later = [each for each in changes if each.by_s > 0]
    at_ms = {call.call_id: call.at_ms for call in reading.scenario.calls}
    sooner = [each for each in changes if each.by_s < 0]
    as_json = report.as_json(told[0], other)
    days = {
        "really": reading.really,
        **dict(zip(("before", "after"), (each.day for each in told), strict=False)),
    }
    return {
        "before": {
            name: value for name, value in as_json.items() if name not in {"against", "changes", "assumed"}
        },
        "after": as_json.get("against"),
        "really": really.as_json(),
        "default_tier": plan.default_tier,
        "said": said,
        "people": {
            "really": len(reading.really.staffed_ms),
            "before": people_in(reading.scenario),
            "after": people_in(after),
        },
        "digest": digest_of(reading.scenario),
        "ring_s": [reading.scenario.ring_ms / 1000, after.ring_ms / 1000],
        "wrap_up_s": [reading.scenario.wrap_up_ms / 1000, after.wrap_up_ms / 1000],
        "moved": {
            "sooner": len(sooner),
            "later": len(later),
            "same": len(changes) - len(sooner) - len(later),
        },
        "worst": [_with_instant(each, at_ms) for each in later[:SHOWN]],
        "best": [_with_instant(each, at_ms) for each in sooner[:SHOWN]],
        "chart": _chart(days),
        "detail": {
            "changes": as_json.get("changes", []),
            "calls": [_row(each) for each in reading.scenario.calls],
            "agents": [_agent_row(each) for each in reading.scenario.agents],
        },
    }


def _with_instant(change: report.Change, at_ms: Mapping[str, int]) -> dict[str, Any]:
    return {**report.as_row(change), "at_ms": at_ms[change.call_id]}


def _chart(days: Mapping[str, PlayedDay]) -> dict[str, Any]:
    """For each day the share of callers answered within a time, as far as 99 in 100 of the answered waited."""
    waits = {
        name: sorted(each.wait_ms / 1000 for each in day.calls if each.is_answered)
        for name, day in days.items()
    }
    longest_s = max([percentile(each, 99) for each in waits.values()] + [1.0])
    lines = {
        name: [round(share, 4) for share in report.shares_within(each, len(days[name].calls), longest_s)]
        for name, each in waits.items()
    }
    return {"longest_s": longest_s, "lines": lines}


def _row(call: SimulatedCall) -> list[Any]:
    told = (call.call_id, call.at_ms, call.tier, call.queue, call.matter, call.locale)
    return [*told, call.handling_ms, call.patience_ms]


def _agent_row(agent: SimulatedAgent) -> list[Any]:
    return [agent.agent_id, list(agent.skills), agent.from_ms, agent.until_ms]


def _record(given: dict[str, Any]) -> DayRecord:
    calls = [RecordedCall(**each) for each in given.pop("calls")]
    stints = [Stint(**each) for each in given.pop("stints")]
    return DayRecord(calls=calls, stints=stints, **given)


def _words(given: Mapping[str, Any]) -> SiteFiles:
    return of_content(given["name"], given["everything"])


def main() -> None:
    os.nice(NICENESS)
    told = -1

    def progress(percent: float) -> None:
        nonlocal told
        if int(percent) > told:
            told = int(percent)
            _say({"done": told})

    text = sys.stdin.readline()
    if text:
        _say({"result": perform(text, progress)})


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=True) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with suppress(BrokenPipeError, KeyboardInterrupt):
        main()
