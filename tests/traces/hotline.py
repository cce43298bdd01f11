"""The hotline as the provider sees it: signed webhooks in, documents out, against real stores.

A `Hotline` is the voice routes over a runtime. It plays the provider for a caller's leg and an agent's: it
posts what the provider would and reads what it would be told. Commands to the live store are counted per
webhook.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import httpx2
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.runtime import Runtime
from ivr.standin.interpreter import VOCABULARY
from ivr.standin.stage import CALL, QUEUE_WAIT, Place
from ivr.standin.twiml import read
from ivr.web.voice import Voice, routes
from queues.service.switchboard import Switchboard
from tests.doubles import GOOD_SIGNATURE

CALLER, OTHER_CALLER, HOTLINE = "+8613800138000", "+8613900139000", "+8657195598000"


async def nothing(_: Request) -> Response:
    return Response()


@dataclass(frozen=True)
class Heard:
    """A document, as whoever is on the line hears it."""

    status: int
    text: str

    @property
    def root(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.text)  # noqa: S314  our own document

    @property
    def verbs(self) -> list[str]:
        return [verb.tag for verb in self.root]

    @property
    def said(self) -> str:
        return " ".join(say.text or "" for say in self.root.iter("Say"))

    def url(self, verb: str, attribute: str = "") -> str:
        """The address that a verb names, in an attribute or as its text."""
        found = next(self.root.iter(verb))
        return found.attrib[attribute] if attribute else (found.text or "")

    @property
    def conference(self) -> str | None:
        return self.root.findtext("Dial/Conference")


@dataclass
class Hotline:
    runtime: Runtime
    client: httpx2.AsyncClient
    switchboard: Switchboard
    app: Starlette
    commands: dict[str, Counter[int]] = field(default_factory=dict)
    doubled: bool = False  # each webhook comes twice
    answers: list[tuple[str, str, str]] = field(default_factory=list)  # what the twins were told
    late: Random | None = None  # reports come when chance wills, in any order
    held_back: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    @classmethod
    def of(cls, runtime: Runtime) -> "Hotline":
        callback = Route(
            "/recordings/callback/{call_id}/{kind}", nothing, methods=["POST"], name="recordings_callback"
        )
        app = Starlette(routes=[*routes(Voice.of(runtime)), callback])
        app.state.runtime = runtime
        runtime.links.register(app)
        transport = httpx2.ASGITransport(app=app)
        client = httpx2.AsyncClient(transport=transport, base_url=runtime.settings.public_base_url)
        return cls(runtime, client, Switchboard(runtime), app)

    async def post(self, url: str, **fields: str) -> Heard:
        """One webhook; `CallSid` and its like are given as the provider names them."""
        while self.late and self.held_back and self.late.random() < 0.3:
            await self._deliver(self.late.randrange(len(self.held_back)))
        heard = await self._post(url, fields)
        if self.doubled:
            self.answers.append((urlsplit(url).path, heard.text, (await self._post(url, fields)).text))
        return heard

    async def report(self, url: str, **fields: str) -> Heard:
        """A webhook whose answer nobody listens to: it may be held back."""
        if self.late is None:
            return await self.post(url, **fields)
        self.held_back.append((url, fields))
        return Heard(200, "")

    async def settle(self) -> None:
        """Everything that was held back arrives, in any order."""
        while self.late and self.held_back:
            await self._deliver(self.late.randrange(len(self.held_back)))

    async def _deliver(self, index: int) -> None:
        url, fields = self.held_back.pop(index)
        await self._post(url, fields)

    async def _post(self, url: str, fields: Mapping[str, str]) -> Heard:
        parts = urlsplit(url)
        with counted(self.runtime.redis) as count:
            answer = await self.client.post(
                f"{parts.path}?{parts.query}" if parts.query else parts.path,
                data=dict(fields),
                headers={"X-Twilio-Signature": GOOD_SIGNATURE},
            )
        if answer.status_code == 200:
            check_document(answer.text, QUEUE_WAIT if parts.path == "/voice/wait" else CALL)
        name = re.sub(r"/CA[^/]*", "", parts.path)
        self.commands.setdefault(name, Counter())[count.commands] += 1
        return Heard(answer.status_code, answer.text)

    def caller(self, leg_id: str = "CA1", from_: str = CALLER, to: str = HOTLINE) -> "Caller":
        return Caller(self, leg_id, {"CallSid": leg_id, "From": from_, "To": to, "Direction": "inbound"})

    async def agent(self, agent_id: str, endpoint: str = "", skills: tuple[str, ...] = ()) -> "Agent":
        """An agent who has signed in and is ready."""
        endpoint = endpoint or f"client:{agent_id}"
        everything = ("general", "outage", "connection", "key_account", "complaint", "english")
        await self.switchboard.sign_in(
            agent_id=agent_id, name=agent_id, skills=skills or everything, endpoint=endpoint
        )
        await self.switchboard.set_presence(agent_id=agent_id, presence="ready")
        return Agent(self, agent_id, endpoint)

    async def state_of(self, call_id: str) -> str:
        call = await self.switchboard.read_call(call_id=call_id)
        return f"{call.state} {call.outcome}".strip() if call else "unknown"


def check_document(text: str, place: Place) -> None:
    """The provider would carry it out, all of it, at this place."""
    verbs, faults = read(text, VOCABULARY, is_inline=False)
    assert faults == [], text
    assert [verb.name for verb in verbs if place.refusal(verb.name)] == [], text


@dataclass
class Caller:
    """A caller's leg, as the provider reports it."""

    hotline: Hotline
    leg_id: str
    about: Mapping[str, str]

    async def post(self, url: str, status: str = "in-progress", **fields: str) -> Heard:
        return await self.hotline.post(url, **self.about, CallStatus=status, **fields)

    async def dial(self) -> Heard:
        return await self.post("/voice/incoming", "ringing")

    async def press(self, heard: Heard, key: str) -> Heard:
        """A key at a question, or digits and the key that ends them; "" is silence."""
        gather = next(heard.root.iter("Gather"))
        ended = gather.get("finishOnKey") if key.endswith("#") else ""
        digits = key.removesuffix("#") if ended else key
        told = {"Digits": digits, "FinishedOnKey": ended or ""}
        return await self.send_on(await self.post(gather.attrib["action"], **told))

    async def dial_and_press(self, keys: str) -> Heard:
        heard = await self.dial()
        for key in keys:
            heard = await self.press(heard, key)
        return heard

    async def key_in(self, heard: Heard, digits: str) -> Heard:
        """A number and the pound key; "" is the pound key alone."""
        return await self.press(heard, f"{digits}#")

    async def speak(self, heard: Heard, words: str, confidence: float | None = None) -> Heard:
        told = {} if confidence is None else {"Confidence": f"{confidence:g}"}
        return await self.send_on(await self.post(heard.url("Gather", "action"), SpeechResult=words, **told))

    async def send_on(self, heard: Heard) -> Heard:
        """To the node that has a webhook of its own, as the telephone is told to go."""
        while (
            heard.verbs
            and heard.verbs[-1] == "Redirect"
            and not {"Gather", "Record", "Pause"} & set(heard.verbs)
        ):
            heard = await self.post(heard.url("Redirect"))
        return heard

    async def transferred(
        self, heard: Heard, status: str, call: str = "in-progress", bridged: str = ""
    ) -> Heard:
        """What became of a number outside."""
        told = {"DialBridged": bridged} if bridged else {}
        return await self.post(heard.url("Dial", "action"), call, DialCallStatus=status, **told)

    async def wait(self, heard: Heard) -> Heard:
        """One round of waiting, after an Enqueue or another round."""
        url = heard.url("Enqueue", "waitUrl") if "Enqueue" in heard.verbs else heard.url("Redirect")
        return await self.post(url, QueuePosition="1", QueueTime="0", QueueSid="QU1")

    async def leave_queue(self, enqueued: Heard, result: str, status: str = "in-progress") -> Heard:
        return await self.post(enqueued.url("Enqueue", "action"), status, QueueResult=result, QueueTime="9")

    async def connect(self, offer_id: str) -> Heard:
        """The pull: out of the queue and to the document of the offer."""
        return await self.post(f"/voice/connect/{offer_id}")

    async def after(self, met: Heard, status: str) -> Heard:
        return await self.post(
            met.url("Dial", "action"), status, DialCallStatus="answered", DialBridged="true"
        )

    async def report_end(self) -> Heard:
        return await self.hotline.report("/voice/status", **self.about, CallStatus="completed")

    async def report_conference(
        self, event: str, leg_id: str, room: str = "", status: str = "completed"
    ) -> Heard:
        """News of a room; of who leaves it, whether his line is down as well."""
        room = room or f"{self.leg_id}-1"
        told = {"ParticipantCallStatus": status} if event == "participant-leave" else {}
        url = f"/voice/conference/{room}"
        return await self.hotline.report(
            url, CallSid=leg_id, StatusCallbackEvent=event, FriendlyName=room, **told
        )


