"""Somebody looks at the wallboard: a browser that is signed in and reads the stream of pictures."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from config.database import Database
from config.web.accounts import create_account
from tests.simulation.town import PATIENCE_S

PASSWORD = "correct horse battery"


class Pictures:
    """One stream of the wallboard; it ends when the front door does."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def newest(self) -> dict[str, Any]:
        """The next picture."""
        async with asyncio.timeout(PATIENCE_S):
            async for line in self._lines:
                if line.startswith("data: {"):
                    picture: dict[str, Any] = json.loads(line.removeprefix("data: "))
                    return picture
        raise AssertionError("the stream ended")

    async def ended(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            try:
                async for _ in self._lines:
                    pass
            except httpx2.TransportError:
                pass


@asynccontextmanager
async def signed_in(database: Database, url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A supervisor's browser, past the sign-in page."""
    await create_account(
        database, name="zhou", password=PASSWORD, role="supervisor", must_change_password=False
    )
    async with httpx2.AsyncClient(base_url=url, timeout=30) as browser:
        page = await browser.get("/sign-in")
        found = re.search(r'<meta name="csrf" content="([^"]+)">', page.text)
        assert found
        form = {"csrf": found[1], "name": "zhou", "password": PASSWORD}
        assert (await browser.post("/sign-in", data=form)).status_code == 303
        yield browser


@asynccontextmanager
async def wallboard(browser: httpx2.AsyncClient) -> AsyncIterator[Pictures]:
    async with browser.stream("GET", "/wall/events") as answer:
        assert answer.status_code == 200
        yield Pictures(answer.aiter_lines())
