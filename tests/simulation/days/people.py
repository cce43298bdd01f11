"""Who calls on a day and who answers: each has habits of his own, drawn before anything can go wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from config.telephony import LegStatus
from queues.service.customers import Customer
from tests.simulation.days.company import HOTLINE, Company, Document, Line

# Numbers with a file; whoever has none is a resident. Some of the key customers have managers of their own.
CUSTOMERS = tuple(
    Customer(
        customer_id=f"C{n}",
        name=f"客户{n}",
        tier=tier,
        locale="zh-CN",
        numbers=(f"+86139000000{n:02d}",),
        managers=(f"agent{n % 3}", f"agent{(n + 1) % 3}") if tier in ("high_risk", "key_customer") else (),
    )
    for n, tier in enumerate(["high_risk", "key_customer", "key_customer", "special_care", "business"] * 3)
)
# A person, the same without being recorded, danger, an account number that is not known and then a person, a complaint,
# a language that few speak.
ERRANDS = ("0", "0", "0", "80", "11", "12#", "51", "90", "952", "3")
WAIT_ROUND_MS = 15_000
HELD_PATIENCE_MS = 90_000


@dataclass
class Caller(Line):
    keys: str = ""
    patience_ms: int = 0
    talk_ms: int = 0
    hangs_up_first: bool = True
    wants_callback: bool = False  # once it is offered
    comes_again_ms: int | None = None  # so long after his line is down he rings once more

    @classmethod
    def drawn(cls, company: Company, leg_id: str, chance: Random) -> Caller:
        is_known = chance.random() < 0.6
        number = chance.choice(CUSTOMERS).numbers[0] if is_known else f"+86138{chance.randrange(10**8):08d}"
        about = {"CallSid": leg_id, "From": number, "To": HOTLINE, "Direction": "inbound"}
        return cls(
            company, leg_id, about, Random(chance.random()),
            keys=chance.choice(ERRANDS),
            patience_ms=round(20_000 + chance.expovariate(1 / 240_000)),
            talk_ms=round(15_000 + chance.expovariate(1 / 60_000)),
            hangs_up_first=chance.random() < 0.7,
            wants_callback=chance.random() < 0.6,
            comes_again_ms=round(chance.expovariate(1 / 60_000)) if chance.random() < 0.15 else None,
        )  # fmt: skip

    def again(self) -> Caller:
        """The same person a while later, on another line and with another wish."""
        caller = Caller.drawn(self.company, f"{self.leg_id}x", Random(self.chance.random()))
        caller.about = {**self.about, "CallSid": caller.leg_id}
        caller.comes_again_ms = None
        return caller

    async def lives(self) -> None:
        self.company.arrive(self.leg_id, from_=self.about["From"], to=HOTLINE)
        self.company.lines[self.leg_id] = self
        await self.obey(await self.ask("/voice/incoming", "ringing"))
        self.company.queue.pop(self.leg_id, None)
        self.tell("/voice/status", "completed")

    async def obey_verb(self, verb: Document) -> Document | None:
        if verb.tag == "Gather":
            return await self._press(verb)
        if verb.tag == "Enqueue":
            return await self._wait(verb)
        if verb.tag == "Record":
            await self.naps(8_000)
            told = {"RecordingUrl": "https://x/RE1", "RecordingDuration": "8", "Digits": "#"}
            return await self.ask(verb.get("action", ""), **told)
        if verb.tag == "Dial" and verb.find("Number") is not None:
            await self.naps(20_000)
            told = {"DialCallStatus": "completed", "DialBridged": "true"}
            return await self.ask(verb.get("action", ""), **told)
        return await super().obey_verb(verb)

    async def _press(self, gather: Document) -> Document | None:
        await self.naps(2_000)
        if self.is_over:
            return None
        key, self.keys = (self.keys[0], self.keys[1:]) if self.keys else ("0", "")
        ended = gather.get("finishOnKey") or ""
        told = {"Digits": "", "FinishedOnKey": "#"} if key == ended else {"Digits": key}
        return await self.ask(gather.get("action", ""), **told)

    async def _wait(self, enqueue: Document) -> Document | None:
        """In the provider's queue, round after round, until he is pulled, sent away or has had enough."""
        company, since_ms = self.company, self.company.timeline.now_ms
        company.queue[self.leg_id], self.pulled_to = self, ""
        url, result = enqueue.get("waitUrl", ""), ""
        while not result:
            form = {**self.about, "CallStatus": "in-progress", "QueuePosition": "1", "QueueTime": "0"}
            document = await company.fetch(url, form)
            if document is not None and document.find("Leave") is not None:
                result = "leave"
            elif self.pulled_to:
                result = "redirected"
            elif (
                company.timeline.now_ms - since_ms >= self.patience_ms
                or is_goodbye(document)
                or await self._asks(document)
            ):
                self.set_status(LegStatus.COMPLETED)
                result = "hangup"
            else:
                url = url if document is None else (document.findtext("Redirect") or url)
                await self.naps(WAIT_ROUND_MS)
                result = "redirected" if self.pulled_to else ""
        company.queue.pop(self.leg_id, None)
        action, told = enqueue.get("action", ""), {"QueueResult": result, "QueueTime": "9"}
        if result == "leave":
            return await self.ask(action, **told)
        self.tell(action, "completed" if self.is_over else "in-progress", **told)
        return await self.ask(self.pulled_to) if self.pulled_to else None

    async def _asks(self, document: Document | None) -> bool:
        """He takes the offer to be called back; true once he has been told that he may hang up."""
        gather = None if document is None else document.find("Gather")
        if gather is None or not self.wants_callback or self.is_over:
            return False
        await self.naps(3_000)
        if self.is_over or self.pulled_to:
            return False
        form = {**self.about, "CallStatus": "in-progress", "Digits": "1"}
        told = await self.company.fetch(gather.get("action", ""), form)
        return is_goodbye(told) and not self.pulled_to

    async def talk(self, members: list[Line]) -> None:
        """Alone he waits for half a minute, on hold somewhat longer; else they talk until he has said all he has to
        say, to one agent or several."""
        alone_ms, held_ms = 30_000, HELD_PATIENCE_MS
        while self.room and not self.is_over and min(self.talk_ms, alone_ms, held_ms) > 0:
            began_ms, is_alone, is_held = self.company.timeline.now_ms, len(members) < 2, self.is_held
            await self.naps(alone_ms if is_alone else held_ms if is_held else self.talk_ms)
            passed_ms = self.company.timeline.now_ms - began_ms
            if is_alone:
                alone_ms -= passed_ms
            elif is_held:
                held_ms -= passed_ms
            else:
                self.talk_ms -= passed_ms
        if not self.room or self.is_over:
            return
        others = [line for line in members if line is not self]
        if others and not self.hangs_up_first:
            others[0].set_status(LegStatus.COMPLETED)
            others[0].poke()
            while self.room and not self.is_over:
                await self.naps(10_000)
            return
        self.set_status(LegStatus.COMPLETED)


