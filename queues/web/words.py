"""One reader's words: the texts of the pages in his language, and the names the site gives its own things."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from queues.domain.agents import LOST, MISSED, SIGNED_IN
from queues.domain.calls import FAILED
from queues.domain.dial_rules import MISSES
from queues.domain.plan import Plan, in_locale

# What an agent may say of himself; the house has reasons of its own beside them.
AWAY_REASONS = ("break", "meal", "meeting", "training", "paperwork")
# How far a crew has to go, as standards for repair times divide it; a site may write any other word.
AREAS = ("city", "rural", "remote")
BUILT_IN_FIELDS = (
    *("account_no", "name", "phones", "contacts", "area", "language", "managers", "consent"),
    *("tier", "band", "class_code", "care"),
)
NAMED_LANGUAGES = ("zh", "en", "yue")
_HOUSE_REASONS = (SIGNED_IN, LOST, MISSED)

Translate = Callable[..., str]


class _HasName(Protocol):
    @property
    def name(self) -> dict[str, str]: ...


@dataclass(frozen=True, slots=True)
class Words:
    t: Translate
    plan: Plan
    locale: str

    def queue(self, queue: str) -> str:
        return self._name(self.plan.queues, queue)

    def department(self, department: str) -> str:
        return self._name(self.plan.departments, department)

    def matter(self, matter: str) -> str:
        return self._name(self.plan.matters, matter)

    def tier(self, tier: str) -> str:
        return self._name(self.plan.tiers, tier)

    def ticket_type(self, ticket_type: str) -> str:
        return self._name(self.plan.ticket_types, ticket_type)

    def post(self, post: str) -> str:
        return self._name(self.plan.posts, post)

    def gravity(self, gravity: str) -> str:
        return self._name(self.plan.gravities, gravity)

    def disposition(self, disposition: str) -> str:
        return self._name(self.plan.dispositions, disposition)

    def line(self, line: str) -> str:
        return self._name(self.plan.lines, line)

    def area(self, area: str) -> str:
        if area in self.plan.areas:
            return in_locale(self.plan.areas[area].name, self.locale)
        return self.t(f"state.area.{area}") if area in AREAS else area

    def attribute(self, name: str) -> str:
        return self._name(self.plan.attributes, name)

    def field(self, name: str) -> str:
        """A field of a customer's file, built in or the site's own."""
        return self.t(f"customers.field.{name}") if name in BUILT_IN_FIELDS else self.attribute(name)

    def value(self, name: str, text: str) -> str:
        """A value of a customer's file as people read it: a choice by its word, yes and no in theirs."""
        attribute = self.plan.attributes.get(name)
        if attribute is None or not text:
            return text
        if attribute.type == "yes_no":
            return self.t(f"state.{text}") if text in ("yes", "no") else text
        if attribute.type == "choice" and (words := attribute.values.get(text)):
            return in_locale(words, self.locale)
        return text

    def given(self, name: str) -> str:
        """What the menu keeps of a caller's keys: under an attribute's name it is called as that is."""
        return self.attribute(name).replace("_", " ")

    def band(self, code: str) -> str:
        bands = self.plan.ranking.bands if self.plan.ranking else ()
        return next((in_locale(each.name, self.locale) for each in bands if each.code == code), code)

    def language(self, locale: str) -> str:
        """A language by its name, where we have one for it."""
        short = locale.partition("-")[0]
        return self.t(f"notices.language.{short}") if short in NAMED_LANGUAGES else locale

    def rank(self, tier: str) -> int | str:
        """The tier's place in the site's order, 0 the highest; empty for one the site no longer knows."""
        known = self.plan.tiers.get(tier)
        return known.rank if known else ""

    def reason(self, reason: str) -> str:
        """A reason of ours in the reader's language; any other is the agent's own word."""
        return self.t(f"state.reason.{reason}") if reason in (*AWAY_REASONS, *_HOUSE_REASONS) else reason

    def outcome(self, outcome: str, state: str = "") -> str:
        """How the call ended, or how far it is."""
        if outcome:
            return self.t(f"state.outcome.{outcome}")
        return self.t(f"state.call.{state}") if state else ""

    def callback(self, callback: str, tries: int = 0, missed: str = "") -> str:
        """What became of a caller's wish to be called back; when it failed, after how many tries and why at last."""
        if callback == FAILED and not tries:
            return self.t("state.callback.failed_untried")
        if callback == FAILED and missed in MISSES:
            return self.t("state.callback.failed_why", tries=tries, why=self.t(f"explain.again.{missed}"))
        return self.t(f"state.callback.{callback}", tries=tries) if callback else ""

    def presence(self, state: str, reason: str = "") -> str:
        word = self.t(f"state.agent.{state}")
        return f"{word} · {self.reason(reason)}" if reason else word

    def _name(self, known: Mapping[str, _HasName], name: str) -> str:
        """The site's word; what an older version of the site called something is shown as it is stored."""
        return in_locale(known[name].name, self.locale) if name in known else name
