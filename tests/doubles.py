"""The only two things that tests replace: the clock and the telephone company."""

import asyncio
import heapq
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from config.clock import Clock
from config.telephony import (
    LEGS_MAX,
    Audio,
    Direction,
    LegFacts,
    LegGone,
    LegStatus,
    RecordingFacts,
    RecordingStatus,
)

MONDAY_0900_MS = 1_795_395_600_000  # 2026-11-23T01:00:00Z, nine in the morning in Shanghai
GOOD_SIGNATURE = "signed"


class ManualClock(Clock):
    """Stands still until it is told how much time passes."""

    def __init__(self, now_ms: int = MONDAY_0900_MS) -> None:
        super().__init__(now_ms, now_ms, 1)
        self._now_ms = now_ms
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now_ms(self) -> int:
        return self._now_ms

    def advance(self, for_ms: int) -> None:
        """Let time pass; whoever slept until then wakes when the loop next runs."""
        assert for_ms >= 0, "time does not go back"
        self._now_ms += for_ms
        while self._sleepers and self._sleepers[0][0] <= self._now_ms:
            sleeper = heapq.heappop(self._sleepers)[2]
            if not sleeper.done():
                sleeper.get_loop().call_soon_threadsafe(_wake, sleeper)

    async def pass_by(self, for_ms: int, settle_turns: int = 5) -> None:
        """The same in steps, a second at most, stopping at every instant somebody sleeps until.

        Who wakes gets a few turns of the loop to act in; what waits for a store needs waiting for besides.
        """
        end_ms = self._now_ms + for_ms
        while self._now_ms < end_ms:
            next_ms = min([end_ms, self._now_ms + 1000, *(due for due, _, _ in self._sleepers[:1])])
            self.advance(max(0, next_ms - self._now_ms))
            for _ in range(settle_turns):
                await asyncio.sleep(0)

    async def sleep(self, for_ms: float) -> None:
        if for_ms <= 0:
            await asyncio.sleep(0)
            return
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now_ms + round(for_ms), next(self._order), sleeper))
        await sleeper


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)


@dataclass(frozen=True, kw_only=True)
class Placed:
    """One leg that we asked for."""

    leg_id: str
    to: str
    from_: str
    url: str
    status_url: str
    timeout_s: int
    fallback_url: str | None


