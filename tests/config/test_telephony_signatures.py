"""Who may speak to us: the provider's signature, with the known vectors and the known traps."""

import base64
import hashlib
import hmac
from dataclasses import replace

import pytest

from config.settings import Settings
from config.telephony import TwilioTelephony

FIELDS = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675310",
    "Digits": "1234",
    "From": "+14158675310",
    "To": "+18005551212",
}
URL = "https://example.com/myapp.php?foo=1&bar=2"
SIGNATURE = "L/OH5YylLD5NRKLltdqwSvS0BnU="


@pytest.fixture
def telephony(settings: Settings) -> TwilioTelephony:
    return TwilioTelephony(replace(settings, twilio_auth_token="12345"))


def sign(text: str, key: bytes = b"12345") -> str:
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha1).digest()).decode()


def test_the_vectors_of_the_documentation(telephony: TwilioTelephony):
    assert telephony.is_signed(URL, FIELDS, SIGNATURE)
    other = {**FIELDS, "Caller": "+12349013030", "From": "+12349013030"}
    assert telephony.is_signed(
        "https://mycompany.com/myapp.php?foo=1&bar=2", other, "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
    )


def test_a_json_body_is_covered_by_the_hash_in_the_url(telephony: TwilioTelephony):
    digest = "5ccde7145dfb8f56479710896586cb9d5911809d83afbe34627818790db0aec9"
    url = f"https://example.com/myapp?bodySHA256={digest}"
    assert telephony.is_signed(url, (), "hPXmLwIy3Fgqv1i9KPmH/HhQ6zo=")


@pytest.mark.parametrize(
    ("url", "fields", "signature"),
    [
        ("https://example.com/myapp.php?foo=1&bar=3", FIELDS, SIGNATURE),
        ("http://example.com/myapp.php?foo=1&bar=2", FIELDS, SIGNATURE),
        ("https://example.com/myapp.php?bar=2&foo=1", FIELDS, SIGNATURE),
        (URL, {**FIELDS, "Digits": "1235"}, SIGNATURE),
        (URL, {**FIELDS, "Extra": ""}, SIGNATURE[:-2] + "A="),
        (URL, {}, SIGNATURE),
        (URL, FIELDS, ""),
        (URL, FIELDS, "签名"),
        ("https://example.com:port/", FIELDS, SIGNATURE),
    ],
)
def test_anything_changed_is_not_signed(
    telephony: TwilioTelephony, url: str, fields: dict[str, str], signature: str
):
    assert not telephony.is_signed(url, fields, signature)


def test_what_the_provider_drops_before_signing_is_dropped(telephony: TwilioTelephony):
    for url in (
        "https://user:pass@example.com/myapp.php?foo=1&bar=2",
        "https://example.com:443/myapp.php?foo=1&bar=2",
        "https://example.com:8443/myapp.php?foo=1&bar=2",
        f"{URL}#rc=2&rp=5xx",
    ):
        assert telephony.is_signed(url, FIELDS, SIGNATURE), url


def test_over_plain_http_the_port_is_signed(telephony: TwilioTelephony):
    signature = sign("http://127.0.0.1:8300/voice/incomingCallSidCA1")
    assert telephony.is_signed("http://127.0.0.1:8300/voice/incoming", {"CallSid": "CA1"}, signature)


def test_blank_and_repeated_fields_count(telephony: TwilioTelephony):
    signature = sign("https://example.com/aCallerCityDigits1Digits2")
    fields = [("Digits", "2"), ("CallerCity", ""), ("Digits", "1"), ("Digits", "2")]
    assert telephony.is_signed("https://example.com/a", fields, signature)
    assert not telephony.is_signed("https://example.com/a", fields[:1] + fields[2:], signature)


def test_without_a_token_nobody_is_believed(settings: Settings):
    telephony = TwilioTelephony(replace(settings, twilio_auth_token=""))
    url = "https://example.com/a"
    assert not telephony.is_signed(url, {}, sign(url, key=b""))
