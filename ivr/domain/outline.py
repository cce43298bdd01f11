"""A menu in words, for people: what each node does, and by what each way leads on.

The tree, the picture and the list of differences all say it with these words, in Chinese or in English; names
and labels of the site come in the same language where the site has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ivr.domain.nodes import (
    END_KEY,
    JOIN_KEY,
    BranchNode,
    CaseNode,
    CollectNode,
    Condition,
    GatherNode,
    HangupNode,
    LocaleNode,
    Menu,
    Node,
    NoticesNode,
    RouteNode,
    SayNode,
    TransferNode,
    VoicemailNode,
)
from queues.domain.parts import in_locale, language_of
from queues.domain.plan import Plan

CHINESE: Final = "zh"
ENGLISH: Final = "en"
LANGUAGES: Final = (CHINESE, ENGLISH)

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "say": ("播报", "speaks"),
    "gather": ("按键选择", "asks for a choice"),
    "collect": ("输入号码", "asks for a number"),
    "branch": ("自动判断", "decides"),
    "route": ("转人工", "to a person"),
    "voicemail": ("语音留言", "takes a message"),
    "locale": ("切换语言", "changes language"),
    "hangup": ("道别挂机", "says goodbye"),
    "transfer": ("转外线", "dials outside"),
    "notices": ("播报通知", "tells of notices"),
    "case": ("查询进度", "tells how a case stands"),
    "anonymous": ("匿名留言", "takes an anonymous message"),
    "back": ("返回上级", "back"),
    "silence": ("未按键或多次按错", "silence or wrong keys"),
    "next": ("然后", "then"),
    "otherwise": ("其他情况", "otherwise"),
    "given": ("输入后", "when given"),
    "empty": ("只按井号键", "pound alone"),
    "wrong": ("号码或密码不符", "wrong number or code"),
    "too_often": ("三次不符", "wrong three times"),
    "unanswered": ("无人接听", "nobody answers"),
    "message_left": ("留言后", "after the message"),
    "out_of_hours": ("非服务时间", "out of hours"),
    "full": ("队列已满", "queue full"),
    "waited": ("等候过久", "waited too long"),
    "join": ("加入该工单", "join the ticket"),
    "dialled": ("拨打", "dialled:"),
    "internal": ("内部来电", "call from an extension"),
    "recording": ("录音告知", "recording notice"),
    "see_above": ("见上文", "see above"),
    "see_below": ("见下文", "see below"),
    "keys_everywhere": ("各菜单通用按键", "keys at every question"),
    "repeat": ("重听", "repeat"),
    "do_not_record": ("不录音", "do not record"),
    "person": ("人工服务", "a person"),
    "or_says": ("或说", "or says"),
    "nothing_changes": ("没有变化。", "Nothing changes."),
}
_CONDITIONS: Final[Mapping[str, tuple[str, str]]] = {
    "tier": ("客户等级为{}", "the customer's tier is {}"),
    "open": ("“{}”在服务时间内", "{} is open"),
    "calendar": ("在“{}”时间内", "it is within {}"),
    "line": ("拨打的是{}", "the line dialled is {}"),
    "area": ("客户在{}", "the customer's area is {}"),
}
_FACTS: Final[Mapping[str, tuple[tuple[str, str], tuple[str, str]]]] = {
    "known": (("已识别客户", "the caller is known"), ("未识别客户", "the caller is not known")),
    "care": (("特殊关怀客户", "the caller needs special care"), ("非特殊关怀客户", "no special care")),
    "manager": (
        ("有客户经理", "there is an account manager"),
        ("没有客户经理", "there is no account manager"),
    ),
    "internal": (
        ("内部来电", "the call comes from an extension"),
        ("外部来电", "the call comes from outside"),
    ),
    "notice": (
        ("所在区域有通知", "a notice runs in the area"),
        ("所在区域没有通知", "no notice runs in the area"),
    ),
}


class LeadKind(StrEnum):
    KEY = "key"
    NEXT = "next"
    CASE = "case"  # what the menu itself decides
    FAILED = "failed"  # silence, wrong answers, nobody there
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Lead:
    """One way from a node to another. `key` is what is pressed, `spoken` what is said instead, if anything is."""

    kind: LeadKind
    key: str
    words: str
    goto: str
    spoken: str = ""

    @property
    def text(self) -> str:
        return f"{self.key} {self.words}".strip()

    @property
    def whole(self) -> str:
        return f"{self.text} ({self.spoken})" if self.spoken else self.text


@dataclass(frozen=True, slots=True)
class Door:
    """Where callers come in. `line` is the line whose ordinary callers begin here."""

    words: str
    goto: str
    line: str = ""


def word(name: str, language: str) -> str:
    return WORDS[name][language == ENGLISH]


def frame_language(language: str) -> str:
    """The language of our own words beside the site's: Chinese for a Chinese text, else English."""
    return CHINESE if language_of(language) in {CHINESE, "yue"} else ENGLISH


