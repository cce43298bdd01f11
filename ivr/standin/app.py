"""The stand-in as one web application: the provider's REST, the people's phones, the controls."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from ivr.standin import control, people_api
from ivr.standin.exchange import Exchange
from ivr.standin.rest import routes as rest

Alongside = Callable[[], Awaitable[None]]


def build(
    exchange: Exchange, *, more_routes: Sequence[BaseRoute] = (), alongside: Alongside | None = None
) -> Starlette:
    """Compose; ``alongside`` runs while the application does, and is cancelled with it."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await exchange.open()
        task = asyncio.ensure_future(alongside()) if alongside is not None else None
        try:
            yield
        finally:
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await exchange.close()

    app = Starlette(
        routes=[*rest.routes(), *people_api.routes(), *control.routes(), *more_routes],
        lifespan=lifespan,
        exception_handlers={404: _not_found},
    )
    app.router.redirect_slashes = False
    app.state.exchange = exchange
    return app


async def _not_found(request: Request, _: Exception) -> Response:
    path = request.url.path
    body = {
        "code": 20404,
        "message": f"The requested resource {path} was not found",
        "more_info": "https://www.twilio.com/docs/errors/20404",
        "status": 404,
    }
    return JSONResponse(body, 404)
