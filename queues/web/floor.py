"""What the pages of this storey stand on: the plan, the live switchboard and the journal's tail.

Made once for an application, at its first page. The tail belongs to the front door (app.state.tail), which
starts and stops it.
"""

from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request

from config.runtime import Runtime
from config.web.streams import JournalTail
from config.web.templates import locale_of, translator
from queues.domain.plan import Plan
from queues.service.plans import plan_of
from queues.service.switchboard import Switchboard
from queues.web.remembered import Remembered
from queues.web.words import Words


@dataclass(frozen=True)
class Floor:
    runtime: Runtime
    switchboard: Switchboard
    tail: JournalTail
    remembered: Remembered = field(default_factory=Remembered)

    @property
    def plan(self) -> Plan:
        """The one in force now."""
        return plan_of(self.runtime)

    @property
    def zone(self) -> str:
        return self.plan.timezone


def floor_of(request: Request) -> Floor:
    app: Starlette = request.app
    if not hasattr(app.state, "floor"):
        app.state.floor = _build(app)
    floor: Floor = app.state.floor
    return floor


def words_of(request: Request) -> Words:
    return Words(translator(request), floor_of(request).plan, locale_of(request))


def wants_page(request: Request) -> bool:
    """A browser's form gets a page back, a program gets JSON."""
    return "text/html" in request.headers.get("Accept", "")


def _build(app: Starlette) -> Floor:
    runtime: Runtime = app.state.runtime
    return Floor(runtime=runtime, switchboard=Switchboard(runtime), tail=app.state.tail)
