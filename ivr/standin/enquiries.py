"""Documents asked of the customer for a call: those that will be carried out, and those that only tell."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ivr.standin.calls import Call, standard_params
from ivr.standin.inbox import Target
from ivr.standin.webhooks import Reply, WebhookError

if TYPE_CHECKING:
    from ivr.standin.exchange import Exchange


class Enquiries:
    def __init__(self, exchange: "Exchange") -> None:
        self._exchange = exchange

    async def ask(self, call: Call, target: Target, params: Mapping[str, str]) -> Reply:
        """Ask for a document; now and then, by fault, twice, and the second answer is not used."""
        said = standard_params(call, self._exchange.account_sid) | dict(params) | dict(target.params)
        call.asked += 1
        exchange = self._exchange
        if exchange.chance.happens(exchange.faults.control_doubled, "control", call.ordinal, call.asked):
            self._exchange.callbacks.start(self._ask_unheard(call, target, said))
        return await self._exchange.postman.ask(target.url, target.method, said, call.cookies)

    def tell(self, call: Call, target: Target, delay_ms: int = 0) -> None:
        """Ask for a document whose content no longer matters."""
        after = {"CallStatus": self._exchange.faults.hangup_action_status} if call.is_over else {}
        delay_ms = delay_ms or (self._exchange.faults.hangup_action_ms if call.is_over else 0)
        said = standard_params(call, self._exchange.account_sid) | after | dict(target.params)
        self._exchange.callbacks.start(self._ask_unheard(call, target, said, delay_ms))

    async def _ask_unheard(
        self, call: Call, target: Target, said: Mapping[str, str], delay_ms: int = 0
    ) -> None:
        if delay_ms:
            await self._exchange.clock.sleep(delay_ms)
        try:
            reply = await self._exchange.postman.ask(target.url, target.method, said, call.cookies)
        except WebhookError as error:
            self._exchange.complain(call, error.code, error.message, url=error.url, method=error.method)
            return
        if not 200 <= reply.status < 300:
            self._exchange.complain(
                call,
                11200,
                f"HTTP retrieval failure: status {reply.status}",
                url=reply.url,
                method=reply.method,
            )
