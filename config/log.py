"""What the processes say about themselves: one event per line, on stdout, with the ids that were bound.

JSON unless a person is watching a terminal. Ids (call_id, offer_id …) are bound once per webhook or unit of
work and travel through contextvars. Lines of libraries that use the standard logging take the same way out.
No line leaves with anything in it that looks like a telephone number, whoever wrote it.
"""

import logging
import re
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

MASKED = "[number]"

# Left alone: a provider's id, a key in hex, an id of the journal or an instant in milliseconds, a date.
_KEPT = (
    r"\b[A-Z]{2}[0-9a-f]{32}\b"
    r"|\b(?=[0-9]*[a-f])[0-9a-f]{16,}\b"
    r"|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|(?<![\d+])1[0-9]{12}(?:-\d{1,6})?(?!\d)"
    r"|(?<!\d)(?:19|20)\d\d-\d\d-\d\d(?!\d)"
)
# Seven to fifteen digits in a row, as people and machines write them: +86 138-0013-8000, (0571) 8765 4321.
_NUMBER = r"(?<!\d)(?:\+|00)?\(?\d(?:[ ()/\u00a0-]{0,2}\d){6,14}(?!\d)|(?:\+|%2B)\d{4,}"
_SCAN = re.compile(f"(?P<kept>{_KEPT})|{_NUMBER}")
_WHOLE_NUMBER = re.compile(r"(?:86|0)?1[3-9]\d{9}")


def get_log(name: str) -> structlog.typing.FilteringBoundLogger:
    """A logger that says which module speaks."""
    log: structlog.typing.FilteringBoundLogger = structlog.get_logger(module=name)
    return log


def bound(**ids: object) -> AbstractContextManager[None]:
    """Adds ids to every line written inside the block, by this task and those it starts."""
    return structlog.contextvars.bound_contextvars(**ids)


def configure_log(
    level: str = "info", form: Literal["auto", "json", "console"] = "auto", process: str | None = None
) -> None:
    """Set up this process; calling it again replaces the set-up."""
    as_json = form == "json" or (form == "auto" and not sys.stdout.isatty())
    level_no = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _naming(process),
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        mask_numbers,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level_no),
        logger_factory=_Stdout,
        cache_logger_on_first_use=False,
    )
    _take_over_standard_logging(level_no, shared, renderer)


def mask_numbers(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: no value of the line keeps a telephone number."""
    return {key: value if key == "timestamp" else _masked(value, key) for key, value in event.items()}


def mask_text(text: str) -> str:
    """The text without its telephone numbers."""
    return _SCAN.sub(lambda found: found[0] if found["kept"] else MASKED, text)


def _masked(value: Any, key: str = "") -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, int):
        return MASKED if _WHOLE_NUMBER.fullmatch(str(value)) and not key.endswith("_ms") else value
    if isinstance(value, Mapping):
        return {mask_text(str(name)): _masked(item, str(name)) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(item, key) for item in value]
    return mask_text(repr(value))


def _naming(process: str | None) -> Processor:
    """Says which process speaks, in every thread of it."""

    def name_process(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return event if process is None else {"process": process, **event}

    return name_process


class _Stdout:
    """Writes to whatever stdout is now; a log goes nowhere else."""

    def __init__(self, *_args: object) -> None:
        pass

    def msg(self, line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    log = debug = info = warning = warn = error = critical = fatal = exception = failure = msg


class _StdoutHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        try:
            _Stdout().msg(self.format(record))
        except Exception:
            self.handleError(record)


def _take_over_standard_logging(level_no: int, shared: list[Processor], renderer: Processor) -> None:
    handler = _StdoutHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, mask_numbers, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level_no)
    # Others' chatter is not ours to print at our level.
    for name in ("asyncio", "aiosqlite", "alembic", "rq", "twilio", "urllib3", "uvicorn.access"):
        logging.getLogger(name).setLevel(max(level_no, logging.WARNING))
