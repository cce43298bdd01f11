"""How long people waited, the answered and the abandoned apart, and how long they were ready to; drawn and as CSV."""

from collections.abc import Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import require
from config.web.sheets import csv_answer
from queues.domain import distribution, waits
from queues.domain.distribution import Range
from queues.domain.targets import Target
from queues.service import exploring
from queues.service.figures import CARDS, Totals, figures_of
from queues.web import pictures
from queues.web.figures_asked import Found, address, waited_words
from queues.web.figures_frame import ROLES, csv_address, framed, read
from queues.web.figures_values import text_of
from queues.web.floor import floor_of, words_of
from queues.web.times import face
from queues.web.words import Words

View = dict[str, Any]
KINDS: Final = {"A": "answered_waits", "B": "abandoned_waits"}
CARDS_OF: Final = {
    "A": ("wait_p50", "wait_p80", "wait_p95"),
    "B": ("gave_up_p50", "gave_up_p80", "gave_up_p95"),
}
CSV_COLUMNS: Final = ("waited", "answered", "gave_up", "elsewhere", "at_risk", "still")


def routes() -> list[BaseRoute]:
    return [
        Route("/figures/waits", show_waits, methods=["GET"]),
        Route("/figures/waits.csv", export_waits, methods=["GET"]),
    ]


@require(*ROLES)
async def show_waits(request: Request) -> Response:
    floor, words = floor_of(request), words_of(request)
    found, report = await read(request, floor, words)
    totals, target = report.totals, exploring.only_target(floor.plan, report)
    ranges = distribution.ranges(_counted(totals, name) for name in KINDS.values())
    return await framed(
        request,
        "figures_waits.html",
        "waits",
        found,
        totals,
        pictures=[_picture(symbol, totals, ranges, target, found, words) for symbol in KINDS],
        patience=_patience(totals, ranges, words),
        target=words.t("figures.target", share=target.share, seconds=target.within_s, short=target.short_s)
        if target
        else words.t("figures.targets_differ"),
        csv_href=csv_address("waits", found),
    )


@require(*ROLES)
async def export_waits(request: Request) -> Response:
    """One row a second that anybody waited; at risk: waited at least so long; still: the share ready to wait longer."""
    floor, words = floor_of(request), words_of(request)
    found, report = await read(request, floor, words)
    totals = report.totals
    counted = [_counted(totals, name) for name in (*KINDS.values(), "other_waits")]
    at_risk, steps = sum(waits.count(each) for each in counted), totals.steps()
    rows = list[list[str | float | None]]()
    for at_s in sorted({*counted[0], *counted[1], *counted[2]}):
        own = [each.get(at_s, 0) for each in counted]
        rows.append([at_s, *own, at_risk, round(distribution.after(steps, at_s) * 100, 2)])
        at_risk -= sum(own)
    return csv_answer(
        f"waits-{found.first}-{found.last}",
        [words.t(f"figures.csv.{name}") for name in CSV_COLUMNS],
        rows,
        status_code=422 if found.error else 200,
    )


def _counted(totals: Totals, name: str) -> waits.Waits:
    return totals.counts.waits.get(name, waits.NONE)


def _picture(
    symbol: str,
    totals: Totals,
    ranges: Sequence[Range],
    target: Target | None,
    found: Found,
    words: Words,
) -> View:
    counted = _counted(totals, KINDS[symbol])
    counts = [each.count(counted) for each in ranges]
    drawn = pictures.bars(counts, ["0", *(str(each.most_s) for each in ranges if each.most_s is not None)])
    bars = [
        {
            **place,
            "count": f"{count:,}",
            "word": waited_words(each, words),
            "is_late": target is not None and each.least_s > target.within_s,
            "href": address("/calls", found, of=symbol, waited=_waited(each)) if count else "",
        }
        for place, each, count in zip(drawn["bars"], ranges, counts, strict=True)
    ]
    told = figures_of(totals, [CARDS[name] for name in CARDS_OF[symbol]])
    return {
        **drawn,
        "id": symbol,
        "title": words.t(f"figures.waits.{symbol}"),
        "count": waits.count(counted),
        "bars": bars,
        "limit": _limit(ranges, target),
        "told": [
            {"name": words.t(f"figures.card.{name}.name"), "text": text_of(each)}
            for name, each in told.items()
        ],
    }


def _waited(each: Range) -> str:
    return f"{each.least_s}-{'' if each.most_s is None else each.most_s}"


def _limit(ranges: Sequence[Range], target: Target | None) -> View | None:
    """Where the time of the target ends, if that is in the picture."""
    length_s = ranges[0].most_s if ranges else None
    if target is None or not length_s:
        return None
    place = target.within_s / length_s / len(ranges)
    if target.within_s > length_s * (len(ranges) - 1):
        return None
    return {"x": pictures.mark_at(place), "word": f"{target.within_s} s"}


def _patience(totals: Totals, ranges: Sequence[Range], words: Words) -> View | None:
    """None where nobody gave up."""
    steps = totals.steps()
    closed = [each.most_s for each in ranges if each.most_s is not None]
    if not steps or not closed:
        return None
    median = figures_of(totals, [CARDS["patience"]])["patience"]
    edges = [(0, "0"), *((at_s, str(at_s)) for at_s in closed)]
    others = waits.total([_counted(totals, "answered_waits"), _counted(totals, "other_waits")])
    gave_up = _counted(totals, "abandoned_waits")
    return {
        **pictures.falling(steps, closed[-1], edges),
        "words": words.t("figures.card.patience.words"),
        "median": words.t("figures.waits.median", at=text_of(median))
        if median.value is not None
        else words.t("figures.waits.no_median"),
        "median_x": pictures.mark_at(float(median.value) / closed[-1])
        if median.value is not None and median.value <= closed[-1]
        else None,
        "rows": [
            {
                "at": face(at_s * 1000),
                "share": f"{distribution.after(steps, at_s) * 100:.1f}%",
                "gave_up": f"{waits.within(gave_up, at_s):,}",
                "others": f"{waits.within(others, at_s):,}",
            }
            for at_s in closed
        ],
    }
