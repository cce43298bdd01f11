"""Callback settings in a REST request: where to, how, and which events, each event a field of its own."""

from ivr.standin.calls import Subscription
from ivr.standin.rest.asking import Ask

CALL_EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})


def call_subscription(ask: Ask) -> Subscription | None:
    """Events joined into one field are a known mistake: accepted with a warning, and nothing ever arrives."""
    url = ask.url("StatusCallback")
    if not url:
        return None
    events = frozenset(ask.many("StatusCallbackEvent") or ("completed",))
    if not events <= CALL_EVENTS:
        ask.exchange.complain(None, 21626, "Invalid StatusCallbackEvent value", log=1, url=url)
    return Subscription(url, ask.method("StatusCallbackMethod"), events & CALL_EVENTS)


def recording_subscription(ask: Ask, prefix: str = "RecordingStatusCallback") -> Subscription | None:
    url = ask.url(prefix)
    if not url:
        return None
    events = frozenset(
        word for field in ask.many(f"{prefix}Event") or ("completed",) for word in field.split()
    )
    return Subscription(url, ask.method(f"{prefix}Method"), events)
