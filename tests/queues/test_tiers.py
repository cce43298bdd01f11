"""Tiers: by rule, by ranking, by hand; runs that two clocks do once and that survive a death in the middle."""

import asyncio
import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from config.database import metadata
from config.runtime import Runtime
from queues.domain.customers import Customer
from queues.domain.plan import Plan
from queues.domain.ranking import entrant_of, left_out_by, rank_all
from queues.domain.rules import Rule, holds
from queues.domain.tiers import (
    TURNS,
    State,
    fingerprint,
    latest_due,
    run_due,
    standing_of,
    start_of,
    values_of,
)
from queues.service import rescoring, tiers
from queues.service.customer_index import catch_up
from queues.service.plans import plan_of
from queues.store import rescores as store
from tests.doubles import ManualClock
from tests.queues.outlets import at_site, column, import_placed, outlet, rows

DAY_MS = 86_400_000
TODAY = dt.date(2026, 11, 23)


def set_day(clock: ManualClock, plan: Plan, day: dt.date) -> None:
    clock.advance(start_of(plan, day) - clock.now_ms())


@pytest.fixture
def retail(runtime: Runtime) -> Runtime:
    return at_site(runtime, "retail")


@pytest.fixture
def plan(runtime: Runtime) -> Plan:
    return plan_of(runtime)


# Rules


def rule(**written: Any) -> Rule:
    return Rule.model_validate(written)


@pytest.mark.parametrize(
    ("written", "value", "expected"),
    [
        ({"at_least": 2000}, "2000", True),
        ({"at_least": 2000}, "1999.9", False),
        ({"at_least": 2000}, "many", False),
        ({"over": 2000}, 2000, False),
        ({"at_most": 1.5}, "1.5", True),
        ({"under": 1.5}, "1.5", False),
        ({"is": True}, "yes", True),
        ({"is": True}, "no", False),
        ({"is": True}, "有", True),
        ({"is": False}, "没有", True),
        ({"is": True}, "perhaps", False),
        ({"is": 7}, "07", True),
        ({"is": "C"}, "C", True),
        ({"is_not": "C"}, "X", True),
        ({"is_not": "C"}, "", False),
        ({"in": ["elderly", "ill"]}, "ill", True),
        ({"in": ["elderly", "ill"]}, "none", False),
        ({"between": [10, 20]}, "10", True),
        ({"between": [10, 20]}, "20", False),
        ({"not_between": [10, 20]}, "20", True),
        ({"not_between": [10, 20]}, "10", False),
        ({"not_between": [10, 20]}, None, False),
        ({"under": dt.date(2026, 1, 1)}, "2025-12-31", True),
        ({"under": dt.date(2026, 1, 1)}, "last year", False),
    ],
)
def test_what_a_leaf_says_of_a_value(written: dict[str, Any], value: Any, expected: bool) -> None:
    assert holds(rule(attribute="a", **written), {"a": value}) is expected


def test_rules_nest() -> None:
    nested = rule(
        any=[
            {"all": [{"attribute": "a", "at_least": 1}, {"attribute": "b", "is": "x"}]},
            {"band": 1},
        ]
    )
    assert holds(nested, {"a": 1, "b": "x"})
    assert not holds(nested, {"a": 1, "b": "y"}, "2")
    assert holds(nested, {}, "1")


@given(
    st.sampled_from(["at_least", "at_most", "over", "under", "is", "is_not", "in", "between", "not_between"])
)
def test_what_is_missing_makes_every_leaf_false(word: str) -> None:
    asked: Any = [1, 2] if word in {"in", "between", "not_between"} else 1
    assert not holds(rule(attribute="a", **{word: asked}), {})
    assert not holds(rule(attribute="a", **{word: asked}), {"a": ""})


# Standings


def test_a_tier_by_hand_goes_before_every_rule_and_one_that_is_gone_does_not_count(plan: Plan) -> None:
    values = {"high_risk": "yes", "capacity_kva": "10"}
    assert standing_of(plan, values, "residential", "").tier == "residential"
    ruled = standing_of(plan, values, "tier_that_was", "")
    assert (ruled.tier, ruled.why) == ("high_risk", "rule")
    assert standing_of(plan, {}, None, "").why == "default"


