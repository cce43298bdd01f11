"""The nodes of a voice menu as types: what can stand in menu.yaml, and what a text in it may hold.

A node speaks, asks, decides, or is where the call leaves the menu. *Asking* nodes are gather (one key, or a
few words), collect (a number, ended with #) and notices where they offer to join; only there a caller is
heard. What the nodes promise each other is checked in `menu_checks`; what a caller hears follows in `flow`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from queues.domain.calls import ACCOUNT_NO
from queues.domain.faults import Steps
from queues.domain.parts import Duration, Part, ShortName, Words, in_locale, language_of

END_KEY = "#"  # of every collect
JOIN_KEY = "1"  # at notices that offer to join a ticket
SOUND_KINDS = ("wav", "mp3")
HINT_CHARACTERS_MAX = 100
DIGITS_MAX = 32
_E164 = re.compile(r"\+[1-9]\d{6,14}")


def _check_key(key: str) -> str:
    if len(key) != 1 or key not in "0123456789*#":
        raise ValueError(f'\'{key}\' is not a key of a telephone; the keys are "0" to "9"')
    return key


def _check_listen(listen_ms: int) -> int:
    if listen_ms < 1000:
        raise ValueError("nobody can answer in less than a second; write 3s or more")
    return listen_ms


def _check_number(text: str) -> str:
    if not _E164.fullmatch(text):
        raise ValueError(f"'{text}' is not a number in international form such as +8657112345678")
    return text


def _check_known(languages: Iterable[str], info: ValidationInfo) -> None:
    wanted = tuple((info.context or {}).get("languages", ()))
    if extra := [language for language in languages if wanted and language not in wanted]:
        raise ValueError(f"'{extra[0]}' is not a language of this site ({', '.join(wanted)})")


def _check_some_languages(words: dict[str, str], info: ValidationInfo) -> dict[str, str]:
    _check_known(words, info)
    return words


def _check_audio(files: dict[str, str], info: ValidationInfo) -> dict[str, str]:
    _check_known(files, info)
    for file in files.values():
        if "/" in file or "\\" in file or file.startswith("."):
            raise ValueError(f"'{file}' must be the name of a file in the folder audio")
        if file.rpartition(".")[2].lower() not in SOUND_KINDS:
            raise ValueError(f"'{file}' is not a sound we can play; give a .wav or .mp3 file")
    return files


def _check_word_lists(lists: dict[str, tuple[str, ...]], info: ValidationInfo) -> dict[str, tuple[str, ...]]:
    """Lists of words by language; a language that reads another's texts has the words of that one too."""
    _check_known(lists, info)
    for words in lists.values():
        for word in words:
            if not word.strip() or len(word) > HINT_CHARACTERS_MAX:
                raise ValueError(f"'{word}' must have between 1 and {HINT_CHARACTERS_MAX} characters")
    reads: Mapping[str, str] = (info.context or {}).get("reads", {})
    lent = {language: lists[text] for language, text in reads.items() if text in lists}
    return {**lent, **lists}


Key = Annotated[str, AfterValidator(_check_key)]
Listen = Annotated[Duration, AfterValidator(_check_listen)]
SomeWords = Annotated[dict[str, str], AfterValidator(_check_some_languages)]
Audio = Annotated[dict[str, str], AfterValidator(_check_audio)]
WordLists = Annotated[dict[str, tuple[str, ...]], AfterValidator(_check_word_lists)]


class Spoken(Part):
    """Says its prompt; where there is an audio file for the caller's language, that is played instead."""

    prompt: Words
    audio: Audio = Field(default_factory=dict)


class SayNode(Spoken):
    """Speaks and goes on. With `notice` it is where the caller learns that the call is recorded."""

    type: Literal["say"]
    goto: str
    notice: bool = False


class Option(Part):
    """One answer to a question: a key, and the words that mean the same."""

    key: Key
    label: Words
    words: WordLists = Field(default_factory=dict)
    goto: str


class GatherNode(Spoken):
    """A question: a key or a word chooses; silence and wrong answers lead to `exhausted` after some tries."""

    type: Literal["gather"]
    notice: bool = False
    in_other_languages: SomeWords | None = None
    options: tuple[Option, ...] = Field(min_length=1)
    back: str | None = None
    exhausted: str | None = None
    tries: int | None = Field(default=None, ge=1, le=9)
    listen_ms: Listen | None = Field(default=None, alias="listen")

    def option(self, key: str) -> Option | None:
        return next((option for option in self.options if option.key == key), None)


