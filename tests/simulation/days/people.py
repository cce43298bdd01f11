"""Who calls on a day and who answers: each has habits of his own, drawn before anything can go wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from config.telephony import LegStatus
from queues.service.customers import Customer
from queues.service.switchboard import Switchboard
from tests.simulation.days.company import HOTLINE, Company, Document, Line
from tests.simulation.days.timeline import Timeline

# Numbers with a file; whoever has none is a resident.
CUSTOMERS = tuple(
    Customer(
        customer_id=f"C{n}", name=f"客户{n}", tier=tier, locale="zh-CN", numbers=(f"+86139000000{n:02d}",)
    )
    for n, tier in enumerate(["high_risk", "key_customer", "key_customer", "special_care", "business"] * 3)
)
# A person, an account number that is not known and then a person, danger, another kind of power cut, a complaint,
# a language that few speak.
ERRANDS = ("0", "0", "0", "11", "12#", "51", "90", "952", "3")
WAIT_ROUND_MS = 15_000


@dataclass
class Caller(Line):
    keys: str = ""
    patience_ms: int = 0
    talk_ms: int = 0
    hangs_up_first: bool = True
    menu_ends_ms: int | None = None  # he loses patience in the menu already

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
        )  # fmt: skip

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
            elif company.timeline.now_ms - since_ms >= self.patience_ms:
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

    async def talk(self, members: list[Line]) -> None:
        """Alone he waits for half a minute; they talk until he has said all he has to say, to one agent or several."""
        alone_ms = 30_000
        while self.room and not self.is_over and self.talk_ms > 0 and alone_ms > 0:
            began_ms, is_alone = self.company.timeline.now_ms, len(members) < 2
            await self.naps(alone_ms if is_alone else self.talk_ms)
            passed_ms = self.company.timeline.now_ms - began_ms
            if is_alone:
                alone_ms -= passed_ms
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

    @classmethod
    def of(cls, company: Company, leg_id: str, form: Mapping[str, str], about: Mapping[str, Any]) -> AgentLeg:
        return cls(
            company, leg_id, form, Random(f"{company.seed} {about['url']}"),
            url=about["url"], status_url=about["status_url"], timeout_ms=1_000 * about["timeout_s"],
        )  # fmt: skip

    async def lives(self) -> None:
        habit, after_ms = self.chance.random(), round(1_000 + self.chance.expovariate(1 / 3_000))
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

    def _ends(self, status: LegStatus, word: str) -> None:
        self.set_status(status)
        self.tell(self.status_url, word)


@dataclass
class Desk:
    """An agent at his desk: he beats, comes back when he was put away, takes a break, or puts a caller through."""

    board: Switchboard
    timeline: Timeline
    agent_id: str
    skills: tuple[str, ...]
    chance: Random
    is_quiet: bool = False  # his browser hangs

    async def sits_down(self) -> None:
        await self.board.sign_in(
            agent_id=self.agent_id, name=self.agent_id, skills=self.skills, endpoint=f"client:{self.agent_id}"
        )
        await self.board.set_presence(agent_id=self.agent_id, presence="ready")

    async def lives(self) -> None:
        await self.sits_down()
        while True:
            await self.timeline.sleep(20_000)
            mood = self.chance.random()
            if self.is_quiet:
                self.is_quiet = mood < 0.7
                continue
            self.is_quiet = mood < 0.01
            await self.board.beat(agent_id=self.agent_id)
            state = await self.board.desk_state(agent_id=self.agent_id)
            if state is None:
                continue
            if state.state == "away" and mood > 0.3:
                await self.board.set_presence(agent_id=self.agent_id, presence="ready")
            elif 0.01 < mood < 0.03:
                await self.board.set_presence(agent_id=self.agent_id, presence="away", reason="break")
            elif state.state == "connected" and mood > 0.9 and state.call:
                await self.board.transfer_call(
                    call_id=str(state.call.call_id),
                    agent_id=self.agent_id,
                    queue=self.chance.choice(["general", "outage"]),
                )
            elif state.state == "wrap_up" and mood > 0.5:
                await self.board.close_wrap_up(agent_id=self.agent_id, disposition="solved")