def test_a_site_without_rules_leaves_tiers_to_whoever_keeps_its_files(plan: Plan) -> None:
    bare = plan.model_copy(
        update={"tiers": {name: tier.model_copy(update={"rule": None}) for name, tier in plan.tiers.items()}}
    )
    assert standing_of(bare, {"tier": "business"}, None, "").tier == "business"
    assert standing_of(bare, {"tier": "nobody"}, None, "").tier == "residential"


def test_the_fingerprint_tells_rules_from_words(plan: Plan, retail: Runtime) -> None:
    renamed = plan.tiers | {
        "business": plan.tiers["business"].model_copy(update={"name": {"zh": "企业", "en": "Firms"}})
    }
    assert fingerprint(plan.model_copy(update={"tiers": renamed})) == fingerprint(plan)
    assert fingerprint(plan.model_copy(update={"default_tier": "business"})) != fingerprint(plan)
    ranked = plan_of(retail)
    assert ranked.ranking is not None
    shorter = ranked.ranking.model_copy(update={"leave_out": ()})
    before, after = fingerprint(ranked), fingerprint(ranked.model_copy(update={"ranking": shorter}))
    assert before.partition("-")[0] == after.partition("-")[0]
    assert before.partition("-")[2] != after.partition("-")[2]


# When it is due


def test_scores_are_due_by_day_30_and_on_the_last_day_of_a_shorter_month(retail: Runtime) -> None:
    ranking = plan_of(retail).ranking
    assert ranking is not None
    assert latest_due(ranking, dt.date(2026, 11, 29), "score") == dt.date(2026, 10, 30)
    assert latest_due(ranking, dt.date(2026, 11, 30), "score") == dt.date(2026, 11, 30)
    assert latest_due(ranking, dt.date(2027, 2, 28), "score") == dt.date(2027, 2, 28)
    assert latest_due(ranking, dt.date(2028, 2, 28), "score") == dt.date(2028, 1, 30)
    assert latest_due(ranking, dt.date(2028, 2, 29), "score") == dt.date(2028, 2, 29)
    assert latest_due(ranking, dt.date(2027, 2, 28), "sort") == dt.date(2026, 12, 30)
    monthly = ranking.model_copy(update={"every": "month"})
    assert latest_due(monthly, dt.date(2027, 2, 28), "sort") == dt.date(2027, 2, 28)


def test_a_date_that_was_slept_through_is_made_good(retail: Runtime) -> None:
    plan = plan_of(retail)

    def due(today: str, scored: str | None, sorted_on: str | None) -> Any:
        at = [start_of(plan, dt.date.fromisoformat(day)) if day else None for day in (scored, sorted_on)]
        found = run_due(plan, start_of(plan, dt.date.fromisoformat(today)), *at)
        return found and (found[0], found[1].isoformat())

    assert due("2026-11-23", None, None) == ("sort", "2026-09-30")
    assert due("2026-11-23", "2026-11-01", "2026-10-02") is None
    assert due("2026-11-30", "2026-11-01", "2026-10-02") == ("score", "2026-11-30")
    assert due("2027-02-03", "2026-11-30", "2026-10-02") == ("sort", "2026-12-30")
    assert due("2027-02-03", "2027-02-03", "2027-02-03") is None


# By hand


async def ask(
    runtime: Runtime, customer_id: str = "C1", tier: str = "key_customer", **more: Any
) -> tiers.Reply:
    given = {"reason": "新建数据中心", "until": TODAY + dt.timedelta(days=30), "by": "mei", **more}
    return await tiers.request_change(runtime, customer_id=customer_id, tier=tier, **given)


@pytest.fixture
async def resident(runtime: Runtime) -> Customer:
    file = Customer(customer_id="C1", name="陈静", account_no="7", numbers=("+8613900000002",))
    await import_placed(runtime, [file])
    return file


