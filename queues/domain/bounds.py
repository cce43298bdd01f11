"""By how much one tier may pass another: the promise that `shouwen check` prints.

An ordinary caller o is passed only by callers v who arrive at most max(H_v - H_o, C_o - C_v) later, H being the
capped head start (tier and matter) and C the tier's ceiling. Exempt: safety, whom a supervisor raised, dedicated and
kept seats, and people of one's own.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from queues.domain.named import FIRST_CONTACT, LAST_AGENT, MANAGER
from queues.domain.plan import Plan


@dataclass(frozen=True, slots=True)
class Bound:
    """Callers of `ahead` who come at most `by_ms` after one of `behind` may be answered first."""

    ahead: str
    behind: str
    by_ms: int


def passing_bounds(plan: Plan) -> Iterator[Bound]:
    """Each ordered pair of tiers in which one may pass the other, widest over all matters."""
    matter_ms = [matter.head_start_ms for matter in plan.matters.values() if not matter.is_safety] or [0]
    cap_ms = plan.head_start_cap_ms
    for ahead in plan.tiers.values():
        most_ms = min(ahead.head_start_ms + max(matter_ms), cap_ms)
        for behind in plan.tiers.values():
            least_ms = min(behind.head_start_ms + min(matter_ms), cap_ms)
            by_ms = max(most_ms - least_ms, behind.ceiling_ms - ahead.ceiling_ms)
            if by_ms > 0:
                yield Bound(ahead.id, behind.id, by_ms)


@dataclass(frozen=True, slots=True)
class KeptSeats:
    """What a queue keeps for some tiers, and what that can cost the others."""

    queue: str
    tiers: tuple[str, ...]
    seats: int
    per: int | None
    up_to_ms: int


def kept_seats(plan: Plan) -> Iterator[KeptSeats]:
    """While so many seats stand idle, somebody else may wait up to so long whom they could have served."""
    for queue in plan.queues.values():
        if reserve := queue.reserve:
            yield KeptSeats(queue.id, reserve.tiers, reserve.seats, reserve.per, reserve.release_after_ms)


def outside_the_bounds(plan: Plan) -> Iterator[str]:
    """Who may be answered before somebody in spite of them, in words."""
    if matters := exempt(plan):
        yield f"a matter of safety: {', '.join(matters)}"
    yield "a call that a supervisor raised by hand"
    yield "whoever has an agent's seat that is dedicated to his tier"
    for kept in kept_seats(plan):
        yield f"{' and '.join(kept.tiers)} on the seats that {kept.queue} keeps for them"
    asked = [why for why in (MANAGER, FIRST_CONTACT, LAST_AGENT) if plan.affinity.rule(why)]
    if asked:
        yield f"whoever comes while another waits for people of his own: {', '.join(asked)}"


def exempt(plan: Plan) -> tuple[str, ...]:
    """The matters that go before every key, and are therefore outside the bounds."""
    return tuple(matter.id for matter in plan.matters.values() if matter.is_safety)
