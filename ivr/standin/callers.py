"""A simulated caller: an intention that meets a hotline, and his own account of how that went.

He knows the hotline only by ear. What he does follows from what he has heard last: a question that offers
his key gets it, music costs patience, a beep gets a message, a voice gets talk. A safe document ("please
hold") is just more to listen to. A question asked again is answered as before, so that a menu which starts
over still gets him where he wanted to go.

What must hold: he never touches a line that has ended; he always leaves in the end; his account is written
from his side alone and can be held against the hotline's records.
"""

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from config.clock import Clock
from ivr.standin.handsets import Handset, Heard
from ivr.standin.scenario import HOUR_MS, PlannedCall

LINE_MS_MAX = 3 * HOUR_MS
"""Nobody stays on a line longer than this, whatever he hears."""
SILENCE_AFTER_TALK_MS = 20_000
"""How long he listens for more after an agent has left the line."""
HOLD_PATIENCE_MS = 300_000
"""How long when there is music or a voice to listen to: he was put on hold."""
LAST_WORDS_MS = 5_000
"""Everybody has that much to say to the next one, however long he has talked already."""
REFUSALS = (
    re.compile(r"不[^。；;]{0,10}录音[^。；;0-9]{0,6}按\s*(\d|星号|井号)"),
    re.compile(r"record[^.]{0,60}\bnot\b[^.]{0,30}press (\d|star|pound)", re.IGNORECASE),
    re.compile(r"press (\d|star|pound)[^.;]{0,30}\bnot\b[^.;]{0,30}record", re.IGNORECASE),
)
KEYS = frozenset("0123456789*#")
KEY_NAMES = {"星号": "*", "井号": "#", "star": "*", "pound": "#"}
NAMES_OF_KEYS = {"*": ("星号", "star"), "#": ("井号", "pound")}
WIDE_MS, LATIN_MS = 200, 60
"""About how long a character takes to be spoken, Chinese and other."""
APPLICATION_ERROR = "application error"
FINISHED_BY_KEY = re.compile(
    r"说完请按井号|when you (?:have finished|are done)[^.]{0,20}press pound|and press pound", re.IGNORECASE
)
"""Who hears this before the beep ends his message with the key and listens on."""
CALLBACKS = (
    re.compile(r"按\s*(\d)[^。；;]*(?:回电|回拨)"),
    re.compile(r"(?:回电|回拨)[^。；;]*按\s*(\d)"),
    re.compile(r"press (\d)[^;]{0,120}\bcall you back", re.IGNORECASE),
    re.compile(r"call(?:ed)? (?:you )?back[^.;]{0,60}press (\d)", re.IGNORECASE),
)


@dataclass
class CallAccount:
    """One call as its caller lived it; instants are None for what never happened to him."""

    plan: PlannedCall
    dialled_ms: int
    sid: str = ""
    arrived_ms: int | None = None
    queued_ms: int | None = None
    answered_ms: int | None = None
    ended_ms: int | None = None
    has_left_message: bool = False
    application_errors: int = 0
    hung_up: bool = False
    """He ended the call himself; otherwise the line was ended for him."""
    end: str = ""
    refused_recording: bool = False
    has_asked_callback: bool = False
    keys_pressed: int = 0

    @property
    def waited_ms(self) -> int | None:
        """From first being queued to a voice, or to the end of the line."""
        until_ms = self.answered_ms or self.ended_ms
        return None if self.queued_ms is None or until_ms is None else until_ms - self.queued_ms

    @property
    def outcome(self) -> str:
        """The one word his call ended with; empty while he is on the line."""
        if self.ended_ms is None:
            return ""
        if self.arrived_ms is None:
            return "not_arrived"
        if self.answered_ms is not None:
            return "answered"
        if self.has_left_message:
            return "voicemail"
        if self.has_asked_callback and not self.hung_up:
            return "callback"
        if self.application_errors:
            return "application_error"
        if self.queued_ms is not None:
            return "abandoned" if self.hung_up else "sent_away"
        return "left_in_menu" if self.hung_up else "goodbye"