async def tier_of(runtime: Runtime, customer_id: str = "C1") -> str:
    return str((await column(runtime, "tier"))[customer_id])


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"tier": "gold"}, "unknown_tier"),
        ({"reason": "  "}, "no_reason"),
        ({"reason": "x" * 501}, "long_reason"),
        ({"until": TODAY - dt.timedelta(days=1)}, "past"),
        ({"until": TODAY + dt.timedelta(days=400)}, "too_far"),
        ({"customer_id": "C9"}, "unknown_customer"),
    ],
)
async def test_a_change_that_cannot_be_asked_for(
    runtime: Runtime, resident: Customer, given: dict[str, Any], word: str
) -> None:
    assert (await ask(runtime, **given)).word == word
    assert await rows(runtime, "tier_requests") == []
    assert await rows(runtime, "audits") == []


async def test_every_state_of_a_change_and_what_cannot_be_done_in_it(
    runtime: Runtime, resident: Customer
) -> None:
    change = (await ask(runtime)).change
    assert change is not None
    assert (await ask(runtime)).word == "pending"
    own = await tiers.approve(runtime, change_id=change.change_id, by="mei")
    assert own.word == "own"
    assert (await tiers.withdraw(runtime, change_id=change.change_id, by="li")).word == "others"
    assert (await tiers.refuse(runtime, change_id=change.change_id, by="li", note="无依据")).is_ok
    again = await tiers.approve(runtime, change_id=change.change_id, by="li")
    assert again.word == "stale:refused"
    assert (await tiers.approve(runtime, change_id="none", by="li")).word == "unknown"
    second = (await ask(runtime)).change
    assert second is not None
    assert (await tiers.withdraw(runtime, change_id=second.change_id, by="mei")).is_ok
    assert await tier_of(runtime) == "residential"
    told = [(each.state, each.decided_by, each.note) for each in await tiers.changes_of(runtime, "C1")]
    assert sorted(told) == [(State.REFUSED, "li", "无依据"), (State.WITHDRAWN, "mei", "")]
    audited = [(row["action"], row["account_id"], row["subject"]) for row in await rows(runtime, "audits")]
    assert sorted(audited) == [
        ("tier.refused", "li", "C1"),
        ("tier.requested", "mei", "C1"),
        ("tier.requested", "mei", "C1"),
        ("tier.withdrawn", "mei", "C1"),
    ]
    assert await tiers.history_of(runtime, "C1") == []


def test_no_state_but_pending_and_approved_can_be_left() -> None:
    assert {state for state, _ in TURNS} == {State.PENDING, State.APPROVED}


async def test_two_approvals_at_once_are_one(runtime: Runtime, resident: Customer) -> None:
    change = (await ask(runtime)).change
    assert change is not None
    replies = await asyncio.gather(
        *(tiers.approve(runtime, change_id=change.change_id, by=by) for by in ("li", "zhao"))
    )
    assert sorted(reply.word for reply in replies) == ["ok", "stale:approved"]
    assert len(await tiers.history_of(runtime, "C1")) == 1


async def test_a_newer_approval_ends_the_older_one(runtime: Runtime, resident: Customer) -> None:
    for tier in ("business", "key_customer"):
        change = (await ask(runtime, tier=tier)).change
        assert change is not None
        assert (await tiers.approve(runtime, change_id=change.change_id, by="li")).is_ok
    assert await tier_of(runtime) == "key_customer"
    assert sorted(each.state for each in await tiers.changes_of(runtime, "C1")) == ["approved", "ended"]
    assert (await tiers.withdraw(runtime, change_id=change.change_id, by="zhao")).is_ok
    assert await tier_of(runtime) == "residential", "the older one does not come back to life"