class DigitCount(Part):
    """How many digits a caller may key in; the end key is not counted."""

    min: int = Field(default=1, ge=0, le=DIGITS_MAX)
    max: int = Field(ge=1, le=DIGITS_MAX)

    @model_validator(mode="after")
    def _in_order(self) -> DigitCount:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is more than max {self.max}")
        return self


class CollectNode(Spoken):
    """Asks for a number, ended with #. An account number is looked up and attaches its customer.

    After too many silent or impossible answers an account number's caller goes on as one we do not know,
    any other to `unknown` or else to a person.
    """

    type: Literal["collect"]
    into: ShortName
    digits: DigitCount
    goto: str
    unknown: str | None = None
    empty: str | None = None  # for whoever presses # alone
    skip_known: bool = False
    tries: int | None = Field(default=None, ge=1, le=9)
    listen_ms: Listen | None = Field(default=None, alias="listen")

    @property
    def is_account(self) -> bool:
        return self.into == ACCOUNT_NO

    @property
    def on_empty(self) -> str | None:
        """Where # alone leads; None where a number is needed."""
        return self.empty or (self.goto if self.is_account or self.digits.min == 0 else None)

    @property
    def on_failure(self) -> str | None:
        """Where too many tries lead; None means to a person."""
        return self.unknown or (self.goto if self.is_account else None)


class Condition(Part):
    """Holds when everything that it names holds."""

    tier: tuple[str, ...] | None = None
    known: bool | None = None
    open: str | None = None
    calendar: str | None = None
    line: tuple[str, ...] | None = None
    area: tuple[str, ...] | None = None
    care: bool | None = None
    manager: bool | None = None
    internal: bool | None = None
    notice: bool | None = None
    goto: str

    @model_validator(mode="after")
    def _asks_something(self) -> Condition:
        if not any(getattr(self, name) is not None for name in type(self).model_fields if name != "goto"):
            raise ValueError("this case asks nothing; put its goto under else")
        return self


class BranchNode(Part):
    type: Literal["branch"]
    cases: tuple[Condition, ...] = Field(min_length=1)
    otherwise: str = Field(alias="else")


class RouteNode(Part):
    """Puts the call through to people."""

    type: Literal["route"]
    queue: str
    matter: str
    prompt: Words | None = None
    audio: Audio = Field(default_factory=dict)


class VoicemailNode(Spoken):
    """Takes a message. `matter` opens that matter's ticket; a closed queue's caller has one already."""

    type: Literal["voicemail"]
    longest_ms: Duration = Field(default=120_000, alias="longest")
    queue: str | None = None
    matter: str | None = None
    anonymous: bool = False
    goto: str | None = None  # what follows the message

    @model_validator(mode="after")
    def _is_whole(self) -> VoicemailNode:
        if bool(self.queue) != bool(self.matter):
            raise ValueError("give queue and matter together, or neither")
        if self.anonymous and not self.matter:
            raise ValueError("an anonymous message needs queue and matter: its ticket is all that is left")
        return self


class LocaleNode(Part):
    type: Literal["locale"]
    locale: str = Field(alias="set")
    goto: str


class HangupNode(Spoken):
    type: Literal["hangup"]


class TransferNode(Spoken):
    """Dials a number outside; whoever is not answered there comes back to the menu."""

    type: Literal["transfer"]
    to: Annotated[str, AfterValidator(_check_number)]
    ring_ms: Listen = Field(default=30_000, alias="ring")
    unanswered: str


class Join(Part):
    """Offers to attach the call to the ticket of a running notice."""

    prompt: Words
    goto: str


class NoticesNode(Spoken):
    """Speaks each running notice of the caller's area."""

    type: Literal["notices"]
    none: Words | None = None
    join: Join | None = None
    goto: str


class CaseNode(Spoken):
    """Speaks the state of the case whose number and access code were collected before."""

    type: Literal["case"]
    wrong: str
    exhausted: str
    goto: str


Node = (
    SayNode
    | GatherNode
    | CollectNode
    | BranchNode
    | RouteNode
    | VoicemailNode
    | LocaleNode
    | HangupNode
    | TransferNode
    | NoticesNode
    | CaseNode
)
KINDS: Mapping[str, type[Node]] = {
    "say": SayNode,
    "gather": GatherNode,
    "collect": CollectNode,
    "branch": BranchNode,
    "route": RouteNode,
    "voicemail": VoicemailNode,
    "locale": LocaleNode,
    "hangup": HangupNode,
    "transfer": TransferNode,
    "notices": NoticesNode,
    "case": CaseNode,
}


