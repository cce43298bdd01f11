"""A script's header is its contract: read when loaded, kept when called."""

from collections.abc import Iterator
from importlib import import_module, invalidate_caches
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from config.scripts import Contract, Script, ScriptContractError, load, read_contract

COUNT_UP = """\
-- count_up: add to a counter, up to a limit.
-- It never goes back.
-- KEYS
--   1 site        all keys are made from it
-- ARGV
--   1 now_ms      product ms
--   2 by
--   3 is_last     1 for the last one
-- REPLY
--   ok            counted
--   again         nothing to add
--   full:<why>    the limit is reached

local site = KEYS[1]
-- include: limit
local now_ms, by, is_last = ARGV[1], tonumber(ARGV[2]), ARGV[3]
if by == 0 then return 'again' end
local total = redis.call('INCRBY', site .. ':count', by)
if total > LIMIT then return {'full:' .. is_last} end
return {'ok', total, now_ms, is_last, false}
"""

LIMITS = """\
-- How far one may count.
local FEW = 5

local function twice(n)
  return 2 * n
end

local NONE, LIMIT = 0, twice(FEW)

-- Nobody here asks for it, nor for what it alone needs.
local MANY = 100

local function far()
  return twice(MANY)
end
"""


@pytest.fixture
def count_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """A package with one script, found as the storeys' are."""
    package = tmp_path / "with_scripts"
    (package / "lua" / "include").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "lua" / "count_up.lua").write_text(COUNT_UP)
    (package / "lua" / "include" / "limit.lua").write_text(LIMITS)
    monkeypatch.syspath_prepend(str(tmp_path))
    invalidate_caches()
    import_module("with_scripts")
    yield load("with_scripts", "count_up")
    load.cache_clear()
    monkeypatch.delitem(import_module("sys").modules, "with_scripts")


async def test_arguments_go_by_name_and_replies_come_as_texts(redis: Redis, count_up: Script) -> None:
    assert await count_up(redis, keys=("{power}",), is_last=False, by=3, now_ms=1_795_395_600_000) == [
        "ok",
        "3",
        "1795395600000",
        "0",
        "",
    ]
    assert await count_up(redis, keys=("{power}",), is_last=None, by=0, now_ms=1) == ["again"]
    assert await count_up(redis, keys=("{power}",), is_last=True, by=8, now_ms=1) == ["full:1"]


def test_of_an_include_only_what_is_spoken_of_is_taken_over(count_up: Script) -> None:
    taken, _, left = LIMITS.partition("-- Nobody here")
    assert taken in count_up.body
    assert not any(line in count_up.body for line in left.splitlines() if line not in taken)
    assert (
        count_up.body.index("local site")
        < count_up.body.index("FEW = 5")
        < count_up.body.index("local now_ms")
    )


async def test_a_server_that_forgot_the_script_is_given_it_again_and_runs_it_once(
    redis: Redis, count_up: Script
) -> None:
    for expected in ("1", "2", "3"):
        await redis.script_flush()  # as a restarted server
        reply = await count_up(redis, keys=("{power}",), is_last=True, by=1, now_ms=1)
        assert reply[:2] == ["ok", expected]
    # and from the second time on the text is not sent any more
    before = await redis.info("commandstats")
    await count_up(redis, keys=("{power}",), is_last=True, by=1, now_ms=1)
    after = await redis.info("commandstats")
    assert after["cmdstat_eval"]["calls"] == before["cmdstat_eval"]["calls"]
    assert after["cmdstat_evalsha"]["calls"] == before["cmdstat_evalsha"]["calls"] + 1


@pytest.mark.parametrize(
    ("keys", "arguments", "why"),
    [
        ((), {"now_ms": 1, "by": 1, "is_last": 1}, "takes the keys site"),
        (("{a}", "{b}"), {"now_ms": 1, "by": 1, "is_last": 1}, "takes the keys site"),
        (("{a}",), {"now_ms": 1, "by": 1}, r"missing \['is_last'\]"),
        (("{a}",), {"now_ms": 1, "by": 1, "is_last": 1, "by_ms": 1}, r"unknown \['by_ms'\]"),
        (("{a}",), {"now": 1, "by": 1, "is_last": 1}, r"missing \['now_ms'\], unknown \['now'\]"),
    ],
)
async def test_a_call_that_breaks_the_contract_never_leaves(
    redis: Redis, count_up: Script, keys: tuple[str, ...], arguments: dict[str, int], why: str
) -> None:
    with pytest.raises(ScriptContractError, match=why):
        await count_up(redis, keys=keys, **arguments)
    assert await redis.dbsize() == 0


async def test_a_fault_inside_names_the_script(redis: Redis, count_up: Script) -> None:
    with pytest.raises(ResponseError) as caught:
        await count_up(redis, keys=("{power}",), is_last=True, by="many", now_ms=1)
    assert caught.value.__notes__ == ["in the script count_up"]


def test_the_header_is_read_in_order() -> None:
    assert read_contract("count_up", COUNT_UP) == Contract(
        keys=("site",), arguments=("now_ms", "by", "is_last"), replies=("ok", "again", "full:<why>")
    )


@pytest.mark.parametrize(
    ("was", "becomes", "why"),
    [
        ("-- count_up:", "-- count_down:", "begins with"),
        ("-- count_up:", "local x = 1\n-- count_up:", "begins with"),
        ("-- REPLY\n", "", "has no section REPLY"),
        ("-- ARGV\n", "", "has no section ARGV"),
        ("--   2 by", "--   3 by", "numbers its keys"),
        ("--   2 by", "--   2 now_ms", "uses a name twice"),
        ("--   2 by", "--   2. by", "not say this as it should"),
        ("--   again  ", "--   NO  ", "not say this as it should"),
        (
            "--   ok            counted\n--   again         nothing to add\n--   full:<why>    the limit",
            "-- x",
            "words",
        ),
    ],
)
def test_a_header_that_contradicts_itself_is_refused(was: str, becomes: str, why: str) -> None:
    assert was in COUNT_UP
    with pytest.raises(ScriptContractError, match=why):
        read_contract("count_up", COUNT_UP.replace(was, becomes))
