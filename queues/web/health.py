"""How the house is: stores, readers, work queues, provider. For people a page, for machines /health/live."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from config import numbers
from config.runtime import Runtime
from config.web.accounts import require
from config.web.templates import page
from queues.service import health
from queues.service.health import BEHIND_COUNTED_MAX, Answered, Health, ReaderHealth
from queues.web.floor import floor_of, words_of
from queues.web.times import face, full_date
from queues.web.words import Words

BEHIND_NEAR = 100


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    state: str  # good | near | past | off
    word: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    rows: list[Row]
    empty: str = ""


def routes() -> list[BaseRoute]:
    return [
        Route("/health", show_health, methods=["GET"], name="health"),
        Route("/health/live", tell_health, methods=["GET"], name="health_live"),
    ]


async def tell_health(request: Request) -> Response:
    """For whoever restarts processes: 200 while every store answers, else 503. It says nothing of anybody."""
    found = await health.look(request.app.state.runtime)
    stores = {store.name: "ok" if store.is_good else "down" for store in found.stores}
    body: dict[str, Any] = {"ok": found.is_alive, "stores": stores}
    return JSONResponse(body, status_code=200 if found.is_alive else 503)


@require("supervisor", "admin")
async def show_health(request: Request) -> Response:
    words = words_of(request)
    runtime = floor_of(request).runtime
    found = await health.look(runtime)
    sections = [
        Section(words.t("health.stores"), _stores(found, words)),
        Section(words.t("health.processes"), _readers(found, words), words.t("health.no_processes")),
        Section(words.t("health.work_queues"), _work_queues(found, words)),
        Section(words.t("health.reports"), _reports(found, words)),
        Section(words.t("health.provider"), _provider(runtime, found, words)),
    ]
    bad = sum(row.state == "past" for section in sections for row in section.rows)
    word = words.t("health.some_bad", count=bad) if bad else words.t("health.all_good")
    return page(
        request, "health.html", sections=sections, verdict={"state": "past" if bad else "good", "word": word}
    )


def _stores(found: Health, words: Words) -> list[Row]:
    rows = [_store(store, words) for store in found.stores]
    if found.journal_newest_ms is None:
        return [
            *rows,
            Row(words.t("health.journal"), "off", words.t("health.quiet"), words.t("health.no_lines")),
        ]
    at = full_date(found.journal_newest_ms, words.plan.timezone, words.locale)
    detail = words.t("health.lines", count=found.journal_lines, at=at)
    return [*rows, Row(words.t("health.journal"), "good", words.t("health.good"), detail)]


def _store(store: Answered, words: Words) -> Row:
    name = words.t(f"health.{store.name}")
    if store.is_good:
        return Row(name, "good", words.t("health.good"), words.t("health.answered_in", ms=store.took_ms))
    return Row(name, "past", words.t("health.bad"), store.trouble)


def _readers(found: Health, words: Words) -> list[Row]:
    return [_reader(each, words) for each in found.readers]


def _reader(reader: ReaderHealth, words: Words) -> Row:
    """Nobody holding the lease is only trouble when there is something to read."""
    held = words.t("health.lease_held", holder=reader.holder, seconds=reader.lease_s)
    lease = held if reader.lease_s else words.t("health.lease_free")
    behind = f"{BEHIND_COUNTED_MAX}+" if reader.behind >= BEHIND_COUNTED_MAX else str(reader.behind)
    detail = f"{lease} · {words.t('health.behind', count=behind)}" if reader.behind else lease
    if not reader.lease_s:
        is_bad = reader.is_missed or reader.behind > 0
        return Row(
            reader.name,
            "past" if is_bad else "off",
            words.t("health.bad" if is_bad else "health.quiet"),
            detail,
        )
    state = "near" if reader.behind > BEHIND_NEAR else "good"
    return Row(reader.name, state, words.t("health.late" if state == "near" else "health.good"), detail)


def _work_queues(found: Health, words: Words) -> list[Row]:
    return [
        Row(
            each.name,
            "past" if each.failed else "good",
            words.t("health.bad" if each.failed else "health.good"),
            words.t("health.jobs", waiting=each.waiting, failed=each.failed),
        )
        for each in found.work_queues
    ]


def _reports(found: Health, words: Words) -> list[Row]:
    """Those that were to be there and are not; one good line when there are none."""
    t, zone = words.t, words.plan.timezone
    if not found.reports_missing:
        return [Row(t("health.reports"), "good", t("health.good"), t("health.reports_there"))]
    return [
        Row(
            report_id,
            "past",
            t("health.missing"),
            t("health.report_due", at=full_date(due_ms, zone, words.locale)),
        )
        for report_id, due_ms in found.reports_missing
    ]


def _provider(runtime: Runtime, found: Health, words: Words) -> list[Row]:
    settings, t = runtime.settings, words.t
    hotlines = [
        f"{words.line(line)} {numbers.display(number)}" for line, number in settings.hotline_numbers.items()
    ]
    is_real = runtime.clock.is_real
    given = {
        "health.account": settings.twilio_account_sid,
        "health.base_url": settings.twilio_base_url,
        "health.public_url": settings.public_base_url,
        "health.fallback": settings.fallback_url or "",
        "health.hotlines": " · ".join(hotlines),
    }
    rows = [
        Row(t(key), "good" if value else "near", t("health.set" if value else "health.unset"), value)
        for key, value in given.items()
    ]
    age = "" if found.last_call_ms is None else face(runtime.clock.now_ms() - found.last_call_ms)
    last = Row(
        t("health.last_webhook"),
        "good" if age else "off",
        t("health.good") if age else t("health.quiet"),
        t("health.since", age=age) if age else t("health.never"),
    )
    clock = t("health.clock_real") if is_real else t("health.clock_scaled", speed=f"{runtime.clock.speed:g}")
    site = f"{runtime.settings.site} · {words.plan.version}"
    return [
        *rows,
        last,
        Row(t("health.site"), "good", t("health.set"), site),
        Row(t("health.clock"), "good" if is_real else "off", t("health.set"), clock),
    ]
