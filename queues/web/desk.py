"""The agent's desk: presence, the offer on it, the call, the wrap-up.

Every action answers a program with JSON and a browser's form with the page, and says which field is wrong.
What an agent typed is never thrown away: a note that comes after its wrap-up has run out is kept with its
call all the same.
"""

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import require
from config.web.forms import Form, read_form
from config.web.streams import sse
from config.web.templates import page
from queues.domain.agents import PRESENCES, AgentState
from queues.domain.offers import OPEN
from queues.service.switchboard import DeskState
from queues.web.desk_feed import Desk, desk_of
from queues.web.floor import wants_page

REASON_LENGTH_MAX = 40
NOTE_LENGTH_MAX = 4000

Action = Callable[[Desk, Request, Form], Awaitable["Done"]]


@dataclass(frozen=True, slots=True)
class Done:
    """What to say about an action; what was typed and is not noted yet stays in the browser."""

    said: str = ""
    is_noted: bool = True


class Refused(Exception):  # noqa: N818  an answer, not a fault
    """An action that cannot be done: the key of the reason, and the field to correct, if any."""

    def __init__(self, key: str, *, field: str = "", status_code: int = 422, **values: object) -> None:
        self.key, self.field, self.status_code, self.values = key, field, status_code, values
        super().__init__(key)


def routes() -> list[BaseRoute]:
    return [
        Route("/desk", show_desk, methods=["GET"], name="desk"),
        Route("/desk/state", tell_state, methods=["GET"]),
        Route("/desk/events", stream_states, methods=["GET"]),
        Route("/desk/presence", set_presence, methods=["POST"]),
        Route("/desk/offers/{offer_id}/decline", decline_offer, methods=["POST"]),
        Route("/desk/transfer", transfer_call, methods=["POST"]),
        Route("/desk/hold", hold_call, methods=["POST"]),
        Route("/desk/consult", consult_agent, methods=["POST"]),
        Route("/desk/hand-over", hand_over_call, methods=["POST"]),
        Route("/desk/note", keep_note, methods=["POST"]),
        Route("/desk/wrap-up", close_wrap_up, methods=["POST"]),
        Route("/desk/wrap-up/extend", extend_wrap_up, methods=["POST"]),
        Route("/desk/beat", beat, methods=["POST"]),
    ]


@require()
async def show_desk(request: Request) -> Response:
    desk = await desk_of(request)
    return page(request, "no_seat.html") if desk is None else await _desk_page(request, desk)


@require()
async def tell_state(request: Request) -> Response:
    desk = await desk_of(request)
    return _no_seat(request) if desk is None else JSONResponse(await desk.view())


@require()
async def stream_states(request: Request) -> Response:
    desk = await desk_of(request)
    return _no_seat(request) if desk is None else sse(desk.events())


