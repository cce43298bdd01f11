"""A Lua file becomes a typed callable; its header is the contract and is read, not repeated.

    -- claim_offer: hold one waiting call for one ready agent.
    -- KEYS
    --   1 site          all other keys are made from it
    -- ARGV
    --   1 now_ms        product ms
    --   2 call_id
    -- REPLY
    --   ok <offer_id>   claimed
    --   stale:<state>   the call or agent is in another state

Arguments are given by the header's names, all of them and no others. Replies are words; a header that is
numbered wrongly, or has no reply, is refused when it is loaded. The body names KEYS and ARGV once; its line
``-- include: name`` stands for the text of ``lua/include/name.lua``.

A server that lost its scripts (it was restarted) is given the text again within the same call. Until it is, no
script of that owner has run there: whoever has something to put in order first says so with ``before_load``.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, ResponseError

from config import traces

_TITLE = re.compile(r"--\s*(?P<name>[a-z_]+): \S.*")
_SECTION = re.compile(r"--\s*(?P<section>KEYS|ARGV|REPLY)\s*")
# What stands deeper continues the line above; what stands further out is prose, or a slip.
_ENTRY = re.compile(r"-- {2,4}\S.*")
_NUMBERED = re.compile(r"-- {2,4}(?P<place>\d+) (?P<name>[a-z_]+)(?:\s.*)?")
_INCLUDE = re.compile(r"^-- include: (?P<name>[a-z_]+)$", re.MULTILINE)
# What stands at the margin of an include, with the comment above it.
_BLOCKS = re.compile(r"\n\n(?=--|local )")
_DEFINED = re.compile(r"^local (?:function )?(?P<names>\w+(?:, \w+)*)", re.MULTILINE)
_REPLY = re.compile(r"-- {2,4}(?P<word>[a-z_]+(?::(?:<[a-z_|]+>|[a-z_]+))?)(?:\s.*)?")

Value = str | int | float | bool | bytes | None
BeforeLoad = Callable[[], Awaitable[None]]


class ScriptContractError(Exception):
    """A script's header does not say what it needs, or a caller does not give it."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")


@dataclass(frozen=True)
class Contract:
    """What a header says: names in the order of KEYS and ARGV, and the words it may reply with."""

    keys: tuple[str, ...]
    arguments: tuple[str, ...]
    replies: tuple[str, ...]

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(self.arguments)


@dataclass(frozen=True)
class Script:
    name: str
    body: str = field(repr=False)
    contract: Contract
    digest: str

    async def __call__(
        self, redis: Redis, *, keys: Sequence[str], before_load: BeforeLoad | None = None, **arguments: Value
    ) -> list[str]:
        """Run it; the reply is a list of texts, the first of them the word."""
        values = self._ordered(keys, arguments)
        with traces.part(f"script {self.name}") as part:
            reply = self._texts(await self._run(redis, keys, values, before_load))
            part.tell(reply=reply[0] if reply else "")
        return reply

    async def _run(
        self,
        redis: Redis,
        keys: Sequence[str],
        values: Sequence[str | bytes],
        before_load: BeforeLoad | None,
    ) -> object:
        client: Any = redis  # the library types these two for its blocking twin as well
        try:
            try:
                return await client.evalsha(self.digest, len(keys), *keys, *values)
            except NoScriptError:
                if before_load is not None:
                    await before_load()
                return await client.eval(self.body, len(keys), *keys, *values)
        except ResponseError as fault:
            fault.add_note(f"in the script {self.name}")
            raise

    def _ordered(self, keys: Sequence[str], arguments: Mapping[str, Value]) -> list[str | bytes]:
        expected = self.contract.arguments
        if len(keys) != len(self.contract.keys):
            raise ScriptContractError(self.name, f"takes the keys {', '.join(self.contract.keys)}")
        if arguments.keys() != self.contract.names:
            missing = [name for name in expected if name not in arguments]
            unknown = [name for name in arguments if name not in expected]
            raise ScriptContractError(self.name, f"missing {missing}, unknown {unknown}")
        return [_plain(arguments[name]) for name in expected]

    def _texts(self, reply: object) -> list[str]:
        items: list[Any] = reply if isinstance(reply, list) else [reply]
        kinds = set(map(type, items))
        if kinds == {str}:
            return items
        if list in kinds:
            raise ScriptContractError(self.name, "replies with a list inside a list")
        return ["" if item is None else str(item) for item in items]


