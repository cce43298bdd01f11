"""A town for stories of death: the whole house, a telephone company on the other side of HTTP, and people.

The webhooks are really signed and the requests really leave through the provider's library. Whatever comes in
or goes out passes a `Gate`, where a story can hold it up or kill somebody at that very point. Time runs fast,
and a story may leap over what would only be waited for.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select

from config.clock import Clock
from config.database import metadata
from config.jobs import work_off
from config.links import Links
from config.runtime import Runtime
from config.telephony import TwilioTelephony
from ivr.app import build as build_house
from ivr.standin.app import build as build_company
from ivr.standin.exchange import Exchange
from ivr.standin.handsets import Handset, Registration
from ivr.standin.options import Line as Number
from ivr.standin.options import Options
from ivr.web.twiml import fallback_document
from queues.dispatcher import Dispatcher
from queues.domain.audit import Breach, audit
from queues.domain.journal import Line
from queues.service import readers
from queues.service.history import scribe
from queues.service.plans import plan_of
from queues.service.switchboard import CallFacts, Switchboard
from recordings.service import recordings
from tests.doubles import MONDAY_0900_MS
from tests.standin.customer import Served

CALLER, OTHER_CALLER, HOTLINE = "+8613800138000", "+8613900139000", "+8657195598000"
SKILLS = ("general", "outage", "connection", "key_account", "complaint", "english")
SPEED = 30.0
PATIENCE_S, LOOK_AGAIN_S = 40.0, 0.01


class LeapingClock(Clock):
    """Runs on by itself, and leaps when a story would only wait."""

    ahead_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms

    def advance(self, for_ms: float) -> None:
        self.ahead_ms += round(for_ms)

    def as_text(self) -> str:
        """The same clock for a process of its own, as it stands now."""
        return str(Clock(self.origin_ms + self.ahead_ms, self.anchor_ms, self.speed))


async def until(is_so: Callable[[], Any], within_s: float = PATIENCE_S) -> Any:
    """Wait for something that will come true by itself, and hand it over; plain or awaitable."""
    async with asyncio.timeout(within_s):
        while True:
            found = is_so()
            if isinstance(found, Awaitable):
                found = await found
            if found:
                return found
            await asyncio.sleep(LOOK_AGAIN_S)


async def hears(handset: Handset, kind: str, text: str = "", within_s: float = PATIENCE_S) -> None:
    """Wait until a person has noticed something, from the beginning of his call on."""
    try:
        async with asyncio.timeout(within_s):
            async for heard in handset.events():
                if heard.kind == kind and text in heard.text:
                    return
    except TimeoutError:
        pass
    raise AssertionError(f"{kind} {text!r} was never heard, but {[(e.kind, e.text) for e in handset.heard]}")


def said(handset: Handset) -> str:
    return " ".join(heard.text for heard in handset.heard if heard.kind == "said")


def times(handset: Handset, kind: str) -> int:
    return sum(heard.kind == kind for heard in handset.heard)


@dataclass
class Gate:
    """Where requests to an application pass: each is noted, some are held up, some are somebody's last."""

    app: Any
    passed: list[str] = field(default_factory=list)  # "POST /path"
    answered: list[str] = field(default_factory=list)
    _held: dict[str, asyncio.Event] = field(default_factory=dict)
    _fatal: list[tuple[str, str, Callable[[], Awaitable[None]]]] = field(default_factory=list)

    @contextmanager
    def holding(self, pattern: str) -> Iterator[None]:
        """Requests that match wait at the gate until the block is over."""
        event = self._held[pattern] = asyncio.Event()
        try:
            yield
        finally:
            del self._held[pattern]
            event.set()

    def kill_at(self, pattern: str, when: str, kill: Callable[[], Awaitable[None]]) -> None:
        """The next request that matches is its sender's last: `before` it is done, or `after`."""
        self._fatal.append((pattern, when, kill))

    def count(self, pattern: str) -> int:
        return sum(re.search(pattern, each) is not None for each in self.passed)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name = f"{scope['method']} {scope['path']}"
        self.passed.append(name)
        for pattern, event in list(self._held.items()):
            if re.search(pattern, name):
                await event.wait()
        fatal = next((each for each in self._fatal if re.search(each[0], name)), None)
        if fatal is None:
            await self.app(scope, receive, send)
            self.answered.append(name)
            return
        self._fatal.remove(fatal)
        _, when, kill = fatal
        if when == "after":
            await self.app(scope, receive, unheard)
        await kill()
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def unheard(_message: Any) -> None:
    """An answer that nobody gets."""


class Died(BaseException):
    """The process is gone, at this very point."""