def action(perform: Action) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint for something an agent does."""

    @functools.wraps(perform)
    async def endpoint(request: Request) -> Response:
        desk = await desk_of(request)
        if desk is None:
            return _no_seat(request)
        try:
            done = await perform(desk, request, await read_form(request))
        except Refused as refusal:
            return await _refuse(request, desk, refusal)
        if wants_page(request):
            return RedirectResponse("/desk", status_code=303)
        said = desk.words.t(done.said) if done.said else ""
        return JSONResponse({"ok": True, "said": said, "noted": done.is_noted, "desk": await desk.view()})

    return require()(endpoint)


@action
async def set_presence(desk: Desk, _request: Request, form: Form) -> Done:
    """A button of the page names its reason as `away`; a program says presence and reason."""
    reason = (form.get("away") or form.get("reason", "")).strip()
    presence = AgentState.AWAY.value if form.get("away") else form.get("presence", "")
    if presence not in PRESENCES:
        raise Refused("desk.error.presence", field="presence")
    if len(reason) > REASON_LENGTH_MAX or not reason.isprintable():
        raise Refused("desk.error.reason", field="reason", most=REASON_LENGTH_MAX)
    if presence != AgentState.SIGNED_OUT:
        await desk.sign_in()
    await desk.floor.switchboard.set_presence(
        agent_id=desk.agent.agent_id,
        presence=presence,
        reason=reason if presence == AgentState.AWAY else "",
    )
    return Done()


@action
async def decline_offer(desk: Desk, request: Request, _form: Form) -> Done:
    offer_id = request.path_params["offer_id"]
    state = await desk.state()
    if (
        state is None
        or state.offer is None
        or state.offer.offer_id != offer_id
        or state.offer.state not in OPEN
    ):
        raise Refused("desk.error.offer_gone", status_code=409)
    reply = await desk.floor.switchboard.decline_offer(offer_id=offer_id)
    if reply.word not in ("ok", "again"):
        raise Refused("desk.error.offer_gone", status_code=409)
    return Done()


async def _present_call(desk: Desk, form: Form) -> tuple[DeskState, str]:
    """The call the form was opened for, if it is the one on the desk: a late press is not about the next one."""
    state = await desk.state()
    call_id = form.get("call_id", "")
    if state is None or state.call is None or state.call.call_id != call_id:
        raise Refused("desk.error.not_talking", status_code=409)
    return state, call_id


@action
async def hold_call(desk: Desk, _request: Request, form: Form) -> Done:
    """On hold, or back to the caller."""
    _, call_id = await _present_call(desk, form)
    is_held = form.get("is_held", "")
    if is_held not in ("0", "1"):
        raise Refused("desk.error.not_talking", field="is_held")
    reply = await desk.floor.switchboard.hold_call(
        call_id=call_id, agent_id=desk.agent.agent_id, is_held=is_held == "1"
    )
    if reply.word not in ("ok", "again"):
        raise Refused("desk.error.not_talking", status_code=409)
    return Done()


@action
async def consult_agent(desk: Desk, _request: Request, form: Form) -> Done:
    """The caller is held and a ready colleague is rung."""
    state, call_id = await _present_call(desk, form)
    _, colleague = await _destination(desk, state, form.get("to", ""))
    if not colleague:
        raise Refused("desk.error.ask_whom", field="to")
    reply = await desk.floor.switchboard.consult_agent(
        call_id=call_id, agent_id=desk.agent.agent_id, colleague=colleague
    )
    if reply.word == "never":
        raise Refused("desk.error.pass_nobody", field="to")
    if reply.call is None or reply.call.agent_id == desk.agent.agent_id:
        if reply.word not in ("ok", "again"):
            raise Refused("desk.error.ask_later", field="to")
        return Done()
    raise Refused("desk.error.not_talking", status_code=409)


@action
async def hand_over_call(desk: Desk, _request: Request, form: Form) -> Done:
    """The colleague who was asked takes the caller."""
    _, call_id = await _present_call(desk, form)
    agent_id = desk.agent.agent_id
    reply = await desk.floor.switchboard.hand_over_call(call_id=call_id, agent_id=agent_id)
    if reply.word == "never":
        raise Refused("desk.error.pass_nobody", status_code=409)
    if reply.word not in ("ok", "again"):
        raise Refused("desk.error.nobody_there", status_code=409)
    return Done("desk.said.passed")


@action
async def transfer_call(desk: Desk, _request: Request, form: Form) -> Done:
    """To another queue, or to a colleague."""
    state, call_id = await _present_call(desk, form)
    queue, colleague = await _destination(desk, state, form.get("to", ""))
    reply = await desk.floor.switchboard.transfer_call(
        call_id=call_id, agent_id=desk.agent.agent_id, queue=queue, colleague=colleague
    )
    if reply.word == "never":
        raise Refused("desk.error.pass_nobody", field="to")
    if reply.word not in ("ok", "again"):
        raise Refused("desk.error.not_talking", status_code=409)
    return Done("desk.said.passed")


async def _destination(desk: Desk, state: DeskState, to: str) -> tuple[str, str]:
    """The queue or the colleague that was chosen; one that cannot take him is refused."""
    kind, _, name = to.partition(":")
    plan = desk.floor.plan
    if kind == "queue" and name in plan.queues:
        if name not in desk.open_queues(state.now_ms):
            raise Refused("desk.error.pass_closed", field="to")
        return name, ""
    if kind != "agent":
        raise Refused("desk.error.pass_to", field="to")
    is_free_to = state.state is not AgentState.CONNECTED or name in {
        each["id"] for each in await desk.colleagues(state)
    }
    if not is_free_to:
        raise Refused("desk.error.pass_nobody", field="to")
    return "", name


@action
async def keep_note(desk: Desk, _request: Request, form: Form) -> Done:
    """What was typed so far, while the call or its wrap-up still goes on."""
    _, note = _work_in(desk, form)
    is_noted = await desk.keep_note(await _own_call(desk, form), note)
    return Done("desk.said.saved" if is_noted else "desk.said.kept_here", is_noted)


@action
async def close_wrap_up(desk: Desk, _request: Request, form: Form) -> Done:
    disposition, note = _work_in(desk, form)
    if not disposition:
        raise Refused("desk.error.disposition", field="disposition")
    call_id = await _own_call(desk, form)
    is_noted = await desk.keep_note(call_id, note)
    word = await desk.floor.switchboard.close_wrap_up(agent_id=desk.agent.agent_id, disposition=disposition)
    if word != "ok" and not form.get("call_id"):
        raise Refused("desk.error.not_wrapping_up", status_code=409)
    return Done("desk.said.done" if is_noted else "desk.said.kept_here", is_noted)


@action
async def extend_wrap_up(desk: Desk, _request: Request, form: Form) -> Done:
    if form.get("note") or form.get("disposition"):  # the page without scripts sends its whole form
        _, note = _work_in(desk, form)
        await desk.keep_note(await _own_call(desk, form), note)
    word = await desk.floor.switchboard.extend_wrap_up(agent_id=desk.agent.agent_id)
    if word != "ok":
        key = "desk.error.already_extended" if word == "again" else "desk.error.not_wrapping_up"
        raise Refused(key, status_code=409)
    return Done()


@require()
async def beat(request: Request) -> Response:
    desk = await desk_of(request)
    if desk is None:
        return _no_seat(request)
    word = await desk.floor.switchboard.beat(agent_id=desk.agent.agent_id)
    return JSONResponse({"ok": word == "ok", "word": word})


def _work_in(desk: Desk, form: Form) -> tuple[str, str]:
    """The disposition and the note that were sent; either may be empty, neither may be wrong."""
    disposition, note = form.get("disposition", "").strip(), form.get("note", "").strip()
    if disposition and disposition not in desk.floor.plan.dispositions:
        raise Refused("desk.error.disposition_unknown", field="disposition")
    if len(note) > NOTE_LENGTH_MAX:
        raise Refused("desk.error.note_long", field="note", most=NOTE_LENGTH_MAX)
    return disposition, note


async def _own_call(desk: Desk, form: Form) -> str:
    """The call the form is about: the one named, if it is or was the agent's own, else the one he is at."""
    state = await desk.state()
    present = state.call.call_id if state and state.call and state.state in _AT_CALL else ""
    named = form.get("call_id", "") or present
    if not named:
        raise Refused("desk.error.not_wrapping_up", status_code=409)
    if named != present and not await desk.has_taken(named):
        raise Refused("desk.error.call_id", field="call_id", status_code=409)
    return named


_AT_CALL = (AgentState.CONNECTED, AgentState.WRAP_UP)


async def _refuse(request: Request, desk: Desk, refusal: Refused) -> Response:
    said = desk.words.t(refusal.key, **refusal.values)
    if wants_page(request):
        form = await read_form(request)
        return await _desk_page(request, desk, error=said, status_code=refusal.status_code, typed=form)
    body: dict[str, Any] = {"ok": False, "field": refusal.field, "said": said, "desk": await desk.view()}
    return JSONResponse(body, status_code=refusal.status_code)


async def _desk_page(
    request: Request, desk: Desk, *, error: str = "", status_code: int = 200, typed: Form | None = None
) -> Response:
    view = await desk.view()
    if typed is not None and view["work"]:
        view["work"] |= {name: typed[name] for name in ("disposition", "note") if name in typed}
    return page(request, "desk.html", status_code=status_code, desk=view, error=error)


def _no_seat(request: Request) -> Response:
    if wants_page(request):
        return RedirectResponse("/desk", status_code=303)
    return JSONResponse({"ok": False, "error": "no_seat"}, status_code=409)
