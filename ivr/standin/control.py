"""What the stand-in shows of itself and lets be changed: state, complaints, faults, hosted documents."""

import json
from collections import Counter
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ivr.standin.exchange import Exchange
from ivr.standin.faults import UnknownSwitchError


def routes() -> list[BaseRoute]:
    return [
        Route("/standin/state", _state),
        Route("/standin/notifications", _notifications),
        Route("/standin/faults", _show_faults, methods=["GET"]),
        Route("/standin/faults", _change_faults, methods=["POST"]),
        Route("/bins/{name}", _bin, methods=["GET", "POST"]),
    ]


async def _state(request: Request) -> Response:
    return JSONResponse(state_of(_exchange(request)))


def state_of(exchange: Exchange) -> dict[str, object]:
    """Counters; a demo or a test reads here whether anything went wrong."""
    live = Counter(call.status for call in exchange.live_calls.values())
    tally, callbacks = exchange.postman.tally, exchange.callbacks
    return {
        "now_ms": exchange.clock.now_ms(),
        "clock": str(exchange.clock),
        "calls": len(exchange.calls),
        "in_progress": live["in-progress"],
        "calls_by_state": {**live, **exchange.ended},
        "application_errors": exchange.application_errors,
        "notifications": len(exchange.notifications.entries),
        "webhooks_sent": tally.sent,
        "webhooks_failed": tally.failed,
        "slowest_webhook_ms": round(tally.slowest_s * 1000),
        "mean_webhook_ms": round(tally.total_s * 1000 / tally.sent, 1) if tally.sent else 0,
        "under_way": callbacks.under_way,
        "callbacks_lost": callbacks.lost,
        "callbacks_doubled": callbacks.doubled,
        "callbacks_swapped": callbacks.swapped,
        "callbacks_delayed": callbacks.delayed,
        "rest_requests": exchange.gate.passed,
        "queued": sum(len(queue.members) for queue in exchange.queues.by_sid.values()),
        "conferences": sum(one.status != "completed" for one in exchange.conferences.by_sid.values()),
        "recordings": len(exchange.recordings.by_sid),
        "phones": exchange.registrations.count(),
    }


async def _notifications(request: Request) -> Response:
    exchange = _exchange(request)
    return JSONResponse([entry.as_json(exchange.account_sid) for entry in exchange.notifications.entries])


async def _show_faults(request: Request) -> Response:
    return JSONResponse(_exchange(request).faults.as_json())


async def _change_faults(request: Request) -> Response:
    exchange = _exchange(request)
    try:
        exchange.faults.update(json.loads(await request.body()))
    except (UnknownSwitchError, AttributeError, json.JSONDecodeError) as fault:
        return JSONResponse({"message": str(fault)}, 400)
    return JSONResponse(exchange.faults.as_json())


async def _bin(request: Request) -> Response:
    body = (await request.body()).decode("utf-8", "replace")
    params = {**request.query_params, **dict(parse_qsl(body, keep_blank_values=True))}
    document = _exchange(request).bins.render(str(request.path_params["name"]), params)
    if document is None:
        return Response(status_code=404)
    return Response(document, media_type="text/xml")


def _exchange(request: Request) -> Exchange:
    exchange: Exchange = request.app.state.exchange
    return exchange
