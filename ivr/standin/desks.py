"""Our desk as an agent's browser sees it: forms, a cookie, a token, and nothing else.

The desk is known only by HTTP. A form is filled in as a person would: whatever fields the page has, with
the name and the password where the page asks for them. What must hold: a desk that is away (connection
refused, 5xx) is asked again, with the patience of somebody who reloads the page, and a lost session is
signed in again before the wish is repeated.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Self

import aiohttp

from config.log import get_log

PAGE, DATA = "text/html", "application/json"
REQUEST_S = 20
RELOAD_S_FIRST, RELOAD_S_MAX = 0.5, 5.0
SIGNED_OUT = (401, 403)
REDIRECTED = (302, 303)


class DeskRefusedError(Exception):
    """The desk answered, and it will not have this agent."""


@dataclass
class Page:
    """What matters of a page: the token, the fields of its forms, and the choices of its selects."""

    csrf: str = ""
    forms: list[dict[str, str]] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    """Name of a field -> its kind."""
    choices: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, html: str) -> Self:
        page = cls()
        parser = _PageParser(page)
        parser.feed(html)
        parser.close()
        return page

    def asks_password(self, form: Mapping[str, str]) -> bool:
        return any(self.types.get(name) == "password" for name in form)

    def filled_in(self, form: Mapping[str, str], name: str, password: str) -> dict[str, str]:
        """The form as somebody sends it who knows only his name and his password."""
        known = {"password": password, "text": name, "email": name}
        return {one: known.get(self.types.get(one, ""), value) for one, value in form.items()}


class _PageParser(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        name, value = values.get("name", ""), values.get("value", "")
        if tag == "form":
            self._page.forms.append({})
        elif tag == "meta" and name in ("csrf", "csrf-token"):
            self._page.csrf = values.get("content", "")
        elif tag in ("html", "body", "main", "div") and values.get("data-csrf"):
            self._page.csrf = values["data-csrf"]
        elif tag == "input" and name:
            self._take_input(name, values.get("type", "text"), value)
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and value:
            self._page.choices.setdefault(self._select, []).append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""

    def _take_input(self, name: str, kind: str, value: str) -> None:
        self._page.types[name] = kind
        if name == "csrf":
            self._page.csrf = self._page.csrf or value
        if kind == "radio":
            self._page.choices.setdefault(name, []).append(value)
        elif self._page.forms:
            self._page.forms[-1][name] = value


class Desk:
    """One browser with one account, an async context. A method comes back once the desk has answered."""

    def __init__(self, base_url: str, name: str, password: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._name = name
        self._password = password
        self._page = Page()
        self._log = get_log(__name__).bind(desk=name)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        jar = aiohttp.CookieJar(unsafe=True)  # the desk of a demo lives at an address without a name
        timeout = aiohttp.ClientTimeout(total=REQUEST_S)
        self._session = aiohttp.ClientSession(cookie_jar=jar, timeout=timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def sign_in(self) -> None:
        """Open the sign-in page, fill in its form, and open the desk for its token.

        Who is still signed in is sent on by that page, and has only lost his token.
        """
        status, html = await self._open("/sign-in")
        if status not in REDIRECTED:
            page = Page.read(html)
            form = next((form for form in page.forms if page.asks_password(form)), None)
            if status != 200 or form is None:
                raise DeskRefusedError(f"sign-in page: {status}, no form to sign in with")
            filled_in = page.filled_in(form, self._name, self._password)
            status, _ = await self._ask("POST", "/sign-in", accept=PAGE, data=filled_in)
            if status not in REDIRECTED:
                raise DeskRefusedError(f"signing in was answered {status}")
        status, html = await self._open("/desk")
        if status != 200:
            raise DeskRefusedError(f"the desk answered {status} after signing in")
        self._page = Page.read(html)

    async def set_presence(self, presence: str, reason: str = "") -> None:
        await self._press("/desk/presence", presence=presence, reason=reason)

    async def beat(self) -> None:
        """Tell the desk that somebody is sitting at it."""
        await self._press("/desk/beat")

    async def decline(self, offer_id: str) -> None:
        await self._press(f"/desk/offers/{offer_id}/decline")

    async def wrap_up(self, call_id: str, disposition: str, note: str) -> None:
        await self._press("/desk/wrap-up", call_id=call_id, disposition=disposition, note=note)

    async def hold(self, call_id: str, *, is_held: bool) -> bool:
        return await self._press("/desk/hold", call_id=call_id, is_held="1" if is_held else "0")

    async def consult(self, call_id: str, to: str) -> bool:
        return await self._press("/desk/consult", call_id=call_id, to=to)

    async def hand_over(self, call_id: str) -> bool:
        return await self._press("/desk/hand-over", call_id=call_id)

    async def transfer(self, call_id: str, to: str) -> bool:
        return await self._press("/desk/transfer", call_id=call_id, to=to)

    async def state(self) -> dict[str, Any]:
        """What the page would show; empty where the desk does not say."""
        status, text = await self._ask("GET", "/desk/state", accept=DATA)
        if status != 200:
            return {}
        state = json.loads(text)
        return state if isinstance(state, dict) else {}

    @property
    def dispositions(self) -> tuple[str, ...]:
        """The choices the desk's form offers, in its order."""
        return tuple(self._page.choices.get("disposition", ()))

    async def _press(self, path: str, **values: str) -> bool:
        """Press a button, and once more after signing in again where the session was lost; whether that was done.

        A desk that says no has its reasons (the wrap-up is over, the offer is gone), and a person shrugs.
        """
        status, _ = await self._ask("POST", path, accept=DATA, json=values)
        if status in SIGNED_OUT:
            await self.sign_in()
            status, _ = await self._ask("POST", path, accept=DATA, json=values)
        if status >= 400:
            self._log.info("desk.said_no", path=path, status=status)
        return status < 400

    async def _open(self, path: str) -> tuple[int, str]:
        return await self._ask("GET", path, accept=PAGE)

    async def _ask(self, method: str, path: str, *, accept: str, **body: Any) -> tuple[int, str]:
        """The desk's answer, however long it takes to come back; redirects are left to the caller."""
        if self._session is None:
            raise RuntimeError("a desk is used as an async context")
        reload_s = RELOAD_S_FIRST
        headers = {"Origin": self._base_url, "Accept": accept}
        if accept == DATA:  # a form brings its own token, and a script of the page the page's
            headers["X-CSRF-Token"] = self._page.csrf
        while True:
            try:
                async with self._session.request(
                    method, self._base_url + path, headers=headers, allow_redirects=False, **body
                ) as answer:
                    text = await answer.text()
                if answer.status < 500:
                    return answer.status, text
                self._log.info("desk.away", status=answer.status)
            except (aiohttp.ClientError, TimeoutError, OSError) as fault:
                self._log.info("desk.away", fault=type(fault).__name__)
            await asyncio.sleep(reload_s)
            reload_s = min(RELOAD_S_MAX, reload_s * 2)
