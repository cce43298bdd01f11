"""A person's end of a leg: what keys, words, answering and hanging up do to it."""

from typing import TYPE_CHECKING

from ivr.standin.calls import COMPLETED, NO_ANSWER, RINGING, Call
from ivr.standin.inbox import Key, Speech, Tidings
from ivr.standin.verbs.say import spoken_ms

if TYPE_CHECKING:
    from ivr.standin.exchange import Exchange


class LegLine:
    def __init__(self, exchange: "Exchange", call: Call) -> None:
        self._exchange = exchange
        self._call = call

    def pressed(self, digits: str) -> None:
        for digit in digits:
            self._call.inbox.put(Key(digit))

    def spoke(self, text: str, confidence: float | None) -> None:
        lasts_ms = spoken_ms(text, self._exchange.faults)
        self._call.inbox.put(Speech(text, confidence, lasts_ms))

    def answered_by_person(self) -> None:
        self._call.inbox.put(Tidings("picked up", self._call))

    def declined_by_person(self) -> None:
        self._call.inbox.put(Tidings("declined", self._call))

    def hung_up_by_person(self) -> None:
        call = self._call
        if call.status == RINGING and call.direction != "inbound":
            self.declined_by_person()
        else:
            self._exchange.end_call(call, NO_ANSWER if call.status == RINGING else COMPLETED)
