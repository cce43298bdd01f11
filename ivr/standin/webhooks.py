"""Requests to the customer: signed, with the provider's headers, limits and retries.

All time limits here are real seconds. One logical request keeps one idempotency token over its retries.
Redirects are followed as the provider follows them: as GET, without the original parameters.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit
from uuid import uuid4

import aiohttp
from yarl import URL

from ivr.standin.signatures import sign

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


@dataclass(frozen=True)
class _Request:
    """One logical request; retries and redirects keep its token and its settings."""

    url: str
    method: str
    params: Mapping[str, str]
    cookies: dict[str, dict[str, str]]
    overrides: Overrides
    token: str

    def moved(self, location: str) -> "_Request":
        return replace(self, url=urljoin(self.url, location), method="GET", params={})

    @property
    def jar(self) -> dict[str, str]:
        return self.cookies.setdefault(urlsplit(self.url).netloc.rpartition("@")[2], {})


@dataclass
class Postman:
    auth_token: str
    tally: Tally = field(default_factory=Tally)
    _session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        if self._session is not None:
            return
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_ALIVE_S)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

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
        jars = {} if cookies is None else cookies
        request = _Request(url, method, params, jars, overrides_of(url), str(uuid4()))
        started = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(request.overrides.total_s):
                return await self._persist(request)
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

    async def _persist(self, request: _Request) -> Reply:
        """Try again as often as, and after what, the settings say."""
        left = request.overrides.retries
        while True:
            try:
                reply = await self._follow(request)
                if reply.status < 400 or not _is_retried(request, left, f"{reply.status // 100}xx"):
                    return reply
            except WebhookError as fault:
                if not _is_retried(request, left, _POLICIES.get(fault.code, "")):
                    raise
            left -= 1

    async def _follow(self, request: _Request) -> Reply:
        for _ in range(REDIRECTS_MAX + 1):
            reply, location = await self._once(request, None)
            if reply.status == 401 and (authorization := _authorization(request.url)) is not None:
                reply, location = await self._once(request, authorization)
            if location is None:
                return reply
            request = request.moved(location)
        raise WebhookError(11215, "Too many HTTP redirects", request.url, request.method)

    async def _once(self, request: _Request, authorization: str | None) -> tuple[Reply, str | None]:
        is_get = request.method == "GET"
        asked = with_query(request.url, request.params) if is_get else bare_url(request.url)
        form = {} if is_get else dict(request.params)
        headers = self._headers(request, sign(self.auth_token, asked, form), authorization)
        limits = aiohttp.ClientTimeout(
            sock_connect=request.overrides.connect_s, sock_read=request.overrides.read_s
        )
        try:
            async with self._http().request(
                request.method,
                URL(asked, encoded=True),
                data=None if is_get else urlencode(form).encode(),
                headers=headers,
                timeout=limits,
                allow_redirects=False,
            ) as answer:
                request.jar.update({name: morsel.value for name, morsel in answer.cookies.items()})
                location = answer.headers.get("Location") if 300 <= answer.status < 400 else None
                content_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                body = await _body(answer)
                return Reply(answer.status, content_type, body, asked, request.method), location
        except (aiohttp.ClientError, TimeoutError, ValueError) as fault:
            raise _named(fault, asked, request.method) from None

    def _headers(self, request: _Request, signature: str, authorization: str | None) -> dict[str, str]:
        headers = {
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
            "X-Twilio-Signature": signature,
            "X-Home-Region": "us1",
            "I-Twilio-Idempotency-Token": request.token,
        }
        if request.method != "GET":
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        if request.jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in request.jar.items())
        if authorization is not None:
            headers["Authorization"] = authorization
        return headers

    def _note(self, took_s: float) -> None:
        self.tally.sent += 1
        self.tally.total_s += took_s
        self.tally.slowest_s = max(self.tally.slowest_s, took_s)

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("The exchange has not been opened.")
        return self._session


_POLICIES = {11205: "ct", 11210: "ct", 11200: "rt"}


def _is_retried(request: _Request, left: int, reason: str) -> bool:
    return left > 0 and not request.overrides.policies.isdisjoint({reason, "all"})


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    """The whole body, or as much of an endless one as is needed to refuse it."""
    body = b""
    async for chunk in answer.content.iter_chunked(BODY_BYTES_MAX):
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            break
    return body


def bare_url(url: str) -> str:
    """An address as it is requested: without userinfo and fragment."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path or "/", parts.query, ""))


def with_query(url: str, params: Mapping[str, str]) -> str:
    parts = urlsplit(bare_url(url))
    query = "&".join(filter(None, (parts.query, urlencode(dict(params)))))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def _authorization(url: str) -> str | None:
    """What an address with a name and a password in it answers to a challenge."""
    parts = urlsplit(url)
    if parts.username is None:
        return None
    return aiohttp.encode_basic_auth(parts.username, parts.password or "")


def _named(fault: Exception, url: str, method: str) -> WebhookError:
    if isinstance(fault, aiohttp.ConnectionTimeoutError | aiohttp.ClientConnectorError):
        code = 11210 if isinstance(fault, aiohttp.ClientConnectorDNSError) else 11205
        return WebhookError(code, f"HTTP connection failure: {fault}", url, method)
    if isinstance(fault, TimeoutError):
        return WebhookError(11200, "HTTP retrieval failure: no answer in time", url, method)
    return WebhookError(11206, f"HTTP protocol violation: {type(fault).__name__} {fault}", url, method)