@cache
def load(package: str, name: str, owner: str = "") -> Script:
    """The script ``lua/<name>.lua`` of a package, for example load("queues.store", "claim_offer").

    Of two owners on one server each has a text of his own, so each learns for himself that the server is new.
    """
    folder = resources.files(package).joinpath("lua")
    written = folder.joinpath(f"{name}.lua").read_text("utf-8")
    body = _with_includes(folder, written) + (f"\n-- of {owner}\n" if owner else "")
    digest = hashlib.sha1(body.encode(), usedforsecurity=False).hexdigest()
    return Script(name, body, read_contract(name, written), digest)


def _with_includes(folder: Traversable, written: str) -> str:
    """From the end to the beginning: of an include only what the text behind it speaks of is taken over.

    A server defines all of a script's functions anew whenever it runs, which can cost more than what it is for.
    """
    parts = _INCLUDE.split(written)
    body = parts.pop()
    while parts:
        include = folder.joinpath("include", f"{parts.pop()}.lua").read_text("utf-8").rstrip()
        for block in reversed(_BLOCKS.split(include)):
            names = [name for names in _DEFINED.findall(block) for name in names.split(", ")]
            if not names or any(re.search(rf"\b{name}\b", body) for name in names):
                body = f"\n{block}\n{body}"
        body = parts.pop() + body
    return body


def read_contract(name: str, body: str) -> Contract:
    """Parse the header: the comment lines before the first line of code."""
    header = []
    for line in body.splitlines():
        if not line.startswith("--"):
            break
        header.append(line)
    title = _TITLE.fullmatch(header[0]) if header else None
    if title is None or title["name"] != name:
        raise ScriptContractError(name, f"begins with '-- {name}: what it does'")
    sections = _sections(name, header[1:])
    replies = tuple(found["word"] for found in _entries(name, sections["REPLY"], _REPLY))
    if not replies:
        raise ScriptContractError(name, "says which words it replies with")
    return Contract(_numbered(name, sections["KEYS"]), _numbered(name, sections["ARGV"]), replies)


def _entries(name: str, lines: list[str], form: re.Pattern[str]) -> list[re.Match[str]]:
    found = [(line, form.fullmatch(line)) for line in lines if _ENTRY.fullmatch(line)]
    if slips := [line for line, match in found if match is None]:
        raise ScriptContractError(name, f"does not say this as it should: {slips[0]}")
    return [match for _, match in found if match is not None]


def _sections(name: str, header: list[str]) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in header:
        if found := _SECTION.fullmatch(line):
            current = sections.setdefault(found["section"], [])
        else:
            current.append(line)
    if missing := {"KEYS", "ARGV", "REPLY"} - sections.keys():
        raise ScriptContractError(name, f"has no section {', '.join(sorted(missing))}")
    return sections


def _numbered(name: str, lines: list[str]) -> tuple[str, ...]:
    names = [(int(found["place"]), found["name"]) for found in _entries(name, lines, _NUMBERED)]
    if [place for place, _ in names] != list(range(1, len(names) + 1)):
        raise ScriptContractError(name, "numbers its keys and arguments 1, 2, 3 …")
    if len({word for _, word in names}) != len(names):
        raise ScriptContractError(name, "uses a name twice")
    return tuple(word for _, word in names)


def _plain(value: Value) -> str | bytes:
    """As Lua is to see it: nothing is empty, true is 1."""
    if isinstance(value, (str, bytes)):
        return value
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value)