@dataclass
class Agent:
    """An agent and the leg on which he is rung."""

    hotline: Hotline
    agent_id: str
    endpoint: str
    offer_id: str = ""
    leg_id: str = ""

    async def offer(self, call_id: str) -> str:
        """What the dispatcher does: hold the call for him and have his phone rung."""
        switchboard = self.hotline.switchboard
        turn = (await switchboard.snapshot()).turn
        claim = await switchboard.claim_offer(call_id=call_id, agent_id=self.agent_id, turn=turn, why={})
        assert claim.offer_id, claim.word
        self.offer_id, self.leg_id = claim.offer_id, f"CAleg-{claim.offer_id}"
        await switchboard.ring_offer(offer_id=self.offer_id, leg_id=self.leg_id)
        if claim.effect:
            await switchboard.finish_effect(effect_id=claim.effect.effect_id)
        return self.offer_id

    async def post(self, url: str, status: str = "in-progress", **fields: str) -> Heard:
        return await self.hotline.post(url, **self.about, CallStatus=status, **fields)

    @property
    def about(self) -> dict[str, str]:
        return {"CallSid": self.leg_id, "From": HOTLINE, "To": self.endpoint, "Direction": "outbound-api"}

    async def report(self, status: str) -> Heard:
        """Progress that comes in time, because what follows in the trace depends on it."""
        return await self.post(f"/voice/agent/{self.offer_id}/status", status)

    async def mention(self, status: str) -> Heard:
        """Progress that may as well come late."""
        url = f"/voice/agent/{self.offer_id}/status"
        return await self.hotline.report(url, **self.about, CallStatus=status)

    async def answer(self) -> Heard:
        return await self.post(f"/voice/agent/{self.offer_id}")

    async def join(self, whisper: Heard, key: str = "") -> Heard:
        if "Gather" in whisper.verbs:
            return await self.post(whisper.url("Gather", "action"), Digits=key)
        return await self.post(whisper.url("Redirect"))

    async def left(self, met: Heard, status: str) -> Heard:
        return await self.post(met.url("Dial", "action"), status, DialCallStatus="answered")


class counted:  # noqa: N801  reads as a statement: with counted(redis) as count
    """Counts what is sent to the live store."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self.commands = 0

    def __enter__(self) -> "counted":
        self._send = self._redis.execute_command

        async def send(*args: Any, **options: Any) -> Any:
            self.commands += 1
            return await self._send(*args, **options)

        self._redis.execute_command = send
        return self

    def __exit__(self, *_: object) -> None:
        self._redis.execute_command = self._send