async def test_a_change_ends_after_its_last_day_and_the_file_falls_back(
    runtime: Runtime, resident: Customer, clock: ManualClock, redis: Redis, plan: Plan
) -> None:
    change = (await ask(runtime, until=TODAY)).change
    assert change is not None
    await tiers.approve(runtime, change_id=change.change_id, by="li")
    assert '"tier":"key_customer"' in str(await redis.hget("{power}:customers", "C1")).replace(" ", "")
    set_day(clock, plan, TODAY + dt.timedelta(days=1))
    clock_before = clock.now_ms()
    assert await tiers.end_changes(runtime) == 1
    assert await tiers.end_changes(runtime) == 0
    assert await tier_of(runtime) == "residential"
    assert '"tier":"residential"' in str(await redis.hget("{power}:customers", "C1")).replace(" ", "")
    newest, first = await tiers.history_of(runtime, "C1")
    assert (newest.old_tier, newest.new_tier, newest.reason, newest.at_ms) == (
        "key_customer",
        "residential",
        "ended",
        clock_before,
    )
    assert (first.reason, first.origin, first.account_id) == ("by_hand", change.change_id, "li")


async def test_what_nobody_decided_in_time_ends_without_having_counted(
    runtime: Runtime, resident: Customer, clock: ManualClock, plan: Plan
) -> None:
    change = (await ask(runtime, until=TODAY)).change
    assert change is not None
    set_day(clock, plan, TODAY + dt.timedelta(days=1))
    assert (await tiers.approve(runtime, change_id=change.change_id, by="li")).word == "over"
    ended = await asyncio.gather(*(tiers.end_changes(runtime) for _ in range(3)))
    assert sum(ended) == 1
    assert await tiers.pending_changes(runtime) == []
    assert await tiers.history_of(runtime, "C1") == []


