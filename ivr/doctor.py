"""`shouwen doctor`: what is set, what is missing, and what the provider must be given, in plain words."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from config import migrations
from config.redis import STORE_ERRORS
from config.runtime import Runtime, open_runtime
from config.settings import Settings
from config.site_files import SiteFilesError
from config.telephony import ProviderUnreachable, TelephonyError
from config.web.refusals import last_refusal
from ivr.app import link
from ivr.service.versions import first_words
from ivr.web.twiml import fallback_document
from queues.domain.faults import SiteFaults
from queues.domain.plan import Plan
from queues.service.plans import plan_of

ANSWER_WITHIN_S = 15
MARKS = {True: "ok   ", False: "FAULT", None: "note "}


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `is_well` None means: good to know."""

    is_well: bool | None
    words: str


async def examine(settings: Settings) -> int:
    """Print every finding; 1 if there is a fault."""
    faults = 0
    try:
        async with open_runtime(settings, store_within_s=0, first_words=first_words) as runtime:
            async for finding in findings(runtime):
                print(f"{MARKS[finding.is_well]}  {finding.words}", flush=True)
                faults += finding.is_well is False
            print(instructions(runtime))
    except (SiteFilesError, SiteFaults) as fault:
        print(f"FAULT  the site {settings.site}: {fault}")
        return 1
    return 1 if faults else 0


async def findings(runtime: Runtime) -> AsyncIterator[Finding]:
    """Look at one thing after another; none stops the rest."""
    settings = runtime.settings
    plan = plan_of(runtime)
    yield Finding(
        True, f"site {plan.site}, version {plan.version}: {len(plan.queues)} queues, {len(plan.lines)} lines"
    )
    for line in plan.lines:
        number = settings.hotline_numbers.get(line)
        yield Finding(
            True if number else None, f"line {line}: {number or 'no number yet; name it in HOTLINE_NUMBERS'}"
        )
    for line in settings.hotline_numbers:
        if line not in plan.lines:
            known = ", ".join(plan.lines)
            yield Finding(
                False, f"HOTLINE_NUMBERS: there is no line {line!r} in this site; there are {known}"
            )
    if not settings.hotline_numbers:
        yield Finding(
            False, "HOTLINE_NUMBERS is not set: no number is ours, and agents cannot be rung from one"
        )
    yield _base_url(settings)
    yield await _store(runtime)
    yield await _work_queues(runtime)
    yield _database(settings)
    yield await _provider(runtime)
    async for finding in _refusals(runtime):
        yield finding
    if settings.fallback_url is None:
        yield Finding(
            None, "FALLBACK_URL is not set: calls that we place have no document while this machine is away"
        )
    if settings.duty_number is None:
        yield Finding(
            None, "DUTY_NUMBER is not set: when nothing else is left, callers are asked to ring again later"
        )
    for words in told_of_texts(plan, settings):
        yield Finding(None, words)
    yield Finding(
        None, "a new provider account places one call a second: agents ring that slowly until it is raised"
    )
    yield Finding(
        None, "recording notice, retention and calling hours are your duty by law: have counsel confirm them"
    )


def told_of_texts(plan: Plan, settings: Settings) -> Iterator[str]:
    """What is not set of what customers are told in writing, and of when they are left in peace."""
    appointing = plan.appointing
    if appointing and (appointing.appointed or appointing.changed):
        if not settings.texts_from:
            yield (
                "TEXTS_FROM is not set: nobody gets a text when his account manager changes; the manager is to ring him"
            )
        elif appointing.window is None:
            yield "customers.yaml, appointment: window is not set, so texts go out at any hour of the night"
    if plan.callback.window is None:
        yield "site.yaml, callback: window is not set, so customers may be called back at any hour of the night"


def _base_url(settings: Settings) -> Finding:
    is_secure = settings.public_base_url.startswith("https://")
    words = f"PUBLIC_BASE_URL {settings.public_base_url}"
    return Finding(is_secure or not settings.is_production, words if is_secure else f"{words} is not https")


async def _store(runtime: Runtime) -> Finding:
    where = runtime.settings.redis_url or "embedded"
    try:
        facts = await runtime.redis.info()
    except STORE_ERRORS as fault:
        hint = "" if runtime.settings.redis_url else "; it runs with shouwen up, or shouwen store"
        return Finding(False, f"live store ({where}) does not answer{hint}: {fault}")
    policy = str(facts.get("maxmemory_policy", ""))
    name = f"{facts.get('server_name', 'redis')} {facts.get('redis_version')}"
    if policy != "noeviction":
        return Finding(
            False, f"live store {name} may throw calls away: maxmemory-policy is {policy}, must be noeviction"
        )
    is_kept = str(facts.get("aof_enabled")) == "1"
    return Finding(
        is_kept,
        f"live store {name}" + ("" if is_kept else " forgets everything when it stops: set appendonly yes"),
    )


async def _work_queues(runtime: Runtime) -> Finding:
    try:
        await asyncio.to_thread(runtime.jobs.connection.ping)
    except STORE_ERRORS as fault:
        return Finding(False, f"work queues do not answer: {fault}")
    return Finding(True, "work queues answer")


def _database(settings: Settings) -> Finding:
    kind = "PostgreSQL" if settings.database_url and "postgresql" in settings.database_url else "SQLite"
    try:
        current, newest = migrations.current_revision(settings), migrations.newest_revision()
    except Exception as fault:  # whatever the driver raises, the operator wants to read it
        return Finding(False, f"database ({kind}) does not answer: {fault}")
    if current != newest:
        return Finding(
            False,
            f"database ({kind}) is at revision {current or 'none'}, needs {newest}: run shouwen release",
        )
    return Finding(True, f"database ({kind}) is up to date, revision {current}")


async def _provider(runtime: Runtime) -> Finding:
    where = runtime.settings.twilio_base_url
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await runtime.telephony.leg("CA" + "0" * 32)  # nobody's leg: only the account is asked for
    except (ProviderUnreachable, TimeoutError) as fault:
        return Finding(False, f"provider at {where} cannot be reached from here: {fault}")
    except TelephonyError as fault:
        return Finding(
            False,
            f"provider at {where} refuses us: {fault}; look at TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN",
        )
    return Finding(True, f"provider at {where} knows the account")


async def _refusals(runtime: Runtime) -> AsyncIterator[Finding]:
    try:
        refusal = await last_refusal(runtime)
    except STORE_ERRORS:
        return
    if refusal is None:
        yield Finding(True, "no webhook was refused so far")
        return
    at = datetime.fromtimestamp(refusal.at_ms / 1000, UTC).isoformat(timespec="seconds")
    yield Finding(None, f"a webhook was refused at {at}")
    yield Finding(None, f"  we expected the signature of {refusal.expected_url}")
    yield Finding(None, f"  what was signed: {refusal.signed_url or 'no address that we can think of'}")
    yield Finding(None, f"  what to do: {refusal.advice()}")


def instructions(runtime: Runtime) -> str:
    """What to type into the provider's console."""
    link(runtime)
    links, duty = runtime.links, runtime.settings.duty_number
    return f"""
Give the provider, for each number:
  a call comes in        {links.url("voice_incoming")}   HTTP POST
  primary handler fails  the address of a hosted document (TwiML Bin) with the text below
  call status changes    {links.url("voice_status")}   HTTP POST

{fallback_document(links.base_url, duty)}"""
