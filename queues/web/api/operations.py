"""One operation of the API: its path, what opens it, what it takes and what it answers.

The list of these is all there is: the routes are made of it, and the document as well.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from config.web.tokens import Token
from queues.domain.scopes import Scope
from queues.web.api.asked import NoParameters, Parameters
from queues.web.api.models import Answer
from queues.web.floor import Floor

ROOT = "/api/v1"


@dataclass(frozen=True, slots=True)
class Asking:
    """One request, let in: by which token, with which parameters."""

    request: Request
    floor: Floor
    token: Token
    parameters: Any

    def may(self, scope: Scope) -> bool:
        return scope in self.token.scopes


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    name: str  # its id in the document, and the key of its words
    path: str  # below ROOT
    scope: Scope
    answer: type[Answer]
    perform: Callable[[Asking], Awaitable[Answer]]
    parameters: type[Parameters] = NoParameters
    in_path: tuple[str, ...] = ()
    is_kept: bool = False  # may be asked for again with its ETag; else nobody keeps it
