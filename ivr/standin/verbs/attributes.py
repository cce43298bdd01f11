"""Attribute checks that several verbs share, with the words the provider's own enumerations allow."""

from ivr.standin.twiml import METHOD, Attribute, address, all_of, one_of

ANY_URL = Attribute(address, 11100)
ANY_METHOD = Attribute(METHOD)
CALL_EVENTS = Attribute(all_of("initiated", "ringing", "answered", "completed"), 21626)
RECORDING_EVENTS = Attribute(all_of("in-progress", "completed", "absent"), 21626)
TRIM = Attribute(one_of("trim-silence", "do-not-trim"))
DIGITS = frozenset("0123456789*#")


def some_digits(text: str) -> bool:
    return set(text) <= DIGITS


def callback(prefix: str, events: Attribute) -> dict[str, Attribute]:
    """A callback's three attributes: where, how, and about what."""
    return {prefix: ANY_URL, f"{prefix}Method": ANY_METHOD, f"{prefix}Event": events}
