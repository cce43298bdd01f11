"""Where a document is being carried out, and what its verbs may ask for.

The same verbs run on a call, in a queue's wait document, in a conference before it starts, on a held line
and as a whisper; the place says which of them are allowed and what failing there means.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from ivr.standin.inbox import BargedIn, Key, Speech, Target
from ivr.standin.twiml import Document, Element

if TYPE_CHECKING:
    from ivr.standin.calls import Call
    from ivr.standin.exchange import Exchange


@dataclass(frozen=True)
class Place:
    name: str
    verbs: frozenset[str] | None = None
    code: int = 12200
    has_fallback: bool = False

    def refusal(self, verb: str) -> int | None:
        """The error number for a verb that may not stand here."""
        if self.verbs is None or verb in self.verbs:
            return None
        return 13201 if verb == "Dial" and self.name == "whisper" else self.code


CALL = Place("call", has_fallback=True)
QUEUE_WAIT = Place("queue", frozenset({"Play", "Say", "Pause", "Hangup", "Redirect", "Leave", "Gather"}))
CONFERENCE_WAIT = Place("conference", frozenset({"Play", "Say", "Pause", "Redirect"}), code=13238)
HOLD = Place("hold", frozenset({"Play", "Say", "Pause", "Redirect"}))
WHISPER = Place("whisper", frozenset({"Play", "Say", "Pause", "Gather", "Hangup", "Redirect"}))
DEQUEUED = Place("dequeued", frozenset({"Play", "Say", "Pause", "Redirect"}))


def no_params() -> Mapping[str, str]:
    return {}


@dataclass
class Stage:
    exchange: "Exchange"
    call: "Call"
    place: Place
    document: Document
    params: Callable[[], Mapping[str, str]] = no_params
    is_gathering: bool = False
    can_barge: bool = True

    def address(self, text: str) -> str:
        """An address in the document, made absolute; empty means the document itself."""
        if self.document.url is None:
            return text
        return urljoin(self.document.url, text) if text else self.document.url

    def action(self, verb: Element, **params: str) -> Target:
        """The request that a verb's action attribute stands for, by default the present document."""
        return Target(self.address(verb.word("action")), verb.word("method", "POST"), tuple(params.items()))

    def afterwards(self, target: Target, delay_ms: int = 0) -> None:
        """Request something whose answer no longer matters: the call has ended or was redirected."""
        self.exchange.enquiries.tell(self.call, target, delay_ms)

    async def pass_time(self, for_ms: float) -> None:
        """Let product time pass on this leg; inside a gather a key or a word cuts it short."""
        inbox = self.call.inbox
        now_ms = self.exchange.clock.now_ms
        until_ms = now_ms() + for_ms
        kept: list[Key] = []
        while (signal := await inbox.take(max(0.0, until_ms - now_ms()))) is not None:
            if self.is_gathering and self.can_barge and isinstance(signal, Key | Speech):
                raise BargedIn(signal)
            if self.exchange.faults.keys_buffered and isinstance(signal, Key):
                kept.append(signal)
        for key in kept:
            inbox.put(key)