class Keys(Part):
    """Keys that work at every question; `yes` and `no` where something is asked back."""

    repeat: Key = "*"
    back: Key = "#"
    do_not_record: Key = "8"
    person: Key = "0"
    yes: Key = "1"
    no: Key = "2"


class Callback(Part):
    """What is said of calling back, to whoever waits, to whoever is called, and to the agent."""

    offer: Words  # with {key}
    promised: Words
    greeting: Words  # who calls, and which key is pressed to talk
    gone: Words  # the agent left while the phone rang: we call again
    whisper: Words  # before what an agent hears of every call


class Phrases(Part):
    """What is said between the nodes, to callers and to agents."""

    customer: Words
    manager: Words | None = None  # for a manager whose name we do not know
    unknown_key: Words
    not_understood: Words | None = None  # of words and numbers; without it as for an unknown key
    not_recorded: Words
    still_waiting: Words
    connecting: Words
    place_kept: Words
    put_through: Words | None = None  # by an agent, to another queue; without it as for connecting
    system_busy: Words
    call_later: Words
    message_taken: Words
    goodbye: Words
    whisper: Words
    accept: Words
    caller_left: Words
    callback: Callback | None = None  # what is said where queues offer to call back
    # Where queues offer to call back: to whoever waits, to whoever is called, and to the agent before the rest.
    callback_offer: Words | None = None
    callback_promised: Words | None = None
    callback_greeting: Words | None = None
    callback_gone: Words | None = None
    callback_whisper: Words | None = None
    gave_up_greeting: Words | None = None  # to who gave up, and is called from the list
    not_found: Words | None = None  # no customer has this account number
    sure_of: Words | None = None  # "You would like {label}, is that right?"
    yes: WordLists = Field(default_factory=dict)
    no: WordLists = Field(default_factory=dict)


class LineDoors(Part):
    """Where the callers of one line begin."""

    entry: str
    internal: str | None = None
    calendar: str | None = None
    closed: str | None = None


class Menu(Part):
    version: str
    org: Words
    languages: tuple[str, ...]
    tries: int
    steps: int  # after so many keys in the menu the caller is put through
    exhausted: str
    listen_ms: int
    sure: float  # from this confidence on we do not ask back
    keys: Keys
    phrases: Phrases
    nodes: dict[str, Node]
    lines: dict[str, LineDoors]
    closed: dict[str, str]  # queue -> node for callers outside its hours
    full: dict[str, str] = Field(default_factory=dict)  # queue -> node for callers who find it full
    led: dict[str, str] = Field(default_factory=dict)  # queue -> node for callers who have waited too long
    areas: dict[str, dict[str, str]] = Field(default_factory=dict)
    case_states: dict[str, dict[str, str]] = Field(default_factory=dict)  # what a caller hears of his case
    reads: dict[str, str] = Field(default_factory=dict)  # locale -> the language whose texts it reads
    # Locale -> the recogniser's name for it; without it: keys only.
    hears: dict[str, str] = Field(default_factory=dict)
    sounds: dict[str, str] = Field(default_factory=dict)  # audio file -> digest of its content

    @property
    def entries(self) -> dict[str, str]:
        return {line: doors.entry for line, doors in self.lines.items()}

    def locale_of(self, language: str) -> str:
        """The locale of a text's language: `en` is `en-US`."""
        return next((each for each in self.languages if language_of(each) == language), self.languages[0])

    def exhausted_at(self, node: Node) -> str:
        """Where silence and wrong answers lead in the end."""
        if isinstance(node, CollectNode):
            return node.on_failure or self.exhausted
        if isinstance(node, NoticesNode):
            return node.goto
        return (node.exhausted if isinstance(node, GatherNode) else None) or self.exhausted

    def text_in(self, words: Mapping[str, str], locale: str) -> str:
        """A text that came from outside the site's files: in this language, or in the one it reads."""
        return (
            words.get(language_of(locale))
            or words.get(self.reads.get(locale, ""))
            or in_locale(words, locale)
        )


def starts_of(menu: Menu) -> dict[Steps, str]:
    """Every node at which a caller can begin, with the place in the files that says so."""
    found: dict[Steps, str] = {}
    for line, doors in menu.lines.items():
        for door in ("entry", "internal", "closed"):
            if name := getattr(doors, door):
                found["site", "lines", line, door] = name
    return found


def texts_of(node: Node) -> dict[str, Any]:
    """The texts a node speaks, by the name of their field."""
    found: dict[str, Any] = {}
    for field in ("prompt", "none", "in_other_languages"):
        if words := getattr(node, field, None):
            found[field] = words
    if isinstance(node, NoticesNode) and node.join:
        found["join.prompt"] = node.join.prompt
    return found
