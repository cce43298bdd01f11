"""The read API, asked as programs ask it: each answer is what its own document says, and people stay unnamed."""

import argparse
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from sqlalchemy import update

from config.web.pace import Pace
from config.web.tokens import DAY_MS, api_tokens
from config.web.words import LOCALES
from ivr import tokens as tokens_room
from queues.domain.metrics import CALL_SETS, CARDS
from queues.domain.scopes import Scope
from queues.service import figuring
from queues.service import tokens as tokens_service
from queues.web.api.door import TITLES
from queues.web.api.pages import OPERATIONS
from tests.queues.hotline import CHEN_NUMBER, LIN_NUMBER, Hotline
from tests.queues.web.reader import BASE, Door, text_of


class Program:
    """Asks with a token, and holds each answer against the document."""

    def __init__(self, door: Door) -> None:
        transport = httpx2.ASGITransport(app=door.app, raise_app_exceptions=False)
        self.client = httpx2.AsyncClient(transport=transport, base_url=BASE)
        self.token = ""
        self.document: dict[str, Any] = {}
        self.seen: set[tuple[str, int]] = set()
        self.validators: dict[str, Draft202012Validator] = {}

    async def ask(self, path: str, *, method: str = "GET", **headers: str | bytes) -> httpx2.Response:
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.client.request(method, path, headers=told)
        assert "set-cookie" not in answer.headers
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
        self.check(path, answer)
        return answer

    async def get(self, path: str) -> Any:
        answer = await self.ask(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def check(self, path: str, answer: httpx2.Response) -> None:
        place = path.partition("?")[0].removeprefix("/api/v1")
        template = "/calls/{call_id}" if place.startswith("/calls/") else place
        operation = self.document["paths"].get(template, {}).get("get")
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if operation is None or answer.status_code == 304:
            schema = {"$ref": "#/components/schemas/Problem"}
        else:
            schema = operation["responses"][str(answer.status_code)]["content"][kind]["schema"]
        self.seen.add((template, answer.status_code))
        if answer.content:
            self.validator(schema).validate(answer.json())

    def validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        key = str(schema)
        if key not in self.validators:
            whole = {**schema, "components": self.document["components"]}
            checker = Draft202012Validator.FORMAT_CHECKER
            self.validators[key] = Draft202012Validator(whole, format_checker=checker)
        return self.validators[key]

    def problem(self, answer: httpx2.Response, word: str) -> list[str]:
        assert answer.headers["content-type"] == "application/problem+json"
        told = answer.json()
        assert (answer.status_code, told["type"]) == (TITLES[word][0], f"/api#{word}"), told
        return [each["field"] for each in told["errors"]]


@pytest.fixture
async def program(door: Door) -> AsyncIterator[Program]:
    program = Program(door)
    door.app.state.api_pace = Pace(per_s=1, burst=1000)  # a test asks more often than a program may
    program.document = (await program.client.get("/api/v1/openapi.json")).json()
    yield program
    await program.client.aclose()


def terminal(**given: Any) -> argparse.Namespace:
    return argparse.Namespace(**{"scopes": ",".join(Scope), "days": 365, **given})


async def token(hotline: Hotline, name: str, *scopes: str, days: int = 30) -> str:
    chosen = {Scope(each) for each in scopes or Scope}
    _, text = await tokens_service.add(hotline.runtime, name=name, scopes=chosen, days=days, by="operator")
    return text


async def morning(hotline: Hotline) -> None:
    """Three calls are answered, one is given up, one waits still."""
    clock: Any = hotline.runtime.clock
    for number, call_id in enumerate(("CAone", "CAtwo", "CAthree")):
        await hotline.answered_call(call_id, LIN_NUMBER if number else CHEN_NUMBER)
        await hotline.switchboard.set_presence(agent_id="wang", presence="ready")
    await hotline.arrive("CAgone")
    await hotline.enqueue("CAgone")
    clock.advance(33_000)
    await hotline.end("CAgone")
    await hotline.arrive("CAwaits", CHEN_NUMBER)
    await hotline.enqueue("CAwaits")
    clock.advance(7_000)
    await hotline.write_down()
    await figuring.drain(hotline.runtime)


async def test_every_figure_is_told_with_the_calls_behind_it(
    program: Program, hotline: Hotline, door: Door
) -> None:
    await morning(hotline)
    program.token = await token(hotline, "report")
    day = "from=2026-11-23&until=2026-11-23"
    told = await program.get(f"/figures?{day}&by=queue&grain=quarter")
    assert told["figures"].keys() == CARDS.keys()
    symbols = {name: value for each in told["figures"].values() for name, value in each["symbols"].items()}
    assert (symbols["O"], symbols["A"], symbols["B"], told["unsettled"]) == (5, 3, 1, 1)
    assert told["figures"]["asa"] == {
        "value": 12.0,
        "unit": "s",
        "version": 1,
        "symbols": {"wait": 36.0, "A": 3},
    }
    assert told["period"]["from_at"] == "2026-11-22T16:00:00.000Z"
    for parts in (told["groups"], told["series"]):
        assert sum(each["symbols"]["N"] for each in parts) == symbols["N"]
    # The page and the API read one thing.
    qa = await door.enter("qa", "qa", locale="en")
    page = text_of(await qa.open("/figures?from=2026-11-23&until=2026-11-23"))
    assert f"{told['figures']['f5']['value'] * 100:.2f}%" in page
    # Whatever is counted is listed, page by page.
    for name in CALL_SETS:
        listed, path = [], f"/calls?{day}&of={name}&limit=2"
        while path:
            found = await program.get(path)
            listed += [each["call_id"] for each in found["calls"]]
            path = (found["next"] or "").removeprefix("/api/v1")
        assert len(set(listed)) == len(listed) == symbols.get(name, len(listed)), name
    assert [each["id"] for each in (await program.get("/cards"))["cards"]] == list(CARDS)
    # An agent's own time, the plan, and this moment.
    own = await program.get("/figures?agent=wang")
    assert own["figures"]["occupancy"]["symbols"]["connected"] == 180.0
    assert (await program.get("/figures?by=agent"))["groups"][0]["id"] == "wang"
    for path in (
        "agent=wang&grain=quarter",
        "agent=wang&grain=day",
        f"{day}&grain=quarter",
        f"{day}&grain=day",
    ):
        whole = await program.get(f"/figures?{path}")
        for name, value in whole["figures"]["occupancy"]["symbols"].items():
            parts = [each["symbols"][name] or 0 for each in whole["series"]]
            assert sum(parts) == pytest.approx(value), (path, name)
    shares = await program.get("/figures?department=service")
    assert shares["figures"]["f5"]["symbols"]["A"] <= 3
    live = await program.get("/live")
    assert (live["waiting"], live["longest_wait_ms"], live["agents_by_state"]["ready"]) == (1, 7_000, 1)
    story = await program.get("/calls/CAone")
    assert next(each["type"] for each in story["events"]) == "call.arrived"
    assert (story["call"]["wait_ms"], story["talks"][0]["talk_ms"]) == (12_000, 60_000)
    for name in ("queues", "tiers", "departments", "lines", "agents"):
        assert (await program.get(f"/{name}"))[name], name
    assert {path for path, status in program.seen if status == 200} == set(program.document["paths"])
    # What has not changed is not told again; what is of this moment is kept by nobody.
    first = await program.ask("/api/v1/cards")
    again = await program.ask("/api/v1/cards", If_None_Match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert (await program.ask("/api/v1/live")).headers["cache-control"] == "no-store"


async def test_people_are_named_only_by_a_scope_and_each_look_is_written_down(
    program: Program, hotline: Hotline
) -> None:
    await morning(hotline)
    program.token = await token(hotline, "lists", "calls", "figures", "live")
    for path in ("/calls", "/calls/CAone", "/calls/CAgone", "/figures", "/live", "/cards"):
        text = (await program.ask(f"/api/v1{path}")).text
        for secret in (LIN_NUMBER, CHEN_NUMBER, LIN_NUMBER[3:], "C1", "C2", "东湖", "陈静", "wang", "王敏"):
            assert secret not in text, (path, secret)
    masked = (await program.get("/calls/CAgone"))["call"]["caller"]
    assert masked == {
        "number": "+86 139****0001",
        "is_masked": True,
        "customer_id": None,
        "customer_name": None,
    }
    assert await hotline.rows("audits") != []
    looks = [each for each in await hotline.rows("audits") if each["action"] == "api.customers_shown"]
    assert looks == []
    for path in ("/agents", "/calls?agent=wang", "/figures?by=agent", "/figures?agent=wang"):
        program.problem(await program.ask(f"/api/v1{path}"), "out_of_scope")
    program.token = await token(hotline, "crm", "calls", "customers")
    call = (await program.get("/calls/CAgone"))["call"]
    assert (call["caller"]["number"], call["caller"]["customer_id"], call["agent_id"]) == (
        LIN_NUMBER,
        "C1",
        None,
    )
    (look,) = [each for each in await hotline.rows("audits") if each["action"] == "api.customers_shown"]
    assert (look["subject"], look["account_id"][:6]) == ("CAgone", "token:")


async def test_a_token_opens_what_it_says_until_it_ends(
    program: Program, hotline: Hotline, door: Door
) -> None:
    assert program.problem(await program.ask("/api/v1/live"), "no_token") == []
    said = await tokens_room.add(hotline.runtime, terminal(name="wall", scopes="live"))
    program.token = said.split("\n")[2].strip()
    assert (await program.get("/live"))["waiting"] == 0
    answer = await program.ask("/api/v1/cards")
    program.problem(answer, "out_of_scope")
    assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="figures"'
    (row,) = await hotline.rows("api_tokens")
    assert row["site"] == "power"
    for site, is_open in ((None, True), ("gas", False), ("power", True)):
        async with hotline.runtime.database.transaction() as connection:
            await connection.execute(update(api_tokens).values(site=site))
        answer = await program.ask("/api/v1/live")
        assert answer.status_code == (200 if is_open else 401), site
        (row,) = await hotline.rows("api_tokens")
        assert row["site"] == (site or "power"), "one from before is of the site it is used at"
    assert program.token.rpartition("_")[2] not in str(row)
    assert row["used_on"] == dt.datetime.now(dt.UTC).date().isoformat()
    assert "wall" in await tokens_room.show(hotline.runtime, terminal())
    for wrong in (program.token[:-1], program.token + "x", "shouwen_0_0", "shouwen", "é", row["token_id"]):
        answer = await program.ask("/api/v1/live", Authorization=f"Bearer {wrong}".encode())
        program.problem(answer, "wrong_token")
    for header in ("", "Basic eDp5", program.token):
        program.problem(await program.ask("/api/v1/live", Authorization=header), "no_token")
    with pytest.raises(tokens_service.tokens.TokenTaken):
        await tokens_room.add(hotline.runtime, terminal(name="wall"))
    with pytest.raises(tokens_room.TokenError, match="--scopes: there is no scope 'writing'"):
        await tokens_room.add(hotline.runtime, terminal(name="other", scopes="live,writing"))
    with pytest.raises(ValueError, match="1 to 3650 days"):
        await tokens_room.add(hotline.runtime, terminal(name="other", days=0))
    # Too often is told, with how long to wait; then it ends by time, and by hand.
    door.app.state.api_pace = Pace(per_s=0.001, burst=3)
    answers = [await program.ask("/api/v1/live") for _ in range(4)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    assert program.problem(answers[-1], "too_often") == []
    assert 0 < int(answers[-1].headers["retry-after"]) <= 1000
    door.app.state.api_pace = Pace(per_s=1, burst=1000)
    async with hotline.runtime.database.transaction() as connection:
        past = row["created_ms"] - 31 * DAY_MS
        await connection.execute(update(api_tokens).values(expires_ms=past))
    assert "has ended" in (await program.ask("/api/v1/live")).json()["detail"]
    program.token = await token(hotline, "wall", "live")
    await tokens_room.revoke(hotline.runtime, terminal(name="wall"))
    assert "revoked" in (await program.ask("/api/v1/live")).json()["detail"]
    with pytest.raises(tokens_room.TokenError, match="no token 'wall' in force"):
        await tokens_room.revoke(hotline.runtime, terminal(name="wall"))
    actions = sorted(
        each["action"] for each in await hotline.rows("audits") if each["action"][:6] == "token."
    )
    assert actions == ["token.added", "token.added", "token.revoked"]


WRONG = {
    "/figures?untl=2026-11-23": ["untl"],
    "/figures?from=yesterday&until=2026-13-01": ["from", "until"],
    "/figures?from=2026-11-23T09:00:00": ["from"],
    "/figures?from=2026-11-23T09:07:00Z": ["from"],
    "/figures?from=2026-11-23&from=2026-11-24": ["from"],
    "/figures?from=2026-11-23&until=2026-11-22": ["until"],
    "/figures?from=2016-11-23&until=2026-11-22": ["until"],
    "/figures?queue=nowhere&tier=nobody&line=none": ["queue", "tier", "line"],
    "/figures?queue=general&department=service": ["department"],
    "/figures?by=agent&grain=day": ["grain"],
    "/figures?agent=wang&by=queue": ["by"],
    "/figures?agent=wang&queue=general": ["agent"],
    "/figures?grain=month&from=2026-11-02": ["grain"],
    "/figures?grain=quarter&from=2026-01-01": ["grain"],
    "/figures?grain=hour": ["grain"],
    "/calls?of=Z": ["of"],
    "/calls?of=A&outcome=abandoned": ["outcome"],
    "/calls?limit=1000": ["limit"],
    "/calls?after=here": ["after"],
    "/calls?queue=%00": ["queue"],
    "/cards?x=1": ["x"],
}


async def test_what_goes_wrong_is_told_by_name(program: Program, hotline: Hotline) -> None:
    program.token = await token(hotline, "clumsy")
    for path, fields in WRONG.items():
        assert program.problem(await program.ask(f"/api/v1{path}"), "asked_wrongly") == fields, path
    for path in ("/api/v1/nothing", "/api/v2", "/api/v1/calls/CAnobody"):
        program.problem(await program.ask(path), "absent")
    for method in ("POST", "DELETE", "OPTIONS"):
        answer = await program.ask("/api/v1/figures", method=method)
        program.problem(answer, "not_for_that")
        assert answer.headers["allow"] == "GET, HEAD"
    # A store that is away, and a fault of ours: the word, and nothing of what it was.
    kept = hotline.runtime.database.engine
    broken: Any = hotline.runtime
    program.token = await token(hotline, "later")
    broken.database, database = None, broken.database
    program.problem(await program.ask("/api/v1/live"), "broken")
    broken.database = database
    assert database.engine is kept


async def test_the_document_is_valid_and_says_everything_in_both_languages(
    program: Program, hotline: Hotline, door: Door
) -> None:
    validate(program.document)
    for locale in LOCALES:
        told = (await program.client.get(f"/api/v1/openapi.json?language={locale}")).json()
        assert set(told["paths"]) == {each.path for each in OPERATIONS}
    words = door.app.state.templates.words
    own = {key for key in words.keys("zh") if key.startswith("api.")}
    assert own == {key for key in words.keys("en") if key.startswith("api.")}
    program.problem(await program.ask("/api/v1/openapi.json?language=fr"), "asked_wrongly")
    for locale, title in (("zh", "首问：供程序读取的指标"), ("en", "Shouwen: figures for machines")):
        reader = await door.enter(f"qa_{locale}", "qa", locale=locale)
        page = await reader.open("/api")
        assert page.status_code == 200
        text = text_of(page)
        assert title in text
        assert "api." not in text.replace("/api.", "").replace("openapi.json", "")
        assert "//" not in text.replace("https://", "").replace("http://", "")
    agent = await door.agent("li")
    assert (await agent.open("/api")).status_code == 403
