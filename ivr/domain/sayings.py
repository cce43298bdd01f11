"""Values of a site's files in words: lengths of time, hours, rules, texts, yes and no; in Chinese or in English."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ivr.domain.outline import CHINESE, ENGLISH
from queues.domain.clocks import Span
from queues.domain.parts import Part
from queues.domain.rules import Rule

_UNITS: Final = ((3_600_000, "小时", "h"), (60_000, "分", "min"), (1000, "秒", "s"))
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CHINESE_DAYS: Final = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
_WORDS: Final[Mapping[Any, tuple[str, str]]] = {
    None: ("无", "none"),
    True: ("是", "yes"),
    False: ("否", "no"),
    "": ("无", "none"),
    "closed": ("休息", "closed"),
    "any": ("任一：", "any of: "),
    "all": ("同时：", "all of: "),
    "band": ("排名档", "band"),
}
_SIGNS: Final[Mapping[str, str]] = {
    "at_least": "≥",
    "at_most": "≤",
    "over": ">",
    "under": "<",
    "is": "=",
    "is_not": "≠",
    "in": "∈",
    "not_in": "∉",
    "between": "∈",
    "not_between": "∉",
}


def duration(ms: int, language: str) -> str:
    """1m30s in words; what is no whole second keeps its milliseconds."""
    said: list[str] = []
    rest = ms
    for unit_ms, chinese, english in _UNITS:
        count, rest = divmod(rest, unit_ms)
        if count:
            said.append(f"{count} {english}" if language == ENGLISH else f"{count}{chinese}")
    if rest or not said:
        said.append(f"{rest / 1000:g} s" if language == ENGLISH else f"{rest / 1000:g}秒")
    return (" " if language == ENGLISH else "").join(said)


def saying(field: str, value: Any, language: str) -> str:
    """A value as it stands in a sentence."""
    if value is None or isinstance(value, bool) or value == "":
        return _word(value, language)
    if field.endswith("ms") and isinstance(value, int):
        return duration(value, language)
    if isinstance(value, Span):
        return _span(value, language)
    if isinstance(value, Rule):
        return rule_in_words(value, language)
    if isinstance(value, Part):
        return _part(value, language)
    if isinstance(value, Mapping):
        return _mapping(field, value, language)
    if isinstance(value, tuple | list | frozenset):
        return _list(field, value, language)
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value)


def rule_in_words(rule: Rule, language: str) -> str:
    """capacity_kva ≥ 3150"""
    for kind, rules in (("any", rule.any_of), ("all", rule.all_of)):
        if rules is not None:
            inner = ("；" if language == CHINESE else "; ").join(
                rule_in_words(each, language) for each in rules
            )
            return f"({_word(kind, language)}{inner})"
    if rule.band is not None:
        return f"{_word('band', language)} {rule.band}"
    ((how, asked),) = rule.comparisons.items()
    return f"{rule.attribute} {_SIGNS.get(how, how)} {saying('', asked, language)}"


def _span(span: Span, language: str) -> str:
    if not span.workdays:
        return duration(span.ms, language)
    return f"{span.workdays} workdays" if language == ENGLISH else f"{span.workdays}个工作日"


def texts_changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(language, was, is) for each language in which a text is another now."""
    found = []
    for language in dict.fromkeys((*before, *after)):
        was, now = _flat(before.get(language, "")), _flat(after.get(language, ""))
        if was != now:
            found.append((language, was, now))
    return found


def is_text(value: Any) -> bool:
    """Whether this is a text by language, such as {zh: 停电报修, en: Power cut}."""
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(isinstance(key, str) and 2 <= len(key) <= 3 and key.isalpha() for key in value)
        and all(isinstance(text, str) for text in value.values())
    )


def _flat(text: str) -> str:
    return " ".join(text.split())


def _word(value: Any, language: str) -> str:
    return _WORDS[value][language == ENGLISH]


def _part(value: Part, language: str) -> str:
    """What it says beside what holds anyway; all of it where it says no more than that."""
    told = [
        (field, inner)
        for field, inner in value
        if inner != type(value).model_fields[field].default and not (inner in ({}, ()) and not inner)
    ]
    said = [f"{_given(field, value)} {saying(field, inner, language)}" for field, inner in told or value]
    return ", ".join(said) if language == ENGLISH else "，".join(said)


def _given(field: str, value: Part) -> str:
    return type(value).model_fields[field].alias or field


def _mapping(field: str, value: Mapping[Any, Any], language: str) -> str:
    if is_text(value):
        text = value.get(language) or next(iter(value.values()))
        return f"“{_flat(text)}”"
    if field == "weekly":
        return _week(value, language)
    said = [f"{saying('', key, language)} {saying(field, inner, language)}" for key, inner in value.items()]
    return ("; " if language == ENGLISH else "；").join(said) or _word(None, language)


def _week(value: Mapping[str, Any], language: str) -> str:
    """mon-fri 08:30-17:30: days that follow each other with the same hours are told together."""
    days = [(day, _list("weekly", value[day], language)) for day in _DAYS if value.get(day)]
    said: list[list[str]] = []
    for day, hours in days:
        if said and said[-1][2] == hours and _DAYS.index(day) == _DAYS.index(said[-1][1]) + 1:
            said[-1][1] = day
        else:
            said.append([day, day, hours])
    told = [f"{_days(first, last, language)} {hours}" for first, last, hours in said]
    return ("; " if language == ENGLISH else "；").join(told)


def _days(first: str, last: str, language: str) -> str:
    names = [
        day if language == ENGLISH else _CHINESE_DAYS[_DAYS.index(day)]
        for day in dict.fromkeys((first, last))
    ]
    return ("-" if language == ENGLISH else "至").join(names)


def _list(field: str, value: Iterable[Any], language: str) -> str:
    items = list(value)
    if field in {"weekly", "exceptions"}:
        return " ".join(_hours(each) for each in items) or _word("closed", language)
    return (", " if language == ENGLISH else "、").join(
        saying("", each, language) for each in items
    ) or _word(None, language)


def _hours(span: Any) -> str:
    start, end = span
    return f"{start // 60:02d}:{start % 60:02d}-{end // 60:02d}:{end % 60:02d}"