@dataclass
class Caller:
    """Lives on one handset from the first ring to the end of the line."""

    plan: PlannedCall
    handset: Handset
    clock: Clock
    account: CallAccount = field(init=False)
    _question: str = ""
    """All that was said since he last answered: a question may take several sentences, in several languages."""
    _is_same_breath: bool = False
    _sentence: str = ""
    _is_asked: bool = False
    _refusal: str = ""
    _callback_key: str = ""
    _replies: dict[str, str] = field(default_factory=dict)
    _keys_used: int = 0
    _place: str = "menu"
    _talk_left_ms: int = 0
    _talks_since_ms: int | None = None
    _timers: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.account = CallAccount(self.plan, self.clock.now_ms(), self.handset.sid)
        self._talk_left_ms = self.plan.talk_ms

    async def live(self) -> CallAccount:
        """Stay until the line has ended; cancelled, he hangs up and is gone."""
        self._later("line", LINE_MS_MAX, self.leave)
        try:
            async for heard in self.handset.events():
                self._hear(heard)
        finally:
            for timer in self._timers.values():
                timer.cancel()
            self.leave()
            if self.account.ended_ms is None:
                self.account.ended_ms = self.clock.now_ms()
        return self.account

    def leave(self) -> None:
        """Hang up, if there is still a line to hang up."""
        if self.handset.state != "ended":
            self.account.hung_up = True
            self.handset.hang_up()

    def _hear(self, heard: Heard) -> None:
        reaction = _REACTIONS.get(heard.kind)
        if reaction is not None:
            reaction(self, heard)

    def _on_answered(self, heard: Heard) -> None:
        self.account.arrived_ms = heard.at_ms
        if self.plan.menu_ms is not None:
            self._later("menu", self.plan.menu_ms, self._leave_menu)

    def _on_played(self, _: Heard) -> None:
        if "silence" in self._timers:
            self._later("silence", HOLD_PATIENCE_MS, self.leave)

    def _on_said(self, heard: Heard) -> None:
        self._on_played(heard)
        self._question = self._question + heard.text if self._is_same_breath else heard.text
        self._is_same_breath = True
        self._sentence = heard.text
        if APPLICATION_ERROR in heard.text.lower():
            self.account.application_errors += 1
        if self.plan.refuses_recording and not self.account.refused_recording:
            self._refusal = _refusal_key(heard.text) or self._refusal
        if self._place == "queue" and self.plan.takes_callback:
            self._callback_key = _key_in(CALLBACKS, heard.text) or self._callback_key
        self._consider()

    def _on_gathering(self, _: Heard) -> None:
        self._is_asked = True
        self._consider()

    def _on_gathered(self, heard: Heard) -> None:
        if self._is_asked and not heard.text:
            self._note_silence()
        self._is_asked = False
        self._is_same_breath = False
        self._forget("key")

    def _on_queued(self, heard: Heard) -> None:
        self._place = "queue"
        self._forget("key", "talk", "menu")
        if self.account.queued_ms is None:
            self.account.queued_ms = heard.at_ms
            if self.plan.menu_ms is not None:
                self.leave()
            if self.plan.patience_ms is not None:
                self._later("patience", self.plan.patience_ms, self._lose_patience)

    def _on_beep(self, _: Heard) -> None:
        if self._place == "talk":
            return  # somebody joined the conversation
        self._place = "message"
        self._forget("key", "menu", "patience")
        if self.plan.message:
            self.handset.speak(self.plan.message)
            self.account.has_left_message = True
        has_more = bool(self.plan.message) and FINISHED_BY_KEY.search(self._question) is not None
        for_ms = self.plan.message_ms if self.plan.message else 500
        self._later("message", for_ms, self._finish_message if has_more else self.leave)

    def _finish_message(self) -> None:
        self._press("#")
        self._later("silence", SILENCE_AFTER_TALK_MS, self.leave)

    def _on_bridged(self, heard: Heard) -> None:
        self._place = "talk"
        self._forget("key", "menu", "patience", "silence")
        if self.account.answered_ms is None:
            self.account.answered_ms = heard.at_ms
        self._talks_since_ms = heard.at_ms
        if self.plan.ends_talk:
            self._later("talk", self._talk_left_ms, self.leave)

    def _on_unbridged(self, heard: Heard) -> None:
        """Held, put through or left alone: what he had to say he says to whoever comes next."""
        if self._talks_since_ms is not None:
            said_ms = heard.at_ms - self._talks_since_ms
            self._talk_left_ms = max(LAST_WORDS_MS, self._talk_left_ms - said_ms)
            self._talks_since_ms = None
        self._place = "menu"
        self._forget("talk")
        self._later("silence", SILENCE_AFTER_TALK_MS, self.leave)

    def _on_ended(self, heard: Heard) -> None:
        self.account.ended_ms = heard.at_ms
        self.account.end = heard.text

    def _consider(self) -> None:
        """A key is wanted: press it soon if the words just heard offer it, else once they are spoken."""
        if self._is_asked and self._place == "queue" and self._callback_key:
            self._later("key", self.plan.key_delay_ms, self._ask_callback)
        if not self._is_asked or self._place != "menu":
            return
        if self._refusal:
            self._later("key", self.plan.key_delay_ms, self._refuse_recording)
            return
        key = self._key_for(self._question)
        listens_ms = 0 if offers(self._question, key) else spoken_ms(self._sentence)
        self._later("key", listens_ms + self.plan.key_delay_ms, self._reply)

    def _reply(self) -> None:
        key = self._key_for(self._question)
        if self._question not in self._replies and self._keys_used < len(self.plan.keys):
            if self._asked_before(self._question) is None:
                self._keys_used += 1
            self._replies[self._question] = key
        self._press(key)

    def _note_silence(self) -> None:
        """He let the question pass; if that is what he meant to do, the next answer is for the next one."""
        is_meant = self._keys_used < len(self.plan.keys) and not self.plan.keys[self._keys_used]
        if is_meant and self._asked_before(self._question) is None:
            self._replies[self._question] = ""
            self._keys_used += 1

    def _key_for(self, question: str) -> str:
        """As before if this was asked before, else the next key in mind, if there is one left."""
        before = self._asked_before(question)
        if before is not None:
            return self._replies[before]
        return self.plan.keys[self._keys_used] if self._keys_used < len(self.plan.keys) else ""

    def _asked_before(self, question: str) -> str | None:
        """The same question, whatever was said around it ("sorry, that is not one of the choices")."""
        return next((asked for asked in self._replies if asked in question or question in asked), None)

    def _ask_callback(self) -> None:
        """Pressed again when it was not understood: he knows by the goodbye that it was."""
        if self._place == "queue":
            self._press(self._callback_key)
            self.account.has_asked_callback = True

    def _refuse_recording(self) -> None:
        self._press(self._refusal)
        self._refusal = ""
        self.account.refused_recording = True

    def _press(self, answer: str) -> None:
        """Keys one after another, or words."""
        if not answer or self.handset.state == "ended":
            return
        if set(answer) <= KEYS:
            self.account.keys_pressed += len(answer)
            self.handset.press(answer)
        else:
            self.handset.speak(answer)

    def _leave_menu(self) -> None:
        if self._place == "menu":
            self.leave()

    def _lose_patience(self) -> None:
        if self.account.answered_ms is None and self._place != "message":
            self.leave()

    def _later(self, name: str, for_ms: int, act: Callable[[], None]) -> None:
        """Do something after a while, instead of what was to be done under the same name."""
        self._forget(name)
        self._timers[name] = asyncio.create_task(self._wait_then(for_ms, act))

    async def _wait_then(self, for_ms: int, act: Callable[[], None]) -> None:
        await self.clock.sleep(for_ms)
        act()

    def _forget(self, *names: str) -> None:
        for name in names:
            timer = self._timers.pop(name, None)
            if timer is not None:
                timer.cancel()