@dataclass(frozen=True)
class Outline:
    """One menu in the words of one language."""

    menu: Menu
    plan: Plan
    language: str

    def word(self, name: str) -> str:
        return word(name, frame_language(self.language))

    def text(self, words: Mapping[str, str]) -> str:
        return " ".join(in_locale(words, self.language).split())

    def kind(self, name: str) -> str:
        node = self.menu.nodes[name]
        if isinstance(node, VoicemailNode) and node.anonymous:
            return self.word("anonymous")
        return self.word(node.type)

    def title(self, name: str) -> str:
        """What a node is about, in one line."""
        node = self.menu.nodes[name]
        match node:
            case RouteNode():
                return f"{self.name_of('queues', node.queue)} · {self.name_of('matters', node.matter)}"
            case LocaleNode():
                return node.locale
            case BranchNode():
                return ""
            case TransferNode():
                return f"{node.to} · {self.text(node.prompt)}"
        return self.text(node.prompt)

    def speech(self, name: str) -> str:
        """All that is said at a node."""
        prompt: Mapping[str, str] | None = getattr(self.menu.nodes[name], "prompt", None)
        return self.text(prompt) if prompt else ""

    def leads(self, name: str) -> list[Lead]:
        """The ways on from a node: keys first, then what follows by itself, then what follows when all fails."""
        return list(self._leads(self.menu.nodes[name]))

    def silence(self, name: str) -> Lead | None:
        """Where whoever does nothing is put through in the end."""
        node = self.menu.nodes[name]
        if not isinstance(node, GatherNode | CollectNode):
            return None
        return Lead(LeadKind.FAILED, "", self.word("silence"), self.menu.exhausted_at(node))

    def everywhere(self) -> list[Lead]:
        """The keys that work at every question; those that stay there lead nowhere."""
        keys = self.menu.keys
        return [
            Lead(LeadKind.KEY, keys.repeat, self.word("repeat"), ""),
            Lead(LeadKind.BACK, keys.back, self.word("back"), ""),
            Lead(LeadKind.KEY, keys.do_not_record, self.word("do_not_record"), ""),
            Lead(LeadKind.KEY, keys.person, self.word("person"), self.menu.exhausted),
        ]

    def doors(self) -> list[Door]:
        """Where callers come in: each line first, then its callers from inside, and those outside its hours."""
        found: dict[str, list[Door]] = {"": [], "internal": [], "out_of_hours": []}
        for name, line in self.menu.lines.items():
            dialled = f"{self.word('dialled')} {self.name_of('lines', name)}"
            for door, goto in (("", line.entry), ("internal", line.internal), ("out_of_hours", line.closed)):
                if goto:
                    said = f"{dialled} · {self.word(door)}" if door else dialled
                    found[door].append(Door(said, goto, "" if door else name))
        return [door for doors in found.values() for door in doors]

    def name_of(self, section: str, name: str) -> str:
        """The name of a queue, matter, line, tier, area or calendar in this language."""
        found: Mapping[str, Any] = getattr(self.plan, section)
        return self.text(found[name].name) if name in found else name

    def condition(self, case: Condition) -> str:
        language = frame_language(self.language)
        said: list[str] = []
        for field, words in _CONDITIONS.items():
            if names := _names(getattr(case, field)):
                section = {"open": "queues"}.get(field, f"{field}s")
                told = ("、" if language == CHINESE else " or ").join(
                    self.name_of(section, each) for each in names
                )
                said.append(words[language == ENGLISH].format(told))
        for field, (yes, no) in _FACTS.items():
            if (value := getattr(case, field)) is not None:
                said.append((yes if value else no)[language == ENGLISH])
        return ("，" if language == CHINESE else ", ").join(said)

    def _leads(self, node: Node) -> Iterator[Lead]:
        match node:
            case GatherNode():
                for option in node.options:
                    spoken = self._spoken(option.words)
                    yield Lead(LeadKind.KEY, option.key, self.text(option.label), option.goto, spoken)
                if node.back:
                    yield Lead(LeadKind.BACK, self.menu.keys.back, self.word("back"), node.back)
            case CollectNode():
                yield Lead(LeadKind.KEY, END_KEY, self.word("given"), node.goto)
                if node.empty:
                    yield Lead(LeadKind.KEY, END_KEY, self.word("empty"), node.empty)
            case BranchNode():
                for case in node.cases:
                    yield Lead(LeadKind.CASE, "", self.condition(case), case.goto)
                yield Lead(LeadKind.CASE, "", self.word("otherwise"), node.otherwise)
            case _:
                yield from self._further_leads(node)

    def _further_leads(self, node: Node) -> Iterator[Lead]:
        match node:
            case SayNode() | LocaleNode():
                yield Lead(LeadKind.NEXT, "", self.word("next"), node.goto)
            case NoticesNode():
                if node.join:
                    yield Lead(LeadKind.KEY, JOIN_KEY, self.word("join"), node.join.goto)
                yield Lead(LeadKind.NEXT, "", self.word("next"), node.goto)
            case RouteNode():
                ways = (
                    ("out_of_hours", self.menu.closed),
                    ("full", self.menu.full),
                    ("waited", self.menu.led),
                )
                for word, led in ways:
                    if node.queue in led:
                        yield Lead(LeadKind.CASE, "", self.word(word), led[node.queue])
            case VoicemailNode(goto=goto) if goto:
                yield Lead(LeadKind.NEXT, "", self.word("message_left"), goto)
            case TransferNode():
                yield Lead(LeadKind.FAILED, "", self.word("unanswered"), node.unanswered)
            case CaseNode():
                yield Lead(LeadKind.NEXT, "", self.word("next"), node.goto)
                yield Lead(LeadKind.FAILED, "", self.word("wrong"), node.wrong)
                yield Lead(LeadKind.FAILED, "", self.word("too_often"), node.exhausted)
            case HangupNode() | _:
                return

    def _spoken(self, spoken: Mapping[str, tuple[str, ...]]) -> str:
        mine = language_of(self.language)
        words = next((said for language, said in spoken.items() if language_of(language) == mine), ())
        told = ("、" if frame_language(self.language) == CHINESE else ", ").join(words)
        return f"{self.word('or_says')} {told}" if words else ""


