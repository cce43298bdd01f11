"""One call: its course, its recordings, whom it was offered to and why, the journal; beside it the list.

Numbers are masked. Showing one is an action by right: it is written down before it is shown, and shown once.
"""

from collections.abc import Mapping
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from config import numbers
from config.runtime import Runtime
from config.web.accounts import Account, require
from config.web.templates import page
from queues.domain.call_records import text_of
from queues.domain.journal import LineType
from queues.service import audits, calls, customers, explaining, people
from queues.service.calls import CallStory
from queues.service.switchboard import CallerFacts
from queues.web import calls as calls_list
from queues.web.caller_view import caller_view
from queues.web.floor import Floor, floor_of, wants_page, words_of
from queues.web.words import Words
from recordings.service import recordings
from recordings.web.call_view import call_page

REVEALERS: Final = frozenset({"supervisor", "qa", "admin"})
REVIEWERS: Final = frozenset({"supervisor", "qa", "admin"})

View = dict[str, Any]


def routes() -> list[BaseRoute]:
    return [
        *calls_list.routes(),
        Route("/calls/{call_id}", show_call, methods=["GET"], name="call"),
        Route("/calls/{call_id}/number", reveal_number, methods=["POST"]),
    ]


@require()
async def show_call(request: Request) -> Response:
    return await _page(request, await _story(request))


@require()
async def reveal_number(request: Request) -> Response:
    """The whole number, for those who answer for their looks and for the agent whose call it was."""
    runtime: Runtime = request.app.state.runtime
    account: Account = request.state.account
    story = await _story(request)
    if not _may_reveal(account, story):
        raise HTTPException(403)
    await audits.note(
        runtime, account_id=account.account_id, action="number.revealed", subject=story.call.call_id
    )
    number = await customers.number_of(runtime, story.call.caller_ref)
    shown = numbers.display(number) if number else ""
    if wants_page(request):
        return await _page(request, story, revealed=shown, has_asked=True)
    return JSONResponse({"ok": bool(number), "number": shown})


async def _story(request: Request) -> CallStory:
    runtime: Runtime = request.app.state.runtime
    story = await calls.find_call(runtime, request.path_params["call_id"])
    if story is None:
        raise HTTPException(404)
    return story


async def _page(
    request: Request, story: CallStory, *, revealed: str = "", has_asked: bool = False
) -> Response:
    floor, words = floor_of(request), words_of(request)
    account: Account = request.state.account
    names = {agent.agent_id: agent.name for agent in await people.agents_of_site(floor.runtime)}
    told = await explaining.explain_story(floor.runtime, story)
    heard = await _heard(floor, story)
    view = call_page(story, told, heard, names, words, may_hear=_may_hear(account, story))
    revealed_word = _told(words, revealed) if has_asked else ""
    may_reveal = _may_reveal(account, story) and not has_asked
    caller = await _caller(floor.runtime, story, names, words)
    return page(request, "call.html", **view, may_reveal=may_reveal, told=revealed_word, caller=caller)


async def _caller(runtime: Runtime, story: CallStory, names: Mapping[str, str], words: Words) -> View:
    """Who called, as the desk told it: by the file as it stands now, and by what the journal says of this call."""
    call = story.call
    customer = await customers.find_customer(runtime, call.customer_id) if call.customer_id else None
    holders = await customers.search(runtime, call.number) if call.number else []
    others = [
        each
        for each in holders
        if call.number in each.everybodys_numbers and each.customer_id != call.customer_id
    ]
    arrived = {line.type: line.data for line in story.lines}
    managers = customer.managers if customer else ()
    facts = CallerFacts(
        area=customer.area if customer else "",
        contact=(customer.everybodys_numbers.get(call.number or "") or "") if customer else "",
        shared=len(others) if customer else 0,
        is_care=customer.is_care if customer else False,
        is_internal=bool(arrived.get(LineType.CALL_ARRIVED, {}).get("internal")),
        is_anonymous=call.is_anonymous,
        is_keyed=bool(call.customer_id) and LineType.CALL_IDENTIFIED in arrived,
        manager=managers[0] if managers else "",
        manager_name=words.t("why.comma").join(names.get(each, each) for each in managers),
        given=call.given,
    )
    joined = text_of(arrived.get(LineType.CALL_JOINED, {}), "ticket_no")
    return {
        **caller_view(facts, words, joined=joined),
        "href": f"/customers/{customer.customer_id}" if customer else "",
        "class_code": customer.class_code if customer else "",
        "facts": [
            {"label": words.t(f"desk.fact.{name}"), "text": text}
            for name, text in (
                ("account_no", customer.account_no if customer else ""),
                ("manager", facts.manager_name),
                ("area", words.area(facts.area) if facts.area else ""),
            )
            if text
        ],
    }


async def _heard(floor: Floor, story: CallStory) -> list[Any]:
    return list(await recordings.of_call(floor.runtime, story.call.call_id))


def _told(words: Words, revealed: str) -> str:
    return words.t("call.revealed", number=revealed) if revealed else words.t("call.number_gone")


def _may_reveal(account: Account, story: CallStory) -> bool:
    return account.role in REVEALERS or _is_own(account, story)


def _may_hear(account: Account, story: CallStory) -> bool:
    """As the console decides when the audio is asked for."""
    return account.role in REVIEWERS or _is_own(account, story)


def _is_own(account: Account, story: CallStory) -> bool:
    return story.is_agents(account.agent_id)
