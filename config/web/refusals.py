"""What `shouwen doctor` can say about the last webhook that was refused.

By far the most frequent first-day fault is a proxy that makes the provider sign one address while we expect
another. So when a signature does not fit the address from PUBLIC_BASE_URL, we try the addresses it might have been
made for, and remember which one fits. Only addresses are kept, never a field of the request, and not more than one
note a second.
"""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from starlette.requests import Request

from config.clock import Clock
from config.log import get_log
from config.runtime import Runtime

PAUSE_MS = 1000
WITHIN_S = 1.0

log = get_log(__name__)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One refused request: the address we expected to be signed, the one that was (None: none that we can think of)."""

    at_ms: int  # real time
    expected_url: str
    signed_url: str | None
    had_signature: bool

    def advice(self) -> str:
        """What to do about it, in a sentence."""
        if not self.had_signature:
            return (
                "the request had no signature: it did not come from the provider, or a proxy drops the header"
            )
        if self.signed_url is None:
            return "the signature fits no address of ours: is TWILIO_AUTH_TOKEN this account's primary token?"
        signed, expected = urlsplit(self.signed_url), urlsplit(self.expected_url)
        if signed.path != expected.path:
            return f"the path was signed as {signed.path}: give the provider exactly {expected.path}"
        return f"set PUBLIC_BASE_URL={signed.scheme}://{signed.netloc}"


_last_ms = 0


async def note_refusal(
    runtime: Runtime,
    request: Request,
    expected_url: str,
    fields: Sequence[tuple[str, str]] | None,
    signature: str,
) -> None:
    """Remember this refusal for the doctor. Never fails: the answer to the request does not depend on it."""
    global _last_ms
    now_ms = Clock.real().now_ms()
    if fields is None or now_ms - _last_ms < PAUSE_MS:
        return
    _last_ms = now_ms
    try:
        fitting = (
            url
            for url in guesses(expected_url, request)
            if runtime.telephony.is_signed(url, fields, signature)
        )
        refusal = Refusal(
            at_ms=now_ms,
            expected_url=expected_url,
            signed_url=next(fitting, None) if signature else None,
            had_signature=bool(signature),
        )
        async with asyncio.timeout(WITHIN_S):
            await runtime.redis.set(key(runtime.settings.site), json.dumps(asdict(refusal)))
    except Exception as fault:  # a note that cannot be made must not change the answer
        log.warning("refusal.not_noted", fault=type(fault).__name__)


async def last_refusal(runtime: Runtime) -> Refusal | None:
    """The newest note, if there is one."""
    text = await runtime.redis.get(key(runtime.settings.site))
    return Refusal(**json.loads(text)) if text else None


def key(site: str) -> str:
    return f"{{{site}}}:refusal"


def guesses(expected_url: str, request: Request) -> Iterator[str]:
    """The addresses a proxy or a slip of the pen may have made of ours."""
    expected = urlsplit(expected_url)
    names = [expected.netloc, *(request.headers.get(name, "") for name in ("host", "x-forwarded-host"))]
    hosts = dict.fromkeys(host for name in names if name for host in (name.partition(":")[0], name))
    paths = dict.fromkeys((expected.path, expected.path.rstrip("/"), f"{expected.path.rstrip('/')}/"))
    for path in paths:
        for host in hosts:
            for scheme in ("https", "http"):
                yield expected._replace(scheme=scheme, netloc=host, path=path).geturl()
