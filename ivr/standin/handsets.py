"""The phones of people: what they hear, and what they can do.

A handset is one person's end of one leg. Whoever plays the person (a simulated caller, the phone page, an
agent's desk) reads ``events`` and presses, speaks, answers or hangs up; nothing else of the exchange is
theirs. ``events`` may be read by several and from the beginning: nothing heard is lost by a late listener.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Heard:
    """One thing a person noticed; ``text`` is what was said or played, keys wanted, or why it ended."""

    kind: str
    text: str
    language: str
    at_ms: int


class Line(Protocol):
    """What a handset asks of the exchange for its leg."""

    def pressed(self, digits: str) -> None: ...

    def spoke(self, text: str, confidence: float | None) -> None: ...

    def answered_by_person(self) -> None: ...

    def declined_by_person(self) -> None: ...

    def hung_up_by_person(self) -> None: ...


class Handset:
    def __init__(self, sid: str, from_: str, to: str, line: Line, now_ms: Callable[[], int]) -> None:
        self.sid = sid
        self.from_ = from_
        self.to = to
        self.state = "ringing"
        self.parameters: dict[str, str] = {}
        self.heard: list[Heard] = []
        self._line = line
        self._now_ms = now_ms
        self._listeners: set[asyncio.Future[None]] = set()

    def press(self, digits: str) -> None:
        """Press keys one after another; they are heard only while a gather or a record listens."""
        self._line.pressed(digits)

    def speak(self, text: str, confidence: float | None = 0.9) -> None:
        """Say something; a gather of speech takes it as its result, a record as the message."""
        self._line.spoke(text, confidence)

    def answer(self) -> None:
        self._line.answered_by_person()

    def decline(self) -> None:
        self._line.declined_by_person()

    def hang_up(self) -> None:
        self._line.hung_up_by_person()

    async def events(self, start: int = 0) -> AsyncIterator[Heard]:
        """Everything heard from the ``start``-th on, until the leg has ended."""
        place = start
        while True:
            while place < len(self.heard):
                heard = self.heard[place]
                place += 1
                yield heard
                if heard.kind == "ended":
                    return
            if self.state == "ended" and place >= len(self.heard):
                return
            await self._next_event()

    async def ended(self) -> None:
        """Wait until the leg is over."""
        while self.state != "ended":
            await self._next_event()

    def hear(self, kind: str, text: str = "", language: str = "") -> None:
        """Called by the exchange: the person notices something."""
        if self.state == "ended":
            return
        if kind == "answered":
            self.state = "in-progress"
        elif kind == "ended":
            self.state = "ended"
        self.heard.append(Heard(kind, text, language, self._now_ms()))
        for listener in self._listeners:
            if not listener.done():
                listener.set_result(None)
        self._listeners.clear()

    async def _next_event(self) -> None:
        listener = asyncio.get_running_loop().create_future()
        self._listeners.add(listener)
        try:
            await listener
        finally:
            self._listeners.discard(listener)


class Registration:
    """A phone that waits to be rung at one address; iterate over it for the incoming handsets."""

    def __init__(self, address: str, unregister: Callable[["Registration"], None]) -> None:
        self.address = address
        self.is_live = True
        self._unregister = unregister
        self._incoming: asyncio.Queue[Handset | None] = asyncio.Queue()

    def ring(self, handset: Handset) -> None:
        self._incoming.put_nowait(handset)

    def unregister(self) -> None:
        if self.is_live:
            self.is_live = False
            self._unregister(self)
            self._incoming.put_nowait(None)

    def __aiter__(self) -> AsyncIterator[Handset]:
        return self._handsets()

    async def _handsets(self) -> AsyncIterator[Handset]:
        while True:
            handset = await self._incoming.get()
            if handset is None:
                return
            yield handset


class Registrations:
    """Who can be rung where; one address may have several phones, all of which ring."""

    def __init__(self) -> None:
        self._phones: dict[str, list[Registration]] = {}

    def register(self, address: str, phones_max: int) -> Registration:
        phones = self._phones.setdefault(address, [])
        if len(phones) >= phones_max:
            raise TooManyPhonesError(address)
        registration = Registration(address, self._remove)
        phones.append(registration)
        return registration

    def at(self, address: str) -> tuple[Registration, ...]:
        return tuple(self._phones.get(address, ()))

    def count(self) -> int:
        return sum(len(phones) for phones in self._phones.values())

    def _remove(self, registration: Registration) -> None:
        phones = self._phones.get(registration.address, [])
        if registration in phones:
            phones.remove(registration)
        if not phones:
            self._phones.pop(registration.address, None)


class TooManyPhonesError(Exception):
    """No more phones may register at one address."""


def address_of(identity: str) -> str:
    """A bare word is a client's identity; numbers, sip: and client: addresses stay what they are."""
    if identity.startswith(("client:", "sip:", "sips:", "+")) or identity.isdigit():
        return identity.partition("?")[0]
    return f"client:{identity}"
