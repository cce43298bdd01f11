"""Webhooks: only the provider is heard, what it sent is what is checked, a dead store is no dead line."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from redis.exceptions import ConnectionError as StoreGone
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from twilio.request_validator import RequestValidator

from config.runtime import Runtime
from config.telephony import TwilioTelephony
from config.web import webhooks
from config.web.headers import SecurityHeaders
from config.web.webhooks import Webhook, signed

TOKEN = "12345"
FORM = {"CallSid": "CA1", "From": "+8613800138000", "FromCity": "", "CallerName": "王 敏"}


class House:
    """An application of three webhooks, whose handlers write down what reached them."""

    def __init__(self, runtime: Runtime) -> None:
        self.heard: list[Webhook] = []
        self.fails_with: Exception | None = None
        self.app = Starlette(
            routes=[
                Route("/voice/incoming", signed(self.incoming, safe_document=self.safe), methods=["POST"]),
                Route(
                    "/voice/connect/{offer_id}",
                    signed(self.incoming, safe_document=self.safe),
                    methods=["POST"],
                ),
                Route("/voice/status", signed(self.status), methods=["POST"]),
            ]
        )
        self.app.state.runtime = runtime
        self.client = TestClient(self.app, base_url="http://10.0.0.5:8300", raise_server_exceptions=False)

    async def incoming(self, runtime: Runtime, webhook: Webhook) -> Response:
        self.heard.append(webhook)
        if self.fails_with:
            raise self.fails_with
        return PlainTextResponse("<Response/>")

    async def status(self, runtime: Runtime, webhook: Webhook) -> Response:
        return await self.incoming(runtime, webhook)

    def safe(self, runtime: Runtime, webhook: Webhook) -> Response:
        return PlainTextResponse(f"please hold, {webhook.form['CallSid']}")

    def post(self, path: str, form: Mapping[str, Any] = FORM, *, url: str = "", token: str = TOKEN) -> Any:
        """As the provider does it: `url` is what it signed, by default our public address."""
        signature = RequestValidator(token).compute_signature(url or f"https://hotline.example{path}", form)
        return self.client.post(path, data=dict(form), headers={"X-Twilio-Signature": signature})


@pytest.fixture
def house(runtime: Runtime) -> House:
    settings = replace(runtime.settings, twilio_auth_token=TOKEN)
    return House(replace(runtime, settings=settings, telephony=TwilioTelephony(settings)))


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    def read() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
        return [line for line in found if line["event"].startswith("webhook")]

    return read


def test_behind_a_proxy_the_public_address_is_what_was_signed(house: House):
    answer = house.post("/voice/connect/CA1-1?l=zh-CN&n=&x=%E7%8E%8B+a&l=second")
    assert (answer.status_code, answer.text) == (200, "<Response/>")
    assert house.heard == [
        Webhook(
            url="https://hotline.example/voice/connect/CA1-1?l=zh-CN&n=&x=%E7%8E%8B+a&l=second",
            path_params={"offer_id": "CA1-1"},
            query={"l": "zh-CN", "n": "", "x": "王 a"},
            form=FORM,
            received_ms=house.app.state.runtime.clock.now_ms(),
        )
    ]


def test_an_installation_under_a_path(house: House):
    house.app.state.runtime.settings = replace(
        house.app.state.runtime.settings, public_base_url="https://example.com/hotline"
    )
    assert house.post("/voice/incoming", url="https://example.com/hotline/voice/incoming").status_code == 200


def test_what_the_provider_is_answered_is_no_page(house: House):
    house.app.add_middleware(SecurityHeaders, settings=house.app.state.runtime.settings)
    assert set(house.post("/voice/incoming").headers) == {"content-length", "content-type"}
    assert "content-security-policy" in house.client.get("/nowhere").headers


def test_of_a_field_sent_twice_the_first_counts_and_the_signature_saw_both(house: House):
    class Twice(dict[str, list[str]]):
        def getlist(self, name: str) -> list[str]:
            return self[name]

    assert house.post("/voice/incoming", Twice({"Digits": ["1", "2"], "CallSid": ["CA1"]})).status_code == 200
    assert house.heard[0].form == {"Digits": "1", "CallSid": "CA1"}


@pytest.mark.parametrize(
    "forgery",
    [
        {"token": "another"},
        {"url": "http://10.0.0.5:8300/voice/incoming"},
        {"url": "https://hotline.example/voice/incoming?l=en"},
        {"url": "https://hotline.example/voice/incoming/"},
    ],
)
def test_what_was_not_signed_is_refused_with_one_line(house: House, lines: Any, forgery: dict[str, str]):
    answer = house.post("/voice/incoming", **forgery)
    assert (answer.status_code, answer.text, house.heard) == (403, "", [])
    told = [{name: line[name] for name in ("route", "outcome", "status", "leg_id")} for line in lines()]
    assert told == [{"route": "incoming", "outcome": "unsigned", "status": 403, "leg_id": ""}]


def test_a_request_without_a_signature_or_with_a_changed_body(house: House):
    assert house.client.post("/voice/incoming", data=FORM).status_code == 403
    signature = RequestValidator(TOKEN).compute_signature("https://hotline.example/voice/incoming", FORM)
    changed = FORM | {"From": "+8613900139000"}
    assert (
        house.client.post(
            "/voice/incoming", data=changed, headers={"X-Twilio-Signature": signature}
        ).status_code
        == 403
    )
    without_blanks = {name: value for name, value in FORM.items() if value}
    assert (
        house.client.post(
            "/voice/incoming", data=without_blanks, headers={"X-Twilio-Signature": signature}
        ).status_code
        == 403
    )
    assert house.heard == []


@pytest.mark.parametrize("body", [b"\xff\xfe=%ff&&&==", b'{"json": true}', b"a=1&" * 2000, b""])
def test_no_body_upsets_us(house: House, body: bytes):
    headers = {"X-Twilio-Signature": "x", "Content-Type": "application/x-www-form-urlencoded"}
    assert house.client.post("/voice/incoming", content=body, headers=headers).status_code == 403


def test_a_body_longer_than_any_webhook_is_not_read_to_its_end(house: House):
    body = b"a=" + b"x" * (webhooks.BODY_BYTES_MAX + 1)
    assert house.client.post("/voice/incoming", content=body).status_code == 413


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (StoreGone("no socket"), "store_down"),
        (TimeoutError(), "store_down"),
        (ConnectionRefusedError(), "store_down"),
        (KeyError("a fault of ours"), "failed"),
    ],
)
def test_when_a_store_or_we_ourselves_fail_the_caller_hears_the_safe_document(
    house: House, lines: Any, fault: Exception, outcome: str
):
    house.fails_with = fault
    answer = house.post("/voice/incoming")
    assert (answer.status_code, answer.text) == (200, "please hold, CA1")
    assert [line["event"] for line in lines()] == [f"webhook.{outcome}", "webhook"]


def test_a_report_that_nobody_waits_for_says_that_it_was_not_taken(house: House):
    house.fails_with = StoreGone("no socket")
    assert house.post("/voice/status").status_code == 503


def test_a_store_that_hangs_does_not_outlast_the_provider(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(webhooks, "HANDLER_S_MAX", 0.05)

    async def hangs(runtime: Runtime, webhook: Webhook) -> Response:
        await asyncio.sleep(30)
        return PlainTextResponse("too late")

    house.app.router.routes.insert(
        0, Route("/voice/incoming", signed(hangs, safe_document=house.safe), methods=["POST"])
    )
    assert house.post("/voice/incoming").text == "please hold, CA1"


def test_one_line_for_each_webhook_and_no_number_in_it(house: House, lines: Any):
    house.post("/voice/incoming")
    [line] = lines()
    assert {name: line[name] for name in ("route", "outcome", "status", "leg_id")} == {
        "route": "incoming",
        "outcome": "ok",
        "status": 200,
        "leg_id": "CA1",
    }
    assert "138" not in json.dumps(line)
