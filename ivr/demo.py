"""`make demo`: the whole hotline on one machine. It alone starts both us and the stand-in.

The product runs as it would for an operator: `shouwen up`'s own launcher with its real processes. The stand-in is
a process of its own that knows us by HTTP. When the traffic is over and the house is empty, the report holds what
callers and provider say happened against what our books say.
"""

import asyncio
import contextlib
import json
import random
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientError

from config.log import configure_log
from config.runtime import open_runtime
from config.site_files import SiteFilesError, read
from ivr import demo_cast, demo_errands
from ivr.calllogs import CallLogError, days_of, read_calls
from ivr.demo_house import House, answers, ask, furnish, standin_process, tell
from ivr.demo_plan import DemoPlan, read_plan
from ivr.demo_report import Books, close_books, house_is_quiet, summary
from ivr.demo_seed import seed_house
from ivr.domain.menus import load_menu
from ivr.domain.nodes import Menu, TransferNode
from ivr.launcher import Launcher
from ivr.standin import arrivals
from ivr.standin.scenario import Customer as Dialler
from ivr.web.twiml import fallback_document
from queues.domain.customers import Customer
from queues.domain.faults import SiteFaults
from queues.domain.plan import Plan, load_plan

DRAIN_WITHIN_S = 150.0
SHOUWEN = Path(sys.executable).with_name("shouwen")
RUSH_OVER = 5  # so many more than agents come at once, at first
FAULTS: Mapping[str, float] = {
    "callback_doubled": 0.10, "callback_delayed": 0.10, "callback_swapped": 0.05, "callback_lost": 0.05,
    "control_doubled": 0.05, "rest_429": 0.03, "rest_503": 0.02, "rest_500": 0.01, "rest_500_after": 0.01,
    "recording_late": 0.10, "recording_absent": 0.03,
}  # fmt: skip
HABITS: Mapping[str, Any] = {
    "answers_after_ms": 3000,
    "miss_share": 0.03,
    "decline_share": 0.02,
    "wrap_up_ms": 12_000,
    "hold_share": 0.12,
    "consult_share": 0.15,
    "transfer_share": 0.12,
    "pass_share": 0.10,
    "acts_after_ms": 15_000,
    "hold_ms": 12_000,
}


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Everybody who takes part, and what they will do."""

    customers: tuple[Customer, ...]
    seats: tuple[demo_cast.Seat, ...]
    people: Mapping[str, Any]
    real_s: float | None  # how long traffic lasts; None: until stopped


async def main(words: Sequence[str]) -> int:
    """Run one demo; 0 when it did what was asked and, headless, when the laws held."""
    plan = read_plan(words)
    folder = (plan.keep or Path(tempfile.mkdtemp(prefix="shouwen-demo-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    try:
        return await play(plan, folder, stopped)
    except (RuntimeError, OSError, CallLogError, SiteFilesError, SiteFaults) as fault:
        print(f"The demo could not go on: {fault}", file=sys.stderr)
        show_logs(folder / "logs")
        return 1
    finally:
        if plan.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


async def play(plan: DemoPlan, folder: Path, stopped: asyncio.Event) -> int:
    """Build the house, let people in, and when they have gone close the books."""
    files = read(plan.folder)
    site = load_plan(files)
    menu = load_menu(files, site)
    house = furnish(plan, site, folder)
    configure_log("warning", "console")
    cast = people(plan, site, menu, house, random.Random(plan.seed))  # noqa: S311  a seeded day, not a secret
    print(f"Setting up in {folder} (seed {plan.seed}) ...", flush=True)
    launcher = Launcher(house.settings, house.environ, logs=house.logs)
    try:
        await launcher.start()
        await answers(f"{house.pages_url}/health/live")
        async with open_runtime(house.settings) as runtime:
            await seed_house(runtime, cast.customers, cast.seats, house.password)
        async with standin_process(house, standin_configuration(plan, house, cast)):
            introduce(plan, house, cast)
            killer = asyncio.create_task(kill_each(plan, launcher, cast.real_s))
            await until_over(plan, house, cast, stopped)
            killer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await killer
            if plan.is_headless:
                return await report(plan, site, house, stopped)
            with contextlib.suppress(ClientError, TimeoutError):  # it may be stopped by the same key
                print(summary(await ask(f"{house.provider_url}/standin/tally")), flush=True)
            return 0
    finally:
        await launcher.stop()


def people(plan: DemoPlan, site: Plan, menu: Menu, house: House, rng: random.Random) -> Cast:
    """Customers, seats and calls: replayed from a log, or drawn from the seed."""
    free_seats = 0 if plan.is_headless else 1
    seats = demo_cast.cast_seats(
        site, plan.agents + free_seats, rng, one_pool=plan.calls is not None, for_people=free_seats
    )
    customers = demo_cast.cast_customers(site, 400, rng, [seat.agent_id for seat in seats])
    diallers = tuple(
        Dialler(name=one.name, number=one.numbers[0], tier=one.tier, tier_name=site.tiers[one.tier].name)
        for one in customers
    )
    staged: dict[str, Any] = {
        "seed": plan.seed,
        "desk_url": house.pages_url,
        "lines": dict(house.numbers),
        "line_names": {name: line.name for name, line in site.lines.items()},
        "customers": [one.model_dump() for one in diallers],
        "outsiders": [{"number": node.to} for node in menu.nodes.values() if isinstance(node, TransferNode)],
        "agents": [
            {"name": seat.login, "password": house.password, "identity": seat.agent_id, "habits": HABITS}
            for seat in seats
            if seat.is_played
        ],
        "starts_at_ms": None,
    }
    hotline = demo_errands.Hotline(
        plan=site,
        menu=menu,
        now_ms=house.settings.clock.now_ms(),
        accounts=demo_errands.some_accounts(customers, rng),
    )
    traffic, length_ms = calls_of(plan, house, hotline, customers, diallers, rng)
    staged.update(traffic)
    return Cast(
        customers=customers,
        seats=seats,
        people=staged,
        real_s=None if length_ms is None else length_ms / 1000 / plan.speed,
    )


def calls_of(
    plan: DemoPlan,
    house: House,
    hotline: demo_errands.Hotline,
    customers: Sequence[Customer],
    diallers: Sequence[Dialler],
    rng: random.Random,
) -> tuple[dict[str, Any], int | None]:
    """The scenario's traffic and its length in product milliseconds."""
    limit_ms = None if plan.for_s is None else int(plan.for_s * 1000 * plan.speed)
    if plan.calls is None and not plan.calls_per_hour:
        return {}, limit_ms
    if plan.calls is None:
        profile = {
            "calls_per_day": plan.calls_per_hour * 24,
            "hourly": [1.0] * 24,
            "for_ms": limit_ms or 24 * 3_600_000,
            "errands": demo_errands.errands(hotline, customers, house.numbers),
        }
        rush = demo_errands.rush(hotline, diallers, house.numbers, plan.agents + RUSH_OVER, rng)
        until = {"until_ms": limit_ms} if limit_ms else {}
        return {"profile": profile, "calls": rush, **until}, limit_ms
    every = read_calls(plan.calls, hours=plan.hours)
    day = str(plan.day or next(iter(days_of(every)), ""))
    logged = [call for call in every if call.day == day]
    if not logged:
        raise RuntimeError(f"{plan.calls} has no calls on {day or 'any day'} in those hours")
    main_line, main_number = next(iter(house.numbers.items()))
    tables = demo_errands.replay_tables(hotline, customers, main_line)
    calls = arrivals.plan_calls(
        [asdict(one) for one in logged],
        customers=diallers,
        lines={"*": main_number},
        rng=rng,
        starts_at_ms_of_day=plan.hours.from_s * 1000 if plan.hours else None,
        tiers=tables.tiers,
        keys=tables.keys,
    )
    kept = [call for call in calls if limit_ms is None or call.at_ms < limit_ms]
    return {"calls": [call.model_dump(by_alias=True) for call in kept]}, kept[-1].at_ms if kept else 0


