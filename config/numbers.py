"""Telephone numbers: E.164 inside, readable forms outside, and a key that stands for one without being it."""

import hashlib
import hmac
import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

_WRITTEN = re.compile(r"\s*[+\uff0b]?[\d\s()./\u2010-\u2015-]{3,30}")
_SHOWN_LAST = 4
_SHOWN_FIRST = 3
_HIDDEN_MIN = 3
_KEY_LENGTH = 32


def parse(text: str, region: str) -> str | None:
    """The number in E.164, or nothing when it is not one: withheld, a client's name, a short code."""
    if not _WRITTEN.fullmatch(text):
        return None  # the library would find a number inside "sip:13800138000@example.com"
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def display(e164: str) -> str:
    """As people of the number's own country read it, with its country in front."""
    try:
        number = phonenumbers.parse(e164, None)
    except NumberParseException:
        return e164
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)


def mask(e164: str) -> str:
    """Enough to recognise, too little to dial: +86 138****5678."""
    try:
        number = phonenumbers.parse(e164, None)
    except NumberParseException:
        return "****"
    national = phonenumbers.national_significant_number(number)
    hidden = len(national) - _SHOWN_FIRST - _SHOWN_LAST
    if hidden < _HIDDEN_MIN:  # a short number keeps only its end
        return f"+{number.country_code} ****{national[-_SHOWN_LAST // 2 :]}"
    return f"+{number.country_code} {national[:_SHOWN_FIRST]}{'*' * hidden}{national[-_SHOWN_LAST:]}"


def number_key(secret: str, e164: str) -> str:
    """The same number always gives the same key; the key gives nothing back."""
    return _key(secret, e164)


def account_key(secret: str, site: str, digits: str) -> str:
    """Of an account number as it is keyed; another site's account of the same digits has another."""
    return _key(secret, f"account:{site}:{digits}")


def code_key(secret: str, code: str) -> str:
    """Of an access code, which is told once and kept nowhere."""
    return _key(secret, f"code:{code}")


def _key(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()[:_KEY_LENGTH]


def is_mobile(e164: str) -> bool:
    """Whether text messages may reach it; a country whose numbers do not tell counts as yes."""
    try:
        number = phonenumbers.parse(e164, None)
    except NumberParseException:
        return False
    return phonenumbers.number_type(number) in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


def area_code(e164: str) -> str:
    """The area of a landline, 571 of +8657188886666; nothing for a number that is in no area."""
    try:
        number = phonenumbers.parse(e164, None)
    except NumberParseException:
        return ""
    length = phonenumbers.length_of_geographical_area_code(number)
    return phonenumbers.national_significant_number(number)[:length]
