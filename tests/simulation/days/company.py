"""The telephone company of a day: legs, its queue, conferences, webhooks to the front door; and all that goes wrong.

What goes wrong is decided by the seed, one die a webhook and one a request: a webhook comes twice, late (and so after
younger ones) or never, or its answer is lost; a request is refused for now (429, 503), fails after it was done or
before (500, no answer). A document that does not come sends whoever is on the line to the fallback, as the real one
does: a pause, and back to the front door.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import httpx2

from config.telephony import LegGone, LegStatus, ProviderError, ProviderUnreachable
from tests.doubles import GOOD_SIGNATURE, TelephonyDouble
from tests.simulation.days.timeline import Died, Nap, Timeline

HOTLINE = "+8657195598000"
FALLBACK_MS = 5_000
LATE_MS = 20_000
Document = ElementTree.Element


@dataclass
class Faults:
    """How often each goes wrong, of one; none of it when `is_on` is not."""

    chance: Random
    is_on: bool = False
    twice: float = 0.10
    late: float = 0.10
    never: float = 0.05
    document_lost: float = 0.02
    refused: float = 0.05
    unheard: float = 0.03

    def die(self) -> float:
        """From 0 to 1; 1 when nothing goes wrong today."""
        return self.chance.random() if self.is_on else 1.0


@dataclass
class Line:
    """One leg, and who speaks on it."""

    company: Company
    leg_id: str
    about: Mapping[str, str]
    chance: Random  # his own habits, whatever befalls him
    is_over: bool = False
    pulled_to: str = ""
    nap: Nap | None = None
    room: str = ""
    is_held: bool = False

    async def naps(self, for_ms: int) -> None:
        """For so long, or until something happens on the line."""
        if self.is_over:
            return
        self.nap = self.company.timeline.nap(for_ms)
        await self.nap.future

    def poke(self) -> None:
        if self.nap:
            self.nap.poke()

    def set_status(self, status: LegStatus) -> None:
        self.company.set_leg(self.leg_id, status)
        self.is_over = self.is_over or status.is_over

    async def ask(self, url: str, status: str = "in-progress", **fields: str) -> Document | None:
        """The document at this address; of the fallback, when it does not come."""
        while not self.is_over:
            found = await self.company.fetch(url, {**self.about, "CallStatus": status, **fields})
            if found is not None:
                return found
            await self.naps(FALLBACK_MS)
            url, status, fields = "/voice/incoming?r=1", "in-progress", {}
        return None

    def tell(self, url: str, status: str, **fields: str) -> None:
        """A report whose answer nobody listens to."""
        self.company.report(url, {**self.about, "CallStatus": status, **fields})

    async def obey(self, document: Document | None) -> None:
        """Everything that the documents say, until the leg is over."""
        while document is not None and not self.is_over:
            document = await self._obey_one(document)
        if not self.is_over:
            self.set_status(LegStatus.COMPLETED)

    async def _obey_one(self, document: Document) -> Document | None:
        for verb in document:
            if verb.tag in ("Say", "Play"):
                await self.naps(1_500)
            elif verb.tag == "Pause":
                await self.naps(1_000 * int(verb.get("length", "1")))
            elif verb.tag == "Redirect":
                return await self.ask(verb.text or "")
            elif verb.tag == "Hangup":
                return None
            else:
                return await self.obey_verb(verb)
            if self.is_over:
                return None
        return None

    async def obey_verb(self, verb: Document) -> Document | None:
        """A verb that is not the same for everybody."""
        if verb.tag == "Dial" and (name := verb.findtext("Conference")):
            return await self.meet(name, verb)
        raise AssertionError(f"nobody here can {verb.tag}")

    async def meet(self, name: str, dial: Document) -> Document | None:
        """In the conference, until he leaves it, or one with whom it ends."""
        conference = dial.find("Conference")
        assert conference is not None
        members = self.company.rooms.setdefault(name, [])
        members.append(self)
        self.room, self.is_held = name, False
        status_url = conference.get("statusCallback", "")
        self.tell(status_url, "in-progress", StatusCallbackEvent="participant-join", FriendlyName=name)
        for other in members:
            other.poke()
        await self.talk(members)
        self.room = ""
        if self in members:
            members.remove(self)
            for other in list(members) if conference.get("endConferenceOnExit") == "true" else ():
                members.remove(other)
                other.room = ""
                other.poke()
        self.tell(status_url, "in-progress", StatusCallbackEvent="participant-leave", FriendlyName=name)
        status = "completed" if self.is_over else "in-progress"
        told = {"DialCallStatus": "answered", "DialBridged": "true"}
        if self.is_over:
            self.tell(dial.get("action", ""), status, **told)
            return None
        return await self.ask(dial.get("action", ""), status, **told)

    async def talk(self, members: list[Line]) -> None:
        """As long as he is in the room; whoever has had enough hangs up."""
        while self.room and not self.is_over:
            await self.naps(600_000)


@dataclass
class Company(TelephonyDouble):
    timeline: Timeline = None  # type: ignore[assignment]
    client: httpx2.AsyncClient = None  # type: ignore[assignment]
    faults: Faults = None  # type: ignore[assignment]
    seed: int = 0
    is_doubled: bool = False  # every webhook comes twice
    lines: dict[str, Line] = field(default_factory=dict)
    queue: dict[str, Line] = field(default_factory=dict)
    rooms: dict[str, list[Line]] = field(default_factory=dict)
    webhooks: int = 0
    lost: int = 0
    answers: Any = None  # how a leg that we place is made: (company, leg_id, form, about)

    # To the front door

    async def post(self, url: str, form: Mapping[str, str]) -> Document | None:
        parts = urlsplit(url)
        self.webhooks += 1
        try:
            answer = await self.client.post(
                f"{parts.path}?{parts.query}" if parts.query else parts.path,
                data=dict(form),
                headers={"X-Twilio-Signature": GOOD_SIGNATURE},
            )
        except Died:
            return None
        if answer.status_code != 200:
            return None
        return ElementTree.fromstring(answer.text)  # noqa: S314  our own document

    async def fetch(self, url: str, form: Mapping[str, str]) -> Document | None:
        """A document somebody waits for, or nothing."""
        die = self.faults.die()
        if die < self.faults.document_lost:
            self.lost += 1
            return None
        found = await self.post(url, form)
        if self.is_doubled or (die > 1 - self.faults.twice / 2 and self.faults.is_on):
            await self.post(url, form)
        if die < 2 * self.faults.document_lost:
            self.lost += 1
            return None
        return found

    def report(self, url: str, form: Mapping[str, str]) -> None:
        die, faults = self.faults.die(), self.faults
        if die < faults.never:
            self.lost += 1
            return
        late_ms = round(LATE_MS * self.faults.chance.random()) if die < faults.never + faults.late else 0
        times = 2 if self.is_doubled or (faults.is_on and die > 1 - faults.twice) else 1
        self.timeline.begin(self._deliver(url, form, late_ms, times))

    async def _deliver(self, url: str, form: Mapping[str, str], late_ms: int, times: int) -> None:
        if late_ms:
            await self.timeline.sleep(late_ms)
        for _ in range(times):
            await self.post(url, form)

    # What the house asks

    def _answer(self, name: str) -> None:
        super()._answer(name)
        die = self.faults.die()
        if die < self.faults.refused / 2:
            raise ProviderError(429, 20429, "too many requests")
        if die < self.faults.refused:
            raise ProviderError(503, None, "not now")
        if die < self.faults.refused + self.faults.unheard / 2:
            raise ProviderUnreachable("no answer, and not done")

    def _lose_answer(self) -> None:
        if self.faults.die() < self.faults.unheard / 2:
            raise ProviderUnreachable("no answer, though it was done")

    async def place(self, **about: Any) -> str:
        leg_id = await super().place(**about)
        form = {
            "CallSid": leg_id, "From": HOTLINE, "To": about["to"], "Direction": "outbound-api",
        }  # fmt: skip
        line = self.answers(self, leg_id, form, about)
        self.lines[leg_id] = line
        self.timeline.begin(line.lives())
        self._lose_answer()
        return leg_id

    async def hang_up(self, leg_id: str) -> None:
        self._answer("hang_up")
        self.hung_up.append(leg_id)
        if (line := self.lines.get(leg_id)) and not line.is_over:
            line.set_status(LegStatus.COMPLETED)
            line.poke()
        self._lose_answer()

    async def hold(self, conference: str, leg_id: str, on: bool, url: str = "") -> None:
        await super().hold(conference, leg_id, on, url)
        line = self.lines.get(leg_id)
        if line is None or line.room != conference:
            raise LegGone(404, 20404, "not in this conference")
        line.is_held = on
        line.poke()
        self._lose_answer()

    async def pull(self, queue_name: str, leg_id: str, url: str) -> None:
        self._answer("pull")
        line = self.queue.pop(leg_id, None)
        if line is None or line.is_over:
            raise LegGone(404, 20404, "not in the queue")
        line.pulled_to = url
        self.pulled.append((queue_name, leg_id, url))
        line.poke()
        self._lose_answer()