@dataclass
class AgentLeg(Line):
    """His phone; most of the time somebody is there."""

    url: str = ""
    status_url: str = ""
    timeout_ms: int = 20_000
    stays_ms: int = 600_000  # in a room, unless somebody else ends it

    @classmethod
    def of(cls, company: Company, leg_id: str, form: Mapping[str, str], about: Mapping[str, Any]) -> AgentLeg:
        return cls(
            company, leg_id, form, Random(f"{company.seed} {about['url']}"),
            url=about["url"], status_url=about["status_url"], timeout_ms=1_000 * about["timeout_s"],
        )  # fmt: skip

    async def lives(self) -> None:
        habit, after_ms = self.chance.random(), round(1_000 + self.chance.expovariate(1 / 3_000))
        if self.chance.random() < 0.1:  # his line drops, or he is the one who has had enough
            self.stays_ms = round(5_000 + self.chance.expovariate(1 / 30_000))
        await self.naps(300)
        if habit < 0.03 and not self.is_over:
            self._ends(LegStatus.FAILED, "failed")
            return
        if not self.is_over:
            self.set_status(LegStatus.RINGING)
            self.tell(self.status_url, "ringing")
            await self.naps(self.timeout_ms if habit < 0.12 else after_ms)
        if self.is_over:
            self.tell(self.status_url, "canceled")
        elif habit < 0.12:
            self._ends(LegStatus.NO_ANSWER, "no-answer")
        elif habit < 0.18:
            self._ends(LegStatus.BUSY, "busy")
        else:
            self.set_status(LegStatus.IN_PROGRESS)
            self.tell(self.status_url, "in-progress")
            await self.obey(await self.ask(self.url))
            self.tell(self.status_url, "completed")

    async def talk(self, members: list[Line]) -> None:
        while self.room and not self.is_over and self.stays_ms > 0:
            began_ms = self.company.timeline.now_ms
            await self.naps(self.stays_ms)
            self.stays_ms -= self.company.timeline.now_ms - began_ms
        if self.room:
            self.set_status(LegStatus.COMPLETED)

    def _ends(self, status: LegStatus, word: str) -> None:
        self.set_status(status)
        self.tell(self.status_url, word)


