"""`shouwen explain`: in words, why a caller waited and why this agent; live during the call, and ever after.

People are told by their ids: names stand on the call's page only, and numbers nowhere.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from config.runtime import Runtime
from config.settings import Settings
from config.web.words import Words as Catalogue
from ivr.commands import configure, opened
from ivr.domain.outline import CHINESE, LANGUAGES
from queues.domain.explanation import Explanation
from queues.domain.journal import LineType
from queues.domain.replay import Difference, agent_in
from queues.service import explaining, replaying
from queues.service.explaining import NoLinesError, UnknownCallError
from queues.service.plans import plan_of
from queues.service.replaying import Replayed
from queues.web.times import time_of_day
from queues.web.why import explanation_view
from queues.web.words import Words

HELP: Final = "tell in words why a caller waited so long, who went before him and why this agent was chosen"
PASSERS_SHOWN: Final = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("call", nargs="?", help="the call's id, as its page shows it")
    parser.add_argument(
        "--replay",
        action="store_true",
        help="decide a day once more from the journal and say how far the decisions agree",
    )
    parser.add_argument(
        "--day", type=date.fromisoformat, metavar="YYYY-MM-DD", help="the day to replay (today)"
    )
    parser.add_argument("--language", choices=LANGUAGES, help="the language of the words")
    parser.add_argument("--json", action="store_true", help="everything as JSON, for other programs")


def explain(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print the explanation; 2 when there is nothing to explain, 1 when a day replays otherwise: both are said."""
    if bool(chosen.call) == chosen.replay or (chosen.day and not chosen.replay):
        print("explain: name one call, or ask for --replay of a day", file=sys.stderr)
        return 2
    configure(settings)

    async def told() -> int:
        async with opened(settings, store_within_s=0) as runtime:  # the past is told without the live store
            return await (_replay if chosen.replay else _explain)(runtime, chosen)

    return asyncio.run(told())


async def _explain(runtime: Runtime, chosen: argparse.Namespace) -> int:
    words = words_in(chosen.language or plan_of(runtime).default_locale[:2], runtime)
    try:
        found = await explaining.explain_call(runtime, chosen.call)
    except UnknownCallError:
        print(words.t("explain.unknown_call", call_id=chosen.call), file=sys.stderr)
        return 2
    except NoLinesError:
        print(words.t("explain.bare", call_id=chosen.call), file=sys.stderr)
        return 2
    if chosen.json:
        print(json.dumps(as_json(found, words), ensure_ascii=False, indent=2))
    else:
        print("\n".join(as_text(found, words)))
    return 0


async def _replay(runtime: Runtime, chosen: argparse.Namespace) -> int:
    words = words_in(chosen.language or plan_of(runtime).default_locale[:2], runtime)
    found = await replaying.replay_day(runtime, chosen.day)
    if chosen.json:
        print(json.dumps(agreement_as_json(found), ensure_ascii=False, indent=2))
    else:
        print("\n".join(replayed_as_text(found, words)))
    return 1 if found.agreement.differences else 0


def agreement_as_json(found: Replayed) -> dict[str, Any]:
    agreement = found.agreement
    return {
        "day": found.day.isoformat(),
        "checked": agreement.checked,
        "agreed": agreement.agreed,
        "unchecked": agreement.unchecked,
        "differences": [asdict(each) for each in agreement.differences],
    }


def replayed_as_text(found: Replayed, words: Words) -> Sequence[str]:
    """The count, and the first disagreement in words."""
    agreement, day = found.agreement, found.day.isoformat()
    lines = [words.t("explain.replay.agreed", day=day, n=agreement.checked, agreed=agreement.agreed)]
    lines += [
        words.t(f"explain.replay.unchecked.{why}", n=n) for why, n in sorted(agreement.unchecked.items())
    ]
    if agreement.differences:
        lines += ["", words.t("explain.replay.differs"), *_difference(agreement.differences[0], words)]
    return lines


def _difference(first: Difference, words: Words) -> Sequence[str]:
    line, agent_id = first.line, agent_in(first.line)
    at = time_of_day(line.at_ms, words.plan.timezone)
    about = {"at": at, "call_id": line.call_id, "agent": agent_id, "line": line.id}
    was = "called" if line.type == LineType.CALLBACK_CALLED else "was"
    told = [words.t(f"explain.replay.{was}", **about)]
    if first.agent_id is None:
        told.append(words.t("explain.replay.nobody"))
    elif first.agent_id != agent_id:
        told.append(words.t("explain.replay.other_agent", agent=first.agent_id))
    if first.instead:
        told.append(words.t("explain.replay.instead", calls=", ".join(first.instead[:PASSERS_SHOWN])))
    for name, (stored, comes_out) in first.reasons.items():
        told.append(words.t("explain.replay.reason", name=name, stored=stored, comes_out=comes_out))
    return [f"  {sentence}" for sentence in told]


def words_in(language: str, runtime: Runtime) -> Words:
    """The words of the pages, without a page around them."""
    catalogue = Catalogue([Path(str(files("queues.web"))) / "locale"])
    locale = language if language in LANGUAGES else CHINESE
    return Words(partial(catalogue, locale), plan_of(runtime), locale)


def as_json(found: Explanation, words: Words) -> dict[str, Any]:
    """What was said, in words and as the facts that the words were made of."""
    return {"words": explanation_view(found, words, {}), "facts": asdict(found)}


def as_text(found: Explanation, words: Words) -> Sequence[str]:
    view = explanation_view(found, words, {})
    lines = [words.t("explain.title", call_id=found.call_id)]
    if view["site_version"]:
        lines.append(words.t("explain.version", version=view["site_version"]))
    lines += _block(words.t("explain.why_long"), view["waited"])
    lines += _block(words.t("explain.who_before"), [_passer(each) for each in view["before"][:PASSERS_SHOWN]])
    for decision in view["decisions"]:
        lines += _block(words.t("explain.offered_to", **_named(decision)), decision["sentences"])
    lines += _block(words.t("explain.course"), [f"{each['at']}  {each['text']}" for each in view["course"]])
    lines += _block(words.t("explain.missing_title"), view["missing"])
    return lines


def _named(decision: dict[str, Any]) -> dict[str, str]:
    return {"at": decision["at"], "agent": decision["agent"]}


def _passer(each: dict[str, Any]) -> str:
    who = f"{each['at']}  {each['call_id']} · {each['tier']} · {each['queue']} → {each['agent']}"
    return f"{who}: {each['reason_word']} ({each['came']})"


def _block(title: str, sentences: Sequence[str]) -> list[str]:
    return ["", title, *(f"  {sentence}" for sentence in sentences)] if sentences else []
