"""Instants as the provider writes them: RFC 2822, always UTC."""

from datetime import UTC, datetime
from email.utils import format_datetime


def rfc2822(at_ms: int | None) -> str | None:
    return None if at_ms is None else format_datetime(_instant(at_ms))


def day_of(at_ms: int) -> str:
    """The UTC day as list filters write it."""
    return _instant(at_ms).strftime("%Y-%m-%d")


def filter_ms(text: str) -> int:
    """A list filter's instant: a day, or a day and a time in ISO 8601."""
    moment = datetime.fromisoformat(text)
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)


def _instant(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC)
