"""Keys that a question speaks of and keys that it offers: a caller who does as he is told finds what was promised.

A prompt is free text, so this is a guess and only ever warns: it knows "press 1" in Chinese, Cantonese and
English, as a numeral or as a word, and says nothing of other languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from ivr.domain.nodes import GatherNode, Keys, Menu
from queues.domain.faults import Steps
from queues.domain.parts import in_locale, language_of

_HAN: Final[Mapping[str, str]] = dict(zip("零一二三四五六七八九", "0123456789", strict=True))
_NUMERALS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_ENGLISH: Final[Mapping[str, str]] = {word: str(digit) for digit, word in enumerate(_NUMERALS)}
_BY_HAN: Final = (re.compile(r"[按撳揿]\s*([0-9零一二三四五六七八九])"), _HAN)
_BY_ENGLISH: Final = (re.compile(rf"\bpress\s+([0-9]\b|(?:{'|'.join(_ENGLISH)})\b)", re.IGNORECASE), _ENGLISH)
_SPOKEN: Final = {"zh": _BY_HAN, "yue": _BY_HAN, "en": _BY_ENGLISH}


def spoken_keys(language: str, text: str) -> set[str]:
    """The digits that this text tells a caller to press."""
    pattern, words = _SPOKEN[language]
    found = [each.lower() for each in pattern.findall(text)]
    return {words.get(each, each) for each in found}


def mismatches(menu: Menu) -> Iterator[tuple[Steps, str]]:
    """Where a question speaks of a key that does nothing there, or keeps quiet about one that does something."""
    for name, node in menu.nodes.items():
        if isinstance(node, GatherNode):
            yield from _of_question(name, node, menu)


def _of_question(name: str, node: GatherNode, menu: Menu) -> Iterator[tuple[Steps, str]]:
    here: Steps = ("menu", "nodes", name)
    offered = {option.key for option in node.options}
    for locale in menu.languages:
        if language_of(locale) not in _SPOKEN:
            continue
        spoken, text = _heard(node, locale)
        for key in sorted(spoken - offered - _everywhere(menu.keys)):
            yield (*here, "prompt"), f"in {locale} the caller is told to press {key}, which is no option here"
        for position, option in enumerate(node.options):
            if option.key.isdigit() and option.key not in {*spoken, *text, menu.keys.person}:
                why = f"in {locale} the prompt does not speak of key {option.key}"
                yield (*here, "options", position), why


def _heard(node: GatherNode, locale: str) -> tuple[set[str], str]:
    """The keys spoken to a caller of this language, and all the words: his prompt, then the lines for others."""
    own = language_of(locale)
    prompt = in_locale(node.prompt, locale)
    others = {each: text for each, text in (node.in_other_languages or {}).items() if each != own}
    spoken = spoken_keys(own, prompt)
    for language, text in others.items():
        if language in _SPOKEN:
            spoken |= spoken_keys(language, text)
    # The line in his own language tells those who read this prompt's text in another one.
    return spoken, " ".join((prompt, *(node.in_other_languages or {}).values()))


def _everywhere(keys: Keys) -> set[str]:
    return {keys.repeat, keys.back, keys.do_not_record, keys.person}
