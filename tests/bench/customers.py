"""`python -m tests.bench.customers --count 1000000`: a register of that size, imported and found again.

It writes a table of invented customers, imports it through the product's own service into SQLite and the embedded
live store, says how fast that was and what the index weighs, and counts the commands of an arrival. It stops at its
time limit, and what it made is gone afterwards.
"""

import argparse
import asyncio
import csv
import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from config import numbers
from queues.domain.customers import read_entry
from queues.service import customers as files
from queues.service.imports import Options, Outcome, import_table
from queues.store.customer_index import index_keys, stamp_key
from tests.bench.house import House, furnished

HEADINGS = ("account_no", "name", "phones", "contacts", "area", "language")
DECLARED = ("customer_kind", "address", "capacity_kva", "annual_kwh", "high_risk", "special_care")
AREAS = ("city", "suburb", "rural")
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英"
FIRST = 13_000_000_000
LIMIT_S = 900.0
ARRIVALS = 200


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.customers", description=__doc__)
    parser.add_argument("--count", type=int, default=200_000, metavar="N", help="how many customers (200000)")
    parser.add_argument("--twice", action="store_true", help="import it again with one row in 100 changed")
    chosen = parser.parse_args()
    print("\n".join(asyncio.run(measure(chosen.count, is_twice=chosen.twice))))
    return 0


async def measure(count: int, *, is_twice: bool) -> list[str]:
    """The figures, in words. Told to stop, it stops, and leaves nothing behind either."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with asyncio.timeout(LIMIT_S), furnished() as house:
        path = house.folder / "register.csv"
        say(f"writing {count:,} rows")
        write_register(path, count)
        say("importing")
        first = await taken(house, path)
        found = [*rate("import", *first), await weight(house, count), await arrivals(house, count)]
        found.append(await searching(house, count))
        if is_twice:
            say("importing again, one row in a hundred changed")
            write_register(path, count, changed=100)
            found += rate("again", *await taken(house, path))
        return found


def say(step: str) -> None:
    print(f"{step} ...", file=sys.stderr, flush=True)


def write_register(path: Path, count: int, changed: int = 0) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow((*HEADINGS, *DECLARED))
        out.writerows(register(count, changed))


def register(count: int, changed: int) -> Iterator[tuple[object, ...]]:
    """The same rows each time; with `changed`, one in so many has used more energy. One in 50 shares a number, one in
    20 is a business with a contact person."""
    rng = random.Random(7)
    for index in range(count):
        is_business = rng.random() < 0.05
        number = FIRST + (index - 1 if index % 50 == 49 else index)
        person = f"{rng.choice(SURNAMES)}{rng.choice(GIVEN)}{rng.choice(GIVEN)}"
        used = rng.randrange(1_000, 9_000) * (300 if is_business else 1)
        yield (
            f"{33_000_000 + index:010d}",
            f"{person}电器商行" if is_business else person,
            number,
            f"{person} | 经理 | 0571-{20_000_000 + index} | notices" if is_business else "",
            AREAS[index % len(AREAS)],
            "zh" if index % 200 else "en",
            "non_residential" if is_business else "residential",
            f"滨江路{index}号",
            rng.choice((315, 630, 2500)) if is_business else 8,
            used + 1 if changed and index % changed == 0 else used,
            "yes" if index % 5_000 == 0 else "no",
            "yes" if index % 80 == 0 else "",
        )


async def taken(house: House, path: Path) -> tuple[Outcome, float]:
    def told(step: str, done: float) -> None:
        print(f"\r{step} {done:3.0f} %", end="", file=sys.stderr, flush=True)

    began = process_time()
    outcome = await import_table(house.runtime, path, Options(), told=told)
    print("\r", end="", file=sys.stderr, flush=True)
    return outcome, process_time() - began


def rate(name: str, outcome: Outcome, busy_s: float) -> list[str]:
    took_s = sum(outcome.took_s.values())
    parts = ", ".join(f"{step} {for_s:.1f} s" for step, for_s in outcome.took_s.items())
    counts = outcome.counts
    return [
        f"{name}: {outcome.rows:,} rows in {took_s:.1f} s, {outcome.rows / took_s:,.0f} a second ({parts})",
        f"  {busy_s:.1f} s of them at work, the rest waiting for a processor or a store",
        f"  {counts.opened:,} new, {counts.changed:,} changed, {counts.unchanged:,} as they were",
    ]


async def weight(house: House, count: int) -> str:
    """MEMORY USAGE of each key of the index, by samples of a thousand entries."""
    redis: Any = house.runtime.redis
    lines, whole = [], 0
    for key in (*index_keys(house.plan.site), stamp_key(house.plan.site)):
        used = await redis.memory_usage(key, samples=1_000)
        held = await redis.hlen(key) if key != stamp_key(house.plan.site) else 1
        whole += used
        lines.append(f"  {key}: {held:,} entries, {used / 1e6:,.1f} MB, {used / max(held, 1):.0f} bytes each")
    info = await redis.info("memory")
    head = f"index: {whole / 1e6:,.1f} MB, {whole / count:.0f} bytes a customer"
    return "\n".join([head, *lines, f"  the whole live store: {info['used_memory'] / 1e6:,.1f} MB"])


async def arrivals(house: House, count: int) -> str:
    """So many callers of the register; what the live store is asked for each, and how long it takes."""
    secret, redis = house.runtime.settings.secret_key, house.runtime.redis
    rng = random.Random(11)
    asked = known = 0
    async with redis.monitor() as monitor:
        # The first of all greets the server and gives it the script.
        await house.board.arrive(call_id="CA", line="main", caller_ref="r", number="", number_key="r")
        await redis.echo("begin")
        while (await monitor.next_command())["command"] != "ECHO begin":
            pass
        began = perf_counter()
        for index in range(ARRIVALS):
            number = f"+86{FIRST + rng.randrange(count // 50) * 50}"
            key = numbers.number_key(secret, number)
            reply = await house.board.arrive(
                call_id=f"CA{index}", line="main", caller_ref=key, number=number, number_key=key
            )
            known += bool(reply.call and reply.call.is_known)
        took_s = perf_counter() - began
        await redis.echo("done")
        while (heard := await monitor.next_command())["command"] != "ECHO done":
            asked += heard["client_type"] != "lua"
    owners = read_entry(str(await redis.hget(index_keys(house.plan.site)[0], key)))  # type: ignore[misc]
    return (
        f"arrival: {asked / ARRIVALS:g} command each, {took_s / ARRIVALS * 1000:.2f} ms; "
        f"{known} of {ARRIVALS} known, the last in {len(owners)} file(s)"
    )


async def searching(house: House, count: int) -> str:
    parts = []
    for what, text in (
        ("name", f"{SURNAMES[0]}{GIVEN[0]}{GIVEN[1]}电"),
        ("number", f"{FIRST + count // 2}"),
        ("account", f"{33_000_000 + count // 2:010d}"),
    ):
        began = perf_counter()
        found = await files.search(house.runtime, text)
        parts.append(f"by {what} {(perf_counter() - began) * 1000:.0f} ms ({len(found)})")
    return f"search: {', '.join(parts)}"


if __name__ == "__main__":
    raise SystemExit(main())
