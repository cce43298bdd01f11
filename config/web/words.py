"""Sentences of the pages in each language, from YAML catalogues that every storey brings along.

A key is written with dots (`sign_in.title`). A sentence is whole: what varies is a named place in it
(`{name}`), never a second piece glued on. Where a number decides the form, the value is a mapping
`one:`/`other:` and the sentence takes `n`.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

from config.log import get_log

LOCALES = {"zh": "中文", "en": "English"}  # the first is the house's own
DEFAULT_LOCALE = "zh"
LANGUAGE_TAGS = {"zh": "zh-CN", "en": "en"}

Sentence = str | Mapping[str, str]

log = get_log(__name__)


class CatalogueError(Exception):
    """A catalogue cannot be used."""


class Words:
    """All catalogues of an installation, merged: words("en", "sign_in.title")."""

    def __init__(self, directories: Iterable[Path]) -> None:
        self._sentences: dict[str, dict[str, Sentence]] = {locale: {} for locale in LOCALES}
        for directory in directories:
            for locale in LOCALES:
                self._add(locale, directory / f"{locale}.yaml")

    def __call__(self, locale: str, key: str, /, **values: object) -> str:
        sentence = self._sentences[locale].get(key)
        if sentence is None:
            log.warning("words.missing", key=key, locale=locale)
            return key
        if isinstance(sentence, Mapping):
            sentence = sentence["one" if values.get("n") == 1 and "one" in sentence else "other"]
        return sentence.format(**values) if values else sentence

    def keys(self, locale: str) -> frozenset[str]:
        return frozenset(self._sentences[locale])

    def _add(self, locale: str, path: Path) -> None:
        if not path.exists():
            return
        for key, sentence in _catalogue(path, path.stat().st_mtime_ns):
            if key in self._sentences[locale]:
                raise CatalogueError(f"{path}: {key} has been said by another storey")
            self._sentences[locale][key] = sentence


@cache
def _catalogue(path: Path, _written_ns: int) -> tuple[tuple[str, Sentence], ...]:
    """One catalogue; read once in a process, since reading takes a good part of its start."""
    return tuple(_flat(YAML(typ="safe", pure=True).load(path) or {}))


def _flat(tree: Mapping[str, object], prefix: str = "") -> Iterable[tuple[str, Sentence]]:
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if not isinstance(value, Mapping):
            yield key, str(value)
        elif "other" in value:
            yield key, {str(form): str(sentence) for form, sentence in value.items()}
        else:
            yield from _flat(value, f"{key}.")
