"""The values of a step through the menu: the caller's place, what is known of him, what a step needs and brings.

Nothing here decides anything; `flow` does. Whatever a caller keyed in or said, and whatever stands for his
name, is left out of every representation, so that no log line can hold it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ivr.domain.verbs import Address, Verb, address

# So many scripts a webhook may cost. Errands are scripts, and so are the record of a step and its effect.
ERRANDS_MAX: Final = 2


@dataclass(frozen=True, slots=True)
class Session:
    node: str
    tries: int
    locale: str
    version: str
    step: int
    unsure: int = 0  # the option, counted from 1, that we asked back about
    is_entering: bool = False  # he comes to the node; nothing was asked there yet


@dataclass(frozen=True, slots=True)
class RunningNotice:
    text: tuple[tuple[str, str], ...]  # language, words
    ticket_no: str = ""


@dataclass(frozen=True, slots=True)
class CallerFacts:
    """What the switchboard knows of the call."""

    tier: str
    is_known: bool
    name: str = ""  # as far as he may hear it: not of a file he opened by keying its number
    line: str = ""
    area: str = ""
    has_manager: bool = False
    manager_name: str = ""
    is_care: bool = False
    is_internal: bool = False
    notices: tuple[RunningNotice, ...] = ()
    ticket_no: str = ""
    access_code: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What was said of the case the caller asked for: ok | wrong | unknown | locked."""

    word: str
    state: str = ""
    reply: str = field(default="", repr=False)
    ticket_no: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a node may ask about. The caller's part is looked up, the queues' part follows from the clock."""

    open_queues: frozenset[str]
    caller: CallerFacts | None = None
    open_calendars: frozenset[str] = frozenset()
    answer: str | None = None  # the switchboard's word on what was keyed in
    case: CaseFacts | None = None
    errands: int = 0  # made for this step so far


@dataclass(frozen=True, slots=True)
class WhoCalls:
    """The caller's facts."""


@dataclass(frozen=True, slots=True)
class Account:
    """The customer of this account number, attached to the call."""

    digits: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Given:
    """A number kept with the call."""

    name: str
    digits: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Joining:
    """The call attached to this ticket."""

    ticket_no: str


@dataclass(frozen=True, slots=True)
class CaseState:
    """The state of the case whose number and code were kept with the call."""


Need = WhoCalls | Account | Given | Joining | CaseState


class Needed(LookupError):  # noqa: N818  a question to the switchboard, not a fault
    def __init__(self, need: Need) -> None:
        super().__init__(type(need).__name__)
        self.need = need


@dataclass(frozen=True, slots=True)
class Queueing:
    """The call goes to people; when their queue is closed, to what the menu says instead."""

    queue: str
    matter: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Messaging:
    """The caller is asked for a message; `queueing` tells what it is about, where its queue is closed."""

    queueing: Queueing | None
    longest_ms: int
    is_anonymous: bool = False


@dataclass(frozen=True, slots=True)
class Transferring:
    """The caller is put through to a number outside."""

    number: str = field(repr=False)
    ring_ms: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """The caller has been told goodbye."""

    queueing: Queueing | None


Side = Queueing | Messaging | Transferring | Leaving


@dataclass(frozen=True, slots=True)
class Step:
    """What follows. `side` is None while the caller stays in the menu; `verbs` then end in a question."""

    session: Session
    verbs: tuple[Verb, ...]
    side: Side | None = None
    refuses_recording: bool = False


def session_address(session: Session) -> Address:
    """Where the next answer of this caller is brought."""
    return address("voice_menu", query=place_of(session))


def place_of(session: Session) -> dict[str, str | int]:
    """The caller's place as it rides in an address: never a number, a name or a keyed digit."""
    place: dict[str, str | int] = {
        "n": session.node,
        "t": session.tries,
        "l": session.locale,
        "v": session.version,
        "s": session.step,
    }
    if session.unsure:
        place["c"] = session.unsure
    if session.is_entering:
        place["e"] = 1
    return place
