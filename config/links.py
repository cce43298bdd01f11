"""Addresses of our own pages and webhooks, made from a base URL and the names that the front door registered.

Whoever needs an address deep in the house asks by name and knows no route; routes know no storey below them.
"""

from typing import Protocol
from urllib.parse import urlencode


class RouteNames(Protocol):
    """What a router can do for us."""

    def url_path_for(self, name: str, /, **path_params: object) -> str: ...


class LinksNotReadyError(Exception):
    """No routes are registered yet; the front door does that when it is built."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class Links:
    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._routes: RouteNames | None = None
        self._paths: dict[str, str] = {}  # a router walks all its routes at each look

    def register(self, routes: RouteNames) -> None:
        """Give the names a place to point to."""
        self._routes = routes
        self._paths = {}

    def path(self, name: str, /, **params: object) -> str:
        """The path of a route, for our own pages."""
        if self._routes is None:
            raise LinksNotReadyError
        if params:
            return str(self._routes.url_path_for(name, **params))
        if name not in self._paths:
            self._paths[name] = str(self._routes.url_path_for(name))
        return self._paths[name]

    def url(self, name: str, /, query: dict[str, object] | None = None, **params: object) -> str:
        """The whole address, for the provider; a query is written in the order given."""
        address = self.base_url + self.path(name, **params)
        return f"{address}?{urlencode(query)}" if query else address
