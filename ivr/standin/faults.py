"""What goes wrong, and what nobody knows for certain: every rate and switch of the exchange, with defaults.

Rates (0 to 1) say how often a fault is drawn. Switches say how the exchange behaves where the provider's own
sources disagree or are silent; the product must work with either setting. All can be changed while running.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields


class UnknownSwitchError(ValueError):
    """The faults name a switch or a value that does not exist."""


@dataclass
class Faults:
    # status-type callbacks
    callback_doubled: float = 0.0
    callback_delayed: float = 0.0
    callback_delay_ms_max: int = 5000
    callback_swapped: float = 0.0
    callback_lost: float = 0.0
    # requests for documents
    control_doubled: float = 0.0
    # REST
    rest_429: float = 0.0
    rest_500: float = 0.0
    rest_500_after: float = 0.0
    rest_503: float = 0.0
    rest_concurrency_max: int = 0
    stale_reads_ms: int = 0
    # recordings
    recording_late: float = 0.0
    recording_late_ms: int = 60_000
    recording_absent: float = 0.0
    recording_done_ms_min: int = 1000
    recording_done_ms_max: int = 10_000
    recording_ms_min: int = 100
    recording_post_status: int = 201
    # queues
    queue_size_default: int = 1000
    queue_size_max: int = 5000
    second_pull_status: int = 404
    second_pull_code: int = 20404
    pull_result: str = "redirected"
    wait_loop_ms_min: int = 1000
    # what is called when the caller or REST interrupts
    action_on_hangup: bool = True
    hangup_action_status: str = "completed"
    hangup_action_ms: int = 0
    redirect_action_ms: int = 300
    redirect_target_ms: int = 650
    kicked_continues: bool = True
    # documents
    schema_fault: str = "abort"
    error_params_on_fallback: bool = True
    gather_barge_in: bool = True
    gather_language_sent: bool = True
    keys_buffered: bool = False
    silent_record: str = "next"
    pause_delays_answer: bool = True
    reject_rejected_status: str = "no-answer"
    verify_caller_id: bool = True
    # ringing
    ring_buffer_ms: int = 5000
    client_busy: str = "busy"
    client_unregistered: str = "no-answer"
    number_unregistered: str = "no-answer"
    busy_sip_code: str = "486"
    registrations_max: int = 10
    # conferences
    conference_dial_status: str = "answered"
    conference_wait_params: bool = True
    conference_sequence_first: int = 1
    conference_recording_channels: int = 1
    conference_recording_from: str = "start"
    recording_source_start: str = "OutboundAPI"
    last_participant_hears: str = "silence"
    hold_loops: bool = True
    # how long speech takes
    say_latin_ms: int = 60
    say_wide_ms: int = 200
    say_ms_max: int = 60_000
    play_ms: int = 10_000
    audio_s_max: int = 8

    def update(self, changes: Mapping[str, object]) -> None:
        """Change some of them; nothing changes when any name or value is not understood."""
        wanted = {name: _fitting(name, getattr(self, name, None), value) for name, value in changes.items()}
        for name, value in wanted.items():
            setattr(self, name, value)

    def as_json(self) -> dict[str, object]:
        return asdict(self)


_WORDS: dict[str, frozenset[str]] = {
    "pull_result": frozenset({"redirected", "bridging-in-process"}),
    "schema_fault": frozenset({"abort", "skip"}),
    "silent_record": frozenset({"next", "action"}),
    "reject_rejected_status": frozenset({"busy", "no-answer", "failed"}),
    "client_busy": frozenset({"busy", "ring"}),
    "client_unregistered": frozenset({"no-answer", "failed"}),
    "number_unregistered": frozenset({"no-answer", "failed", "busy", "ring"}),
    "conference_dial_status": frozenset({"answered", "completed"}),
    "conference_recording_from": frozenset({"start", "join"}),
    "hangup_action_status": frozenset({"completed", "in-progress"}),
    "last_participant_hears": frozenset({"silence", "music"}),
}


def _fitting(name: str, present: object, value: object) -> object:
    if name not in {field.name for field in fields(Faults)}:
        raise UnknownSwitchError(f"There is no switch {name!r}.")
    if name in _WORDS and value not in _WORDS[name]:
        raise UnknownSwitchError(f"{name} is one of {', '.join(sorted(_WORDS[name]))}.")
    if isinstance(present, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(present):
        raise UnknownSwitchError(f"{name} takes a value like {present!r}, not {value!r}.")
    if isinstance(value, float) and not 0 <= value <= 1:
        raise UnknownSwitchError(f"{name} is a rate from 0 to 1.")
    return value
