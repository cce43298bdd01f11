"""The hotline of the stories in this folder: with the recordings' reader, callbacks and browsers."""

import re
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from config.runtime import Runtime
from config.web import entrance
from config.web.accounts import create_account
from config.web.errors import exception_handlers
from config.web.templates import RailEntry, Templates
from queues.service.readers import Reader
from recordings.service import recordings
from recordings.web import callbacks, console
from tests.doubles import GOOD_SIGNATURE
from tests.queues.hotline import Hotline

PASSWORD = "correct horse battery"
BEGAN = "Mon, 23 Nov 2026 01:00:17 +0000"


@dataclass
class Desk(Hotline):
    """A hotline with a front door for callbacks and listeners."""

    app: Starlette = field(init=False)
    reader: Reader[Any, Any] = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.reader = recordings.reader(self.runtime)
        self.app = Starlette(
            routes=[*callbacks.routes(), *console.routes(), *entrance.routes()],
            exception_handlers=dict(exception_handlers()),
        )
        self.app.state.runtime = self.runtime
        self.app.state.templates = Templates(("config.web",), (RailEntry("/wall", "sign_in.title", (), "w"),))

    def browser(self) -> httpx2.AsyncClient:
        base_url = self.runtime.settings.public_base_url
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.app), base_url=base_url)

    async def told(self, status: str, call_id: str, recording_id: str = "RE1", **fields: str) -> int:
        """One callback of the provider, in its words."""
        kind = fields.pop("kind", "call")
        form = {
            "CallSid": call_id,
            "RecordingSid": recording_id,
            "RecordingStatus": status,
            "RecordingUrl": "https://elsewhere.example/audio",
            "RecordingStartTime": BEGAN,
            "RecordingChannels": "2",
            **({"RecordingDuration": "60"} if status == "completed" else {}),
            **fields,
        }
        async with self.browser() as provider:
            signature = {"X-Twilio-Signature": GOOD_SIGNATURE}
            path = f"/recordings/callback/{call_id}/{kind}"
            return (await provider.post(path, data=form, headers=signature)).status_code

    async def signed_in(self, name: str, role: str, agent_id: str | None = None) -> httpx2.AsyncClient:
        """Somebody's browser, past the sign-in page."""
        await create_account(
            self.runtime.database,
            name=name,
            password=PASSWORD,
            role=role,
            agent_id=agent_id,
            must_change_password=False,
        )
        browser = self.browser()
        page = await browser.get("/sign-in")
        found = re.search(r'<meta name="csrf" content="([^"]+)">', page.text)
        assert found
        answer = await browser.post("/sign-in", data={"csrf": found[1], "name": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return browser

    async def write_down(self) -> None:
        """Both readers read to the end, and the workers do what is due."""
        await self.scribe.drain()
        await self.reader.drain()
        await self.work_off()


@pytest.fixture
async def desk(runtime: Runtime) -> Desk:
    desk = Desk(runtime)
    await desk.open()
    return desk
