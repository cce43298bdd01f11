"""The auditor finds what he is there to find: one broken law a journal, and one broken house a day."""

from collections.abc import Callable
from typing import Any

import pytest

from config.runtime import Runtime
from queues import dispatcher as room
from queues.domain import routing
from queues.domain.journal import Line
from queues.domain.lanes import Class, Rank
from queues.domain.plan import Plan
from queues.domain.routing import Round, Snapshot
from queues.service.effects import Performer
from queues.service.plans import plan_of
from tests.simulation.days.auditor import DayAuditor
from tests.simulation.days.day import Course, open_day

NOW_MS = 1_795_395_600_000
MINUTE_MS = 60_000
WHY = {"rule": "key", "is_front": False}


class Story:
    """A journal written by hand; every line a second after the one before."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def tell(self, type_: str, call_id: str = "", agent_id: str = "", **data: Any) -> "Story":
        at_ms = NOW_MS + 1_000 * len(self.lines)
        offer_id = f"{call_id}-1" if call_id and agent_id else ""
        self.lines.append(
            Line(
                id=f"{at_ms}-0", type=type_, at_ms=at_ms, call_id=call_id, agent_id=agent_id,
                offer_id=offer_id, data=data,
            )
        )  # fmt: skip
        return self

    def ready(self, agent_id: str, skills: str = "general,outage") -> "Story":
        self.tell("agent.signed_in", "", agent_id, skills=skills)
        return self.tell("agent.presence_changed", "", agent_id, presence="ready")

    def waits(
        self, call_id: str, tier: str = "residential", head_start_ms: int = 0, *,
        safety: bool = False, queued_ms: int | None = None, queue: str = "general",
    ) -> "Story":  # fmt: skip
        self.tell("call.arrived", call_id)
        return self.tell(
            "call.queued", call_id, queue=queue, tier=tier, head_start_ms=head_start_ms,
            lane=f"{queue}|{tier}|{queue}|{head_start_ms}|{int(safety)}",
            queued_ms=NOW_MS + 1_000 * len(self.lines) if queued_ms is None else queued_ms,
        )  # fmt: skip

    def offered(self, call_id: str, agent_id: str = "mei", **why: Any) -> "Story":
        return self.tell("call.offered", call_id, agent_id, why={**WHY, **why})


def laws(plan: Plan, story: Story, *, is_drained: bool = False) -> list[str]:
    auditor = DayAuditor(plan)
    auditor.hear_all(story.lines)
    return [breach.law for breach in auditor.close(is_drained=is_drained)]


@pytest.fixture
def plan(runtime: Runtime) -> Plan:
    return plan_of(runtime)


def two_waiting() -> Story:
    return Story().ready("mei").waits("CA1").waits("CA2")


BROKEN: dict[str, tuple[Story, str]] = {
    "younger_first": (two_waiting().offered("CA2"), "first come, first served: CA1"),
    "not_ready": (Story().waits("CA1").offered("CA1"), "only who is ready is rung"),
    "no_skill": (Story().ready("mei", "outage").waits("CA1").offered("CA1"), "he has the skills for it"),
    "too_early_for_overflow": (
        Story().ready("mei", "general").waits("CA1", queue="outage").offered("CA1"),
        "he has the skills for it",
    ),
    "safety_waits": (
        Story().ready("mei").waits("CA1", safety=True).waits("CA2").offered("CA2"),
        "safety goes first: CA1",
    ),
    "passed_by_too_much": (
        Story()
        .ready("mei")
        .waits("CA1", queued_ms=NOW_MS - 11 * MINUTE_MS)
        .waits("CA2", "key_customer", 5 * MINUTE_MS)
        .offered("CA2"),
        f"passed CA1 by {11 * MINUTE_MS + 5_000} > {5 * MINUTE_MS} ms",
    ),
    "two_calls": (
        two_waiting().offered("CA1").tell("agent.presence_changed", "", "mei", presence="ready").offered("CA2"),
        "one agent, one call: he has CA1",
    ),
    "place_lost": (
        two_waiting().offered("CA1").tell("offer.expired", "CA1", "mei").tell("call.requeued", "CA1", queued_ms=7),
        "a place once earned is kept",
    ),
    "ends_twice": (
        Story().waits("CA1").tell("call.ended", "CA1", outcome="abandoned").tell("call.ended", "CA1", outcome="x"),
        "call.ended does not follow over",
    ),
    "offer_ends_twice": (
        two_waiting().offered("CA1").tell("offer.expired", "CA1", "mei").tell("offer.declined", "CA1", "mei"),
        "an offer ends once: offer.declined",
    ),
    "served_while_gone": (
        Story().ready("mei").waits("CA1").tell("call.ended", "CA1", outcome="abandoned").offered("CA1"),
        "only who waits is offered",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_law_is_found_in_the_journal(plan: Plan, name: str) -> None:
    story, law = BROKEN[name]
    assert law in laws(plan, story)


def test_what_is_right_is_no_breach(plan: Plan) -> None:
    """Among others: safety passes everybody, a key customer by his head start, a skipped agent takes the next."""
    story = (
        Story()
        .ready("mei")
        .waits("CA1")
        .waits("CA2", "key_customer", 5 * MINUTE_MS)
        .waits("CA3", safety=True)
        .offered("CA3")
        .tell("offer.declined", "CA3", "mei")
        .tell("call.requeued", "CA3", why="declined")
        .tell("agent.presence_changed", "", "mei", presence="ready")
        .offered("CA2")
    )
    assert laws(plan, story) == []


def test_a_house_that_is_not_empty_is_found_at_the_end(plan: Plan) -> None:
    assert laws(plan, two_waiting().offered("CA1"), is_drained=True) == [
        "every call ends", "every call ends", "every offer ends",
    ]  # fmt: skip


# Houses that are broken on purpose: the day finds each.

Breaks = Callable[[pytest.MonkeyPatch], None]
COURSE = Course(4, minutes=8, calls=30, dispatchers=2, has_faults=False, kills_every_ms=4_000)


def youngest_first(patch: pytest.MonkeyPatch) -> None:
    real = routing.rank

    def backwards(**about: Any) -> Rank:
        place = real(**about)
        return Rank(Class.ORDINARY, -place.key, place.arrival)

    patch.setattr(routing, "rank", backwards)


def one_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """The last call decided on is not offered, whoever is ready."""
    real = room.decide_round

    def lazily(plan: Plan, snapshot: Snapshot, now_ms: int) -> Round:
        found = real(plan, snapshot, now_ms)
        return found._replace(matches=found.matches[:-1])

    patch.setattr(room, "decide_round", lazily)


def hang_ups_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: Any) -> None:
        return

    patch.setattr(Performer, "_hang_up", nothing)


def nothing_is_performed(patch: pytest.MonkeyPatch) -> None:
    """Effects fall due, and nobody takes them in hand."""

    async def nothing(*_: Any, **__: Any) -> tuple[()]:
        return ()

    patch.setattr("queues.service.switchboard.Switchboard.claim_effects", nothing)


@pytest.mark.parametrize(
    ("breaks", "law"),
    [
        (youngest_first, ("passed ", "safety goes first")),
        (one_is_forgotten, "nobody waits while somebody is ready for him"),
        (hang_ups_are_forgotten, "no phone is left ringing or lifted"),
        (nothing_is_performed, "every effect is performed or given up"),
    ],
    ids=lambda each: each.__name__ if callable(each) else "",
)
async def test_a_broken_house_is_found_by_its_day(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, breaks: Breaks, law: str | tuple[str, ...]
) -> None:
    breaks(monkeypatch)
    async with open_day(runtime, COURSE) as day:
        found = await day.play()
    assert [breach.law for breach in found if breach.law.startswith(law)]
