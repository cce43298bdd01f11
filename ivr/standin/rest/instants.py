"""List filters by time: ``Name``, ``Name<`` and ``Name>``, as days or instants."""

from ivr.standin.dates import day_of, filter_ms
from ivr.standin.rest.asking import ApiError, Ask


def in_time(ask: Ask, name: str, at_ms: int | None) -> bool:
    """Whether an instant passes the filters of one name; both bounds include their own second."""
    wanted, before, after = (ask.query(f"{name}{sign}") for sign in ("", "<", ">"))
    if not (wanted or before or after):
        return True
    if at_ms is None:
        return False
    try:
        return (
            (not wanted or day_of(at_ms) == wanted[:10])
            and (not before or at_ms < filter_ms(before) + _span_ms(before))
            and (not after or at_ms >= filter_ms(after))
        )
    except ValueError:
        raise ApiError(400, 20001, f"Invalid {name}: a day or an instant in ISO 8601") from None


def _span_ms(text: str) -> int:
    return 24 * 3600 * 1000 if len(text) == len("YYYY-MM-DD") else 1000
