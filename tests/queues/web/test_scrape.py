"""/metrics as Prometheus reads it: the same figures as the page's, counters that never go back, and nobody's name."""

from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import httpx2
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy import update

from config import tally
from config.tally import Tally
from ivr.app import build
from queues.domain.scopes import Scope
from queues.domain.targets import target_of
from queues.service import figures
from queues.service import tokens as tokens_service
from queues.store.intervals import intervals
from queues.web.scrape import bounds_of
from tests.queues.hotline import Hotline
from tests.queues.test_figuring import the_day
from tests.queues.web.reader import BASE, Door
from tests.queues.web.test_api import morning

LABELS = {
    *("queue", "tier", "outcome", "within", "le", "state", "store", "reader", "work_queue"),
    *("route", "job", "version", "site", "site_version"),
}
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def scrape(app: Any, **headers: str) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.get("/metrics", headers=told)


def read(answer: httpx2.Response) -> Samples:
    assert answer.status_code == 200, answer.text
    found: Samples = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.name.startswith("shouwen_")
        assert family.documentation
        for sample in family.samples:
            assert set(sample.labels) <= LABELS, sample
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, sample
            found[key] = sample.value
    return found


def of(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"shouwen_{name}", frozenset(labels.items())]


def open_to_neighbours(hotline: Hotline) -> None:
    near = replace(hotline.runtime.settings, metrics_networks=(ip_network("127.0.0.0/8"),))
    hotline.runtime.settings = near


async def test_prometheus_is_told_what_the_page_of_the_figures_tells(door: Door, hotline: Hotline) -> None:
    await morning(hotline)
    open_to_neighbours(hotline)
    hotline.runtime.tally.note("webhook", hotline.runtime.tally.now_ms() - 70, "incoming", "ok")
    answer = await scrape(door.app)
    samples, plan = read(answer), hotline.plan
    for secret in ("wang", "王", "13900000001", "CAone", "C1"):
        assert secret not in answer.text
    report = await figures.read(hotline.runtime, plan, the_day(hotline))
    assert of(samples, "calls_arrived_total") == 5
    assert len(report.by_group) > 1
    assert of(samples, "calls_left_in_menu_total") == 0
    for (queue, tier), totals in report.by_group.items():
        place, told, target = {"queue": queue, "tier": tier}, totals.symbols(), target_of(plan, queue, tier)
        for outcome, symbol, within in (("answered", "A", "A_T"), ("abandoned", "B", "B_T")):
            wait = {**place, "outcome": outcome}
            assert of(samples, "calls_total", **wait) == told[symbol]
            assert of(samples, "call_wait_seconds_count", **wait) == told[symbol]
            assert of(samples, "call_wait_seconds_bucket", **wait, le=f"{target.within_s}.0") == told[within]
            buckets = [
                of(samples, "call_wait_seconds_bucket", **wait, le=le)
                for le in (*(str(float(each)) for each in bounds_of(plan)), "+Inf")
            ]
            assert buckets == sorted(buckets)
            assert buckets[-1] == told[symbol]
        assert of(samples, "call_wait_seconds_sum", **place, outcome="answered") == told["wait"]
        in_target = of(samples, "calls_answered_in_target_total", **place, within=str(target.within_s))
        assert in_target == told["A_T"]
        for name, symbol in (("talk", "talk"), ("hold", "hold"), ("wrap_up", "wrap")):
            assert of(samples, f"call_{name}_seconds_sum", **place) == told[symbol]
            assert of(samples, f"call_{name}_seconds_count", **place) == told["H"]
    waiting = [value for (name, _), value in samples.items() if name == "shouwen_calls_waiting"]
    longest = [value for (name, _), value in samples.items() if name == "shouwen_longest_wait_seconds"]
    assert (waiting, longest) == ([1], [7])
    assert of(samples, "agents", state="ready") == 1
    assert [of(samples, "store_up", store=each) for each in ("live_store", "database", "job_store")] == [
        1
    ] * 3
    assert of(samples, "reader_behind_lines", reader="scribe") == 0
    assert of(samples, "effects_overdue") >= 0
    assert of(samples, "webhook_seconds_count", route="incoming", outcome="ok") == 1
    assert of(samples, "webhook_seconds_bucket", route="incoming", outcome="ok", le="0.05") == 0
    assert of(samples, "sql_writer_wait_seconds_count") > 0
    assert {name for name, _ in samples} >= {
        "shouwen_build_info",
        "shouwen_jobs_failed",
        "shouwen_target_ratio",
    }


