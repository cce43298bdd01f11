"""The phone page and its files; the call itself goes over the exchange's handset addresses.

It shows whom one may call as and which lines there are. Numbers of customers are shown masked, and dialled
whole.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from ivr.standin.scenario import Customer, Scenario

if TYPE_CHECKING:
    from ivr.standin.exchange import Exchange

HERE = Path(__file__).parent
_PAGES = Environment(loader=FileSystemLoader(HERE), autoescape=True)


def phone_routes(scenario_of: "Callable[[Exchange], Scenario]") -> list[BaseRoute]:
    async def show_phone(request: Request) -> Response:
        exchange: Exchange = request.app.state.exchange
        setting = phone_setting(exchange, scenario_of(exchange))
        page = _PAGES.get_template("phone.html").render(setting=setting)
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})

    return [
        Route("/phone", show_phone, methods=["GET"]),
        Mount("/phone/static", StaticFiles(directory=HERE / "static")),
    ]


def phone_setting(exchange: "Exchange", scenario: Scenario) -> dict[str, Any]:
    """What the page has to know: the clock, who may call, and where to."""
    lines = dict(scenario.lines) or {number: number for number in exchange.numbers}
    return {
        "now_ms": exchange.clock.now_ms(),
        "speed": exchange.clock.speed,
        "customers": [_shown(customer) for customer in scenario.customers],
        "lines": [
            {"number": number, "zh": name, "en": name, **scenario.line_names.get(name, {})}
            for name, number in lines.items()
        ],
    }


def _shown(customer: Customer) -> dict[str, str]:
    tier = customer.tier or "–"
    return {
        "name": customer.name,
        "number": customer.number,
        "masked": masked(customer.number),
        "tail": customer.number[-4:],
        "tier_zh": customer.tier_name.get("zh", tier),
        "tier_en": customer.tier_name.get("en", tier),
    }


def masked(number: str) -> str:
    """All but the beginning and the last four digits hidden."""
    return f"{number[:-8]}****{number[-4:]}" if len(number) > 8 else number
