"""A site's rules as people read them: `受电容量 ≥ 2000 或 年用电量 ≥ 5000000`."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from queues.domain.rules import Rule
from queues.web.words import Words

_SIGNS: Final[Mapping[str, str]] = {
    "at_least": "≥",
    "at_most": "≤",
    "over": ">",
    "under": "<",
    "is": "=",
    "is_not": "≠",
}


def rule_in_words(rule: Rule, words: Words) -> str:
    return _told(rule, words, is_inside=False)


def _told(rule: Rule, words: Words, *, is_inside: bool) -> str:
    parts = rule.any_of or rule.all_of
    if parts:
        between = words.t("tiers.rule.or" if rule.any_of else "tiers.rule.and")
        whole = f" {between} ".join(_told(each, words, is_inside=True) for each in parts)
        return f"({whole})" if is_inside and len(parts) > 1 else whole
    if rule.band is not None:
        return words.t("tiers.rule.band", band=words.band(rule.band))
    return f" {words.t('tiers.rule.and')} ".join(
        _leaf(rule.attribute or "", comparison, asked, words)
        for comparison, asked in rule.comparisons.items()
    )


def _leaf(attribute: str, comparison: str, asked: Any, words: Words) -> str:
    name = words.field(attribute)
    if comparison in _SIGNS:
        return f"{name} {_SIGNS[comparison]} {_value(attribute, asked, words)}"
    values = [_value(attribute, each, words) for each in asked]
    told: Callable[..., str] = words.t
    if comparison == "in":
        return told("tiers.rule.in", name=name, values=words.t("why.comma").join(values))
    return told(f"tiers.rule.{comparison}", name=name, low=values[0], high=values[1])


def _value(attribute: str, value: Any, words: Words) -> str:
    if isinstance(value, bool):
        return words.t("state.yes" if value else "state.no")
    if attribute == "area":
        return words.area(str(value))
    return words.value(attribute, str(value))