def standin_configuration(plan: DemoPlan, house: House, cast: Cast) -> dict[str, Any]:
    """The file the stand-in reads: the account, its numbers and bins, faults, and its people."""
    line = {
        "voice_url": f"{house.pages_url}/voice/incoming",
        "fallback_url": f"{house.provider_url}/bins/fallback",
        "status_url": f"{house.pages_url}/voice/status",
    }
    return {
        "account_sid": house.settings.twilio_account_sid,
        "auth_token": house.settings.twilio_auth_token,
        "clock": str(house.settings.clock),
        "public_url": house.provider_url,
        "numbers": dict.fromkeys(house.numbers.values(), line),
        "bins": {"fallback": fallback_document(house.pages_url, None)},
        "faults": dict(FAULTS) if plan.has_faults else {},
        "seed": plan.seed,
        "people": cast.people,
    }


def introduce(plan: DemoPlan, house: House, cast: Cast) -> None:
    """Where to look and how to get in."""
    yours = ", ".join(seat.login for seat in cast.seats if not seat.is_played)
    speed = f", {plan.speed:g}x speed" if plan.speed != 1 else ""
    print(
        f"""
Shouwen 首问 is up ({plan.folder.name}{speed}; {sum(seat.is_played for seat in cast.seats)} agents at work).

  phone page   {house.provider_url}/phone        dial in as a customer
  desk         {house.pages_url}/desk            {f"sign in as {yours}" if yours else "every seat is taken"}
  wallboard    {house.pages_url}/wall            sign in as supervisor
  calls        {house.pages_url}/calls           sign in as qa, supervisor or admin
  and more     {house.pages_url}/customers, /notices, /site, /tickets: sign in as supervisor

  password for all of them: {house.password}
  logs: {house.logs}

  in another terminal, shouwen on what this demo knows (CALL as in the address of the call's page):
  (set -a; . {shlex.quote(str(house.env_file))}; {shlex.quote(str(SHOUWEN))} explain CALL)
""",
        flush=True,
    )
    if not plan.is_headless:
        print("Ctrl-C stops everything.", flush=True)


