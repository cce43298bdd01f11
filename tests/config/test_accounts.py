"""Signing in and staying in: Alice is a supervisor, Bob an agent, Mallory is neither."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from sqlalchemy import select, update
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from config.database import Database
from config.runtime import Runtime
from config.web import accounts, entrance, sessions
from config.web.accounts import (
    FAILURES_MAX,
    Account,
    NameTaken,
    PasswordRefused,
    _hasher,
    create_account,
    require,
    sign_in,
)
from config.web.errors import exception_handlers
from config.web.forms import read_form
from config.web.headers import SecurityHeaders
from config.web.sessions import SESSION_FOR_MS
from config.web.templates import RailEntry, Templates, page

ALICE = "correct horse 电池"
BOB = "staple battery"
PUBLIC = "https://hotline.example"
HTML = {"Accept": "text/html"}


@require("supervisor", "agent")
async def calls(request: Request) -> Response:
    return PlainTextResponse(f"calls for {request.state.account.name}")


@require("supervisor")
async def wall(request: Request) -> Response:
    if request.method == "POST":
        return PlainTextResponse(f"noted: {(await read_form(request)).get('note')}")
    return page(request, "error.html", word="absent", way_back="/calls")


@require()
async def broken(request: Request) -> Response:
    raise LookupError("with secrets in it")


def house(runtime: Runtime) -> Starlette:
    app = Starlette(
        routes=[
            *entrance.routes(),
            Route("/calls", calls),
            Route("/wall", wall, methods=["GET", "POST"]),
            Route("/broken", broken),
        ],
        middleware=[Middleware(SecurityHeaders, settings=runtime.settings)],
        exception_handlers=dict(exception_handlers()),
    )
    app.state.runtime = runtime
    rail = (
        RailEntry("/wall", "sign_in.title", ("supervisor",), "w"),
        RailEntry("/calls", "password.title", ("supervisor", "agent"), "c"),
    )
    app.state.templates = Templates(("config.web",), rail)
    return app


class Browser:
    """Somebody's browser: keeps cookies, follows nothing by itself, fills in the forms it was shown."""

    def __init__(self, app: Starlette) -> None:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        self.http = httpx2.AsyncClient(transport=transport, base_url=PUBLIC, headers=HTML)
        self.token = ""

    async def get(self, path: str, **options: Any) -> httpx2.Response:
        answer = await self.http.get(path, **options)
        if found := re.search(r'<meta name="csrf" content="([^"]+)">', answer.text):
            self.token = found[1]
        return answer

    async def post(self, path: str, **fields: str) -> httpx2.Response:
        return await self.http.post(path, data={"csrf": self.token, **fields})

    async def sign_in(self, name: str, password: str, **more: str) -> httpx2.Response:
        await self.get("/sign-in")
        return await self.post("/sign-in", name=name, password=password, **more)


@pytest.fixture
async def app(runtime: Runtime) -> Starlette:
    return house(runtime)


@pytest.fixture
def browser(app: Starlette) -> Browser:
    return Browser(app)


@pytest.fixture
async def alice(database: Database) -> Account:
    return await create_account(
        database, name="alice", password=ALICE, role="supervisor", must_change_password=False
    )


@pytest.fixture
async def bob(database: Database) -> Account:
    return await create_account(database, name="bob", password=BOB, role="agent", agent_id="a7", locale="en")


@asynccontextmanager
async def later(monkeypatch: pytest.MonkeyPatch, by_ms: int) -> AsyncIterator[None]:
    now_ms = sessions.wall_ms()
    with monkeypatch.context() as patch:
        for module in (sessions, accounts):
            patch.setattr(module, "wall_ms", lambda: now_ms + by_ms)
        yield


