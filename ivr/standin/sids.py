"""Identifiers as the provider shapes them: two letters and 32 hexadecimal digits."""

import re
import secrets

_SHAPE = re.compile(r"[A-Z]{2}[0-9a-f]{32}")


def new_sid(prefix: str) -> str:
    return prefix + secrets.token_hex(16)


def is_sid(text: str, prefix: str) -> bool:
    return text.startswith(prefix) and _SHAPE.fullmatch(text) is not None
