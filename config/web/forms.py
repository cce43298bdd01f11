"""What a page sent: a url-encoded form or a flat JSON object, read once, as text."""

import json
from urllib.parse import parse_qsl

from starlette.datastructures import ImmutableMultiDict
from starlette.exceptions import HTTPException
from starlette.requests import Request

FORM_BYTES_MAX = 64 * 1024
FIELDS_MAX = 200

Form = ImmutableMultiDict[str, str]


async def read_form(request: Request) -> Form:
    """The fields by name; reading again is free. Files are not taken anywhere in the house."""
    if not hasattr(request.state, "form"):
        request.state.form = _parse(request.headers.get("Content-Type", ""), await _body(request))
    form: Form = request.state.form
    return form


async def _body(request: Request) -> str:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > FORM_BYTES_MAX:
            raise HTTPException(413)
        parts.append(part)
    return b"".join(parts).decode("utf-8", "replace")


def _parse(content_type: str, text: str) -> Form:
    try:
        if content_type.partition(";")[0].strip().lower() == "application/json":
            return ImmutableMultiDict(
                [(name, _text(value)) for name, value in json.loads(text or "{}").items()]
            )
        return ImmutableMultiDict(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX))
    except (ValueError, AttributeError, RecursionError):
        raise HTTPException(400) from None


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
