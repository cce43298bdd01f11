"""Recordings: started, paused, stopped, and some time later completed or absent.

Durations are product time without the pauses that were skipped. A recording is completed once, a while
after it stopped; only then does its sound exist. Several may run on one call at once, as on the provider's.
"""

from dataclasses import dataclass, field

from ivr.standin.calls import Lane, Subscription
from ivr.standin.dates import rfc2822
from ivr.standin.sids import new_sid

IN_PROGRESS, PAUSED, STOPPED, PROCESSING = "in-progress", "paused", "stopped", "processing"
COMPLETED, ABSENT = "completed", "absent"
RUNNING = frozenset({IN_PROGRESS, PAUSED})


@dataclass(eq=False)
class Recording:
    sid: str
    ordinal: int
    call_sid: str | None
    conference_sid: str | None
    channels: int
    track: str
    source: str
    started_ms: int
    subscription: Subscription | None = None
    name: str = ""
    status: str = IN_PROGRESS
    updated_ms: int = 0
    recorded_ms: int = 0
    resumed_ms: int | None = None
    skips_pauses: bool = False
    is_deleted: bool = False
    lane: Lane = field(default_factory=Lane)

    @property
    def is_running(self) -> bool:
        return self.status in RUNNING

    @property
    def duration_s(self) -> int | None:
        return max(1, round(self.recorded_ms / 1000)) if self.status == COMPLETED else None

    def pause(self, now_ms: int, *, skip: bool) -> None:
        self._count(now_ms)
        self.status, self.updated_ms, self.skips_pauses = PAUSED, now_ms, skip
        self.resumed_ms = None if skip else now_ms

    def resume(self, now_ms: int) -> None:
        self._count(now_ms)
        self.status, self.updated_ms, self.resumed_ms = IN_PROGRESS, now_ms, now_ms

    def stop(self, now_ms: int) -> None:
        self._count(now_ms)
        self.status, self.updated_ms, self.resumed_ms = PROCESSING, now_ms, None

    def _count(self, now_ms: int) -> None:
        if self.resumed_ms is not None:
            self.recorded_ms += now_ms - self.resumed_ms

    def callback_params(self, account_sid: str, url: str) -> dict[str, str]:
        params = {
            "AccountSid": account_sid,
            "RecordingSid": self.sid,
            "RecordingUrl": url,
            "RecordingStatus": self.status,
            "RecordingChannels": str(self.channels),
            "RecordingStartTime": rfc2822(self.started_ms) or "",
            "RecordingSource": self.source,
            "RecordingTrack": self.track,
            "ErrorCode": "0",
        }
        if self.call_sid is not None:
            params["CallSid"] = self.call_sid
        if self.conference_sid is not None:
            params["ConferenceSid"] = self.conference_sid
        if self.duration_s is not None:
            params["RecordingDuration"] = str(self.duration_s)
        return params

    def as_json(self, account_sid: str, base_url: str) -> dict[str, object]:
        uri = f"/2010-04-01/Accounts/{account_sid}/Recordings/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": account_sid,
            "api_version": "2010-04-01",
            "call_sid": self.call_sid,
            "conference_sid": self.conference_sid,
            "channels": self.channels,
            "track": self.track,
            "source": self.source,
            "status": self.status,
            "date_created": rfc2822(self.started_ms),
            "date_updated": rfc2822(self.updated_ms or self.started_ms),
            "start_time": rfc2822(self.started_ms),
            "duration": None if self.duration_s is None else str(self.duration_s),
            "error_code": None,
            "price": None,
            "price_unit": "USD",
            "encryption_details": None,
            "media_url": base_url + uri,
            "uri": f"{uri}.json",
            "subresource_uris": {
                "add_on_results": f"{uri}/AddOnResults.json",
                "transcriptions": f"{uri}/Transcriptions.json",
            },
        }


class Recordings:
    def __init__(self) -> None:
        self.by_sid: dict[str, Recording] = {}
        self._by_source: dict[str | None, list[Recording]] = {}

    def start(
        self,
        *,
        channels: int,
        source: str,
        now_ms: int,
        call_sid: str | None = None,
        conference_sid: str | None = None,
        track: str = "both",
        subscription: Subscription | None = None,
        name: str = "",
    ) -> Recording:
        recording = Recording(
            new_sid("RE"),
            len(self.by_sid) + 1,
            call_sid,
            conference_sid,
            channels,
            track,
            source,
            now_ms,
            subscription,
            name,
            resumed_ms=now_ms,
        )
        self.by_sid[recording.sid] = recording
        self._by_source.setdefault(call_sid or conference_sid, []).append(recording)
        return recording

    def running(self, sid: str) -> list[Recording]:
        """Those that still run on a call or a conference."""
        return [recording for recording in self._by_source.get(sid, ()) if recording.is_running]

    def of(self, sid: str) -> list[Recording]:
        """All of a call or a conference that have not been deleted."""
        return [recording for recording in self._by_source.get(sid, ()) if not recording.is_deleted]
