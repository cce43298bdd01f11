"""People in front of the pages: a browser's manners, or a program's, over the application itself."""

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
from starlette.applications import Starlette

from config.web.accounts import create_account
from queues.service.people import Agent, save_agents
from tests.queues.hotline import Hotline

PASSWORD = "a password for tests"
BASE = "https://hotline.example"


class Reader:
    """One signed-in person. `get` and `post` are a program's, `open` and `send` a browser's."""

    def __init__(self, app: Starlette, name: str) -> None:
        self.name = name
        self.csrf = ""
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=BASE)

    async def sign_in(self) -> None:
        page = await self.open("/sign-in")
        assert page.status_code == 200
        form = {"name": self.name, "password": PASSWORD, "csrf": self.csrf}
        entered = await self.send("/sign-in", form)
        assert entered.status_code == 303, entered.text

    async def speak(self, locale: str) -> None:
        await self.send("/locale", {"locale": locale, "next": "/calls", "csrf": self.csrf})

    async def open(self, path: str) -> httpx2.Response:
        answer = await self.client.get(path, headers={"Accept": "text/html"})
        if token := re.search(r'name="csrf" content="([^"]*)"', answer.text):
            self.csrf = token[1]
        return answer

    async def send(self, path: str, form: dict[str, str]) -> httpx2.Response:
        return await self.client.post(path, data={"csrf": self.csrf, **form}, headers={"Accept": "text/html"})

    async def get(self, path: str) -> Any:
        return (await self.client.get(path)).json()

    async def post(self, path: str, **values: str) -> tuple[int, dict[str, Any]]:
        answer = await self.client.post(path, json=values, headers={"X-CSRF-Token": self.csrf})
        return answer.status_code, answer.json()


class Door:
    def __init__(self, app: Starlette, hotline: Hotline) -> None:
        self.app = app
        self.hotline = hotline
        self._readers: list[Reader] = []

    async def enter(self, name: str, role: str, agent_id: str | None = None, locale: str = "zh") -> Reader:
        """Somebody with an account signs in and has a page open."""
        await create_account(
            self.hotline.runtime.database,
            name=name,
            password=PASSWORD,
            role=role,
            agent_id=agent_id,
            locale=locale,
            must_change_password=False,
        )
        reader = Reader(self.app, name)
        self._readers.append(reader)
        await reader.sign_in()
        await reader.open("/calls")
        return reader

    async def agent(self, agent_id: str = "wang", locale: str = "zh") -> Reader:
        if agent_id != "wang":
            person = Agent(agent_id=agent_id, name="李静", skills=("general",), endpoint=f"client:{agent_id}")
            await save_agents(self.hotline.runtime, [person])
        return await self.enter(agent_id, "agent", agent_id, locale)

    def forget(self) -> None:
        """What pages remember for a moment; a test does not wait for it to run out."""
        self.app.state.floor.remembered.clear()

    async def close(self) -> None:
        for reader in self._readers:
            await reader.client.aclose()


def text_of(page: httpx2.Response) -> str:
    """What can be read on the page, without its data and attributes."""
    visible = re.sub(
        r"<script.*?</script>|<head>.*?</head>|<noscript>.*?</noscript>", " ", page.text, flags=re.DOTALL
    )
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", visible))).strip()


async def next_picture(events: AsyncIterator[Any]) -> dict[str, Any]:
    async with asyncio.timeout(30):
        event = await anext(events)
    picture: dict[str, Any] = json.loads(event.data)
    return picture