class TestTheWayIn:
    async def test_alice_signs_in_and_lands_on_her_first_page(self, browser: Browser, alice: Account):
        asked = await browser.get("/calls")
        assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=%2Fcalls")
        answer = await browser.sign_in("alice", ALICE)
        assert (answer.status_code, answer.headers["location"]) == (303, "/wall")
        assert (await browser.get("/calls")).text == "calls for alice"

    async def test_she_returns_to_where_she_was_going(self, browser: Browser, alice: Account):
        answer = await browser.sign_in("alice", ALICE, next="/calls?day=2026-11-23")
        assert answer.headers["location"] == "/calls?day=2026-11-23"

    @pytest.mark.parametrize(
        "goal",
        ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", "/a\nb", "/sign-out"],
    )
    async def test_nobody_is_sent_to_another_house(self, browser: Browser, alice: Account, goal: str):
        answer = await browser.sign_in("alice", ALICE, next=goal)
        assert answer.headers["location"] == "/wall"

    @pytest.mark.parametrize(
        ("name", "password"), [("alice", "wrong password"), ("nobody", ALICE), ("ALICE", ALICE)]
    )
    async def test_a_wrong_name_and_a_wrong_password_look_the_same(
        self, browser: Browser, alice: Account, name: str, password: str
    ):
        answer = await browser.sign_in(name, password)
        assert answer.status_code == 422
        assert "用户名或密码不对" in answer.text
        assert f'value="{name}"' in answer.text  # what was typed is still there
        assert password not in answer.text
        assert (await browser.get("/calls")).status_code == 303

    async def test_letters_may_be_typed_in_several_ways(self, database: Database, alice: Account):
        # Full-width letters, as a Chinese keyboard writes them.
        assert await sign_in(database, "ａｌｉｃｅ", ALICE) is not None

    async def test_the_cookie_is_kept_from_scripts_and_other_sites(self, browser: Browser, alice: Account):
        answer = await browser.sign_in("alice", ALICE)
        [cookie] = [
            text for text in answer.headers.get_list("set-cookie") if text.startswith("shouwen_session=")
        ]
        assert {part.strip() for part in cookie.split(";")[1:]} == {
            "HttpOnly",
            "Path=/",
            "SameSite=lax",
            "Secure",
        }

    async def test_a_cookie_of_ones_own_making_opens_nothing(self, browser: Browser, alice: Account):
        await browser.sign_in("alice", ALICE)
        name = browser.http.cookies["shouwen_session"]
        browser.http.cookies.clear()
        browser.http.cookies.set("shouwen_session", name[:-2] + "xx", domain="hotline.example")
        assert (await browser.get("/calls")).status_code == 303

    async def test_signing_in_needs_the_form_that_we_showed(self, browser: Browser, alice: Account):
        assert (await browser.post("/sign-in", name="alice", password=ALICE)).status_code == 403
        await browser.get("/sign-in")
        browser.token = "another"
        assert (await browser.post("/sign-in", name="alice", password=ALICE)).status_code == 403


class TestTheLock:
    async def test_five_wrong_tries_and_the_right_password_waits_a_quarter_of_an_hour(
        self, database: Database, alice: Account, monkeypatch: pytest.MonkeyPatch
    ):
        # Time stands still meanwhile, because a password takes a while to look at.
        async with later(monkeypatch, 0):
            for _ in range(FAILURES_MAX):
                assert await sign_in(database, "alice", "wrong password") is None
            assert await sign_in(database, "alice", ALICE) is None
            async with later(monkeypatch, 15 * 60_000 - 1):
                assert await sign_in(database, "alice", ALICE) is None
            async with later(monkeypatch, 15 * 60_000):
                assert await sign_in(database, "alice", ALICE) is not None

    async def test_the_fifth_try_may_be_the_right_one_and_starts_the_count_anew(
        self, database: Database, alice: Account
    ):
        for _ in range(2):
            for _ in range(FAILURES_MAX - 1):
                assert await sign_in(database, "alice", "wrong password") is None
            assert await sign_in(database, "alice", ALICE) is not None

    async def test_tries_at_the_same_time_do_not_slip_past(
        self, database: Database, alice: Account, monkeypatch: pytest.MonkeyPatch
    ):
        looked_at = 0
        verify = accounts._verify

        async def counting(password: str, password_hash: str | None) -> bool:
            nonlocal looked_at
            looked_at += password_hash is not None
            return await verify(password, password_hash)

        monkeypatch.setattr(accounts, "_verify", counting)
        await asyncio.gather(*(sign_in(database, "alice", f"wrong {n}") for n in range(12)))
        assert looked_at == FAILURES_MAX