@dataclass
class TelephonyDouble:
    """Notes what it is asked and does it, in its own books; follows config.telephony.Telephony.

    ``fail("pull", LegGone(...))`` makes the next call of that name raise, ``times=3`` the next three.
    ``known`` holds the legs that exist: ``arrive(leg_id)`` adds a caller's, ``place`` an agent's.
    """

    clock: Clock | None = None
    placed: list[Placed] = field(default_factory=list)
    redirected: list[tuple[str, str]] = field(default_factory=list)  # leg_id, url
    hung_up: list[str] = field(default_factory=list)  # leg_id, as often as asked
    opened: list[str] = field(default_factory=list)  # queue_name, as often as asked
    pulled: list[tuple[str, str, str]] = field(default_factory=list)  # queue_name, leg_id, url
    recorded: list[tuple[str, str]] = field(default_factory=list)  # leg_id, status_url
    paused: list[str] = field(default_factory=list)  # recording_id
    resumed: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    texts: list[tuple[str, str, str]] = field(default_factory=list)  # to, from_, body
    held: list[tuple[str, str, bool]] = field(default_factory=list)  # conference, leg_id, on
    known: dict[str, LegFacts] = field(default_factory=dict)
    recordings: dict[str, RecordingFacts] = field(default_factory=dict)
    audio: dict[str, Audio] = field(default_factory=dict)
    is_closed: bool = False
    _failures: dict[str, list[Exception]] = field(default_factory=dict)

    # What the test says.

    def fail(self, name: str, error: Exception, times: int = 1) -> None:
        self._failures.setdefault(name, []).extend([error] * times)

    def arrive(self, leg_id: str, *, from_: str = "+8613800138000", to: str = "+8657195598000") -> LegFacts:
        """A caller's leg comes in."""
        return self._keep(
            leg_id, to=to, from_=from_, direction=Direction.INBOUND, status=LegStatus.IN_PROGRESS
        )

    def set_leg(self, leg_id: str, status: LegStatus) -> None:
        self.known[leg_id] = replace(
            self.known[leg_id], status=status, ended_ms=self._now_ms() if status.is_over else None
        )

    def set_recording(self, recording_id: str, status: RecordingStatus, **facts: Any) -> None:
        self.recordings[recording_id] = replace(self.recordings[recording_id], status=status, **facts)

    # What the house asks.

    async def place(
        self,
        *,
        to: str,
        from_: str,
        url: str,
        status_url: str,
        timeout_s: int,
        fallback_url: str | None = None,
    ) -> str:
        self._answer("place")
        leg_id = f"CAagent{len(self.placed) + 1:04d}"
        self.placed.append(
            Placed(
                leg_id=leg_id,
                to=to,
                from_=from_,
                url=url,
                status_url=status_url,
                timeout_s=timeout_s,
                fallback_url=fallback_url,
            )
        )
        self._keep(leg_id, to=to, from_=from_, direction=Direction.OUTBOUND, status=LegStatus.QUEUED)
        return leg_id

    async def redirect(self, leg_id: str, url: str) -> None:
        self._answer("redirect")
        self._demand(leg_id)
        self.redirected.append((leg_id, url))

    async def hang_up(self, leg_id: str) -> None:
        self._answer("hang_up")
        self.hung_up.append(leg_id)
        if leg_id in self.known and not self.known[leg_id].status.is_over:
            self.set_leg(leg_id, LegStatus.COMPLETED)

    async def open_queue(self, queue_name: str) -> None:
        self._answer("open_queue")
        self.opened.append(queue_name)

    async def pull(self, queue_name: str, leg_id: str, url: str) -> None:
        self._answer("pull")
        self._demand(leg_id)
        if any(pulled == leg_id for _, pulled, _ in self.pulled):
            raise LegGone(404, 20404, "not in the queue any more")
        self.pulled.append((queue_name, leg_id, url))

    async def record(self, leg_id: str, status_url: str) -> str:
        self._answer("record")
        self._demand(leg_id)
        recording_id = f"RE{len(self.recorded) + 1:04d}"
        self.recorded.append((leg_id, status_url))
        self.recordings[recording_id] = RecordingFacts(
            recording_id=recording_id,
            leg_id=leg_id,
            status=RecordingStatus.IN_PROGRESS,
            channels=2,
            started_ms=self._now_ms(),
        )
        return recording_id

    async def pause_recording(self, leg_id: str, recording_id: str) -> None:
        self._answer("pause_recording")
        self.paused.append(recording_id)
        self.set_recording(recording_id, RecordingStatus.PAUSED)

    async def resume_recording(self, leg_id: str, recording_id: str) -> None:
        self._answer("resume_recording")
        self.resumed.append(recording_id)
        self.set_recording(recording_id, RecordingStatus.IN_PROGRESS)

    async def stop_recording(self, leg_id: str, recording_id: str) -> None:
        self._answer("stop_recording")
        self.stopped.append(recording_id)
        self.set_recording(recording_id, RecordingStatus.STOPPED)

    async def recordings_of(self, leg_id: str) -> tuple[RecordingFacts, ...]:
        self._answer("recordings_of")
        return tuple(facts for facts in self.recordings.values() if facts.leg_id == leg_id)

    async def fetch_audio(self, recording_id: str) -> Audio:
        self._answer("fetch_audio")
        self.fetched.append(recording_id)
        return self.audio.get(recording_id, Audio(content=b"RIFF", content_type="audio/x-wav", channels=2))

    async def delete_recording(self, recording_id: str) -> None:
        self._answer("delete_recording")
        self.deleted.append(recording_id)
        self.recordings.pop(recording_id, None)

    async def leg(self, leg_id: str) -> LegFacts | None:
        self._answer("leg")
        return self.known.get(leg_id)

    async def legs(
        self,
        *,
        to: str | None = None,
        from_: str | None = None,
        status: LegStatus | None = None,
        since_ms: int | None = None,
        created_since_ms: int | None = None,
        limit: int = LEGS_MAX,
    ) -> tuple[LegFacts, ...]:
        self._answer("legs")
        found = tuple(
            leg
            for leg in self.known.values()
            if to in (None, leg.to)
            and from_ in (None, leg.from_)
            and status in (None, leg.status)
            and (since_ms is None or (leg.started_ms or 0) >= since_ms)
            and (created_since_ms is None or (leg.created_ms or 0) >= created_since_ms)
        )
        return found[-limit:]

    async def hold(self, conference: str, leg_id: str, on: bool, url: str = "") -> None:
        self._answer("hold")
        assert url or not on, "he hears our own tone"
        self.held.append((conference, leg_id, on))

    async def send_text(self, *, to: str, from_: str, body: str) -> str:
        self._answer("send_text")
        self.texts.append((to, from_, body))
        return f"SM{len(self.texts):04d}"

    def is_signed(
        self, url: str, params: Mapping[str, str] | Sequence[tuple[str, str]], signature: str
    ) -> bool:
        return signature == GOOD_SIGNATURE

    async def close(self) -> None:
        self.is_closed = True

    def _answer(self, name: str) -> None:
        if failures := self._failures.get(name):
            raise failures.pop(0)

    def _demand(self, leg_id: str) -> None:
        if leg_id in self.known and self.known[leg_id].status.is_over:
            raise LegGone(404, 20404, "the leg has ended")

    def _keep(self, leg_id: str, *, to: str, from_: str, direction: Direction, status: LegStatus) -> LegFacts:
        facts = LegFacts(
            leg_id=leg_id,
            to=to,
            from_=from_,
            status=status,
            direction=direction,
            created_ms=self._now_ms(),
            started_ms=self._now_ms(),
        )
        self.known[leg_id] = facts
        return facts

    def _now_ms(self) -> int:
        return self.clock.now_ms() if self.clock else MONDAY_0900_MS


class PlainRoutes:
    """Names for config.links where no front door is built: "voice_wait" is at /voice_wait."""

    def url_path_for(self, name: str, /, **path_params: object) -> str:
        return "/" + "/".join([name, *(str(value) for value in path_params.values())])