async def until_over(plan: DemoPlan, house: House, cast: Cast, stopped: asyncio.Event) -> None:
    """Return when the traffic is over and every caller has hung up, or when somebody asks to stop."""
    patience_s = None if cast.real_s is None else cast.real_s + DRAIN_WITHIN_S + 3600 / plan.speed
    started = time.monotonic()
    while not stopped.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), 1)
        if cast.real_s is None:
            continue
        tally = await ask(f"{house.provider_url}/standin/tally")
        if tally["finished"]:
            return
        if patience_s is not None and time.monotonic() - started > patience_s:
            raise RuntimeError(f"callers are still on the line long after the last arrival: {tally}")


async def kill_each(plan: DemoPlan, launcher: Launcher, real_s: float | None) -> None:
    """Kill each named process once, spread over the middle of the run."""
    length_s = min(real_s if real_s is not None else 60.0, 600.0)
    for order, name in enumerate(plan.kill):
        await asyncio.sleep(length_s * (0.25 if order == 0 else 0.5 / len(plan.kill)))
        await launcher.kill(name)
        print(f"killed {name}", flush=True)


async def report(plan: DemoPlan, site: Plan, house: House, stopped: asyncio.Event) -> int:
    """Faults off, wait until the house is quiet, close the books, print the last line."""
    if plan.has_faults:
        await tell(f"{house.provider_url}/standin/faults", dict.fromkeys(FAULTS, 0.0))
    async with open_runtime(house.settings) as runtime:
        tries_s = site.callback.tries * site.callback.every_ms / 1000 / plan.speed
        deadline = time.monotonic() + DRAIN_WITHIN_S + tries_s
        while not await house_is_quiet(runtime) and time.monotonic() < deadline and not stopped.is_set():
            await asyncio.sleep(0.5)
        legs = await runtime.telephony.legs()
        books = await close_books(
            runtime,
            dialled=[leg.leg_id for leg in legs if leg.direction == "inbound"],
            agent_legs=sum(leg.direction != "inbound" and leg.to.startswith("client:") for leg in legs),
            notifications=await ask(f"{house.provider_url}/standin/notifications"),
            is_calm=not plan.kill and not plan.has_faults,
        )
    tally = await ask(f"{house.provider_url}/standin/tally")
    tell_books(books, tally)
    return 1 if books.faults or tally.get("application_errors") else 0


def tell_books(books: Books, tally: Mapping[str, Any]) -> None:
    """What callers say, what broke, and on the last line the figures."""
    told = {name: value for name, value in tally.items() if isinstance(value, int | bool)}
    print(f"callers say: {json.dumps(told)}", flush=True)
    for fault in books.faults:
        print(f"LAW BROKEN: {fault}", flush=True)
    if tally.get("application_errors"):
        print("LAW BROKEN: a caller heard the provider's application error", flush=True)
    print(json.dumps(dict(books.figures), ensure_ascii=False), flush=True)


def show_logs(folder: Path) -> None:
    """The last lines of each process, for whoever has to find out why."""
    for log in sorted(folder.glob("*.log")) if folder.is_dir() else ():
        lines = log.read_text("utf-8", errors="replace").splitlines()[-5:]
        print(f"--- {log.name}\n" + "\n".join(line[:400] for line in lines), file=sys.stderr)
