"""Messages: text messages, which are noted and reach nobody."""

from ivr.standin.rest.asking import Answer, ApiError, Ask
from ivr.standin.sids import new_sid


async def create(ask: Ask) -> Answer:
    to, from_, body = (ask.one(name) for name in ("To", "From", "Body"))
    if not to.startswith("+"):
        raise ApiError(400, 21211, "Invalid 'To' Phone Number")
    if not body:
        raise ApiError(400, 21602, "Message body is required.")
    ask.exchange.texts.append((to, from_, body))
    return {"sid": new_sid("SM"), "to": to, "from": from_, "body": body, "status": "queued"}