def offers(text: str, key: str) -> bool:
    """Whether the words say that this key may be pressed."""
    names = NAMES_OF_KEYS.get(key, (re.escape(key),))
    pattern = rf"(?:按|press )\s*(?:{'|'.join(names)})(?!\d)"
    return bool(key) and re.search(pattern, text, re.IGNORECASE) is not None


def spoken_ms(text: str) -> int:
    """About how long it takes to say this."""
    wide = sum(ord(character) >= 0x2E80 for character in text)
    return wide * WIDE_MS + (len(text) - wide) * LATIN_MS


def _refusal_key(text: str) -> str:
    """The key that the notice names for a call without recording; empty where it names none."""
    return _key_in(REFUSALS, text)


def _key_in(patterns: Iterable[re.Pattern[str]], text: str) -> str:
    match = next(filter(None, (pattern.search(text) for pattern in patterns)), None)
    return "" if match is None else KEY_NAMES.get(match[1].lower(), match[1])


_REACTIONS: dict[str, Callable[[Caller, Heard], None]] = {
    "answered": Caller._on_answered,
    "said": Caller._on_said,
    "played": Caller._on_played,
    "gathering": Caller._on_gathering,
    "gathered": Caller._on_gathered,
    "queued": Caller._on_queued,
    "beep": Caller._on_beep,
    "bridged": Caller._on_bridged,
    "unbridged": Caller._on_unbridged,
    "ended": Caller._on_ended,
}
