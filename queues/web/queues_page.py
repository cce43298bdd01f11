"""The queues for supervisors: who waits in which order and why; move or raise one call, lend an agent, close a queue.

The picture goes on by itself as the journal does. A change that comes too late (the call was just offered, or is
over) is answered in words and changes nothing; each that is made has a row in the audit, with its reason.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import Account, names_of_accounts, require
from config.web.forms import Form, read_form
from config.web.streams import Event, sse
from config.web.templates import page
from queues.service.live_changes import REASON_LENGTH_MAX, LiveChanges
from queues.service.queue_board import QueueBoard
from queues.web.floor import Floor, floor_of, wants_page, words_of
from queues.web.queues_view import View, choices, queues_view
from queues.web.words import Words

CHANGERS: Final = ("supervisor", "admin")
PICTURE_S: Final = 0.5
LOOK_AGAIN_S: Final = 5.0  # waiting alone changes the order: ceilings, overflow
DONE: Final = ("move", "raise", "lend", "take_back", "close", "close_led", "open")
REFUSED: Final = (
    *("again", "gone", "lane", "promised", "no_reason", "no_queue", "no_tier", "not_higher"),
    *("no_closed_node", "has_skills", "not_waiting", "closed_queue", "no_choice"),
)


def routes() -> list[BaseRoute]:
    return [
        Route("/queues", show_queues, methods=["GET"], name="queues"),
        Route("/queues/events", stream_pictures, methods=["GET"]),
        Route("/queues/calls", change_call, methods=["POST"]),
        Route("/queues/{queue}/agents", change_agents, methods=["POST"]),
        Route("/queues/{queue}/hours", change_hours, methods=["POST"]),
    ]


@require(*CHANGERS)
async def show_queues(request: Request) -> Response:
    done = request.query_params.get("done", "")
    return await _page(request, done=done if done in DONE else "")


@require(*CHANGERS)
async def stream_pictures(request: Request) -> Response:
    return sse(pictures(floor_of(request), words_of(request)))


@require(*CHANGERS)
async def change_call(request: Request) -> Response:
    """Move it to another queue, or raise it in tier."""
    form = await read_form(request)
    call_id, _, lane_id = form.get("call", "").partition("~")
    reason = form.get("reason", "").strip()[:REASON_LENGTH_MAX]
    act, changes = form.get("act", ""), _changes(request)
    if not call_id:
        return await _said(request, act, "no_choice", form)
    if act == "move":
        word = await changes.move_call(call_id, lane_id, form.get("queue", ""), reason)
    elif act == "raise":
        word = await changes.raise_call(call_id, lane_id, form.get("tier", ""), reason)
    else:
        raise HTTPException(400)
    return await _said(request, act, word, form)


@require(*CHANGERS)
async def change_agents(request: Request) -> Response:
    """Sign an agent into this queue, or take him back."""
    form, queue = await read_form(request), request.path_params["queue"]
    agent_id, act, changes = form.get("agent", ""), form.get("act", ""), _changes(request)
    reason = form.get("reason", "").strip()[:REASON_LENGTH_MAX]
    if act == "lend":
        word = await changes.lend_agent(agent_id, queue, reason)
    elif act == "take_back":
        word = await changes.take_back_agent(agent_id, queue)
    else:
        raise HTTPException(400)
    return await _said(request, act, word, form)


@require(*CHANGERS)
async def change_hours(request: Request) -> Response:
    """Close this queue now, or open it again."""
    form, queue = await read_form(request), request.path_params["queue"]
    act, changes = form.get("act", ""), _changes(request)
    reason = form.get("reason", "").strip()[:REASON_LENGTH_MAX]
    if act == "close":
        leads = form.get("leads") == "1"
        word = await changes.close_queue(queue, reason, leads=leads)
        act = "close_led" if leads else act
    elif act == "open":
        word = await changes.open_queue(queue)
    else:
        raise HTTPException(400)
    return await _said(request, act, word, form)


def _changes(request: Request) -> LiveChanges:
    floor, account = floor_of(request), _account(request)
    return LiveChanges(floor.runtime, floor.switchboard, account.account_id)


def _account(request: Request) -> Account:
    account: Account = request.state.account
    return account


async def _said(request: Request, act: str, word: str, form: Form) -> Response:
    """A browser comes back to the page, a program hears the word."""
    if not wants_page(request):
        return JSONResponse({"ok": word == "ok", "word": word}, 200 if word == "ok" else 409)
    if word == "ok":
        return RedirectResponse(f"/queues?done={act}", 303)
    return await _page(request, refused=refusal(word, words_of(request)), typed=form)


def refusal(word: str, words: Words) -> str:
    """Why nothing was changed."""
    kind, _, state = word.partition(":")
    if kind == "stale" and state not in ("lane", "promised"):
        return words.t("queues.refused.stale", state=words.t(f"state.call.{state}"))
    key = state if kind == "stale" else kind
    return words.t(f"queues.refused.{key}") if key in REFUSED else word


async def _page(
    request: Request, *, done: str = "", refused: str = "", typed: Form | None = None
) -> Response:
    floor, words = floor_of(request), words_of(request)
    board = await floor.switchboard.queue_board()
    names = ("call", "queue", "tier", "reason", "act", "agent")
    typed_in = {name: typed.get(name, "") if typed else "" for name in names}
    typed_in["at"] = request.path_params.get("queue", "")
    return page(
        request,
        "queues.html",
        status_code=409 if refused else 200,
        board=await _view(floor, board, words),
        choices=choices(board, words),
        done=words.t(f"queues.done.{done}") if done else "",
        refused=refused,
        typed=typed_in,
        most=REASON_LENGTH_MAX,
    )


async def _view(floor: Floor, board: QueueBoard, words: Words) -> View:
    names = await names_of_accounts(floor.runtime.database, [each.by for each in board.closed.values()])
    return queues_view(board, names, words)


async def pictures(floor: Floor, words: Words) -> AsyncGenerator[Event]:
    """The first at once, then each that differs: after a line of the journal, and now and then without one."""
    async with floor.tail.subscribe() as lines:
        shown: View = {}
        while True:
            board = await floor.switchboard.queue_board()
            view = await _view(floor, board, words)
            fresh = {name: value for name, value in view.items() if name != "now_ms"}
            if fresh != shown:
                shown = fresh
                yield Event(json.dumps(view, ensure_ascii=False, separators=(",", ":")))
            await asyncio.sleep(PICTURE_S)
            try:
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await anext(lines)
            except TimeoutError:
                continue
            except StopAsyncIteration:
                return
