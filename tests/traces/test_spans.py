"""Traces: one call is one trace through every process, and no span knows who called."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from config import jobs, traces
from config.telephony import TwilioTelephony
from queues.domain.effects import Effect, EffectKind
from queues.service.effects import Performer
from queues.service.history import scribe
from tests.config.provider import Provider, refused, serving
from tests.traces.hotline import CALLER, HOTLINE, Hotline


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = traces.begin_with(SimpleSpanProcessor(exporter), "test")
    yield exporter
    traces.end()
    provider.shutdown()


def named(spans: tuple[ReadableSpan, ...], name: str) -> ReadableSpan:
    return next(each for each in spans if each.name == name)


def parent_of(span: ReadableSpan, spans: tuple[ReadableSpan, ...]) -> str:
    assert span.parent is not None
    return next(each.name for each in spans if each.context.span_id == span.parent.span_id)


async def test_one_call_is_one_trace_and_no_span_knows_who_called(
    hotline: Hotline, exporter: InMemorySpanExporter
) -> None:
    runtime = hotline.runtime
    caller = hotline.caller()
    heard = await caller.press(await caller.dial(), "1")
    enqueued = await caller.press(await caller.press(heard, "2"), "#")
    await caller.wait(enqueued)
    agent = await hotline.agent("wang")
    await agent.offer("CA1")
    await agent.report("ringing")
    await agent.join(await agent.answer())
    await caller.report_end()
    # The work behind it: effects with the provider's own client, a job with a real worker.
    async with serving(Provider()) as provider:
        there = replace(runtime.settings, twilio_base_url=provider.base_url)
        telephony = TwilioTelephony(there, limit_s=5.0, jitter=lambda: 0.0)
        provider.answer("POST /Calls.json", refused(429), refused(400))
        performer = Performer(replace(runtime, telephony=telephony), hotline.switchboard)
        ring = Effect(
            effect_id="e1", kind=EffectKind.RING, call_id="CA1", offer_id="CA1-1", agent_id="wang",
            leg_id="", to="+8613500000009", line="main", attempt=1,
        )  # fmt: skip
        await performer.perform(ring)
        await telephony.close()
    await scribe(runtime).drain()
    await jobs.work_off(runtime, ("dispatch_urgent", "dispatch_normal"))

    spans = exporter.get_finished_spans()
    assert {each.context.trace_id for each in spans} == {traces.trace_id_of("CA1")}
    names = {each.name for each in spans}
    assert names >= {
        "webhook voice_incoming",
        "script arrive",
        "effect ring",
        "provider POST",
        "job open_ticket",
    }
    assert parent_of(named(spans, "script arrive"), spans) == "webhook voice_incoming"
    posts = [each for each in spans if each.name == "provider POST"]
    assert [parent_of(each, spans) for each in posts] == ["effect ring"] * 2
    assert [dict(each.attributes or {})["shouwen.status"] for each in posts] == [429, 400]
    assert dict(named(spans, "effect ring").attributes or {})["shouwen.became"] == "ProviderError"
    assert dict(named(spans, "webhook voice_incoming").attributes or {})["shouwen.outcome"] == "ok"
    told = "\n".join(each.to_json() for each in spans)
    for secret in (CALLER, CALLER[1:], HOTLINE[1:], "13500000009", "138"):
        assert secret not in told
    assert named(spans, "webhook voice_incoming").resource.attributes["service.name"] == "shouwen"


async def test_a_fault_is_told_by_its_kind_alone_and_off_is_nothing(
    hotline: Hotline, exporter: InMemorySpanExporter
) -> None:
    with pytest.raises(ValueError, match="138"), traces.span("work", note=f"for {CALLER}"):
        raise ValueError(CALLER)
    (span,) = exporter.get_finished_spans()
    assert (span.status.description, span.events, dict(span.attributes or {})) == (
        "ValueError",
        (),
        {"shouwen.note": "for [number]"},
    )
    assert span.context.trace_id != traces.trace_id_of("CA1")
    traces.end()
    await hotline.caller().dial()
    assert len(exporter.get_finished_spans()) == 1
    assert traces.span("work") is traces.part("work") is traces.span("more", of="CA1")
    for environ in (
        {},
        {"OTEL_SERVICE_NAME": "hotline"},
        {"OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_TRACES_EXPORTER": "console", "OTEL_SDK_DISABLED": "true"},
    ):
        assert not traces.begin(environ, "web")
    assert not traces.is_on()
    assert traces.begin({"OTEL_TRACES_EXPORTER": "console"}, "web")
    assert traces.is_on()