class TestPasswords:
    async def test_a_first_password_is_changed_before_anything_else(
        self, browser: Browser, bob: Account, database: Database
    ):
        answer = await browser.sign_in("bob", BOB, next="/calls")
        assert answer.headers["location"] == "/password?next=/calls"
        assert (await browser.get("/calls")).headers["location"] == "/password"
        shown = await browser.get("/password?next=/calls")
        assert "Please choose a password that only you know." in shown.text  # in Bob's language
        changed = await browser.post(
            "/password", old=BOB, new="a new battery", again="a new battery", next="/calls"
        )
        assert (changed.status_code, changed.headers["location"]) == (303, "/calls")
        assert (await browser.get("/calls")).text == "calls for bob"
        assert await sign_in(database, "bob", BOB) is None
        assert await sign_in(database, "bob", "a new battery") is not None

    @pytest.mark.parametrize(
        ("old", "new", "again", "said"),
        [
            ("not the old one", "a new battery", "a new battery", "The present password is not right."),
            (BOB, "too short", "too short", "at least 10 characters."),
            (BOB, "x" * 201, "x" * 201, "at most 200 characters."),
            (BOB, BOB, BOB, "must be neither the present one nor the user name."),
            (BOB, "a new battery", "a new batery", "The two new passwords are not the same."),
        ],
    )
    async def test_a_password_that_will_not_do(
        self, browser: Browser, bob: Account, old: str, new: str, again: str, said: str
    ):
        await browser.sign_in("bob", BOB)
        await browser.get("/password")
        answer = await browser.post("/password", old=old, new=new, again=again)
        assert answer.status_code == 422
        assert said in answer.text
        assert (await browser.get("/calls")).headers["location"] == "/password"

    async def test_a_new_password_signs_out_every_other_browser(
        self, app: Starlette, browser: Browser, alice: Account
    ):
        elsewhere = Browser(app)
        await elsewhere.sign_in("alice", ALICE)
        await browser.sign_in("alice", ALICE)
        await browser.get("/password")
        await browser.post("/password", old=ALICE, new="a new battery", again="a new battery")
        assert (await elsewhere.get("/calls")).status_code == 303
        assert (await browser.get("/calls")).text == "calls for alice"

    async def test_names_are_once_and_first_passwords_are_long(self, database: Database, alice: Account):
        with pytest.raises(NameTaken):
            await create_account(database, name=" alice ", password=BOB, role="agent")
        with pytest.raises(PasswordRefused):
            await create_account(database, name="carol", password="short", role="agent")

    async def test_nothing_that_opens_the_house_is_stored(self, database: Database, alice: Account):
        async with database.read() as conn:
            row = (await conn.execute(select(accounts.accounts))).mappings().one()
        assert row["password_hash"].startswith("$argon2id$")

    def test_a_guess_costs_what_the_library_recommends(self) -> None:
        """The hasher as the product has it: the other tests have a lighter one."""
        assert _hasher().hash("a long password").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


