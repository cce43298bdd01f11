"""Where in time the calls of a set lie, told by the intervals: so a list of few calls among millions is a few looks.

The newest months that have any, of these the days, of these the quarters of an hour, until there are enough of them for
a page. What has just changed and is not added up yet counts as perhaps. Nothing is decided here: a list still looks at
each call, only not at those of quarters that have none.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from queues.domain.periods import QUARTER_MS, Grain, Piece, following, start_of
from queues.store import intervals

NOTED_MAX: Final = 200
SPANS_MAX: Final = 100  # each is a search of its own in one question; SQLite takes 500


class Span(NamedTuple):
    from_ms: int
    until_ms: int

    def holds(self, other: "Span") -> bool:
        return self.from_ms <= other.from_ms and other.until_ms <= self.until_ms

    def within(self, other: "Span") -> "Span":
        return Span(max(self.from_ms, other.from_ms), min(self.until_ms, other.until_ms))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """The newest `wanted` calls of a set within `span`, of these queues, tier and line; empty does not narrow."""

    site: str
    zone: str
    symbol: str
    span: Span
    sure_until_ms: int  # of those from here on some are on the page before
    wanted: int
    now_ms: int
    queues: Collection[str] = ()
    tier: str = ""
    line: str = ""


async def spans_of(connection: AsyncConnection, sought: Sought) -> tuple[Span, ...] | None:
    """The oldest first, without overlap; no call of the set that is wanted lies outside. None: that is not known."""
    if not intervals.is_counted(sought.symbol):
        return None
    noted = await intervals.pending(connection, sought.site, NOTED_MAX)
    if len(noted) == NOTED_MAX:
        return None
    perhaps = [Span(cell.start_ms, cell.start_ms + QUARTER_MS) for change in noted for cell in change.cells]
    found = [sought.span]
    for grain in (Grain.MONTH, Grain.DAY, Grain.QUARTER):
        found = await _finer(connection, sought, grain, found)
    perhaps.append(Span(sought.now_ms - QUARTER_MS, sought.span.until_ms))
    clipped = (each.within(sought.span) for each in (*found, *perhaps))
    return fewer(joined(each for each in clipped if each.from_ms < each.until_ms), SPANS_MAX)


async def _finer(
    connection: AsyncConnection, sought: Sought, grain: Grain, spans: Sequence[Span]
) -> list[Span]:
    """Of these spans the months, days or quarters with calls of the set, the newest first, as many as are needed."""
    pieces = [Piece(grain, start_of(grain, each.from_ms, sought.zone), each.until_ms) for each in spans]
    if not pieces:
        return []
    counted = await intervals.counted(
        connection, sought.site, pieces, sought.symbol,
        queues=sought.queues, tier=sought.tier, line=sought.line,
    )  # fmt: skip
    found, many = list[Span](), 0
    for start_ms, number in counted:
        span = Span(start_ms, following(grain, start_ms, sought.zone))
        found.append(span)
        # What lies in the period in part may have its calls in the other part.
        many += number if Span(sought.span.from_ms, sought.sure_until_ms).holds(span) else 0
        if many >= sought.wanted:
            break
    return found


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.from_ms <= found[-1].until_ms:
            found[-1] = Span(found[-1].from_ms, max(found[-1].until_ms, span.until_ms))
        else:
            found.append(span)
    return tuple(found)


def fewer(spans: Sequence[Span], many: int) -> tuple[Span, ...]:
    """At most so many, which hold them all: over the narrowest gaps they are looked through as one."""
    if len(spans) <= many:
        return tuple(spans)
    by_gap = sorted(range(1, len(spans)), key=lambda at: spans[at].from_ms - spans[at - 1].until_ms)
    cuts = (0, *sorted(by_gap[len(by_gap) - (many - 1) :]), len(spans))
    return tuple(Span(spans[first].from_ms, spans[end - 1].until_ms) for first, end in pairwise(cuts))
