"""Recordings: told of in any order, fetched once, and missed out loud."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from config.telephony import Audio, ProviderError
from queues.domain.journal import Line
from queues.service.links import LinkKind
from recordings.domain.recordings import MOVES, Recording, RecordingState, fold
from recordings.jobs import fetch_audio as fetch_audio_job
from recordings.service import recordings
from recordings.service.recordings import FETCH_AUDIO, AudioNotReadyError, fetch_audio
from tests.doubles import MONDAY_0900_MS, ManualClock, TelephonyDouble
from tests.recordings.conftest import Desk

BEGAN_MS = MONDAY_0900_MS + 17_000
WAV = b"RIFF" + bytes(range(200))


def vault_files(desk: Desk) -> dict[str, bytes]:
    root: Path = desk.runtime.settings.state_dir / "vault"
    return {
        str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()
    }


async def test_a_recording_is_told_of_fetched_and_kept(desk: Desk, telephony: TelephonyDouble) -> None:
    telephony.audio["RE1"] = Audio(content=WAV, content_type="audio/x-wav", channels=2)
    await desk.answered_call("CA1")
    assert await desk.told("in-progress", "CA1") == 204
    assert await desk.told("completed", "CA1") == 204
    await desk.write_down()

    assert await desk.rows("recordings") == [
        {
            "recording_id": "RE1",
            "call_id": "CA1",
            "kind": "call",
            "state": "fetched",
            "channels": 2,
            "started_ms": BEGAN_MS,
            "duration_s": 60,
            "vault_key": "2026/11/RE1.wav",
            "bytes": len(WAV),
            "fetched_ms": desk.runtime.clock.now_ms(),
            "missing_why": "",
        }
    ]
    assert vault_files(desk) == {"2026/11/RE1.wav": WAV}
    assert telephony.fetched == ["RE1"]


async def test_the_same_callbacks_twice_and_swapped_leave_the_same_row(
    desk: Desk, telephony: TelephonyDouble
) -> None:
    await desk.answered_call("CA1")
    heard = [("in-progress", "RE1"), ("completed", "RE1"), ("completed", "RE1"), ("in-progress", "RE1")]
    rows = []
    for number, order in enumerate(set(itertools.permutations(heard))):
        for status, _ in order:
            assert await desk.told(status, "CA1", f"RE{number}") == 204
    await desk.write_down()
    for row in await desk.rows("recordings"):
        row.pop("recording_id")
        row.pop("vault_key")
        rows.append(row)
    assert len(rows) == 6
    assert all(row == rows[0] for row in rows)
    assert rows[0]["state"] == "fetched"
    assert telephony.fetched == [f"RE{number}" for number in range(6)]


async def test_a_callback_after_the_fetch_changes_nothing(desk: Desk) -> None:
    await desk.answered_call("CA1")
    await desk.told("completed", "CA1")
    await desk.write_down()
    before = await desk.rows("recordings"), await desk.rows("links")
    for status in ("in-progress", "absent", "completed"):
        await desk.told(status, "CA1")
    await desk.write_down()
    assert (await desk.rows("recordings"), await desk.rows("links")) == before


async def test_the_journal_replayed_leaves_identical_rows(desk: Desk) -> None:
    await desk.answered_call("CA1")
    await desk.told("in-progress", "CA1")
    await desk.told("completed", "CA1")
    await desk.told("absent", "CA2", "RE2")
    await desk.write_down()
    before = await desk.rows("recordings"), await desk.rows("links")
    desk.reader.last_id = desk.reader.noted_id = "0-0"
    async with desk.runtime.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE readers SET last_id = '0-0' WHERE name = 'recordings'")
    assert await desk.reader.drain() == 1
    await desk.work_off()
    assert (await desk.rows("recordings"), await desk.rows("links")) == before


async def test_what_means_nothing_to_recordings_is_read_past_and_noted_with_the_lease(desk: Desk) -> None:
    position = lambda: desk.rows("readers", "name", "last_id")  # noqa: E731
    await desk.arrive("CA1")
    assert await desk.reader.tick() is True
    assert await position() == [{"name": "recordings", "last_id": "0-0"}], "nobody waited for a writer"
    desk.reader.lease_until_ms -= 2_000
    assert await desk.reader.tick() is False
    assert await position() == [{"name": "recordings", "last_id": desk.reader.last_id}]

    await desk.answered_call("CA2")
    assert await desk.reader.tick() is True
    await desk.told("completed", "CA2")
    assert await desk.reader.tick() is True
    assert await position() == [{"name": "recordings", "last_id": desk.reader.last_id}]
    assert [row["state"] for row in await desk.rows("recordings")] == ["completed"]

    await desk.arrive("CA3")
    assert await desk.reader.tick() is True
    async with desk.runtime.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE readers SET holder = 'another', last_id = '9-9'")
    desk.reader.lease_until_ms -= 2_000
    assert await desk.reader.tick() is False, "it was overtaken while it read past"
    assert desk.reader.is_leading is False
    assert await position() == [{"name": "recordings", "last_id": "9-9"}]


async def test_absent_says_so_and_completed_after_it_is_believed(desk: Desk) -> None:
    await desk.told("absent", "CA1", RecordingChannels="")
    await desk.reader.drain()
    assert await desk.rows("recordings", "state", "missing_why", "channels") == [
        {"state": "absent", "missing_why": "absent", "channels": 0}
    ]
    await desk.told("completed", "CA1")
    await desk.write_down()
    assert await desk.rows("recordings", "state", "missing_why", "channels") == [
        {"state": "fetched", "missing_why": "", "channels": 2}
    ]


async def test_a_voicemail_is_a_recording_of_its_own_kind(desk: Desk) -> None:
    await desk.told("completed", "CA1", kind="voicemail", RecordingChannels="1")
    await desk.reader.drain()
    assert await desk.rows("recordings", "kind", "channels") == [{"kind": "voicemail", "channels": 1}]


async def test_nothing_unsigned_is_believed(desk: Desk) -> None:
    form = {"CallSid": "CA1", "RecordingSid": "RE1", "RecordingStatus": "completed"}
    async with desk.browser() as stranger:
        assert (await stranger.post("/recordings/callback/CA1/call", data=form)).status_code == 403
    await desk.write_down()
    assert await desk.rows("recordings") == []


@pytest.mark.parametrize("form", [{"RecordingStatus": "sung"}, {"RecordingSid": ""}])
async def test_what_is_not_understood_is_answered_and_left(desk: Desk, form: dict[str, str]) -> None:
    status = form.pop("RecordingStatus", "completed")
    assert await desk.told(status, "CA1", **form) == 204
    await desk.write_down()
    assert await desk.rows("recordings") == []


async def test_fields_that_make_no_sense_are_left_out(desk: Desk) -> None:
    await desk.told(
        "completed", "CA1", RecordingDuration="-1", RecordingStartTime="noon", RecordingChannels="two"
    )
    await desk.reader.drain()
    assert await desk.rows("recordings", "state", "duration_s", "started_ms", "channels") == [
        {"state": "completed", "duration_s": None, "started_ms": None, "channels": 0}
    ]


async def test_audio_that_is_not_there_yet_is_fetched_by_the_sweep(
    desk: Desk, telephony: TelephonyDouble, clock: ManualClock
) -> None:
    telephony.fail("fetch_audio", ProviderError(404, None, "no audio"))
    await desk.told("completed", "CA1")
    await desk.write_down()
    (failed,) = await desk.runtime.jobs.failed("audio")
    assert "AudioNotReadyError" in failed.why
    assert await desk.rows("recordings", "state") == [{"state": "completed"}]

    clock.advance(61_000)
    assert await recordings.sweep(desk.runtime) == 1
    await desk.work_off()
    assert await desk.rows("recordings", "state") == [{"state": "fetched"}]
    assert [row["done_ms"] for row in await desk.rows("links")] == [clock.now_ms()]


async def test_a_lost_fetch_is_pushed_again_and_fetches_once(
    desk: Desk, telephony: TelephonyDouble, clock: ManualClock
) -> None:
    await desk.told("completed", "CA1")
    await desk.reader.drain()
    for name in await desk.runtime.redis.keys("rq:*"):
        await desk.runtime.redis.delete(name)
    clock.advance(61_000)
    assert await recordings.sweep(desk.runtime) == 1
    await desk.work_off()
    assert await fetch_audio(desk.runtime, "RE1") is False
    assert telephony.fetched == ["RE1"]
    assert await desk.rows("recordings", "state") == [{"state": "fetched"}]


async def test_a_worker_that_died_between_file_and_row_fetches_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.told("completed", "CA1")
    await desk.reader.drain()

    async def die(*_: Any, **__: Any) -> bool:
        raise ConnectionAbortedError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(recordings.store, "note_fetched", die)
        with pytest.raises(ConnectionAbortedError):
            await fetch_audio(desk.runtime, "RE1")
    assert list(vault_files(desk)) == ["2026/11/RE1.wav"]
    assert await fetch_audio(desk.runtime, "RE1") is True
    assert list(vault_files(desk)) == ["2026/11/RE1.wav"]


async def test_audio_that_cannot_be_had_is_called_missing_in_the_end(
    desk: Desk, telephony: TelephonyDouble, clock: ManualClock
) -> None:
    telephony.fail("fetch_audio", ProviderError(404, None, "no audio"), times=100)
    await desk.told("completed", "CA1")
    await desk.reader.drain()
    for _ in range(recordings.ATTEMPTS_MAX):
        assert await recordings.give_up(desk.runtime) == 0
        clock.advance(2 * 3600 * 1000)
        assert await recordings.sweep(desk.runtime) == 1
        with pytest.raises(AudioNotReadyError):
            await fetch_audio(desk.runtime, "RE1")
    assert await recordings.give_up(desk.runtime) == 1
    assert await desk.rows("recordings", "state", "missing_why") == [
        {"state": "missing", "missing_why": "not_fetched"}
    ]
    clock.advance(24 * 3600 * 1000)
    assert await recordings.sweep(desk.runtime) == 0


async def test_an_answered_call_without_a_recording_says_so(desk: Desk, clock: ManualClock) -> None:
    await desk.answered_call("CA1")
    await desk.arrive("CA2")
    await desk.end("CA2")
    await desk.write_down()
    assert await recordings.miss(desk.runtime) == 0, "it may still come"
    clock.advance(130_000)
    assert await recordings.miss(desk.runtime) == 1
    assert await recordings.miss(desk.runtime) == 0
    assert await desk.rows("recordings", "recording_id", "call_id", "state", "missing_why") == [
        {"recording_id": "missing-CA1", "call_id": "CA1", "state": "missing", "missing_why": "not_reported"}
    ]


async def test_a_message_whose_recording_never_came_says_so(desk: Desk, clock: ManualClock) -> None:
    await desk.arrive("CA1")
    await desk.switchboard.divert_call(call_id="CA1", to="voicemail")
    await desk.switchboard.leave_message(call_id="CA1")
    await desk.end("CA1")
    await desk.write_down()
    clock.advance(130_000)
    assert await recordings.miss(desk.runtime) == 1
    assert await desk.rows("recordings", "call_id", "kind", "state", "missing_why") == [
        {"call_id": "CA1", "kind": "voicemail", "state": "missing", "missing_why": "not_reported"}
    ]
    await desk.told("completed", "CA1", kind="voicemail")
    await desk.write_down()
    assert await desk.rows("recordings", "recording_id", "kind", "state") == [
        {"recording_id": "RE1", "kind": "voicemail", "state": "fetched"}
    ], "what turns up takes the missing one's place"


async def test_a_message_after_a_talk_is_missed_as_a_message(desk: Desk, clock: ManualClock) -> None:
    """The talk has its recording, the message has none; and the row of one is not the row of the other."""
    await desk.arrive("CA1")
    await desk.enqueue("CA1")
    await desk.answer("CA1")
    await desk.told("completed", "CA1")
    await desk.switchboard.transfer_call(call_id="CA1", agent_id="wang", queue="general")
    await desk.switchboard.divert_call(call_id="CA1", to="voicemail")
    await desk.switchboard.leave_message(call_id="CA1")
    await desk.end("CA1")
    await desk.write_down()
    clock.advance(130_000)
    assert (await recordings.miss(desk.runtime), await recordings.miss(desk.runtime)) == (1, 0)
    assert await desk.rows("calls", "outcome") == [{"outcome": "answered"}]
    columns = ("recording_id", "kind", "state")
    assert await desk.rows("recordings", *columns) == [
        {"recording_id": "RE1", "kind": "call", "state": "fetched"},
        {"recording_id": "missing-CA1-voicemail", "kind": "voicemail", "state": "missing"},
    ]
    await desk.told("completed", "CA1", recording_id="RE2", kind="voicemail")
    await desk.write_down()
    assert await desk.rows("recordings", *columns) == [
        {"recording_id": "RE1", "kind": "call", "state": "fetched"},
        {"recording_id": "RE2", "kind": "voicemail", "state": "fetched"},
    ]


async def test_a_recording_that_turns_up_late_takes_the_missing_ones_place(
    desk: Desk, clock: ManualClock
) -> None:
    await desk.answered_call("CA1")
    await desk.write_down()
    clock.advance(130_000)
    await recordings.miss(desk.runtime)
    await desk.told("completed", "CA1")
    await desk.write_down()
    clock.advance(130_000)
    assert await recordings.miss(desk.runtime) == 0
    assert await desk.rows("recordings", "recording_id", "state") == [
        {"recording_id": "RE1", "state": "fetched"}
    ]


async def test_why_it_is_missing(desk: Desk, clock: ManualClock) -> None:
    """He did not wish it; the provider would not start it."""
    await desk.arrive("CA1")
    await desk.switchboard.step_menu(call_id="CA1", node="root", step=0, record="refused")
    await desk.enqueue("CA1")
    await desk.answer("CA1")
    await desk.end("CA1")
    await desk.wrap_up()
    await desk.answered_call("CA2")
    await desk.journal("effect.failed", "CA2", kind="record", attempts=5)
    await desk.write_down()
    clock.advance(130_000)
    await recordings.miss(desk.runtime)
    assert await desk.rows("recordings", "call_id", "missing_why") == [
        {"call_id": "CA1", "missing_why": "refused"},
        {"call_id": "CA2", "missing_why": "not_started"},
    ]


def test_nothing_leads_out_of_fetched() -> None:
    assert MOVES[RecordingState.FETCHED] == {}


def test_every_order_of_the_same_lines_leaves_the_same_recording() -> None:
    def line(number: int, kind: str, **data: Any) -> Line:
        return Line(
            id=f"{number}-0", type=kind, at_ms=number, call_id="CA1", data={"recording_id": "RE1", **data}
        )

    lines = [
        line(1, "recording.started", started_ms=5),
        line(2, "recording.completed", duration_s=7, channels=2),
        line(3, "recording.completed", duration_s=7, channels=2),
    ]
    left = set()
    for order in itertools.permutations(lines):
        recording: Recording | None = None
        for each in order:
            recording = fold(recording, each)
        left.add(recording)
    assert left == {
        Recording(
            recording_id="RE1",
            call_id="CA1",
            kind="call",
            state="completed",
            channels=2,
            started_ms=5,
            duration_s=7,
        )
    }


def test_the_job_and_its_kind_name_each_other() -> None:
    assert f"{fetch_audio_job.__module__}.{fetch_audio_job.__name__}" == FETCH_AUDIO.function
    assert isinstance(FETCH_AUDIO, LinkKind)
