"""One day by one seed: who calls, who answers, what fails, who is killed; and what must hold at every instant."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from unittest.mock import patch

import httpx2
from sqlalchemy import select

from config.database import metadata
from config.runtime import Runtime, Shelf
from config.site_files import SiteFiles, of_content
from config.web import webhooks
from ivr.app import build
from ivr.service import hotlines
from queues import dispatcher as room
from queues.dispatcher import Dispatcher
from queues.domain.audit import Breach
from queues.domain.journal import Line
from queues.service import effects
from queues.service.customers import import_customers
from queues.service.live_changes import LiveChanges
from queues.service.managers import add_never_route
from queues.service.people import Agent, save_agents
from queues.service.plans import plan_of
from queues.service.switchboard import Switchboard
from tests.simulation.days.auditor import DayAuditor
from tests.simulation.days.backroom import Backroom
from tests.simulation.days.company import Company, Faults
from tests.simulation.days.desks import Desk, Supervisor
from tests.simulation.days.people import CUSTOMERS, Caller, answering
from tests.simulation.days.timeline import (
    Died,
    Mortality,
    MortalStore,
    MortalTelephony,
    ShiftedClock,
    Timeline,
    TimelyDatabase,
    TimelyJobs,
)

MINUTE_MS = 60_000
LOOK_EVERY_MS, DRAINING_LOOK_EVERY_MS = 5_000, 20_000
LOOKS_MAX = 12
# The store counts a lease in real time: a machine that is busy for seconds shall not decide who leads.
LEASE_S = 60.0
# Nor shall it decide what a caller hears: whoever stands before the turnstile waits in real time, too, and a limit of
# the network that runs out there would be a fault that no seed has asked for.
REAL_LIMITS = ((webhooks, "HANDLER_S_MAX"), (hotlines, "SQL_WITHIN_S"), (effects, "PERFORM_S"))
NEVER_S = 3_600.0
DRAINED_WITHIN_MS = 45 * MINUTE_MS
SHIFTS = (
    ("general", "outage", "connection", "key_account", "complaint"),
    ("general", "complaint", "english"),
    ("key_account", "general", "outage"),
    ("key_account", "general", "@high_risk", "@key_customer"),
)
# The site as it is, but with every promise that is made to some callers, and short times.
WORDS = (
    (
        "queues",
        "seats: 1, per: 10, release_after: 2m, rearm_below: 1m",
        "seats: 1, release_after: 1m, rearm_below: 30s",
    ),
    ("queues", "- {after: 60s, offer: callback}", "- {after: 15s, offer: callback}"),
    (
        "queues",
        "- {after: 30s, to: general, surge: true}",
        "- {after: 20s, offer: callback}\n      - {after: 30s, to: general, surge: true}",
    ),
    (
        "customers",
        "manager: {wait: 20s}",
        "manager: {wait: 20s}\n  first_contact: {wait: 10s}\n  last_agent: {wait: 15s}",
    ),
    ("site", "callback: {tries: 3, every: 10m", "callback: {first: agent, tries: 3, every: 2m"),
)


CUSTOMER_FIRST = ("site", "first: agent", "first: customer")


def words_of(files: SiteFiles, seed: int = 0) -> SiteFiles:
    """On every other day the customer of a callback is rung before an agent is."""
    content = dict(files.everything)
    for name, old, new in (*WORDS, CUSTOMER_FIRST) if seed % 2 else WORDS:
        file = f"{name}.yaml"
        assert content[file].count(old) == 1, old
        content[file] = content[file].replace(old, new)
    return of_content(files.name, content)


@dataclass
class Course:
    """What kind of day it is."""

    seed: int
    minutes: int = 8
    calls: int = 20
    dispatchers: int = 2
    has_faults: bool = True  # of the provider, the webhooks and the clock
    kills_every_ms: int = 20_000  # somebody of the house, about so often; 0 = nobody
    is_in_turn: bool = False  # no request overtakes another
    is_doubled: bool = False  # every webhook comes twice


@dataclass
class Life:
    """One life of a dispatcher process."""

    dispatcher: Dispatcher
    mortality: Mortality

    @classmethod
    def begin(cls, day: Day) -> Life:
        mortality = Mortality(day.timeline)
        dispatcher = Dispatcher.of(day.runtime_of(mortality))
        # Its leases run in the day's time, so that a day is as short as it can be.
        dispatcher._real = day.runtime.clock
        return cls(dispatcher, mortality)

    async def look(self, told: dict[str, Any]) -> None:
        """What its loop does each time it wakes."""
        with contextlib.suppress(Died):
            if await self.dispatcher.lead():
                told["was_work"] = await self.dispatcher.tick()
                told["led"] = True


@dataclass
class Day:
    runtime: Runtime
    course: Course
    timeline: Timeline
    company: Company
    front: Mortality
    auditor: DayAuditor
    board: Switchboard
    lives: list[Life] = field(default_factory=list)
    desks: list[Desk] = field(default_factory=list)
    supervisor: Supervisor = field(init=False)
    backroom: Backroom = field(init=False)
    deaths: int = 0
    shifts: int = 0
    looks: int = 0
    _callers: list[asyncio.Task[Any]] = field(default_factory=list)
    _last_id: str = "0-0"
    _look_every_ms: int = LOOK_EVERY_MS

    def __post_init__(self) -> None:
        self._chance = Random(f"looks {self.course.seed}")
        immortal = self.runtime_of(Mortality(self.timeline))
        self._store = immortal.redis
        changes = LiveChanges(immortal, self.board, "chief")
        self.supervisor = Supervisor(changes, self.timeline, Random(f"chief {self.course.seed}"))
        self.backroom = Backroom(self.runtime, self.timeline, self.runtime_of)

    def runtime_of(self, mortality: Mortality) -> Runtime:
        return mortal(self.runtime, mortality)

    # The day

    async def play(self) -> list[Breach]:
        """Faults on, then off until the house is empty; every breach of a law."""
        course, chance = self.course, Random(f"people {self.course.seed}")
        names = [f"agent{n}" for n in range(len(SHIFTS))]
        for name, skills in zip(names, SHIFTS, strict=True):
            chance = Random(f"desk {course.seed} {name}")
            others = tuple(each for each in names if each != name)
            self.desks.append(Desk(self.board, self.timeline, name, skills, chance, others))
            self.timeline.begin(self.desks[-1].lives())
        supervising = self.timeline.begin(self.supervisor.lives())
        for n in range(course.calls):
            # Half of them within the first quarter: a rush makes queues.
            span_ms = course.minutes * MINUTE_MS // (4 if n % 2 else 1)
            caller = Caller.drawn(self.company, f"CA{n:04d}", Random(chance.random()))
            self._callers.append(self.timeline.begin(self._comes(caller, round(span_ms * chance.random()))))
        self.lives = [Life.begin(self) for _ in range(course.dispatchers)]
        self.company.faults.is_on = course.has_faults
        trouble = self.timeline.begin(self._trouble()) if course.kills_every_ms else None
        self.timeline.begin(self.backroom.works())
        await self._until(course.minutes * MINUTE_MS)
        self.company.faults.is_on = False
        for each in (supervising, trouble) if trouble else (supervising,):
            each.cancel()
        self.timeline.begin(self._mend())
        self.timeline.begin(self.supervisor.goes_home())
        await self._drain()
        await self._nothing_is_left()
        return self.auditor.close(is_drained=True)

    async def _comes(self, caller: Caller, at_ms: int) -> None:
        await self.timeline.sleep(at_ms)
        await caller.lives()
        if caller.comes_again_ms is not None:
            await self._comes(caller.again(), caller.comes_again_ms)

    async def _until(self, for_ms: int) -> None:
        """Somebody wakes, and does what he wants to; now and then the dispatchers look meanwhile, else after him."""
        end_ms, look_ms = self.timeline.now_ms + for_ms, self.timeline.now_ms
        while self.timeline.now_ms < end_ms:
            is_event = await self.timeline.leap(min(end_ms, look_ms))
            if is_event and (self.course.is_in_turn or self._chance.random() < 0.7):
                await self.timeline.settle()
                if not await self._hear():
                    continue
            elif not is_event:
                look_ms = self.timeline.now_ms + self._look_every_ms
            await self._look()

    async def _look(self) -> None:
        """All of them at once, and again until nothing is left to do; then nobody may be idle in vain."""
        for _ in range(LOOKS_MAX):
            self.looks += 1
            told: list[dict[str, Any]] = [{} for _ in self.lives]
            for life, each in zip(self.lives, told, strict=True):
                if not life.mortality.is_dead:
                    self.timeline.begin(life.look(each))
            await self.timeline.settle()
            is_new = await self._hear()
            if not is_new and any(each.get("led") and not each.get("was_work") for each in told):
                self._nobody_is_idle_in_vain()
                break
            if not any(each.get("led") for each in told):
                break
        await self._same_account()

    async def _hear(self) -> bool:
        entries = await self.runtime.redis.xrange(f"{self._tag}:journal", min=f"({self._last_id}")
        for entry_id, fields in entries:
            self._last_id = entry_id
            self.auditor.hear(Line.from_stream(entry_id, fields))
        return bool(entries)

    @property
    def _tag(self) -> str:
        return f"{{{self.auditor.plan.site}}}"

    # Trouble

    async def _trouble(self) -> None:
        """Somebody is killed, somebody sets the clock; whoever was killed is started again a little later."""
        chance = Random(f"trouble {self.course.seed}")
        while True:
            await self.timeline.sleep(round(chance.expovariate(1 / self.course.kills_every_ms)))
            what = chance.random()
            if what < 0.5:
                await self._kill(chance)
            elif what < 0.7:
                await self.backroom.dies(chance)
                self.deaths += 1
            elif what < 0.85:
                self.front.dies = chance.choice(["before", "after"])
                self.front.requests_left = chance.randrange(6)
                await self.timeline.sleep(2_000)
                self.front.requests_left, self.front.is_dead = None, False
                self.deaths += 1
            elif what < 0.92:
                # The lease of a leader who lives on: for a while two of them lead.
                await self._store.delete(f"{self._tag}:leader:dispatcher")
            elif self.course.has_faults:
                self.shifts += 1
                self.timeline.shift(chance.choice([-1_500, -300, 400, 2_500]))

    async def _kill(self, chance: Random) -> None:
        n = chance.randrange(len(self.lives))
        mortality = self.lives[n].mortality
        mortality.dies = chance.choice(["before", "after"])
        mortality.requests_left = chance.randrange(12)
        await self.timeline.sleep(chance.choice([50, 500, 4_000]))
        mortality.is_dead = True
        self.deaths += 1
        await self.timeline.sleep(chance.choice([10, 1_000, 6_000]))
        await self._bury(n)

    async def _bury(self, n: int) -> None:
        """What the dead one held runs out, and the next life begins."""
        holder = self.lives[n].dispatcher.holder
        key = f"{self._tag}:leader:dispatcher"
        if await self._store.get(key) == holder:
            await self._store.delete(key)
        self.lives[n] = Life.begin(self)

    async def _mend(self) -> None:
        self.front.requests_left, self.front.is_dead = None, False
        self.backroom.lives_again()
        for n, life in enumerate(self.lives):
            life.mortality.requests_left = None
            if life.mortality.is_dead:
                await self._bury(n)

    async def _drain(self) -> None:
        """Without faults every call comes to its end. A day on which a law was broken has shown what it can."""
        end_ms = self.timeline.now_ms + DRAINED_WITHIN_MS
        self._look_every_ms = DRAINING_LOOK_EVERY_MS
        while self._is_anyone_left and not self.auditor.breaches and self.timeline.now_ms < end_ms:
            await self._until(MINUTE_MS)
        await self._until(2 * MINUTE_MS)

    @property
    def _is_anyone_left(self) -> bool:
        return bool(self.auditor.under_way) or any(not each.done() for each in self._callers)

    # What is left of it

    async def records(self) -> dict[str, list[dict[str, Any]]]:
        """Calls, tickets, links and events as they are in SQL once the scribe and the workers are done."""
        await self.backroom.finishes()
        found = {}
        async with self.runtime.database.read() as connection:
            for name in ("calls", "tickets", "events", "links"):
                table = metadata.tables[name]
                rows = (await connection.execute(select(table))).mappings()
                found[name] = sorted((dict(row) for row in rows), key=str)
        return found

    # What must hold

    def _nobody_is_idle_in_vain(self) -> None:
        for call_id, agent_id in self.auditor.idle_pairs(self.runtime.clock.now_ms()):
            self._breach("nobody waits while somebody is ready for him", f"{call_id} {agent_id}")

    def _breach(self, law: str, subject: str) -> None:
        self.auditor.breaches.append(Breach(law, subject, self._last_id))

    async def _nothing_is_left(self) -> None:
        """The house is empty: no phone rings, no effect is due, nobody is held for anything."""
        for leg_id, line in self.company.lines.items():
            if not line.is_over:
                self._breach("no phone is left ringing or lifted", leg_id)
        for effect_id in await self.runtime.redis.zrange(f"{self._tag}:due", 0, -1):
            self._breach("every effect is performed or given up", effect_id)
        for agent_id, presence in self.auditor.presence.items():
            if presence not in ("ready", "away"):
                self._breach("nobody is held for a call that is over", f"{agent_id} {presence}")

    async def _same_account(self) -> None:
        """The auditor's account and the live store's are one."""
        redis, tag, auditor = self.runtime.redis, self._tag, self.auditor
        async with redis.pipeline(transaction=True) as pipe:
            pipe.zrange(f"{tag}:live", 0, -1)
            pipe.zrange(f"{tag}:ready", 0, -1)
            pipe.hkeys(f"{tag}:lanes")
            live, ready, lanes = await pipe.execute()
            for lane_id in lanes:
                pipe.zrange(f"{tag}:lane:{lane_id}", 0, -1)
            members = [member for each in (await pipe.execute() if lanes else []) for member in each]
        found = {
            "under way": sorted(live),
            "waiting": sorted(member.partition(":")[2] for member in members),
            "ready": sorted(ready),
        }
        expected = auditor.account()
        if found != expected:
            self._breach("every call is in one place", f"{found} {expected}")


@asynccontextmanager
async def open_day(runtime: Runtime, course: Course) -> AsyncIterator[Day]:
    """The house, the provider and the timeline of one day, on the stores of this runtime."""
    await runtime.redis.flushdb()
    # Each day's first use of a script is its first on this server: that is a request more.
    await runtime.redis.script_flush()
    clock = ShiftedClock()
    timeline = Timeline(clock, Random(f"order {course.seed}"), is_in_turn=course.is_in_turn)
    company = Company(
        clock=clock,
        timeline=timeline,
        faults=Faults(Random(f"faults {course.seed}")),
        is_doubled=course.is_doubled,
        answers=answering,
        seed=course.seed,
    )
    own = replace(
        runtime,
        clock=clock,
        telephony=company,
        site_files=words_of(runtime.site_files, course.seed),
        kept={},
        shelf=Shelf(),
    )
    front = Mortality(timeline)
    app = build(replace(mortal(own, front), telephony=company))
    company.client = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url=own.settings.public_base_url
    )
    await furnish(own)
    board = Switchboard(mortal(own, Mortality(timeline)))
    day = Day(own, course, timeline, company, front, DayAuditor(plan_of(own)), board)
    with ExitStack() as patched:
        patched.enter_context(patch.object(room, "LEASE_S", LEASE_S))
        for limit in REAL_LIMITS:
            patched.enter_context(patch.object(*limit, NEVER_S))
        try:
            yield day
        finally:
            await timeline.end()
            await company.client.aclose()


async def furnish(runtime: Runtime) -> None:
    """Customers, agents, and one of each who may not meet."""
    await import_customers(runtime, CUSTOMERS)
    agents = [
        Agent(agent_id=f"agent{n}", name=f"agent{n}", skills=skills, endpoint=f"client:agent{n}")
        for n, skills in enumerate(SHIFTS)
    ]
    await save_agents(runtime, agents)
    word = await add_never_route(runtime, customer_id="C4", agent_id="agent0", reason="a day", by="chief")
    assert word == "ok", word


def mortal(runtime: Runtime, mortality: Mortality) -> Runtime:
    """The house as one process sees it: whatever it asks of others takes its turn, and may be the last it asks."""
    return replace(
        runtime,
        redis=MortalStore(runtime.redis, mortality),
        telephony=MortalTelephony(runtime.telephony, mortality),  # type: ignore[arg-type]
        database=TimelyDatabase(runtime.database, mortality),  # type: ignore[arg-type]
        jobs=TimelyJobs(runtime.jobs, mortality),  # type: ignore[arg-type]
    )
