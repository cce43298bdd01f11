"""Traces by OpenTelemetry, for whoever has installed `shouwen[otel]` and set its variables; for everybody else nothing.

Spans: a webhook, the scripts it runs, an effect performed, the request to the provider, a job. What is done for one
call in any process is in one trace: its id is made of the call's, so nothing has to be carried from process to process,
and a sampler that goes by the trace's id keeps a call whole or not at all. No span has a number, a name or what was
keyed: attributes are words and ids of ours, masked as the log is, and of a fault only its kind is told.
"""

import hashlib
import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from config.log import get_log, mask_text

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

ASKED_BY: Final = (
    "OTEL_TRACES_EXPORTER",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
)
NAME: Final = "shouwen"

log = get_log(__name__)

_tracer: Any = None
_wanted: ContextVar[int] = ContextVar("wanted_trace", default=0)


class Span:
    """What a piece of work says of itself while it is done; without a tracer, to nobody."""

    def __init__(self, span: Any = None) -> None:
        self._span = span

    def tell(self, **attributes: str | int | bool) -> None:
        if self._span is not None:
            self._span.set_attributes(_plain(attributes))


_NOTHING: Final = nullcontext(Span())


def is_on() -> bool:
    return _tracer is not None


def span(name: str, *, of: str = "", **attributes: str | int | bool) -> AbstractContextManager[Span]:
    """A piece of work; `of` is the id of the call in whose trace it belongs, if it is about one."""
    return _NOTHING if _tracer is None else _spanned(name, of, attributes)


def part(name: str, **attributes: str | int | bool) -> AbstractContextManager[Span]:
    """A part of the piece of work that goes on; on its own it is not told."""
    if _tracer is None or not _is_within():
        return _NOTHING
    return _spanned(name, "", attributes)


def begin(environ: Mapping[str, str], process: str) -> bool:
    """Trace this process if the environment asks for it; whether it does."""
    exporter = environ.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower()
    is_off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if is_off or exporter == "none" or not any(environ.get(name) for name in ASKED_BY):
        return False
    if not _has("opentelemetry.sdk"):
        log.warning("traces.not_installed", install="shouwen[otel]")
        return False
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

    if exporter == "console":
        begin_with(BatchSpanProcessor(ConsoleSpanExporter()), process)
        return True
    if not _has("opentelemetry.exporter.otlp.proto.http"):
        log.warning("traces.not_installed", install="shouwen[otel]")
        return False
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # type: ignore[import-not-found, unused-ignore]
        OTLPSpanExporter,
    )

    begin_with(BatchSpanProcessor(OTLPSpanExporter()), process)
    return True


def _has(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of a package above it
        return False


def begin_with(processor: Any, process: str) -> "TracerProvider":
    """To wherever this processor leads. Service name, sampler and limits are those of OTEL_*."""
    global _tracer
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class ByCall(RandomIdGenerator):
        def generate_trace_id(self) -> int:
            return _wanted.get() or super().generate_trace_id()

    # What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say goes before our own name.
    told = Resource.create({"shouwen.process": process})
    if str(told.attributes.get("service.name", "")).startswith("unknown_service"):
        told = told.merge(Resource({"service.name": NAME}))
    provider = TracerProvider(resource=told, id_generator=ByCall())
    provider.add_span_processor(processor)
    _tracer = provider.get_tracer(NAME)
    return provider


def end() -> None:
    global _tracer
    _tracer = None


def trace_id_of(call_id: str) -> int:
    """Sixteen bytes of a digest: the same in every process."""
    return int.from_bytes(hashlib.sha256(f"call:{call_id}".encode()).digest()[:16]) or 1


def _is_within() -> bool:
    from opentelemetry import trace

    return trace.get_current_span().is_recording()


@contextmanager
def _spanned(name: str, of: str, attributes: Mapping[str, str | int | bool]) -> Iterator[Span]:
    from opentelemetry import trace
    from opentelemetry.context import Context
    from opentelemetry.trace import Status, StatusCode

    wanted = trace_id_of(of) if of else 0
    is_elsewhere = bool(wanted) and trace.get_current_span().get_span_context().trace_id != wanted
    mark = _wanted.set(wanted)
    try:
        with _tracer.start_as_current_span(
            mask_text(name),
            context=Context() if is_elsewhere else None,
            attributes=_plain(attributes),
            record_exception=False,  # its message and its frames may hold a number
            set_status_on_exception=False,
        ) as found:
            try:
                yield Span(found)
            except BaseException as fault:
                found.set_status(Status(StatusCode.ERROR, type(fault).__name__))
                raise
    finally:
        _wanted.reset(mark)


def _plain(attributes: Mapping[str, str | int | bool]) -> dict[str, str | int | bool]:
    return {
        f"shouwen.{name}": mask_text(value) if isinstance(value, str) else value
        for name, value in attributes.items()
    }
