"""The auditor finds what he is there to find: one broken law a journal, and one broken house a day."""

from collections.abc import Callable
from dataclasses import replace
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
from tests.simulation.days.day import Course, open_day, words_of

NOW_MS = 1_795_395_600_000
MINUTE_MS = 60_000
WHY = {"rule": "key", "is_front": False}
RAISED = "general|key_customer|general|300000|0|raised"
ASKED = "manager 20000 bo"


class Story:
    """A journal written by hand; every line a second after the one before."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.offers: dict[str, int] = {}

    def tell(self, type_: str, call_id: str = "", agent_id: str = "", **data: Any) -> "Story":
        at_ms = NOW_MS + 1_000 * len(self.lines)
        self.offers[call_id] = self.offers.get(call_id, 0) + (type_ == "call.offered")
        offer_id = f"{call_id}-{self.offers[call_id]}" if call_id and agent_id else ""
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
        safety: bool = False, queued_ms: int | None = None, queue: str = "general", raised: str = "", **told: str,
    ) -> "Story":  # fmt: skip
        self.tell("call.arrived", call_id, caller_ref="LIN")
        return self.tell(
            "call.queued", call_id, queue=queue, tier=tier, head_start_ms=head_start_ms,
            lane=f"{queue}|{tier}|{queue}|{head_start_ms}|{int(safety)}{raised}",
            queued_ms=NOW_MS + 1_000 * len(self.lines) if queued_ms is None else queued_ms,
            **told,
        )  # fmt: skip

    def works(self, agent_id: str = "bo") -> "Story":
        """He is at work, for somebody whom this story does not tell of."""
        return self.ready(agent_id).tell("agent.wrap_up_started", "", agent_id)

    def asks_callback(self, call_id: str) -> "Story":
        return self.waits(call_id).tell("callback.asked", call_id, until_ms=NOW_MS + 86_400_000)

    def rung_back(self, call_id: str, times: int = 1) -> "Story":
        """In vain each time but the last, of which nothing is told yet."""
        for n in range(times):
            if n:
                self.tell("callback.missed", call_id, "mei").tell("callback.rested", call_id)
                self.tell("agent.presence_changed", "", "mei", presence="ready")
            self.tell("callback.woken", call_id).offered(call_id)
            self.tell("offer.accepted", call_id, "mei").tell("call.connecting", call_id, "mei")
            self.tell("callback.dialled", call_id, "mei")
        return self

    def offered(self, call_id: str, agent_id: str = "mei", **why: Any) -> "Story":
        return self.tell("call.offered", call_id, agent_id, why={**WHY, **why})


def laws(plan: Plan, story: Story, *, is_drained: bool = False) -> list[str]:
    auditor = DayAuditor(plan)
    auditor.hear_all(story.lines)
    return [breach.law for breach in auditor.close(is_drained=is_drained)]


@pytest.fixture
def plan(runtime: Runtime) -> Plan:
    """The words of the days: one seat is kept, managers and last agents are asked first."""
    return plan_of(replace(runtime, site_files=words_of(runtime.site_files)))


def staffed() -> Story:
    """Two who are ready, so that the kept seat is nobody's trouble: it is the other one's."""
    return Story().ready("mei").ready("ann")


def old_and_key(old: int = 11 * MINUTE_MS, **about: Any) -> Story:
    """One has waited for long; a key customer comes."""
    story = Story().ready("mei").waits("CA1", queued_ms=NOW_MS - old)
    return story.waits("CA2", "key_customer", 5 * MINUTE_MS, **about)


def two_waiting() -> Story:
    return staffed().waits("CA1").waits("CA2")


BROKEN: dict[str, tuple[Story, str]] = {
    "younger_first": (two_waiting().offered("CA2"), "first come, first served: CA1"),
    "not_ready": (Story().waits("CA1").offered("CA1"), "only who is ready is rung"),
    "no_skill": (Story().ready("mei", "outage").waits("CA1").offered("CA1"), "he has the skills for it"),
    "another_tiers_seat": (
        staffed().ready("mei", "general,@key_customer").waits("CA1").offered("CA1"),
        "he has the skills for it",
    ),
    "too_early_for_overflow": (
        Story().ready("mei", "general").waits("CA1", queue="outage").offered("CA1"),
        "he has the skills for it",
    ),
    "safety_waits": (
        staffed().waits("CA1", safety=True).waits("CA2").offered("CA2"),
        "safety goes first: CA1",
    ),
    "passed_by_too_much": (
        old_and_key().ready("ann").offered("CA2"),
        f"passed CA1 by {11 * MINUTE_MS + 5_000} > {5 * MINUTE_MS} ms",
    ),
    "passed_where_no_seat_is_kept": (
        old_and_key().tell("reserve.released", queue="general").offered("CA2"),
        f"passed CA1 by {11 * MINUTE_MS + 5_000} > {5 * MINUTE_MS} ms",
    ),
    "kept_seat_taken": (
        Story().ready("mei").waits("CA1").offered("CA1"),
        "a kept seat is left for those it is kept for",
    ),
    "named_by_nobody": (
        staffed().waits("CA1").offered("CA1", named={"agent_id": "mei", "why": "manager"}),
        "named by the call",
    ),
    "named_for_too_long": (staffed().waits("CA1", named="manager 46000 bo"), "the plan names manager"),
    "put_through_by_nobody": (staffed().waits("CA1", named="transfer 5000 bo"), "the plan names transfer"),
    "taken_from_whom_it_names": (
        staffed().works().waits("CA1", named=ASKED).offered("CA1"),
        "left to those it names",
    ),
    "waited_for_too_long": (
        staffed().works().waits("CA1", named=ASKED, queued_ms=NOW_MS - 20_000).waits("CA2").offered("CA2"),
        "first come, first served: CA1",
    ),
    "waited_for_somebody_away": (
        staffed().waits("CA1", named=ASKED).waits("CA2").offered("CA2"),
        "first come, first served: CA1",
    ),
    "raised_by_nobody": (old_and_key().ready("ann").offered("CA2", rank="raised by hand"), "raised by somebody"),
    "raised_lane_by_nobody": (old_and_key(raised="|raised").ready("ann").offered("CA2"), "raised by somebody"),
    "in_front_too_early": (
        staffed().waits("CA1", queue="key").offered("CA1", is_front=True),
        "in front by the table",
    ),
    "never": (staffed().waits("CA1", never="mei").offered("CA1"), "those two never meet"),
    "declined_just_now": (
        two_waiting().offered("CA1").tell("offer.declined", "CA1", "mei").tell("call.requeued", "CA1")
        .tell("agent.presence_changed", "", "mei", presence="ready").offered("CA1"),
        "not again at once: declined",
    ),
    "moved_up": (
        two_waiting().tell("call.moved", "CA2", lane="general|key_customer|general|300000|0", queued_ms=7),
        "whoever is moved keeps his tier",
    ),
    "called_twice_at_once": (
        staffed().asks_callback("CA1").asks_callback("CA2").rung_back("CA1").tell("callback.dialled", "CA2"),
        "nobody is called twice at once: CA1",
    ),
    "called_while_nobody_is_free": (
        Story().waits("CA1").tell("callback.asked", "CA1", until_ms=NOW_MS + 86_400_000)
        .tell("callback.woken", "CA1").tell("callback.called", "CA1", why=WHY),
        "no more customers are rung than agents are free",
    ),
    "called_too_often": (
        staffed().asks_callback("CA1").rung_back("CA1", times=4),
        "nobody is tried more often than promised",
    ),
    "given_up_too_early": (
        staffed().asks_callback("CA1").rung_back("CA1")
        .tell("callback.missed", "CA1", "mei")
        .tell("call.ended", "CA1", outcome="callback", callback="failed"),
        "nobody gives up too early",
    ),
    "recorded_though_he_refused": (
        staffed().waits("CA1").tell("call.menu_stepped", "CA1", record="refused")
        .tell("recording.started", "CA1", kind="call"),
        "nobody is recorded who refused",
    ),
    "recorded_before_the_talk": (
        staffed().waits("CA1").tell("call.menu_stepped", "CA1", record="wanted")
        .tell("recording.started", "CA1", kind="call"),
        "nobody is recorded before the notice and the talk",
    ),
    "promise_without_end": (
        staffed().asks_callback("CA1").tell("call.ended", "CA1", outcome="callback"),
        "a promise is kept, joined or failed",
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


RIGHT: dict[str, Story] = {
    "kept_seat": old_and_key().offered("CA2"),
    "manager": staffed().waits("CA1", named="manager 20000 mei").offered(
        "CA1", named={"agent_id": "mei", "why": "manager"}
    ),
    "others_hold_back": staffed().works().waits("CA1", named=ASKED).waits("CA2").offered("CA2"),
    "raised": old_and_key().ready("ann").tell("call.raised", "CA2", lane=RAISED).offered("CA2", rank="by hand"),
    "three_tries": staffed().asks_callback("CA1").rung_back("CA1", times=3)
    .tell("callback.missed", "CA1", "mei")
    .tell("call.ended", "CA1", outcome="callback", callback="failed"),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_an_exemption_that_the_plan_and_the_lines_justify_is_granted(plan: Plan, name: str) -> None:
    assert laws(plan, RIGHT[name]) == []


def test_a_wait_for_a_kept_seat_or_a_named_person_is_idle_by_right_and_any_other_is_not(plan: Plan) -> None:
    def idle(story: Story, after_ms: int = 0) -> list[tuple[str, str]]:
        auditor = DayAuditor(plan)
        auditor.hear_all(story.lines)
        return auditor.idle_pairs(story.lines[-1].at_ms + after_ms)

    one_seat = Story().ready("mei").waits("CA1")
    assert idle(one_seat) == []
    assert idle(one_seat.tell("reserve.released", queue="general")) == [("CA1", "mei")]
    assert idle(one_seat.tell("reserve.armed", queue="general")) == []
    assert idle(one_seat.ready("ann", "general")) == [("CA1", "mei"), ("CA1", "ann")]
    key = Story().ready("mei").waits("CA1", "key_customer", 5 * MINUTE_MS)
    assert idle(key) == [("CA1", "mei")]
    named = Story().ready("mei").ready("ann").works().waits("CA1", named=ASKED)
    assert idle(named) == []
    assert idle(named, after_ms=20_000) == [("CA1", "mei"), ("CA1", "ann")]
    assert idle(Story().ready("mei").ready("ann").waits("CA1", never="mei")) == [("CA1", "ann")]


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
    talk = staffed().waits("CA1").offered("CA1").tell("offer.accepted", "CA1", "mei")
    talk.tell("call.connecting", "CA1", "mei").tell("call.connected", "CA1", "mei")
    over = talk.tell("call.ended", "CA1", outcome="answered")
    assert laws(plan, over, is_drained=True) == ["whoever talked is recorded"]


# Houses that are broken on purpose: the day finds each.

Breaks = Callable[[pytest.MonkeyPatch], None]
COURSE = Course(4, minutes=6, calls=24, dispatchers=2, has_faults=False, kills_every_ms=4_000)


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


def promises_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    """No seat is kept for anybody, and nobody is left to the people he names."""
    patch.setattr(routing, "_is_of", lambda *_: False)
    patch.setattr(routing, "_HELD_FOR", frozenset())


async def test_a_house_that_forgets_its_promises_is_found_by_its_day(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    promises_are_forgotten(monkeypatch)
    async with open_day(runtime, COURSE) as day:
        found = {breach.law for breach in await day.play()}
    assert found >= {"a kept seat is left for those it is kept for", "left to those it names"}


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
