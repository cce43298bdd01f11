"""What we heard of a caller at a question, and which answer it means: a key, digits, or words.

Words are matched in the caller's language alone: an option is meant when one of its words is in what was
said; of several the longest word counts, so that "不是" is a no though "是" is in it. What two options could
equally mean is nobody's. How sure the recogniser is says whether we ask back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ivr.domain.nodes import END_KEY, Option
from ivr.domain.texts import as_heard
from queues.domain.parts import language_of


@dataclass(frozen=True, slots=True)
class Heard:
    """Digits and words are the caller's own: they are never shown, logged or put into an address."""

    digits: str = field(default="", repr=False)
    speech: str = field(default="", repr=False)
    confidence: float | None = None
    has_ended: bool = False  # by the end key, which is not among the digits

    @property
    def key(self) -> str:
        """The one key of a question; some providers keep the end key apart even there."""
        return self.digits[:1] or (END_KEY if self.has_ended else "")


SILENCE = Heard()


def meant(options: Iterable[Option], said: str, locale: str) -> Option | None:
    """The option whose words were said; None where none is, or two are."""
    language = language_of(locale)
    scores = [(longest_word(option.words.get(language, ()), said), option) for option in options]
    best = max((score for score, _ in scores), default=0)
    found = [option for score, option in scores if score == best]
    return found[0] if best and len(found) == 1 else None


def is_yes(
    yes: Mapping[str, tuple[str, ...]], no: Mapping[str, tuple[str, ...]], said: str, locale: str
) -> bool | None:
    """A yes, a no, or neither."""
    language = language_of(locale)
    for_yes = longest_word(yes.get(language, ()), said)
    for_no = longest_word(no.get(language, ()), said)
    return None if for_yes == for_no else for_yes > for_no


def longest_word(words: Iterable[str], said: str) -> int:
    """The length of the longest of these words in what was said; 0 = none of them is."""
    text = as_heard(said)
    return max((len(word) for word in map(as_heard, words) if word and _is_in(word, text)), default=0)


def _is_in(word: str, text: str) -> bool:
    if word.isascii():
        return f" {word} " in f" {text} "
    return word.replace(" ", "") in text.replace(" ", "")
