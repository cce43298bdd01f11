"""The form of a trial: what was typed as terms, and each fault by its field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ivr.service.trials import Refusal
from ivr.simulation.terms import CEILING, HEAD_START, PATIENCES, Terms
from ivr.simulation.variant import KNOBS
from queues.web.times import local
from queues.web.words import Words

AGENTS_MAX: Final = 500
MORE_MAX: Final = 50
SEED_MAX: Final = 2**31 - 1
SECONDS_MAX: Final = 3600
# An hour and a day: how long a head start or a ceiling may be tried.
TIER_SECONDS_MAX: Final = 24 * 3600
TEXT_MAX: Final = 40


@dataclass(slots=True)
class TermsForm:
    """Reads the fields one by one; what cannot be read is in `faults` and counts as not given."""

    given: Mapping[str, str]
    now_ms: int
    zone: str
    faults: dict[str, Refusal] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        return self.given.get(name, "").strip()[:TEXT_MAX] or default

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        return int(self.number(name, least, most, is_whole=True) or 0) if self.text(name) else default

    def number(self, name: str, least: int, most: int, *, is_whole: bool = False) -> float | None:
        """None where nothing was typed."""
        typed = self.text(name).replace("−", "-").replace("＋", "+")
        if not typed:
            return None
        try:
            value = float(int(typed)) if is_whole else round(float(typed), 1)
        except (ValueError, OverflowError):
            self.faults[name] = ("no_number", {"text": typed})
            return None
        if not least <= value <= most:
            self.faults[name] = ("out_of_range", {"least": least, "most": most})
            return None
        return value

    def day(self) -> str:
        today = local(self.now_ms, self.zone).date()
        typed = self.text("day")
        try:
            day = dt.date.fromisoformat(typed)
        except ValueError:
            self.faults["day"] = ("no_day", {"text": typed})
            return today.isoformat()
        if day > today:
            self.faults["day"] = ("future", {})
        elif day.year < 2000:
            self.faults["day"] = ("no_day", {"text": typed})
        return day.isoformat()

    def tiers(self, known: Mapping[str, Any]) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for tier in known:
            for knob in KNOBS:
                least = 1 if knob == CEILING else 0
                seconds = self.number(f"{knob}.{tier}", least, TIER_SECONDS_MAX, is_whole=True)
                if seconds is not None:
                    found.setdefault(tier, {})[knob] = int(seconds)
        return found


def read_terms(
    given: Mapping[str, str], words: Words, now_ms: int, tiers: Mapping[str, Any]
) -> tuple[Terms, dict[str, Refusal]]:
    """The terms as far as they can be read, and what cannot."""
    form = TermsForm(given, now_ms, words.plan.timezone)
    from_hour, until_hour = form.whole("from_hour", 0, 0, 23), form.whole("until_hour", 24, 1, 24)
    if until_hour <= from_hour and not {"from_hour", "until_hour"} & form.faults.keys():
        form.faults["until_hour"] = ("hours", {})
    agents = 0
    if form.text("staff") == "number":
        agents = form.whole("agents", 0, 1, AGENTS_MAX)
        if not agents:
            form.faults.setdefault("agents", ("how_many", {}))
    patience = form.text("patience", "estimated")
    terms = Terms(
        day=form.day(),
        from_hour=from_hour,
        until_hour=until_hour,
        agents=agents,
        patience="stays" if patience == PATIENCES[1] else "estimated",
        seed=form.whole("seed", 1, 0, SEED_MAX),
        before=form.text("before"),
        after=form.text("after"),
        more=form.whole("more", 0, -MORE_MAX, MORE_MAX),
        ring_s=form.number("ring_s", 0, SECONDS_MAX),
        wrap_up_s=form.number("wrap_up_s", 0, SECONDS_MAX),
        tiers=form.tiers(tiers),
    )
    return terms, form.faults


def values_of(terms: Terms) -> dict[str, str]:
    """The fields as they would have been typed."""
    told = {
        "day": terms.day,
        "from_hour": str(terms.from_hour),
        "until_hour": str(terms.until_hour),
        "staff": "number" if terms.agents else "record",
        "agents": str(terms.agents or ""),
        "patience": terms.patience,
        "seed": str(terms.seed),
        "before": terms.before,
        "after": terms.after,
        "more": str(terms.more or ""),
        "ring_s": _typed(terms.ring_s),
        "wrap_up_s": _typed(terms.wrap_up_s),
    }
    for tier, knobs in terms.tiers.items():
        told |= {f"{knob}.{tier}": str(seconds) for knob, seconds in knobs.items()}
    return told


def sentence(fault: Refusal, words: Words) -> str:
    """A fault in the reader's language, queues and tiers by their names."""
    name, values = fault
    told = dict(values)
    if "queue" in told:
        told["queue"] = words.queue(str(told["queue"]))
    if "tier" in told:
        told["tier"] = words.tier(str(told["tier"]))
    return words.t(f"trials.fault.{name}", **told)


def knob_rows(tiers: Mapping[str, Any], words: Words) -> list[dict[str, Any]]:
    """The tiers as the form shows them, with what the rules say now, in seconds."""
    return [
        {
            "id": name,
            "word": words.tier(name),
            HEAD_START: tier.head_start_ms // 1000,
            CEILING: tier.ceiling_ms // 1000,
        }
        for name, tier in tiers.items()
    ]


def _typed(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
