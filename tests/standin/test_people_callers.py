"""Simulated callers on the real exchange: they do what they hear, and tell the truth about it afterwards."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from config.clock import Clock
from ivr.standin.callers import CallAccount, Caller, offers, spoken_ms
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
        return await asyncio.wait_for(caller.live(), 10)

    async def is_told(self, path: str, name: str, value: str) -> bool:
        """Whether the hotline is told this, now or in a moment."""
        async with asyncio.timeout(2):
            while (path, value) not in [(one, form.get(name)) for one, form in self.told]:
                self.news.clear()
                await self.news.wait()
        return True

    def digits(self) -> list[str]:
        return [form["Digits"] for path, form in self.told if "Digits" in form and path != "/message"]


@pytest.fixture
async def hotline() -> AsyncIterator[Hotline]:
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


async def test_presses_the_key_he_hears_offered_and_gives_up_waiting_when_his_patience_ends(
    hotline: Hotline,
) -> None:
    account = await hotline.call(keys=["1"], patience_ms=20_000)
    assert hotline.digits() == ["1"]
    assert (account.outcome, account.hung_up, account.keys_pressed) == ("abandoned", True, 1)
    assert 19_000 < (account.waited_ms or 0) < 40_000
    assert await hotline.is_told("/left", "QueueResult", "hangup")


async def test_a_question_asked_again_is_answered_as_before(hotline: Hotline) -> None:
    second = '<Gather numDigits="1" action="/third"><Say>有危险请按1；一般停电请按2。</Say></Gather>'
    answers = iter(["<Redirect>/voice</Redirect>", second])
    hotline.documents["/menu"] = lambda _: next(answers)
    hotline.documents["/third"] = ENQUEUE
    account = await hotline.call(keys=["1", "2"], patience_ms=1_000)
    assert hotline.digits() == ["1", "1", "2"]
    assert account.outcome == "abandoned"


async def test_refuses_recording_with_the_key_that_the_notice_names(hotline: Hotline) -> None:
    question = MENU.replace("如不同意录音，请按8。", "")
    hotline.documents["/menu"] = lambda form: question if form["Digits"] == "8" else ENQUEUE
    account = await hotline.call(keys=["0"], refuses_recording=True, patience_ms=1_000)
    assert hotline.digits() == ["8", "0"]
    assert (account.refused_recording, account.outcome) == (True, "abandoned")


async def test_presses_nothing_while_waiting_in_the_queue(hotline: Hotline) -> None:
    hotline.documents["/wait"] = (
        '<Gather numDigits="1" action="/callback"><Say>需要回电请按1。</Say></Gather>'
    )
    account = await hotline.call(keys=["2", "1"], patience_ms=60_000)
    assert hotline.digits() == ["2"]
    assert account.outcome == "abandoned"


async def test_leaves_in_the_menu_without_a_key(hotline: Hotline) -> None:
    account = await hotline.call(menu_ms=5_000)
    assert (account.outcome, account.queued_ms, hotline.digits()) == ("left_in_menu", None, [])


async def test_speaks_after_the_beep_and_hangs_up(hotline: Hotline) -> None:
    hotline.documents["/menu"] = (
        '<Say>现在是非工作时间，请留言。</Say><Record action="/message" maxLength="60"/>'
    )
    hotline.documents["/message"] = "<Say>再见。</Say>"
    account = await hotline.call(keys=["0"], message="请给我回电。", message_ms=4_000)
    assert (account.outcome, account.has_left_message, account.hung_up) == ("voicemail", True, True)
    assert await hotline.is_told("/message", "Digits", "hangup")


async def test_hangs_up_at_the_beep_when_he_has_nothing_to_say(hotline: Hotline) -> None:
    hotline.documents["/menu"] = '<Record action="/message"/>'
    account = await hotline.call(keys=["0"])
    assert (account.outcome, account.has_left_message) == ("left_in_menu", False)


async def test_talks_as_long_as_he_planned(hotline: Hotline) -> None:
    phone = hotline.exchange.register("agent01")
    hotline.documents["/menu"] = "<Dial><Client>agent01</Client></Dial>"
    calling = asyncio.create_task(hotline.call(keys=["0"], talk_ms=30_000))
    handset = await anext(aiter(phone))
    handset.answer()
    account = await calling
    assert (account.outcome, account.hung_up) == ("answered", True)
    assert 29_000 < (account.ended_ms or 0) - (account.answered_ms or 0) < 50_000


async def test_listens_to_the_rest_when_the_agent_hangs_up(hotline: Hotline) -> None:
    phone = hotline.exchange.register("agent01")
    hotline.documents["/menu"] = "<Dial><Client>agent01</Client></Dial><Say>感谢您的来电，再见。</Say>"
    calling = asyncio.create_task(hotline.call(keys=["0"], ends_talk=False))
    handset = await anext(aiter(phone))
    handset.answer()
    async for heard in handset.events():
        if heard.kind == "bridged":
            handset.hang_up()
    account = await calling
    assert (account.outcome, account.hung_up) == ("answered", False)


async def test_a_hotline_that_fails_is_noted(hotline: Hotline) -> None:
    del hotline.documents["/menu"]
    account = await hotline.call(keys=["0"])
    assert (account.outcome, account.application_errors) == ("application_error", 1)


async def test_a_number_nobody_owns_never_arrives(hotline: Hotline) -> None:
    account = await hotline.call(to="+861")
    assert (account.outcome, account.arrived_ms, account.end) == ("not_arrived", None, "failed")


@pytest.mark.parametrize(
    ("text", "key", "is_offered"),
    [
        ("人工服务请按0；重听请按星号键。", "*", True),
        ("To hear this again, press star.", "*", True),
        ("电费请按10。", "1", False),
        ("For an agent, press 0.", "0", True),
        ("请稍候。", "", False),
    ],
)
def test_offers(text: str, key: str, is_offered: bool) -> None:
    assert offers(text, key) is is_offered


def test_chinese_takes_longer_to_say() -> None:
    assert spoken_ms("您好") == 400
    assert spoken_ms("hi") == 120