def _names(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Branching:
    """A menu as a tree: every node once, at the shortest way to it; all other ways are mere mentions."""

    roots: tuple[str, ...]
    children: Mapping[str, tuple[Lead, ...]]
    mentions: Mapping[str, tuple[Lead, ...]]


def branching(outline: Outline) -> Branching:
    """Breadth first from the doors, in the order of the files; keys before what happens without them."""
    tree = _Growing(outline)
    tree.grow(tuple(dict.fromkeys(outline.menu.entries.values())))
    others = [door.goto for door in outline.doors()]
    # The other doors, and what only keys that work everywhere lead to.
    for name in (*others, *outline.menu.nodes):
        if name not in tree.children:
            tree.grow((name,))
    return Branching(tuple(tree.roots), tree.children, tree.mentions)


class _Growing:
    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self.roots: list[str] = []
        self.children: dict[str, tuple[Lead, ...]] = {}
        self.mentions: dict[str, tuple[Lead, ...]] = {}
        self._seen: set[str] = set()

    def grow(self, roots: tuple[str, ...]) -> None:
        self.roots += roots
        self._seen.update(roots)
        waiting = list(roots)
        while waiting:
            name = waiting.pop(0)
            silence = self.outline.silence(name)
            own: list[Lead] = []
            others: list[Lead] = []
            for lead in (*self.outline.leads(name), *([silence] if silence else [])):
                is_new = lead.goto not in self._seen and lead.kind is not LeadKind.BACK
                (own if is_new else others).append(lead)
                if is_new:
                    self._seen.add(lead.goto)
                    waiting.append(lead.goto)
            self.children[name], self.mentions[name] = tuple(own), tuple(others)
