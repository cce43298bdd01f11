"""What the provider tells us of a recording. Its words end here.

A callback is journalled and nothing else: it may come twice, late, out of order or never, and what follows
from it is the reader's to say. The address of the audio that it carries is not believed; audio is fetched
by the recording's id.
"""

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from config.log import get_log
from config.runtime import Runtime
from config.web.webhooks import Webhook, signed
from queues.domain.journal import LineType
from queues.service.switchboard import Switchboard
from recordings.domain.recordings import Kind

log = get_log(__name__)

LINES: Final[Mapping[str, LineType]] = {
    "in-progress": LineType.RECORDING_STARTED,
    "completed": LineType.RECORDING_COMPLETED,
    "absent": LineType.RECORDING_ABSENT,
    "failed": LineType.RECORDING_ABSENT,
}


async def take_callback(runtime: Runtime, webhook: Webhook) -> Response:
    """Journal what was told; what we do not understand is logged and answered all the same."""
    line = LINES.get(webhook.form.get("RecordingStatus", ""))
    recording_id = webhook.form.get("RecordingSid", "")
    if line is None or not recording_id:
        log.warning("recording.callback_unknown", status=webhook.form.get("RecordingStatus", ""))
        return Response(status_code=204)
    data = facts(recording_id, webhook.path_params["kind"], webhook.form)
    switchboard = Switchboard(runtime)
    await switchboard.append_line(type=line, call_id=webhook.path_params["call_id"], data=data)
    return Response(status_code=204)


def facts(recording_id: str, kind: str, form: Mapping[str, str]) -> dict[str, Any]:
    """The provider's fields in our words; a field that makes no sense is left out."""
    known: dict[str, Any] = {
        "recording_id": recording_id,
        "kind": Kind.VOICEMAIL.value if kind == Kind.VOICEMAIL else Kind.CALL.value,
        "channels": whole(form.get("RecordingChannels", "")),
        "started_ms": instant_ms(form.get("RecordingStartTime", "")),
        "duration_s": whole(form.get("RecordingDuration", "")),
    }
    return {name: value for name, value in known.items() if value is not None}


def whole(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None


def instant_ms(text: str) -> int | None:
    """`Tue, 31 Aug 2010 20:36:28 +0000` as milliseconds."""
    try:
        instant = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)


def routes() -> list[BaseRoute]:
    path = "/recordings/callback/{call_id}/{kind}"
    return [Route(path, signed(take_callback), methods=["POST"], name="recordings_callback")]
