"""The telephone company behind a small protocol; Twilio, and whoever speaks its REST API, is one.

What must hold: every request leaves through the official SDK and our own HTTP client, ends within its time
limit, and is repeated only when the provider cannot have acted on it. A POST is never repeated after a 500
or a timeout: it may have rung a phone. The provider's words are translated here, once, by literal tables.
No message of an error carries a telephone number.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

import aiohttp
from starlette.datastructures import ImmutableMultiDict
from twilio.base import values
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.base.version import Version
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from yarl import URL

from config import traces
from config.clock import Clock
from config.log import mask_text
from config.settings import Settings

SIGNATURE_HEADER = "X-Twilio-Signature"
LEG_FIELD = "CallSid"  # the field of every webhook that names the leg it is about

REQUEST_S_MAX = 10.0
AUDIO_S_MAX = 120.0
AUDIO_BYTES_MAX = 512 * 1024 * 1024
ATTEMPTS_MAX = 4
BACKOFF_MS = 500
REDIRECTS_MAX = 3
QUEUE_SIZE_MAX = 1000
LEGS_MAX = 10_000

# Where a provider may send us for audio, credentials and all, besides the host of its API.
MEDIA_HOSTS = {"https://api.twilio.com:443": "https://media.twiliocdn.com:443"}

Fields = Mapping[str, str] | Sequence[tuple[str, str]]


class LegStatus(StrEnum):
    """Where one leg is; the groups below say what that means."""

    QUEUED = "queued"
    RINGING = "ringing"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    BUSY = "busy"
    FAILED = "failed"
    NO_ANSWER = "no_answer"
    CANCELED = "canceled"

    @property
    def is_over(self) -> bool:
        return self not in _LEG_LIVES


_LEG_LIVES = frozenset({LegStatus.QUEUED, LegStatus.RINGING, LegStatus.IN_PROGRESS})


class RecordingStatus(StrEnum):
    IN_PROGRESS = "in_progress"
    PAUSED = "paused"
    STOPPED = "stopped"
    PROCESSING = "processing"
    COMPLETED = "completed"
    ABSENT = "absent"


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


LEG_STATUSES = {
    "queued": LegStatus.QUEUED,
    "initiated": LegStatus.QUEUED,
    "ringing": LegStatus.RINGING,
    "in-progress": LegStatus.IN_PROGRESS,
    "completed": LegStatus.COMPLETED,
    "busy": LegStatus.BUSY,
    "failed": LegStatus.FAILED,
    "no-answer": LegStatus.NO_ANSWER,
    "canceled": LegStatus.CANCELED,
}
LEG_STATUS_WORDS = {status: word for word, status in LEG_STATUSES.items() if word != "initiated"}
RECORDING_STATUSES = {
    "in-progress": RecordingStatus.IN_PROGRESS,
    "paused": RecordingStatus.PAUSED,
    "stopped": RecordingStatus.STOPPED,
    "processing": RecordingStatus.PROCESSING,
    "completed": RecordingStatus.COMPLETED,
    "absent": RecordingStatus.ABSENT,
    "failed": RecordingStatus.ABSENT,
}
DIRECTIONS = {
    "inbound": Direction.INBOUND,
    "outbound-api": Direction.OUTBOUND,
    "outbound-dial": Direction.OUTBOUND,
}
GONE = frozenset({(404, 20404), (404, None), (400, 21220)})  # the leg ended before we asked


class TelephonyError(Exception):
    """The provider did not do what it was asked."""


class ProviderError(TelephonyError):
    """The provider answered, and the answer was no."""

    def __init__(self, status: int, code: int | None, message: str) -> None:
        self.status = status
        self.code = code
        self.message = message
        super().__init__(f"{status}/{code or '-'} {message}")


class LegGone(ProviderError):  # noqa: N818 - a hang-up is an outcome, not a fault
    """The leg has ended, or is no longer where it was looked for."""


class ProviderUnreachable(TelephonyError):  # noqa: N818 - a state of the line
    """No answer from the provider: whether it acted is not known."""


@dataclass(frozen=True, kw_only=True)
class LegFacts:
    leg_id: str
    to: str
    from_: str
    status: LegStatus
    direction: Direction
    created_ms: int | None = None  # when it was asked for
    started_ms: int | None = None  # none: not dialled yet
    ended_ms: int | None = None


@dataclass(frozen=True, kw_only=True)
class RecordingFacts:
    recording_id: str
    leg_id: str
    status: RecordingStatus
    channels: int
    started_ms: int | None = None
    duration_s: int | None = None


@dataclass(frozen=True, kw_only=True)
class Audio:
    content: bytes
    content_type: str
    channels: int


class Telephony(Protocol):
    """What the house asks of a telephone company."""

    async def place(
        self,
        *,
        to: str,
        from_: str,
        url: str,
        status_url: str,
        timeout_s: int,
        fallback_url: str | None = None,
    ) -> str: ...
    async def redirect(self, leg_id: str, url: str) -> None: ...
    async def hang_up(self, leg_id: str) -> None: ...
    async def open_queue(self, queue_name: str) -> None: ...
    async def pull(self, queue_name: str, leg_id: str, url: str) -> None: ...
    async def record(self, leg_id: str, status_url: str) -> str: ...
    async def pause_recording(self, leg_id: str, recording_id: str) -> None: ...
    async def resume_recording(self, leg_id: str, recording_id: str) -> None: ...
    async def stop_recording(self, leg_id: str, recording_id: str) -> None: ...
    async def recordings_of(self, leg_id: str) -> tuple[RecordingFacts, ...]: ...
    async def fetch_audio(self, recording_id: str) -> Audio: ...
    async def delete_recording(self, recording_id: str) -> None: ...
    async def leg(self, leg_id: str) -> LegFacts | None: ...
    async def legs(
        self,
        *,
        to: str | None = None,
        from_: str | None = None,
        status: LegStatus | None = None,
        since_ms: int | None = None,
        created_since_ms: int | None = None,
        limit: int = LEGS_MAX,
    ) -> tuple[LegFacts, ...]: ...
    async def hold(self, conference: str, leg_id: str, on: bool, url: str = "") -> None: ...
    async def send_text(self, *, to: str, from_: str, body: str) -> str: ...
    def is_signed(self, url: str, params: Fields, signature: str) -> bool: ...
    async def close(self) -> None: ...


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, body read."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class PatientHttpClient(AsyncHttpClient):
    """The SDK's seam for HTTP: a total time limit that holds, and retries only where they are safe.

    The SDK's own asynchronous client opens its session outside a running loop and passes the per-request
    timeout (none) over the one it was built with, so a silent provider would hold a loop for five minutes.
    """

    def __init__(
        self,
        *,
        limit_s: float = REQUEST_S_MAX,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(logging.getLogger("twilio"), is_async=True, timeout=limit_s)
        self._limit_s = limit_s
        self._jitter = jitter
        self._wall = Clock.real()  # patience with a machine is real time, at any speed of the product
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def request(  # type: ignore[override]  # its parent is the sync one
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - the SDK's signature; the limit is ours
        allow_redirects: bool = False,  # noqa: ARG002 - never followed: credentials would go along
    ) -> Response:
        """What the SDK calls. Nothing is logged here: parameters hold telephone numbers."""
        given = {name: value for name, value in (params or {}).items() if value is not None}
        query = urlencode(given, doseq=True)
        url = f"{uri}{'&' if '?' in uri else '?'}{query}" if query else uri
        body = urlencode(data, doseq=True).encode() if data else None
        answer = await self.send(method.upper(), url, body=body, headers=headers, auth=auth)
        return Response(answer.status, answer.content.decode("utf-8", "replace"), answer.headers)

    async def send(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        limit_s: float | None = None,
    ) -> Answer:
        """One request, repeated where that is safe; raises ProviderUnreachable when nobody answers."""
        sent = dict(headers or {})
        if auth is not None:
            sent["Authorization"] = aiohttp.encode_basic_auth(*auth)
        attempt = 1
        while True:
            # Not the address: it may hold a number.
            with traces.part(f"provider {method}", attempt=attempt) as part:
                answer = await self._attempt(method, url, body, sent, limit_s or self._limit_s)
                part.tell(status=answer.status)
            if attempt == ATTEMPTS_MAX or not _may_repeat(method, answer.status):
                return answer
            # Full jitter: clients that were refused together do not come back together.
            await self._wall.sleep(BACKOFF_MS * 2 ** (attempt - 1) * self._jitter())
            attempt += 1

    async def _attempt(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], limit_s: float
    ) -> Answer:
        limit = aiohttp.ClientTimeout(total=limit_s, sock_read=self._limit_s)
        target = URL(url, encoded=True)
        try:
            async with self._open_session().request(
                method, target, data=body, headers=headers, timeout=limit, allow_redirects=False
            ) as response:
                return Answer(response.status, response.headers, await _read(response))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # The kind only: a message may hold the URL, and a URL a number.
            raise ProviderUnreachable(f"no answer from {target.host}: {type(error).__name__}") from None

    def _open_session(self) -> aiohttp.ClientSession:
        """The session of the running loop: a session of another loop cannot be used, nor closed, here."""
        loop = asyncio.get_running_loop()
        if self._session is None or self._session.closed or self._loop is not loop:
            # Idle connections go before servers drop them (uvicorn: 5 s), lest a POST meet a closed one.
            connector = aiohttp.TCPConnector(keepalive_timeout=4)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
            self._loop = loop
        return self._session

    async def close(self) -> None:
        if self._session is not None and self._loop is asyncio.get_running_loop():
            await self._session.close()
        self._session = None


def _may_repeat(method: str, status: int) -> bool:
    return status in (429, 503) or (status >= 500 and method == "GET")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(1 << 20):
        size += len(part)
        if size > AUDIO_BYTES_MAX:
            raise ProviderError(response.status, None, "the answer is too long")
        parts.append(part)
    return b"".join(parts)


class TwilioTelephony:
    """Twilio's REST API of 2010-04-01, at any base URL."""

    def __init__(
        self,
        settings: Settings,
        *,
        limit_s: float = REQUEST_S_MAX,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._base_url = settings.twilio_base_url.rstrip("/")
        self._token = settings.twilio_auth_token
        self._validator = RequestValidator(self._token)  # type: ignore[no-untyped-call]  # the SDK has no types
        self._account_sid = settings.twilio_account_sid
        self._auth = (
            settings.twilio_api_key_sid or self._account_sid,
            settings.twilio_api_key_secret or self._token,
        )
        self._http = PatientHttpClient(limit_s=limit_s, jitter=jitter)
        # An environment of its own: a TWILIO_EDGE or TWILIO_REGION in ours would rewrite the base URL's host.
        self._client = Client(  # type: ignore[no-untyped-call]
            *self._auth, account_sid=self._account_sid, http_client=self._http, environment={"SHOUWEN": "1"}
        )
        self._client.api.base_url = self._base_url
        self._api: Any = self._client.api.v2010.account  # the SDK's types say str where it sends None
        own = _host(self._base_url)
        self._media_hosts = {own, MEDIA_HOSTS.get(own, own)}
        self._queue_ids: dict[str, str] = {}

    async def place(
        self,
        *,
        to: str,
        from_: str,
        url: str,
        status_url: str,
        timeout_s: int,
        fallback_url: str | None = None,
    ) -> str:
        """Rings `to`; when it is answered the provider asks `url` what to do. Returns the new leg's id."""
        async with _translated():
            leg = await self._api.calls.create_async(
                to=to,
                from_=from_,
                url=url,
                method="POST",
                fallback_url=fallback_url or values.unset,
                fallback_method="POST" if fallback_url else values.unset,
                status_callback=status_url,
                status_callback_method="POST",
                status_callback_event=["initiated", "ringing", "answered", "completed"],
                timeout=timeout_s,
            )
        return str(leg.sid)

    async def redirect(self, leg_id: str, url: str) -> None:
        """Sends a leg to another document; raises LegGone once it has ended."""
        async with _translated(of_leg=True):
            await self._api.calls(leg_id).update_async(url=url, method="POST")

    async def hang_up(self, leg_id: str) -> None:
        """Ends a leg, ringing or talking; one that is gone already is as good."""
        try:
            async with _translated(of_leg=True):
                await self._api.calls(leg_id).update_async(status="completed")
        except LegGone:
            return

    async def open_queue(self, queue_name: str) -> None:
        """There is a queue of this name and it holds QUEUE_SIZE_MAX: one an <Enqueue> makes may hold fewer."""
        queue = await self._find_queue(queue_name)
        if queue is None:
            self._queue_ids[queue_name] = await self._create_queue(queue_name)
        elif queue.max_size is not None and int(queue.max_size) < QUEUE_SIZE_MAX:
            async with _translated():
                await self._api.queues(str(queue.sid)).update_async(max_size=QUEUE_SIZE_MAX)

    async def pull(self, queue_name: str, leg_id: str, url: str) -> None:
        """Takes exactly this leg out of the queue to `url`; LegGone when it is no longer in it."""
        queue_id = await self._queue_id(queue_name)
        try:
            await self._pull(queue_id, leg_id, url)
        except LegGone:
            # Either the leg left, or somebody deleted the queue and the provider made it anew under a new id.
            self._queue_ids.pop(queue_name, None)
            found = await self._queue_id(queue_name)
            if found == queue_id:
                raise
            await self._pull(found, leg_id, url)

    async def _pull(self, queue_id: str, leg_id: str, url: str) -> None:
        async with _translated(of_leg=True):
            await self._api.queues(queue_id).members(leg_id).update_async(url=url, method="POST")

    async def _queue_id(self, name: str) -> str:
        if name not in self._queue_ids:
            queue = await self._find_queue(name)
            self._queue_ids[name] = str(queue.sid) if queue else await self._create_queue(name)
        return self._queue_ids[name]

    async def _find_queue(self, name: str) -> Any | None:
        async with _translated():
            queues = await self._api.queues.list_async(page_size=1000)
        return next((queue for queue in queues if queue.friendly_name == name), None)

    async def _create_queue(self, name: str) -> str:
        # Sources disagree on the default size (100 or 1000), so it is always said.
        async with _translated():
            queue = await self._api.queues.create_async(friendly_name=name, max_size=QUEUE_SIZE_MAX)
        return str(queue.sid)

    async def record(self, leg_id: str, status_url: str) -> str:
        """Starts a recording with each side on its own channel; LegGone when the leg is not in progress."""
        async with _translated(of_leg=True):
            recording = await self._api.calls(leg_id).recordings.create_async(
                recording_channels="dual",
                recording_track="both",
                trim="do-not-trim",
                recording_status_callback=status_url,
                recording_status_callback_method="POST",
                recording_status_callback_event=["in-progress", "completed", "absent"],
            )
        return str(recording.sid)

    async def pause_recording(self, leg_id: str, recording_id: str) -> None:
        # Silence, not a cut: the recording's seconds stay the call's seconds.
        await self._change_recording(leg_id, recording_id, status="paused", pause_behavior="silence")

    async def resume_recording(self, leg_id: str, recording_id: str) -> None:
        await self._change_recording(leg_id, recording_id, status="in-progress")

    async def stop_recording(self, leg_id: str, recording_id: str) -> None:
        await self._change_recording(leg_id, recording_id, status="stopped")

    async def _change_recording(self, leg_id: str, recording_id: str, **change: str) -> None:
        async with _translated(of_leg=True):
            await self._api.calls(leg_id).recordings(recording_id).update_async(**change)

    async def recordings_of(self, leg_id: str) -> tuple[RecordingFacts, ...]:
        """What was recorded of a leg; of a leg the provider does not know, nothing."""
        try:
            async with _translated(of_leg=True):
                recordings = await self._api.calls(leg_id).recordings.list_async(page_size=1000)
        except LegGone:
            return ()
        return tuple(_recording_facts(recording) for recording in recordings)

    async def fetch_audio(self, recording_id: str) -> Audio:
        """The audio itself, both channels where there are two. A 404 may only mean too early."""
        path = f"/2010-04-01/Accounts/{self._account_sid}/Recordings/{recording_id}.wav"
        url = f"{self._base_url}{path}"
        answer = await self._fetch_media(f"{url}?RequestedChannels=2")
        channels = 2
        if answer.status == 400:
            answer = await self._fetch_media(f"{url}?RequestedChannels=1")
            channels = 1
        if answer.status != 200:
            raise ProviderError(answer.status, None, "no audio")
        content_type = answer.headers.get("Content-Type", "audio/x-wav").partition(";")[0]
        said = _wav_channels(answer.content)
        return Audio(content=answer.content, content_type=content_type, channels=said or channels)

    async def _fetch_media(self, url: str) -> Answer:
        """Follows redirects itself, because each stop must be a host that may see our credentials."""
        for _ in range(REDIRECTS_MAX + 1):
            if _host(url) not in self._media_hosts:
                raise ProviderError(0, None, f"audio may not be fetched from {urlsplit(url).hostname}")
            answer = await self._http.send("GET", url, auth=self._auth, limit_s=AUDIO_S_MAX)
            location = answer.headers.get("Location")
            if answer.status not in (301, 302, 303, 307, 308) or not location:
                return answer
            url = urljoin(url, location)
        raise ProviderError(answer.status, None, "the audio is behind too many redirects")

    async def delete_recording(self, recording_id: str) -> None:
        """Erases a recording at the provider; one that is gone already is as good."""
        try:
            async with _translated(of_leg=True):
                await self._api.recordings(recording_id).delete_async()
        except LegGone:
            return

    async def leg(self, leg_id: str) -> LegFacts | None:
        """What the provider says of a leg. Its reads lag: for live state believe the callbacks."""
        try:
            async with _translated(of_leg=True):
                return _leg_facts(await self._api.calls(leg_id).fetch_async())
        except LegGone:
            return None

    async def legs(
        self,
        *,
        to: str | None = None,
        from_: str | None = None,
        status: LegStatus | None = None,
        since_ms: int | None = None,
        created_since_ms: int | None = None,
        limit: int = LEGS_MAX,
    ) -> tuple[LegFacts, ...]:
        """The provider's own list, the newest `limit`.

        With `since_ms` only legs that have started, at that instant or later. `created_since_ms` also keeps
        those that have not: no provider filters by it, so it takes away from what the limit let through.
        """
        since = values.unset if since_ms is None else datetime.fromtimestamp(since_ms // 1000, UTC)
        async with _translated():
            found = await self._api.calls.list_async(
                to=to or values.unset,
                from_=from_ or values.unset,
                status=LEG_STATUS_WORDS[status] if status else values.unset,
                start_time_after=since,
                page_size=min(1000, limit),
                limit=limit,
            )
        facts = tuple(_leg_facts(leg) for leg in found)
        if created_since_ms is not None:
            facts = tuple(leg for leg in facts if (leg.created_ms or 0) >= created_since_ms // 1000 * 1000)
        if since_ms is None:
            return facts
        # Some providers filter by the day. Their instants are whole seconds, so ours is rounded down.
        return tuple(leg for leg in facts if (leg.started_ms or 0) >= since_ms // 1000 * 1000)

    async def hold(self, conference: str, leg_id: str, on: bool, url: str = "") -> None:
        """Puts one party of a conference on hold, where it hears `url`, or takes it back; LegGone when it is not in."""
        heard = {"hold_url": url, "hold_method": "POST"} if on and url else {}
        async with _translated(of_leg=True):
            rooms = await self._api.conferences.list_async(
                friendly_name=conference, status="in-progress", limit=1
            )
            if not rooms:
                raise LegGone(404, 20404, "no such conference in progress")
            await self._api.conferences(rooms[0].sid).participants(leg_id).update_async(hold=on, **heard)

    async def send_text(self, *, to: str, from_: str, body: str) -> str:
        """Hands a text message to the provider. Returns its id; whether it arrives is another thing."""
        async with _translated():
            message = await self._api.messages.create_async(to=to, from_=from_, body=body)
        return str(message.sid)

    def is_signed(self, url: str, params: Fields, signature: str) -> bool:
        """Whether the provider signed this request; `url` is the public one, its query as it came."""
        if not self._token or not signature:
            return False
        fields = ImmutableMultiDict(list(params.items()) if isinstance(params, Mapping) else list(params))
        try:
            return bool(self._validator.validate(_signed_url(url), fields, signature))  # type: ignore[no-untyped-call]
        except ValueError:  # a port that is no number
            return False

    async def close(self) -> None:
        await self._http.close()


@asynccontextmanager
async def _translated(of_leg: bool = False) -> AsyncIterator[None]:
    """Lets no error of the SDK out: its messages and its traceback hold numbers.

    `of_leg`: the request is about one leg, so that "not found" means it has gone. Elsewhere the same
    answer means a wrong account or base URL, which is nobody's hang-up.
    """
    try:
        yield
    except TwilioException as error:
        raise _translation(_with_code(error), of_leg) from None
    except (ValueError, KeyError) as error:
        raise ProviderError(502, None, f"the answer makes no sense: {type(error).__name__}") from None


def _with_code(error: TwilioException) -> TwilioRestException | TwilioServiceException:
    """The error with status and code; the SDK's lists raise one that only carries the answer."""
    if isinstance(error, TwilioRestException | TwilioServiceException):
        return error
    answer = next((part for part in error.args if isinstance(part, Response)), None)
    return Version.exception("GET", "", answer or Response(502, ""), "Unable to fetch page")


def _translation(error: TwilioRestException | TwilioServiceException, of_leg: bool) -> ProviderError:
    status = int(error.status)
    # The SDK puts the HTTP status where there is no code of the provider's own.
    code = int(error.code) if error.code and error.code != status else None
    message = error.msg if isinstance(error, TwilioRestException) else error.detail or error.title
    kind = LegGone if of_leg and (status, code) in GONE else ProviderError
    return kind(status, code, mask_text(message))


def _leg_facts(leg: Any) -> LegFacts:
    return LegFacts(
        leg_id=leg.sid,
        to=leg.to or "",
        from_=leg._from or "",  # the SDK's only name for it
        status=LEG_STATUSES.get(leg.status, LegStatus.FAILED),
        direction=DIRECTIONS.get(leg.direction, Direction.OUTBOUND),
        created_ms=_ms(leg.date_created),
        started_ms=_ms(leg.start_time),
        ended_ms=_ms(leg.end_time),
    )


def _recording_facts(recording: Any) -> RecordingFacts:
    return RecordingFacts(
        recording_id=recording.sid,
        leg_id=recording.call_sid,
        status=RECORDING_STATUSES.get(recording.status, RecordingStatus.PROCESSING),
        channels=int(recording.channels or 1),
        started_ms=_ms(recording.start_time),
        duration_s=_seconds(recording.duration),
    )


def _ms(instant: datetime | None) -> int | None:
    return None if instant is None else round(instant.timestamp() * 1000)


def _seconds(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None  # the provider says -1 while it does not know


def _host(url: str) -> str:
    """Host and port, as they decide whether credentials may be shown."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    return f"{parts.scheme}://{parts.hostname or ''}:{port}"


def _wav_channels(content: bytes) -> int | None:
    """What the file itself says; a provider may ignore the number that was asked for."""
    if content[:4] != b"RIFF" or content[8:16] != b"WAVEfmt " or len(content) < 24:
        return None
    return int.from_bytes(content[22:24], "little")


def _signed_url(url: str) -> str:
    """Without userinfo and fragment: the provider drops both before it signs."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
