"""What a site's files are written in: texts in every language, lengths of time, short names.

A duration is written `2m`, `15s` or `1m30s` in the files and is a number of milliseconds here. A text is given
once for each language of the site. A language that reads another's texts (Cantonese reads the Chinese ones) has
them from the moment they are read, so that whoever looks a text up need not know of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo

_DURATION = re.compile(r"(?:(\d{1,4})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Part(BaseModel):
    """A piece of a site's files: read once, never changed, and it knows every one of its names."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def read_duration(value: Any, info: ValidationInfo) -> int:
    """`1m30s` in milliseconds. A bare number is refused in a file: nobody can tell its unit."""
    if isinstance(value, str):
        return duration_of(value)
    if isinstance(value, int) and not isinstance(value, bool) and (value == 0 or not is_from_files(info)):
        return value
    raise ValueError(f"'{value}' is not a duration such as 15s, 2m or 1m30s")


def duration_of(text: str) -> int:
    """ms"""
    found = _DURATION.fullmatch(text)
    if not found or not text:
        raise ValueError(f"'{text}' is not a duration such as 15s, 2m or 1m30s")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000


def is_from_files(info: ValidationInfo) -> bool:
    return bool(info.context and info.context.get("from_files"))


def language_of(locale: str) -> str:
    """The texts for `zh-CN` are those under `zh`."""
    return locale.partition("-")[0]


def words_context(languages: tuple[str, ...], reads: Mapping[str, str]) -> dict[str, Any]:
    """What a text is checked against: the site's languages, and which of them read another's texts.

    `languages` are locales (`yue-HK`); `reads` says whose texts a locale reads (`{yue-HK: zh}`).
    """
    borrowed = {language_of(locale): text for locale, text in reads.items()}
    return {"languages": tuple(dict.fromkeys(map(language_of, languages))), "reads": borrowed}


def check_languages(words: dict[str, str], info: ValidationInfo) -> dict[str, str]:
    """Every language of the site, save those that read another's texts."""
    context = info.context or {}
    wanted, reads = tuple(context.get("languages", ())), context.get("reads", {})
    needed = [language for language in wanted if language not in reads]
    if missing := [language for language in needed if not words.get(language, "").strip()]:
        raise ValueError(f"the text is missing in {' and '.join(missing)}")
    if extra := [language for language in words if wanted and language not in wanted]:
        raise ValueError(f"'{extra[0]}' is not a language of this site ({', '.join(wanted)})")
    return words


def lend_texts(words: dict[str, str], info: ValidationInfo) -> dict[str, str]:
    """A language without a text of its own gets that of the language it reads."""
    reads: Mapping[str, str] = (info.context or {}).get("reads", {})
    lent = {
        language: words[text] for language, text in reads.items() if text in words and not words.get(language)
    }
    return {**words, **lent} if lent else words


def check_short_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"'{text}' is not a short name such as dispatch_urgent (small letters, digits, _)")
    return text


Duration = Annotated[int, BeforeValidator(read_duration)]
OwnWords = Annotated[dict[str, str], AfterValidator(check_languages)]  # as they were given, nothing lent
Words = Annotated[dict[str, str], AfterValidator(check_languages), AfterValidator(lend_texts)]
ShortName = Annotated[str, AfterValidator(check_short_name)]


def in_locale(words: Mapping[str, str], locale: str) -> str:
    """The text for `zh-CN` is the one under `zh`; the first one for a language that is not there."""
    return words.get(language_of(locale)) or next(iter(words.values()), "")