async def test_a_counter_never_goes_back_whichever_process_tells_it(door: Door, hotline: Hotline) -> None:
    await morning(hotline)
    open_to_neighbours(hotline)
    before = read(await scrape(door.app))
    # A late event takes an answered call back; another web process is asked, then the first again.
    async with hotline.runtime.database.transaction() as connection:
        fewer = {"answered": intervals.c.answered - 1, "wait_ms": intervals.c.wait_ms - 12_000}
        rows = update(intervals).where(intervals.c.grain == "month", intervals.c.answered > 0)
        await connection.execute(rows.values(**fewer, answered_waits=""))
    other = build(hotline.runtime)
    async with other.router.lifespan_context(other):
        after = read(await scrape(other))
    counted = {
        key for key in before if key[0].endswith(("_total", "_bucket", "_count", "_sum")) and "call" in key[0]
    }
    assert len(counted) > 50
    assert {key: after[key] for key in counted} == {key: before[key] for key in counted}
    # What goes on from there is counted from the truth: never less, and what is more is told.
    async with hotline.runtime.database.transaction() as connection:
        more = {"abandoned": intervals.c.abandoned + 3}
        await connection.execute(update(intervals).where(intervals.c.grain == "month").values(**more))
    door.forget()
    grown = read(await scrape(door.app))
    assert all(grown[key] >= before[key] for key in counted)
    assert any(grown[key] == before[key] + 3 for key in counted)
    # What processes have done adds up over all of them, and outlives them.
    jobs = of(grown, "job_seconds_count", job="open_ticket", outcome="ok")
    quick = of(grown, "job_seconds_bucket", job="open_ticket", outcome="ok", le="10.0")
    assert jobs > 0
    for took_ms in (3, 12_000):
        process = Tally()
        process.note("job", process.now_ms() - took_ms, "open_ticket", "ok")
        await process.flush(hotline.runtime.redis, hotline.plan.site)
    told = (await tally.read(hotline.runtime.redis, hotline.plan.site))["job"]["open_ticket", "ok"]
    assert (told.count, told.within[10_000], told.within[30_000]) == (jobs + 2, quick + 1, jobs + 2)


async def test_metrics_are_told_to_nobody_by_default(door: Door, hotline: Hotline) -> None:
    assert (await scrape(door.app)).json()["type"] == "/api#no_token"
    for scope, status in ((Scope.METRICS, 200), (Scope.FIGURES, 403)):
        _, text = await tokens_service.add(hotline.runtime, name=scope, scopes={scope}, days=1, by="operator")
        assert (await scrape(door.app, Authorization=f"Bearer {text}")).status_code == status
    open_to_neighbours(hotline)
    assert (await scrape(door.app)).status_code == 200
    for header in ("X_Forwarded_For", "Forwarded", "Via"):
        assert (await scrape(door.app, **{header: "203.0.113.9"})).status_code == 401
    openmetrics = await scrape(door.app, Accept="application/openmetrics-text; version=1.0.0")
    assert openmetrics.text.endswith("# EOF\n")
    # Without the live store it is said that it is away, and no counter jumps.
    door.forget()
    broken: Any = hotline.runtime
    there, broken.redis = (
        broken.redis,
        Redis(unix_socket_path="/nowhere", decode_responses=True, retry=Retry(NoBackoff(), 0)),
    )
    samples = read(await scrape(door.app))
    assert of(samples, "store_up", store="live_store") == 0
    assert of(samples, "store_up", store="database") == 1
    assert not [key for key in samples if key[0] == "shouwen_calls_total"]
    await broken.redis.aclose()
    broken.redis = there
