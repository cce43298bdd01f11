"""Where a simulated day is played: on the pure rules, or on the scripts of a live store of its own."""

from collections.abc import Callable, Generator
from typing import Any

from ivr.simulation.play import Ask, Day, Look
from ivr.simulation.scenario import PlayedDay
from queues.domain.journal import Line
from queues.domain.routing import AGENTS_MAX, HEADS_MAX, snapshot_of
from queues.domain.state import State
from queues.domain.switchboard import advance
from queues.store.switchboard import SwitchboardStore

SILENT_MS = 10**15  # nobody is lost in a simulation
Progress = Callable[[int], None]  # told after each call how many have left


def on_rules(
    day: Day, *, keep: Callable[[Line], None] | None = None, progress: Progress | None = None
) -> PlayedDay:
    """To the end on the pure rules; `keep` is handed each line of the journal."""
    state, steps = State(), day.run()
    reply: Any = None
    while True:
        try:
            ask = steps.send(reply)
        except StopIteration as end:
            played: PlayedDay = end.value
            return played
        if isinstance(ask, Look):
            heads_max, agents_max = HEADS_MAX * ask.times, AGENTS_MAX * ask.times
            reply = snapshot_of(
                state,
                ask.now_ms,
                silent_ms=SILENT_MS,
                heads_max=heads_max,
                agents_max=agents_max,
                with_turns=ask.with_turns,
            )
        else:
            step = advance(state, ask)
            reply = step.reply
            if keep is not None:
                for line in step.lines:
                    keep(line)
        if progress is not None:
            progress(len(day.played))


async def on_scripts(day: Day, store: SwitchboardStore, *, progress: Progress | None = None) -> PlayedDay:
    """The same on the live scripts; the journal is left in the store."""
    steps: Generator[Ask, Any, PlayedDay] = day.run()
    reply: Any = None
    while True:
        try:
            ask = steps.send(reply)
        except StopIteration as end:
            played: PlayedDay = end.value
            return played
        if isinstance(ask, Look):
            reply = await store.read_snapshot(
                now_ms=ask.now_ms,
                silent_ms=SILENT_MS,
                heads_max=HEADS_MAX * ask.times,
                agents_max=AGENTS_MAX * ask.times,
                with_turns=ask.with_turns,
            )
        else:
            reply = await store.run(ask)
        if progress is not None:
            progress(len(day.played))
