"""Answers that many pages ask for at once, kept for a moment: ten wallboards cost what one does.

Only what may be a moment old is asked for through here, never the live state of a call or an agent.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from config.clock import Clock

Answer = TypeVar("Answer")
KEPT_MAX = 500


class Remembered:
    """Times are real: this is about work, not about what people live through."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[int, Any]] = {}
        self._asking: dict[str, asyncio.Task[Any]] = {}
        self._wall = Clock.real()

    async def get(self, key: str, for_s: float, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer of at most `for_s` ago; whoever asks while it is being found waits for the same one."""
        known = self._answers.get(key)
        if known and self._wall.now_ms() - known[0] < for_s * 1000:
            answer: Answer = known[1]
            return answer
        task: asyncio.Task[Answer] | None = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.ensure_future(self._find(key, ask))
        return await asyncio.shield(task)

    def clear(self) -> None:
        self._answers.clear()

    def forget(self, key: str) -> None:
        self._answers.pop(key, None)

    async def _find(self, key: str, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        try:
            answer = await ask()
        finally:
            self._asking.pop(key, None)
        if len(self._answers) >= KEPT_MAX:
            self._answers.clear()
        self._answers[key] = (self._wall.now_ms(), answer)
        return answer
