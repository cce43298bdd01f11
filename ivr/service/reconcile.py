"""Comparing the provider's calls and recordings with ours, and filling what we missed.

The provider's list is the witness for what we never heard of: a call that came while we were away, an end
or a recording whose callback was lost. What must hold: only what is over is filled in (a call in progress
comes back to us by its fallback document), everything goes through the same commands as a webhook, and
doing it again, or at the same time as a late webhook, changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from config import numbers
from config.log import get_log
from config.runtime import Runtime
from config.telephony import Direction, LegFacts, LegStatus, RecordingFacts, RecordingStatus, TelephonyError
from queues.clockwork import Chore
from queues.domain.calls import CallState
from queues.domain.journal import LineType
from queues.service import calls
from queues.service.calls import CallStory
from queues.service.switchboard import Switchboard
from recordings.domain.recordings import EVENTS, Kind, Recording, RecordingState, next_state
from recordings.service import recordings

log = get_log(__name__)

WITHHELD: Final = "withheld"
LOOK_BACK_MS: Final = 24 * 3600 * 1000
LOOK_BACK_AGAIN_MS: Final = 3600 * 1000
UNKNOWN_AFTER_MS: Final = 3600 * 1000
SETTLED_AFTER_S: Final = 15.0  # real: a webhook that is under way gets there first
ASKED_MAX: Final = 200  # one request each
UNENDED_MAX: Final = 10_000

LINES: Final[Mapping[RecordingStatus, LineType]] = {
    RecordingStatus.COMPLETED: LineType.RECORDING_COMPLETED,
    RecordingStatus.ABSENT: LineType.RECORDING_ABSENT,
}
# From here on it is a message that is recorded, or a talk.
TURNS: Final = frozenset({LineType.CALL_DIVERTED, LineType.CALL_CONNECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What had been missed and was filled in."""

    arrived: int = 0
    ended: int = 0
    recordings: int = 0

    @property
    def count(self) -> int:
        return self.arrived + self.ended + self.recordings


async def reconcile(runtime: Runtime, since_ms: int | None = None) -> Findings:
    """One comparison over the calls since this instant (a day, when it is not said)."""
    now_ms = runtime.clock.now_ms()
    from_ms = now_ms - LOOK_BACK_MS if since_ms is None else since_ms
    settled_ms = now_ms - runtime.clock.product_ms(SETTLED_AFTER_S)
    switchboard = Switchboard(runtime)
    legs = await inbound_legs(runtime, from_ms)
    over = [leg for leg in legs.values() if is_settled(leg, settled_ms)]
    over += await unlisted(runtime, legs, settled_ms)
    arrived, ended = await fill_calls(runtime, switchboard, over)
    filled = await fill_recordings(runtime, switchboard, from_ms, settled_ms)
    findings = Findings(arrived=arrived, ended=ended, recordings=filled)
    if findings.count:
        log.warning("reconcile.filled", arrived=arrived, ended=ended, recordings=filled)
    return findings


def is_settled(leg: LegFacts, before_ms: int) -> bool:
    """Over for long enough that its webhooks are not on their way."""
    return leg.status.is_over and (leg.ended_ms or leg.started_ms or 0) <= before_ms


async def inbound_legs(runtime: Runtime, since_ms: int) -> dict[str, LegFacts]:
    """The provider's calls to our numbers, by id."""
    found: dict[str, LegFacts] = {}
    for number in runtime.settings.hotline_numbers.values():
        for leg in await runtime.telephony.legs(to=number, since_ms=since_ms):
            if leg.direction is Direction.INBOUND:
                found[leg.leg_id] = leg
    return found


async def unlisted(runtime: Runtime, listed: Mapping[str, LegFacts], before_ms: int) -> list[LegFacts]:
    """Calls of ours without an end that the list does not name, and that prove to be over when asked for."""
    found = []
    without_end = await calls.unended(runtime, before_ms, UNENDED_MAX)
    for call_id, arrived_ms in [each for each in without_end if each[0] not in listed][:ASKED_MAX]:
        leg = await runtime.telephony.leg(call_id)
        if leg is None and arrived_ms < before_ms - UNKNOWN_AFTER_MS:
            found.append(unknown_leg(call_id))
        elif leg is not None and leg.status.is_over:
            found.append(leg)
    return found


def unknown_leg(call_id: str) -> LegFacts:
    """A call that the provider knows nothing of, long after it came: it cannot be going on."""
    return LegFacts(leg_id=call_id, to="", from_="", status=LegStatus.COMPLETED, direction=Direction.INBOUND)


