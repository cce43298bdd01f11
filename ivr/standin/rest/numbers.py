"""The account's numbers and whom they ask: list, fetch, change."""

import hashlib

from ivr.standin.options import Line
from ivr.standin.rest.asking import Answer, Ask
from ivr.standin.rest.paging import page

FIELDS = {
    "VoiceUrl": "voice_url",
    "VoiceMethod": "voice_method",
    "VoiceFallbackUrl": "fallback_url",
    "VoiceFallbackMethod": "fallback_method",
    "StatusCallback": "status_url",
    "StatusCallbackMethod": "status_method",
}


async def listed(ask: Ask) -> Answer:
    wanted = ask.query("PhoneNumber")
    numbers = [number for number in ask.exchange.numbers if wanted in number]
    return page(ask, "incoming_phone_numbers", numbers, _sid, lambda number: _show(ask, number))


async def fetch(ask: Ask) -> Answer:
    return _show(ask, _find(ask))


async def update(ask: Ask) -> Answer:
    number = _find(ask)
    line = ask.exchange.numbers[number]
    changes = {field: ask.one(name) for name, field in FIELDS.items() if ask.has(name)}
    ask.exchange.numbers[number] = Line(**{**vars(line), **changes})
    return _show(ask, number)


def _find(ask: Ask) -> str:
    for number in ask.exchange.numbers:
        if _sid(number) == ask.path("number_sid"):
            return number
    raise ask.not_found()


def _sid(number: str) -> str:
    return "PN" + hashlib.sha256(number.encode()).hexdigest()[:32]


def _show(ask: Ask, number: str) -> dict[str, object]:
    line = ask.exchange.numbers[number]
    return {
        "sid": _sid(number),
        "account_sid": ask.account_sid,
        "friendly_name": number,
        "phone_number": number,
        "voice_url": line.voice_url,
        "voice_method": line.voice_method,
        "voice_fallback_url": line.fallback_url,
        "voice_fallback_method": line.fallback_method,
        "status_callback": line.status_url,
        "status_callback_method": line.status_method,
        "api_version": "2010-04-01",
        "capabilities": {"voice": True, "sms": False, "mms": False, "fax": False},
        "uri": f"/2010-04-01/Accounts/{ask.account_sid}/IncomingPhoneNumbers/{_sid(number)}.json",
    }
