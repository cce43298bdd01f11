"""`python -m tests.bench [NAME ...]`: runs the benches, prints a table, writes bench.json where it was started.

It is a measurement and not a gate: a floor that is not met is said and explained, and the exit code is 0. Only a
bench that cannot be run to its end is a failure.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.bench import claim, day, decision_lanes, decision_size, ring, scribe, ticket, voice_hop
from tests.bench.rounds import Bench, Findings, Pace, Size

BENCHES = (
    each.BENCH for each in (voice_hop, decision_size, decision_lanes, claim, scribe, ticket, ring, day)
)
BY_NAME = {bench.name: bench for bench in BENCHES}
REPORT = "bench.json"
ROUNDS = {Size.FULL: 5, Size.QUICK: 3, Size.TRIAL: 1}
HEADINGS = ("bench", "ratio", "floor", "met", "ours", "floor's", "unit", "spread")


def main(words: Sequence[str] | None = None) -> int:
    chosen = _arguments(words)
    pace = Pace(rounds=chosen.rounds or ROUNDS[chosen.size], size=chosen.size)
    names = chosen.names or list(BY_NAME)
    rows = [row for name in names if (row := measure(BY_NAME[name], pace))]
    print("\n".join(table(rows)))
    Path(REPORT).write_text(json.dumps(report(pace, rows), ensure_ascii=False, indent=2) + "\n", "utf-8")
    return 0 if len(rows) == len(names) else 1


def measure(bench: Bench, pace: Pace) -> dict[str, Any] | None:
    """One row; none when the bench itself broke, which does not cost the others theirs."""
    print(f"{bench.name} ...", end="", file=sys.stderr, flush=True)
    began = perf_counter()
    try:
        row = row_of(bench, asyncio.run(bench.run(pace)))
    except Exception:
        print(" broke", file=sys.stderr, flush=True)
        traceback.print_exc()
        return None
    print(f" {perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    return row


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Ratios within one run.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(BY_NAME)}; all if none is given"
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="5, 3 with --quick, 1 with --trial")
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument(
        "--quick",
        dest="size",
        action="store_const",
        const=Size.QUICK,
        default=Size.FULL,
        help="shorter rounds, for a look and not for a figure",
    )
    sizes.add_argument(
        "--trial",
        dest="size",
        action="store_const",
        const=Size.TRIAL,
        help="as little as there can be of everything: only to see that each bench runs",
    )
    chosen = parser.parse_args(words)
    if unknown := [name for name in chosen.names if name not in BY_NAME]:
        parser.error(f"there is no bench named {', '.join(unknown)}")
    if chosen.rounds is not None and chosen.rounds < 1:
        parser.error("--rounds is at least 1")
    return chosen


def row_of(bench: Bench, found: Findings) -> dict[str, Any]:
    low, high = found.spread
    return {
        "name": bench.name,
        "what": bench.what,
        "ratio": _short(found.ratio),
        "floor": bench.limit.value,
        "is_least": bench.limit.is_least,
        "met": bench.limit.is_met(found.ratio),
        "ours": _short(found.ours),
        "floor_reading": _short(found.floor),
        "unit": bench.unit,
        "spread": [_short(low), _short(high)],
        "note": found.note,
    }


def report(pace: Pace, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "rounds": pace.rounds,
        "size": pace.size,
        "python": platform.python_version(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "benches": rows,
    }


def table(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Plain text; under a row whose floor is not met, why."""
    cells = [(row, _cells(row)) for row in rows]
    widths = [
        max(len(line[n]) for line in (HEADINGS, *(each for _, each in cells))) for n in range(len(HEADINGS))
    ]
    lines = [_line(HEADINGS, widths)]
    for row, texts in cells:
        lines.append(_line(texts, widths))
        if not row["met"]:
            lines.append(f"    {row['note']}")
    return lines


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    low, high = row["spread"]
    limit = f"{'>=' if row['is_least'] else '<='} {row['floor']:,g}"
    numbers = (f"{row['ours']:,g}", f"{row['floor_reading']:,g}")
    met = "yes" if row["met"] else "no"
    return (row["name"], f"{row['ratio']:,g}", limit, met, *numbers, row["unit"], f"{low:,g} to {high:,g}")


def _line(texts: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True)).rstrip()


def _short(value: float) -> float:
    """Three figures are more than a busy machine can promise."""
    return float(f"{value:.3g}")


if __name__ == "__main__":
    sys.exit(main())
