"""Why this call and why this agent, in sentences, from what the decision stored: nothing is worked out again.

The stored reasons name tiers, queues and agents by id; what an older version of the site called something
is shown as it was stored. A reason that cannot be read is said to be unknown rather than guessed at.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from queues.web.times import face
from queues.web.words import Words

Why = Mapping[str, Any]


def why_in_words(why: Why, words: Words, names: Mapping[str, str]) -> list[str]:
    """Whole sentences, the weightiest first; `names` gives agents their names."""
    try:
        sentences = [
            _rule(why, words),
            _place(why, words),
            _widening(why, words),
            _next(why, words),
            _agent(why, words, names),
            _passed_over(why, words),
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        return [words.t("why.unknown")]
    return [sentence for sentence in sentences if sentence]


def _rule(why: Why, words: Words) -> str:
    if why["rule"] == "safety":
        return words.t("why.safety")
    if why["rule"] == "ceiling":
        return words.t("why.ceiling")
    if why["is_front"]:
        return words.t("why.front")
    if why["head_start_ms"]:
        return words.t("why.head_start", head_start=face(why["head_start_ms"]), tier=words.tier(_tier(why)))
    return words.t("why.no_head_start")


def _place(why: Why, words: Words) -> str:
    waited = face(why["waited_ms"])
    if why["lanes"] <= 1:
        return words.t("why.waited_alone", waited=waited)
    return words.t("why.waited", waited=waited, lanes=why["lanes"])


def _widening(why: Why, words: Words) -> str:
    first, *reached = why["queues"]
    if not reached:
        return ""
    to = words.t("why.comma").join(words.queue(queue) for queue in reached)
    return words.t("why.widened", from_queue=words.queue(first), to_queue=to)


def _next(why: Why, words: Words) -> str:
    """Who would have been first without this call, and by how much he stood behind."""
    candidates: Sequence[Mapping[str, Any]] = why["candidates"]
    if len(candidates) < 2:  # himself and the next
        return ""
    second = candidates[1]
    queue, tier = _lane(second)
    values = {"tier": words.tier(tier), "queue": words.queue(queue)}
    if second["rule"] != why["rule"]:
        return words.t("why.next_other_rule", **values)
    return words.t("why.next", behind=face(second["key"] - why["key"]), **values)


def _agent(why: Why, words: Words, names: Mapping[str, str]) -> str:
    agent = why["agent"]
    name = names.get(agent["agent_id"], agent["agent_id"])
    if agent["eligible"] <= 1:
        return words.t("why.agent_only", agent=name)
    return words.t("why.agent", agent=name, agents=agent["eligible"], idle=face(agent["idle_for_ms"]))


def _passed_over(why: Why, words: Words) -> str:
    return words.t("why.skipped", n=len(why["passed_over"])) if why["passed_over"] else ""


def _tier(why: Why) -> str:
    candidates = why["candidates"]
    return _lane(candidates[0])[1] if candidates else ""


def _lane(candidate: Mapping[str, Any]) -> tuple[str, str]:
    """Queue and tier of a lane's id."""
    queue, tier, *_ = candidate["lane"].split("|")
    return queue, tier
