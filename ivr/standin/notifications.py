"""What the provider has to complain about: one entry per refused document or failed request.

Log level 0 is an error, 1 a warning. A demo or a test that leaves any entry here has failed.
"""

from dataclasses import dataclass

from ivr.standin.dates import rfc2822
from ivr.standin.sids import new_sid


@dataclass(frozen=True)
class Notification:
    sid: str
    call_sid: str | None
    code: int
    log: int
    message: str
    request_method: str
    request_url: str
    at_ms: int

    def as_json(self, account_sid: str) -> dict[str, object]:
        uri = f"/2010-04-01/Accounts/{account_sid}/Notifications/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": account_sid,
            "call_sid": self.call_sid,
            "api_version": "2010-04-01",
            "log": str(self.log),
            "error_code": str(self.code),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "message_text": self.message,
            "message_date": rfc2822(self.at_ms),
            "request_method": self.request_method,
            "request_url": self.request_url,
            "date_created": rfc2822(self.at_ms),
            "date_updated": rfc2822(self.at_ms),
            "uri": f"{uri}.json",
        }


class Notifications:
    def __init__(self) -> None:
        self.entries: list[Notification] = []

    def add(
        self,
        code: int,
        message: str,
        *,
        at_ms: int,
        call_sid: str | None = None,
        log: int = 0,
        request_method: str = "",
        request_url: str = "",
    ) -> Notification:
        entry = Notification(new_sid("NO"), call_sid, code, log, message, request_method, request_url, at_ms)
        self.entries.append(entry)
        return entry

    def codes(self) -> list[int]:
        return [entry.code for entry in self.entries]