@dataclass
class CustomerLeg(Caller):
    """The phone of somebody who asked to be called back: he, his mailbox, or nobody."""

    url: str = ""
    status_url: str = ""
    timeout_ms: int = 20_000
    is_mailbox: bool = False

    @classmethod
    def of(
        cls, company: Company, leg_id: str, form: Mapping[str, str], about: Mapping[str, Any]
    ) -> CustomerLeg:
        chance = Random(f"{company.seed} {about['url']} {about['to']}")
        return cls(
            company, leg_id, form, chance,
            url=about["url"], status_url=about["status_url"], timeout_ms=1_000 * about["timeout_s"],
            patience_ms=round(60_000 + chance.expovariate(1 / 240_000)),
            talk_ms=round(15_000 + chance.expovariate(1 / 60_000)),
        )  # fmt: skip

    async def lives(self) -> None:
        habit, after_ms = self.chance.random(), round(2_000 + self.chance.expovariate(1 / 5_000))
        await self.naps(300)
        if not self.is_over and habit >= 0.05:
            self.set_status(LegStatus.RINGING)
            self.tell(self.status_url, "ringing")
            await self.naps(self.timeout_ms if habit < 0.15 else after_ms)
        if self.is_over:
            self.tell(self.status_url, "canceled")
        elif habit < 0.25:
            status = (
                LegStatus.FAILED if habit < 0.05 else LegStatus.NO_ANSWER if habit < 0.15 else LegStatus.BUSY
            )
            self.set_status(status)
            self.tell(self.status_url, str(status))
        else:
            self.is_mailbox = habit < 0.4
            self.set_status(LegStatus.IN_PROGRESS)
            self.tell(self.status_url, "in-progress")
            await self.obey(await self.ask(self.url))
            self.company.queue.pop(self.leg_id, None)
            self.tell(self.status_url, "completed")

    async def _press(self, gather: Document) -> Document | None:
        await self.naps(10_000 if self.is_mailbox else 3_000)
        keyed = {} if self.is_mailbox else {"Digits": "1"}
        return await self.ask(gather.get("action", ""), **keyed)


def is_goodbye(document: Document | None) -> bool:
    return document is not None and document.find("Hangup") is not None


def answering(company: Company, leg_id: str, form: Mapping[str, str], about: Mapping[str, Any]) -> Line:
    """Whoever is at this address: an agent, or a customer."""
    kind = AgentLeg if about["to"].startswith("client:") else CustomerLeg
    return kind.of(company, leg_id, form, about)
