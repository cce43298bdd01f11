"""What a page sends: files only where one is expected, from who may, and never more than the house takes."""

from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from config.web import forms
from config.web.accounts import require
from config.web.errors import exception_handlers
from config.web.forms import close_file, expect_file, read_file, read_form

TABLE = b"account_no,name\n1,\xe6\x9e\x97\n"


async def taken(request: Request) -> Response:
    expect_file(request)
    file = await read_file(request)
    told = {"fields": dict(await read_form(request)), "file": None, "size": 0}
    if file is not None:
        told |= {"file": file.filename, "size": len(await file.read())}
    await close_file(request)
    return JSONResponse(told)


async def refused(request: Request) -> Response:
    return JSONResponse(dict(await read_form(request)))


@pytest.fixture
def door() -> httpx2.AsyncClient:
    app = Starlette(
        routes=[Route("/taken", taken, methods=["POST"]), Route("/refused", refused, methods=["POST"])]
    )
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://door")


async def test_a_file_comes_with_its_fields(door: httpx2.AsyncClient) -> None:
    sent = await door.post("/taken", data={"csrf": "x"}, files={"file": ("kunden.csv", TABLE)})
    assert sent.json() == {"fields": {"csrf": "x"}, "file": "kunden.csv", "size": len(TABLE)}


async def test_no_file_chosen_is_none(door: httpx2.AsyncClient) -> None:
    sent = await door.post("/taken", data={"csrf": "x"}, files={"file": ("", b"")})
    assert (sent.json()["file"], sent.json()["fields"]["csrf"]) == (None, "x")
    assert (await door.post("/taken", data={"csrf": "x"})).json()["file"] is None


async def test_a_file_nobody_expects_is_no_form(door: httpx2.AsyncClient) -> None:
    sent = await door.post("/refused", data={"csrf": "x"}, files={"file": ("a.csv", b"x" * 100_000)})
    assert sent.status_code == 413


async def test_a_file_that_is_too_large_is_refused(
    door: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "FILE_BYTES_MAX", 2000)
    sent = await door.post("/taken", data={"csrf": "x"}, files={"file": ("a.csv", b"x" * 3000)})
    assert sent.status_code == 413


async def test_broken_parts_are_a_bad_request(door: httpx2.AsyncClient) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    sent = await door.post("/taken", content=b"--y\r\n\r\nnothing", headers=headers)
    assert sent.status_code == 400


async def test_from_who_may_not_send_one_no_file_is_read(runtime: Any) -> None:
    reached: list[str] = []

    @require("supervisor", takes_file=True)
    async def endpoint(request: Request) -> Response:
        reached.append("endpoint")
        return Response()

    app = Starlette(
        routes=[Route("/", endpoint, methods=["POST"])], exception_handlers=dict(exception_handlers())
    )
    app.state.runtime = runtime
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://door") as nobody:
        sent = await nobody.post("/", files={"file": ("a.csv", b"x" * 100_000)})
    assert sent.status_code == 401
    assert reached == []


async def test_a_browser_that_leaves_while_sending_is_no_fault_of_ours() -> None:
    """No exception reaches the server's log."""
    app = Starlette(
        routes=[Route("/refused", refused, methods=["POST"])], exception_handlers=dict(exception_handlers())
    )
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/refused",
        "headers": [],
        "query_string": b"",
        "client": None,
    }
    told: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        told.append(message)

    await app(scope, receive, send)
    assert told[0]["status"] == 400
