"""What a page sent: a url-encoded form or a flat JSON object, read once, as text; a file where one is expected.

A file goes to disk piece by piece while it comes in, and is gone with its request: whoever wants to keep it copies it.
"""

import json
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import ImmutableMultiDict, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

FORM_BYTES_MAX = 64 * 1024
FILE_BYTES_MAX = 512 * 1024 * 1024
FIELDS_MAX = 200

Form = ImmutableMultiDict[str, str]
Fields = ImmutableMultiDict[Any, str]


async def read_form(request: Request) -> Form:
    """The fields by name; reading again is free. A file is taken only where `expect_file` was said before."""
    if not hasattr(request.state, "form"):
        kind = request.headers.get("Content-Type", "")
        if kind.startswith("multipart/form-data") and getattr(request.state, "expects_file", False):
            form, request.state.file = await _parts(request)
        else:
            form = _parse(kind, await _body(request))
        refuse_no_text(form)
        request.state.form = form
    read: Form = request.state.form
    return read


def refuse_no_text(fields: Fields) -> None:
    """What no store keeps as text is a fault of whoever sends it: NUL (PostgreSQL), half a surrogate pair (UTF-8)."""
    for part in (part for field in fields.multi_items() for part in field):
        if "\0" in part or any("\ud800" <= sign <= "\udfff" for sign in part):
            raise HTTPException(400)


def expect_file(request: Request) -> None:
    request.state.expects_file = True


async def read_file(request: Request) -> UploadFile | None:
    """The file of the form; none when none was chosen."""
    await read_form(request)
    file: UploadFile | None = getattr(request.state, "file", None)
    return file


async def close_file(request: Request) -> None:
    if file := getattr(request.state, "file", None):
        await file.close()


async def _parts(request: Request) -> tuple[Form, UploadFile | None]:
    """The fields, and the one file that is not empty."""
    parser = MultiPartParser(
        request.headers, _limited(request), max_files=1, max_fields=20, max_part_size=FORM_BYTES_MAX
    )
    try:
        parts = (await parser.parse()).multi_items()
    except MultiPartException:
        raise HTTPException(400) from None
    fields = [(name, value) for name, value in parts if isinstance(value, str)]
    files = [value for _, value in parts if isinstance(value, UploadFile)]
    chosen = next((each for each in files if each.filename and each.size), None)
    return ImmutableMultiDict(fields), chosen


async def _limited(request: Request) -> AsyncGenerator[bytes, None]:
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > FILE_BYTES_MAX:
            raise HTTPException(413)
        yield part


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
