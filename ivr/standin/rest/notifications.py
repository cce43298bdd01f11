"""Notifications: what the provider had to complain about, of the account or of one call."""

from ivr.standin.notifications import Notification
from ivr.standin.rest.asking import Answer, Ask
from ivr.standin.rest.paging import page


async def listed(ask: Ask) -> Answer:
    call_sid = ask.request.path_params.get("call_sid")
    entries = [
        entry
        for entry in reversed(ask.exchange.notifications.entries)
        if (call_sid is None or entry.call_sid == call_sid) and ask.query("Log") in {"", str(entry.log)}
    ]
    return page(ask, "notifications", entries, lambda entry: entry.sid, lambda entry: _show(ask, entry))


async def fetch(ask: Ask) -> Answer:
    for entry in ask.exchange.notifications.entries:
        if entry.sid == ask.path("notification_sid"):
            return _show(ask, entry)
    raise ask.not_found()


def _show(ask: Ask, entry: Notification) -> dict[str, object]:
    return entry.as_json(ask.account_sid)