class TestSessions:
    async def test_signing_out_ends_the_session_in_every_copy(
        self, app: Starlette, browser: Browser, alice: Account
    ):
        await browser.sign_in("alice", ALICE)
        copy = Browser(app)
        copy.http.cookies.update(browser.http.cookies)
        await browser.get("/wall")
        assert (await browser.post("/sign-out")).headers["location"] == "/sign-in"
        assert (await copy.get("/calls")).status_code == 303

    async def test_a_session_in_use_goes_on_and_a_forgotten_one_ends(
        self, browser: Browser, alice: Account, monkeypatch: pytest.MonkeyPatch
    ):
        await browser.sign_in("alice", ALICE)
        async with later(monkeypatch, SESSION_FOR_MS * 3 // 4):
            assert (await browser.get("/calls")).status_code == 200
        async with later(monkeypatch, SESSION_FOR_MS + 1000):
            assert (await browser.get("/calls")).status_code == 200
        async with later(monkeypatch, SESSION_FOR_MS * 2 + 1000):
            asked = await browser.get("/calls")
            assert asked.headers["location"] == "/sign-in?next=%2Fcalls&why=expired"
            assert "登录已过期" in (await browser.get(asked.headers["location"])).text

    async def test_a_demo_that_runs_fast_does_not_sign_people_out(
        self, runtime: Runtime, browser: Browser, alice: Account
    ):
        await browser.sign_in("alice", ALICE)
        runtime.clock.advance(10 * SESSION_FOR_MS)  # type: ignore[attr-defined]
        assert (await browser.get("/calls")).status_code == 200

    async def test_a_forged_form_does_nothing(self, browser: Browser, alice: Account):
        await browser.sign_in("alice", ALICE)
        await browser.get("/wall")
        assert (await browser.post("/wall", note="hello")).text == "noted: hello"
        header = {"X-CSRF-Token": browser.token, "Content-Type": "application/json"}
        sent = await browser.http.post("/wall", content='{"note": "by a script"}', headers=header)
        assert sent.text == "noted: by a script"
        browser.token = "guessed"
        refused = await browser.post("/wall", note="hello")
        assert refused.status_code == 403
        assert "这份表单已经失效" in refused.text

    async def test_roles_open_pages(self, browser: Browser, bob: Account, database: Database):
        async with database.transaction() as conn:
            await conn.execute(update(accounts.accounts).values(must_change_password=False))
        await browser.sign_in("bob", BOB)
        refused = await browser.get("/wall")
        assert refused.status_code == 403
        assert "You may not open this page" in refused.text
        assert 'href="/calls"' in refused.text  # the rail still leads where Bob may go
        assert 'href="/wall"' not in refused.text


class TestLanguage:
    async def test_chinese_first_and_the_choice_is_remembered(self, browser: Browser, alice: Account):
        assert (
            '<html lang="zh-CN">' in (await browser.get("/sign-in", headers={"Accept-Language": "en"})).text
        )
        changed = await browser.post("/locale", locale="en", next="/sign-in?next=/calls")
        assert (changed.status_code, changed.headers["location"]) == (303, "/")
        assert '<html lang="en">' in (await browser.get("/sign-in")).text

    async def test_the_account_remembers_it_in_every_browser(
        self, app: Starlette, browser: Browser, alice: Account
    ):
        await browser.sign_in("alice", ALICE)
        await browser.get("/wall")
        await browser.post("/locale", locale="en", next="/wall")
        elsewhere = Browser(app)
        await elsewhere.sign_in("alice", ALICE)
        assert '<html lang="en">' in (await elsewhere.get("/wall")).text

    async def test_a_language_that_nobody_speaks_here(self, browser: Browser):
        await browser.get("/sign-in")
        await browser.post("/locale", locale="../../etc")
        assert '<html lang="zh-CN">' in (await browser.get("/sign-in")).text


class TestFaults:
    async def test_each_is_a_page_in_the_readers_language(self, browser: Browser, alice: Account):
        absent = await browser.get("/nowhere")
        assert (absent.status_code, "没有这个页面" in absent.text) == (404, True)
        await browser.sign_in("alice", ALICE)
        failed = await browser.get("/broken")
        assert (failed.status_code, "系统出错了" in failed.text) == (500, True)
        assert "secrets" not in failed.text
        assert "alice" in failed.text

    async def test_a_program_gets_one_word(self, browser: Browser):
        plain = {"Accept": "*/*"}
        assert (await browser.get("/nowhere", headers=plain)).json() == {"error": "absent"}
        answer = await browser.get("/calls", headers=plain)
        assert (answer.status_code, answer.json()) == (401, {"error": "signed_out"})

    async def test_a_form_sent_after_the_session_ended_is_told_so(
        self, browser: Browser, alice: Account, monkeypatch: pytest.MonkeyPatch
    ):
        await browser.sign_in("alice", ALICE)
        await browser.get("/wall")
        async with later(monkeypatch, SESSION_FOR_MS + 1000):
            answer = await browser.http.post(
                "/wall", data={"csrf": browser.token, "note": "long"}, headers={"Referer": f"{PUBLIC}/wall"}
            )
        assert answer.status_code == 401
        assert "刚才的操作没有执行" in answer.text
        assert 'href="/sign-in?next=%2Fwall"' in answer.text
        assert '<meta name="drafts" content="kept">' in answer.text

    async def test_without_the_database_the_page_says_so(self, runtime: Runtime, tmp_path: Any):
        gone = Database(f"sqlite+aiosqlite:///{tmp_path}/no/such/folder/x.sqlite")
        browser = Browser(house(replace(runtime, database=gone)))
        browser.http.cookies.set(
            "shouwen_session",
            sessions._signer(runtime.settings, "session").dumps("s"),
            domain="hotline.example",
        )
        answer = await browser.get("/calls")
        assert (answer.status_code, "数据库暂时连不上" in answer.text) == (503, True)
        await gone.close()

    async def test_a_page_runs_nothing_that_is_not_ours(self, browser: Browser):
        answer = await browser.get("/sign-in")
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", answer.text)

    async def test_static_files_are_asked_about_each_time(self, browser: Browser):
        answer = await browser.get("/static/app.css")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
        again = await browser.get("/static/app.css", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        assert (await browser.get("/static/../accounts.py")).status_code == 404