class MortalTelephony:
    """The line out of one process. At the point that was chosen the process dies, and says no more."""

    def __init__(self, telephony: Any, dies_at: str = "", when: str = "before") -> None:
        self._telephony, self._dies_at, self._when = telephony, dies_at, when
        self.died = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._telephony, name)
        if not asyncio.iscoroutinefunction(real):
            return real

        async def call(*given: Any, **named: Any) -> Any:
            if self.died.is_set():
                raise Died
            if name != self._dies_at:
                return await real(*given, **named)
            if self._when == "after":
                await real(*given, **named)
            self.died.set()
            raise Died

        return call


@dataclass
class Life:
    """One life of a dispatcher process. When it is killed nothing is put in order: its lease runs out."""

    dispatcher: Dispatcher
    telephony: MortalTelephony
    task: asyncio.Task[None] | None = None

    def begin(self) -> "Life":
        self.task = asyncio.create_task(self._live())
        return self

    async def _live(self) -> None:
        while not self.telephony.died.is_set():
            if await self.dispatcher.lead():
                await self.dispatcher.tick()
            await asyncio.sleep(LOOK_AGAIN_S)
        for task in tuple(self.dispatcher._under_way):
            task.cancel()

    async def death(self) -> None:
        assert self.task
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.shield(self.task)

    async def kill(self) -> None:
        self.telephony.died.set()
        if self.task:
            await self.task


@dataclass
class Town:
    """The house and the telephone company; in-process they serve on loopback, and die one part at a time."""

    runtime: Runtime
    clock: LeapingClock
    exchange: Exchange
    webhooks: Gate  # on their way to the house
    requests: Gate  # on their way to the telephone company
    company: Served
    house: Served | None = None
    lives: list[Life] = field(default_factory=list)
    loops: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.plan = plan_of(self.runtime)
        self.board = Switchboard(self.runtime)
        self.scribe = scribe(self.runtime)
        self.tape = recordings.reader(self.runtime)

    @property
    def url(self) -> str:
        return self.runtime.settings.public_base_url

    # People

    async def dial(self, keys: str = "0", from_: str = CALLER) -> Handset:
        """A caller dials and presses these keys, one at each question."""
        caller = self.exchange.dial(from_, HOTLINE)
        for asked, key in enumerate(keys, start=1):
            await until(lambda asked=asked: times(caller, "gathering") >= asked)
            caller.press(key)
        return caller

    async def waits(self, keys: str = "0", from_: str = CALLER) -> Handset:
        """A caller who has come as far as the queue."""
        caller = await self.dial(keys, from_)
        await hears(caller, "queued")
        return caller

    async def sits_down(self, agent_id: str = "wang") -> Registration:
        """An agent is at his desk, ready; his phone."""
        phone = self.exchange.register(agent_id)
        await self.is_ready(agent_id)
        return phone

    async def is_ready(self, agent_id: str) -> None:
        endpoint = f"client:{agent_id}"
        await self.board.sign_in(agent_id=agent_id, name=agent_id, skills=SKILLS, endpoint=endpoint)
        await self.board.set_presence(agent_id=agent_id, presence="ready")

    async def rung(self, phone: Registration) -> Handset:
        async with asyncio.timeout(PATIENCE_S):
            return await anext(aiter(phone))

    async def answers(self, phone: Registration) -> Handset:
        handset = await self.rung(phone)
        handset.answer()
        return handset

    async def answers_always(self, phone: Registration) -> None:
        async for handset in phone:
            handset.answer()

    def agent_legs(self) -> list[Any]:
        return [call for call in self.exchange.calls.values() if call.direction == "outbound-api"]

    def conferences(self, call_id: str) -> list[Any]:
        """The rooms of its talks: each is named after the offer that led to it."""
        rooms = self.exchange.conferences.by_sid.values()
        return [one for one in rooms if one.friendly_name.rpartition("-")[0] == call_id]

    # The house

    def dispatcher(self, dies_at: str = "", when: str = "before") -> Life:
        telephony = MortalTelephony(self.runtime.telephony, dies_at, when)
        runtime = replace(self.runtime, telephony=telephony)
        dispatcher = Dispatcher(runtime, Switchboard(runtime))
        self.lives.append(Life(dispatcher, telephony).begin())
        return self.lives[-1]

    def runs(self, *loops: Coroutine[Any, Any, None]) -> None:
        """Loops of the house, as its processes run them."""
        self.loops += [asyncio.create_task(loop) for loop in loops]

    def run_house(self) -> None:
        """Dispatcher and scribe, in good health."""
        self.runs(Dispatcher.of(self.runtime).run(), readers.run(self.scribe), readers.run(self.tape))

    async def call(self, call_id: str) -> CallFacts:
        found = await self.board.read_call(call_id=call_id)
        assert found is not None
        return found

    async def state(self, call_id: str, wanted: str) -> CallFacts:
        """Wait until the call is in this state, "ended answered" for example."""
        told: list[str] = []

        async def is_so() -> CallFacts | None:
            found = await self.board.read_call(call_id=call_id)
            told.append(f"{found.state} {found.outcome}".strip() if found else "unknown")
            return found if told[-1] == wanted else None

        try:
            found: CallFacts = await until(is_so)
        except TimeoutError:
            raise AssertionError(f"{call_id} never was {wanted}, it is {told[-1]}") from None
        return found

    async def agent_state(self, agent_id: str, wanted: str) -> None:
        async def is_so() -> bool:
            desk = await self.board.desk_state(agent_id=agent_id)
            return desk is not None and desk.state == wanted

        await until(is_so)

    async def effects(self) -> list[str]:
        names: list[str] = await self.runtime.redis.hkeys(f"{{{self.plan.site}}}:effects")
        return sorted(names)

    async def has_nothing_due(self) -> bool:
        return await self.effects() == []

    async def lines(self, *types: str) -> list[Line]:
        entries = await self.runtime.redis.xrange(f"{{{self.plan.site}}}:journal")
        lines = [Line.from_stream(entry_id, fields) for entry_id, fields in entries]
        return [line for line in lines if not types or line.type in types]

    async def arrivals(self) -> dict[str, int]:
        """The arrival counter of each call that the live store knows."""
        redis, tag = self.runtime.redis, f"{{{self.plan.site}}}:call:"
        names = await redis.keys(f"{tag}*")
        return {name.removeprefix(tag): int(await redis.hget(name, "arrival")) for name in names}

    async def has_seen(self, line_id: str) -> bool:
        """Whether SQL has this line."""
        return line_id in [row["id"] for row in await self.rows("events", "id")]

    async def write_down(self) -> None:
        """Both readers read to the end, and a worker does what is due."""
        await self.scribe.drain()
        await self.tape.drain()
        await self.work_off()

    async def work_off(self) -> None:
        queues = {kind.work_queue for kind in self.plan.ticket_types.values()}
        await work_off(self.runtime, [*sorted(queues), "audio"])

    async def breaches(self) -> tuple[Breach, ...]:
        """What the auditor finds in the whole journal, once everybody has hung up."""
        return audit(await self.lines(), is_drained=True)

    async def rows(self, table: str, *names: str) -> list[dict[str, Any]]:
        described = metadata.tables[table]
        query = select(*(described.c[name] for name in names)).order_by(*described.primary_key.columns)
        async with self.runtime.database.read() as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]

    async def is_fetched(self, call_id: str) -> bool:
        """Whether the call's recording is in the vault; whoever asks lets the readers and a worker do theirs."""
        await self.write_down()
        rows = await self.rows("recordings", "call_id", "state")
        return any(row["call_id"] == call_id and row["state"] == "fetched" for row in rows)

    def patience(self) -> asyncio.Timeout:
        return asyncio.timeout(PATIENCE_S)

    async def close(self) -> None:
        for life in self.lives:
            await life.kill()
        await ended(self.loops)
        await self.company.stop()
        if self.house:
            await self.house.stop()
        await self.runtime.telephony.close()


