"""The whole telephone company in one process: numbers and phones, calls, queues, conferences, recordings.

REST and the pages are thin over it. What happens to a call happens here in one synchronous step (its
status, its place in a queue or a conference, the callbacks); the leg's own task learns of it afterwards, by
its inbox.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping

from config.clock import Clock
from ivr.standin import interpreter, outgoing
from ivr.standin.bins import Bins
from ivr.standin.callbacks import Callbacks
from ivr.standin.calls import (
    COMPLETED,
    FAILED,
    IN_PROGRESS,
    QUEUED,
    RINGING,
    Call,
    Subscription,
)
from ivr.standin.chance import Chance
from ivr.standin.conferences import Conference, Conferences
from ivr.standin.enquiries import Enquiries
from ivr.standin.faults import Faults
from ivr.standin.gate import Gate
from ivr.standin.handsets import Handset, Registration, Registrations, address_of
from ivr.standin.inbox import Gone, Inbox, Redirected, Target
from ivr.standin.leg_line import LegLine
from ivr.standin.notifications import Notifications
from ivr.standin.options import Line, Options
from ivr.standin.queues import Queue, Queues
from ivr.standin.recordings import Recordings
from ivr.standin.reports import Reports
from ivr.standin.sids import new_sid
from ivr.standin.sounds import Sounds
from ivr.standin.stage import Place, no_params
from ivr.standin.tapes import Tapes
from ivr.standin.twiml import Document
from ivr.standin.webhooks import Postman


class Exchange:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.clock: Clock = options.clock
        self.account_sid = options.account_sid
        self.numbers: dict[str, Line] = dict(options.numbers)
        self.chance = Chance(options.seed)
        self.faults = Faults()
        self.faults.update(options.faults)
        self.base_url = options.public_url
        self.postman = Postman(options.auth_token)
        self.notifications = Notifications()
        self.callbacks = Callbacks(
            self.clock, self.faults, self.chance, self.postman, self._complain_of_callback
        )
        self.sounds = Sounds(self.postman, self.faults, self._complain_of_sound)
        self.bins = Bins(options.bins)
        self.calls: dict[str, Call] = {}
        self.live_calls: dict[str, Call] = {}
        self.queues = Queues()
        self.conferences = Conferences(self._attend_conference)
        self.recordings = Recordings()
        self.enquiries = Enquiries(self)
        self.reports = Reports(self)
        self.tapes = Tapes(self)
        self.registrations = Registrations()
        self.slots = outgoing.Slots(options.cps)
        self.gate = Gate()
        self.texts: list[tuple[str, str, str]] = []  # to, from, body
        self.application_errors = 0
        self.ended: Counter[str] = Counter()
        self._over: deque[Call] = deque()
        self._ordinal = 0
        self._timers: dict[str, asyncio.TimerHandle] = {}

    async def open(self) -> None:
        await self.postman.open()

    async def close(self) -> None:
        """Stop every leg where it stands; nothing more is sent."""
        tasks = [call.task for call in self.live_calls.values() if call.task is not None]
        for timer in self._timers.values():
            timer.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.callbacks.close()
        await self.sounds.close()
        await self.postman.close()

    def dial(self, from_: str, to: str) -> Handset:
        """An outside caller rings one of the account's numbers."""
        line = self.numbers.get(to)
        call = self.new_call(from_, to, "inbound")
        handset = self.give_handset(call)
        call.move(RINGING, self.clock.now_ms())
        handset.hear("ringing", to)
        if line is None or not line.voice_url:
            self.end_call(call, FAILED)
            return handset
        call.fallback = Target(line.fallback_url, line.fallback_method) if line.fallback_url else None
        call.subscription = Subscription(line.status_url, line.status_method) if line.status_url else None
        self.start(call, self.live(call, Target(line.voice_url, line.voice_method)))
        return handset

    def register(self, identity: str) -> Registration:
        """A phone that rings at ``client:<identity>``, or at the number or SIP address given."""
        return self.registrations.register(address_of(identity), self.faults.registrations_max)

    def handset(self, sid: str) -> Handset | None:
        call = self.calls.get(sid)
        return None if call is None else call.handset

    def new_call(self, from_: str, to: str, direction: str, parent_sid: str | None = None) -> Call:
        self._ordinal += 1
        now_ms = self.clock.now_ms()
        call = Call(new_sid("CA"), self._ordinal, from_, to, direction, Inbox(self.clock), now_ms, parent_sid)
        self.calls[call.sid] = self.live_calls[call.sid] = call
        return call

    def give_handset(self, call: Call) -> Handset:
        call.handset = Handset(call.sid, call.from_, call.to, LegLine(self, call), self.clock.now_ms)
        return call.handset

    def start(self, call: Call, life: "outgoing.Life") -> None:
        call.task = asyncio.ensure_future(self._live_out(call, life))

    def place(self, call: Call, first: Target | Document) -> None:
        """An outgoing call by REST: it waits for its slot, rings, and on answer carries out a document."""
        self.start(call, outgoing.live_outgoing(self, call, first))

    async def live(self, call: Call, source: Target | Document) -> None:
        """What remains of an answered call, beginning with a document."""
        await interpreter.live(self, call, source)

    async def carry_out(
        self, call: Call, target: Target, place: Place, params: Callable[[], Mapping[str, str]] = no_params
    ) -> None:
        """A document inside what a verb is doing."""
        await interpreter.carry_out(self, call, target, place, params)

    def answer(self, call: Call) -> None:
        """The exchange takes an incoming call off the hook; no more than once."""
        if call.status != RINGING or call.direction != "inbound":
            return
        self.connect(call)

    def connect(self, call: Call) -> None:
        """A leg is up."""
        if not call.move(IN_PROGRESS, self.clock.now_ms()):
            return
        call.hear("answered")
        self.reports.of_call(call, "answered")
        if call.recording is not None:
            wish = call.recording
            self.tapes.record_call(
                call, channels=wish.channels, source=wish.source, subscription=wish.subscription
            )
        limit_s = self.clock.real_s(call.time_limit_s * 1000)
        loop = asyncio.get_running_loop()
        self._timers[call.sid] = loop.call_later(limit_s, self.end_call, call, COMPLETED)

    def end_call(self, call: Call, status: str, sip_code: str | None = None) -> bool:
        """The leg is over, whatever it was doing; the second end of a call changes nothing."""
        is_unheard_of = call.status == QUEUED and not call.is_initiated
        if not call.move(status, self.clock.now_ms()):
            return False
        call.sip_code = sip_code
        self.live_calls.pop(call.sid, None)
        self.ended[status] += 1
        self._remember(call)
        timer = self._timers.pop(call.sid, None)
        if timer is not None:
            timer.cancel()
        self.detach(call, "hangup", "participant_hung_up")
        for recording in self.recordings.running(call.sid):
            self.tapes.stop(recording)
        if not is_unheard_of:
            self.reports.of_call(call, "completed")
        call.hear("ended", status)
        call.inbox.put(Gone())
        return True

    def hang_up(self, call: Call) -> None:
        """End a call at whatever stage it is."""
        self.end_call(call, COMPLETED if call.status == IN_PROGRESS else "canceled")

    def redirect(self, call: Call, source: Target | Document) -> bool:
        """Another document for a call in progress; False for any other call."""
        if call.status != IN_PROGRESS:
            return False
        self.detach(call, "redirected", "participant_updated_via_api")
        call.inbox.put(Redirected(source))
        return True

    def detach(self, call: Call, queue_result: str, conference_reason: str) -> None:
        """Take a leg out of the queue or conference it is in; what follows tells it."""
        now_ms = self.clock.now_ms()
        if call.member is not None:
            call.member.queue.remove(call.member, queue_result, now_ms)
        if call.participant is not None:
            call.participant.conference.leave(call.participant, conference_reason, now_ms, knows=True)

    def _remember(self, call: Call) -> None:
        """Ended calls stay in the lists until there are too many of them."""
        self._over.append(call)
        if len(self._over) > self.options.ended_calls_max:
            self.forget(self._over.popleft())

    def forget(self, call: Call) -> None:
        self.calls.pop(call.sid, None)

    def _attend_conference(self, conference: Conference, event: str, facts: dict[str, str]) -> None:
        """What a conference's event brings about, and then who is told of it."""
        begins = event == self.faults.conference_recording_from and not self.recordings.of(conference.sid)
        if begins and conference.record_from_start:
            self.tapes.record_conference(conference)
        if event == "leave" and len(conference.participants) == 1:
            [alone] = conference.participants.values()
            if self.faults.last_participant_hears == "music":
                alone.call.hear("played", "music")
        if event == "end":
            for recording in self.recordings.running(conference.sid):
                self.tapes.stop(recording)
        self.reports.of_conference(conference, event, facts)

    def open_queue(self, name: str, max_size: int | None = None) -> Queue:
        """The queue of that name, made when there is none."""
        found = self.queues.named(name)
        if found is None:
            found = self.queues.create(name, max_size or self.faults.queue_size_default, self.clock.now_ms())
        return found

    def complain(
        self, call: Call | None, code: int, message: str, *, log: int = 0, url: str = "", method: str = ""
    ) -> None:
        self.notifications.add(
            code,
            message,
            at_ms=self.clock.now_ms(),
            call_sid=call.sid if call else None,
            log=log,
            request_url=url,
            request_method=method,
        )

    def _complain_of_callback(
        self, code: int, message: str, url: str, method: str, about: str | None
    ) -> None:
        self.complain(
            self.calls.get(about or ""), code, message, log=1 if code == 15003 else 0, url=url, method=method
        )

    def _complain_of_sound(self, call: Call, code: int, message: str, url: str) -> None:
        self.complain(call, code, message, url=url, method="GET")

    async def _live_out(self, call: Call, life: "outgoing.Life") -> None:
        try:
            await life
        except Gone:
            pass
        except Exception as fault:
            self.complain(call, 12400, f"Internal failure: {fault!r}")
            self.end_call(call, FAILED)
            raise
