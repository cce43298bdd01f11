"""Gather: keys or speech, while prompts are spoken and for a time after them.

The time limit starts when the prompts have ended and again with each key. No input falls through to the next
verb unless ``actionOnEmptyResult`` asks for the action all the same.
"""

from dataclasses import dataclass, field

from ivr.standin.inbox import BargedIn, Key, Signal, Speech, Target
from ivr.standin.stage import Stage
from ivr.standin.twiml import Attribute, Element, Fault, Spec, all_of, anything, boolean, whole
from ivr.standin.verbs import pause, play, say
from ivr.standin.verbs.attributes import ANY_METHOD, ANY_URL, some_digits

AUTO_PAUSE_MS = 700
HINTS_MAX, HINT_CHARS_MAX = 500, 100


def _is_timeout(text: str) -> bool:
    return text == "auto" or whole(0, 600)(text)


def _are_hints(text: str) -> bool:
    hints = text.split(",")
    return len(hints) <= HINTS_MAX and all(len(hint.strip()) <= HINT_CHARS_MAX for hint in hints)


def _inspect(gather: Element) -> list[Fault]:
    return [
        Fault(13322, "Gather: a nested Play may not send digits")
        for child in gather.children
        if child.name == "Play" and child.word("digits")
    ]


SPEC = Spec(
    "Gather",
    {
        "input": Attribute(all_of("dtmf", "speech")),
        "action": ANY_URL,
        "method": Attribute(ANY_METHOD.is_valid, 13312),
        "timeout": Attribute(_is_timeout, 13313),
        "speechTimeout": Attribute(_is_timeout, 13313),
        "maxSpeechTime": Attribute(whole(1, 600)),
        "finishOnKey": Attribute(lambda text: len(text) <= 1 and some_digits(text), 13310),
        "numDigits": Attribute(whole(1, 1000), 13314),
        "actionOnEmptyResult": Attribute(boolean),
        "language": Attribute(lambda text: 2 <= len(text) <= 20),
        "speechModel": Attribute(anything),
        "hints": Attribute(_are_hints),
        "profanityFilter": Attribute(boolean),
        "enhanced": Attribute(boolean),
        "bargeIn": Attribute(boolean),
        "debug": Attribute(boolean),
        "partialResultCallback": ANY_URL,
        "partialResultCallbackMethod": ANY_METHOD,
    },
    children=(say.SPEC, play.SPEC, pause.SPEC),
    nesting_code=13320,
    inspect=_inspect,
    needs_action_inline=True,
)
_PROMPTS = {"Say": say.run, "Play": play.run, "Pause": pause.run}


@dataclass
class _Heard:
    digits: str = ""
    finished_on: str = ""
    speech: Speech | None = None
    is_done: bool = False
    pending: list[Signal] = field(default_factory=list)


async def run(stage: Stage, gather: Element) -> Target | None:
    stage.exchange.answer(stage.call)
    if not stage.exchange.faults.keys_buffered:
        stage.call.inbox.forget_heard()
    stage.call.hear("gathering", gather.word("input", "dtmf"), gather.word("language", "en-US"))
    heard = _Heard()
    await _speak(stage, gather, heard)
    await _listen(stage, gather, heard)
    stage.call.hear("gathered", heard.digits or (heard.speech.text if heard.speech else ""))
    return _outcome(stage, gather, heard)


async def _speak(stage: Stage, gather: Element, heard: _Heard) -> None:
    inner = Stage(
        stage.exchange,
        stage.call,
        stage.place,
        stage.document,
        stage.params,
        is_gathering=True,
        can_barge=gather.flag("bargeIn", stage.exchange.faults.gather_barge_in),
    )
    try:
        for prompt in gather.children:
            await _PROMPTS[prompt.name](inner, prompt)
    except BargedIn as barge:
        heard.pending.append(barge.signal)


async def _listen(stage: Stage, gather: Element, heard: _Heard) -> None:
    limit_ms = _limit_ms(gather, "timeout", 5000)
    while not heard.is_done:
        signal = heard.pending.pop() if heard.pending else await stage.call.inbox.take(limit_ms)
        if signal is None:
            return
        if isinstance(signal, Key):
            _press(gather, heard, signal.digit)
        elif isinstance(signal, Speech) and "speech" in gather.words("input", "dtmf") and not heard.digits:
            await _hear_out(stage, gather, heard, signal)


def _press(gather: Element, heard: _Heard, digit: str) -> None:
    if "dtmf" not in gather.words("input", "dtmf"):
        return
    if digit == gather.word("finishOnKey", "#"):
        heard.finished_on, heard.is_done = digit, True
        return
    heard.digits += digit
    heard.is_done = len(heard.digits) == gather.number("numDigits", 0)


async def _hear_out(stage: Stage, gather: Element, heard: _Heard, speech: Speech) -> None:
    """The words, then the pause that shows they are over; keys pressed meanwhile come too late."""
    _report_partial(stage, gather, speech)
    limit_ms = _limit_ms(gather, "speechTimeout", _limit_ms(gather, "timeout", 5000))
    until_ms = stage.exchange.clock.now_ms() + speech.lasts_ms + limit_ms
    while (left_ms := until_ms - stage.exchange.clock.now_ms()) > 0:
        await stage.call.inbox.take(left_ms)
    heard.speech, heard.is_done = speech, True


def _report_partial(stage: Stage, gather: Element, speech: Speech) -> None:
    if gather.word("partialResultCallback"):
        target = Target(
            stage.address(gather.word("partialResultCallback")),
            gather.word("partialResultCallbackMethod", "POST"),
        )
        stage.afterwards(
            target.saying(
                UnstableSpeechResult=speech.text, StableSpeechResult="", Stability="0.5", SequenceNumber="0"
            )
        )


def _limit_ms(gather: Element, name: str, default_ms: int) -> int:
    text = gather.word(name)
    if not text:
        return default_ms
    return AUTO_PAUSE_MS if text == "auto" else int(text) * 1000


def _outcome(stage: Stage, gather: Element, heard: _Heard) -> Target | None:
    is_empty = not heard.digits and heard.speech is None
    if is_empty and not gather.flag("actionOnEmptyResult", False):
        return None
    params = {"msg": "Gather End"}
    if heard.speech is not None:
        params["SpeechResult"] = heard.speech.text
        if heard.speech.confidence is not None:
            params["Confidence"] = f"{heard.speech.confidence:g}"
        if stage.exchange.faults.gather_language_sent:
            params["Language"] = gather.word("language", "en-US")
    else:
        params |= {"Digits": heard.digits, "FinishedOnKey": heard.finished_on}
    return stage.action(gather, **params)