async def test_a_death_between_sql_and_the_live_index_is_found(
    runtime: Runtime, resident: Customer, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(_: Runtime) -> None:
        raise asyncio.CancelledError

    change = (await ask(runtime)).change
    assert change is not None
    with monkeypatch.context() as patched:
        patched.setattr(tiers, "show_live", dies)
        with pytest.raises(asyncio.CancelledError):
            await tiers.approve(runtime, change_id=change.change_id, by="li")
    assert await tier_of(runtime) == "key_customer"
    assert "residential" in str(await redis.hget("{power}:customers", "C1"))
    assert await catch_up(runtime) > 0
    assert "key_customer" in str(await redis.hget("{power}:customers", "C1"))


# Runs


def town(count: int = 40) -> list[Customer]:
    """Outlets of two formats; every tenth buys every day, every thirteenth has no format."""
    files = []
    for number in range(count):
        more = {"purchase_days": "29"} if number % 10 == 9 else {}
        file = outlet(number, number * 7 % 23, number * 31 % 101, "ZS"[number % 2], **more)
        if number % 13 == 12:
            file = replace(file, attributes={**file.attributes, "store_format": ""})
        files.append(file)
    return files


def expected_bands(plan: Plan, files: list[Customer]) -> dict[str, str | None]:
    assert plan.ranking is not None
    entrants = [
        found
        for file in files
        if left_out_by(plan.ranking, values_of(file)) is None
        and (found := entrant_of(plan.ranking, file.customer_id, values_of(file)))
    ]
    ranked = rank_all(plan.ranking, entrants)
    return {
        file.customer_id: ranked[file.customer_id].band if file.customer_id in ranked else None
        for file in files
    }


async def test_a_run_over_sql_ranks_as_the_pure_rules_do(
    retail: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescoring, "BATCH", 7)
    files, plan = town(), plan_of(retail)
    await import_placed(retail, files)
    assert set((await column(retail, "band")).values()) == {"3"}, "whom no ranking has seen is in the lowest"
    run = await tiers.rescore(retail, by="mei")
    expected = expected_bands(plan, files)
    assert await column(retail, "band") == expected
    assert await column(retail, "tier") == {
        name: {"1": "tier_a", "2": "tier_b"}.get(str(band), "tier_c") for name, band in expected.items()
    }
    out = sum(band is None for band in expected.values())
    assert (run.kind, run.scored, run.left_out, run.account_id) == ("sort", len(files) - out, out, "mei")
    report = await tiers.ranking_report(retail)
    assert sum(sum(bands.values()) for bands in report.bands.values()) == len(files) - out
    assert {each.missing for each in report.excluded} == {"", "store_format"}
    assert (await tiers.rescore(retail)).changed == 0, "the same files, the same order"


async def test_two_clocks_do_a_date_once(retail: Runtime, clock: ManualClock) -> None:
    await import_placed(retail, town())
    done = await asyncio.gather(*(rescoring.rescore_due(retail) for _ in range(3)))
    assert sum(done) >= 1
    assert [row["run_id"] for row in await rows(retail, "rescores", "run_id")] == ["retail:sort:2026-09-30"]
    assert await rescoring.rescore_due(retail) == 0
    set_day(clock, plan_of(retail), dt.date(2026, 11, 30))
    await asyncio.gather(*(rescoring.rescore_due(retail) for _ in range(3)))
    assert sorted(row["run_id"] for row in await rows(retail, "rescores", "run_id")) == [
        "retail:score:2026-11-30",
        "retail:sort:2026-09-30",
    ]


async def test_a_house_without_customers_has_nothing_due(retail: Runtime) -> None:
    assert await rescoring.rescore_due(retail) == 0
    assert await rows(retail, "rescores") == []


@pytest.mark.parametrize(
    ("dies_at", "after"),
    [
        *(("save_scores", 0), ("save_scores", 2), ("forget_others", 0), ("save_ranks", 0), ("save_ranks", 3)),
        *(("scored_after", 0), ("scored_after", 3), ("show_live", 0)),
    ],
)
async def test_a_death_in_the_middle_is_finished_by_the_next(
    retail: Runtime, monkeypatch: pytest.MonkeyPatch, dies_at: str, after: int
) -> None:
    monkeypatch.setattr(rescoring, "BATCH", 7)
    files = town()
    await import_placed(retail, files)
    owner: Any = rescoring if dies_at == "show_live" else store
    whole, calls = getattr(owner, dies_at), 0

    async def dies(*given: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > after:
            raise asyncio.CancelledError
        return await whole(*given, **more)

    with monkeypatch.context() as patched:
        patched.setattr(owner, dies_at, dies)
        patched.setattr(rescoring.Hold, "release", no_last_words)
        with pytest.raises(asyncio.CancelledError):
            await rescoring.rescore_due(retail)
    assert await rescoring.rescore_due(retail) == 0, "whoever died holds the lease for a while"
    async with retail.database.transaction() as connection:
        await connection.execute(store.rescores.update().values(lease_until_ms=1))
    await rescoring.rescore_due(retail)
    assert await column(retail, "band") == expected_bands(plan_of(retail), files)
    (run,) = await rescoring.runs_of(retail)
    assert run.phase == "done"
    steps = await rows(retail, "tier_history", "customer_id")
    assert len(steps) == len({row["customer_id"] for row in steps}) == run.changed


async def no_last_words(_: rescoring.Hold) -> None:
    """A killed process releases nothing."""


async def test_figures_that_change_on_the_way_are_scored_by_totals_that_hold_them(
    retail: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescoring, "BATCH", 7)
    files = town()
    await import_placed(retail, files)
    save, is_changed = store.save_scores, False
    richer = [replace(file, attributes={**file.attributes, "purchase_qty": "700"}) for file in files[3:30:5]]

    async def save_and_import(*given: Any) -> None:
        nonlocal is_changed
        await save(*given)
        is_changed, was_changed = True, is_changed
        if not was_changed:
            for file in richer:
                await given[0].execute(
                    metadata.tables["customers"]
                    .update()
                    .where(metadata.tables["customers"].c.customer_id == file.customer_id)
                    .values(attributes=json.dumps(file.attributes))
                )

    monkeypatch.setattr(store, "save_scores", save_and_import)
    await tiers.rescore(retail)
    by_id = {file.customer_id: file for file in (*files, *richer)}
    assert await column(retail, "band") == expected_bands(plan_of(retail), list(by_id.values()))


async def test_who_was_overtaken_writes_no_more(retail: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    await import_placed(retail, town())
    first = rescoring.Hold(retail, "retail:sort:2026-09-30")
    await rescoring.rescore_due(retail)
    assert await first.take() is False, "it is over"
    with pytest.raises(rescoring.OvertakenError):
        async with retail.database.transaction() as connection:
            await first.keep(connection, phase="placing")


async def test_changed_rules_reach_every_file_without_a_new_order(
    retail: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = town()
    await import_placed(retail, files)
    await rescoring.rescore_due(retail)
    bands = await column(retail, "band")
    plan = plan_of(retail)
    other = with_rules(plan, tier_b={"band": "1"}, tier_a={"band": "2"})
    for module in ("rescoring", "standings"):
        monkeypatch.setattr(f"queues.service.{module}.plan_of", lambda _: other)
    assert await rescoring.rescore_due(retail) == 1
    newest = (await rescoring.runs_of(retail))[0]
    assert (newest.kind, newest.origin) == ("place", "rules")
    after = await column(retail, "band")
    assert after == bands
    assert {name for name, tier in (await column(retail, "tier")).items() if tier == "tier_b"} == {
        name for name, band in after.items() if band == "1"
    }
    assert await rescoring.rescore_due(retail) == 0


def with_rules(plan: Plan, **written: dict[str, Any]) -> Plan:
    """The plan with other rules for these tiers."""
    changed = {
        name: plan.tiers[name].model_copy(update={"rule": Rule.model_validate(rule)})
        for name, rule in written.items()
    }
    return plan.model_copy(update={"tiers": plan.tiers | changed})


async def test_nobody_is_placed_by_rules_that_are_not_in_force(retail: Runtime) -> None:
    await import_placed(retail, town())
    live = "{retail}:version"
    await retail.redis.set(live, "another")
    assert await rescoring.rescore_due(retail) == 0
    assert await rows(retail, "rescores") == []
    await retail.redis.set(live, retail.site_files.version)
    assert await rescoring.rescore_due(retail) == 1


@pytest.mark.parametrize("ranks_otherwise", [False, True])
async def test_rules_that_change_on_the_way_go_through_every_file(
    retail: Runtime, monkeypatch: pytest.MonkeyPatch, ranks_otherwise: bool
) -> None:
    monkeypatch.setattr(rescoring, "BATCH", 7)
    await import_placed(retail, town())
    plan, pages = plan_of(retail), 0
    other = with_rules(plan, tier_b={"band": "1"}, tier_a={"band": "2"})
    if ranks_otherwise:
        assert plan.ranking is not None
        top, *rest = plan.ranking.bands
        bands = (top.model_copy(update={"code": "9"}), *rest)
        other = with_rules(plan, tier_b={"band": "9"}, tier_a={"band": "2"}).model_copy(
            update={"ranking": plan.ranking.model_copy(update={"bands": bands})}
        )
    page = store.scored_after

    async def while_they_change(*given: Any) -> Any:
        nonlocal pages
        pages += 1
        if pages == 3:
            for module in ("rescoring", "standings"):
                monkeypatch.setattr(f"queues.service.{module}.plan_of", lambda _: other)
        return await page(*given)

    monkeypatch.setattr(store, "scored_after", while_they_change)
    assert await rescoring.rescore_due(retail) == 1
    (run,) = await rescoring.runs_of(retail)
    assert (run.rules, run.phase) == (fingerprint(other), "done")
    best = "9" if ranks_otherwise else "1"
    bands_now = await column(retail, "band")
    assert best in bands_now.values()
    assert await column(retail, "tier") == {
        name: {best: "tier_b", "2": "tier_a"}.get(str(band), "tier_c") for name, band in bands_now.items()
    }
    assert await rescoring.rescore_due(retail) == 0


async def test_counts_are_in_the_order_of_the_site(runtime: Runtime, resident: Customer) -> None:
    assert await tiers.tier_counts(runtime) == {
        "high_risk": 0,
        "key_customer": 0,
        "special_care": 0,
        "business": 0,
        "residential": 1,
    }
