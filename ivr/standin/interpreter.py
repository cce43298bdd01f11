"""Documents carried out: one loop, one verb at a time, top to bottom.

A verb that returns a target hands control to the document found there; what followed it in the old document
is unreachable. When the verbs run out, the document is over. A document that cannot be had or read is asked
for once more at the call's fallback address; after that the call is lost, and counted.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from ivr.standin.inbox import Gone, Redirected, Target
from ivr.standin.stage import CALL, Place, Stage, no_params
from ivr.standin.twiml import Document, DocumentError, Element, Fault, Spec, read
from ivr.standin.verbs import (
    dial,
    enqueue,
    gather,
    hangup,
    leave,
    pause,
    play,
    record,
    redirect,
    reject,
    say,
    start,
    stop,
)
from ivr.standin.webhooks import Reply, WebhookError

if TYPE_CHECKING:
    from ivr.standin.calls import Call
    from ivr.standin.exchange import Exchange

Run = Callable[[Stage, Element], Awaitable[Target | None]]
VERBS: dict[str, Run] = {
    "Dial": dial.run,
    "Enqueue": enqueue.run,
    "Gather": gather.run,
    "Hangup": hangup.run,
    "Leave": leave.run,
    "Pause": pause.run,
    "Play": play.run,
    "Record": record.run,
    "Redirect": redirect.run,
    "Reject": reject.run,
    "Say": say.run,
    "Start": start.run,
    "Stop": stop.run,
}
VOCABULARY: dict[str, Spec] = {
    module.SPEC.name: module.SPEC
    for module in (
        dial,
        enqueue,
        gather,
        hangup,
        leave,
        pause,
        play,
        record,
        redirect,
        reject,
        say,
        start,
        stop,
    )
}
XML_TYPES = frozenset({"text/xml", "application/xml", "text/html"})
APPLICATION_ERROR = "We are sorry. An application error has occurred. Goodbye."


async def live(exchange: "Exchange", call: "Call", first: Target | Document) -> None:
    """An answered (or answerable) call, from its first document to its end."""
    source, delay_ms = first, 0
    while not call.is_over:
        try:
            await _rest(call, exchange, delay_ms)
            await carry_out(exchange, call, source)
            exchange.end_call(call, "completed")
        except Redirected as redirected:
            source, delay_ms = redirected.source, redirected.delay_ms
        except DocumentError:
            exchange.application_errors += 1
            call.hear("said", APPLICATION_ERROR, "en-US")
            exchange.end_call(call, "completed" if call.status == "in-progress" else "failed")
        except Gone:
            return


async def _rest(call: "Call", exchange: "Exchange", for_ms: int) -> None:
    until_ms = exchange.clock.now_ms() + for_ms
    while (left_ms := until_ms - exchange.clock.now_ms()) > 0:
        await call.inbox.take(left_ms)


async def carry_out(
    exchange: "Exchange",
    call: "Call",
    source: Target | Document,
    place: Place = CALL,
    params: Callable[[], Mapping[str, str]] = no_params,
) -> None:
    """Carry out a document and those that take over from it, until verbs run out."""
    while True:
        document = (
            source if isinstance(source, Document) else await _obtain(exchange, call, source, place, params)
        )
        target = await _perform(Stage(exchange, call, place, document, params))
        if target is None:
            return
        source = target


async def _perform(stage: Stage) -> Target | None:
    for verb in stage.document.verbs:
        target = await VERBS[verb.name](stage, verb)
        if target is not None:
            return target
    return None


async def _obtain(
    exchange: "Exchange", call: "Call", target: Target, place: Place, params: Callable[[], Mapping[str, str]]
) -> Document:
    """The document at a target, or else the one at the call's fallback address, asked for once."""
    try:
        return await fetch(exchange, call, target, place, params())
    except DocumentError as error:
        exchange.complain(call, error.code, error.message, url=error.url, method=error.method)
        fallback = call.fallback if place.has_fallback else None
        if fallback is None:
            raise
        if exchange.faults.error_params_on_fallback:
            fallback = fallback.saying(ErrorCode=str(error.code), ErrorUrl=error.url)
    try:
        return await fetch(exchange, call, fallback, place, params())
    except DocumentError as error:
        exchange.complain(call, error.code, error.message, url=error.url, method=error.method)
        raise


async def fetch(
    exchange: "Exchange", call: "Call", target: Target, place: Place, params: Mapping[str, str]
) -> Document:
    """Ask for one document and read it."""
    try:
        reply = await call.inbox.during(exchange.enquiries.ask(call, target, params))
    except WebhookError as error:
        raise DocumentError(error.code, error.message, error.url, error.method) from None
    if not 200 <= reply.status < 300:
        raise DocumentError(11200, f"HTTP retrieval failure: status {reply.status}", reply.url, reply.method)
    try:
        return document_from(exchange, call, reply, place)
    except DocumentError as error:
        error.url, error.method = reply.url, reply.method
        raise


def document_from(exchange: "Exchange", call: "Call", reply: Reply, place: Place) -> Document:
    if reply.content_type.startswith("audio/"):
        return Document(reply.url, reply.method, (Element("Play", {}, reply.url), Element("Hangup", {}, "")))
    if reply.content_type == "text/plain":
        return _plain(exchange, call, reply, place)
    if reply.content_type not in XML_TYPES:
        raise DocumentError(12300, f"Invalid Content-Type {reply.content_type or '(none)'}")
    return checked(exchange, call, reply.body, place, url=reply.url, method=reply.method)


def _plain(exchange: "Exchange", call: "Call", reply: Reply, place: Place) -> Document:
    """Plain text that is a document is carried out; any other is spoken."""
    try:
        return checked(exchange, call, reply.body, place, url=reply.url, method=reply.method)
    except DocumentError:
        text = reply.body.decode("utf-8", "replace").strip()
        return Document(reply.url, reply.method, (Element("Say", {}, text), Element("Hangup", {}, "")))


def checked(
    exchange: "Exchange",
    call: "Call | None",
    body: bytes | str,
    place: Place,
    *,
    url: str | None = None,
    method: str = "POST",
) -> Document:
    """A document without faults; what the switch allows to skip is skipped and complained about."""
    verbs, faults = read(body, VOCABULARY, is_inline=url is None)
    kept = []
    for verb in verbs:
        code = place.refusal(verb.name)
        if code is None:
            kept.append(verb)
        else:
            faults.append(
                Fault(code, f"{verb.name} may not stand in a {place.name} document", is_schema=True)
            )
    for fault in faults:
        if not fault.is_schema or exchange.faults.schema_fault == "abort":
            raise DocumentError(fault.code, fault.message)
        exchange.complain(call, fault.code, fault.message, log=1, url=url or "", method=method)
    return Document(url, method, tuple(kept))
