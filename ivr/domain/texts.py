"""How long a spoken text may be, and how numbers in it are read: digit by digit.

The provider's voices take a limited text at a time, counted also in its url-encoded form, where a Chinese
character is nine. A number read as one word cannot be written down by who hears it, so ticket numbers, codes
and amounts are spelled.
"""

import re
from typing import Final
from urllib.parse import quote

CHARACTERS_MAX: Final = 2900  # neural voices take 3000
ENCODED_MAX: Final = 4400  # and the text, url-encoded, 4500
PLACEHOLDER: Final = re.compile(r"\{(\w*)\}")
_SENTENCE = re.compile(r"[^。！？；.!?;]*[。！？；.!?;]?\s*")
_TICKET = re.compile(r"\bT\d{4,}\b", re.ASCII)
_AMOUNT = re.compile(r"(?<![\d.,:-])\d[\d,]*(?:\.\d+)?(?=\s*(?:元|块|圆|yuan\b|RMB\b|CNY\b))", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"(?<![\w.,:-])\d{5,}(?![\w:-])", re.ASCII)
_UNHEARD = re.compile(r"[\W_]+")


def fits(text: str) -> bool:
    """Whether one Say may hold this text."""
    return len(text) <= CHARACTERS_MAX and len(quote(text)) <= ENCODED_MAX


def split(text: str) -> list[str]:
    """The text in pieces that one Say may hold each, cut between sentences where there are any."""
    pieces: list[str] = []
    current = ""
    for sentence in _SENTENCE.findall(text):
        for part in _short_parts(sentence):
            if current and not fits(current + part):
                pieces.append(current.strip())
                current = ""
            current += part
    return [piece for piece in (*pieces, current.strip()) if piece]


def _short_parts(sentence: str) -> list[str]:
    if fits(sentence):
        return [sentence]
    width = ENCODED_MAX // max(len(quote(character)) for character in sentence)
    return [sentence[start : start + width] for start in range(0, len(sentence), width)]


def spelled(number: str) -> str:
    """Digit by digit: without the spaces speech reads one large number."""
    return " ".join(number)


def spelled_in(text: str, locale: str) -> str:
    """A text from people, with its ticket numbers, amounts and long numbers digit by digit; dates stay."""
    point = "点" if locale.startswith(("zh", "yue", "cmn")) else "point"

    def amount(found: re.Match[str]) -> str:
        return spelled(found[0].replace(",", "")).replace(".", point)

    text = _TICKET.sub(lambda found: spelled(found[0]), text)
    return _LONG_NUMBER.sub(lambda found: spelled(found[0]), _AMOUNT.sub(amount, text))


def as_heard(text: str) -> str:
    """Letters and digits alone, as two ways of writing one spoken word agree: `Power-cut!` is `power cut`."""
    return _UNHEARD.sub(" ", text.casefold()).strip()
