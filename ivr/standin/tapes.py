"""The recorders: started and stopped with calls and conferences; a while later there is sound, or never."""

from typing import TYPE_CHECKING

from ivr.standin.calls import Call, Subscription
from ivr.standin.conferences import Conference
from ivr.standin.recordings import ABSENT, COMPLETED, Recording

if TYPE_CHECKING:
    from ivr.standin.exchange import Exchange


class Tapes:
    def __init__(self, exchange: "Exchange") -> None:
        self._exchange = exchange

    def record_call(
        self,
        call: Call,
        *,
        channels: int,
        source: str,
        subscription: Subscription | None = None,
        track: str = "both",
        name: str = "",
    ) -> Recording:
        recording = self._exchange.recordings.start(
            channels=1 if track != "both" else channels,
            source=source,
            now_ms=self._exchange.clock.now_ms(),
            call_sid=call.parent_sid or call.sid if source == "DialVerb" else call.sid,
            track=track,
            subscription=subscription,
            name=name,
        )
        self._exchange.reports.of_recording(recording)
        return recording

    def record_conference(
        self, conference: Conference, subscription: Subscription | None = None, source: str = "Conference"
    ) -> Recording:
        recording = self._exchange.recordings.start(
            channels=self._exchange.faults.conference_recording_channels,
            source=source,
            now_ms=self._exchange.clock.now_ms(),
            conference_sid=conference.sid,
            subscription=subscription or conference.recording_subscription,
        )
        self._exchange.reports.of_recording(recording)
        return recording

    def stop(self, recording: Recording, recorded_ms: int | None = None) -> None:
        """The tape stops; the sound is there a while later, or never."""
        recording.stop(self._exchange.clock.now_ms())
        if recorded_ms is not None:
            recording.recorded_ms = recorded_ms
        self._exchange.callbacks.start(self._finish(recording))

    async def _finish(self, recording: Recording) -> None:
        faults, ordinal = self._exchange.faults, recording.ordinal
        span_ms = max(0, faults.recording_done_ms_max - faults.recording_done_ms_min)
        delay_ms = faults.recording_done_ms_min + span_ms * self._exchange.chance.draw("recording", ordinal)
        if self._exchange.chance.happens(faults.recording_late, "recording late", ordinal):
            delay_ms += faults.recording_late_ms
        await self._exchange.clock.sleep(delay_ms)
        is_absent = self._exchange.chance.happens(faults.recording_absent, "recording absent", ordinal)
        is_short = recording.recorded_ms < faults.recording_ms_min
        recording.status = ABSENT if is_absent or is_short else COMPLETED
        recording.updated_ms = self._exchange.clock.now_ms()
        self._exchange.reports.of_recording(recording)
