"""What a caller or an agent hears at each state of a call, made from the site's words alone.

Nothing here asks anybody: every document follows from the plan, the menu and the values handed in, so the
safe document can be made when no store answers, and the same question always gets the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from ivr.domain.nodes import Menu, VoicemailNode
from ivr.domain.steps import Messaging, Queueing, Session, Step, Transferring, place_of
from ivr.domain.texts import spelled
from ivr.domain.verbs import (
    Address,
    DialConference,
    DialNumber,
    Document,
    Enqueue,
    Gather,
    Hangup,
    Leave,
    Pause,
    Play,
    Prompt,
    Record,
    Redirect,
    Say,
    Verb,
    address,
)
from ivr.domain.walk import speak
from queues.domain.announcing import Announce, Told, spoken_ahead, spoken_wait
from queues.domain.parts import Words, in_locale
from queues.domain.plan import Plan

PLAY_MS = 10_000
HOLD_PLAYS = 2
SPEAK_EVERY_ROUNDS = 3
ACCEPT_KEY = "1"
BUSY_PAUSE_S = 5
DIAL_S_MIN = 5  # the provider rings no shorter
BUSY_TRIES_MAX = 20
MESSAGE_LONGEST_MS = 120_000
RESUME_PAUSE_S = 2  # longer each time: a provider's queue that is full for a moment gets room again
RESUMES_MAX = 5  # how often a caller whom the provider's queue refused is sent back to us


class Offering(Enum):
    """Whether a caller who waits may ask to be called back, and whether he has heard that he may."""

    NO = 0
    NEW = 1
    KNOWN = 2


@dataclass(frozen=True, slots=True)
class Documents:
    plan: Plan
    menu: Menu
    duty_number: str | None = None
    of_call: str = ""  # whose called-back customer hears this, on a leg of its own; "" = the leg is the call

    # The caller's side

    def on_leg_of(self, call_id: str, leg_id: str) -> Documents:
        """The documents of a caller, for the leg he is on; empty: the one he came with."""
        return replace(self, of_call=call_id) if leg_id else self

    def of_step(self, step: Step, call_id: str) -> Document:
        """What the menu says, and where it leaves the caller."""
        session = step.session
        match step.side:
            case None:
                return step.verbs
            case Queueing():
                return (*step.verbs, self.enqueue(session.locale))
            case Messaging(longest_ms=longest_ms):
                return (*step.verbs, *self.record(call_id, session, longest_ms))
            case Transferring(number=number, ring_ms=ring_ms):
                return (*step.verbs, self.dial_out(session, number, ring_ms))
            case _:
                return (*step.verbs, Hangup())

    def enqueue(self, locale: str, tries: int = 0) -> Enqueue:
        place = self._place({"l": locale, **({"r": tries} if tries else {})})
        wait = address("voice_wait", query=self._place({"l": locale, "n": int(bool(self.of_call))}))
        return Enqueue(self.plan.provider_queue, address("voice_left_queue", query=place), wait)

    def requeue(self, locale: str) -> Document:
        """Back among the waiting, at the old place."""
        return (self._say(self.menu.phrases.place_kept, locale), self.enqueue(locale))

    def reached(self, locale: str) -> Document:
        """To whom we called back, and who has pressed the key: no agent is there yet, and he waits at his place."""
        return (self._say(self.menu.phrases.connecting, locale), self.enqueue(locale))

    def put_through(self, locale: str) -> Document:
        """An agent has passed him on: among the waiting of another queue, at the old place."""
        words = self.menu.phrases.put_through or self.menu.phrases.connecting
        return (self._say(words, locale), self.enqueue(locale))

    def wait(
        self,
        *,
        queue: str,
        ticket_no: str,
        position: int,
        locale: str,
        round_no: int,
        access_code: str = "",
        told: Told | None = None,
        callback: Offering = Offering.NO,
    ) -> Document:
        """One round of waiting. What is told of the place never gets worse; `told` is from this round, or before."""
        said: list[Verb] = []
        words = self.plan.queues[queue].wait_prompt if queue in self.plan.queues else None
        if round_no == 0 and words:
            values = {
                "ticket_no": spelled(ticket_no),
                "access_code": spelled(access_code),
                "position": str(max(position, 1)),
                "ahead": spoken_ahead(max(position, 1) - 1, locale),
            }
            said.append(self._say(words, locale, values))
        if self.plan.announce and told is not None and told.round_no == round_no:
            said += self._announced(self.plan.announce, told, locale)
        elif round_no and round_no % SPEAK_EVERY_ROUNDS == 0 and not (self.plan.announce and told):
            said.append(self._say(self.menu.phrases.still_waiting, locale))
        if callback is not Offering.NO and (offer := self.menu.phrases.callback_offer):
            is_new = callback is Offering.NEW or round_no % SPEAK_EVERY_ROUNDS == 0
            spoken = (self._say(offer, locale),) if is_new else ()
            place: dict[str, str | int] = {"l": locale, "n": round_no + 1}
            asked = Gather((*spoken, *self._hold(round_no)), address("voice_callback", query=place), 1)
            return (*said, asked, self._wait_again(locale, round_no, is_offered=True))
        return (*said, *self._hold(round_no), self._wait_again(locale, round_no))

    def _announced(self, announce: Announce, told: Told, locale: str) -> list[Say]:
        """How many are ahead of him, and how long it may take, if that is known."""
        ahead = max(told.position, 1) - 1
        values = {"ahead": spoken_ahead(ahead, locale), "position": str(ahead + 1)}
        said = [self._say(announce.ahead if ahead else announce.next_in_line, locale, values)]
        if announce.wait and told.range.is_known:
            wait = {"wait": spoken_wait(told.range, locale)}
            said.append(self._say(announce.wait, locale, {**values, **wait}))
        return said

    def promised(self, locale: str) -> Document:
        """He may hang up: we call him."""
        phrases = self.menu.phrases
        return (self._say(phrases.callback_promised or phrases.goodbye, locale), Hangup())

    def call_back(self, offer_id: str, locale: str, *, gave_up: bool = False) -> Document:
        """To whoever lifted the customer's phone: who calls and why, and the key that shows that it is he."""
        phrases = self.menu.phrases
        why = phrases.gave_up_greeting if gave_up else phrases.callback_greeting
        greeting = self._say(why or phrases.accept, locale)
        keyed = address("voice_customer_join", offer_id=offer_id)
        return (Gather((greeting,), keyed, max(1, self.plan.whisper_ms // 1000)), Redirect(keyed))

    def call_again(self, locale: str, *, gave_up: bool = False) -> Document:
        """The agent has gone while his phone rang."""
        phrases = self.menu.phrases
        gone = None if gave_up else phrases.callback_gone  # who gave up has no place
        return (self._say(gone or phrases.call_later, locale), Hangup())

    def connecting(self, locale: str, round_no: int) -> Document:
        """An agent has accepted; the caller is about to be taken out of the queue."""
        return (self._say(self.menu.phrases.connecting, locale), Pause(5), self._wait_again(locale, round_no))

    def to_agent(self, offer_id: str) -> Document:
        """To the colleague who was asked, and who takes him now."""
        return (Redirect(address("voice_connect", offer_id=offer_id)),)

    def leave_queue(self) -> Document:
        return (Leave(),)

    def meet(self, room: str) -> Document:
        """The caller's way into a room."""
        return (self._conference(room, address("voice_after", room=room)),)

    def voicemail_for(self, node: str, queue: str, matter: str) -> str:
        """The voicemail at which he was; else that of his queue's closed hours, or of his matter; empty: none."""
        voicemails = {name: each for name, each in self.menu.nodes.items() if isinstance(each, VoicemailNode)}
        of_matter = (
            name for name, each in voicemails.items() if (each.queue, each.matter) == (queue, matter)
        )
        names = (node, self.menu.closed.get(queue, ""), *of_matter)
        return next((name for name in names if name in voicemails), "")

    def record(self, call_id: str, session: Session, longest_ms: int = MESSAGE_LONGEST_MS) -> Document:
        """After a message, or when none was spoken, the caller comes to voice_message."""
        after = address("voice_message", query=place_of(session))
        status = address("recordings_callback", call_id=call_id, kind="voicemail")
        return (Record(after, status, max(1, longest_ms // 1000)), Redirect(after))

    def dial_out(self, session: Session, number: str, ring_ms: int) -> DialNumber:
        """Whoever is not answered there, and whoever has talked, comes to voice_transferred."""
        after = address("voice_transferred", query=place_of(session))
        return DialNumber(number, after, max(DIAL_S_MIN, ring_ms // 1000))

    def message_taken(self, locale: str) -> Document:
        return (self._say(self.menu.phrases.message_taken, locale), Hangup())

    def goodbye(self, locale: str) -> Document:
        return (self._say(self.menu.phrases.goodbye, locale), Hangup())

    @staticmethod
    def is_last(tries: int) -> bool:
        """After so many returns there is nothing left but the last resort."""
        return tries > RESUMES_MAX

    def come_back(self, tries: int, locale: str) -> Document:
        """To the beginning, where a call that is known goes on at its place; not without end."""
        if self.is_last(tries):
            return self._last_resort(locale)
        return (
            Pause(max(1, tries * RESUME_PAUSE_S)),
            Redirect(address("voice_incoming", query={"r": tries} if tries else None)),
        )

    def busy(self, again: Address, tries: int, locale: str) -> Document:
        """The safe document: hold on, and ask us again. Needs no store, and does not go on without end."""
        if tries >= BUSY_TRIES_MAX and again.name != "voice_wait":
            return self.hang_up() if again.name.startswith("voice_agent") else self._last_resort(locale)
        query = {**dict(again.query), "r": str(tries + 1)}
        back = Address(again.name, again.path, tuple(query.items()))
        return (self._say(self.menu.phrases.system_busy, locale), Pause(BUSY_PAUSE_S), Redirect(back))

    # The agent's side

    def whisper(
        self, *, tier: str, matter: str, waited_ms: int, locale: str, is_callback: bool = False
    ) -> Say:
        """Who is calling, in words: never the number."""
        tier_name = self.plan.tiers[tier].name if tier in self.plan.tiers else {}
        matter_name = self.plan.matters[matter].name if matter in self.plan.matters else {}
        values = {
            "tier": in_locale(tier_name, locale),
            "matter": in_locale(matter_name, locale),
            "waited_s": str(max(waited_ms, 0) // 1000),
        }
        said = self._say(self.menu.phrases.whisper, locale, values)
        before = self.menu.phrases.callback_whisper
        if not is_callback or before is None:
            return said
        return replace(said, text=f"{self._say(before, locale).text}{said.text}")

    def announce(self, whisper: Say, offer_id: str, *, must_press: bool) -> Document:
        """Who is calling; a browser's user has accepted by answering, a telephone's presses a key."""
        join = address("voice_agent_join", offer_id=offer_id)
        if not must_press:
            return (whisper, Redirect(join))
        prompts: tuple[Prompt, ...] = (whisper, self._say(self.menu.phrases.accept, whisper.locale))
        listen_s = max(1, self.plan.whisper_ms // 1000)
        keyed = address("voice_agent_join", query={"k": 1}, offer_id=offer_id)
        return (Gather(prompts, keyed, listen_s), Redirect(keyed))

    def agent_meets(self, offer_id: str) -> Document:
        """The agent's way into the room of his own offer."""
        return (self._conference(offer_id, address("voice_agent_left", offer_id=offer_id)),)

    def agent_is_asked(self, room: str, offer_id: str) -> Document:
        """The way into a colleague's room, whose caller is on hold."""
        left = address("voice_agent_left", query={"room": room}, offer_id=offer_id)
        return (replace(self._conference(room, left), ends=False),)

    def held(self) -> Document:
        """What a caller hears on hold, over and over."""
        return (*self._hold(1), Redirect(address("voice_held")))

    def caller_left(self, locale: str) -> Document:
        return (self._say(self.menu.phrases.caller_left, locale), Hangup())

    def hang_up(self) -> Document:
        return (Hangup(),)

    def nothing(self) -> Document:
        return ()

    def start(self, entry: str, locale: str, step: int) -> Session:
        return Session(entry, 0, locale, self.menu.version, step)

    def _say(self, words: Words, locale: str, values: dict[str, str] | None = None) -> Say:
        return speak(words, locale, {"org": in_locale(self.menu.org, locale), **(values or {})})

    def _hold(self, round_no: int) -> tuple[Prompt, ...]:
        """The first one is shorter where the place is told soon after."""
        first_ms = (
            self.plan.announce.first_ms if self.plan.announce and not round_no else HOLD_PLAYS * PLAY_MS
        )
        return (Play(address("voice_hold")),) * min(HOLD_PLAYS, max(1, first_ms // PLAY_MS))

    def _wait_again(self, locale: str, round_no: int, *, is_offered: bool = False) -> Redirect:
        place: dict[str, str | int] = {"l": locale, "n": round_no + 1, **({"o": 1} if is_offered else {})}
        return Redirect(address("voice_wait", query=self._place(place)))

    def _place(self, place: dict[str, str | int]) -> dict[str, str | int]:
        return {**place, **({"c": self.of_call} if self.of_call else {})}

    def _conference(self, room: str, action: Address) -> DialConference:
        return DialConference(room, action, address("voice_conference", room=room))

    def _last_resort(self, locale: str) -> Document:
        if self.duty_number:
            return (DialNumber(self.duty_number),)
        return (self._say(self.menu.phrases.call_later, locale), Hangup())
