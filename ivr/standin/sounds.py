"""What Play plays: each address fetched once, as the provider's caches do, to learn how long it is."""

import asyncio
from collections.abc import Callable

from ivr.standin.audio import lasts_ms
from ivr.standin.calls import Call
from ivr.standin.faults import Faults
from ivr.standin.webhooks import Postman, WebhookError

Complain = Callable[[Call, int, str, str], None]


class Sounds:
    def __init__(self, postman: Postman, faults: Faults, complain: Complain) -> None:
        self._postman = postman
        self._faults = faults
        self._complain = complain
        self._lengths: dict[str, asyncio.Task[int]] = {}

    async def lasts_ms(self, call: Call, url: str) -> int | None:
        """The length of a sound, or None when it cannot be had."""
        task = self._lengths.get(url)
        if task is None or (task.done() and task.exception() is not None):
            task = self._lengths[url] = asyncio.ensure_future(self._fetch(url))
        try:
            return await asyncio.shield(task)
        except WebhookError as error:
            self._complain(call, error.code, error.message, url)
            return None

    async def close(self) -> None:
        for task in self._lengths.values():
            task.cancel()
        await asyncio.gather(*self._lengths.values(), return_exceptions=True)

    async def _fetch(self, url: str) -> int:
        status, content_type, content = await self._postman.get_media(url)
        if status >= 400:
            raise WebhookError(11200, f"HTTP retrieval failure: status {status}", url, "GET")
        if not content_type.startswith("audio/"):
            raise WebhookError(13420, f"Play: invalid Content-Type {content_type}", url, "GET")
        return lasts_ms(content_type, content, self._faults.play_ms)