async def ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel until they are over: a cancellation that meets a reply of the store may be swallowed."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=0.1)


async def found_town(runtime: Runtime, *, house_url: str = "", speed: float = SPEED) -> Town:
    """Open the telephone company, and the house beside it unless it has an address of its own already."""
    clock = LeapingClock.starting_at(MONDAY_0900_MS, speed)
    webhooks, requests = Gate(None), Gate(None)
    house = None if house_url else Served(webhooks)
    company = Served(requests)
    url = house.url if house else house_url
    exchange = exchange_for(runtime, url, company.url, clock)
    requests.app = build_company(exchange)
    settings = replace(
        runtime.settings, public_base_url=url, twilio_base_url=company.url, softphone_url=company.url
    )
    own = replace(
        runtime,
        settings=settings,
        clock=clock,
        telephony=TwilioTelephony(settings),
        links=Links(settings.public_base_url),
    )
    webhooks.app = build_house(own)
    await company.start()
    if house:
        await house.start()
    return Town(own, clock, exchange, webhooks, requests, company, house)


def exchange_for(runtime: Runtime, house_url: str, company_url: str, clock: Clock) -> Exchange:
    settings = runtime.settings
    number = Number(
        voice_url=f"{house_url}/voice/incoming",
        fallback_url=f"{company_url}/bins/fallback",
        status_url=f"{house_url}/voice/status",
    )
    return Exchange(
        Options(
            settings.twilio_account_sid,
            settings.twilio_auth_token,
            clock=Clock(clock.origin_ms, clock.anchor_ms, clock.speed),
            numbers={HOTLINE: number},
            bins={"fallback": fallback_document(house_url)},
            faults={"recording_ms_min": 0},  # talks are short here
            public_url=company_url,
        )
    )
