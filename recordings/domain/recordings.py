"""Recordings: what became of the audio of a call.

The provider says *in progress*, *completed* or *absent*, in any order and more than once; we fetch what is
completed into the vault, and write *missing* where nobody ever told us of a recording that should exist.
What must hold: nothing leads out of *fetched* (we have the audio), and a recording that turns up late takes
the place of the row that missed it.

`MOVES` is the whole truth: state -> event -> next state. What the table does not name changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from queues.domain.call_records import first, text_of, whole_of
from queues.domain.journal import Line, LineType

FETCH = "fetch_audio"
MISSING_PREFIX: Final = "missing-"


class RecordingState(StrEnum):
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FETCHED = "fetched"
    ABSENT = "absent"
    MISSING = "missing"


class RecordingEvent(StrEnum):
    START = "start"
    COMPLETE = "complete"
    FETCH = "fetch"
    FAIL = "fail"
    GIVE_UP = "give_up"


class Kind(StrEnum):
    CALL = "call"
    VOICEMAIL = "voicemail"


class Why(StrEnum):
    """Why there is no audio, in words that a page can translate."""

    REFUSED = "refused"  # the caller did not wish to be recorded
    NOT_STARTED = "not_started"  # the provider would not start it
    NOT_REPORTED = "not_reported"  # it should exist; the provider has not told us of it
    ABSENT = "absent"  # the provider made none: too short, silent, or its own fault
    NOT_FETCHED = "not_fetched"  # it existed; the audio could not be had


_S, _E = RecordingState, RecordingEvent

FIRST: Final[Mapping[RecordingEvent, RecordingState]] = {
    _E.START: _S.IN_PROGRESS,
    _E.COMPLETE: _S.COMPLETED,
    _E.FAIL: _S.ABSENT,
}
MOVES: Final[Mapping[RecordingState, Mapping[RecordingEvent, RecordingState]]] = {
    _S.IN_PROGRESS: {_E.COMPLETE: _S.COMPLETED, _E.FAIL: _S.ABSENT, _E.FETCH: _S.FETCHED},
    _S.COMPLETED: {_E.FETCH: _S.FETCHED, _E.GIVE_UP: _S.MISSING},
    _S.FETCHED: {},
    # Absent is sometimes said of a recording that is completed after all, or said first of two.
    _S.ABSENT: {_E.COMPLETE: _S.COMPLETED},
    _S.MISSING: {_E.FETCH: _S.FETCHED},
}
EVENTS: Final[Mapping[str, RecordingEvent]] = {
    LineType.RECORDING_STARTED: _E.START,
    LineType.RECORDING_COMPLETED: _E.COMPLETE,
    LineType.RECORDING_ABSENT: _E.FAIL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A row of `recordings`."""

    recording_id: str
    call_id: str
    kind: str
    state: str
    channels: int = 0
    started_ms: int | None = None
    duration_s: int | None = None
    vault_key: str = ""
    bytes: int = 0
    fetched_ms: int | None = None
    missing_why: str = ""

    @property
    def has_audio(self) -> bool:
        return self.state == RecordingState.FETCHED


def fold(recording: Recording | None, line: Line) -> Recording | None:
    """The recording after this line of the journal; facts fill up in whatever order they come."""
    event = EVENTS.get(line.type)
    recording_id = text_of(line.data, "recording_id")
    if event is None or not recording_id or not line.call_id:
        return recording
    if recording is None:
        kind = Kind.VOICEMAIL if text_of(line.data, "kind") == Kind.VOICEMAIL else Kind.CALL
        fresh = Recording(
            recording_id=recording_id, call_id=line.call_id, kind=kind.value, state=FIRST[event].value
        )
        return with_facts(fresh, line.data)
    state = next_state(RecordingState(recording.state), event)
    if state is None:
        return with_facts(recording, line.data)
    return with_facts(replace(recording, state=state.value), line.data)


def with_facts(recording: Recording, data: Mapping[str, Any]) -> Recording:
    """Fills what is not known yet; what is known stays."""
    return replace(
        recording,
        channels=recording.channels or whole_of(data, "channels") or 0,
        started_ms=first(recording.started_ms, whole_of(data, "started_ms")),
        duration_s=first(recording.duration_s, whole_of(data, "duration_s")),
        missing_why=why_no_audio(recording, data),
    )


def why_no_audio(recording: Recording, data: Mapping[str, Any]) -> str:
    if recording.state == RecordingState.ABSENT:
        return recording.missing_why or text_of(data, "why") or Why.ABSENT.value
    return recording.missing_why if recording.state == RecordingState.MISSING else ""


def next_state(state: RecordingState, event: RecordingEvent) -> RecordingState | None:
    return MOVES[state].get(event)


def missing_id(call_id: str, kind: str) -> str:
    """The id of the row that stands for a recording nobody told us of. A call can miss one of each kind."""
    return f"{MISSING_PREFIX}{call_id}" + ("" if kind == Kind.CALL else f"-{kind}")


def fetch_kind(recording_id: str) -> str:
    """The kind of the link that fetches this audio once."""
    return f"{FETCH}:{recording_id}"
