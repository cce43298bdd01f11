"""Calls that the exchange makes: waiting for a slot, ringing a person's phones, and what came of it."""

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from ivr.standin.calls import BUSY, FAILED, IN_PROGRESS, NO_ANSWER, RINGING, Call
from ivr.standin.handsets import address_of
from ivr.standin.inbox import Tidings

if TYPE_CHECKING:
    from ivr.standin.exchange import Exchange
    from ivr.standin.inbox import Target
    from ivr.standin.twiml import Document

Life = Coroutine[Any, Any, None]
BACKLOG_MS_MAX = 24 * 3600 * 1000
QUICK_MS = 200


class BacklogFullError(Exception):
    """A day's worth of calls is waiting to be placed."""


class Slots:
    """So many outgoing calls a second and no more; none means no limit."""

    def __init__(self, cps: float) -> None:
        self.cps = cps
        self._free_ms = 0.0

    def take(self, now_ms: int) -> int:
        """How long a call placed now must wait for its turn."""
        if self.cps <= 0:
            return 0
        starts_ms = max(float(now_ms), self._free_ms)
        if starts_ms - now_ms > BACKLOG_MS_MAX:
            raise BacklogFullError
        self._free_ms = starts_ms + 1000 / self.cps
        return round(starts_ms - now_ms)


async def live_outgoing(exchange: "Exchange", call: Call, first: "Target | Document") -> None:
    until_ms = exchange.clock.now_ms() + call.queue_time_ms
    while (left_ms := until_ms - exchange.clock.now_ms()) > 0:
        await call.inbox.take(left_ms)
    call.inbox.check()
    if await ring(exchange, call):
        await exchange.live(call, first)


async def ring(exchange: "Exchange", call: Call) -> bool:
    """Ring one address; True when the leg is up, else the call has ended for a reason."""
    call.is_initiated = True
    exchange.reports.of_call(call, "initiated")
    address = address_of(call.to)
    if address in exchange.numbers:
        return await _ring_ourselves(exchange, call, address)
    phones = exchange.registrations.at(address)
    if not phones:
        await _ring_nobody(exchange, call, address)
        return False
    if exchange.faults.client_busy == "busy" and _is_busy(exchange, call, address):
        exchange.end_call(call, BUSY, exchange.faults.busy_sip_code)
        return False
    handset = exchange.give_handset(call)
    handset.parameters = _parameters(call.to)
    _start_ringing(exchange, call)
    for phone in phones:
        phone.ring(handset)
    return await _await_answer(exchange, call)


async def _ring_ourselves(exchange: "Exchange", call: Call, number: str) -> bool:
    """One of the account's own numbers: its document runs on the far side, as an incoming call's does."""
    near = exchange.give_handset(call)
    _start_ringing(exchange, call)
    far = exchange.dial(call.from_, number)

    async def follow_far() -> None:
        async for heard in far.events():
            if heard.kind == "answered":
                near.answer()
        near.hang_up()

    async def follow_near() -> None:
        await near.ended()
        far.hang_up()

    exchange.callbacks.start(follow_far())
    exchange.callbacks.start(follow_near())
    return await _await_answer(exchange, call)


def _start_ringing(exchange: "Exchange", call: Call) -> None:
    call.move(RINGING, exchange.clock.now_ms())
    call.hear("ringing", call.from_)
    exchange.reports.of_call(call, "ringing")


async def _await_answer(exchange: "Exchange", call: Call) -> bool:
    until_ms = exchange.clock.now_ms() + call.timeout_s * 1000 + exchange.faults.ring_buffer_ms
    while True:
        signal = await call.inbox.take(max(0, until_ms - exchange.clock.now_ms()))
        if signal is None:
            exchange.end_call(call, NO_ANSWER, "487")
        elif isinstance(signal, Tidings) and signal.kind == "picked up":
            exchange.connect(call)
        elif isinstance(signal, Tidings) and signal.kind == "declined":
            exchange.end_call(call, BUSY, "603")
        if call.status == IN_PROGRESS:
            return True
        if call.is_over:
            return False


async def _ring_nobody(exchange: "Exchange", call: Call, address: str) -> None:
    """An address without a phone: a client fails at once, a number as the switch says."""
    is_client = address.startswith("client:")
    outcome = exchange.faults.client_unregistered if is_client else exchange.faults.number_unregistered
    if outcome == "ring" or (outcome == NO_ANSWER and not is_client):
        _start_ringing(exchange, call)
        await _await_answer(exchange, call)
        return
    await _quickly(exchange, call)
    exchange.end_call(call, outcome, {FAILED: "404", BUSY: exchange.faults.busy_sip_code}.get(outcome, "480"))


async def _quickly(exchange: "Exchange", call: Call) -> None:
    until_ms = exchange.clock.now_ms() + QUICK_MS
    while (left_ms := until_ms - exchange.clock.now_ms()) > 0:
        await call.inbox.take(left_ms)


def _is_busy(exchange: "Exchange", call: Call, address: str) -> bool:
    return any(
        other is not call and other.status in {RINGING, IN_PROGRESS} and address_of(other.to) == address
        for other in exchange.live_calls.values()
        if other.direction != "inbound"
    )


def _parameters(to: str) -> dict[str, str]:
    """``client:alice?order=7`` hands custom parameters to the phone."""
    query = to.partition("?")[2]
    return dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
