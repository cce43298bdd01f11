"""Handsets and clients over HTTP, for those who play people from a browser: the phone page, the agent's desk.

A handset is dialled or rings in; its events are a stream from the first on. A browser from anywhere may ask,
for this is a toy exchange on a developer's own machine.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from ivr.standin.exchange import Exchange
from ivr.standin.handsets import Handset, Heard, TooManyPhonesError

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "*",
}
STREAM = {**CORS, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
SURE, UNSURE = 0.9, 0.4
Act = Callable[[Handset, dict[str, str]], None]


def routes() -> list[BaseRoute]:
    handset = "/standin/handsets/{sid}"
    acts: dict[str, Act] = {
        "keys": lambda handset, told: handset.press(told.get("digits", "")),
        "speech": _speak,
        "answer": lambda handset, _: handset.answer(),
        "decline": lambda handset, _: handset.decline(),
        "hang-up": lambda handset, _: handset.hang_up(),
    }
    return [
        _route("/standin/handsets", POST=_dial),
        _route(handset, GET=_show),
        _route(f"{handset}/events", GET=_events),
        *(_route(f"{handset}/{word}", POST=_acting(act)) for word, act in acts.items()),
        _route("/standin/clients/{identity}", POST=_register, GET=_incoming),
    ]


def _speak(handset: Handset, told: dict[str, str]) -> None:
    """Words, and how surely they are understood (0 to 1); who ends with a question mark is understood badly."""
    text = told.get("text", "")
    mumbled = text.rstrip("?？")
    handset.speak(mumbled or text, UNSURE if mumbled != text else SURE)


Endpoint = Callable[[Request], Awaitable[Response]]


def _route(path: str, **endpoints: Endpoint) -> Route:
    async def endpoint(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=CORS)
        response = await endpoints[request.method](request)
        response.headers.update(CORS)
        return response

    return Route(path, endpoint, methods=[*endpoints, "OPTIONS"])


async def _dial(request: Request) -> Response:
    told = await _body(request)
    if not told.get("from") or not told.get("to"):
        return JSONResponse({"message": "from and to are needed"}, 400)
    handset = _exchange(request).dial(told["from"], told["to"])
    return JSONResponse(_as_json(handset), 201)


async def _show(request: Request) -> Response:
    handset = _find(request)
    return _missing() if handset is None else JSONResponse(_as_json(handset))


def _acting(act: Act) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        handset = _find(request)
        if handset is None:
            return _missing()
        act(handset, await _body(request))
        return JSONResponse(_as_json(handset))

    return endpoint


async def _events(request: Request) -> Response:
    handset = _find(request)
    if handset is None:
        return _missing()
    return StreamingResponse(_stream(handset), media_type="text/event-stream", headers=STREAM)


async def _stream(handset: Handset) -> AsyncIterator[str]:
    async for heard in handset.events():
        yield _event(heard)


async def _register(request: Request) -> Response:
    """Says only that the identity may listen; it rings while somebody reads its stream."""
    identity = str(request.path_params["identity"])
    return JSONResponse({"identity": identity, "address": f"client:{identity}"}, 201)


async def _incoming(request: Request) -> Response:
    """A phone for as long as the stream is read: each ringing handset is told of."""
    try:
        registration = _exchange(request).register(str(request.path_params["identity"]))
    except TooManyPhonesError:
        return JSONResponse({"message": str(TooManyPhonesError.__doc__)}, 409)

    async def stream() -> AsyncIterator[str]:
        try:
            yield ": registered\n\n"
            async for handset in registration:
                yield f"data: {json.dumps(_as_json(handset))}\n\n"
        finally:
            registration.unregister()

    return StreamingResponse(stream(), media_type="text/event-stream", headers=STREAM)


def _event(heard: Heard) -> str:
    return f"data: {json.dumps(asdict(heard), ensure_ascii=False)}\n\n"


def _as_json(handset: Handset) -> dict[str, object]:
    return {
        "sid": handset.sid,
        "from": handset.from_,
        "to": handset.to,
        "state": handset.state,
        "parameters": handset.parameters,
    }


async def _body(request: Request) -> dict[str, str]:
    try:
        told = json.loads(await request.body() or b"{}")
    except json.JSONDecodeError:
        return {}
    return {str(name): str(value) for name, value in told.items()} if isinstance(told, dict) else {}


def _find(request: Request) -> Handset | None:
    return _exchange(request).handset(str(request.path_params["sid"]))


def _missing() -> Response:
    return JSONResponse({"message": "there is no such handset"}, 404)


def _exchange(request: Request) -> Exchange:
    exchange: Exchange = request.app.state.exchange
    return exchange
