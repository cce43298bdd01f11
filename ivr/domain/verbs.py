"""What we ask the telephone to do next, as small values that know no provider.

A document is a tuple of verbs, carried out in order. An `Address` names one of our own routes with what the
signature then covers: the caller's place, never a number, a name or a keyed digit.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """A route of ours: its name, the parts of its path, its query."""

    name: str
    path: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()


def address(name: str, /, query: dict[str, str | int] | None = None, **path: str) -> Address:
    return Address(
        name, tuple(path.items()), tuple((key, str(value)) for key, value in (query or {}).items())
    )


@dataclass(frozen=True, slots=True)
class Say:
    text: str
    locale: str


@dataclass(frozen=True, slots=True)
class Play:
    """A sound of ours; `spoken` is said in its place where the sound cannot be had."""

    sound: Address
    spoken: Say | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    for_s: int


Prompt = Say | Play | Pause


@dataclass(frozen=True, slots=True)
class Listening:
    """For speech as well: in which language, and the words that are likely."""

    language: str
    hints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gather:
    """A key, asked for while the prompts are heard; with `end_key` any number of keys up to that one.

    Silence is brought to the same address as a key.
    """

    prompts: tuple[Prompt, ...]
    action: Address
    listen_s: int
    end_key: str = ""
    listening: Listening | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A message after the tone; `status` is told when the audio is ready, or that there is none."""

    action: Address
    status: Address
    longest_s: int


@dataclass(frozen=True, slots=True)
class Enqueue:
    queue: str
    action: Address
    wait: Address


@dataclass(frozen=True, slots=True)
class Leave:
    """Out of the provider's queue; the call goes on at the address its Enqueue named."""


@dataclass(frozen=True, slots=True)
class DialConference:
    """Caller and agent meet here. Whoever leaves ends it for all, but a colleague who is only asked (`ends`)."""

    name: str
    action: Address
    status: Address
    ends: bool = True


@dataclass(frozen=True, slots=True)
class DialNumber:
    """Out to a telephone number. Without an action (the duty phone, our last resort) nothing follows."""

    number: str
    action: Address | None = None
    ring_s: int | None = None


@dataclass(frozen=True, slots=True)
class Redirect:
    to: Address


@dataclass(frozen=True, slots=True)
class Hangup:
    pass


Verb = (
    Say | Play | Pause | Gather | Record | Enqueue | Leave | DialConference | DialNumber | Redirect | Hangup
)
Document = tuple[Verb, ...]
