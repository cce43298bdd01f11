"""A tiny scripted hotline on loopback, and an exchange whose callers ring it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from config.clock import Clock
from ivr.standin.callers import CallAccount, Caller
from ivr.standin.exchange import Exchange
from ivr.standin.options import Line, Options
from ivr.standin.scenario import PlannedCall

HOTLINE, CALLER = "+865718888", "+8613800138000"
MENU = (
    '<Gather numDigits="1" timeout="6" action="/menu">'
    '<Say language="zh-CN">您好，本次通话将被录音；如不同意录音，请按8。</Say>'
    '<Say language="zh-CN">停电报修请按1；电费请按2；人工服务请按0。</Say>'
    "</Gather><Redirect>/voice</Redirect>"
)
WAIT = '<Say language="zh-CN">座席正忙，请稍候，需要回电请按1。</Say><Play>/hold.wav</Play>'
ENQUEUE = '<Enqueue waitUrl="/wait" action="/left">power</Enqueue>'
Script = Callable[[Mapping[str, str]], str]


@dataclass
class Hotline:
    """A tiny scripted hotline: a document for each path, and what it was told."""

    exchange: Exchange
    clock: Clock
    documents: dict[str, Script | str]
    told: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.told.append((request.path, form))
        self.news.set()
        script = self.documents.get(request.path)
        if script is None:
            return web.Response(status=404)
        verbs = script if isinstance(script, str) else script(form)
        return web.Response(text=f"<Response>{verbs}</Response>", content_type="text/xml")

    async def call(self, **wishes: object) -> CallAccount:
        plan = PlannedCall.model_validate({"from": CALLER, "to": HOTLINE, **wishes})
        caller = Caller(plan, self.exchange.dial(plan.from_, plan.to), self.clock)
        return await asyncio.wait_for(caller.live(), 30)

    async def is_told(self, path: str, name: str, value: str) -> bool:
        """Whether the hotline is told this, now or in a moment."""
        async with asyncio.timeout(30):
            while (path, value) not in [(one, form.get(name)) for one, form in self.told]:
                self.news.clear()
                await self.news.wait()
        return True

    def digits(self) -> list[str]:
        return [form["Digits"] for path, form in self.told if "Digits" in form and path != "/message"]


@asynccontextmanager
async def open_hotline() -> AsyncIterator[Hotline]:
    clock = Clock.starting_at(1_795_395_600_000, 100)
    exchange = Exchange(Options("AC" + "0" * 32, "token", clock=clock))
    line = Hotline(exchange, clock, {"/voice": MENU, "/menu": ENQUEUE, "/wait": WAIT, "/left": "<Hangup/>"})
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", line.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    exchange.numbers[HOTLINE] = Line(voice_url=f"{address}/voice")
    await exchange.open()
    yield line
    await exchange.close()
    await runner.cleanup()
