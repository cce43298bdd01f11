"""The rule of a surge: it begins, is alerted and ends once, however many look."""

from dataclasses import replace

from queues.domain import commands as c
from queues.domain.journal import LineType
from queues.domain.moves import Draft, Reply, json_of
from queues.domain.surges import Level, Running, read_running


def weigh_surge(draft: Draft, command: c.WeighSurge) -> Reply:
    surges = draft.state.surges
    held = surges.get(command.surge_id)
    if held is None:
        if command.level != Level.HIGH:
            return ("again",)
        draft.line(LineType.SURGE_BEGUN, surge_id=command.surge_id, **json_of(command.subject))
        draft.state.turn += 1
        surges[command.surge_id] = str(
            _alerted(draft, Running(command.now_ms, 0, 0, command.subject), command)
        )
        return ("begun",)
    surge = read_running(held)
    if command.level != Level.LOW:
        surge = replace(surge, low_ms=0)
    elif not surge.low_ms:
        surge = replace(surge, low_ms=command.now_ms)
    elif command.now_ms - surge.low_ms >= command.calm_ms:
        del surges[command.surge_id]
        draft.line(LineType.SURGE_ENDED, surge_id=command.surge_id, begun_ms=surge.begun_ms)
        draft.state.turn += 1
        return ("ended",)
    surges[command.surge_id] = str(_alerted(draft, surge, command))
    return ("again",)


def _alerted(draft: Draft, surge: Running, command: c.WeighSurge) -> Running:
    """Whoever is on call, once."""
    if surge.alerted_ms or not command.on_call:
        return surge
    draft.line(LineType.SURGE_ALERTED, surge_id=command.surge_id, agents=command.on_call)
    return replace(surge, alerted_ms=command.now_ms)
