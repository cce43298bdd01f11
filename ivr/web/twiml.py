"""Verbs as the provider's documents, made by the provider's own library and by nothing else.

One function a verb; a verb without one is an error. Addresses become absolute URLs here, locales become
voices, and a text longer than one Say may hold is split between sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import singledispatch
from typing import Any
from urllib.parse import urlencode

from twilio.twiml import voice_response

from config.links import Links
from ivr.domain import verbs
from ivr.domain.texts import split
from ivr.domain.verbs import Address, Document, Pause, Redirect, Say, address
from queues.domain.parts import language_of
from queues.domain.plan import Voice

_sdk: Any = voice_response  # it carries no types

CONTENT_TYPE = "text/xml"
FALLBACK_PAUSE_S = 10
_FALLBACK_WORDS = {
    "zh-CN": ("系统繁忙，请不要挂机，我们马上为您服务。", "紧急情况请拨打 {}。"),
    "en-US": ("Our system is busy. Please stay on the line.", " If it is urgent, please call {}."),
}
_FALLBACK_VOICES = {
    "zh-CN": Voice(language="cmn-CN", voice="Polly.Zhiyu-Neural"),
    "en-US": Voice(language="en-US", voice="Polly.Joanna-Neural"),
}
_CONFERENCE_EVENTS = "start end join leave"


@dataclass(frozen=True, slots=True)
class Writer:
    """What rendering needs to know of the installation and the site."""

    url_of: Callable[[Address], str]
    voices: Mapping[str, Voice]
    has_sound: Callable[[Address], bool]

    def voice(self, locale: str) -> Voice:
        """A call of older words may speak a locale that there is no more: in its language, if anybody can."""
        speakers = (each for name, each in self.voices.items() if language_of(name) == language_of(locale))
        return self.voices.get(locale) or next(speakers, None) or next(iter(self.voices.values()))


def _has_every(_: Address) -> bool:
    return True


def writer(
    links: Links, voices: Mapping[str, Voice], has_sound: Callable[[Address], bool] = _has_every
) -> Writer:
    return Writer(lambda address: url_of(links, address), voices, has_sound)


def url_of(links: Links, address: Address) -> str:
    return links.url(address.name, query=dict(address.query), **dict(address.path))


def render(document: Document, writing: Writer) -> str:
    response = _sdk.VoiceResponse()
    for verb in document:
        _write(verb, response, writing)
    return str(response)


@singledispatch
def _write(verb: object, _parent: Any, _writing: Writer) -> None:
    raise TypeError(f"no document has a {type(verb).__name__}")


@_write.register
def _say(verb: verbs.Say, parent: Any, writing: Writer) -> None:
    voice = writing.voice(verb.locale)
    for piece in split(verb.text):
        parent.say(piece, voice=voice.voice, language=voice.language)


@_write.register
def _play(verb: verbs.Play, parent: Any, writing: Writer) -> None:
    if verb.spoken is not None and not writing.has_sound(verb.sound):
        _write(verb.spoken, parent, writing)
    else:
        parent.play(writing.url_of(verb.sound))


@_write.register
def _pause(verb: verbs.Pause, parent: Any, _writing: Writer) -> None:
    parent.pause(length=verb.for_s)


@_write.register
def _gather(verb: verbs.Gather, parent: Any, writing: Writer) -> None:
    asked: dict[str, Any] = {"input": "dtmf", "finish_on_key": verb.end_key}
    if not verb.end_key:
        asked["num_digits"] = 1
    if verb.listening:
        asked |= {
            "input": "dtmf speech",
            "language": verb.listening.language,
            "speech_timeout": "auto",
            "hints": ",".join(word.replace(",", " ") for word in verb.listening.hints),
        }
    gather = parent.gather(
        timeout=verb.listen_s,
        action=writing.url_of(verb.action),
        method="POST",
        action_on_empty_result=True,
        **asked,
    )
    for prompt in verb.prompts:
        _write(prompt, gather, writing)


@_write.register
def _record(verb: verbs.Record, parent: Any, writing: Writer) -> None:
    parent.record(
        action=writing.url_of(verb.action),
        method="POST",
        max_length=verb.longest_s,
        finish_on_key="#",
        play_beep=True,
        recording_status_callback=writing.url_of(verb.status),
        recording_status_callback_method="POST",
        recording_status_callback_event="completed absent",
    )


@_write.register
def _enqueue(verb: verbs.Enqueue, parent: Any, writing: Writer) -> None:
    parent.enqueue(
        verb.queue,
        action=writing.url_of(verb.action),
        method="POST",
        wait_url=writing.url_of(verb.wait),
        wait_url_method="POST",
    )


@_write.register
def _leave(_: verbs.Leave, parent: Any, _writing: Writer) -> None:
    parent.leave()


@_write.register
def _dial_conference(verb: verbs.DialConference, parent: Any, writing: Writer) -> None:
    dial = _sdk.Dial(action=writing.url_of(verb.action), method="POST")
    dial.conference(
        verb.name,
        start_conference_on_enter=True,
        end_conference_on_exit=verb.ends,
        beep="false",
        wait_url="",
        status_callback=writing.url_of(verb.status),
        status_callback_method="POST",
        status_callback_event=_CONFERENCE_EVENTS,
    )
    parent.append(dial)


@_write.register
def _dial_number(verb: verbs.DialNumber, parent: Any, writing: Writer) -> None:
    if verb.action is None:
        parent.dial(verb.number)
    else:
        parent.dial(verb.number, action=writing.url_of(verb.action), method="POST", timeout=verb.ring_s)


@_write.register
def _redirect(verb: verbs.Redirect, parent: Any, writing: Writer) -> None:
    parent.redirect(writing.url_of(verb.to), method="POST")


@_write.register
def _hangup(_: verbs.Hangup, parent: Any, _writing: Writer) -> None:
    parent.hangup()


def fallback_document(base_url: str, duty_number: str | None = None) -> str:
    """The document that the provider itself keeps for the time when none of our processes answers.

    It asks the caller to hold and comes back to us; a document at rest cannot count, so when our address
    still does not answer the provider asks for it again. It therefore cannot dial the duty phone after some
    tries, but it can tell its number.
    """
    said = tuple(
        Say(f"{hold}{duty.format(' '.join(duty_number)) if duty_number else ''}", locale)
        for locale, (hold, duty) in _FALLBACK_WORDS.items()
    )
    base = base_url.rstrip("/")
    back = Redirect(address("voice_incoming", query={"r": 1}))
    document: Document = (*said, Pause(FALLBACK_PAUSE_S), back)
    return render(
        document,
        Writer(lambda each: f"{base}/voice/incoming?{urlencode(each.query)}", _FALLBACK_VOICES, _has_every),
    )
