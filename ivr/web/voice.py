"""The provider's voice webhooks: each one parsed to values, one call to the service, one document back.

The provider's words are read here, through literal tables, and go no further. A document that a caller or an
agent is waiting for has a safe twin for the time when a store is down; a mere report has none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.runtime import Runtime
from config.telephony import LEG_FIELD, LEG_STATUSES
from config.web.webhooks import Webhook, signed
from ivr.domain.heard import Heard
from ivr.domain.nodes import END_KEY
from ivr.domain.steps import Session
from ivr.domain.verbs import Address, Document
from ivr.service.agent_line import AgentLine, LegNews
from ivr.service.conversation import Conversation, Exit
from ivr.service.customer_line import CustomerLine, CustomerNews
from ivr.service.hotlines import active_hotline
from ivr.web.audio import Sounds, audio
from ivr.web.hold_tone import hold_tone
from ivr.web.twiml import CONTENT_TYPE, render, writer
from queues.domain.dial_rules import CUSTOMER
from queues.domain.plan import Voice as Speaker
from queues.service.switchboard import Switchboard

_EXITS: Final[Mapping[str, Exit]] = {
    "hangup": Exit.HUNG_UP,
    "leave": Exit.LEFT,
    "bridged": Exit.TAKEN,
    "bridging-in-process": Exit.TAKEN,
    "redirected": Exit.TAKEN,
    "redirected-from-bridged": Exit.TAKEN,
    "queue-full": Exit.REFUSED,
    "error": Exit.REFUSED,
    "system-error": Exit.REFUSED,
}
_NEWS: Final[Mapping[str, LegNews]] = {
    "ringing": LegNews.RINGING,
    "no-answer": LegNews.UNANSWERED,
    "busy": LegNews.UNREACHED,
    "failed": LegNews.UNREACHED,
    "canceled": LegNews.UNREACHED,
    "completed": LegNews.OVER,
}
# A browser is never engaged: its "busy" is a person who declined.
_CLIENT_NEWS: Final[Mapping[str, LegNews]] = {"busy": LegNews.DECLINED, "completed": LegNews.HUNG_UP}
_CUSTOMER_NEWS: Final[Mapping[str, CustomerNews]] = {
    "ringing": CustomerNews.RINGING,
    "no-answer": CustomerNews.UNANSWERED,
    "busy": CustomerNews.UNREACHED,
    "failed": CustomerNews.UNREACHED,
    "canceled": CustomerNews.UNREACHED,
    "completed": CustomerNews.OVER,
}
_CLIENT = "client:"
_OUTBOUND = "outbound"  # a leg we placed, which came to the front door by its fallback
_LEFT_CONFERENCE = "participant-leave"
_NUMBER_DIGITS_MAX = 9  # more a round of waiting or a step never comes to
_TALKED = frozenset({"completed", "answered"})  # of a dialled number, if it was bridged as well


@dataclass(frozen=True, slots=True)
class Leg:
    """What every voice webhook says of the leg it is about."""

    leg_id: str
    from_: str
    to: str
    status: str

    @property
    def is_over(self) -> bool:
        status = LEG_STATUSES.get(self.status)
        return status is not None and status.is_over

    @property
    def is_client(self) -> bool:
        """A browser: whoever answers there has accepted, and nothing else is engaged there."""
        return self.to.startswith(_CLIENT)


def leg_of(webhook: Webhook) -> Leg:
    form = webhook.form
    return Leg(form.get(LEG_FIELD, ""), form.get("From", ""), form.get("To", ""), form.get("CallStatus", ""))


def key_of(webhook: Webhook) -> str:
    """The key that was pressed; a provider that keeps the finishing key apart is understood too."""
    return (webhook.form.get("Digits") or webhook.form.get("FinishedOnKey") or "")[:1]


def heard_of(webhook: Webhook) -> Heard:
    """What was heard at a question. The end key is told apart, or left at the end of the digits."""
    form = webhook.form
    digits, ended_by = form.get("Digits", ""), form.get("FinishedOnKey", "")
    if ended_by and ended_by != END_KEY and not digits:
        digits, ended_by = ended_by, ""
    has_ended = ended_by == END_KEY or (len(digits) > 1 and digits.endswith(END_KEY))
    digits = digits.removesuffix(END_KEY) if len(digits) > 1 else digits
    return Heard(digits, form.get("SpeechResult", ""), _confidence(form.get("Confidence", "")), has_ended)


def _confidence(text: str) -> float | None:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return None


def number_of(webhook: Webhook, name: str) -> int:
    """A number of our own address; one that we cannot have written there is none."""
    text = webhook.query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS_MAX else 0


def call_of(webhook: Webhook) -> str:
    """The call a leg is about: the one it came with; of a customer who was called back the one our address names."""
    return webhook.query.get("c") or leg_of(webhook).leg_id


def is_repeated(webhook: Webhook) -> bool:
    """Our own safe document sent him here again: the key or the result of the first time is lost."""
    return number_of(webhook, "r") > 0


def session_of(webhook: Webhook) -> Session:
    query = webhook.query
    return Session(
        node=query.get("n", ""),
        tries=number_of(webhook, "t"),
        locale=query.get("l", ""),
        version=query.get("v", ""),
        step=number_of(webhook, "s"),
        unsure=number_of(webhook, "c"),
        is_entering=bool(number_of(webhook, "e")),
    )


@dataclass(frozen=True, slots=True)
class Voice:
    """The handlers, over the two sides of a call."""

    runtime: Runtime
    conversation: Conversation
    agent_line: AgentLine
    customer_line: CustomerLine

    @classmethod
    def of(cls, runtime: Runtime) -> Voice:
        switchboard = Switchboard(runtime)
        conversation = Conversation.of(runtime, switchboard)
        return cls(
            runtime,
            conversation,
            AgentLine(runtime, switchboard),
            CustomerLine(runtime, switchboard, conversation),
        )

    async def incoming(self, webhook: Webhook) -> Document:
        leg = leg_of(webhook)
        if webhook.form.get("Direction", "").startswith(_OUTBOUND):
            return await self._placed(leg, number_of(webhook, "r"))
        tries = number_of(webhook, "r")
        return await self.conversation.incoming(call_id=leg.leg_id, from_=leg.from_, to=leg.to, tries=tries)

    async def _placed(self, leg: Leg, tries: int) -> Document:
        """A leg that we placed: an agent's, or a customer's whom we call back."""
        offer_id = await self.agent_line.switchboard.offer_of_leg(leg_id=leg.leg_id)
        if offer_id.startswith(CUSTOMER):
            own_offer = offer_id.removeprefix(CUSTOMER)
            return await self.customer_line.answered(offer_id=own_offer, leg_id=leg.leg_id, tries=tries)
        return await self.agent_line.back(offer_id=offer_id, leg_id=leg.leg_id, must_press=not leg.is_client)

    async def menu(self, webhook: Webhook) -> Document:
        leg, session, heard = leg_of(webhook), session_of(webhook), heard_of(webhook)
        is_silent = not (heard.digits or heard.speech or heard.has_ended)
        if is_silent and is_repeated(webhook):
            return await self.conversation.ask_again(call_id=leg.leg_id, session=session)
        return await self.conversation.answer(call_id=leg.leg_id, session=session, heard=heard)

    async def wait(self, webhook: Webhook) -> Document:
        return await self.conversation.wait(
            call_id=call_of(webhook),
            leg_id=leg_of(webhook).leg_id,
            round_no=number_of(webhook, "n"),
            is_offered=bool(number_of(webhook, "o")),
        )

    async def callback(self, webhook: Webhook) -> Document:
        return await self.conversation.ask_callback(
            call_id=leg_of(webhook).leg_id,
            round_no=number_of(webhook, "n"),
            key=key_of(webhook),
        )

    async def customer(self, webhook: Webhook) -> Document:
        return await self.customer_line.answered(offer_id=_offer_id(webhook), leg_id=leg_of(webhook).leg_id)

    async def customer_join(self, webhook: Webhook) -> Document:
        key, offer_id, leg = key_of(webhook), _offer_id(webhook), leg_of(webhook)
        if not key and is_repeated(webhook):
            return await self.customer_line.answered(offer_id=offer_id, leg_id=leg.leg_id)
        return await self.customer_line.pressed(offer_id=offer_id, leg_id=leg.leg_id, key=key)

    async def customer_status(self, webhook: Webhook) -> Document:
        leg = leg_of(webhook)
        if news := _CUSTOMER_NEWS.get(leg.status):
            await self.customer_line.news(offer_id=_offer_id(webhook), leg_id=leg.leg_id, news=news)
        return ()

    async def left_queue(self, webhook: Webhook) -> Document:
        leg = leg_of(webhook)
        exit_ = _EXITS.get(webhook.form.get("QueueResult", ""), Exit.REFUSED)
        if leg.is_over and exit_ is not Exit.TAKEN:
            exit_ = Exit.HUNG_UP
        tries = number_of(webhook, "r")
        return await self.conversation.left_queue(
            call_id=call_of(webhook),
            leg_id=leg.leg_id,
            exit_=exit_,
            locale=self._locale(webhook),
            tries=tries,
        )

    async def connect(self, webhook: Webhook) -> Document:
        return await self.conversation.connect(leg_id=leg_of(webhook).leg_id, offer_id=_offer_id(webhook))

    async def after(self, webhook: Webhook) -> Document:
        leg = leg_of(webhook)
        room = str(webhook.path_params["room"])
        return await self.conversation.after(
            call_id=room.rpartition("-")[0], leg_id=leg.leg_id, room=room, has_hung_up=leg.is_over
        )

    async def message(self, webhook: Webhook) -> Document:
        is_recorded = bool(webhook.form.get("RecordingUrl")) and webhook.form.get("RecordingDuration") != "0"
        is_left = is_recorded or is_repeated(webhook)  # only a message that was left needs the store
        return await self.conversation.message(
            call_id=leg_of(webhook).leg_id, session=session_of(webhook), is_left=is_left
        )

    async def transferred(self, webhook: Webhook) -> Document:
        """Answered is who was bridged: a mailbox that gave up while it was asked counts as nobody."""
        leg, form = leg_of(webhook), webhook.form
        was_answered = form.get("DialCallStatus", "") in _TALKED and form.get("DialBridged") != "false"
        return await self.conversation.transferred(
            call_id=leg.leg_id,
            session=session_of(webhook),
            was_answered=was_answered,
            has_hung_up=leg.is_over,
        )

    async def agent(self, webhook: Webhook) -> Document:
        leg = leg_of(webhook)
        return await self.agent_line.answered(
            offer_id=_offer_id(webhook), leg_id=leg.leg_id, must_press=not leg.is_client
        )

    async def agent_join(self, webhook: Webhook) -> Document:
        leg, offer_id, key = leg_of(webhook), _offer_id(webhook), key_of(webhook)
        must_press = bool(number_of(webhook, "k"))
        if must_press and not key and is_repeated(webhook):
            return await self.agent_line.answered(offer_id=offer_id, leg_id=leg.leg_id, must_press=True)
        return await self.agent_line.join(
            offer_id=offer_id, leg_id=leg.leg_id, must_press=must_press, key=key
        )

    async def agent_left(self, webhook: Webhook) -> Document:
        leg = leg_of(webhook)
        return await self.agent_line.left(
            offer_id=_offer_id(webhook),
            leg_id=leg.leg_id,
            room=webhook.query.get("room", ""),
            has_hung_up=leg.is_over,
        )

    async def held(self, _webhook: Webhook) -> Document:
        return active_hotline(self.runtime).documents.held()

    async def status(self, webhook: Webhook) -> Document:
        leg = leg_of(webhook)
        if leg.is_over:
            await self.conversation.hung_up(call_id=leg.leg_id, from_=leg.from_, to=leg.to)
        return ()

    async def agent_status(self, webhook: Webhook) -> Document:
        leg = leg_of(webhook)
        news = _CLIENT_NEWS.get(leg.status) if leg.is_client else None
        news = news or _NEWS.get(leg.status)
        if news:
            await self.agent_line.news(offer_id=_offer_id(webhook), leg_id=leg.leg_id, news=news)
        return ()

    async def conference(self, webhook: Webhook) -> Document:
        if webhook.form.get("StatusCallbackEvent") == _LEFT_CONFERENCE:
            status = LEG_STATUSES.get(webhook.form.get("ParticipantCallStatus", ""))
            await self.conversation.left_conference(
                room=str(webhook.path_params["room"]),
                leg_id=leg_of(webhook).leg_id,
                has_hung_up=status.is_over if status else None,
            )
        return ()

    def busy(self, name: str, webhook: Webhook) -> Document:
        """The safe twin of a document: the same question again in a moment."""
        path = tuple((key, str(value)) for key, value in webhook.path_params.items())
        again = Address(name, path, tuple(webhook.query.items()))
        documents = active_hotline(self.runtime).documents
        return documents.busy(again, number_of(webhook, "r"), self._locale(webhook))

    def _locale(self, webhook: Webhook) -> str:
        plan = active_hotline(self.runtime).plan
        asked = webhook.query.get("l", "")
        return asked if asked in plan.languages else plan.default_locale


def _offer_id(webhook: Webhook) -> str:
    return str(webhook.path_params["offer_id"])


async def hold_sound(_: Request) -> Response:
    return Response(hold_tone(), media_type="audio/wav", headers={"Cache-Control": "public, max-age=86400"})


def routes(voice: Voice) -> list[Route]:
    """The provider's routes, for the front door."""
    talks = {
        "voice_incoming": ("/voice/incoming", voice.incoming),
        "voice_menu": ("/voice/menu", voice.menu),
        "voice_wait": ("/voice/wait", voice.wait),
        "voice_callback": ("/voice/callback", voice.callback),
        "voice_left_queue": ("/voice/left-queue", voice.left_queue),
        "voice_connect": ("/voice/connect/{offer_id}", voice.connect),
        "voice_after": ("/voice/after/{room}", voice.after),
        "voice_held": ("/voice/held", voice.held),
        "voice_message": ("/voice/message", voice.message),
        "voice_transferred": ("/voice/transferred", voice.transferred),
        "voice_customer": ("/voice/customer/{offer_id}", voice.customer),
        "voice_customer_join": ("/voice/customer/{offer_id}/join", voice.customer_join),
        "voice_agent": ("/voice/agent/{offer_id}", voice.agent),
        "voice_agent_join": ("/voice/agent/{offer_id}/join", voice.agent_join),
        "voice_agent_left": ("/voice/agent/{offer_id}/left", voice.agent_left),
    }
    reports = {
        "voice_status": ("/voice/status", voice.status),
        "voice_customer_status": ("/voice/customer/{offer_id}/status", voice.customer_status),
        "voice_agent_status": ("/voice/agent/{offer_id}/status", voice.agent_status),
        "voice_conference": ("/voice/conference/{room}", voice.conference),
    }
    sounds = Sounds()
    return [
        *(_route(name, path, voice, answer, sounds, is_safe=True) for name, (path, answer) in talks.items()),
        *(
            _route(name, path, voice, answer, sounds, is_safe=False)
            for name, (path, answer) in reports.items()
        ),
        Route("/voice/hold.wav", hold_sound, methods=["GET"], name="voice_hold"),
        Route("/voice/audio/{name}", audio, methods=["GET"], name="voice_audio"),
    ]


def _route(
    name: str,
    path: str,
    voice: Voice,
    answer: Callable[[Webhook], Awaitable[Document]],
    sounds: Sounds,
    *,
    is_safe: bool,
) -> Route:
    def written(runtime: Runtime, document: Document) -> Response:
        speaking = writer(runtime.links, _voices(runtime), lambda sound: sounds.has(runtime, sound))
        return Response(render(document, speaking), media_type=CONTENT_TYPE)

    async def handler(runtime: Runtime, webhook: Webhook) -> Response:
        return written(runtime, await answer(webhook))

    def safe_document(runtime: Runtime, webhook: Webhook) -> Response:
        return written(runtime, voice.busy(name, webhook))

    handler.__name__ = name
    endpoint = signed(handler, safe_document=safe_document if is_safe else None)
    return Route(path, endpoint, methods=["POST"], name=name)


def _voices(runtime: Runtime) -> Mapping[str, Speaker]:
    """Those in force, for calls of every version: a voice that was exchanged is exchanged at once."""
    return active_hotline(runtime).plan.voices
