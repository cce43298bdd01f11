"""Requests to the customer: signed, with the provider's headers, limits and retries.

All time limits here are real seconds. One logical request keeps one idempotency token over its retries.
Redirects are followed as the provider follows them: as GET, without the original parameters.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit
from uuid import uuid4

import aiohttp
from yarl import URL

from ivr.standin.signatures import sign, signed_url

REDIRECTS_MAX = 10
BODY_BYTES_MAX = 256 * 1024
TOTAL_S_MAX = 15.0
KEPT_ALIVE_S = 2.0  # shorter than any server keeps an idle connection, so that none is used as it closes


class WebhookError(Exception):
    """A request came to nothing; ``code`` is the provider's number for the reason."""

    def __init__(self, code: int, message: str, url: str, method: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.url = url
        self.method = method


@dataclass(frozen=True)
class Reply:
    status: int
    content_type: str
    body: bytes
    url: str
    method: str


@dataclass
class Tally:
    """What has been sent, and how long the customer took at most, in real seconds."""

    sent: int = 0
    failed: int = 0
    slowest_s: float = 0.0
    total_s: float = 0.0


@dataclass(frozen=True)
class Overrides:
    """Connection settings, as a URL's fragment may change them."""

    connect_s: float = 5.0
    read_s: float = 15.0
    total_s: float = TOTAL_S_MAX
    retries: int = 1
    policies: frozenset[str] = frozenset({"ct"})


def overrides_of(url: str) -> Overrides:
    """``#rc=2&rp=5xx,rt``; what is out of range or not understood keeps its default."""
    values = dict(parse_qsl(urlsplit(url).fragment))
    policies = frozenset(values.get("rp", "ct").split(",")) & {"4xx", "5xx", "ct", "rt", "all"}
    return Overrides(
        connect_s=_within(values.get("ct"), 100, 10_000, 5000) / 1000,
        read_s=_within(values.get("rt"), 100, 15_000, 15_000) / 1000,
        total_s=_within(values.get("tt"), 100, 15_000, 15_000) / 1000,
        retries=_within(values.get("rc"), 0, 5, 1),
        policies=policies or frozenset({"ct"}),
    )


def _within(text: str | None, least: int, most: int, otherwise: int) -> int:
    if text is None or not text.isdigit() or not least <= int(text) <= most:
        return otherwise
    return int(text)


@dataclass
class Postman:
    auth_token: str
    tally: Tally = field(default_factory=Tally)
    _session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        if self._session is not None:
            return
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_ALIVE_S)
        self._session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=True
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(
        self,
        url: str,
        method: str,
        params: Mapping[str, str],
        cookies: dict[str, dict[str, str]] | None = None,
    ) -> Reply:
        """Send one logical request and hand back what came, whatever its status."""
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            raise WebhookError(11100, "Invalid URL format", url, method)
        overrides = overrides_of(url)
        token = str(uuid4())
        started = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(overrides.total_s):
                return await self._persist(url, method, params, cookies or {}, overrides, token)
        except TimeoutError:
            self.tally.failed += 1
            raise WebhookError(11200, "Got no answer within the time limit", url, method) from None
        except WebhookError:
            self.tally.failed += 1
            raise
        finally:
            self._note(asyncio.get_running_loop().time() - started)

    async def get_media(self, url: str) -> tuple[int, str, bytes]:
        """Audio for Play: no parameters, no signature."""
        try:
            async with self._http().get(url, timeout=aiohttp.ClientTimeout(total=TOTAL_S_MAX)) as answer:
                return answer.status, answer.content_type, await answer.read()
        except (aiohttp.ClientError, TimeoutError) as fault:
            raise WebhookError(11200, f"Cannot fetch media: {fault}", url, "GET") from None

    async def _persist(
        self,
        url: str,
        method: str,
        params: Mapping[str, str],
        cookies: dict[str, dict[str, str]],
        overrides: Overrides,
        token: str,
    ) -> Reply:
        left = overrides.retries
        while True:
            reason = "5xx"
            try:
                reply = await self._follow(url, method, params, cookies, overrides, token)
                reason = f"{reply.status // 100}xx"
                if left == 0 or not overrides.policies & {reason, "all"} or reply.status < 400:
                    return reply
            except WebhookError as fault:
                reason = {11205: "ct", 11200: "rt"}.get(fault.code, "")
                if left == 0 or not overrides.policies & {reason, "all"}:
                    raise
            left -= 1

    async def _follow(
        self,
        url: str,
        method: str,
        params: Mapping[str, str],
        cookies: dict[str, dict[str, str]],
        overrides: Overrides,
        token: str,
    ) -> Reply:
        for _ in range(REDIRECTS_MAX + 1):
            reply, location = await self._once(url, method, params, cookies, overrides, token)
            if location is None:
                return reply
            url, method, params = urljoin(url, location), "GET", {}
        raise WebhookError(11215, "Too many HTTP redirects", url, method)

    async def _once(
        self,
        url: str,
        method: str,
        params: Mapping[str, str],
        cookies: dict[str, dict[str, str]],
        overrides: Overrides,
        token: str,
    ) -> tuple[Reply, str | None]:
        asked = with_query(url, params) if method == "GET" else signed_url(url)
        form = {} if method == "GET" else dict(params)
        jar = cookies.setdefault(urlsplit(url).netloc, {})
        headers = self._headers(sign(self.auth_token, asked, form), token, jar)
        if method != "GET":
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        limits = aiohttp.ClientTimeout(
            total=overrides.total_s, sock_connect=overrides.connect_s, sock_read=overrides.read_s
        )
        body = None if method == "GET" else urlencode(form).encode()
        try:
            async with self._http().request(
                method,
                URL(asked, encoded=True),
                data=body,
                headers=headers,
                timeout=limits,
                allow_redirects=False,
                auth=_userinfo(url),
            ) as answer:
                content = await answer.content.read(BODY_BYTES_MAX)
                jar.update({name: morsel.value for name, morsel in answer.cookies.items()})
                location = answer.headers.get("Location") if 300 <= answer.status < 400 else None
                content_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                return Reply(answer.status, content_type, content, asked, method), location
        except (aiohttp.ClientError, TimeoutError, ValueError) as fault:
            raise _named(fault, asked, method) from None

    def _headers(self, signature: str, token: str, jar: Mapping[str, str]) -> dict[str, str]:
        headers = {
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
            "X-Twilio-Signature": signature,
            "X-Home-Region": "us1",
            "I-Twilio-Idempotency-Token": token,
        }
        if jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        return headers

    def _note(self, took_s: float) -> None:
        self.tally.sent += 1
        self.tally.total_s += took_s
        self.tally.slowest_s = max(self.tally.slowest_s, took_s)

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("The exchange has not been opened.")
        return self._session


def with_query(url: str, params: Mapping[str, str]) -> str:
    parts = urlsplit(signed_url(url))
    query = "&".join(filter(None, (parts.query, urlencode(dict(params)))))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def _userinfo(url: str) -> aiohttp.BasicAuth | None:
    parts = urlsplit(url)
    return None if parts.username is None else aiohttp.BasicAuth(parts.username, parts.password or "")


def _named(fault: Exception, url: str, method: str) -> WebhookError:
    if isinstance(fault, aiohttp.ConnectionTimeoutError | aiohttp.ClientConnectorError):
        code = 11210 if isinstance(fault, aiohttp.ClientConnectorDNSError) else 11205
        return WebhookError(code, f"HTTP connection failure: {fault}", url, method)
    if isinstance(fault, TimeoutError):
        return WebhookError(11200, "HTTP retrieval failure: no answer in time", url, method)
    return WebhookError(11206, f"HTTP protocol violation: {type(fault).__name__} {fault}", url, method)
