"""Pictures of waits, drawn on the server as SVG: bars that lead to their calls, and a curve that falls in steps.

Here is only where each thing stands, in units of the picture (`WIDTH` by `HEIGHT`); how it looks is the style sheet's.
"""

from collections.abc import Sequence
from typing import Any, Final

from queues.domain.waits import Step

View = dict[str, Any]
WIDTH: Final = 720
HEIGHT: Final = 240
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 14, 34
_STEPS: Final = (1, 2, 5)
_GRID_MAX: Final = 5
_WORDS_MAX: Final = 12


def bars(counts: Sequence[int], edges: Sequence[str]) -> View:
    """One bar a count; `edges` stand below, the first at the left end, one more than there are bars closed."""
    most = max(counts, default=0) or 1
    ticks = _ticks(most)
    most = max(most, ticks[-1])
    width = (WIDTH - LEFT - RIGHT) / max(1, len(counts))
    found = [
        {
            "x": round(LEFT + number * width + 1, 1),
            "y": _y(count / most),
            "width": round(width - 2, 1),
            "height": round(_y(0) - _y(count / most), 1),
            "middle": round(LEFT + (number + 0.5) * width, 1),
        }
        for number, count in enumerate(counts)
    ]
    every = -(-len(edges) // _WORDS_MAX)
    below = [
        {"x": round(LEFT + number * width, 1), "word": word}
        for number, word in enumerate(edges)
        if number % every == 0
    ]
    return {"bars": found, "below": below, **_frame([(tick / most, f"{tick:,}") for tick in ticks])}


def mark_at(share_of_width: float) -> float:
    """Where a vertical line stands; 0 is the left end."""
    return round(LEFT + share_of_width * (WIDTH - LEFT - RIGHT), 1)


def falling(steps: Sequence[Step], until_s: int, edges: Sequence[tuple[int, str]]) -> View:
    """Shares from 100 % downwards, level until the next step."""
    points = [f"M{_x(0, until_s)} {_y(1)}"]
    for step in steps:
        if step.at_s > until_s:
            break
        points.append(f"H{_x(step.at_s, until_s)}V{_y(step.share)}")
    points.append(f"H{_x(until_s, until_s)}")
    below = [{"x": _x(at_s, until_s), "word": word} for at_s, word in edges[:: -(-len(edges) // _WORDS_MAX)]]
    ticks = [(part / 4, f"{part * 25} %") for part in range(5)]
    return {"path": "".join(points), "below": below, **_frame(ticks)}


def _frame(ticks: Sequence[tuple[float, str]]) -> View:
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "floor": _y(0),
        "ceiling": _y(1),
        "grid": [{"y": _y(share), "word": word} for share, word in ticks],
    }


def _x(at_s: int, until_s: int) -> float:
    return mark_at(min(1.0, at_s / max(1, until_s)))


def _y(share: float) -> float:
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _ticks(most: int) -> list[int]:
    """Round numbers from 0 to at least the largest count, few of them."""
    step, power = 1, 1
    while -(-most // step) > _GRID_MAX:
        step = next((each * power for each in _STEPS if each * power > step), 0)
        if not step:
            power *= 10
            step = power
    return list(range(0, -(-most // step) * step + 1, step))