async def fill_calls(runtime: Runtime, switchboard: Switchboard, over: Sequence[LegFacts]) -> tuple[int, int]:
    """Calls that are over at the provider: those we never saw, and those we think are going on."""
    known = await calls.states_of(runtime, [leg.leg_id for leg in over])
    arrived = ended = 0
    for leg in over:
        state = known.get(leg.leg_id)
        if state == CallState.ENDED:
            continue
        live = await switchboard.read_call(call_id=leg.leg_id)
        if live is not None and (live.state is CallState.ENDED or live.callback):
            continue  # the scribe has not come to it yet
        if live is None and state is None:
            await arrive_late(runtime, switchboard, leg)
            arrived += 1
        else:
            ended += 1
        await switchboard.append_line(
            type=LineType.CALL_RECONCILED,
            call_id=leg.leg_id,
            data=told_late(leg, is_lost=live is None and state is not None),
        )
        await switchboard.end_call(call_id=leg.leg_id, by="system")
    return arrived, ended


async def arrive_late(runtime: Runtime, switchboard: Switchboard, leg: LegFacts) -> None:
    """The call that nobody told us of, as if it had come in now."""
    lines = {number: line for line, number in runtime.settings.hotline_numbers.items()}
    number = numbers.parse(leg.from_, runtime.settings.default_region) or ""
    key = numbers.number_key(runtime.settings.secret_key, number) if number else ""
    await switchboard.arrive(
        call_id=leg.leg_id,
        line=lines.get(leg.to, ""),
        caller_ref=key or WITHHELD,
        number=number,
        number_key=key,
    )


def told_late(leg: LegFacts, *, is_lost: bool) -> dict[str, Any]:
    """The provider's instants. A call that the live store has lost is ended by this line alone."""
    told: dict[str, Any] = {"arrived_ms": leg.started_ms, "ended_ms": leg.ended_ms, "is_ended": is_lost}
    return {name: value for name, value in told.items() if value is not None}


async def fill_recordings(runtime: Runtime, switchboard: Switchboard, from_ms: int, until_ms: int) -> int:
    """Recordings whose callback never came, of calls that have ended."""
    filled = 0
    for call_id in await recordings.unsettled_calls(runtime, from_ms, until_ms, ASKED_MAX):
        facts = await runtime.telephony.recordings_of(call_id)
        ours = {each.recording_id: each for each in await recordings.of_call(runtime, call_id)}
        for each in facts:
            line = LINES.get(each.status)
            if line is not None and is_news(ours.get(each.recording_id), line):
                await switchboard.append_line(type=line, call_id=call_id, data=await told_of(runtime, each))
                filled += 1
    return filled


def is_news(recording: Recording | None, line: LineType) -> bool:
    """Whether the line would move our row."""
    return recording is None or next_state(RecordingState(recording.state), EVENTS[line]) is not None


def kind_of(story: CallStory | None, started_ms: int | None) -> Kind:
    """A message is what began after he was sent to leave one, also when somebody had talked with him before."""
    if story is None or story.call.answered_ms is None:
        return Kind.VOICEMAIL
    before = [line for line in story.lines if started_ms is not None and line.at_ms <= started_ms]
    turn = next((line for line in reversed(before) if line.type in TURNS), None)
    is_message = turn is not None and turn.type == LineType.CALL_DIVERTED
    return Kind.VOICEMAIL if is_message else Kind.CALL


async def told_of(runtime: Runtime, facts: RecordingFacts) -> dict[str, Any]:
    story = await calls.find_call(runtime, facts.leg_id)
    told: dict[str, Any] = {
        "recording_id": facts.recording_id,
        "kind": kind_of(story, facts.started_ms).value,
        "channels": facts.channels,
        "started_ms": facts.started_ms,
        "duration_s": facts.duration_s,
    }
    return {name: value for name, value in told.items() if value is not None}


@dataclass
class Reconciliation:
    """The chore of the clock process: a day back at first, then an hour."""

    since_for_ms: int = LOOK_BACK_MS

    async def run(self, runtime: Runtime) -> int:
        """A provider that is away is asked again next time."""
        try:
            findings = await reconcile(runtime, runtime.clock.now_ms() - self.since_for_ms)
        except TelephonyError as fault:
            log.warning("reconcile.provider_away", fault=type(fault).__name__, why=str(fault))
            return 0
        self.since_for_ms = LOOK_BACK_AGAIN_MS
        return findings.count


def own_chores() -> tuple[Chore, ...]:
    return (Chore("reconcile", 20.0, Reconciliation().run),)
