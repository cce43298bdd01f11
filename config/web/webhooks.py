"""The wrapper around every webhook of the provider: nothing unsigned gets past it.

The body is read once, raw, because the signature covers what was sent and not what a parser makes of it.
The URL that is checked is the public one from the settings plus the path and query as they arrived: a proxy's
headers are not believed. When a store is down, slow or broken the caller gets the safe document instead of
silence, within the provider's patience. One line is logged for each request, and it holds no number.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import Response

from config import traces
from config.log import bound, get_log
from config.runtime import Runtime
from config.telephony import LEG_FIELD, SIGNATURE_HEADER
from config.web.headers import NO_PAGE
from config.web.refusals import note_refusal

BODY_BYTES_MAX = 256 * 1024
FIELDS_MAX = 1000
HANDLER_S_MAX = 8  # the provider gives up after 15, and the answer has to get there

log = get_log(__name__)


@dataclass(frozen=True)
class Webhook:
    """One signed request. Only the first value of a field is kept; the signature saw all."""

    url: str
    path_params: Mapping[str, Any]
    query: Mapping[str, str]
    form: Mapping[str, str]
    received_ms: int


Handler = Callable[[Runtime, Webhook], Awaitable[Response]]
SafeDocument = Callable[[Runtime, Webhook], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


class _TooLong(Exception):  # noqa: N818 - never leaves this module
    """The body is longer than any webhook."""


def signed(handler: Handler, *, safe_document: SafeDocument | None = None) -> Endpoint:
    """An endpoint that calls `handler(runtime, webhook)` for requests the provider signed, and only those.

    `safe_document(runtime, webhook)` answers in its place when it fails: it touches no store. Without one (a
    status callback, to whose answer nobody listens) the answer is 503.
    """

    @functools.wraps(handler)
    async def endpoint(request: Request) -> Response:
        runtime: Runtime = request.app.state.runtime
        request.scope[NO_PAGE] = True
        tally = runtime.tally
        began_ms = tally.now_ms()
        try:
            body = await _read_body(request)
        except _TooLong:
            outcome, response, leg_id = "too_long", Response(status_code=413), ""
        else:
            outcome, response, leg_id = await _serve(runtime, request, body, handler, safe_document)
        tally.note("webhook", began_ms, _name(handler), outcome)
        note = log.info if outcome == "ok" else log.warning
        note(
            "webhook",
            route=_name(handler),
            outcome=outcome,
            status=response.status_code,
            took_ms=tally.now_ms() - began_ms,
            leg_id=leg_id,
        )
        return response

    return endpoint


async def _serve(
    runtime: Runtime, request: Request, body: bytes, handler: Handler, safe_document: SafeDocument | None
) -> tuple[str, Response, str]:
    url = public_url(runtime.settings.public_base_url, request)
    fields = _fields(body)
    signature = request.headers.get(SIGNATURE_HEADER, "")
    if fields is None or not runtime.telephony.is_signed(url, fields, signature):
        await note_refusal(runtime, request, url, fields, signature)
        return "unsigned", Response(status_code=403), ""
    webhook = Webhook(
        url=url,
        path_params=MappingProxyType(dict(request.path_params)),
        query=_first(_fields(request.scope["query_string"]) or ()),
        form=_first(fields),
        received_ms=runtime.clock.now_ms(),
    )
    leg_id = webhook.form.get(LEG_FIELD, "")
    with bound(leg_id=leg_id), traces.span(f"webhook {_name(handler)}", of=_call_of(webhook, leg_id)) as span:
        outcome, response = await _answer(runtime, webhook, handler, safe_document)
        span.tell(outcome=outcome, status=response.status_code, leg_id=leg_id)
    return outcome, response, leg_id


def _call_of(webhook: Webhook, leg_id: str) -> str:
    """In whose trace it is told: an address of ours may name the call, or an offer of it, `CA…-2`."""
    named = str(webhook.path_params.get("call_id", ""))
    return named or str(webhook.path_params.get("offer_id", "")).rpartition("-")[0] or leg_id


async def _answer(
    runtime: Runtime, webhook: Webhook, handler: Handler, safe_document: SafeDocument | None
) -> tuple[str, Response]:
    try:
        async with asyncio.timeout(HANDLER_S_MAX):
            return "ok", await handler(runtime, webhook)
    except (RedisError, OSError) as error:  # a TimeoutError is an OSError
        outcome, trouble = "store_down", type(error).__name__
        log.warning("webhook.store_down", route=_name(handler), error=trouble)
    except Exception:
        # A fault of ours is no reason to hang up on anybody: he hears the safe document and comes back.
        outcome = "failed"
        log.exception("webhook.failed", route=_name(handler))
    if safe_document is None:
        return outcome, Response(status_code=503)
    return outcome, safe_document(runtime, webhook)


def _name(handler: Handler) -> str:
    return getattr(handler, "__name__", type(handler).__name__)


def public_url(base_url: str, request: Request) -> str:
    """The URL as the provider wrote it: our public base, then path and query untouched."""
    raw_path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    path = raw_path.partition(b"?")[0].decode("latin-1")
    query = request.scope["query_string"].decode("latin-1")
    return f"{base_url}{path}?{query}" if query else f"{base_url}{path}"


async def _read_body(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_BYTES_MAX:
            raise _TooLong
        parts.append(part)
    return b"".join(parts)


def _fields(text: bytes) -> list[tuple[str, str]] | None:
    """Every field, blanks too, in order; none when there are more than anybody sends."""
    try:
        return parse_qsl(text.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        return None


def _first(fields: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    return MappingProxyType(dict(reversed(fields)))
